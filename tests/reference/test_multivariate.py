"""MultivariateNormal against SciPy's, its marginals against SciPy's normal, gradients by mpmath."""

from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, stats

from . import MultivariateNormal, Normal, Predictive, philox
from .arrays import Array

CLOSE: Any = {"rtol": 1e-11, "atol": 1e-13}


def sample_raw(targets: int, rows: int) -> tuple[MultivariateNormal, Array, Array]:
    rng = np.random.default_rng(targets)
    family = MultivariateNormal(targets)
    return family, rng.normal(0, 0.8, (len(family.names), rows)), rng.normal(0, 2, (rows, targets))


def test_layout() -> None:
    assert MultivariateNormal(3).names == (
        "loc[0]", "loc[1]", "loc[2]",
        "log_diagonal[0]",
        "off_diagonal[1,0]", "log_diagonal[1]",
        "off_diagonal[2,0]", "off_diagonal[2,1]", "log_diagonal[2]",
    )  # fmt: skip
    raw = np.array([1.0, 2.0, 3.0, 0.0, 4.0, np.log(5.0), 6.0, 7.0, np.log(8.0)])[:, np.newaxis]
    named = MultivariateNormal(3).parameters(raw)
    assert_array_equal(named["loc"], [[1.0, 2.0, 3.0]])
    assert_allclose(named["scale_tril"][0], [[1, 0, 0], [4, 5, 0], [6, 7, 8]], rtol=1e-14)
    location, scale = np.array([10.0, 20.0, 30.0]), np.array([2.0, 3.0, 4.0])
    named = MultivariateNormal(3).parameters(raw, location, scale)
    assert_array_equal(named["loc"], [[12.0, 26.0, 42.0]])
    assert_allclose(named["scale_tril"][0], [[2, 0, 0], [12, 15, 0], [24, 28, 32]], rtol=1e-14)


@pytest.mark.parametrize("targets", [1, 2, 4])
def test_follows_scipy(targets: int) -> None:
    family, raw, y = sample_raw(targets, rows=5)
    named = family.parameters(raw)
    assert family.log_prob(raw, y).shape == family.entropy(raw).shape == (5,)
    for i in range(5):
        factor = named["scale_tril"][i]
        oracle = stats.multivariate_normal(named["loc"][i], factor @ factor.T)
        assert_allclose(family.log_prob(raw, y)[i], oracle.logpdf(y[i]), **CLOSE)
        assert_allclose(family.entropy(raw)[i], oracle.entropy(), **CLOSE)
        marginals = stats.norm(
            named["loc"][i], np.sqrt(oracle.cov.reshape(factor.shape).diagonal())
        )
        assert_allclose(family.mean(raw)[i], marginals.mean(), **CLOSE)
        assert_allclose(family.mode(raw)[i], marginals.mean(), **CLOSE)
        assert_allclose(family.std(raw)[i], marginals.std(), **CLOSE)
        assert_allclose(family.variance(raw)[i], marginals.var(), **CLOSE)
        assert_allclose(family.cdf(raw, y)[i], marginals.cdf(y[i]), **CLOSE)
        assert_allclose(family.sf(raw, y)[i], marginals.sf(y[i]), **CLOSE)
        assert_allclose(family.quantile(raw, 0.9)[i], marginals.ppf(0.9), **CLOSE)
    assert np.isnan(family.quantile(raw, 1.1)).all()
    assert_array_equal(family.support([[0.0] * targets, [np.nan] * targets]), [True, False])


def test_of_one_column_is_normal() -> None:
    family, raw, y = sample_raw(1, rows=5)
    assert_allclose(family.log_prob(raw, y), Normal().log_prob(raw, y[:, 0]), rtol=1e-14)
    assert_allclose(family.gradient(raw, y), Normal().gradient(raw, y[:, 0]), rtol=1e-12)
    assert_allclose(family.crps(raw, y)[:, 0], Normal().crps(raw, y[:, 0]), rtol=1e-12)


