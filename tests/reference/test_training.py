"""The reference's training loop against least squares and arithmetic done by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from . import (
    SGD,
    AdamW,
    BatchNorm,
    CosineDecay,
    Dense,
    DivergedError,
    ExponentialDecay,
    Network,
    Normal,
    OneCycle,
    Optimizer,
    ReduceOnPlateau,
    fit,
    philox,
)
from .arrays import Array


@pytest.mark.parametrize("standardize", [False, True])
def test_linear_model_reaches_least_squares(standardize: bool) -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(0.3, 1.2, (40, 3)), rng.normal(2.0, 1.5, (40, 2))
    weight = rng.uniform(0.2, 3.0, 40)
    network = Network(3, 2, [], Normal(1.0))
    fit(
        network, x, y, optimizer=SGD(0.4), batch_size=40, epochs=300,
        sample_weight=weight, standardize=standardize,
    )  # fmt: skip
    root = np.sqrt(weight)[:, np.newaxis]
    design = np.column_stack([x, np.ones(40)])
    solution = np.linalg.lstsq(design * root, y * root, rcond=None)[0]
    assert_allclose(network.predict(x).mean, design @ solution, rtol=1e-9)


class Script(Optimizer):
    """An optimizer that writes prescribed values into the last parameter, the output's bias."""

    def __init__(self, *values: float, learning_rate: float = 1.0) -> None:
        self.values = values
        self.learning_rate = learning_rate

    def reset(self) -> None:
        self.left = list(self.values)

    def step(self, parameters: Array, gradient: Array, rate: float) -> float:
        parameters[-1] = self.left.pop(0)
        return rate


def constant_model(bias: float = 0.0) -> tuple[Network, Array]:
    network = Network(1, 1, [], Normal(1.0), Dense(1, init="zeros"))
    network.parameters[-1] = bias
    return network, np.zeros((5, 1))


def half_squares(*bias: float) -> Array:
    return 0.5 * np.square(bias) + 0.5 * np.log(2 * np.pi)


def test_epoch_loss_is_the_mean_over_rows_before_each_update() -> None:
    for drop_last, losses in (
        (False, half_squares(4, 4, 1, 1, 2)),
        (True, half_squares(4, 4, 1, 1)),
    ):
        network, x = constant_model(4.0)
        options: dict[str, Any] = {"batch_size": 2, "epochs": 1, "drop_last": drop_last}
        history = fit(network, x, x, optimizer=Script(1, 2, 3), **options)
        assert_allclose(history.losses, [losses.mean()])
        assert network.parameters[-1] == (2 if drop_last else 3)


def test_batches_follow_the_shuffle() -> None:
    y = np.arange(5.0)[:, np.newaxis]
    weight = np.array([1.0, 2.0, 3.0, 4.0, 0.0])
    for shuffle in (False, True):
        network, x = constant_model()
        options: dict[str, Any] = {
            "batch_size": 1,
            "epochs": 2,
            "shuffle": shuffle,
            "sample_weight": weight,
        }
        history = fit(network, x, y, optimizer=Script(*range(10)), seed=6, **options)
        orders = [philox.shuffle(5, 6, e) if shuffle else np.arange(5) for e in range(2)]
        order = np.concatenate(orders)
        bias = np.array([0, *range(9)])
        losses = (weight / 2)[order] * half_squares(*(order - bias))
        assert_allclose(history.losses, losses.reshape(2, 5).mean(axis=1))


@pytest.mark.parametrize(
    ("script", "patience", "length", "best", "last"),
    [
        ((3, 1, 2, -1, 0.5), 2, 4, 1, 1),  # an equal loss is not a new lowest
        ((3, 1, 2, -1, 0.5), 3, 5, 4, 0.5),
        ((3, 1, 2, -1, 5), 4, 5, 1, 1),  # the epochs run out before the patience
        ((3, 1, 2, -1, 5), None, 5, 1, 5),
    ],
)
def test_early_stopping_restores_the_best_epoch(
    script: tuple[float, ...], patience: int | None, length: int, best: int, last: float
) -> None:
    network, x = constant_model()
    history = fit(
        network, x, x, optimizer=Script(*script), batch_size=5, epochs=5,
        validation=(x, x), patience=patience,
    )  # fmt: skip
    assert_allclose(history.validation_losses, half_squares(*script[:length]))
    assert (history.best_epoch, network.parameters[-1]) == (best, last)


