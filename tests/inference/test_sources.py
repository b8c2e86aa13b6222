"""Everything that `predict` takes."""

import http.server
import io
import threading

import numpy as np
import pytest
import tensorflow as tf
from command_line import run
from exportable import detector, estimator
from PIL import Image

from keras_cornernet import presets
from keras_cornernet.inference import downloads
from keras_cornernet.inference.reading import images_of, list_images, read_or_report

RNG = np.random.default_rng(0)
ARRAY = RNG.integers(2, 255, (12, 16, 3), np.uint8)


def png(array=ARRAY):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.png", "deep/er/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png())
    (tmp_path / "notes.md").write_text("no image")
    return tmp_path


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/a.png"):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(png())
            elif self.path == "/page.png":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"<html>")
            else:
                self.send_error(404)

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


def names(source, **options):
    return [item.name for item in list_images(source, **options)]


def test_folders_patterns_and_lists(folder):
    assert names(folder) == ["a.png", "b.png"]
    assert names(folder, recursive=True) == ["a.png", "b.png", "c.png"]
    assert names(str(folder / "*.*")) == ["a.png", "b.png"]
    assert names(str(folder / "**" / "*.png")) == ["a.png", "b.png", "c.png"]
    (folder / "list.txt").write_text("b.png\n\ndeep/er/c.png\n", encoding="utf-8-sig")
    assert names(folder / "list.txt") == ["b.png", "c.png"]
    assert names([folder / "a.png", str(folder / "deep/er")]) == ["a.png", "c.png"]
    with pytest.raises(FileNotFoundError, match=r"\*.jpg: no image has such a name"):
        list_images(str(folder / "*.jpg"))
    (folder / "x[1].png").write_bytes(png())  # a file whose name looks like a pattern
    assert names(str(folder / "x[1].png")) == ["x[1].png"]


SOURCES = {
    "bytes": lambda path: png(),
    "stream": lambda path: io.BytesIO(png()),
    "file": lambda path: (path / "a.png").open("rb"),
    "pil": lambda path: Image.fromarray(ARRAY),
    "array": lambda path: ARRAY,
    "floats": lambda path: ARRAY.astype("float64"),
    "tensor": lambda path: tf.constant(ARRAY),
    "batch": lambda path: ARRAY[None],
    "generator": lambda path: (array for array in [ARRAY]),
    "dataset": lambda path: tf.data.Dataset.from_tensors(ARRAY),
    "batches": lambda path: tf.data.Dataset.from_tensors((ARRAY, 3)).batch(1),
    "list": lambda path: [ARRAY],
    "tuple": lambda path: (ARRAY,),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_all_kinds_are_the_same_image(folder, kind):
    source = SOURCES[kind](folder)
    (item,) = list_images(source)
    np.testing.assert_array_equal(read_or_report(item, None).image, ARRAY)
    if hasattr(source, "close"):
        source.close()


def test_sources_are_read_one_after_the_other():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield ARRAY

    for kind in (detector(), estimator()):
        taken.clear()
        stream = kind.stream(endless())
        next(stream), next(stream)
        assert len(taken) <= 3


def test_images_of_a_phone_are_upright():
    photo = Image.fromarray(ARRAY)
    photo.getexif()[274] = 6
    assert read_or_report(photo, None).size == (16, 12)


def test_arrays_of_opencv_say_so():
    found = read_or_report(ARRAY[..., ::-1], None, "bgr").image
    np.testing.assert_array_equal(found, ARRAY)
    with pytest.raises(ValueError, match="channel_order must be one of"):
        detector().predict(ARRAY, channel_order="BGR")
    a, b = (
        detector().predict(x, min_score=0, channel_order=c)
        for x, c in ((ARRAY, "rgb"), (ARRAY[..., ::-1], "bgr"))
    )
    np.testing.assert_array_equal(a[0].boxes, b[0].boxes)


@pytest.mark.parametrize("largest", [1.0, 0.5, 1 / 255])
def test_images_in_0_to_1_are_refused(largest):
    image = (ARRAY / ARRAY.max() * largest).astype("float32")
    with pytest.raises(
        ValueError, match=r"expected floats in 0..255, and the largest is .*: multiply it by 255"
    ):
        detector().predict(image)
    assert read_or_report(np.zeros((4, 4, 3)), None).image.max() == 0


def test_what_is_no_source_is_named():
    with pytest.raises(ValueError, match="source: expected paths, arrays, images or a list of those, got 7"):
        list(images_of(7))


def test_addresses(server, monkeypatch):
    found = read_or_report(f"{server}/a.png?size=2", None)
    np.testing.assert_array_equal(found.image, ARRAY)
    assert found.path == f"{server}/a.png?size=2"
    for name, words in (("gone.png", "404"), ("page.png", "not an image that can be read")):
        with pytest.raises(OSError, match=words) as caught:
            read_or_report(f"{server}/{name}", None)
        assert str(caught.value).startswith(f"{server}/{name}: ")
    with pytest.raises(OSError, match="http://127.0.0.1:9/x.png"):
        read_or_report("http://127.0.0.1:9/x.png", None)
    monkeypatch.setattr(downloads, "LARGEST", 10)
    with pytest.raises(OSError, match="more than 0 MiB"):
        read_or_report(f"{server}/a.png", None)


def test_boxes_of_any_other_detector(folder):
    seen = []

    def finds(image):
        seen.append(image.shape)
        return [[1, 1, 9, 11], [2, 2, 12, 12]]

    (poses,) = estimator().predict(folder / "a.png", boxes=finds)
    assert seen == [ARRAY.shape]
    np.testing.assert_array_equal(poses.boxes, [[1, 1, 9, 11], [2, 2, 12, 12]])
    with pytest.raises(ValueError, match=r"boxes\[0\] must be x1 < x2"):
        estimator().predict(folder / "a.png", boxes=lambda image: [[5, 5, 1, 1]])


def test_the_command_takes_them(folder, server, tmp_path):
    path = presets.save_model(detector(), tmp_path / "tiny.keras")
    done = run("predict", path, folder, f"{server}/a.png?x=1", "--recursive", "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    pictures = sorted(p.name for p in (tmp_path / "out").glob("*.png"))
    assert pictures == ["a.png", "a_2.png", "b.png", "c.png"]
    done = run("predict", path, folder, "--no-pictures", "--output", tmp_path / "none")
    assert done.exit_code == 0 and "pictures" not in done.output
    assert sorted(p.name for p in (tmp_path / "none").iterdir()) == [
        "images.json",
        "predictions.json",
        "predictions.jsonl",
    ]
