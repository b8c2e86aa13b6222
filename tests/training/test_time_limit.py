"""Runs that end by time, on a clock that the test sets."""

import keras
import numpy as np
import pytest

from keras_cornernet.training import TimeLimit, TrainingConfig, make_optimizer, rate_at, time_limit


class Model:
    just_compiled = False
    stop_training = False

    def __init__(self):
        self.rates = []

    def set_learning_rate(self, rate):
        self.rates.append(rate)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(time_limit.time, "monotonic", lambda: Clock.now)
    return Clock


def limit_of(**options):
    limit = TimeLimit(100.0, lambda fraction: fraction, started=990.0, **options)
    limit.set_model(Model())
    return limit


def step(limit, clock, seconds):
    limit.on_train_batch_begin(0)
    clock.now += seconds
    limit.on_train_batch_end(0)


def test_reading_and_the_first_step_count_in_the_time_and_not_in_the_schedule(clock):
    limit = limit_of()
    clock.now += 10  # 20 seconds have been spent on reading
    step(limit, clock, 30)  # compiles
    assert limit.fraction == 0
    for _ in range(4):
        step(limit, clock, 10)
    assert limit.fraction == pytest.approx(0.8) and not limit.model.stop_training
    assert limit.model.rates == pytest.approx([0, 0, 0.2, 0.4, 0.6])
    step(limit, clock, 10)
    assert limit.fraction == 1 and limit.over and limit.model.stop_training and limit.elapsed == 100


def test_other_shapes_that_are_compiled_do_not_count(clock):
    limit = limit_of()
    step(limit, clock, 10)  # 20 of 100 seconds
    step(limit, clock, 16)
    assert limit.fraction == pytest.approx(0.2)
    limit.model.just_compiled = True
    step(limit, clock, 16)
    assert limit.fraction == pytest.approx(0.25)  # 16 of the 64 seconds that are left for steps


def test_time_is_kept_for_what_follows(clock):
    limit = limit_of()
    limit.reserve = 30.0
    step(limit, clock, 10)
    step(limit, clock, 25)
    assert limit.fraction == pytest.approx(0.5)
    limit.reserve = 10.0
    assert limit.fraction == pytest.approx(0.5)  # it never falls
    limit.reserve = 50.0
    step(limit, clock, 6)
    assert limit.over


def test_a_resumed_run_goes_on_with_its_time(clock):
    limit = limit_of(before=40.0)
    assert limit.fraction == pytest.approx(0.4)
    step(limit, clock, 5)
    # 40 before, 10 of reading, 5 of compiling: the next 45 seconds are the rest.
    assert limit.elapsed == pytest.approx(55) and limit.fraction == pytest.approx(40 / 85)
    step(limit, clock, 45)
    assert limit.over


# The learning rate and the optimizer


@pytest.mark.parametrize("changes", [{}, {"warmup": 0.0}, {"lr_decay_at": 0.7}])
def test_the_rate_of_a_fraction_is_that_of_the_schedule_by_steps(changes):
    config = TrainingConfig(epochs=10, learning_rate=0.002, **changes)
    by_steps = make_optimizer(config, 100).learning_rate
    if callable(by_steps):
        rate = by_steps
    else:
        optimizer = make_optimizer(config, 100)
        rate = optimizer._learning_rate
    for number in (0, 20, 40, 100, 500, 699, 701, 1000):
        expected = float(keras.ops.convert_to_numpy(rate(number)))
        assert rate_at(config, number / 1000) == pytest.approx(expected, rel=1e-4, abs=1e-9)


def test_the_average_spans_a_twentieth_of_the_steps_so_far():
    optimizer = make_optimizer(TrainingConfig(minutes=1.0), 100)
    weight = keras.Variable(np.zeros(2, np.float32))
    optimizer.build([weight])
    average, momentum = np.zeros(2), []
    for number in range(60):
        optimizer.apply([keras.ops.ones(2)], [weight])
        momentum.append(max(0.0, 1 - 20 / (number + 1)))
        average = (
            momentum[-1] * average + (1 - momentum[-1]) * np.asarray(weight) if number else np.asarray(weight)
        )
    optimizer.finalize_variable_values([weight])
    np.testing.assert_allclose(np.asarray(weight), average, rtol=1e-5)


def test_weight_decay_is_for_kernels_alone():
    kernel, bias = keras.Variable(np.ones((2, 2), np.float32)), keras.Variable(np.ones(2, np.float32))
    config = TrainingConfig(optimizer="adamw", weight_decay=0.1, learning_rate=0.5, lr_decay_at=0.5, ema=0.0)
    optimizer = make_optimizer(config, 10, [kernel, bias])
    optimizer.build([kernel, bias])
    optimizer.apply([keras.ops.zeros((2, 2)), keras.ops.zeros(2)], [kernel, bias])
    np.testing.assert_allclose(np.asarray(kernel), 1 - 0.5 * 0.1, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(bias), 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": 0},
        {"weight_decay": 0.1},
        {"optimizer": "adamw", "weight_decay": -1},
        {"pipeline": "gpu"},
        {"steps_per_launch": 0},
        {"train_sizes": ((32, 0),)},
    ],
)
def test_settings_out_of_range_are_named(changes):
    with pytest.raises(ValueError, match=list(changes)[-1]):
        TrainingConfig(**changes)
