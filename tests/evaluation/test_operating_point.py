"""Scores with the best F1, and the confusion matrix, against plain loops over all thresholds and boxes."""

import numpy as np
import pytest

from keras_cornernet.evaluation import confusion_matrix, fit_operating_point
from keras_cornernet.results import Detections
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

CATEGORIES = Categories(("cell", "dog", "cat"), (7, 3, 5))


def boxes_at(places, labels, ignore=None):
    corners = np.array([[10 * p, 0, 10 * p + 8, 8] for p in places], np.float32).reshape(-1, 4)
    ignored = np.zeros(len(places), bool) if ignore is None else np.array(ignore)
    return Boxes(corners, np.array(labels, np.int32), ignored)


def found_at(places, labels, scores):
    order = np.argsort(-np.array(scores), kind="stable")
    boxes = boxes_at(places, labels).xyxy[order]
    return Detections(boxes, np.array(scores)[order], np.array(labels, int)[order], CATEGORIES)


def sample(number, boxes, **more):
    return Sample(f"{number}.png", number, (100, 1000), boxes, **more)


def random_case(seed):
    """Images whose detections lie on labelled places, some of another class, some where nothing is."""
    draw = np.random.default_rng(seed)
    samples, found = [], {}
    for number in range(1, 13):
        count = int(draw.integers(2, 12))
        labels = draw.integers(0, 2, count)
        samples.append(sample(number, boxes_at(range(count), labels)))
        places = draw.permutation(count + 6)[: count + 2]
        guessed = [
            int(labels[p]) if p < count and draw.random() < 0.8 else int(draw.integers(2)) for p in places
        ]
        scores = draw.random(len(places)) * [1.0 if p < count else 0.6 for p in places]
        found[number] = found_at(places, guessed, scores)
    return DetectionDataset(tuple(samples), CATEGORIES), found


def counts_from(dataset, found, label, score):
    """Hits, detections and objects of a class, when boxes from a score on count."""
    hits = kept = objects = 0
    for one in dataset.samples:
        true = {int(b[0]) for b, y in zip(one.boxes.xyxy, one.boxes.labels, strict=True) if y == label}
        objects += len(true)
        for detection in found[one.image_id]:
            if detection.label == label and detection.score >= score:
                kept += 1
                hits += int(detection.box[0]) in true
    return hits, kept, objects


@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_has_a_better_f1(seed):
    dataset, found = random_case(seed)
    point = fit_operating_point(dataset, found)
    for label in (0, 1):
        chosen = point.classes[label]
        hits, kept, objects = counts_from(dataset, found, label, chosen.min_score)
        mine = 2 * hits / (kept + objects)
        assert chosen.f1 == pytest.approx(mine, abs=0.01)  # recalls are told in steps of 0.01
        everything = [d.score for result in found.values() for d in result if d.label == label]
        for score in everything:
            hits, kept, objects = counts_from(dataset, found, label, score)
            assert 2 * hits / (kept + objects) <= mine + 0.01


@pytest.mark.parametrize("seed", range(5))
def test_an_asked_precision_is_reached_with_the_highest_recall(seed):
    dataset, found = random_case(seed)
    point = fit_operating_point(dataset, found, min_precision=0.8)
    for label in (0, 1):
        chosen = counts_from(dataset, found, label, point.classes[label].min_score)
        scores = [d.score for result in found.values() for d in result if d.label == label]
        others = [counts_from(dataset, found, label, score) for score in scores]
        reached = [hits for hits, kept, _ in others if hits / kept >= 0.8]
        if reached:
            assert chosen[0] / chosen[1] >= 0.8
            assert chosen[0] >= max(reached) - 1  # recalls are told in steps of 0.01
        else:
            assert chosen[0] / chosen[1] == max(hits / kept for hits, kept, _ in others)


def test_classes_without_objects_or_detections_keep_the_default():
    dataset = DetectionDataset((sample(1, boxes_at([0, 1], [0, 1])),), CATEGORIES)
    found = {1: found_at([0], [0], [0.83])}
    point = fit_operating_point(dataset, found)
    assert [p.min_score for p in point.classes] == [0.83, None, None]
    assert point.scores_of(("cat", "cell", "bird")) == (0.3, 0.83, 0.3)
    assert "nothing to fit" in str(point)
    assert point.rows()["cell"] == {
        "objects": 1,
        "min_score": 0.83,
        "precision": 1.0,
        "recall": 1.0,
        "F1": 1.0,
    }


def test_ignored_boxes_are_neither_hits_nor_misses():
    dataset = DetectionDataset((sample(1, boxes_at([0, 1], [0, 0], [False, True])),), CATEGORIES)
    point = fit_operating_point(dataset, {1: found_at([0, 1], [0, 0], [0.5, 0.9])})
    assert (point.classes[0].min_score, point.classes[0].f1) == (0.5, pytest.approx(1.0))
    assert point.confusion.sum() == 1


def test_the_confusion_matrix_counts_each_object_and_each_stray_box():
    dataset = DetectionDataset(
        (sample(1, boxes_at([0, 1, 2, 3], [0, 0, 1, 2])), sample(2, boxes_at([0], [1]))), CATEGORIES
    )
    found = {1: found_at([0, 1, 2, 7, 8], [0, 1, 1, 2, 0], [0.9, 0.8, 0.7, 0.6, 0.1])}
    matrix = confusion_matrix(dataset, found, (0.3, 0.3, 0.3))
    assert matrix.tolist() == [
        [1, 1, 0, 0],  # a cell found, a cell taken for a dog
        [0, 1, 0, 1],  # a dog found, a dog missed
        [0, 0, 0, 1],
        [0, 0, 1, 0],  # a cat where nothing is; the cell of score 0.1 does not count
    ]


def test_classes_that_an_image_does_not_label_are_no_mistakes_there():
    labelled = np.array([True, False, True])
    dataset = DetectionDataset((sample(1, boxes_at([0], [0]), labelled=labelled),), CATEGORIES)
    matrix = confusion_matrix(dataset, {1: found_at([0, 4, 5], [0, 1, 2], [0.9, 0.9, 0.9])}, (0.3,) * 3)
    assert matrix[-1].tolist() == [0, 0, 1, 0]


def test_pictures_are_written(tmp_path):
    dataset, found = random_case(0)
    fit_operating_point(dataset, found).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confusion_matrix.png",
        "precision_recall.png",
    ]


@pytest.mark.parametrize("wrong", [0, 1.5, float("nan")])
def test_a_precision_out_of_range(wrong):
    dataset, found = random_case(0)
    with pytest.raises(ValueError, match="min_precision"):
        fit_operating_point(dataset, found, min_precision=wrong)
