"""The reference's dropout and normalisation, in training and in evaluation mode, against central
differences, the counter's words and formulas written out.
"""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from . import (
    SGD,
    BatchNorm,
    Categorical,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Network,
    Normal,
    Residual,
    Scaling,
    fit,
    philox,
)
from .arrays import Array

POSITION: Any = {"seed": 11, "epoch": 3, "step": 5}


def mixed() -> Network:
    shared, dropout = LayerNorm(activation="tanh"), Dropout(0.3)
    layers: list[Layer] = [
        LayerNorm(0.1, "elu", {"alpha": 0.6}),
        Dense(5, "tanh"),
        dropout,
        Residual(BatchNorm(0.5, activation="silu"), Dense(5), dropout, shared, Dropout(0.5)),
        shared,
        Residual(Dense(4, "softplus"), BatchNorm(0.0, 0.3), Dense(5, "tanh"), LayerNorm()),
    ]
    return Network(3, 2, layers, Normal("shared"), dtype="float64", seed=2)


def output_twice() -> Network:
    output = Dense(3, "tanh")
    return Network(3, 3, [LayerNorm(), output, Dropout(0.2)], Normal(0.5), output)


NETWORKS: dict[str, Callable[[], Network]] = {
    "dropout first": lambda: Network(3, 2, [Dropout(0.4), Dense(4, "gelu")], Normal()),
    "dropout last": lambda: Network(3, 2, [Dense(9, "gelu"), Dropout(0.4)], Categorical(3)),
    "dropout twice": lambda: Network(3, 2, [Dropout(0.25)] * 2, Normal()),
    "batch norm first": lambda: Network(3, 2, [BatchNorm(activation="sigmoid")], Normal()),
    "batch norm": lambda: Network(3, 2, [Dense(4), BatchNorm(epsilon=0.1), Dense(3)], Normal()),
    "residual batch norm": lambda: Network(3, 2, [Residual(BatchNorm(), Dense(3))], Normal(0.5)),
    "layer norm first": lambda: Network(3, 2, [LayerNorm(activation="sigmoid")], Normal()),
    "layer norm": lambda: Network(3, 2, [Dense(4), LayerNorm(epsilon=0.1), Dense(3)], Normal()),
    "layer norm twice": lambda: Network(3, 2, [Residual(x := LayerNorm(), Dense(3)), x], Normal()),
    "mixed": mixed,
    "output twice": output_twice,
}


def scattered(network: Network, rows: int = 7) -> tuple[Network, Array, Array, Array]:
    """With parameters, averages and scaling that are not as they started; and data."""
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 3.0, (rows, network.inputs))
    y = rng.integers(0, 3, (rows, network.targets)).astype(np.float64)
    network.scaling = Scaling.of(x, y, network.distribution.target_scaling)
    network.parameters += rng.normal(0, 0.2, network.parameters.size)
    network.averages += rng.uniform(0.1, 0.9, network.averages.size)
    return network, x, y, rng.uniform(0.5, 2.0, rows)


@pytest.mark.parametrize("mode", ["training", "evaluation"])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradient(name: str, mode: str) -> None:
    network, x, y, weight = scattered(NETWORKS[name]())

    def loss_and_gradient() -> tuple[float, Array]:
        if mode == "evaluation":
            return network.loss_and_gradient(x, y, weight)
        return network.training_loss_and_gradient(x, y, weight, **POSITION)[:2]

    averages, parameters, h = network.averages.copy(), network.parameters, 1e-5
    gradient = loss_and_gradient()[1]
    slopes = np.empty_like(gradient)
    for i, value in enumerate(parameters.copy()):
        parameters[i] = value + h
        up = loss_and_gradient()[0]
        parameters[i] = value - h
        slopes[i] = (up - loss_and_gradient()[0]) / (2 * h)
        parameters[i] = value
    assert_allclose(gradient, slopes, rtol=1e-6, atol=2e-9)
    assert np.count_nonzero(gradient) >= 0.8 * gradient.size
    assert_array_equal(network.averages, averages)


def probe(layers: list[Layer], width: int = 3) -> Network:
    """A network whose outputs are the values of the last of these layers."""
    network = Network(width, width, layers, Normal(1.0), dtype="float64")
    network.slots[network.layers[-1]].weight(network.parameters)[...] = np.eye(width)
    return network


def training_values(network: Network, x: Array, **position: int) -> Array:
    """The outputs in training mode, which are the gradients of sum (output - 0)^2 / 2 a row."""
    values = []
    for row in np.eye(len(x)):
        step = network.training_loss_and_gradient(x, np.zeros_like(x), row, **position)
        values.append(len(x) * step[1][-x.shape[1] :])
    return np.array(values)


X = np.random.default_rng(4).normal(1.0, 2.0, (6, 3))
SCALE, SHIFT = np.array([0.5, -1.0, 2.0]), np.array([0.1, 0.7, -0.3])


