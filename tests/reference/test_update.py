"""The reference's optimizers, penalties and clipping against the printed formulas, and against the
minimum of the objective where that is known.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from . import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    Normal,
    Optimizer,
    Penalties,
    Residual,
    RMSprop,
    fit,
    update,
)
from .arrays import Array

GRADIENTS = [2.0, 1.0, -0.5]


def adam_by_hand(b1: float, b2: float, epsilon: float, decay: float) -> list[float]:
    """The path of a parameter from 1 at rate 0.1, from the sums that the recursions stand for."""
    path = [1.0]
    for t in range(1, 4):
        seen = list(zip(GRADIENTS[:t], range(t - 1, -1, -1), strict=True))
        mean = sum(g * b1**age for g, age in seen) / sum(b1**age for _, age in seen)
        square = sum(g * g * b2**age for g, age in seen) / sum(b2**age for _, age in seen)
        path.append(path[-1] * (1 - 0.1 * decay) - 0.1 * mean / (square**0.5 + epsilon))
    return path[1:]


def path_of(*steps: float) -> list[float]:
    return (1.0 - 0.1 * np.cumsum(steps)).tolist()


BY_HAND: list[tuple[Optimizer, list[float]]] = [
    (SGD(0.1), path_of(2.0, 1.0, -0.5)),
    (SGD(0.1, momentum=0.5), path_of(2.0, 2.0, 0.5)),
    (SGD(0.1, momentum=0.5, nesterov=True), path_of(3.0, 2.0, -0.25)),
    (Adam(0.1, beta1=0.8, beta2=0.9, epsilon=0.01), adam_by_hand(0.8, 0.9, 0.01, 0.0)),
    (Adam(0.1), adam_by_hand(0.9, 0.999, 1e-8, 0.0)),
    (AdamW(0.1), adam_by_hand(0.9, 0.999, 1e-8, 0.01)),
    (AdamW(0.1, 0.7, 0.6, 0.1, weight_decay=0.5), adam_by_hand(0.7, 0.6, 0.1, 0.5)),
    (
        RMSprop(0.1, decay=0.75, epsilon=0.5),  # running squares 1, 1, 0.8125
        path_of(2 / 1.5, 1 / 1.5, -0.5 / (0.8125**0.5 + 0.5)),
    ),
    (RMSprop(0.1), path_of(2 / 0.4**0.5, 1 / 0.46**0.5, -0.5 / 0.439**0.5)),
    (
        Adagrad(0.1, epsilon=0.5),  # sums of squares 4, 5, 5.25
        path_of(2 / 2.5, 1 / (5**0.5 + 0.5), -0.5 / (5.25**0.5 + 0.5)),
    ),
]


@pytest.mark.parametrize(("optimizer", "path"), BY_HAND)
def test_optimizers_by_hand(optimizer: Optimizer, path: list[float]) -> None:
    penalised = np.array([True])
    for _ in range(2):  # the second round shows that reset forgets everything
        parameters, optimizer.learning_rate = np.array([1.0]), 0.4
        optimizer.reset()
        for gradient, expected in zip(GRADIENTS, path, strict=True):
            g = np.array([gradient])
            assert update(parameters, g, optimizer, penalised, Penalties(), factor=0.25)
            assert_allclose(parameters, expected, rtol=1e-7)


def test_defaults_are_those_of_the_contract() -> None:
    fields = [vars(o()) for o in (SGD, Adam, AdamW, RMSprop, Adagrad)]
    names = ("learning_rate", "momentum", "beta1", "beta2", "decay", "epsilon", "weight_decay")
    assert [[f[n] for n in names if n in f] for f in fields] == [
        [0.01, 0.0],
        [0.001, 0.9, 0.999, 1e-8],
        [0.001, 0.9, 0.999, 1e-8, 0.01],
        [0.001, 0.9, 1e-8],
        [0.01, 1e-10],
    ]


EACH: dict[str, Callable[[float], Optimizer]] = {
    "sgd": lambda epsilon: SGD(0.2),
    "momentum": lambda epsilon: SGD(0.05, momentum=0.8),
    "nesterov": lambda epsilon: SGD(0.05, momentum=0.8, nesterov=True),
    "adam": lambda epsilon: Adam(0.02, beta1=0.8, beta2=0.9, epsilon=epsilon),
    "adamw": lambda epsilon: AdamW(0.02, 0.8, 0.9, epsilon, weight_decay=0.0),
    "rmsprop": lambda epsilon: RMSprop(0.02, epsilon=epsilon),
    "adagrad": lambda epsilon: Adagrad(1.0, epsilon=epsilon),
}


@pytest.mark.parametrize("name", EACH)
def test_metric_is_what_a_unit_gradient_moves(name: str) -> None:
    optimizer, parameters = EACH[name](0.3), np.zeros(2)
    for step in range(5):
        before, rate = parameters.copy(), 0.1 / (step + 1)
        metric = optimizer.step(parameters, np.ones(2), rate)
        assert_allclose(before - parameters, np.broadcast_to(metric, 2), rtol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam(beta2=0.5), RMSprop(decay=0.5), Adagrad()])
def test_no_metric_where_there_was_no_gradient(optimizer: Optimizer) -> None:
    metric = optimizer.step(np.zeros(3), np.array([0.0, 0.9e-6, 2e-6]), 0.1)
    assert isinstance(metric, np.ndarray)
    assert_array_equal(metric > 0, [False, False, True])
    optimizer.reset()
    parameters = np.full(1, 0.5)  # as the weight of an input that is always zero
    update(parameters, np.zeros(1), optimizer, np.array([True]), Penalties(l1=1e3))
    assert parameters == 0.5


CURVATURE = np.array([0.5, 1.0, 2.0, 1.0, 1.5, 1.0])
CENTRE = np.array([3.0, -2.0, 0.2, 0.45, -1.0, 0.0])


def minimise(optimizer: Optimizer, penalties: Penalties) -> Array:
    """Of sum curvature (w - centre)^2 / 2 + penalties; of the last weight's there are none."""
    w, penalised = np.array([1.0, 1.0, 1.0, -1.0, 1.0, 1.0]), np.arange(6) < 5
    w[5], centre = 0.0, np.append(CENTRE[:5], 0.7)
    for _ in range(1500):
        assert update(w, CURVATURE * (w - centre), optimizer, penalised, penalties)
    return w


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.0), (0.5, 0.4), (0.0, 0.4)])
def test_training_ends_at_the_minimum_of_the_objective(name: str, l1: float, l2: float) -> None:
    slope = (CURVATURE * CENTRE)[:5]
    expected = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0.0) / (CURVATURE[:5] + l2)
    # An adaptive rate grows without bound as the gradient vanishes, unless epsilon is large.
    w = minimise(EACH[name](0.1), Penalties(l1, l2))
    assert_allclose(w, np.append(expected, 0.7), rtol=1e-6)
    if l1 > 0:
        assert_array_equal(w == 0, [False, False, True, True, False, False])


