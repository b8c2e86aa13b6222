import json
import math

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from keras_cornernet.data.readers import read_mpii
from keras_cornernet.skeletons import MPII
from keras_cornernet.structures import Problem

NAME = "005808361.jpg"
CENTER, SCALE = (966, 340), 4.718488  # of that image's first person, as MPII states them
SHIFTED, ENLARGED = (966, 410.77732), 5.89811  # the same in the authors' valid.h5
MIDDLE, SIDE = (965, 409.77732), 1179.622  # what both give: pixels count from 0 here


@pytest.fixture
def folder(tmp_path):
    """A folder of images, two of them."""
    images = tmp_path / "images"
    images.mkdir()
    for name in (NAME, "b.jpg"):
        Image.new("RGB", (8, 6)).save(images / name)
    return images


def points():
    """16 joints: 0 visible at 804, 711 in pixels from 1, 1 hidden, 2 not annotated, the rest visible."""
    xy = np.full((16, 2), 100.0) + np.arange(16)[:, None]
    xy[0], xy[2] = (804, 711), (0, 0)
    return xy, np.array([1, 0, 0, *[1] * 13])


def check_first(person, head_size=None):
    assert person.path.endswith(NAME)
    np.testing.assert_allclose(person.center, MIDDLE, atol=1e-3)
    assert person.side == pytest.approx(SIDE, abs=1e-3)
    assert person.keypoints[:4].tolist() == [[803, 710], [100, 100], [0, 0], [102, 102]]
    assert person.visibility.tolist() == [2, 1, 0, *[2] * 13]
    assert person.head_size == (None if head_size is None else pytest.approx(head_size))
    assert (person.keypoints.dtype, person.visibility.dtype, person.center.dtype) == (
        "float32",
        "int32",
        "float32",
    )


# h5


def write_h5(path, **changes):
    xy, visible = points()
    columns = {
        "index": [4, 9],
        "person": [0, 1],
        "imgname": [NAME.encode(), b"b.jpg"],
        "center": [SHIFTED, (50, 60)],
        "scale": [ENLARGED, 1.0],
        "part": np.stack([xy, xy]),
        "visible": np.stack([visible, visible]).astype(float),
        "normalize": [81.5, -1],
    } | changes
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if values is not None:
                file[name] = values
    return path


@pytest.mark.parametrize("name", ["train.h5", "valid.h5", "mine.hdf5"])
def test_h5_that_was_adjusted_is_not_adjusted_again(tmp_path, folder, name):
    dataset = read_mpii(write_h5(tmp_path / name), folder)
    assert dataset.problems == () and dataset.skeleton is MPII
    first, second = dataset.people
    check_first(first, 81.5)
    assert (first.image_id, second.image_id) == (4, 9) and second.head_size is None
    assert second.center.tolist() == [49, 59] and second.side == 200


def test_h5_that_is_raw_is_adjusted_once(tmp_path, folder):
    raw = {"center": [CENTER, (50, 60)], "scale": [SCALE, 1.0]}
    check_first(read_mpii(write_h5(tmp_path / "annot.h5", **raw), folder).people[0], 81.5)
    marked = write_h5(tmp_path / "mine.h5", istrain=[1, 1], **raw)
    check_first(read_mpii(marked, folder).people[0], 81.5)
    plain = write_h5(tmp_path / "plain.h5", **raw)
    check_first(read_mpii(plain, folder, adjusted=False).people[0], 81.5)
    assert read_mpii(plain, folder).people[0].side == pytest.approx(200 * SCALE)
    assert read_mpii(marked, folder, adjusted=True).people[0].side == pytest.approx(200 * SCALE)


def test_h5_names_as_character_codes_and_as_texts(tmp_path, folder):
    codes = np.zeros((2, 20))
    for row, name in enumerate((NAME, "b.jpg")):
        codes[row, : len(name)] = list(name.encode())
    for names in (codes, codes.astype(np.uint8), np.array([NAME, "b.jpg"], object)):
        dataset = read_mpii(write_h5(tmp_path / "valid.h5", imgname=names), folder)
        assert [p.path for p in dataset.people] == [str(folder / NAME), str(folder / "b.jpg")]


