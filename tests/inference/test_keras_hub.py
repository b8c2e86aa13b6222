"""A detector of KerasHub finds the people whose poses are read."""

import keras
import numpy as np
import pytest
from exportable import estimator, picture

keras_hub = pytest.importorskip("keras_hub")

SIDE = 64


@pytest.fixture(scope="module")
def retina_net():
    """With random weights; it finds much in anything."""
    keras.utils.set_random_seed(3)
    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64, 64, 64],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        image_shape=(SIDE, SIDE, 3),
    )
    backbone = keras_hub.models.RetinaNetBackbone(
        image_encoder=encoder, min_level=3, max_level=5, use_p5=True, image_shape=(SIDE, SIDE, 3)
    )
    return keras_hub.models.RetinaNetObjectDetector(
        backbone=backbone, num_classes=2, bounding_box_format="xyxy", preprocessor=None
    )


def boxes_of(model):
    """The boxes of class 0 that a detector of KerasHub finds, for `PoseEstimator.predict`."""

    def find(image):
        height, width = image.shape[:2]
        shown = keras.ops.image.resize(image[None].astype("float32"), (SIDE, SIDE))
        found = {name: np.asarray(values)[0] for name, values in model.predict(shown, verbose=0).items()}
        count = int(found["num_detections"])
        boxes, classes = found["boxes"][:count], found["labels"][:count]
        scale = np.array([width, height, width, height]) / SIDE
        boxes = np.clip(boxes[classes == 0] * scale, 0, [width, height, width, height])
        return boxes[(boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= 1]

    return find


@pytest.mark.slow
def test_poses_are_read_in_the_boxes_of_a_keras_hub_detector(retina_net):
    image = picture(80, 120)
    find = boxes_of(retina_net)
    boxes = find(image)
    assert len(boxes) > 0
    model = estimator()
    (poses,) = model.predict(image, boxes=find)
    (given,) = model.predict(image, boxes=[boxes])
    assert len(poses) == len(boxes) and poses == given
    np.testing.assert_allclose(poses.boxes, boxes, rtol=1e-6)
