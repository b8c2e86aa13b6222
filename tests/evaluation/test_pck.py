import json
from pathlib import Path

import numpy as np
import pytest

from keras_cornernet.evaluation.pck import (
    MEANS,
    fraction_within,
    head_size_from_boxes,
    normalized_distances,
    pck,
    row_means,
    torso_size,
)
from keras_cornernet.evaluation.pose_errors import (
    THRESHOLDS,
    auc,
    end_point_error,
    heatmap_pck,
    keypoint_auc,
    normalized_mean_error,
    pck_curve,
)
from keras_cornernet.skeletons import COCO, LSP, MPII

# Numbers of the authors' metrics, copied from ../shared/parity/pose_metrics; see its README.
FIXTURE = Path(__file__).parents[1] / "fixtures" / "pose_metrics.npz"
FLIC = ("lsho", "lelb", "lwri", "rsho", "relb", "rwri", "lhip", "rhip", "leye", "reye", "nose")
PYPOSE_MPII = (
    *("rank", "rkne", "rhip", "lhip", "lkne", "lank", "pelv", "thrx"),
    *("neck", "head", "rwri", "relb", "rsho", "lsho", "lelb", "lwri"),
)


def saved(name):
    """Arrays and json of a case that the repository carries."""
    with np.load(FIXTURE) as file:
        case = {key.split("/")[1]: file[key] for key in file if key.startswith(f"{name}/")}
    return case, json.loads(case.pop("json").tobytes())


def shared(folder, name):
    """Arrays and json of a case of the parity folder."""
    with np.load(folder / f"{name}.npz") as file:
        return dict(file), json.loads((folder / f"{name}.json").read_text())


def random_case(seed, n=9, k=16):
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 200, (n, k, 2))
    predicted = truth + rng.normal(0, 15, (n, k, 2))
    predicted[rng.random((n, k)) < 0.1] = np.nan
    annotated = rng.random((n, k)) < 0.7
    annotated[:, 4] = False
    unit = rng.uniform(20, 60, n)
    unit[1], unit[2] = 0, np.nan
    return predicted, truth, annotated, unit


def naive_pck(predicted, truth, annotated, unit, threshold, inclusive=False):
    fractions, counts = [], []
    for joint in range(truth.shape[1]):
        right = count = 0
        for person in range(truth.shape[0]):
            if not annotated[person, joint] or not unit[person] > 0:
                continue
            count += 1
            dx, dy = predicted[person, joint] - truth[person, joint]
            distance = (dx * dx + dy * dy) ** 0.5 / unit[person]
            right += distance <= threshold if inclusive else distance < threshold
        fractions.append(right / count if count else np.nan)
        counts.append(count)
    return np.array(fractions), np.array(counts)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("inclusive", [False, True])
def test_pck_equals_naive_loops(seed, inclusive):
    case = random_case(seed)
    for threshold in (0, 0.1, 0.5, 3):
        fractions, counts = pck(*case, threshold, inclusive=inclusive)
        want, want_counts = naive_pck(*case, threshold, inclusive)
        np.testing.assert_allclose(fractions, want, atol=1e-12)
        assert counts.tolist() == want_counts.tolist() and np.isnan(fractions[4])


def test_pck_by_hand():
    # Two people, three joints, heads of 10 and 20 pixels.
    truth = np.array([[[0, 0], [10, 10], [50, 50]], [[0, 0], [10, 10], [50, 50]]])
    predicted = truth + np.array([[[3, 4], [1, 0], [9, 9]], [[6, 8], [11, 0], [0, 0]]])
    annotated = np.array([[True, True, False], [True, True, False]])
    unit = np.array([10, 20])
    fractions, counts = pck(predicted, truth, annotated, unit, 0.5)
    assert fractions[:2].tolist() == [0, 0.5] and np.isnan(fractions[2]) and counts.tolist() == [2, 2, 0]
    fractions, _ = pck(predicted, truth, annotated, unit, 0.5, inclusive=True)
    assert fractions[:2].tolist() == [1, 0.5]  # both noses lie exactly half a head away
    assert end_point_error(predicted, truth, annotated) == (5 + 1 + 10 + 11) / 4
    assert normalized_mean_error(predicted, truth, annotated, unit) == pytest.approx(
        (0.5 + 0.1 + 0.5 + 0.55) / 4
    )


