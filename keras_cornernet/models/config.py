"""The settings of networks: frozen dataclasses that check themselves."""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import keras

from keras_cornernet.checks import check_choice, check_number, check_numbers, check_size
from keras_cornernet.layers.hourglass import UPSAMPLING
from keras_cornernet.layers.residual import BLOCKS

Size = tuple[int, int]

# Far above the largest published network; a damaged file may ask for more than anyone could build.
MOST_STACKS, MOST_LEVELS, MOST_BLOCKS = 64, 16, 64
WIDEST, WIDEST_KERNEL, MOST_OUTPUTS = 16_384, 63, 100_000

# RGB, of images in 0..1: the constants of the authors' code of all detectors.
MEAN = (0.47026115, 0.44719302, 0.40789654)
STD = (0.27809835, 0.27408164, 0.28863828)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """What all networks of hourglasses are built from.

    Lists become tuples, so that configs read from a file equal those they were written from.

    Attributes:
        stacks: number of hourglasses.
        channels, num_blocks, block, upsampling: of each `layers.Hourglass`.
        stem: widths of the layers before the first hourglass.
        input_size: `(height, width)`, or None for any size that the hourglasses can halve.
        mean, std: RGB constants, subtracted from and divided into images in 0..1.

    Raises:
        ValueError: a setting is out of its range; the message names it.
    """

    stacks: int
    channels: tuple[int, ...]
    num_blocks: tuple[int, ...]
    block: str = "basic"
    upsampling: str = "nearest"
    stem: tuple[int, ...]
    input_size: Size | None = None
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(value))
        check_count("stacks", self.stacks, MOST_STACKS)
        for name, largest in {"channels": WIDEST, "num_blocks": MOST_BLOCKS, "stem": WIDEST}.items():
            check_numbers(name, getattr(self, name), at_least=1, whole=True)
            check_numbers(name, getattr(self, name), at_most=largest)
            if len(getattr(self, name)) > MOST_LEVELS:
                raise ValueError(
                    f"{name} must have at most {MOST_LEVELS} numbers, not {len(getattr(self, name))}"
                )
        if len(self.channels) != len(self.num_blocks) or len(self.channels) < 2:
            raise ValueError(
                "channels and num_blocks must have the same length of at least 2 (one more than the number "
                f"of halvings), not {len(self.channels)} and {len(self.num_blocks)}"
            )
        check_choice("block", self.block, BLOCKS)
        check_choice("upsampling", self.upsampling, UPSAMPLING)
        check_numbers("mean", self.mean, length=3)
        check_numbers("std", self.std, length=3, above=0)
        if self.input_size is not None:
            self.check_input_size(self.input_size)

    def arguments(self) -> dict[str, Any]:
        """The settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def stride(self) -> int:
        """Input pixels per cell of the maps."""
        return int(2 ** len(self.stem))

    @property
    def size_divisor(self) -> int:
        """Input sides must be multiples of this, or one less, since the stem rounds up."""
        return self.stride * self.halvings

    @property
    def halvings(self) -> int:
        """The factor by which an hourglass reduces its input."""
        return int(2 ** (len(self.num_blocks) - 1))

    @property
    def fewest_arrays(self) -> int:
        """Arrays that the weights of such a network have at least: four for each residual."""
        return 4 * self.stacks * sum(self._blocks)

    @property
    def fewest_values(self) -> int:
        """Numbers that the weights of such a network have at least, with the cheapest kind of residual."""
        stem = sum(a * b // 2 for a, b in pairwise(self.stem))
        hourglass = sum(n * width**2 // 4 for n, width in zip(self._blocks, self.channels, strict=True))
        return stem + self.stacks * hourglass

    @property
    def _blocks(self) -> list[int]:
        """Residuals of an hourglass at each level: two or three ways above the innermost."""
        return [2 * count for count in self.num_blocks[:-1]] + [self.num_blocks[-1]]

    def check_input_size(self, input_size: Size) -> None:
        """Checks that the hourglasses can halve an input of `(height, width)`.

        Raises:
            ValueError: they cannot, or it is no size.
        """
        check_size("input_size", input_size)
        if any(-(-side // self.stride) % self.halvings for side in input_size):
            raise ValueError(
                f"input_size must have sides that are multiples of {self.size_divisor} (or one less), "
                f"not {input_size[0]}x{input_size[1]}"
            )


@dataclass(frozen=True, kw_only=True)
class DetectorConfig(NetworkConfig):
    """What all detectors are built from. The defaults are those of Hourglass-104.

    Attributes:
        num_classes: channels of the heatmaps.
        stem: widths of the 7x7 convolution and of the residuals after it, each of stride 2: two widths give a
            grid of a quarter of the input, three one of an eighth. The last must be `channels[0]`.
        head_channels: width of the hidden layer of the heads.
        head_kernel_size: side of the first convolution of the heads.
        backbone: a functional Keras model from RGB images in 0..255 to one feature map, in place of
            normalization, stem and hourglasses, whose settings then have no meaning; there is one stack. None
            builds hourglasses.
    """

    num_classes: int = 80
    stacks: int = 2
    channels: tuple[int, ...] = (256, 256, 384, 384, 384, 512)
    num_blocks: tuple[int, ...] = (2, 2, 2, 2, 2, 4)
    stem: tuple[int, ...] = (128, 256)
    head_channels: int = 256
    head_kernel_size: int = 3
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    backbone: keras.Model | None = None

    def __post_init__(self) -> None:
        for name, largest in {
            "num_classes": MOST_OUTPUTS,
            "head_channels": WIDEST,
            "head_kernel_size": WIDEST_KERNEL,
        }.items():
            check_count(name, getattr(self, name), largest)
        if self.backbone is not None:
            _check_backbone(self.backbone)
        super().__post_init__()
        if len(self.stem) < 2 or self.stem[-1] != self.channels[0]:
            raise ValueError(
                f"stem must have at least two widths and end with channels[0] = {self.channels[0]}, "
                f"not {self.stem}"
            )

    @property
    def stride(self) -> int:
        """Input pixels per cell of the maps."""
        return super().stride if self.backbone is None else _stride_of(self.backbone)

    @property
    def halvings(self) -> int:
        """The factor by which an hourglass reduces its input; 1 with a backbone."""
        return super().halvings if self.backbone is None else 1

    @property
    def fewest_arrays(self) -> int:
        """See `NetworkConfig.fewest_arrays`; a backbone's are not counted."""
        return super().fewest_arrays if self.backbone is None else 0

    @property
    def fewest_values(self) -> int:
        """See `NetworkConfig.fewest_values`; with the last layer of the heatmaps."""
        body = super().fewest_values if self.backbone is None else 0
        return body + self.stacks * self.num_classes * self.head_channels


