"""Tiny untrained models that find something, and pictures to find it on."""

import io

import numpy as np
from PIL import Image

from keras_cornernet.codecs import CenterCodec, CentripetalCodec, CornerCodec, KeypointCodec, TripletCodec
from keras_cornernet.inference import Detector, PoseEstimator
from keras_cornernet.inference.config import InferenceConfig, PoseInferenceConfig
from keras_cornernet.models import CenterNet, CentripetalNet, CornerNet, ObjectsAsPoints, StackedHourglass
from keras_cornernet.skeletons import Skeleton
from keras_cornernet.structures import Categories

SIZES = {"stacks": 1, "channels": (8, 8), "num_blocks": (1, 1), "stem": (4, 8)}
HEADS = {"pool_channels": 4, "head_channels": 8, "head_kernel_size": 1}
CATEGORIES = Categories(("cat", "dog"), (3, 8))
# Options of `predict` that give every box, with the mirror image where the settings have it.
ALL = {"min_score": 0, "flip": None}
FACE = Skeleton("face", ("left_eye", "right_eye", "nose"), ((0, 2), (1, 2)), ((0, 1),))
CODEC = {"top_k": 96, "num_detections": 16, "embedding_threshold": 1e6, "peak_kernel": 1}


def with_statistics(network, seed=0):
    """The network with every weight drawn anew, so that no BatchNorm does nothing."""
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        value = rng.normal(0, 0.3, weight.shape)
        if weight.path.endswith(("gamma", "moving_variance")):
            value = rng.uniform(0.5, 1.5, weight.shape)
        elif "/last/" in weight.path:  # of heads: points stay near their cells, and scores apart
            value = value / 20
        weight.assign(value)
    return network


def detector(family=CornerNet, **settings) -> Detector:
    """An untrained detector of two classes for inputs of 32 x 48."""
    codec = (TripletCodec if family is CenterNet else CornerCodec)(2, **CODEC)
    settings = {"input_size": (32, 48), "max_detections": 6, **settings}
    return Detector(
        with_statistics(family(2, **SIZES, **HEADS)), codec, CATEGORIES, InferenceConfig(**settings)
    )


def point_detector(**settings) -> Detector:
    """An untrained detector by centres, of two classes, for inputs of 32 x 48."""
    network = with_statistics(ObjectsAsPoints(2, **SIZES, head_channels=8))
    settings = {"input_size": (32, 48), "max_detections": 6, **settings}
    return Detector(network, CenterCodec(2, top_k=16), CATEGORIES, InferenceConfig(**settings))


def centripetal_detector(**settings) -> Detector:
    """An untrained detector by corners that point to centres, of two classes, for inputs of 32 x 48."""
    network = with_statistics(CentripetalNet(2, **SIZES, **HEADS))
    for corner in ("top_left", "bottom_right"):  # about two cells from each corner to its centre
        last = network.get_layer(f"{corner}_centripetal_0").last
        last.kernel.assign(last.kernel / 10)
        last.bias.assign([0.9, 0.7])
    codec = CentripetalCodec(2, top_k=96, num_detections=16, peak_kernel=1, center_distance=100.0)
    settings = {"input_size": (32, 48), "max_detections": 6, **settings}
    return Detector(network, codec, CATEGORIES, InferenceConfig(**settings))


def estimator(codec=None, **settings) -> PoseEstimator:
    """An untrained pose network of three joints for inputs of 32 x 32."""
    network = with_statistics(StackedHourglass(3, **{**SIZES, "stem": (4, 4)}, stem_kernel_size=3))
    settings = PoseInferenceConfig(**{"input_size": (32, 32), **settings})
    return PoseEstimator(network, codec or KeypointCodec(), FACE, settings)


def picture(height, width, seed=0) -> np.ndarray:
    """Patches of noise, so that there is something at every scale."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height)))


def encoded(image, form="PNG", **options) -> bytes:
    """The image as the bytes of a file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, form, **options)
    return file.getvalue()
