"""Models: built from a preset, read from a file, written to one."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras

from keras_cornernet import files
from keras_cornernet.inference.model import Labels, Model
from keras_cornernet.models.network import Network
from keras_cornernet.models.weights import check_finite
from keras_cornernet.presets.catalog import PRESETS, preset_named
from keras_cornernet.presets.families import COCO_CLASSES, family_of
from keras_cornernet.presets.folders import Address, find_preset
from keras_cornernet.presets.metadata import labels_to_json, read_metadata, write_metadata
from keras_cornernet.presets.weights import find_weights, weights_path
from keras_cornernet.presets.weights_file import (
    NOT_OURS,
    check_keras_file,
    metadata_of,
    network_class,
)
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories, Provenance


def from_preset(
    name_or_path: str | Path,
    num_classes: int | None = None,
    *,
    categories: Categories | Sequence[str] | None = None,
    skeleton: Skeleton | None = None,
    trained: bool = True,
) -> Model:
    """Builds a model from a preset, or loads one from a file, a folder or huggingface.co.

    Args:
        name_or_path: a name of `PRESETS`; the path of a file that `train`, `convert` or `save` wrote, or of a
            folder of `save_to_preset`; or `hf://OWNER/NAME`, perhaps with `@REVISION`. With `#sha256=DIGITS`
            at its end only weights with that hash are opened.
        num_classes: of a detector; another number keeps the body's weights and gives new class heads.
        categories: names (and ids) of a detector's classes; decides `num_classes` too.
        skeleton: of a pose estimator; another number of joints keeps the body's weights.
        trained: with the weights of a preset that has some; False starts from random ones.

    Returns:
        A `Detector`, `SaccadeDetector` or `PoseEstimator`, to be fitted, evaluated, used and exported.

    Raises:
        ValueError: there is no such preset and no such file, the weights have another hash, or the
            arguments disagree with each other or with the model's task.
        ModuleNotFoundError: the preset's trained weights are not installed.
        ImportError: `hf://` without the extra `hub`.
        OSError: huggingface.co cannot be reached or has no such model.
    """
    given: dict[str, Any] = {"skeleton": skeleton}
    if categories is not None:
        given["categories"] = Categories.of(categories)
        count = len(given["categories"].names)
        if num_classes not in (None, count):
            raise ValueError(f"num_classes={num_classes} and the {count} names in categories disagree")
    elif num_classes is not None:
        given["categories"] = num_classes
    path = _file_of(name_or_path)
    if not trained and (path.suffix == ".keras" or path.is_file()):
        raise ValueError(f"trained=False is of presets, and {name_or_path} is a file of weights")
    if path.suffix == ".keras" or path.is_file():
        network = load_network(path)
    else:
        network = _preset_network(str(name_or_path), given, trained=trained)
    wanted = _labels(network, given, name_or_path)
    return build_model(network, wanted, source=path if path.is_file() else None)


def build_model(
    network: Network, labels: Labels | int | None = None, *, source: str | Path | None = None
) -> Model:
    """Joins a network with its family's codec, and with settings and labels as its `metadata` has them.

    Args:
        network: of a class that `family_of` knows.
        labels: the classes or joints, or how many; None: as the metadata has them. Another number than the
            network's gives it new heads.
        source: the file that the network came from, for messages.

    Raises:
        ValueError: the metadata is damaged, see `read_metadata`, or its settings do not fit the network.
    """
    model = family_of(type(network)).model
    count = labels if isinstance(labels, int) else None if labels is None else len(labels.names)
    if count is not None and count != network.num_outputs:
        network, _ = network.with_num_outputs(count)
    metadata = read_metadata(network, source)
    named = labels if labels is not None and not isinstance(labels, int) else metadata.labels
    named = named or model.unnamed(int(network.num_outputs or 0))
    settings = metadata.settings
    if getattr(settings, "min_scores", None) and (
        metadata.labels is None or metadata.labels.names != named.names
    ):
        settings = replace(settings, min_scores=None)  # they were those of other classes
    try:
        return model(network, metadata.codec, named, settings)
    except ValueError as error:  # settings that do not fit the network
        raise ValueError(f"{source or network.name}: {error}") from error


def _labels(network: Network, given: dict[str, Any], name: str | Path) -> Labels | int | None:
    """The classes or joints that were asked for, checked against the task of the network."""
    wanted = family_of(type(network)).model.labels_field
    foreign = [key for key, value in given.items() if value is not None and key != wanted]
    if foreign:
        raise ValueError(
            f"{name} takes {wanted}, not {'classes' if 'categories' in foreign else 'a skeleton'}"
        )
    labels: Labels | int | None = given.get(wanted)
    return labels


def _preset_network(name: str, given: dict[str, Any], *, trained: bool) -> Network:
    """The network of a preset, with its trained weights where it has some."""
    preset = preset_named(name)
    if preset.weights is not None and trained:
        return load_network(weights_path(preset.weights))
    labels = given.get(family_of(preset.network).model.labels_field) or preset.skeleton or COCO_CLASSES
    count = labels if isinstance(labels, int) else len(labels.names)
    codec = asdict(preset.codec_for(count))
    codec.pop("num_classes", None)
    metadata: dict[str, Any] = {"preset": name, "settings": asdict(preset.settings), "codec": codec}
    if isinstance(labels, Skeleton):
        metadata["skeleton"] = labels_to_json(labels)
    return preset.network(count, name=name, metadata=metadata, **preset.arguments)


def network_type(name_or_path: str | Path) -> type[Network]:
    """The class of the network of a preset or of a `.keras` file, of which only the outline is read.

    Raises:
        ValueError: there is no such preset and no such file, or the file is not one of this package.
    """
    path = _file_of(name_or_path)
    if path.suffix != ".keras" and not path.is_file():
        return preset_named(str(name_or_path)).network
    try:
        return network_class(path)
    except FileNotFoundError:
        raise ValueError(_no_such_file(path)) from None


def provenance_of(path: str | Path) -> Provenance:
    """Where the weights in a `.keras` file come from; the network is not built.

    Raises:
        OSError: there is no such file.
        ValueError: the file is not one of this package.
    """
    try:
        return Provenance.from_json(metadata_of(Path(path)).get("provenance", {}))
    except ValueError as error:
        raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from None


def _file_of(name_or_path: str | Path) -> Path:
    """The file of weights that a name or path leads to, or the path as it is."""
    address = Address.of(name_or_path)
    if str(name_or_path) in PRESETS:  # whatever folder of that name there is
        return Path(name_or_path)
    return find_preset(address) or Path(address.place)


def weights_file(name_or_path: str | Path) -> Path | None:
    """The file of weights that `from_preset` opens for a name or path; None where it opens none."""
    path = _file_of(name_or_path)
    if path.is_file():
        return path
    stated = PRESETS[str(name_or_path)].weights if str(name_or_path) in PRESETS else None
    return None if stated is None else find_weights(stated)


def _no_such_file(path: Path) -> str:
    return f"{path}: no such file, and no preset of that name; presets: {', '.join(sorted(PRESETS))}"


def load_network(path: str | Path) -> Network:
    """Loads a network from a `.keras` file, in Keras' safe mode.

    Raises:
        ValueError: there is no such file, it holds something else, or a weight is not finite.
        OSError: it is no regular file.
    """
    path = Path(path)
    try:
        check_keras_file(path)
    except FileNotFoundError:
        raise ValueError(_no_such_file(path)) from None
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{path}: {NOT_OURS} ({_first_line(error)})") from error
    if not isinstance(network, Network):
        raise ValueError(f"{path}: holds a {type(network).__name__}, not a network of this package")
    check_finite(network.weights, path)
    return network


def _first_line(error: Exception) -> str:
    """What Keras says, without the advice to switch its safe mode off that follows."""
    text = str(error).strip() or type(error).__name__
    return re.split(r"\n|(?<=[.:]) .*safe_mode", text)[0][:300]


def save_model(model: Model, path: str | Path) -> Path:
    """Writes one `.keras` file: the network, and in its `metadata` all that `from_preset` needs."""
    model.network.metadata = write_metadata(model)
    return files.write_with(path, model.network.save)