@pytest.mark.parametrize("targets", [2, 3])
def test_gradient(targets: int) -> None:
    family, raw, y = sample_raw(targets, rows=1)

    def log_prob(*raw: Any) -> Any:
        factor = mpmath.matrix(targets, targets)
        rest = iter(raw[targets:])
        for t in range(targets):
            for u in range(t + 1):
                factor[t, u] = mpmath.exp(next(rest)) if t == u else next(rest)
        residual = mpmath.matrix([mpmath.mpf(y[0, t]) - raw[t] for t in range(targets)])
        z = mpmath.lu_solve(factor, residual)
        log_determinant = sum(mpmath.log(factor[t, t]) for t in range(targets))
        return -(z.T * z)[0] / 2 - log_determinant - targets * mpmath.log(2 * mpmath.pi) / 2

    with mpmath.workdps(60):
        at = tuple(mpmath.mpf(v) for v in raw[:, 0])
        assert_allclose(family.log_prob(raw, y), float(log_prob(*at)), rtol=1e-13)
        every = range(len(at))
        slopes = [
            float(mpmath.diff(log_prob, at, tuple(int(p == q) for q in every))) for p in every
        ]
    assert_allclose(family.gradient(raw, y)[:, 0], slopes, rtol=1e-12)


def score(marginal: Any, y: float) -> float:
    """The CRPS by its definition."""
    below, _ = integrate.quad(lambda z: marginal.cdf(z) ** 2, -np.inf, y, epsabs=1e-12)
    above, _ = integrate.quad(lambda z: marginal.sf(z) ** 2, y, np.inf, epsabs=1e-12)
    return below + above


def test_crps_of_marginals() -> None:
    family, raw, y = sample_raw(2, rows=2)
    marginals = stats.norm(family.mean(raw), family.std(raw)).args
    expected = [
        [score(stats.norm(*(a[i, t] for a in marginals)), y[i, t]) for t in range(2)]
        for i in range(2)
    ]
    assert_allclose(family.crps(raw, y), expected, rtol=1e-9)


def test_samples_are_of_the_joint_distribution() -> None:
    family, raw, _ = sample_raw(2, rows=3)
    location, scale = np.array([5.0, -3.0]), np.array([2.0, 0.5])
    d = Predictive(family, raw, location, scale, "float64")
    draws = d.sample(4, seed=1)
    uniforms = philox.uniform64(philox.words(1, 4, 0, 0, 0, 24)).reshape(4, 3, 2)
    named = family.parameters(raw, location, scale)
    for i in range(3):
        z = np.linalg.solve(named["scale_tril"][i], (draws[:, i] - named["loc"][i]).T).T
        assert_allclose(stats.norm.cdf(z), uniforms[:, i], rtol=1e-10)
    covariance = (
        scale[:, np.newaxis]
        * scale
        * np.einsum("itk,iuk->itu", *[family.parameters(raw)["scale_tril"]] * 2)
    )
    y = draws[0]
    expected = [stats.multivariate_normal(d.mean[i], covariance[i]).logpdf(y[i]) for i in range(3)]
    assert_allclose(d.log_prob(y), expected, rtol=1e-10)
    entropies = [stats.multivariate_normal(d.mean[i], covariance[i]).entropy() for i in range(3)]
    assert_allclose(d.entropy, entropies, rtol=1e-12)
    assert_allclose(d.sf(d.quantile(0.9)), np.full((3, 2), 0.1), rtol=1e-12)
    assert_allclose(d.crps(y), family.crps(raw, (y - location) / scale) * scale, rtol=1e-14)


def test_extremes_are_finite() -> None:
    family = MultivariateNormal(3)
    raw = np.random.default_rng(0).choice([-1e4, -30.0, 0.0, 30.0, 1e4], (9, 3000))
    for target in (-1e15, 0.0, 1e-15, 1e15):
        y = np.full((3000, 3), target)
        assert np.isfinite(family.log_prob(raw, y)).all()
        gradient = family.gradient(raw, y)
        assert np.isfinite(gradient).all()
        for p in (3, 5, 8):
            assert not gradient[p, np.abs(raw[p]) > 30].any()
    at, outside = (
        family.gradient(np.full((9, 1), 0.0) + s * (np.arange(9) == 3)[:, np.newaxis], [[3.0] * 3])
        for s in (-30.0, -30.1)
    )
    assert outside[3] == 0 != at[3]
    assert_array_equal(at[:3], outside[:3])
