"""Values of a map at grid cells."""

from keras import ops


def flatten_cells(maps):
    """`(batch, height, width, c)` to `(batch, height * width, c)`; cell `(y, x)` lands at `y * width + x`."""
    shape = ops.shape(maps)
    return ops.reshape(maps, (-1, shape[1] * shape[2], shape[3]))


def gather_cells(maps, index):
    """The values of `maps` at flat cell numbers.

    Args:
        maps: `(batch, height, width, c)`.
        index: `(batch, n)` int32, `y * width + x`.

    Returns:
        `(batch, n, c)`.
    """
    return ops.take_along_axis(flatten_cells(maps), index[..., None], axis=1)
