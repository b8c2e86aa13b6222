"""The table of pose metrics."""

from collections.abc import Mapping
from typing import Any

from keras_cornernet.evaluation.pck import ROWS


def format_pose_table(metrics: Mapping[str, Any]) -> str:
    """The metrics as text, in percent: one line each, the rows of the papers' PCKh tables, the joints.

    Args:
        metrics: what `evaluate_poses` returned.
    """
    numbers = {key: value for key, value in metrics.items() if not isinstance(value, Mapping)}
    width = max(map(len, numbers), default=0)
    lines = [f" {key:<{width}} {100 * value:6.2f}" for key, value in numbers.items()]
    by_category = metrics.get("per_category", {})
    if by_category:
        width = max(map(len, by_category))
        lines += ["", *(f" {name:<{width}} {100 * value:6.2f}" for name, value in by_category.items())]
    rows = metrics.get("PCKh rows", {})
    if rows:
        shown = [row for row in ROWS if row in rows]
        lines += ["", " PCKh@0.5 " + "".join(f" {row:>8}" for row in shown)]
        lines += [" " * 10 + "".join(f" {100 * rows[row]:8.2f}" for row in shown)]
    pck_key = next((key for key in metrics if key.startswith("PCK@")), "PCK")
    columns = {pck_key: metrics.get("per_joint", {}), "PCKh@0.5": metrics.get("PCKh per_joint", {})}
    return "\n".join(lines + _joint_lines({title: column for title, column in columns.items() if column}))


def _joint_lines(columns: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One line for each joint, with its value in each column that has one."""
    joints = list(dict.fromkeys(joint for column in columns.values() for joint in column))
    if not joints:
        return []
    width = max(map(len, joints))
    lines = ["", f" {'joint':<{width}}" + "".join(f" {title:>8}" for title in columns)]
    for joint in joints:
        values = [f"{100 * c[joint]:8.2f}" if joint in c else " " * 8 for c in columns.values()]
        lines.append(f" {joint:<{width}} " + " ".join(values))
    return lines
