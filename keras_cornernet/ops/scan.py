"""The running maximum along one axis of a feature map, with the gradient of corner pooling."""

from collections.abc import Callable

from keras import ops

from keras_cornernet.ops.gradients import custom_gradient
from keras_cornernet.tensors import Tensor


def running_maximum(x: Tensor, axis: int, *, reverse: bool = False) -> Tensor:
    """The largest value so far along an axis.

    `y[i] = max(x[0], ..., x[i])` along `axis`, or `max(x[i], ..., x[n - 1])` with `reverse`.

    Each position of `y` sends its whole gradient to one position of `x`: the one where the running maximum
    was reached. Among equal values that is the one that the scan came to first.

    An axis whose length is known when the graph is traced is unrolled into one step for each row. That is
    the fast form, also for TFLite and XLA, whatever the batch. An axis whose length is not known then
    (TensorFlow only) takes a loop with the same values and gradients, which is about three times slower, and
    slower still in TFLite.

    Args:
        x: `(batch, height, width, channels)`, any float dtype.
        axis: 1 to go along the height, 2 along the width.
        reverse: go from the last row or column to the first.

    Returns:
        `(batch, height, width, channels)`, the dtype of `x`.

    Raises:
        ValueError: if `x` has another rank or `axis` is neither 1 nor 2.

    Example:
        >>> row = np.reshape([1.0, 3.0, 2.0], (1, 1, 3, 1))
        >>> np.ravel(running_maximum(row, axis=2, reverse=True)).tolist()
        [3.0, 3.0, 2.0]

    Source: the tie rule is that of `_cpools` in princeton-vl/CornerNet.
    """
    x = ops.convert_to_tensor(x)
    if len(x.shape) != 4:
        raise ValueError(
            f"running_maximum expects x of shape (batch, height, width, channels), got {tuple(x.shape)}"
        )
    if axis not in (1, 2):
        raise ValueError(f"running_maximum expects axis 1 (height) or 2 (width), got axis={axis!r}")
    length = x.shape[axis]
    if not isinstance(length, int):
        return _looped(x, axis, reverse)
    return x if length < 2 else _unrolled(x, axis, reverse)


def _unrolled(x: Tensor, axis: int, reverse: bool) -> Tensor:
    """The scan as a chain of row operations in the graph.

    The gradient is a chain too. By automatic differentiation it would take about twenty times as long on XLA
    and a third longer on plain TensorFlow. It keeps only the running maxima, so that the memory of the rows
    can be reused. XLA for the CPU compiles row after row: about 7 s for 128 rows with the gradient.
    """
    length, direction = x.shape[axis], -1 if reverse else 1

    def split(tensor: Tensor) -> list[Tensor]:
        rows: list[Tensor] = ops.split(tensor, length, axis=axis)
        return rows[::direction]

    def join(rows: list[Tensor]) -> Tensor:
        return ops.concatenate(rows[::direction], axis=axis)

    def pool(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        first, *later = split(x)
        running = [first]
        for row in later:
            running.append(ops.maximum(running[-1], row))

        def gradient(upstream: Tensor) -> Tensor:
            # Against the scan: a maximum takes the gradient gathered so far, any other row passes it on.
            gathered, *earlier = split(upstream)[::-1]
            at_input = []
            for before, here, arriving in zip(running[-2::-1], running[:0:-1], earlier, strict=True):
                # A product with 0 or 1 is faster than `where`: it is vectorised and in place.
                taken = gathered * ops.cast(here > before, gathered.dtype)
                at_input.append(taken)
                gathered = arriving + (gathered - taken)
            at_input.append(gathered)
            return join(at_input[::-1])

        return join(running), gradient

    return custom_gradient(pool)(x)


def _looped(x: Tensor, axis: int, reverse: bool) -> Tensor:
    """The scan as a loop in the graph, for a length that is not known before the graph runs."""

    def split(tensor: Tensor) -> Tensor:
        rows = ops.moveaxis(tensor, axis, 0)
        return ops.flip(rows, 0) if reverse else rows

    def join(rows: Tensor) -> Tensor:
        return ops.moveaxis(ops.flip(rows, 0) if reverse else rows, 0, axis)

    def step(running: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        running = ops.maximum(running, row)
        return running, running

    def step_back(gathered: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        arriving, is_maximum = row[0], row[1]
        gathered = arriving + gathered
        taken = gathered * is_maximum
        return gathered - taken, taken

    def pool(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        rows = split(x)
        _, running = ops.scan(step, rows[0], rows)

        def gradient(upstream: Tensor) -> Tensor:
            arriving = split(upstream)
            is_maximum = ops.concatenate([ops.ones_like(running[:1], "bool"), running[1:] > running[:-1]])
            # One stacked tensor: with two, `ops.scan` of Keras 3.15 does not accept an unknown length.
            rows = ops.stack([arriving, ops.cast(is_maximum, arriving.dtype)], axis=1)
            _, at_input = ops.scan(step_back, ops.zeros_like(arriving[0]), rows, reverse=True)
            return join(at_input)

        return join(running), gradient

    return custom_gradient(pool)(x)
