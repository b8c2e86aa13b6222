"""The heights of heatmaps at annotated joints."""

import numpy as np
import pytest
from exportable import estimator as pose_estimator
from PIL import Image

from keras_cornernet.ops.affine import transform_points
from keras_cornernet.preprocessing import person_view, read_image
from keras_cornernet.structures import Person, PoseDataset


@pytest.mark.parametrize("flip", [False, True])
def test_they_are_those_of_a_loop_over_joints(tmp_path, flip):
    estimator = pose_estimator()
    k = len(estimator.skeleton.joints)
    rng = np.random.default_rng(0)
    people = []
    for i in range(3):
        path = tmp_path / f"{i}.png"
        Image.fromarray(rng.integers(0, 255, (80, 100, 3), np.uint8)).save(path)
        points = rng.uniform(5, 75, (k, 2)).astype(np.float32)
        center = np.array([50, 40], np.float32)
        people.append(Person(str(path), i, center, 90.0, points, np.full(k, 2, np.int32)))
    dataset = PoseDataset(tuple(people), estimator.skeleton)
    heights = estimator.heights_at_joints(dataset, flip=flip, batch_size=2)
    assert heights.shape == (3, k, k)
    size = estimator.settings.input_size
    for person, found in zip(people, heights, strict=True):
        view = person_view(person.center, person.side, size)
        shown = view.apply(read_image(person.path))[None].astype(np.float32)
        maps = np.asarray(estimator.heatmaps(shown, flip=flip))[0]
        rows, columns = maps.shape[:2]
        points = transform_points(view.input_from_image, person.keypoints)
        for j, (x, y) in enumerate(points):
            column = min(max(int(np.floor(x * columns / size[1])), 0), columns - 1)
            row = min(max(int(np.floor(y * rows / size[0])), 0), rows - 1)
            window = maps[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
            np.testing.assert_allclose(found[:, j], window.max(axis=(0, 1)), atol=1e-5)


def test_people_whose_image_cannot_be_read_have_none(tmp_path):
    estimator = pose_estimator()
    k = len(estimator.skeleton.joints)
    lost = Person("gone.png", 1, np.zeros(2, np.float32), 9.0, np.zeros((k, 2), np.float32), np.ones(k, int))
    told = []
    heights = estimator.heights_at_joints(
        PoseDataset((lost,), estimator.skeleton), on_error=lambda *what: told.append(what)
    )
    assert np.isnan(heights).all() and told[0][0] == "gone.png"


def test_without_known_sides_the_mirror_image_is_not_used():
    from keras_cornernet.inference import PoseEstimator

    known = pose_estimator()
    names = tuple(f"joint_{i}" for i in range(len(known.skeleton.joints)))
    unknown = known.skeleton.replace(joints=names, flip_pairs=(), torso=("", ""))
    estimator = PoseEstimator(known.network, known.codec, unknown, known.settings.__class__(flip=True))
    assert known.with_settings(flip=True).settings.flip and not estimator.settings.flip
