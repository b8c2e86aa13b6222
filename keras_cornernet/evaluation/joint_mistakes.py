"""Labels of joints that are probably wrong, by what a model says that was trained without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keras_cornernet.structures import Person, PoseDataset, Record

SWAPPED, MISPLACED = "swapped left and right", "misplaced joint"
# Without heatmaps: distances, as fractions of the side of a person's square, up to which a joint of the model
# agrees with a label in full, and from which on not at all.
SAME, APART = 0.05, 0.15
LEAST_MARGIN = 0.1  # by which a pair must agree better the other way round
# What heights in heatmaps are at least taken for, so that their ratios mean something.
LOW, LOW_OF_ANY = 0.01, 0.02
OF_ANY = 0.5  # weight of whether any joint's map is high at the label
MOST = np.log((1 + LOW_OF_ANY) / LOW) - OF_ANY * np.log(LOW_OF_ANY)


class JointAnswer(NamedTuple):
    """What a model says of one person.

    Attributes:
        keypoints: `(k, 2)`, image pixels.
        scores: `(k,)`, the height of each joint's peak in its heatmap, about 0..1.
        heights: `(k, k)`, the height of each joint's heatmap (row) near each labelled joint (column); None
            where a model gives no heatmaps, which `heights_by_distance` then stands for.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    heights: np.ndarray | None = None


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


def find_joint_mistakes(dataset: PoseDataset, answers: Sequence[JointAnswer | None]) -> list[JointMistake]:
    """Ranks the labels that differ from what a model says.

    Scores are no probabilities: they say how clear the evidence is. That of a misplaced joint is the
    logarithm of the height of its map's peak over that at the label, and half that of one over the highest
    map of any joint there, on a scale where the clearest evidence is 1. That of exchanged sides is by how
    much the maps of a pair are higher at each other's labels, half their sum, of the pair that is second in
    this, or half that of the first: a model often takes one pair for the other side, rarely two. Both count
    less, the worse the model reads the other joints of the person.

    Args:
        dataset: the labels; joints that are not annotated are left alone.
        answers: for each person that of a model that was not trained on this person; or None, which leaves
            the person out.

    Returns:
        The suspicions, clearest first. Of each person there is at most one of left and right, about all pairs
        that agree better when they are exchanged; these joints are not misplaced as well.
    """
    mistakes: list[JointMistake] = []
    pairs = np.array(dataset.skeleton.flip_pairs, int).reshape(-1, 2)
    for item, (person, answer) in enumerate(zip(dataset.people, answers, strict=True)):
        if answer is not None:
            mistakes += _of_person(item, person, answer, pairs)
    return sorted(mistakes, key=lambda mistake: -mistake.score)


def _of_person(item: int, person: Person, answer: JointAnswer, pairs: np.ndarray) -> list[JointMistake]:
    labelled = person.visibility > 0
    if not labelled.any():
        return []
    heights = heights_by_distance(person, answer) if answer.heights is None else answer.heights
    heights = np.clip(np.asarray(heights, np.float64), 0, 1)
    peaks = np.clip(np.asarray(answer.scores, np.float64), 0, 1)
    own = np.diagonal(heights)
    known = float(own[labelled].mean())  # how well the model reads this person
    mistakes = []
    swapped, score = _swapped(heights, labelled, pairs)
    if score > 0:
        joints = swapped.ravel()
        new = person.keypoints[swapped[:, ::-1].ravel()], person.visibility[swapped[:, ::-1].ravel()]
        # Where all pairs are exchanged the labels agree with nothing as they are.
        score *= (known + _known_either_way(heights, labelled, pairs)) / 2
        mistakes.append(JointMistake(SWAPPED, item, score, tuple(map(int, joints)), *new))
    evidence = np.log((peaks + LOW_OF_ANY) / (own + LOW))
    evidence -= OF_ANY * np.log(heights.max(axis=0) + LOW_OF_ANY)
    evidence = np.where(labelled, np.clip(evidence / MOST, 0, 1) * known, 0)
    evidence[swapped.ravel()] = 0
    for joint in np.flatnonzero(evidence > 0):
        point = np.asarray(answer.keypoints[joint], np.float32)[None]
        seen = person.visibility[joint][None]
        mistakes.append(JointMistake(MISPLACED, item, float(evidence[joint]), (int(joint),), point, seen))
    return mistakes


def heights_by_distance(person: Person, answer: JointAnswer) -> np.ndarray:
    """What stands for `JointAnswer.heights`: the scores, less so the farther the model's joints are off."""
    gap = np.linalg.norm(answer.keypoints[:, None] - person.keypoints[None], axis=-1) / person.side
    result: np.ndarray = np.clip((APART - gap) / (APART - SAME), 0, 1) * answer.scores[:, None]
    return result


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


def _known_either_way(heights: np.ndarray, labelled: np.ndarray, pairs: np.ndarray) -> float:
    """The mean height at labels, each taken for the other side where that is higher."""
    best = np.diagonal(heights).copy()
    for a, b in (pairs.T, pairs.T[::-1]):
        best[a] = np.maximum(best[a], heights[b, a])
    return float(best[labelled].mean())


def _swapped(heights: np.ndarray, labelled: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, float]:
    """The pairs that agree better when they are exchanged, and the evidence for it."""
    pairs = pairs[labelled[pairs].all(axis=1)]
    left, right = pairs[:, 0], pairs[:, 1]
    as_labelled = heights[left, left] + heights[right, right]
    margins = (heights[left, right] + heights[right, left] - as_labelled) / 2
    chosen = margins > LEAST_MARGIN
    if not chosen.any():
        return pairs[:0], 0.0
    first, second = np.sort(np.append(margins, 0))[:-3:-1]
    return pairs[chosen], float(max(second, first / 2))
