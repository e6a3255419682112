"""Penalties, clipping and divergence as a user meets them; whole trajectories are compared with the
reference in test_training.py.
"""

import math
import pickle
from typing import Any

import likely
import numpy as np
import pytest

RNG = np.random.default_rng(1)
X = RNG.normal(size=(200, 4))
Y = X @ [3.0, -1.0, 0.0, 0.0] + 0.5 + 0.1 * RNG.normal(size=200)
OPTIMIZERS = [
    likely.SGD(0.05),
    likely.SGD(0.01, momentum=0.9),
    likely.SGD(0.01, momentum=0.9, nesterov=True),
    likely.RMSprop(0.01),
    likely.Adagrad(0.5),
    likely.Adam(0.02),
    likely.AdamW(0.02, weight_decay=0.0),
]


def linear(**options: Any) -> likely.Network:
    return likely.Network(4, distribution=likely.Normal(1.0), dtype="float64", **options)


def soft_threshold(l1: float, l2: float) -> np.ndarray:
    """Coordinate descent on the objective (Friedman, Hastie and Tibshirani 2010, equation 5)."""
    weights, bias = np.zeros(4), 0.0
    for _ in range(500):
        bias = float(np.mean(Y - X @ weights))
        for j in range(4):
            partial = Y - bias - X @ weights + X[:, j] * weights[j]
            slope = float(np.mean(X[:, j] * partial))
            shrunk = math.copysign(max(abs(slope) - l1, 0.0), slope)
            weights[j] = shrunk / (np.mean(X[:, j] ** 2) + l2)
    return np.append(weights, bias)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.5), (0.2, 0.3)])
def test_the_optimum_is_that_of_the_objective(
    optimizer: likely.Optimizer, l1: float, l2: float
) -> None:
    """For every optimizer; the rate falls because adaptive steps do not shrink by themselves."""
    network = linear(seed=3)
    trainer = likely.Trainer(
        optimizer, None, 4000, schedule=likely.CosineDecay(final=1e-4), l1=l1, l2=l2
    )
    trainer.fit(network, X, Y)
    np.testing.assert_allclose(network.parameters, soft_threshold(l1, l2), atol=2e-5)
    if l1:
        np.testing.assert_array_equal(network.parameters[2:4], 0.0)
        assert network.sparsity() == (2, 4)


@pytest.mark.parametrize("batch_size", [8, 40, None])
def test_the_objective_is_the_same_at_every_batch_size(batch_size: int | None) -> None:
    network = linear()
    trainer = likely.Trainer(
        likely.SGD(0.02), batch_size, 600, schedule=likely.CosineDecay(final=1e-3), l2=1.0
    )
    trainer.fit(network, X, Y)
    np.testing.assert_allclose(network.parameters, soft_threshold(0.0, 1.0), atol=0.01)


def test_biases_are_exempt_unless_asked() -> None:
    for penalize_biases in (False, True):
        network = linear()
        likely.Trainer(likely.SGD(0.05), None, 500, l1=50.0, penalize_biases=penalize_biases).fit(
            network, X, Y
        )
        np.testing.assert_array_equal(network.parameters[:4], 0.0)
        assert network.parameters[4] == (0.0 if penalize_biases else pytest.approx(Y.mean()))


def test_weight_decay_shrinks_without_a_gradient() -> None:
    network = likely.Network(1, layers=[likely.Dense(3)], dtype="float64")
    start = network.parameters.copy()
    optimizer = likely.AdamW(learning_rate=0.1, weight_decay=0.5)
    likely.Trainer(optimizer, None, 10).fit(network, [[0.0], [0.0]], [0.0, 0.0])
    np.testing.assert_allclose(network.parameters[:3], start[:3] * 0.95**10, rtol=1e-12)


def test_dead_units_survive_the_l1_of_an_adaptive_optimizer() -> None:
    """Where there was no gradient yet, the metric would be enormous."""
    network = likely.Network(2, layers=[likely.Dense(2, "relu")], dtype="float64")
    network.parameters[:4] = [1.0, -50.0, 1.0, -50.0]  # the second unit never fires
    x = np.abs(X[:, :2])
    likely.Trainer(likely.Adam(), None, 50, l1=1e-3).fit(network, x, x[:, 0])
    np.testing.assert_array_equal(network.parameters[[1, 3]], -50.0)


def test_losses_are_reported_without_the_penalty() -> None:
    plain, penalized = linear(), linear()
    first = [
        likely.Trainer(batch_size=None, epochs=1, l2=l2, l1=l2).fit(network, X, Y).loss[0]
        for network, l2 in ((plain, 0.0), (penalized, 5.0))
    ]
    assert first[0] == first[1]


def test_clipping_bounds_a_step() -> None:
    for options, bound in (({"clip_norm": 0.01}, 0.01), ({"clip_value": 0.003}, 0.003 * 5**0.5)):
        network = linear()
        before = network.parameters.copy()
        history = likely.Trainer(likely.SGD(1.0), None, 1, **options).fit(network, X, Y)
        step = network.parameters - before
        assert np.linalg.norm(step) == pytest.approx(bound)
        _, gradient = linear().loss_and_gradient(X, Y)
        assert history.gradient_norm[0] == pytest.approx(np.linalg.norm(gradient))
        if "clip_norm" in options:
            np.testing.assert_allclose(step / bound, -gradient / np.linalg.norm(gradient))


