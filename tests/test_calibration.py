"""Recalibration and conformal intervals. That they refuse rows of a fit: test_training_rows.py."""

import math
from collections.abc import Callable
from typing import Any

import likely
import numpy as np
import pytest
from likely import metrics
from likely.calibration import ConformalNetwork, RecalibratedDistribution, RecalibratedNetwork
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from predicted import Counts
from scipy import stats
from test_bad_input import refused

Array = NDArray[np.float64]
each_wrapper = pytest.mark.parametrize("wrap", [likely.recalibrate, likely.conformal])
Wrap = Callable[[likely.Network, Any, Any], Any]


def linear(
    scale: Any = 1.0, loc: Any = 0.0, slope: Any = 0.0, dtype: str = "float64"
) -> likely.Network:
    """A network that predicts Normal(loc + slope x, scale (1 + |x|)) for x = -1, 0 or 1, unfitted.

    One raw parameter is log scale: linear in x**2, which is the second input.
    """
    scales, locs, slopes = (np.atleast_1d(v) for v in np.broadcast_arrays(scale, loc, slope))
    targets = len(scales)
    network = likely.Network(2, targets=targets, dtype=dtype)
    weight = np.zeros((2, 2 * targets))
    weight[0, :targets], weight[1, targets:] = slopes, math.log(2)
    network.parameters = np.concatenate([weight.ravel(), locs, np.log(scales)])
    return network


def draw(rows: int, rng: np.random.Generator, skew: bool = False) -> tuple[Array, Array]:
    """Inputs (x, x**2), and targets of scale 1 + |x|: normal, or skewed to the right."""
    x = rng.integers(-1, 2, rows).astype(float)
    noise = rng.exponential(size=rows) - 1 if skew else rng.normal(size=rows)
    return np.stack([x, x**2], axis=1), x + (1 + np.abs(x)) * noise


# ---- recalibration


def uniformity(pit: Array) -> float:
    """The p-value of Kolmogorov and Smirnov's test."""
    return float(stats.kstest(pit, "uniform").pvalue)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("wrong", "skew"),
    [({"scale": 0.5}, False), ({"scale": 3.0}, False), ({"loc": 0.7}, False), ({}, True)],
    ids=["narrow", "wide", "biased", "skewed"],
)
def test_recalibration_corrects_new_rows(wrong: dict[str, float], skew: bool, dtype: str) -> None:
    rng = np.random.default_rng(1)
    network = linear(**{"scale": 1.0, "slope": 1.0, **wrong}, dtype=dtype)
    better = likely.recalibrate(network, *draw(4000, rng, skew))
    x, y = draw(1000, rng, skew)
    before, after = (model.predict_distribution(x) for model in (network, better))
    assert isinstance(after, RecalibratedDistribution)
    assert uniformity(metrics.pit_values(before, y)) < 1e-6
    assert uniformity(metrics.pit_values(after, y)) > 0.01
    for coverage in (0.5, 0.9):
        reached = metrics.interval_coverage(after, y, coverage)
        assert abs(reached - coverage) < 4 * math.sqrt(coverage * (1 - coverage) * 1.25 / 1000)
        assert abs(metrics.interval_coverage(before, y, coverage) - reached) > 0.015
    assert metrics.pinball_loss(after, y, [0.1, 0.9]) < metrics.pinball_loss(before, y, [0.1, 0.9])


def test_a_new_row_falls_between_any_two_held_out_rows_with_the_same_probability() -> None:
    # Whatever the network predicts, and however few rows are held out.
    rng = np.random.default_rng(2)
    network = linear(scale=2.0, loc=0.5)
    x, y = draw(9 * 3000, rng, skew=True)
    below = []
    for part in np.split(np.arange(len(x)), 3000):
        better = likely.recalibrate(network, x[part[:8]], y[part[:8]])
        probability = better.predict_distribution(x[part[8:]]).cdf(y[part[8:]])
        below.append(int(np.floor(9 * probability[0])))
    assert stats.chisquare(np.bincount(below, minlength=9)).pvalue > 0.01


