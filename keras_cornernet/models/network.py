"""What all networks of the package share: how they are saved, and how their heads are renewed."""

from collections.abc import Mapping

import keras

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
    """A functional model that is rebuilt from the arguments it was made with.

    Attributes:
        metadata: a json-like dict that travels in the saved file: category names and ids, input geometry
            and decoding settings. `keras_cornernet.presets` writes and reads it.
    """

    def __init__(
        self, inputs, outputs, *, arguments: dict, metadata: dict | None = None, name: str, **kwargs
    ):
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.arguments = arguments
        self.metadata = metadata

    def call(self, *args, **kwargs):
        """The outputs as a list over stacks, also for one stack, which Keras would unpack."""
        outputs = super().call(*args, **kwargs)
        return outputs if isinstance(outputs, list) else [outputs]

    def get_config(self):
        return {**self.arguments, "metadata": self.metadata, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**upgraded(config))

    @property
    def stride(self) -> int:
        """Input pixels for one cell of the heatmaps: the stem halves once a width."""
        return 2 ** len(self.arguments["stem"])

    @property
    def size_divisor(self) -> int:
        """Input sides must be multiples of this, up to the rounding up of the stem: one less will do."""
        return self.stride * self._halvings

    def check_input_size(self, input_size: tuple[int, int]) -> None:
        """Raises `ValueError` for a `(height, width)` that some hourglass could not halve."""
        if any(-(-side // self.stride) % self._halvings for side in input_size):
            raise ValueError(
                f"input_size must have sides that are multiples of {self.size_divisor} (or one less), "
                f"not {input_size[0]}x{input_size[1]}"
            )

    @property
    def _halvings(self):
        return 2 ** (len(self.arguments["num_blocks"]) - 1)

    @property
    def num_outputs(self) -> int:
        """The number of classes or joints."""
        return self.arguments.get(self._count)

    @property
    def _count(self) -> str:
        return "num_classes" if "num_classes" in self.arguments else "num_joints"

    def with_num_outputs(self, count: int):
        """The same network for another number of classes or joints; returns as `with_num_classes`."""
        return self.with_num_classes(count) if self._count == "num_classes" else self.with_num_joints(count)

    def with_num_classes(self, num_classes: int):
        """The same network for another number of classes: same body, fresh class heads.

        Returns:
            network: a new network; every weight whose shape does not depend on the classes is copied.
            fresh: the paths of the weights that start anew.
        """
        return self._renewed("categories", num_classes=num_classes)

    def with_num_joints(self, num_joints: int):
        """The same network for another number of joints; returns as `with_num_classes`."""
        return self._renewed("skeleton", num_joints=num_joints)

    def _renewed(self, forgotten: str, **changes):
        other = type(self)(**{**self.arguments, **changes, "name": self.name})
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


def upgraded(config: Mapping) -> dict:
    """The config of a saved network under the names of this version; files written before still open."""

    def renamed(values, names):
        if not isinstance(values, Mapping):
            return values
        return {names.get(key, key): value for key, value in values.items()}

    config = renamed(config, RENAMED)
    if isinstance(config.get("metadata"), Mapping):
        parts = {"settings": RENAMED_SETTINGS, "codec": RENAMED_CODEC}
        metadata = config["metadata"]
        changed = {key: renamed(metadata[key], names) for key, names in parts.items() if key in metadata}
        config["metadata"] = {**metadata, **changed}
    return config