def test_scaling_is_set_by_the_first_fit() -> None:
    network, x = constant_model()
    options: dict[str, Any] = {"optimizer": Script(0), "batch_size": 5, "epochs": 1}
    y = np.arange(5.0)[:, np.newaxis]
    fit(network, x, y, **options)
    assert network.scaling is None
    fit(network, x, y, standardize=True, sample_weight=[0, 1, 1, 1, 1], **options)
    first = network.scaling
    assert first is not None
    assert first.target_mean == 2.5
    fit(network, x, y + 1, standardize=True, **options)
    assert network.scaling is first


def test_averages_of_the_best_epoch_are_restored() -> None:
    """Each epoch leaves other averages, for the order of the rows decides the batches."""
    x = np.arange(6.0)[:, np.newaxis] ** 2

    def averages(epochs: int, *script: float, patience: int | None = None) -> Array:
        network = Network(1, 1, [BatchNorm()], Normal(1.0), Dense(1, init="zeros"))
        fit(
            network, x, 0 * x, optimizer=Script(*np.repeat(script, 3)), batch_size=2,
            epochs=epochs, validation=(x, 0 * x), patience=patience,
        )  # fmt: skip
        return network.averages

    best = averages(2, 3, 1)
    assert_array_equal(averages(4, 3, 1, 2, 5, patience=2), best)
    assert np.all(averages(4, 3, 1, 2, 5) != best)


def test_learning_rates_and_gradient_norms() -> None:
    y = np.array([[0.0], [0.0], [3.0], [0.0], [-1.0]])
    network, x = constant_model()
    history = fit(
        network, x, y, optimizer=Script(0, 0, 0, 0.5, 0, 0, learning_rate=0.2), batch_size=2,
        epochs=2, shuffle=False, schedule=ExponentialDecay(0.5), clip_value=0.1,
    )  # fmt: skip
    # The slope at the bias is its mean distance to the targets: 0, -1.5, 1 and 0, -1, 1.
    assert_allclose(history.gradient_norms, [1.5, 1.0])
    assert_allclose(history.learning_rates, [0.2 * 0.5 ** (2 / 3), 0.2 * 0.5 ** (5 / 3)])
    loss = [half_squares(0, 0, 3, 0, 1).mean(), half_squares(0, 0, 2.5, 0.5, 1).mean()]
    assert_allclose(history.losses, loss)


def test_schedule_sees_the_validation_loss_else_the_training_loss() -> None:
    network, x = constant_model(3.0)
    options: dict[str, Any] = {
        "optimizer": Script(2, 2.5, 1, 3, 0), "batch_size": 5, "epochs": 5,
        "schedule": ReduceOnPlateau(0.5, patience=1),
    }  # fmt: skip
    # The bias has been 3, 2, 2.5, 1, 3 before the steps, and then 0: a new fit starts anew.
    assert_allclose(fit(network, x, x, **options).learning_rates, [1, 1, 1, 0.5, 0.5])
    assert_allclose(fit(network, x, x, **options).learning_rates, [1, 1, 0.5, 0.25, 0.125])
    # From a target of 3 the validation data are 1, 0.5, 2, 0, 3 away after the steps.
    history = fit(network, x, x, validation=(x, x + 3), **options)
    assert_allclose(history.learning_rates, [1, 1, 1, 0.5, 0.5])


@pytest.mark.parametrize("clip", [{"clip_norm": 0.01}, {"clip_value": 0.01}, {}])
def test_schedule_penalties_and_clipping_reach_the_update(clip: dict[str, float]) -> None:
    """A bias of 1 and targets of 0: the slope is 1 + l2, less the clipped part."""
    network, x = constant_model(1.0)
    fit(
        network, x, x, optimizer=SGD(0.5), batch_size=5, epochs=1, schedule=OneCycle(),
        l1=0.3, l2=0.2, penalize_biases=True, **clip,
    )  # fmt: skip
    moved = 0.02 * ((0.01 if clip else 1.0) + 0.2 + 0.3)  # of 0.5 at the start of the cycle, 0.04
    assert_allclose(network.parameters, [0.0, 1.0 - moved], rtol=1e-12)


class Overflow(Script):
    """Moves the other parameter, too, by the rate."""

    def step(self, parameters: Array, gradient: Array, rate: float) -> float:
        parameters[0] -= rate
        return super().step(parameters, gradient, rate)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e39])
def test_a_value_that_is_not_finite_ends_training(value: float) -> None:
    network, x = constant_model(3.0)
    with pytest.raises(DivergedError) as error:
        fit(network, x, x, optimizer=Overflow(1, 2, value, 0), batch_size=2, epochs=2)
    assert (error.value.epoch, error.value.step, error.value.gradient_norm) == (0, 2, 3.0)
    assert_array_equal(network.parameters, [-3.0, 2.0])  # of which the second kept its value


