from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from keras_cornernet.data.readers import read_lsp
from keras_cornernet.skeletons import LSP

LSPET = Path(__file__).parents[2] / ".." / "shared" / "data" / "lspet"


@pytest.fixture
def read(tmp_path):
    """Writes a `joints.mat` beside a folder of named images and reads it."""
    images = tmp_path / "images"
    images.mkdir()

    def run(joints, names, field="joints", **options):
        for name in names:
            Image.new("RGB", (8, 6)).save(images / name)
        savemat(tmp_path / "joints.mat", {field: joints})
        return read_lsp(tmp_path / "joints.mat", images, **options)

    run.images = images
    return run


def lspet(people=2):
    """`(14, 3, n)`: joint j of person p at 10 + j, 20 + 2j + p, all annotated."""
    joints = np.ones((14, 3, people))
    joints[:, 0] = 10 + np.arange(14)[:, None]
    joints[:, 1] = 20 + 2 * np.arange(14)[:, None] + np.arange(people)
    return joints


def test_lspet_marks_the_annotated_joints(read):
    joints = lspet()
    joints[0, :, 1] = (-7, -8, 0)
    dataset = read(joints, ["im00001.jpg", "im00002.jpg"])
    assert dataset.problems == () and dataset.skeleton is LSP
    first, second = dataset.people
    assert first.path == str(read.images / "im00001.jpg")
    assert (first.image_id, second.image_id) == (1, 2)
    assert first.visibility.tolist() == [2] * 14 and second.visibility.tolist() == [0] + [2] * 13
    assert first.keypoints[3].tolist() == [13, 26] and second.keypoints[0].tolist() == [0, 0]
    assert first.center.tolist() == [16.5, 33] and first.side == 1.25 * 26
    assert second.center.tolist() == [17, 35] and second.side == 1.25 * 24
    assert (first.keypoints.dtype, first.center.dtype) == (np.float32, np.float32)
    assert first.visibility.dtype == np.int32 and first.head_size is None


def test_lsp_marks_the_hidden_joints(read):
    joints = lspet().transpose(1, 0, 2).copy()
    joints[2] = 0
    joints[2, 5, 0] = 1
    first, second = read(joints, ["im0001.jpg", "im0002.jpg"]).people
    assert first.visibility.tolist() == [2] * 5 + [1] + [2] * 8 and second.visibility.tolist() == [2] * 14
    assert first.keypoints[5].tolist() == [15, 30] and first.side == 1.25 * 26


def test_joints_outside_the_image_are_kept(read):
    joints = lspet(1)
    joints[13, :2, 0] = (-3.5, 900)
    (person,) = read(joints, ["im00001.jpg"]).people
    assert person.keypoints[13].tolist() == [-3.5, 900] and person.visibility[13] == 2


def test_a_single_person_without_a_last_axis(read):
    assert len(read(lspet(1)[..., 0], ["im00001.jpg"]).people) == 1


def test_images_are_paired_by_number_and_a_missing_one_is_a_fault(read):
    dataset = read(lspet(3), ["im00001.jpg", "im00003.jpg"])
    assert [(p.image_id, Path(p.path).name, float(p.keypoints[0, 1])) for p in dataset.people] == [
        (1, "im00001.jpg", 20),
        (3, "im00003.jpg", 22),
    ]
    (problem,) = dataset.problems
    assert (problem.where, problem.costs_image) == ("row 2", True)
    assert problem.reason == f"there is no image of this number in {read.images}"


@pytest.mark.parametrize("names", [("im01001.jpg", "im01002.jpg"), ("anna.png", "bo.png")])
def test_images_are_paired_in_order_where_numbers_do_not_fit(read, names):
    assert tuple(Path(person.path).name for person in read(lspet(), names).people) == names


@pytest.mark.parametrize("names", [[], ["im00009.jpg"], ["im00001.jpg", "im00002.jpg", "im00003.jpg"]])
def test_images_that_cannot_be_paired(read, names):
    words = rf"joints\.mat: its 2 rows cannot be paired with the {len(names)} images in .*images: expected"
    with pytest.raises(ValueError, match=words):
        read(lspet(), names)


