"""The presets: which network, codec, loss, sizes and recipe go together."""

from dataclasses import replace
from typing import Any

from keras_cornernet.codecs import CenterCodec, CentripetalCodec, CornerCodec, KeypointCodec, TripletCodec
from keras_cornernet.data.augmentation import SmallDataAugmentation
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.pose_augmentation import PoseAugmentation
from keras_cornernet.inference import InferenceConfig
from keras_cornernet.inference.config import PoseInferenceConfig
from keras_cornernet.losses import DetectionLoss, PoseLoss
from keras_cornernet.models import (
    CenterNet,
    CentripetalNet,
    CornerNet,
    CornerNetSqueeze,
    LegacyStackedHourglass,
    ObjectsAsPoints,
    StackedHourglass,
)
from keras_cornernet.preprocessing import Size
from keras_cornernet.presets.families import COCO_CLASSES
from keras_cornernet.presets.papers import PAPERS
from keras_cornernet.presets.preset import Preset
from keras_cornernet.skeletons import ANIMAL_POSE, LSP, MPII
from keras_cornernet.training.config import TrainingConfig

# Decoding of the small detectors of corners, whose embeddings are the papers' of one channel.
_PAIRED: dict[str, Any] = {
    "top_k": 100,
    "num_detections": 300,
    "embedding_scale": 0.5,
    "geometric_score": True,
    "offset_reach": 1,
}

_SMALL = Preset(
    summary="for CPUs and small data: one narrow hourglass on a grid of an eighth",
    network=CornerNet,
    arguments={
        "stacks": 1,
        "channels": (64, 96, 128, 128),
        "num_blocks": (1, 1, 1, 2),
        "stem": (16, 32, 64),
        "pool_channels": 32,
        "head_channels": 64,
        "head_kernel_size": 1,
    },
    input_size=(320, 448),
    settings=InferenceConfig(input_size=(320, 448), merge_exponent=10.0),
    augmentation=SmallDataAugmentation(),
    codec=CornerCodec(COCO_CLASSES, **_PAIRED),
    # Smooth L1 hardly pulls once it is within half a cell, which on this grid is four pixels.
    loss=DetectionLoss(offset_beta=0.1),
)


def _placed(preset: Preset) -> Preset:
    """The preset with embeddings that start from the cell's own position, as some trained weights have them.

    They are learned faster where many objects look alike, but large objects then pair at the input size of
    the training alone.
    """
    # They are wide apart: a distance of 2, summed over x and y, is four grid cells.
    codec = CornerCodec(COCO_CLASSES, **{**_PAIRED, "embedding_threshold": 2.0, "embedding_scale": 1.5})
    return replace(preset, arguments={**preset.arguments, "embedding_cells": 2.0}, codec=codec)


def _sized(preset: Preset, size: Size, **changes: Any) -> Preset:
    """The preset with inputs of another size, in training and at test."""
    return replace(preset, input_size=size, settings=replace(preset.settings, input_size=size), **changes)


_SQUEEZE_SMALL = replace(
    _SMALL,
    summary="for CPUs and small data: one narrow hourglass of fire blocks, the fewest multiplications",
    network=CornerNetSqueeze,
)

_CENTRIPETAL_SMALL = replace(
    _SMALL,
    summary="for CPUs and small data: corners that point to their centre, on a narrow hourglass",
    network=CentripetalNet,
    arguments={**_SMALL.arguments, "guiding": False},
    codec=CentripetalCodec(
        COCO_CLASSES,
        top_k=100,
        num_detections=300,
        geometric_score=True,
        offset_reach=1,
        distance_scale=1.0,
    ),
    loss=DetectionLoss(
        pull_weight=0.0, push_weight=0.0, centripetal_weight=1.0, offset_beta=0.1, shift_beta=0.1
    ),
)

_POINTS_SMALL = replace(
    _SMALL,
    summary="for CPUs and small data: centres with a size, nothing to pair, on a narrow hourglass",
    network=ObjectsAsPoints,
    arguments={
        **{key: _SMALL.arguments[key] for key in ("stacks", "channels", "num_blocks", "stem")},
        "head_channels": 96,
        "head_kernel_size": 3,
    },
    settings=InferenceConfig(input_size=(320, 448), method="none"),
    # Sizes and offsets are trained in the nine cells around the centre: small data gives few centres.
    codec=CenterCodec(COCO_CLASSES, offset_reach=1, clip_margin=0.0),
    # A cell of an eighth holds twice the pixels of the paper's quarter, hence twice its weight of sizes.
    loss=DetectionLoss(pull_weight=0.0, push_weight=0.0, offset_beta=0.0, size_weight=0.2),
)

# `opts.lua` of anewell/pose-hg-train: 100 epochs of 8,000 steps at one learning rate, "then a few more" at a
# fifth of it (issue 16 there), of which four are taken here.
_NEWELL_TRAINING = TrainingConfig(
    synchronized=False,
    optimizer="rmsprop",
    batch_size=6,
    steps=832_000,
    learning_rate=2.5e-4,
    lr_decay_at=100 / 104,
    lr_decay_factor=5.0,
    warmup=0.0,
    clip_norm=None,
    ema=0.0,
)


def _newell(stacks: int) -> Preset:
    """Newell et al. 2016, secs. 3.1 to 3.3."""
    return Preset(
        summary=f"human pose, Stacked Hourglass of the paper with {stacks} stack{'s' * (stacks > 1)}",
        network=StackedHourglass,
        arguments={"stacks": stacks},
        input_size=(256, 256),
        settings=PoseInferenceConfig(input_size=(256, 256)),
        augmentation=PoseAugmentation(),
        loss=PoseLoss(),
        skeleton=MPII,
        training=_NEWELL_TRAINING,
    )


