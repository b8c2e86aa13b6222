"""Reads the boxes of COCO instances annotations."""

from pathlib import Path

import numpy as np

from keras_cornernet import files
from keras_cornernet.data.readers.checks import raise_if_strict
from keras_cornernet.data.readers.coco_tables import CocoTables, read_tables, without_unused_groups
from keras_cornernet.structures import Boxes, DetectionDataset, Sample


@files.collector_paused()
def read_coco(annotations: str | Path, images: str | Path, *, strict: bool = False) -> DetectionDataset:
    """Reads a COCO json file.

    Labels count from 0 in increasing order of category id. A category without a box that is the
    `supercategory` of others, as Roboflow writes the name of the project, is no class. `iscrowd` and VOC's
    `difficult` become `ignore` and `area` becomes `areas`. Boxes keep the order of the file and are not
    clipped. Images without annotations are kept. What cannot be used is left out and named in
    `DetectionDataset.problems`, an image together with its boxes. Keypoints are not read.

    Args:
        annotations: the json file, with the keys `images`, `annotations` and `categories`.
        images: the folder that the `file_name`s are relative to; none may lead outside of it.
        strict: raise at the first problem.

    Returns:
        The images in the order of the file.

    Raises:
        ValueError: the file is not COCO json (the message names the line or the key), it lists no category,
            or `strict` and a problem.
        NotADirectoryError: `images` is not a folder.

    Example:
        >>> dataset = read_coco("instances_train.json", "train")
        >>> len(dataset.samples), dataset.problems
        (2, ())
    """
    tables = without_unused_groups(read_tables(annotations, images))
    problems = (*tables.problems, *map(tables.problem, sorted(tables.unusable)))
    return raise_if_strict(DetectionDataset(_samples(tables), tables.categories, problems), strict)


def _samples(tables: CocoTables) -> tuple[Sample, ...]:
    """One `Sample` for each image, with its usable boxes."""
    images, order = tables.images, tables.usable_rows()
    columns = [column[order] for column in (tables.xyxy, tables.labels, tables.ignore, tables.areas)]
    ends = np.cumsum(np.bincount(tables.owners[order], minlength=len(images.ids))).tolist()
    samples, start = [], 0
    for id_, path, size, end in zip(images.ids, images.paths, images.sizes, ends, strict=True):
        boxes = Boxes(*(column[start:end] for column in columns))
        samples.append(Sample(path, id_, size, boxes))
        start = end
    return tuple(samples)
