import json
import sys

import numpy as np
import pytest

from keras_cornernet.evaluation import coco_results, evaluate_coco_files, evaluate_detections, format_table
from keras_cornernet.results import Detections
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample

ENGINES = ("faster-coco-eval", "pycocotools")
KEYS = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
GAPS = Categories(("bicycle", "toothbrush"), (2, 90))
engines = pytest.mark.parametrize("engine", ENGINES)


def boxes_of(xyxy, labels=None, ignore=None):
    xyxy = np.array(xyxy, np.float32).reshape(-1, 4)
    n = len(xyxy)
    labels, ignore = labels or [0] * n, ignore or [False] * n
    return Boxes(xyxy, np.array(labels, np.int32), np.array(ignore, bool))


def data_of(*boxes, categories=GAPS, first_id=0):
    samples = [Sample(f"{i}.jpg", first_id + i, (480, 640), b) for i, b in enumerate(boxes)]
    return DetectionDataset(tuple(samples), categories)


def found(xyxy, scores, labels=None, categories=GAPS):
    xyxy = np.array(xyxy, np.float32).reshape(-1, 4)
    labels = np.array(labels or [0] * len(xyxy), np.int32)
    return Detections(xyxy, np.array(scores, np.float32), labels, categories)


def random_case(rng, images=12, classes=5):
    """Truth with crowds and gaps in the ids, and detections near it with ties in their scores."""
    categories = Categories(tuple("abcde"[:classes]), tuple(int(3 * i + 2) for i in range(classes)))
    truth, detections = [], []
    for _ in range(images):
        n, m = rng.integers(0, 9), rng.integers(0, 130)
        start = rng.uniform(0, 300, (n, 2))
        true = np.concatenate([start, start + rng.uniform(4, 200, (n, 2))], axis=1)
        labels = rng.integers(0, classes, n).tolist()
        truth.append(boxes_of(true, labels, (rng.random(n) < 0.15).tolist()))
        picks = rng.integers(0, n, m) if n else np.zeros(0, int)
        near = true[picks] + rng.normal(0, 6, (len(picks), 4))
        near = np.concatenate([np.minimum(near[:, :2], near[:, 2:]), np.maximum(near[:, :2], near[:, 2:])], 1)
        scores = rng.integers(0, 40, len(picks)) / 40
        detections.append(found(near, scores, [labels[p] for p in picks], categories))
    return data_of(*truth, categories=categories), detections


@engines
def test_perfect_detections(engine, capfd):
    truth = boxes_of([[0, 0, 20, 20], [50, 50, 100, 100], [200, 200, 400, 400]], [0, 1, 0])
    dataset = data_of(truth, boxes_of([]))
    detections = [found(truth.xyxy, [1, 0.9, 0.8], [0, 1, 0]), found([], [])]
    metrics = evaluate_detections(dataset, detections, engine=engine)
    assert list(metrics) == [*KEYS, "per_class"]
    assert all(metrics[key] == pytest.approx(1, abs=1e-9) for key in KEYS if key != "AR1")
    assert metrics["AR1"] == pytest.approx(0.75)  # one of two bicycles, the only toothbrush
    assert list(metrics["per_class"]) == list(GAPS.names)
    assert all(row == pytest.approx({"AP": 1, "AP50": 1}) for row in metrics["per_class"].values())
    assert all(type(metrics[key]) is float for key in KEYS)
    assert capfd.readouterr() == ("", "")


@engines
def test_average_precision_by_hand(engine):
    # Hit, miss, hit: precision 1 up to recall 0.5 (51 of the 101 recalls), then 2/3 (50 of them).
    dataset = data_of(boxes_of([[0, 0, 100, 100], [200, 200, 300, 300]]), categories=Categories(("x",), (1,)))
    xyxy = [[0, 0, 100, 100], [400, 0, 500, 100], [200, 200, 300, 300]]
    detections = [found(xyxy, [0.9, 0.8, 0.7], categories=dataset.categories)]
    metrics = evaluate_detections(dataset, detections, engine=engine)
    assert metrics["AP"] == pytest.approx((51 + 50 * 2 / 3) / 101, abs=1e-9)
    assert metrics["AP50"] == metrics["per_class"]["x"]["AP50"] == pytest.approx(metrics["AP"])
    assert metrics["AR1"] == 0.5 and metrics["AR10"] == metrics["AR100"] == 1
    assert metrics["APl"] == pytest.approx(metrics["AP"]) and metrics["APs"] == metrics["ARm"] == -1


