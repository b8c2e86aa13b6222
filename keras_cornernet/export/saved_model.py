"""SavedModel, for TensorFlow Serving."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_cornernet import files
from keras_cornernet.export import warm_up
from keras_cornernet.export.exported import describe
from keras_cornernet.export.graphs import Graph, build_graph
from keras_cornernet.export.images import answer_each, read_image, whole_levels
from keras_cornernet.export.raw import RawGraph
from keras_cornernet.export.written import ExportedFile, written

LABELS, DESCRIPTION = "labels.txt", "description.json"  # in the folder `assets`

# Initial values for `tensorflow_model_server --enable_batching --batching_parameters_file`. Without a list
# of allowed batch sizes no batch is padded; the answers would be the same.
BATCHING = """\
max_batch_size { value: 8 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 64 }
num_batch_threads { value: 2 }
"""


def to_saved_model(
    model: Any, folder: str | Path, name: str, *, raw: bool = False, self_test: bool = True
) -> ExportedFile:
    """Writes `folder/name/<next version>`, with preprocessing, network and decoding in the graph.

    Signatures:

    - `serving_default` takes `image_bytes` `(batch,)` strings: JPEG, PNG, GIF or BMP files of any sizes. EXIF
      orientation is not applied. A file that cannot be read fails the call with its index.
    - `images` takes `images` `(batch, height, width, 3)` float32 RGB 0..255 of one size, which may be any.

    Both return `boxes`, `scores`, `labels` and `num_detections`, or `keypoints` and `scores`, in pixels of
    each image, see `inference.answers`. The answers for an image do not depend on the others in its batch.

    `assets` holds `labels.txt` (one name a line) and `description.json`; `assets.extra` holds warm-up
    requests and a sample `batching.config`.

    Args:
        model: a `Detector`, a `PoseEstimator` or another model that `build_graph` takes.
        folder: of all models; the `model_base_path` of TensorFlow Serving is `folder/name`.
        name: of the model.
        raw: give the maps of the network alone, see `export.raw`: both signatures take `images` `(batch,
            *input_size, 3)`.
        self_test: see `to_tflite`.

    Raises:
        ValueError: the model has no fixed input size or cannot be exported, see `build_graph`; or `name`
            leads out of `folder`.

    Example:
        >>> model = keras_cornernet.from_preset("cornernet_people")
        >>> to_saved_model(model, "saved_models", "people").path
        PosixPath('saved_models/people/1')
    """
    base = files.inside(folder, name)
    maps = RawGraph(model) if raw else None
    graph, notes = build_graph(model) if maps is None else maps.graph, []
    description = describe(model) if maps is None else describe(model, graph.input_size, raw=maps.settings)
    path = base / str(next_version(base))
    with files.write_aside(path) as aside:
        module = tf.Module()
        module.weights = [variable.value for variable in graph.network.weights]
        texts = {LABELS: "\n".join(description.names) + "\n", DESCRIPTION: description.to_json()}
        for name_of_asset, text in texts.items():
            (aside.parent / name_of_asset).write_text(text, encoding="utf-8")
        module.assets = [tf.saved_model.Asset(str(aside.parent / asset)) for asset in texts]
        signatures = _signatures(graph) if maps is None else _raw_signatures(maps)
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        # In a notebook, TensorFlow would print the temporary folder.
        tf.get_logger().setLevel("WARNING")
        tf.saved_model.save(module, str(aside), signatures=signatures, options=options)
        extra = aside / "assets.extra"
        extra.mkdir()
        (extra / "batching.config").write_text(BATCHING)
        if maps is None:  # the requests hold pictures as bytes, which raw maps do not take
            try:
                warm_up.write_requests(extra / warm_up.FILE_NAME, path.parent.name, graph.input_size)
            except ImportError as error:
                notes.append(str(error))
    return written(path, notes, self_test=self_test)


def _signatures(graph: Graph) -> dict[str, Any]:
    def of_bytes(image_bytes: Any) -> dict[str, Any]:
        return answer_each(graph, image_bytes, read_image)

    def of_pixels(images: Any) -> dict[str, Any]:
        return answer_each(graph, images, whole_levels)

    return {
        "serving_default": _compiled(of_bytes, tf.TensorSpec((None,), tf.string, "image_bytes")),
        "images": _compiled(of_pixels, tf.TensorSpec((None, None, None, 3), tf.float32, "images")),
    }


def _raw_signatures(maps: RawGraph) -> dict[str, Any]:
    function = _compiled(maps.by_name, maps.signature())
    return {"serving_default": function, "images": function}


def _compiled(function: Callable[[Any], dict[str, Any]], signature: tf.TensorSpec) -> Any:
    return tf.function(function, autograph=False, input_signature=[signature])


def next_version(base: str | Path) -> int:
    """The number after the highest one that a folder of versions holds, or 1."""
    base = Path(base)
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    return max((int(name) for name in names if name.isdecimal()), default=0) + 1


def operations(path: str | Path) -> set[str]:
    """The names of all operations in the graph of a SavedModel."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((Path(path) / "saved_model.pb").read_bytes())
    found = set()
    for part in saved.meta_graphs:
        found |= {node.op for node in part.graph_def.node}
        found |= {node.op for function in part.graph_def.library.function for node in function.node_def}
        found -= {function.signature.name for function in part.graph_def.library.function}
    return found
