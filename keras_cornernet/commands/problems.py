"""Which images of a COCO file a reader had to leave out."""

from pathlib import Path

from keras_cornernet import files
from keras_cornernet.structures import DetectionDataset


def images_left_out(annotations: str | Path, dataset: DetectionDataset) -> list[str]:
    """The faults of a data set that cost it an image, of all in `dataset.faults`.

    Args:
        annotations: the COCO json file that `dataset` was read from.
        dataset: what `read_coco` returned.
    """
    listed = files.read_json(annotations, tables=("images",))["images"]
    lost = len(listed) - len(dataset.samples)
    # The reader names faulty images first, one sentence each.
    return list(dataset.problems[:lost])
