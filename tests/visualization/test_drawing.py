import numpy as np
import pytest
from PIL import Image

from keras_cornernet.skeletons import COCO, LSP
from keras_cornernet.visualization import draw_boxes, draw_heatmap, draw_skeletons, grid
from keras_cornernet.visualization.colours import PALETTE

GREY = np.full((120, 160, 3), 128, np.uint8)


def colours(picture):
    return {tuple(pixel) for pixel in np.asarray(picture).reshape(-1, 3).tolist()}


def test_no_boxes_leave_the_image_as_it_was():
    picture = draw_boxes(GREY, np.zeros((0, 4)), np.zeros(0, int), ["person"])
    np.testing.assert_array_equal(np.asarray(picture), GREY)
    np.testing.assert_array_equal(np.asarray(draw_boxes(GREY, [], [], [])), GREY)


def test_a_box_is_drawn_on_its_edges_in_the_colour_of_its_label():
    drawn = np.asarray(draw_boxes(GREY, [[40, 60, 100, 110]], [2], ["a", "b", "c"]))
    assert tuple(drawn[80, 40]) == PALETTE[2] == tuple(drawn[80, 99])
    assert tuple(drawn[109, 70]) == PALETTE[2]
    assert tuple(drawn[85, 70]) == (128, 128, 128) == tuple(drawn[5, 5])
    assert (GREY == 128).all()


def test_the_first_box_lies_on_top():
    box = [[40, 60, 100, 110]] * 2
    assert tuple(np.asarray(draw_boxes(GREY, box, [0, 1], ["a", "b"]))[80, 40]) == PALETTE[0]


def test_tags_of_equal_boxes_do_not_hide_one_another():
    boxes = np.array([[30, 40, 130, 110]] * 3, float)
    drawn = np.asarray(draw_boxes(GREY, boxes, [0, 1, 2], ["a", "b", "c"], scores=[0.9, 0.8, 0.7]))
    for label in range(3):
        assert (drawn == PALETTE[label]).all(-1).sum() > 100


@pytest.mark.parametrize(
    "box",
    [
        *([-500, -500, -10, -10], [1e7, 1e7, 2e7, 2e7], [np.nan, 0, 10, 10], [90, 90, 20, 20]),
        *([0, 0, np.inf, 50],),
    ],
)
def test_boxes_that_cannot_be_seen_are_not_drawn(box):
    np.testing.assert_array_equal(np.asarray(draw_boxes(GREY, [box], [0], ["person"])), GREY)


@pytest.mark.parametrize(
    "box", [[-1e9, -1e9, 1e9, 1e9], [-20, 30, 60, 500], [159, 119, 160, 120], [5, 5, 5, 5]]
)
def test_boxes_partly_outside_keep_their_tag_inside(box):
    assert PALETTE[0] in colours(draw_boxes(GREY, [box], [0], ["person"], scores=[1.0]))


def test_padding_is_not_drawn():
    drawn = draw_boxes(GREY, [[10, 10, 50, 50]], [-1], ["person"])
    np.testing.assert_array_equal(np.asarray(drawn), GREY)


def test_a_tag_wider_than_the_image_is_survived():
    tiny = np.zeros((8, 8, 3), np.uint8)
    assert draw_boxes(tiny, [[1, 1, 7, 7]], [0], ["a very long class name"]).size == (8, 8)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("image", {"image": GREY / 255}),
        ("image", {"image": GREY[..., 0]}),
        ("boxes", {"boxes": np.zeros((1, 5))}),
        ("labels", {"labels": [0, 0]}),
        ("labels", {"labels": [1]}),
        ("scores", {"scores": [0.5, 0.5]}),
    ],
)
def test_draw_boxes_names_the_bad_argument(name, arguments):
    good = {"image": GREY, "boxes": np.ones((1, 4)), "labels": [0], "names": ["person"], "scores": None}
    with pytest.raises(ValueError, match=f"^{name} must"):
        draw_boxes(**{**good, **arguments})


def test_skeletons_colour_sides_and_leave_out_the_unseen():
    points = np.zeros((1, 14, 2))
    points[0, 6], points[0, 7] = (20, 100), (20, 20)  # right wrist and elbow
    points[0, 11], points[0, 10] = (120, 100), (120, 20)  # left wrist and elbow
    visible = np.zeros((1, 14), bool)
    visible[0, [6, 7, 10, 11]] = True
    drawn = np.asarray(draw_skeletons(GREY, points, visible, LSP))
    assert tuple(drawn[60, 20]) == (255, 140, 26)
    assert tuple(drawn[60, 120]) == (41, 171, 255)
    visible[0, 6] = False
    drawn = np.asarray(draw_skeletons(GREY, points, visible, LSP))
    assert tuple(drawn[60, 20]) == (128, 128, 128)


def test_skeletons_of_nobody_and_far_away():
    nobody = draw_skeletons(GREY, np.zeros((0, 17, 2)), np.zeros((0, 17), bool), COCO)
    np.testing.assert_array_equal(np.asarray(nobody), GREY)
    far = np.full((1, 14, 2), np.nan)
    far[0, 0] = (-900, 4000)
    np.testing.assert_array_equal(np.asarray(draw_skeletons(GREY, far, np.ones((1, 14), bool), LSP)), GREY)


def test_skeletons_name_the_bad_argument():
    with pytest.raises(ValueError, match=r"^keypoints must"):
        draw_skeletons(GREY, np.zeros((1, 16, 2)), np.zeros((1, 16), bool), LSP)
    with pytest.raises(ValueError, match=r"^visible must"):
        draw_skeletons(GREY, np.zeros((1, 14, 2)), np.zeros((2, 14), bool), LSP)


def test_heatmap_is_warm_where_it_is_high():
    heatmap = np.zeros((12, 16))
    heatmap[3, 4], heatmap[9, 12] = 1.0, np.nan
    drawn = np.asarray(draw_heatmap(GREY, heatmap)).astype(int)
    assert drawn.shape == GREY.shape
    assert drawn[35, 45, 0] > 200 and drawn[35, 45, 0] > drawn[35, 45, 2]
    assert (drawn[110, 10] < 128).all() and (drawn[95, 125] < 128).all()
    with pytest.raises(ValueError, match=r"^heatmap must"):
        draw_heatmap(GREY, np.zeros((12, 16, 1)))


def test_grid_keeps_proportions_and_order():
    images = [Image.new("RGB", (40, 20), colour) for colour in ("red", "lime", "blue")]
    sheet = grid(images, 2, 206)
    assert sheet.size == (206, 2 + 50 + 2 + 50 + 2)
    assert [sheet.getpixel(at) for at in ((50, 25), (150, 25), (50, 77), (150, 77))] == [
        *((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)),
    ]


@pytest.mark.parametrize(("images", "columns", "width"), [([], 2, 100), ([1], 0, 100), ([1], 50, 60)])
def test_grid_refuses_what_it_cannot_lay_out(images, columns, width):
    images = [Image.new("RGB", (4, 4)) for _ in images]
    with pytest.raises(ValueError, match=r"^(images|columns|width) must"):
        grid(images, columns, width)
