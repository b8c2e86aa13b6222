"""Videos in, annotated videos and results by frame out."""

import json
import sys

import cv2
import numpy as np
import pytest
from command_line import load_once, run
from PIL import Image

from keras_cornernet.data.scenes import draw_scene
from keras_cornernet.inference.followed_video import follow_video
from keras_cornernet.inference.video import is_video, open_video, stream_video, video_writer
from keras_cornernet.presets import from_preset

loaded_once = pytest.fixture(scope="module", autouse=True)(load_once)
FRAMES, RATE = 6, 12.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A scene that moves to the left by four pixels a frame."""
    path = tmp_path_factory.mktemp("clips") / "street.mp4"
    image, *_ = draw_scene(7, max_people=1)
    with video_writer(path, RATE) as write:
        for i in range(FRAMES):
            write(Image.fromarray(np.roll(image, -4 * i, axis=1)))
    return path


def test_what_is_written_is_read(clip):
    with open_video(clip) as video:
        assert video.rate == pytest.approx(RATE)
        frames = list(video.frames)
    image, *_ = draw_scene(7, max_people=1)
    assert len(frames) == FRAMES
    assert np.abs(frames[0].astype(int) - image).mean() < 8  # it is compressed


def test_people_keep_their_number_and_are_posed(clip):
    estimator = from_preset("hourglass_people")
    estimator.detector = from_preset("cornernet_people")
    frames = list(stream_video(estimator, clip, boxes="detect", min_score=0.5))
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert frames[3].seconds == pytest.approx(3 / RATE)
    assert {tuple(frame.ids) for frame in frames} == {(1,)}
    raw = list(stream_video(estimator, clip, boxes="detect", min_score=0.5, smooth=False))
    shift = np.median(np.diff([frame.result.keypoints[0] for frame in raw], axis=0), axis=(0, 1))
    np.testing.assert_allclose(shift, [-4, 0], atol=1.5)
    assert not np.array_equal(frames[-1].result.keypoints, raw[-1].result.keypoints)
    (entry,) = frames[2].to_json()["objects"]
    assert entry["id"] == 1 and len(entry["keypoints"]) == 3 * len(estimator.skeleton.joints)
    assert frames[0].plot().size == (320, 240)


def test_one_person_is_followed(clip):
    estimator = from_preset("hourglass_people")
    with pytest.raises(ValueError, match="an estimator with a detector"):
        next(follow_video(estimator, clip))
    estimator.detector = from_preset("cornernet_people")
    asked = []
    found = estimator.detector.predict
    estimator.detector.predict = lambda *given, **options: asked.append(1) or found(*given, **options)
    frames = list(follow_video(estimator, clip))
    assert [frame.index for frame in frames] == list(range(FRAMES)) and len(asked) == 1
    assert {tuple(frame.ids) for frame in frames} == {(1,)}
    *_, joints = draw_scene(7, max_people=1)
    for frame in frames:
        (pose,) = frame.result
        x1, y1, x2, y2 = pose.box
        assert x2 - x1 == pytest.approx(y2 - y1, rel=1e-4)
        shown = joints.xy[0] - (4 * frame.index, 0)
        assert np.median(np.linalg.norm(pose.keypoints - shown, axis=-1)) < 8


def test_frames_are_chosen(clip):
    detector = from_preset("cornernet_people")
    assert [frame.index for frame in stream_video(detector, clip, every=2)] == [0, 2, 4]
    assert [frame.index for frame in stream_video(detector, clip, every=2, max_frames=2)] == [0, 2]
    with pytest.raises(ValueError, match="every must be at least 1"):
        next(stream_video(detector, clip, every=0))


def test_the_command_writes_video_and_lines(clip, tmp_path):
    (tmp_path / "broken.avi").write_text("no video")
    done = run(
        *("predict", "cornernet_people", clip, tmp_path / "broken.avi", tmp_path / "gone.mp4"),
        *("--output", tmp_path / "out", "--json"),
    )
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert [name in "".join(told["failed"]) for name in ("broken.avi", "gone.mp4")] == [True, True]
    (video,) = told["videos"]
    assert (video["frames"], video["objects"], video["picture"]) == (FRAMES, 1, "street.mp4")
    lines = [json.loads(line) for line in (tmp_path / "out/street.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(FRAMES))
    assert {len(line["objects"]) for line in lines} == {1}
    with open_video(tmp_path / "out/street.mp4") as written:
        assert sum(1 for _ in written.frames) == FRAMES
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["street.jsonl", "street.mp4"]


def test_the_command_follows_a_person(clip, tmp_path):
    models = ("hourglass_people", "--detector", "cornernet_people")
    done = run("predict", models[0], clip, *models[1:], "--follow", "--output", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["videos"][0]["objects"] == 1
    done = run("predict", "hourglass_people", clip, "--follow", "--output", tmp_path / "other")
    assert done.exit_code == 2 and "--follow is of a pose network with --detector" in done.stderr


def test_a_video_is_not_written_over_itself(clip):
    done = run("predict", "cornernet_people", clip, "--output", clip.parent)
    assert done.exit_code == 2 and "would overwrite a source" in done.stderr


def test_what_is_a_video():
    assert [is_video(name) for name in ("a.mp4", "A.MOV", "camera:0", "a.jpg", "camera:x")] == [
        *(True, True, True),
        *(False, False),
    ]


def test_without_opencv_the_line_to_type_is_told(clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match="pip install opencv-python-headless"), open_video(clip):
        pass
    monkeypatch.undo()
    assert cv2.__version__
