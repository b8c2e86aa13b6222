"""CornerNet against the numbers of the authors' code: outputs, decoding, one training step, full size."""

import gzip
import json
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import pytest
from agreement import CORNERS, HEADS, images_of, largest_difference, named_heads

from keras_cornernet.codecs import CornerCodec
from keras_cornernet.conversion import convert_checkpoint, infer_arguments
from keras_cornernet.conversion.converter import match_names
from keras_cornernet.conversion.name_maps import COUNTER, recognize, weight_names
from keras_cornernet.losses import DetectionLoss
from keras_cornernet.models import CornerNet
from keras_cornernet.ops.gather import gather_cells
from keras_cornernet.training import Trainer


def convert_parity(folder):
    """The network of a parity folder's checkpoint."""
    pytest.importorskip("torch", reason="needs PyTorch: pip install 'keras_cornernet[torch]'")
    return convert_checkpoint(folder / "checkpoint.pth")[0]


class TestEvaluation:
    """`parity/cornernet`: evaluation mode."""

    @pytest.fixture(scope="class")
    def folder(self, parity):
        return parity("cornernet")

    @pytest.fixture(scope="class")
    def network(self, folder):
        return convert_parity(folder)

    @pytest.fixture(scope="class")
    def images(self, folder, network):
        return images_of(np.load(folder / "heads.npz")["x"], network)

    @pytest.fixture(scope="class")
    def outputs(self, network, images):
        return network(images, training=False)

    def test_arguments_are_read_off_the_file(self, folder, network):
        config = json.loads((folder / "config.json").read_text())["config"]
        arguments = network.arguments
        assert arguments["num_classes"] == config["num_classes"]
        assert arguments["stacks"] == config["nstack"]
        assert arguments["channels"] == tuple(config["dims"])
        assert arguments["counts"] == tuple(config["modules"])
        assert arguments["stem"] == (config["pre_dim"], config["dims"][0])
        assert arguments["pool_channels"] == config["pool_dim"]

    def test_heads(self, folder, outputs):
        heads = named_heads(outputs)
        assert len(heads) == 12
        assert largest_difference(heads, np.load(folder / "heads.npz")) < 3e-4  # seen: 5e-5

    def test_maps_on_the_way(self, folder, network, images):
        layers = {
            "pre": "stem_residual_0",
            "hourglass_0": "hourglass_0",
            "cnv_0": "features_0",
            "tl_cnv_0": "top_left_0",
            "br_cnv_0": "bottom_right_0",
        }
        maps = {name: network.get_layer(layer).output for name, layer in layers.items()}
        maps["hourglass_0"] = maps["hourglass_0"][-1]
        found = keras.Model(network.input, maps)(images[:1], training=False)
        found = {name: np.asarray(value) for name, value in found.items()}
        assert largest_difference(found, np.load(folder / "intermediate.npz")) < 3e-4  # seen: 2e-5

    def test_values_gathered_in_training(self, folder, outputs):
        expected = np.load(folder / "train_signature.npz")
        for stack, heads in enumerate(outputs):
            for corner, ours in CORNERS.items():
                for head in ("tag", "regr"):
                    found = gather_cells(
                        heads[ours][HEADS[head]], expected[f"{corner}_inds"].astype(np.int32)
                    )
                    theirs = expected[f"{corner}_{head}_{stack}_gathered"]
                    np.testing.assert_allclose(np.asarray(found), theirs, atol=3e-4)

    @pytest.mark.parametrize("case", ["a", "b"])
    def test_decoded_boxes(self, case, folder, outputs, images):
        settings = json.loads((folder / "config.json").read_text())["decode_settings"][case]
        codec = CornerCodec(
            num_classes=5,
            top_k=settings["K"],
            num_detections=settings["num_dets"],
            embedding_threshold=settings["ae_threshold"],
            peak_kernel=settings["kernel"],
        )
        decoded = codec.decode(outputs, images.shape[1:3])
        boxes, scores, labels, corner_scores = (np.asarray(part) for part in decoded)
        cells = boxes * (32 / 127)  # the reference's boxes are in heat-map pixels
        found = np.concatenate([cells, scores[..., None], corner_scores, labels[..., None]], axis=-1)
        for ours, theirs in zip(found, np.load(folder / "decode.npz")[f"detections_{case}"], strict=True):
            ours, theirs = ours[ours[:, 4] > -1], theirs[theirs[:, 4] > -1]
            assert len(ours) == len(theirs)
            # As a set: each of theirs has its own nearest of ours.
            apart = np.abs(ours[:, None] - theirs[None]).max(axis=-1)
            assert sorted(apart.argmin(axis=0)) == list(range(len(ours)))
            assert apart.min(axis=0).max() < 3e-4


