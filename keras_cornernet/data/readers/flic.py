"""Reads FLIC: upper bodies in frames of films."""

from pathlib import Path

from keras_cornernet.data.readers.center_scale import people_of
from keras_cornernet.data.readers.checks import raise_if_strict
from keras_cornernet.data.readers.image_folder import ImageFolder
from keras_cornernet.data.readers.pose_h5 import h5_entries, read_pose_h5
from keras_cornernet.skeletons import FLIC
from keras_cornernet.structures import PoseDataset


def read_flic(annotations: str | Path, images: str | Path, *, strict: bool = False) -> PoseDataset:
    """Reads an h5 file of the Stacked Hourglass authors: `train.h5`, `valid.h5` or a `_personcentric` one.

    Centre (always at half the frame's height) and scale (always 2.2, a square of 440 pixels) are used as
    the file states them: the same authors adjust those of MPII, but not these. Pixels count from 1 in the
    file, since their code subtracts 1 from the coordinates of either set, and from 0 here.

    In `train.h5` and `valid.h5` left and right are the observer's: the left shoulder is the one further right
    in the image, also of people seen from behind. In the `_personcentric` files they are the person's own,
    as in the other data sets.

    Args:
        annotations: the h5 file.
        images: the folder of the frames.
        strict: raise at the first problem.

    Returns:
        The people in the order of the file. Image ids are its `index` where it has one, else the rows.
        `head_size` is None: the file's `normalize` is the length of the torso.

    Raises:
        ValueError: the file is not such an h5 file (the message names the field), or `strict` and a problem.
        NotADirectoryError: `images` is not a folder.
    """
    path = Path(annotations)
    table = read_pose_h5(path, len(FLIC.joints))
    entries = h5_entries(table, split="all", head=False)
    people, problems = people_of(entries, path, ImageFolder(images), FLIC, adjusted=True)
    return raise_if_strict(PoseDataset(people, FLIC, problems), strict)
