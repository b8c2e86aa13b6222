"""The one place that knows which Keras backend runs: what `keras.ops` has no word for."""

import importlib.util
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import metadata
from pathlib import Path
from typing import Any

OLDEST_KERAS = (3, 13)  # as the extras of `setup.cfg` say


def prepare_backend(*, training: bool = False) -> None:
    """Checks that the chosen backend of Keras is installed, and sets what it reads as it starts.

    Where no backend is chosen and TensorFlow is not installed, JAX is taken if it is. Must run before `keras`
    is imported: Keras' own error does not say what to type, and TensorFlow reads its
    switches once.

    Args:
        training: the process is there to train. TensorFlow would use oneDNN's convolutions only where the
            processor has AVX-512 or AMX; with AVX2 alone they are faster in training steps of batches
            (`benchmarks/training_step.py`) but slower on single images (`benchmarks/inference.py`). So
            they are switched on for training, unless the environment says otherwise.

    Raises:
        ImportError: names the line that installs the backend.
    """
    name = os.environ.get("KERAS_BACKEND") or _configured_backend()
    chosen = bool(os.environ.get("KERAS_BACKEND"))
    if not chosen and name == "tensorflow" and not _is_installed(name) and _is_installed("jax"):
        name = os.environ["KERAS_BACKEND"] = "jax"
    extra = {"tensorflow": "tf-cpu", "jax": "jax"}.get(name)
    if extra is None:
        origin = "" if chosen else f" by {_settings_file()}"
        raise ImportError(
            f"Keras is set to the backend {name!r}{origin}, but keras_cornernet runs on 'tensorflow' or "
            "'jax': set the environment variable KERAS_BACKEND to one of them"
        )
    hint = f"Type: pip install 'keras_cornernet[{extra}]'"
    if name == "tensorflow":
        hint += " (or [tf] for the build with GPU support)"
    if not _is_installed("keras"):
        raise ImportError(f"Keras is not installed, and this needs it. {hint}")
    if not _is_installed(name):
        raise ImportError(f"Keras has no backend: {name} is not installed. {hint}")
    try:
        version = metadata.version("keras")
    except metadata.PackageNotFoundError:  # keras-nightly, or a source tree
        version = "999"
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_KERAS:
        oldest = ".".join(map(str, OLDEST_KERAS))
        raise ImportError(
            f"keras_cornernet needs Keras {oldest} or later, and {version} is installed. "
            f"Type: pip install 'keras>={oldest}'"
        )
    if name == "tensorflow" and training:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def start_backend_quietly() -> None:
    """Imports Keras with its backend; what they log on standard error is shown only if that fails.

    TensorFlow 2.21 logs which instructions it uses, whatever `TF_CPP_MIN_LOG_LEVEL` says.
    """
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            log.seek(0)
            os.write(shown, log.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def _configured_backend() -> str:
    """The backend in Keras' own settings file, which holds where no environment variable is set."""
    try:
        return str(json.loads(_settings_file().read_text())["backend"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "tensorflow"


def _settings_file() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"


def _backend() -> str:
    import keras

    return str(keras.backend.backend())


def jit(function: Callable[..., Any], network: Any = None) -> Callable[..., Any]:
    """Compiles `function` of arrays once per input shape.

    Shapes stay exact (no relaxing to unknown sizes), so corner pooling keeps its fast form.

    Args:
        function: takes arrays in order, returns arrays.
        network: the network whose weights `function` uses, if it does. JAX would take them for the constants
            that they are at the first call, so each call passes their present values.
    """
    if runs_on_jax():
        import jax
        import keras

        def variables() -> Any:
            return getattr(network, "variables", ())

        def with_values(values: Any, *arrays: Any) -> Any:
            with keras.StatelessScope(state_mapping=list(zip(variables(), values, strict=True))):
                return function(*arrays)

        jitted = jax.jit(with_values)
        return lambda *arrays: jitted([variable.value for variable in variables()], *arrays)
    import tensorflow as tf

    compiled: Callable[..., Any] = tf.function(function, autograph=False, reduce_retracing=False)
    return compiled


def replica_count() -> int:
    """The number of replicas that train in step (1 but under `tf.distribute`).

    On JAX a distributed step sees the whole batch, so nothing is to be scaled there.
    """
    if runs_on_jax():
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def device_names() -> list[str]:
    """The GPUs, or where there are none the CPU, which counts as several where it was divided into some."""
    if runs_on_jax():
        import keras

        return list(keras.distribution.list_devices())
    import tensorflow as tf

    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name.removeprefix("/device:") for device in found]


@contextmanager
def batches_shared_by(names: list[str]) -> Iterator[None]:
    """Within the block networks are built on these devices, and `fit` gives each a part of every batch."""
    if not runs_on_jax():
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(names).scope():
            yield
        return
    import keras

    before = keras.distribution.distribution()
    parallel = keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
    keras.distribution.set_distribution(parallel)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


_SYNCHRONIZED: ContextVar[bool] = ContextVar("synchronized", default=True)


@contextmanager
def synchronized_statistics(wanted: bool) -> Iterator[None]:
    """Whether BatchNorm of networks built within the block has the statistics of all replicas."""
    token = _SYNCHRONIZED.set(wanted)
    try:
        yield
    finally:
        _SYNCHRONIZED.reset(token)


def synchronizes() -> bool:
    """Whether BatchNorm is to be synchronised: there are several replicas, and it is wanted."""
    return replica_count() > 1 and _SYNCHRONIZED.get()


def sum_over_replicas(value: Any) -> Any:
    """The sum of a scalar over all replicas; the value itself where there is one."""
    if replica_count() == 1:
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return value if context is None else context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def first_maximum(values: Any, axis: int) -> Any:
    """The indices of the maxima along an axis, int32; among equals the first.

    `keras.ops.argmax` of Keras 3.15 on TensorFlow distinguishes -0 from 0 by their bits, with operators that
    neither TFLite nor ONNX has. Here zeros are equal.
    """
    if runs_on_jax():
        import jax.numpy as jnp

        return jnp.argmax(values, axis).astype("int32")
    import tensorflow as tf

    return tf.argmax(values, axis, output_type=tf.int32)


def window_cells(heights: Any, widths: Any, bound: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Lists every cell of `n` windows.

    Args:
        heights, widths: `(n,)` int32; a window without a cell has a zero.
        bound: the largest height and width a window can have, for JAX and XLA, whose shapes are static.

    Returns:
        owner, row, column: `(m,)` int32; the window of each cell, and its position in the window.
        live: `(m,)` bool, whether the cell exists; None where `m` is exact and all do.
    """
    from keras import ops

    if _needs_static_shapes():
        count, cells = ops.shape(heights)[0], bound[0] * bound[1]
        owner = ops.repeat(ops.arange(count, dtype="int32"), cells)
        position = ops.tile(ops.arange(cells, dtype="int32"), (count,))
        row, column = position // bound[1], position % bound[1]
        live = (row < ops.take(heights, owner)) & (column < ops.take(widths, owner))
        return owner, row, column, live
    import tensorflow as tf

    # Not `tf.repeat`, whose mask of windows times the largest window costs more than all else here.
    ends = tf.cumsum(heights * widths)
    position = tf.range(tf.reduce_sum(heights * widths))
    owner = tf.searchsorted(ends, position, side="right")
    position -= tf.gather(ends - heights * widths, owner)
    width = tf.gather(widths, owner)
    return owner, position // width, position % width, None


def scatter_max(size: int, index: Any, values: Any, live: Any = None) -> Any:
    """A `(size,)` vector of zeros, raised to `values` at `index`, where `live` if that is given."""
    if runs_on_jax():
        import jax.numpy as jnp

        index = index if live is None else jnp.where(live, index, size)
        return jnp.zeros(size, values.dtype).at[index].max(values, mode="drop")
    import tensorflow as tf

    if live is not None:
        one_more = tf.zeros((size + 1,), values.dtype)
        return tf.tensor_scatter_nd_max(one_more, tf.where(live, index, size)[:, None], values)[:size]
    # Not `tensor_scatter_nd_max`, which copies its zeros, and the zeros are nearly all of the work.
    cells, group = tf.unique(index)
    return tf.scatter_nd(cells[:, None], tf.math.unsorted_segment_max(values, group, tf.size(cells)), (size,))


def _needs_static_shapes() -> bool:
    """Whether the code that runs now is traced by a compiler that makes a program for one set of shapes."""
    if runs_on_jax():
        return True
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    return not tf.executing_eagerly() and GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def runs_on_jax() -> bool:
    """Whether Keras runs on JAX."""
    return _backend() == "jax"


def accelerator_memory() -> int | None:
    """Bytes of memory of the GPU (or TPU) that computations run on; None where there is none."""
    if runs_on_jax():
        import jax

        device = jax.local_devices()[0]
        if device.platform == "cpu":
            return None
        statistics = device.memory_stats() or {}
        return int(statistics.get("bytes_limit", 0))
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return None
    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    return int(details.get("memory_limit", 8 * 2**30))


def gather_pairs(table: Any, first: Any, second: Any) -> Any:
    """`table[first, second]` for two integer tensors of one shape."""
    if runs_on_jax():
        return table.at[first, second].get(mode="promise_in_bounds")
    import tensorflow as tf

    return tf.gather_nd(table, tf.stack([first, second], axis=-1))


_may_fuse = ContextVar("may_fuse", default=False)


def unfused(x: Any) -> Any:
    """`x`, which comes from a convolution and goes into a sum, kept from becoming one operation with both.

    With oneDNN, TensorFlow (2.21) keeps buffers of that one operation where all threads share them: calls
    from several threads at once get wrong answers, or end the process.
    """
    import keras

    if runs_on_jax() or _may_fuse.get() or isinstance(x, keras.KerasTensor):
        return x
    import tensorflow as tf

    return tf.ensure_shape(x, x.shape)  # without effect on values; TensorFlow's optimiser leaves it in place


@contextmanager
def fusing() -> Iterator[None]:
    """What is traced inside is for another runtime than TensorFlow's, so that `unfused` does nothing."""
    token = _may_fuse.set(True)
    try:
        yield
    finally:
        _may_fuse.reset(token)


def recomputed(layer: Any, function: Callable[[Any], Any], x: Any) -> Any:
    """Calls a part of a network so that its inner maps are not kept for the gradients but computed again.

    Keras' own `RematScope` (3.15) does not pass `training` on. Here what the layer changes about itself, such
    as the statistics of normalization, changes once: it is a result of the first computation.

    Args:
        layer: whose weights `function` uses; built.
        function: of `x`, without side effects but on those weights.
        x: a tensor.
    """
    import keras

    variables = layer.variables
    changing = layer.non_trainable_variables

    def run(x: Any, *values: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            y = function(x)
            return y, [scope.get_current_value(variable) for variable in changing]

    if runs_on_jax():
        import jax

        y, changed = jax.checkpoint(run)(x, *(variable.value for variable in variables))
    else:
        import tensorflow as tf

        values = [tf.convert_to_tensor(variable.value) for variable in variables]
        y, changed = tf.recompute_grad(run)(x, *values)
    for variable, value in zip(changing, changed, strict=True):
        variable.assign(value)
    return y


def repeated_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles several training steps into one launch; JAX only.

    Args:
        step: `(state, resident, data) -> state`, where `state` is a tree of arrays.

    Returns:
        `(state, resident, block, count) -> state`, which takes `count` steps over the first axis of the
        arrays in `block`, and whose `state` is taken over in place. Arrays of other shapes are compiled
        anew, another `count` is not. Compiling takes as long as for a single step.
    """
    import jax

    def launch(state: Any, resident: Any, block: Any, count: Any) -> Any:
        leaves, structure = jax.tree.flatten(state)

        def body(i: Any, leaves: Any) -> Any:
            data = jax.tree.map(lambda values: values[i], block)
            after = jax.tree.leaves(step(jax.tree.unflatten(structure, leaves), resident, data))
            return [new.astype(old.dtype) for new, old in zip(after, leaves, strict=True)]

        if jax.tree.leaves(block)[0].shape[0] == 1:  # nothing to repeat
            return jax.tree.unflatten(structure, body(0, leaves))
        return jax.tree.unflatten(structure, jax.lax.fori_loop(0, count, body, leaves))

    return jax.jit(launch, donate_argnums=0)


def step_of_each_size(step: Callable[..., Any], *, jit_compile: bool) -> Callable[..., Any]:
    """What `fit` calls with its iterator, compiled anew for each shape of the batches; TensorFlow only.

    Keras takes a batch inside of the compiled function, where sizes that vary are unknown.

    Args:
        step: takes a batch, returns numbers by name.
        jit_compile: by XLA.
    """
    import tensorflow as tf

    compiled = tf.function(step, autograph=False, reduce_retracing=False, jit_compile=jit_compile)

    def train(iterator: Any) -> dict[str, Any]:
        strategy = tf.distribute.get_strategy()
        logs = strategy.run(compiled, args=(next(iterator),))
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    return train
