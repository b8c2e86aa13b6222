"""Boxes out of the maps that `export --raw` gives, in plain Python with NumPy; `boxes.kt` and `boxes.js` do
the same.

This file needs nothing else of the package and may be copied. `settings` is the object `raw` of the file's
description, and `maps` holds arrays `(rows, columns, channels)` by name, such as `"center_heatmap"`.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

Maps = Mapping[str, np.ndarray]
Found = dict[str, Any]
Boxes = tuple[np.ndarray, ...]


def decode_boxes(maps: Maps, settings: Mapping[str, Any], input_size: tuple[int, int]) -> Boxes:
    """Boxes `(n, 4)` `xyxy` in pixels of the input, scores `(n,)` and labels `(n,)`, best first."""
    height, width = input_size
    branches = {"centers": ["center"], "corners": ["top_left", "bottom_right"]}[settings["kind"]]
    rows, columns = maps[branches[0] + "_heatmap"].shape[:2]
    pixels = np.array([width / columns, height / rows], np.float32)
    found = [find_peaks(maps, branch, settings) for branch in branches]
    decode: Any = from_centers if len(found) == 1 else from_corners
    boxes, scores, labels, weights = decode(*found, pixels, settings)
    usable = (np.abs(boxes) < 1e6).all(1) & (scores >= 0)
    if settings["border"] is not None:
        beyond = np.concatenate([-boxes[:, :2], boxes[:, 2:] - [width, height]], axis=1)
        usable &= beyond.max(1) < settings["border"]
    boxes, scores, labels, weights = boxes[usable], scores[usable], labels[usable], weights[usable]
    boxes = boxes.clip(0, [width, height, width, height])
    return suppress(boxes, scores, labels, weights, settings)


def find_peaks(maps: Maps, branch: str, settings: Mapping[str, Any]) -> Found:
    """The best local maxima of a heatmap over all classes, each with what the other maps say there."""
    heatmap = np.asarray(maps[branch + "_heatmap"], np.float32)
    rows, columns, classes = heatmap.shape
    highest, reach = heatmap, settings["peak_kernel"] // 2
    for axis in (0, 1):  # the maximum of a window: along columns, then along rows
        padded = np.pad(highest, [(reach * (a == axis),) * 2 for a in range(3)], constant_values=-np.inf)
        parts = (np.roll(padded, -step, axis)[:rows, :columns] for step in range(2 * reach + 1))
        highest = reduce(np.maximum, parts)
    cell, label = np.nonzero((heatmap == highest).reshape(-1, classes))
    logit = heatmap.reshape(-1, classes)[cell, label]
    best = np.lexsort((label, cell, -heatmap.reshape(-1, classes).max(1)[cell], -logit))[: settings["top_k"]]
    cell, label, score = cell[best], label[best], 1 / (1 + np.exp(np.minimum(-logit[best], 80)))
    heads = {name: np.asarray(maps[f"{branch}_{name}"], np.float32) for name in settings["heads"]}
    at = {name: values.reshape(-1, values.shape[2])[cell] for name, values in heads.items()}
    point = np.stack([cell % columns, cell // columns], 1) + at["offset"]
    return {"point": point.astype(np.float32), "score": score, "label": label, **at}


def from_centers(center: Found, pixels: np.ndarray, settings: Mapping[str, Any]) -> Boxes:
    """Boxes of the predicted sizes around their centres."""
    size, label = center["size"], center["label"]
    if settings["size_per_class"]:
        size = size.reshape(len(label), -1, 2)[np.arange(len(label)), label]
    half = np.maximum(size, 0) / 2
    boxes = np.concatenate([center["point"] - half, center["point"] + half], 1) * np.tile(pixels, 2)
    return boxes, center["score"], label, np.stack([center["score"]] * 2, 1)


def from_corners(first: Found, second: Found, pixels: np.ndarray, settings: Mapping[str, Any]) -> Boxes:
    """The best pairs of corners of one class whose embeddings are near."""
    distance = np.abs(first["embedding"][:, None] - second["embedding"][None]).sum(-1)
    one, other = first["point"][:, None] * pixels, second["point"][None] * pixels
    good = (first["label"][:, None] == second["label"]) & (distance <= settings["embedding_threshold"])
    good &= (other >= one).all(-1)
    a, b = first["score"][:, None], second["score"][None]
    score = np.sqrt(a * b) if settings["geometric_score"] else (a + b) / 2
    if settings["embedding_scale"] is not None:
        score = score * np.exp(-((distance / settings["embedding_scale"]) ** 2))
    i, j = np.nonzero(good)
    best = np.argsort(-score[i, j], kind="stable")[: settings["num_detections"]]
    i, j = i[best], j[best]
    boxes = np.concatenate([first["point"][i] * pixels, second["point"][j] * pixels], 1)
    return boxes, score[i, j], first["label"][i], np.stack([first["score"][i], second["score"][j]], 1)


def suppress(
    boxes: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    settings: Mapping[str, Any],
) -> Boxes:
    """Takes the best box again and again, and lowers the scores of those of its class that overlap it."""
    live, kept = scores.astype(np.float32), list[tuple[np.ndarray, float, int]]()
    while len(kept) < settings["max_detections"] and (live >= 0).any():
        best = int(live.argmax())
        overlap = np.where(labels == labels[best], overlaps(boxes, boxes[best]), 0)
        over = overlap > settings["iou_threshold"]
        left = {
            "gaussian": np.exp(-(overlap**2) / settings["sigma"]),
            "linear": np.where(over, 1 - overlap, 1),
            "hard": np.where(over, 0, 1),
            "none": np.ones_like(overlap),
        }[settings["method"]]
        box = boxes[best]
        if settings["merge_exponent"] is not None:  # the mean of the box and of those whose scores it lowers
            share = np.where((overlap > 0) & (live >= 0), 1 - left, 0) ** settings["merge_exponent"]
            share[best] = 1
            by_corner = share[:, None] * np.maximum(weights, 1e-12)
            ends = [by_corner[:, [k]] * boxes[:, 2 * k : 2 * k + 2] for k in (0, 1)]
            box = np.concatenate([part.sum(0) / by_corner[:, k].sum() for k, part in enumerate(ends)])
        box = np.concatenate([np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])])
        kept.append((box, live[best], best))
        lowered = live * left
        live = np.where((overlap <= 0) | (lowered >= 0.001), lowered, -1)
        live[best] = -1
    index = [row[2] for row in kept]
    return (
        np.array([row[0] for row in kept], np.float32).reshape(-1, 4),
        np.array([row[1] for row in kept], np.float32),
        labels[index],
    )


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union; widths and heights count their last pixel, as in the released code."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2]) + 1
    common = sides.clip(0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1) + (box[2:] - box[:2] + 1).prod()
    union: np.ndarray = common / np.maximum(areas - common, 1e-9)
    return union
