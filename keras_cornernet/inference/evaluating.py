"""Models measured on annotated data sets; shared by models in Keras and in exported files."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_cornernet.data.joining import with_classes
from keras_cornernet.evaluation import (
    EvaluationResult,
    evaluate_detections,
    evaluate_poses,
    format_pose_table,
    format_table,
    found_among_best,
    match_categories,
)
from keras_cornernet.evaluation.poses import PCK_THRESHOLD
from keras_cornernet.inference.people import found_people
from keras_cornernet.journal import Journal
from keras_cornernet.results import Detections
from keras_cornernet.structures import (
    Categories,
    DetectionDataset,
    PoseDataset,
    Problem,
    Progress,
    image_problem,
    size_problem,
)

log = logging.getLogger(__name__)
SHOWN = 20  # problems that are logged one by one
FAR = -1e6  # pixels; where the joints of people are put whom the detector did not find
HEADLINE = ("AP", "AP50", "AP75")
ROWS = ("boxes", "scores", "labels")  # of detections that a journal keeps
BLOCK = 64  # people that a journal keeps together


class MeasuresDetections:
    """The `evaluate` of whatever finds boxes: it has `categories` and `stream`."""

    categories: Any
    stream: Any

    def evaluate(
        self,
        dataset: DetectionDataset,
        *,
        flip: bool | None = None,
        progress: Progress = list,
        journal: Journal | None = None,
    ) -> EvaluationResult:
        """Measures COCO's AP.

        Args:
            dataset: what a reader of boxes returned. Its classes are matched by name, see
                `evaluation.match_categories`; those that the model does not know are left out. Where only
                some objects of the images are annotated, see also `evaluation.found_among_best`.
            flip: detect on the mirror image too; None follows the model's settings.
            progress: wraps the images and shows how far the evaluation is, such as `tqdm.tqdm`.
            journal: keeps what was found on each image, and gives it for images that it holds.

        Returns:
            `predictions` holds the `Detections` by image id, without their images. Images that cannot be read
            or have another size than their annotations state are left out and named in `problems`.

        Raises:
            OSError: no image can be measured; the problems are logged.
            ValueError: the classes do not match.
        """
        dataset, categories, notes = with_shared_classes(dataset, self.categories)
        problems, found, measured = list(dataset.problems), {}, []
        kept = {} if journal is None else _kept_detections(journal, self.categories)
        for sample in progress(dataset.samples):
            unread: list[Problem] = []
            if sample.image_id in kept:
                found[sample.image_id] = kept[sample.image_id]
                measured.append(sample)
                continue
            options = {"min_score": 0.0, "flip": flip, "on_error": _collect(unread)}
            for result in self.stream(sample.path, **options):
                wrong = size_problem(sample.path, sample.size, result.image.shape[:2])
                if wrong is not None:
                    unread.append(wrong)
                    continue
                # Without the image: thousands of them would not fit into memory.
                found[sample.image_id] = result.replace(image=None)
                measured.append(sample)
                if journal is not None:
                    arrays = {name: getattr(result, name).tolist() for name in ROWS}
                    journal.add(sample.image_id, {"path": result.path, **arrays})
            problems += unread
        if not measured:
            raise _nothing_measured("images", problems)
        named = {id_: result.replace(categories=categories) for id_, result in found.items()}
        measured_dataset = dataset.replace(samples=tuple(measured), parts=())
        metrics = evaluate_detections(measured_dataset, named)
        found_rates = found_among_best(measured_dataset, named)
        return EvaluationResult(
            {**metrics, **found_rates},
            {**{name: metrics[name] for name in HEADLINE}, **found_rates},
            "\n".join([format_table(metrics), *map(_found_line, found_rates.items())]),
            found,
            tuple(problems),
            notes,
        )


def with_shared_classes(
    dataset: DetectionDataset, model: Categories
) -> tuple[DetectionDataset, Categories, tuple[str, ...]]:
    """A data set with those classes alone that a model knows.

    Returns:
        The data set; the model's classes as the data set spells them; and notes for people.

    Raises:
        ValueError: the classes do not match, see `evaluation.match_categories`.
    """
    categories, notes = match_categories(model, dataset.categories)
    shared = [i for i, name in enumerate(dataset.names) if name in categories.names]
    if len(shared) < len(dataset.names):
        ids = dataset.categories.ids
        known = Categories(tuple(dataset.names[i] for i in shared), tuple(ids[i] for i in shared))
        dataset = with_classes(dataset, known)
    return dataset, categories, notes


@dataclass(frozen=True)
class PosePredictions:
    """The keypoints found for the people of a data set.

    Attributes:
        dataset: the people who were measured.
        keypoints: `(n, k, 2)` float32, image pixels.
        keypoint_scores: `(n, k)` float32.
    """

    dataset: PoseDataset
    keypoints: np.ndarray
    keypoint_scores: np.ndarray


class MeasuresPoses:
    """The `evaluate` of whatever reads joints: it has a `skeleton` and `read_dataset`."""

    skeleton: Any
    settings: Any
    read_dataset: Any

    def evaluate(
        self,
        dataset: PoseDataset,
        *,
        flip: bool | None = None,
        detector: Any = None,
        threshold: float | None = None,
        progress: Progress = list,
        journal: Journal | None = None,
    ) -> EvaluationResult:
        """Measures PCK and what else the annotations allow, everyone shown in the annotated square.

        Args:
            dataset: what a reader of poses returned, with the joints of the model.
            flip: average with the mirror image; None follows the model's settings.
            detector: finds the people, who are then shown in the squares around the boxes found, see
                `inference.people.found_people`. All joints of those who are not found count as missed.
            threshold: of PCK, in torso sizes or in longer sides of the box; None for 0.2.
            progress: wraps the people and shows how far the evaluation is, such as `tqdm.tqdm`.
            journal: keeps what was found of each block of people, and gives it for blocks that it holds.

        Returns:
            `predictions` holds `PosePredictions`. People whose image cannot be read are left out and named
            in `problems`.

        Raises:
            OSError: no image can be measured; the problems are logged.
            ValueError: the joints are others.
        """
        if self.skeleton.joints != dataset.skeleton.joints:
            raise ValueError(
                f"the model's joints ({', '.join(self.skeleton.joints)}) are not those of the annotations "
                f"({', '.join(dataset.skeleton.joints)})"
            )
        problems = list(dataset.problems)
        options = {"flip": flip, "detector": detector}
        if journal is None:
            keypoints, scores, missed = self._read(dataset, problems, progress=progress, **options)
        else:
            keypoints, scores, missed = self._read_blocks(dataset, problems, journal, progress, options)
        notes: tuple[str, ...] = ()
        if detector is not None:
            rate = f"{(~missed).mean():.3f} of the {len(dataset)} people"
            notes = (f"the detector found {rate}; all joints of the others count as missed",)
        problems = list(dict.fromkeys(problems))
        read = np.isfinite(scores).all(axis=1)
        if not read.any():
            raise _nothing_measured("images of the annotated people", problems)
        measured = dataset.select(np.flatnonzero(read))
        metrics = evaluate_poses(measured, keypoints[read], keypoint_scores=scores[read], threshold=threshold)
        name = f"PCK@{PCK_THRESHOLD if threshold is None else threshold:g}"
        name = name if dataset.skeleton.has_torso else f"{name} of box"
        return EvaluationResult(
            metrics,
            # Nobody may have both joints of the torso, or a box.
            {name: metrics.get(name, math.nan)},
            format_pose_table(metrics),
            PosePredictions(measured, keypoints[read], scores[read]),
            tuple(problems),
            notes,
        )

    def _read(
        self,
        dataset: PoseDataset,
        problems: list[Problem],
        *,
        flip: bool | None,
        detector: Any,
        progress: Progress,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keypoints, their scores, and who was not found; appends to `problems`."""
        shown, missed = dataset, np.zeros(len(dataset), bool)
        if detector is not None:
            shown, missed = found_people(dataset, detector, self.settings, on_error=_collect(problems))
        keypoints, scores = self.read_dataset(
            shown, flip=flip, on_error=_collect(problems), progress=progress
        )
        keypoints[missed & np.isfinite(scores).all(axis=1)] = FAR
        return keypoints, scores, missed

    def _read_blocks(
        self,
        dataset: PoseDataset,
        problems: list[Problem],
        journal: Journal,
        progress: Progress,
        options: Mapping[str, Any],
    ) -> tuple[np.ndarray, ...]:
        """As `_read`, in blocks of people that the journal keeps once they are read without a problem."""
        blocks = [range(i, min(i + BLOCK, len(dataset))) for i in range(0, len(dataset), BLOCK)]
        parts = {row["key"]: row["arrays"] for row in journal.rows()}
        for block in progress(blocks):
            if str(block) in parts:
                continue
            wrong: list[Problem] = []
            arrays = [
                array.tolist() for array in self._read(dataset.select(block), wrong, progress=list, **options)
            ]
            parts[str(block)] = arrays
            problems += wrong
            if not wrong:
                journal.add(block, {"arrays": arrays})
        types = (np.float32, np.float32, bool)
        columns = zip(*(parts[str(block)] for block in blocks), strict=True)
        return tuple(np.concatenate(c).astype(t) for c, t in zip(columns, types, strict=True))


