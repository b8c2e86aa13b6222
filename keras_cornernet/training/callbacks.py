"""Callbacks for training."""

import math

import keras


class StopOnBadLoss(keras.callbacks.Callback):
    """Ends a run whose loss is no longer a number, and says which term it was.

    Raises (in `fit`):
        FloatingPointError: names the terms, the step, and what usually helps.
    """

    def on_train_batch_end(self, batch, logs=None):
        bad = {name: value for name, value in (logs or {}).items() if not math.isfinite(float(value))}
        if not bad:
            return
        terms = [name for name in bad if name != "loss"] or list(bad)
        raise FloatingPointError(
            f"training stopped at step {batch + 1} of the epoch: the loss is not finite, in the term(s) "
            f"{', '.join(terms)}. A lower learning rate or clipnorm=1.0 on the optimizer usually helps"
        )


class NumberEpochs(keras.callbacks.Callback):
    """Tells a dataset the number of the epoch that begins, so that a resumed run repeats nothing.

    Args:
        epochs: the dataset's `epochs`, whose `current` is set.
    """

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.current = epoch
