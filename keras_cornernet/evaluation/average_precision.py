"""Average precision and recall as COCO counts them, by one of two engines that agree.

Lin et al. 2014; the 12 numbers of cocodataset.org, "Detection evaluation".
"""

import contextlib
import importlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Entry = dict[str, Any]

# For each engine the modules of its classes `COCO` and `COCOeval`, and the name of the latter; all agree.
ENGINES = {
    "faster-coco-eval": ("faster_coco_eval", "faster_coco_eval", "COCOeval_faster"),
    "pycocotools": ("pycocotools.coco", "pycocotools.cocoeval", "COCOeval"),
}
AREAS = {"": "all", "s": "small", "m": "medium", "l": "large"}
IOU_75 = 5  # index in 0.50, 0.55 .. 0.95
RECALLS = np.linspace(0, 1, 101)


def average_precision(
    images: Sequence[int],
    names: Mapping[int, str],
    truth: Sequence[Entry],
    found: Sequence[Entry],
    *,
    max_detections: int = 100,
    engine: str = "auto",
) -> dict[str, Any]:
    """COCO's 12 numbers.

    Args:
        images: the image ids.
        names: the class names by category id.
        truth: true boxes, made by `entry`.
        found: detections, made by `found_entry`.
        max_detections: the number of detections per image that count, at least 11.
        engine: `"faster-coco-eval"`, `"pycocotools"`, or `"auto"`: the first that is installed.

    Returns:
        As `evaluate_detections`.

    Raises:
        ValueError: `max_detections` is too small or there is no such engine.
        ImportError: the engine is not installed.
    """
    if max_detections <= 10:
        raise ValueError(f"max_detections: expected at least 11, got {max_detections}")
    new_coco, new_evaluator = engine_classes(engine)
    limits = [1, 10, max_detections]
    if not images or not names:  # the evaluators fail on empty tables
        shape = (len(names), len(AREAS), len(limits))
        return _metrics(np.full((10, 101, *shape), -1.0), np.full((10, *shape), -1.0), names, max_detections)
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        true_boxes, found_boxes = (coco_table(new_coco, images, names, boxes) for boxes in (truth, found))
        evaluator = new_evaluator(true_boxes, found_boxes, "bbox")
        evaluator.params.maxDets = limits
        evaluator.evaluate()
        evaluator.accumulate()
    return _metrics(evaluator.eval["precision"], evaluator.eval["recall"], names, max_detections)


