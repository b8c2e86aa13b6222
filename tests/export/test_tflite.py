"""TFLite files, run by LiteRT."""

import numpy as np
import pytest
from exportable import ALL, detector, estimator, picture

from keras_cornernet import export
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.export import flatbuffer, tflite
from keras_cornernet.preprocessing import fit_view

interpreter = pytest.importorskip("ai_edge_litert.interpreter")
IMAGE = picture(50, 60)


@pytest.fixture(scope="module")
def finder():
    return detector(merge_exponent=10.0)


@pytest.fixture(scope="module")
def found(finder, tmp_path_factory):
    """A detector that takes images of 50 x 60."""
    path = tmp_path_factory.mktemp("tflite") / "pets.tflite"
    return export.to_tflite(finder, path, image_size=(50, 60)).path


@pytest.fixture(scope="module")
def poser():
    return estimator(KeypointCodec(refinement="dark"), flip=False)


@pytest.fixture(scope="module")
def posed(poser, tmp_path_factory):
    """A pose network of 8 bits."""
    path = tmp_path_factory.mktemp("int8") / "face.tflite"
    samples = [picture(40, 30, seed) for seed in range(4)]
    return export.to_tflite(poser, path, precision="int8", samples=samples).path


def test_fitting_and_decoding_are_in_the_graph(found, finder):
    ours, theirs = export.load(found).predict(IMAGE, **ALL)[0], finder.predict(IMAGE, **ALL)[0]
    assert len(ours.boxes) == len(theirs.boxes) > 0
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-2)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
    assert ours.names == theirs.names


def test_an_image_of_another_size_is_fitted_and_its_boxes_come_back(found, finder):
    image = picture(100, 80, 3)
    view = fit_view((100, 80), (50, 60))
    ours, theirs = export.load(found).predict(image, **ALL)[0], finder.predict(view.apply(image), **ALL)[0]
    back = np.clip(view.boxes_to_image(theirs.boxes), 0, [80, 100, 80, 100])
    np.testing.assert_allclose(ours.boxes, back, atol=2e-2)


@pytest.mark.slow
def test_people_in_boxes_are_read_as_keras_reads_them(poser, tmp_path):
    model = export.load(export.to_tflite(poser, tmp_path / "face.tflite").path)
    boxes = np.array([[3, 4, 31, 40], [20, 10, 58, 44], [-9, -9, 12, 20]], np.float32)
    ours, theirs = model.predict(IMAGE, [boxes])[0], poser.predict(IMAGE, [boxes], flip=None)[0]
    np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=0.02)
    np.testing.assert_allclose(ours.keypoint_scores, theirs.keypoint_scores, atol=1e-4)


@pytest.mark.slow
def test_people_are_read_alike_in_an_oblong_input(tmp_path):
    poser = estimator(KeypointCodec(refinement="dark"), input_size=(32, 48))
    samples = [picture(32, 48, seed) for seed in range(4)]
    export.to_tflite(poser, tmp_path / "int8.tflite", precision="int8", samples=samples)
    model = export.load(export.to_tflite(poser, tmp_path / "face.tflite").path)
    boxes = np.array([[3, 4, 31, 40], [20, 10, 58, 44]], np.float32)
    for ours, theirs in (
        (model.predict(IMAGE, [boxes])[0], poser.predict(IMAGE, [boxes], flip=None)[0]),
        (model.predict(IMAGE)[0], poser.predict(IMAGE, flip=None)[0]),
    ):
        np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=0.02)
        np.testing.assert_allclose(ours.keypoint_scores, theirs.keypoint_scores, atol=1e-4)


