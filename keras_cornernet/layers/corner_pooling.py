"""Corner pooling: lets a corner, which mostly lies outside its object, see two edges of the object.

All layers but `CenterPool` follow Law & Deng 2018, sec. 3.4, and `models/py_utils/_cpools` of
princeton-vl/CornerNet, values and gradients bit for bit. The whole gradient of an output goes to one
input, the maximum; among equal maxima to the farthest one, which the scan comes to first.

Heights and widths may be unknown when a model is built (`keras.Input((None, None, 3))`): the fast form is
taken as soon as the graph is traced for a known size. Where the size is never known, as in a `tf.function`
or an exported model with unknown height or width, a slower scan gives the same results.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_cornernet.ops.lines import line_maximum
from keras_cornernet.ops.scan import running_maximum
from keras_cornernet.tensors import Shape, Tensor


class _EdgePool(keras.Layer):
    """The maximum from each position to one edge of the map; a subclass defines which edge."""

    axis: int
    reverse: bool

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, inputs: Tensor) -> Tensor:
        return running_maximum(inputs, self.axis, reverse=self.reverse)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return tuple(input_shape)


@keras.saving.register_keras_serializable(package="keras_cornernet")
class TopPool(_EdgePool):
    """The maximum of each position and all below it: `y[i, j] = max(x[i, j], x[i + 1, j], ...)`.

    From a top-left corner it looks down along the left side of the object. Input and output are
    `(batch, height, width, channels)`; the scan starts at the bottom row, so ties go to the lowest.

    Source: Law & Deng 2018, sec. 3.4, eq. 6; `_cpools/src/top_pool.cpp`.
    """

    axis, reverse = 1, True


@keras.saving.register_keras_serializable(package="keras_cornernet")
class LeftPool(_EdgePool):
    """The maximum of each position and all right of it: `y[i, j] = max(x[i, j], x[i, j + 1], ...)`.

    From a top-left corner it looks right along the top of the object. Input and output are
    `(batch, height, width, channels)`; the scan starts at the last column, so ties go to the rightmost.

    Source: Law & Deng 2018, sec. 3.4, eq. 7; `_cpools/src/left_pool.cpp`.
    """

    axis, reverse = 2, True


@keras.saving.register_keras_serializable(package="keras_cornernet")
class BottomPool(_EdgePool):
    """The maximum of each position and all above it: `y[i, j] = max(x[0, j], ..., x[i, j])`.

    From a bottom-right corner it looks up along the right side of the object. Input and output are
    `(batch, height, width, channels)`; the scan starts at the top row, so ties go to the highest.

    Source: Law & Deng 2018, sec. 3.4; `_cpools/src/bottom_pool.cpp`.
    """

    axis, reverse = 1, False


@keras.saving.register_keras_serializable(package="keras_cornernet")
class RightPool(_EdgePool):
    """The maximum of each position and all left of it: `y[i, j] = max(x[i, 0], ..., x[i, j])`.

    From a bottom-right corner it looks left along the bottom of the object. Input and output are
    `(batch, height, width, channels)`; the scan starts at the first column, so ties go to the leftmost.

    Source: Law & Deng 2018, sec. 3.4; `_cpools/src/right_pool.cpp`.
    """

    axis, reverse = 2, False


class _PairPool(keras.Layer):
    """A vertical pool of one map plus a horizontal pool of another; a subclass defines which pools."""

    def build(self, input_shape: Sequence[Shape]) -> None:
        self._check(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        self._check(input_shape)
        first, second = input_shape
        return tuple(a if b is None else b for a, b in zip(first, second, strict=True))

    def _check(self, input_shape: Sequence[Shape]) -> None:
        shapes = [tuple(shape) if isinstance(shape, list | tuple) else shape for shape in input_shape]
        are_maps = len(shapes) == 2 and all(isinstance(shape, tuple) and len(shape) == 4 for shape in shapes)
        if not are_maps or any(a != b and None not in (a, b) for a, b in zip(*shapes, strict=True)):
            raise ValueError(
                f"{type(self).__name__} '{self.name}' expects inputs to be a pair of maps of one shape "
                f"(batch, height, width, channels), got {shapes}"
            )


class _CornerPool(_PairPool):
    """Running maxima towards a corner; a subclass defines which corner."""

    reverse: bool

    def call(self, inputs: Tensor) -> Tensor:
        first, second = inputs
        vertical = running_maximum(first, 1, reverse=self.reverse)
        return ops.add(vertical, running_maximum(second, 2, reverse=self.reverse))


@keras.saving.register_keras_serializable(package="keras_cornernet")
class TopLeftPool(_CornerPool):
    """Corner pooling for top-left corners: the `TopPool` of one map plus the `LeftPool` of another.

    Takes a pair `[first, second]` of `(batch, height, width, channels)` and returns one map of that
    shape, `top(first) + left(second)`: high where an object's left side lies below and its top to the
    right.

    Raises:
        ValueError: if the input is not a pair of maps of one shape.

    Example:
        >>> left_sides, tops = np.zeros((2, 1, 32, 48, 64), "float32")
        >>> tuple(TopLeftPool()([left_sides, tops]).shape)
        (1, 32, 48, 64)

    Source: Law & Deng 2018, sec. 3.4, eq. 6 and 7, fig. 6.
    """

    reverse = True


@keras.saving.register_keras_serializable(package="keras_cornernet")
class BottomRightPool(_CornerPool):
    """Corner pooling for bottom-right corners: the `BottomPool` of one map plus the `RightPool` of another.

    Takes a pair `[first, second]` of `(batch, height, width, channels)` and returns one map of that
    shape, `bottom(first) + right(second)`: high where an object's right side lies above and its bottom
    to the left.

    Raises:
        ValueError: if the input is not a pair of maps of one shape.

    Example:
        >>> right_sides, bottoms = np.zeros((2, 1, 32, 48, 64), "float32")
        >>> tuple(BottomRightPool()([right_sides, bottoms]).shape)
        (1, 32, 48, 64)

    Source: Law & Deng 2018, sec. 3.4.
    """

    reverse = False


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CenterPool(_PairPool):
    """Centre pooling: the maximum of a position's whole column in one map plus that of its row in another.

    Takes a pair `[first, second]` of `(batch, height, width, channels)` and returns one map of that
    shape: high where features of an object lie anywhere above or below, and anywhere left or right. Among
    equal maxima the gradient goes to the lowest of a column and the rightmost of a row.

    Raises:
        ValueError: if the input is not a pair of maps of one shape.

    Example:
        >>> column_map, row_map = np.zeros((2, 1, 32, 48, 64), "float32")
        >>> tuple(CenterPool()([column_map, row_map]).shape)
        (1, 32, 48, 64)

    Source: Duan et al. 2019, sec. 3.3, fig. 4; `center_pool` of Duankaiwen/CenterNet, which scans each line
    there and back for the same values and gradients.
    """

    def call(self, inputs: Tensor) -> Tensor:
        first, second = inputs
        return ops.add(line_maximum(first, 1), line_maximum(second, 2))
