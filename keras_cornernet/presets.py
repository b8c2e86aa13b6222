"""Presets: the one place that binds network, codec, loss, sizes and recipe."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import keras

from keras_cornernet import files
from keras_cornernet.codecs import CornerCodec
from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataRecipe
from keras_cornernet.inference import Detector
from keras_cornernet.inference.detector import TestSettings
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import CornerNet
from keras_cornernet.structures import Categories
from keras_cornernet.training import Trainer

PRETRAINED = Path(__file__).parent / "pretrained"


@dataclass(frozen=True)
class Preset:
    """How a detector is put together and trained.

    Attributes:
        summary: one line for people.
        arguments: of the network, without the number of classes.
        input_size: `(height, width)` in training.
        settings: how images are shown at test.
        recipe: augmentation in training.
        loss: the loss.
        codec: fields of the codec, without the number of classes.
        weights: file in the package, or None.
    """

    summary: str
    arguments: dict
    input_size: tuple[int, int]
    settings: TestSettings
    recipe: CornerNetCrop | SmallDataRecipe
    loss: DetectionLoss = field(default_factory=DetectionLoss)
    codec: dict = field(default_factory=dict)
    weights: str | None = None


def _paper(summary: str, **arguments) -> Preset:
    return Preset(
        summary=summary,
        arguments=arguments,
        input_size=(511, 511),
        settings=TestSettings(),
        recipe=CornerNetCrop(),
    )


_SMALL = Preset(
    summary="for CPUs and small data: one narrow hourglass on a grid of an eighth",
    arguments={
        "stacks": 1,
        "channels": (64, 96, 128, 128),
        "counts": (1, 1, 1, 2),
        "stem": (16, 32, 64),
        "pool_channels": 32,
        "head_channels": 64,
        "head_kernel_size": 1,
        "embedding_cells": 2.0,
    },
    input_size=(320, 448),
    settings=TestSettings(input_size=(320, 448), merge_exponent=10.0),
    recipe=SmallDataRecipe(),
    codec={
        "top_k": 100,
        "num_detections": 300,
        # Placed embeddings are wide apart: a distance of 2, summed over x and y, is four grid cells.
        "embedding_threshold": 2.0,
        "embedding_scale": 1.5,
        "geometric_score": True,
        "offset_reach": 1,
    },
    # Smooth L1 hardly pulls once it is within half a cell, which on this grid is four pixels.
    loss=DetectionLoss(offset_beta=0.1),
)

PRESETS: dict[str, Preset] = {
    # Law & Deng 2018, sec. 3.5 and table 6.
    "cornernet_hourglass104": _paper("CornerNet of the paper: two hourglasses, 201 M parameters", stacks=2),
    # The one-hourglass baseline of Duan et al. 2019 (CenterNet), table 2.
    "cornernet_hourglass52": _paper("CornerNet with one hourglass, 100 M parameters", stacks=1),
    "cornernet_small": _SMALL,
    "cornernet_bccd": replace(
        _SMALL,
        summary="blood cells (red, white, platelets), trained from scratch on BCCD",
        weights="cornernet_bccd.keras",
    ),
    "cornernet_people": replace(
        _SMALL,
        summary="people in drawn scenes, for the demo and the notebooks",
        input_size=(256, 320),
        settings=TestSettings(input_size=(256, 320), merge_exponent=10.0),
        # Scenes are drawn without end, so augmentation need not invent what they do not hold.
        recipe=SmallDataRecipe(scale=(0.9, 1.15), shift=0.05, stretch=0.05, jitter=0.15, lighting=0.05),
        weights="cornernet_people.keras",
    ),
}


def preset_named(name: str) -> Preset:
    """Looks a preset up.

    Raises:
        ValueError: no such preset; the message lists those that exist.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; there are: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def from_preset(
    name_or_path: str | Path,
    num_classes: int | None = None,
    *,
    categories: Categories | Sequence[str] | None = None,
) -> Detector:
    """Builds a detector from a preset, or loads one from a `.keras` file.

    Args:
        name_or_path: a name of `PRESETS`, or the path of a file that `train`, `convert` or
            `save_detector` wrote.
        num_classes: another number of classes keeps the body's weights and gives fresh class heads.
        categories: names (and ids) of the classes; decides `num_classes` too.

    Raises:
        ValueError: no such preset and no such file, or the arguments disagree.
    """
    categories = _as_categories(categories)
    if categories is not None:
        if num_classes not in (None, len(categories.names)):
            raise ValueError(
                f"num_classes={num_classes} and the {len(categories.names)} names in categories disagree"
            )
        num_classes = len(categories.names)
    path = Path(name_or_path)
    if path.suffix == ".keras" or path.is_file():
        network = load_network(path)
    else:
        preset = preset_named(str(name_or_path))
        if preset.weights is not None:
            network = load_network(PRETRAINED / preset.weights)
        else:
            network = CornerNet(num_classes or 80, name=str(name_or_path), **preset.arguments)
            network.task = {
                "preset": str(name_or_path),
                "settings": asdict(preset.settings),
                "codec": preset.codec,
            }
    return detector_of(network, num_classes, categories)


