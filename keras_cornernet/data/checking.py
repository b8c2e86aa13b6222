"""Checks and counts of a data set, before time is spent on training with it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageOps

from keras_cornernet.preprocessing import Size, open_image
from keras_cornernet.structures import (
    Dataset,
    DetectionDataset,
    PoseDataset,
    Problem,
    Progress,
    image_problem,
    size_problem,
)

MANY_OBJECTS = 128  # the largest number of objects per image in the released CornerNet code
QUANTILES = {"min": 0, "q05": 0.05, "median": 0.5, "q95": 0.95, "max": 1}


def raise_if_empty(dataset: Dataset, annotations: str | Path) -> None:
    """Raises an error if nothing is annotated that could be trained on or measured.

    Args:
        dataset: what a reader returned.
        annotations: the file that it was read from.

    Raises:
        ValueError: no box or no person is left; the message has the first problem.
    """
    if dataset.annotation_count:
        return
    reason = "has none"
    if dataset.problems:
        count = len(dataset.problems)
        reason = f"{count} of its entries cannot be used; the first: {dataset.problems[0]}"
    raise ValueError(f"{annotations}: no usable {dataset.annotation_noun} is left: {reason}")


def check_images(dataset: Dataset, progress: Progress = list) -> list[Problem]:
    """Decodes every image and compares its size with the stated one.

    Args:
        dataset: what a reader returned.
        progress: wraps the images to show how far the check is.

    Returns:
        One problem for each image that cannot be used.
    """
    images = dict.fromkeys(zip(dataset.paths, dataset.sizes, strict=True))
    return _image_problems(list(images), progress)


def _image_problems(images: Sequence[tuple[str, Size | None]], progress: Progress) -> list[Problem]:
    """Checks paths against the stated sizes."""
    with ThreadPoolExecutor() as threads:  # Pillow decodes outside of Python's lock
        found = threads.map(_image_problem, images)
        checked = [problem for _, problem in zip(progress(images), found, strict=True)]
    return [problem for problem in dict.fromkeys(checked) if problem is not None]


def _image_problem(image: tuple[str, Size | None]) -> Problem | None:
    path, stated = image
    try:
        with open_image(path) as opened:
            opened.load()
            stored = opened.size
            width, height = ImageOps.exif_transpose(opened).size
    except OSError as error:
        return image_problem(path, error)
    return size_problem(path, stated, (height, width), rotated=(width, height) != stored)


def summarize(dataset: DetectionDataset) -> dict[str, Any]:
    """Counts the images, boxes and classes of a data set; all values can be written as json.

    Args:
        dataset: what a reader returned.

    Returns:
        `images`, `images_without_boxes`, `images_over_128_objects`, `boxes` (all of them), `ignored` (crowds
        and difficult boxes, which `boxes` includes), `boxes_per_class` (by name, without ignored ones),
        `boxes_per_image` (`median` and `max`), `box_width`, `box_height` (pixels) and `box_size` (square root
        of the area), each as quantiles or None if there is no box, and `problems` (their number).
    """
    boxes = [sample.boxes for sample in dataset.samples]
    counts = np.array([len(b.labels) for b in boxes], int)
    xyxy = np.concatenate([b.xyxy for b in boxes] or [np.zeros((0, 4))]).astype(np.float64)
    labels = np.concatenate([b.labels for b in boxes] or [np.zeros(0, int)])
    ignore = np.concatenate([b.ignore for b in boxes] or [np.zeros(0, bool)])
    width, height = xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1]
    names = dataset.categories.unique_names
    per_class = np.bincount(labels[~ignore], minlength=len(names))
    return {
        "images": len(boxes),
        "images_without_boxes": int((counts == 0).sum()),
        "images_over_128_objects": int((counts > MANY_OBJECTS).sum()),
        "boxes": int(counts.sum()),
        "ignored": int(ignore.sum()),
        "boxes_per_class": {name: int(n) for name, n in zip(names, per_class, strict=True)},
        "boxes_per_image": {
            "median": float(np.median(counts)) if len(counts) else 0.0,
            "max": int(counts.max(initial=0)),
        },
        "box_width": _quantiles(width),
        "box_height": _quantiles(height),
        "box_size": _quantiles(np.sqrt(width * height)),
        "problems": len(dataset.problems),
    }


def summarize_people(pose_dataset: PoseDataset) -> dict[str, Any]:
    """Counts the images, people and joints of a data set; all values can be written as json.

    Args:
        pose_dataset: what a reader returned.

    Returns:
        `images`, `people`, `people_per_image` (`median` and `max`), `joints` (annotated ones), `hidden`
        (those of them that are hidden), `joints_per_person` and `square_side` (pixels) as quantiles or None
        if there is nobody, `annotated_per_joint` (by name) and `problems` (their number).
    """
    people, names = pose_dataset.people, pose_dataset.skeleton.joints
    visibility = np.array([person.visibility for person in people], int).reshape(-1, len(names))
    _, per_image = np.unique([person.path for person in people], return_counts=True)
    annotated = visibility > 0
    return {
        "images": len(per_image),
        "people": len(people),
        "people_per_image": {
            "median": float(np.median(per_image)) if len(people) else 0.0,
            "max": int(per_image.max(initial=0)),
        },
        "joints": int(annotated.sum()),
        "hidden": int((visibility == 1).sum()),
        "joints_per_person": _quantiles(annotated.sum(axis=1)),
        "square_side": _quantiles(np.array([person.side for person in people])),
        "annotated_per_joint": {name: int(n) for name, n in zip(names, annotated.sum(axis=0), strict=True)},
        "problems": len(pose_dataset.problems),
    }


def _quantiles(values: np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    found = np.quantile(values, list(QUANTILES.values()))
    return {name: round(float(v), 2) for name, v in zip(QUANTILES, found, strict=True)}
