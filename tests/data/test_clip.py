"""A drawn person who moves."""

import numpy as np
import pytest

from keras_cornernet.data.scenes import draw_clip
from keras_cornernet.data.scenes.clip import between_poses
from keras_cornernet.data.scenes.poses import Arm, Leg, Pose


def test_joints_move_with_the_person_and_by_little():
    clip = draw_clip(2, 20, noise=0)
    assert clip.images.shape == (20, 240, 320, 3) and clip.keypoints.shape == (20, 14, 2)
    steps = np.linalg.norm(np.diff(clip.keypoints, axis=0), axis=-1)
    assert 0.2 < steps.mean() < 3 and steps.max() < 12
    moved = [
        np.abs(b.astype(int) - a).max(axis=-1) > 20
        for a, b in zip(clip.images, clip.images[1:], strict=False)
    ]
    for index, pixels in enumerate(moved):  # all that changes is the person and the shadow
        y, x = np.nonzero(pixels)
        x1, y1 = clip.boxes[index : index + 2, :2].min(axis=0) - 2
        x2, y2 = clip.boxes[index : index + 2, 2:].max(axis=0) + 2
        assert len(x) and x1 <= x.min() and x.max() <= x2 and y1 <= y.min() and y.max() <= y2 + 12


def test_joints_lie_on_the_person():
    clip = draw_clip(5, 3, noise=0)
    for points, (x1, y1, x2, y2) in zip(clip.keypoints, clip.boxes, strict=True):
        assert (points >= (x1 - 3, y1 - 3)).all() and (points <= (x2 + 3, y2 + 3)).all()
        assert np.ptp(points, axis=0).max() > 0.7 * max(x2 - x1, y2 - y1)


def test_a_longer_clip_begins_alike_and_noise_is_drawn_anew():
    short, long = draw_clip(1, 2), draw_clip(1, 4)
    np.testing.assert_array_equal(short.images, long.images[:2])
    still = draw_clip(1, 2, rate=1e6)
    difference = (still.images[1].astype(float) - still.images[0])[:40, :40]
    assert difference.std() == pytest.approx(8 * 2**0.5, rel=0.1)


def test_a_pose_between_two():
    a = Pose((Arm(0, 0), Arm(0, 0)), (Leg(0, 0), Leg(0, 0)))
    b = Pose((Arm(40, 20, 30, 8), Arm(4, 0)), (Leg(8, 0), Leg(0, 0, 25)), lean=10, turn=-20)
    half = between_poses(a, b, 0.5)
    assert (
        half.arms[0] == Arm(20, 10, 20, 4) and half.legs[1].knee == 15 and (half.lean, half.turn) == (5, -10)
    )


@pytest.mark.parametrize("change", [{"frames": 0}, {"rate": 0}, {"noise": -1}, {"size": (8, 8)}])
def test_arguments_out_of_range_are_named(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        draw_clip(**({"seed": 0, "frames": 1} | change))
