"""The maximum of whole rows and columns of a feature map, with the gradient of centre pooling."""

from collections.abc import Callable

from keras import ops

from keras_cornernet.ops.gradients import custom_gradient
from keras_cornernet.tensors import Tensor


def line_maximum(x: Tensor, axis: int) -> Tensor:
    """The largest value of each whole line along an axis, which stays with length 1.

    The whole gradient of a line goes to one position: the maximum, among equal ones the last. The same holds
    for the two opposite running maxima of the authors' code, of which the first scans from the end.

    Args:
        x: `(batch, height, width, channels)`, any float dtype.
        axis: 1 for columns, 2 for rows.

    Returns:
        `(batch, 1, width, channels)` or `(batch, height, 1, channels)`, the dtype of `x`.

    Raises:
        ValueError: `axis` is neither 1 nor 2.

    Example:
        >>> row = np.reshape([1.0, 3.0, 2.0], (1, 1, 3, 1))
        >>> np.ravel(line_maximum(row, axis=2)).tolist()
        [3.0]

    Source: Duan et al. 2019, sec. 3.3; `center_pool` of Duankaiwen/CenterNet, `models/CenterNet-52.py`,
    which composes `TopPool` with `BottomPool` and `LeftPool` with `RightPool`.
    """
    if axis not in (1, 2):
        raise ValueError(f"line_maximum expects axis 1 (columns) or 2 (rows), got axis={axis!r}")

    def pool(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        def gradient(upstream: Tensor) -> Tensor:
            length = ops.shape(x)[axis]
            last = length - 1 - ops.argmax(ops.flip(x, axis), axis=axis, keepdims=True)
            shape = (1, length, 1, 1) if axis == 1 else (1, 1, length, 1)
            index = ops.reshape(ops.arange(length, dtype=last.dtype), shape)
            return upstream * ops.cast(index == last, upstream.dtype)

        return ops.max(x, axis=axis, keepdims=True), gradient

    return custom_gradient(pool)(ops.convert_to_tensor(x))