_PHONE = Preset(
    summary="human pose for phones and CPUs: two hourglasses, narrow where the maps are large",
    network=StackedHourglass,
    arguments={
        "stacks": 2,
        "channels": (64, 128, 160, 192),
        "num_blocks": (1, 1, 1, 1),
        "stem": (32, 32, 64),
    },
    input_size=(128, 128),
    settings=PoseInferenceConfig(input_size=(128, 128)),
    augmentation=PoseAugmentation(gain=(0.8, 1.2), jitter=0.3, lighting=0.05, shift=0.04),
    loss=PoseLoss(foreground=20.0, weight=10.0),
    # DARK's blur fits gaussians of sigma 2; these are drawn with 1.
    codec=KeypointCodec(refinement="dark", blur=7),
    skeleton=LSP,
)

_SPORT = PoseAugmentation(
    lighting=0.05,
    shift=0.04,
    scale=0.15,
    scale_limit=0.3,
    rotation=30.0,
    rotation_limit=100.0,
    rotate=0.5,
    gain=(0.85, 1.15),
    jitter=0.2,
)

PRESETS: dict[str, Preset] = {
    **PAPERS,
    "cornernet_small": _SMALL,
    "cornernet_squeeze_small": _SQUEEZE_SMALL,
    "centernet_small": replace(
        _SMALL,
        summary="for CPUs and small data: a narrow CenterNet, whose centres confirm the boxes",
        network=CenterNet,
        # Scores and Gaussians as in the other small ones, not CenterNet's.
        codec=TripletCodec(COCO_CLASSES, min_overlap=0.3, corrected_radius=True, **_PAIRED),
    ),
    "centripetalnet_small": _CENTRIPETAL_SMALL,
    "objects_as_points_small": _POINTS_SMALL,
    "cornernet_bccd": _sized(
        _placed(_SMALL),
        (384, 512),
        summary="blood cells (red, white, platelets), trained from scratch on BCCD",
        weights="cornernet_bccd.keras",
    ),
    "cornernet_squeeze_bccd": _sized(
        _placed(_SQUEEZE_SMALL),
        (256, 320),
        summary="blood cells, trained from scratch on BCCD, with a third of the parameters",
        weights="cornernet_squeeze_bccd.keras",
    ),
    "objects_as_points_bccd": _sized(
        _POINTS_SMALL,
        (384, 448),
        summary="blood cells, trained from scratch on BCCD, by their centres and sizes",
        weights="objects_as_points_bccd.keras",
    ),
    "objects_as_points_photos": _sized(
        _POINTS_SMALL,
        (320, 320),
        summary="people, dogs, cats, sheep, horses and cows in photographs",
        augmentation=PhotoAugmentation(),
        weights="objects_as_points_photos.keras",
    ),
    "cornernet_people": _sized(
        _placed(_SMALL),
        (256, 320),
        summary="people in drawn scenes, for the demo and the notebooks",
        # Scenes are drawn without end, so augmentation need not invent what they do not hold.
        augmentation=SmallDataAugmentation(
            scale=(0.9, 1.15), shift=0.05, stretch=0.05, jitter=0.15, lighting=0.05
        ),
        weights="cornernet_people.keras",
    ),
    **{f"hourglass_{stacks}stack": _newell(stacks) for stacks in (1, 2, 4, 8)},
    # anewell/pose-hg-train, commit 9442c50: the first public model, which tutorials describe.
    "hourglass_legacy2": replace(
        _newell(2),
        summary="human pose, the two wide stacks of the authors' first code, as large as the paper's eight",
        arguments={},
        network=LegacyStackedHourglass,
    ),
    "hourglass_phone": _PHONE,
    "hourglass_lspet": replace(
        _PHONE,
        summary="poses of people in sport, upright or upside down, 14 joints; trained on LSPET",
        augmentation=_SPORT,
        weights="hourglass_lspet.keras",
    ),
    "hourglass_lspet_large": replace(
        _PHONE,
        summary="the same with three hourglasses, which has seen 8,200 people of LSPET",
        arguments={**_PHONE.arguments, "stacks": 3},
        augmentation=_SPORT,
        weights="hourglass_lspet_large.keras",
    ),
    "hourglass_animals": replace(
        _PHONE,
        summary="poses of dogs, cats, sheep, horses and cows in photographs, 20 joints",
        arguments={**_PHONE.arguments, "stacks": 3},
        augmentation=PoseAugmentation(gain=(0.8, 1.2), jitter=0.3, lighting=0.05, shift=0.06, scale=0.2),
        settings=PoseInferenceConfig(input_size=(128, 128), label=("dog", "cat", "sheep", "horse", "cow")),
        skeleton=ANIMAL_POSE,
        weights="hourglass_animals.keras",
    ),
    "hourglass_people": replace(
        _PHONE,
        summary="poses of people in drawn scenes, 14 joints, for the demo and the notebooks",
        # Scenes are drawn without end: augmentation gives what a detector's boxes differ by, no more.
        augmentation=PoseAugmentation(scale=0.1, scale_limit=0.2, rotate=0.0, shift=0.03, gain=(1.0, 1.0)),
        weights="hourglass_people.keras",
    ),
}


def preset_named(name: str) -> Preset:
    """Looks a preset up.

    Raises:
        ValueError: no such preset; the message lists those that exist.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; there are: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]
