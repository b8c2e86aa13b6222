"""Weights of a file as the start of a network that need not be the same."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_cornernet import bounds, files
from keras_cornernet.models.network import Network
from keras_cornernet.models.weights import check_finite
from keras_cornernet.presets.loading import load_network

log = logging.getLogger(__name__)


class Fitted(NamedTuple):
    """Which weights of a network were taken from a file.

    Attributes:
        fitted, missing: paths of the network's weights: taken, and not in the file or of another shape there.
        unused: names in the file that the network does not have.
    """

    fitted: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.fitted)} of {len(self.fitted) + len(self.missing)} weights taken"]
        for words, paths in (("start anew", self.missing), ("in the file are not used", self.unused)):
            if paths:
                parts.append(
                    f"{len(paths)} {words} ({', '.join(paths[:3])}{', ..' if len(paths) > 3 else ''})"
                )
        return "; ".join(parts)


def start_from(network: Network, path: str | Path) -> Fitted:
    """Copies the weights of a file into a network, as far as path and shape are the same.

    Args:
        network: changed in place.
        path: a `.keras` file of the package, or an `.npz` file of arrays named by `weight.path`.

    Returns:
        What fitted; also logged.

    Raises:
        ValueError: the file is damaged, holds numbers that are not finite, or none of its weights fits.
        OSError: there is no such file.
    """
    arrays = _arrays(Path(path))
    fitted, missing = [], []
    for weight in network.weights:
        array = arrays.get(weight.path)
        if array is None or array.shape != tuple(weight.shape):
            missing.append(weight.path)
            continue
        check_finite([(weight.path, array)], path)
        weight.assign(array)
        fitted.append(weight.path)
    if not fitted:
        raise ValueError(f"{path}: none of its {len(arrays)} weights fits the network {network.name}")
    known = {weight.path for weight in network.weights}
    found = Fitted(tuple(fitted), tuple(missing), tuple(name for name in arrays if name not in known))
    log.info("%s: %s", path, found)
    return found


def _arrays(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of a file by the path of their weight."""
    files.check_is_file(path)
    if path.suffix == ".keras":
        return {weight.path: np.asarray(weight.numpy(), np.float32) for weight in load_network(path).weights}
    if path.suffix != ".npz":
        raise ValueError(f"weights: expected a .keras or .npz file, got {path}")
    try:
        with bounds.open_zip(path, ratio=bounds.WEIGHTS_RATIO), np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:  # NumPy raises many kinds on damaged archives
        # Only the first sentence: the next may advise to load the file without safety.
        reason = str(error).removeprefix(f"{path}: ").partition(". ")[0].partition("\n")[0]
        raise ValueError(f"{path}: not an .npz file of arrays ({reason})") from None
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise ValueError(f"{path}: {name} holds {array.dtype}, not floating-point numbers")
    return {name: array.astype(np.float32) for name, array in arrays.items()}
