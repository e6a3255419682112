"""Mixtures against weighted sums of SciPy's densities, mpmath's derivatives and quadrature."""

from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, optimize, special, stats

from . import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Distribution,
    Exponential,
    Gamma,
    Laplace,
    Logistic,
    LogNormal,
    Mixture,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Ordinal,
    Poisson,
    Quantiles,
    StudentT,
    VonMises,
    Weibull,
    ZeroInflated,
)
from .arrays import Array
from .quadrature import integrate as integrate_panels

CLOSE: Any = {"rtol": 1e-12, "atol": 1e-14}
SPREAD = (0.3, -0.5, 1.0, -1.0, 0.2, 0.5, -0.7, 3.0, 0.1)
FAR_APART = (0.0, 1.0, -1.0, -400.0, 0.0, 0.0, -3.0, 1e3, 2.0)
A_SPIKE = (2.0, -1.0, 0.0, 0.0, 0.0, 0.3, -8.0, -2.0, 1.0)
RAW = {"spread": SPREAD, "far apart": FAR_APART, "a spike": A_SPIKE}


def column(raw: Any) -> Array:
    return np.array(raw, dtype=np.float64)[:, np.newaxis]


def oracle(raw: Any) -> tuple[Array, Any]:
    """Weights and normals of a Mixture(Normal(), 3)."""
    components = np.reshape(raw[3:], (3, 2))
    return special.softmax(raw[:3]), stats.norm(components[:, 0], np.exp(components[:, 1]))


def targets(raw: Any) -> Array:
    _, normals = oracle(raw)
    return np.concatenate([normals.ppf(p) for p in (1e-12, 0.1, 0.5, 0.9, 1 - 1e-9)])


def test_layout() -> None:
    family = Mixture(Normal("shared"), 2)
    assert family.names == (
        "weight_logits[0]", "weight_logits[1]", "loc[0]", "log_scale[0]", "loc[1]", "log_scale[1]",
    )  # fmt: skip
    assert family.shared == ("log_scale[0]", "log_scale[1]")
    assert family.predicted == ("weight_logits[0]", "weight_logits[1]", "loc[0]", "loc[1]")
    fixed = Mixture(Normal(0.5), 3)
    assert fixed.fixed == {f"log_scale[{j}]": np.log(0.5) for j in range(3)}
    assert len(fixed.predicted) == 6
    third = stats.norm.ppf([1 / 6, 5 / 6])
    assert_allclose(Mixture(Normal(), 3).starts, [0, 0, 0, third[0], 0, 0, 0, third[1], 0])
    assert Mixture(Normal(), 2).target_scaling == "location and scale"
    assert Mixture(Bernoulli(), 2).target_scaling == "none"
    named = family.parameters(np.zeros((6, 4, 3)) + 1.0, 10.0, 2.0)
    assert_array_equal(named["weights"], np.full((4, 3, 2), 0.5))
    assert_array_equal(named["loc"], np.full((4, 3, 2), 12.0))
    assert_allclose(named["scale"], np.full((4, 3, 2), 2 * np.e), rtol=1e-15)


@pytest.mark.parametrize("name", RAW)
def test_of_normals_follows_scipy(name: str) -> None:
    raw, family = RAW[name], Mixture(Normal(), 3)
    (weights, normals), at, y = oracle(raw), column(raw), targets(raw)
    z = y[:, np.newaxis]
    log_prob = special.logsumexp(normals.logpdf(z), b=weights, axis=1)
    assert_allclose(family.log_prob(at, y), log_prob, **CLOSE)
    assert_allclose(family.cdf(at, y), normals.cdf(z) @ weights, **CLOSE)
    assert_allclose(family.sf(at, y), normals.sf(z) @ weights, **CLOSE)
    mean = weights @ normals.mean()
    assert_allclose(family.mean(at), mean, **CLOSE)
    second = weights @ (normals.var() + normals.mean() ** 2) - mean**2
    assert_allclose(family.variance(at), second, **CLOSE)
    assert_allclose(family.std(at), np.sqrt(second), **CLOSE)
    modes = normals.mean()
    densities = normals.pdf(modes[:, np.newaxis]) @ weights
    assert family.mode(at) == modes[np.argmax(densities)]


