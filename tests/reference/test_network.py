"""The reference's networks, optimizers and training loop against central differences, least squares
and arithmetic done by hand.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from . import (
    SGD,
    Adam,
    Bernoulli,
    Categorical,
    Dense,
    Layer,
    Network,
    Normal,
    Optimizer,
    Residual,
    Scaling,
    fit,
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
        ("hidden layer", lambda: Network(3, 3, [Residual(square)], Normal(1.0), square)),
        ("support", lambda: Network(3, 2, [], Bernoulli()).loss(x, y)),
        ("y has the shape", lambda: network.loss(x, y[:, :1])),
        ("momentum", lambda: SGD(nesterov=True)),
        (
            "batch",
            lambda: fit(network, x, y, optimizer=SGD(), batch_size=7, epochs=1, drop_last=True),
        ),
        (
            "patience",
            lambda: fit(network, x, y, optimizer=SGD(), batch_size=6, epochs=1, patience=1),
        ),
    ]
    for message, call in wrong:
        with pytest.raises(ValueError, match=message):
            call()


def test_optimizers_by_hand() -> None:
    g1, g2 = np.array([2.0, -1.0]), np.array([1.0, 3.0])
    m, v = 0.8 * 0.2 * g1 + 0.2 * g2, 0.9 * 0.1 * g1**2 + 0.1 * g2**2
    adam_1 = 0.1 * g1 / (np.abs(g1) + 0.01)
    adam_2 = 0.1 * (m / 0.36) / (np.sqrt(v / 0.19) + 0.01)  # 1 - 0.8^2 and 1 - 0.9^2
    cases: list[tuple[Optimizer, Array]] = [
        (SGD(0.1), 0.1 * (g1 + g2)),
        (SGD(0.1, momentum=0.5), 0.1 * (g1 + (0.5 * g1 + g2))),
        (SGD(0.1, momentum=0.5, nesterov=True), 0.1 * (1.5 * g1 + (g2 + 0.5 * (0.5 * g1 + g2)))),
        (Adam(0.1, beta1=0.8, beta2=0.9, epsilon=0.01), adam_1 + adam_2),
    ]
    for optimizer, change in cases:
        for _ in range(2):  # the second round shows that reset forgets everything
            parameters = np.array([1.0, 1.0])
            optimizer.reset()
            optimizer.step(parameters, g1, 0.1)
            optimizer.step(parameters, g2, 0.1)
            assert_allclose(parameters, 1.0 - change, rtol=1e-14)


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
