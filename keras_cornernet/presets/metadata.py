"""The one door through which a model file's own description is read and written."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

import keras_cornernet
from keras_cornernet.inference.model import Labels
from keras_cornernet.models.network import Network
from keras_cornernet.presets.families import family_of
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories, Provenance

log = logging.getLogger(__name__)
KEYS = ("preset", "version", "settings", "codec", "categories", "skeleton", "provenance")


@dataclass(frozen=True)
class Metadata:
    """What a model file says of itself besides its weights.

    Attributes:
        preset: name of the preset that the model started from, or None.
        settings: of inference, an instance of the model's `settings_type`.
        codec: an instance of the family's codec.
        labels: the classes or the joints; None where the file names none.
        provenance: where the weights come from.
    """

    preset: str | None
    settings: Any
    codec: Any
    labels: Labels | None
    provenance: Provenance


def read_metadata(network: Network, source: str | Path | None = None) -> Metadata:
    """Reads and checks what a network's file says of itself.

    A key that this version does not know is passed over with a warning if a later version wrote the file, and
    is an error otherwise.

    Args:
        network: with `metadata` as the file had it.
        source: the file, for messages.

    Raises:
        ValueError: a part is missing, of another form or out of its range; the message names file and part.
    """
    try:
        return _Reader(network, source).read()
    except (TypeError, ValueError) as error:
        name = source or network.name
        raise ValueError(f"{name}: not a .keras file of this package (metadata: {error})") from error


def write_metadata(model: Any) -> dict[str, Any]:
    """What a model's file has to say besides the weights, in json-like form."""
    codec = asdict(model.codec)
    codec.pop("num_classes", None)
    return {
        **{key: value for key, value in (model.network.metadata or {}).items() if key not in KEYS},
        "preset": (model.network.metadata or {}).get("preset"),
        "version": keras_cornernet.__version__,
        "settings": asdict(model.settings),
        "codec": codec,
        model.labels_field: labels_to_json(model.labels),
        "provenance": model.provenance.to_json(),
    }


def labels_to_json(labels: Labels) -> dict[str, Any]:
    """Categories or a skeleton in json-like form."""
    values = asdict(labels)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


class _Reader:
    """Reads the metadata of one network."""

    def __init__(self, network: Network, source: str | Path | None):
        self.network = network
        self.source = source
        self.values = _mapping(network.metadata or {}, "metadata")
        self.version = self.values.get("version")

    def read(self) -> Metadata:
        self._check_keys("", self.values, KEYS)
        family = family_of(type(self.network))
        preset = self.values.get("preset")
        if preset is not None and not isinstance(preset, str):
            raise ValueError(f"preset must be a text, not {preset!r}")
        count = {"num_classes": self.network.num_outputs} if _counts_classes(family.codec) else {}
        return Metadata(
            preset,
            self._built(family.model.settings_type, "settings"),
            self._built(family.codec, "codec", **count),
            self._labels(family.model.labels_field),
            Provenance.from_json(self.values.get("provenance", {})),
        )

    def _built(self, kind: type, part: str, **more: Any) -> Any:
        """An instance of a settings class, of the values in one part."""
        values = _mapping(self.values.get(part, {}), part)
        names = [item.name for item in fields(kind) if item.name not in more]
        values = self._check_keys(part, values, names)
        try:
            return kind(**{key: _tuples(value) for key, value in values.items()}, **more)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{part}: {error}") from error

    def _labels(self, part: str) -> Labels | None:
        if self.values.get(part) is None:
            return None
        kind = {"categories": Categories, "skeleton": Skeleton}[part]
        values = _mapping(self.values[part], part)
        missing = [name for name in _required(kind) if name not in values]
        if missing:
            raise ValueError(f"{part} lacks {', '.join(missing)}")
        labels: Labels = self._built(kind, part)
        if len(labels.names) != self.network.num_outputs:
            raise ValueError(
                f"{part} has {len(labels.names)} names for {self.network.num_outputs} outputs of the network"
            )
        return labels

    def _check_keys(self, part: str, values: Mapping[str, Any], known: Sequence[str]) -> Mapping[str, Any]:
        """The values under known keys; an unknown key is named."""
        unknown = [key for key in values if key not in known]
        if not unknown:
            return values
        # Escaped and cut, since a key of a damaged file may be any text.
        keys = [str(key).encode("unicode_escape").decode()[:80] for key in unknown[:10]]
        names = ", ".join(f"{part}.{key}".lstrip(".") for key in keys)
        words = f"{names}: unknown to version {keras_cornernet.__version__}; the file was written by version "
        words += str(self.version or "unknown")
        if not _is_later(self.version):
            raise ValueError(words)
        log.warning("%s: %s", self.source or self.network.name, words)
        return {key: value for key, value in values.items() if key in known}


def _counts_classes(codec: type) -> bool:
    return any(item.name == "num_classes" for item in fields(codec))


def _required(kind: type) -> list[str]:
    from dataclasses import MISSING

    return [item.name for item in fields(kind) if item.default is item.default_factory is MISSING]


def _mapping(value: Any, part: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{part} must be an object, not {value!r}")
    return value


def _is_later(version: Any) -> bool:
    """Whether a file's version is later than this package's."""
    try:
        return Version(str(version)) > Version(str(keras_cornernet.__version__))
    except InvalidVersion:
        return False


def _tuples(value: Any) -> Any:
    """Json's lists as the tuples that they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value
