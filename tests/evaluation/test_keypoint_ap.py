import contextlib
import io
import json
import math
import sys

import numpy as np
import pytest

from keras_cornernet.evaluation import keypoint_average_precision, object_keypoint_similarity
from keras_cornernet.evaluation.keypoint_ap import person_area
from keras_cornernet.results import Poses
from keras_cornernet.skeletons import COCO, LSP, MPII
from keras_cornernet.structures import Person

ENGINES = ("faster-coco-eval", "pycocotools")
KEYS = ["AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl"]
engines = pytest.mark.parametrize("engine", ENGINES)


def person_of(xy, visibility=None, image_id=0, **kwargs):
    xy = np.array(xy, np.float32)
    visibility = np.full(len(xy), 2) if visibility is None else visibility
    middle, side = np.array([50, 50], np.float32), 100.0
    return Person(f"{image_id}.jpg", image_id, middle, side, xy, np.array(visibility, np.int32), **kwargs)


def poses_of(xy, scores=None, skeleton=COCO):
    xy = np.array(xy, np.float64).reshape(-1, len(skeleton.joints), 2)
    scores = np.ones(len(xy)) if scores is None else np.array(scores, float)
    return Poses(xy, np.ones(xy.shape[:2]), np.zeros((len(xy), 4)), scores, skeleton)


