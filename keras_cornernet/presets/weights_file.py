"""A `.keras` file before it is opened: what it declares must be plausible, and it must be ours."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras

from keras_cornernet import bounds
from keras_cornernet.models.network import Network, upgraded

WEIGHTS, CONFIG = "model.weights.h5", "config.json"  # members of the archive
NOT_OURS = "not a .keras file of this package"
# How layers of a backbone state how many channels they have.
_WIDTHS = ("units", "filters", "output_dim", "input_dim", "key_dim", "num_heads", "max_tokens")


def network_class(path: Path) -> type[Network]:
    """The class of the network in a file, of which only the outline is read.

    Raises:
        ValueError: the file is not one of this package; the message names it.
    """
    with bounds.open_zip(path, ratio=bounds.WEIGHTS_RATIO) as archive:
        return _class_of(_config(path, archive), path)


def metadata_of(path: Path) -> Mapping[str, Any]:
    """What a file says of itself besides its weights, unchecked; raises as `network_class`."""
    with bounds.open_zip(path, ratio=bounds.WEIGHTS_RATIO) as archive:
        config = _config(path, archive)
    _class_of(config, path)
    metadata = upgraded(config["config"]).get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def check_keras_file(path: Path) -> None:
    """Checks that building the network and reading the weights of a file takes no more than it should.

    Raises:
        OSError: there is no such file.
        ValueError: the file is damaged or not one of this package; its weights are not all in it; or its
            config asks for more layers or wider ones than there are weights for. The message names the file.
    """
    with bounds.open_zip(path, ratio=bounds.WEIGHTS_RATIO) as archive:
        config = _config(path, archive)
        network = _class_of(config, path)
        content = _weights(path, archive)
    try:
        _check_fits(network, config, content)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {NOT_OURS} ({error})") from None


def _config(path: Path, archive: zipfile.ZipFile) -> Mapping[str, Any]:
    try:
        config = json.loads(bounds.read_member(archive, CONFIG))
    except (RecursionError, ValueError) as error:
        raise ValueError(f"{path}: {NOT_OURS} ({CONFIG}: {error})") from None
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ValueError(f"{path}: {NOT_OURS} ({CONFIG} is no config of a model)")
    return config


def _class_of(config: Mapping[str, Any], path: Path) -> type[Network]:
    """The class of a network, of those of this package and those that others defined."""
    name = config.get("class_name")
    for network in _networks(Network):
        if network.__name__ == name:
            return network
    raise ValueError(f"{path}: {NOT_OURS} (it holds a {name!s:.80})")


def _networks(base: type[Network]) -> Iterator[type[Network]]:
    for network in base.__subclasses__():
        yield network
        yield from _networks(network)


def _weights(path: Path, archive: zipfile.ZipFile) -> bounds.H5Content:
    """What the weights declare; read from memory, as Keras does."""
    size = Path(path).stat().st_size
    stored = bounds.read_member(archive, WEIGHTS, max(bounds.SMALL, bounds.WEIGHTS_RATIO * size))
    try:
        with h5py.File(io.BytesIO(stored), "r") as file:
            return bounds.check_h5(file)
    except ValueError as error:
        raise ValueError(f"{path}: {NOT_OURS} ({WEIGHTS}: {error})") from None
    except Exception as error:  # h5py raises many kinds on damaged files
        raise ValueError(f"{path}: {NOT_OURS} ({WEIGHTS} is damaged: {error})") from None


def _check_fits(network: type[Network], config: Mapping[str, Any], content: bounds.H5Content) -> None:
    """Raises `ValueError` if a network needs more weights than there are."""
    arguments = upgraded(config["config"])
    for key in ("metadata", "name", "trainable", "dtype"):
        arguments.pop(key, None)
    backbone = arguments.get("backbone")
    if backbone is not None:
        _check_backbone(backbone, content)
        arguments["backbone"] = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Identity()])
    settings = network.config_type(**arguments)
    # Networks that others defined need not know it.
    needed = {
        "arrays": getattr(settings, "fewest_arrays", 0),
        "numbers": getattr(settings, "fewest_values", 0),
    }
    found = {"arrays": content.arrays, "numbers": content.values}
    for noun, count in needed.items():
        if count > found[noun]:
            raise ValueError(
                f"its config asks for a network with at least {count:,} {noun}, and it holds {found[noun]:,}"
            )


def _check_backbone(config: Any, content: bounds.H5Content) -> None:
    """The same of a backbone, whose layers may be any of Keras'."""
    widths = sorted(_widths(config))[-2:]
    if len(widths) == 2 and widths[0] * widths[1] > 16 * content.values:
        raise ValueError(
            f"its backbone has layers of {widths[0]:,} and {widths[1]:,} channels, and it holds "
            f"{content.values:,} numbers"
        )


def _widths(config: Any) -> Iterator[int]:
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from (v for k, v in value.items() if k in _WIDTHS and type(v) is int)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