def precision_recall(
    images: Sequence[int],
    names: Mapping[int, str],
    truth: Sequence[Entry],
    found: Sequence[Entry],
    *,
    engine: str = "auto",
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Precision and score over recall of each class, at an intersection over union of 0.5.

    Args:
        images, names, truth, found, engine: see `average_precision`.

    Returns:
        By category id, `(101,)` each at the recalls `RECALLS`: the best precision at that recall or above,
        and the score of the detection that gives the recall; 0 where none does, -1 without true boxes.
    """
    if not images or not names:
        return {id_: np.full(101, -1.0) for id_ in names}, {id_: np.full(101, -1.0) for id_ in names}
    new_coco, new_evaluator = engine_classes(engine)
    with contextlib.redirect_stdout(io.StringIO()):
        true_boxes, found_boxes = (coco_table(new_coco, images, names, boxes) for boxes in (truth, found))
        evaluator = new_evaluator(true_boxes, found_boxes, "bbox")
        evaluator.params.maxDets = [100]
        evaluator.params.iouThrs = np.array([0.5])
        evaluator.params.areaRng, evaluator.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluator.evaluate()
        evaluator.accumulate()
    # `(iou, recall, class, area, limit)`, classes by increasing id.
    tables = (np.asarray(evaluator.eval[key])[0, :, :, 0, 0] for key in ("precision", "scores"))
    precisions, scores = ({id_: table[:, k] for k, id_ in enumerate(sorted(names))} for table in tables)
    return precisions, scores


def entry(
    image_id: int, category_id: int, box: Sequence[float], area: float, *, crowd: bool = False
) -> Entry:
    """One box as the engines take it; `box` is x, y, width, height."""
    return {
        "image_id": int(image_id),
        "category_id": int(category_id),
        "bbox": [float(v) for v in box],
        "area": float(area),
        "iscrowd": int(crowd),
    }


def found_entry(result: Mapping[str, Any]) -> Entry:
    """One detection, given in COCO's result form, as the engines take it."""
    box = result["bbox"]
    row = entry(result["image_id"], result["category_id"], box, box[2] * box[3])
    return row | {"score": float(result["score"])}


def format_table(metrics: Mapping[str, Any]) -> str:
    """The metrics as text: the 12 lines that COCO's evaluators print, then AP and AP50 of each class.

    Args:
        metrics: what `evaluate_detections` or `evaluate_coco_files` returned.
    """
    most = max(int(key[2:]) for key in metrics if key.startswith("AR") and key[2:].isdigit())
    lines = []
    for key, iou, area, limit in [
        ("AP", "0.50:0.95", "all", most),
        ("AP50", "0.50", "all", most),
        ("AP75", "0.75", "all", most),
        *((f"AP{letter}", "0.50:0.95", area, most) for letter, area in AREAS.items() if letter),
        ("AR1", "0.50:0.95", "all", 1),
        ("AR10", "0.50:0.95", "all", 10),
        (f"AR{most}", "0.50:0.95", "all", most),
        *((f"AR{letter}", "0.50:0.95", area, most) for letter, area in AREAS.items() if letter),
    ]:
        title = "Average Precision" if key.startswith("AP") else "Average Recall"
        lines.append(
            f" {title:<18} ({key[:2]}) @[ IoU={iou:<9} | area={area:>6s} | maxDets={limit:>3d} ]"
            f" = {metrics[key]:0.3f}"
        )
    width = max([len("class"), *map(len, metrics["per_class"])])
    lines += ["", f" {'class':<{width}}     AP   AP50"]
    for name, row in metrics["per_class"].items():
        lines.append(f" {name:<{width}} {row['AP']:6.3f} {row['AP50']:6.3f}")
    return "\n".join(lines)


def engine_classes(engine: str) -> tuple[Any, Any]:
    """The classes `COCO` and `COCOeval` of an engine.

    Raises:
        ValueError: there is no such engine.
        ImportError: it is not installed.
    """
    if engine not in ("auto", *ENGINES):
        raise ValueError(f"engine: expected 'auto', {', '.join(map(repr, ENGINES))}, got {engine!r}")
    for name in ENGINES if engine == "auto" else [engine]:
        coco, evaluation, evaluator = ENGINES[name]
        try:
            return importlib.import_module(coco).COCO, getattr(importlib.import_module(evaluation), evaluator)
        except ImportError:
            continue
    raise ImportError(f"the engine {engine!r} is not installed. Type: pip install 'keras_cornernet[coco]'")


def coco_table(
    new_coco: Any, images: Sequence[int], names: Mapping[int, str], entries: Sequence[Entry]
) -> Any:
    """The engine's table of boxes. Ids count from 1, since the evaluators take 0 for "not matched"."""
    coco = new_coco()
    coco.dataset = {
        "images": [{"id": id_} for id_ in images],
        "categories": [{"id": id_, "name": name} for id_, name in names.items()],
        "annotations": [entry | {"id": i} for i, entry in enumerate(entries, start=1)],
    }
    coco.createIndex()
    return coco


def mean_of_defined(values: np.ndarray) -> float:
    """The mean of the values that are defined (above -1), -1 if none is."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else -1.0


def some_of(values: Iterable[Any]) -> str:
    """A few of many values, for a message."""
    listed = list(values)
    with contextlib.suppress(TypeError):
        listed.sort()
    return ", ".join(map(str, listed[:10])) + (" .." if len(listed) > 10 else "")


def _metrics(
    precision: np.ndarray, recall: np.ndarray, names: Mapping[int, str], most: int
) -> dict[str, Any]:
    """The named numbers.

    Args:
        precision: `(iou, recall, class, area, limit)`, -1 where undefined; classes by increasing id.
        recall: `(iou, class, area, limit)`.
        names: the classes by category id.
        most: the last limit on detections per image.
    """
    letters = [(index, letter) for index, letter in enumerate(AREAS) if letter]
    metrics: dict[str, Any] = {
        "AP": mean_of_defined(precision[:, :, :, 0, -1]),
        "AP50": mean_of_defined(precision[0, :, :, 0, -1]),
        "AP75": mean_of_defined(precision[IOU_75, :, :, 0, -1]),
        **{f"AP{letter}": mean_of_defined(precision[:, :, :, index, -1]) for index, letter in letters},
        **{f"AR{limit}": mean_of_defined(recall[:, :, 0, i]) for i, limit in enumerate((1, 10, most))},
        **{f"AR{letter}": mean_of_defined(recall[:, :, index, -1]) for index, letter in letters},
    }
    per_class: dict[str, dict[str, float]] = {}
    for k, id_ in enumerate(sorted(names)):
        name = names[id_] if names[id_] not in per_class else f"{names[id_]} (id {id_})"
        per_class[name] = {
            "AP": mean_of_defined(precision[:, :, k, 0, -1]),
            "AP50": mean_of_defined(precision[0, :, k, 0, -1]),
        }
    return metrics | {"per_class": per_class}
