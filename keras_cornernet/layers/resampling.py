"""Half and double the height and width of maps, and of shapes."""

from collections.abc import Callable

from keras import ops

from keras_cornernet.ops.gradients import custom_gradient
from keras_cornernet.tensors import Shape, Tensor


def halved(shape: Shape) -> Shape:
    """The shape of maps of half the height and width."""
    return (shape[0], *(None if n is None else n // 2 for n in shape[1:3]), shape[3])


def doubled(shape: Shape) -> Shape:
    """The shape of maps of twice the height and width."""
    return (shape[0], *(None if n is None else 2 * n for n in shape[1:3]), shape[3])


def repeated(x: Tensor) -> Tensor:
    """`(batch, 2 height, 2 width, channels)`: every cell repeated to 2x2."""

    def repeat(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        height, width = ops.shape(x)[1:3]

        def gradient(upstream: Tensor) -> Tensor:
            # The sum over the four copies. XLA knows no gradient of TensorFlow's nearest-neighbour resize.
            return 4 * ops.average_pool(upstream, 2, 2)

        return ops.image.resize(x, (2 * height, 2 * width), interpolation="nearest"), gradient

    return custom_gradient(repeat)(x)
