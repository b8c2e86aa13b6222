"""A model as functions of tensors: the maps of its network, and the final answers computed from them.

The two parts are separate, so that the network can be quantised and the rest stays in float32.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_cornernet.export.folding import fold
from keras_cornernet.export.resampling import Fit, fitted
from keras_cornernet.inference.answers import Answers
from keras_cornernet.inference.placement import Placement
from keras_cornernet.models.network import Network
from keras_cornernet.ops.gradients import without_gradients
from keras_cornernet.preprocessing import Size


class Graph:
    """The graph of a model, with BatchNorm folded into its convolutions.

    Args:
        model: has `network`, `settings` and `answers`, see `inference.answers.Answers`.

    Attributes:
        input_size: `(height, width)` of the network's input.
        network: folded, with the last stack as its only output.
        outputs: names of the answers.
        outliers_are_noise: whether rare large values inside the network may be cut off, see `export.ranges`.
    """

    def __init__(self, model: Any):
        height, width = model.settings.input_size
        self.input_size: Size = height, width
        self.network = last_stack(fold(model.network))
        self._answers: Answers = model.answers
        self.outputs = self._answers.outputs
        self.outliers_are_noise = self._answers.outliers_are_noise
        self._flip: bool = model.settings.flip

    def fitted(self, image_size: Any, *, is_network_input: bool = False) -> Fit:
        """How images of `(..., 2)` heights and widths are fitted into the input.

        Args:
            image_size: integers.
            is_network_input: the images are inputs, which are not fitted in by their longer side.
        """
        by_longer_side = self._answers.fits_longer_side and not is_network_input
        return fitted(image_size, self.input_size, by_longer_side=by_longer_side)

    def maps(self, inputs: Any) -> dict[str, Any]:
        """The maps of `(batch, *input_size, 3)` inputs, one tensor for each `branch/head`.

        If the model uses mirror images there are twice as many rows: those of the inputs, then those of their
        mirror images.
        """
        if self._flip:
            inputs = tf.concat([inputs, inputs[:, :, ::-1]], axis=0)
        with without_gradients():
            maps = self.network(inputs, training=False)
        return {f"{branch}/{head}": value for branch, heads in maps.items() for head, value in heads.items()}

    def answers(self, maps: Mapping[str, Any], placement: Placement) -> dict[str, Any]:
        """The answers in pixels of the images, by name.

        Args:
            maps: see `maps`.
            placement: of the images in the inputs.
        """
        return self._answers.answers([nested(maps)], placement, self.input_size, flip=self._flip)


def build_graph(model: Any) -> Graph:
    """The graph of a model.

    Raises:
        ValueError: the model has no fixed input size, or cannot be one graph (`why_no_graph`); or Keras runs
            on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"export needs Keras on TensorFlow, and it runs on {keras.backend.backend()}: set the "
            "environment variable KERAS_BACKEND to tensorflow"
        )
    if model.why_no_graph:
        raise ValueError(model.why_no_graph)
    if model.settings.input_size is None:
        raise ValueError(
            "input_size must be given: this model shows each image at its own size, and an exported model "
            "has one input size"
        )
    return Graph(model)


def last_stack(network: Network) -> keras.Model:
    """The part of a network that inference needs: `{branch: {head: map}}` of its last stack."""
    outputs = network.output
    return keras.Model(network.input, outputs[-1] if isinstance(outputs, list) else outputs)


def nested(maps: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{branch: {head: map}}` of `{branch/head: map}`."""
    branches: dict[str, dict[str, Any]] = {}
    for name, value in maps.items():
        branch, head = name.split("/")
        branches.setdefault(branch, {})[head] = value
    return branches
