"""The reference's families, every one of the table, against mpmath, SciPy and their definitions.

Densities and gradients are held to mpmath's at every row, extreme ones among them. What follows
from a density is in test_reference_statistics.py.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import reference
from families import FAMILIES, mp_gradient, mp_log_density, rounding
from mpmath_densities import mp_straight_exp
from numpy.testing import assert_allclose, assert_array_equal
from reference import Predictive, functions
from reference.arrays import Array
from scipy import special, stats

EXACT = 2e-14
"""Relative to a value or to 1, beside what rounding of the raw parameters moves it by; 5e-15 seen.
"""
each = pytest.mark.parametrize("name", FAMILIES)


@each
def test_density_and_gradient(name: str) -> None:
    entry = FAMILIES[name]
    family, raw = entry.reference, entry.raw()
    held = entry.held(raw)
    for y in entry.targets(raw):
        assert family.support(y).all()
        value, gradient = family.log_prob(raw, y), family.gradient(raw, y)
        for i, (row, target) in enumerate(zip(held.T, y, strict=True)):
            exact = float(mp_log_density(entry, row, target))
            slopes = np.array([float(slope) for slope in mp_gradient(entry, row, target)])
            slopes[row != raw[:, i]] = 0.0  # held
            if isinstance(family, reference.Laplace) and target == row[0]:
                slopes[0] = 0.0  # by convention
            given = held[:, [i]], y[[i]]
            bound = EXACT * max(1.0, abs(exact)) + rounding(entry, family.log_prob, *given)[0]
            assert abs(value[i] - exact) <= bound, (raw[:, i], target, value[i], exact)
            bound = EXACT * np.maximum(1.0, np.abs(slopes))
            bound = bound + rounding(entry, family.gradient, *given)[:, 0]
            assert np.all(np.abs(gradient[:, i] - slopes) <= bound), (raw[:, i], target)


@each
def test_finite_where_it_is_promised(name: str) -> None:
    """Every raw parameter at both ends, with every target of the table."""
    entry = FAMILIES[name]
    family, count = entry.reference, len(entry.reference.names)
    corners = np.array(np.meshgrid(*[[-1e4, 1e4]] * count)).reshape(count, -1)
    for raw in (corners, entry.raw()):
        for y in entry.targets(raw):
            assert np.isfinite(family.log_prob(raw, y)).all()
            assert np.isfinite(family.gradient(raw, y)).all()


@each
def test_density_follows_scipy(name: str) -> None:
    entry = FAMILIES[name]
    if entry.oracle is None:
        pytest.skip("SciPy does not have it")
    raw = entry.raw(with_extreme=False)
    for y in entry.targets(raw):
        oracles = [entry.oracle(*row) for row in raw.T]
        log_prob = [
            (getattr(o, "logpdf", None) or o.logpmf)(t) for o, t in zip(oracles, y, strict=True)
        ]
        value = entry.reference.log_prob(raw, y)
        near = value > -700.0  # some of SciPy's are -inf far out, and none is straight there
        assert_allclose(value[near], np.array(log_prob)[near], rtol=1e-9, atol=1e-9)


OUTSIDE: dict[type, list[float]] = {
    reference.Exponential: [-1e-9, -3.0],
    reference.Beta: [-1.0, 0.0, 1.0, 1.5],
    reference.Bernoulli: [-1.0, 0.5, 2.0],
    reference.Binomial: [-1.0, 0.5, 2001.0],
    reference.Categorical: [-1.0, 0.5, 4.0],
    reference.counts.Counts: [-1.0, 0.5, 7.000001],
    reference.positive.Positive: [0.0, -1e-9, -3.0],
}


@each
def test_outside_of_the_support(name: str) -> None:
    entry = FAMILIES[name]
    family, raw = entry.reference, entry.raw(with_extreme=False)
    kinds = [kind for kind in OUTSIDE if isinstance(family, kind)]
    for y in [*(OUTSIDE[kinds[0]] if kinds else []), np.inf, -np.inf]:
        assert not family.support(y)
        if kinds:
            assert_array_equal(family.log_prob(raw, y), -np.inf)
    assert np.isnan(family.log_prob(raw, np.nan)).all()
    assert np.isnan(family.cdf(raw, np.nan)).all()
    assert np.isnan(family.sf(raw, np.nan)).all()
    assert_array_equal(family.cdf(raw, -np.inf), 0.0)
    assert_array_equal(family.cdf(raw, np.inf), 1.0)
    assert_array_equal(family.sf(raw, -np.inf), 1.0)
    assert_array_equal(family.sf(raw, np.inf), 0.0)


def mp_log_survival_lognormal(y: mp.mpf, loc: mp.mpf, log_scale: mp.mpf) -> mp.mpf:
    return mp.log(mp.erfc((mp.log(y) - loc) * mp.exp(-log_scale) / mp.sqrt(2)) / 2)


CENSORED: dict[str, Callable[..., mp.mpf]] = {
    "exponential": lambda y, s: -y * mp.exp(-s),
    "weibull": lambda y, s, k: -mp_straight_exp(mp.exp(k) * (mp.log(y) - s)),
    "lognormal": mp_log_survival_lognormal,
}


@pytest.mark.parametrize("name", CENSORED)
def test_survival(name: str) -> None:
    entry = FAMILIES[name]
    family, raw = entry.reference, entry.raw()
    held, censored = entry.held(raw), replace(entry, density=CENSORED[name])
    for y in entry.targets(raw):
        value, gradient = family.log_survival(raw, y), family.survival_gradient(raw, y)
        assert np.isfinite(value).all() and np.isfinite(gradient).all()
        sf = family.sf(raw, y)
        assert_allclose(np.exp(value)[sf > 1e-300], sf[sf > 1e-300], rtol=1e-11)
        for i, row in enumerate(held.T):
            given = held[:, [i]], y[[i]]
            exact = float(mp_log_density(censored, row, y[i]))
            slopes = np.array([float(slope) for slope in mp_gradient(censored, row, y[i])])
            slopes[row != raw[:, i]] = 0.0
            bound = EXACT * max(1.0, abs(exact)) + rounding(entry, family.log_survival, *given)[0]
            assert abs(value[i] - exact) <= bound, (raw[:, i], y[i])
            bound = EXACT * np.maximum(1.0, np.abs(slopes))
            bound = bound + rounding(entry, family.survival_gradient, *given)[:, 0]
            assert np.all(np.abs(gradient[:, i] - slopes) <= bound), (raw[:, i], y[i])


def test_censoring_is_for_three_families() -> None:
    for name, entry in FAMILIES.items():
        if name not in CENSORED:
            with pytest.raises(NotImplementedError):
                entry.reference.log_survival(entry.raw(), 1.0)
            with pytest.raises(NotImplementedError):
                entry.reference.survival_gradient(entry.raw(), 1.0)


# SciPy's distribution by the names of torch.distributions.
NAMED: dict[str, Callable[..., Any]] = {
    "normal": lambda loc, scale: stats.norm(loc, scale),
    "laplace": lambda loc, scale: stats.laplace(loc, scale),
    "logistic": lambda loc, scale: stats.logistic(loc, scale),
    "student t": lambda df, loc, scale: stats.t(df, loc, scale),
    "cauchy": lambda df, loc, scale: stats.t(df, loc, scale),
    "lognormal": lambda loc, scale: stats.lognorm(scale, scale=np.exp(loc)),
    "exponential": lambda rate: stats.expon(scale=1 / rate),
    "gamma": lambda concentration, rate: stats.gamma(concentration, scale=1 / rate),
    "weibull": lambda scale, concentration: stats.weibull_min(concentration, scale=scale),
    "beta": lambda concentration1, concentration0: stats.beta(concentration1, concentration0),
    "von mises": lambda loc, concentration: stats.vonmises(concentration, loc),
    "poisson": lambda rate: stats.poisson(rate),
    "negative binomial": lambda total_count, probs: stats.nbinom(total_count, 1 - probs),
    "binomial": lambda probs: stats.binom(7, probs),
}


@pytest.mark.parametrize("name", NAMED)
def test_users_units(name: str) -> None:
    """A prediction with standardised targets is that of the raw parameters in the user's units."""
    entry = FAMILIES[name]
    family, raw = entry.reference, entry.raw(with_extreme=False)[:, :, np.newaxis]
    location, scale = np.zeros(1), np.ones(1)
    moved = raw.copy()
    if family.target_scaling != "none":
        scale = np.array([2.5])
        moved[0] += np.log(scale)
    if family.target_scaling == "location and scale":
        location = np.array([-7.0])
        moved[0] = location + scale * raw[0]
        moved[1] = raw[1] + np.log(scale)
    d = Predictive(family, raw, location, scale, "float64")
    y = family.quantile(moved, 0.83)
    for statistic in ("mean", "mode", "std", "variance", "entropy"):
        expected = getattr(family, statistic)(moved)
        inside = np.abs(raw[-1]) < 30
        assert_allclose(getattr(d, statistic)[inside], expected[inside], rtol=1e-11, atol=1e-12)
    inside = np.all(entry.held(raw) == raw, axis=0)
    for function in ("log_prob", "cdf", "sf", "crps"):
        expected = getattr(family, function)(moved, y)
        assert_allclose(getattr(d, function)(y)[inside], expected[inside], rtol=1e-9, atol=1e-10)
    assert_allclose(d.quantile(0.2)[inside], family.quantile(moved, 0.2)[inside], rtol=1e-11)
    oracle = NAMED[name](**d.parameters)
    log_prob = (getattr(oracle, "logpdf", None) or oracle.logpmf)(y)
    assert_allclose(d.log_prob(y)[inside], log_prob[inside], rtol=1e-9, atol=1e-9)


