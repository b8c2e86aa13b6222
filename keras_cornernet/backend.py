"""The one place that knows which Keras backend runs: what `keras.ops` has no word for."""

import importlib.util
import json
import os
from pathlib import Path


def require_backend() -> None:
    """Raises a plain message when the chosen backend of Keras is not installed.

    Must run before `keras` is imported, since Keras' own error does not say what to type.

    Raises:
        ImportError: names the line that installs the backend.
    """
    name = os.environ.get("KERAS_BACKEND", "tensorflow")
    module, extra = {"tensorflow": ("tensorflow", "tf-cpu"), "jax": ("jax", "jax")}.get(name, (name, None))
    if importlib.util.find_spec(module) is not None:
        return
    if extra is None:
        raise ImportError(f"KERAS_BACKEND={name} is set, but keras_cornernet runs on 'tensorflow' or 'jax'")
    raise ImportError(
        f"Keras has no backend: {module} is not installed. Type: pip install 'keras_cornernet[{extra}]'"
        + (" (or [tf] for the build with GPU support)" if module == "tensorflow" else "")
    )


def _backend() -> str:
    import keras

    return keras.backend.backend()


def jit(function):
    """Compiles `function` of arrays once per input shape.

    Shapes stay exact (no relaxing to unknown sizes), so corner pooling keeps its fast form.
    """
    if _backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, reduce_retracing=False)


def replica_count() -> int:
    """The number of replicas that train in step (1 but under `tf.distribute`).

    On JAX a distributed step sees the whole batch, so nothing is to be scaled there.
    """
    if _backend() == "jax":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(value):
    """The sum of a scalar over all replicas; the value itself where there is one."""
    if replica_count() == 1:
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return value if context is None else context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def window_cells(heights, widths, bound: tuple[int, int]):
    """Lists every cell of `n` windows.

    Args:
        heights, widths: `(n,)` int32; a window without a cell has a zero.
        bound: the largest height and width a window can have (JAX needs static shapes).

    Returns:
        owner, row, column, live: `(m,)`; the window of each cell, its place in the window, and
        whether the cell exists (all True on TensorFlow, where `m` is exact).
    """
    from keras import ops

    count = ops.shape(heights)[0]
    if _backend() == "jax":
        cells = bound[0] * bound[1]
        owner = ops.repeat(ops.arange(count, dtype="int32"), cells)
        place = ops.tile(ops.arange(cells, dtype="int32"), (count,))
        row, column = place // bound[1], place % bound[1]
        live = (row < ops.take(heights, owner)) & (column < ops.take(widths, owner))
        return owner, row, column, live
    import tensorflow as tf

    cells = heights * widths
    owner = tf.repeat(tf.range(count), cells)
    place = tf.range(tf.reduce_sum(cells)) - tf.gather(tf.cumsum(cells, exclusive=True), owner)
    width = tf.gather(widths, owner)
    return owner, place // width, place % width, tf.ones_like(place, tf.bool)


def scatter_max(size: int, index, values, live):
    """A `(size,)` vector of zeros, raised to `values` at `index` where `live`."""
    if _backend() == "jax":
        import jax.numpy as jnp

        return jnp.zeros(size, values.dtype).at[jnp.where(live, index, size)].max(values, mode="drop")
    import tensorflow as tf

    index, values = tf.boolean_mask(index, live), tf.boolean_mask(values, live)
    return tf.tensor_scatter_nd_max(tf.zeros((size,), values.dtype), index[:, None], values)
