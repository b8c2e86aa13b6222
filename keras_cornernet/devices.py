"""Training on several devices of one machine: each takes a part of every batch."""

from collections.abc import Iterator
from contextlib import contextmanager

from keras_cornernet.backend import batches_shared_by, device_names, runs_on_jax, synchronized_statistics


@contextmanager
def several_devices(count: int | str, batch_size: int, *, synchronized: bool = True) -> Iterator[None]:
    """Within the block networks are built on several devices, and `fit` shares each batch among them.

    TensorFlow mirrors the weights (`tf.distribute.MirroredStrategy`), JAX has one program for all devices
    (`keras.distribution.DataParallel`). Losses are those of the whole batch on both.

    Args:
        count: of devices; `"all"`; 1 changes nothing.
        batch_size: images per step, of all devices together. JAX needs a multiple of `count`; TensorFlow
            gives the first devices one image more where it is none, as the authors of CornerNet did with 49
            images on ten GPUs.
        synchronized: the statistics of BatchNorm are those of the whole batch; else each device has its own,
            as in the papers, and the running statistics are the means of theirs. JAX always has those of the
            whole batch.

    Raises:
        ValueError: there are not so many devices, or the batch cannot be shared among them.
    """
    if count == 1:
        yield
        return
    names = device_names()
    wanted = len(names) if isinstance(count, str) else count
    if wanted > len(names):
        raise ValueError(f"devices: {wanted} were asked for, and there are {len(names)} ({', '.join(names)})")
    names = names[:wanted]
    if batch_size < len(names):
        raise ValueError(
            f"batch_size: expected one image or more for each of {len(names)} devices, got {batch_size}"
        )
    if len(names) == 1:
        yield
        return
    if runs_on_jax() and batch_size % len(names):
        raise ValueError(f"batch_size: expected a multiple of the {len(names)} devices, got {batch_size}")
    with synchronized_statistics(synchronized), batches_shared_by(names):
        yield
