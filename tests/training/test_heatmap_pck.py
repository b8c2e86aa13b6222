"""The share of joints near their place: against a plain loop and the evaluation's own."""

import keras
import numpy as np
import pytest

from keras_cornernet.evaluation.pose_errors import heatmap_pck
from keras_cornernet.training import HeatmapPCK


def drawn(seed, rows, columns, batch=6, joints=5):
    """Targets of one peak each, answers up to some cells beside it, and which joints are annotated."""
    rng = np.random.default_rng(seed)
    target, answer = np.zeros((2, batch, rows, columns, joints), np.float32)
    for b, k in np.ndindex(batch, joints):
        y, x = rng.integers(1, rows), rng.integers(1, columns)
        target[b, y, x, k] = 1
        y, x = np.clip(np.add((y, x), rng.integers(-5, 6, 2)), 0, (rows - 1, columns - 1))
        answer[b, y, x, k] = rng.uniform(0.1, 2)
    return target, answer, rng.integers(0, 2, (batch, joints)).astype(np.float32)


def share_of(metric, target, weight, *answers):
    outputs = [{"keypoints": {"heatmap": maps}} for maps in answers]
    fraction, count = metric({"keypoints": {"heatmap": target, "weight": weight}}, outputs)
    return float(fraction), float(count)


@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (24, 32), (32, 24)])
@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_equals_a_plain_loop(rows, columns, threshold):
    target, answer, weight = drawn(rows, rows, columns)
    hits = []
    for b, k in zip(*np.nonzero(weight), strict=True):
        (y, x), (v, u) = (np.unravel_index(m[b, ..., k].argmax(), (rows, columns)) for m in (target, answer))
        hits.append(np.hypot(y - v, x - u) <= threshold * max(rows, columns) / 10)
    fraction, count = share_of(HeatmapPCK(threshold), target, weight, target, answer)  # the last stack counts
    assert fraction == pytest.approx(np.mean(hits)) and 0 < fraction < 1
    assert count == len(hits) == weight.sum()


@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (24, 32), (32, 24)])
def test_equals_the_evaluation(rows, columns):
    target, answer, weight = drawn(1, rows, columns)
    target *= weight[:, None, None]  # which leaves a joint with an empty map out
    fractions, num_blocks = heatmap_pck(answer, target)
    fraction, count = share_of(HeatmapPCK(), target, weight, answer)
    assert count == num_blocks.sum()
    assert fraction == pytest.approx(np.nansum(fractions * num_blocks) / num_blocks.sum())


def test_a_distance_of_exactly_the_threshold_is_a_hit():
    target, answer = np.zeros((2, 1, 60, 60, 2), np.float32)
    target[0, 30, 30] = 1
    answer[0, 30, 33, 0] = answer[0, 30, 34, 1] = 1
    assert share_of(HeatmapPCK(), target, np.ones((1, 2)), answer) == (0.5, 2)
    assert HeatmapPCK().name == "pck"


def test_batches_without_joints_weigh_nothing():
    target, answer, weight = drawn(2, 16, 16)
    assert share_of(HeatmapPCK(), target, weight * 0, answer) == (0, 0)
    mean = keras.metrics.Mean()
    for kept in (weight, weight * 0, weight):
        fraction, count = share_of(HeatmapPCK(), target, kept, answer)
        mean.update_state(fraction, sample_weight=count)
    assert float(mean.result()) == pytest.approx(share_of(HeatmapPCK(), target, weight, answer)[0])
