"""Pascal VOC's xml files."""

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import SubElement

import numpy as np

from keras_cornernet.data.writers.layout import WrittenSet
from keras_cornernet.preprocessing import read_image_size
from keras_cornernet.structures import DetectionDataset, Sample


def voc_of_boxes(parts: Mapping[str, DetectionDataset], names: Mapping[str, str]) -> WrittenSet:
    """The files of data sets with boxes; corners count from 1 and are rounded, ignored boxes are `difficult`.

    Args:
        parts: the data sets by part.
        names: of the image files, by their paths.
    """
    texts: dict[str, str] = {}
    for part, dataset in parts.items():
        stems = []
        for sample in dataset.samples:
            name = names[sample.path]
            stems.append(name.rpartition(".")[0])
            texts[f"Annotations/{stems[-1]}.xml"] = _xml(sample, name, dataset.names)
        texts[f"ImageSets/Main/{part}.txt"] = "\n".join([*stems, ""])
    return WrittenSet(dict.fromkeys(parts, "JPEGImages"), texts)


def _xml(sample: Sample, name: str, classes: tuple[str, ...]) -> str:
    height, width = sample.size or read_image_size(sample.path)
    annotation = ElementTree.Element("annotation")
    SubElement(annotation, "filename").text = name
    size = SubElement(annotation, "size")
    for tag, value in (("width", width), ("height", height), ("depth", 3)):
        SubElement(size, tag).text = str(value)
    boxes = sample.boxes
    corners = np.rint(boxes.xyxy).astype(int)
    for xyxy, label, ignore in zip(corners.tolist(), boxes.labels, boxes.ignore, strict=True):
        entry = SubElement(annotation, "object")
        SubElement(entry, "name").text = classes[int(label)]
        SubElement(entry, "difficult").text = str(int(ignore))
        box = SubElement(entry, "bndbox")
        x1, y1, x2, y2 = xyxy
        inside = (max(x1 + 1, 1), max(y1 + 1, 1), min(x2, width), min(y2, height))
        for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), inside, strict=True):
            SubElement(box, tag).text = str(value)
    ElementTree.indent(annotation)
    return ElementTree.tostring(annotation, encoding="unicode") + "\n"
