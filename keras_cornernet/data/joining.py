"""Several data sets as one, by the names of their classes; and one divided for validation."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_cornernet.checks import check_number
from keras_cornernet.structures import Boxes, Categories, DatasetPart, DetectionDataset, PoseDataset, Sample

MOST_BACKGROUND = 0.9  # of the images of a training set


def join_datasets(
    datasets: Sequence[Any],
    *,
    names: Sequence[str] = (),
    weights: Sequence[float] = (),
    classes: Sequence[str] | None = None,
) -> Any:
    """Makes one data set of several of the same task.

    Classes are matched by name, whatever their case; their order is that of their first occurrence, or that
    of `classes`. A class that is not among the categories of a set is not labelled there: its images are
    neither positive nor negative examples of that class (`Sample.labelled`).

    Args:
        datasets: what readers returned, all with boxes or all with joints.
        names: of the sets, for messages.
        weights: the fraction of each set that an epoch shows, above 0 and at most 1; by default all of it.
        classes: those that are kept; boxes of others are left out. None keeps all. Not for joints.

    Returns:
        A `DetectionDataset` with image ids from 1, or a `PoseDataset`. Its `parts` are the sets. One data set
        alone keeps its image ids, and without `classes` and a weight it is returned as it is.

    Raises:
        ValueError: a number of names or weights does not fit, a class is in no set, the sets are of two
            tasks, or the joints differ.
    """
    if not datasets:
        raise ValueError("datasets: expected at least one data set")
    names = names or [f"data set {i + 1}" for i in range(len(datasets))]
    weights = weights or [1.0] * len(datasets)
    for argument, values in (("names", names), ("weights", weights)):
        if len(values) != len(datasets):
            raise ValueError(
                f"{argument}: expected one for each of {len(datasets)} data sets, got {len(values)}"
            )
    for weight in weights:
        check_number("weights", weight, above=0, at_most=1)
    kinds = {type(dataset) for dataset in datasets}
    if len(kinds) > 1:
        raise ValueError("datasets: expected all with boxes or all with joints, got both")
    parts = tuple(map(DatasetPart, names, map(len, datasets), weights))
    if len(datasets) == 1 and classes is None and weights[0] == 1:
        return datasets[0]
    return JOINERS[kinds.pop()](datasets, parts, classes)


def _joined_people(
    datasets: Sequence[PoseDataset], parts: tuple[DatasetPart, ...], classes: Sequence[str] | None
) -> PoseDataset:
    if classes is not None:
        raise ValueError("classes: people have joints, and only the class person")
    first, names = datasets[0], [part.name for part in parts]
    for name, other in zip(names, datasets, strict=True):
        if other.skeleton.joints != first.skeleton.joints:
            raise ValueError(
                f"the joints of {name} ({', '.join(other.names)}) are not those of {names[0]} "
                f"({', '.join(first.names)})"
            )
    people = tuple(person for dataset in datasets for person in dataset.people)
    problems = tuple(problem for dataset in datasets for problem in dataset.problems)
    return first.replace(people=people, problems=problems, parts=parts)


def _joined_boxes(
    datasets: Sequence[DetectionDataset], parts: tuple[DatasetPart, ...], classes: Sequence[str] | None
) -> DetectionDataset:
    if len(datasets) == 1 and classes is None:
        return datasets[0].replace(parts=parts)
    spelled: dict[str, str] = {}
    for dataset in datasets:
        for name in dataset.names:
            spelled.setdefault(name.casefold(), name)
    if classes is None:
        categories = Categories.of(list(spelled.values()))
    else:
        categories = Categories.of(classes, argument="classes")
        unknown = [name for name in categories.names if name.casefold() not in spelled]
        if unknown:
            raise ValueError(
                f"classes: {', '.join(unknown)} occurs in none of the data sets, which have "
                f"{', '.join(spelled.values())}"
            )
    samples = [sample for dataset in datasets for sample in _relabelled(dataset, categories)]
    if len(datasets) > 1:
        samples = [sample.replace(image_id=i) for i, sample in enumerate(samples, start=1)]
    problems = tuple(problem for dataset in datasets for problem in dataset.problems)
    return DetectionDataset(tuple(samples), categories, problems, parts)


# What joins data sets of each kind.
JOINERS: dict[type, Callable[..., Any]] = {DetectionDataset: _joined_boxes, PoseDataset: _joined_people}


def with_classes(dataset: DetectionDataset, categories: Categories) -> DetectionDataset:
    """A data set whose labels are those of other categories, matched by name; other boxes are left out."""
    return dataset.replace(samples=tuple(_relabelled(dataset, categories)), categories=categories)


def _relabelled(dataset: DetectionDataset, categories: Categories) -> list[Sample]:
    """The samples with the labels of other categories."""
    label_of = {name.casefold(): label for label, name in enumerate(categories.names)}
    table = np.array([label_of.get(name.casefold(), -1) for name in dataset.names], np.int32)
    labelled = np.zeros(len(categories), bool)
    labelled[table[table >= 0]] = True
    samples = []
    for sample in dataset.samples:
        boxes, known = sample.boxes, labelled
        labels = table[boxes.labels] if len(boxes) else boxes.labels
        kept = labels >= 0
        areas = None if boxes.areas is None else boxes.areas[kept]
        if sample.labelled is not None:
            known = np.zeros(len(categories), bool)
            known[table[(table >= 0) & sample.labelled]] = True
        samples.append(
            sample.replace(
                boxes=Boxes(boxes.xyxy[kept], labels[kept], boxes.ignore[kept], areas),
                labelled=None if known.all() else known,
            )
        )
    return samples


def split_dataset(dataset: Any, fraction: float, seed: int = 0) -> tuple[Any, Any]:
    """Sets a fraction of the images aside for validation.

    What belongs to the same file stays together.

    Args:
        dataset: what a reader returned.
        fraction: of the image files, above 0 and below 1.
        seed: of the draw.

    Returns:
        The training set and the validation set, each in the order of `dataset`; `parts` of the training set
        keep their weights.

    Raises:
        ValueError: the fraction is out of its range, or leaves one of the sets empty.
    """
    check_number("fraction", fraction, above=0, below=1)
    paths = list(dict.fromkeys(dataset.paths))
    count = round(fraction * len(paths))
    if not 0 < count < len(paths):
        raise ValueError(f"fraction: {fraction:g} of {len(paths)} images leaves one of the sets empty")
    aside = {paths[i] for i in np.random.default_rng(seed).permutation(len(paths))[:count]}
    return _divided(dataset, np.array([path in aside for path in dataset.paths]))


def folds_of(dataset: Any, count: int, seed: int = 0) -> list[tuple[Any, Any, np.ndarray]]:
    """Divides a data set into folds, each with what lies outside of it, for cross-validation.

    What belongs to the same file stays together.

    Args:
        dataset: what a reader returned.
        count: of the folds, at least 2.
        seed: of the draw.

    Returns:
        For each fold what lies outside of it, the fold itself, and `(n,)` the indices in `dataset` of its
        items; both in the order of `dataset`.

    Raises:
        ValueError: there are fewer images than folds.
    """
    check_number("count", count, at_least=2, whole=True)
    paths = list(dict.fromkeys(dataset.paths))
    if len(paths) < count:
        raise ValueError(f"count: {len(paths)} images are too few for {count} folds")
    order = np.random.default_rng(seed).permutation(len(paths))
    fold_of = {paths[i]: position % count for position, i in enumerate(order)}
    folds = np.array([fold_of[path] for path in dataset.paths])
    return [(*_divided(dataset, folds == fold), np.flatnonzero(folds == fold)) for fold in range(count)]


def _divided(dataset: Any, is_val: np.ndarray) -> tuple[Any, Any]:
    """The items that are not in the validation set, and those that are."""
    ends = np.cumsum([part.count for part in dataset.parts])
    parts = tuple(
        replace(part, count=int((~is_val[end - part.count : end]).sum()))
        for part, end in zip(dataset.parts, ends, strict=True)
    )
    train, val = (dataset.select(np.flatnonzero(kept)) for kept in (~is_val, is_val))
    return train.replace(parts=tuple(part for part in parts if part.count)), val


def background_note(dataset: Any) -> str | None:
    """How many images of a training set have no box at all, in words; None if all have one."""
    empty = _without_annotation(dataset)
    return f"{empty} of {len(dataset)} images have no box and are background" if empty else None


def check_background(dataset: Any, allowed: bool = False) -> None:
    """Raises `ValueError` if over nine tenths of the images have no box, unless that is `allowed`."""
    if allowed or not len(dataset):
        return
    empty = _without_annotation(dataset)
    if empty > MOST_BACKGROUND * len(dataset):
        per_part = Counter(name for name, has in _parts_of(dataset) if name and not has)
        listed = ", ".join(f"{n} in {name}" for name, n in per_part.items())
        raise ValueError(
            f"{empty} of {len(dataset)} images have no box{f' ({listed})' if listed else ''}; if they are "
            "meant as background, say --background"
        )


def _without_annotation(dataset: Any) -> int:
    """How many items have none; a task's own data set need not tell."""
    return list(getattr(dataset, "annotated", ())).count(False)


def _parts_of(dataset: Any) -> list[tuple[str, bool]]:
    """For each image the name of its part, and whether it has a box."""
    names = [part.name for part in dataset.parts for _ in range(part.count)] or [""] * len(dataset)
    return list(zip(names, dataset.annotated, strict=True))
