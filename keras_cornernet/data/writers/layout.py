"""What a data set consists of on disk."""

from collections.abc import Mapping
from typing import NamedTuple


class WrittenSet(NamedTuple):
    """The files of a data set.

    Attributes:
        image_folders: for each part the folder of its images.
        texts: the content of each file of labels, by its name.
    """

    image_folders: Mapping[str, str]
    texts: Mapping[str, str]
