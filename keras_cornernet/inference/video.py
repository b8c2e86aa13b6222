"""Video files and cameras: frames read, results with numbers for each object, annotated videos written."""

import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_cornernet import files, visualization
from keras_cornernet.checks import check_number
from keras_cornernet.inference.tracking import JOINT_SPEED, OneEuroFilter, Tracker
from keras_cornernet.results import Detections, Poses

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")
RATE = 25.0  # frames a second where a file or camera does not say


def is_video(source: Any) -> bool:
    """Whether something is the path of a video file, or a camera such as `camera:0`."""
    text = str(source)
    return isinstance(source, str | Path) and (
        text.lower().endswith(VIDEO_SUFFIXES) or _camera(text) is not None
    )


def videos_in(folder: str | Path, *, recursive: bool = False) -> list[Path]:
    """The video files in a folder by name, with `recursive` those in its folders too; of a file none."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    inside = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(path for path in inside if is_video(path) and not path.name.startswith("."))


def _camera(text: str) -> int | None:
    """The number of a camera."""
    match = re.fullmatch(r"camera:(\d+)", text)
    return None if match is None else int(match[1])


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise ImportError("videos need OpenCV: pip install opencv-python-headless") from error
    return cv2


class Video(NamedTuple):
    """A video that is open.

    Attributes:
        rate: frames a second.
        frames: `(height, width, 3)` uint8 RGB, one after the other.
    """

    rate: float
    frames: Iterator[np.ndarray]


@contextmanager
def open_video(source: str | Path) -> Iterator[Video]:
    """Opens a video file, or a camera as `camera:0`.

    Raises:
        OSError: there is no such file or camera, or it is no video that OpenCV reads.
        ImportError: OpenCV is not installed.
    """
    cv2 = _opencv()
    camera = _camera(str(source))
    if camera is None:
        files.check_is_file(source)
    capture = cv2.VideoCapture(str(source) if camera is None else camera)
    try:
        if not capture.isOpened():
            raise OSError(f"{source}: not a video or camera that OpenCV opens")
        rate = capture.get(cv2.CAP_PROP_FPS)
        yield Video(rate if 1 <= rate <= 1000 else RATE, _frames(capture, cv2, source))
    finally:
        capture.release()


def _frames(capture: Any, cv2: Any, source: str | Path) -> Iterator[np.ndarray]:
    count = 0
    while True:
        there, frame = capture.read()
        if not there:
            break
        count += 1
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    if not count:
        raise OSError(f"{source}: no frame can be read")


@dataclass(frozen=True)
class FrameResult:
    """What was found on one frame of a video.

    Attributes:
        index: of the frame, from 0.
        seconds: since the beginning.
        result: `Detections` or `Poses`, with the frame as `image`.
        ids: `(n,)` the number of each object, which it keeps from frame to frame.
    """

    index: int
    seconds: float
    result: Any
    ids: np.ndarray

    def plot(self) -> Image.Image:
        """The frame with what was found, and the numbers."""
        found = self.result
        boxes = found.boxes
        if isinstance(found, Poses):
            picture = np.asarray(found.plot())
            names = {int(i): f"{i}" for i in self.ids}
        else:
            picture = found.image
            names = {int(i): f"{name} {i}" for i, name in zip(self.ids, found.names, strict=True)}
        listed = [names.get(i, "") for i in range(max(names, default=0) + 1)]
        return visualization.draw_boxes(picture, boxes, self.ids, listed)

    def to_json(self) -> dict[str, Any]:
        """The frame as one object: `frame`, `seconds` and `objects` with `id`, score, box and joints."""
        rows = self.result.to_coco(self.index)
        objects = []
        for number, row in zip(self.ids, rows, strict=True):
            row = {key: value for key, value in row.items() if key != "image_id"}
            objects.append({"id": int(number), **row})
        return {"frame": self.index, "seconds": round(self.seconds, 4), "objects": objects}


@dataclass
class Follower:
    """Gives the results of frames numbers, and smooths the joints of people.

    Attributes:
        tracker: see `Tracker`.
        smooth: smooth joints by a one-euro filter.
    """

    tracker: Tracker = field(default_factory=Tracker)
    smooth: bool = True
    _filters: dict[int, OneEuroFilter] = field(default_factory=dict, repr=False)

    def follow(self, index: int, seconds: float, result: Any) -> FrameResult:
        """The next frame."""
        labels = result.labels if isinstance(result, Detections) else None
        ids = self.tracker.update(result.boxes, labels)
        if self.smooth and isinstance(result, Poses) and len(ids):
            result = result.replace(keypoints=self._smoothed(ids, result, seconds))
        return FrameResult(index, seconds, result, ids)

    def _smoothed(self, ids: np.ndarray, poses: Poses, seconds: float) -> np.ndarray:
        present = {int(i): self._filters.get(int(i)) or OneEuroFilter(max_speed=JOINT_SPEED) for i in ids}
        known = {i: kept for i, kept in self._filters.items() if i in self.tracker.numbers}
        self._filters = known | present
        smoothed = [
            present[int(i)](points, seconds, float(np.max(box[2:] - box[:2])))
            for i, points, box in zip(ids, poses.keypoints, poses.boxes, strict=True)
        ]
        return np.array(smoothed, np.float32)


def stream_video(
    model: Any,
    source: str | Path,
    *,
    every: int = 1,
    max_frames: int | None = None,
    smooth: bool = True,
    tracker: Tracker | None = None,
    **options: Any,
) -> Iterator[FrameResult]:
    """What a model finds on the frames of a video, one after the other.

    Args:
        model: has `stream`.
        source: a video file, or a camera as `camera:0`.
        every: only each so many frames are looked at.
        max_frames: end after so many frames; None: at the end of the video.
        smooth: smooth the joints of people.
        tracker: follows objects; None: `Tracker()`.
        options: further arguments of the model's `stream`, such as `boxes="detect"`.

    Raises:
        OSError, ImportError: as `open_video`.
        ValueError: `every` or `max_frames` is below 1, or an option does not apply to the model.

    Example:
        >>> for frame in stream_video(detector, "street.mp4"):  # doctest: +SKIP
        ...     print(frame.seconds, frame.ids, frame.result)
    """
    follower = Follower(Tracker() if tracker is None else tracker, smooth)
    waiting: deque[tuple[int, float]] = deque()

    def images() -> Iterator[np.ndarray]:
        for index, seconds, image in chosen_frames(source, every=every, max_frames=max_frames):
            waiting.append((index, seconds))
            yield image

    for result in model.stream(images(), **options):
        yield follower.follow(*waiting.popleft(), result)


def chosen_frames(
    source: str | Path, *, every: int = 1, max_frames: int | None = None
) -> Iterator[tuple[int, float, np.ndarray]]:
    """The frames of a video that are looked at: index, seconds since the beginning, and image.

    Args:
        source, every, max_frames: see `stream_video`.

    Raises:
        OSError, ImportError, ValueError: as `stream_video`.
    """
    check_number("every", every, at_least=1, whole=True)
    if max_frames is not None:
        check_number("max_frames", max_frames, at_least=1, whole=True)
    with open_video(source) as video:
        last = None if max_frames is None else max_frames * every
        for index, image in enumerate(islice(video.frames, last)):
            if index % every == 0:
                yield index, index / video.rate, image


@contextmanager
def video_writer(path: str | Path, rate: float) -> Iterator[Any]:
    """Writes frames to a video file (`.mp4`), which appears when the block has ended without an error.

    Args:
        path: the file.
        rate: frames a second.

    Yields:
        A function that takes a PIL image, all of one size.

    Raises:
        OSError: OpenCV cannot write the file.
    """
    cv2 = _opencv()
    with files.write_aside(path) as aside:
        opened: list[Any] = []
        written = 0

        def write(picture: Image.Image) -> None:
            if not opened:
                code = cv2.VideoWriter_fourcc(*"mp4v")
                opened.append(cv2.VideoWriter(str(aside), code, rate, picture.size))
                if not opened[0].isOpened():
                    raise OSError(f"{path}: OpenCV cannot write this video")
            nonlocal written
            written += 1
            opened[0].write(cv2.cvtColor(np.asarray(picture.convert("RGB")), cv2.COLOR_RGB2BGR))

        try:
            yield write
        finally:
            for writer in opened:
                writer.release()
        if not opened:
            raise OSError(f"{path}: there is no frame to write")
        capture = cv2.VideoCapture(str(aside))  # OpenCV does not say that a disk is full
        found = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        if found != written:
            raise OSError(f"{path}: OpenCV wrote {found} of {written} frames; the disk may be full")
