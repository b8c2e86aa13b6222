"""What the mean pose of each category reaches: `python benchmarks/mean_pose.py DATA [--threshold 0.1]`.

The mean pose is that of the training part, each joint as a fraction of the annotated box; it is put into the
boxes of the validation part and measured as a model is. A network that has learned joints is far above.
"""

import argparse

import numpy as np

from keras_cornernet.data.readers import read_dataset
from keras_cornernet.evaluation import evaluate_poses, format_pose_table
from keras_cornernet.structures import PoseDataset


def mean_poses(dataset: PoseDataset) -> dict[str | None, np.ndarray]:
    """`(k, 2)` by category: each joint's mean place, as fractions of the box from its upper left corner."""
    poses = {}
    for category in {person.category for person in dataset.people}:
        those = [person for person in dataset.people if person.category == category]
        boxes = np.array([person.annotated_box for person in those])
        points = np.array([person.keypoints for person in those])
        placed = (points - boxes[:, None, :2]) / (boxes[:, None, 2:] - boxes[:, None, :2])
        seen = np.array([person.visibility > 0 for person in those])
        poses[category] = np.mean(placed, axis=0, where=seen[:, :, None])
    return poses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--threshold", type=float, default=0.1, help="in longer sides of the box")
    arguments = parser.parse_args()
    train, val = (read_dataset(arguments.data, "pose", part) for part in ("train", "val"))
    poses = mean_poses(train)
    boxes = np.array([person.annotated_box for person in val.people])
    fractions = np.array([poses[person.category] for person in val.people])
    predicted = boxes[:, None, :2] + fractions * (boxes[:, None, 2:] - boxes[:, None, :2])
    print(format_pose_table(evaluate_poses(val, predicted, threshold=arguments.threshold)))


if __name__ == "__main__":
    main()
