"""The nouns of the package: what is on an image.

Boxes are float32 `xyxy` in pixels, points are `(x, y)`, sizes are `(height, width)`, labels count
from 0 and -1 marks padding.
"""

from keras_cornernet.structures.boxes import Boxes, Categories
from keras_cornernet.structures.datasets import (
    Dataset,
    DatasetPart,
    DetectionDataset,
    Person,
    PoseDataset,
    Progress,
    Sample,
)
from keras_cornernet.structures.keypoints import Keypoints
from keras_cornernet.structures.problem import OnProblem, Problem, image_problem, size_problem
from keras_cornernet.structures.record import Record

__all__ = [
    "Boxes",
    "Categories",
    "Dataset",
    "DatasetPart",
    "DetectionDataset",
    "Keypoints",
    "OnProblem",
    "Person",
    "PoseDataset",
    "Problem",
    "Progress",
    "Record",
    "Sample",
    "image_problem",
    "size_problem",
]