def grid(k, step=10.0):
    """`k` joints on a 5-wide grid."""
    return np.stack([np.arange(k) % 5, np.arange(k) // 5], axis=1) * step


def random_case(seed, skeleton, images=8):
    """People and poses near them, some joints unannotated, some people wholly, and false poses."""
    rng, k = np.random.default_rng(seed), len(skeleton.joints)
    people, poses = {}, {}
    for id_ in range(images):
        people[id_], found = [], []
        for _ in range(rng.integers(0, 4)):
            start, side = rng.uniform(0, 300, 2), rng.uniform(20, 200)
            xy = start + rng.uniform(0, side, (k, 2))
            visibility = rng.choice([0, 1, 2], k, p=[0.3, 0.2, 0.5]) * (rng.random() < 0.85)
            box = np.array([*start, *(start + side)], np.float32)
            person = person_of(xy, visibility, id_, box=box, area=float(side**2 * rng.uniform(0.3, 0.8)))
            people[id_].append(person)
            for _ in range(rng.integers(0, 3)):
                found.append(xy + rng.normal(0, 0.04 * side, (k, 2)))
        found += [rng.uniform(0, 300, (k, 2)) for _ in range(rng.integers(0, 3))]
        poses[id_] = poses_of(np.array(found), rng.integers(1, 20, len(found)) / 20, skeleton)
    return people, poses


@engines
@pytest.mark.parametrize("skeleton", [COCO, MPII, LSP], ids=lambda s: s.name)
def test_perfect_poses(engine, skeleton, capfd):
    xy = grid(len(skeleton.joints))
    people = {0: [person_of(xy, area=2000.0), person_of(xy + 200, area=20000.0)], 4: []}
    poses = {0: poses_of([xy, xy + 200], [0.9, 0.8], skeleton)}
    metrics = keypoint_average_precision(people, poses, skeleton.sigmas, engine=engine)
    assert list(metrics) == KEYS and all(type(value) is float for value in metrics.values())
    assert metrics == pytest.approx(dict.fromkeys(KEYS, 1.0))
    assert capfd.readouterr() == ("", "")


@engines
def test_similarity_decides_by_hand(engine):
    # Every joint is off by d = sqrt(2 area ln(1 / 0.72)) * 2 sigma, so that the similarity is 0.72: right at
    # 0.50, 0.55 .. 0.70, five of ten thresholds.
    area, sigmas = 5000.0, np.array(COCO.sigmas)
    shift = math.sqrt(2 * area * math.log(1 / 0.72)) * 2 * sigmas
    xy = grid(17)
    found = xy + np.stack([shift, np.zeros(17)], axis=1)
    everyone = np.ones((1, 17), bool)
    similarity = object_keypoint_similarity(found[None], xy[None], everyone, np.array([area]), COCO.sigmas)
    assert similarity.tolist() == pytest.approx([0.72])
    people, poses = {3: [person_of(xy, area=area)]}, {3: poses_of(found)}
    metrics = keypoint_average_precision(people, poses, COCO.sigmas, engine=engine)
    assert [metrics[key] for key in ("AP", "AP50", "AP75", "AR", "AR50", "AR75")] == pytest.approx(
        [0.5, 1, 0, 0.5, 1, 0]
    )
    assert metrics["APm"] == pytest.approx(0.5) and metrics["APl"] == metrics["ARl"] == -1


@pytest.mark.parametrize("seed", range(4))
def test_similarity_equals_naive_loops_and_the_engine(seed):
    from pycocotools.coco import COCO as Table
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(seed)
    k, sigmas = 16, np.array(MPII.sigmas)
    truth, area = rng.uniform(0, 90, (1, k, 2)), np.array([rng.uniform(100, 9000)])
    predicted, annotated = truth + rng.normal(0, 8, (1, k, 2)), rng.random((1, k)) < 0.6
    terms = []
    for joint in range(k):
        if annotated[0, joint]:
            square = ((predicted[0, joint] - truth[0, joint]) ** 2).sum()
            terms.append(math.exp(-square / (2 * area[0] * (2 * sigmas[joint]) ** 2)))
    similarity = object_keypoint_similarity(predicted, truth, annotated, area, MPII.sigmas)
    assert similarity.tolist() == pytest.approx([sum(terms) / len(terms)], abs=1e-12)

    triples = [np.concatenate([xy[0], annotated.T * 2], axis=1) for xy in (truth, predicted)]
    tables = []
    for points in triples:
        row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "area": area[0], "score": 1.0}
        with contextlib.redirect_stdout(io.StringIO()):
            table = Table()
            table.dataset = {
                "images": [{"id": 1}],
                "categories": [{"id": 1}],
                "annotations": [row | {"keypoints": points.ravel().tolist(), "num_keypoints": 9}],
            }
            table.createIndex()
        tables.append(table)
    evaluator = COCOeval(*tables, "keypoints")
    evaluator.params.kpt_oks_sigmas = sigmas
    evaluator._prepare()
    assert evaluator.computeOks(1, 1)[0, 0] == pytest.approx(similarity[0], abs=1e-12)


def test_similarity_without_answers_or_annotations():
    xy = np.repeat(grid(17)[None], 3, axis=0)
    found, annotated = xy.copy(), np.ones((3, 17), bool)
    found[0, :5], annotated[1] = np.nan, False
    xy[2, 0], annotated[2, 0] = np.nan, False
    similarity = object_keypoint_similarity(found, xy, annotated, np.full(3, 900.0), COCO.sigmas)
    assert similarity[[0, 2]].tolist() == pytest.approx([12 / 17, 1]) and np.isnan(similarity[1])
    empty = np.zeros((0, 17, 2))
    assert (
        object_keypoint_similarity(empty, empty, np.zeros((0, 17)), np.zeros(0), COCO.sigmas).tolist() == []
    )


@pytest.mark.parametrize("skeleton", [COCO, MPII], ids=lambda s: s.name)
@pytest.mark.parametrize("seed", range(3))
def test_both_engines_agree(seed, skeleton):
    people, poses = random_case(seed, skeleton)
    one, other = (
        keypoint_average_precision(people, poses, skeleton.sigmas, engine=engine) for engine in ENGINES
    )
    assert one == pytest.approx(other, abs=1e-9)
    assert 0 < one["AP"] < one["AP50"] <= 1 and one["AP75"] <= one["AP50"]


@engines
@pytest.mark.parametrize("seed", range(2))
def test_the_numbers_are_those_that_the_engine_prints(engine, seed, tmp_path):
    people, poses = random_case(seed, COCO)
    metrics = keypoint_average_precision(people, poses, COCO.sigmas, engine=engine)
    annotations, results = [], []
    for id_, some in people.items():
        for person in some:
            x1, y1, x2, y2 = person.box.tolist()
            triples = np.concatenate([person.keypoints, person.visibility[:, None]], axis=1)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": id_,
                    "category_id": 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": person.area,
                    "iscrowd": 0,
                    "keypoints": triples.ravel().tolist(),
                    "num_keypoints": int((person.visibility > 0).sum()),
                }
            )
        for xy, score in zip(poses[id_].keypoints, poses[id_].scores, strict=True):
            triples = np.concatenate([xy, np.ones((17, 1))], axis=1).ravel().tolist()
            results.append({"image_id": id_, "category_id": 1, "keypoints": triples, "score": float(score)})
    path = tmp_path / "truth.json"
    images = [{"id": id_} for id_ in people]
    content = {"images": images, "categories": [{"id": 1, "name": "person"}], "annotations": annotations}
    path.write_text(json.dumps(content))
    if engine == "pycocotools":
        from pycocotools.coco import COCO as Table
        from pycocotools.cocoeval import COCOeval as Evaluator
    else:
        from faster_coco_eval import COCO as Table
        from faster_coco_eval import COCOeval_faster as Evaluator
    truth = Table(str(path))
    evaluator = Evaluator(truth, truth.loadRes(results), "keypoints")
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    assert [metrics[key] for key in KEYS] == pytest.approx(list(evaluator.stats)[:10], abs=1e-12)


@engines
def test_people_without_joints_are_forgiven(engine):
    xy = grid(17)
    nobody = np.zeros(17)
    people = {0: [person_of(xy, area=900.0), person_of(xy + 500, nobody, box=np.array([500, 500, 600, 600]))]}
    near, far = xy + 510, xy + 2000
    metrics = keypoint_average_precision(
        people, {0: poses_of([near, xy], [1, 0.5])}, COCO.sigmas, engine=engine
    )
    assert metrics["AP"] == pytest.approx(1) and metrics["AR"] == 1
    metrics = keypoint_average_precision(
        people, {0: poses_of([far, xy], [1, 0.5])}, COCO.sigmas, engine=engine
    )
    assert metrics["AP"] == pytest.approx(0.5)