def test_h5_marks_of_the_split(tmp_path, folder):
    absent = {"part": np.full((3, 16, 2), -1.0), "visible": np.full((3, 16), -1.0)}
    absent["part"][0], absent["visible"][0] = points()
    path = write_h5(
        tmp_path / "annot.h5",
        istrain=[1, 0, 2],
        index=[4, 5, 6],
        imgname=[NAME.encode()] * 3,
        center=[CENTER] * 3,
        scale=[SCALE] * 3,
        normalize=[1, -1, -1],
        **absent,
    )
    ids = {s: [p.image_id for p in read_mpii(path, folder, split=s).people] for s in ("train", "test", "all")}
    assert ids == {"train": [4], "test": [5], "all": [4, 5]}
    (person,) = read_mpii(path, folder, split="test").people
    assert not person.visibility.any() and not person.keypoints.any() and person.side == pytest.approx(SIDE)
    with pytest.raises(ValueError, match=r"split: .*annot\.h5 marks train, test, all, not 'val'"):
        read_mpii(path, folder, split="val")


def test_h5_of_a_test_split_may_have_no_joints(tmp_path, folder):
    path = write_h5(tmp_path / "test.h5", part=np.full((2, 16, 2), -1), visible=np.zeros((2, 16)))
    assert len(read_mpii(path, folder, split="test").people) == 2
    dataset = read_mpii(path, folder)
    assert dataset.people == ()
    assert dataset.problems[0] == Problem(
        str(path), f"row 0 (image '{NAME}')", "no joint is annotated", costs_image=True
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"center": [(-1, -1), (5, 5)]}, "the centre is missing (-1, -1)"),
        ({"center": [(math.nan, 3), (5, 5)]}, "the centre [nan, 3.0] is not two finite numbers"),
        ({"scale": [math.inf, 1]}, "the scale inf is not a number above 0"),
        ({"scale": [-1, 1]}, "the scale -1.0 is not a number above 0"),
        ({"part": np.full((2, 16, 2), np.nan)}, "joint 0 (right_ankle): [nan, nan, 1.0] is not three finite"),
        ({"imgname": [b"none.jpg", b"b.jpg"]}, "(image 'none.jpg'): there is no such file in "),
        ({"imgname": [b"../b.jpg", b"b.jpg"]}, "the path '..' leads outside its folder"),
        ({"imgname": [b"/etc/passwd", b"b.jpg"]}, "the path '/etc' leads outside its folder"),
    ],
)
def test_a_faulty_row_is_named_and_left_out(tmp_path, folder, changes, words):
    path = write_h5(tmp_path / "valid.h5", **changes)
    dataset = read_mpii(path, folder)
    assert str(dataset.problems[0]).startswith(f"{path}: row 0 (image ") and words in str(dataset.problems[0])
    assert len(dataset.people) == 2 - len(dataset.problems)
    with pytest.raises(ValueError, match="row 0"):
        read_mpii(path, folder, strict=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": None}, "has no field 'scale'; it has: center, imgname, index"),
        (
            {"part": np.zeros((2, 11, 2))},
            r"'part' should hold numbers of the shape \(2, 16, 2\), got float64",
        ),
        ({"visible": np.zeros((3, 16))}, r"'visible' should hold numbers of the shape \(2, 16\)"),
        ({"scale": [b"a", b"b"]}, r"'scale' should hold numbers of the shape \(2,\), got object"),
        ({"imgname": [1.0, 2.0]}, "'imgname' should hold one text for each person, got float64"),
        ({"imgname": [b"\xff\xfe", b"b.jpg"]}, "'imgname' should hold one text for each person, got 'utf-8'"),
    ],
)
def test_h5_of_another_form(tmp_path, folder, changes, words):
    with pytest.raises(ValueError, match=rf"valid\.h5: .*{words}"):
        read_mpii(write_h5(tmp_path / "valid.h5", **changes), folder)


