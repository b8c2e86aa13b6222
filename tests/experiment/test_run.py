"""The parts of a training run that the command line's own test does not see."""

import csv
import weakref

import keras
import numpy as np
import pytest
from PIL import Image

from keras_cornernet.codecs import CornerCodec, SaccadeCodec
from keras_cornernet.data.augmentation import CornerNetCrop, SmallDataAugmentation
from keras_cornernet.data.photo_augmentation import PhotoAugmentation
from keras_cornernet.data.saccade_augmentation import SaccadeCrop
from keras_cornernet.evaluation import EvaluationResult
from keras_cornernet.experiment import ResultsTable, preparation, train
from keras_cornernet.experiment.preparation import with_rotations
from keras_cornernet.inference import Detector, InferenceConfig, SaccadeConfig, SaccadeDetector
from keras_cornernet.inference.evaluating import MeasuresDetections
from keras_cornernet.inference.model import Model
from keras_cornernet.models import CornerNet, CornerNetSaccade
from keras_cornernet.preprocessing import read_image
from keras_cornernet.presets import from_preset, save_model, training_config
from keras_cornernet.results import Detections
from keras_cornernet.structures import Boxes, Categories, DetectionDataset, Sample
from keras_cornernet.training import TrainingConfig, averaged_weights, make_optimizer

CATEGORIES = Categories(("square",), (1,))
TINY = {"stacks": 1, "pool_channels": 4, "head_channels": 8, "head_kernel_size": 1}


def rows_of(folder):
    """The rows of `results.csv`."""
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def squares(tmp_path) -> DetectionDataset:
    """Four images of a bright square each."""
    samples = []
    for i in range(4):
        image = np.full((64, 64, 3), 30, np.uint8)
        x, y = 5 + 6 * i, 30 - 5 * i
        image[y : y + 20, x : x + 20] = 220
        Image.fromarray(image).save(tmp_path / f"{i}.png")
        box = np.array([[x, y, x + 20, y + 20]], np.float32)
        boxes = Boxes(box, np.zeros(1, np.int32), np.zeros(1, bool))
        samples.append(Sample(str(tmp_path / f"{i}.png"), i, (64, 64), boxes))
    return DetectionDataset(tuple(samples), CATEGORIES)


@pytest.fixture
def cornernet(tmp_path):
    """A detector that is no preset's, as a file."""
    network = CornerNet(1, channels=(8, 8), num_blocks=(1, 1), stem=(4, 8), **TINY)
    settings = InferenceConfig(input_size=(64, 64), flip=False)
    return save_model(Detector(network, CornerCodec(1), CATEGORIES, settings), tmp_path / "cornernet.keras")


@pytest.fixture
def saccade(tmp_path):
    network = CornerNetSaccade(1, channels=(8,) * 4, num_blocks=(1,) * 4, stem=(4, 8), **TINY)
    settings = SaccadeConfig(input_size=(63, 63))
    model = SaccadeDetector(network, SaccadeCodec(1), CATEGORIES, settings)
    return save_model(model, tmp_path / "saccade.keras")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("steps", 0),
        ("batch_size", 0),
        ("evaluate_every", 0),
        ("learning_rate", 0.0),
        ("warmup", 1.0),
        ("lr_decay_at", 1.0),
        ("lr_decay_factor", 0.5),
    ],
)
def test_a_plan_refuses_what_cannot_be(field, value):
    with pytest.raises(ValueError, match=field):
        TrainingConfig(**{field: value})


def test_the_learning_rate_rises_and_falls_as_planned():
    config = TrainingConfig(epochs=10, learning_rate=0.02, warmup=0.1)
    optimizer = make_optimizer(config, steps_per_epoch=20)
    schedule = optimizer._learning_rate
    rates = np.array([float(schedule(step)) for step in range(201)])
    assert rates[0] == pytest.approx(0.0002)
    assert rates.argmax() == 20
    assert rates[20] == pytest.approx(0.02)
    assert (np.diff(rates[:21]) > 0).all()
    assert (np.diff(rates[20:]) < 0).all()
    assert rates[110] == pytest.approx(0.02 * (0.01 + 0.99 / 2), rel=1e-4)  # half of the cosine
    assert rates[200] == pytest.approx(0.0002)


