"""Detectors and pose estimators: made of a preset, read from a file, written to one, trained."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import keras

from keras_cornernet import files
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.data.boxes import Augmentation
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.inference.pose_estimator import PoseInferenceConfig
from keras_cornernet.losses import DetectionLoss, PoseLoss
from keras_cornernet.models import LegacyStackedHourglass, StackedHourglass
from keras_cornernet.models.network import Network
from keras_cornernet.presets.catalog import PRESETS, preset_named
from keras_cornernet.presets.families import FAMILIES
from keras_cornernet.presets.preset import PosePreset, Preset
from keras_cornernet.presets.weights import weights_path
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories
from keras_cornernet.training import HeatmapPCK, Trainer

COCO_CLASSES = 80  # of a detector that is built before its data is known
POSE_NETWORKS = (StackedHourglass, LegacyStackedHourglass)


def from_preset(
    name_or_path: str | Path,
    num_classes: int | None = None,
    *,
    categories: Categories | Sequence[str] | None = None,
    skeleton: Skeleton | None = None,
) -> Detector | PoseEstimator:
    """Builds a detector or a pose estimator from a preset, or loads one from a `.keras` file.

    Args:
        name_or_path: a name of `PRESETS`, or the path of a file that `train`, `convert` or `save_model`
            wrote.
        num_classes: of a detector; another number keeps the body's weights and gives fresh class heads.
        categories: names (and ids) of a detector's classes; decides `num_classes` too.
        skeleton: of a pose estimator; another number of joints keeps the body's weights.

    Raises:
        ValueError: no such preset and no such file, the arguments disagree, or are of the other kind.
        ModuleNotFoundError: the preset's weights are not installed.
    """
    if categories is not None:
        categories = Categories.of(categories)
        if num_classes not in (None, len(categories.names)):
            raise ValueError(
                f"num_classes={num_classes} and the {len(categories.names)} names in categories disagree"
            )
        num_classes = len(categories.names)
    network = _network_of(name_or_path, num_classes, skeleton)
    if isinstance(network, POSE_NETWORKS):
        if num_classes is not None:
            raise ValueError(f"{name_or_path} is a pose network: it takes a skeleton, not classes")
        return build_estimator(network, skeleton)
    if skeleton is not None:
        raise ValueError(f"{name_or_path} is a detector: it takes categories, not a skeleton")
    return build_detector(network, num_classes, categories)


def _network_of(name_or_path, num_classes, skeleton) -> Network:
    path = Path(name_or_path)
    if path.suffix == ".keras" or path.is_file():
        return load_network(path)
    name = str(name_or_path)
    preset = preset_named(name)
    if preset.weights is not None:
        return load_network(weights_path(preset.weights))
    metadata = {"preset": name, "settings": asdict(preset.settings), "codec": preset.codec}
    if isinstance(preset, PosePreset):
        skeleton = skeleton or preset.skeleton
        metadata["skeleton"] = _as_json(skeleton)
        return preset.network(len(skeleton.joints), name=name, metadata=metadata, **preset.arguments)
    return preset.network(num_classes or COCO_CLASSES, name=name, metadata=metadata, **preset.arguments)


def is_pose(name_or_path: str | Path) -> bool:
    """Whether a preset or a `.keras` file is a pose network; a file is only looked into.

    Raises:
        ValueError: no such preset and no such file, or the file is none of Keras'.
    """
    path = Path(name_or_path)
    if path.suffix != ".keras" and not path.is_file():
        return isinstance(preset_named(str(name_or_path)), PosePreset)
    try:
        with zipfile.ZipFile(path) as archive:
            name = json.loads(archive.read("config.json"))["class_name"]
    except FileNotFoundError:
        raise ValueError(_no_such_file(path)) from None
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a .keras file of this package ({error})") from error
    return name in {network.__name__ for network in POSE_NETWORKS}


def _no_such_file(path: Path) -> str:
    return f"{path}: no such file, and no preset of that name; presets: {', '.join(sorted(PRESETS))}"


def load_network(path: str | Path) -> Network:
    """Loads a network from a `.keras` file, in Keras' safe mode.

    Raises:
        ValueError: there is no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(_no_such_file(path))
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{path}: not a .keras file of this package ({error})") from error
    if not isinstance(network, Network):
        raise ValueError(f"{path}: holds a {type(network).__name__}, not a network of this package")
    return network


