"""The statistics of the reference's families, every one of the table.

Expectations (moments, entropy, Fisher information) and crps are held to quadrature of the density,
which test_reference_families.py shows to be right; cdf, sf and quantile to SciPy's, to sums and to
each other.
"""

import itertools
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import reference
from families import FAMILIES, Entry
from numpy.testing import assert_allclose, assert_array_equal
from reference.arrays import Array
from scipy import special

PROBABILITIES = np.array([1e-12, 1e-5, 0.01, 0.2499, 0.2501, 0.5, 0.51, 0.9, 0.999, 1 - 1e-9])
ANGLES = np.polynomial.legendre.leggauss(200)

each = pytest.mark.parametrize("name", FAMILIES)
LABELS = (reference.Categorical,)
DISCRETE = (reference.Bernoulli, reference.Categorical, reference.counts.Counts)


def is_discrete(entry: Entry) -> bool:
    return isinstance(entry.reference, DISCRETE)


def support_nodes(entry: Entry, row: Array) -> tuple[Array, Array]:
    """Points and weights that integrate (or sum) over the support of one row."""
    family = entry.reference
    if is_discrete(entry):
        points = np.arange(20_000.0)
        points = points[family.support(points)]
        return points, np.ones_like(points)
    if isinstance(family, reference.VonMises):
        return row[0] + np.pi * ANGLES[0], np.pi * ANGLES[1]
    held = entry.held(row)
    if family.target_scaling == "location and scale":
        x = np.linspace(-4.5, 4.5, 10_001)
        distance = np.exp(np.pi / 2 * np.sinh(x) + held[1])  # from the location, to both sides
        weight = distance * np.pi / 2 * np.cosh(x) * (x[1] - x[0])
        return np.concatenate([held[0] - distance, held[0] + distance]), np.tile(weight, 2)
    x = np.linspace(-8.0, 8.0, 40_001)
    width = {
        reference.LogNormal: np.exp(held[-1]),
        reference.Weibull: np.exp(-held[-1]),
        reference.Exponential: 1.0,
    }.get(type(family), np.exp(-0.5 * max(held[-1], 0.0)))
    log_y, weight = held[0] + width * np.sinh(x), width * np.cosh(x) * (x[1] - x[0])
    if isinstance(family, reference.Beta):
        return special.expit(log_y), weight * special.expit(log_y) * special.expit(-log_y)
    y = np.exp(np.minimum(log_y, 300.0))
    return y, weight * y * (log_y < 300.0)


def rows_of(entry: Entry) -> list[Array]:
    return [np.array(row, dtype=float) for row in entry.rows]


def expectation(entry: Entry, row: Array, function: Callable[[Array], Array]) -> Any:
    points, weights = support_nodes(entry, row)
    family = entry.reference
    inside = family.support(points) & (weights > 0)
    points, weights = points[inside], weights[inside]
    density = np.exp(family.log_prob(row[:, np.newaxis], points))
    return (weights * density * function(points)).sum(axis=-1)


@each
def test_moments_and_entropy(name: str) -> None:
    entry = FAMILIES[name]
    family = entry.reference
    for row in rows_of(entry):
        assert_allclose(expectation(entry, row, np.ones_like), 1.0, rtol=1e-12)
        entropy = expectation(entry, row, lambda y, row=row: -family.log_prob(row[:, None], y))
        assert_allclose(family.entropy(row), entropy, rtol=1e-12, atol=1e-12)
        if isinstance(family, LABELS) or name == "cauchy":
            assert np.isnan([family.mean(row), family.std(row), family.variance(row)]).all()
            continue
        mean, variance = family.mean(row), family.variance(row)
        lost = 1e-12 * (1.0 + float(np.sqrt(variance)))
        assert_allclose(expectation(entry, row, lambda y: y), mean, rtol=1e-12, atol=lost)
        square = expectation(entry, row, lambda y, mean=mean: (y - mean) ** 2)
        assert_allclose(variance, square, rtol=1e-10)
        assert_allclose(family.std(row), np.sqrt(variance), rtol=1e-13)