@engines
def test_overlap_thresholds_by_hand(engine):
    # IoU 0.62 counts at 0.50, 0.55 and 0.60: three of ten thresholds.
    dataset = data_of(boxes_of([[0, 0, 100, 100]]))
    metrics = evaluate_detections(dataset, [found([[0, 0, 100, 62]], [0.5])], engine=engine)
    assert [metrics[key] for key in ("AP", "AP50", "AP75")] == pytest.approx([0.3, 1, 0])
    assert metrics["per_class"]["toothbrush"] == {"AP": -1.0, "AP50": -1.0}


@pytest.mark.parametrize("seed", range(3))
def test_both_engines_agree(seed):
    dataset, detections = random_case(np.random.default_rng(seed))
    one, other = (evaluate_detections(dataset, detections, engine=engine) for engine in ENGINES)
    assert {key: one[key] for key in KEYS} == pytest.approx({key: other[key] for key in KEYS}, abs=1e-9)
    for name in dataset.categories.names:
        assert one["per_class"][name] == pytest.approx(other["per_class"][name], abs=1e-9)
    assert 0 < one["AP"] < 1


@engines
def test_the_numbers_are_those_that_the_engine_prints(engine, tmp_path):
    dataset, detections = random_case(np.random.default_rng(9))
    path = write_json(tmp_path, dataset)
    results = coco_results(dataset, detections)
    metrics = evaluate_coco_files(path, results, engine=engine)
    if engine == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval as Evaluator
    else:
        from faster_coco_eval import COCO
        from faster_coco_eval import COCOeval_faster as Evaluator
    truth = COCO(str(path))
    evaluator = Evaluator(truth, truth.loadRes([dict(result) for result in results]), "bbox")
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    assert [metrics[key] for key in KEYS] == pytest.approx(list(evaluator.stats)[:12], abs=1e-12)


def test_the_table_reads_as_pycocotools_prints_it(tmp_path, capsys):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    dataset, detections = random_case(np.random.default_rng(4))
    path = write_json(tmp_path, dataset)
    results = coco_results(dataset, detections)
    table = format_table(evaluate_coco_files(path, results))
    truth = COCO(str(path))
    evaluator = COCOeval(truth, truth.loadRes(results), "bbox")
    evaluator.evaluate()
    evaluator.accumulate()
    capsys.readouterr()
    evaluator.summarize()
    assert table.splitlines()[:12] == capsys.readouterr().out.splitlines()
    assert table.splitlines()[13].split() == ["class", "AP", "AP50"]
    assert [line.split()[0] for line in table.splitlines()[14:]] == list(dataset.categories.names)


def write_json(folder, dataset, name="truth.json", **changes):
    annotations = []
    for sample in dataset.samples:
        for (x1, y1, x2, y2), label, ignore in zip(
            sample.boxes.xyxy.tolist(), sample.boxes.labels, sample.boxes.ignore, strict=True
        ):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": sample.image_id,
                    "category_id": dataset.categories.ids[label],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": int(ignore),
                }
            )
    content = {
        "images": [{"id": s.image_id, "width": 640, "height": 480} for s in dataset.samples],
        "annotations": annotations,
        "categories": [
            {"id": i, "name": n}
            for n, i in zip(dataset.categories.names, dataset.categories.ids, strict=True)
        ],
    }
    path = folder / name
    path.write_text(json.dumps(content | changes))
    return path


def test_files_and_data_set_give_the_same(tmp_path):
    dataset, detections = random_case(np.random.default_rng(5))
    results = tmp_path / "results.json"
    results.write_text(json.dumps(coco_results(dataset, detections)))
    by_file = evaluate_coco_files(write_json(tmp_path, dataset), str(results))
    assert by_file == evaluate_detections(dataset, detections)


def test_detections_by_image_id():
    dataset, detections = random_case(np.random.default_rng(6))
    by_id = {s.image_id: d for s, d in zip(dataset.samples, detections, strict=True) if len(d.scores)}
    assert evaluate_detections(dataset, by_id) == evaluate_detections(dataset, detections)


def test_category_ids_and_classes_are_matched_by_name():
    dataset = data_of(boxes_of([[0, 0, 50, 50]], [1]), first_id=7)
    xyxy = [[0, 0, 50, 50], [0, 0, 50, 50]]
    other = Categories(("toothbrush", "zebra"), (0, 1))
    results = coco_results(dataset, [found(xyxy, [0.5, 0.25], [0, 1], other)])
    assert results == [{"image_id": 7, "category_id": 90, "bbox": [0, 0, 50, 50], "score": 0.5}]
    assert evaluate_detections(dataset, [found(xyxy, [0.5, 0.25], [0, 1], other)])["AR1"] == 1
    assert coco_results(dataset, [found(xyxy[:1], [0.5], [1])])[0]["category_id"] == 90
    with pytest.raises(ValueError, match=r"none of their classes \(zebra\) is in the data set \(bicycle"):
        coco_results(dataset, [found(xyxy, [1, 1], [0, 0], Categories(("zebra",), (1,)))])


