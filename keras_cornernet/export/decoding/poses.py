"""Joints out of the heatmaps that `export --raw` gives, in plain Python with NumPy; `poses.kt` and `poses.js`
do the same.

This file needs nothing else of the package and may be copied. `settings` is the object `raw` of the file's
description, and `maps` holds the array `"keypoints_heatmap"` `(rows, columns, joints)`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np


def decode_pose(
    maps: Mapping[str, np.ndarray], settings: Mapping[str, Any], input_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Joints `(k, 2)`: x, y in pixels of the `(height, width)` input, and their scores `(k,)`."""
    heatmaps = np.asarray(maps["keypoints_heatmap"], np.float32)
    rows, columns, joints = heatmaps.shape
    points, scores = np.zeros((joints, 2), np.float32), np.zeros(joints, np.float32)
    for joint in range(joints):
        heatmap = heatmaps[..., joint]
        y, x = divmod(int(heatmap.argmax()), columns)
        scores[joint] = heatmap[y, x]
        moved = refine(heatmap, x, y, settings) if scores[joint] > 0 else (0, 0)
        points[joint] = np.array([x, y]) + moved + (0.5 if settings["half_cell"] else 0)
    height, width = input_size
    return points * np.array([width / columns, height / rows], np.float32), scores


def refine(heatmap: np.ndarray, x: int, y: int, settings: Mapping[str, Any]) -> tuple[float, float]:
    """How far a peak lies from the middle of its cell: by DARK, or a quarter towards the higher neighbour."""
    rows, columns = heatmap.shape
    kind = settings["refinement"]
    if kind == "none":
        return 0, 0
    if kind == "dark":
        if not (1 < x < columns - 2 and 1 < y < rows - 2):
            return 0, 0
        blurred = blur(heatmap, settings["blur"])
        heatmap = np.log(np.maximum(blurred * heatmap.max() / max(blurred.max(), 1e-12), 1e-10))

    def at(dy: int, dx: int) -> float:
        return float(heatmap[min(max(y + dy, 0), rows - 1), min(max(x + dx, 0), columns - 1)])

    dx, dy = at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)
    if kind == "dark":
        xx, yy = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4, (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
        xy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
        determinant = xx * yy - xy * xy
        if determinant == 0:
            return 0, 0
        return (xy * dy - yy * dx) / 2 / determinant, (xy * dx - xx * dy) / 2 / determinant
    if kind == "quarter_any":
        return (0.25 if dx > 0 else -0.25), (0.25 if dy > 0 else -0.25)
    first = 1 if kind == "quarter" else 2
    in_x, in_y = first <= x < columns - 1, first <= y < rows - 1
    if kind == "quarter":
        in_x = in_y = in_x and in_y
    else:
        in_x, in_y = in_x and y > 0, in_y and x > 0
    return float(0.25 * np.sign(dx) * in_x), float(0.25 * np.sign(dy) * in_y)


def blur(heatmap: np.ndarray, side: int) -> np.ndarray:
    """Blurs with a Gaussian of `side` cells, whose width follows from it as in OpenCV, and zeros outside."""
    sigma = 0.3 * ((side - 1) * 0.5 - 1) + 0.8
    weight = np.exp(-((np.arange(side) - side // 2) ** 2) / (2 * sigma**2))
    weight /= weight.sum()
    for axis in (0, 1):
        heatmap = np.apply_along_axis(
            lambda line: np.convolve(line, weight, "full")[side // 2 :][: len(line)], axis, heatmap
        )
    return heatmap