@each
def test_mode(name: str) -> None:
    entry = FAMILIES[name]
    family = entry.reference
    for row in rows_of(entry):
        mode = family.mode(row)
        points, weights = support_nodes(entry, row)
        points = points[family.support(points) & (weights > 0)]
        log_prob = family.log_prob(row[:, np.newaxis], points)
        if family.support(mode):
            assert np.all(log_prob <= family.log_prob(row, mode) + 1e-13)
        else:
            assert mode == 0
            assert np.all(np.diff(log_prob) <= 1e-9)


@each
def test_cdf_and_sf(name: str) -> None:
    """Against SciPy's, tails relative to themselves, or (of counts) against sums."""
    entry = FAMILIES[name]
    family = entry.reference
    for row in rows_of(entry):
        y = np.concatenate([entry.targets(row[:, np.newaxis])[:, 0], family.quantile(row, [0.3])])
        cdf, sf = family.cdf(row[:, np.newaxis], y), family.sf(row[:, np.newaxis], y)
        assert_allclose(cdf + sf, 1.0, rtol=1e-12)
        if is_discrete(entry):
            points, _ = support_nodes(entry, row)
            probability = np.exp(family.log_prob(row[:, np.newaxis], points))
            y = np.concatenate([y, [-1.0, -0.5, 0.5, 1.5, 2.0, 3.7]])
            at_most = points <= y[:, np.newaxis]
            sums = [(probability * chosen).sum(axis=-1) for chosen in (at_most, ~at_most)]
            assert_allclose(family.cdf(row[:, np.newaxis], y), sums[0], rtol=1e-11, atol=1e-300)
            assert_allclose(family.sf(row[:, np.newaxis], y), sums[1], rtol=1e-11, atol=1e-300)
            continue
        assert entry.oracle is not None
        oracle = entry.oracle(*row)
        inside, atol = np.ones(len(y), dtype=bool), 1e-300
        if isinstance(family, reference.VonMises):  # SciPy's goes on beyond 1, and cancels
            inside, atol = np.abs(y - row[0]) < np.pi, 1e-12
        assert_allclose(cdf[inside], oracle.cdf(y[inside]), rtol=1e-10, atol=atol)
        assert_allclose(sf[inside], oracle.sf(y[inside]), rtol=1e-10, atol=atol)


@pytest.mark.parametrize("log_concentration", [-30.0, -2.0, 1.2, 3.3, 5.0, 9.0, 20.0, 30.0])
def test_angles_in_the_tails(log_concentration: float) -> None:
    """Against integrals in many digits, where SciPy's cdf cancels or is approximate."""
    family = reference.VonMises()
    raw = np.array([0.0, log_concentration])
    with mp.workdps(30):
        k = mp.exp(log_concentration)
        width = min(mp.pi, 12 / mp.sqrt(k))

        def mass(a: mp.mpf, b: mp.mpf, power: int = 0) -> mp.mpf:
            edges = [a + (b - a) * j / 16 for j in range(17)]
            return mp.quad(lambda t: t**power * mp.exp(-2 * k * mp.sin(t / 2) ** 2), edges)

        total = 2 * mass(mp.mpf(0), width)
        variance = 2 * mass(mp.mpf(0), width, 2) / total
        assert_allclose(family.variance(raw), float(variance), rtol=1e-12)
        for share in (0.001, 0.1, 0.3, 0.6, 0.99):
            y = float(width * share * 0.7)
            reach = min(mp.pi, y + 12 / mp.sqrt(k))
            tail = float(mass(mp.mpf(y), reach) / total)
            assert_allclose(family.sf(raw, y), tail, rtol=1e-12)
            assert_allclose(family.cdf(raw, -y), tail, rtol=1e-12)
            assert_allclose(family.cdf(raw, y), 1 - tail, rtol=1e-12)


