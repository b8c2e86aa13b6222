"""Which images of a COCO file a reader had to leave out."""

from pathlib import Path

from keras_cornernet import files
from keras_cornernet.structures import DataSet


def images_left_out(annotations: str | Path, data_set: DataSet) -> list[str]:
    """The faults of a data set that cost it an image, of all in `data_set.faults`.

    Args:
        annotations: the COCO json file that `data_set` was read from.
        data_set: what `read_coco` returned.
    """
    listed = files.read_json(annotations, tables=("images",))["images"]
    lost = len(listed) - len(data_set.samples)
    # The reader names faulty images first, one sentence each.
    return list(data_set.faults[:lost])
