"""The page in `saved_models/browser`, opened by a real browser."""

import shutil
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from command_line import run
from headless_browser import find_browser, find_modules, serve
from PIL import Image

from keras_cornernet import export
from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.preprocessing import person_view
from keras_cornernet.presets import from_preset

pytestmark = pytest.mark.slow
pytest.importorskip("ai_edge_litert.interpreter")
SAVED = Path(__file__).parents[2] / "saved_models"
DETECTORS = ("cornernet_people", "objects_as_points_photos")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page, its packages, exported files, a drawn person and a drawn scene, in one folder."""
    find_browser()
    modules = find_modules()
    folder = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns("node_modules")
    for name in ("browser", "runtime"):
        shutil.copytree(SAVED / name, folder / name, ignore=ignored)
    (folder / "browser" / "node_modules").symlink_to(modules.resolve())
    shutil.copy(SAVED / "hourglass_lspet_int8.tflite", folder)
    model = from_preset("hourglass_lspet").with_settings(flip=False)
    export.to_tflite(model, folder / "hourglass_lspet_float16.tflite", precision="float16")
    image, boxes, *_ = draw_scene(3, max_people=1)
    x1, y1, x2, y2 = boxes.xyxy[0]
    person = person_view(((x1 + x2) / 2, (y1 + y2) / 2), 1.25 * max(x2 - x1, y2 - y1), (128, 128)).apply(
        image
    )
    Image.fromarray(person).save(folder / "person.png")
    large = person.repeat(3, axis=0).repeat(3, axis=1)[:300]
    Image.fromarray(large).save(folder / "large.png")
    write_video(folder / "large.y4m", large)
    scene, *_ = draw_scene(7, (256, 320))
    Image.fromarray(scene).save(folder / "scene.png")
    write_video(folder / "scene.y4m", scene)
    return folder


@pytest.fixture(scope="module")
def detectors(site):
    """The shipped detectors of people, exported by command."""
    found = {}
    for name in DETECTORS:
        done = run(
            *("export", name, "--format", "tflite", "--no-flip", "--precision", "dynamic"),
            *("--output", site),
        )
        assert done.exit_code == 0, done.stderr
        found[name] = f"{name}_dynamic.tflite"
    return found


def write_video(path, image):
    """A still picture as a video that Chromium takes for a camera (YUV4MPEG2)."""
    y, cb, cr = np.moveaxis(np.asarray(Image.fromarray(image).convert("YCbCr")), -1, 0)
    y = 16 + y * (219 / 255)
    cb, cr = (128 + (c[::2, ::2] - 128.0) * (224 / 255) for c in (cb, cr))
    frame = b"FRAME\n" + b"".join(np.round(plane).astype("uint8").tobytes() for plane in (y, cb, cr))
    height, width = image.shape[:2]
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + 5 * frame)


@pytest.fixture(scope="module")
def answer(site):
    """Opens the page and returns what it reports."""
    with serve(site) as served:

        def open_page(*models, picture=None, camera=None):
            source = {"picture": f"../{picture}"} if camera is None else {"camera": "on"}
            asked = [("model", f"../{model}") for model in models]
            asked += [*source.items(), ("report", "/found")]
            options = ()
            if camera is not None:
                options = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
                options += (f"--use-file-for-fake-video-capture={camera}",)
            return served.report_of(f"browser/index.html?{urlencode(asked)}", *options)

        yield open_page


# Not bit for bit: the kernels are WebAssembly's, and whole numbers may be rounded another way.
@pytest.mark.parametrize(("precision", "pixels", "score"), [("float16", 0.05, 0.002), ("int8", 1.0, 0.03)])
def test_the_page_finds_the_joints_that_python_finds(answer, site, precision, pixels, score):
    model = f"hourglass_lspet_{precision}.tflite"
    found = answer(model, picture="person.png")
    expected = export.load(site / model).predict(site / "person.png")[0]
    assert expected.keypoint_scores.max() > 0.3
    np.testing.assert_allclose(found["points"], expected.keypoints[0], atol=pixels)
    np.testing.assert_allclose(found["scores"], expected.keypoint_scores[0], atol=score)


def test_a_picture_of_another_shape_is_fitted_in(answer, site):
    model = "hourglass_lspet_float16.tflite"
    found = answer(model, picture="large.png")
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
    assert "not a TFLite file" in answer("person.png", picture="person.png")["error"]
    assert "404" in answer("gone.tflite", picture="person.png")["error"]


@pytest.mark.parametrize("name", DETECTORS)
def test_the_page_finds_the_boxes_that_python_finds(answer, site, detectors, name):
    found = answer(detectors[name], picture="scene.png")
    expected = export.load(site / detectors[name]).predict(site / "scene.png")[0].shown()
    assert len(expected) >= 1
    check_boxes(found["boxes"], expected, pixels=1.0)


def check_boxes(found, expected, pixels):
    """The same objects in the same order, at the same places."""
    assert [box["name"] for box in found] == list(expected.names)
    np.testing.assert_allclose([box["box"] for box in found], expected.boxes, atol=pixels)
    np.testing.assert_allclose([box["score"] for box in found], expected.scores, atol=0.02)


def test_everyone_whom_the_detector_finds_is_posed(answer, site, detectors):
    models = ("hourglass_lspet_float16.tflite", detectors["cornernet_people"])
    found = answer(*models, picture="scene.png")
    pose, detector = (export.load(site / model) for model in models)
    pose.detector = detector
    expected = pose.predict(site / "scene.png", "detect")[0]
    check_boxes(found["boxes"], detector.predict(site / "scene.png")[0].shown(), pixels=1.0)
    assert len(found["people"]) == len(expected) >= 1
    for person, points, scores in zip(
        found["people"], expected.keypoints, expected.keypoint_scores, strict=True
    ):
        apart = np.linalg.norm(np.array(person["points"]) - points, axis=-1)[scores > 0.3]
        assert np.median(apart) < 3  # browsers resample in their own way


def test_a_person_before_the_camera_is_followed(answer, site, detectors):
    models = ("hourglass_lspet_float16.tflite", detectors["cornernet_people"])
    found = answer(*models, camera=site / "scene.y4m")
    (person,) = found["people"]
    pose, detector = (export.load(site / model) for model in models)
    best = detector.predict(site / "scene.png")[0].shown()[:1]
    expected = pose.predict(site / "scene.png", [best.boxes])[0]
    assert found["detections"] == 1
    sure = expected.keypoint_scores[0] > 0.3
    apart = np.linalg.norm(np.array(person["points"]) - expected.keypoints[0], axis=-1)[sure]
    assert np.median(apart) < 6
