"""The residual block."""

from typing import Any

import keras
from keras import ops

from keras_cornernet.backend import recomputed
from keras_cornernet.layers.convolution import TORCH_INITIALIZER, ConvNorm, NormConv, SummandConv2D
from keras_cornernet.layers.fire import Expand
from keras_cornernet.layers.folding import norms_are_left_out
from keras_cornernet.tensors import Shape, Tensor

BLOCKS = ("basic", "bottleneck", "separable", "fire")


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Residual(keras.layers.Layer):
    """A few convolutions, added to a shortcut.

    Blocks:

    - `"basic"`: two 3x3 convolutions with BatchNorm, ReLU after the sum. The shortcut is the input itself,
      or a 1x1 convolution with BatchNorm where stride or width change.
    - `"bottleneck"`: BatchNorm, ReLU, convolution three times over, 1x1 to half the width, 3x3, 1x1 back; no
      activation after the sum. The shortcut is the raw input, or a 1x1 convolution of it. Every
      convolution has a bias.
    - `"separable"`: a bottleneck whose 3x3 is depthwise and then 1x1, for phones.
    - `"fire"`: a 1x1 convolution to half the width with BatchNorm and no ReLU, then `Expand`. The input is
      added only where stride and width stay; elsewhere there is no shortcut. ReLU comes last.

    Args:
        filters: output channels; even for `"fire"`.
        strides: stride of the first 3x3 convolution and of the shortcut.
        block: one of the above.

    Raises:
        ValueError: unknown `block`, or an odd number of `filters` for `"fire"`.

    Source: basic: `residual` of princeton-vl/CornerNet, `models/py_utils/utils.py`. Bottleneck: Newell et al.
    2016, fig. 4; `Residual` of princeton-vl/pytorch_stacked_hourglass, `models/layers.py`. Fire: Law, Teng,
    Russakovsky & Deng 2019, sec. 4; `fire_module` of princeton-vl/CornerNet-Lite,
    `core/models/CornerNet_Squeeze.py`. SqueezeNet has a ReLU after the first convolution; this code has not.
    """

    def __init__(self, filters: int, strides: int = 1, *, block: str = "basic", **kwargs: Any):
        super().__init__(**kwargs)
        if block not in BLOCKS:
            raise ValueError(f"block must be one of {BLOCKS}, not {block!r}")
        self.filters = filters
        self.strides = strides
        self.block = block
        policy: dict[str, Any] = {"dtype": self.dtype_policy}
        self.first: Any
        self.second: Any
        self.third: Any = None
        if block == "basic":
            self.first = ConvNorm(filters, 3, strides, name="first", **policy)
            self.second = ConvNorm(filters, 3, relu=False, name="second", **policy)
        elif block == "fire":
            if filters % 2:
                raise ValueError(f"filters of block='fire' must be even, not {filters}")
            self.first = ConvNorm(filters // 2, 1, relu=False, name="first", **policy)
            self.second = Expand(filters, strides, name="second", **policy)
        else:
            half, separable = filters // 2, block == "separable"
            self.first = NormConv(half, 1, name="first", **policy)
            # The first BatchNorm follows no convolution: the shortcut takes its input.
            policy["normalize"] = not norms_are_left_out()
            self.second = NormConv(half, 3, strides, separable=separable, name="second", **policy)
            self.third = NormConv(filters, 1, name="third", **policy)
        self.recomputes = False  # see `training.rematerialization`; not a part of the configuration
        self.shortcut: Any = None
        self.keeps_shape: bool | None = None  # known once built

    def build(self, input_shape: Shape) -> None:
        self.keeps_shape = self.strides == 1 and input_shape[-1] == self.filters
        if not self.keeps_shape and self.block != "fire":
            self.shortcut = self._make_shortcut()
            self.shortcut.build(input_shape)
        shape = input_shape
        for block in self._blocks():
            block.build(shape)
            shape = block.compute_output_shape(shape)
        self.built = True

    def _blocks(self) -> tuple[Any, ...]:
        # Not an attribute: Keras names the weights in files by attributes, and these have theirs.
        return (self.first, self.second, *([] if self.third is None else [self.third]))

    def _make_shortcut(self) -> ConvNorm | SummandConv2D:
        named = {"name": "shortcut", "dtype": self.dtype_policy}
        if self.block == "basic":
            return ConvNorm(self.filters, 1, self.strides, relu=False, **named)
        return SummandConv2D(
            self.filters,
            1,
            self.strides,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            **named,
        )

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        if self.recomputes and training:
            return recomputed(self, self._transformed_in_training, x)
        return self._transformed(x, training)

    def _transformed_in_training(self, x: Tensor) -> Tensor:
        return self._transformed(x, True)

    def _transformed(self, x: Tensor, training: bool | None) -> Tensor:
        y = x
        for block in self._blocks():
            y = block(y, training=training)
        if self.block == "basic":
            if self.shortcut is not None:
                x = self.shortcut(x, training=training)
            return ops.relu(y + x)
        if self.block == "fire":
            return ops.relu(y + x if self.keeps_shape else y)
        return y + (x if self.shortcut is None else self.shortcut(x))

    def fold_into(self, copy: "Residual") -> None:
        """As `ConvNorm.fold_into`; the first BatchNorm of a bottleneck stays."""
        if self.third is None:
            for block, other in zip(self._blocks(), copy._blocks(), strict=True):
                block.fold_into(other)
        else:
            self.first.fold_into(copy.first, following=self.second.norm)
            self.second.fold_into(copy.second, following=self.third.norm)
            self.third.fold_into(copy.third)
        if isinstance(self.shortcut, ConvNorm):
            self.shortcut.fold_into(copy.shortcut)
        elif self.shortcut is not None:
            copy.shortcut.set_weights(self.shortcut.get_weights())

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for block in self._blocks():
            input_shape = block.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "block": self.block,
        }
