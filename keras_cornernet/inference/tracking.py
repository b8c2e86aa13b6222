"""Objects followed from frame to frame, and their joints smoothed."""

import math
from dataclasses import dataclass, field

import numpy as np

from keras_cornernet.checks import check_number
from keras_cornernet.structures.boxes import overlaps

JOINT_SPEED = 3.0  # sizes of a person a second; hands that do not strike move slower


@dataclass
class _Track:
    """One object: its number, class, last box, how that moves in a frame, and frames since it was seen."""

    number: int
    label: int
    box: np.ndarray
    velocity: np.ndarray
    unseen: int = 0


@dataclass
class Tracker:
    """Gives each object the same number in all frames.

    An object is the one of the frame before whose expected box, of the same class, it overlaps most: its last
    box moved on as it moved before (as in SORT, Bewley et al. 2016, with a mean of the motion in place of a
    Kalman filter).

    Attributes:
        min_overlap: intersection over union from which two boxes may be one object.
        patience: frames for which an object that is not seen keeps its number.
        inertia: how much of its motion before an object keeps in each frame.

    Raises:
        ValueError: a value is out of its range.
    """

    min_overlap: float = 0.2
    patience: int = 30
    inertia: float = 0.7
    _tracks: list[_Track] = field(default_factory=list, repr=False)
    _next: int = field(default=1, repr=False)

    def __post_init__(self) -> None:
        check_number("min_overlap", self.min_overlap, above=0, at_most=1)
        check_number("patience", self.patience, at_least=0, whole=True)
        check_number("inertia", self.inertia, at_least=0, below=1)

    def update(self, boxes: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """The numbers of the objects of the next frame.

        Args:
            boxes: `(n, 4)` `xyxy`, pixels.
            labels: `(n,)` their classes; None: all of one.

        Returns:
            `(n,)` int64, from 1; a number is never used for another object.
        """
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        labels = np.zeros(len(boxes), int) if labels is None else np.asarray(labels)
        numbers = np.zeros(len(boxes), np.int64)
        for track in self._tracks:
            track.unseen += 1
        for row, track in self._pairs(boxes, labels):
            moved = (boxes[row] - track.box) / track.unseen
            track.velocity = self.inertia * track.velocity + (1 - self.inertia) * moved
            track.box, track.unseen = boxes[row], 0
            numbers[row] = track.number
        for new in np.flatnonzero(numbers == 0):
            self._tracks.append(_Track(self._next, int(labels[new]), boxes[new], np.zeros(4)))
            numbers[new] = self._next
            self._next += 1
        self._tracks = [track for track in self._tracks if track.unseen <= self.patience]
        return numbers

    @property
    def numbers(self) -> set[int]:
        """The numbers of the objects that are remembered."""
        return {track.number for track in self._tracks}

    def _pairs(self, boxes: np.ndarray, labels: np.ndarray) -> list[tuple[int, _Track]]:
        """Which box is which object, those that overlap most first."""
        if not self._tracks or not len(boxes):
            return []
        expected = np.array([track.box + track.unseen * track.velocity for track in self._tracks])
        overlap = overlaps(boxes, expected)
        overlap *= labels[:, None] == np.array([track.label for track in self._tracks])
        pairs: list[tuple[int, _Track]] = []
        while overlap.max() >= self.min_overlap:
            row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
            pairs.append((int(row), self._tracks[int(column)]))
            overlap[row], overlap[:, column] = -1, -1
        return pairs


class OneEuroFilter:
    """Smooths values that change over time: much while they rest, little while they move.

    Args:
        min_cutoff: hertz; the lower, the smoother at rest.
        beta: by how much motion raises the cutoff: hertz for each unit a second, in units of `scale`.
        speed_cutoff: hertz, of the smoothing of the speed.
        max_speed: units a second, in units of `scale`; what moves faster is taken to have moved so fast. The
            paper has no such bound: it is for joints that jump where left and right are confused.

    With the defaults and a `max_speed` of `JOINT_SPEED` the jitter of joints is less than half, half a frame
    behind at 30 frames a second (`benchmarks/following.py`).

    Source: Casiez, Roussel & Vogel 2012, "1 euro filter", algorithm 1.
    """

    def __init__(
        self,
        min_cutoff: float = 2.0,
        beta: float = 10.0,
        speed_cutoff: float = 1.0,
        max_speed: float = math.inf,
    ):
        check_number("min_cutoff", min_cutoff, above=0)
        check_number("beta", beta, at_least=0)
        check_number("speed_cutoff", speed_cutoff, above=0)
        if max_speed != math.inf:
            check_number("max_speed", max_speed, above=0)
        self.min_cutoff, self.beta, self.speed_cutoff = min_cutoff, beta, speed_cutoff
        self.max_speed = max_speed
        self._before: tuple[float, np.ndarray, np.ndarray] | None = None

    def __call__(self, values: np.ndarray, seconds: float, scale: float = 1.0) -> np.ndarray:
        """The smoothed values.

        Args:
            values: an array, of the same shape in each call.
            seconds: the time of the values, which must grow.
            scale: what counts as one unit, such as the size of a person in pixels.
        """
        values = np.asarray(values, np.float64)
        smoothed: np.ndarray
        if self._before is None or seconds <= self._before[0]:
            self._before = seconds, values, np.zeros_like(values)
            return values
        then, smoothed, speed = self._before
        passed, scale = seconds - then, max(scale, 1e-6)
        farthest = self.max_speed * scale * passed
        step = np.clip(values - smoothed, -farthest, farthest)
        speed = speed + _weight(self.speed_cutoff, passed) * (step / passed - speed)
        cutoff = self.min_cutoff + self.beta * np.abs(speed) / scale
        smoothed = smoothed + _weight(cutoff, passed) * step
        self._before = seconds, smoothed, speed
        return smoothed


def _weight(cutoff: float | np.ndarray, passed: float) -> np.ndarray:
    """The weight of new values in a low-pass filter."""
    rate = 2 * math.pi * np.asarray(cutoff) * passed
    result: np.ndarray = rate / (rate + 1)
    return result
