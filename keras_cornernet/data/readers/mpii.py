"""Reads MPII Human Pose in each of the file formats in which it is distributed."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_cornernet.data.readers.center_scale import Entry, people_of
from keras_cornernet.data.readers.checks import raise_if_strict
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.matlab import read_mat
from keras_cornernet.data.readers.mpii_json import mpii_json_entries
from keras_cornernet.data.readers.mpii_matlab import mpii_matlab_entries
from keras_cornernet.data.readers.pose_h5 import h5_entries, read_pose_h5
from keras_cornernet.evaluation.pck import head_size_from_boxes
from keras_cornernet.skeletons import MPII
from keras_cornernet.structures import PoseDataset

SPLITS = ("train", "val", "test", "all")


def read_mpii(
    annotations: str | Path,
    images: str | Path,
    *,
    split: str = "train",
    adjusted: bool | None = None,
    head_boxes: str | Path | None = None,
    strict: bool = False,
) -> PoseDataset:
    """Reads the official `.mat`, an `.h5` of the Stacked Hourglass authors, or a `.json`.

    The json may be that of pytorch-pose (a `joint_self` for each person) or of HRNet and MMPose (`joints` and
    `joints_vis`). In all of these files pixels count from 1, those of centres and of joints (HRNet's own
    reader subtracts 1 from both); here they count from 0. A joint without a visible flag, or with flag 1, is
    visible; with flag 0 it is hidden, or not annotated if its coordinates are not in the image either.

    Args:
        annotations: the file; its suffix decides how it is read.
        images: the folder of the images.
        split: `"train"`, `"val"`, `"test"` or `"all"`. The `.mat` and `annot.h5` mark train and test,
            pytorch-pose's json marks train and val. A file that marks nothing (`valid.h5`, HRNet's json) is
            one split by itself and is read whole. The joints of the people of the test set were never
            published; only these people may have none.
        adjusted: whether the file's centres and scales are adjusted as in `mpii_square` already. None decides
            by the file: those of `train.h5`, `valid.h5` and `test.h5` are, those of all other files are not.
            A wrong value lowers the accuracy without any error.
        head_boxes: a `.mat` with the people's head boxes in the order of the split, such as the
            `mpii_gt_val.mat` that PCKh is computed with; the json files hold none.
        strict: raise at the first problem.

    Returns:
        The people in the order of the file, each with `head_size` where a file states it. People of training
        images for whom MPII gives no joints are left out without a problem. Image ids are the indices in
        MPII's list of images, from 0; HRNet's json lacks them, and its images are numbered from 0.

    Raises:
        ImportError: SciPy is not installed, which the `.mat` needs.
        ValueError: the file is none of these, it does not mark the split, there are not as many head boxes as
            people, or `strict` and a problem.
        NotADirectoryError: `images` is not a folder.
    """
    path = Path(annotations)
    if split not in SPLITS:
        raise ValueError(f"split: expected one of {', '.join(SPLITS)}, got {split!r}")
    suffix = path.suffix.lower()
    adjusted_file = False
    if suffix == ".mat":
        entries = mpii_matlab_entries(path, _marked(split, ("train", "test", "all"), path))
    elif suffix == ".json":
        entries = mpii_json_entries(path, split)
    elif suffix in (".h5", ".hdf5"):
        table = read_pose_h5(path, len(MPII.joints))
        if "istrain" in table:
            _marked(split, ("train", "test", "all"), path)
        adjusted_file = "istrain" not in table and not path.stem.startswith("annot")
        entries = h5_entries(table, split=split, head=True)
    else:
        raise ValueError(f"annotations: expected a file ending in .mat, .json, .h5 or .hdf5, got {path}")
    adjusted = adjusted_file if adjusted is None else adjusted
    if head_boxes is not None:
        entries = _with_heads(list(entries), Path(head_boxes), path)
    people, problems = people_of(entries, path, ImageFolder(images), MPII, adjusted=adjusted)
    return raise_if_strict(PoseDataset(people, MPII, problems), strict)


def _with_heads(entries: list[Entry], head_boxes: Path, path: Path) -> list[Entry]:
    """The people with the sizes of the head boxes in a file of MPII's evaluation."""
    boxes = read_mat(head_boxes, "headboxes_src")
    array = boxes if isinstance(boxes, np.ndarray) and boxes.dtype.kind in "fiu" else np.zeros(())
    if array.shape == (2, 2):  # MATLAB drops a last axis of 1
        array = array[..., None]
    if array.shape != (2, 2, len(entries)):
        raise ValueError(
            f"head_boxes: {head_boxes}: expected the field 'headboxes_src' to have the shape (2, 2, "
            f"{len(entries)}), a box for each person of {path}, got {array.shape}"
        )
    sizes = head_size_from_boxes(array.reshape(4, -1).T).tolist()  # corner by corner, x before y
    return [replace(entry, head_size=size) for entry, size in zip(entries, sizes, strict=True)]


def _marked(split: str, known: tuple[str, ...], path: Path) -> str:
    if split not in known:
        raise ValueError(f"split: {path} marks {', '.join(known)}, not {split!r}")
    return split
