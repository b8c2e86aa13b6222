"""The modules between the hourglass and the heads."""

from typing import Any

import keras
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER, ConvNorm
from keras_cornernet.layers.corner_pooling import (
    BottomPool,
    BottomRightPool,
    CenterPool,
    LeftPool,
    RightPool,
    TopLeftPool,
    TopPool,
)
from keras_cornernet.tensors import Shape, Tensor

# The pool of a pair of maps, and its vertical and horizontal halves.
_CORNER_POOLS = {
    "top_left": (TopLeftPool, TopPool, LeftPool),
    "bottom_right": (BottomRightPool, BottomPool, RightPool),
}


class _Prediction(keras.layers.Layer):
    """A residual block around the pool of two maps; a subclass defines the maps and the pool."""

    def __init__(self, pool: type[keras.Layer], filters: int, pool_filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.pool_filters = pool_filters
        policy = {"dtype": self.dtype_policy}
        self.vertical = ConvNorm(pool_filters, name="vertical", **policy)
        self.horizontal = ConvNorm(pool_filters, name="horizontal", **policy)
        self.pool = pool(name="pool", **policy)
        self.pooled = ConvNorm(filters, relu=False, name="pooled", **policy)
        self.shortcut = ConvNorm(filters, 1, relu=False, name="shortcut", **policy)
        self.last = ConvNorm(filters, name="last", **policy)

    def build(self, input_shape: Shape) -> None:
        for conv in (self.vertical, self.horizontal, self.shortcut):
            conv.build(input_shape)
        pooled = (*input_shape[:-1], self.pool_filters)
        self.pool.build([pooled, pooled])
        self.pooled.build(pooled)
        self.last.build((*input_shape[:-1], self.filters))
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        pooled = self.pooled(self.pool(self._maps(x, training)), training=training)
        joined = ops.relu(pooled + self.shortcut(x, training=training))
        return self.last(joined, training=training)

    def _maps(self, x: Tensor, training: bool | None) -> list[Tensor]:
        """The map that is pooled along columns and the one that is pooled along rows."""
        return [conv(x, training=training) for conv in (self.vertical, self.horizontal)]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "pool_filters": self.pool_filters}


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CornerPrediction(_Prediction):
    """The prediction module of one corner: corner pooling inside a residual block.

    Two 3x3 convolutions to `pool_filters` are pooled towards the corner and summed; a 3x3 convolution of
    the sum is added to a 1x1 shortcut of the input; a last 3x3 convolution follows. With `cascade`, each of
    the two maps is first added to a pool, in the other direction, of a third or fourth convolution, and the
    sum goes through a 3x3 convolution without BatchNorm: a corner sees the edges and, from there, the inside
    of the object.

    Args:
        corner: `"top_left"` or `"bottom_right"`.
        filters: output channels.
        pool_filters: channels of the pooled maps.
        cascade: cascade corner pooling, CenterNet's.

    Source: Law & Deng 2018, sec. 3.4, fig. 7; `pool` of princeton-vl/CornerNet, `models/CornerNet.py`.
    Cascade: Duan et al. 2019, sec. 3.3, figs. 4 and 5; `pool` of Duankaiwen/CenterNet,
    `models/CenterNet-52.py`. The text describes a maximum along the edge and then one inside from there; the
    code, which is followed, looks inside from every cell first and along the edge after that.
    """

    def __init__(
        self,
        corner: str,
        filters: int = 256,
        pool_filters: int = 128,
        *,
        cascade: bool = False,
        **kwargs: Any,
    ):
        if corner not in _CORNER_POOLS:
            raise ValueError(f"corner must be one of {sorted(_CORNER_POOLS)}, not {corner!r}")
        pair, down, along = _CORNER_POOLS[corner]
        super().__init__(pair, filters, pool_filters, **kwargs)
        self.corner = corner
        self.cascade = cascade
        if cascade:
            policy = {"dtype": self.dtype_policy}
            self.vertical_pool, self.horizontal_pool = down(**policy), along(**policy)
            self.vertical_look = ConvNorm(pool_filters, name="vertical_look", **policy)
            self.horizontal_look = ConvNorm(pool_filters, name="horizontal_look", **policy)
            self.vertical_join = self._bare("vertical_join")
            self.horizontal_join = self._bare("horizontal_join")

    def _bare(self, name: str) -> keras.layers.Conv2D:
        return keras.layers.Conv2D(
            self.pool_filters,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            dtype=self.dtype_policy,
            name=name,
        )

    def build(self, input_shape: Shape) -> None:
        if self.cascade:
            for look in (self.vertical_look, self.horizontal_look):
                look.build(input_shape)
            for join in (self.vertical_join, self.horizontal_join):
                join.build((*input_shape[:-1], self.pool_filters))
        super().build(input_shape)

    def _maps(self, x: Tensor, training: bool | None) -> list[Tensor]:
        vertical, horizontal = super()._maps(x, training)
        if not self.cascade:
            return [vertical, horizontal]
        inside = self.horizontal_pool(self.vertical_look(x, training=training))
        across = self.vertical_pool(self.horizontal_look(x, training=training))
        return [self.vertical_join(vertical + inside), self.horizontal_join(horizontal + across)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "corner": self.corner, "cascade": self.cascade}


@keras.saving.register_keras_serializable(package="keras_cornernet")
class CenterPrediction(_Prediction):
    """The prediction module of centres: that of a corner with centre pooling in place of corner pooling.

    Args:
        filters: output channels.
        pool_filters: channels of the pooled maps.

    Source: Duan et al. 2019, sec. 3.3, figs. 4 and 5; `center_pool` of Duankaiwen/CenterNet,
    `models/CenterNet-52.py`.
    """

    def __init__(self, filters: int = 256, pool_filters: int = 128, **kwargs: Any):
        super().__init__(CenterPool, filters, pool_filters, **kwargs)