def test_quantiles_and_cdf_are_inverse() -> None:
    rng = np.random.default_rng(3)
    d = likely.recalibrate(linear(0.5), *draw(200, rng)).predict_distribution([[1, 1], [0, 0]])
    for p in (0.01, 0.2, 0.5, 0.77, 0.99):
        assert_allclose(d.cdf(d.quantile(p)), p, atol=1e-9)
    assert isinstance(d, RecalibratedDistribution)
    assert_array_equal(d.median, d.quantile(0.5))
    assert_array_equal(d.quantile([0.5, 0.9]), [d.median, d.quantile(0.9)])
    assert_array_equal(d.interval(0.6), [d.quantile(0.2), d.quantile(0.8)])
    assert_array_equal(d[1].median, d.median[1:])
    assert (len(d), type(d.distribution)) == (2, likely.Normal)
    assert repr(d) == (
        "RecalibratedDistribution(PredictiveDistribution(Normal, rows=2, targets=1))"
    )
    grid = d.cdf([-math.inf, -math.inf]), d.cdf([math.inf, math.inf])
    assert_array_equal(grid, [[0, 0], [1, 1]])


def test_what_the_network_thought_impossible_has_no_end() -> None:
    # Of ten held-out rows three are where the cdf is 0, two where it is 1.
    y = [-1e3, -2e3, -3e3, -1, -0.5, 0, 0.5, 1, 1e3, 2e3]
    network = linear()
    better = likely.recalibrate(network, np.zeros((10, 2)), y)
    d = better.predict_distribution([[0.0, 0.0]])
    assert_allclose(d.cdf([-500]), 3 / 11)
    assert d.quantile(3 / 11 - 1e-9) == -math.inf and d.quantile(3 / 11 + 1e-6) > -math.inf
    assert_allclose(d.quantile(4 / 11), -1, atol=1e-12)
    assert d.quantile(9 / 11 + 1e-9) == math.inf and d.quantile(9 / 11 - 1e-6) < math.inf


def test_several_columns_are_recalibrated_each_by_itself() -> None:
    rng = np.random.default_rng(4)
    network = linear(scale=[0.5, 3.0], slope=[1.0, 1.0])
    (x, y), (_, other) = draw(1000, rng), draw(1000, rng)
    both = np.stack([y, other], axis=1)
    d = likely.recalibrate(network, x, both).predict_distribution(x[:50])
    assert isinstance(d, RecalibratedDistribution)
    for t, scale in enumerate((0.5, 3.0)):
        alone = likely.recalibrate(linear(scale, slope=1.0), x, both[:, t])
        expected = alone.predict_distribution(x[:50])
        assert_allclose(d.quantile(0.3)[:, t], expected.quantile(0.3), rtol=1e-12)
        assert_allclose(d.cdf(both[:50])[:, t], expected.cdf(both[:50, t]), rtol=1e-12)
    assert d.sample(3).shape == (3, 50, 2)
    columns = [
        stats.kstest(d[:1].sample(4000)[:, 0, t], lambda v, t=t: _column(d, v, t)) for t in (0, 1)
    ]
    assert min(result.pvalue for result in columns) > 0.01


def _column(d: RecalibratedDistribution, values: Array, t: int) -> Array:
    return np.asarray(d[np.zeros(len(values), int)].cdf(np.stack([values, values], axis=1))[:, t])


def test_samples_follow_the_cdf() -> None:
    rng = np.random.default_rng(5)
    better = likely.recalibrate(linear(0.5, slope=1.0), *draw(500, rng, skew=True))
    d = better.predict_distribution([[0, 0], [1, 1], [-1, 1]])
    assert isinstance(d, RecalibratedDistribution)
    for seed in (0, 1):
        sample = d.sample(2000, seed)
        assert sample.shape == (2000, 3)
        assert_array_equal(d.sample(2000, seed), sample)
        for row in range(3):
            assert uniformity(d[[row] * 2000].cdf(sample[:, row])) > 0.01
        correlation = np.corrcoef(stats.rankdata(sample, axis=0).T)
        assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 4 / math.sqrt(2000)
    assert not np.any(d.sample(2000, 0) == d.sample(2000, 1))
    # One draw a seed is uniform too.
    single = np.array([d[:1].sample(1, seed)[0] for seed in range(500)])
    assert uniformity(d[[0] * 500].cdf(single[:, 0])) > 0.01


