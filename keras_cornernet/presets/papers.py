"""The detectors of the papers at full size."""

from dataclasses import replace
from typing import Any

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.inference import InferenceConfig, SaccadeConfig
from keras_cornernet.models import CenterNet, CornerNet, CornerNetSaccade, CornerNetSqueeze, ObjectsAsPoints
from keras_cornernet.models.network import Network
from keras_cornernet.presets.families import COCO_CLASSES, family_of
from keras_cornernet.presets.preset import Preset, Published
from keras_cornernet.training.config import TrainingConfig


def _training(batch_size: int, steps: int = 500_000, decay: int = 450_000) -> TrainingConfig:
    """The authors' training: Adam, the learning rate divided by ten after `decay` steps, no clipping.

    Source: `config/*.json` and `train.py` of princeton-vl/CornerNet, CornerNet-Lite and Duankaiwen/CenterNet.
    """
    return TrainingConfig(
        synchronized=False,  # `torch.nn.DataParallel`
        batch_size=batch_size,
        steps=steps,
        learning_rate=2.5e-4,
        lr_decay_at=decay / steps,
        warmup=0.0,
        clip_norm=None,
        ema=0.0,
    )


def _paper(summary: str, published: Published, network: type[Network] = CornerNet, **changes: Any) -> Preset:
    preset = Preset(
        summary=summary,
        arguments={},
        input_size=(511, 511),
        settings=InferenceConfig(),
        augmentation=family_of(network).augmentation,
        loss=family_of(network).loss,
        network=network,
        published=published,
        training=_training(49),
    )
    return replace(preset, **changes)


PAPERS: dict[str, Preset] = {
    # Law & Deng 2018, sec. 3.5 and table 6.
    "cornernet_hourglass104": _paper(
        "CornerNet of the paper: two hourglasses",
        Published(
            40.6,
            "COCO test-dev, one scale; Law & Deng, arXiv 1808.01244v2",
            "princeton-vl/CornerNet, CornerNet_500000.pkl",
        ),
    ),
    # The one-hourglass baseline of Duan et al. 2019 (CenterNet), table 2.
    "cornernet_hourglass52": _paper(
        "CornerNet with one hourglass",
        Published(37.8, "COCO test-dev, one scale; Duan et al., arXiv 1904.08189"),
        arguments={"stacks": 1},
    ),
    # Law, Teng, Russakovsky & Deng 2019, secs. 3 and 4.
    "cornernet_saccade": _paper(
        "CornerNet-Saccade: looks at the whole image, then closer where it pays",
        Published(
            43.2,
            "COCO test-dev, crops of one size; Law et al., arXiv 1904.08900",
            "princeton-vl/CornerNet-Lite, CornerNet_Saccade_500000.pkl",
        ),
        CornerNetSaccade,
        input_size=(255, 255),
        settings=SaccadeConfig(),
        training=_training(48),
    ),
    "cornernet_squeeze": _paper(
        "CornerNet-Squeeze: fire blocks on a grid of an eighth",
        Published(
            34.4,
            "COCO test-dev, one scale; Law et al., arXiv 1904.08900",
            "princeton-vl/CornerNet-Lite, CornerNet_Squeeze_500000.pkl",
        ),
        CornerNetSqueeze,
        settings=InferenceConfig(flip=False),
        codec=CornerCodec(COCO_CLASSES, top_k=20, num_detections=100),
        training=_training(55),
    ),
    # Duan et al. 2019, table 2.
    "centernet_hourglass52": _paper(
        "CenterNet (triplets) with one hourglass",
        Published(
            41.6,
            "COCO test-dev, one scale; Duan et al., arXiv 1904.08189",
            "Duankaiwen/CenterNet, CenterNet-52_480000.pkl",
        ),
        CenterNet,
        arguments={"stacks": 1},
        settings=InferenceConfig(border=5.0),
        training=_training(48, 480_000),
    ),
    "centernet_hourglass104": _paper(
        "CenterNet (triplets) of the paper: two hourglasses",
        Published(
            44.9,
            "COCO test-dev, one scale; Duan et al., arXiv 1904.08189",
            "Duankaiwen/CenterNet, CenterNet-104_480000.pkl",
        ),
        CenterNet,
        settings=InferenceConfig(border=5.0),
        training=_training(48, 480_000),
    ),
    # Zhou et al. 2019, table 2, with the mirror image. On COCO val2017 `readme/MODEL_ZOO.md` has 40.3 without
    # and 42.2 with it, and the training: 50 epochs, about 250,000 steps of 24 images
    # (`experiments/ctdet_coco_hg.sh`), the last ten at a tenth of the learning rate.
    "objects_as_points_hourglass104": _paper(
        "Objects as Points of the paper: centres with a size, on two hourglasses",
        Published(
            42.1,
            "COCO test-dev, one scale; Zhou et al., arXiv 1904.07850",
            "xingyizhou/CenterNet, ctdet_coco_hg.pth",
        ),
        ObjectsAsPoints,
        input_size=(512, 512),
        settings=InferenceConfig(method="none", whole_multiples=True),
        training=_training(24, 250_000, 200_000),
    ),
}
