import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.readers import read_pascal_voc
from keras_cornernet.structures import Categories, Problem

SIZE = "<size><width>100</width><height>80</height><depth>3</depth></size>"


def thing(name="cat", box=(11, 21, 40, 60), difficult=0, more=""):
    corners = "".join(f"<{t}>{v}</{t}>" for t, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=False))
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{corners}</bndbox>{more}</object>"
    )


def voc(*things, filename="a.jpg", size=SIZE):
    return f"<annotation><filename>{filename}</filename>{size}{''.join(things)}</annotation>"


@pytest.fixture
def read(tmp_path):
    """Writes xml files (by stem) beside a folder with `a.jpg` and `b.jpg` and reads them."""
    images, root = tmp_path / "JPEGImages", tmp_path / "Annotations"
    images.mkdir()
    root.mkdir()
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(images / name)

    def run(texts, **options):
        for stem, text in texts.items():
            (root / f"{stem}.xml").write_text(text, encoding="utf-8")
        return read_pascal_voc(root, images, **options)

    run.images, run.folder, run.root = images, tmp_path, root
    return run


def test_what_is_read(read):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    dataset = read(
        {
            "b": voc(filename="b.jpg"),
            "a": voc(thing("dog"), thing("cat", (1, 1, 100, 80), 1, part)),
        }
    )
    assert dataset.problems == ()
    assert dataset.categories == Categories(("cat", "dog"), (1, 2))
    first, second = dataset.samples
    assert (first.path, first.image_id, first.size) == (str(read.images / "a.jpg"), 1, (80, 100))
    np.testing.assert_array_equal(first.boxes.xyxy, np.array([[10, 20, 40, 60], [0, 0, 100, 80]], np.float32))
    assert first.boxes.labels.tolist() == [1, 0] and first.boxes.ignore.tolist() == [False, True]
    assert first.boxes.xyxy.dtype == np.float32 and first.boxes.labels.dtype == np.int32
    assert second.image_id == 2 and second.boxes.xyxy.shape == (0, 4)


def test_pixels_count_from_one_and_include_the_last(read):
    boxes = read({"a": voc(thing(box=(1, 1, 1, 1)), thing(box=(45.7, 2, 50.2, 9)))}).samples[0].boxes
    np.testing.assert_allclose(boxes.xyxy, [[0, 0, 1, 1], [44.7, 1, 50.2, 9]], rtol=1e-6)


def test_given_names_fix_the_labels(read):
    dataset = read({"a": voc(thing("dog"), thing("mouse"))}, names=["dog", "cat"])
    assert dataset.categories == Categories(("dog", "cat"), (1, 2))
    assert dataset.samples[0].boxes.labels.tolist() == [0]
    reason = "the class 'mouse' is not among the names"
    assert dataset.problems == (Problem(str(read.root / "a.xml"), "object 2 ('mouse')", reason),)
    with pytest.raises(ValueError, match="names: the name 'dog' occurs 2 times"):
        read({}, names=["dog", "dog"])


def test_split_files(read):
    texts = {"a": voc(thing()), "b": voc(thing(), filename="b.jpg"), "odd name": voc(thing())}
    split = read.folder / "train.txt"
    # Windows' editors put a byte-order mark first.
    split.write_text("b  1\nmissing -1\n\nodd name\n../b\n", encoding="utf-8-sig")
    dataset = read(texts, split=split)
    assert [sample.path[-5:] for sample in dataset.samples] == ["b.jpg", "a.jpg"]
    assert [sample.image_id for sample in dataset.samples] == [1, 3]
    missing, outside = dataset.problems
    assert missing == Problem(str(read.root / "missing.xml"), "", "no such file", costs_image=True)
    assert "leads outside its folder" in outside.reason


def test_the_image_may_be_found_by_the_stem(read):
    assert read({"a": voc(filename="elsewhere/IMG_1.JPG")}).samples[0].path == str(read.images / "a.jpg")


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (thing(box=(40, 21, 11, 60)), "bbox has negative width -28"),
        (thing(box=(12, 21, 11, 60)), "bbox has zero width"),
        (thing(box=(11, 60, 40, 21)), "bbox has negative height -38"),
        (thing(box=("nan", 21, 40, 60)), "bndbox [nan, 21.0, 40.0, 60.0] is not four finite numbers"),
        (thing(box=("x", 21, 40, 60)), "bndbox ['x', 21.0, 40.0, 60.0] is not four finite numbers"),
        (thing(box=(11, 21, 40)), "bndbox [11.0, 21.0, 40.0, None] is not four finite numbers"),
        ("<object><name>cat</name></object>", "bndbox [None, None, None, None] is not four finite numbers"),
        (thing(box=(101, 21, 140, 60)), "lies entirely outside the image of width 100 and height 80"),
    ],
)
def test_a_faulty_box_is_named_and_left_out(read, entry, fault):
    texts = {"a": voc(thing("dog"), entry)}
    dataset = read(texts)
    (problem,) = dataset.problems
    assert problem.where == "object 2 ('cat')" and problem.reason.endswith(fault) and not problem.costs_image
    assert dataset.samples[0].boxes.labels.tolist() == [0]
    with pytest.raises(ValueError, match=r"a\.xml: object 2"):
        read(texts, strict=True)