def test_a_file_that_is_not_hdf5(tmp_path, folder):
    (tmp_path / "valid.h5").write_text("part")
    with pytest.raises(ValueError, match=r"valid\.h5: not an HDF5 file"):
        read_mpii(tmp_path / "valid.h5", folder)
    with pytest.raises(FileNotFoundError):
        read_mpii(tmp_path / "none.h5", folder)


# mat


def struct(*rows):
    """A MATLAB struct array of those dictionaries."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    array = np.zeros((1, len(rows)), [(key, object) for key in keys])
    for i, row in enumerate(rows):
        for key in keys:
            array[key][0, i] = row.get(key, [])
    return array


def rect(**changes):
    """One annotated person as MPII's file has it."""
    xy, visible = points()
    # Visible flags come as a number, a text, or empty where nobody said.
    said = {0: "1", 1: 0, 3: []}
    point = struct(
        *(
            {"x": xy[i, 0], "y": xy[i, 1], "id": i, "is_visible": said.get(i, int(visible[i]))}
            for i in range(16)
            if i != 2
        )
    )
    return {
        **{"x1": np.uint8(10), "y1": 20, "x2": 40, "y2": 60},
        "scale": SCALE,
        "objpos": {"x": CENTER[0], "y": CENTER[1]},
        "annopoints": {"point": point},
    } | changes


def write_mat(path, *images, train=(1, 1, 0)):
    rows = [{"image": {"name": name}, "annorect": struct(*rects) if rects else []} for name, *rects in images]
    release = {"annolist": struct(*rows), "img_train": np.array(train[: len(rows)])}
    savemat(path, {"RELEASE": release})
    return path


def test_mat(tmp_path, folder):
    bystander = {"x1": 1, "y1": 1, "x2": 2, "y2": 2, "scale": 1.0, "objpos": {"x": 5, "y": 6}}
    path = write_mat(
        tmp_path / "mpii.mat", ("b.jpg",), (NAME, rect(), bystander), ("b.jpg", bystander, {"x1": 1})
    )
    dataset = read_mpii(path, folder)
    assert dataset.problems == ()
    (person,) = dataset.people
    check_first(person, 0.6 * 50)
    assert person.image_id == 1
    (person,) = read_mpii(path, folder, split="test").people
    assert (person.image_id, person.center.tolist(), person.side) == (2, [4, 20], 250)
    assert not person.visibility.any()
    assert [p.image_id for p in read_mpii(path, folder, split="all").people] == [1, 2]
    with pytest.raises(ValueError, match="marks train, test, all, not 'val'"):
        read_mpii(path, folder, split="val")


def test_mat_without_visible_flags_and_without_head_box(tmp_path, folder):
    point = struct({"x": 5, "y": 6, "id": 9}, {"x": 7, "y": 8, "id": 0})
    one = rect(annopoints={"point": point}, x1=[])
    (person,) = read_mpii(write_mat(tmp_path / "mpii.mat", (NAME, one)), folder).people
    assert person.visibility.tolist() == [2, *[0] * 8, 2, *[0] * 6] and person.head_size is None
    assert person.keypoints[9].tolist() == [4, 5] and person.keypoints[0].tolist() == [6, 7]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": []}, "the scale None is not a number above 0"),
        ({"objpos": []}, "the centre None is not two finite numbers"),
        ({"objpos": {"x": -1, "y": -1}}, "the centre is missing (-1, -1)"),
        ({"objpos": {"x": np.nan, "y": 1}}, "the centre [nan, 1.0] is not two finite numbers"),
        ({"annopoints": {"point": struct({"x": 5, "y": 6, "id": 16})}}, "a joint's id 16.0 is not a whole"),
        ({"annopoints": {"point": struct({"x": 5, "y": 6, "id": []})}}, "a joint's id None is not a whole"),
        (
            {"annopoints": {"point": struct({"x": 5, "id": 0})}},
            "joint 0 (right_ankle): [5.0, None, 1.0] is not",
        ),
        ({"annopoints": {"point": struct({"x": np.inf, "y": 1, "id": 0})}}, "[inf, 1.0, 1.0] is not three"),
    ],
)
def test_a_faulty_person_of_the_mat_is_named(tmp_path, folder, changes, words):
    path = write_mat(tmp_path / "mpii.mat", (NAME, rect(), rect(**changes)))
    dataset = read_mpii(path, folder)
    (problem,) = dataset.problems
    assert problem.where == f"annolist(1).annorect(2) (image '{NAME}')" and words in problem.reason
    assert problem.path == str(path) and problem.costs_image
    assert len(dataset.people) == 1


