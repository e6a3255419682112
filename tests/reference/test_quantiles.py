"""Quantiles against arithmetic by hand, central differences and SciPy's quantiles of a sample."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from . import Normal, Predictive, Quantiles
from .arrays import Array

LEVELS = [0.1, 0.3, 0.5, 0.9]


def quantiles_of(raw: Array) -> Array:
    return Quantiles(LEVELS).parameters(raw)["quantiles"]


def test_layout_and_loss_by_hand() -> None:
    family = Quantiles(LEVELS)
    assert family.names == ("quantile", "gap[1]", "gap[2]", "gap[3]")
    # softplus(log(e - 1)) = 1, softplus(log(e^2 - 1)) = 2; the predicted one is level 1 of 0..3.
    one, two = np.log(np.expm1([1.0, 2.0]))
    raw = np.array([5.0, one, two, one])[:, np.newaxis]
    assert_allclose(quantiles_of(raw), [[4.0, 5.0, 7.0, 8.0]], rtol=1e-14)
    moved = family.parameters(raw, 10.0, 2.0)["quantiles"]
    assert_allclose(moved, [[18.0, 20.0, 24.0, 26.0]], rtol=1e-14)
    # 0.1 * 2 + 0.3 * 1 + 0.5 * 1 + 0.1 * 2
    assert_allclose(family.log_prob(raw, 6.0), -1.2, rtol=1e-14)
    # Above two levels and below two: 0.1 + 0.3 + (0.5 - 1) + (0.9 - 1)
    gradient = family.gradient(raw, 6.0)[:, 0]
    slopes = -np.expm1(-np.array([1.0, 2.0, 1.0]))  # of softplus: 1 - exp(-value)
    assert_allclose(gradient, [-0.2, -0.1 * slopes[0], -0.6 * slopes[1], -0.1 * slopes[2]])
    # Where y = q, as for y > q.
    assert_allclose(Quantiles([0.3]).gradient(np.array([[2.0]]), 2.0), [[0.3]])
    assert_allclose(Quantiles([0.3]).gradient(np.array([[2.0]]), 1.9), [[-0.7]])


@pytest.mark.parametrize("levels", [[0.5], [0.2, 0.7], [0.01, 0.5, 0.99], LEVELS])
def test_gradient(levels: list[float]) -> None:
    rng = np.random.default_rng(len(levels))
    family = Quantiles(levels)
    raw, y = rng.normal(size=(len(levels), 30)), rng.normal(size=30)
    for p, gradient in enumerate(family.gradient(raw, y)):
        h = 1e-6 * (np.arange(len(levels)) == p)[:, np.newaxis]
        slope = (family.log_prob(raw + h, y) - family.log_prob(raw - h, y)) / 2e-6
        assert_allclose(gradient, slope, rtol=1e-7, atol=1e-8)


def test_loss_is_least_at_the_quantiles_of_a_sample() -> None:
    y = np.random.default_rng(0).gamma(2.0, size=999)
    levels = np.array([0.25, 0.5, 0.75])
    family, q = Quantiles(levels), np.quantile(y, levels)
    raw = np.array([q[1], *np.log(np.expm1(np.diff(q)))])[:, np.newaxis]
    assert_allclose(family.parameters(raw)["quantiles"][0], q, rtol=1e-12)
    least = family.log_prob(raw, y).sum()
    for p in range(3):
        for h in (-0.02, 0.02):
            assert family.log_prob(raw + h * (np.arange(3) == p)[:, np.newaxis], y).sum() < least


def test_cdf_and_quantile_are_linear_between_the_levels() -> None:
    raw = np.random.default_rng(2).normal(size=(4, 3, 2))
    q, family = quantiles_of(raw), Quantiles(LEVELS)
    for p in (0.1, 0.2, 0.3, 0.55, 0.9):
        expected = [[np.interp(p, LEVELS, q[i, t]) for t in range(2)] for i in range(3)]
        assert_allclose(family.quantile(raw, p), expected, rtol=1e-14)
        assert_allclose(family.cdf(raw, expected), np.full((3, 2), p), rtol=1e-12)
        assert_allclose(family.sf(raw, expected), np.full((3, 2), 1 - p), rtol=1e-12)
    assert_allclose(family.quantile(raw, 0.9), q[..., 3], rtol=1e-15)
    for p in (0.0, 0.0999, 0.901, 1.0, 1.1, np.nan):
        assert np.isnan(family.quantile(raw, p)).all()
    for outside in (q[..., 0] - 1e-9, q[..., 3] + 1e-9, np.nan):
        assert np.isnan(family.cdf(raw, outside)).all()
    # Quantiles that coincide: the last of their levels.
    flat = np.array([1.0, -1e4, -1e4, 0.0])[:, np.newaxis]
    assert_array_equal(family.cdf(flat, 1.0), [0.5])
    assert_array_equal(family.quantile(flat, [0.2]), [1.0])


def test_no_other_statistics() -> None:
    family, raw = Quantiles(LEVELS), np.zeros((4, 3, 2))
    for statistic in (family.mean, family.variance, family.std, family.mode, family.entropy):
        assert np.isnan(statistic(raw)).all()
        assert statistic(raw).shape == (3, 2)
    assert np.isnan(family.crps(raw, np.zeros((3, 2)))).all()
    assert not family.density
    assert Normal().density
    d = Predictive(family, raw, np.zeros(2), np.array([1.0, 3.0]), "float64")
    for call in (lambda: d.sample(2, seed=0), lambda: d.log_prob(np.zeros((3, 2)))):
        with pytest.raises(ValueError, match="no density"):
            call()


def test_extremes_are_finite() -> None:
    raw = np.random.default_rng(0).choice([-1e4, 0.0, 1e4], (4, 500))
    for y in (-1e15, 0.0, 1e15):
        assert np.isfinite(Quantiles(LEVELS).log_prob(raw, y)).all()
        assert np.isfinite(Quantiles(LEVELS).gradient(raw, y)).all()


@pytest.mark.parametrize("levels", [[], [0.5, 0.5], [0.7, 0.2], [0.0, 0.5], [0.5, 1.0], [np.nan]])
def test_unusable_levels(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="levels"):
        Quantiles(levels)
