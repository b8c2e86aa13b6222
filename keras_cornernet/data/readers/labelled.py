"""Images with boxes as readers collect them, class by name, and the data set that they make."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_cornernet.data.readers.box_units import fractions_for_pixels
from keras_cornernet.data.readers.checks import are_numbers, raise_if_strict, shown, unusable_boxes
from keras_cornernet.preprocessing import Size, read_image_size
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Problem, Sample


@dataclass
class LabelledImage:
    """One image with the boxes that were read for it.

    Attributes:
        path: the image file.
        size: `(height, width)`, or None where it is not known.
        xyxy: `(4,)` float64 each, image pixels.
        classes: the name of each box's class.
        ignore: whether each is neither positive nor negative.
    """

    path: str
    size: Size | None = None
    xyxy: list[np.ndarray] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    ignore: list[bool] = field(default_factory=list)

    def known_size(self) -> Size:
        """The size; read from the file where it is not known.

        Raises:
            ValueError: the reason why the file cannot be read.
        """
        if self.size is None:
            try:
                self.size = read_image_size(self.path)
            except OSError as error:
                raise ValueError(str(error).removeprefix(f"{self.path}: ")) from None
        return self.size

    def add(self, corners: Sequence[object], name: object, *, ignore: bool = False) -> None:
        """Adds a box.

        Args:
            corners: `x1, y1, x2, y2` in image pixels.
            name: of its class.
            ignore: see above.

        Raises:
            ValueError: the reason why the box cannot be used.
        """
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"the class {shown(name)} is not a text")
        if not are_numbers(list(corners)) or len(corners) != 4:
            raise ValueError(f"the box {shown(list(corners))} is not four finite numbers")
        xyxy = np.array([corners], np.float64)
        reason = unusable_boxes(xyxy, np.array([self.size or (np.nan, np.nan)], np.float64)).get(0)
        if reason:
            raise ValueError(reason)
        self.xyxy.append(xyxy[0])
        self.classes.append(name.strip())
        self.ignore.append(ignore)


def dataset_of(
    images: Sequence[LabelledImage],
    problems: Sequence[Problem],
    *,
    names: Sequence[str] | None = None,
    ids: Sequence[int] | None = None,
    strict: bool = False,
) -> DetectionDataset:
    """The data set of images with boxes.

    Args:
        images: in their order.
        problems: of the reader.
        names: the classes in the order of their labels, or None for all that occur, sorted.
        ids: of the images; None counts them from 1.
        strict: raise at the first problem.

    Raises:
        ValueError: `strict` and a problem.
    """
    misread = _leave_out_fractions(images)
    problems = [*problems, *([] if misread is None else [misread])]
    if names is None:
        names = sorted({name for image in images for name in image.classes})
    categories = Categories.of(names) if names else Categories((), ())
    labels = {name: label for label, name in enumerate(categories.names)}
    samples = tuple(
        Sample(image.path, id_, image.size, _boxes(image, labels))
        for id_, image in zip(ids or range(1, len(images) + 1), images, strict=True)
    )
    return raise_if_strict(DetectionDataset(samples, categories, tuple(problems)), strict)


def _leave_out_fractions(images: Sequence[LabelledImage]) -> Problem | None:
    """Leaves out boxes that are fractions of the image size; returns the problem if there are any."""
    owners = [image for image in images for _ in image.xyxy]
    found = fractions_for_pixels(np.array([box for image in images for box in image.xyxy]).reshape(-1, 4))
    if found is None:
        return None
    rows = iter(found.rows.tolist())
    for image in images:
        kept = [not next(rows) for _ in image.xyxy]
        columns: tuple[list[Any], ...] = (image.xyxy, image.classes, image.ignore)
        for values in columns:
            values[:] = [value for value, keep in zip(values, kept, strict=True) if keep]
    return Problem(owners[int(found.rows.argmax())].path, "boxes", found.reason)


def _boxes(image: LabelledImage, labels: dict[str, int]) -> Boxes:
    return Boxes(
        np.array(image.xyxy, np.float32).reshape(-1, 4),
        np.array([labels[name] for name in image.classes], np.int32),
        np.array(image.ignore, bool),
    )
