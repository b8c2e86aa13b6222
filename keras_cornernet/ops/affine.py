"""Affine maps of the plane: `(2, 3)` matrices named `to_from_from`, such as `input_from_image`.

Points are continuous: pixel `(0, 0)` covers the unit square whose centre is `(0.5, 0.5)`. Resize, crop,
flip, rotation and zoom are each such a matrix, and its inverse leads back.
"""

import numpy as np


def identity() -> np.ndarray:
    """The identity."""
    return np.array([[1, 0, 0], [0, 1, 0]], np.float64)


def scaling(x: float, y: float) -> np.ndarray:
    """Stretches by `x` and `y` about the origin."""
    return np.array([[x, 0, 0], [0, y, 0]], np.float64)


def translation(x: float, y: float) -> np.ndarray:
    """Moves by `(x, y)` pixels."""
    return np.array([[1, 0, x], [0, 1, y]], np.float64)


def horizontal_flip(width: float) -> np.ndarray:
    """Mirrors an image of `width` pixels left to right."""
    return np.array([[-1, 0, width], [0, 1, 0]], np.float64)


def rotation(degrees: float) -> np.ndarray:
    """Rotates about the origin, clockwise as seen on the screen (y points down)."""
    angle = np.deg2rad(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0]], np.float64)


def compose(*maps: np.ndarray) -> np.ndarray:
    """The map that applies the last argument first, as a matrix product reads.

    `compose(c_from_b, b_from_a)` is `c_from_a`.
    """
    product = np.eye(3)
    for part in maps:
        product = product @ np.vstack([part, [0, 0, 1]])
    return product[:2]


def invert(affine: np.ndarray) -> np.ndarray:
    """The inverse map.

    Raises:
        ValueError: the map is singular.
    """
    matrix = np.vstack([affine, [0, 0, 1]])
    if abs(np.linalg.det(matrix)) < 1e-12:
        raise ValueError("affine cannot be inverted: it maps the plane to a line")
    return np.linalg.inv(matrix)[:2]


def transform_points(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Maps `(..., 2)` points `(x, y)`."""
    points = np.asarray(points)
    affine = np.asarray(affine).astype(np.result_type(points, np.float32))
    moved: np.ndarray = points @ affine[:, :2].T + affine[:, 2]
    return moved


def transform_boxes(affine: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Maps `(n, 4)` `xyxy` boxes to the upright boxes around their images."""
    boxes = np.asarray(boxes)
    affine = np.asarray(affine).astype(np.result_type(boxes, np.float32))
    # Each coordinate is a sum of two products, smallest or largest where both are.
    products = boxes.reshape(*boxes.shape[:-1], 2, 1, 2) * affine[:, :2]
    low, high = products.min(-3).sum(-1), products.max(-3).sum(-1)
    return np.concatenate([low + affine[:, 2], high + affine[:, 2]], -1)