@each
def test_quantile(name: str) -> None:
    entry = FAMILIES[name]
    family, raw = entry.reference, entry.raw(with_extreme=False)
    for p in PROBABILITIES:
        q = family.quantile(raw, p)
        if is_discrete(entry):
            assert np.all(family.cdf(raw, q) >= p)
            assert np.all((family.cdf(raw, q - 1) < p) | (q == 0))
        else:  # but for the rounding of q
            lost = 4e-16 * (np.abs(q) + np.abs(raw[0])) * np.exp(family.log_prob(raw, q))
            tail, wanted = (family.cdf, p) if p < 0.5 else (family.sf, 1 - p)
            assert np.all(np.abs(tail(raw, q) - wanted) <= 1e-12 * wanted + lost)
        if entry.oracle is not None and 1e-6 < p < 1 - 1e-6:
            scipys = [entry.oracle(*row).ppf(p) for row in raw.T]
            assert_allclose(q, scipys, rtol=1e-7, atol=1e-7)
    for p in (-0.1, 1.1, np.nan):
        assert np.isnan(family.quantile(raw, p)).all()
    for p in (0.0, 1.0):
        end = family.quantile(raw, p)
        assert_array_equal(family.cdf(raw, end)[end != 0], p)  # of counts 0 is the least
        if name == "von mises":
            assert_array_equal(end, family.mean(raw) + (2 * p - 1) * np.pi)
        else:
            assert_array_equal(family.cdf(raw, end + (2 * p - 1) * 1e-6), p)


def tanh_sinh(function: Callable[[Array], Array], lower: float, upper: float) -> Any:
    """The integral between two numbers at which the function may have singular derivatives."""
    x = np.linspace(-3.8, 3.8, 601)
    left, right = special.expit(np.pi * np.sinh(x)), special.expit(-np.pi * np.sinh(x))
    weight = (x[1] - x[0]) * np.pi * np.cosh(x) * left * right * (upper - lower)
    points = np.where(left < 0.5, lower + (upper - lower) * left, upper - (upper - lower) * right)
    return (function(points) * weight).sum()


def exp_sinh(function: Callable[[Array], Array], start: float, scale: float) -> Any:
    """The integral from a number to inf (to -inf of a negative scale)."""
    x = np.linspace(-3.8, 4.2, 4001)
    distance = np.exp(np.pi / 2 * np.sinh(x))
    weight = (x[1] - x[0]) * np.pi / 2 * np.cosh(x) * distance * abs(scale)
    return (function(start + scale * distance) * weight).sum()


def defined_crps(entry: Entry, row: Array, y: float) -> Any:
    """The integral of (cdf(z) - [y <= z])^2."""
    family = entry.reference
    breaks = np.array([1e-4, 0.02, 0.3, 0.5, 0.7, 0.98, 1 - 1e-4])
    breaks = np.append(family.quantile(row[:, None], breaks), y)
    ends = family.quantile(row[:, None], [0.0, 1.0])
    breaks = np.sort(np.append(breaks, ends[np.isfinite(ends)]))
    scale = float(family.quantile(row, 0.75) - family.quantile(row, 0.25))
    inside = [
        tanh_sinh(lambda z, b=b: (family.cdf if b <= y else family.sf)(row[:, None], z) ** 2, a, b)
        for a, b in itertools.pairwise(breaks)
    ]
    if not np.isfinite(ends[0]):
        inside.append(exp_sinh(lambda z: family.cdf(row[:, None], z) ** 2, breaks[0], -scale))
    if not np.isfinite(ends[1]):
        inside.append(exp_sinh(lambda z: family.sf(row[:, None], z) ** 2, breaks[-1], scale))
    return np.sum(inside)


