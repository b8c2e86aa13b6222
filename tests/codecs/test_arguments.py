"""What codecs are given: maps of half precision are read in float32, and wrong arguments are named."""

import re

import numpy as np
import pytest
from keras import ops

from keras_cornernet.codecs import (
    LEVELS,
    CenterCodec,
    CentripetalCodec,
    CornerCodec,
    KeypointCodec,
    SaccadeCodec,
    TripletCodec,
)

CORNER = {"heatmap": 3, "offset": 2, "embedding": 1}
CORNERS = {"top_left": CORNER, "bottom_right": CORNER}
POINTING = {"heatmap": 3, "offset": 2, "centripetal": 2}
CODECS = {
    "corners": (CornerCodec(3, embedding_threshold=0.2), CORNERS),
    "crops": (SaccadeCodec(3), CORNERS),
    "triplets": (TripletCodec(3), {**CORNERS, "center": {"heatmap": 3, "offset": 2}}),
    "centripetal": (CentripetalCodec(3), {"top_left": POINTING, "bottom_right": POINTING}),
    "centers": (CenterCodec(3), {"center": {"heatmap": 3, "offset": 2, "size": 2}}),
    "sizes per class": (
        CenterCodec(3, size_per_class=True),
        {"center": {"heatmap": 3, "offset": 2, "size": 6}},
    ),
    "joints": (KeypointCodec(refinement="dark"), {"keypoints": {"heatmap": 3}}),
}
SIZE = (64, 48)
FLAGS = [
    (CornerCodec, "corrected_radius"),
    (CornerCodec, "geometric_score"),
    (SaccadeCodec, "reject_border"),
    (CentripetalCodec, "geometric_score"),
    (CenterCodec, "size_per_class"),
    (CenterCodec, "dense_sizes"),
]


def outputs_of(branches, dtype="float32"):
    rng = np.random.default_rng(0)
    maps = {
        branch: {
            head: rng.normal(0, 1, (2, 16, 12, count)).astype(np.float32) for head, count in heads.items()
        }
        for branch, heads in branches.items()
    }
    return [{b: {head: ops.cast(value, dtype) for head, value in h.items()} for b, h in maps.items()}]


def in_float32(outputs):
    return [
        {b: {head: ops.cast(m, "float32") for head, m in heads.items()} for b, heads in outputs[0].items()}
    ]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", CODECS)
def test_maps_of_half_precision_are_read_in_float32(name, dtype):
    codec, branches = CODECS[name]
    outputs = outputs_of(branches, dtype)
    for got, expected in zip(
        codec.decode(outputs, SIZE), codec.decode(in_float32(outputs), SIZE), strict=True
    ):
        np.testing.assert_array_equal(ops.convert_to_numpy(got), ops.convert_to_numpy(expected))
        assert "16" not in str(got.dtype)


def test_mirrored_maps_of_half_precision_are_averaged_in_float32():
    codec, branches = CODECS["centers"]
    outputs = outputs_of(branches, "float16")
    outputs[0]["center"]["heatmap"] = outputs[0]["center"]["heatmap"] * 40  # a probability of 0 in float16
    averaged, expected = (codec.average_mirrored(maps, maps) for maps in (outputs, in_float32(outputs)))
    for head, values in expected[0]["center"].items():
        got = ops.convert_to_numpy(averaged[0]["center"][head])
        assert got.dtype == np.float32 and np.isfinite(got).all()
        np.testing.assert_array_equal(got, ops.convert_to_numpy(values))


@pytest.mark.parametrize(("codec", "name"), FLAGS)
@pytest.mark.parametrize("value", ["no", 1, None, float("nan"), [True]])
def test_what_is_true_or_false_is_nothing_else(codec, name, value):
    with pytest.raises(ValueError, match=re.escape(f"{name} must be True or False, not {value!r}")):
        codec(3, **{name: value})


def test_half_cell_is_true_or_false_too():
    with pytest.raises(ValueError, match="^half_cell must be True or False, not 'x'$"):
        KeypointCodec(half_cell="x")
    with pytest.raises(ValueError, match="^center must be one of"):
        KeypointCodec(center=["subpixel"])


