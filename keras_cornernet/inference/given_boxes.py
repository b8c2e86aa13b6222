"""Boxes that another detector found, read from its files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cornernet import files
from keras_cornernet.preprocessing import read_image_size

LARGEST = 1e9  # pixels; a number beyond it is taken for damage


def read_boxes(
    source: str | Path, paths: list[Any], ids: Mapping[str, int], *, min_score: float = 0.3
) -> dict[str, np.ndarray]:
    """The boxes of images, from a COCO result file or a folder of YOLO's text files.

    Args:
        source: a json list of `image_id` (or `file_name`), `bbox` as x, y, width, height, and `score`; or a
            folder of `NAME.txt` with lines `class x y width height [score]` in fractions.
        paths: the images.
        ids: the `image_id` of each path, for results that state it.
        min_score: boxes of a lower score are left out; those without a score count.

    Returns:
        `(n, 4)` float32 `xyxy` in image pixels for each path, empty where there is none.

    Raises:
        ValueError: the file is of another form; the message names the place.
        OSError: there is no such file.
    """
    root = Path(source)
    if root.is_dir():
        return {str(path): _yolo(root / f"{Path(path).stem}.txt", path, min_score) for path in paths}
    rows = files.read_json(root)
    if not isinstance(rows, list):
        raise ValueError(f"{root}: expected a list of results, got a {type(rows).__name__}")
    found: dict[Any, list[list[float]]] = {}
    for i, row in enumerate(rows):
        try:
            x, y, width, height = map(float, row["bbox"])
            score = float(row.get("score", 1.0))
            key = str(row["file_name"]) if "file_name" in row else int(row["image_id"])
            if not all(abs(number) < LARGEST for number in (x, y, width, height)):
                raise ValueError("a number is not finite, or too large")
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(
                f"{root}: [{i}] has no image_id (or file_name) and bbox of four numbers ({error})"
            ) from None
        if score >= min_score and width > 0 and height > 0:
            found.setdefault(key, []).append([x, y, x + width, y + height])
    if found and not ids and not any(isinstance(key, str) for key in found):
        raise ValueError(
            f"{root}: its results state image ids: give --annotations too, the file of these ids"
        )
    boxes = {}
    for path in paths:
        mine = found.get(Path(path).name, found.get(ids.get(str(path)), []))
        boxes[str(path)] = np.array(mine, np.float32).reshape(-1, 4)
    return boxes


def _yolo(labels: Path, image: Any, min_score: float) -> np.ndarray:
    if not labels.is_file():
        return np.zeros((0, 4), np.float32)
    height, width = read_image_size(image)
    boxes = []
    for number, line in enumerate(files.decoded(labels).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            _, x, y, w, h, *score = map(float, line.split())
            if not all(abs(number) < LARGEST for number in (x, y, w, h)):
                raise ValueError
        except ValueError:
            raise ValueError(f"{labels}: line {number}: expected a class and four numbers") from None
        if (not score or score[0] >= min_score) and w > 0 and h > 0:
            corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
            boxes.append([v * s for v, s in zip(corners, (width, height) * 2, strict=True)])
    return np.array(boxes, np.float32).reshape(-1, 4)
