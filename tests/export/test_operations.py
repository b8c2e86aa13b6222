"""SavedModels that do more than compute are not run unless they are trusted."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from exportable import detector, picture

from keras_cornernet import export
from keras_cornernet.export.description import Description
from keras_cornernet.export.operations import OPERATIONS

WRITING = {"SaveV2", "MergeV2Checkpoints", "ShardedFilename", "RestoreV2", "WriteFile", "ReadFile"}


def nothing(images):
    count = tf.shape(images)[0]
    return {
        "boxes": tf.zeros((count, 1, 4)),
        "scores": tf.zeros((count, 1)),
        "labels": tf.zeros((count, 1), tf.int32),
        "num_detections": tf.zeros((count,), tf.int32),
    }


def at_once(path):
    return tf.io.write_file(str(path), "ran")


def in_a_condition(path):
    return tf.cond(tf.random.uniform(()) >= 0, lambda: (at_once(path), 1)[1], lambda: 0)


def in_a_data_set(path):
    def write(number):
        with tf.control_dependencies([at_once(path)]):
            return tf.identity(number)

    return tf.data.Dataset.from_tensors(0).map(write).reduce(0, lambda _, number: number)


def by_the_saver(path):
    return tf.raw_ops.SaveV2(
        prefix=str(path), tensor_names=["x"], shape_and_slices=[""], tensors=[tf.zeros(1)]
    )


def written(folder, action):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32, "images")])
        def answer(self, images):
            with tf.control_dependencies([] if action is None else [action(folder.parent / "trace")]):
                return nothing(images)

    module = Module()
    tf.saved_model.save(module, str(folder), signatures={"images": module.answer})
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "description.json").write_text(Description("detection", ("cat",), (1,)).to_json())
    return folder


def test_what_only_computes_is_run(tmp_path):
    assert len(export.load(written(tmp_path / "model", None)).predict(picture(20, 30))[0]) == 0


@pytest.mark.parametrize("action", [at_once, in_a_condition, in_a_data_set, by_the_saver])
def test_what_writes_is_refused_unless_it_is_trusted(tmp_path, action):
    folder = written(tmp_path / "model", action)
    with pytest.raises(ValueError, match=r"model: refused, .*(WriteFile|SaveV2).*--trust") as caught:
        export.load(folder)
    assert str(caught.value).startswith(str(folder)) and len(list(tmp_path.iterdir())) == 1
    export.load(folder, trust=True).predict(picture(20, 30))
    assert len(list(tmp_path.iterdir())) > 1


def test_a_model_of_the_first_version_is_not_run(tmp_path):
    folder = written(tmp_path / "model", None)
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    saved.meta_graphs[0].ClearField("object_graph_def")
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(ValueError, match="not a SavedModel of TensorFlow 2"):
        export.load(folder)


def test_no_operation_that_is_accepted_touches_files():
    assert not OPERATIONS & WRITING
    assert all(
        tf.raw_ops.__dict__.get(name) for name in OPERATIONS - {"Placeholder"} if name in dir(tf.raw_ops)
    )
    assert not [name for name in OPERATIONS if "File" in name or "Print" in name or "PyFunc" in name]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export.to_saved_model(detector(), tmp_path_factory.mktemp("models"), "pets").path


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index", "variables/variables.data"])
@pytest.mark.parametrize("share", [0, 0.5, 0.95])
def test_a_part_that_was_cut_is_damage(exported, tmp_path, name, share):
    folder = shutil.copytree(exported, tmp_path / "cut")
    part = next(path for path in folder.rglob("*") if path.relative_to(folder).as_posix().startswith(name))
    content = part.read_bytes()
    part.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError) as caught:
        export.load(folder).predict(np.zeros((8, 8, 3), np.uint8))
    assert str(caught.value).startswith(f"{folder}: ") and "\n" not in str(caught.value)
