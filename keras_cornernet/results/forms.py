"""Results in the forms of other programs: COCO, YOLO, json and supervision."""

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from keras_cornernet.extras import import_extra
from keras_cornernet.results.tables import PIXEL_DIGITS, SCORE_DIGITS, rounded

if TYPE_CHECKING:
    from keras_cornernet.results.detections import Detections
    from keras_cornernet.results.poses import Poses


def detections_to_coco(found: "Detections", image_id: int) -> list[dict[str, Any]]:
    """See `Detections.to_coco`."""
    corners = found.boxes.astype(np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    rows = zip(found.labels, _pixels(boxes), _scores(found.scores), strict=True)
    return [
        {"image_id": image_id, "category_id": int(found.categories.ids[label]), "bbox": box, "score": score}
        for label, box, score in rows
    ]


def poses_to_coco(found: "Poses", image_id: int, category_id: int) -> list[dict[str, Any]]:
    """See `Poses.to_coco`."""
    flat = _triples(found).reshape(len(found), 3 * len(found.names))
    return [
        {"image_id": image_id, "category_id": category_id, "keypoints": keypoints, "score": score}
        for keypoints, score in zip(_pixels(flat), _scores(found.scores), strict=True)
    ]


def detections_to_json(found: "Detections") -> str:
    """See `Detections.to_json`."""
    columns = found.names, found.labels.tolist(), _scores(found.scores), _pixels(found.boxes)
    return json.dumps(
        [
            {"name": name, "label": label, "score": score, "box": box}
            for name, label, score, box in zip(*columns, strict=True)
        ]
    )


def poses_to_json(found: "Poses") -> str:
    """See `Poses.to_json`."""
    columns = _scores(found.scores), _pixels(found.boxes), _pixels(_triples(found))
    return json.dumps(
        [
            {"score": score, "box": box, "keypoints": dict(zip(found.names, keypoints, strict=True))}
            for score, box, keypoints in zip(*columns, strict=True)
        ]
    )


def detections_to_yolo(found: "Detections", image_size: tuple[int, int] | None, scores: bool) -> str:
    """See `Detections.to_yolo`."""
    boxes = _yolo_boxes(found.boxes, _image_size(found, image_size))
    columns = [found.labels[:, None], boxes, found.scores[:, None]]
    return _yolo_text(np.concatenate(columns if scores else columns[:2], axis=1))


def poses_to_yolo(
    found: "Poses", image_size: tuple[int, int] | None, scores: bool, min_keypoint_score: float
) -> str:
    """See `Poses.to_yolo`."""
    height, width = _image_size(found, image_size)
    points = found.keypoints / np.array([width, height])
    seen = (found.keypoint_scores >= min_keypoint_score) & ((points >= 0) & (points <= 1)).all(axis=-1)
    third = found.keypoint_scores if scores else np.full(seen.shape, 2)
    triples = np.where(seen[..., None], np.concatenate([points, third[..., None]], axis=-1), 0)
    flat = triples.reshape(len(found), 3 * len(found.names))
    boxes = _yolo_boxes(found.boxes, (height, width))
    columns = [np.zeros((len(found), 1)), boxes, flat, found.scores[:, None]]
    return _yolo_text(np.concatenate(columns if scores else columns[:3], axis=1))


def detections_to_supervision(found: "Detections") -> Any:
    """See `Detections.to_supervision`."""
    supervision = import_extra("supervision", "supervision", "to_supervision")
    return supervision.Detections(
        xyxy=found.boxes.copy(),
        confidence=found.scores.copy(),
        class_id=found.labels.astype(int),
        data={"class_name": np.array(found.names, dtype=str)},
    )


def poses_to_supervision(found: "Poses") -> Any:
    """See `Poses.to_supervision`."""
    supervision = import_extra("supervision", "supervision", "to_supervision")
    # Called `confidence` in older versions.
    renamed = hasattr(supervision.KeyPoints, "keypoint_confidence")
    confidence = "keypoint_confidence" if renamed else "confidence"
    return supervision.KeyPoints(
        xy=found.keypoints.astype(np.float32),
        class_id=np.zeros(len(found), int),
        data={"class_name": np.full(len(found), "person")},
        **{confidence: found.keypoint_scores.astype(np.float32)},
    )


def _triples(found: "Poses") -> np.ndarray:
    """`(n, k, 3)` x, y and score of each joint."""
    return np.concatenate([found.keypoints, found.keypoint_scores[..., None]], axis=-1)


def _pixels(values: np.ndarray) -> list[Any]:
    return cast(list[Any], rounded(values, PIXEL_DIGITS).tolist())


def _scores(values: np.ndarray) -> list[float]:
    return cast(list[float], rounded(values, SCORE_DIGITS).tolist())


def _image_size(found: "Detections | Poses", image_size: tuple[int, int] | None) -> tuple[int, int]:
    if image_size is not None:
        return image_size
    if found.image is None:
        raise ValueError(
            "image_size: expected (height, width), got None, and this result carries no image to take it from"
        )
    height, width = found.image.shape[:2]
    return height, width


def _yolo_boxes(boxes: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """`(n, 4)` centre x, centre y, width and height in 0..1 of the part within the image."""
    height, width = image_size
    corners = np.clip(boxes / np.array([width, height, width, height], np.float64), 0, 1)
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)


def _yolo_text(rows: np.ndarray) -> str:
    """One line per row: the class as a whole number, then numbers of six digits."""
    return "".join(
        f"{int(row[0])} {' '.join(f'{value:.6g}' for value in row[1:])}\n" for row in rows.tolist()
    )
