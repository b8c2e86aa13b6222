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

    def with_num_classes(self, num_classes: int):
        """The same network for another number of classes: same body, fresh class heads.

        Returns:
            network: a new network; every weight whose shape does not depend on the classes is copied.
            fresh: the paths of the weights that start anew.
        """
        other = type(self)(**{**self.arguments, "num_classes": num_classes, "name": self.name})
        ours = {weight.path: weight for weight in self.weights}
        fresh = []
        for weight in other.weights:
            source = ours[weight.path]
            if source.shape == weight.shape:
                weight.assign(source)
            else:
                fresh.append(weight.path)
        if self.task is not None:
            other.task = {key: value for key, value in self.task.items() if key != "categories"}
        return other, fresh