def _kept_detections(journal: Journal, categories: Categories) -> dict[int, Detections]:
    """What an earlier run found, by image id."""
    kept = {}
    for row in journal.rows():
        boxes, scores = (np.array(row[name], np.float32) for name in ROWS[:2])
        labels = np.array(row["labels"], np.int32)
        kept[int(row["key"])] = Detections(boxes.reshape(-1, 4), scores, labels, categories, path=row["path"])
    return kept


def _found_line(item: tuple[str, float]) -> str:
    """One of the numbers of `found_among_best` in words."""
    name, rate = item
    count = name.partition("@")[2]
    best = "the best detection" if count == "1" else f"one of the best {count} detections"
    return f" {name}: the annotated object is met by {best} (IoU 0.5) in {rate:.3f} of the cases"


def _collect(problems: list[Problem]) -> Any:
    """An `on_error` that keeps each unreadable image as a problem."""

    def on_error(path: str, error: OSError) -> None:
        problems.append(image_problem(path, error))

    return on_error


def _nothing_measured(what: str, problems: Sequence[Problem]) -> OSError:
    """The error where no image is left; all problems are logged, since no result can list them."""
    for problem in problems[:SHOWN]:
        log.warning("%s", problem)
    if len(problems) > SHOWN:
        log.warning("and %d more; check-data lists them all", len(problems) - SHOWN)
    first = f"; the first problem: {problems[0]}" if problems else ""
    return OSError(f"none of the {what} can be measured{first}")