def summed_crps(entry: Entry, row: Array, y: Array) -> Any:
    """The same where the cdf is constant between integers, of many y."""
    k = np.arange(-4.0, 5000.0)
    cdf, sf = (f(row[:, np.newaxis], k) for f in (entry.reference.cdf, entry.reference.sf))
    below = np.clip(y[:, np.newaxis] - k, 0.0, 1.0)
    return (below * cdf**2 + (1 - below) * sf**2).sum(axis=-1)


@each
def test_crps(name: str) -> None:
    entry = FAMILIES[name]
    family = entry.reference
    if isinstance(family, LABELS):
        with pytest.raises(ValueError, match="distances"):
            family.crps(entry.raw(), 0.0)
        return
    for row in rows_of(entry):
        y = family.quantile(row[:, np.newaxis], [1e-6, 0.1, 0.45, 0.8, 0.9999])
        if family.target_scaling != "location and scale" and name != "von mises":
            y = np.append(y, [0.0, -2.5, 0.4, 1.75])  # outside of the support too
        crps = family.crps(row[:, np.newaxis], y)
        if is_discrete(entry):
            expected = summed_crps(entry, row, y)
        else:
            expected = [defined_crps(entry, row, target) for target in y]
        # A scale is as large as the numbers that the closed form is a sum of.
        spread = family.quantile(row, 0.999) - family.quantile(row, 0.001)
        assert_allclose(crps, expected, rtol=1e-10, atol=1e-12 * float(spread))


@each
def test_crps_far_out_is_the_distance(name: str) -> None:
    entry = FAMILIES[name]
    if isinstance(entry.reference, LABELS) or name == "von mises":
        pytest.skip("labels and angles have no far out")
    raw = entry.raw(with_extreme=False)
    crps = [entry.reference.crps(raw, y) for y in (-1e20, 1e20)]
    assert_allclose(crps, np.full_like(crps, 1e20), rtol=1e-5)
    assert np.all(entry.reference.crps(raw, entry.reference.quantile(raw, 0.5)) >= 0)


NO_FISHER = ("zero-inflated poisson", "zero-inflated negative binomial")


def information_about_a_count(m: float, r: float) -> float:
    """Of a negative binomial about log r: r^2 (trigamma(r) - E trigamma(Y + r)) - r q.

    As a power series in q (Anscombe 1950), which converges well but for q near 1 and a small r;
    there by the integral of trigamma, in whose integrand E t^Y has a closed form.
    """
    q = m / (m + r)
    if q < 0.7 or r > 30:
        k = np.arange(200)
        terms = np.cumprod([1.0, *(q * (k + 2) ** 2 / ((k + 3) * (k + r + 2)))])
        return float(q * q * r / (2 * (r + 1)) * terms.sum())
    log_x = np.linspace(min(0.0, np.log(r) - np.log(m)) + min(0.0, np.log(r)) - 42.0,
                        np.log(60.0 / r), 5000)  # fmt: skip
    x = np.exp(log_x)
    seen = -np.expm1(-r * np.log1p(m / r * -np.expm1(-x)))  # 1 - E exp(-x Y)
    integrand = np.exp(-r * x) * x * x / -np.expm1(-x) * seen
    return float(r * r * (log_x[1] - log_x[0]) * integrand.sum() - r * q)


def test_information_about_a_total_count() -> None:
    """The contract's approximation, everywhere, and what it is exact for."""
    family = reference.NegativeBinomial()
    log_m, log_r = (v.ravel() for v in np.meshgrid(*[np.linspace(-30.0, 30.0, 61)] * 2))
    fisher = family.fisher(np.stack([log_m, log_r]))[1]
    exact = [
        information_about_a_count(np.exp(m), np.exp(r)) for m, r in zip(log_m, log_r, strict=True)
    ]
    errors = fisher / exact - 1
    assert np.abs(errors).max() < 0.025
    assert np.abs(errors).max() > 0.01
    log_odds = log_m - log_r
    surely_more = np.minimum(np.exp(log_r), 1) * log_odds > 12
    limits = surely_more | (log_odds < -12) | (np.abs(log_r) > 12)
    assert np.abs(errors[limits]).max() < 1e-4


