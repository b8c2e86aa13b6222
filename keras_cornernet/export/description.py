"""The description of an exported model, as json inside the file."""

import json
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from keras_cornernet.checks import check_choice, check_number, check_numbers, check_size
from keras_cornernet.export.decoding.settings import check_raw
from keras_cornernet.preprocessing import Size
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories, Provenance

log = logging.getLogger(__name__)
FITS = ("inside", "stretch")
CONSUMERS = ("", "mediapipe")
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
        provenance: where the weights come from, as `structures.Provenance.to_json` has it.
        scores: the same for each class; empty where `score` holds for all.
        precision: `"float32"`, `"float16"`, `"dynamic"` or `"int8"`.
        input_size: `[height, width]` of the network's input.
        label: of a pose network: the detector's classes whose objects it reads.
        fit: how pictures of other sizes are fitted into `image_size`: `"inside"`, as large as possible and
            centred on black, or `"stretch"`; bilinearly, with the edges of the images on one another.
        consumer: `"mediapipe"` where the answers are in the form that MediaPipe wants; otherwise empty.
        raw: where the file gives the maps of the network alone: how they are decoded, see `export.raw`.
        loss: how far the file is from the model in Keras, as it was measured: the fields of
            `export.comparison.Agreement`; and `AP` where annotations were given.
        self_test: pictures and the answers that they must give, see `export.self_tests`; empty in files of
            earlier versions.
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
    scores: tuple[float, ...] = ()
    provenance: Mapping[str, Any] = MappingProxyType({})
    label: tuple[str, ...] = ("person",)
    fit: str = "inside"
    consumer: str = ""
    raw: Mapping[str, Any] = MappingProxyType({})
    loss: Mapping[str, Any] = MappingProxyType({})
    self_test: Mapping[str, Any] = MappingProxyType({})

    def to_json(self) -> str:
        """The description as json text."""
        fields = {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in self._asdict().items()
        }
        # Pictures and answers in one line: with the others' line breaks they would take twice the space.
        test = json.dumps(fields.pop("self_test"), separators=(",", ":"))
        text = json.dumps(fields, indent=1)
        return f'{text[:-2]},\n "self_test": {test}\n}}'

    @classmethod
    def from_json(cls, text: str | bytes) -> "Description":
        """Reads what `to_json` wrote; keys that this version does not know are passed over with a warning.

        Raises:
            ValueError: the text is something else, or a value has another form or range.
        """
        try:
            fields = {key: _tuples(value) for key, value in json.loads(text).items()}
            if unknown := sorted(set(fields) - set(cls._fields)):
                log.warning("the description of an exported model has unknown keys: %s", ", ".join(unknown))
            description = cls(**{key: value for key, value in fields.items() if key not in unknown})
            description._check()
        except (TypeError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError(f"not a description of a model of keras_cornernet: {error}") from error
        return description

    def _check(self) -> None:
        for name in ("task", "skeleton", "precision"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be a text, not {getattr(self, name)!r}")
        if not isinstance(self.names, tuple) or not all(isinstance(name, str) for name in self.names):
            raise ValueError(f"names must be a list of texts, not {self.names!r}")
        if not self.label or not all(isinstance(name, str) and name for name in self.label):
            raise ValueError(f"label must be a list of names of classes, not {self.label!r}")
        for name in ("image_size", "input_size"):
            if getattr(self, name) is not None:
                check_size(name, getattr(self, name))
        check_number("score", self.score)
        check_numbers("scores", self.scores, at_least=0, at_most=1)
        Provenance.from_json(self.provenance)
        check_choice("fit", self.fit, FITS)
        check_choice("consumer", self.consumer, CONSUMERS)
        for name in ("raw", "loss", "self_test"):
            if not isinstance(getattr(self, name), Mapping):
                raise ValueError(f"{name} must be an object, not {getattr(self, name)!r:.80}")
        if self.raw:
            check_raw(self.raw)
            if self.input_size is None:
                raise ValueError("input_size must be stated where raw is")
        if self.scores and len(self.scores) != len(self.names):
            raise ValueError(f"scores must hold one number for each of {len(self.names)} names")
        check_number("padding", self.padding, above=0)
        check_number("input_scale", self.input_scale, above=0)
        # Of no use to other tasks, whose labels may be neither.
        if self.task == "detection":
            self.categories  # noqa: B018  (checks itself)
        elif self.task == "pose":
            self.joints  # noqa: B018

    @property
    def shorter_side(self) -> int:
        """Of the network's input.

        Raises:
            ValueError: the file does not state the input size.
        """
        if self.input_size is None:
            raise ValueError("the file does not state the size of the network's input")
        return min(self.input_size)

    @property
    def categories(self) -> Categories:
        """Names and ids of a detector's classes."""
        return Categories(self.names, self.ids)

    @property
    def joints(self) -> Skeleton:
        """The skeleton of a pose network."""
        return Skeleton(self.skeleton, self.names, self.limbs, self.flip_pairs)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