def test_mat_of_another_form(tmp_path, folder):
    savemat(tmp_path / "a.mat", {"RELEASE": {"annolist": 1}})
    with pytest.raises(ValueError, match="a struct with 'annolist' and 'img_train', it has: annolist"):
        read_mpii(tmp_path / "a.mat", folder)
    savemat(tmp_path / "a.mat", {"joints": 1})
    with pytest.raises(ValueError, match="has no field 'RELEASE'; it has: joints"):
        read_mpii(tmp_path / "a.mat", folder)
    write_mat(tmp_path / "a.mat", (NAME, rect()), (NAME, rect()), train=(1,))
    with pytest.raises(ValueError, match="'annolist' has 2 images, but 'img_train' 1 flags"):
        read_mpii(tmp_path / "a.mat", folder)


# json


def pytorch_pose(**changes):
    xy, visible = points()
    return {
        "dataset": "MPI",
        "isValidation": 0.0,
        "img_paths": NAME,
        "objpos": list(CENTER),
        "scale_provided": SCALE,
        "joint_self": [[*point, float(flag)] for point, flag in zip(xy.tolist(), visible, strict=True)],
        "annolist_index": 5,
    } | changes


def hrnet(**changes):
    xy, visible = points()
    xy[2] = -1
    return {
        "image": NAME,
        "center": list(CENTER),
        "scale": SCALE,
        "joints": xy.tolist(),
        "joints_vis": visible.tolist(),
    } | changes


def write_json(path, *people):
    path.write_text(json.dumps(people))
    return path


def test_json_of_pytorch_pose(tmp_path, folder):
    path = write_json(tmp_path / "a.json", pytorch_pose(), pytorch_pose(isValidation=1.0, annolist_index=8))
    ids = {s: [p.image_id for p in read_mpii(path, folder, split=s).people] for s in ("train", "val", "all")}
    assert ids == {"train": [4], "val": [7], "all": [4, 7]}
    check_first(read_mpii(path, folder).people[0])
    with pytest.raises(ValueError, match=r"marks train, val, all, not 'test'"):
        read_mpii(path, folder, split="test")


def test_json_of_hrnet(tmp_path, folder):
    path = write_json(tmp_path / "a.json", hrnet(), hrnet(image="b.jpg"), hrnet())
    people = read_mpii(path, folder, split="val").people
    check_first(people[0])
    assert [person.image_id for person in people] == [0, 1, 0]


def test_json_of_a_test_split_has_no_joints(tmp_path, folder):
    path = write_json(tmp_path / "a.json", {"image": NAME, "center": list(CENTER), "scale": SCALE})
    (person,) = read_mpii(path, folder, split="test").people
    assert not person.visibility.any()
    (problem,) = read_mpii(path, folder).problems
    assert str(problem) == f"{path}: [0] (image '{NAME}'): the joints are missing"


