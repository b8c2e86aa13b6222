import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from keras_cornernet.data.scenes import draw_scene, make_scenes
from keras_cornernet.data.scenes.body import any_body, pose_body
from keras_cornernet.data.scenes.canvas import Canvas
from keras_cornernet.data.scenes.clothes import any_clothes
from keras_cornernet.data.scenes.limbs import draw_arm, draw_leg, draw_trunk
from keras_cornernet.data.scenes.person import draw_person
from keras_cornernet.data.scenes.poses import standing
from keras_cornernet.data.scenes.scene import MIN_VISIBLE, compose
from keras_cornernet.skeletons import LSP

SIZE = (120, 160)


@pytest.fixture(scope="module")
def drawn():
    """Scenes with their silhouettes, which the public function does not hand out."""
    return [compose(np.random.default_rng(seed), SIZE, 5, (0.15, 0.8)) for seed in range(80)]


def test_the_same_seed_draws_the_same_scene():
    first, again = draw_scene(3, SIZE), draw_scene(np.random.default_rng(3), SIZE)
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1:] == again[1:]
    assert (draw_scene(4, SIZE)[0] != first[0]).any()


@pytest.mark.parametrize("size", [(32, 32), (33, 48)])
def test_tiny_scenes_are_drawn_too(size):
    for seed in range(60):
        assert draw_scene(seed, size)[0].shape == (*size, 3)


def test_shapes_and_types():
    image, boxes, keypoints = draw_scene(0, (96, 200))
    n = len(boxes.xyxy)
    assert image.shape == (96, 200, 3) and image.dtype == np.uint8
    assert boxes.xyxy.shape == (n, 4) and boxes.xyxy.dtype == np.float32
    assert boxes.labels.tolist() == [0] * n and not boxes.ignore.any()
    assert keypoints.xy.shape == (n, 14, 2) and keypoints.xy.dtype == np.float32
    assert keypoints.visibility.shape == (n, 14) and keypoints.visibility.dtype == np.int32


