"""Annotation files as the kind of model wants them: images with boxes, or people with joints."""

from pathlib import Path

from keras_cornernet.data.readers import READERS, read_dataset
from keras_cornernet.structures import DetectionDataset, PoseDataset


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
) -> DetectionDataset | PoseDataset:
    """Reads a data set for a detector or a pose network.

    Args:
        pose: whether people with joints are wanted.
        annotations, images: the file and the folder of its images.
        annotation_format: `"coco"`; for people also `"lsp"`, `"mpii"` or `"flic"`.
        split: the part of a file of MPII or LSP that holds several, see `read_mpii` and `read_lsp`.
        default_split: where `split` is None.
        adjusted, head_boxes: of MPII, see `read_mpii`.

    Raises:
        ValueError: the format is not one of the task's, it has no such option, or the reader's own.
    """
    return read_dataset(
        READERS["pose" if pose else "detection"],
        annotations,
        images,
        annotation_format,
        part=default_split,
        split=split,
        adjusted=adjusted,
        head_boxes=head_boxes,
    )
