"""Dropout, batch and layer normalisation as a user meets them; their numbers are compared with the
reference in test_training.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

RNG = np.random.default_rng(4)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.1 * RNG.normal(size=60)


def normalized(**options: Any) -> likely.Network:
    layers = [likely.Dense(8), likely.BatchNorm(activation="relu"), likely.Dropout(0.2)]
    return likely.Network(3, layers=layers, **options)


def test_predictions_drop_nothing() -> None:
    plain = likely.Network(3, layers=[likely.Dense(8, "tanh")], seed=2)
    dropped = likely.Network(
        3, layers=[likely.Dropout(0.9), likely.Dense(8, "tanh"), likely.Dropout(0.9)], seed=2
    )
    np.testing.assert_array_equal(plain.parameters, dropped.parameters)
    for name in ("mean", "std"):
        np.testing.assert_array_equal(
            getattr(plain.predict_distribution(X), name),
            getattr(dropped.predict_distribution(X), name),
        )
    assert plain.loss(X, Y) == dropped.loss(X, Y)
    np.testing.assert_array_equal(
        plain.loss_and_gradient(X, Y)[1], dropped.loss_and_gradient(X, Y)[1]
    )


def test_dropout_is_a_function_of_the_trainers_seed() -> None:
    def parameters(network_seed: int, trainer_seed: int) -> bytes:
        network = likely.Network(
            3, layers=[likely.Dense(8), likely.Dropout(0.5)], seed=network_seed
        )
        trainer = likely.Trainer(epochs=2, shuffle=False, seed=trainer_seed)
        trainer.fit(network, X, Y)
        return network.parameters.tobytes()

    assert parameters(1, 2) == parameters(1, 2)
    assert parameters(1, 2) != parameters(1, 3)


def test_a_rate_of_zero_drops_nothing() -> None:
    ends = []
    for layers in ([likely.Dense(8)], [likely.Dense(8), likely.Dropout(0)]):
        network = likely.Network(3, layers=layers)
        likely.Trainer(epochs=2).fit(network, X, Y)
        ends.append(network.parameters.copy())
    np.testing.assert_array_equal(*ends)


def test_dropout_regularises() -> None:
    """On few noisy rows a wide network learns the noise; with dropout less of it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 20))
    y = x[:, 0] + rng.normal(size=240)

    def held_out_loss(rate: float) -> float:
        layers = [likely.Dense(128, "relu"), likely.Dropout(rate)]
        network = likely.Network(20, layers=layers, distribution=likely.Normal(1.0))
        likely.Trainer(likely.Adam(learning_rate=3e-3), epochs=400).fit(network, x[:40], y[:40])
        return network.loss(x[40:], y[40:])

    assert held_out_loss(0.7) < held_out_loss(0.0) - 0.05


