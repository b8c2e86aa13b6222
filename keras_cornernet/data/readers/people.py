"""Reads people with joints from any data set that the package knows."""

from pathlib import Path

from keras_cornernet.data.readers.coco_people import read_coco_people
from keras_cornernet.data.readers.flic import read_flic
from keras_cornernet.data.readers.lsp import read_lsp
from keras_cornernet.data.readers.mpii import read_mpii
from keras_cornernet.structures import PoseDataset

READERS = {"coco": read_coco_people, "lsp": read_lsp, "mpii": read_mpii, "flic": read_flic}


def read_people(annotations: str | Path, images: str | Path, format: str, **options) -> PoseDataset:
    """Reads the annotated people of a data set.

    Args:
        annotations: the annotation file.
        images: the folder of the images.
        format: `"coco"`, `"lsp"`, `"mpii"` or `"flic"`.
        options: what the reader of that format takes besides, such as `split` or `strict`.

    Returns:
        The people, with their skeleton and the faults that were found.

    Raises:
        ValueError: the format is not known, or the reader's own.
    """
    if format not in READERS:
        raise ValueError(f"format: expected one of {', '.join(READERS)}, got {format!r}")
    return READERS[format](annotations, images, **options)