@pytest.mark.parametrize("form", [pytorch_pose, hrnet])
@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("image", "none.jpg", "there is no such file in "),
        ("image", "../b.jpg", "the path '..' leads outside its folder"),
        ("image", None, "the file name None is not a text"),
        ("center", None, "the centre None is not two finite numbers"),
        ("center", [1, "2"], "the centre [1, '2'] is not two finite numbers"),
        ("center", [-1, -1.0], "the centre is missing (-1, -1)"),
        ("scale", None, "the scale None is not a number above 0"),
        ("scale", math.nan, "the scale nan is not a number above 0"),
        ("joints", "none", "the joints 'none' are not a list of 16"),
        ("joints", None, "the joints are missing"),
    ],
)
def test_a_faulty_person_of_a_json_is_named(tmp_path, folder, form, key, value, words):
    other = {"image": "img_paths", "center": "objpos", "scale": "scale_provided", "joints": "joint_self"}
    faulty = form(**{key if form is hrnet else other[key]: value})
    dataset = read_mpii(write_json(tmp_path / "a.json", form(), faulty), folder)
    (problem,) = dataset.problems
    assert problem.where.startswith("[1] (image ") and words in problem.reason and len(dataset.people) == 1


def test_joints_of_a_json_that_are_no_numbers(tmp_path, folder):
    joints, absent = [[math.nan, 1]] + [[5, 5]] * 15, [[-1, -1]] * 16
    people = (
        hrnet(joints=joints),
        hrnet(joints_vis=[1] * 15),
        hrnet(joints=[[1, 2]] * 15, joints_vis=[1] * 15),
        hrnet(joints=absent, joints_vis=[0] * 16),
        pytorch_pose(joint_self=[[1, 2]] * 16),
    )
    problems = read_mpii(write_json(tmp_path / "a.json", *people[:4]), folder).problems
    assert [problem.reason[:40] for problem in problems] == [
        "joint 0 (right_ankle): [nan, 1, 1] is no",
        "joints_vis [1, 1, 1, 1, 1, 1, ...] is no",
        "the joints [[1, 2, 1], [1, 2, 1], [1, 2,",
        "no joint is annotated",
    ]
    (problem,) = read_mpii(write_json(tmp_path / "b.json", people[4]), folder).problems
    assert problem.reason == "joint 0 (right_ankle): [1, 2] is not three finite numbers x, y, visible"


@pytest.mark.parametrize("content", [{"images": []}, [1, 2], [], [{"bbox": 1}]])
def test_json_of_another_form(tmp_path, folder, content):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"a\.json: expected "):
        read_mpii(tmp_path / "a.json", folder)


def test_heads_of_a_json(tmp_path, folder):
    path = write_json(tmp_path / "a.json", hrnet(), hrnet(center=[-5, math.nan]), hrnet())
    boxes = np.zeros((2, 2, 3))  # corner, x or y, person
    boxes[0] = [[10, 0, 1], [10, 0, 1]]
    boxes[1] = [[40, 0, 4], [50, 0, 5]]
    savemat(tmp_path / "gt.mat", {"headboxes_src": boxes})
    people = read_mpii(path, folder, split="val", head_boxes=tmp_path / "gt.mat").people
    assert [person.head_size for person in people] == [pytest.approx(30), pytest.approx(3)]
    one = write_json(tmp_path / "one.json", hrnet())
    savemat(tmp_path / "one.mat", {"headboxes_src": boxes[..., :1]})
    assert read_mpii(one, folder, head_boxes=tmp_path / "one.mat").people[0].head_size == pytest.approx(30)
    for wrong, got in ((boxes[..., :2], r"\(2, 2, 2\)"), (np.zeros((4, 3)), r"\(4, 3\)")):
        savemat(tmp_path / "gt.mat", {"headboxes_src": wrong})
        with pytest.raises(ValueError, match=rf"gt\.mat: .* shape \(2, 2, 3\), a box for each .* got {got}"):
            read_mpii(path, folder, head_boxes=tmp_path / "gt.mat")


def test_wrong_arguments(tmp_path, folder):
    with pytest.raises(ValueError, match="split: expected one of train, val, test, all, got 'valid'"):
        read_mpii(tmp_path / "a.json", folder, split="valid")
    with pytest.raises(
        ValueError, match=r"expected a file ending in \.mat, \.json, \.h5 or \.hdf5, got .*a\.csv"
    ):
        read_mpii(tmp_path / "a.csv", folder)
    with pytest.raises(NotADirectoryError):
        read_mpii(write_json(tmp_path / "a.json", hrnet()), tmp_path / "nowhere")
