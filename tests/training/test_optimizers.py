"""RMSprop as Torch defines it."""

import keras
import numpy as np
import pytest

from keras_cornernet.training import TorchRMSprop

SETTINGS = [{}, {"learning_rate": 1e-2, "rho": 0.9, "epsilon": 1e-5}]


def drawn(steps=20):
    """A start and gradients, some of them as small as those of heatmaps, one of them always 0."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3)).astype(np.float32)
    gradients = rng.normal(size=(steps, 4, 3)) * 10.0 ** rng.integers(-7, 1, (4, 3))
    gradients[:, 0, 0] = 0
    return start, gradients.astype(np.float32)


def walked(settings):
    """Where each step leads."""
    start, gradients = drawn()
    variable, optimizer = keras.Variable(start), TorchRMSprop(**settings)
    places = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        places.append(keras.ops.convert_to_numpy(variable))
    return np.array(places)


@pytest.mark.parametrize("settings", SETTINGS)
def test_equals_plain_numpy(settings):
    rate, rho, epsilon = (
        settings.get(key, value)
        for key, value in {"learning_rate": 2.5e-4, "rho": 0.99, "epsilon": 1e-8}.items()
    )
    start, gradients = drawn()
    place, square, expected = start.astype(np.float64), 0.0, []
    for gradient in gradients.astype(np.float64):
        square = rho * square + (1 - rho) * gradient**2
        place = place - rate * gradient / (np.sqrt(square) + epsilon)
        expected.append(place)
    places = walked(settings)
    np.testing.assert_allclose(places, expected, rtol=0, atol=2e-6)
    assert (places[:, 0, 0] == start[0, 0]).all()


@pytest.mark.parametrize("settings", SETTINGS)
def test_equals_torch(settings):
    torch = pytest.importorskip("torch")
    start, gradients = drawn()
    variable = torch.tensor(start, requires_grad=True)
    rate = settings.get("learning_rate", 2.5e-4)
    optimizer = torch.optim.RMSprop(
        [variable], rate, alpha=settings.get("rho", 0.99), eps=settings.get("epsilon", 1e-8)
    )
    for gradient, place in zip(gradients, walked(settings), strict=True):
        variable.grad = torch.tensor(gradient)
        optimizer.step()
        np.testing.assert_allclose(place, variable.detach().numpy(), rtol=0, atol=1e-6)


def test_small_gradients_move_where_keras_stands_still():
    gradient, variables = keras.ops.full((1,), 1e-6), [keras.Variable([0.0]) for _ in range(2)]
    TorchRMSprop(0.1).apply([gradient], variables[:1])
    keras.optimizers.RMSprop(0.1).apply([gradient], variables[1:])
    ours, theirs = (float(keras.ops.convert_to_numpy(v)[0]) for v in variables)
    assert ours == pytest.approx(-0.1 / (0.1 + 0.01), rel=1e-4)  # g / (sqrt(0.01 g^2) + 1e-8)
    assert -1e-3 < theirs < 0


def test_settings_survive_a_round_trip():
    optimizer = TorchRMSprop(1e-3, rho=0.95, epsilon=1e-6, global_clipnorm=2.0, weight_decay=1e-4)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is TorchRMSprop
    assert again.get_config() == optimizer.get_config()
    assert (again.rho, again.epsilon, again.global_clipnorm) == (0.95, 1e-6, 2.0)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 10)
    again = TorchRMSprop.from_config(TorchRMSprop(schedule).get_config())
    assert again.get_config()["learning_rate"]["class_name"] == "CosineDecay"


def test_a_saved_model_goes_on_as_if_never_stopped(tmp_path):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(TorchRMSprop(1e-2), "mse")
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, again):
        each.train_on_batch(x, y)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(again.optimizer.iterations) == 2


@pytest.mark.parametrize("settings", [{"momentum": 0.9}, {"centered": True}])
def test_what_is_not_supported_is_refused(settings):
    with pytest.raises(ValueError, match="momentum and centered are not supported"):
        TorchRMSprop(**settings)
