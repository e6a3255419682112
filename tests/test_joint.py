"""MultivariateNormal: one distribution of all target columns, against the reference and SciPy."""

from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
import reference
from reference.arrays import Array
from scipy import stats
from support import (
    DTYPES,
    GRADIENT,
    INPUTS,
    LOSS,
    assert_close,
    deep,
    largest,
    linear,
    make_data,
    make_pair,
    one_dense,
)
from test_training import Run, assert_same_loss_and_gradient, assert_same_trajectory, run_both

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_targets = pytest.mark.parametrize("targets", [1, 2, 3, 5])


def family(targets: int) -> tuple[likely.Distribution, reference.Distribution]:
    return likely.MultivariateNormal(), reference.MultivariateNormal(targets)


def given(rows: int, targets: int, seed: int = 0) -> tuple[Array, Array]:
    """loc and scale_tril."""
    rng = np.random.default_rng(seed)
    tril = np.tril(rng.normal(0, 0.7, (rows, targets, targets)), -1)
    tril += np.exp(rng.normal(0, 0.5, (rows, targets, 1))) * np.eye(targets)
    return rng.normal(0, 3, (rows, targets)), tril


def of(loc: Any, scale_tril: Any, **keywords: Any) -> likely.PredictiveDistribution:
    joint = likely.MultivariateNormal()
    return likely.PredictiveDistribution.from_params(
        joint, loc=loc, scale_tril=scale_tril, **keywords
    )


@each_targets
@each_dtype
def test_loss_and_gradient(targets: int, dtype: str) -> None:
    pair = make_pair(deep, family(targets), INPUTS, targets, dtype)
    pair.scatter_parameters()
    for rows in (1, 31, 257):
        data = make_data(pair, rows)
        for weight in (None, data.weight):
            assert_same_loss_and_gradient(pair, data, weight)


@each_targets
@each_dtype
@pytest.mark.parametrize("standardize", [False, True])
def test_training(targets: int, dtype: str, standardize: bool) -> None:
    pair = make_pair(one_dense, family(targets), INPUTS, targets, dtype, standardize=standardize)
    pair.scatter_parameters()
    run = Run(weighted=True, standardize=standardize, targets=targets)
    assert_same_trajectory(*run_both(run, "adam", dtype, pair))


@each_dtype
def test_loss_is_in_the_users_units(dtype: str) -> None:
    pair = make_pair(one_dense, family(3), INPUTS, 3, dtype, standardize=True)
    pair, *_ = run_both(Run(standardize=True, targets=3), "sgd", dtype, pair)
    pair.copy_parameters()
    data = make_data(pair, 40, seed=9)
    d = pair.core.predict_distribution(data.x)
    assert_close(pair.core.loss(data.x, data.y), -np.mean(d.log_prob(data.y)), dtype, LOSS, 1.0)
    loss, gradient = pair.core.loss_and_gradient(data.x, data.y)
    expected_loss, expected = pair.reference.loss_and_gradient(data.x, data.y)
    assert_close(loss, expected_loss, dtype, LOSS, 1.0)
    assert_close(gradient, expected, dtype, GRADIENT, largest(expected))


@each_targets
@each_dtype
def test_extremes_are_finite(targets: int, dtype: str) -> None:
    width = targets + targets * (targets + 1) // 2
    network = likely.Network(900, targets, distribution=likely.MultivariateNormal(), dtype=dtype)
    rng = np.random.default_rng(0)
    raw = rng.choice([-1e4, -30.0, 0.0, 30.0, 1e4], (900, width))
    network.parameters = np.concatenate([raw.ravel(), np.zeros(width)])
    for y in (-1e15, 0.0, 1e-15, 1e15):
        targets_y = np.full((900, targets), y)
        loss, gradient = network.loss_and_gradient(np.eye(900), targets_y)
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()