@dataclass
class GivenTargets:
    """A codec whose targets come with the batch."""

    def encode(self, annotations, input_size, grid_size):
        return annotations


class Step(NamedTuple):
    """What one training step computes; arrays by our weight paths, losses by term."""

    loss: float
    terms: dict
    heads: dict
    gradients: dict
    weights: dict


def training_step(trainer, images, targets) -> Step:
    """Loss, gradients and BatchNorm statistics of one step, without an optimizer's update."""
    trained = trainer.trainable_variables
    if keras.backend.backend() == "jax":
        import jax

        values = [[v.value for v in group] for group in (trained, trainer.non_trainable_variables)]
        metrics = [v.value for v in trainer.metrics_variables]
        step = jax.jit(jax.value_and_grad(trainer.compute_loss_and_updates, has_aux=True), static_argnums=6)
        results = step(*values, metrics, images, targets, None, True)
        (loss, (_, outputs, others, _)), gradients = results
        for variable, value in zip(trainer.non_trainable_variables, others, strict=True):
            variable.assign(value)
    else:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            outputs = trainer(images, training=True)
            loss = trainer.compute_loss(images, targets, outputs)
        gradients = tape.gradient(loss, [v.value for v in trained])
    return Step(
        float(loss),
        {name: float(value) for name, value in trainer.loss_terms(targets, outputs).items()},
        named_heads(outputs),
        {v.path: np.asarray(g) for v, g in zip(trained, gradients, strict=True)},
        {w.path: np.asarray(w) for w in trainer.network.weights},
    )


def cells_normalised(path, height, width):
    """Cells of one image that a BatchNorm of the network sees, for a grid of `height` x `width`."""
    if path.startswith("stem_conv/"):
        return 4 * height * width
    k = 0
    if path.startswith("hourglass_"):
        block, *rest = path.split("/")[1].split("_")
        k = {"aside": int(rest[0]), "bottom": 3}.get(block, int(rest[0]) + 1)
    return (height >> k) * (width >> k)


class TestTraining:
    """`parity/cornernet_training`: one step in training mode."""

    @pytest.fixture(scope="class")
    def folder(self, parity):
        return parity("cornernet_training")

    @pytest.fixture(scope="class")
    def config(self, folder):
        return json.loads((folder / "config.json").read_text())

    @pytest.fixture(scope="class")
    def batch(self, folder):
        return np.load(folder / "batch.npz")

    @pytest.fixture(scope="class")
    def network(self, folder):
        return convert_parity(folder)

    @pytest.fixture(scope="class")
    def before(self, network):
        return {w.path: np.asarray(w) for w in network.weights}

    @pytest.fixture(scope="class")
    def step(self, network, before, batch):
        targets = {
            ours: {
                "heatmap": batch[f"gt_{corner}_heat"],
                "offset": batch[f"gt_{corner}_regr"],
                "index": batch[f"{corner}_inds"].astype(np.int32),
            }
            for corner, ours in CORNERS.items()
        }
        targets["mask"] = batch["gt_mask"].astype(np.float32)
        trainer = Trainer(network, GivenTargets(), DetectionLoss())
        return training_step(trainer, images_of(batch["x"], network), targets)

    @pytest.fixture(scope="class")
    def names(self, network):
        return {ours: f"module.{theirs}" for ours, theirs in weight_names(network.arguments).items()}

    def test_loss_and_its_terms(self, step, config):
        loss, stacks = config["loss"], 2
        expected = {
            "focal": loss["focal_sum"] / stacks,
            "pull": 0.1 * loss["pull_sum"] / stacks,
            "push": 0.1 * loss["push_sum"] / stacks,
            "offset": loss["regr_sum"] / stacks,
        }
        assert step.loss == pytest.approx(loss["total"], abs=5e-4)  # seen: 3e-5
        assert step.terms == {name: pytest.approx(value, abs=5e-4) for name, value in expected.items()}

    def test_heads(self, step, batch):
        assert len(step.heads) == 12
        assert largest_difference(step.heads, batch) < 1e-3

    def test_gradients(self, step, names, folder, config):
        expected = np.load(folder / "gradients.npz")
        norms = dict(config["gradient_l2"])
        compared = 0
        for path, gradient in step.gradients.items():
            name = names[path]
            if gradient.ndim == 4:
                gradient = gradient.transpose(3, 2, 0, 1)
            if name == "module.pre.0.conv.weight":
                gradient = gradient[:, ::-1]
            norm = norms.pop(name)
            assert np.linalg.norm(gradient) == pytest.approx(norm, rel=0.01), name
            if name in expected:
                compared += 1
                assert np.linalg.norm(gradient - expected[name]) < 0.01 * norm, name
        assert not norms
        assert compared == len(expected)

    def test_running_statistics(self, step, before, names, folder, batch):
        expected = np.load(folder / "bn_after_step.npz")
        images, height, width, _ = batch["gt_tl_heat"].shape
        compared = 0
        for path, name in names.items():
            if name not in expected:
                continue
            compared += 1
            found = step.weights[path]
            if name.endswith("running_var"):
                # PyTorch puts the unbiased variance into the running one, Keras the biased.
                n = images * cells_normalised(path, height, width)
                kept = 0.9 * before[path]
                found = kept + (found - kept) * n / (n - 1)
            np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
        assert compared == len(expected)


