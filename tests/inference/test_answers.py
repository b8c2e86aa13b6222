"""From decoded maps to final answers, on any backend."""

from typing import NamedTuple

import numpy as np
import pytest
from keras import ops
from naive_soft_nms import naive

from keras_cornernet.backend import jit
from keras_cornernet.codecs import Decoded, DecodedTriplets, KeypointCodec
from keras_cornernet.inference import InferenceConfig
from keras_cornernet.inference.answers import BoxAnswers, KeypointAnswers
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.inference.mirroring import halves
from keras_cornernet.inference.placement import placement_of
from keras_cornernet.preprocessing import fit_view
from keras_cornernet.skeletons import Skeleton

INPUT = (64, 64)
SIZES = [(32, 32), (16, 32)]
PLACEMENT = placement_of([fit_view(size, INPUT) for size in SIZES], SIZES)
BACK = [lambda xy: xy / 2, lambda xy: xy / 2 - [0, 8]]  # of the two images


class Rows(NamedTuple):
    """In place of a codec: the outputs are what it decodes."""

    row_type: type = Decoded

    def decode(self, outputs, input_size):
        assert input_size == INPUT
        return self.row_type(*outputs[-1]["rows"].values())


class Averaging(Rows):
    """Averages the boxes of images and mirror images before it decodes."""

    averages_mirrored = True

    def average_mirrored(self, outputs, mirrored):
        ours, theirs = (maps[-1]["rows"] for maps in (outputs, mirrored))
        return [{"rows": {name: (ours[name] + theirs[name]) / 2 for name in ours}}]


def decoded(images, count=15, seed=0):
    rng = np.random.default_rng(seed)
    first = rng.uniform(-4, 50, (images, count, 2))
    boxes = np.concatenate([first, first + rng.uniform(4, 30, first.shape)], -1).astype(np.float32)
    scores = rng.uniform(0.1, 1, (images, count)).astype(np.float32)
    scores[:, ::7] = -1
    labels = np.zeros((images, count), np.int32)
    return Decoded(boxes, scores, labels, rng.uniform(0.1, 1, (images, count, 2)).astype(np.float32))


def rows(found):
    return [{"rows": found._asdict()}]


def run(settings, outputs, *, flip, codec=None):
    answers = BoxAnswers(codec or Rows(), InferenceConfig(**settings))
    names = list(outputs[-1]["rows"])

    @jit
    def graph(*parts):
        outputs = [{"rows": dict(zip(names, parts, strict=True))}]
        return answers.answers(outputs, PLACEMENT, INPUT, flip=flip)

    found = graph(*outputs[-1]["rows"].values())
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


def by_hand(found, i, mirrored=False, border=None):
    """Rows x1, y1, x2, y2, score, corner scores of the boxes of image `i` in its pixels."""
    boxes, scores, _, corner_scores = (part[i] for part in found)
    if mirrored:
        boxes = np.stack([64 - boxes[:, 2], boxes[:, 1], 64 - boxes[:, 0], boxes[:, 3]], -1)
    image = i % 2
    boxes = np.concatenate([BACK[image](boxes[:, :2]), BACK[image](boxes[:, 2:])], -1)
    height, width = SIZES[image]
    keep = scores >= 0
    if border is not None:
        keep &= (boxes * 2 > -border).all(axis=1)
        keep &= ((boxes[:, 2:] - [width, height]) * 2 < border).all(axis=1)
    boxes = np.clip(boxes, 0, [width, height, width, height])
    return np.concatenate([boxes, scores[:, None], corner_scores], -1)[keep]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("settings", [{}, {"border": 3.0}, {"method": "linear", "merge_exponent": 6.0}])
