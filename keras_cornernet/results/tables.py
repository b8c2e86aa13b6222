"""Results as tables: columns by name, with one row per object, as CSV and for pandas."""

import csv
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_cornernet.extras import import_extra

if TYPE_CHECKING:
    from keras_cornernet.results.detections import Detections
    from keras_cornernet.results.poses import Poses

PIXEL_DIGITS, SCORE_DIGITS = 3, 5


def detections_table(found: "Detections") -> dict[str, np.ndarray]:
    """See `Detections.to_table`."""
    return {
        "path": np.full(len(found), found.path, object),
        "name": np.array(found.names, object),
        "label": found.labels,
        "score": rounded(found.scores, SCORE_DIGITS),
        **_box_columns(found.boxes),
    }


def poses_table(found: "Poses") -> dict[str, np.ndarray]:
    """See `Poses.to_table`."""
    table = {
        "path": np.full(len(found), found.path, object),
        "score": rounded(found.scores, SCORE_DIGITS),
        "box_score": rounded(found.box_scores, SCORE_DIGITS),
        **_box_columns(found.boxes),
    }
    for k, joint in enumerate(found.names):
        table[f"{joint}_x"] = rounded(found.keypoints[:, k, 0], PIXEL_DIGITS)
        table[f"{joint}_y"] = rounded(found.keypoints[:, k, 1], PIXEL_DIGITS)
        table[f"{joint}_score"] = rounded(found.keypoint_scores[:, k], SCORE_DIGITS)
    return table


def csv_text(table: Mapping[str, np.ndarray]) -> str:
    """The table as CSV with a header line; None becomes an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*[column.tolist() for column in table.values()], strict=True))
    return buffer.getvalue()


def data_frame(table: Mapping[str, np.ndarray]) -> Any:
    """The table as a `pandas.DataFrame`.

    Raises:
        ImportError: pandas is not installed.
    """
    return import_extra("pandas", "pandas", "to_dataframe").DataFrame(table)


def rounded(values: np.ndarray, digits: int) -> np.ndarray:
    """The values as float64 with so many digits after the point."""
    return np.round(np.asarray(values, np.float64), digits)


def _box_columns(boxes: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(("x1", "y1", "x2", "y2"), rounded(boxes.T, PIXEL_DIGITS), strict=True))
