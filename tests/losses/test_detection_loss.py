"""The sum of the losses: over branches and stacks, with the paper's weights."""

import json

import numpy as np
import pytest
from gradients import value_and_gradients

from keras_cornernet.losses import DetectionLoss, offset_loss, penalty_reduced_focal_loss, pull_push_loss

BRANCHES = ("top_left", "bottom_right")


def drawn(rng, stacks=2, batch=3, rows=4, columns=5, classes=2, objects=4):
    """Random targets and outputs."""
    targets = {"mask": np.tile(np.arange(objects) < 3, (batch, 1)).astype(np.float32)}
    for branch in BRANCHES:
        heatmap = rng.uniform(0, 0.9, (batch, rows, columns, classes)).astype(np.float32)
        heatmap[:, 1, 2, 0] = 1
        targets[branch] = {
            "heatmap": heatmap,
            "offset": rng.uniform(0, 1, (batch, objects, 2)).astype(np.float32),
            "index": rng.integers(0, rows * columns, (batch, objects)).astype(np.int32),
        }
    outputs = [
        {
            branch: {
                head: rng.normal(size=(batch, rows, columns, c)).astype(np.float32)
                for head, c in (("heatmap", classes), ("embedding", 1), ("offset", 2))
            }
            for branch in BRANCHES
        }
        for _ in range(stacks)
    ]
    return targets, outputs


def at(maps, index):
    """The values at flat cells, by plain indexing."""
    return np.stack([m.reshape(-1, m.shape[-1])[i] for m, i in zip(maps, index, strict=True)])


def summed_by_hand(targets, outputs, weights=(0.1, 0.1, 1.0), scale=1.0):
    total = dict.fromkeys(("focal", "pull", "push", "offset"), 0.0)
    for stack in outputs:
        tags = []
        for branch in BRANCHES:
            target, maps = targets[branch], stack[branch]
            total["focal"] += float(
                penalty_reduced_focal_loss(maps["heatmap"], target["heatmap"], targets.get("heatmap_mask"))
            )
            total["offset"] += weights[2] * float(
                offset_loss(at(maps["offset"], target["index"]), target["offset"], targets["mask"])
            )
            tags.append(at(maps["embedding"], target["index"])[..., 0])
        pull, push = pull_push_loss(*tags, targets["mask"])
        total["pull"] += weights[0] * scale * float(pull)
        total["push"] += weights[1] * scale * float(push)
    return {name: value / len(outputs) for name, value in total.items()}


@pytest.mark.parametrize("stacks", [1, 3])
def test_terms_are_weighted_sums_over_branches_and_means_over_stacks(stacks):
    targets, outputs = drawn(np.random.default_rng(stacks), stacks)
    loss = DetectionLoss()
    got = {name: float(value) for name, value in loss(targets, outputs).items()}
    assert got == pytest.approx(summed_by_hand(targets, outputs), rel=1e-5)
    assert tuple(got) == loss.names


def test_weights_batch_scale_and_mask():
    rng = np.random.default_rng(0)
    targets, outputs = drawn(rng, batch=3)
    targets["heatmap_mask"] = rng.integers(0, 2, targets["top_left"]["heatmap"].shape).astype(np.float32)
    loss = DetectionLoss(pull_weight=0.3, push_weight=0.2, offset_weight=2.0, embedding_batch=6)
    got = {name: float(value) for name, value in loss(targets, outputs).items()}
    assert got == pytest.approx(summed_by_hand(targets, outputs, (0.3, 0.2, 2.0), scale=2.0), rel=1e-5)


def test_each_branch_may_have_a_mask_of_its_own():
    rng = np.random.default_rng(8)
    targets, outputs = drawn(rng, stacks=1)
    expected = 0.0
    for branch in BRANCHES:
        mask = rng.integers(0, 2, targets[branch]["heatmap"].shape).astype(np.float32)
        targets[branch]["heatmap_mask"] = mask
        heatmap = outputs[0][branch]["heatmap"]
        expected += float(penalty_reduced_focal_loss(heatmap, targets[branch]["heatmap"], mask))
    assert float(DetectionLoss()(targets, outputs)["focal"]) == pytest.approx(expected, rel=1e-5)


