"""The moving average of the weights that an optimizer keeps."""

from typing import Any

import keras
import numpy as np


class averaged_weights:
    """Puts the optimizer's moving average into a compiled model for the length of a `with` block.

    A model whose optimizer keeps no average is left as it is.
    """

    def __init__(self, model: keras.Model):
        self.model = model

    def __enter__(self) -> None:
        variables = self.model.trainable_variables
        self.own = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
        self.model.optimizer.finalize_variable_values(variables)

    def __exit__(self, *_: Any) -> None:
        for variable, value in zip(self.model.trainable_variables, self.own, strict=True):
            variable.assign(value)
