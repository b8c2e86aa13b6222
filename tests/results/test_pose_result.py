"""`Poses` as a sequence of people."""

import numpy as np
import pytest
from result_cases import ARM, no_poses, poses


def test_one_line_states_people_image_and_best_score():
    assert repr(poses()) == "Poses: 2 people in street.jpg (50x60), best 0.72"
    assert repr(poses()[:1]) == "Poses: 1 person in street.jpg (50x60), best 0.72"
    assert repr(no_poses()) == "Poses: no people in street.jpg (50x60)"
    assert repr(poses()[0]) == "Pose: person 0.72 of 3 joints at [6.0, 5.0, 30.0, 45.0]"


def test_a_persons_score_is_the_boxs_times_the_mean_of_the_joints():
    np.testing.assert_allclose(poses().scores, [0.9 * 0.8, 0.5 * 0.5], rtol=1e-6)
    assert no_poses().scores.shape == (0,)


def test_iteration_gives_single_people():
    first, second = poses()
    assert first == poses()[0] != second
    np.testing.assert_array_equal(second.keypoints, poses().keypoints[1])
    np.testing.assert_array_equal(second.keypoint_scores, poses().keypoint_scores[1])
    assert second.box.tolist() == [30, 0, 66, 25] and second.box_score == 0.5
    assert second.score == pytest.approx(0.25) and second.names == ARM.joints


def test_min_score_is_of_people():
    assert poses().with_min_score(0.3) == poses()[:1]
    assert not poses().with_min_score(0.8)


def test_summary():
    assert poses().summary() == {
        "path": "pictures/street.jpg",
        "image_size": [50, 60],
        "count": 2,
        "best_score": 0.72,
        "speed": None,
        "joints": {"shoulder": 0.875, "elbow": 0.3, "wrist": 0.775},
    }
    assert no_poses().summary()["joints"] == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoints": np.zeros((2, 4, 2))}, r"keypoints: expected the shape \(2, 3, 2\), got \(2, 4, 2\)"),
        ({"keypoint_scores": np.zeros((2, 2))}, r"keypoint_scores: expected the shape \(2, 3\)"),
        ({"boxes": np.zeros((1, 4))}, r"boxes: expected the shape \(2, 4\), got \(1, 4\)"),
        ({"box_scores": np.zeros((2, 1))}, r"box_scores: expected the shape \(2,\), got \(2, 1\)"),
    ],
)
def test_arrays_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        poses(**changes)


def test_plot_draws_people_and_joints_of_at_least_their_score():
    grey = poses().image
    everyone, one, fewer = (
        np.asarray(picture)
        for picture in (poses().plot(), poses().plot(0.3), poses().plot(min_keypoint_score=0.95))
    )
    assert (everyone[:, 35:] != grey[:, 35:]).any() and (one[:, 35:] == grey[:, 35:]).all()
    np.testing.assert_array_equal(one[:, :35], everyone[:, :35])
    assert (fewer[25:] == grey[25:]).all() and (fewer != grey).any()  # the first shoulder alone
    np.testing.assert_array_equal(np.asarray(no_poses().plot()), grey)
