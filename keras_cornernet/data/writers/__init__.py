"""Annotation files written from data sets, one module for each format."""

from keras_cornernet.data.writers.coco import coco_of_boxes, coco_of_people

__all__ = ["coco_of_boxes", "coco_of_people"]
