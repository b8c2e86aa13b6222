"""Annotation files as the kind of model wants them: images with boxes, or people with joints."""

from collections.abc import Mapping
from pathlib import Path

from keras_cornernet.commands.faults import images_left_out
from keras_cornernet.data.readers import read_coco, read_people
from keras_cornernet.structures import DataSet, PoseSet


def read_for(
    pose: bool,
    annotations: str | Path,
    images: str | Path,
    data_format: str,
    options: Mapping[str, object] | None = None,
) -> tuple[DataSet | PoseSet, list[str]]:
    """Reads a data set for a detector or a pose network.

    Args:
        pose: whether people with joints are wanted.
        annotations, images: the file and the folder of its images.
        data_format: `"coco"`; for people also `"lsp"`, `"mpii"` or `"flic"`.
        options: of the reader of people, such as `split`.

    Returns:
        the data set, and those of its faults that cost an image or a person.

    Raises:
        ValueError: boxes are asked of a format without boxes, or the reader's own.
    """
    if pose:
        pose_set = read_people(annotations, images, data_format, **(options or {}))
        return pose_set, list(pose_set.faults)
    if data_format != "coco":
        raise ValueError(f"a detector learns from COCO json; the format {data_format!r} is of pose networks")
    data_set = read_coco(annotations, images)
    return data_set, images_left_out(annotations, data_set)