def test_a_unit_may_differ_by_joint():
    predicted, truth, annotated, unit = random_case(5)
    by_joint = np.repeat(unit[:, None], 16, axis=1)
    np.testing.assert_array_equal(
        pck(predicted, truth, annotated, by_joint, 0.5)[0], pck(predicted, truth, annotated, unit, 0.5)[0]
    )
    by_joint[:, 3] = 0
    fractions, counts = pck(predicted, truth, annotated, by_joint, 0.5)
    assert np.isnan(fractions[3]) and counts[3] == 0 and counts[2] > 0


def test_nan_is_a_wrong_answer():
    truth, annotated = np.zeros((2, 1, 2)), np.ones((2, 1), bool)
    predicted = np.array([[[0, 0]], [[np.nan, 0]]])
    assert pck(predicted, truth, annotated, np.ones(2), 1e9, inclusive=True)[0].tolist() == [0.5]
    assert normalized_distances(predicted, truth, annotated, np.ones(2)).tolist() == [[0], [np.inf]]
    assert end_point_error(predicted, truth, annotated) == np.inf


def test_nothing_to_count():
    for n in (0, 3):
        case = (np.zeros((n, 16, 2)), np.full((n, 16, 2), np.nan), np.zeros((n, 16), bool))
        fractions, counts = pck(*case, np.ones(n), 0.5)
        assert np.isnan(fractions).all() and counts.tolist() == [0] * 16
        assert all(np.isnan(mean(fractions, counts, MPII)) for mean in MEANS.values())
        assert row_means(fractions, MPII) == {}
        for value in (auc(*case, np.ones(n), MPII), keypoint_auc(*case), end_point_error(*case)):
            assert np.isnan(value)
    predicted, truth, annotated, _ = random_case(0)
    assert np.isnan(pck(predicted, truth, annotated, np.full(9, np.nan), 0.5)[0]).all()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "predicted",
            np.zeros((9, 15, 2)),
            r"predicted: expected the shape of truth, \(9, 16, 2\), got \(9, 15",
        ),
        ("truth", np.zeros((9, 16, 3)), r"truth: expected the shape \(n, k, 2\), got \(9, 16, 3\)"),
        ("truth", np.full((9, 16, 2), np.nan), r"truth: joint 0 of person 0 is annotated, got \[nan nan\]"),
        ("annotated", np.ones((9, 15), bool), r"annotated: expected \(9, 16\) bool, got \(9, 15\) bool"),
        ("annotated", np.ones((9, 16), np.int32), r"annotated: expected \(9, 16\) bool, got .* int32"),
        ("unit", np.ones(16), r"unit: expected the shape \(9,\) or \(9, 16\), got \(16,\)"),
        ("threshold", -0.1, "threshold: expected a number of at least 0, got -0.1"),
        ("threshold", np.nan, "threshold: expected a number of at least 0, got nan"),
    ],
)
def test_bad_inputs_name_the_argument(name, value, message):
    zeros = np.zeros((9, 16, 2))
    good = {"predicted": zeros, "truth": zeros, "annotated": np.ones((9, 16), bool), "unit": np.ones(9)}
    with pytest.raises(ValueError, match=message):
        pck(**{**good, "threshold": 0.5, name: value})


