"""Annotation files written from data sets, one module for each format."""

from keras_cornernet.data.writers.coco import coco_of_boxes, coco_of_people
from keras_cornernet.data.writers.folders import WRITERS, write_dataset

__all__ = ["WRITERS", "coco_of_boxes", "coco_of_people", "write_dataset"]