def test_boxes_are_tight_around_the_silhouettes(drawn):
    for scene in drawn:
        for box, silhouette in zip(scene.boxes.xyxy, scene.silhouettes, strict=True):
            rows, columns = np.flatnonzero(silhouette.any(1)), np.flatnonzero(silhouette.any(0))
            assert box.tolist() == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def test_boxes_hold_what_a_person_changes_in_the_image():
    """A second check that knows nothing of masks: paste a person on grey and look where it is not grey."""
    for seed in range(10):
        sprite, _ = draw_person(np.random.default_rng(seed), 90)
        sheet = Image.new("RGB", (200, 200), (1, 2, 3))
        sheet.paste(sprite.image, (40, 50), sprite.image)
        changed = (np.asarray(sheet) != (1, 2, 3)).any(-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        height, width = sprite.mask.shape
        np.testing.assert_allclose([columns[0], columns[-1] + 1], [40, 40 + width], atol=1)
        np.testing.assert_allclose([rows[0], rows[-1] + 1], [50, 50 + height], atol=1)


def test_people_lie_in_the_image_and_do_not_hide_one_another(drawn):
    for scene in drawn:
        boxes = scene.boxes.xyxy
        assert (boxes >= 0).all() and (boxes[:, 2:] <= (SIZE[1], SIZE[0])).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        nearer = np.zeros(SIZE, bool)
        for silhouette in scene.silhouettes:
            assert (silhouette & ~nearer).sum() >= MIN_VISIBLE * silhouette.sum()
            nearer |= silhouette


def test_keypoints_lie_in_their_box_unless_outside_the_image(drawn):
    for scene in drawn:
        xy, visibility = scene.keypoints.xy, scene.keypoints.visibility
        inside = (xy >= 0).all(-1) & (xy[..., 0] < SIZE[1]) & (xy[..., 1] < SIZE[0])
        assert not visibility[~inside].any()
        lost = inside & (visibility == 0)  # hidden, and so are the joints next to it
        for person, joint in np.argwhere(lost):
            beside = [b if a == joint else a for a, b in LSP.limbs if joint in (a, b)]
            assert (visibility[person, beside] < 2).all()
        for person, joint in np.argwhere(visibility == 1):
            beside = [b if a == joint else a for a, b in LSP.limbs if joint in (a, b)]
            assert (visibility[person, beside] == 2).any()
        low, high = scene.boxes.xyxy[:, None, :2] - 1.5, scene.boxes.xyxy[:, None, 2:] + 1.5
        assert ((xy >= low) & (xy <= high)).all(-1)[visibility > 0].all()


def test_scenes_vary(drawn):
    people = [len(scene.boxes.xyxy) for scene in drawn]
    assert 0.0 < np.mean(np.array(people) == 0) < 0.2
    assert max(people) >= 4
    visibility = np.concatenate([scene.keypoints.visibility.ravel() for scene in drawn])
    shares = np.bincount(visibility, minlength=3) / len(visibility)
    assert (shares > (0.01, 0.02, 0.5)).all()
    heights = np.concatenate([scene.boxes.xyxy[:, 3] - scene.boxes.xyxy[:, 1] for scene in drawn]) / SIZE[0]
    assert np.quantile(heights, 0.1) < 0.25 and np.quantile(heights, 0.9) > 0.5


@pytest.mark.parametrize(("yaw", "side"), [(0.0, 1), (np.pi, -1)], ids=["front", "back"])
def test_sides_are_the_persons_own(yaw, side):
    """The left hand of who faces the camera is at image right; seen from behind it is at image left."""
    rng = np.random.default_rng(0)
    figure = pose_body(rng, any_body(rng), standing(rng), yaw)
    for joint in ("shoulder", "hip"):
        assert side * (figure.at[f"left_{joint}"] - figure.at[f"right_{joint}"]).real > 0
    assert (figure.facing > 0) == (side > 0)


def test_who_faces_image_right_has_the_right_side_near():
    rng = np.random.default_rng(0)
    figure = pose_body(rng, any_body(rng), standing(rng), np.pi / 2)
    assert figure.gaze.real > 0
    assert figure.depth["right_shoulder"] > figure.depth["left_shoulder"]


def test_limbs_behind_the_trunk_lie_in_its_shade():
    rng = np.random.default_rng(0)
    clothes = any_clothes(rng)._replace(skin=(200, 200, 200), sleeve=0.0, leg=0.0, shoes=(200, 200, 200))
    body = any_body(rng)
    figure = pose_body(rng, body, standing(rng), yaw=np.pi / 2)  # the right side is the near one
    for draw in (draw_arm, draw_leg):
        right, left = (brightness(draw, figure, body, clothes, side) for side in ("right", "left"))
        assert right > 1.2 * left


def test_a_back_has_no_neckline():
    rng = np.random.default_rng(0)
    clothes = any_clothes(rng)._replace(skin=(255, 255, 255), shirt=(60, 0, 0), stripes=None)
    body, pose = any_body(rng), standing(rng)
    front, back = (pose_body(np.random.default_rng(1), body, pose, yaw) for yaw in (0.0, np.pi))
    assert brightness(draw_trunk, front, body, clothes) > 1.1 * brightness(draw_trunk, back, body, clothes)


def brightness(draw, figure, body, clothes, *side):
    canvas = Canvas(-1 - 1j, 1 + 1j, 60)
    draw(canvas, figure, body, clothes, *side)
    pixels = np.asarray(canvas.sheet).reshape(-1, 4)
    return pixels[pixels[:, 3] > 0, :3].mean()


def test_max_people_bounds_the_people():
    assert all(len(draw_scene(seed, (64, 64), max_people=0)[1].xyxy) == 0 for seed in range(5))
    assert {len(draw_scene(seed, (64, 64), max_people=1)[1].xyxy) for seed in range(30)} <= {0, 1}


def test_make_scenes_writes_what_pycocotools_reads(tmp_path, capsys):
    settings = {"max_people": 5, "heights": (0.15, 0.8)}
    path = make_scenes(tmp_path / "set", 6, seed=5, size=SIZE, suffix=".png", **settings)
    assert path == tmp_path / "set" / "annotations.json"
    coco = COCO(str(path))
    assert coco.loadCats([1])[0]["keypoints"] == list(LSP.joints)
    assert sorted(p.name for p in (tmp_path / "set" / "images").iterdir()) == [
        coco.imgs[i]["file_name"] for i in range(1, 7)
    ]
    for index, image_id in enumerate(coco.getImgIds()):
        scene = compose(np.random.default_rng([5, index]), SIZE, **settings)
        record = coco.imgs[image_id]
        assert (record["height"], record["width"]) == SIZE
        with Image.open(tmp_path / "set" / "images" / record["file_name"]) as image:
            np.testing.assert_array_equal(np.asarray(image), scene.image)
        persons = coco.loadAnns(coco.getAnnIds([image_id]))
        assert len(persons) == len(scene.silhouettes)
        for person, box, visibility in zip(
            persons, scene.boxes.xyxy, scene.keypoints.visibility, strict=True
        ):
            x, y, w, h = person["bbox"]
            assert [x, y, x + w, y + h] == box.tolist()
            assert 0 < person["area"] <= w * h and person["iscrowd"] == 0
            flags = person["keypoints"][2::3]
            assert flags == visibility.tolist() and len(person["keypoints"]) == 42
            assert person["num_keypoints"] == sum(flag > 0 for flag in flags)


def test_a_longer_set_begins_with_the_shorter(tmp_path):
    short = json.loads(make_scenes(tmp_path / "a", 2, seed=1, size=(64, 64)).read_text())
    long = json.loads(make_scenes(tmp_path / "b", 4, seed=1, size=(64, 64)).read_text())
    assert long["images"][:2] == short["images"]
    assert long["annotations"][: len(short["annotations"])] == short["annotations"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("size", {"size": (16, 320)}),
        ("size", {"size": (240,)}),
        ("max_people", {"max_people": -1}),
        ("heights", {"heights": (0.8, 0.2)}),
        ("heights", {"heights": (0.0, 0.2)}),
    ],
)
def test_draw_scene_names_the_bad_argument(name, arguments):
    with pytest.raises(ValueError, match=f"^{name} must"):
        draw_scene(0, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("count", {"count": 0}),
        ("seed", {"seed": -1}),
        ("suffix", {"suffix": ".gif"}),
        ("size", {"size": (8, 8)}),
    ],
)
def test_make_scenes_names_the_bad_argument(tmp_path, name, arguments):
    with pytest.raises(ValueError, match=f"^{name} must"):
        make_scenes(tmp_path, **{"count": 1, "seed": 0, **arguments})
    assert not list(tmp_path.iterdir())