def test_other_bad_inputs():
    case = random_case(0)
    with pytest.raises(ValueError, match="mean: expected 'plain', 'weighted', 'weighted16', got 'median'"):
        auc(*case, MPII, mean="median")
    with pytest.raises(ValueError, match="skeleton: expected 16 joints as truth, got 17"):
        auc(*case, COCO)
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        keypoint_auc(*case[:3], steps=0)
    with pytest.raises(ValueError, match=r"headboxes: expected the shape \(n, 4\), got \(3, 2, 2\)"):
        head_size_from_boxes(np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match="torso joints: expected joints of mpii, got 'tail'"):
        torso_size(case[1], case[2], MPII, ("tail", "pelvis"))
    with pytest.raises(
        ValueError, match=r"truth: expected the shape \(n, 17, 2\) for coco, got \(9, 16, 2\)"
    ):
        torso_size(case[1], case[2], COCO)
    with pytest.raises(ValueError, match=r"annotated: expected the shape \(9, 16\), got \(9, 3\)"):
        torso_size(case[1], case[2][:, :3], MPII)


def test_head_and_torso_sizes():
    assert head_size_from_boxes([[10, 10, 40, 50]]).tolist() == [30]  # 0.6 of a diagonal of 50
    truth, annotated = np.zeros((3, 14, 2)), np.ones((3, 14), bool)
    truth[:, LSP.joints.index("left_shoulder")] = [3, 4]
    truth[:, LSP.joints.index("right_shoulder")] = [6, 8]
    annotated[1, LSP.joints.index("right_hip")] = False
    sizes = torso_size(truth, annotated, LSP)
    assert sizes[[0, 2]].tolist() == [5, 5] and np.isnan(sizes[1])
    assert torso_size(truth, annotated, LSP, ("right_shoulder", "left_hip")).tolist() == [10] * 3


def test_means_by_hand():
    fractions, counts = np.full(16, 0.5), np.full(16, 2)
    fractions[6], fractions[7], fractions[0] = 0, np.nan, 1
    counts[6], counts[7], counts[0] = 30, 0, 10
    assert MEANS["plain"](fractions, counts, MPII) == pytest.approx((1 + 13 * 0.5) / 14)
    assert MEANS["weighted"](fractions, counts, MPII) == pytest.approx((10 + 13 * 2 * 0.5) / 36)
    assert MEANS["weighted16"](fractions, counts, MPII) == pytest.approx((10 + 13 * 2 * 0.5) / 66)
    fractions, counts = np.arange(14) / 14, np.arange(14)
    assert MEANS["plain"](fractions, counts, LSP) == pytest.approx(
        0.5
    )  # of 1/14 .. 13/14; the first has no count
    assert MEANS["weighted"](fractions, counts, LSP) == MEANS["weighted16"](fractions, counts, LSP)


