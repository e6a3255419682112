"""Stabilised gradients against those of the networks and formulas that they are defined by."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from . import (
    SGD,
    BetaWeighting,
    Categorical,
    Dense,
    Distribution,
    Exponential,
    Faithful,
    Laplace,
    Logistic,
    LogNormal,
    Mixture,
    MultivariateNormal,
    NaturalGradient,
    Network,
    Normal,
    Ordinal,
    Quantiles,
    Scaling,
    Stabilizer,
    StudentT,
    Warmup,
    fit,
)
from .arrays import Array

CLOSE: Any = {"rtol": 1e-7, "atol": 1e-8}  # of central differences
FAMILIES: list[Distribution] = [
    Normal(), Normal("shared"), Normal(0.3), Laplace(), StudentT(), StudentT("shared"), Logistic(),
    LogNormal(),
]  # fmt: skip
ROWS = 7


def hidden() -> list[Dense]:
    return [Dense(4, "tanh"), Dense(5, "silu")]


def scattered(family: Distribution, seed: int = 0) -> Network:
    network = Network(3, 2, hidden(), family, dtype="float64")
    network.parameters += np.random.default_rng(seed).normal(0, 0.4, network.parameters.size)
    return network


def data() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(ROWS, 3)), rng.gamma(2.0, 1.0, (ROWS, 2)), rng.uniform(0.5, 2.0, ROWS)


def raw_of(network: Network, x: Array) -> Array:
    return network._all_raw(network.raw(x))


def expected_gradient(network: Network, x: Array, d_raw: Array, d_below: Array, w: Array) -> Array:
    """Backpropagation by central differences of sum(w d_raw raw) / rows, where d_raw is constant:
    d_raw for the output layer and constants, d_below for the layers before.
    """
    slopes, h = np.empty_like(network.parameters), 1e-6
    output = network.slots[network.layers[-1]].offset
    for i, value in enumerate(network.parameters.copy()):
        network.parameters[i] = value + h
        up = raw_of(network, x)
        network.parameters[i] = value - h
        rise = (up - raw_of(network, x)) / (2 * h)
        network.parameters[i] = value
        chosen = d_below if i < output else d_raw
        slopes[i] = -np.sum(w[:, np.newaxis] * chosen * rise) / len(x)
    return slopes


def check(
    network: Network, stabilize: Stabilizer, d_raw: Array, d_below: Array | None = None,
    event: Array | None = None, epoch: int = 0,
) -> None:  # fmt: skip
    x, y, w = data()
    loss, gradient = network.loss_and_gradient(x, y, w, event, stabilize=stabilize, epoch=epoch)
    assert loss == network.loss(x, y, w, event)
    expected = expected_gradient(network, x, d_raw, d_raw if d_below is None else d_below, w)
    assert_allclose(gradient, expected, **CLOSE)


def at_unit_scale(raw: Array) -> Array:
    return np.stack([raw[0], np.zeros_like(raw[1]), *raw[2:]])


def derivatives(family: Distribution, raw: Array, event: Array | None) -> Array:
    """In the density or survival, which have tests of their own."""
    _, y, _ = data()
    if event is None:
        return family.gradient(raw, y)
    return np.where(event == 1, family.gradient(raw, y), family.survival_gradient(raw, y))


EVENT = np.random.default_rng(5).integers(0, 2, (ROWS, 2))
SITUATIONS = [*((family, None) for family in FAMILIES), (LogNormal(), EVENT)]


@pytest.mark.parametrize(("family", "event"), SITUATIONS)
def test_stabilizers_of_locations(family: Distribution, event: Array | None) -> None:
    network = scattered(family)
    raw = raw_of(network, data()[0])
    plain = derivatives(family, raw, event)
    location = np.zeros_like(plain)
    location[0] = derivatives(family, at_unit_scale(raw), event)[0]
    check(network, Warmup(3), location, event=event, epoch=2)
    check(network, Warmup(3), plain, event=event, epoch=3)
    mixed = np.concatenate([location[:1], plain[1:]])
    check(network, Faithful(), mixed, location, event=event)
    for beta in (0.0, 0.5, 1.0):
        check(network, BetaWeighting(beta), np.exp(2 * beta * raw[1]) * plain, event=event)


def test_normal_by_hand() -> None:
    """Squared errors, where the papers say so."""
    network, (x, y, _) = scattered(Normal()), data()
    loc, log_scale = raw_of(network, x)
    error, variance = y - loc, np.exp(2 * log_scale)
    d_log_scale = error**2 / variance - 1
    none = np.zeros_like(error)
    check(network, Warmup(1), np.stack([error, none]))
    check(network, Faithful(), np.stack([error, d_log_scale]), np.stack([error, none]))
    half = np.stack([error / variance, d_log_scale]) * np.sqrt(variance)
    check(network, BetaWeighting(), half)
    check(network, BetaWeighting(1.0), np.stack([error, d_log_scale * variance]))
    natural = [error / variance / (1 / variance + 0.01), d_log_scale / 2.01]
    check(network, NaturalGradient(0.01), np.stack(natural))
    natural = [error / variance / (1 / variance + 1e-3), d_log_scale / 2.001]
    check(network, NaturalGradient(), np.stack(natural))


def test_scales_are_held_in_weights() -> None:
    network = Network(3, 2, [], Normal(), dtype="float64")
    network.parameters[-2:] = [-1e4, 40.0]  # the bias of log_scale
    x, y, _ = data()
    _, plain = network.loss_and_gradient(x, y)
    _, weighted = network.loss_and_gradient(x, y, stabilize=BetaWeighting(0.5))
    factor = np.exp([-30.0, 30.0])
    assert_allclose(weighted.reshape(4, 2, 2)[:, 0], plain.reshape(4, 2, 2)[:, 0] * factor)


@pytest.mark.parametrize("family", [Exponential(), Normal("shared"), Categorical(3), StudentT(3.0)])
def test_natural_gradient_of_others(family: Distribution) -> None:
    network, (x, y, w) = scattered(family), data()
    if isinstance(family, Categorical):
        y = np.floor(y) % 3
    raw = raw_of(network, x)
    if isinstance(family, Exponential):
        information = np.ones_like(raw)
    elif isinstance(family, Normal):
        information = np.stack([np.exp(-2 * raw[1]), np.full_like(raw[1], 2.0)])
    elif isinstance(family, StudentT):
        information = np.stack([4 / 6 * np.exp(-2 * raw[1]), 0 * raw[1] + 6 / 6, 0 * raw[2] + 1.0])
    else:
        probs = special.softmax(raw, axis=0)
        information = probs * (1 - probs)
    d_raw = family.gradient(raw, y) / (information + 0.2)
    _, gradient = network.loss_and_gradient(x, y, w, stabilize=NaturalGradient(0.2))
    assert_allclose(gradient, expected_gradient(network, x, d_raw, d_raw, w), **CLOSE)


def test_units_are_standardised() -> None:
    network, (x, y, w) = scattered(Normal()), data()
    network.scaling = Scaling(np.zeros(3), np.ones(3), np.array([1.0, 2.0]), np.array([3.0, 0.5]))
    other = scattered(Normal())
    z = (y - [1.0, 2.0]) / [3.0, 0.5]
    for stabilize in (Warmup(1), BetaWeighting(), Faithful(), NaturalGradient()):
        loss, gradient = network.loss_and_gradient(x, y, w, stabilize=stabilize)
        assert_allclose(gradient, other.loss_and_gradient(x, z, w, stabilize=stabilize)[1])
        assert loss == network.loss(x, y, w)


def test_training_warms_up() -> None:
    """Meanwhile as a network of unit scale, for the mean; the history holds plain losses."""
    x, y, _ = data()
    network, mean = (Network(3, 2, [], f, dtype="float64") for f in (Normal(), Normal(1.0)))
    mean.parameters[...] = network.parameters.reshape(4, 2, 2)[:, 0].ravel()
    start = network.parameters.copy()
    options: dict[str, Any] = {"optimizer": SGD(0.1), "batch_size": 3}
    history = fit(network, x, y, **options, epochs=2, stabilize=Warmup(2))
    fit(mean, x, y, **options, epochs=2)
    after = network.parameters.reshape(4, 2, 2)
    assert_allclose(after[:, 0].ravel(), mean.parameters, rtol=1e-13)
    assert_array_equal(after[:, 1], start.reshape(4, 2, 2)[:, 1])
    assert np.abs(after[:, 0] - start.reshape(4, 2, 2)[:, 0]).max() > 0.01
    third = Network(3, 2, [], Normal(), dtype="float64")
    history_of_three = fit(third, x, y, **options, epochs=3, stabilize=Warmup(2))
    assert history_of_three.losses[:2] == history.losses
    assert np.abs(third.parameters.reshape(4, 2, 2)[:, 1] - after[:, 1]).max() > 0.01
    first = Network(3, 2, [], Normal(), dtype="float64")
    whole = fit(first, x, y, optimizer=SGD(0.1), batch_size=ROWS, epochs=1, stabilize=Warmup(1))
    first.parameters[...] = start
    assert_allclose(whole.losses, [first.loss(x, y)], rtol=1e-13)


def test_a_faithful_fit_has_the_mean_of_least_squares() -> None:
    """All along, whatever the scale learns (Stirn et al. 2023)."""
    x, y, _ = data()
    network = Network(3, 2, hidden(), Normal(), dtype="float64")
    mean = Network(3, 2, hidden(), Normal(1.0), dtype="float64")
    mean.parameters[: 4 * 4 + 5 * 5] = network.parameters[: 4 * 4 + 5 * 5]
    mean.parameters[-12:] = network.parameters[-24:].reshape(6, 2, 2)[:, 0].ravel()
    options: dict[str, Any] = {"optimizer": SGD(0.1, 0.5), "batch_size": 3, "epochs": 5}
    fit(network, x, y, **options, stabilize=Faithful())
    fit(mean, x, y, **options)
    assert_allclose(network.predict(x).mean, mean.predict(x).mean, rtol=1e-12)
    assert np.abs(network.predict(x).std - 1).max() > 0.1


def test_one_layer_as_hidden_and_output_layer() -> None:
    """Its last use is the output layer; what goes below that is the location's alone."""
    shared = Dense(4, "tanh")
    network = Network(4, 2, [shared], Normal(), shared, dtype="float64")
    x, y = np.random.default_rng(2).normal(size=(ROWS, 4)), data()[1]
    _, gradient = network.loss_and_gradient(x, y, stabilize=Faithful())
    w, b = network.parameters[:16].reshape(4, 4), network.parameters[16:]
    inner = np.tanh(x @ w + b)
    outer = np.tanh(inner @ w + b)
    d_outer = -Normal().gradient(outer.reshape(ROWS, 2, 2).swapaxes(0, 1), y) / ROWS
    d_outer[0] = (outer[:, :2] - y) / ROWS
    d_z = np.concatenate([*d_outer], axis=1) * (1 - outer**2)
    d_inner = (d_z[:, :2] @ w[:, :2].T) * (1 - inner**2)
    expected = inner.T @ d_z + x.T @ d_inner
    assert_allclose(gradient[:16], expected.ravel(), rtol=1e-10, atol=1e-14)
    assert_allclose(gradient[16:], (d_z + d_inner).sum(axis=0), rtol=1e-10, atol=1e-14)


def test_unusable_stabilizers() -> None:
    for values in (lambda: Warmup(0), lambda: BetaWeighting(-0.1), lambda: BetaWeighting(1.1),
                   lambda: NaturalGradient(0.0), lambda: NaturalGradient(np.inf)):  # fmt: skip
        with pytest.raises(ValueError, match=r"epoch|beta|damping"):
            values()
    x, y, _ = data()
    for stabilize, families in (
        (Warmup(1), (Exponential(), MultivariateNormal(2), Mixture(Normal(), 2))),
        (BetaWeighting(), (Exponential(), Ordinal(3))),
        (Faithful(), (Exponential(), Quantiles([0.5]))),
        (NaturalGradient(), (MultivariateNormal(2), Mixture(Normal(), 2), Ordinal(3),
                             Quantiles([0.5]))),
    ):  # fmt: skip
        for family in families:
            network = scattered(family)
            before = network.parameters.copy()
            with pytest.raises(ValueError, match=r"loc and log_scale|Fisher"):
                fit(network, x, y, optimizer=SGD(0.1), batch_size=2, epochs=1, stabilize=stabilize)
            assert_array_equal(network.parameters, before)
