"""What an exported file tells about itself, as json inside the file."""

import json
from typing import NamedTuple

from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories

KEY = "keras_cornernet"  # under which the formats keep the json text


class Description(NamedTuple):
    """What a program needs to use an exported model and to show its answers.

    Attributes:
        task: `"detection"` or `"pose"`.
        names: of the classes, or of the joints.
        ids: the data set's own ids of the classes; empty for poses.
        skeleton: name of the joints' data set; empty for detectors.
        limbs, flip_pairs: pairs of joints; empty for detectors.
        image_size: `[height, width]` of the images that the file takes, or None for any.
        input_scale: pixels times this are what the file takes; they count from 0 to 255, RGB.
        score: boxes or joints below it are better not drawn.
        precision: `"float32"`, `"float16"`, `"dynamic"` or `"int8"`.
        input_size: `[height, width]` in which the network sees an image.
        padding: of a pose network: side of the square that it wants to see about a person, over the longer
            side of the person's box.
    """

    task: str
    names: tuple[str, ...]
    ids: tuple[int, ...]
    skeleton: str
    limbs: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]
    image_size: Size | None
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


def describe(
    model: Detector | PoseEstimator, image_size: Size | None = None, precision: str = "float32"
) -> Description:
    """The description of a model.

    Args:
        model: to be exported.
        image_size, precision: see `Description`.
    """
    settings = model.settings
    shared = {
        "image_size": image_size and tuple(image_size),
        "precision": precision,
        "input_size": settings.input_size and tuple(settings.input_size),
    }
    if isinstance(model, PoseEstimator):
        skeleton = model.skeleton
        shared |= {"score": 0.2, "padding": settings.padding}
        return Description(
            "pose", skeleton.joints, (), skeleton.name, skeleton.limbs, skeleton.flip_pairs, **shared
        )
    categories = model.categories
    return Description("detection", categories.names, categories.ids, "", (), (), **shared)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
