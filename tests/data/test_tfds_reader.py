import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from keras_cornernet.data.readers.tfds import class_names, convert_examples, read_tfds
from keras_cornernet.structures import Categories

FEATURES = {"image": None, "objects": {"bbox": None, "label": SimpleNamespace(names=["RBC", "WBC"])}}


def encoded(size=(40, 20), file_format="PNG", **options):
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 10, 10)).save(buffer, file_format, **options)
    return buffer.getvalue()


def example(image=None, filename=b"one.png", bbox=((0.25, 0.5, 0.75, 1.0),), label=(1,), **more):
    objects = {"bbox": np.array(bbox, np.float32).reshape(-1, 4), "label": np.array(label, np.int64)}
    objects |= {key: more.pop(key) for key in ("is_crowd", "is_difficult") if key in more}
    return {
        "image": encoded() if image is None else image,
        "image/filename": filename,
        "objects": objects,
    } | more


def convert(*examples, folder, **options):
    return convert_examples(examples, ["RBC", "WBC"], folder, source="bccd train", **options)


def test_boxes_become_pixels_and_images_become_files(tmp_path):
    dataset = convert(example(), example(bbox=(), label=(), filename=b"sub/two.png"), folder=tmp_path)
    assert dataset.categories == Categories(("RBC", "WBC"), (0, 1)) and dataset.problems == ()
    first, second = dataset.samples
    assert first.path == str(tmp_path / "one.png") and first.size == (20, 40) and first.image_id == 1
    assert first.boxes.xyxy.tolist() == [[20, 5, 40, 15]] and first.boxes.labels.tolist() == [1]
    assert first.boxes.xyxy.dtype == np.float32 and first.boxes.ignore.tolist() == [False]
    assert (tmp_path / "one.png").read_bytes() == encoded()
    assert second.path == str(tmp_path / "sub" / "two.png") and second.boxes.xyxy.shape == (0, 4)


def test_crowd_and_difficult_are_ignored_and_ids_are_kept(tmp_path):
    dataset = convert(
        example(is_crowd=np.array([True]), **{"image/id": np.int64(42)}),
        example(filename=b"two.png", is_difficult=np.array([True]), **{"image/id": b"text"}),
        folder=tmp_path,
    )
    assert [sample.boxes.ignore.tolist() for sample in dataset.samples] == [[True], [True]]
    assert [sample.image_id for sample in dataset.samples] == [42, 2]


def test_arrays_are_written_without_loss(tmp_path):
    pixels = np.arange(20 * 40 * 3, dtype=np.uint8).reshape(20, 40, 3)
    grey = pixels[..., :1]
    dataset = convert(
        example(image=pixels, filename=b"a.jpg"), example(image=grey, filename=b""), folder=tmp_path
    )
    first, second = dataset.samples
    assert first.path == str(tmp_path / "a.jpg.png") and second.path == str(tmp_path / "00000002.png")
    np.testing.assert_array_equal(np.asarray(Image.open(first.path)), pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(second.path)), grey[..., 0])
    assert first.size == second.size == (20, 40)


def test_the_suffix_fits_the_content(tmp_path):
    files = [
        (b"a.JPEG", encoded(file_format="JPEG"), "a.JPEG"),
        (b"b", encoded(file_format="JPEG"), "b.jpg"),
        (b"c.jpg", encoded(), "c.jpg.png"),
        (b"d.tif", encoded(file_format="TIFF"), "d.tif.png"),
    ]
    dataset = convert(*(example(image=i, filename=n) for n, i, _ in files), folder=tmp_path)
    assert [sample.path for sample in dataset.samples] == [str(tmp_path / name) for _, _, name in files]
    for sample in dataset.samples:
        with Image.open(sample.path) as image:
            assert image.size == (40, 20)


