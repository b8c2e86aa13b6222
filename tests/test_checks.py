"""Settings name what is wrong with them at once."""

import re

import numpy as np
import pytest

from keras_cornernet.checks import check_choice, check_number, check_numbers, check_odd, check_size
from keras_cornernet.codecs import CenterCodec, CornerCodec, SaccadeCodec, TripletCodec
from keras_cornernet.losses import DetectionLoss, PoseLoss

NAN = float("nan")


@pytest.mark.parametrize("value", [1, 2.5, np.float32(1), np.int64(3)])
def test_numbers_of_any_kind_are_numbers(value):
    check_number("x", value, at_least=1, at_most=3)


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (0, {"at_least": 1}, "x must be at least 1, not 0"),
        (0, {"above": 0}, "x must be above 0, not 0"),
        (1.5, {"at_least": 0, "at_most": 1}, "x must be at least 0 and at most 1, not 1.5"),
        (1, {"below": 1}, "x must be below 1, not 1"),
        (NAN, {"at_least": 0}, "x must be finite and at least 0, not nan"),
        (NAN, {}, "x must be finite, not nan"),
        (2.0, {"whole": True}, "x must be a whole number, not 2.0"),
        (True, {}, "x must be a number, not True"),
        ("3", {}, "x must be a number, not '3'"),
        (None, {}, "x must be a number, not None"),
    ],
)
def test_a_number_out_of_its_range_is_named(value, bounds, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_number("x", value, **bounds)


def test_other_checks_name_their_argument():
    check_choice("x", "a", ("a", "b"))
    check_numbers("x", (1, 2.5), length=2, above=0)
    check_odd("x", 3)
    check_size("x", (1, 2))
    with pytest.raises(ValueError, match=r"^x must be one of \('a', 'b'\), not 'c'$"):
        check_choice("x", "c", ("a", "b"))
    with pytest.raises(ValueError, match=r"^x must be a sequence of 3 numbers, not \(1, 2\)$"):
        check_numbers("x", (1, 2), length=3)
    with pytest.raises(ValueError, match=r"^x\[1\] must be above 0, not -1$"):
        check_numbers("x", (1, -1), above=0)
    with pytest.raises(ValueError, match="^x must be odd, not 4$"):
        check_odd("x", 4)
    for size in ((1,), 5, (0, 1), (1.0, 2), "ab", (True, 1)):
        with pytest.raises(
            ValueError, match=r"^x must be \(height, width\), two whole numbers of at least 1"
        ):
            check_size("x", size)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CornerCodec(0), "num_classes must be at least 1, not 0"),
        (lambda: CornerCodec(2, top_k=0), "top_k must be at least 1, not 0"),
        (lambda: CornerCodec(2, top_k=2.5), "top_k must be a whole number, not 2.5"),
        (lambda: CornerCodec(2, num_detections=0), "num_detections must be at least 1, not 0"),
        (lambda: CornerCodec(2, min_overlap=1.0), "min_overlap must be above 0 and below 1, not 1.0"),
        (
            lambda: CornerCodec(2, embedding_threshold=NAN),
            "embedding_threshold must be finite and at least 0, not nan",
        ),
        (lambda: CornerCodec(2, embedding_scale=0), "embedding_scale must be above 0, not 0"),
        (lambda: CornerCodec(2, sigma_divisor=-1), "sigma_divisor must be above 0, not -1"),
        (lambda: CornerCodec(2, fixed_radius=-1), "fixed_radius must be at least 0, not -1"),
        (lambda: CornerCodec(2, offset_reach=-1), "offset_reach must be at least 0, not -1"),
        (lambda: CornerCodec(2, peak_kernel=2), "peak_kernel must be odd, not 2"),
        (lambda: TripletCodec(2, center_sigma_divisor=0), "center_sigma_divisor must be above 0, not 0"),
        (lambda: SaccadeCodec(2, min_visible=1.5), "min_visible must be at least 0 and at most 1, not 1.5"),
        (lambda: SaccadeCodec(2, min_side=-1), "min_side must be at least 0, not -1"),
        (lambda: CenterCodec(2, clip_margin=-1), "clip_margin must be at least 0, not -1"),
        (
            lambda: CenterCodec(2, dense_sizes=True, offset_reach=1),
            "dense_sizes must be False with size_per_class or an offset_reach",
        ),
        (lambda: DetectionLoss(pull_weight=-1), "pull_weight must be at least 0, not -1"),
        (lambda: DetectionLoss(offset_beta=NAN), "offset_beta must be finite and at least 0, not nan"),
        (lambda: DetectionLoss(embedding_batch=0), "embedding_batch must be at least 1, not 0"),
        (lambda: DetectionLoss(heatmap_loss="focal"), "heatmap_loss must be a function, not 'focal'"),
        (lambda: PoseLoss(weight=0), "weight must be above 0, not 0"),
        (lambda: PoseLoss(foreground=NAN), "foreground must be finite and at least 0, not nan"),
    ],
)
def test_settings_of_codecs_and_losses_name_what_is_wrong(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_the_width_of_gaussians_is_a_setting():
    boxes = np.array([[[8.0, 8.0, 56.0, 56.0]]], np.float32)
    annotations = {"boxes": boxes, "labels": np.zeros((1, 1), np.int32)}
    for divisor in (6.0, 3.0):
        codec = CornerCodec(1, fixed_radius=2, sigma_divisor=divisor)
        heatmap = np.asarray(codec.encode(annotations, (64, 64), (16, 16))["top_left"]["heatmap"])[0, ..., 0]
        sigma = 5 / divisor
        np.testing.assert_allclose(heatmap[2, 1:4], np.exp(-np.array([1, 0, 1]) / (2 * sigma**2)), rtol=1e-5)


def test_a_size_must_fit_into_memory():
    check_size("size", (10_000, 10_000))
    for size in ((10**6, 10**6), (1, 10**12)):
        with pytest.raises(ValueError, match="size must have at most 134,217,728 pixels, not "):
            check_size("size", size)