@each
def test_fisher_is_the_expected_square_of_the_score(name: str) -> None:
    entry = FAMILIES[name]
    family = entry.reference
    if name in NO_FISHER:
        with pytest.raises(NotImplementedError):
            family.fisher(entry.raw())
        return
    for row in rows_of(entry):
        if np.any(row != entry.held(row)):  # the score of a held parameter is 0
            continue
        squares = expectation(entry, row, lambda y, row=row: family.gradient(row[:, None], y) ** 2)
        fisher = family.fisher(row)
        if name == "negative binomial":  # the contract has an approximation
            assert abs(fisher[1] / information_about_a_count(*np.exp(row)) - 1) < 0.025
            fisher[1] = information_about_a_count(*np.exp(row))
        assert_allclose(fisher, squares, rtol=1e-9)


def mp_fisher_student_t(loc: mp.mpf, log_scale: mp.mpf, log_excess: mp.mpf) -> list[mp.mpf]:
    n, precision = 1 + mp.exp(log_excess), mp.exp(-2 * log_scale)
    last = (mp.psi(1, n / 2) - mp.psi(1, (n + 1) / 2)) / 4 - (n + 5) / (2 * n * (n + 1) * (n + 3))
    return [(n + 1) / (n + 3) * precision, 2 * n / (n + 3), (n - 1) ** 2 * last]


def mp_fisher_gamma(log_mean: mp.mpf, log_concentration: mp.mpf) -> list[mp.mpf]:
    a = mp.exp(log_concentration)
    return [a, a * (a * mp.psi(1, a) - 1)]


def mp_fisher_beta(logit: mp.mpf, log_precision: mp.mpf) -> list[mp.mpf]:
    m, p = 1 / (1 + mp.exp(-logit)), mp.exp(log_precision)
    a, b = m * p, (1 - m) * p
    last = m * m * mp.psi(1, a) + (1 - m) ** 2 * mp.psi(1, b) - mp.psi(1, p)
    return [(m * (1 - m) * p) ** 2 * (mp.psi(1, a) + mp.psi(1, b)), p * p * last]


def mp_fisher_von_mises(loc: mp.mpf, log_concentration: mp.mpf) -> list[mp.mpf]:
    k = mp.exp(log_concentration)
    ratio = mp.besseli(1, k) / mp.besseli(0, k)
    return [k * ratio, k * k * (1 - ratio**2) - k * ratio]


MP_FISHER = {
    "student t": mp_fisher_student_t,
    "gamma": mp_fisher_gamma,
    "beta": mp_fisher_beta,
    "von mises": mp_fisher_von_mises,
}


@pytest.mark.parametrize("name", MP_FISHER)
def test_fisher_does_not_cancel(name: str) -> None:
    entry = FAMILIES[name]
    raw = entry.raw()
    fisher = entry.reference.fisher(raw)
    for i, row in enumerate(entry.held(raw).T):
        if name == "von mises" and row[1] > 12:
            row[1] = 12.0  # beyond it mpmath takes long, and both entries are known
            assert_allclose(fisher[:, i], [np.exp(min(raw[1, i], 30)), 0.5], rtol=1e-6)
            fisher[:, i] = entry.reference.fisher(row)
        with mp.workdps(80):
            exact = [float(f) for f in MP_FISHER[name](*(mp.mpf(float(v)) for v in row))]
        assert_allclose(fisher[:, i], exact, rtol=1e-12, atol=1e-12)


