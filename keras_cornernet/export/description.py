"""The description of an exported model, as json inside the file."""

import json
from typing import NamedTuple

from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories

KEY = "keras_cornernet"  # under which the formats keep the json text


class Description(NamedTuple):
    """What a program needs to use an exported model and to show its answers.

    Attributes:
        task: `"detection"`, `"pose"` or another key of `export.exported.EXPORTED`.
        names: of the classes or joints.
        ids: the ids of the classes in the data set; empty for poses.
        skeleton: name of the data set of the joints; empty for detectors.
        limbs, flip_pairs: pairs of joints; empty for detectors.
        image_size: `[height, width]` of the images that the file takes, or None for any size.
        input_scale: RGB values from 0 to 255 times this are what the file takes.
        score: boxes or joints with a lower score should not be drawn.
        precision: `"float32"`, `"float16"`, `"dynamic"` or `"int8"`.
        input_size: `[height, width]` of the network's input.
        padding: of a pose network: side of the square to crop around a person, over the longer side of the
            person's box.
    """

    task: str
    names: tuple[str, ...]
    ids: tuple[int, ...] = ()
    skeleton: str = ""
    limbs: tuple[tuple[int, int], ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()
    image_size: Size | None = None
    input_scale: float = 1.0
    score: float = 0.3
    precision: str = "float32"
    input_size: Size | None = None
    padding: float = 1.0

    def to_json(self) -> str:
        """As json text."""
        return json.dumps(self._asdict(), indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Description":
        """Reads what `to_json` wrote.

        Raises:
            ValueError: the text is something else.
        """
        try:
            fields = {key: _tuples(value) for key, value in json.loads(text).items()}
            return cls(**fields)
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"not a description of a model of keras_cornernet: {error}") from error

    @property
    def categories(self) -> Categories:
        """Names and ids of a detector's classes."""
        return Categories(self.names, self.ids)

    @property
    def joints(self) -> Skeleton:
        """The skeleton of a pose network."""
        return Skeleton(self.skeleton, self.names, self.limbs, self.flip_pairs)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