def test_an_object_without_a_name(read):
    (problem,) = read({"a": voc(thing(""))}).problems
    assert str(problem) == f"{read.root / 'a.xml'}: object 1 (''): it has no name"


BOMB = '<!DOCTYPE z [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + voc(thing("&b;"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BOMB, "it has a DOCTYPE, which is not accepted"),
        ('<!DOCTYPE z SYSTEM "file:///etc/passwd">' + voc(), "it has a DOCTYPE, which is not accepted"),
        (voc()[:-5], "not xml: unclosed token: line 1, column"),
        ("", "not xml: no element found: line 1, column 0"),
        (voc(filename="none.jpg"), "image 'none.jpg': there is no such file in "),
        (voc(filename="../a.jpg"), "image '../a.jpg': the path '..' leads outside its folder"),
        (voc(size="<size><width>-9</width><height>80</height></size>"), "the width -9.0 is not a whole"),
        (voc(size="<size><width>9</width></size>"), "the height None is not a whole number of at least 1"),
    ],
)
def test_a_faulty_file_is_named_and_left_out(read, text, fault):
    dataset = read({"other": text, "b": voc(filename="b.jpg")})
    (problem,) = dataset.problems
    assert problem.path == str(read.root / "other.xml") and problem.reason.startswith(fault)
    assert problem.costs_image and not problem.where
    assert len(dataset.samples) == 1


@pytest.mark.parametrize("flag", ["1", " 1 ", "1.0", "true", "True", "YES", "on", "2"])
def test_difficult_in_every_spelling(read, flag):
    text = voc(thing(difficult=flag), thing("dog"), thing("cow", difficult="false"))
    for xml in (text, text.replace("difficult>", "Difficult>")):
        assert read({"a": xml}).samples[0].boxes.ignore.tolist() == [True, False, False]


def test_a_flag_that_says_neither_is_named(read):
    dataset = read({"a": voc(thing("dog"), thing("cat", difficult="perhaps"))})
    assert len(dataset.samples[0].boxes) == 1
    (problem,) = dataset.problems
    assert (problem.where, problem.reason) == (
        "object 2 ('cat')",
        "difficult: the flag 'perhaps' is neither true nor false",
    )


@pytest.mark.parametrize("space", ['xmlns="http://example.org/voc"', 'xmlns:v="http://example.org/voc"'])
def test_namespaces_are_passed_over(read, space):
    text = voc(thing("dog", difficult=1))
    if "xmlns:v" in space:
        text = (
            text.replace("<", "<v:")
            .replace("<v:/", "</v:")
            .replace("<v:annotation>", f"<v:annotation {space}>")
        )
    else:
        text = text.replace("<annotation>", f"<annotation {space}>")
    (sample,) = read({"a": text}).samples
    assert sample.size == (80, 100) and sample.boxes.xyxy.tolist() == [[10, 20, 40, 60]]
    assert sample.boxes.ignore.tolist() == [True]


def test_a_size_need_not_be_stated(read):
    sizes = ["", "<size><width>0</width><height>0</height></size>"]  # labelling tools write 0 for unknown
    for size in sizes:
        dataset = read({"a": voc(thing(box=(900, 1, 950, 9)), size=size)})
        assert dataset.samples[0].size is None and len(dataset.samples[0].boxes) == 1
        assert dataset.problems == ()


def test_nothing_to_read(read):
    with pytest.raises(ValueError, match="found no xml file to read"):
        read({})
    with pytest.raises(NotADirectoryError, match=r"annotations: .*nowhere is not a folder"):
        read_pascal_voc(read.folder / "nowhere", read.images)
    read({"a": voc()})
    with pytest.raises(NotADirectoryError, match=r"images: .*nowhere is not a folder"):
        read_pascal_voc(read.folder / "Annotations", read.folder / "nowhere")