def test_rows_of_a_table():
    fractions = np.zeros(16)
    fractions[[9, 12, 13, 0, 5]] = 0.75, 0.5, 1, 0.25, np.nan
    rows = row_means(fractions, MPII)
    assert list(rows) == ["head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
    assert [rows[row] for row in ("head", "shoulder", "ankle", "knee")] == [0.75, 0.75, 0.25, 0]
    assert "head" not in row_means(np.zeros(17), COCO) and row_means(np.ones(14), LSP)["head"] == 1


def test_area_under_the_curve():
    predicted, truth, annotated, unit = random_case(3)
    for mean in MEANS:
        naive = []
        for i in range(51):
            fractions, counts = naive_pck(predicted, truth, annotated, unit, i / 100)
            naive.append(MEANS[mean](fractions, counts, MPII))
        assert auc(predicted, truth, annotated, unit, MPII, mean=mean) == pytest.approx(np.mean(naive))
    shorter = auc(predicted, truth, annotated, unit, MPII, mean=mean, thresholds=THRESHOLDS[:-1])
    assert shorter == pytest.approx(np.mean(naive[:-1]))
    perfect = (truth, truth, annotated, unit, MPII)
    assert auc(*perfect) == pytest.approx(50 / 51) and auc(*perfect, inclusive=True) == pytest.approx(1)


def test_heatmap_pck():
    def maps(*places):
        heatmaps = np.zeros((1, 64, 64, len(places)))
        for joint, place in enumerate(places):
            if place:
                heatmaps[0, place[1], place[0], joint] = 1
        return heatmaps

    # Right, 3 pixels off (limit 3.2), 4 off, first column, first row, no bump.
    target = maps((10, 20), (30, 30), (40, 40), (0, 9), (9, 0), None)
    found = maps((10, 20), (33, 30), (40, 44), (0, 9), (9, 0), None)
    fractions, counts = heatmap_pck(found, target)
    assert fractions[:3].tolist() == [1, 1, 0] and np.isnan(fractions[3:]).all()
    assert counts.tolist() == [1, 1, 1, 0, 0, 0]
    assert heatmap_pck(found, target, threshold=0.625)[0][2] == 1  # 4 / 6.4 exactly
    with pytest.raises(ValueError, match=r"predicted: expected the shape of target, \(1, 64, 64, 6\), got"):
        heatmap_pck(found[..., :5], target)
    with pytest.raises(ValueError, match=r"target: expected the shape \(n, height, width, k\), got \(64"):
        heatmap_pck(found[0], target[0])


# ---- the released codes ----


def test_the_repository_carries_the_shared_numbers(parity):
    for name in ("umich_mpii_eval", "bearpaw_pckh", "mmpose_pck_joint_never_visible"):
        (ours, ours_json), (theirs, theirs_json) = saved(name), shared(parity("pose_metrics"), name)
        assert ours_json == theirs_json and set(ours) == set(theirs)
        assert all((ours[key] == theirs[key]).all() for key in ours)


def test_pytorch_pose():
    case, want = saved("bearpaw_pckh")
    unit = head_size_from_boxes(case["headboxes"].reshape(-1, 4))
    args = (case["pred"], case["gt"], case["missing"] == 0, unit)
    fractions, counts = pck(*args, want["threshold"])
    np.testing.assert_allclose(100 * fractions, case["PCKh"], atol=1e-9)
    assert counts.tolist() == case["joint_count"].tolist()
    assert 100 * MEANS["plain"](fractions, counts, MPII) == pytest.approx(want["mean"], abs=1e-9)
    printed = {row.capitalize(): 100 * fraction for row, fraction in row_means(fractions, MPII).items()}
    assert printed | {"Mean": want["mean"]} == pytest.approx(want["printed"], abs=5.001e-3)
    curve, _ = pck_curve(*args, THRESHOLDS[:-1])
    np.testing.assert_allclose(100 * curve, case["pck_curve"], atol=1e-9)


def check_mmpose(case, want):
    args = (case["pred"], case["gt"], case["mask"])
    for key, unit, threshold in [
        ("pck_bbox_0.05", case["bbox_norm"][:, 0], 0.05),
        ("pck_torso_0.2", case["torso_norm"][:, 0], 0.2),
        ("pck_head_0.5", case["head_size"], 0.5),
    ]:
        fractions, counts = pck(*args, unit, threshold)
        np.testing.assert_allclose(np.where(counts > 0, fractions, -1), case[key], atol=1e-6)
        assert (counts > 0).sum() == want[key]["count"]
        assert np.nanmean(fractions) == pytest.approx(want[key]["avg"], abs=1e-6)
    assert keypoint_auc(*args) == pytest.approx(want["auc_norm30"], abs=1e-6)
    assert end_point_error(*args) == pytest.approx(want["epe"], abs=1e-5)
    assert normalized_mean_error(*args, case["head_size"]) == pytest.approx(want["nme_head"], abs=1e-6)
    # MPII's metric goes back to coordinates from 1, but only for the predictions.
    fractions, counts = pck(case["pred"] + 1, *args[1:], case["head_size"], 0.5)
    close, _ = pck(case["pred"] + 1, *args[1:], case["head_size"], 0.1)
    assert 100 * MEANS["weighted"](fractions, counts, MPII) == pytest.approx(want["mpii"]["PCK"], abs=1e-5)
    assert 100 * MEANS["weighted"](close, counts, MPII) == pytest.approx(want["mpii"]["PCK@0.1"], abs=1e-5)
    return fractions, {
        f"{row.capitalize()} PCK": 100 * fraction for row, fraction in row_means(fractions, MPII).items()
    }


def test_mmpose(parity):
    case, want = shared(parity("pose_metrics"), "mmpose_pck_all_joints")
    _, rows = check_mmpose(case, want)
    assert rows == pytest.approx({key: want["mpii"][key] for key in rows}, abs=1e-5)


def test_mmpose_where_a_joint_is_never_visible():
    case, want = saved("mmpose_pck_joint_never_visible")
    fractions, rows = check_mmpose(case, want)
    knee = rows.pop("Knee PCK")  # theirs averages one knee with -100
    assert rows == pytest.approx({key: want["mpii"][key] for key in rows}, abs=1e-5)
    assert np.isnan(fractions[4]) and knee == pytest.approx(100 * fractions[1])
    assert (knee - 100) / 2 == pytest.approx(want["mpii"]["Knee PCK"], abs=1e-5)


def test_pytorch_stacked_hourglass():
    case, want = saved("umich_mpii_eval")
    truth, present = case["gt"][..., :2], case["gt"][..., 0] != 0
    visible = case["gt"][..., 2] != 0
    train = np.arange(len(truth)) < want["num_train"]
    for kind, mask in [("all", present), ("visible", present & visible), ("not visible", present & ~visible)]:
        for part, people in [("tra", train), ("val", ~train)]:
            fractions, counts = pck(
                case["pred"][..., :2], truth, mask & people[:, None], case["normalize"], 0.5
            )
            result = {row: columns[part] for row, columns in want["result"][kind].items()}
            total = result.pop("total")
            assert counts.sum() == total["count"]
            assert MEANS["weighted16"](fractions, counts, MPII) == pytest.approx(total["pck"], abs=5.001e-4)
            for row, cell in result.items():
                some = [i for i, joint in enumerate(MPII.joints) if row in joint]  # pooled left and right
                assert counts[some].sum() == cell["count"]
                if cell["count"]:
                    fraction = np.average(np.nan_to_num(fractions[some]), weights=counts[some])
                    assert fraction == pytest.approx(cell["pck"], abs=5.001e-4)


@pytest.mark.parametrize(("kind", "joints"), [("flic", FLIC), ("mpii", PYPOSE_MPII)])
def test_pose_hg_train(parity, kind, joints):
    case, want = shared(parity("pose_metrics"), "pose_hg_train")
    case = {key.removeprefix(f"{kind}_"): value for key, value in case.items() if key.startswith(kind)}
    want = want[kind]
    distances = normalized_distances(
        case["pred"], case["gt"], (case["gt"] > 0).all(axis=-1), case["normalize"]
    )
    np.testing.assert_allclose(distances, case["dists"], atol=1e-12)

    fractions, _ = fraction_within(distances, want["threshold"], inclusive=True, leave_out_zeros=True)
    assert dict(zip(joints, fractions, strict=True)) == pytest.approx(want["per_part"], abs=1e-12)

    # Its other way keeps exact zeros, and with them the absent joints (-1) as right.
    fractions, counts = fraction_within(distances, want["threshold"], inclusive=True)
    with_absent = (fractions * counts + (distances < 0).sum(axis=0)) / len(distances)
    assert dict(zip(joints, with_absent, strict=True)) == pytest.approx(
        want["per_part_keep_exact_zero"], abs=1e-12
    )

    groups = {"all": joints, "elbow": ("relb", "lelb"), "wrist": ("rwri", "lwri")}
    for group, names in groups.items():
        some = [joints.index(name) for name in names]
        for threshold, fraction in zip(case["pdj_thresholds"], case[f"pdj_{group}"], strict=True):
            fractions, _ = fraction_within(distances, threshold, inclusive=True, leave_out_zeros=True)
            assert fractions[some].mean() == pytest.approx(fraction, abs=1e-12)