@pytest.mark.parametrize(
    ("preset", "batch_size", "steps", "last"),
    [
        ("cornernet_hourglass104", 49, 500_000, 450_000),
        ("cornernet_saccade", 48, 500_000, 450_000),
        ("cornernet_squeeze", 55, 500_000, 450_000),
        ("centernet_hourglass52", 48, 480_000, 450_000),
        ("centernet_hourglass104", 48, 480_000, 450_000),
    ],
)
def test_detectors_of_the_papers_train_as_published(preset, batch_size, steps, last):
    config = training_config(preset)
    assert (config.batch_size, config.steps, config.optimizer) == (batch_size, steps, "adam")
    optimizer = make_optimizer(config, steps_per_epoch=100)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.999, 1e-8)
    rates = [float(optimizer._learning_rate(step)) for step in (0, last, last + 1, steps - 1)]
    assert rates == pytest.approx([2.5e-4, 2.5e-4, 2.5e-5, 2.5e-5])
    assert optimizer.global_clipnorm is None and not optimizer.use_ema


def test_steps_are_told_in_epochs_and_epochs_take_their_place():
    config = training_config("cornernet_hourglass104")
    assert config.in_epochs(2_414).epochs == 208  # COCO's 118,287 images, 49 a step
    assert config.in_epochs(2_414).in_epochs(7).epochs == 208
    shorter = training_config("cornernet_hourglass104", epochs=10, batch_size=4)
    assert (shorter.steps, shorter.epochs, shorter.batch_size) == (None, 10, 4)
    assert float(make_optimizer(shorter, 10)._learning_rate(90)) == pytest.approx(2.5e-4)
    assert float(make_optimizer(shorter, 10)._learning_rate(91)) == pytest.approx(2.5e-5)


def test_pose_networks_of_the_paper_train_with_rmsprop():
    config = training_config("hourglass_8stack")
    assert (config.optimizer, config.batch_size, config.learning_rate) == ("rmsprop", 6, 2.5e-4)
    optimizer = make_optimizer(config, steps_per_epoch=8_000)
    rates = [float(optimizer._learning_rate(step)) for step in (0, 800_000, 800_001)]
    assert rates == pytest.approx([2.5e-4, 2.5e-4, 5e-5])


def test_other_presets_and_files_have_the_plan_of_the_package():
    assert training_config("cornernet_small") == training_config("runs/mine/best.keras") == TrainingConfig()


@pytest.mark.slow
def test_a_run_with_another_augmentation_tells_it_when_the_end_is_near(
    squares, cornernet, tmp_path, monkeypatch
):
    seen = []

    def draws_mosaic(self, progress, rng):
        seen.append(progress)
        return True

    monkeypatch.setattr(PhotoAugmentation, "draws_mosaic", draws_mosaic)
    settings = {"augmentation": "photos", "batch_size": 2, "epochs": 2, "input_size": (64, 64)}
    trained = train(str(cornernet), squares, None, tmp_path / "run", TrainingConfig(**settings), verbose=0)
    assert len(trained.table.rows) == 2
    assert sorted(seen) == [0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]
    with pytest.raises(ValueError, match="augmentation must be one of 'default', 'photos'"):
        train(str(cornernet), squares, None, tmp_path / "other", TrainingConfig(augmentation="none"))


def test_only_recipes_that_turn_can_be_turned():
    assert with_rotations(SmallDataAugmentation()) == SmallDataAugmentation().rotated()
    with pytest.raises(ValueError, match="rotations: CornerNetCrop never rotates"):
        with_rotations(CornerNetCrop())


@pytest.mark.parametrize(
    ("model", "augmentation"), [("cornernet", CornerNetCrop()), ("saccade", SaccadeCrop())]
)
def test_a_file_of_no_preset_trains_with_the_augmentation_of_its_paper(
    model, augmentation, squares, tmp_path, monkeypatch, request
):
    class Asked(Exception):
        pass

    def asked(*_, augmentation, **__):
        raise Asked(augmentation)

    monkeypatch.setattr(preparation, "make_dataset", asked)
    with pytest.raises(Asked) as caught:
        train(request.getfixturevalue(model), squares, None, tmp_path / "run")
    assert caught.value.args == (augmentation,)


@pytest.mark.slow
def test_a_run_that_was_stopped_in_its_last_evaluation_can_be_resumed(
    cornernet, squares, tmp_path, monkeypatch
):
    compiled = Model.compile

    def eager(model, optimizer):
        """Tracing a graph takes longer than these few steps."""
        compiled(model, optimizer, run_eagerly=True)

    def measured(self, dataset, **_):
        answer = answers.pop(0)
        if answer is KeyboardInterrupt:
            raise answer
        return EvaluationResult({}, dict.fromkeys(("AP", "AP50", "AP75"), answer), "", predictions={})

    monkeypatch.setattr(Model, "compile", eager)
    monkeypatch.setattr(Detector, "evaluate", measured)
    output, config = tmp_path / "run", TrainingConfig(epochs=2, batch_size=4, evaluate_every=5)
    answers = [KeyboardInterrupt]
    with pytest.raises(KeyboardInterrupt):
        train(cornernet, squares, squares, output, config, verbose=0)
    (first,) = rows_of(output)
    assert first["epoch"] == "1" and not (output / "last.keras").exists()
    answers = [0.25]
    result = train(cornernet, squares, squares, output, config, resume=True, verbose=0)
    again, last = rows_of(output)
    assert again == {**first, "AP": "", "AP50": "", "AP75": ""}
    assert (last["epoch"], last["AP"]) == ("2", "0.25")
    assert (result.model.categories, result.score) == (CATEGORIES, "AP")
    assert (output / "best.keras").is_file() and (output / "last.keras").is_file()


