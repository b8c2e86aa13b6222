"""The hourglass."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_cornernet.layers.convolution import TORCH_INITIALIZER
from keras_cornernet.layers.resampling import doubled, halved, repeated
from keras_cornernet.layers.residual import Residual
from keras_cornernet.tensors import Shape, Tensor

UPSAMPLING = ("nearest", "transposed")
KERAS = tuple(int(part) for part in keras.__version__.split(".")[:2])


@keras.saving.register_keras_serializable(package="keras_cornernet")
class Hourglass(keras.layers.Layer):
    """One hourglass: halves the map `order` times, doubles it again, and adds the maps of the way down.

    Level `k` has maps of `channels[k]`. Its branch aside has `num_blocks[k]` residuals; its branch down
    halves the map and has as many residuals to `channels[k + 1]`; its branch up ends with a residual to
    `channels[k]` and doubles the map. At the bottom there are `num_blocks[-1]` residuals.

    Args:
        channels: `order + 1` widths, from that of the input (which must match) to that of the bottom.
        num_blocks: `order + 1` numbers of residuals.
        block: of the residuals, see `Residual`.
        pooling: True halves by 2x2 max-pooling, as Newell et al. do; False by a first residual of stride
            2, as CornerNet does.
        merge_channels: one width for all maps that are added: the ends of the branches aside, the bottom and
            the branches up; None keeps each level's own width. With it the input may have any width.
        up_count: number of residuals of each branch up; None takes `num_blocks[k]`.
        upsampling: `"nearest"` doubles the map by repeating cells; `"transposed"`, CornerNet-Squeeze's, by a
            4x4 transposed convolution of stride 2 with bias.

    Returns (of a call on `(batch, height, width, channels[0])`):
        The merged maps of all levels, deepest first; the last one has the input's shape (with
        `merge_channels`, that many channels). CornerNet takes the last, attention heads take all.

    Raises:
        ValueError: lengths differ, a number is below 1, unknown `upsampling`, or height or width (if known)
            is not a multiple of `2 ** order`.

    Source: Newell et al. 2016, sec. 3.1, `Hourglass` of princeton-vl/pytorch_stacked_hourglass,
    `models/layers.py`; Law & Deng 2018, sec. 3.5, `kp_module` of princeton-vl/CornerNet,
    `models/py_utils/kp.py`; `hg_module` and `saccade_module` of princeton-vl/CornerNet-Lite,
    `core/models/py_utils/modules.py`.
    """

    def __init__(
        self,
        channels: Sequence[int] = (256, 256, 384, 384, 384, 512),
        num_blocks: Sequence[int] = (2, 2, 2, 2, 2, 4),
        *,
        block: str = "basic",
        pooling: bool = False,
        merge_channels: int | None = None,
        up_count: int | None = None,
        upsampling: str = "nearest",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if len(channels) != len(num_blocks) or len(channels) < 2:
            raise ValueError(
                "channels and num_blocks must have the same length of at least 2 (one more than the order), "
                f"not {len(channels)} and {len(num_blocks)}"
            )
        if min(num_blocks) < 1:
            raise ValueError(f"num_blocks must be at least 1 each, not {tuple(num_blocks)}")
        for key, value in {"merge_channels": merge_channels, "up_count": up_count}.items():
            if value is not None and value < 1:
                raise ValueError(f"{key} must be None or at least 1, not {value}")
        if upsampling not in UPSAMPLING:
            raise ValueError(f"upsampling must be one of {UPSAMPLING}, not {upsampling!r}")
        self.channels = tuple(channels)
        self.num_blocks = tuple(num_blocks)
        self.block = block
        self.pooling = pooling
        self.merge_channels = merge_channels
        self.up_count = up_count
        self.upsampling = upsampling
        self.order = len(channels) - 1
        levels = range(self.order)
        self.merged = tuple(merge_channels or width for width in channels)
        self.aside = [
            self._residuals(f"aside_{k}", [channels[k]] * (num_blocks[k] - 1) + [self.merged[k]])
            for k in levels
        ]
        self.down = [
            self._residuals(f"down_{k}", [channels[k + 1]] * num_blocks[k], strides=1 if pooling else 2)
            for k in levels
        ]
        up_counts = num_blocks if up_count is None else (up_count,) * self.order
        self.up = [
            self._residuals(f"up_{k}", [self.merged[k + 1]] * (up_counts[k] - 1) + [self.merged[k]])
            for k in levels
        ]
        self.bottom = self._residuals("bottom", [self.merged[-1]] * num_blocks[-1])
        if upsampling == "transposed":
            self.double = [self._transposed(f"double_{k}", self.merged[k]) for k in levels]
        if KERAS < (3, 15):
            self._name_nested_lists()

    def _name_nested_lists(self) -> None:
        """Lets Keras before 3.15, which passes over lists in lists, save and load them where 3.15 does."""
        for side in ("aside", "down", "up"):
            for k, blocks in enumerate(getattr(self, side)):
                setattr(self, f"{side}/container" + (f"_{k}" if k else ""), blocks)

    def _residuals(self, name: str, widths: Sequence[int], strides: int = 1) -> list[Residual]:
        return [
            Residual(
                width,
                strides if i == 0 else 1,
                block=self.block,
                name=f"{name}_{i}",
                dtype=self.dtype_policy,
            )
            for i, width in enumerate(widths)
        ]

    def _transposed(self, name: str, width: int) -> keras.layers.Conv2DTranspose:
        return keras.layers.Conv2DTranspose(
            width,
            4,
            strides=2,
            padding="same",
            kernel_initializer=keras.initializers.get(TORCH_INITIALIZER),
            name=name,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: Shape) -> None:
        def build_all(blocks: Sequence[Residual], shape: Shape) -> Shape:
            for block in blocks:
                block.build(shape)
                shape = block.compute_output_shape(shape)
            return shape

        self._check_size(input_shape)
        shape = input_shape
        for k in range(self.order):
            build_all(self.aside[k], shape)
            shape = build_all(self.down[k], halved(shape) if self.pooling else shape)
        shape = build_all(self.bottom, shape)
        for k in reversed(range(self.order)):
            shape = build_all(self.up[k], shape)
            if self.upsampling == "transposed":
                self.double[k].build(shape)
            shape = doubled(shape)
        self.built = True

    def call(self, x: Tensor, training: bool | None = None) -> list[Tensor]:
        self._check_size(x.shape)

        def run(blocks: Sequence[Residual], x: Tensor) -> Tensor:
            for block in blocks:
                x = block(x, training=training)
            return x

        asides, merged = [], []
        for k in range(self.order):
            asides.append(run(self.aside[k], x))
            x = run(self.down[k], ops.max_pool(x, 2, 2) if self.pooling else x)
        x = run(self.bottom, x)
        for k in reversed(range(self.order)):
            x = run(self.up[k], x)
            x = asides[k] + (self.double[k](x) if self.upsampling == "transposed" else repeated(x))
            merged.append(x)
        return merged

    @property
    def in_order(self) -> list[Any]:
        """The layers on the way down, at the bottom and on the way up; each level aside goes before it."""
        down = [part for k in range(self.order) for part in (*self.aside[k], *self.down[k])]
        ends = [[self.double[k]] if self.upsampling == "transposed" else [] for k in range(self.order)]
        up = [part for k in reversed(range(self.order)) for part in (*self.up[k], *ends[k])]
        return [*down, *self.bottom, *up]

    def _check_size(self, shape: Shape) -> None:
        step = 2**self.order
        for name, n in zip(("height", "width"), shape[1:3], strict=True):
            if n is not None and n % step:
                raise ValueError(
                    f"the {name} of the input of an hourglass of order {self.order} must be a multiple of "
                    f"{step}, not {n}: pad the image to a size that the network accepts"
                )

    def compute_output_shape(self, input_shape: Shape) -> list[Shape]:
        shapes = [input_shape]
        for _ in range(self.order - 1):
            shapes.append(halved(shapes[-1]))
        return [(*shapes[k][:3], self.merged[k]) for k in reversed(range(self.order))]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "channels": self.channels,
            "num_blocks": self.num_blocks,
            "block": self.block,
            "pooling": self.pooling,
            "merge_channels": self.merge_channels,
            "up_count": self.up_count,
            "upsampling": self.upsampling,
        }
