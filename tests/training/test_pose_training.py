"""A pose network under Keras' own `fit`."""

import keras
import numpy as np
import pytest

import keras_cornernet
from keras_cornernet.codecs import KeypointCodec
from keras_cornernet.inference import PoseEstimator
from keras_cornernet.losses import PoseLoss
from keras_cornernet.models import StackedHourglass
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.training import HeatmapPCK, Trainer

SIZE, GRID = (64, 64), (16, 16)
COLORS = np.array([[255, 60, 60], [60, 255, 60], [60, 60, 255]])
SKELETON = Skeleton("squares", ("red", "green", "blue"), (), ())


def drawn_joints(count=4, seed=0):
    """Images of a red, a green and a blue square, whose middles are the joints; one is not annotated."""
    rng = np.random.default_rng(seed)
    images = np.full((count, *SIZE, 3), 40, np.float32)
    points, weights = np.zeros((count, 3, 2), np.float32), np.ones((count, 3), np.float32)
    for i in range(count):
        for j in range(3):
            x, y = rng.integers(8, 50), 3 + 20 * j + rng.integers(0, 10)
            images[i, y : y + 8, x : x + 8] = COLORS[j]
            points[i, j] = x + 4, y + 4
    weights[0, 1] = points[0, 1] = 0
    return images, {"keypoints": points, "keypoint_weights": weights}


def tiny_network(stacks):
    keras.utils.set_random_seed(1)
    return StackedHourglass(
        3, stacks=stacks, channels=(16, 16), num_blocks=(1, 1), stem=(8, 16, 16), input_size=SIZE
    )


def empty_loss(codec, annotations):
    """The loss of a stack that answers with empty maps."""
    targets = codec.encode(annotations, SIZE, GRID)["keypoints"]
    return np.square(np.asarray(targets["heatmap"])).mean()


@pytest.mark.slow
def test_overfits_four_drawn_people():
    estimator = PoseEstimator(tiny_network(1), KeypointCodec(), SKELETON)
    trainer = keras_cornernet.make_trainer(estimator)
    assert trainer.loss_terms == PoseLoss() and trainer.metric == HeatmapPCK()
    trainer.compile(optimizer=keras.optimizers.Adam(5e-3), jit_compile=False)
    images, annotations = drawn_joints()
    history = trainer.fit(images, annotations, batch_size=4, epochs=90, verbose=0).history
    assert set(history) == {"loss", "heatmap", "pck"}
    assert history["loss"] == pytest.approx(history["heatmap"])
    assert history["loss"][-1] < 0.1 * empty_loss(estimator.codec, annotations)
    # A tenth of half of this map is less than a cell: only the very cell counts, and some joints lie between.
    assert history["pck"][-1] > 0.3 > history["pck"][0]
    outputs = trainer.network(images, training=True)
    points = keras.ops.convert_to_numpy(estimator.codec.decode(outputs, SIZE).points)
    apart = np.linalg.norm(points - annotations["keypoints"], axis=-1)
    assert apart[annotations["keypoint_weights"] > 0].max() < 3  # pixels, of four to a cell


@pytest.mark.slow
def test_validation_data_is_scored_alike():
    trainer = Trainer(
        tiny_network(2),
        KeypointCodec.named("umich"),
        PoseLoss(mask_unannotated=False, mean_over_stacks=True),
        HeatmapPCK(),
    )
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3), run_eagerly=True)
    images, annotations = drawn_joints(6, seed=1)
    history = trainer.fit(
        *drawn_joints(), batch_size=2, epochs=1, verbose=0, validation_data=(images, annotations)
    ).history
    terms = {"loss", "heatmap", "pck"}
    assert set(history) == terms | {f"val_{term}" for term in terms}
    again = trainer.evaluate(images, annotations, batch_size=6, verbose=0, return_dict=True)
    for term in terms:
        assert history[f"val_{term}"][-1] == pytest.approx(again[term], rel=1e-4)