@dataclass(frozen=True, kw_only=True)
class CornerPoolConfig(DetectorConfig):
    """What detectors with corner pooling are built from.

    Attributes:
        pool_channels: width of the maps that are pooled.
    """

    pool_channels: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("pool_channels", self.pool_channels, WIDEST)


@dataclass(frozen=True, kw_only=True)
class CornerConfig(CornerPoolConfig):
    """What detectors are built from that pair corners by embeddings. The defaults are those of CornerNet.

    Attributes:
        embedding_cells: None is the papers' embedding of one channel. A number gives the embedding two
            channels that start from the position of the cell in units of so many cells, see
            `layers.AddPosition`; this learns faster where many objects look alike. No published checkpoint
            has it.
    """

    embedding_cells: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.embedding_cells is not None:
            check_number("embedding_cells", self.embedding_cells, above=0)


def check_count(name: str, value: Any, most: int) -> None:
    """Checks that a value is a whole number from 1 to `most`."""
    check_number(name, value, at_least=1, whole=True)
    check_number(name, value, at_most=most)


def _check_backbone(backbone: Any) -> None:
    shapes = [getattr(backbone, f"{end}_shape", None) for end in ("input", "output")]
    if not isinstance(backbone, keras.Model) or any(
        not isinstance(shape, tuple) or len(shape) != 4 or shape[3] is None for shape in shapes
    ):
        raise ValueError(
            "backbone must be a functional keras.Model from images (batch, height, width, 3) to one feature "
            f"map (batch, rows, columns, channels), not {backbone!r} with shapes {shapes}"
        )


def _stride_of(backbone: keras.Model) -> int:
    """Input pixels per cell of a backbone's feature map, on an input of 512 pixels unless it has another."""
    sides = tuple(side or 512 for side in backbone.input_shape[1:3])
    rows = backbone.compute_output_shape((1, *sides, backbone.input_shape[3]))[1]
    return int(round(sides[0] / rows))
