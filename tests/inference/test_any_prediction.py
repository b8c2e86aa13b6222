"""Whatever a network says, the boxes are boxes of the image, and evaluation takes them."""

import numpy as np
import pytest
from keras import ops

from keras_cornernet.codecs import LEVELS, CornerCodec, Decoded, SaccadeCodec
from keras_cornernet.evaluation import evaluate_detections
from keras_cornernet.inference import Detector, InferenceConfig, SaccadeConfig, SaccadeDetector
from keras_cornernet.ops.suppression import soft_nms
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

CATEGORIES = Categories(("cat", "dog"), (3, 8))
IMAGE = np.zeros((63, 63, 3), np.uint8)
TRUTH = Boxes(np.array([[5, 5, 30, 30]], np.float32), np.array([1], np.int32), np.zeros(1, bool))
DATASET = DetectionDataset((Sample("image.png", 1, (63, 63), TRUTH),), CATEGORIES)


class Drawn:
    """In place of a network and its codec: boxes that overlap, whose corners' scores are drawn lots."""

    num_detections = 12

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        first = rng.uniform(-9, 60, (1, 12, 2))
        boxes = np.concatenate([first, first + rng.uniform(5, 40, (1, 12, 2))], axis=-1)
        corner_scores = 10 ** rng.uniform(-5, 0, (1, 12, 2))
        parts = boxes, rng.uniform(0.3, 1, (1, 12)), np.zeros((1, 12)), corner_scores
        self.parts = [np.asarray(part, np.float32) for part in parts]

    def __call__(self, images, training=False):
        return images

    def decode(self, images, input_size):
        boxes, scores, labels, corner_scores = (ops.repeat(p, images.shape[0], axis=0) for p in self.parts)
        return Decoded(boxes, scores, ops.cast(labels, "int32"), corner_scores)

    def attention(self, images):
        return {
            name: ops.zeros((images.shape[0], *2 * (-(-63 // level.stride),)))
            for name, level in LEVELS.items()
        }


class Maps:
    """In place of a network: the same heads whatever the image."""

    def __init__(self, heads):
        self.heads = heads

    def __call__(self, images, training=False):
        def branch(heads):
            return {name: ops.repeat(value, images.shape[0], axis=0) for name, value in heads.items()}

        corners = {name: branch(self.heads) for name in ("top_left", "bottom_right")}
        attention = {name: ops.zeros((images.shape[0], 16, 16, 1)) for name in LEVELS}
        return [{**corners, "attention": attention}]


def detector(network, codec=None, **settings):
    return Detector(network, codec or network, CATEGORIES, InferenceConfig(**settings))


def saccade(network, codec=None, **settings):
    shown = {"input_size": (63, 63), "first_sizes": (63,), "max_crops": 2, "crop_batch": 2}
    return SaccadeDetector(network, codec or network, CATEGORIES, SaccadeConfig(**shown, **settings))


def check(found):
    assert np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()
    assert (found.boxes >= 0).all() and (found.boxes <= 63).all()
    assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
    assert 0 <= evaluate_detections(DATASET, [found])["AP"] <= 1


@pytest.fixture(scope="module")
def seeds_of_inversions():
    """Seeds of `Drawn` with which the means of the corners, taken alone, change places."""
    drawn = [Drawn(seed).parts for seed in range(40)]
    boxes, scores, labels, corner_scores = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    merged = soft_nms(np.clip(boxes, 0, 63), scores, labels, corner_scores=corner_scores, merge_exponent=0.5)
    merged = ops.convert_to_numpy(merged.boxes)
    seeds = np.flatnonzero((merged[..., 2:] < merged[..., :2]).any(axis=(1, 2)))
    assert len(seeds) > 2
    return seeds[:3]


@pytest.mark.parametrize("make", [detector, saccade])
def test_merged_boxes_keep_their_corners_in_order(make, seeds_of_inversions):
    for seed in seeds_of_inversions:
        (found,) = make(Drawn(seed), merge_exponent=0.5).predict(IMAGE, min_score=0, flip=None)
        assert len(found.boxes)
        check(found)


@pytest.mark.parametrize("head", ["heatmap", "offset", "embedding"])
@pytest.mark.parametrize(
    ("make", "codec", "settings"),
    [
        (detector, CornerCodec, {"merge_exponent": 10.0}),
        (saccade, SaccadeCodec, {"merge_exponent": 10.0, "released_geometry": True}),
    ],
)
def test_a_network_gone_astray_gives_boxes_or_none(make, codec, settings, head):
    rng = np.random.default_rng(0)
    channels = {"heatmap": 2, "offset": 2, "embedding": 1}
    heads = {name: rng.normal(0, 1, (1, 16, 16, n)).astype(np.float32) for name, n in channels.items()}
    cells = heads[head][:, ::3, 1::2]
    cells[...] = rng.choice([np.nan, np.inf, -np.inf, 3e38, -3e38, 300, -300], cells.shape)
    model = make(Maps(heads), codec(2, top_k=20, num_detections=40, embedding_threshold=1.0), **settings)
    check(model.predict(IMAGE, min_score=0, flip=None)[0])
