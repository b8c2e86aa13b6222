"""Readers: each turns annotation files into a `DataSet` and names what is faulty."""

from keras_cornernet.data.readers.coco import read_coco
from keras_cornernet.data.readers.pascal_voc import read_pascal_voc
from keras_cornernet.data.readers.tfds import read_tfds

__all__ = ["read_coco", "read_pascal_voc", "read_tfds"]