def test_modes_at_the_ends() -> None:
    column = np.array
    assert reference.Gamma().mode(column([0.3, 0.0])) == 0
    assert reference.Weibull().mode(column([0.3, -1.0])) == 0
    beta = reference.Beta()
    assert beta.mode(column([-3.0, 1.0])) == 0  # a < 1 < b
    assert beta.mode(column([3.0, 1.0])) == 1
    assert np.isnan(beta.mode(column([0.0, 0.0])))
    tied = column([-1e4, 0.0])  # a Poisson of mean 1: 0 and 1 are equally probable
    assert reference.Poisson().mode(tied[1:]) == 1
    assert reference.ZeroInflated(reference.Poisson()).mode(tied) == 0
    assert reference.Binomial(7).mode(column([1e4])) == 7


def test_counts_over_many_magnitudes() -> None:
    """Entropies of wide distributions, which are not summed count by count."""
    poisson, negative = reference.Poisson(), reference.NegativeBinomial()
    m = np.exp(np.array([14.0, 22.0, 30.0]))
    asymptotic = 0.5 * np.log(2 * np.pi * np.e * m) - 1 / (12 * m) - 1 / (24 * m * m)
    assert_allclose(poisson.entropy(np.log(m)[np.newaxis]), asymptotic, rtol=1e-11)
    geometric = np.array([[16.0, 20.0], [0.0, 0.0]])  # r = 1: a geometric distribution
    p = 1 / (1 + np.exp(geometric[0]))
    exact = -(p * np.log(p) + (1 - p) * np.log1p(-p)) / p
    assert_allclose(negative.entropy(geometric), exact, rtol=1e-11)


@each
def test_statistics_far_out(name: str) -> None:
    """Whatever the raw parameters, probabilities are that, and nothing is nan without a reason."""
    entry = FAMILIES[name]
    family, raw = entry.reference, entry.raw()
    for y in entry.targets(raw):
        cdf, sf = family.cdf(raw, y), family.sf(raw, y)
        assert np.all((cdf >= 0) & (sf >= 0))
        # Of concentrations of 1e13, SciPy's incomplete beta functions miss each other by 4e-11.
        assert_allclose(cdf + sf, 1.0, rtol=1e-10)
        if not isinstance(family, LABELS):
            assert np.all(family.crps(raw, y) >= 0)
    for p in PROBABILITIES:
        assert not np.isnan(family.quantile(raw, p)).any()
    assert not np.isnan(family.entropy(raw)).any()
    named = family.parameters(raw)
    assert all(np.isfinite(values).all() for values in named.values())
    df = named.get("df", np.full(raw.shape[1], np.nan if isinstance(family, LABELS) else 3.0))
    for values in (family.mean(raw), family.std(raw), family.variance(raw)):
        assert_array_equal(np.isnan(values), ~(df > 1))


NARROW: dict[str, tuple[float, ...]] = {
    "gamma": (0.7, 20.0),
    "lognormal": (0.7, -10.0),
    "beta": (0.7, 20.0),
    "von mises": (0.7, 20.0),
    "poisson": (20.0,),
    "negative binomial": (20.0, 25.0),
}


@pytest.mark.parametrize("name", NARROW)
def test_narrow_distributions_are_almost_normal(name: str) -> None:
    """Far from where quadrature of the table reaches; the skewness is below 1e-4."""
    family, raw = FAMILIES[name].reference, np.array(NARROW[name])
    std, median = family.std(raw), family.quantile(raw, 0.5)
    assert_allclose(median, family.mean(raw), atol=1e-4 * std)
    assert_allclose(family.entropy(raw), np.log(std) + 0.5 * np.log(2 * np.pi * np.e), atol=1e-8)
    assert_allclose(family.crps(raw, median), std * (np.sqrt(2) - 1) / np.sqrt(np.pi), rtol=1e-6)
    for z in (-3.0, -1.0, 0.5, 2.0):
        y = (
            np.floor(family.mean(raw) + z * std)
            if is_discrete(FAMILIES[name])
            else (family.mean(raw) + z * std)
        )
        assert_allclose(family.cdf(raw, y), special.ndtr(z), rtol=1e-3)
