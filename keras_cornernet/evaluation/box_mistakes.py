"""Labels of boxes that are probably wrong, by what a model says that was trained without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cornernet.evaluation.probability import probability_of
from keras_cornernet.structures import Boxes, DetectionDataset, Record, Sample
from keras_cornernet.structures.boxes import covered, overlaps

MISSING, WRONG_CLASS, SHIFTED, EXTRA = "missing box", "wrong class", "shifted box", "extra box"
MET = 0.5  # intersection over union from which a detection means a labelled object
APART = 0.3  # below this it means another one
PRECISE = 0.85  # what sound labels and sound detections of the same object reach
LEAST_SCORE = 0.05  # of a detection that is considered
EXTRA_PRIOR = 0.02  # fraction of labels that stand for nothing, before one has looked


@dataclass(frozen=True, eq=False)
class BoxMistake(Record):
    """A label that is probably wrong, or lacking.

    Attributes:
        kind: `"missing box"`, `"wrong class"`, `"shifted box"` or `"extra box"`.
        item: index of the image in the data set.
        score: 0..1; the higher, the more probable.
        row: index of the labelled box on its image, or -1 where one is missing.
        box: `(4,)` float32 `xyxy`, image pixels: where the box should be; of an extra box where it is.
        label: what the object is, or -1 where there is none.
    """

    kind: str
    item: int
    score: float
    row: int
    box: np.ndarray
    label: int


def find_box_mistakes(dataset: DetectionDataset, answers: Sequence[Any]) -> list[BoxMistake]:
    """Ranks the labels that differ from what a model says.

    Scores of detections become probabilities first: how often, over all images, detections of the class that
    score so high mean a label.

    Args:
        dataset: the labels. Ignored boxes, and what they cover, are left alone, and so are classes that an
            image does not label.
        answers: for each image the `Detections` of a model that was not trained on it, all of them, with the
            labels of the data set; or None, which leaves the image out.

    Returns:
        The suspicions, most probable first, at most one for each labelled box. A missing box has a score of
        the detection's probability; a wrong class that of the detection of the other class, less that of
        the label's own; a shifted box that of the detection, less so the more both agree; an extra box
        one minus that of the best detection there, less so the more labels of its class have no better one.
    """
    images = [
        _Image(index, sample, answer)
        for index, (sample, answer) in enumerate(zip(dataset.samples, answers, strict=True))
        if answer is not None
    ]
    _make_probable(images, len(dataset.names))
    _rank_supports(images, len(dataset.names))
    mistakes = [mistake for image in images for mistake in image.mistakes()]
    return sorted(mistakes, key=lambda mistake: -mistake.score)


def correct_boxes(dataset: DetectionDataset, mistakes: Sequence[BoxMistake]) -> DetectionDataset:
    """The data set as it would be if the suspicions were all right: boxes added, moved, renamed, removed.

    Areas of outlines are dropped where an image changes, since they are no longer those of its boxes.
    """
    of_image: dict[int, list[BoxMistake]] = {}
    for mistake in mistakes:
        of_image.setdefault(mistake.item, []).append(mistake)
    samples = list(dataset.samples)
    for item, wrong in of_image.items():
        samples[item] = samples[item].replace(boxes=_corrected(samples[item].boxes, wrong))
    return dataset.replace(samples=tuple(samples))


def _corrected(boxes: Boxes, mistakes: Sequence[BoxMistake]) -> Boxes:
    xyxy, labels = boxes.xyxy.copy(), boxes.labels.copy()
    for mistake in mistakes:
        if mistake.row >= 0:
            xyxy[mistake.row], labels[mistake.row] = mistake.box, mistake.label
    added = [mistake for mistake in mistakes if mistake.row < 0]
    kept = labels >= 0
    return Boxes(
        np.concatenate([xyxy[kept], *(mistake.box[None] for mistake in added)]).astype(np.float32),
        np.concatenate([labels[kept], [mistake.label for mistake in added]]).astype(np.int32),
        np.concatenate([boxes.ignore[kept], np.zeros(len(added), bool)]),
    )


class _Image:
    """One image: its labelled boxes against the detections on it."""

    def __init__(self, index: int, sample: Sample, answer: Any):
        kept = answer.scores >= LEAST_SCORE
        if sample.labelled is not None:
            kept &= sample.labelled[answer.labels]
        self.index, self.partial = index, sample.partial
        self.rows = np.flatnonzero(~sample.boxes.ignore)
        self.boxes, self.labels = sample.boxes.xyxy[self.rows], sample.boxes.labels[self.rows]
        ignored = sample.boxes.xyxy[sample.boxes.ignore]
        kept &= covered(answer.boxes, ignored) <= MET
        self.found, self.found_labels = answer.boxes[kept], answer.labels[kept]
        self.scores = answer.scores[kept].astype(np.float64)
        self.overlap = overlaps(self.boxes, self.found)
        self.same = self.labels[:, None] == self.found_labels
        self.owner = _owners(self.overlap * self.same)
        self.less_supported = np.ones(len(self.labels))

    @property
    def right(self) -> np.ndarray:
        """`(m,)` whether each detection means a label of its class."""
        return self.owner >= 0

    def measure_support(self) -> None:
        """Keeps what detections say for each label: `own` of its class, `any` of all, and `free` overlaps."""
        n = len(self.labels)
        # One more detection, that is none.
        self.free = np.concatenate([self.overlap, np.zeros((n, 1))], axis=1)
        self.weights = np.append(self.scores, 0.0)
        self.alike = np.concatenate([self.same, np.ones((n, 1), bool)], axis=1)
        self.unowned = np.append(self.owner < 0, True)
        self.mine = self.unowned | (np.append(self.owner, -1) == np.arange(n)[:, None])
        agreement = np.clip((self.free - APART) / (MET - APART), 0, 1) * self.weights * self.mine
        self.own, self.any = (agreement * self.alike).max(axis=1), agreement.max(axis=1)

    def mistakes(self) -> list[BoxMistake]:
        """The suspicions about this image."""
        return [*self._of_labels(), *([] if self.partial else self._missing())]

    def _of_labels(self) -> list[BoxMistake]:
        """At most one suspicion for each label."""
        n, rows = len(self.labels), np.arange(len(self.labels))
        other = self.weights * (~self.alike & self.unowned & (self.free >= MET))
        renamed = other.argmax(axis=1)
        wrong_class = other.max(axis=1) * (1 - self.own)

        support = self.weights * self.free * (self.alike & self.mine & (self.free >= APART / 2))
        moved = support.argmax(axis=1)
        distance = np.clip((PRECISE - self.free[rows, moved]) / (PRECISE - APART), 0, 1)
        shifted = np.where(support.max(axis=1) > 0, self.weights[moved] * distance, 0)

        extra = (1 - self.any) * EXTRA_PRIOR / (EXTRA_PRIOR + self.less_supported)
        scores = np.stack([wrong_class, shifted, extra])
        found = np.concatenate([self.found, np.zeros((1, 4), np.float32)])
        labels = np.append(self.found_labels, -1)
        result = []
        for row, kind in zip(range(n), scores.argmax(axis=0), strict=True):
            name, box, label = (
                (WRONG_CLASS, self.boxes[row], labels[renamed[row]]),
                (SHIFTED, found[moved[row]], self.labels[row]),
                (EXTRA, self.boxes[row], -1),
            )[kind]
            score = float(scores[kind, row])
            if score > 0:
                place = int(self.rows[row])
                result.append(BoxMistake(name, self.index, score, place, box.copy(), int(label)))
        return result

    def _missing(self) -> list[BoxMistake]:
        """Detections that mean no label, and no other of these."""
        met = self.overlap.max(axis=0, initial=0.0)
        # A label that another detection means better does not explain this one.
        taken = np.zeros(len(self.labels), bool)
        taken[self.owner[self.right]] = True
        explained = (self.overlap * ~taken[:, None]).max(axis=0, initial=0.0) >= APART
        candidates = np.flatnonzero(~self.right & (met < MET) & ~explained)
        among = overlaps(self.found, self.found)
        result: list[BoxMistake] = []
        chosen: list[int] = []
        for i in candidates[np.argsort(-self.scores[candidates], kind="stable")]:
            if (among[i, chosen] < APART).all():
                chosen.append(int(i))
                score, label = float(self.scores[i]), int(self.found_labels[i])
                result.append(BoxMistake(MISSING, self.index, score, -1, self.found[i].copy(), label))
        return result


def _owners(overlap: np.ndarray) -> np.ndarray:
    """`(m,)` the label that each detection means, or -1; labels by detections, 0 where classes differ."""
    if not overlap.size:
        return np.full(overlap.shape[1], -1)
    best = overlap.argmax(axis=0)
    return np.where(overlap.max(axis=0) >= MET, best, -1)


def _make_probable(images: Sequence[_Image], classes: int) -> None:
    """Turns the scores of all detections into probabilities, class by class."""
    if not images:
        return
    scores = np.concatenate([image.scores for image in images])
    labels = np.concatenate([image.found_labels for image in images])
    right = np.concatenate([_first_of_each(image) for image in images])
    probable = np.zeros(len(scores))
    for label in range(classes):
        mine = np.flatnonzero(labels == label)
        probable[mine] = probability_of(scores[mine], right[mine])
    ends = np.cumsum([len(image.scores) for image in images])
    for image, part in zip(images, np.split(probable, ends[:-1]), strict=True):
        image.scores = part


def _first_of_each(image: _Image) -> np.ndarray:
    """`(m,)` whether a detection means a label that none of a higher score means."""
    right = np.zeros(len(image.scores), bool)
    order = np.argsort(-image.scores, kind="stable")
    owners = image.owner[order]
    _, first = np.unique(owners, return_index=True)
    right[order[first]] = owners[first] >= 0
    return right


def _rank_supports(images: Sequence[_Image], classes: int) -> None:
    """Keeps for each label the fraction of the labels of its class that no better detection supports."""
    for image in images:
        image.measure_support()
    if not images:
        return
    labels = np.concatenate([image.labels for image in images])
    support = np.concatenate([image.any for image in images])
    fraction = np.ones(len(labels))
    for label in range(classes):
        mine = np.flatnonzero(labels == label)
        ranked = np.sort(support[mine])
        fraction[mine] = np.searchsorted(ranked, support[mine], side="right") / max(len(mine), 1)
    ends = np.cumsum([len(image.labels) for image in images])
    for image, part in zip(images, np.split(fraction, ends[:-1]), strict=True):
        image.less_supported = part
