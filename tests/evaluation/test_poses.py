import numpy as np
import pytest

from keras_cornernet.evaluation import evaluate_poses, format_pose_table, keypoint_average_precision
from keras_cornernet.evaluation.pck import MEANS, pck, torso_size
from keras_cornernet.evaluation.pose_errors import auc
from keras_cornernet.results import Poses
from keras_cornernet.skeletons import COCO, FLIC, LSP, MPII, Skeleton
from keras_cornernet.structures import Person, PoseDataset

OKS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
PCKH = ("PCKh@0.5", "PCKh@0.5 weighted", "PCKh@0.5 weighted16", "PCKh@0.1", "PCKh AUC")


def people_of(skeleton, n=8, seed=0, **kwargs):
    """A pose set of `n` people, two on each image, and answers near the truth."""
    rng, k = np.random.default_rng(seed), len(skeleton.joints)
    people, answers = [], []
    for i in range(n):
        xy = (rng.uniform(0, 100, 2) + 400 * (i % 2) + rng.uniform(0, 120, (k, 2))).astype(np.float32)
        visibility = rng.choice([0, 1, 2], k, p=[0.2, 0.2, 0.6]).astype(np.int32)
        visibility[[skeleton.joints.index(joint) for joint in (*LSP.torso, *FLIC.torso)]] = 2
        person = Person(f"{i // 2}.jpg", i // 2, xy.mean(axis=0), 150.0, xy, visibility)
        people.append(person.replace(**kwargs))
        answers.append(xy + rng.normal(0, 8, (k, 2)))
    return PoseDataset(tuple(people), skeleton), np.array(answers)


def arrays_of(pose_dataset):
    truth = np.stack([person.keypoints for person in pose_dataset.people])
    annotated = np.stack([person.visibility > 0 for person in pose_dataset.people])
    return truth, annotated


def test_the_numbers_are_those_of_the_functions():
    pose_dataset, predicted = people_of(MPII, seed=1, head_size=30.0, area=9000.0)
    metrics = evaluate_poses(pose_dataset, predicted)
    truth, annotated = arrays_of(pose_dataset)
    torso, head = torso_size(truth, annotated, MPII), np.full(8, 30.0)
    assert set(metrics) - {"APm", "ARm", "APl", "ARl"} == {
        *("PCK@0.2", "AUC", "per_joint", *PCKH, "PCKh per_joint", "PCKh rows"),
        *("AP", "AP50", "AP75", "AR", "AR50", "AR75"),
    }
    fractions, counts = pck(predicted, truth, annotated, torso, 0.2)
    assert metrics["PCK@0.2"] == MEANS["plain"](fractions, counts, MPII)
    assert metrics["per_joint"] == dict(zip(MPII.joints, fractions.tolist(), strict=True))
    assert metrics["AUC"] == auc(predicted, truth, annotated, torso, MPII)
    fractions, counts = pck(predicted, truth, annotated, head, 0.5)
    assert metrics["PCKh@0.5"] == MEANS["plain"](fractions, counts, MPII)
    assert metrics["PCKh@0.5 weighted"] == MEANS["weighted"](fractions, counts, MPII)
    assert metrics["PCKh@0.5 weighted16"] == MEANS["weighted16"](fractions, counts, MPII)
    assert metrics["PCKh per_joint"]["pelvis"] == fractions[6]
    assert metrics["PCKh rows"]["head"] == fractions[9]
    fractions, counts = pck(predicted, truth, annotated, head, 0.1)
    assert metrics["PCKh@0.1"] == MEANS["plain"](fractions, counts, MPII)
    assert metrics["PCKh AUC"] == auc(predicted, truth, annotated, head, MPII)
    assert 0 < metrics["PCKh@0.1"] < metrics["PCKh AUC"] < metrics["PCKh@0.5"] < 1 and 0 < metrics["AP"] < 1


def test_flics_torso_is_the_other_diagonal():
    pose_dataset, predicted = people_of(FLIC)
    truth, annotated = arrays_of(pose_dataset)
    unit = torso_size(truth, annotated, FLIC, ("right_shoulder", "left_hip"))
    fractions, counts = pck(predicted, truth, annotated, unit, 0.2)
    assert evaluate_poses(pose_dataset, predicted)["PCK@0.2"] == MEANS["plain"](fractions, counts, FLIC)
    other = evaluate_poses(pose_dataset, predicted, torso=LSP.torso)
    assert other["PCK@0.2"] != evaluate_poses(pose_dataset, predicted)["PCK@0.2"]


def test_joints_without_a_torso_are_measured_by_the_box():
    hand = Skeleton("hand", ("wrist", "thumb", "index"), ((0, 1), (0, 2)), ())
    xy = np.array([[10, 10], [20, 10], [10, 30]], np.float32)
    person = Person("a.jpg", 1, xy[0], 40.0, xy, np.full(3, 2, np.int32))
    predicted = xy[None] + [[0, 0], [0, 7], [0, 9]]
    assert evaluate_poses(PoseDataset((person,), hand), predicted) == {}
    boxed = person.replace(box=np.array([0, 0, 30, 40], np.float32))
    metrics = evaluate_poses(PoseDataset((boxed,), hand), predicted)
    assert metrics["PCK@0.2 of box"] == pytest.approx(2 / 3)
    assert metrics["per_joint"] == {"wrist": 1.0, "thumb": 1.0, "index": 0.0}
    assert "PCK@0.2" not in metrics
    with pytest.raises(ValueError, match="expected joints of hand, got 'left_shoulder'"):
        evaluate_poses(PoseDataset((boxed,), hand), predicted, torso=LSP.torso)


def test_people_without_a_head_size_are_left_out_of_pckh():
    pose_dataset, predicted = people_of(MPII, head_size=30.0)
    first, *others = pose_dataset.people
    some = evaluate_poses(pose_dataset.replace(people=(first.replace(head_size=None), *others)), predicted)
    rest = evaluate_poses(pose_dataset.replace(people=tuple(others)), predicted[1:])
    assert all(some[key] == rest[key] for key in PCKH)


@pytest.mark.parametrize("engine", ["faster-coco-eval", "pycocotools"])
def test_coco_numbers_of_aligned_answers(engine):
    pose_dataset, predicted = people_of(COCO, area=12000.0)
    rng = np.random.default_rng(1)
    keypoint_scores, person_scores = rng.uniform(0, 1, (8, 17)), rng.uniform(0, 1, 8)
    predicted[3], keypoint_scores[3], person_scores[3] = np.nan, np.nan, np.nan  # nobody was found there
    metrics = evaluate_poses(
        pose_dataset, predicted, keypoint_scores=keypoint_scores, person_scores=person_scores, engine=engine
    )
    people, poses = {}, {}
    for i in range(0, 8, 2):
        rows = [row for row in (i, i + 1) if row != 3]
        people[i // 2] = pose_dataset.people[i : i + 2]
        poses[i // 2] = Poses(
            predicted[rows], keypoint_scores[rows], np.zeros((len(rows), 4)), person_scores[rows], COCO
        )
    want = keypoint_average_precision(people, poses, COCO.sigmas)
    assert {key: metrics[key] for key in OKS if key in metrics} == pytest.approx(
        {key: value for key, value in want.items() if value >= 0}
    )
    assert "APm" not in metrics and "APl" in metrics and metrics["AR"] < 1


def test_absent_numbers_are_absent():
    pose_dataset, predicted = people_of(LSP)
    assert set(evaluate_poses(pose_dataset, predicted)) == {"PCK@0.2", "AUC", "per_joint"}
    one_area = list(pose_dataset.people)
    one_area[0] = one_area[0].replace(area=900.0)
    assert "AP" not in evaluate_poses(pose_dataset.replace(people=tuple(one_area)), predicted)
    with_area, _ = people_of(LSP, area=20000.0)
    without_sigmas = with_area.replace(skeleton=LSP.replace(sigmas=None))
    assert "AP" in evaluate_poses(with_area, predicted)
    assert "AP" not in evaluate_poses(without_sigmas, predicted)
    never = tuple(p.replace(visibility=np.where(np.arange(14) == 13, 0, 2)) for p in pose_dataset.people)
    metrics = evaluate_poses(pose_dataset.replace(people=never), predicted)
    assert "head_top" not in metrics["per_joint"] and len(metrics["per_joint"]) == 13
    assert metrics["PCK@0.2"] == pytest.approx(np.mean(list(metrics["per_joint"].values())))


def test_nothing_annotated_and_nobody():
    pose_dataset, predicted = people_of(COCO, visibility=np.zeros(17, np.int32), head_size=20.0, area=900.0)
    metrics = evaluate_poses(pose_dataset, predicted)
    assert metrics == {"per_joint": {}, "PCKh per_joint": {}, "PCKh rows": {}}
    assert format_pose_table(metrics) == ""
    assert evaluate_poses(PoseDataset((), COCO), np.zeros((0, 17, 2))) == {"per_joint": {}}


def test_perfect_and_missing_answers():
    pose_dataset, _ = people_of(MPII, head_size=30.0, area=9000.0)
    truth, annotated = arrays_of(pose_dataset)
    metrics = evaluate_poses(pose_dataset, truth)
    assert [metrics[key] for key in ("PCK@0.2", *PCKH[:4], "AP")] == pytest.approx([1] * 6)
    assert metrics["AUC"] == metrics["PCKh AUC"] == pytest.approx(50 / 51)
    half = np.where(np.arange(8)[:, None, None] % 2, np.nan, truth)
    metrics = evaluate_poses(pose_dataset, half)
    assert metrics["per_joint"]["right_hip"] == metrics["AR"] == 0.5
    assert metrics["PCKh@0.5 weighted16"] == annotated[::2].sum() / annotated.sum()
    nothing = evaluate_poses(pose_dataset, np.full((8, 16, 2), np.nan))
    assert nothing["PCK@0.2"] == nothing["PCKh@0.5"] == nothing["AP"] == 0


def test_threshold_and_torso():
    pose_dataset, predicted = people_of(LSP)
    truth, annotated = arrays_of(pose_dataset)
    torso = ("right_shoulder", "left_hip")
    metrics = evaluate_poses(pose_dataset, predicted, threshold=0.1, torso=torso)
    fractions, counts = pck(predicted, truth, annotated, torso_size(truth, annotated, LSP, torso), 0.1)
    assert metrics["PCK@0.1"] == MEANS["plain"](fractions, counts, LSP) and "PCK@0.2" not in metrics
    with pytest.raises(ValueError, match="torso joints: expected joints of lsp, got 'tail'"):
        evaluate_poses(pose_dataset, predicted, torso=("tail", "left_hip"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("predicted", np.zeros((8, 16, 2)), r"predicted: expected the shape \(8, 17, 2\), got \(8, 16, 2\)"),
        ("predicted", np.zeros((7, 17, 2)), r"predicted: expected the shape \(8, 17, 2\), got \(7, 17, 2\)"),
        ("keypoint_scores", np.ones(8), r"keypoint_scores: expected the shape \(8, 17\), got \(8,\)"),
        (
            "keypoint_scores",
            np.full((8, 17), np.nan),
            "keypoint_scores: expected finite numbers where predicted",
        ),
        ("person_scores", np.ones((8, 1)), r"person_scores: expected the shape \(8,\), got \(8, 1\)"),
        ("person_scores", np.full(8, np.inf), "person_scores: expected finite numbers where predicted"),
    ],
)
def test_bad_inputs_name_the_argument(name, value, message):
    pose_dataset, predicted = people_of(COCO)
    with pytest.raises(ValueError, match=message):
        evaluate_poses(pose_dataset, **{"predicted": predicted, name: value})


def test_the_table():
    metrics = {
        "PCK@0.2": 0.9012,
        "AUC": 0.5,
        "per_joint": {"head_top": 0.5, "left_knee": 1.0},
        "PCKh@0.5": 0.25,
        "PCKh per_joint": {"left_knee": 0.25},
        "PCKh rows": {"head": 0.5, "knee": 0.25},
    }
    assert format_pose_table(metrics).splitlines() == [
        " PCK@0.2   90.12",
        " AUC       50.00",
        " PCKh@0.5  25.00",
        "",
        " PCKh@0.5      head     knee",
        "              50.00    25.00",
        "",
        " joint      PCK@0.2 PCKh@0.5",
        " head_top     50.00         ",
        " left_knee   100.00    25.00",
    ]
    assert format_pose_table({}) == ""
    pose_dataset, predicted = people_of(MPII, head_size=30.0, area=9000.0)
    table = format_pose_table(evaluate_poses(pose_dataset, predicted))
    assert "PCKh@0.5 weighted16" in table and "right_wrist" in table and "shoulder" in table


def test_categories_are_also_measured_apart():
    pose_dataset, predicted = people_of(MPII)
    people = [p.replace(category="cat" if i < 2 else "dog") for i, p in enumerate(pose_dataset.people)]
    both = evaluate_poses(pose_dataset.replace(people=tuple(people)), predicted)
    cats = evaluate_poses(pose_dataset.select([0, 1]), predicted[:2])["PCK@0.2"]
    dogs = evaluate_poses(pose_dataset.select(range(2, 8)), predicted[2:])["PCK@0.2"]
    assert both["per_category"] == {"cat": cats, "dog": dogs} and cats != dogs
    assert both["PCK@0.2 mean of categories"] == pytest.approx((cats + dogs) / 2)
    assert "per_category" not in evaluate_poses(pose_dataset, predicted)
    assert " cat " in format_pose_table(both)