def test_divergence_names_the_step_and_keeps_the_last_finite_parameters() -> None:
    network = linear()
    history: list[tuple[np.ndarray, float]] = []
    trainer = likely.Trainer(likely.SGD(30.0), 50, epochs=200)
    with pytest.raises(likely.DivergedError) as caught:
        trainer.fit(
            network, X, Y, callback=lambda e: history.append((network.parameters.copy(), e.loss))
        )
    error: Any = caught.value
    assert error.step == trainer.history.steps
    assert error.epoch == error.step // 4 == len(history)
    assert 1e100 < error.gradient_norm < math.inf
    for part in (f"epoch {error.epoch}", f"step {error.step}", "standardize=True", "clip_norm"):
        assert part in str(error)
    assert np.isfinite(network.parameters).all()
    assert np.abs(network.parameters).max() > 1e100  # of the last step that was applied
    assert trainer.history.stopped == "diverged"
    # A loss that explodes but stays finite is visible before.
    losses = trainer.history.loss
    assert len(losses) == error.epoch
    assert np.all(np.diff(losses) > 0) and losses[-1] > 1e100
    assert trainer.history.gradient_norm[-1] <= error.gradient_norm
    again: Any = pickle.loads(pickle.dumps(error))
    assert (again.epoch, again.step, again.gradient_norm) == (
        error.epoch,
        error.step,
        error.gradient_norm,
    )


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS[:3], likely.Adam(1e308)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_stay_finite_whatever_the_rate(optimizer: Any, dtype: str) -> None:
    layers = [likely.Dense(5, "relu"), likely.BatchNorm(), likely.Dense(5, "relu")]
    network = likely.Network(4, layers=layers, dtype=dtype)
    rate = 1e38 if dtype == "float32" else 1e300
    optimizer = type(optimizer)(
        rate,
        **(
            {"momentum": 0.9}
            if optimizer != OPTIMIZERS[0] and isinstance(optimizer, likely.SGD)
            else {}
        ),
    )
    with pytest.raises(likely.DivergedError):
        likely.Trainer(optimizer, 50, epochs=500).fit(network, X, Y)
    assert np.isfinite(network.parameters).all()
    assert np.isfinite(network.averages).all()


def test_the_advice_names_what_is_not_done_yet() -> None:
    network = linear(standardize=True)
    with pytest.raises(likely.DivergedError) as caught:
        likely.Trainer(likely.SGD(1e6), 50, epochs=200, clip_value=1e200).fit(network, X, Y)
    assert "lower the learning rate" in str(caught.value)
    assert "standardize" not in str(caught.value)
    assert "clip" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"l1": -0.1}, ["l1", "at least 0", "-0.1"]),
        ({"l2": -1.0}, ["l2", "at least 0", "-1"]),
        ({"l2": math.nan}, ["l2", "nan"]),
        ({"l2": [1.0, "a"]}, ["l2", "one number", "(2,)"]),
        ({"l1": 10**400}, ["l1", "float64"]),
        ({"l1": math.inf}, ["l1", "inf"]),
        ({"clip_value": 0.0}, ["clip_value", "positive", "0"]),
        ({"clip_norm": -2.0}, ["clip_norm", "positive", "-2"]),
        ({"clip_norm": math.nan}, ["clip_norm", "nan"]),
        ({"clip_norm": 1.0, "clip_value": 1.0}, ["clip_norm", "clip_value", "both"]),
        ({"l2": 0.1, "optimizer": "adamw"}, ["l2=0.1", "weight_decay=0.01"]),
        ({"schedule": likely.CosineDecay(epochs=9), "epochs": 10}, ["CosineDecay", "9", "10"]),
        ({"schedule": likely.OneCycle(epochs=3)}, ["OneCycle", "3", "100"]),
        ({"schedule": likely.Sequence(["constant", "constant"], [100])}, ["Sequence", "100"]),
        ({"schedule": "cosine"}, ["schedule", "'cosine'", "CosineDecay"]),
    ],
)
def test_bad_values(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValueError, match=words[0]) as caught:
        likely.Trainer(**options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"l1": "0.1"},
        {"l2": None},
        {"l2": True},
        {"clip_value": 1 + 1j},
        {"clip_norm": "1"},
        {"penalize_biases": 1},
        {"schedule": 0.5},
        {"schedule": likely.StepDecay},
    ],
)
def test_bad_types(options: dict[str, Any]) -> None:
    name = next(iter(options))
    with pytest.raises(TypeError, match=name):
        likely.Trainer(**options)


def test_options_are_kept_tidied() -> None:
    trainer = likely.Trainer(schedule="constant", l1=np.float32(0.5), l2=1)
    assert trainer.schedule == likely.Constant()
    assert (trainer.l1, trainer.l2) == (0.5, 1.0)
    assert trainer.clip_norm is None