def test_an_exif_rotation_is_taken_out(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = encoded(file_format="JPEG", exif=exif)
    (sample,) = convert(example(image=image, filename=b"turned.jpg"), folder=tmp_path).samples
    with Image.open(sample.path) as written:
        assert written.size == (40, 20) and not written.getexif()
    assert sample.size == (20, 40)


def test_files_that_are_there_are_left_alone(tmp_path):
    convert(example(), folder=tmp_path)
    before = (tmp_path / "one.png").stat().st_mtime_ns
    convert(example(), folder=tmp_path)
    assert (tmp_path / "one.png").stat().st_mtime_ns == before
    convert(example(image=encoded((8, 8))), folder=tmp_path)
    assert (tmp_path / "one.png").read_bytes() == encoded((8, 8))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"image": b"not an image"}, "example 2 ('two.png'): not an image that can be read"),
        ({"image": np.zeros((4, 4, 7), np.float64)}, "example 2 ('two.png'): "),
        ({"filename": b"../../out.png"}, "the path '../../out.png' leads outside its folder"),
        (
            {"filename": b"one.png"},
            "another example has the same image id or file name; the first one is kept",
        ),
        (
            {"image/id": np.int64(1)},
            "another example has the same image id or file name; the first one is kept",
        ),
    ],
)
def test_a_faulty_image_is_named_and_left_out(tmp_path, changes, fault):
    folder = tmp_path / "images" / "deep"
    examples = example(), example(**{"filename": b"two.png"} | changes)
    dataset = convert(*examples, folder=folder)
    problem = dataset.problems[0]
    assert str(problem).startswith("bccd train: example 2") and fault in str(problem) and problem.costs_image
    assert len(dataset.samples) == 1 and [path.name for path in folder.iterdir()] == ["one.png"]
    with pytest.raises(ValueError, match="example 2"):
        convert(*examples, folder=folder, strict=True)


@pytest.mark.parametrize(
    ("bbox", "label", "fault"),
    [
        ((0.5, 0.5, 0.25, 1.0), 0, "bbox has negative height -5"),
        ((0.5, 0.5, 0.75, 0.5), 0, "bbox has zero width"),
        ((0.5, np.nan, 0.75, 1), 0, "bbox [0.5, nan, 0.75, 1.0] is not four finite numbers"),
        ((0.5, 1.5, 0.75, 2), 0, "lies entirely outside the image of width 40 and height 20"),
        ((0.5, 0.5, 0.75, 1), -1, "the label -1 is not among the 2 classes"),
        ((0.5, 0.5, 0.75, 1), 2, "the label 2 is not among the 2 classes"),
    ],
)
def test_a_faulty_box_is_named_and_left_out(tmp_path, bbox, label, fault):
    dataset = convert(example(bbox=[(0, 0, 1, 1), bbox], label=(1, label)), folder=tmp_path)
    (problem,) = dataset.problems
    assert problem.path == "bccd train" and problem.where == "example 1 ('one.png'), object 1"
    assert problem.reason.endswith(fault) and not problem.costs_image
    assert dataset.samples[0].boxes.labels.tolist() == [1]


def test_class_names():
    assert class_names(FEATURES) == ("RBC", "WBC")
    with pytest.raises(ValueError, match=r"mnist: expected the features image, .* got image, label"):
        class_names({"image": None, "label": SimpleNamespace(names=["1"])}, "mnist")


def test_read_tfds_asks_the_library(tmp_path, monkeypatch):
    asked = {}
    builder = SimpleNamespace(
        info=SimpleNamespace(features=FEATURES),
        download_and_prepare=lambda: asked.update(prepared=True),
        as_dataset=lambda **options: asked.update(options) or [example()],
    )
    library = SimpleNamespace(
        builder=lambda name, data_dir: asked.update(name=name, data_dir=data_dir) or builder,
        decode=SimpleNamespace(SkipDecoding=lambda: "as it is"),
        as_numpy=iter,
    )
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", library)
    dataset = read_tfds("bccd", "train", tmp_path)
    assert asked == {
        "name": "bccd",
        "data_dir": None,
        "prepared": True,
        "split": "train",
        "decoders": {"image": "as it is"},
    }
    assert dataset.samples[0].boxes.xyxy.tolist() == [[20, 5, 40, 15]]


def test_without_the_library_the_line_to_type_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[tfds\]'"):
        read_tfds("bccd", "train", tmp_path)