@pytest.mark.parametrize("name", CODECS)
def test_maps_that_are_missing_or_of_another_shape_are_named(name):
    codec, branches = CODECS[name]
    for branch, heads in branches.items():
        place = f"outputs[-1][{branch!r}]"
        (maps,) = outputs_of(branches)
        with pytest.raises(ValueError, match=re.escape(f"{place} is missing: there are ")):
            codec.decode([{other: value for other, value in maps.items() if other != branch}], SIZE)
        for head in heads:
            (maps,) = outputs_of(branches)
            whole = maps[branch].pop(head)
            with pytest.raises(ValueError, match=re.escape(f"{place}[{head!r}] is missing: there are ")):
                codec.decode([maps], SIZE)
            for wrong in (whole[0], whole[:, :-1] if len(heads) > 1 else whole[..., 0]):
                maps[branch] = {**outputs_of(branches)[0][branch], head: wrong}
                with pytest.raises(ValueError, match=re.escape(f"{place}[") + ".* must have the shape"):
                    codec.decode([maps], SIZE)
    with pytest.raises(ValueError, match="^outputs must be a list over stacks of maps by branch and head"):
        codec.decode(outputs_of(branches)[0], SIZE)
    with pytest.raises(ValueError, match="^input_size must be"):
        codec.decode(outputs_of(branches), 64)


def test_maps_of_another_number_of_classes_are_refused():
    outputs = outputs_of(CORNERS)
    expected = r"outputs[-1]['top_left']['heatmap'] must have the shape (batch 2, rows 16, columns 12, 80)"
    with pytest.raises(ValueError, match=re.escape(expected + ", not (2, 16, 12, 3)")):
        CornerCodec(80).decode(outputs, SIZE)


def test_attention_maps_are_checked():
    codec = SaccadeCodec(3)
    maps = {level: np.zeros((2, 4, 3, 1), np.float32) for level in LEVELS}
    assert set(codec.attention([{"attention": maps}])) == set(LEVELS)
    maps["medium"] = maps["medium"][..., 0]
    with pytest.raises(ValueError, match=r"^outputs\[-1\]\['attention'\]\['medium'\] must have the shape"):
        codec.attention([{"attention": maps}])
    with pytest.raises(ValueError, match=r"^outputs\[-1\]\['attention'\] is missing"):
        codec.attention([{}])


def annotations_of(codec):
    if isinstance(codec, KeypointCodec):
        return {"keypoints": np.full((2, 5, 2), 9.0, np.float32), "keypoint_weights": np.ones((2, 5))}
    boxes = np.tile(np.array([4, 5, 30, 31], np.float32), (2, 5, 1))
    return {"boxes": boxes, "labels": np.zeros((2, 5), np.int32), "ignore": np.zeros((2, 5), bool)}


@pytest.mark.parametrize("name", CODECS)
def test_annotations_of_another_shape_are_named(name):
    codec, _ = CODECS[name]
    whole = annotations_of(codec)
    codec.encode(whole, SIZE, (16, 12))
    for key, value in whole.items():
        for wrong in (value[0], value[:, :4], value[:1]):
            with pytest.raises(ValueError, match=r"^annotations\[.* must have the shape \(batch"):
                codec.encode({**whole, key: wrong}, SIZE, (16, 12))
        if key != "ignore":
            with pytest.raises(ValueError, match=re.escape(f"annotations[{key!r}] is missing")):
                codec.encode({other: v for other, v in whole.items() if other != key}, SIZE, (16, 12))
    for sizes in (((0, 4), (16, 12)), (SIZE, (16.0, 12)), (SIZE, (16, 12, 3))):
        with pytest.raises(ValueError, match="^(input|grid)_size must be"):
            codec.encode(whole, *sizes)


def test_class_masks_have_one_column_for_each_class():
    codec = CornerCodec(3)
    whole = annotations_of(codec)
    codec.encode({**whole, "class_mask": np.ones((2, 3), np.float32)}, SIZE, (16, 12))
    with pytest.raises(
        ValueError, match=re.escape("'class_mask'] must have the shape (batch 2, 3), not (2, 1)")
    ):
        codec.encode({**whole, "class_mask": np.ones((2, 1), np.float32)}, SIZE, (16, 12))
