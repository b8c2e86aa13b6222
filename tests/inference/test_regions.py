"""Where CornerNet-Saccade looks next: against plain loops and the authors' arrays."""

import json

import numpy as np
import pytest

from keras_cornernet.inference.regions import (
    ZoomedCrop,
    attended_regions,
    crop_at,
    distinct_regions,
    first_regions,
    regions_of_boxes,
)
from keras_cornernet.ops import affine

LEVELS = ("large", "medium", "small")


def crop_from(zoom, x, y):
    """A crop of which only zoom and way back matter: its pixel 0 lies at x, y."""
    return ZoomedCrop(None, zoom, (x, y))


def maps_with(cells, crops=1):
    """Attention maps that are 0 but for `{level: {(crop, y, x): value}}`."""
    sizes = {"large": 16, "medium": 32, "small": 64}
    maps = {name: np.zeros((crops, side, side), np.float32) for name, side in sizes.items()}
    for name, values in cells.items():
        for place, value in values.items():
            maps[name][place] = value
    return maps


def test_the_first_places_show_the_whole_image_small():
    np.testing.assert_allclose(
        first_regions((481, 640), (192, 255)), [[240, 320, 0.3, 1], [240, 320, 255 / 640, 1]]
    )


@pytest.mark.parametrize("side", [255, 256, 320, 333, 641, 1001, 1333, 4032])
def test_the_first_look_keeps_the_last_pixel(side):
    """Of every size in a range about each; the input is filled from edge to edge."""
    for longer in range(side, side + 12):
        for size in ((longer, longer), (longer // 2, longer), (longer, 200)):
            (region,) = first_regions(size, (255,))
            crop = crop_at(region, size, (255, 255), released=False)
            left, top, right, bottom = crop.view.boxes_to_image(np.array([crop.view.visible], np.float64))[0]
            np.testing.assert_allclose([left, top, right, bottom], [0, 0, size[1], size[0]], atol=1e-6)
            x1, y1, x2, y2 = crop.view.visible
            assert max(x2 - x1, y2 - y1) >= 254 and min(x1, y1) >= 0 and max(x2, y2) <= 255


def test_crops_keep_the_last_pixel_of_every_input_size():
    for side in (63, 64, 127, 128, 255, 256):
        for length in range(side // 2, 3 * side, 7):
            crop = crop_at(
                first_regions((length, length), (side,))[0], (length,) * 2, (side,) * 2, released=False
            )
            x1, y1, x2, y2 = crop.view.visible
            assert min(x1, y1) >= 0 and max(x2, y2) <= side
            np.testing.assert_allclose(
                crop.view.boxes_to_image(np.array([[x1, y1, x2, y2]], float))[0, 2:], length
            )


def released_offset(region, image_size, side):
    """The corner of a crop and its visible part along x and y, by the released code's arithmetic."""
    y, x, zoom = region[:3]
    crop = int(np.asarray(side, region.dtype) / zoom)
    scale, spans = side / crop, []
    for middle, length in ((int(x), image_size[1]), (int(y), image_size[0])):
        first, last = max(0, middle - crop // 2), min(middle + crop // 2, length)
        spans.append((side // 2 - int((middle - first) * scale), side // 2 + int((last - middle) * scale)))
    return (int(x) - crop // 2, int(y) - crop // 2), spans


@pytest.mark.parametrize("shorter", [100, 333])
def test_the_released_first_look_truncates_a_quotient_in_float32(shorter):
    lost = 0
    for longer in range(400, 900):
        for region in first_regions((shorter, longer), (192, 255)):
            crop = crop_at(region, (shorter, longer), (255, 255), released=True)
            corner, (columns, rows) = released_offset(region, (shorter, longer), 255)
            assert crop.corner == corner
            assert crop.view.visible == (columns[0], rows[0], columns[1], rows[1])
        lost += crop.corner[0] > 0
    assert region.dtype == np.float32 and 0 < lost < 50  # in float64 it would be half of them


def test_marked_cells_become_places():
    maps = maps_with(
        {"large": {(0, 2, 3): 0.5, (0, 9, 9): 0.3}, "small": {(1, 10, 20): 0.9, (0, 63, 0): 0.8}}, crops=2
    )
    crops = [crop_from(0.5, 7, -11), crop_from(1.0, 100, 50)]
    options = {"threshold": 0.3, "zooms": (1, 2, 4), "closer": False}
    got = attended_regions(maps, crops, (300, 400), anchor=0.0, **options)
    # 0.3 is not above the threshold, and row 63 of the first crop lies outside at 63 * 4 / 0.5 - 11.
    expected = [[2 * 16 / 0.5 - 11, 3 * 16 / 0.5 + 7, 0.5, 0.5], [10 * 4 + 50, 20 * 4 + 100, 4.0, 0.9]]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    centered = attended_regions(maps, crops, (300, 400), anchor=0.5, **options)
    np.testing.assert_allclose(centered - got, [[16, 16, 0, 0], [2, 2, 0, 0]], atol=1e-5)


@pytest.mark.parametrize(
    ("zoom", "closer", "levels"),
    [
        (0.9, False, ["large", "medium", "small"]),
        (0.9, True, ["medium", "small"]),  # a factor of 1 looks at the same again
        (1.5, False, ["large", "medium"]),  # 6 would be too close
        (2.1, False, []),
    ],
)
def test_what_is_close_already_is_not_looked_at_closer(zoom, closer, levels):
    maps = maps_with({name: {(0, 1, 1): 0.9} for name in LEVELS})
    got = attended_regions(
        maps, [crop_from(zoom, 0, 0)], (300, 300), threshold=0.3, zooms=(1, 2, 4), closer=closer, anchor=0
    )
    factors = {"large": 1, "medium": 2, "small": 4}
    np.testing.assert_allclose(got[:, 2], [factors[name] * zoom for name in levels])


def test_boxes_are_looked_at_at_a_size_that_suits_them():
    boxes = np.array([[10, 20, 110, 40], [0, 0, 96, 10], [5, 5, 25, 37], [9, 9, 19, 41.5], [7, 8, 7, 8]])
    np.testing.assert_allclose(
        regions_of_boxes(boxes),
        [
            [30, 60, 1.92, 1],
            [5, 48, 64 / 96, 1],
            [21, 15, 24 / 32, 1],
            [25.25, 14, 64 / 32.5, 1],
            [8, 7, 24, 1],  # a point
        ],
    )
    assert regions_of_boxes(np.zeros((0, 4))).shape == (0, 4)


def test_near_places_of_about_the_same_zoom_are_one():
    places = np.array(
        [
            [100, 100, 1.0, 0.9],
            [115, 300, 1.0, 0.8],  # near in y alone
            [112, 110, 0.9, 0.7],  # near in both
            [105, 105, 2.0, 0.6],  # near, but twice as close
            [300, 300, 1.0, 0.5],
            [300, 100, 1.2, 0.95],  # the best; 16 / 1.2 pixels about it
            [286, 200, 1.1, 0.4],  # 14 rows away from it, and from one that is gone
        ]
    )
    kept = distinct_regions(places, 16)
    np.testing.assert_array_equal(kept[:, 3], [0.95, 0.8, 0.6, 0.4])
    kept = distinct_regions(places, 16, both_ways=True)
    np.testing.assert_array_equal(kept[:, 3], [0.95, 0.9, 0.8, 0.6, 0.5, 0.4])
    assert distinct_regions(np.zeros((0, 4)), 16).shape == (0, 4)


def test_the_way_back_is_the_inverse_or_the_released_formula():
    place, size = np.array([90.7, 130.2, 0.98, 1]), (255, 255)
    exact = crop_at(place, (180, 260), size, released=False)
    released = crop_at(place, (180, 260), size, released=True)
    assert exact.corner is None and released.corner == (0, -40)
    points = np.array([[20.0, 50.0], [230.0, 210.0]])
    there = exact.points_to_image(points)
    np.testing.assert_allclose(affine.transform_points(exact.view.input_from_image, there), points)
    np.testing.assert_allclose(released.points_to_image(points), points / 0.98 + [0, -40])
    assert 0 < np.abs(there - released.points_to_image(points)).max() < 1
    for crop in (exact, released):
        by_affine = affine.transform_points(crop.image_from_input, points)
        np.testing.assert_allclose(by_affine, crop.points_to_image(points))


@pytest.fixture(scope="module")
def steps(parity):
    return np.load(parity("saccade_inference") / "steps.npz")


@pytest.mark.parametrize("nms_distance", [16, 15])
def test_distinct_places_parity(steps, nms_distance):
    got = distinct_regions(steps["location_nms_in"], nms_distance)
    np.testing.assert_array_equal(got, steps[f"location_nms_thresh{nms_distance}"])


def test_places_of_boxes_parity(steps):
    found = steps["get_ref_locs_in"]
    got = regions_of_boxes(found[found[:, 4] > 0.5, :4])
    np.testing.assert_allclose(got, steps["get_ref_locs_out"], rtol=1e-6)


@pytest.mark.parametrize(("name", "closer"), [("out", False), ("out_ignore_same", True)])
def test_attended_places_parity(steps, name, closer):
    maps = {level: steps[f"decode_atts_att{i}"][..., 0] for i, level in enumerate(LEVELS)}
    zooms, offsets = steps["decode_atts_scales"], steps["decode_atts_offsets"]
    crops = [crop_from(z, x, y) for z, (y, x) in zip(zooms, offsets, strict=True)]
    size = tuple(steps["decode_atts_image_hw"])
    got = attended_regions(maps, crops, size, threshold=0.3, zooms=(1, 2, 4), closer=closer, anchor=0.0)
    np.testing.assert_allclose(got, steps[f"decode_atts_{name}"], rtol=1e-6, atol=1e-5)


def test_crop_parity(steps):
    image = steps["crop_image"]
    for (y, x, zoom, _), (top, left), expected in zip(
        steps["crop_y_x_scale_size"], steps["crop_offsets"], steps["crop_out"], strict=True
    ):
        crop = crop_at(np.array([y, x, zoom, 1]), image.shape[:2], (95, 95), released=True)
        assert crop.corner == (left, top)
        shown, expected = crop.apply(image) / 255, expected / 65535
        x1, y1, x2, y2 = crop.view.visible
        outside = np.ones((95, 95), bool)
        outside[y1:y2, x1:x2] = False
        assert not shown[outside].any() and not expected[outside].any()
        np.testing.assert_allclose(shown, expected, atol=2e-5)


@pytest.mark.parametrize("case", ["default", "two_rounds"])
def test_first_places_parity(parity, case):
    folder = parity("saccade_inference", f"{case}.npz")
    stored = np.load(folder / f"{case}.npz")
    sizes = json.loads((folder / "cases.json").read_text())["cases"][case]["configs"]["init_sizes"]
    image = stored["image_bgr"]
    places = first_regions(image.shape[:2], sizes)
    np.testing.assert_allclose(places[:, :3], stored["prepare_images0_locations"], rtol=1e-6)
    crops = [crop_at(place, image.shape[:2], (255, 255), released=True) for place in places]
    offsets = [crop.corner[::-1] for crop in crops]
    np.testing.assert_array_equal(offsets, stored["prepare_images0_offsets"])
    shown = crops[0].apply(image)
    assert np.abs(shown - stored["prepare_images0_crop0_u8"][0]).max() < 0.501
