"""What scores are worth: how often answers of such a score are right."""

import numpy as np


def probability_of(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The probability that an answer is right, as a function of its score that never falls.

    Isotonic regression: of all functions that never fall, the one nearest to what was seen (pool adjacent
    violators, Zadrozny & Elkan 2002).

    Args:
        scores: `(n,)`.
        right: `(n,)` bool, which answers are right.

    Returns:
        `(n,)` float64, 0..1.
    """
    values, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    sums = np.bincount(group, weights=right, minlength=len(values))
    blocks: list[tuple[float, int, int]] = []  # sum, number of answers, number of different scores
    for total, count in zip(sums.tolist(), counts.tolist(), strict=True):
        block = (total, count, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    means = [total / count for total, count, _ in blocks]
    levels = np.repeat(means, [length for _, _, length in blocks]) if blocks else np.zeros(0)
    result: np.ndarray = levels[group]
    return result