def test_centers_add_a_focal_and_an_offset_term():
    rng = np.random.default_rng(9)
    targets, outputs = drawn(rng)
    without = {name: float(value) for name, value in DetectionLoss()(targets, outputs).items()}
    targets["center"] = {k: np.roll(v, 1, axis=1) for k, v in targets["top_left"].items()}
    focal = offset = 0.0
    for stack in outputs:
        stack["center"] = {
            "heatmap": rng.normal(size=stack["top_left"]["heatmap"].shape).astype(np.float32),
            "offset": rng.normal(size=stack["top_left"]["offset"].shape).astype(np.float32),
        }
        maps, target = stack["center"], targets["center"]
        focal += float(penalty_reduced_focal_loss(maps["heatmap"], target["heatmap"])) / len(outputs)
        there = at(maps["offset"], target["index"])
        offset += float(offset_loss(there, target["offset"], targets["mask"])) / len(outputs)
    got = {name: float(value) for name, value in DetectionLoss()(targets, outputs).items()}
    expected = {**without, "focal": without["focal"] + focal, "offset": without["offset"] + offset}
    assert got == pytest.approx(expected, rel=1e-5)


def test_attention_is_divided_by_the_stacks_twice():
    rng = np.random.default_rng(10)
    targets, outputs = drawn(rng, stacks=3)
    sizes, expected = {"large": (3, 1, 2, 1), "medium": (3, 2, 3, 1), "small": (3, 4, 5, 1)}, 0.0
    targets["attention"] = {k: rng.integers(0, 2, s).astype(np.float32) for k, s in sizes.items()}
    targets["attention"]["large"][:] = 0  # nothing marked: the sum stays undivided
    for stack in outputs:
        stack["attention"] = {k: rng.normal(size=s).astype(np.float32) for k, s in sizes.items()}
        for level, maps in stack["attention"].items():
            expected += float(penalty_reduced_focal_loss(maps, targets["attention"][level])) / 9
    loss = DetectionLoss(attention_weight=2.0)
    got = loss(targets, outputs)
    assert tuple(got) == loss.names == (*DetectionLoss().names, "attention")
    assert float(got["attention"]) == pytest.approx(2 * expected, rel=1e-5)
    others = DetectionLoss()(targets, outputs)
    assert all(float(got[name]) == pytest.approx(float(value)) for name, value in others.items())


def test_offsets_of_cells_around_the_corners():
    rng = np.random.default_rng(4)
    targets, outputs = drawn(rng, stacks=1)
    batch, rows, columns, _ = outputs[0]["top_left"]["offset"].shape
    expected = 0.0
    for branch in BRANCHES:
        index = rng.integers(0, rows * columns, (batch, 12)).astype(np.int32)
        mask = rng.integers(0, 2, (batch, 12)).astype(np.float32)
        offset = rng.normal(0, 1, (batch, 12, 2)).astype(np.float32)
        targets[branch] |= {"offset": offset, "offset_index": index, "offset_mask": mask}
        expected += float(offset_loss(at(outputs[0][branch]["offset"], index), offset, mask, 0.2))
    got = DetectionLoss(offset_beta=0.2)(targets, outputs)
    assert float(got["offset"]) == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_objects_teaches_the_background_alone():
    targets, outputs = drawn(np.random.default_rng(1), batch=1)
    targets["mask"] *= 0
    for branch in BRANCHES:
        targets[branch]["heatmap"] = np.minimum(targets[branch]["heatmap"], 0.9)
    got = {name: float(value) for name, value in DetectionLoss()(targets, outputs).items()}
    assert got["focal"] > 0 and got["pull"] == got["push"] == got["offset"] == 0


def test_every_head_of_every_stack_gets_a_gradient():
    targets, outputs = drawn(np.random.default_rng(2))
    names = [(s, b, h) for s in range(2) for b in BRANCHES for h in ("heatmap", "embedding", "offset")]

    def total(*maps):
        stacks = [{b: {} for b in BRANCHES} for _ in range(2)]
        for (s, b, h), array in zip(names, maps, strict=True):
            stacks[s][b][h] = array
        return sum(DetectionLoss()(targets, stacks).values())

    value, gradients = value_and_gradients(total, *(outputs[s][b][h] for s, b, h in names))
    assert value == pytest.approx(sum(summed_by_hand(targets, outputs).values()), rel=1e-5)
    for name, gradient in zip(names, gradients, strict=True):
        assert np.any(gradient), name
        if name[2] != "heatmap":  # only the objects' cells
            cells = {(b, int(i)) for b in range(3) for i in targets[name[1]]["index"][b, :3]}
            touched = {(b, y * 5 + x) for b, y, x, _ in np.argwhere(gradient).tolist()}
            assert touched <= cells


