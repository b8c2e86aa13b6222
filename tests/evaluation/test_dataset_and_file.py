"""A data set that `read_coco` made of a file gives the metrics of the file."""

import json

import numpy as np
import pytest

from keras_cornernet.data.readers import read_coco
from keras_cornernet.evaluation import coco_results, evaluate_coco_files, evaluate_detections
from keras_cornernet.results import Detections

IDS = (2, 5, 90)


def random_file(folder, seed, images=12):
    """A COCO file with crowds, areas of outlines (some missing), hundredths of pixels and empty images."""
    rng = np.random.default_rng(seed)
    annotations = []
    for image_id in range(100, 100 + images):
        (folder / f"{image_id}.png").touch()
        for _ in range(rng.integers(0, 9)):
            x, y = rng.uniform(0, 250, 2).round(2)
            width, height = np.exp(rng.uniform(2.5, 5.9, 2)).round(2)
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": int(rng.choice(IDS)),
                "bbox": [x, y, width, min(height, round(479 - y, 2))],
                "iscrowd": int(rng.random() < 0.2),
            }
            if rng.random() < 0.8:
                annotation["area"] = round(
                    annotation["bbox"][2] * annotation["bbox"][3] * rng.uniform(0.3, 1), 3
                )
            annotations.append(annotation)
    content = {
        "images": [
            {"id": i, "file_name": f"{i}.png", "height": 480, "width": 640} for i in range(100, 100 + images)
        ],
        "annotations": annotations,
        "categories": [{"id": id_, "name": f"class {id_}"} for id_ in reversed(IDS)],
    }
    path = folder / "truth.json"
    path.write_text(json.dumps(content))
    return path


def random_detections(dataset, seed):
    """Boxes near the true ones, often of their class, and false ones; scores with ties."""
    rng = np.random.default_rng(seed)
    found = []
    for sample in dataset.samples:
        near = np.repeat(sample.boxes.xyxy, 2, axis=0)
        near = near + rng.normal(0, 0.1, near.shape) * np.tile(near[:, 2:] - near[:, :2], 2)
        start = rng.uniform(0, 400, (3, 2))
        boxes = np.concatenate([near, np.hstack([start, start + rng.uniform(5, 150, (3, 2))])])
        boxes[:, 2:] = np.maximum(boxes[:, :2] + 1, boxes[:, 2:])
        labels = np.concatenate([np.repeat(sample.boxes.labels, 2), rng.integers(0, 3, 3)])
        labels = np.where(rng.random(len(labels)) < 0.15, rng.integers(0, 3, len(labels)), labels)
        scores = rng.integers(1, 30, len(labels)) / 30
        found.append(Detections(boxes.astype(np.float32), scores, labels, dataset.categories))
    return found


@pytest.mark.parametrize("engine", ["faster-coco-eval", "pycocotools"])
@pytest.mark.parametrize("seed", range(4))
def test_metrics_of_the_data_set_are_those_of_its_file(tmp_path, seed, engine):
    path = random_file(tmp_path, seed)
    dataset = read_coco(path, tmp_path, strict=True)
    detections = random_detections(dataset, seed)
    by_file = evaluate_coco_files(path, coco_results(dataset, detections), engine=engine)
    assert evaluate_detections(dataset, detections, engine=engine) == by_file
    assert 0.05 < by_file["AP"] < 0.95 and min(by_file[key] for key in ("APs", "APm", "APl")) > 0


def test_the_files_areas_decide_which_boxes_are_small(tmp_path):
    path = random_file(tmp_path, 1)
    dataset = read_coco(path, tmp_path)
    detections = random_detections(dataset, 1)
    of_boxes = dataset.replace(
        samples=tuple(s.replace(boxes=s.boxes.replace(areas=None)) for s in dataset.samples)
    )
    with_areas, without = (evaluate_detections(each, detections) for each in (dataset, of_boxes))
    assert with_areas["AP"] == without["AP"] and with_areas["APs"] != without["APs"]


def test_metrics_of_a_part_of_the_images_are_those_of_its_file(tmp_path):
    path = random_file(tmp_path, 3)
    dataset = read_coco(path, tmp_path)
    detections = random_detections(dataset, 3)
    some = dataset.select(range(0, 12, 2))
    results = coco_results(some, detections[::2])
    ids = [sample.image_id for sample in some.samples]
    assert evaluate_detections(some, detections[::2]) == evaluate_coco_files(path, results, image_ids=ids)
