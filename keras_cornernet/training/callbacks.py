"""Callbacks for training."""

import math
from typing import Any

import keras
import numpy as np

from keras_cornernet.training.averaging import averaged_weights

HELP = "A lower learning rate or clipnorm=1.0 on the optimizer usually helps"


class StopOnBadLoss(keras.callbacks.Callback):
    """Ends a run whose loss or weights are no longer numbers, and says which they were.

    The weights are checked at the end of epochs, before other callbacks save them: a step may spoil them
    after the last loss has been computed.

    Raises (in `fit`):
        FloatingPointError: names the terms, the step, and what usually helps.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        bad = {name: value for name, value in (logs or {}).items() if not math.isfinite(float(value))}
        if not bad:
            return
        terms = [name for name in bad if name != "loss"] or list(bad)
        raise FloatingPointError(
            f"training stopped at step {batch + 1} of the epoch: the loss is not finite, in the term(s) "
            f"{', '.join(terms)}. {HELP}"
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for variable in self.model.variables:
            values = np.asarray(keras.ops.convert_to_numpy(variable))
            if values.dtype.kind not in "iub" and not np.isfinite(values.astype(np.float32)).all():
                raise FloatingPointError(
                    f"training stopped after epoch {epoch + 1}: the weight {variable.path} is not finite. "
                    f"{HELP}"
                )


class NumberEpochs(keras.callbacks.Callback):
    """Tells a dataset the number of the epoch that begins, so that a resumed run repeats nothing.

    Args:
        epochs: the dataset's `epochs`, whose `current` is set, and whose `total` is set to that of the run.
    """

    def __init__(self, epochs: Any):
        super().__init__()
        self.epochs = epochs

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.epochs.total = self.params.get("epochs")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epochs.current = epoch


class EvaluationCallback(keras.callbacks.Callback):
    """Measures AP or PCK on a validation set at the end of epochs, with averaged weights if there are any.

    The numbers join the epoch's logs as `val_AP`, `val_PCK@0.2` and so on, so that Keras' own callbacks can
    watch them (`ModelCheckpoint(monitor="val_AP", mode="max")`). Put it before those.

    Args:
        model: whose trainer is being fitted: what `from_preset` returned.
        dataset: what a reader returned.
        every: epochs between measurements; the last epoch is always measured.
        flip: look at the mirror image too, which takes twice the time and changes little.

    Attributes:
        result: the last `EvaluationResult`, or None.

    Example:
        >>> val_dataset = keras_cornernet.read_coco("instances_val.json", "val")
        >>> detector = keras_cornernet.from_preset("cornernet_small", categories=val_dataset.categories)
        >>> callback = keras_cornernet.EvaluationCallback(detector, val_dataset, every=5)
    """

    def __init__(self, model: Any, dataset: Any, *, every: int = 1, flip: bool | None = False):
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be at least 1, not {every}")
        self.measured = model
        self.dataset = dataset
        self.every = every
        self.flip = flip
        self.result: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        last = epoch + 1 == self.params.get("epochs")
        if not last and (epoch + 1) % self.every:
            return
        with averaged_weights(self.model):
            self.result = self.measured.evaluate(self.dataset, flip=self.flip)
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in self.result.headline.items()})