@pytest.mark.parametrize("name", RAW)
def test_quantile(name: str) -> None:
    raw, family = RAW[name], Mixture(Normal(), 3)
    (weights, normals), at = oracle(raw), column(raw)

    def excess(y: float, p: float) -> float:
        return normals.cdf(y) @ weights - p if p < 0.5 else 1 - p - normals.sf(y) @ weights

    for p in (1e-200, 1e-9, 0.04, 0.37, 0.6, 0.99, 1 - 1e-12):
        root = optimize.brentq(
            excess,
            normals.ppf(p).min() - 1.0,
            normals.ppf(p).max() + 1.0,
            args=(p,),
            xtol=1e-300,
            rtol=1e-15,
        )
        density = normals.pdf(root) @ weights
        # What an ulp of the smaller tail moves the root by.
        assert (
            abs(family.quantile(at, p) - root)
            <= 1e-13 * abs(root) + 4e-16 * min(p, 1 - p) / density
        )
    ends = family.quantile(at, [0.0, 1.0, -0.1, 1.1, np.nan])
    assert_array_equal(ends, [-np.inf, np.inf, np.nan, np.nan, np.nan])


def exact_log_prob(y: float, *raw: Any) -> Any:
    """In mpmath's precision, straight from the definition."""
    weights = [mpmath.exp(z) for z in raw[:3]]
    scales = [mpmath.exp(s) for s in raw[4::2]]
    parts = [
        weight * mpmath.exp(-(((y - loc) / scale) ** 2) / 2) / scale
        for weight, loc, scale in zip(weights, raw[3::2], scales, strict=True)
    ]
    return mpmath.log(sum(parts) / sum(weights) / mpmath.sqrt(2 * mpmath.pi))


