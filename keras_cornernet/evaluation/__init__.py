"""Metrics of detections and poses."""

from keras_cornernet.evaluation.average_precision import format_table
from keras_cornernet.evaluation.coco import coco_results, evaluate_detections
from keras_cornernet.evaluation.coco_files import evaluate_coco_files, read_results
from keras_cornernet.evaluation.confusion import confusion_matrix
from keras_cornernet.evaluation.found import found_among_best
from keras_cornernet.evaluation.keypoint_ap import keypoint_average_precision, object_keypoint_similarity
from keras_cornernet.evaluation.matching import match_categories
from keras_cornernet.evaluation.operating_point import OperatingPoint, fit_operating_point
from keras_cornernet.evaluation.pose_table import format_pose_table
from keras_cornernet.evaluation.poses import evaluate_poses
from keras_cornernet.evaluation.result import EvaluationResult

__all__ = [
    "EvaluationResult",
    "OperatingPoint",
    "coco_results",
    "confusion_matrix",
    "evaluate_coco_files",
    "evaluate_detections",
    "evaluate_poses",
    "fit_operating_point",
    "format_pose_table",
    "format_table",
    "found_among_best",
    "keypoint_average_precision",
    "match_categories",
    "object_keypoint_similarity",
    "read_results",
]
