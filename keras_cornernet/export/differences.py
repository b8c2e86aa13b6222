"""How far the results of two models for one image differ."""

import numpy as np

from keras_cornernet.results import Detections, Poses


def box_differences(ours: Detections, theirs: Detections, min_score: float) -> np.ndarray:
    """The differences between each box of one result and the nearest box of its class in the other.

    Args:
        ours, theirs: the results.
        min_score: boxes with a lower score are not compared.

    Returns:
        `(n, 2)`: the largest difference of a side in pixels and the difference in score; infinite where the
        other result has no box of the class.
    """
    rows = []
    for one, other in ((ours, theirs), (theirs, ours)):
        shown = one.with_min_score(min_score)
        for box, score, label in zip(shown.boxes, shown.scores, shown.labels, strict=True):
            same = other.labels == label
            distance = np.abs(other.boxes[same] - box).max(axis=1)
            if not len(distance):
                rows.append((np.inf, np.inf))
                continue
            nearest = distance.argmin()
            rows.append((distance[nearest], abs(other.scores[same][nearest] - score)))
    return np.array(rows, np.float64).reshape(-1, 2)


def keypoint_differences(ours: Poses, theirs: Poses, min_score: float) -> np.ndarray:
    """The differences between the joints that one of two results shows.

    Args:
        ours, theirs: the results, for the same people.
        min_score: joints that score less in both are not compared.

    Returns:
        `(n, 2)`: the distance in pixels and the difference in score.
    """
    shown = np.maximum(ours.keypoint_scores, theirs.keypoint_scores) >= min_score
    distance = np.linalg.norm(ours.keypoints - theirs.keypoints, axis=-1)
    return np.stack([distance[shown], np.abs(ours.keypoint_scores - theirs.keypoint_scores)[shown]], axis=1)
