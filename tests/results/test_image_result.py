"""What all results have: length, indices, equality, pictures."""

import pickle

import numpy as np
import pytest
from PIL import Image
from result_cases import detections, no_detections, no_poses, poses

from keras_cornernet.results import ImageResult, Result, Speed

both = pytest.mark.parametrize("make", [detections, poses])


@pytest.mark.parametrize("result", [detections(), no_detections(), poses(), no_poses()])
def test_results_satisfy_the_protocol_of_the_commands(result):
    assert isinstance(result, Result) and isinstance(result, ImageResult)
    assert result.noun in ("boxes", "people")
    assert isinstance(result.to_coco(1), list) and len(result.to_coco(1)) == len(result)
    assert isinstance(result.with_min_score(0.0), Result)


@pytest.mark.parametrize(("make", "none", "count"), [(detections, no_detections, 3), (poses, no_poses, 2)])
def test_length_and_truth(make, none, count):
    assert len(make()) == count and make()
    assert len(none()) == 0 and not none()
    assert none().image is not None and none().boxes.shape == (0, 4)


@both
def test_indices_masks_and_slices(make):
    found = make()
    n = len(found)
    assert found[0] == next(iter(found)) and found[-1] == list(found)[-1] == found[np.int64(n - 1)]
    assert found[:] == found[np.ones(n, bool)] == found[list(range(n))] == found
    assert list(found[::-1]) == list(found)[::-1] == list(found[[-1 - i for i in range(n)]])
    assert list(found[1:]) == list(found)[1:]
    assert list(found[found.scores > 0.6]) == [found[0]] == list(found[[True] + [False] * (n - 1)])
    assert list(found[[1, 1]]) == [found[1], found[1]]
    assert len(found[[]]) == len(found[np.zeros(n, bool)]) == len(found[n:]) == 0
    assert found[1:].path == found.path and found[1:].speed == found.speed


@both
def test_indices_that_do_not_fit(make):
    found = make()
    for index in (len(found), -len(found) - 1, [len(found)], np.ones(len(found) + 1, bool)):
        with pytest.raises(IndexError):
            found[index]
    for index in (True, "dog", 1.0, np.zeros((1, 1), int), [0.5], None):
        with pytest.raises(TypeError, match="index: expected an integer, a slice"):
            found[index]


@both
def test_results_are_equal_by_value(make):
    found = make()
    assert found == make()
    assert found == make(speed=Speed(9, 9, 9)), "the time it took is not part of what was found"
    assert found != make(path=None) and found != make(image=None)
    assert found != found[:1] and found != found.replace(boxes=found.boxes + 1)
    changed = found.image.copy()
    changed[0, 0, 0] = 0
    assert found != found.replace(image=changed)
    assert found != 1 and found != "found" and found is not None
    assert found.__eq__(1) is NotImplemented
    assert detections() != poses()
    with pytest.raises(TypeError):
        hash(found)


def test_nan_equals_nan():
    keypoints = poses().keypoints.copy()
    keypoints[0, 1] = np.nan
    assert poses(keypoints=keypoints) == poses(keypoints=keypoints.copy()) != poses()


@both
def test_replace_changes_a_copy(make):
    found = make()
    other = found.replace(path="other.jpg", image=None)
    assert (other.path, other.image, found.path) == ("other.jpg", None, "pictures/street.jpg")
    with pytest.raises(TypeError):
        found.replace(colour="red")
    with pytest.raises(ValueError, match="boxes: expected the shape"):
        found.replace(boxes=found.boxes[:1])


@both
def test_arrays_cannot_be_written_to_and_those_given_stay_writable(make):
    boxes = make().boxes.copy()
    found = make(boxes=boxes)
    for array in (found.boxes, found.image, found[0].box):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    boxes[0, 0] = 4
    assert found.boxes[0, 0] == 4, "a view, not a copy"


@both
def test_results_survive_pickling(make):
    assert pickle.loads(pickle.dumps(make())) == make()


@both
def test_save_writes_the_picture(make, tmp_path):
    path = make().save(tmp_path / "new" / "found.png", min_score=0.0)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(make().plot(0.0)))
    assert [p.name for p in path.parent.iterdir()] == ["found.png"]
    with pytest.raises(ValueError):
        make().save(tmp_path / "found.docx")
    assert not (tmp_path / "found.docx").exists()


@both
def test_a_picture_needs_the_image(make):
    bare = make(image=None)
    for call in (bare.plot, bare.show, lambda: bare.save("found.png")):
        with pytest.raises(ValueError, match="plot needs the image, and this result carries none"):
            call()


def test_speed_is_said_in_one_line():
    speed = Speed(1.25, 20.0, 3.0)
    assert speed.total == 24.25
    assert str(speed) == "24.2 ms (reading 1.2, graph 20.0, rest 3.0)"