@pytest.mark.parametrize(
    ("family", "stacks", "loss"),
    [("cornernet_lite", 2, DetectionLoss()), ("saccade", 3, DetectionLoss(attention_weight=1.0))],
)
def test_whole_loss_parity(parity, family, stacks, loss):
    stored = np.load(parity("losses") / "lite_total.npz")
    values = json.loads((parity("losses") / "values.json").read_text())["lite_total"]
    a = {k.removeprefix(f"{family}__"): stored[k] for k in stored.files if f"{family}__" in k}
    letters = {"top_left": "tl", "bottom_right": "br"}
    heads = {"heatmap": "heat", "embedding": "tag", "offset": "off"}
    levels = {"large": 4, "medium": 8, "small": 16} if family == "saccade" else {}
    targets = {"mask": a["gt_mask"].astype(np.float32)}
    for branch, c in letters.items():
        index = a[f"{c}_inds"].astype(np.int32)
        targets[branch] = {"heatmap": a[f"gt_{c}_heat"], "offset": a[f"gt_{c}_off"], "index": index}
        if family == "saccade":
            targets[branch]["heatmap_mask"] = a[f"{c}_valid"]
    targets["attention"] = {level: a[f"gt_att_{n}"] for level, n in levels.items()}
    outputs = [
        {
            **{b: {head: a[f"{c}_{name}_{s}"] for head, name in heads.items()} for b, c in letters.items()},
            "attention": {level: a[f"att_{s}_{n}"] for level, n in levels.items()},
        }
        for s in range(stacks)
    ]
    total = float(sum(loss(targets, outputs).values()))
    assert total == pytest.approx(values[family]["total"], rel=1e-5)


def test_whole_loss_parity_of_centernet(parity):
    folder = parity("centernet")
    heads, truth = np.load(folder / "heads.npz"), np.load(folder / "loss.npz")
    cells = np.load(folder / "train_signature.npz")
    expected = json.loads((folder / "config.json").read_text())["loss"]
    letters = {"top_left": "tl", "bottom_right": "br", "center": "ct"}
    names = {"heatmap": "heat", "embedding": "tag", "offset": "regr"}
    targets, outputs = {"mask": truth["gt_mask"].astype(np.float32)}, {}
    for branch, c in letters.items():
        index = cells[f"{c}_inds"].astype(np.int32)
        heatmap, offset = truth[f"gt_{c}_heat"], truth[f"gt_{c}_regr"]
        targets[branch] = {"heatmap": heatmap, "offset": offset, "index": index}
        there = {head: f"{c}_{name}_0" for head, name in names.items()}
        outputs[branch] = {head: heads[name] for head, name in there.items() if name in heads}
    got = {name: float(value) for name, value in DetectionLoss()(targets, [outputs]).items()}
    assert sum(got.values()) == pytest.approx(expected["total"], rel=1e-5)
    for ours, theirs in {"focal": "focal", "pull": "pull", "push": "push", "offset": "regr"}.items():
        assert got[ours] == pytest.approx(expected[theirs], rel=1e-4)


def test_sample_weights_multiply_what_each_image_adds():
    rng = np.random.default_rng(5)
    targets, outputs = drawn(rng)
    loss = DetectionLoss(attention_weight=1.0)
    targets["attention"] = {"small": (rng.random((3, 4, 5, 1)) < 0.2).astype(np.float32)}
    for stack in outputs:
        stack["attention"] = {"small": rng.normal(size=(3, 4, 5, 1)).astype(np.float32)}
    plain = loss(targets, outputs)
    alone = [loss({**targets, "sample_weight": np.eye(3, dtype=np.float32)[i]}, outputs) for i in range(3)]
    weighted = loss({**targets, "sample_weight": np.array([1, 0.5, 20], np.float32)}, outputs)
    for name in loss.names:
        parts = [float(terms[name]) for terms in alone]
        assert sum(parts) == pytest.approx(float(plain[name]), rel=1e-4), name
        expected = parts[0] + 0.5 * parts[1] + 20 * parts[2]
        assert float(weighted[name]) == pytest.approx(expected, rel=1e-4), name
