"""What TensorFlow Serving asks of a SavedModel, piece by piece, since its binary is in no package index."""

import base64
import io
import json
import os
import sys

import numpy as np
import pytest
import tensorflow as tf
from exportable import ALL, FACE, detector, encoded, estimator, picture, with_statistics
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from keras_cornernet import export
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.export import saved_model
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.models import CenterNet, StackedHourglass

# All of them are in the server's own build.
NAMES = """
Abs Add AddN AddV2 All Any ArgMax Assert AssignVariableOp AvgPool BiasAdd Bitcast BitwiseAnd
BroadcastTo Cast Ceil CheckNumerics ClipByValue ConcatV2 ConcatenateDataset Const Conv2D
DatasetToSingleElement DecodeImage DecodeJpeg DepthwiseConv2dNative DisableCopyOnRead Einsum
EnsureShape Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FusedBatchNormV3 GatherV2 Greater
GreaterEqual Identity IdentityN If IgnoreErrorsDataset Less LessEqual Log LogicalAnd LogicalNot
LogicalOr LoopCond MapDataset Max MaxPool Maximum Mean MergeV2Checkpoints Min Minimum Mul Neg NoOp
NotEqual Pack Pad PadV2 PartitionedCall Placeholder Pow Prod RandomUniform Range ReadVariableOp
RealDiv Relu Reshape ResizeNearestNeighbor RestoreV2 ReverseV2 Round Rsqrt SaveV2 Select SelectV2
Shape ShardedFilename Sigmoid Sign Size Slice Split SplitV Sqrt Square Squeeze
StatefulPartitionedCall StatelessIf StatelessWhile StaticRegexFullMatch StridedSlice StringJoin Sub
Substr Sum TakeDataset TensorDataset TensorListFromTensor TensorListGetItem TensorListReserve
TensorListSetItem TensorListStack Tile TopKV2 Transpose Unpack VarHandleOp VarIsInitializedOp While
ZerosLike
"""
ALLOWED = set(NAMES.split())
IMAGES = [picture(50, 60), picture(32, 48, 1), picture(9, 100, 2)]


@pytest.fixture(scope="module")
def model():
    return detector()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return export.to_saved_model(model, tmp_path_factory.mktemp("models"), "pets").path


@pytest.fixture(scope="module")
def signatures(folder):
    loaded = tf.saved_model.load(str(folder))
    return {**loaded.signatures, "kept alive": loaded}


def bottlenecks():
    """A pose network of two stacks whose heatmaps enter the next stack, and of residuals of three blocks."""
    network = with_statistics(
        StackedHourglass(3, stacks=2, channels=(8, 8), num_blocks=(1, 1), stem=(4, 8), block="bottleneck")
    )
    return PoseEstimator(network, KeypointCodec(), FACE, PoseInferenceConfig(input_size=(32, 32)))


def answers(signatures, files):
    found = signatures["serving_default"](image_bytes=tf.constant(files))
    return {name: value.numpy() for name, value in found.items()}


def test_the_folder_is_what_the_server_looks_for(folder):
    assert folder.name == "1"
    assert [path.name for path in folder.parent.iterdir()] == ["1"]  # nothing aside is left
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names >= {"saved_model.pb", "assets/labels.txt", "assets/description.json"}
    assert (folder / "assets/labels.txt").read_text() == "cat\ndog\n"
    assert "max_batch_size" in (folder / "assets.extra/batching.config").read_text()


def test_the_next_version_follows_the_highest(tmp_path):
    assert saved_model.next_version(tmp_path / "none") == 1
    for name in ("2", "10", "draft", ".11.tmp"):
        (tmp_path / name).mkdir()
    assert saved_model.next_version(tmp_path) == 11


