"""Labels of joints that are probably wrong, by what a model says that was trained without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_cornernet.evaluation.probability import probability_of
from keras_cornernet.structures import Person, PoseDataset, Record

SWAPPED, MISPLACED = "swapped left and right", "misplaced joint"
# Distances as fractions of the side of a person's square: full agreement up to the first, none from the
# second on.
SAME, APART = 0.05, 0.15
LEAST_MARGIN = 0.1  # by which a pair must agree better the other way round


@dataclass(frozen=True, eq=False)
class JointMistake(Record):
    """Joints of a person whose labels are probably wrong.

    Attributes:
        kind: `"swapped left and right"` or `"misplaced joint"`.
        item: index of the person in the data set.
        score: 0..1; the higher, the more probable.
        joints: indices of the joints in question, of the skeleton.
        keypoints: `(len(joints), 2)` float32, image pixels: where they should be.
        visibility: `(len(joints),)` int32, as of `Person`.
    """

    kind: str
    item: int
    score: float
    joints: tuple[int, ...]
    keypoints: np.ndarray
    visibility: np.ndarray


def find_joint_mistakes(
    dataset: PoseDataset, answers: Sequence[tuple[np.ndarray, np.ndarray] | None]
) -> list[JointMistake]:
    """Ranks the labels that differ from what a model says.

    Scores of joints become probabilities first: how often, over all people, the model's joints of that kind
    that score so high lie where the label is.

    Args:
        dataset: the labels; joints that are not annotated are left alone.
        answers: for each person the model's keypoints `(k, 2)` in image pixels and their scores `(k,)`, of a
            model that was not trained on this person; or None, which leaves the person out.

    Returns:
        The suspicions, most probable first. Of each person there is at most one of left and right: all pairs
        that agree better with the model when they are exchanged, scored by how much better, in the mean. A
        misplaced joint is scored by the probability of the model's, less so the nearer both are, and not at
        all where the model's lies on the label of the other side.
    """
    asked = [i for i, answer in enumerate(answers) if answer is not None]
    if not asked:
        return []
    given = [answer for answer in answers if answer is not None]
    keypoints = np.stack([np.asarray(points, np.float64) for points, _ in given])
    scores = np.stack([np.asarray(values, np.float64) for _, values in given])
    people = [dataset.people[i] for i in asked]
    agreement = np.stack([_agreement(p, points) for p, points in zip(people, keypoints, strict=True)])
    labelled = np.stack([person.visibility > 0 for person in people])
    own = np.diagonal(agreement, axis1=1, axis2=2)
    probable = np.zeros(scores.shape)
    for j in range(scores.shape[1]):
        rows = np.flatnonzero(labelled[:, j])
        probable[rows, j] = probability_of(scores[rows, j], own[rows, j] > 0.5)
    mirror = np.arange(scores.shape[1])
    pairs = np.array(dataset.skeleton.flip_pairs, int).reshape(-1, 2)
    mirror[pairs[:, 0]], mirror[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    mistakes: list[JointMistake] = []
    for row, (item, person) in enumerate(zip(asked, people, strict=True)):
        swapped, score = _swapped(agreement[row], probable[row], labelled[row], pairs)
        if len(swapped):
            joints = swapped.ravel()
            new = person.keypoints[mirror[joints]], person.visibility[mirror[joints]]
            mistakes.append(JointMistake(SWAPPED, item, score, tuple(map(int, joints)), *new))
        crossed = agreement[row][np.arange(len(mirror)), mirror] * (mirror != np.arange(len(mirror)))
        away = probable[row] * (1 - own[row]) * (1 - crossed) * labelled[row]
        away[swapped.ravel()] = 0
        for joint in np.flatnonzero(away > 0):
            point = keypoints[row, joint][None].astype(np.float32)
            seen = person.visibility[joint][None]
            mistakes.append(JointMistake(MISPLACED, item, float(away[joint]), (int(joint),), point, seen))
    return sorted(mistakes, key=lambda mistake: -mistake.score)


def correct_joints(dataset: PoseDataset, mistakes: Sequence[JointMistake]) -> PoseDataset:
    """The data set as it would be if the suspicions were all right: joints exchanged or moved.

    The squares and boxes of people stay as they are.
    """
    people = list(dataset.people)
    for mistake in mistakes:
        person, joints = people[mistake.item], list(mistake.joints)
        keypoints, visibility = person.keypoints.copy(), person.visibility.copy()
        keypoints[joints], visibility[joints] = mistake.keypoints, mistake.visibility
        people[mistake.item] = person.replace(keypoints=keypoints, visibility=visibility)
    return dataset.replace(people=tuple(people))


def _agreement(person: Person, found: np.ndarray) -> np.ndarray:
    """`(k, k)` in 0..1: how well the model's joint `i` lies on the label of joint `j`; 0 without a label."""
    gap = np.linalg.norm(found[:, None] - person.keypoints[None], axis=-1) / person.side
    result: np.ndarray = np.clip((APART - gap) / (APART - SAME), 0, 1) * (person.visibility > 0)
    return result


def _swapped(
    agreement: np.ndarray, probable: np.ndarray, labelled: np.ndarray, pairs: np.ndarray
) -> tuple[np.ndarray, float]:
    """The pairs that agree better when they are exchanged, and by how much in the mean."""
    left, right = pairs[:, 0], pairs[:, 1]
    as_labelled = agreement[left, left] + agreement[right, right]
    exchanged = agreement[left, right] + agreement[right, left]
    sure = (probable[left] + probable[right]) / 2 * (labelled[left] & labelled[right])
    margins = (exchanged - as_labelled) / 2 * sure
    chosen = margins > LEAST_MARGIN
    return pairs[chosen], float(margins[chosen].mean()) if chosen.any() else 0.0
