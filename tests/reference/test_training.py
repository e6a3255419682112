"""The reference's training loop against least squares and arithmetic done by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from . import (
    SGD,
    Dense,
    Network,
    Normal,
    Optimizer,
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

    learning_rate = 1.0

    def __init__(self, *values: float) -> None:
        self.values = values

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