def normalised(lines: Array, epsilon: float) -> Array:
    """Each line less its mean, over its standard deviation."""
    result = []
    for line in lines.tolist():
        mean, variance = statistics.fmean(line), statistics.pvariance(line)
        result.append([(value - mean) / (variance + epsilon) ** 0.5 for value in line])
    return np.array(result)


@pytest.mark.parametrize(("layer", "axis"), [(BatchNorm, 0), (LayerNorm, 1)])
def test_values_of_a_normalised_layer(layer: Callable[..., Layer], axis: int) -> None:
    network = probe([layer(epsilon=0.2, activation="elu", activation_parameters={"alpha": 0.5})])
    assert_array_equal(network.parameters[:6], [1, 1, 1, 0, 0, 0])
    network.parameters[:6] = np.append(SCALE, SHIFT)
    columns = normalised(X.T, 0.2).T if axis == 0 else normalised(X, 0.2)
    z = columns * SCALE + SHIFT
    expected = np.where(z > 0, z, 0.5 * np.expm1(z))
    assert_allclose(training_values(network, X), expected, rtol=1e-12)
    if axis == 1:  # the mode is of no matter
        assert network.averages.size == 0
        assert_allclose(network.raw(X), expected, rtol=1e-12)
        return
    assert_array_equal(network.averages, [0, 0, 0, 1, 1, 1])
    mean, variance = np.array([1.0, 2.0, -1.0]), np.array([0.5, 4.0, 0.1])
    network.averages[...] = np.append(mean, variance)
    z = (X - mean) / np.sqrt(variance + 0.2) * SCALE + SHIFT
    assert_allclose(network.raw(X), np.where(z > 0, z, 0.5 * np.expm1(z)), rtol=1e-12)
    assert_allclose(training_values(network, X), expected, rtol=1e-12)


def test_defaults_are_those_of_the_contract() -> None:
    one, other = BatchNorm(), LayerNorm()
    assert (one.momentum, one.epsilon, one.activation) == (0.9, 1e-5, "identity")
    assert (other.epsilon, other.activation) == (1e-5, "identity")


def test_layout_of_parameters_and_averages() -> None:
    norm, batch, dense = LayerNorm(), BatchNorm(), Dense(2)
    layers = [Residual(norm, Dropout(0.5), BatchNorm()), dense, batch]
    network = Network(3, 1, layers, Normal("shared"), dtype="float64", seed=1)
    dense_weight = philox.initialise("auto", "identity", 3, 2, seed=1, layer=0, dtype="float64")[0]
    output = philox.initialise("auto", "identity", 2, 1, seed=1, layer=1, dtype="float64")[0]
    columns = [1, 1, 1, 0, 0, 0]
    expected = [*columns, *columns, *dense_weight.ravel(), 0, 0, 1, 1, 0, 0, *output.ravel(), 0, 0]
    assert_array_equal(network.parameters, expected)
    assert_array_equal(network.averages, [0, 0, 0, 1, 1, 1, 0, 0, 1, 1])


def test_moving_averages() -> None:
    """They move after each step that was applied, and not by the weights of the rows."""
    network = probe([BatchNorm(momentum=0.75), Dense(3), BatchNorm()])
    options: dict[str, Any] = {"optimizer": SGD(), "batch_size": 4, "epochs": 1, "shuffle": False}
    fit(network, X, X, sample_weight=np.arange(6), **options)
    mean, variance = np.zeros(3), np.ones(3)
    for batch in (X[:4], X[4:]):
        mean = 0.75 * mean + 0.25 * batch.mean(axis=0)
        variance = 0.75 * variance + 0.25 * batch.var(axis=0, ddof=1)
    assert_allclose(network.averages[:6], np.append(mean, variance), rtol=1e-12)
    assert np.all(network.averages[6:] != [0, 0, 0, 1, 1, 1])


def test_moving_averages_lead_to_those_of_the_rows() -> None:
    network = Network(3, 3, [BatchNorm()], Normal(1.0), dtype="float64")
    fit(network, X, X, optimizer=SGD(1e-9), batch_size=6, epochs=400, standardize=True)
    assert_allclose(network.averages, [0, 0, 0, 1.2, 1.2, 1.2], atol=1e-12)  # 6 / (6 - 1)