def test_one_update_by_hand() -> None:
    def after(optimizer: Optimizer, penalties: Penalties, factor: float = 1.0) -> Array:
        parameters = np.array([2.0, -1.0, 0.1, 2.0])
        penalised = np.array([True, True, True, False])
        gradient = np.array([3.0, 4.0, 0.0, 12.0])  # of norm 13
        before = gradient.copy()
        assert update(parameters, gradient, optimizer, penalised, penalties, factor)
        assert_array_equal(gradient, before)
        return parameters

    # Clipped first, then l2, whose part is not clipped.
    w = after(SGD(0.1), Penalties(clip_value=3.5, l2=10.0))
    assert_allclose(w, [2.0 - 0.1 * 23, -1.0 - 0.1 * (3.5 - 10), 0.1 - 0.1 * 1, 2.0 - 0.35])
    w = after(SGD(0.1), Penalties(clip_norm=6.5, l2=10.0))
    assert_allclose(w, [2.0 - 0.1 * 21.5, -1.0 - 0.1 * (2 - 10), 0.1 - 0.1 * 1, 2.0 - 0.6])
    assert_allclose(after(SGD(0.1), Penalties(clip_norm=13.0)), [1.7, -1.4, 0.1, 0.8])
    assert_allclose(after(SGD(0.1), Penalties(clip_value=12.0)), [1.7, -1.4, 0.1, 0.8])
    # The l1 step comes last and is as long as the rate; it ends at zero.
    assert_allclose(after(SGD(0.1), Penalties(l1=2.0)), [1.5, -1.2, 0.0, 0.8])
    assert_allclose(after(SGD(0.1), Penalties(l1=2.0), factor=0.1), [1.95, -1.02, 0.08, 1.88])
    # The decay takes its part of the weight before the step, and of the penalised alone.
    shrunk = after(AdamW(0.1, weight_decay=0.5, epsilon=1e-15), Penalties(), factor=2.0)
    assert_allclose(shrunk, [1.8 - 0.2, -0.9 - 0.2, 0.09, 2.0 - 0.2])


