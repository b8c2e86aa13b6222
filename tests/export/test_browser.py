"""The page in `saved_models/browser`, opened by a real browser."""

import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from keras_cornernet import export
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.preprocessing import person_view
from keras_cornernet.presets import from_preset

pytestmark = pytest.mark.slow
pytest.importorskip("ai_edge_litert.interpreter")
PAGE = Path(__file__).parents[2] / "saved_models" / "browser"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 120  # seconds that the browser may take


@pytest.fixture(scope="module")
def browser():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium-headless-shell, or set CHROMIUM to its path")
    return found


@pytest.fixture(scope="module")
def runtime():
    """The folder of npm packages."""
    found = Path(os.environ.get("LITERTJS_MODULES", PAGE / "node_modules"))
    if not (found / "@litertjs" / "core").is_dir():
        pytest.skip(
            "no @litertjs/core: type `npm install` in saved_models/browser, or set LITERTJS_MODULES to a "
            "folder node_modules that has it"
        )
    return found


@pytest.fixture(scope="module")
def site(runtime, tmp_path_factory):
    """The page, the packages, pose files of two precisions and a drawn person, in one folder."""
    folder = tmp_path_factory.mktemp("site")
    for path in [*PAGE.glob("*.*"), PAGE.parent / "hourglass_lspet_int8.tflite"]:
        shutil.copy(path, folder)
    model = from_preset("hourglass_lspet").with_settings(flip=False)
    export.to_tflite(model, folder / "hourglass_lspet_float16.tflite", precision="float16")
    (folder / "node_modules").symlink_to(runtime.resolve())
    image, boxes, *_ = draw_scene(3, max_people=1)
    x1, y1, x2, y2 = boxes.xyxy[0]
    person = person_view(((x1 + x2) / 2, (y1 + y2) / 2), 1.25 * max(x2 - x1, y2 - y1), (128, 128)).apply(
        image
    )
    Image.fromarray(person).save(folder / "person.png")
    large = person.repeat(3, axis=0).repeat(3, axis=1)[:300]
    Image.fromarray(large).save(folder / "large.png")
    write_video(folder / "large.y4m", large)
    return folder


def write_video(path, image):
    """A still picture as a video that Chromium takes for a camera (YUV4MPEG2)."""
    y, cb, cr = np.moveaxis(np.asarray(Image.fromarray(image).convert("YCbCr")), -1, 0)
    y = 16 + y * (219 / 255)
    cb, cr = (128 + (c[::2, ::2] - 128.0) * (224 / 255) for c in (cb, cr))
    frame = b"FRAME\n" + b"".join(np.round(plane).astype("uint8").tobytes() for plane in (y, cb, cr))
    height, width = image.shape[:2]
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + 5 * frame)


@pytest.fixture(scope="module")
def answer(browser, site):
    """Opens the page and returns what it reports."""
    told, arrived = {}, threading.Event()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_POST(self):
            told["found"] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def open_page(model, picture=None, camera=None):
        arrived.clear()
        source = {"picture": picture} if camera is None else {"camera": "on"}
        asked = urlencode({"model": model, **source, "report": "/found"})
        address = f"http://127.0.0.1:{server.server_port}/index.html?{asked}"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        if camera is not None:
            options += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
            options += [f"--use-file-for-fake-video-capture={camera}"]
        # A group of its own: Debian's command is a script, and ending that would leave the browser.
        process = subprocess.Popen(
            [browser, *options, address], stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            assert arrived.wait(PATIENCE), "the page reported nothing"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return told["found"]

    yield open_page
    server.shutdown()
    server.server_close()


# Not bit for bit: the kernels are WebAssembly's, and whole numbers may be rounded another way.
@pytest.mark.parametrize(("precision", "pixels", "score"), [("float16", 0.05, 0.002), ("int8", 1.0, 0.03)])
def test_the_page_finds_the_joints_that_python_finds(answer, site, precision, pixels, score):
    model = f"hourglass_lspet_{precision}.tflite"
    found = answer(model, "person.png")
    expected = export.load(site / model).predict(site / "person.png")[0]
    assert expected.keypoint_scores.max() > 0.3
    np.testing.assert_allclose(found["points"], expected.keypoints[0], atol=pixels)
    np.testing.assert_allclose(found["scores"], expected.keypoint_scores[0], atol=score)


def test_a_picture_of_another_shape_is_fitted_in(answer, site):
    model = "hourglass_lspet_float16.tflite"
    found = answer(model, "large.png")
    expected = export.load(site / model).predict(site / "large.png")[0]
    sure = expected.keypoint_scores[0] > 0.3
    apart = np.linalg.norm(np.array(found["points"]) - expected.keypoints[0], axis=-1)[sure]
    assert np.median(apart) < 3  # one pixel of the input; browsers resample in their own way


def test_the_camera_is_read(answer, site):
    model = "hourglass_lspet_float16.tflite"
    found = answer(model, camera=site / "large.y4m")
    expected = export.load(site / model).predict(site / "large.png")[0]
    sure = expected.keypoint_scores[0] > 0.3
    apart = np.linalg.norm(np.array(found["points"]) - expected.keypoints[0], axis=-1)[sure]
    assert np.median(apart) < 6  # two pixels of the input: the colours of a video are coarser


def test_a_camera_that_is_refused_is_told(answer):
    assert "error" in answer("hourglass_lspet_float16.tflite", camera="none.y4m")


def test_a_file_of_something_else_is_told(answer):
    assert "not a TFLite file" in answer("person.png", "person.png")["error"]
    assert "404" in answer("gone.tflite", "person.png")["error"]