def test_signatures_have_the_names_and_method_that_clients_ask_for(folder):
    graph = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0]
    assert list(graph.meta_info_def.tags) == ["serve"]
    for name, argument in {"serving_default": "image_bytes", "images": "images"}.items():
        signature = graph.signature_def[name]
        assert signature.method_name == "tensorflow/serving/predict"
        assert set(signature.inputs) == {argument}
        assert set(signature.outputs) == {"boxes", "scores", "labels", "num_detections"}
        values = [*signature.inputs.values(), *signature.outputs.values()]
        assert {value.tensor_shape.dim[0].size for value in values} == {-1}


def test_the_graph_has_no_operation_that_the_server_lacks(folder):
    assert saved_model.operations(folder) - ALLOWED == set()


def test_nothing_in_the_graph_has_a_gradient_that_is_not_saved(folder, caplog):
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        assert not [node.name for node in function.node_def if "_gradient_op_type" in node.attr]
    with caplog.at_level("WARNING"):
        tf.saved_model.load(str(folder))
    assert caplog.records == []


@pytest.mark.parametrize("model", [detector(), detector(CenterNet), estimator(), bottlenecks()])
def test_no_convolution_can_be_fused_with_a_sum(model, tmp_path):
    """With oneDNN that operation keeps buffers that all threads share, see `backend.unfused`."""
    path = export.to_saved_model(model, tmp_path, "x").path
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    convolutions = 0
    for function in saved.meta_graphs[0].graph_def.library.function:
        nodes = {node.name: node for node in function.node_def}

        def source(name, nodes=nodes):
            return nodes.get(name.split(":")[0])

        def is_biased(node, source=source):
            before = [] if node is None else [source(name) for name in node.input]
            is_sum = node is not None and node.op in ("BiasAdd", "Add", "AddV2")
            return is_sum and any(n is not None and "Conv2D" in n.op for n in before)

        convolutions += sum(is_biased(node) for node in nodes.values())
        for node in nodes.values():
            if node.op in ("Add", "AddV2", "AddN"):
                assert not any(is_biased(source(name)) for name in node.input), node.name
    assert convolutions > 10


def test_no_data_set_is_optimised_anew_for_each_image(folder):
    """`reduce` does that: 24 ms for a picture of 48 x 64, and memory that grows with every call."""
    assert not saved_model.operations(folder) & {"ReduceDataset", "FinalizeDataset", "ModelDataset"}


def test_bytes_give_what_predict_gives_alone_and_in_a_batch(signatures, model):
    files = [encoded(image) for image in IMAGES]
    together = answers(signatures, files)
    for place, image in enumerate(IMAGES):
        theirs = model.predict(image, **ALL)[0]
        count = together["num_detections"][place]
        assert count == len(theirs.boxes) > 0
        np.testing.assert_allclose(together["boxes"][place, :count], theirs.boxes, atol=1e-2)
        np.testing.assert_allclose(together["scores"][place, :count], theirs.scores, atol=1e-5)
        alone = answers(signatures, [files[place]])
        for name, value in alone.items():
            np.testing.assert_allclose(value[0], together[name][place], atol=1e-2)


@pytest.mark.parametrize(("form", "options"), [("JPEG", {"quality": 80}), ("GIF", {}), ("BMP", {})])
def test_other_kinds_of_files_are_read_as_pillow_reads_them(signatures, form, options):
    file = encoded(IMAGES[0], form, **options)
    pixels = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
    found = answers(signatures, [file, encoded(pixels)])
    np.testing.assert_allclose(found["scores"][0], found["scores"][1], atol=1e-5)


