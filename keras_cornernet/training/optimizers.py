"""Optimizers that Keras defines otherwise than the authors' framework."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cornernet")
class TorchRMSprop(keras.optimizers.RMSprop):
    """RMSprop as PyTorch defines it: `w -= learning_rate * g / (sqrt(v) + epsilon)`.

    Keras adds `epsilon` under the root, where its default of 1e-7 is a floor of 3e-4 for the root: gradients
    of heatmaps are often smaller. The defaults are PyTorch's, with which the authors trained.

    Args:
        learning_rate, rho, epsilon, kwargs: of `keras.optimizers.RMSprop`.

    Source: `torch.optim.RMSprop` without momentum; anewell/pose-hg-train, `src/opts.lua`.
    """

    def __init__(
        self,
        learning_rate: Any = 2.5e-4,
        rho: float = 0.99,
        epsilon: float = 1e-8,
        name: str = "torch_rmsprop",
        **kwargs: Any,
    ):
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, name=name, **kwargs)
        if self.momentum or self.centered:
            raise ValueError("momentum and centered are not supported")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Moves one variable."""
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        velocity = self._velocities[self._get_variable_index(variable)]
        square = self.rho * velocity + (1 - self.rho) * ops.square(gradient)
        self.assign(velocity, square)
        self.assign_sub(variable, rate * gradient / (ops.sqrt(square) + self.epsilon))


class GrowingAverage:
    """A mixin for optimizers with `use_ema`: the average spans a twentieth of the steps that are over.

    For runs that end by time: at their end the average is that of a run whose length was known.
    """

    _iterations: Any

    @property
    def ema_momentum(self) -> Any:
        """`1 - 20 / n` at batch `n`, 0 at the first ones."""
        return ops.maximum(0.0, 1.0 - 20.0 / (ops.cast(self._iterations, "float32") + 1.0))

    @ema_momentum.setter
    def ema_momentum(self, value: Any) -> None:
        """Keras sets a fixed one, which is not used."""


class GrowingAverageAdam(GrowingAverage, keras.optimizers.Adam):
    """Adam with a `GrowingAverage`."""


class GrowingAverageAdamW(GrowingAverage, keras.optimizers.AdamW):
    """AdamW with a `GrowingAverage`."""


class GrowingAverageTorchRMSprop(GrowingAverage, TorchRMSprop):
    """`TorchRMSprop` with a `GrowingAverage`."""
