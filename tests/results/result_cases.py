"""Small results for the tests of this folder."""

import numpy as np

from keras_cornernet.results import Detections, Poses, Speed
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories

CATEGORIES = Categories(("cat", "dog"), (17, 90))
ARM = Skeleton("arm", ("shoulder", "elbow", "wrist"), ((0, 1), (1, 2)), ())


def image(height=50, width=60):
    return np.full((height, width, 3), 200, np.uint8)


def detections(**changes):
    """Two dogs and a cat, of scores 0.9, 0.5 (the cat) and 0.123456."""
    fields = {
        "boxes": np.array([[1.5, 2, 11.25, 22], [0, 0, 5, 5], [30, 30, 40, 39.9996]], np.float32),
        "scores": np.array([0.9, 0.5, 0.123456], np.float32),
        "labels": np.array([1, 0, 1], np.int32),
        "categories": CATEGORIES,
        "image": image(),
        "path": "pictures/street.jpg",
        "speed": Speed(1.0, 20.0, 3.0),
    }
    return Detections(**fields | changes)


def no_detections(**changes):
    return detections(**changes)[[]]


def poses(**changes):
    """Two people of scores 0.72 and 0.25; the second's wrist is outside the image."""
    fields = {
        "keypoints": np.array([[[6, 10], [12, 20], [30, 45]], [[40, 5], [45.5, 10], [61, 12]]], np.float32),
        "keypoint_scores": np.array([[1, 0.5, 0.9], [0.75, 0.1, 0.65]], np.float32),
        "boxes": np.array([[6, 5, 30, 45], [30, 0, 66, 25]], np.float32),
        "box_scores": np.array([0.9, 0.5], np.float32),
        "skeleton": ARM,
        "image": image(),
        "path": "pictures/street.jpg",
    }
    return Poses(**fields | changes)


def no_poses(**changes):
    return poses(**changes)[[]]