@pytest.mark.slow
def test_a_file_for_oblong_pictures_of_one_person_refuses_boxes(poser, tmp_path):
    model = export.load(export.to_tflite(poser, tmp_path / "face.tflite", image_size=(50, 60)).path)
    ours, theirs = model.predict(IMAGE)[0], poser.predict(IMAGE, flip=None)[0]
    np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=0.02)
    with pytest.raises(ValueError, match=r"image_size \(50, 60\)"):
        model.predict(IMAGE, [np.array([[3, 4, 31, 40]], np.float32)])


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (2, 10_000)])
def test_extreme_images_get_a_sane_answer(found, posed, size):
    black = np.zeros((*size, 3), np.uint8)
    boxes, pose = export.load(found).predict(black, **ALL)[0], export.load(posed).predict(black)[0]
    assert (boxes.boxes >= 0).all()
    assert (boxes.boxes <= [size[1], size[0], size[1], size[0]]).all()
    assert np.isfinite(boxes.scores).all()
    assert np.isfinite(pose.keypoints).all()


def test_an_image_without_pixels_is_refused(found):
    with pytest.raises(ValueError, match="without empty sides"):
        export.load(found).predict(np.zeros((0, 5, 3), np.uint8))


def test_operators_are_tflites_own(found, posed):
    for path in (found, posed):
        assert flatbuffer.custom_operators(path.read_bytes()) == set()


def test_eight_bits_take_pixels_as_bytes_and_answer_in_floats(posed, poser):
    runner = interpreter.Interpreter(str(posed)).get_signature_runner("serving_default")
    asked, answered = runner.get_input_details(), runner.get_output_details()
    assert asked["images"]["dtype"] == np.uint8
    assert asked["images"]["quantization"] == (1.0, 0)
    assert list(asked["images"]["shape"]) == [1, 32, 32, 3]
    assert {name: detail["dtype"] for name, detail in answered.items()} == {
        "keypoints": np.float32,
        "scores": np.float32,
    }
    image = fit_view(IMAGE.shape[:2], (32, 32)).apply(IMAGE)
    ours, theirs = export.load(posed).predict(image)[0], poser.predict(image, flip=None)[0]
    spread = np.abs(theirs.keypoint_scores).max()
    np.testing.assert_allclose(ours.keypoint_scores, theirs.keypoint_scores, atol=0.15 * spread)


def test_a_file_tells_what_it_is(posed):
    told = export.load(posed).description
    assert told.task == "pose"
    assert told.names == ("left_eye", "right_eye", "nose")
    assert told.limbs == ((0, 2), (1, 2))
    assert told.joints.flip_order == (1, 0, 2)
    assert (told.image_size, told.input_scale, told.precision) == ((32, 32), 1.0, "int8")


def test_weights_of_half_the_bytes_answer_nearly_alike(poser, tmp_path):
    written = export.to_tflite(poser, tmp_path / "face.tflite", precision="float16")
    loaded = export.load(written.path)
    assert loaded.description.precision == "float16"
    image = fit_view(IMAGE.shape[:2], (32, 32)).apply(IMAGE)
    ours, theirs = loaded.predict(image)[0], poser.predict(image, flip=None)[0]
    np.testing.assert_allclose(ours.keypoint_scores, theirs.keypoint_scores, rtol=0.02, atol=0.01)


@pytest.mark.slow
def test_tails_are_cut_off_in_pose_networks_only(finder, poser, tmp_path, monkeypatch):
    def raises(name):
        def stop(*_):
            raise KeyError(name)

        return stop

    monkeypatch.setattr(tflite, "without_outliers", raises("cut"))
    monkeypatch.setattr(tflite, "_convert", raises("whole"))
    for model, name in ((poser, "cut"), (finder, "whole")):
        with pytest.raises(KeyError, match=name):
            export.to_tflite(model, tmp_path / "a.tflite", precision="int8", samples=[IMAGE])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"precision": "int4"}, "precision must be one of"),
        ({"precision": "int8"}, "samples must hold images"),
        ({"precision": "int8", "samples": [IMAGE], "image_size": (64, 64)}, "must be that of the network's"),
        ({"image_size": (0, 5)}, "image_size must be"),
    ],
)
def test_wrong_options_are_told(finder, tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        export.to_tflite(finder, tmp_path / "pets.tflite", **options)
    assert list(tmp_path.iterdir()) == []


def test_parts_that_do_not_fit_are_not_joined(found, posed):
    with pytest.raises(ValueError, match="the parts do not fit"):
        flatbuffer.joined(found.read_bytes(), posed.read_bytes(), ["images"], ["keypoints", "scores"])
