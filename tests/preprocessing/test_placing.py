"""Images placed in inputs: both roads against each other, against `warp`, and without aliasing."""

import numpy as np
import pytest

from keras_cornernet.ops import affine
from keras_cornernet.preprocessing import (
    View,
    fit_view,
    halve,
    halvings,
    opencv,
    person_view,
    warp,
    warp_into,
)

ROADS = ["pillow", "opencv"]
# OpenCV 4 resamples at whole 32nds of a pixel, which shows in noise, the worst case.
EXACT = opencv.cv2 is None or int(opencv.cv2.__version__.split(".")[0]) >= 5
MOST, MEAN = (1, 0.02) if EXACT else (8, 1.0)


@pytest.fixture(params=ROADS)
def road(request, monkeypatch):
    if request.param == "pillow":
        monkeypatch.setattr(opencv, "cv2", None)
    elif opencv.cv2 is None:
        pytest.skip("opencv-python is not installed")
    return request.param


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def placed(image, view, fill=(1, 2, 3)):
    canvas = np.empty((*view.input_size, 3), np.uint8)
    canvas[:] = fill
    warp_into(canvas, image, view)
    return canvas


def whole(input_from_image, rows=50, columns=70):
    return View(np.asarray(input_from_image, np.float64), (rows, columns), (0, 0, columns, rows))


VIEWS = {
    "enlarged": whole([[2.3, 0, -20.4], [0, 1.7, 5.2]]),
    "shrunk to 0.6": whole([[0.6, 0, 3.3], [0, 0.61, -2.2]]),
    "as it is": whole([[1.0, 0, 0], [0, 1.0, 0]]),
    "mirrored": whole([[-1.1, 0, 60.0], [0, 1.1, 0]]),
    "a quarter turn": whole([[0, -1.0, 50], [1.0, 0, -7]]),
    "turned": person_view((30, 20), 45, (50, 70), 33.0),
    "part": View(np.array([[0.9, 0, 4], [0, 0.9, 4.0]]), (50, 70), (10, 7, 41, 30)),
    "beyond the input": View(np.array([[0.9, 0, 4], [0, 0.9, 4.0]]), (50, 70), (-5, -9, 90, 99)),
    "all outside": whole([[1.0, 0, 500], [0, 1.0, 0]]),
}


@pytest.mark.parametrize("name", VIEWS)
def test_equals_warp_where_nothing_is_halved(road, name):
    view, image = VIEWS[name], noise(41, 63)
    assert halvings(view.input_from_image) == 0
    inside = warp(np.full_like(image, 255), view.input_from_image, view.input_size, visible=view.visible) > 0
    expected = np.where(inside, view.apply(image), np.array([1, 2, 3], np.uint8))
    difference = np.abs(placed(image, view).astype(int) - expected)
    assert difference.max() <= MOST and difference.mean() < MEAN


def test_how_often_an_image_is_halved():
    scales = {2.0: 0, 1.0: 0, 0.51: 0, 0.5: 1, 0.26: 1, 0.25: 2, 0.13: 2, 0.125: 3, 0.01: 6}
    assert {s: halvings(affine.scaling(s, s)) for s in scales} == scales
    assert halvings(affine.compose(affine.rotation(40), affine.scaling(0.2, 0.3))) == 2
    assert halvings(affine.scaling(-0.25, 0.25)) == 2


@pytest.mark.parametrize("size", [(8, 12), (7, 12), (8, 5), (7, 9), (1, 1), (1, 4)])
def test_halving_takes_rounded_means_of_four(road, size):
    image = noise(*size)
    rows, columns = ((n + 1) // 2 for n in size)
    expected = np.zeros((rows, columns, 3), np.uint8)
    for i in range(rows):
        for j in range(columns):
            four = [
                image[min(2 * i + di, size[0] - 1), min(2 * j + dj, size[1] - 1)].astype(int)
                for di in (0, 1)
                for dj in (0, 1)
            ]
            expected[i, j] = (sum(four) + 2) // 4
    np.testing.assert_array_equal(halve(image), expected)


@pytest.mark.parametrize("turn", [0.0, 25.0])
@pytest.mark.parametrize("size", [(203, 301), (256, 256)])
def test_a_shrunk_image_is_the_halved_image_resampled(road, size, turn):
    image = noise(*size)
    view = person_view((150, 100), 180, (40, 40), turn)
    assert halvings(view.input_from_image) == 2
    quarter = halve(halve(image))
    from_quarter = affine.compose(view.input_from_image, affine.scaling(4, 4))
    inside = warp(np.full_like(image, 255), view.input_from_image, (40, 40)) > 0
    expected = np.where(inside, warp(quarter, from_quarter, (40, 40)), np.array([1, 2, 3], np.uint8))
    difference = np.abs(placed(image, view).astype(int) - expected)
    edge = size[1] / 4 % 1 or size[0] / 4 % 1  # a pixel of the quarter that is partly outside
    assert difference.mean() < (0.5 if edge else MEAN)
    assert edge or difference.max() <= MOST


def test_fine_stripes_shrink_to_grey_and_not_to_other_stripes(road):
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, ::2] = 255
    view = fit_view((400, 400), (90, 90))
    assert np.ptp(placed(image, view)) <= 1 and abs(placed(image, view).mean() - 128) < 1
    assert np.ptp(view.apply(image)) > 100  # what resampling alone makes of them


def test_only_the_part_that_is_seen_is_needed_and_changes_nothing(road):
    image = noise(1200, 1600)
    view = person_view((800, 700), 300, (64, 64), 20.0)
    cut = image[400:1000, 480:1120]  # whole multiples of the step, and a margin
    moved = affine.compose(view.input_from_image, affine.translation(480, 400))
    np.testing.assert_array_equal(placed(image, view), placed(cut, view._replace(input_from_image=moved)))


def test_both_roads_agree(monkeypatch):
    if opencv.cv2 is None:
        pytest.skip("opencv-python is not installed")
    rng, differences = np.random.default_rng(0), []
    for _ in range(40):
        image = noise(*rng.integers(20, 300, 2))
        view = person_view(rng.uniform(0, 200, 2), rng.uniform(20, 500), (48, 64), rng.uniform(-180, 180))
        with monkeypatch.context() as patch:
            ours = placed(image, view)
            patch.setattr(opencv, "cv2", None)
            differences.append(np.abs(ours.astype(int) - placed(image, view)))
    assert max(d.mean() for d in differences) < (0.1 if EXACT else 1.0)
    assert np.mean([d.max() for d in differences]) <= 1.5 * MOST


def test_a_view_onto_a_line_is_refused(road):
    with pytest.raises(ValueError, match="affine cannot be inverted"):
        placed(noise(9, 9), whole([[1.0, 0, 0], [1.0, 0, 0]]))


def test_the_number_of_threads_comes_back():
    cv2 = pytest.importorskip("cv2")
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        with opencv.one_thread():
            with opencv.one_thread():
                assert cv2.getNumThreads() == 1
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == 2
        with pytest.raises(KeyError), opencv.one_thread():
            raise KeyError
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
