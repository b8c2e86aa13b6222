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
from keras_cornernet.structures.provenance import (
    DataSource,
    Parent,
    Provenance,
    sha256_of_annotations,
)
from keras_cornernet.structures.record import Record

__all__ = [
    "Boxes",
    "Categories",
    "DataSource",
    "Dataset",
    "DatasetPart",
    "DetectionDataset",
    "Keypoints",
    "OnProblem",
    "Parent",
    "Person",
    "PoseDataset",
    "Problem",
    "Progress",
    "Provenance",
    "Record",
    "Sample",
    "image_problem",
    "sha256_of_annotations",
    "size_problem",
]
