"""Files that give the maps of the network alone, for runtimes that cannot run decoding and suppression.

What the maps mean is in the description, under `raw`; `export.decoding` has the decoding in Python, Kotlin
and JavaScript. In Python `export.load` decodes them, so that such a file is used like any other.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cornernet.backend import fusing
from keras_cornernet.codecs import CenterCodec, CornerCodec, KeypointCodec
from keras_cornernet.export.decoding.settings import check_raw
from keras_cornernet.export.graphs import Graph, build_graph
from keras_cornernet.preprocessing import Size

_SUPPRESSION = ("method", "sigma", "iou_threshold", "merge_exponent", "max_detections", "border")
_PAIRS = ("num_detections", "embedding_threshold", "embedding_scale", "geometric_score")
# For each codec its name in files, the heads that are read beside the heatmap, and the settings of decoding.
_KINDS: dict[type, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    CenterCodec: ("centers", ("offset", "size"), ("top_k", "peak_kernel", "size_per_class")),
    CornerCodec: ("corners", ("offset", "embedding"), ("top_k", "peak_kernel", *_PAIRS)),
    KeypointCodec: ("keypoints", (), ("half_cell", "refinement", "blur")),
}


class RawGraph:
    """The network of a model, without the mirror image.

    Args:
        model: a `Detector` by centres or by corners with embeddings, or a `PoseEstimator`.

    Attributes:
        graph: of the model.
        names: of the maps, `branch_head`, in the order of `maps_of`.
        settings: of decoding, for the description.

    Raises:
        ValueError: there is no plain decoding for the model's codec; or as for `build_graph`.
    """

    def __init__(self, model: Any):
        self.settings = raw_settings(model)
        self.graph: Graph = build_graph(model.with_settings(flip=False))
        output = self.graph.network.output
        self._maps = [f"{branch}/{head}" for branch, heads in output.items() for head in heads]
        self.names = [name.replace("/", "_") for name in self._maps]

    def maps_of(self, images: Any) -> list[Any]:
        """The maps of `(batch, *input_size, 3)` RGB 0..255."""
        with fusing():
            maps = self.graph.maps(images)
        return [maps[name] for name in self._maps]

    def by_name(self, images: Any) -> dict[str, Any]:
        """`maps_of` by name."""
        return dict(zip(self.names, self.maps_of(images), strict=True))

    def signature(self, batch: int | None = None) -> tf.TensorSpec:
        """The type of the input of `maps_of`.

        Args:
            batch: None takes any number of images.
        """
        return tf.TensorSpec((batch, *self.graph.input_size, 3), tf.float32, "images")


def raw_settings(model: Any) -> dict[str, Any]:
    """What decoding needs to know, fit for json; see `export.decoding`.

    Raises:
        ValueError: there is no plain decoding for the model's codec, or its settings are beyond the bounds of
            files, see `export.decoding.settings`.
    """
    codec = model.codec
    if type(codec) not in _KINDS or getattr(codec, "reject_border", False):
        kinds = ", ".join(kind.__name__ for kind in _KINDS)
        raise ValueError(
            f"raw maps can be exported of models that are decoded by {kinds}, and this one is by "
            f"{type(codec).__name__}"
        )
    kind, heads, names = _KINDS[type(codec)]
    settings = {"kind": kind, "heads": list(heads), **{name: getattr(codec, name) for name in names}}
    if kind != "keypoints":
        settings |= {name: getattr(model.settings, name) for name in _SUPPRESSION}
    check_raw(settings)
    return settings


def with_quantization(
    settings: Mapping[str, Any], quantization: Mapping[str, tuple[float, int]]
) -> dict[str, Any]:
    """The settings of a file whose maps are bytes: `(byte - zero) * scale` are the numbers.

    Args:
        settings: see `raw_settings`.
        quantization: scale and zero of each map.
    """
    scales = {name: [float(np.float32(scale)), int(zero)] for name, (scale, zero) in quantization.items()}
    return {**settings, "quantization": scales}


def check_no_image_size(image_size: Size | None, input_size: Size) -> None:
    """Raises `ValueError` where a file of raw maps is to take images of another size than its network."""
    if image_size is not None and tuple(image_size) != input_size:
        raise ValueError(
            f"image_size must be None or that of the network's input, {input_size}, for raw maps, not "
            f"{image_size}"
        )