def test_norm_of_a_zero_gradient_is_not_clipped() -> None:
    parameters = np.ones(2)
    assert update(parameters, np.zeros(2), SGD(), np.ones(2, dtype=bool), Penalties(clip_norm=1e-3))
    assert_array_equal(parameters, 1.0)


def test_a_component_that_would_not_be_finite_stays() -> None:
    parameters, every = np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool)
    gradient = np.array([-1e30, 1.0, 1e300])
    with np.errstate(all="ignore"):
        assert not update(parameters, gradient, SGD(1e9), every, Penalties(), largest=3.4e38)
    assert_array_equal(parameters, [1.0, 2.0 - 1e9, 3.0])


@pytest.mark.parametrize("biases", [False, True])
def test_which_parameters_are_penalised(biases: bool) -> None:
    shared = Dense(3, "tanh")
    layers = [
        BatchNorm(),
        shared,
        Dropout(0.1),
        Residual(LayerNorm(), shared),
        Dense(2, bias=False),
    ]
    network = Network(3, 1, layers, Normal("shared"))
    columns, yes = [False] * 6, [True]
    expected = columns + yes * 9 + [biases] * 3 + columns + yes * 6 + yes * 2 + [biases] + [False]
    assert_array_equal(network.penalised(biases), expected)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_the_lasso(biases: bool, standardize: bool) -> None:
    """At the minimum the slope of the loss is -l1 sign(w) - l2 w, or at most l1 where w is 0."""
    rng = np.random.default_rng(3)
    x = rng.normal(0.3, 2.0, (30, 5))
    y = x @ [[1.0], [-0.5], [0.0], [0.1], [0.0]] + rng.normal(0.5, 0.3, (30, 1))
    network, l1, l2 = Network(5, 1, [], Normal(1.0), dtype="float64"), 0.4, 0.1
    fit(
        network, x, y, optimizer=SGD(0.05, 0.8), batch_size=30, epochs=600, l1=l1, l2=l2,
        penalize_biases=biases, standardize=standardize,
    )  # fmt: skip
    _, gradient = network.loss_and_gradient(x, y)
    w, penalised = network.parameters, network.penalised(biases)
    slope = np.where(penalised, gradient + l2 * w, gradient)
    zero = penalised & (w == 0)
    assert 1 <= zero[:5].sum() <= 3
    assert np.all(np.abs(slope[zero]) < l1)
    assert_allclose(slope[~zero], (-l1 * np.sign(w) * penalised)[~zero], atol=1e-10)


def test_unusable_arguments_are_errors() -> None:
    wrong: list[tuple[str, Callable[[], Any]]] = [
        *(("learning_rate", lambda o=o, r=r: o(r)) for o in (SGD, Adam, AdamW, RMSprop, Adagrad)
          for r in (0.0, -1.0, np.nan, np.inf)),
        *(("momentum", lambda m=m: SGD(momentum=m)) for m in (-0.1, 1.0, np.nan)),
        ("momentum", lambda: SGD(nesterov=True)),
        *(("beta1", lambda b=b: Adam(beta1=b)) for b in (-0.1, 1.0)),
        *(("beta2", lambda b=b: AdamW(beta2=b)) for b in (-0.1, 1.0)),
        *(("decay", lambda d=d: RMSprop(decay=d)) for d in (-0.1, 1.0)),
        *(("epsilon", lambda o=o: o(epsilon=0.0)) for o in (Adam, AdamW, RMSprop, Adagrad)),
        *(("weight_decay", lambda d=d: AdamW(weight_decay=d)) for d in (-1.0, np.inf)),
        *(("l1 and l2", lambda p=p: Penalties(p)) for p in (-1.0, np.nan, np.inf)),
        *(("l1 and l2", lambda p=p: Penalties(l2=p)) for p in (-1.0, np.nan, np.inf)),
        *(("clip", lambda c=c: Penalties(clip_value=c)) for c in (0.0, -1.0, np.inf)),
        *(("clip", lambda c=c: Penalties(clip_norm=c)) for c in (0.0, -1.0, np.inf)),
        ("both", lambda: Penalties(clip_value=1.0, clip_norm=1.0)),
        ("both", lambda: Penalties(l2=0.1).check(AdamW())),
    ]  # fmt: skip
    for message, call in wrong:
        with pytest.raises(ValueError, match=message):
            call()
    Penalties(l2=0.1).check(AdamW(weight_decay=0.0))
    Penalties(l1=0.1).check(AdamW())