def coin_network(steepness: float, targets: int = 1) -> likely.Network:
    network = likely.Network(1, targets=targets, distribution="bernoulli", dtype="float64")
    network.parameters = [steepness] * targets + [0.0] * targets
    return network


def toss(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    x = rng.normal(size=rows)
    return x, (rng.uniform(size=rows) < 1 / (1 + np.exp(-x))).astype(float)


def test_a_coin_that_is_too_sure_is_corrected() -> None:
    rng = np.random.default_rng(6)
    better = likely.recalibrate(coin_network(4.0), *toss(4000, rng))
    x, y = toss(4000, rng)
    before, after = (m.predict_distribution(x) for m in (coin_network(4.0), better))
    assert isinstance(after, likely.PredictiveDistribution)
    error = metrics.expected_calibration_error
    assert error(before, y) > 0.15 > 0.05 > error(after, y)
    assert metrics.brier_score(after, y) < metrics.brier_score(before, y)
    assert metrics.negative_log_likelihood(after, y) < metrics.negative_log_likelihood(before, y)
    order = np.argsort(x)
    assert np.all(np.diff(after.params["probs"][order]) >= -1e-12)  # isotonic


def test_no_class_becomes_impossible() -> None:
    x = np.linspace(-3, 3, 100)
    d = likely.recalibrate(coin_network(1.0), x, x > 0).predict_distribution([-9.0, 9.0])
    # The 50 zeros and the event that is added: 1 of 51.
    assert_allclose(d.cdf([0, 0]), [50 / 51, 1 / 51], rtol=1e-12)


def test_several_columns_of_classes() -> None:
    rng = np.random.default_rng(7)
    (x, y), (_, other) = toss(500, rng), toss(500, rng)
    both = likely.recalibrate(coin_network(3.0, 2), x, np.stack([y, other], axis=1))
    for t, column in enumerate((y, other)):
        alone = likely.recalibrate(coin_network(3.0), x, column)
        for model in (both, alone):
            assert isinstance(model.predict_distribution(x), likely.PredictiveDistribution)
        d, single = both.predict_distribution(x), alone.predict_distribution(x)
        assert isinstance(d, likely.PredictiveDistribution)
        assert isinstance(single, likely.PredictiveDistribution)
        assert_allclose(d.params["probs"][:, t], single.params["probs"], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_classes_that_are_too_sure_are_corrected(dtype: str) -> None:
    rng = np.random.default_rng(8)
    network = likely.Network(3, distribution=likely.Categorical(3), dtype=dtype)
    network.parameters = np.append(4 * np.eye(3).ravel(), [0, 0, 0])

    def classes(rows: int) -> tuple[Array, Array]:
        x = rng.normal(size=(rows, 3))
        probability = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return x, (rng.uniform(size=(rows, 1)) > probability.cumsum(axis=1)).sum(axis=1)

    better = likely.recalibrate(network, *classes(4000))
    x, y = classes(4000)
    before, after = network.predict_distribution(x), better.predict_distribution(x)
    assert isinstance(after, likely.PredictiveDistribution)
    assert_allclose(after.params["probs"].sum(axis=1), 1, rtol=1e-5)
    assert after.params["probs"].min() > 0
    error = metrics.expected_calibration_error
    assert error(before, y) > 0.2 > 0.08 > error(after, y)
    assert metrics.brier_score(after, y) < metrics.brier_score(before, y)


# ---- conformal intervals


def held(model: ConformalNetwork, x: Any, y: Array, coverage: float) -> NDArray[np.bool_]:
    lower, upper = model.interval(x, coverage)
    return np.asarray((lower <= y) & (y <= upper))


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_the_coverage_over_repetitions_is_beta_binomial(scale: float) -> None:
    # Given n = 39 held-out rows, the coverage of continuous targets is Beta(k, n + 1 - k),
    # k = 32 = 0.8 * 40, whatever the network predicts (Vovk 2012).
    rng = np.random.default_rng(9)
    network = linear(scale, loc=0.5)
    new, repetitions, rank, rows = 40, 2000, 32, 39
    x, y = draw((rows + new) * repetitions, rng, skew=True)
    counts = []
    for part in np.split(np.arange(len(x)), repetitions):
        model = likely.conformal(network, x[part[:rows]], y[part[:rows]])
        counts.append(held(model, x[part[rows:]], y[part[rows:]], 0.8).sum())
    law = stats.betabinom(new, rank, rows + 1 - rank)
    assert abs(np.mean(counts) - law.mean()) < 4 * law.std() / math.sqrt(repetitions)
    edges = [-1, 25, 27, 29, 30, 31, 32, 33, 34, 35, 36, 37, 40]
    expected = repetitions * np.diff(law.cdf(edges))
    observed = np.histogram(counts, bins=np.array(edges) + 0.5)[0]
    assert stats.chisquare(observed, expected).pvalue > 0.01


def test_intervals_follow_the_width_that_the_network_predicts() -> None:
    rng = np.random.default_rng(10)
    network = linear(0.3, slope=1.0)
    model = likely.conformal(network, *draw(4000, rng))
    lower, upper = model.interval([[0, 0], [1, 1], [-1, 1]], 0.9)
    # 0.3 is wrong by a factor, which the correction finds: the true scales are 1, 2 and 2.
    assert_allclose((lower + upper) / 2, [0, 1, -1], atol=1e-12)
    assert_allclose(upper - lower, 2 * stats.norm.ppf(0.95) * np.array([1, 2, 2]), rtol=0.06)
    x, y = draw(4000, rng)
    for absolute in (0, 1):
        rows = np.abs(x[:, 0]) == absolute
        assert abs(held(model, x[rows], y[rows], 0.9).mean() - 0.9) < 0.03


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_network_that_is_far_off_is_corrected(scale: float) -> None:
    rng = np.random.default_rng(11)
    model = likely.conformal(linear(scale, slope=1.0, dtype="float32"), *draw(2000, rng))
    x, y = draw(2000, rng)
    lower, upper = model.interval(x, 0.9)
    assert np.all(lower < upper)
    assert abs(held(model, x, y, 0.9).mean() - 0.9) < 0.03


def test_intervals_whose_ends_are_one_number_are_widened_too() -> None:
    rng = np.random.default_rng(18)
    network = linear(1e-9, loc=1000.0, dtype="float32")  # 1e-9 is lost beside 1000
    model = likely.conformal(network, np.zeros((99, 2)), 1000 + rng.normal(size=99))
    lower, upper = model.interval([[0, 0]], 0.9)
    assert_allclose((lower[0] - 1000, upper[0] - 1000), (-1.65, 1.65), atol=0.6)


def test_the_interval_by_hand() -> None:
    y = np.array([0.5, -2.0, 1.0, 3.0])
    model = likely.conformal(linear(), np.zeros((4, 2)), y)
    end = stats.norm.ppf(0.8)
    # coverage 0.6: ceil(5 * 0.6) = 3, the third smallest distance beyond, that of -2.0.
    lower, upper = model.interval([[0, 0]], 0.6)
    assert_allclose((lower[0], upper[0]), (-2, 2), rtol=1e-12)
    assert end < 2
    # coverage 0.2: the smallest, of 0.5, is inside of the network's interval of 0.2.
    lower, upper = model.interval([[0, 0]], 0.4)
    assert_allclose((lower[0], upper[0]), (-1, 1), rtol=1e-12)


def test_too_few_rows_for_a_coverage() -> None:
    x, y = draw(9, np.random.default_rng(12))
    lower, upper = likely.conformal(linear(), x, y).interval(x, 0.9)  # just enough
    assert np.all(np.isfinite([lower, upper]))
    with refused(ValueError, "coverage", "8 held-out rows", "0.9", "needs 9"):
        likely.conformal(linear(), x[:8], y[:8]).interval(x, 0.9)
    model = likely.conformal(linear(), x, y)
    bad: list[tuple[Any, type[Exception]]] = [
        (1, ValueError), (0, ValueError), (1.2, ValueError), (-0.1, ValueError), ("0.9", TypeError)
    ]  # fmt: skip
    for coverage, error in bad:
        with refused(error, "coverage") as raised:
            model.interval(x, coverage)
        assert "needs" not in str(raised.value)  # no number of rows would do


def test_several_columns_are_covered_each_by_itself() -> None:
    rng = np.random.default_rng(13)
    (x, y), (_, other) = draw(100, rng), draw(100, rng)
    both = np.stack([y, other], axis=1)
    lower, upper = likely.conformal(linear([0.5, 3.0]), x, both).interval(x[:7], 0.8)
    assert lower.shape == upper.shape == (7, 2)
    for t, scale in enumerate((0.5, 3.0)):
        alone = likely.conformal(linear(scale), x, both[:, t]).interval(x[:7], 0.8)
        assert_allclose((lower[:, t], upper[:, t]), alone, rtol=1e-12)


class CountingNetwork:
    """Predicts Poisson(rate factor) for x = rate."""

    targets = 1
    distribution = Counts.distribution

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def predict_distribution(self, x: Array) -> Counts:
        return Counts(np.asarray(x) * self.factor)


@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_intervals_of_counts_end_at_counts(factor: float) -> None:
    network: Any = CountingNetwork(factor)
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rate = np.exp(rng.normal(0, 1.5, 119))
        y = rng.poisson(rate).astype(float)
        model = ConformalNetwork(network, network.predict_distribution(rate[:19]), y[:19, None])
        lower, upper = model.interval(rate[19:], 0.8)
        assert_array_equal((lower, upper), np.round((lower, upper)))
        assert lower.min() >= 0 and np.all(lower <= upper)
        covered.append(np.mean((lower <= y[19:]) & (y[19:] <= upper)))
    # At least 0.8 on average; its standard error is that of Beta(16, 4) over 200 repetitions.
    assert np.mean(covered) > 0.8 - 4 * 0.09 / math.sqrt(200)


# ---- bad input


@each_wrapper
def test_bad_input(wrap: Wrap) -> None:
    x, y = draw(30, np.random.default_rng(14))
    network = linear()
    cases: list[tuple[tuple[Any, Any, Any], type[Exception], list[str]]] = [
        (("network", x, y), TypeError, ["network", "likely.Network", "str"]),
        ((network, x[:, 0], y), ValueError, ["x", "(rows, 2)"]),
        ((network, x, y[1:]), ValueError, ["x and y", "30", "29"]),
        ((network, x, [*y[1:], math.nan]), ValueError, ["y", "finite"]),
        ((network, np.full_like(x, math.inf), y), ValueError, ["x", "finite"]),
        ((network, x[:0], y[:0]), ValueError, ["x", "at least one row"]),
        ((network, None, y), TypeError, ["x", "None"]),
    ]
    for arguments, error, words in cases:
        with refused(error, *words):
            wrap(*arguments)


def test_conformal_is_not_for_classes() -> None:
    x, y = toss(20, np.random.default_rng(15))
    with refused(ValueError, "network", "Bernoulli", "classes", "recalibrate"):
        likely.conformal(coin_network(1.0), x, y)


def test_a_density_of_ones_own_has_no_cdf() -> None:
    @likely.distribution(parameters=("loc",))
    def unit(y: Any, loc: Any) -> Any:
        return -((y - loc) ** 2)

    network = likely.Network(2, distribution=unit)
    x, y = draw(20, np.random.default_rng(16))
    with pytest.raises(ValueError, match="unit"):
        likely.recalibrate(network, x, y)
    with pytest.raises(ValueError, match="unit"):
        likely.conformal(network, x, y).interval(x, 0.5)


def test_wrappers_say_what_they_are() -> None:
    x, y = draw(20, np.random.default_rng(17))
    network = linear()
    better, guaranteed = likely.recalibrate(network, x, y), likely.conformal(network, x, y)
    assert isinstance(better, RecalibratedNetwork) and better.network is network
    assert guaranteed.network is network
    assert repr(better) == f"RecalibratedNetwork({network!r})"
    assert repr(guaranteed) == f"ConformalNetwork({network!r}, rows=20)"
