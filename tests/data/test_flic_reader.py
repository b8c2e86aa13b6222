import h5py
import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.readers import read_flic
from keras_cornernet.skeletons import COCO, FLIC, SKELETONS


@pytest.fixture
def read(tmp_path):
    """Writes an h5 file with one person beside a folder with `a.jpg` and reads it."""
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (720, 480)).save(images / "a.jpg")

    def run(**changes):
        columns = {
            "imgname": [b"a.jpg"],
            "center": [(361.0, 240.0)],
            "scale": [2.2],
            "part": 100.0 + np.arange(22).reshape(1, 11, 2),
            "visible": np.ones((1, 11)),
            "normalize": [90.0],
        } | changes
        with h5py.File(tmp_path / "train.h5", "w") as file:
            for name, values in columns.items():
                file[name] = values
        return read_flic(tmp_path / "train.h5", images)

    return run


def test_centre_and_scale_are_used_as_they_stand(read):
    dataset = read()
    assert dataset.problems == () and dataset.skeleton is FLIC
    (person,) = dataset.people
    assert person.center.tolist() == [360, 239] and person.side == pytest.approx(440)
    assert (
        person.keypoints[[0, 10]].tolist() == [[99, 100], [119, 120]]
        and person.visibility.tolist() == [2] * 11
    )
    assert person.head_size is None and person.image_id == 0


def test_the_joints_of_mpii_are_refused(read):
    with pytest.raises(ValueError, match=r"'part' should hold numbers of the shape \(1, 11, 2\)"):
        read(part=np.zeros((1, 16, 2)))


def test_a_missing_image_is_a_fault(read):
    dataset = read(imgname=[b"b.jpg"])
    (problem,) = dataset.problems
    assert dataset.people == () and problem.where == "row 0 (image 'b.jpg')"
    assert problem.reason.startswith("there is no such file in ")


def test_the_skeleton():
    assert FLIC.flip_order == (3, 4, 5, 0, 1, 2, 7, 6, 9, 8, 10)
    mirrored = [FLIC.joints[i] for i in FLIC.flip_order]
    swap = {"left": "right", "right": "left", "nose": "nose"}
    assert mirrored == ["_".join(swap.get(word, word) for word in joint.split("_")) for joint in FLIC.joints]
    limbs = {frozenset(limb) for limb in FLIC.limbs}
    assert {frozenset(FLIC.flip_order[i] for i in limb) for limb in limbs} == limbs
    assert {i for limb in limbs for i in limb} == set(range(11))
    sigmas = dict(zip(COCO.joints, COCO.sigmas, strict=True))
    assert [sigmas[joint] for joint in FLIC.joints] == list(FLIC.sigmas)
    assert list(SKELETONS) == ["mpii", "lsp", "coco", "flic", "animal_pose"]
