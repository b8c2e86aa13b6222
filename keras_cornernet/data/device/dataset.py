"""Blocks of training steps in numbers, of which the accelerator makes images and annotations."""

import logging
import math
from typing import Any

import numpy as np

from keras_cornernet.backend import accelerator_memory, runs_on_jax
from keras_cornernet.data.batches import Batches
from keras_cornernet.data.device.annotating import ANNOTATORS
from keras_cornernet.data.device.images import bytes_needed, pack_images
from keras_cornernet.data.device.levels import plan_levels
from keras_cornernet.data.device.numbers import numbers_of
from keras_cornernet.data.device.rendering import render_batch
from keras_cornernet.data.passes import PassDataset

log = logging.getLogger(__name__)

STEPS = 32  # of a launch on a GPU


class DeviceDataset(PassDataset):
    """Keeps all images on the accelerator and yields draws, several steps at a time.

    `Trainer.fit` hands each block of draws to a compiled step, which makes the images and annotations of each
    batch with `prepare`. They agree with those of the host (`tests/data/test_device.py`).

    An item is a dict of the arrays of `numbers_of` with an axis for steps before the others; `count`, how
    many of the steps there are (the last block of an epoch may have fewer); and `canvas`, an empty array
    whose shape `(steps, 0, height, width)` states the input size, which is one for all steps of a block.

    Args:
        made: the batches.
        names: the classes or joints.
        steps_per_launch: training steps in a block; None takes 32 on a GPU and 1 elsewhere, since only GPUs
            wait for launches. TensorFlow takes 1.
        passes: over the data in an epoch of `fit`, so that short data sets do not end epochs all the time.

    Attributes:
        resident: what stays on the accelerator.
    """

    def __init__(
        self, made: Batches, names: tuple[str, ...], *, steps_per_launch: int | None = None, passes: int = 1
    ):
        super().__init__(made, names)
        self.passes = passes
        if not runs_on_jax():
            if len(made.input_sizes) > 1:
                raise ValueError("input_size: on TensorFlow pipeline='device' takes one size, not several")
            steps_per_launch = 1
        if steps_per_launch is None:
            steps_per_launch = STEPS if accelerator_memory() is not None else 1
        # Blocks of about the same length.
        blocks = math.ceil(self.cardinality() / steps_per_launch)
        self.steps_per_launch = math.ceil(self.cardinality() / blocks)
        self._order = (-1, np.zeros(0, np.int64))  # the last one used
        self._views = 4 if getattr(made.loader, "makes_mosaics", False) else 1
        levels = plan_levels(made)
        self._packed = pack_images(made.loader.images, levels)
        self._annotator = ANNOTATORS[type(made.loader)](made.loader)
        self.resident = _on_device({"pages": self._packed.pages, **self._annotator.arrays})
        megabytes = self._packed.pages.nbytes / 2**20
        log.info("%d images are kept on the device (%.0f MiB)", len(levels.items), megabytes)
        object.__setattr__(self._packed, "pages", np.zeros((0, 0), np.int32))  # the host needs them no more

    def cardinality(self) -> int:
        """The optimizer's steps in an epoch of `fit`."""
        return len(self.made) * self.passes

    def __len__(self) -> int:
        """Blocks in an epoch of `fit`."""
        return math.ceil(self.cardinality() / self.steps_per_launch)

    def make(self, epoch: int, number: int) -> dict[str, Any]:
        """Makes a block."""
        made = self.made
        first = number * self.steps_per_launch
        count = min(self.steps_per_launch, self.cardinality() - first)
        size = made.input_size(epoch, number)
        draws: list[Any] = []
        for step in range(first, first + count):
            draws += self._draws(epoch, step, size)
        numbers = numbers_of(draws, self._views, self._packed)
        block = {}
        for name, values in numbers.items():
            steps = np.zeros((self.steps_per_launch, made.batch_size, *values.shape[1:]), values.dtype)
            steps.reshape(-1, *values.shape[1:])[: len(values)] = values
            block[name] = steps
        block["count"] = np.asarray([count], np.int32)
        block["canvas"] = np.zeros((self.steps_per_launch, 0, *size), np.uint8)
        return block

    def _draws(self, epoch: int, step: int, size: tuple[int, int]) -> list[Any]:
        """The draws of a step; an incomplete batch repeats its own."""
        made = self.made
        past, number = divmod(step, len(made))
        nth = epoch * self.passes + past
        progress = made.epochs.progress(epoch, step / self.cardinality())
        if self._order[0] != nth:
            self._order = (nth, made.order(nth))
        indices = self._order[1][number * made.batch_size : (number + 1) * made.batch_size]
        indices = np.resize(indices, made.batch_size)
        draw = made.loader.draw
        return [draw(nth, int(i), progress=progress, input_size=size) for i in indices]

    def prepare(self, resident: dict[str, Any], numbers: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Images and annotations of a step, in `keras.ops`.

        Args:
            resident: what stays on the accelerator.
            numbers: of a block, without its axis for steps.
        """
        size = numbers["canvas"].shape[-2:]
        clip = self.made.loader.clips_colors
        images = render_batch(resident["pages"], numbers, (int(size[0]), int(size[1])), clip=clip)
        return images, self._annotator(resident, numbers)


def choose_device(made: Batches, *, required: bool) -> bool:
    """Whether a data set is kept on the accelerator.

    Args:
        made: its batches.
        required: it is asked for, so a GPU need not be there.

    Raises:
        ValueError: it is asked for, and the accelerator cannot make such examples.
    """
    if type(made.loader) not in ANNOTATORS:
        if required:
            known = ", ".join(kind.__name__ for kind in ANNOTATORS)
            raise ValueError(
                f"pipeline='device' makes examples of {known}, not of {type(made.loader).__name__}: use "
                "'host'"
            )
        return False
    if required:
        return True
    memory = accelerator_memory()
    if memory is None or (not runs_on_jax() and len(made.input_sizes) > 1):
        return False
    return bytes_needed(plan_levels(made)) < memory / 2


def _on_device(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    from keras import ops

    return {name: ops.convert_to_tensor(values) for name, values in arrays.items()}