@each_targets
def test_statistics_against_scipy(targets: int) -> None:
    loc, tril = given(6, targets)
    d = of(loc, tril)
    y = np.random.default_rng(1).normal(0, 3, (6, targets))
    values: dict[str, Any] = {
        "mean": d.mean, "mode": d.mode, "std": d.std, "variance": d.variance,
        "median": d.median, "high": d.quantile(0.999), "cdf": d.cdf(y),
    }  # fmt: skip
    rows = (6,) if targets == 1 else (6, targets)
    assert {name: value.shape for name, value in values.items()} == dict.fromkeys(values, rows)
    assert d.log_prob(y).shape == d.entropy.shape == (6,)
    values = {name: value.reshape(6, targets) for name, value in values.items()}
    for i in range(6):
        covariance = tril[i] @ tril[i].T
        oracle = stats.multivariate_normal(loc[i], covariance)
        np.testing.assert_allclose(d.log_prob(y)[i], oracle.logpdf(y[i]), rtol=1e-12)
        np.testing.assert_allclose(d.entropy[i], oracle.entropy(), rtol=1e-12)
        marginals = stats.norm(loc[i], np.sqrt(covariance.diagonal()))
        expected = {
            "mean": loc[i], "mode": loc[i], "std": marginals.std(), "variance": marginals.var(),
            "median": loc[i], "high": marginals.ppf(0.999), "cdf": marginals.cdf(y[i]),
        }  # fmt: skip
        for name, value in expected.items():
            np.testing.assert_allclose(values[name][i], value, rtol=1e-12, err_msg=name)
    assert list(d.params) == ["loc", "scale_tril"]
    np.testing.assert_allclose(d.params["loc"], loc, rtol=1e-14)
    np.testing.assert_allclose(d.params["scale_tril"], tril, rtol=1e-14)
    assert repr(d) == f"PredictiveDistribution(MultivariateNormal, rows=6, targets={targets})"
    np.testing.assert_array_equal(d[2].log_prob(y), [d[[2]].log_prob(y[[i]])[0] for i in range(6)])


@each_dtype
def test_predictions_in_the_users_units(dtype: str) -> None:
    """Row by row of the factor, by the scale of the row's target column."""
    pair = make_pair(linear, family(3), INPUTS, 3, dtype, standardize=True)
    pair, *_ = run_both(Run(standardize=True, targets=3), "adam", dtype, pair)
    pair.scatter_parameters(deviation=0.5)
    data = make_data(pair, 20, seed=9)
    d, expected = pair.core.predict_distribution(data.x), pair.reference.predict(data.x)
    assert d.raw.shape == (20, 9)
    terms = 16 * largest(expected.raw)
    for name, value in expected.parameters.items():
        assert_close(d.params[name], value, dtype, 16, terms)
    for name in ("mean", "std", "mode", "entropy"):
        assert_close(getattr(d, name), getattr(expected, name), dtype, 16, terms)
    assert_close(d.quantile(0.9), expected.quantile(0.9), dtype, 16, terms)
    assert_close(d.cdf(data.y), expected.cdf(data.y), dtype, 16, terms)
    log_prob = expected.log_prob(data.y)
    assert_close(d.log_prob(data.y), log_prob, dtype, 64, largest(log_prob))
    draws, wanted = d.sample(4, seed=3), expected.sample(4, seed=3)
    assert draws.shape == (4, 20, 3)
    assert_close(draws, wanted, dtype, 16, terms)


def test_sampling() -> None:
    loc, tril = given(2, 3, seed=4)
    d = of(loc, tril)
    draws = d.sample(40_000, seed=11)
    for i in range(2):
        covariance = tril[i] @ tril[i].T
        deviations = np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
        found = np.cov(draws[:, i].T)
        # The variance of a sample covariance is at most twice the product of the variances over n.
        assert np.abs((found - covariance) / deviations).max() < 5 * (2 / 40_000) ** 0.5
        standard = np.linalg.solve(tril[i], (draws[:, i] - loc[i]).T)
        assert all(stats.kstest(z, "norm").pvalue > 1e-3 for z in standard)
    np.testing.assert_array_equal(d.sample(3, seed=5), d.sample(3, seed=5))
    of_one = of([2.0], [[0.5]]).sample(7, seed=1)
    normal = likely.PredictiveDistribution.from_params("normal", loc=2.0, scale=0.5)
    np.testing.assert_allclose(of_one, normal.sample(7, seed=1), rtol=1e-14)


