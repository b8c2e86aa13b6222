"""Planted mistakes found: `python benchmarks/audit.py FOLDER --preset PRESET [--minutes N] [--gain EPOCHS]`.

Spoils a twentieth of the labels of the training part of a data set (a folder in the layout of COCO or LSP):
of boxes some are left out, some get another class, some are shifted and some are invented; of people some
have left and right exchanged (of the whole body, the arms or the legs) and some have a joint elsewhere. Then
audits the set by models of its folds (`experiment.audit`) and prints precision and recall of the first k
suspicions, for all kinds together and for each alone. Mistakes that the set had before count as false, so
the true precision is higher.

With `--gain N`, the preset is trained for N epochs each on the labels as they were, on the spoilt ones, and
on the spoilt ones with the suspicions from `--correct-above` on put right, and measured on the validation
part, one view.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tensorflow_side import tf  # noqa: F401  (sets the threads before TensorFlow starts)

from keras_cornernet import read_dataset
from keras_cornernet.cli.console import parse_size
from keras_cornernet.experiment import audit, train
from keras_cornernet.presets import from_preset, training_config
from keras_cornernet.structures import Boxes, DetectionDataset, PoseDataset
from keras_cornernet.structures.boxes import overlaps
from keras_cornernet.tasks import task_of

FRACTION = 0.05
LARGEST_SHIFT = 0.45  # of a box's side
JOINT_SHIFT = 0.2, 0.4  # of the square's side


class Planted(NamedTuple):
    """A mistake that was made on purpose.

    Attributes:
        kind: as `audit` calls it.
        item: index of the image or person.
        place: `(4,)` box on the image, or the indices of the joints.
    """

    kind: str
    item: int
    place: np.ndarray


def spoil_boxes(dataset: DetectionDataset, seed: int = 0) -> tuple[DetectionDataset, list[Planted]]:
    """A data set with mistakes in a twentieth of its boxes, and the list of them."""
    rng = np.random.default_rng(seed)
    rows = [(i, j) for i, sample in enumerate(dataset.samples) for j in np.flatnonzero(~sample.boxes.ignore)]
    chosen = rng.permutation(len(rows))[: round(FRACTION * len(rows))]
    of_image: dict[int, list[tuple[int, str]]] = {}
    kinds = ("missing box", "wrong class", "shifted box", "extra box")
    if len(dataset.names) == 1:
        kinds = ("missing box", "shifted box", "extra box")
    for position, row in enumerate(chosen):
        item, box = rows[row]
        of_image.setdefault(item, []).append((box, kinds[position % len(kinds)]))
    samples, planted = list(dataset.samples), []
    for item, wanted in of_image.items():
        sample = samples[item]
        xyxy, labels = sample.boxes.xyxy.copy(), sample.boxes.labels.copy()
        kept = np.ones(len(labels), bool)
        extra: list[tuple[np.ndarray, int]] = []
        for box, kind in wanted:
            place = xyxy[box].copy()
            if kind == "missing box":
                kept[box] = False
            elif kind == "wrong class":
                labels[box] = (labels[box] + rng.integers(1, len(dataset.names))) % len(dataset.names)
            elif kind == "shifted box":
                xyxy[box] = place = shifted(place, rng)
            else:
                place = invented(place, np.concatenate([xyxy, *[e[0][None] for e in extra]]), rng)
                extra.append((place, int(labels[box])))
            planted.append(Planted(kind, item, place))
        added = np.array([place for place, _ in extra], np.float32).reshape(-1, 4)
        count = int(kept.sum())
        boxes = Boxes(
            np.concatenate([xyxy[kept], added]),
            np.concatenate([labels[kept], np.array([label for _, label in extra], np.int32)]),
            np.concatenate([sample.boxes.ignore[kept], np.zeros(len(extra), bool)]),
        )
        assert len(boxes) == count + len(extra)
        samples[item] = sample.replace(boxes=boxes)
    return dataset.replace(samples=tuple(samples)), planted


def shifted(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The box moved so that it shares 0.3 to 0.6 of the union with itself before."""
    size = box[2:] - box[:2]
    while True:
        moved = box + np.tile(size * rng.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2), 2)
        if 0.3 <= overlaps(box[None], moved[None])[0, 0] <= 0.6:
            return moved.astype(np.float32)