@pytest.mark.parametrize(
    ("dtype", "far"), [("float32", 1e21), ("float64", 1e160), ("float64", 1e200)]
)
@pytest.mark.parametrize("epoch", [0, 1])
def test_a_gradient_that_is_not_finite_ends_training(dtype: str, far: float, epoch: int) -> None:
    """Its square of the norm is not; the step is not applied and nothing moves."""
    large = 1e18 if dtype == "float32" else 1e150
    script = [2.0] * 3 * epoch + [large, far]  # three steps an epoch
    steps = len(script)
    network = Network(2, 1, [BatchNorm()], Normal(1.0), Dense(1, init="zeros"), dtype=dtype)
    x, options = np.arange(12.0).reshape(6, 2) ** 2, {"batch_size": 2, "epochs": 3}
    with pytest.raises(DivergedError) as error:
        fit(network, x, x[:, :1], optimizer=Script(*script), **options)
    assert (error.value.epoch, error.value.step) == (epoch, steps)
    assert_allclose(error.value.gradient_norm, large, rtol=1e-12)  # the slope at the bias
    assert network.parameters[-1] == far
    mean = np.zeros(2)
    for step in range(steps):
        e, within = divmod(step, 3)
        batch = philox.shuffle(6, 0, e)[2 * within : 2 * within + 2]
        mean = 0.9 * mean + 0.1 * x[batch].mean(axis=0)
    assert_allclose(network.averages[:2], mean, rtol=1e-12)


@pytest.mark.parametrize("far", [np.array([2.2e19] * 2), np.array([3e19, -3e19])])
def test_the_loss_and_the_square_of_the_norm_have_to_be_finite(far: Array) -> None:
    """In float32, where 3.4e38 is the largest: here they are 2.4e38 and 4.8e38, 4.5e38 and 0."""
    y = far[:, np.newaxis]
    for dtype in ("float32", "float64"):
        network, x = Network(1, 1, [], Normal(1.0), Dense(1, init="zeros"), dtype), 0 * y
        options: dict[str, Any] = {"optimizer": Script(0), "batch_size": 2, "epochs": 1}
        if dtype == "float64":
            fit(network, x, y, **options)
            continue
        with pytest.raises(DivergedError) as error:
            fit(network, x, y, **options)
        assert (error.value.step, error.value.gradient_norm) == (0, 0.0)


def test_a_diverged_error_tells_the_largest_norm_of_the_fit() -> None:
    network, x = constant_model(7.0)
    with pytest.raises(DivergedError) as error:
        fit(network, x, x, optimizer=Script(2, 1, 3, np.inf), batch_size=5, epochs=4)
    assert (error.value.epoch, error.value.step) == (3, 3)
    assert_allclose(error.value.gradient_norm, 7.0, rtol=1e-14)


def test_a_norm_that_float64_holds_is_finite_there() -> None:
    network, x = constant_model()
    network.dtype = "float64"
    history = fit(network, x, x, optimizer=Script(1e30, 0), batch_size=3, epochs=1)
    assert_allclose(history.gradient_norms, [1e30])


def test_unusable_arguments_are_errors_before_anything_changes() -> None:
    norm = Network(1, 1, [BatchNorm()], Normal(1.0))
    x = np.arange(5.0)[:, np.newaxis]
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("batch", {"batch_size": 6, "drop_last": True}),
        ("batch", {"batch_size": 0}),
        ("patience", {"patience": 1}),
        ("patience", {"patience": 0, "validation": (x, x)}),
        ("weights", {"sample_weight": [1, 1, -1, 1, 1]}),
        ("weights", {"sample_weight": np.zeros(5)}),
        ("two rows", {"batch_size": 1}),
        ("two rows", {"batch_size": 1, "drop_last": True}),
        ("two rows", {"batch_size": 2}),
        ("l1 and l2", {"l1": -1.0}),
        ("both", {"clip_norm": 1.0, "clip_value": 1.0}),
        ("weight_decay", {"l2": 0.1, "optimizer": AdamW()}),
        ("ends before", {"schedule": CosineDecay(epochs=2)}),
    ]
    for message, options in wrong:
        before = norm.parameters.copy()
        defaults = {"optimizer": SGD(), "batch_size": 5, "epochs": 3, "standardize": True}
        with pytest.raises(ValueError, match=message):
            fit(norm, x, x, **(defaults | options))
        assert norm.scaling is None
        assert_array_equal(norm.parameters, before)
    with pytest.raises(ValueError, match="two rows"):
        fit(norm, x[:1], x[:1], optimizer=SGD(), batch_size=5, epochs=1)
    for usable in ({"batch_size": 2, "drop_last": True}, {"batch_size": 3}):
        fit(norm, x, x, optimizer=SGD(), epochs=1, **usable)
