"""The reference's networks against central differences, SciPy and arithmetic done by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from . import (
    Bernoulli,
    Categorical,
    Dense,
    Layer,
    Network,
    Normal,
    Residual,
    Scaling,
    philox,
)
from .arrays import Array

CLOSE: Any = {"rtol": 1e-12, "atol": 1e-13}


def residual_network() -> Network:
    shared = Dense(4, "tanh")
    layers: list[Layer] = [
        Dense(4, "elu", activation_parameters={"alpha": 0.7}),
        Residual(shared, Residual(Dense(3, "silu", init="torch_uniform"), Dense(4, "gelu"))),
        shared,
        Residual(shared),
        Dense(5, "softplus", bias=False),
    ]
    output = Dense(2, "leaky_relu", bias=False, activation_parameters={"negative_slope": 0.4})
    return Network(3, 2, layers, Normal("shared"), output, dtype="float64", seed=4)


NETWORKS: dict[str, Callable[[], Network]] = {
    "shared scale, residuals": residual_network,
    "normal": lambda: Network(3, 2, [Dense(4, "sigmoid")], Normal(), dtype="float64"),
    "fixed scale": lambda: Network(3, 2, [Residual(Dense(3, "softplus"))], Normal(0.7)),
    "bernoulli": lambda: Network(3, 2, [Dense(4, "gelu")], Bernoulli()),
    "categorical": lambda: Network(3, 2, [Dense(4, "tanh")], Categorical(3)),
    "no hidden layer": lambda: Network(3, 2, [], Normal()),
}


def data(network: Network, rows: int = 6, seed: int = 0) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.normal(2.0, 3.0, (rows, network.inputs))
    y = rng.normal(-5.0, 2.0, (rows, network.targets))
    if network.distribution.target_scaling == "none":
        y = rng.integers(0, 2, (rows, network.targets)).astype(np.float64)
    return x, y, rng.uniform(0.5, 2.0, rows)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("standardised", [False, True])
def test_network_gradient(name: str, standardised: bool) -> None:
    network = NETWORKS[name]()
    x, y, weight = data(network)
    if standardised:
        network.scaling = Scaling.of(x, y, network.distribution.target_scaling)
    network.parameters += np.random.default_rng(1).normal(0, 0.1, network.parameters.size)
    loss, gradient = network.loss_and_gradient(x, y, weight)
    assert loss == network.loss(x, y, weight)
    parameters, slopes, h = network.parameters, np.empty_like(gradient), 1e-5
    for i, value in enumerate(parameters.copy()):
        parameters[i] = value + h
        up = network.loss(x, y, weight)
        parameters[i] = value - h
        slopes[i] = (up - network.loss(x, y, weight)) / (2 * h)
        parameters[i] = value
    assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-8 * max(1.0, abs(loss)))
    assert np.count_nonzero(gradient) == gradient.size


def test_layout_of_parameters_and_raw_parameters() -> None:
    shared = Dense(3, "tanh", init="torch_uniform")
    network = Network(3, 2, [shared, Residual(shared)], Normal(), dtype="float64", seed=9)
    weight, bias = philox.initialise(
        "torch_uniform", "tanh", 3, 3, seed=9, layer=0, dtype="float64"
    )
    last, zero = philox.initialise("auto", "identity", 3, 4, seed=9, layer=1, dtype="float64")
    expected = np.concatenate([weight.ravel(), bias, last.ravel(), zero])
    assert_array_equal(network.parameters, expected)

    x, y, w = data(network)
    once = np.tanh(x @ weight + bias)
    raw = (once + np.tanh(once @ weight + bias)) @ last
    assert_allclose(network.raw(x), raw, rtol=1e-13)
    row_loss = -stats.norm(raw[:, :2], np.exp(raw[:, 2:])).logpdf(y).sum(axis=1)
    assert_allclose(network.loss(x, y), row_loss.mean(), rtol=1e-13)
    assert_allclose(network.loss(x, y, w), np.sum(w * row_loss) / 6, rtol=1e-13)
    assert_array_equal(residual_network().parameters[-2:], 0.0)
    assert residual_network().parameters.size == 16 + 20 + 15 + 16 + 20 + 10 + 2


@pytest.mark.parametrize("scale", ["predicted", "shared", 0.7])
def test_standardised_answers_are_in_the_users_units(scale: str | float) -> None:
    network = Network(3, 2, [Dense(4, "tanh")], Normal(scale))
    x, y, w = data(network, rows=30)
    network.scaling = Scaling.of(x, y, "location and scale", w)
    mean = np.average(x, axis=0, weights=w)
    std = np.sqrt(np.cov(x.T, aweights=w, ddof=0).diagonal())
    plain = Network(3, 2, [Dense(4, "tanh")], Normal(scale))
    assert_allclose(network.raw(x), plain.raw((x - mean) / std), rtol=1e-12)
    d = network.predict(x)
    if not isinstance(scale, str):
        std = np.sqrt(np.cov(y.T, aweights=w, ddof=0).diagonal())
        assert_allclose(d.std, np.broadcast_to(scale * std, y.shape), rtol=1e-12)
    oracle = stats.norm(**d.parameters)
    assert_allclose(network.loss(x, y), -oracle.logpdf(y).sum(axis=1).mean(), **CLOSE)
    assert_allclose(d.log_prob(y), oracle.logpdf(y), **CLOSE)
    assert_allclose(d.cdf(y), oracle.cdf(y), **CLOSE)
    assert_allclose(d.quantile(0.9), oracle.ppf(0.9), **CLOSE)
    assert_allclose(d.entropy, oracle.entropy(), **CLOSE)
    moments = [d.mean, d.mode, d.std, d.variance]
    assert_allclose(moments, [oracle.mean(), oracle.mean(), oracle.std(), oracle.var()], **CLOSE)
    words = philox.words(3, 4, 0, 0, 0, 7 * y.size)
    for dtype, uniform in (("float32", philox.uniform32), ("float64", philox.uniform64)):
        d.dtype = dtype
        draws = d.sample(7, seed=3)
        assert draws.shape == (7, *y.shape)
        assert_allclose(oracle.cdf(draws).ravel(), uniform(words), **CLOSE)


def test_scaling() -> None:
    x = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    twice = np.repeat(x, [1, 2, 3], axis=0)
    s = Scaling.of(x, x, "location and scale", np.array([1.0, 2.0, 3.0]))
    assert_allclose([s.input_mean, s.target_mean], [twice.mean(axis=0)] * 2, rtol=1e-14)
    assert_allclose([s.input_scale, s.target_scale], [[1.0, twice[:, 1].std()]] * 2, rtol=1e-14)
    s = Scaling.of(x, x, "location and scale", np.array([0.0, 1.0, 0.0]))
    assert_array_equal([s.input_mean, s.input_scale], [x[1], [1, 1]])
    s = Scaling.of(x, x, "scale")
    assert_array_equal([s.target_mean, s.target_scale], [[0, 0], [1, x[:, 1].std()]])
    s = Scaling.of(x, x, "none")
    assert_array_equal([s.target_mean, s.target_scale], [[0, 0], [1, 1]])


def test_unusable_arguments_are_errors() -> None:
    network, square = Network(3, 2, [], Normal()), Dense(3)
    x, y, _ = data(network)
    wrong: list[tuple[str, Callable[[], object]]] = [
        ("width", lambda: Network(3, 2, [Residual(Dense(4))], Normal())),
        ("same number of inputs", lambda: Network(2, 2, [square, square], Normal())),
        ("4 units", lambda: Network(3, 2, [], Normal(), Dense(3))),
        ("support", lambda: Network(3, 2, [], Bernoulli()).loss(x, y)),
        ("y has the shape", lambda: network.loss(x, y[:, :1])),
    ]
    for message, call in wrong:
        with pytest.raises(ValueError, match=message):
            call()