def test_moving_averages_approach_the_moments_of_the_data() -> None:
    x = RNG.normal([1.0, -3.0, 10.0], [0.5, 2.0, 4.0], size=(4000, 3))
    network = likely.Network(3, layers=[likely.BatchNorm(momentum=0.98)], dtype="float64")
    np.testing.assert_array_equal(network.averages, [0, 0, 0, 1, 1, 1])
    likely.Trainer(epochs=10, batch_size=100).fit(network, x, x[:, 0])
    mean, variance = network.averages.reshape(2, 3)
    np.testing.assert_allclose(mean, x.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(variance, x.var(axis=0), rtol=0.05)


def test_averages_are_a_view_and_predictions_use_them() -> None:
    network = likely.Network(3, layers=[likely.BatchNorm()], dtype="float64")
    before = network.predict_distribution(X).mean
    network.averages[:3] = 1.5
    np.testing.assert_allclose(
        network.predict_distribution(X + 1.5).mean, before, rtol=1e-12, atol=1e-12
    )
    assert likely.Network(3).averages.size == 0


def test_evaluation_does_not_move_averages() -> None:
    network = normalized()
    likely.Trainer(epochs=1).fit(network, X, Y)
    before = network.averages.copy()
    network.loss(X, Y)
    network.loss_and_gradient(X, Y)
    network.predict_distribution(X)
    np.testing.assert_array_equal(network.averages, before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files_hold_the_averages(dtype: str, tmp_path: Path) -> None:
    network = normalized(dtype=dtype)
    likely.Trainer(epochs=3).fit(network, X, Y)
    network.save(tmp_path / "model.safetensors")
    other = likely.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(other.averages, network.averages)
    np.testing.assert_array_equal(other.parameters, network.parameters)
    assert other.layers == network.layers
    np.testing.assert_array_equal(
        other.predict_distribution(X).mean, network.predict_distribution(X).mean
    )


def test_a_negative_variance_is_no_model(tmp_path: Path) -> None:
    network, path = normalized(), tmp_path / "model.safetensors"
    network.save(path)
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    tensors["batchnorm_0.variance"][3] = -1.0
    save_file(tensors, path, metadata)
    with pytest.raises(ValueError, match="variance is negative"):
        likely.load(path)
    network.averages[-1] = -1.0
    with pytest.raises(ValueError, match="variance is negative"):
        network.save(path)


def test_averages_that_would_not_be_finite_end_training() -> None:
    network = likely.Network(1, layers=[likely.BatchNorm()])
    x = 1e20 * RNG.normal(size=(64, 1))
    with pytest.raises(likely.DivergedError, match="BatchNorm"):
        likely.Trainer(epochs=3).fit(network, x, X[:1].repeat(64, axis=0)[:, :1])
    np.testing.assert_array_equal(network.averages, [0, 1])


@pytest.mark.parametrize("make", [likely.BatchNorm, likely.LayerNorm])
@pytest.mark.parametrize("epsilon", [0.0, -1.0, 64, 1e-50, float("nan")])
def test_epsilon(make: Callable[..., Any], epsilon: float) -> None:
    with pytest.raises(ValueError, match="epsilon must be in"):
        make(epsilon=epsilon)


def test_early_stopping_restores_averages_and_scales() -> None:
    """The best epoch is early, and every later one moves averages, scales and the shared scale."""
    network = normalized(distribution=likely.Normal("shared"))
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    history = likely.Trainer(likely.Adam(0.1), epochs=60, patience=60, batch_size=10).fit(
        network,
        X,
        Y + RNG.normal(size=60),
        validation=(X, Y),
        callback=lambda _: seen.append((network.parameters.copy(), network.averages.copy())),
    )
    assert history.best_epoch is not None
    assert history.best_epoch < 59
    for now, best, last in zip(
        (network.parameters, network.averages), seen[history.best_epoch], seen[-1], strict=True
    ):
        np.testing.assert_array_equal(now, best)
        assert not np.array_equal(now, last)


ONE_ROW = r"BatchNorm needs at least two rows in a batch"


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (60, {"batch_size": 1}),
        (31, {"batch_size": 10}),
        (1, {"batch_size": None}),
        (1, {"batch_size": 8}),
    ],
)
def test_batches_of_one_row_are_refused(rows: int, options: dict[str, Any]) -> None:
    network = normalized()
    before = network.parameters.copy(), network.averages.copy()
    with pytest.raises(ValueError, match=ONE_ROW):
        likely.Trainer(epochs=2, **options).fit(network, X[:rows], Y[:rows])
    np.testing.assert_array_equal(network.parameters, before[0])
    np.testing.assert_array_equal(network.averages, before[1])


def test_a_short_batch_of_one_row_may_be_dropped() -> None:
    history = likely.Trainer(epochs=2, batch_size=10, drop_last=True).fit(
        normalized(), X[:31], Y[:31]
    )
    assert history.steps == 6
    likely.Trainer(epochs=1, batch_size=10).fit(normalized(), X[:32], Y[:32])


SHARED = likely.BatchNorm()


@pytest.mark.parametrize(
    "layers",
    [
        [SHARED, SHARED],
        [likely.Dense(3), SHARED, likely.Residual(SHARED)],
        [likely.Residual(likely.Residual(SHARED)), likely.Dense(5), SHARED],
        [likely.Residual(SHARED, likely.Dense(3))] * 2,
    ],
)
def test_one_batch_norm_used_twice_is_refused(layers: list[likely.Layer]) -> None:
    with pytest.raises(ValueError, match=r"batchnorm_0 is used more than once.*for each"):
        likely.Network(3, layers=layers)


@pytest.mark.parametrize(
    "make",
    [lambda: likely.Dropout(0.1), likely.BatchNorm, likely.LayerNorm],
)
def test_only_a_dense_layer_puts_out(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"output must be a Dense layer.*got"):
        likely.Network(3, output=make())


def test_a_network_of_constant_columns_stays_finite() -> None:
    """Variances of zero, in a batch and in a row."""
    layers = [likely.LayerNorm(), likely.Dense(4), likely.BatchNorm(), likely.LayerNorm()]
    network = likely.Network(3, layers=layers)
    history = likely.Trainer(epochs=3).fit(network, np.ones((20, 3)), Y[:20])
    assert np.isfinite(history.loss).all()
    assert np.isfinite(network.predict_distribution(np.ones((2, 3))).mean).all()
