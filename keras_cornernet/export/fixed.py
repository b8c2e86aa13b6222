"""The graph of a model for one image of a known size: what depends on the size is a constant."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cornernet.backend import fusing
from keras_cornernet.checks import check_size
from keras_cornernet.export.graphs import Graph
from keras_cornernet.export.resampling import Fit, Lines, lines_of, placement_of, resize_bilinear
from keras_cornernet.inference.placement import Placement
from keras_cornernet.preprocessing import Size


class FixedGraph:
    """Maps and answers for one image at a time.

    Args:
        graph: of the model.
        image_size: `(height, width)` of the image; None is the size of the network's input. An image of that
            size is the input itself, even if the model fits images in by their longer side.

    Attributes:
        image_size: see above; never None.
        maps: names of the maps, in the order of `maps_of`.
        answers: names of the answers, in the order of `answers_of`.
    """

    def __init__(self, graph: Graph, image_size: Size | None = None):
        self.graph = graph
        if image_size is not None:
            check_size("image_size", image_size)
        height, width = image_size or graph.input_size
        self.image_size: Size = height, width
        self.maps = [f"{branch}/{head}" for branch, heads in graph.network.output.items() for head in heads]
        self.answers = graph.outputs
        fit = graph.fitted(self.image_size, is_network_input=self.takes_network_input)
        batch = placement_of(Fit(*(part[None] for part in fit)))
        self._placement = Placement(*map(np.asarray, batch))  # arrays become constants of the graph
        rows, columns = lines_of(fit, graph.input_size)
        self._lines = [Lines(*map(np.asarray, lines)) for lines in (rows, columns)]

    @property
    def takes_network_input(self) -> bool:
        """Whether the image is the network's input itself, without resampling."""
        return self.image_size == self.graph.input_size

    def maps_of(self, images: Any) -> list[Any]:
        """The network's maps for `(1, *image_size, 3)` RGB 0..255."""
        if not self.takes_network_input:
            images = tf.clip_by_value(tf.round(images), 0.0, 255.0)
            images = resize_bilinear(images[0], *self._lines)[None]
        with fusing():
            maps = self.graph.maps(images)
        return [maps[name] for name in self.maps]

    def answers_of(self, *maps: Any) -> list[Any]:
        """The answers that the maps give, in pixels of the image."""
        answers = self.graph.answers(dict(zip(self.maps, maps, strict=True)), self._placement)
        return [answers[name] for name in self.answers]

    def all_of(self, images: Any) -> list[Any]:
        """`answers_of` of `maps_of`."""
        return self.answers_of(*self.maps_of(images))

    @property
    def signature(self) -> tf.TensorSpec:
        """The type of the input of `maps_of` and `all_of`."""
        return tf.TensorSpec((1, *self.image_size, 3), tf.float32, "images")


def frozen(function: Callable[..., Any], signature: Sequence[tf.TensorSpec]) -> Any:
    """A function of fixed shapes whose weights are constants of its graph."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    concrete = tf.function(function, autograph=False).get_concrete_function(*signature)
    return convert_variables_to_constants_v2(concrete)