@pytest.mark.parametrize(
    ("index", "values", "words"),
    [
        ((4, 0), np.nan, "joint 4 (left_knee) is at nan, 29, expected finite numbers"),
        ((4, 1), np.inf, "joint 4 (left_knee) is at 14, inf, expected finite numbers"),
        ((4, 1), 1e30, "joint 4 (left_knee) is at 14, 1e+30, expected finite numbers"),
        ((4, 2), 2, "joint 4 (left_knee) has the flag 2, not 0 or 1"),
        ((slice(None), 2), 0, "no joint is annotated"),
        ((slice(1, None), 2), 0, "all annotated joints are at the same point, so that the crop has no size"),
    ],
)
def test_a_faulty_person_is_named_and_left_out(read, index, values, words):
    joints, names = lspet(), ["im00001.jpg", "im00002.jpg"]
    joints[(*index, 1)] = values
    dataset = read(joints, names)
    (problem,) = dataset.problems
    assert (problem.where, problem.reason) == ("row 2 (image 'im00002.jpg')", words)
    assert len(dataset.people) == 1
    with pytest.raises(ValueError, match="row 2"):
        read(joints, names, strict=True)


def test_a_joint_that_is_not_annotated_may_be_nan(read):
    joints = lspet(1)
    joints[4, :, 0] = (np.nan, np.nan, 0)
    (person,) = read(joints, ["im00001.jpg"]).people
    assert person.keypoints[4].tolist() == [0, 0] and person.visibility[4] == 0


def test_an_image_that_links_out_of_the_folder(read, tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "secret.jpg")
    (read.images / "im00002.jpg").symlink_to(tmp_path / "secret.jpg")
    (problem,) = read(lspet(), ["im00001.jpg"]).problems
    assert problem.where == "row 2 (image 'im00002.jpg')"
    assert problem.reason.startswith("the path 'im00002.jpg' leads outside")


@pytest.mark.parametrize(
    ("joints", "words"),
    [
        (np.ones((14, 2, 5)), r"\(3, 14, n\) of LSP or \(14, 3, n\) of LSPET, got \(14, 2, 5\)"),
        (np.ones((5, 14, 3)), r"got \(5, 14, 3\)"),
        (np.ones((14, 3, 5, 2)), r"the field 'joints' should have"),
        ("text", "got no array of numbers"),
    ],
)
def test_joints_of_another_shape(read, joints, words):
    if np.ndim(joints) == 4:
        joints = joints.reshape(14, 6, 5)
    with pytest.raises(ValueError, match=words):
        read(joints, ["im00001.jpg"])


def test_a_file_without_joints(read):
    with pytest.raises(ValueError, match=r"has no field 'joints'; it has: limbs"):
        read(lspet(), ["im00001.jpg"], field="limbs")


@pytest.mark.parametrize(
    ("split", "first", "last"),
    [("train", 1, 1000), ("val", 1001, 2000), ("test", 1001, 2000), ("all", 1, 2000)],
)
def test_the_halves_of_lsp(read, split, first, last):
    joints = lspet(2000).transpose(1, 0, 2)
    dataset = read(joints, ["im0001.jpg", "im1000.jpg", "im1001.jpg", "im2000.jpg"], split=split)
    ids = [person.image_id for person in dataset.people]
    assert ids == [i for i in (1, 1000, 1001, 2000) if first <= i <= last]
    assert len(ids) + len(dataset.problems) == last - first + 1


def test_other_files_are_one_part(read):
    assert len(read(lspet(), ["im00001.jpg", "im00002.jpg"], split="val").people) == 2
    with pytest.raises(ValueError, match="split: expected one of train, val, test, all, got 'half'"):
        read(lspet(), [], split="half")


def test_a_missing_folder(read, tmp_path):
    savemat(tmp_path / "joints.mat", {"joints": lspet()})
    with pytest.raises(NotADirectoryError, match="images: .*nowhere is not a folder"):
        read_lsp(tmp_path / "joints.mat", tmp_path / "nowhere")


@pytest.mark.skipif(
    not LSPET.is_dir(), reason="needs ../shared/data/lspet, which is no part of the repository"
)
@pytest.mark.parametrize(("split", "count", "side"), [("train", 5000, 148.675), ("val", 500, 152.821)])
def test_the_extended_set_itself(split, count, side):
    dataset = read_lsp(LSPET / split / "joints.mat", LSPET / split / "images")
    assert dataset.problems == () and len(dataset.people) == count
    assert np.median([person.side for person in dataset.people]) == pytest.approx(side, abs=1e-2)
    for person in dataset.people:
        from_center = np.abs(person.keypoints - person.center)[person.visibility > 0]
        assert from_center.max() <= person.side / 2
