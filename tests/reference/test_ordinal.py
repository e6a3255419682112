"""Ordinal against mpmath's sixty digits, SciPy's discrete distributions and the definitions."""

from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

from . import Ordinal
from .arrays import Array

PLAIN = [
    (0.3, -0.2),
    (-1.0, 0.5, 0.3, -0.7),
    (2.0, -1.0, 0.0, 1.2, -3.0, 0.4),
]
TAILS = [(40.0, 0.0, 1.0, -20.0), (-300.0, 5.0, -25.0, 3.0), (0.0, -80.0, 5.0, -1.0)]


def exact_log_prob(raw: Any, y: int) -> Any:
    """In mpmath's precision, straight from the definition."""
    loc, cut, *log_gaps = raw
    cuts = [cut]
    for log_gap in log_gaps:
        cuts.append(cuts[-1] + mpmath.exp(log_gap))
    cdf = [mpmath.mpf(0), *(1 / (1 + mpmath.exp(loc - c)) for c in cuts), mpmath.mpf(1)]
    return mpmath.log(cdf[y + 1] - cdf[y])


def column(raw: Any) -> Array:
    return np.array(raw, dtype=np.float64)[:, np.newaxis]


@pytest.mark.parametrize("raw", [*PLAIN, *TAILS])
def test_log_prob_and_gradient(raw: tuple[float, ...]) -> None:
    family = Ordinal(len(raw))
    y = np.arange(len(raw), dtype=np.float64)
    with mpmath.workdps(400):
        exact = [mpmath.mpf(v) for v in raw]
        log_prob = [float(exact_log_prob(exact, k)) for k in range(len(raw))]
        gradient = np.empty((len(raw), len(raw)))
        for p in range(len(raw)):
            for k in range(len(raw)):
                step = mpmath.mpf(10) ** -60
                up, down = list(exact), list(exact)
                up[p] += step
                down[p] -= step
                slope = (exact_log_prob(up, k) - exact_log_prob(down, k)) / (2 * step)
                gradient[p, k] = float(slope)
    assert_allclose(family.log_prob(column(raw), y), log_prob, rtol=1e-13, atol=1e-15)
    assert_allclose(family.gradient(column(raw), y), gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("raw", PLAIN)
def test_statistics(raw: tuple[float, ...]) -> None:
    family, at = Ordinal(len(raw)), column(raw)
    cuts = np.cumsum([raw[1], *np.exp(raw[2:])])
    oracle = stats.rv_discrete(
        values=(np.arange(len(raw)), np.diff([0.0, *special.expit(cuts - raw[0]), 1.0]))
    )
    y = np.array([-1.0, 0.0, 0.5, 1.0, len(raw) - 2, len(raw) - 1.0, len(raw), np.nan])
    assert_allclose(family.parameters(at)["probs"][0], oracle.pmf(np.arange(len(raw))), rtol=1e-12)
    assert_allclose(family.log_prob(at, y), oracle.logpmf(y), rtol=1e-12)
    assert_allclose(family.cdf(at, y), oracle.cdf(y), rtol=1e-13)
    assert_allclose(family.sf(at, y), oracle.sf(y), rtol=1e-12, atol=1e-15)
    assert family.cdf(at, len(raw) - 1.0) == 1.0
    assert_allclose(family.entropy(at), oracle.entropy(), rtol=1e-12)
    assert family.mode(at) == np.argmax(oracle.pmf(np.arange(len(raw))))
    p = np.array([1e-9, 0.2, 0.5, 0.9, 1.0, -0.1, 1.1])
    assert_array_equal(family.quantile(at, p), oracle.ppf(p))
    assert family.quantile(at, 0.0) == 0.0
    assert np.isnan([family.mean(at), family.variance(at)]).all()
    labels = np.arange(len(raw))
    score = [np.sum((oracle.cdf(labels) - (k <= labels)) ** 2) for k in labels]
    assert_allclose(family.crps(at, labels), score, rtol=1e-12)
    assert np.isnan(family.crps(at, [0.5, -1.0, len(raw)])).all()


@pytest.mark.parametrize("levels", [2, 3, 7])
def test_starts_at_equal_probabilities(levels: int) -> None:
    family = Ordinal(levels)
    assert family.predicted == ("loc",)
    assert len(family.starts) == len(family.names) == levels
    probs = family.parameters(column(family.starts))["probs"]
    assert_allclose(probs, np.full((1, levels), 1 / levels), rtol=1e-14)


def test_upper_tail_keeps_its_digits() -> None:
    at = column((-60.0, 0.0, 0.0))
    assert_allclose(Ordinal(3).sf(at, 0.0), np.exp([-60.0]), rtol=1e-12)
    assert_allclose(Ordinal(3).crps(at, 0.0), np.exp(-120.0) * (1 + np.exp(-2.0)), rtol=1e-12)


def test_extremes_are_finite() -> None:
    corners = np.random.default_rng(0).choice([-1e4, -30.0, 0.0, 30.0, 1e4], (5, 2000))
    family = Ordinal(5)
    for y in range(5):
        assert np.isfinite(family.log_prob(corners, float(y))).all()
        gradient = family.gradient(corners, float(y))
        assert np.isfinite(gradient).all()
        assert not gradient[2:][np.abs(corners[2:]) > 30].any()
    # At the bounds the derivative is there.
    assert Ordinal(3).gradient(column((0.0, 0.0, -30.0)), 1.0)[2, 0] == pytest.approx(1.0)
    assert Ordinal(3).gradient(column((0.0, 0.0, -30.1)), 1.0)[2, 0] == 0.0


def test_unusable_levels() -> None:
    with pytest.raises(ValueError, match="two levels"):
        Ordinal(1)
