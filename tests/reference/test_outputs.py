"""What a network's outputs and constants start at, and how its loss reads them: joint families,
families without a density, censored targets. Against SciPy, central differences and arithmetic.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

from . import (
    SGD,
    Dense,
    Distribution,
    Exponential,
    LogNormal,
    Mixture,
    MultivariateNormal,
    Network,
    Normal,
    Ordinal,
    Poisson,
    Quantiles,
    Scaling,
    StudentT,
    Weibull,
    fit,
    philox,
)
from .arrays import Array

CLOSE: Any = {"rtol": 1e-12, "atol": 1e-13}


def test_predicted_raw_parameters_start_in_the_bias() -> None:
    ends = stats.norm.ppf([1 / 6, 5 / 6])
    network = Network(3, 2, [Dense(4, "tanh")], Mixture(Normal(), 3), dtype="float64")
    bias = network.parameters[-18:].reshape(9, 2)  # parameter p of column t is unit 2 p + t
    assert_allclose(bias[3], ends[0], rtol=1e-14)
    assert_allclose(bias[7], ends[1], rtol=1e-14)
    assert_array_equal(np.delete(bias, [3, 7], axis=0), 0.0)
    single = Network(3, 2, [Dense(4, "tanh")], Mixture(Normal(), 3), dtype="float32")
    assert_array_equal(single.parameters[-18:], bias.ravel().astype(np.float32))
    # What the initialiser draws is added.
    family, start = StudentT(), np.repeat([0.0, 0.0, np.log(9.0)], 2)
    for dtype in ("float32", "float64"):
        network = Network(3, 2, [], family, Dense(6, init="torch_uniform"), dtype=dtype)
        _, bias = philox.initialise("torch_uniform", "identity", 3, 6, seed=0, layer=0, dtype=dtype)
        expected = bias.astype(dtype) + start.astype(dtype)
        assert_array_equal(network.parameters[-6:], expected)
        assert np.all(bias != 0)
    # Without a bias there is nowhere to begin.
    weights = Network(3, 2, [], family, Dense(6, bias=False), dtype="float64").parameters
    assert_array_equal(weights, Network(3, 3, [], Normal(), dtype="float64").parameters[:18])


def test_shared_constants_start_at_theirs() -> None:
    network = Network(3, 2, [], Ordinal(4), dtype="float64")
    cuts = special.logit([1 / 4, 2 / 4, 3 / 4])
    constants = network.parameters[-6:].reshape(3, 2)  # constant c of column t stands at 2 c + t
    expected = [cuts[0], np.log(cuts[1] - cuts[0]), np.log(cuts[2] - cuts[1])]
    assert_allclose(constants, np.repeat(expected, 2).reshape(3, 2), rtol=1e-14)
    assert_array_equal(network.parameters[-8:-6], 0.0)  # the bias
    # Where nothing is drawn every level has the same probability.
    network.parameters[:-6] = 0.0
    probs = network.predict(np.ones((5, 3))).parameters["probs"]
    assert_allclose(probs, np.full((5, 2, 4), 0.25), rtol=1e-14)
    single = Network(3, 2, [], StudentT("shared"), dtype="float32").parameters
    assert_array_equal(single[-2:], np.float32(np.log(9.0)))
    assert_array_equal(Network(3, 2, [], Mixture(Normal("shared"), 2)).parameters[-4:], 0.0)


def scattered(family: Distribution, targets: int = 2, seed: int = 0) -> Network:
    network = Network(3, targets, [Dense(4, "tanh")], family, dtype="float64")
    network.parameters += np.random.default_rng(seed).normal(0, 0.3, network.parameters.size)
    return network


def central_differences(network: Network, loss: Callable[[], float]) -> Array:
    slopes, h = np.empty_like(network.parameters), 1e-5
    for i, value in enumerate(network.parameters.copy()):
        network.parameters[i] = value + h
        up = loss()
        network.parameters[i] = value - h
        slopes[i] = (up - loss()) / (2 * h)
        network.parameters[i] = value
    return slopes


def test_joint_loss_is_one_a_row() -> None:
    network = scattered(MultivariateNormal(2))
    assert network.parameters.size == 4 * 4 + 5 * 5
    rng = np.random.default_rng(1)
    x, y, w = rng.normal(size=(6, 3)), rng.normal(3.0, 5.0, (6, 2)), rng.uniform(0.5, 2.0, 6)
    network.scaling = Scaling.of(x, y, "location and scale")
    raw = network.raw(x)  # unit p is raw parameter p
    factor = np.zeros((6, 2, 2))
    factor[:, 0, 0], factor[:, 1, 0], factor[:, 1, 1] = (
        np.exp(raw[:, 2]),
        raw[:, 3],
        np.exp(raw[:, 4]),
    )
    mean, std = y.mean(axis=0), y.std(axis=0)
    factor = std[:, np.newaxis] * factor
    losses = np.array([
        -stats.multivariate_normal(mean + std * raw[i, :2], factor[i] @ factor[i].T).logpdf(y[i])
        for i in range(6)
    ])  # fmt: skip
    assert_allclose(network.loss(x, y, w), np.sum(w * losses) / 6, rtol=1e-12)
    d = network.predict(x)
    assert_allclose(d.log_prob(y), -losses, rtol=1e-12)
    assert_allclose(d.parameters["scale_tril"], factor, rtol=1e-12)
    loss, gradient = network.loss_and_gradient(x, y, w)
    slopes = central_differences(network, lambda: network.loss(x, y, w))
    assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8 * abs(loss))
    with pytest.raises(ValueError, match="2 target columns"):
        Network(3, 3, [], MultivariateNormal(2))


def test_pinball_loss_stays_in_standardised_units() -> None:
    network = scattered(Quantiles([0.1, 0.6]))
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(6, 3)), rng.normal(3.0, 5.0, (6, 2))
    network.scaling = Scaling.of(x, y, "location and scale")
    z = (y - y.mean(axis=0)) / y.std(axis=0)
    raw = network.raw(x)
    low, high = raw[:, :2], raw[:, :2] + np.log1p(np.exp(raw[:, 2:]))
    loss = sum(
        np.maximum(level * (z - q), (level - 1) * (z - q)) for level, q in ((0.1, low), (0.6, high))
    )
    assert_allclose(network.loss(x, y), loss.sum(axis=1).mean(), rtol=1e-13)
    users = np.stack([low, high], axis=-1) * y.std(axis=0)[:, np.newaxis]
    users += y.mean(axis=0)[:, np.newaxis]
    assert_allclose(network.predict(x).parameters["quantiles"], users, rtol=1e-13)


CENSORED: list[tuple[Distribution, Callable[[Array], Any]]] = [
    (Exponential(), lambda raw: stats.expon(scale=np.exp(raw[0]))),
    (Weibull(), lambda raw: stats.weibull_min(np.exp(raw[1]), scale=np.exp(raw[0]))),
    (LogNormal(), lambda raw: stats.lognorm(np.exp(raw[1]), scale=np.exp(raw[0]))),
]


@pytest.mark.parametrize("standardised", [False, True])
@pytest.mark.parametrize(("family", "oracle"), CENSORED)
def test_censored_targets(
    family: Distribution, oracle: Callable[[Array], Any], standardised: bool
) -> None:
    network = scattered(family)
    rng = np.random.default_rng(2)
    x, y, w = rng.normal(size=(8, 3)), rng.gamma(2.0, 3.0, (8, 2)), rng.uniform(0.5, 2.0, 8)
    event = np.array([[1, 0], [0, 0], [1, 1], [0, 1], [1, 1], [1, 0], [0, 1], [1, 1]])
    scale = np.ones(2)
    if standardised:
        network.scaling = Scaling.of(x, y, family.target_scaling)
        scale = y.std(axis=0)
    raw = np.moveaxis(network.raw(x).reshape(8, -1, 2), 1, 0)
    standard, z = oracle(raw), y / scale
    of_seen, of_censored = standard.logpdf(z) - np.log(scale), standard.logsf(z)
    losses = -np.where(event == 1, of_seen, of_censored).sum(axis=1)
    assert_allclose(network.loss(x, y, w, event), np.sum(w * losses) / 8, **CLOSE)
    _, gradient = network.loss_and_gradient(x, y, w, event)
    slopes = central_differences(network, lambda: network.loss(x, y, w, event))
    assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8)
    loss, plain = network.loss_and_gradient(x, y, w)
    seen_loss, seen = network.loss_and_gradient(x, y, w, np.ones((8, 2), dtype=bool))
    assert loss == seen_loss
    assert_array_equal(plain, seen)


def test_unusable_events() -> None:
    network, x, y = scattered(Exponential()), np.ones((4, 3)), np.ones((4, 2))
    for wrong in (np.ones(4), np.full((4, 2), 0.5), np.full((4, 2), np.nan)):
        with pytest.raises(ValueError, match="event"):
            network.loss(x, y, None, wrong)
    for family in (Normal(), Poisson(), MultivariateNormal(2)):
        with pytest.raises(ValueError, match="takes no event"):
            scattered(family).loss(x, y, None, np.ones((4, 2)))


def test_training_on_censored_targets() -> None:
    """By hand: shuffled batches take their events along, validation has its own."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 3)), rng.gamma(2.0, 1.0, (6, 2))
    event = rng.integers(0, 2, (6, 2))
    network, other = scattered(Exponential()), scattered(Exponential())
    validation = (x[:3], y[:3], 1 - event[:3])
    history = fit(
        network, x, y, event=event, validation=validation,
        optimizer=SGD(0.1), batch_size=6, epochs=2, seed=4,
    )  # fmt: skip
    for epoch in range(2):
        loss, gradient = other.loss_and_gradient(x, y, event=event)
        other.parameters -= 0.1 * gradient
        assert_allclose(history.losses[epoch], loss, rtol=1e-13)
        expected = other.loss(*validation[:2], event=validation[2])
        assert_allclose(history.validation_losses[epoch], expected, rtol=1e-13)
    assert_allclose(network.parameters, other.parameters, rtol=1e-13)
    batched = scattered(Exponential())
    fit(batched, x, y, event=event, optimizer=SGD(0.1), batch_size=4, epochs=1, shuffle=False)
    other = scattered(Exponential())
    for rows in (slice(0, 4), slice(4, 6)):
        _, gradient = other.loss_and_gradient(x[rows], y[rows], event=event[rows])
        other.parameters -= 0.1 * gradient
    assert_allclose(batched.parameters, other.parameters, rtol=1e-13)
