"""Followed people on drawn clips, against a detector in each frame: a small `benchmarks/following.py`."""

import numpy as np
import pytest

from keras_cornernet.data.scenes import draw_clip
from keras_cornernet.evaluation.motion import jitter, lag
from keras_cornernet.evaluation.pck import pck, torso_size
from keras_cornernet.inference.followed_video import person_follower
from keras_cornernet.presets import from_preset
from keras_cornernet.skeletons import LSP

pytestmark = pytest.mark.slow
FRAMES = 40


@pytest.fixture(scope="module")
def clips():
    return [draw_clip(seed, FRAMES) for seed in range(4)]


@pytest.fixture(scope="module")
def models():
    return from_preset("hourglass_people"), from_preset("cornernet_people")


def joints_of(clip, follower, *, detect_each=False):
    """The joints on each frame; with `detect_each` each is a first one, as it were."""
    found = []
    for index, image in enumerate(clip.images):
        if detect_each:
            follower.square = None
        found.append(follower.next(image, index / clip.rate).keypoints)
    return np.array(found)


def pck_of(found, truth):
    joints, true = np.concatenate(found), np.concatenate(truth)
    known = np.ones(joints.shape[:2], bool)
    fractions, _ = pck(joints, true, known, torso_size(true, known, LSP), 0.2)
    return fractions.mean()


def test_half_the_jitter_less_than_a_frame_behind_with_hardly_a_detector(clips, models):
    truth = [clip.keypoints for clip in clips]
    each = [joints_of(clip, person_follower(*models), detect_each=True) for clip in clips]
    followers = [person_follower(*models) for _ in clips]
    followed = [joints_of(clip, follower) for clip, follower in zip(clips, followers, strict=True)]
    assert jitter(followed, truth) <= 0.5 * jitter(each, truth)
    assert 0 <= lag(followed, truth) <= 1
    assert pck_of(followed, truth) >= pck_of(each, truth) - 0.002  # 5 of 2,240 joints
    assert sum(follower.detections for follower in followers) < 0.1 * len(clips) * FRAMES
