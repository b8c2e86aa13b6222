"""Values of a map at grid cells."""

from keras import ops

from keras_cornernet.tensors import Tensor


def flatten_cells(maps: Tensor) -> Tensor:
    """`(batch, height, width, c)` to `(batch, height * width, c)`; cell `(y, x)` goes to `y * width + x`."""
    shape = ops.shape(maps)
    return ops.reshape(maps, (-1, shape[1] * shape[2], shape[3]))


def gather_rows(rows: Tensor, index: Tensor) -> Tensor:
    """The rows of each image at `index`.

    On TensorFlow `ops.take_along_axis` would transpose all of `rows` first.

    Args:
        rows: `(batch, m, c)`.
        index: `(batch, n)` int32.

    Returns:
        `(batch, n, c)`.
    """
    batch, count = ops.shape(rows)[:2]
    first = count * ops.arange(batch, dtype="int32")[:, None]
    return ops.take(ops.reshape(rows, (-1, rows.shape[2])), ops.cast(index, "int32") + first, axis=0)


def gather_cells(maps: Tensor, index: Tensor) -> Tensor:
    """The values of `maps` at flat cell indices.

    Args:
        maps: `(batch, height, width, c)`.
        index: `(batch, n)` int32, `y * width + x`.

    Returns:
        `(batch, n, c)`.
    """
    return gather_rows(flatten_cells(maps), index)


def pick_class(values: Tensor, label: Tensor, classes: int) -> Tensor:
    """The values of one class, of values for every class.

    Args:
        values: `(batch, n, classes * c)`, class by class.
        label: `(batch, n)` int32.
        classes: number of classes.

    Returns:
        `(batch, n, c)`.
    """
    by_class = ops.reshape(values, (-1, values.shape[1], classes, values.shape[-1] // classes))
    chosen = ops.one_hot(label, classes, dtype=values.dtype)
    return ops.sum(by_class * chosen[..., None], axis=2)
