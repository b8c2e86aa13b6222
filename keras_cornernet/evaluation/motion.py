"""How steadily and how promptly joints are followed through clips whose truth is known.

All functions take lists with an array `(frames, k, 2)` for each clip, image pixels, without gaps.
"""

from collections.abc import Sequence

import numpy as np

LAGS = np.arange(-1, 3.001, 0.05)  # frames
EDGE = 4  # frames at both ends of a clip, whose shifted truth may not be known


def jitter(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """Standard deviation of how joints move from frame to frame, less how they truly move, pixels.

    Raises:
        ValueError: the shapes of what was found and of the truth differ.
    """
    return float(_excess(found, truth).std())


def typical_jitter(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """`jitter` by the median (1.4826 times that of absolute values), which rare jumps do not touch."""
    return float(1.4826 * np.median(np.abs(_excess(found, truth))))


def lag(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """By how many frames the truth must be delayed to lie nearest to what was found, on average.

    Returns:
        One of `LAGS`; positive if joints come late.

    Raises:
        ValueError: the shapes differ, or no clip is longer than `2 * EDGE` frames.
    """
    _check(found, truth)
    if all(len(clip) <= 2 * EDGE for clip in truth):
        raise ValueError(f"truth: expected a clip of more than {2 * EDGE} frames")
    return float(LAGS[np.argmin([_mean_distance(found, truth, delay) for delay in LAGS])])


def _mean_distance(found: Sequence[np.ndarray], truth: Sequence[np.ndarray], delay: float) -> float:
    distances = []
    for mine, true in zip(found, truth, strict=True):
        at = np.arange(len(true), dtype=np.float64)
        columns = np.reshape(true, (len(true), -1)).T
        delayed = np.stack([np.interp(at - delay, at, column) for column in columns], axis=1)
        distances.append(np.linalg.norm(mine - delayed.reshape(true.shape), axis=-1)[EDGE:-EDGE].ravel())
    return float(np.concatenate(distances).mean())


def _excess(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> np.ndarray:
    """How much each coordinate moves from frame to frame beyond how it truly moves."""
    _check(found, truth)
    return np.concatenate(
        [np.diff(mine - true, axis=0).ravel() for mine, true in zip(found, truth, strict=True)]
    )


def _check(found: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> None:
    shapes = [[np.shape(clip) for clip in clips] for clips in (found, truth)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"found: expected the shapes of truth, {shapes[1]}, got {shapes[0]}")