def test_of_one_column_is_normal() -> None:
    pair = make_pair(one_dense, family(1), INPUTS, 1, "float64")
    normal = likely.Network(INPUTS, 1, [likely.Dense(8, "tanh")], dtype="float64")
    pair.scatter_parameters()
    normal.parameters = pair.core.parameters
    data = make_data(pair, 50)
    loss, gradient = pair.core.loss_and_gradient(data.x, data.y)
    expected_loss, expected = normal.loss_and_gradient(data.x, data.y)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-13)
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)


def test_broadcast_of_given_parameters() -> None:
    loc, tril = given(4, 2)
    d = of(loc, tril[0], dtype="float32")
    assert d.mean.dtype == np.float32
    assert_close(d.params["scale_tril"], np.repeat(tril[:1], 4, axis=0), "float32", 4)
    assert of(loc[0], tril).mean.shape == (4, 2)
    assert of(loc[0], tril[0]).mean.shape == (1, 2)


@pytest.mark.parametrize(
    ("loc", "tril", "match"),
    [
        ([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]], r"scale_tril\[0,1\] must be 0, .*; got 0.5 \(row 0"),
        ([0.0, 0.0], [[1.0, 0.0], [0.3, 0.0]], r"scale_tril\[1,1\] must be in .*diagonal; got 0"),
        ([0.0, 0.0], [[-1.0, 0.0], [0.3, 1.0]], r"scale_tril\[0,0\] must be in .*; got -1"),
        ([0.0, 0.0], [[1.0, 0.0], [np.nan, 1.0]], r"scale_tril\[1,0\] must be finite; got nan"),
        ([np.inf, 0.0], [[1.0, 0.0], [0.0, 1.0]], "loc must be finite; got inf"),
        ([0.0, 0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], r"scale_tril must have shape \(3, 3\) or"),
        (0.0, [[1.0]], r"loc must have shape \(1,\) or \(rows, 1\); got shape \(\)"),
        ([[[0.0]]], [[1.0]], r"loc must have shape \(1,\) or \(rows, 1\)"),
        ([], [[1.0]], "loc must hold at least one number"),
    ],
)
def test_bad_parameters(loc: Any, tril: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        of(loc, tril)


def test_bad_arguments() -> None:
    network = likely.Network(1, 2, distribution="multivariate_normal")
    d = network.predict_distribution([[0.0], [1.0]])
    with pytest.raises(ValueError, match="row 1, column 0 is nan"):
        d.log_prob([[0.0, 0.0], [np.nan, 0.0]])
    with pytest.raises(ValueError, match=r"y must have shape \(rows, 2\)"):
        d.log_prob([0.0, 0.0])
    with pytest.raises(ValueError, match="closed form"):
        likely.kl_divergence(d, d)
    with pytest.raises(ValueError, match=r"5 units, .*off_diagonal\[1,0\].*\); got 4"):
        likely.Network(1, 2, distribution="multivariate_normal", output=likely.Dense(4))
    with pytest.raises(ValueError, match="at most 1024; got 1025"):
        likely.Network(1, 1025, distribution=likely.MultivariateNormal())


def test_files_and_gradient_check(tmp_path: Path) -> None:
    network = likely.Network(2, 3, distribution=likely.MultivariateNormal(), seed=1)
    path = tmp_path / "model.safetensors"
    network.save(path)
    x, y = np.ones((4, 2)), np.zeros((4, 3))
    again = likely.load(path).predict_distribution(x)
    np.testing.assert_array_equal(again.log_prob(y), network.predict_distribution(x).log_prob(y))
    assert likely.check_gradient(likely.MultivariateNormal()) < 1e-7