def load_network(path: str | Path) -> CornerNet:
    """Loads a network from a `.keras` file, in Keras' safe mode.

    Raises:
        ValueError: there is no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"{path}: no such file, and no preset of that name; presets: {', '.join(sorted(PRESETS))}"
        )
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{path}: not a .keras file of this package ({error})") from error
    if not isinstance(network, CornerNet):
        raise ValueError(f"{path}: holds a {type(network).__name__}, not a detector of this package")
    return network


def detector_of(
    network: CornerNet, num_classes: int | None = None, categories: Categories | None = None
) -> Detector:
    """Joins a network with the codec, settings and categories that it carries in `network.task`."""
    if num_classes not in (None, network.arguments["num_classes"]):
        network, _ = network.with_num_classes(num_classes)
    task = network.task or {}
    count = network.arguments["num_classes"]
    if categories is None:
        named = task.get("categories")
        categories = (
            Categories(tuple(named["names"]), tuple(named["ids"]))
            if named
            else Categories(tuple(f"class_{i}" for i in range(count)), tuple(range(1, count + 1)))
        )
    settings = TestSettings(**{k: _tuples(v) for k, v in task.get("settings", {}).items()})
    codec = CornerCodec(count, **task.get("codec", {}))
    return Detector(network, codec, categories, settings)


def save_detector(detector: Detector, path: str | Path) -> Path:
    """Writes a detector as one `.keras` file: the network, and in its `task` all that `from_preset` needs."""
    codec = asdict(detector.codec)
    codec.pop("num_classes")
    detector.network.task = {
        **(detector.network.task or {}),
        "settings": asdict(detector.settings),
        "codec": codec,
        "categories": {"names": list(detector.categories.names), "ids": list(detector.categories.ids)},
    }
    return files.write_with(path, detector.network.save)


def trainer_of(detector: Detector, loss: DetectionLoss | None = None) -> Trainer:
    """The model to `compile` and `fit` that trains this detector's network in place.

    Args:
        loss: by default that of the preset that the detector grew from, else the paper's.

    Example:
        >>> detector = keras_cornernet.from_preset("cornernet_small", categories=["cat", "dog"])
        >>> trainer = keras_cornernet.trainer_of(detector)
        >>> trainer.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0))
        >>> trainer.fit(dataset, epochs=100)
    """
    preset = preset_of(detector)
    if loss is None:
        loss = preset.loss if preset else DetectionLoss()
    return Trainer(detector.network, detector.codec, loss)


def preset_of(detector: Detector) -> Preset | None:
    """The preset that a detector grew from, if its file tells."""
    return PRESETS.get((detector.network.task or {}).get("preset"))


def _as_categories(categories) -> Categories | None:
    if categories is None or isinstance(categories, Categories):
        return categories
    return Categories(tuple(categories), tuple(range(1, len(categories) + 1)))


def _tuples(value):
    return tuple(value) if isinstance(value, list) else value
