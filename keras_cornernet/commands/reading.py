"""Annotation files as the kind of model wants them: images with boxes, or people with joints."""

from pathlib import Path

from keras_cornernet.commands.faults import images_left_out
from keras_cornernet.data.readers import read_coco, read_people
from keras_cornernet.structures import DataSet, PoseSet

MARK_PARTS = ("mpii", "lsp")  # formats whose files may hold several parts


def read_for(
    pose: bool,
    annotations: str | Path,
    images: str | Path,
    data_format: str,
    *,
    split: str | None = None,
    usual_split: str = "train",
    adjusted: bool | None = None,
    head_boxes: str | Path | None = None,
) -> tuple[DataSet | PoseSet, list[str]]:
    """Reads a data set for a detector or a pose network.

    Args:
        pose: whether people with joints are wanted.
        annotations, images: the file and the folder of its images.
        data_format: `"coco"`; for people also `"lsp"`, `"mpii"` or `"flic"`.
        split: the part of a file of MPII or LSP that holds several, see `read_mpii` and `read_lsp`.
        usual_split: where `split` is None.
        adjusted, head_boxes: of MPII, see `read_mpii`.

    Returns:
        the data set, and those of its faults that cost an image or a person.

    Raises:
        ValueError: boxes are asked of a format without boxes, a format has no parts or is never adjusted, or
            the reader's own.
    """
    options = {}
    if data_format in MARK_PARTS:
        options["split"] = split or usual_split
    elif split is not None:
        raise ValueError(f"--split is of the formats {' and '.join(MARK_PARTS)}, not of {data_format}")
    told = {"--adjusted or --raw": adjusted, "--head-boxes": head_boxes}
    if foreign := [name for name, value in told.items() if value is not None and data_format != "mpii"]:
        raise ValueError(f"{' and '.join(foreign)} is of the format mpii, not of {data_format}")
    if data_format == "mpii":
        options |= {"adjusted": adjusted, "head_boxes": head_boxes}
    if pose:
        pose_set = read_people(annotations, images, data_format, **options)
        return pose_set, list(pose_set.faults)
    if data_format != "coco":
        raise ValueError(f"a detector learns from COCO json; the format {data_format!r} is of pose networks")
    data_set = read_coco(annotations, images)
    return data_set, images_left_out(annotations, data_set)
