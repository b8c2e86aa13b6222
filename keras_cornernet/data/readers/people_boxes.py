"""Boxes of people from annotated joints, where one person of each photograph is labelled."""

from pathlib import Path

import numpy as np

from keras_cornernet.data.readers.lsp import read_lsp
from keras_cornernet.preprocessing import read_image_size
from keras_cornernet.structures import (
    Boxes,
    Categories,
    DetectionDataset,
    Person,
    PoseDataset,
    Problem,
    Sample,
    image_problem,
)

MARGIN = 0.08  # on each side of the joints' extent, as a fraction of its longer side
GAP = 4  # pixels between a labelled box and what is ignored around it
PERSON = Categories(("person",), (1,))


def read_lsp_boxes(
    annotations: str | Path, images: str | Path, *, split: str = "all", strict: bool = False
) -> DetectionDataset:
    """Reads the people of LSP or LSPET as boxes of the class person; see `read_lsp` and `boxes_of_people`.

    Raises:
        ImportError, ValueError, NotADirectoryError: as `read_lsp`.
    """
    return boxes_of_people(read_lsp(annotations, images, split=split, strict=strict), partial=True)


def boxes_of_people(people: PoseDataset, *, partial: bool) -> DetectionDataset:
    """Images with the boxes of the people whose joints are annotated.

    A box is the extent of the annotated joints and 8 % of its longer side on each side, inside the image.

    Args:
        people: what a reader of poses returned.
        partial: only some of the people of an image are labelled. What lies around their boxes is then
            ignored for the class person, so that bystanders are neither positive nor negative examples.

    Returns:
        One sample for each image, with image ids from 1. Images whose file cannot be read are left out and
        named in `problems`.
    """
    of_path: dict[str, list[Person]] = {}
    for person in people.people:
        of_path.setdefault(person.path, []).append(person)
    samples: list[Sample] = []
    problems: list[Problem] = list(people.problems)
    for path, present in of_path.items():
        size = present[0].image_size
        if size is None:
            try:
                size = read_image_size(path)
            except OSError as error:
                problems.append(image_problem(path, error))
                continue
        found = [box for person in present if (box := joints_box(person, size)) is not None]
        boxes = _boxes(np.array(found, np.float32).reshape(-1, 4), size, partial)
        samples.append(Sample(path, len(samples) + 1, size, boxes, partial=partial))
    return DetectionDataset(tuple(samples), PERSON, tuple(problems))


def joints_box(person: Person, image_size: tuple[int, int]) -> np.ndarray | None:
    """The `xyxy` box of a person's annotated joints, see `boxes_of_people`; None if it has no area."""
    xy = person.keypoints[person.visibility > 0]
    if not len(xy):
        return None
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = MARGIN * float((high - low).max())
    height, width = image_size
    box = np.clip(np.concatenate([low - margin, high + margin]), 0, [width, height, width, height])
    return box.astype(np.float32) if (box[2:] > box[:2]).all() else None


def _boxes(xyxy: np.ndarray, size: tuple[int, int], partial: bool) -> Boxes:
    """The boxes, and with `partial` the ignored bands around all of them."""
    bands = surroundings(xyxy, size) if partial and len(xyxy) else np.zeros((0, 4), np.float32)
    count = len(xyxy) + len(bands)
    return Boxes(np.concatenate([xyxy, bands]), np.zeros(count, np.int32), np.arange(count) >= len(xyxy))


def surroundings(xyxy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Up to four boxes `(n, 4)` that cover what lies above, below, left and right of all `xyxy` boxes."""
    height, width = size
    x1, y1 = xyxy[:, :2].min(axis=0) - GAP
    x2, y2 = xyxy[:, 2:].max(axis=0) + GAP
    bands = np.array(
        [[0, 0, width, y1], [0, y2, width, height], [0, 0, x1, height], [x2, 0, width, height]], np.float32
    )
    return bands[(bands[:, 2:] - bands[:, :2] > 2 * GAP).all(axis=1)]