def test_parameters_at_the_ends() -> None:
    assert reference.StudentT(1).parameters(np.array([0.0, 0.0, -30.0]))["df"] == 1.0
    far = reference.StudentT().parameters(np.array([0.0, 0.0, 1e4]))["df"]
    assert_allclose(far, 1000.0, rtol=1e-15)
    loc = np.array([np.pi, -np.pi, 3 * np.pi, 7.0, -1e4, 0.3])
    wrapped = reference.VonMises().parameters(np.stack([loc, 0 * loc]))["loc"]
    assert np.all((wrapped >= -np.pi) & (wrapped < np.pi))
    assert_allclose(np.exp(1j * wrapped), np.exp(1j * loc), rtol=1e-12)
    assert_array_equal(wrapped[[1, 5]], loc[[1, 5]])
    inflated = reference.ZeroInflated(reference.Poisson())
    assert list(inflated.parameters(np.zeros(2))) == ["gate", "rate"]
    assert inflated.parameters(np.array([0.3, 0.0]))["gate"] == special.expit(0.3)


def test_options_and_starting_values() -> None:
    kinds = [reference.StudentT(), reference.StudentT("shared"), reference.StudentT(3.0)]
    assert [(k.predicted[2:], k.shared, dict(k.fixed)) for k in kinds] == [
        (("log_excess_df",), (), {}),
        ((), ("log_excess_df",), {}),
        ((), (), {"log_excess_df": np.log(2.0)}),
    ]
    assert reference.StudentT(1).fixed == {"log_excess_df": -30.0}
    for wrong in ("fixed", 0.99, 1001.0, np.nan):
        with pytest.raises(ValueError, match="df"):
            reference.StudentT(wrong)
    with pytest.raises(ValueError, match="trial"):
        reference.Binomial(0)
    for entry in FAMILIES.values():
        family = entry.reference
        starts = dict(zip(family.names, family.starts, strict=True))
        if isinstance(family, reference.StudentT):
            assert starts.pop("log_excess_df") == np.log(9.0)
        assert set(starts.values()) == {0.0}