@pytest.mark.parametrize("name", RAW)
def test_gradient(name: str) -> None:
    raw, family = RAW[name], Mixture(Normal(), 3)
    with mpmath.workdps(80):
        at, step = [mpmath.mpf(v) for v in raw], mpmath.mpf(10) ** -30
        for y in targets(raw):
            slopes = np.empty(9)
            for p in range(9):
                up, down = list(at), list(at)
                up[p] += step
                down[p] -= step
                rise = exact_log_prob(mpmath.mpf(y), *up) - exact_log_prob(mpmath.mpf(y), *down)
                slopes[p] = float(rise / (2 * step))
            gradient = family.gradient(column(raw), y)[:, 0]
            assert_allclose(gradient, slopes, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", RAW)
def test_entropy_and_crps(name: str) -> None:
    raw, family = RAW[name], Mixture(Normal(), 3)
    (weights, normals), at = oracle(raw), column(raw)
    grid = np.unique(normals.ppf(np.logspace(-15, -0.31, 40)[:, np.newaxis]))
    grid = np.unique(
        np.concatenate([grid, 2 * normals.mean().repeat(grid.size) - np.tile(grid, 3)])
    )
    nodes, node_weights = np.polynomial.legendre.leggauss(12)
    half = np.diff(grid) / 2
    y = (grid[:-1] + half)[:, np.newaxis] + half[:, np.newaxis] * nodes
    measure = half[:, np.newaxis] * node_weights
    log_prob = special.logsumexp(normals.logpdf(y[..., np.newaxis]), b=weights, axis=-1)
    entropy = -np.sum(measure * np.exp(log_prob) * log_prob)
    assert_allclose(family.entropy(at), entropy, rtol=1e-10)
    for target in (*normals.mean(), -1.0, 5.0):
        closed = family.crps(at, target)
        assert_allclose(family._element_by_element(at, target, family._crps), closed, rtol=1e-11)
        square = np.where(y < target, normals.cdf(y[..., np.newaxis]) @ weights,
                          normals.sf(y[..., np.newaxis]) @ weights) ** 2  # fmt: skip
        # The panel that the target is in is not smooth, and the others are exact.
        panel = np.searchsorted(grid, target) - 1
        inside = np.zeros(len(half), dtype=bool)
        inside[panel] = True
        split = integrate.quad(lambda z: (normals.cdf(z) @ weights) ** 2, grid[panel], target)[0]
        split += integrate.quad(lambda z: (normals.sf(z) @ weights) ** 2, target, grid[panel + 1])[
            0
        ]
        assert_allclose(closed, np.sum((measure * square)[~inside]) + split, rtol=1e-8)


COMPONENTS: list[tuple[Distribution, list[tuple[float, ...]]]] = [
    (Normal(), [(1.1, 0.4), (-2.0, -1.0)]),
    (Laplace(), [(1.1, 0.4), (-2.0, -1.0)]),
    (StudentT(), [(1.1, 0.4, 0.5), (-2.0, -1.0, 3.0)]),
    (Logistic(), [(1.1, 0.4), (-2.0, -1.0)]),
    (LogNormal(), [(0.1, -0.4), (-2.0, 0.3)]),
    (Exponential(), [(0.7,), (-2.0,)]),
    (Gamma(), [(0.3, 1.4), (-1.0, 0.3)]),
    (Weibull(), [(0.3, 1.4), (-1.0, 0.3)]),
    (Beta(), [(1.0, 2.0), (-0.7, 1.5)]),
    (VonMises(), [(1.1, 0.4), (-2.0, 1.0)]),
    (Poisson(), [(0.4,), (2.5,)]),
    (NegativeBinomial(), [(0.4, 1.0), (2.5, -0.5)]),
    (Binomial(9), [(0.4,), (-2.5,)]),
    (Bernoulli(), [(0.4,), (-2.5,)]),
]
NAMES = [type(component).__name__ for component, _ in COMPONENTS]


@pytest.mark.parametrize(("one", "raws"), COMPONENTS, ids=NAMES)
def test_of_equal_components_is_the_component(
    one: Distribution, raws: list[tuple[float, ...]]
) -> None:
    raw = np.array(raws).T
    y = one.quantile(raw, np.array([0.93, 0.34]))
    family, twice = Mixture(one, 2), np.concatenate([[[0.3, 0.0], [0.9, -4.0]], raw, raw])
    assert family.discrete == isinstance(one, (Poisson, NegativeBinomial, Binomial, Bernoulli))
    for name in ("log_prob", "cdf", "sf", "crps"):
        assert_allclose(getattr(family, name)(twice, y), getattr(one, name)(raw, y), **CLOSE)
    for name in ("mean", "std", "variance", "mode", "entropy"):
        assert_allclose(getattr(family, name)(twice), getattr(one, name)(raw), **CLOSE)
    assert_allclose(family.quantile(twice, 0.3), one.quantile(raw, 0.3), **CLOSE)
    weights, derivatives = special.softmax(twice[:2], axis=0), one.gradient(raw, y)
    assert_allclose(family.gradient(twice, y)[:2], np.zeros((2, 2)), atol=1e-15)
    expected = np.concatenate([weights[0] * derivatives, weights[1] * derivatives])
    assert_allclose(family.gradient(twice, y)[2:], expected, **CLOSE)


@pytest.mark.parametrize(
    ("one", "raws"), [each for each in COMPONENTS if not isinstance(each[0], VonMises)]
)
def test_entropy_and_crps_of_different_components(
    one: Distribution, raws: list[tuple[float, ...]]
) -> None:
    family, raw = Mixture(one, 2), column((0.3, -0.4, *raws[0], *raws[1]))
    assert_allclose(family.cdf(raw, family.quantile(raw, 0.4)) >= 0.4 - 1e-14, True)
    edges = np.sort([one.quantile(column(r), p)[0] for r in raws for p in (1e-14, 0.5, 1 - 1e-14)])
    y = float(family.quantile(raw, 0.8)[0])
    if family.discrete:
        counts = np.arange(edges[-1] + 200.0)
        probs = np.exp(family.log_prob(raw, counts))
        entropy = np.sum(special.entr(probs))
        score = np.sum((np.cumsum(probs) - (y <= counts)) ** 2)
    else:

        def surprise(y: float) -> float:
            log_prob = family.log_prob(raw, y).item()
            return -np.exp(log_prob) * log_prob

        def off(z: float) -> float:
            return ((family.cdf(raw, z) if z < y else family.sf(raw, z)) ** 2).item()

        panels = np.concatenate([np.linspace(a, b, 6)[:-1] for a, b in pairwise(edges)])
        panels = np.unique([*panels, edges[-1], y])
        pairs = list(pairwise(panels))
        entropy = sum(integrate.quad(surprise, a, b, limit=200)[0] for a, b in pairs)
        score = sum(integrate.quad(off, a, b, limit=200)[0] for a, b in pairs)
    assert_allclose(family.entropy(raw), entropy, rtol=1e-8)
    assert_allclose(family.crps(raw, y), score, rtol=1e-8)


ANGLES = {
    "two peaks": ([0.3, -0.5], [2.9, -2.5], [1.4, 0.4]),
    "a narrow one": ([1.0, -0.7], [-3.1, 20.0], [5.0, 0.0]),
    "narrow ones": ([0.2, 0.0], [1.0, 1.5], [6.0, 9.0]),
}


@pytest.mark.parametrize("name", ANGLES)
def test_of_angles_follows_its_definitions(name: str) -> None:
    """SciPy's densities, integrated over one turn about the mean direction."""
    logits, loc, log_k = (np.array(values) for values in ANGLES[name])
    family = Mixture(VonMises(), len(loc))
    raw = column([*logits, *np.stack([loc, log_k], axis=1).ravel()])
    weights, k = special.softmax(logits), np.exp(log_k)
    one_turn = stats.vonmises(k, loc)

    def density(y: Any) -> Any:
        return one_turn.pdf(np.asarray(y)[..., np.newaxis]) @ weights

    with mpmath.workdps(30):
        length = [mpmath.besseli(1, c) / mpmath.besseli(0, c) for c in k]
        total = sum(w * a * mpmath.expj(m) for w, a, m in zip(weights, length, loc, strict=True))
        mean = float(mpmath.arg(total))
    assert_allclose(family.mean(raw), [mean], **CLOSE)
    peaks = mean + (loc - mean + np.pi) % (2 * np.pi) - np.pi
    steps = np.array([-12.0, -6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0, 12.0])
    turns = (2 * np.pi * np.arange(-1, 2))[:, np.newaxis, np.newaxis]
    cuts = (peaks + turns + steps[:, np.newaxis] / np.sqrt(k)).ravel()

    nodes, node_weights = np.polynomial.legendre.leggauss(40)

    def over(function: Any, start: float, end: float) -> float:
        edges = np.unique([start, *cuts[(cuts > start) & (cuts < end)], end])
        half = np.diff(edges) / 2
        at = (edges[:-1] + half)[:, np.newaxis] + half[:, np.newaxis] * nodes
        values = function(at.ravel()).reshape(at.shape)
        return float(half @ (values @ node_weights))

    low, high = mean - np.pi, mean + np.pi
    variance = over(lambda y: (y - mean) ** 2 * density(y), low, high)
    assert_allclose(family.variance(raw), [variance], rtol=1e-10)
    entropy = over(lambda y: -density(y) * family.log_prob(raw, y), low, high)
    assert_allclose(family.entropy(raw), [entropy], rtol=1e-10, atol=1e-10)
    for y in (-6.0, -3.0, -0.4, 1.2, 3.1, 9.0):
        assert_allclose(family.log_prob(raw, y), np.log([density(y)]), rtol=1e-10, atol=1e-10)
        near = low + (y - low) % (2 * np.pi)
        # Nothing cancels in either tail.
        assert_allclose(family.cdf(raw, y), [over(density, low, near)], rtol=1e-9, atol=1e-40)
        assert_allclose(family.sf(raw, y), [over(density, near, high)], rtol=1e-9, atol=1e-40)
    y = 1.2
    score = over(lambda z: family.cdf(raw, z) ** 2, low, y)
    score += over(lambda z: family.sf(raw, z) ** 2, y, high)
    assert_allclose(family.crps(raw, y + 2 * np.pi), [score], rtol=1e-9)
    for p in (1e-12, 0.4, 0.5, 1 - 1e-12):
        y = family.quantile(raw, p)
        tail = family.cdf(raw, y) if p < 0.5 else family.sf(raw, y)
        lost = 4 * np.spacing(np.pi) * density(y)
        assert abs(tail.item() - min(p, 1 - p)) <= 1e-13 * min(p, 1 - p) + lost.item()
    ends = family.quantile(raw, [0.0, 1.0, -0.1, 1.1, np.nan])
    assert_allclose(ends, [low, high, np.nan, np.nan, np.nan], rtol=1e-14)
    assert_array_equal(family.cdf(raw, [-np.inf, np.inf, np.nan]), [0.0, 1.0, np.nan])
    best = family.mode(raw).item()
    assert min(np.abs(np.exp(1j * best) - np.exp(1j * loc))) < 1e-12
    assert_allclose(density(best), density(loc).max(), rtol=1e-12)


def test_entropy_next_to_an_edge() -> None:
    """Quantiles of a component that are rounded to an edge of the support."""
    raw = np.zeros((2, 1))  # a = b = 1/2: with 1e-8 of the probability within 1e-16 of 1
    twice = np.concatenate([np.zeros((2, 1)), raw, raw])
    assert_allclose(Mixture(Beta(), 2).entropy(twice), Beta().entropy(raw), atol=1e-7)


def test_mode_at_an_edge() -> None:
    """Where a density rises to infinity outside the support it is highest."""
    family = Mixture(Gamma(), 2)
    raw = column((3.0, -3.0, 0.5, 4.0, 0.0, -1.0))
    assert family.mode(raw) == 0.0
    raw[5] = 1.0
    assert family.mode(raw) == Gamma().mode(raw[2:4])
    # Of a Beta without a mode.
    raw = column((-3.0, 3.0, 0.5, 4.0, 0.0, 0.1))
    assert np.isnan(Beta().mode(raw[4:])).all()
    assert Mixture(Beta(), 2).mode(raw) == Beta().mode(raw[2:4])


def test_of_counts() -> None:
    """Two coins are one coin."""
    family, raw = Mixture(Bernoulli(), 2), np.array([0.2, -0.3, 1.5, -2.0])[:, np.newaxis]
    weights = special.softmax(raw[:2, 0])
    coin = stats.bernoulli(weights @ special.expit(raw[2:, 0]))
    y = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    assert_allclose(family.log_prob(raw, y), coin.logpmf(y), **CLOSE)
    assert_allclose(family.cdf(raw, y), coin.cdf(y), **CLOSE)
    assert_allclose(family.sf(raw, y), coin.sf(y), **CLOSE)
    assert_allclose(family.entropy(raw), coin.entropy(), **CLOSE)
    assert_allclose(
        [family.mean(raw), family.variance(raw)], [[coin.mean()], [coin.var()]], **CLOSE
    )
    p = np.array([0.0, 0.1, float(coin.pmf(0)) - 1e-9, float(coin.pmf(0)) + 1e-9, 1.0, 1.1])
    assert_array_equal(family.quantile(raw, p), [0, 0, 0, 1, 1, np.nan])
    for target in (0.0, 0.3, 1.0, -0.5, 1.5):
        score, _ = integrate.quad(
            lambda z, y=target: (coin.cdf(z) - (y <= z)) ** 2, -1, 2, points=[0, target, 1]
        )
        assert_allclose(family.crps(raw, target), score, rtol=1e-9)


def test_standing_of_shared_constants() -> None:
    """Raw parameters that broadcast, and statistics of several columns at once."""
    rng = np.random.default_rng(5)
    family, raw, y = Mixture(Normal(), 2), rng.normal(size=(6, 3, 2)), rng.normal(size=(3, 2))
    for statistic in (family.entropy, family.mode, family.variance):
        alone = [[statistic(raw[:, i, t][:, np.newaxis])[0] for t in range(2)] for i in range(3)]
        assert_allclose(statistic(raw), alone, rtol=1e-13)
    definition = family._element_by_element(raw, y, family._crps)
    assert_allclose(family.crps(raw, y), definition, rtol=1e-12)
    draws = rng.normal(size=(5, 3, 2))
    assert family.gradient(raw, draws).shape == (6, 5, 3, 2)
    assert_array_equal(family.gradient(raw, draws)[:, 2], family.gradient(raw, draws[2]))
    assert_array_equal(family.quantile(raw, 0.3), family.quantile(raw, np.full((5, 3, 2), 0.3))[0])


@pytest.mark.parametrize("one", [component for component, _ in COMPONENTS], ids=NAMES)
def test_extremes_are_finite(one: Distribution) -> None:
    family = Mixture(one, 2)
    corners = [-1e4, -30.0, 0.0, 30.0, 1e4]
    raw = np.random.default_rng(0).choice(corners, (len(family.names), 500))
    inside = [y for y in (-1e15, -1.0, 0.0, 1e-15, 0.5, 1.0, 9.0, 1e15) if family.support(y)]
    assert len(inside) >= 2
    for y in inside:
        assert np.isfinite(family.log_prob(raw, y)).all()
        assert np.isfinite(family.gradient(raw, y)).all()


def test_quadrature() -> None:
    ends = np.array([1.0, 0.0])
    assert_allclose(integrate_panels(lambda u: -np.log(u), ends), 1.0, rtol=1e-13)
    assert_allclose(integrate_panels(lambda u: -np.log1p(-u), ends), 1.0, rtol=1e-13)
    assert_allclose(integrate_panels(np.sqrt, ends), 2 / 3, rtol=1e-13)
    narrow = integrate_panels(lambda u: 1e9 / (1 + (1e9 * u) ** 2), np.array([0.0, 1e-9, 1.0]))
    assert_allclose(narrow, np.arctan(1e9), rtol=1e-13)


def test_unusable_components() -> None:
    for component in (
        Categorical(3), Ordinal(3), MultivariateNormal(2), Quantiles([0.5]), Mixture(Normal(), 2),
        ZeroInflated(Poisson()),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=type(component).__name__):
            Mixture(component, 2)
    with pytest.raises(ValueError, match="two components"):
        Mixture(Normal(), 1)