def build_detector(
    network: Network, num_classes: int | None = None, categories: Categories | None = None
) -> Detector:
    """Joins a network with its codec, and with the settings and categories of its `metadata`."""
    family = FAMILIES[type(network)]
    if num_classes not in (None, network.arguments["num_classes"]):
        network, _ = network.with_num_classes(num_classes)
    metadata = network.metadata or {}
    count = network.arguments["num_classes"]
    if categories is None:
        named = metadata.get("categories")
        categories = (
            Categories(tuple(named["names"]), tuple(named["ids"]))
            if named
            else Categories.of(f"class_{i}" for i in range(count))
        )
    settings = family.detector.settings_type(**_tuples(metadata.get("settings", {})))
    codec = family.codec(count, **metadata.get("codec", {}))
    return family.detector(network, codec, categories, settings)


def build_estimator(
    network: StackedHourglass | LegacyStackedHourglass, skeleton: Skeleton | None = None
) -> PoseEstimator:
    """Joins a network with the codec, settings and skeleton that it carries in `network.metadata`."""
    count = network.arguments["num_joints"]
    if skeleton is not None and len(skeleton.joints) != count:
        network, _ = network.with_num_joints(len(skeleton.joints))
    metadata = network.metadata or {}
    if skeleton is None:
        named = metadata.get("skeleton")
        if named is None:
            skeleton = Skeleton("unnamed", tuple(f"joint_{i}" for i in range(count)), (), ())
        else:
            skeleton = Skeleton(**{key: _deep_tuple(value) for key, value in named.items()})
    settings = PoseInferenceConfig(**_tuples(metadata.get("settings", {})))
    return PoseEstimator(network, KeypointCodec(**metadata.get("codec", {})), skeleton, settings)


def save_model(model: Detector | PoseEstimator, path: str | Path) -> Path:
    """Writes one `.keras` file: the network, and in its `metadata` all that `from_preset` needs."""
    model.network.metadata = _metadata_of(model)
    return files.write_with(path, model.network.save)


def _metadata_of(model: Detector | PoseEstimator) -> dict:
    """What the network's file has to tell besides the weights."""
    codec = asdict(model.codec)
    codec.pop("num_classes", None)
    metadata = {**(model.network.metadata or {}), "settings": asdict(model.settings), "codec": codec}
    if isinstance(model, PoseEstimator):
        metadata["skeleton"] = _as_json(model.skeleton)
    else:
        metadata["categories"] = {"names": list(model.categories.names), "ids": list(model.categories.ids)}
    return metadata


def make_trainer(model: Detector | PoseEstimator, loss: DetectionLoss | PoseLoss | None = None) -> Trainer:
    """The Keras model to `compile` and `fit` that trains this model's network in place.

    Its `save`, and so `keras.callbacks.ModelCheckpoint`, writes what `save_model` writes: the network, and
    in its `metadata` the model's codec, settings and names as they are now.

    Args:
        loss: by default that of the preset that the model grew from, else the paper's of this network.

    Example:
        >>> detector = keras_cornernet.from_preset("cornernet_small", categories=["cat", "dog"])
        >>> trainer = keras_cornernet.make_trainer(detector)
        >>> trainer.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0))
        >>> trainer.fit(dataset, epochs=100)
    """
    preset, pose = preset_of(model), isinstance(model, PoseEstimator)
    if loss is None:
        paper = PoseLoss() if pose else FAMILIES[type(model.network)].loss
        loss = preset.loss if preset else paper
    model.network.metadata = _metadata_of(model)
    return Trainer(model.network, model.codec, loss, HeatmapPCK() if pose else None)


def default_augmentation(model: Detector | PoseEstimator) -> Augmentation | PoseAugmentation:
    """The augmentation for `make_dataset`: that of the preset that a model grew from, else the paper's."""
    preset = preset_of(model)
    if preset:
        return preset.augmentation
    return (
        PoseAugmentation() if isinstance(model, PoseEstimator) else FAMILIES[type(model.network)].augmentation
    )


def preset_of(model: Detector | PoseEstimator) -> Preset | PosePreset | None:
    """The preset that a model grew from, if its file tells."""
    return PRESETS.get((model.network.metadata or {}).get("preset"))


def _as_json(skeleton: Skeleton) -> dict:
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in asdict(skeleton).items()
    }


def _tuples(settings: dict) -> dict:
    """Settings as they were before json made lists of their tuples."""
    return {key: _deep_tuple(value) for key, value in settings.items()}


def _deep_tuple(value):
    return tuple(_deep_tuple(item) for item in value) if isinstance(value, list | tuple) else value
