"""Labels that a model makes for one's own images."""

import json

import numpy as np
import pytest
from command_line import run
from PIL import Image

from keras_cornernet import read_coco
from keras_cornernet.experiment.labelling import label_images
from keras_cornernet.results import Detections, Poses
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories
from keras_cornernet.structures.boxes import overlaps
from keras_cornernet.tasks.task import Prediction

CATEGORIES = Categories(("cat", "dog"), (3, 8))
SIZE = (40, 60)
FACE = Skeleton("face", ("left_eye", "right_eye", "nose"), ((0, 2), (1, 2)), ((0, 1),))


class Finds:
    """A model that finds the same on each image."""

    categories = CATEGORIES

    def __init__(self, boxes, scores, labels):
        self.found = np.array(boxes, np.float32), np.array(scores, np.float32), np.array(labels, np.int32)

    def stream(self, source):
        image = np.asarray(Image.open(source).convert("RGB"))
        yield Detections(*self.found, self.categories, image, source)


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "more/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", SIZE[::-1]).save(tmp_path / name)
    return tmp_path


def test_sure_objects_are_labels_and_unsure_ones_crowds(folder):
    boxes = [
        [0, 0, 20, 20],
        [1, 0, 20, 20],
        [1, 0, 20, 20],
        [30, 10, 50.5, 30],
        [30, 10, 50, 30],
        [5, 5, 9, 9],
    ]
    model = Finds(boxes, [0.9, 0.4, 0.35, 0.3, 0.26, 0.2], [0, 0, 1, 0, 0, 1])
    paths = sorted(folder.rglob("*.png"))
    content = label_images(Prediction(model), paths, folder, min_score=0.5)
    assert [image["file_name"] for image in content["images"]] == ["a.png", "more/b.png"]
    first = [entry for entry in content["annotations"] if entry["image_id"] == 1]
    # The second overlaps a label of its class; the fifth two of its own kind that are unsure as well.
    assert [(e["category_id"], e["iscrowd"]) for e in first] == [(3, 0), (8, 1), (3, 1), (3, 1)]
    assert first[2]["bbox"] == [30, 10, 20.5, 20] and first[2]["area"] == 410
    (folder / "labels.json").write_text(json.dumps(content))
    dataset = read_coco(folder / "labels.json", folder)
    assert dataset.problems == () and len(dataset) == 2
    np.testing.assert_array_equal(dataset.samples[0].boxes.ignore, [False, True, True, True])
    assert dataset.names == ("cat", "dog")


def test_classes_can_be_chosen(folder):
    model = Finds([[0, 0, 20, 20], [1, 0, 20, 20]], [0.9, 0.8], [0, 1])
    content = label_images(Prediction(model), [folder / "a.png"], folder, classes=["dog"])
    assert [e["category_id"] for e in content["annotations"]] == [8]
    assert content["categories"] == [{"id": 8, "name": "dog"}]
    with pytest.raises(ValueError, match="classes: the model has none called 'cow', only cat, dog"):
        label_images(Prediction(model), [folder / "a.png"], folder, classes=["cow"])


def test_joints_that_are_seen_have_a_place(folder):
    class Poser:
        skeleton = FACE

        def stream(self, source):
            points = np.array([[[5, 6], [9, 6], [7, 9]]], np.float32)
            scores = np.array([[0.9, 0.1, 0.8]], np.float32)
            box = np.array([[2, 2, 12, 14]], np.float32)
            yield Poses(
                points, scores, box, np.ones(1, np.float32), FACE, np.zeros((*SIZE, 3), np.uint8), source
            )

    content = label_images(Prediction(Poser()), [folder / "a.png"], folder, min_score=0.5)
    (entry,) = content["annotations"]
    assert entry["keypoints"] == [5, 6, 2, 0, 0, 0, 7, 9, 2] and entry["num_keypoints"] == 2
    assert entry["bbox"] == [2, 2, 10, 12] and entry["iscrowd"] == 0
    assert content["categories"][0]["keypoints"] == ["left_eye", "right_eye", "nose"]
    assert content["categories"][0]["skeleton"] == [[1, 3], [2, 3]]


def test_what_cannot_be_read_is_told_or_raised(folder):
    (folder / "a.png").write_bytes(b"no image")

    class Reads(Finds):
        def stream(self, source):
            try:
                yield from super().stream(source)
            except Image.UnidentifiedImageError as error:
                raise OSError(f"{source}: {error}") from error

    model, told = Reads([[0, 0, 20, 20]], [0.9], [0]), []
    paths = [folder / "a.png", folder / "more/b.png"]
    content = label_images(Prediction(model), paths, folder, on_error=lambda *what: told.append(what))
    assert [image["id"] for image in content["images"]] == [1]
    assert told[0][0] == str(folder / "a.png")
    with pytest.raises(OSError, match="a.png"):
        label_images(Prediction(model), paths, folder)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_score": 0}, "min_score must be above 0"),
        ({"min_score": 0.5, "unsure": 0.6}, "unsure must be at most min_score = 0.5, not 0.6"),
        ({"unsure": -1}, "unsure must be at least 0"),
    ],
)
def test_bad_settings_are_named(folder, options, words):
    with pytest.raises(ValueError, match=words):
        label_images(Prediction(Finds([], [], [])), [], folder, **options)
    with pytest.raises(ValueError, match="root: .*a.png does not lie in"):
        label_images(Prediction(Finds(np.zeros((0, 4)), [], [])), [folder / "a.png"], folder / "more")


def test_overlaps_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 20, (2, 7, 2))
    boxes = np.concatenate([low, low + rng.uniform(0, 20, (2, 7, 2))], axis=-1)
    for i, a in enumerate(boxes[0]):
        for j, b in enumerate(boxes[1]):
            sides = [max(0, min(a[2 + k], b[2 + k]) - max(a[k], b[k])) for k in (0, 1)]
            areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
            shared = sides[0] * sides[1]
            assert overlaps(boxes[0], boxes[1])[i, j] == pytest.approx(shared / (sum(areas) - shared))


def test_the_command_writes_a_file_to_train_with(folder, tmp_path):
    from exportable import detector

    from keras_cornernet import presets

    path = presets.save_model(detector(), tmp_path / "tiny.keras")
    (folder / "broken.png").write_bytes(b"no image")
    arguments = ("--score", "0.3", "--unsure", "0", "--output", tmp_path / "labels.json", "--json")
    done = run("label", path, folder, folder / "more", *arguments)
    assert done.exit_code == 1 and "broken.png" in done.stderr
    told = json.loads(done.stdout)
    content = json.loads((tmp_path / "labels.json").read_text())
    assert told["images"] == len(content["images"]) == 2
    assert told["labels"] + told["unsure"] == len(content["annotations"])
    assert told["root"] == str(folder)


def test_what_has_no_area_is_no_label(folder):
    boxes = [[3, 3, 3, 9], [3, 3, 3.002, 9], [4, 4, 9, 9], [8, 8, 8, 8]]
    content = label_images(Prediction(Finds(boxes, [0.9] * 4, [0] * 4)), [folder / "a.png"], folder)
    assert [entry["bbox"] for entry in content["annotations"]] == [[4, 4, 5, 5]]