def test_boxes_by_hand(flip, settings):
    found = decoded(2 * (1 + flip))
    got = run({"max_detections": 40, **settings}, rows(found), flip=flip)
    rule = {"method": 1 if settings.get("method") == "linear" else 2, "sigma": 0.5, "Nt": 0.5}
    for i in range(2):
        candidates = by_hand(found, i, border=settings.get("border"))
        if flip:
            mirrored = by_hand(found, i + 2, mirrored=True, border=settings.get("border"))
            candidates = np.concatenate([candidates, mirrored])
        expected, _ = naive(candidates, rule, settings.get("merge_exponent"))
        count = got["num_detections"][i]
        assert count == len(expected) > 2
        np.testing.assert_allclose(got["boxes"][i, :count], expected[:, :4], atol=1e-3)
        np.testing.assert_allclose(got["scores"][i, :count], expected[:, 4], atol=1e-5)
        assert (got["labels"][i, :count] == 0).all()
        assert (got["boxes"][i, count:] == 0).all() and (got["scores"][i, count:] == 0).all()
        assert (got["labels"][i, count:] == -1).all()


def test_a_codec_may_average_the_maps_of_mirror_images():
    one, other = decoded(2, seed=1), decoded(2, seed=2)
    both = Decoded(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
    mean = Decoded(*((a + b) / 2 for a, b in zip(one, other, strict=True)))
    got = run({}, rows(both), flip=True, codec=Averaging())
    expected = run({}, rows(mean), flip=False)
    for name, value in expected.items():
        np.testing.assert_allclose(got[name], value, atol=1e-5)


def test_centres_confirm_boxes_in_image_pixels():
    found = decoded(2, seed=3)
    found.boxes[:, 0] = [20, 20, 44, 44]
    middles = (found.boxes[:, :1, :2] + found.boxes[:, :1, 2:]) / 2  # of the first box of each image
    scores = np.full((2, 1), 0.5, np.float32)
    for mirrored, points in ((False, middles), (True, [64, 0] + middles * [-1, 1])):
        triplets = DecodedTriplets(*found, points.astype(np.float32), scores, np.zeros((2, 1), np.int32))
        live = found.scores.copy()
        live[:, 0] = 0.9
        triplets = triplets._replace(scores=live)
        if mirrored:  # only the centres of the mirror image are there
            none = triplets._replace(center_scores=scores - 2)
            triplets = triplets._replace(scores=live * 0 - 1)
            triplets = DecodedTriplets(*(np.concatenate(pair) for pair in zip(none, triplets, strict=True)))
        got = run({}, rows(triplets), flip=mirrored, codec=Rows(DecodedTriplets))
        assert (got["num_detections"] >= 1).all()
        np.testing.assert_allclose(got["scores"][:, 0].max(), (2 * 0.9 + 0.5) / 3, atol=1e-6)


def test_halves_keep_branches_and_heads():
    maps = {"center": {"heatmap": np.arange(4)[:, None], "size": np.arange(8).reshape(4, 2)}}
    first, second = halves(maps)
    np.testing.assert_array_equal(first["center"]["heatmap"], [[0], [1]])
    np.testing.assert_array_equal(second["center"]["size"], [[4, 5], [6, 7]])


def test_keypoints_are_averaged_with_those_of_the_mirror_image():
    skeleton = Skeleton("hands", ("left", "right"), (), ((0, 1),))
    maps = np.zeros((4, 16, 16, 2), np.float32)
    maps[0, 3, 5] = [0.8, 0.0]  # left hand of the first image ...
    maps[2, 3, 10] = [0.0, 0.4]  # ... which in the mirror image is a right one
    maps[[1, 3], 0, 0] = 1
    answers = KeypointAnswers(KeypointCodec(refinement="none"), skeleton, PoseInferenceConfig(INPUT))
    outputs = [{"keypoints": {"heatmap": maps}}]
    found = answers.answers(outputs, PLACEMENT, INPUT, flip=True)
    keypoints, scores = (ops.convert_to_numpy(found[name]) for name in answers.outputs)
    np.testing.assert_allclose(keypoints[0, 0], [5.5 * 4 / 2, 3.5 * 4 / 2])
    np.testing.assert_allclose(scores[0, 0], 0.6, atol=1e-6)
