"""Metrics of detections and poses."""

from keras_cornernet.evaluation.average_precision import format_table
from keras_cornernet.evaluation.coco import coco_results, evaluate_coco_files, evaluate_detections

__all__ = ["coco_results", "evaluate_coco_files", "evaluate_detections", "format_table"]