def test_an_evaluation_keeps_no_image_and_names_those_it_cannot_use():
    held = []

    class Finder(MeasuresDetections):
        """In place of a detector: finds nothing, and counts the earlier images that are still held."""

        categories = CATEGORIES

        def __init__(self):
            self.images = []

        def stream(self, path, **_):
            held.append(sum(image() is not None for image in self.images))
            image = np.full((8, 8 + (path == "3"), 3), int(path), np.uint8)
            self.images.append(weakref.ref(image))
            nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32)
            yield Detections(*nothing, CATEGORIES, image, path)

    box = Boxes(np.array([[1, 1, 5, 5]], np.float32), np.zeros(1, np.int32), np.zeros(1, bool))
    samples = tuple(Sample(str(i), i, (8, 8), box) for i in range(18))
    result = Finder().evaluate(DetectionDataset(samples, CATEGORIES))
    assert result.headline == {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    (problem,) = result.problems
    assert problem.path == "3" and problem.costs_image and "the image is 9x8" in problem.reason
    assert sorted(result.predictions) == [i for i in range(18) if i != 3]
    assert len(held) == 18 and max(held) <= 1  # the one that is being measured


def test_averaged_weights_span_a_twentieth_of_the_run_unless_told():
    assert make_optimizer(TrainingConfig(epochs=10), 40).ema_momentum == pytest.approx(0.95)
    assert make_optimizer(TrainingConfig(ema=0.9), 40).ema_momentum == 0.9
    assert not make_optimizer(TrainingConfig(ema=0.0), 40).use_ema
    assert not make_optimizer(TrainingConfig(epochs=1), 4).use_ema


def test_averaged_weights_are_put_back():
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    for _ in range(4):  # `fit` would leave the averaged weights in the model
        model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))

    def weight():
        return keras.ops.convert_to_numpy(model.weights[0]).item()

    own = weight()
    assert own == pytest.approx(0.8**4, rel=1e-5)
    with averaged_weights(model):
        assert weight() > own  # it lags behind
    assert weight() == own


def test_results_are_kept_and_replaced_by_epoch(tmp_path):
    table = ResultsTable(tmp_path / "results.csv")
    assert not table.path.exists()
    table.add({"epoch": 1, "loss": 3.0})
    table.add({"epoch": 2, "loss": 2.0, "AP": 0.25})
    (tmp_path / "results.csv").write_text("damaged")
    again = ResultsTable(tmp_path / "results.csv", table.rows)
    assert rows_of(tmp_path)[1] == {"epoch": "2", "loss": "2.0", "AP": "0.25"}
    again.add({"epoch": 2, "loss": 1.5, "AP": 0.5})
    again.add({"epoch": 3, "loss": 1.0})
    assert [row["loss"] for row in rows_of(tmp_path)] == ["3.0", "1.5", "1.0"]
    np.testing.assert_equal(again.curve("AP"), [np.nan, 0.5, np.nan])
    assert again.until(1) == [{"epoch": 1, "loss": 3.0}]


def test_a_run_keeps_the_operating_point_of_its_validation(squares, cornernet, tmp_path):
    image, box = read_image(squares.paths[0]), squares.samples[0].boxes.xyxy
    found = Detections(box, np.array([0.62]), np.zeros(1, int), CATEGORIES, image, squares.paths[0])
    started = save_model(from_preset(cornernet).with_settings(min_scores=(0.9,)), tmp_path / "started.keras")
    config = TrainingConfig(epochs=1, batch_size=2, evaluate_every=1, pipeline="host")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Detector, "stream", lambda *_, **__: iter([found]))
        run = train(str(started), squares, squares.select([0]), tmp_path / "run", config, verbose=0)
        alone = train(str(started), squares, None, tmp_path / "alone", config, verbose=0)
    assert run.model.settings.min_scores == (0.62,)
    assert from_preset(tmp_path / "run" / "last.keras").settings.min_scores == (0.62,)
    assert alone.model.settings.min_scores is None
    for name in ("precision_recall.png", "confusion_matrix.png"):
        assert (tmp_path / "run" / name).is_file()
