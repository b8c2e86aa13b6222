"""Annotation files as the kind of model wants them: images with boxes, or people with joints."""

from pathlib import Path

from keras_cornernet.commands.problems import images_left_out
from keras_cornernet.data.readers import read_coco, read_people
from keras_cornernet.structures import DetectionDataset, PoseDataset

MARK_PARTS = ("mpii", "lsp")  # formats whose files may hold several parts


def read_for(
    pose: bool,
    annotations: str | Path,
    images: str | Path,
    annotation_format: str,
    *,
    split: str | None = None,
    default_split: str = "train",
    adjusted: bool | None = None,
    head_boxes: str | Path | None = None,
) -> tuple[DetectionDataset | PoseDataset, list[str]]:
    """Reads a data set for a detector or a pose network.

    Args:
        pose: whether people with joints are wanted.
        annotations, images: the file and the folder of its images.
        annotation_format: `"coco"`; for people also `"lsp"`, `"mpii"` or `"flic"`.
        split: the part of a file of MPII or LSP that holds several, see `read_mpii` and `read_lsp`.
        default_split: where `split` is None.
        adjusted, head_boxes: of MPII, see `read_mpii`.

    Returns:
        the data set, and those of its faults that cost an image or a person.

    Raises:
        ValueError: boxes are asked of a format without boxes, a format has no parts or is never adjusted, or
            the reader's own.
    """
    options = {}
    if annotation_format in MARK_PARTS:
        options["split"] = split or default_split
    elif split is not None:
        raise ValueError(f"--split is of the formats {' and '.join(MARK_PARTS)}, not of {annotation_format}")
    told = {"--adjusted or --raw": adjusted, "--head-boxes": head_boxes}
    if foreign := [name for name, value in told.items() if value is not None and annotation_format != "mpii"]:
        raise ValueError(f"{' and '.join(foreign)} is of the format mpii, not of {annotation_format}")
    if annotation_format == "mpii":
        options |= {"adjusted": adjusted, "head_boxes": head_boxes}
    if pose:
        pose_dataset = read_people(annotations, images, annotation_format, **options)
        return pose_dataset, list(pose_dataset.problems)
    if annotation_format != "coco":
        raise ValueError(
            f"a detector learns from COCO json; the format {annotation_format!r} is of pose networks"
        )
    dataset = read_coco(annotations, images)
    return dataset, images_left_out(annotations, dataset)