class Shaped(NamedTuple):
    """A weight without its numbers."""

    path: str
    shape: tuple
    trainable: bool


class TestFullSize:
    """`parity/full_size`: names and shapes of the published networks, without their 800 MB."""

    @pytest.fixture(scope="class")
    def outlines(self):
        """Weights and output shapes of the networks with one and with two hourglasses."""
        found = {}
        with keras.StatelessScope(initialize_variables=False):
            for stacks in (1, 2):
                network = CornerNet(stacks=stacks, input_size=(511, 511))
                weights = [Shaped(w.path, tuple(w.shape), w.trainable) for w in network.weights]
                found[stacks] = weights, [tuple(tensor.shape) for tensor in network.outputs]
        del network
        # Else the next scope of this kind would give the weights their numbers after all.
        keras.utils.clear_session()
        return found

    @pytest.mark.parametrize(("stacks", "parameters"), [(1, 100_330_278), (2, 201_035_212)])
    def test_sizes(self, stacks, parameters, outlines):
        weights, outputs = outlines[stacks]
        assert sum(int(np.prod(w.shape)) for w in weights if w.trainable) == parameters
        assert len(weights) == 474 * stacks
        grid = (None, 128, 128)
        assert sorted(outputs) == sorted([(*grid, 80), (*grid, 1), (*grid, 2)] * 2 * stacks)

    @pytest.mark.parametrize("name", ["cornernet_hourglass104", "lite_cornernet_hourglass104"])
    @pytest.mark.parametrize("stacks", [1, 2])
    def test_every_name_has_its_weight(self, stacks, name, parity, outlines):
        with gzip.open(parity("full_size") / f"{name}.json.gz") as stream:
            keys = json.load(stream)["keys"]
        state = {key.removeprefix("module."): np.broadcast_to(0.0, shape) for key, shape, _, _ in keys}
        if stacks == 1:
            # The baseline with one hourglass is the first stack of the full network.
            later = ("inters", "hg.inters", "cnvs_", "hg.cnvs_")
            state = {
                key: value
                for key, value in state.items()
                if not key.startswith(later)
                and key.removeprefix("hg.").split(".")[1] == "0"
                or key.removeprefix("hg.").startswith("pre.")
            }
        weights, _ = outlines[stacks]
        arguments = infer_arguments(state)
        assert (
            CornerNet.__init__.__kwdefaults__.items()
            >= {
                key: value for key, value in arguments.items() if key not in ("num_classes", "stacks")
            }.items()
        )
        assert (arguments["num_classes"], arguments["stacks"]) == (80, stacks)
        names = match_names(weights, state, recognize(state), arguments)
        assert len(set(names.values())) == len(weights)
        assert set(names.values()) == {key for key in state if not key.endswith(COUNTER)}
