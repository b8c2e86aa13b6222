"""What `keras-cornernet predict` does: objects or poses on images and videos."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from keras_cornernet.cli.console import check_output_folder
from keras_cornernet.journal import Journal, shard_name, shard_of, write_rows


@dataclass(frozen=True)
class PredictionResult:
    """What `predict` found; the fields are fit for json.

    Attributes:
        output: the folder.
        noun: what the predictions are counted in.
        images: that were read; `images.json` names them.
        predictions: that were found on them; `predictions.json` holds them.
        resumed: images of an earlier run among them.
        failed: one message for each input that could not be read, which names it.
        pictures: whether each image has one.
        files: names of the files of all images.
        videos: `{"path", "picture", "results", "frames", "objects"}` of each video that was read.
    """

    output: str
    noun: str
    images: int
    predictions: int
    resumed: int
    failed: list[str]
    pictures: bool = True
    files: list[str] = field(default_factory=list)
    videos: list[dict[str, Any]] = field(default_factory=list)

    def __str__(self) -> str:
        drawn = "pictures and " if self.pictures and self.images else ""
        before = f" ({self.resumed} of an earlier run)" if self.resumed else ""
        lines = [
            f"{video['path']}: {video['frames']} frames, {video['objects']} different {self.noun}: "
            f"{' and '.join(filter(None, (video['picture'], video['results'])))} in {self.output}"
            for video in self.videos
        ]
        if self.images or not self.videos:
            named = self.files[-1] if self.files else "predictions.json"
            lines.append(
                f"{self.images} images{before}, {self.predictions} {self.noun}: "
                f"{drawn}{named} in {self.output}"
            )
        return "\n".join(lines)


def predict_files(
    model: str,
    sources: Sequence[str | Path],
    output: str | Path,
    *,
    detector: str | None = None,
    min_score: float | None = None,
    flip: bool | None = False,
    classes: Sequence[str] = (),
    recursive: bool = False,
    pictures: bool = True,
    every: int = 1,
    max_frames: int | None = None,
    follow: bool = False,
    annotations: str | Path | None = None,
    boxes: str | Path | None = None,
    trust: bool = False,
    resume: bool = False,
    shard: tuple[int, int] | None = None,
    progress: Any = list,
) -> PredictionResult:
    """Finds objects, or poses people, on images and writes the results.

    Args:
        model: a preset with weights, a `.keras` file or an exported file.
        sources: images, folders, patterns, text files that list images, addresses, video files, and cameras
            such as `camera:0`.
        output: folder for one picture per image, `predictions.jsonl` with a line for each image as soon as it
            is done, and at the end `predictions.json` in COCO result form and `images.json`; of a video an
            annotated one and a json line for each frame, in which objects keep their `id`.
        detector: for a pose network: the model that finds the people; None takes each image as one person
            who fills it.
        min_score: leave out boxes below this score. By default a detector's `predictions.json` holds all
            boxes; pictures show, and people are posed, from the score that the model states for the class, or
            from 0.3.
        flip: average with the mirror image; None follows the model's settings.
        classes: of a detector: names of those that are wanted; none: all. With a pose network: those whose
            objects it reads; none: as its settings say.
        recursive: of folders, also the images in the folders in them.
        pictures: write a picture for each image, and annotated videos.
        every, max_frames: of videos, see `inference.video.stream_video`.
        follow: of a pose network with a detector on videos: one person is followed, and the detector is
            asked only when the person is lost, see `inference.followed_video.follow_video`.
        annotations: a COCO json file whose ids the images get, in place of ids from 1; others are not read.
        boxes: of a pose network: where people are, found by any other detector, see
            `inference.given_boxes.read_boxes`.
        trust: of models that are SavedModels, see `export.load`.
        resume: go on with the images that `predictions.jsonl` in the folder does not hold yet.
        shard: `(i, n)`: only every n-th image or video, from the i-th on, with files of its own names and ids
            that no other shard gives, so that n processes can share the work.
        progress: wraps the images and shows how far the loop is, such as `tqdm.tqdm`.

    Raises:
        ValueError: there is no such model, an argument does not apply to it, or a picture would overwrite
            its source.
    """
    from keras_cornernet import files
    from keras_cornernet.inference.given_boxes import read_boxes
    from keras_cornernet.tasks import load_model, task_of

    check_output_folder(output)
    asked = list(classes)
    clips, paths, failed = expand_sources(sources, recursive=recursive)
    output = Path(output)
    files_of = [file_of(path) for path in paths]
    clip_files = [Path(str(clip).replace(":", "_")).with_suffix(".mp4") for clip in clips]
    all_names = picture_names([*files_of, *clip_files], (*files.IMAGE_SUFFIXES, ".mp4"))
    names = all_names[: len(paths)] if pictures else [None] * len(paths)
    _check_targets(output, names, files_of)
    if pictures:
        _check_targets(output, all_names[len(paths) :], [Path(clip) for clip in clips])
    ids = None
    if annotations is not None:
        ids, strangers = image_ids(annotations, paths)
        failed += strangers
    loaded = load_model(model, trust=trust)
    task = task_of(loaded)
    finder = None if detector is None else load_model(detector, trust=trust)
    if classes:
        finding = loaded if hasattr(loaded, "categories") else finder
        if finding is None:
            raise ValueError(f"--classes is of detectors, and {model} finds {task.noun} without one")
        finding.categories.check_names(classes)
        if finding is finder:  # the pose network reads these
            loaded, classes = loaded.with_settings(label=tuple(classes)), ()
    plan = task.prediction(loaded, detector=finder, min_score=None if boxes is not None else min_score)
    given = None
    if boxes is not None:
        if clips or detector is not None or not hasattr(loaded, "skeleton"):
            raise ValueError("boxes: they are of pose networks on images, in place of --detector")
        given = read_boxes(boxes, paths, ids or {}, min_score=0.3 if min_score is None else min_score)
    work = {
        "model": identity(model),
        "detector": None if detector is None else identity(detector),
        "boxes": None if boxes is None else identity(boxes),
        "annotations": None if annotations is None else identity(annotations),
        "options": [min_score, flip, asked],
        "shard": shard,
    }
    if follow and (detector is None or not clips):
        raise ValueError("--follow is of a pose network with --detector, on videos")
    options = {"flip": flip, "every": every, "max_frames": max_frames}
    lines = shard_name(output / "predictions.jsonl", shard)
    chosen = shard_of(list(zip(paths, files_of, names, strict=True)), shard)
    written: list[str] = []
    with Journal(lines, work, resume=resume) if paths or not clips else nullcontext() as journal:
        resumed = 0 if journal is None else len(journal)
        first, step = shard or (1, 1)
        for path, file, name in progress(chosen):
            assert journal is not None
            if path in journal or (ids is not None and str(path) not in ids):
                continue
            try:
                mine = {} if given is None else {"boxes": [given[str(path)]]}
                (found,) = plan.model.stream(path, flip=flip, **plan.all_options, **mine)
            except OSError as error:
                failed.append(str(error))
                continue
            if classes:
                found = found.of_classes(*classes)
            image_id = first + step * len(journal) if ids is None else ids[str(path)]
            if name is not None:
                found.save(output / name, **plan.save_options)
            row = {"id": image_id, "file_name": file.name, "path": str(path), "picture": name}
            journal.add(path, {**row, "predictions": found.to_coco(image_id)})
        if journal is not None:
            written = _write_tables(journal, output, shard)
    videos = []
    for clip, name in shard_of(list(zip(clips, all_names[len(paths) :], strict=True)), shard):
        try:
            videos.append(
                _predict_video(
                    plan, clip, output / name, options, pictures=pictures, classes=classes, follow=follow
                )
            )
        except OSError as error:
            failed.append(str(error))
    images = 0 if journal is None else len(journal)
    count = 0 if journal is None else sum(len(row["predictions"]) for row in journal.rows())
    return PredictionResult(str(output), task.noun, images, count, resumed, failed, pictures, written, videos)


def identity(model: str | Path) -> str:
    """A model's or a file's name, and of a file its hash: what results of a stopped run must agree in."""
    from keras_cornernet import files

    return f"{model} {files.sha256_of(model)}" if Path(model).is_file() else str(model)


def _write_tables(journal: Journal, output: Path, shard: tuple[int, int] | None) -> list[str]:
    """Writes `images.json` and `predictions.json` of what is done; returns their names."""
    keys = ("id", "file_name", "path", "picture")
    images = write_rows(
        shard_name(output / "images.json", shard), ({key: row[key] for key in keys} for row in journal.rows())
    )
    predictions = write_rows(
        shard_name(output / "predictions.json", shard),
        (found for row in journal.rows() for found in row["predictions"]),
    )
    return [images.name, predictions.name]


def _predict_video(
    plan: Any,
    source: str | Path,
    target: Path,
    options: dict[str, Any],
    *,
    pictures: bool,
    classes: Sequence[str],
    follow: bool,
) -> dict[str, Any]:
    """Writes the results of one video, and with `pictures` an annotated one."""
    from keras_cornernet import files
    from keras_cornernet.inference.followed_video import follow_video
    from keras_cornernet.inference.video import open_video, stream_video, video_writer

    with open_video(source) as video:
        rate = video.rate / options["every"]
    lines = target.with_suffix(".jsonl")
    count, objects = 0, set()
    if follow:
        frames = follow_video(plan.model, source, **options)
    else:
        frames = stream_video(plan.model, source, **{**plan.stream_options, **options})
    with ExitStack() as stack:
        write = stack.enter_context(video_writer(target, rate)) if pictures else None
        text = stack.enter_context(stack.enter_context(files.write_aside(lines)).open("w"))
        for frame in frames:
            if classes:
                kept = [name in classes for name in frame.result.names]
                frame = replace(frame, result=frame.result[kept], ids=frame.ids[kept])
            if write is not None:
                write(frame.plot())
            text.write(json.dumps(frame.to_json()) + "\n")
            text.flush()
            count += 1
            objects |= set(frame.ids.tolist())
    picture = target.name if pictures else None
    seen = {"frames": count, "objects": len(objects)}
    return {"path": str(source), "picture": picture, "results": lines.name, **seen}


def picture_names(paths: Sequence[Path], suffixes: Sequence[str] = ()) -> list[str]:
    """A file name for the picture of each image: its own, numbered where two are the same.

    Args:
        paths: of the images.
        suffixes: that are kept; none: those of images.
    """
    from keras_cornernet import files

    suffixes = suffixes or files.IMAGE_SUFFIXES
    names: list[str] = []
    taken: set[str] = set()
    for path in paths:
        known = path.suffix.lower() in suffixes
        stem, suffix = (path.stem, path.suffix) if known else (_cut(path.name), ".jpg")
        name, number = stem + suffix, 1
        while name.casefold() in taken:  # some file systems ignore case
            number += 1
            name = f"{_cut(stem)}_{number}{suffix}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cut(stem: str) -> str:
    """So much of a name that a number and a suffix still fit into 255 bytes."""
    return stem.encode(errors="surrogateescape")[:230].decode(errors="ignore")


def image_ids(annotations: str | Path, paths: Sequence[Any]) -> tuple[dict[str, int], list[str]]:
    """The ids that a COCO file gives to images, and a message for each image that it does not list.

    Names agree if the whole name in the file is the end of the path; of several the longest counts.
    """
    from keras_cornernet import files

    listed: dict[str, list[tuple[str, int]]] = {}
    for entry in files.read_json(annotations, tables=("images",))["images"]:
        name = str(entry.get("file_name")).replace("\\", "/")
        if isinstance(entry.get("id"), int):
            listed.setdefault(name.rpartition("/")[2], []).append((name, entry["id"]))
    ids: dict[str, int] = {}
    failed = []
    for path in paths:
        whole = "/" + file_of(path).as_posix()
        same = listed.get(file_of(path).name, ())
        found = [(len(name), id_) for name, id_ in same if whole.endswith("/" + name)]
        if found:
            ids[str(path)] = max(found)[1]
        else:
            failed.append(f"{path}: not among the images of {annotations}")
    return ids, failed


def file_of(item: str | Path) -> Path:
    """The file that an image comes from; of an address its last part."""
    from keras_cornernet.inference.downloads import is_address

    return Path(unquote(urlsplit(item).path) or "image") if is_address(item) else Path(item)  # type: ignore


def expand_sources(
    sources: Sequence[str | Path], *, recursive: bool = False
) -> tuple[list[Any], list[Any], list[str]]:
    """The videos and the images of all sources, and what is wrong with folders that have neither."""
    from keras_cornernet.inference.reading import list_images
    from keras_cornernet.inference.video import is_video, videos_in

    clips: list[Any] = []
    paths: list[Any] = []
    failed: list[str] = []
    for source in sources:
        if is_video(source):
            clips.append(source)
            continue
        inside = videos_in(source, recursive=recursive)
        clips += inside
        try:
            paths += list_images(source, recursive=recursive)
        except OSError as error:
            if not inside:
                failed.append(str(error))
    return clips, paths, failed


def _check_targets(output: Path, names: Sequence[str | None], paths: Sequence[Path]) -> None:
    """Raises `ValueError` where a picture would overwrite its source."""
    own = {os.path.realpath(path) for path in paths}  # which takes links to themselves as they are
    for name in names:
        if name is not None and os.path.realpath(output / name) in own:
            raise ValueError(f"the picture {output / name} would overwrite a source: choose another output")
