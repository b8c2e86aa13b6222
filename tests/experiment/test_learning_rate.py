"""The test that suggests a learning rate."""

import numpy as np
import pytest
from command_line import data, run

from keras_cornernet import make_scenes, read_coco
from keras_cornernet.codecs import CenterCodec
from keras_cornernet.experiment.learning_rate import LearningRates, find_learning_rate, smoothed
from keras_cornernet.inference import Detector, InferenceConfig
from keras_cornernet.models import ObjectsAsPoints
from keras_cornernet.presets import save_model
from keras_cornernet.structures import Categories
from keras_cornernet.training import TrainingConfig


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return make_scenes(tmp_path_factory.mktemp("scenes"), 6, seed=3, size=(64, 64)).parent


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    network = ObjectsAsPoints(1, stacks=1, channels=(4, 4), num_blocks=(1, 1), stem=(4, 4), head_channels=4)
    settings = InferenceConfig(input_size=(32, 32))
    detector = Detector(network, CenterCodec(1), Categories(("person",), (1,)), settings)
    return save_model(detector, tmp_path_factory.mktemp("model") / "tiny.keras")


@pytest.mark.slow
def test_rates_rise_until_the_loss_does(tiny, scenes):
    dataset = read_coco(scenes / "annotations.json", scenes / "images")
    config = TrainingConfig(batch_size=2, input_size=(32, 32))
    found = find_learning_rate(str(tiny), dataset, config, highest=1e4, steps=30)
    ratios = np.diff(np.log(found.rates))
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)
    assert found.rates[0] == pytest.approx(1e-6) and len(found.losses) == len(found.rates) <= 30
    best = found.rates[int(np.argmin(smoothed(found.losses)))]
    assert found.suggestion == pytest.approx(best / 10)
    assert found.losses[-1] > 2 * min(found.losses)  # it went on until the rate was too high


@pytest.mark.slow
def test_the_command_suggests_a_rate_and_draws_the_losses(tiny, scenes, tmp_path):
    options = ("--batch-size", 2, "--input-size", "32x32", "--output", tmp_path / "run")
    done = run("train", tiny, *data(scenes), *options, "--find-learning-rate")
    assert done.exit_code == 0, done.output
    assert "--learning-rate 1" in done.stdout or "e-" in done.stdout
    assert (tmp_path / "run" / "learning_rate.png").is_file()
    assert not (tmp_path / "run" / "last.keras").exists()


def test_the_average_starts_without_a_lag():
    assert smoothed([3.0, 3.0, 3.0]) == pytest.approx([3.0, 3.0, 3.0])
    assert smoothed([1.0, 2.0]) == pytest.approx([1.0, (0.9 * 1 + 2) / 1.9])


def test_the_picture_is_drawn():
    rates = tuple(np.geomspace(1e-6, 1, 20))
    assert LearningRates(rates, tuple(np.linspace(5, 2, 20)), 1e-2).plot().size == (800, 480)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"lowest": 0}, "lowest"), ({"highest": 1e-7}, "highest"), ({"steps": 3}, "steps must be at least 10")],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        find_learning_rate("objects_as_points_small", None, **options)
