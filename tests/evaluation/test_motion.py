"""Jitter and lag of joints that are followed."""

import numpy as np
import pytest

from keras_cornernet.evaluation.motion import jitter, lag, typical_jitter

RNG = np.random.default_rng(0)
TRUTH = [np.sin(np.arange(40)[:, None, None] / 6 + RNG.uniform(0, 6, (1, 3, 2))) * 20 for _ in range(2)]


def test_what_moves_as_the_truth_does_not_jitter():
    assert jitter(TRUTH, TRUTH) == 0
    assert jitter([clip + 7 for clip in TRUTH], TRUTH) == pytest.approx(0, abs=1e-12)


def test_the_deviation_of_steps_is_measured():
    noisy = [clip + RNG.normal(0, 0.5, clip.shape) for clip in TRUTH]
    steps = [
        (a[i, j, c] - a[i - 1, j, c]) - (b[i, j, c] - b[i - 1, j, c])
        for a, b in zip(noisy, TRUTH, strict=True)
        for i in range(1, 40)
        for j in range(3)
        for c in range(2)
    ]
    assert jitter(noisy, TRUTH) == pytest.approx(np.std(steps))
    assert typical_jitter(noisy, TRUTH) == pytest.approx(0.5 * 2**0.5, rel=0.1)
    noisy[0][5, 0] += 300  # one jump
    assert jitter(noisy, TRUTH) > 10 and typical_jitter(noisy, TRUTH) < 1


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_delayed_joints_lag(frames):
    late = [np.concatenate([clip[:1]] * frames + [clip[: len(clip) - frames]]) for clip in TRUTH]
    assert lag(late, TRUTH) == pytest.approx(frames)


def test_between_frames_too():
    half = [(clip + np.concatenate([clip[:1], clip[:-1]])) / 2 for clip in TRUTH]
    assert lag(half, TRUTH) == pytest.approx(0.5, abs=0.06)


def test_other_shapes_are_named():
    with pytest.raises(ValueError, match="found: expected the shapes of truth"):
        jitter([TRUTH[0][1:]], TRUTH[:1])
    with pytest.raises(ValueError, match="more than 8 frames"):
        lag([TRUTH[0][:8]], [TRUTH[0][:8]])