FUNCTIONS: list[tuple[Callable[[Array], Array], Callable[[mp.mpf], mp.mpf]]] = [
    (functions.exponential_rest, lambda e: mp.exp(e) - 1 - e),
    (
        functions.stirling_rest,
        lambda x: mp.loggamma(x) - (x - 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2,
    ),
    (functions.digamma_rest, lambda x: mp.log(x) - mp.psi(0, x)),
    (functions.trigamma_rest, lambda x: mp.psi(1, x) - 1 / x - 1 / (2 * x * x)),
    (functions.trigamma, lambda x: mp.psi(1, x)),
    (functions.lgamma_half_step, lambda x: mp.loggamma(x + 0.5) - mp.loggamma(x)),
]


@pytest.mark.parametrize(("function", "exact"), FUNCTIONS)
def test_functions_do_not_cancel(
    function: Callable[[Array], Array], exact: Callable[[mp.mpf], mp.mpf]
) -> None:
    x = np.concatenate([np.geomspace(1e-26, 1e14, 160), [9.99, 10.0, 10.01, 0.99, 1.0, 2.0]])
    x = x[x < 50.0] if function is functions.exponential_rest else x
    with mp.workdps(100):
        expected = [float(exact(mp.mpf(float(value)))) for value in x]
    # The differences of logarithms of gamma below 10 are of terms up to 20.
    assert_allclose(function(x), expected, rtol=2e-14, atol=8e-15)