@engines
def test_missing_answers(engine):
    xy = grid(17)
    half = xy.copy()
    half[:4] = np.nan  # 13 of 17 joints right: similarity 0.765, six of ten thresholds
    people = {0: [person_of(xy, area=900.0)], 1: [person_of(xy, area=900.0)]}
    poses = {0: poses_of(half), 1: poses_of(np.full((17, 2), np.nan))}
    metrics = keypoint_average_precision(people, poses, COCO.sigmas, engine=engine)
    assert metrics["AR50"] == 0.5 and metrics["AR"] == pytest.approx(0.3)
    assert metrics["AP50"] == pytest.approx(51 / 101)
    nothing = keypoint_average_precision(people, {}, COCO.sigmas, engine=engine)
    assert nothing["AP"] == nothing["AR"] == 0 and nothing["APl"] == -1


@engines
def test_nobody_to_find(engine):
    for people in ({}, {0: []}):
        metrics = keypoint_average_precision(people, {}, COCO.sigmas, engine=engine)
        assert metrics == dict.fromkeys(KEYS, -1.0)
    only_unannotated = {0: [person_of(grid(17), np.zeros(17), area=900.0)]}
    metrics = keypoint_average_precision(
        only_unannotated, {0: poses_of(grid(17))}, COCO.sigmas, engine=engine
    )
    assert metrics == dict.fromkeys(KEYS, -1.0)


@engines
def test_max_people(engine):
    people = {0: [person_of(grid(17) + 300 * i, area=900.0) for i in range(4)]}
    poses = {0: poses_of([person.keypoints for person in people[0]], [0.9, 0.8, 0.7, 0.6])}
    metrics = keypoint_average_precision(people, poses, COCO.sigmas, max_people=3, engine=engine)
    assert metrics["AR"] == 0.75
    with pytest.raises(ValueError, match="max_people: expected at least 1, got 0"):
        keypoint_average_precision(people, poses, COCO.sigmas, max_people=0, engine=engine)


def test_the_area_of_a_person():
    xy, box = grid(17), np.array([10, 20, 30, 70], np.float32)
    assert person_area(person_of(xy, area=7.0, box=box)) == 7
    assert person_area(person_of(xy, box=box)) == pytest.approx(530)
    assert person_area(person_of(xy)) is None


@pytest.mark.parametrize(
    ("sigmas", "message"),
    [
        (None, "sigmas: expected one number per joint, got None: this skeleton states none"),
        ((0.1, 0), r"sigmas: expected one number above 0 per joint, got \[0\.1, 0\.0\]"),
        ((), "sigmas: expected one number above 0 per joint"),
        (MPII.sigmas, r"people_by_image\[0\]: expected 16 joints as sigmas, got xy \(17, 2\), visibility"),
    ],
)
def test_sigmas_that_do_not_fit(sigmas, message):
    with pytest.raises(ValueError, match=message):
        keypoint_average_precision({0: [person_of(grid(17), area=9.0)]}, {}, sigmas)


def test_poses_and_people_that_do_not_fit():
    xy = grid(17)
    people = {0: [person_of(xy, area=9.0)]}
    with pytest.raises(ValueError, match=r"poses_by_image: no people are stated for the image ids \[5\]"):
        keypoint_average_precision(people, {5: poses_of(xy)}, COCO.sigmas)
    with pytest.raises(
        ValueError, match=r"poses_by_image\[0\]: expected 17 joints as sigmas, got \(1, 16, 2"
    ):
        keypoint_average_precision(people, {0: poses_of(grid(16), skeleton=MPII)}, COCO.sigmas)
    with pytest.raises(ValueError, match=r"poses_by_image\[0\]: expected finite scores, got nan"):
        keypoint_average_precision(people, {0: poses_of(xy, [np.nan])}, COCO.sigmas)
    with pytest.raises(
        ValueError, match=r"people_by_image\[2\]: expected an area or a box, a person has nei"
    ):
        keypoint_average_precision({2: [person_of(xy)]}, {}, COCO.sigmas)
    good = {"predicted": xy[None], "truth": xy[None], "annotated": np.ones((1, 17)), "area": np.ones(1)}
    for name in good:
        with pytest.raises(ValueError, match=f"{name}: expected the shape .*, got"):
            object_keypoint_similarity(**{**good, name: np.ones((3, 3))}, sigmas=COCO.sigmas)


def test_the_engine_is_picked(monkeypatch):
    people, poses = {0: [person_of(grid(17), area=900.0)]}, {0: poses_of(grid(17))}
    with pytest.raises(ValueError, match="engine: expected 'auto', 'faster-coco-eval', 'pycocotools', got"):
        keypoint_average_precision(people, poses, COCO.sigmas, engine="mine")
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    assert keypoint_average_precision(people, poses, COCO.sigmas)["AP"] == pytest.approx(1)
    with pytest.raises(ImportError, match=r"pip install 'keras_cornernet\[coco\]'"):
        keypoint_average_precision(people, poses, COCO.sigmas, engine="faster-coco-eval")
