"""What all networks share: how they are saved, and how their heads are renewed."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import keras

from keras_cornernet.models.config import NetworkConfig

# Names in files of versions before 0.1.0, and what they are called since.
RENAMED = {"task": "metadata", "counts": "num_blocks", "kind": "block"}
RENAMED_SETTINGS = {
    "multiple": "size_divisor",
    "near": "nms_distance",
    "near_both_ways": "nms_both_axes",
    "score": "min_score",
}
RENAMED_CODEC = {"bump_radius": "fixed_radius"}


class Network(keras.Model):
    """A functional model that is rebuilt from its config.

    Subclasses name the type of their config and build their layers from it.

    Attributes:
        config: the settings that the network was built from; None for a model put together by hand.
        metadata: a json-like dict that is saved with the network: category names and ids, input geometry
            and decoding settings. `keras_cornernet.presets` writes and reads it.
    """

    config_type: ClassVar[type[NetworkConfig]] = NetworkConfig

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        *,
        config: NetworkConfig | None = None,
        metadata: dict[str, Any] | None = None,
        name: str,
        **kwargs: Any,
    ):
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.config = config
        self.metadata = metadata

    @property
    def arguments(self) -> dict[str, Any]:
        """The settings of the config by name."""
        return {} if self.config is None else self.config.arguments()

    def call(self, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """The outputs as a list over stacks, also for one stack, which Keras would unpack."""
        outputs = super().call(*args, **kwargs)
        return outputs if isinstance(outputs, list) else [outputs]

    def get_config(self) -> dict[str, Any]:
        arguments = self.arguments
        if arguments.get("backbone") is not None:
            arguments["backbone"] = keras.saving.serialize_keras_object(arguments["backbone"])
        return {**arguments, "metadata": self.metadata, "name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        arguments = upgraded(config)
        if isinstance(arguments.get("backbone"), Mapping):
            arguments["backbone"] = keras.saving.deserialize_keras_object(arguments["backbone"])
        return cls(**arguments)

    @property
    def stride(self) -> int:
        """Input pixels per cell of the maps."""
        return self._known_config.stride

    @property
    def size_divisor(self) -> int:
        """Input sides must be multiples of this, or one less, since the stem rounds up."""
        return self._known_config.size_divisor

    def check_input_size(self, input_size: tuple[int, int]) -> None:
        """Raises `ValueError` for a `(height, width)` that some hourglass could not halve."""
        self._known_config.check_input_size(input_size)

    @property
    def _known_config(self) -> NetworkConfig:
        if self.config is None:
            raise ValueError(f"network {self.name} was not built from a config, so its sizes are not known")
        return self.config

    @property
    def num_outputs(self) -> int | None:
        """The number of classes or joints; None for a model put together by hand."""
        count: int | None = self.arguments.get(self._count)
        return count

    @property
    def _count(self) -> str:
        return "num_classes" if "num_classes" in self.arguments else "num_joints"

    def with_num_outputs(self, count: int) -> tuple[Self, list[str]]:
        """The same network for another number of classes or joints; returns as `with_num_classes`."""
        return self.with_num_classes(count) if self._count == "num_classes" else self.with_num_joints(count)

    def with_num_classes(self, num_classes: int) -> tuple[Self, list[str]]:
        """The same network for another number of classes: same body, fresh class heads.

        Returns:
            network: a new network; every weight whose shape does not depend on the classes is copied.
            fresh: the paths of the weights that start anew.
        """
        return self._renewed("categories", num_classes=num_classes)

    def with_num_joints(self, num_joints: int) -> tuple[Self, list[str]]:
        """The same network for another number of joints; returns as `with_num_classes`."""
        return self._renewed("skeleton", num_joints=num_joints)

    def _renewed(self, forgotten: str, **changes: Any) -> tuple[Self, list[str]]:
        other = type(self).from_config({**self.get_config(), **changes, "metadata": None})
        ours = {weight.path: weight for weight in self.weights}
        fresh = []
        for weight in other.weights:
            source = ours[weight.path]
            if source.shape == weight.shape:
                weight.assign(source)
            else:
                fresh.append(weight.path)
        if self.metadata is not None:
            other.metadata = {key: value for key, value in self.metadata.items() if key != forgotten}
        return other, fresh


def upgraded(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a saved network under the names of this version; files written before still open."""

    def renamed(values: Any, names: Mapping[str, str]) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {names.get(key, key): value for key, value in values.items()}

    arguments: dict[str, Any] = renamed(config, RENAMED)
    if isinstance(arguments.get("metadata"), Mapping):
        parts = {"settings": RENAMED_SETTINGS, "codec": RENAMED_CODEC}
        metadata = arguments["metadata"]
        changed = {key: renamed(metadata[key], names) for key, names in parts.items() if key in metadata}
        arguments["metadata"] = {**metadata, **changed}
    return arguments