def test_a_broken_file_is_named_by_its_index(signatures):
    good = encoded(IMAGES[0], "JPEG")
    for broken in (good[: len(good) // 2], b"", b"no image"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"no readable .* at index\] \[2\]"):
            answers(signatures, [good, good, broken])


def test_extreme_images_get_a_sane_answer(signatures):
    black = np.zeros((20, 20, 3), np.uint8)
    files = [encoded(image) for image in (black[:1, :1], black, picture(2, 10_000))]
    found = answers(signatures, files)
    assert all(np.isfinite(value).all() for value in found.values())
    assert (found["boxes"][0] <= 1).all()


@pytest.mark.slow
def test_a_pose_network_answers_as_predict_does(tmp_path):
    poser = estimator(KeypointCodec(refinement="dark"))
    path = export.to_saved_model(poser, tmp_path, "face").path
    signatures = tf.saved_model.load(str(path))
    files = [encoded(image) for image in (*IMAGES, picture(1, 1), np.zeros((20, 20, 3), np.uint8))]
    found = answers({"serving_default": signatures.signatures["serving_default"]}, files)
    assert np.isfinite(found["keypoints"]).all()
    loaded = export.load(path)
    boxes = [np.array([[3, 4, 31, 40], [20, 10, 58, 44]], np.float32)]
    for row, image in enumerate(IMAGES):
        theirs = poser.predict(image, flip=None)[0]
        np.testing.assert_allclose(found["keypoints"][row], theirs.keypoints[0], atol=0.02)
        np.testing.assert_allclose(found["scores"][row], theirs.keypoint_scores[0], atol=5e-4)
        ours, theirs = loaded.predict(image, boxes)[0], poser.predict(image, boxes, flip=None)[0]
        np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=0.02)


def test_numbers_are_rounded_and_checked_as_by_predict(signatures, model):
    function = signatures["images"]
    found = function(images=tf.constant(IMAGES[0][None] + 0.4, tf.float32))
    theirs = model.predict(IMAGES[0], **ALL)[0]
    np.testing.assert_allclose(found["scores"][0, : len(theirs.scores)], theirs.scores, atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
        function(images=tf.fill((1, 8, 8, 3), np.float32("nan")))
    with pytest.raises(tf.errors.InvalidArgumentError, match="empty side"):
        function(images=tf.zeros((1, 0, 8, 3)))


def test_warm_up_requests_can_be_replayed(folder, signatures):
    logs = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    records = list(tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests")))
    asked = []
    for record in records:
        request = logs.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.name == "pets"
        name = request.model_spec.signature_name
        inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
        assert signatures[name](**inputs)["boxes"].shape == (1, 6, 4)
        asked.append(name)
    assert asked == ["serving_default", "images"]


def test_without_the_protobufs_a_note_says_what_to_type(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    monkeypatch.setattr(tf.saved_model, "save", lambda module, path, **_: os.mkdir(path))
    written = export.to_saved_model(model, tmp_path, "pets")
    assert "pip install 'keras_cornernet[serving]'" in written.notes[0]
    assert not (written.path / "assets.extra" / "tf_serving_warmup_requests").exists()


def test_requests_by_rest_map_both_ways(signatures):
    """The server's two forms: a row an instance, or a column an input; bytes travel as base64."""
    files = [encoded(image) for image in IMAGES[:2]]
    asked = [{"b64": base64.b64encode(file).decode()} for file in files]
    rows = json.loads(json.dumps({"instances": [{"image_bytes": one} for one in asked]}))
    columns = json.loads(json.dumps({"inputs": {"image_bytes": asked}}))
    of_rows = [base64.b64decode(row["image_bytes"]["b64"]) for row in rows["instances"]]
    of_columns = [base64.b64decode(one["b64"]) for one in columns["inputs"]["image_bytes"]]
    assert of_rows == of_columns == files
    found = {name: value.tolist() for name, value in answers(signatures, of_rows).items()}
    # Row form splits each output along its first axis; names that end in `_bytes` would go as base64.
    assert {len(value) for value in found.values()} == {2}
    assert not any(name.endswith("_bytes") for name in found)
    predictions = [{name: value[i] for name, value in found.items()} for i in range(2)]
    assert json.loads(json.dumps({"predictions": predictions}, allow_nan=False))["predictions"] == predictions


def test_a_name_that_leads_out_of_the_folder_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match="leads outside"):
        export.to_saved_model(model, tmp_path, "../elsewhere")