def invented(box: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A box of the same size where there is little else, of 100 places drawn."""
    size = box[2:] - box[:2]
    extent = np.maximum(others[:, 2:].max(axis=0) - size, 1)
    starts = rng.uniform(0, 1, (100, 2)) * extent
    places = np.concatenate([starts, starts + size], axis=1).astype(np.float32)
    best: np.ndarray = places[int(overlaps(places, others).max(axis=1).argmin())]
    return best


def spoil_joints(dataset: PoseDataset, seed: int = 0) -> tuple[PoseDataset, list[Planted]]:
    """A data set with mistakes in a twentieth of its people, and the list of them."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(dataset))[: round(FRACTION * len(dataset))]
    people, planted = list(dataset.people), []
    pairs = np.array(dataset.skeleton.flip_pairs)
    groups = [pairs, pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]]
    for position, item in enumerate(chosen):
        person = people[item]
        keypoints, visibility = person.keypoints.copy(), person.visibility.copy()
        if position % 2:
            joint = rng.choice(np.flatnonzero(visibility > 0))
            angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(*JOINT_SHIFT) * person.side
            keypoints[joint] += np.float32(length) * np.array([np.cos(angle), np.sin(angle)], np.float32)
            planted.append(Planted("misplaced joint", int(item), np.array([joint])))
        else:
            group = groups[(position // 2) % len(groups)]
            for values in (keypoints, visibility):
                values[group.ravel()] = values[group[:, ::-1].ravel()]
            planted.append(Planted("swapped left and right", int(item), group.ravel()))
        people[item] = person.replace(keypoints=keypoints, visibility=visibility)
    return dataset.replace(people=tuple(people)), planted


def hits(mistakes: list[Any], planted: list[Planted]) -> tuple[np.ndarray, np.ndarray]:
    """`(n,)` for each suspicion the planted mistake that it finds, or -1, and whether it names its kind.

    A planted mistake is found once: by the first suspicion at its place, whatever its kind.
    """
    of_item: dict[int, list[int]] = {}
    for number, mistake in enumerate(planted):
        of_item.setdefault(mistake.item, []).append(number)
    found, named = np.full(len(mistakes), -1), np.zeros(len(mistakes), bool)
    for i, suspicion in enumerate(mistakes):
        numbers = [n for n in of_item.get(suspicion.item, ()) if is_at(suspicion, planted[n].place)]
        if numbers:
            found[i] = numbers[0]
            named[i] = planted[numbers[0]].kind == suspicion.kind
            of_item[suspicion.item].remove(numbers[0])
    return found, named


def is_at(suspicion: Any, place: np.ndarray) -> bool:
    """Whether a suspicion is about a box or about joints."""
    if hasattr(suspicion, "joints"):
        return bool(set(suspicion.joints) & set(place.tolist()))
    return bool(overlaps(suspicion.box[None], place[None])[0, 0] >= 0.3)


def report(mistakes: list[Any], planted: list[Planted], kinds: tuple[str, ...]) -> None:
    """Prints precision and recall at k, for all kinds and each alone."""
    found, named = hits(mistakes, planted)
    n = len(planted)
    print("| kind | planted | " + " | ".join(f"P, R at {k}" for k in (n // 4, n // 2, n, 2 * n)) + " |")
    print("|---|---:|" + "---|" * 4)
    for kind in (None, *kinds):
        wanted = [m for m in planted if kind in (None, m.kind)]
        rows = [i for i, m in enumerate(mistakes) if kind in (None, m.kind)]
        right = np.array([found[i] >= 0 and (kind is None or named[i]) for i in rows])
        n = len(wanted)
        cells = []
        for k in (n // 4, n // 2, n, 2 * n):
            true = int(right[:k].sum())
            cells.append(f"{true / max(k, 1):.2f}, {true / max(n, 1):.2f}")
        print(f"| {kind or 'all'} | {n} | " + " | ".join(cells) + " |", flush=True)
    right_kind = named[found >= 0]
    print(f"of the planted ones found at all, {right_kind.mean():.2f} are of the kind that is named")
    for score in (0.3, 0.5, 0.7, 0.9):
        kept = np.array([m.score >= score for m in mistakes])
        true = int((found[kept] >= 0).sum())
        print(
            f"score from {score}: {kept.sum()} suspicions, precision {true / max(kept.sum(), 1):.2f}, "
            f"recall {true / len(planted):.2f}"
        )


def gain(options: argparse.Namespace, name: str, dataset: Any, val: Any) -> None:
    """Trains on a version of the labels and prints what the model gives on the validation set."""
    for seed in range(options.seeds):
        config = training_config(options.preset, epochs=options.gain, seed=seed, **settings(options))
        folder = options.output / f"gain_{name}_{seed}"
        if not (folder / "last.keras").is_file():
            train(options.preset, dataset, None, folder, config, verbose=0)
        headline = from_preset(folder / "last.keras").evaluate(val, flip=False).headline
        values = ", ".join(f"{key} {value:.3f}" for key, value in headline.items())
        print(f"{options.gain} epochs on {name} labels, seed {seed}: {values}", flush=True)


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of `TrainingConfig` that were given."""
    given = {"batch_size": options.batch_size, "input_size": options.input_size}
    return {name: value for name, value in given.items() if value is not None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", required=True)
    parser.add_argument("--minutes", type=float, default=12.0, help="of the audit, all folds together")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--input-size", type=parse_size, metavar="HxW")
    parser.add_argument("--gain", type=int, metavar="EPOCHS")
    parser.add_argument("--seeds", type=int, default=1, help="of the runs of --gain")
    parser.add_argument("--correct-above", type=float, default=0.5)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    task = task_of(options.preset)
    spoil: Callable[..., Any] = spoil_boxes if task.name == "detection" else spoil_joints
    dataset = read_dataset(options.folder, task.name, "train")
    spoilt, planted = spoil(dataset)
    config = training_config(options.preset, minutes=options.minutes, **settings(options))
    found = audit(options.preset, spoilt, options.output, config, folds=options.folds, verbose=0)
    assert task.auditor is not None
    print("the folds' models on what they had not seen:", *found.scores)
    report(list(found.mistakes), planted, task.auditor.kinds)
    if options.gain:
        val = read_dataset(options.folder, task.name, "val")
        repaired = found.corrected(options.correct_above)
        for name, labels in (("original", dataset), ("spoilt", spoilt), ("repaired", repaired)):
            gain(options, name, labels, val)


if __name__ == "__main__":
    main()
