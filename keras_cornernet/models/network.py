"""What all networks of the package share: how they are saved, and how their heads are renewed."""

import keras


class Network(keras.Model):
    """A functional model that is rebuilt from the arguments it was made with.

    Attributes:
        task: a json-like dict that travels in the saved file: category names and ids, input geometry and
            decoding settings. `keras_cornernet.presets` writes and reads it.
    """

    def __init__(self, inputs, outputs, *, arguments: dict, task: dict | None = None, name: str, **kwargs):
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.arguments = arguments
        self.task = task

    def call(self, *args, **kwargs):
        """The outputs as a list over stacks, also for one stack, which Keras would unpack."""
        outputs = super().call(*args, **kwargs)
        return outputs if isinstance(outputs, list) else [outputs]

    def get_config(self):
        return {**self.arguments, "task": self.task, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)

    @property
    def stride(self) -> int:
        """Input pixels for one cell of the heatmaps: the stem halves once a width."""
        return 2 ** len(self.arguments["stem"])

    @property
    def multiple(self) -> int:
        """Input sides must be multiples of this, up to the rounding up of the stem: one less will do."""
        return self.stride * self._halvings

    def check_input_size(self, input_size: tuple[int, int]) -> None:
        """Raises `ValueError` for a `(height, width)` that some hourglass could not halve."""
        if any(-(-side // self.stride) % self._halvings for side in input_size):
            raise ValueError(
                f"input_size must have sides that are multiples of {self.multiple} (or one less), "
                f"not {input_size[0]}x{input_size[1]}"
            )

    @property
    def _halvings(self):
        return 2 ** (len(self.arguments["counts"]) - 1)

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
        if self.task is not None:
            other.task = {key: value for key, value in self.task.items() if key != forgotten}
        return other, fresh