@engines
def test_areas_of_the_file_count(engine, tmp_path):
    # The box is medium (40 x 40), the outline that the file states is small.
    dataset = data_of(boxes_of([[0, 0, 40, 40]]))
    annotation = {"id": 0, "image_id": 0, "category_id": 2, "bbox": [0, 0, 40, 40], "area": 900, "iscrowd": 0}
    detections = [found([[0, 0, 40, 40]], [0.5])]
    by_box = evaluate_detections(dataset, detections, engine=engine)
    path = write_json(tmp_path, dataset, annotations=[annotation])
    by_file = evaluate_coco_files(path, coco_results(dataset, detections), engine=engine)
    assert [by_box["APs"], by_box["APm"]] == pytest.approx([-1, 1])
    assert [by_file["APs"], by_file["APm"]] == pytest.approx([1, -1])
    assert by_file["AP"] == pytest.approx(
        1
    )  # though the annotation's id is 0, which evaluators take for "no match"


@engines
def test_crowds_are_neither_wanted_nor_held_against(engine):
    truth = boxes_of([[0, 0, 50, 50], [200, 200, 400, 400]], ignore=[False, True])
    detections = [found([[210, 210, 260, 260], [0, 0, 50, 50]], [0.9, 0.8])]
    metrics = evaluate_detections(data_of(truth), detections, engine=engine)
    assert metrics["AP"] == pytest.approx(1) and metrics["AR100"] == 1


@engines
def test_no_detections_and_no_truth(engine, tmp_path):
    dataset = data_of(boxes_of([[0, 0, 50, 50]]), boxes_of([]))
    metrics = evaluate_detections(dataset, [found([], []), found([], [])], engine=engine)
    assert metrics["AP"] == metrics["AP50"] == metrics["AR100"] == metrics["APm"] == 0
    assert metrics["APs"] == metrics["APl"] == -1
    assert evaluate_detections(dataset, {}, engine=engine) == metrics
    assert evaluate_coco_files(write_json(tmp_path, dataset), [], engine=engine) == metrics
    empty = data_of(boxes_of([]))
    nothing = evaluate_detections(empty, [found([[0, 0, 5, 5]], [0.5])], engine=engine)
    assert all(nothing[key] == -1 for key in KEYS)
    for dataset in (DetectionDataset((), GAPS), data_of(boxes_of([]), categories=Categories((), ()))):
        assert all(evaluate_detections(dataset, {}, engine=engine)[key] == -1 for key in KEYS)
    assert "= -1.000" in format_table(nothing)


@engines
def test_max_detections(engine):
    truth = boxes_of([[10 * i, 0, 10 * i + 9, 40] for i in range(20)])
    detections = [found(truth.xyxy, np.linspace(1, 0.5, 20))]
    metrics = evaluate_detections(data_of(truth), detections, max_detections=15, engine=engine)
    assert metrics["AR15"] == 0.75 and "AR100" not in metrics
    assert format_table(metrics).splitlines()[8].endswith("maxDets= 15 ] = 0.750")
    with pytest.raises(ValueError, match="max_detections: expected at least 11, got 10"):
        evaluate_detections(data_of(truth), detections, max_detections=10, engine=engine)


def test_image_ids_pick_images(tmp_path):
    dataset = data_of(boxes_of([[0, 0, 50, 50]]), boxes_of([[0, 0, 50, 50]]))
    path = write_json(tmp_path, dataset)
    results = coco_results(dataset, {1: found([[0, 0, 50, 50]], [0.5])})
    assert evaluate_coco_files(path, results)["AR100"] == 0.5
    assert evaluate_coco_files(path, results, image_ids=[1])["AR100"] == 1
    assert evaluate_coco_files(path, results, image_ids=[0])["AR100"] == 0
    with pytest.raises(ValueError, match=r"image_ids: 5 are not images of truth\.json"):
        evaluate_coco_files(path, results, image_ids=[5])


def test_results_are_not_changed(tmp_path):
    dataset = data_of(boxes_of([[0, 0, 50, 50]]))
    results = [{"image_id": 0, "category_id": 2, "bbox": [0, 0, 50, 50], "score": 1}]
    before = json.dumps(results)
    evaluate_coco_files(write_json(tmp_path, dataset), results)
    assert json.dumps(results) == before


