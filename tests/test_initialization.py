"""The first parameters of a network, number by number, against the reference."""

import statistics
from typing import Any

import likely
import numpy as np
import pytest
from reference import philox
from support import (
    ARCHITECTURES,
    DTYPES,
    FAMILIES,
    INPUTS,
    Kit,
    Layers,
    Pair,
    assert_close,
    linear,
    make_pair,
)

INITIALISERS = ("auto", *philox.INITIALISERS)
SEEDS = (0, 1, 12345, 2**63, 2**64 - 1)


def initialised(init: str, dtype: str, seed: int) -> Pair:
    def layers(kit: Kit, width: int) -> Layers:
        shared = kit.dense(7, "relu", init=init)
        hidden = [
            kit.residual(
                kit.dense(5, "silu", init=init), kit.dense(3, "tanh", init=init, bias=False)
            ),
            kit.dense(7, "sigmoid", init=init),
            shared,
            kit.residual(shared),
        ]
        return hidden, kit.dense(width, init=init)

    return make_pair(layers, FAMILIES["shared scale"], 3, 2, dtype, seed=seed)


# The core's AS 241 and the reference's ndtri are each within 4 epsilons of the exact quantile
# (computed in 50 digits), often on different sides of it. Both are float64 and are then rounded.
NORMAL_EPSILONS = {"float32": 1, "float64": 8}


def assert_same_start(pair: Pair, epsilons: int = 0) -> None:
    start = pair.reference.parameters
    np.testing.assert_array_equal(start, start.astype(pair.dtype))
    assert_close(pair.core.parameters, start, pair.dtype, epsilons)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("init", INITIALISERS)
def test_first_parameters(init: str, seed: int, dtype: str) -> None:
    pair = initialised(init, dtype, seed)
    assert pair.core.parameters.dtype == dtype
    assert_same_start(pair, NORMAL_EPSILONS[dtype] if init.endswith("normal") else 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_first_parameters_of_every_architecture(architecture: str, family: str, dtype: str) -> None:
    assert_same_start(
        make_pair(ARCHITECTURES[architecture], FAMILIES[family], INPUTS, 3, dtype, seed=3)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("init", ["glorot_normal", "he_normal"])
def test_normal_starts_far_into_the_tails(init: str, dtype: str) -> None:
    def layers(kit: Kit, width: int) -> Layers:
        return [kit.dense(400, init=init)], None

    pair = make_pair(layers, FAMILIES["normal"], 250, 1, dtype)
    assert np.abs(pair.reference.parameters).max() > 4 * np.sqrt(2 / 650)
    assert_same_start(pair, NORMAL_EPSILONS[dtype])


def test_normal_starts_follow_the_same_algorithm_elsewhere() -> None:
    """AS 241 is also what Python's own statistics module computes."""
    output = likely.Dense(1, init="he_normal")
    network = likely.Network(
        5000, 1, [], likely.Normal(1.0), output=output, dtype="float64", seed=2
    )
    uniforms = philox.uniform64(philox.words(2, philox.INITIALISATION, 0, 0, 0, 5000))
    quantiles = np.array([statistics.NormalDist().inv_cdf(u) for u in uniforms])
    expected = np.sqrt(2 / 5000) * quantiles
    np.testing.assert_array_max_ulp(network.parameters[:-1], expected, maxulp=4)


def test_one_weight_by_hand() -> None:
    """It is word 0 of the stream (seed, 1) at counter (., 0, 0, 0)."""
    word = np.random.Philox(key=np.array([9, 1], np.uint64), counter=[0, 0, 0, 0]).random_raw(1)[0]
    uniform = (float(word >> np.uint64(12)) + 0.5) * 2.0**-52
    output = likely.Dense(1, init="glorot_uniform")
    network = likely.Network(1, 1, [], likely.Normal(1.0), output=output, dtype="float64", seed=9)
    assert network.parameters.tolist() == [(2 * uniform - 1) * np.sqrt(3.0), 0.0]


def test_seeds() -> None:
    def start(**options: Any) -> list[float]:
        return likely.Network(3, 1, [likely.Dense(4, "tanh")], **options).parameters.tolist()

    assert start() == start(seed=0) == start(seed=np.int64(0))
    assert start(seed=1) == start(seed=1)
    assert len({tuple(start(seed=seed)) for seed in SEEDS}) == len(SEEDS)


def test_auto_depends_on_the_activation() -> None:
    """The layer is in front of its activation: a rectifier halves what passes."""
    for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus"):
        assert start_of("auto", name) == start_of("he_uniform", name)
    for name in ("identity", "sigmoid", "tanh"):
        assert start_of("auto", name) == start_of("glorot_uniform", name)


def start_of(init: str, activation: str) -> list[float]:
    layers = [likely.Dense(6, activation, init=init)]
    return likely.Network(2, 1, layers, dtype="float64").parameters.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_biases_and_learned_constants_start_at_zero(dtype: str) -> None:
    core = make_pair(linear, FAMILIES["shared scale"], 5, 3, dtype).core
    assert np.all(core.parameters[:15] != 0)
    np.testing.assert_array_equal(core.parameters[15:], np.zeros(6))
