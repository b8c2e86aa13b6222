"""The audit of labelled joints."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from keras_cornernet import visualization
from keras_cornernet.evaluation import EvaluationResult
from keras_cornernet.evaluation.joint_mistakes import (
    MISPLACED,
    SWAPPED,
    JointAnswer,
    JointMistake,
    correct_joints,
    find_joint_mistakes,
)
from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import person_view, read_image
from keras_cornernet.structures import Person, PoseDataset, Progress

VIEW = 500  # pixels; sides of each picture


class JointAuditor:
    """See `Auditor`."""

    preset: ClassVar[str] = "hourglass_people"
    kinds: ClassVar[tuple[str, ...]] = (SWAPPED, MISPLACED)

    def ask(
        self, model: Any, dataset: PoseDataset, progress: Progress
    ) -> tuple[EvaluationResult, Sequence[JointAnswer | None]]:
        """The keypoints of each person, with their scores and what the heatmaps are at the labels."""
        result = model.evaluate(dataset, progress=progress)
        found = result.predictions
        heights = None
        if hasattr(model, "heights_at_joints"):  # exported files give no heatmaps
            heights = model.heights_at_joints(found.dataset, progress=progress)
        rows = {id(person): row for row, person in enumerate(found.dataset.people)}
        answers: list[JointAnswer | None] = []
        for person in dataset.people:
            row = rows.get(id(person))
            if row is None:
                answers.append(None)
                continue
            seen = None if heights is None else heights[row]
            answers.append(JointAnswer(found.keypoints[row], found.keypoint_scores[row], seen))
        return result, answers

    def find_mistakes(
        self, dataset: PoseDataset, answers: Sequence[JointAnswer | None]
    ) -> list[JointMistake]:
        """See `evaluation.joint_mistakes.find_joint_mistakes`."""
        return find_joint_mistakes(dataset, answers)

    def correct(self, dataset: PoseDataset, mistakes: Sequence[JointMistake]) -> PoseDataset:
        """See `evaluation.joint_mistakes.correct_joints`."""
        return correct_joints(dataset, mistakes)

    def describe(self, dataset: PoseDataset, mistake: JointMistake) -> dict[str, Any]:
        """Of each joint its position as it is labelled, and as it should be."""
        person, joints = dataset.people[mistake.item], list(mistake.joints)
        return {
            "person": mistake.item,
            "labelled": _described(dataset, joints, person.keypoints[joints], person.visibility[joints]),
            "suggested": _described(dataset, joints, mistake.keypoints, mistake.visibility),
        }

    def draw(self, dataset: PoseDataset, mistake: JointMistake) -> tuple[Image.Image, Image.Image]:
        """The person's square with the joints."""
        before = dataset.people[mistake.item]
        after = correct_joints(dataset.select([mistake.item]), [mistake.replace(item=0)]).people[0]
        image = read_image(before.path)
        return _shown(image, before, dataset), _shown(image, after, dataset)


def _described(
    dataset: PoseDataset, joints: Sequence[int], points: np.ndarray, visibility: np.ndarray
) -> dict[str, list[float] | None]:
    return {
        dataset.names[joint]: [round(float(value), 1) for value in point] if seen else None
        for joint, point, seen in zip(joints, points, visibility, strict=True)
    }


def _shown(image: np.ndarray, person: Person, dataset: PoseDataset) -> Image.Image:
    view = person_view(person.center, person.side, (VIEW, VIEW))
    keypoints = transform_points(view.input_from_image, person.keypoints)
    visible = person.visibility > 0
    return visualization.draw_skeletons(view.apply(image), keypoints[None], visible[None], dataset.skeleton)