def test_truth_that_cannot_be_used_is_left_out(tmp_path):
    dataset = data_of(boxes_of([[0, 0, 50, 50]]))
    good = {"image_id": 0, "category_id": 2, "bbox": [0, 0, 50, 50]}
    bad = [{"bbox": [0, 0, -5, 5]}, {"bbox": [0, float("nan"), 5, 5]}, {"bbox": [1]}, {"bbox": None}]
    bad += [{"category_id": 5}, {"image_id": 77}, {"image_id": [0]}]
    path = write_json(tmp_path, dataset, annotations=[good, *(good | change for change in bad)])
    results = coco_results(dataset, [found([[0, 0, 50, 50]], [0.5])])
    for engine in ENGINES:
        assert evaluate_coco_files(path, results, engine=engine)["AR100"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 9}, r"results\[1\]: the image id 9 is not in truth.json"),
        ({"image_id": "0"}, r"results\[1\]: the image id '0' is not in truth.json"),
        ({"category_id": 0}, r"results\[1\]: the category id 0 is not in truth.json, which has 2, 90"),
        ({"bbox": [0, 0, 5]}, r"results\[1\]: \(image id 0\) bbox \[0, 0, 5\] is not four finite numbers"),
        ({"bbox": [0, 0, float("nan"), 5]}, r"is not four finite numbers"),
        ({"bbox": [0, 0, -1, 5]}, r"bbox \[0, 0, -1, 5\] has a negative size"),
        ({"score": float("nan")}, r"\(image id 0\) the score nan is not a finite number"),
        ({"score": None}, r"the score None is not a finite number"),
    ],
)
def test_unusable_results(tmp_path, change, message):
    path = write_json(tmp_path, data_of(boxes_of([[0, 0, 50, 50]])))
    good = {"image_id": 0, "category_id": 2, "bbox": [0, 0, 50, 50], "score": 0.5}
    with pytest.raises(ValueError, match=message):
        evaluate_coco_files(path, [good, good | change])


def test_files_that_are_not_coco(tmp_path):
    dataset = data_of(boxes_of([[0, 0, 50, 50]]))
    path = write_json(tmp_path, dataset)
    results = tmp_path / "results.json"
    results.write_text("{}")
    with pytest.raises(ValueError, match=r"results\.json: expected a list of results, got a dict"):
        evaluate_coco_files(path, results)
    results.write_text('[{"image_id": 0,')
    with pytest.raises(ValueError, match=r"results\.json: not json at line 1, column 17"):
        evaluate_coco_files(path, results)
    with pytest.raises(ValueError, match=r"results\[0\]: expected an object, got a int"):
        evaluate_coco_files(path, [1])
    with pytest.raises(ValueError, match=r"results\[0\]: the key 'score' is missing"):
        evaluate_coco_files(path, [{"image_id": 0, "category_id": 2, "bbox": [0, 0, 1, 1]}])
    with pytest.raises(ValueError, match=r"truth\.json: images\[0\] needs a whole number 'id', got 'a'"):
        evaluate_coco_files(write_json(tmp_path, dataset, images=[{"id": "a"}]), [])
    path.write_text("[]")
    with pytest.raises(ValueError, match=r"truth\.json: expected an object with the keys 'images'"):
        evaluate_coco_files(path, [])


def test_detections_that_do_not_fit():
    dataset = data_of(boxes_of([[0, 0, 50, 50]]))
    one = found([[0, 0, 50, 50]], [0.5])
    with pytest.raises(ValueError, match="expected one per image, 1, got 2"):
        evaluate_detections(dataset, [one, one])
    with pytest.raises(ValueError, match="the data set has no images with the ids 5"):
        evaluate_detections(dataset, {5: one})
    for changed, message in [
        (found([[0, 0, 50, np.nan]], [0.5]), "is not finite or has a negative size"),
        (found([[0, 60, 50, 50]], [0.5]), "is not finite or has a negative size"),
        (found([[0, 0, 50, 50]], [np.inf]), "a score is not a finite number"),
    ]:
        with pytest.raises(ValueError, match=f"detections of image id 0: .*{message}"):
            evaluate_detections(dataset, [changed])


def test_the_engine_is_picked(monkeypatch):
    dataset, detections = data_of(boxes_of([[0, 0, 50, 50]])), [found([[0, 0, 50, 50]], [0.5])]
    with pytest.raises(ValueError, match="engine: expected 'auto', 'faster-coco-eval', 'pycocotools', got"):
        evaluate_detections(dataset, detections, engine="mine")
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    assert evaluate_detections(dataset, detections)["AP"] == pytest.approx(1)
    with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[coco\]'"):
        evaluate_detections(dataset, detections, engine="faster-coco-eval")


def test_classes_of_one_name_stay_apart():
    dataset = data_of(boxes_of([[0, 0, 50, 50]]), categories=Categories(("x", "x"), (1, 4)))
    metrics = evaluate_detections(dataset, {})
    assert list(metrics["per_class"]) == ["x", "x (id 4)"]