def test_mask_by_hand() -> None:
    words = philox.words(11, 3, 5, 3, 2, 6).tolist()
    for rate, kept in ((0.25, 49152), (0.3, 45875), (0.0, 65536), (1 - 2**-30, 1)):
        mask = philox.dropout_mask(rate, (7, 3), **POSITION, use=2)
        fields = [(words[e // 4] >> 16 * (e % 4)) % 65536 for e in range(21)]
        expected = [65536 / kept if field < kept else 0.0 for field in fields]
        assert_array_equal(mask, np.reshape(expected, (7, 3)))
    for kept, value in ((fields[0], 0.0), (fields[0] + 1, 65536 / (fields[0] + 1))):
        mask = philox.dropout_mask(1 - kept / 65536, (1,), **POSITION, use=2)
        assert_array_equal(mask, [value])


def test_share_and_scale_of_a_mask() -> None:
    for rate, kept in ((0.2, 52429), (0.5, 32768), (1 - 2.5 / 65536, 2), (1 - 3.5 / 65536, 4)):
        mask = philox.dropout_mask(rate, (1000, 1000), **POSITION, use=0)
        assert set(np.unique(mask)) == {0.0, 65536 / kept}  # half to even: 2.5 is 2, 3.5 is 4
        share = kept / 65536
        assert abs(np.mean(mask > 0) - share) < 5 * np.sqrt(share * (1 - share) / 1e6)


def test_masks_differ_by_position_alone() -> None:
    def mask(rows: int = 50, rate: float = 0.5, **changed: int) -> Array:
        return philox.dropout_mask(rate, (rows, 3), **({**POSITION, "use": 0} | changed))

    base = mask()
    for changed in ({"seed": 12}, {"epoch": 4}, {"step": 6}, {"use": 1}):
        assert 0.3 < np.mean(base != mask(**changed)) < 0.7
    assert_array_equal(base[:33], mask(33))  # a short batch begins as a full one
    assert np.all((mask(rate=0.7) > 0) <= (base > 0))  # more are dropped, never others
    assert_array_equal(base.reshape(30, 5), philox.dropout_mask(0.5, (30, 5), **POSITION, use=0))


def test_uses_of_dropout_are_counted_as_they_are_met() -> None:
    twice, block = Dropout(0.4), Residual(Dropout(0.0), Dropout(0.5))
    network = probe([twice, block, block, twice])
    rates = dict(enumerate((0.4, 0.0, 0.5, 0.0, 0.5, 0.4)))
    masks = [philox.dropout_mask(r, X.shape, **POSITION, use=u) for u, r in rates.items()]
    expected = X * masks[0] * (1 + masks[2]) * (1 + masks[4]) * masks[5]
    assert_allclose(training_values(network, X, **POSITION), expected, rtol=1e-12)
    assert_allclose(network.raw(X), 4 * X, rtol=1e-12)


def test_masks_of_a_fit() -> None:
    """Each step of each epoch has masks of its own, by the trainer's seed and the step within."""
    network, other = (Network(3, 3, [Dropout(0.4)], Normal(1.0), dtype="float64") for _ in "ab")
    options: dict[str, Any] = {"batch_size": 4, "epochs": 2, "seed": 8}
    fit(network, X, X, optimizer=SGD(0.1), **options)
    for epoch in range(2):
        order = philox.shuffle(6, 8, epoch)
        for step, batch in enumerate((order[:4], order[4:])):
            mask = philox.dropout_mask(0.4, X[batch].shape, seed=8, epoch=epoch, step=step, use=0)
            plain = Network(3, 3, [], Normal(1.0), dtype="float64")
            plain.parameters[...] = other.parameters
            other.parameters -= 0.1 * plain.loss_and_gradient(X[batch] * mask, X[batch])[1]
    assert_allclose(network.parameters, other.parameters, rtol=1e-12)


def test_unusable_layers_are_errors() -> None:
    once, norm = BatchNorm(), LayerNorm()
    network = Network(3, 1, [BatchNorm()], Normal())
    wrong: list[tuple[str, Callable[[], Any]]] = [
        *(("rate", lambda r=r: Dropout(r)) for r in (-0.1, 1.0, np.nan)),
        *(("momentum", lambda m=m: BatchNorm(m)) for m in (-0.1, 1.0, np.nan)),
        *(("epsilon", lambda n=n, e=e: n(epsilon=e))
          for n in (BatchNorm, LayerNorm) for e in (0.0, -1.0, np.nan, np.inf)),
        *(("activation", lambda n=n: n(activation="cube")) for n in (BatchNorm, LayerNorm, )),
        ("used once", lambda: Network(3, 1, [once, once], Normal())),
        ("used once", lambda: Network(3, 1, [once, Residual(Dense(3), once)], Normal())),
        ("used once", lambda: Network(3, 1, [r := Residual(once), r], Normal())),
        ("same number", lambda: Network(3, 1, [norm, Dense(2), norm], Normal())),
        *(("output", lambda layer=layer: Network(3, 2, [], Normal(1.0), layer))
          for layer in (norm, once, Dropout(0.1))),
        ("two rows", lambda: network.training_loss_and_gradient(X[:1], X[:1, :1])),
    ]  # fmt: skip
    for message, call in wrong:
        with pytest.raises(ValueError, match=message):
            call()
