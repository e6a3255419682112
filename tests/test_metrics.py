"""Metrics: held to SciPy, to formulas by hand, and to what calibrated predictions must give."""

import math
from collections.abc import Callable
from typing import Any

import likely
import numpy as np
import pytest
from likely import metrics
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from predicted import Counts, Levels
from scipy import stats
from test_bad_input import refused

Array = NDArray[np.float64]
given = likely.PredictiveDistribution.from_params
RNG = np.random.default_rng(11)
ROWS = 2000
LOC, SCALE = RNG.normal(3, 2, ROWS), np.exp(RNG.normal(0, 0.5, ROWS))
Y = RNG.normal(LOC, SCALE)
NORMAL = given("normal", loc=LOC, scale=SCALE)
TWO = given("normal", loc=np.stack([LOC, 5 * LOC], 1), scale=np.stack([SCALE, 2 * SCALE], 1))
Y_TWO = np.stack([Y, Y], axis=1)
PROBS = RNG.beta(0.7, 0.7, ROWS)
CAME = (RNG.uniform(size=ROWS) < PROBS).astype(float)
COIN = given("bernoulli", probs=PROBS)
SIMPLEX = RNG.dirichlet(np.ones(4), ROWS)
LABELS = (RNG.uniform(size=(ROWS, 1)) > SIMPLEX.cumsum(axis=1)).sum(axis=1)
CLASSES = given(likely.Categorical(4), probs=SIMPLEX)
COUNT = given("poisson", rate=2.0)
SHARE = given("beta", concentration1=2.0, concentration0=1.0, dtype="float32")


# ---- scores


def test_negative_log_likelihood() -> None:
    expected = -stats.norm.logpdf(Y, LOC, SCALE).mean()
    assert_allclose(metrics.negative_log_likelihood(NORMAL, Y), expected, rtol=1e-13)
    assert_allclose(
        metrics.negative_log_likelihood(CLASSES, LABELS),
        -np.log(SIMPLEX[np.arange(ROWS), LABELS]).mean(),
        rtol=1e-13,
    )


def test_negative_log_likelihood_of_right_censored_targets() -> None:
    of = likely.PredictiveDistribution.from_params
    d = of("weibull", scale=[1.0, 2.0, 3.0], concentration=[0.7, 1.0, 3.0])
    y, event = np.array([0.5, 3.0, 2.0]), np.array([1, 0, 0])
    oracle = stats.weibull_min([0.7, 1.0, 3.0], scale=[1.0, 2.0, 3.0])
    expected = -np.where(event == 1, oracle.logpdf(y), oracle.logsf(y)).mean()
    assert_allclose(metrics.negative_log_likelihood(d, y, event), expected, rtol=1e-13)
    assert_allclose(
        metrics.negative_log_likelihood(d, y, event=[1, 1, 1]), -oracle.logpdf(y).mean()
    )
    two = of("exponential", rate=np.full((3, 2), 2.0))
    score = metrics.negative_log_likelihood(two, np.ones((3, 2)), [[1, 0], [1, 0], [0, 0]])
    assert_allclose(score, [2 - 2 * np.log(2) / 3, 2.0])  # a seen 1 has the density 2 exp(-2)


def test_the_sum_over_target_columns_is_the_loss_of_the_network() -> None:
    network = likely.Network(1, targets=2, layers=[likely.Dense(3, "tanh")], dtype="float64")
    x = np.linspace(-1, 1, ROWS)
    scores = metrics.negative_log_likelihood(network.predict_distribution(x), Y_TWO)
    assert np.shape(scores) == (2,)
    assert_allclose(np.sum(scores), network.loss(x, Y_TWO), rtol=1e-13)


def normal_crps(y: Array, loc: Array, scale: Array) -> Array:
    """Gneiting, Raftery, Westveld and Goldman (2005), equation 5."""
    z = (y - loc) / scale
    inner = z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi)
    return np.asarray(scale * inner)


@pytest.mark.skipif(
    not hasattr(likely.PredictiveDistribution, "crps"), reason="predictions have no crps yet"
)
def test_crps() -> None:
    expected = normal_crps(Y, LOC, SCALE).mean()
    assert_allclose(metrics.crps(NORMAL, Y), expected, rtol=1e-10)
    scores = metrics.crps(TWO, Y_TWO)
    assert_allclose(scores, [expected, normal_crps(Y, 5 * LOC, 2 * SCALE).mean()], rtol=1e-10)
    with refused(ValueError, "crps", "Categorical", "brier_score"):
        metrics.crps(CLASSES, LABELS)


def test_pinball_loss() -> None:
    for level in (0.1, 0.5, 0.9):
        q = stats.norm.ppf(level, LOC, SCALE)
        by_hand = np.where(q <= Y, level * (Y - q), (1 - level) * (q - Y)).mean()
        assert_allclose(metrics.pinball_loss(NORMAL, Y, level), by_hand, rtol=1e-10)
    alone = [metrics.pinball_loss(NORMAL, Y, level) for level in (0.1, 0.5, 0.9)]
    assert_allclose(metrics.pinball_loss(NORMAL, Y, [0.1, 0.5, 0.9]), np.mean(alone), rtol=1e-13)
    assert_allclose(metrics.pinball_loss(NORMAL, Y, 0.5), np.abs(Y - LOC).mean() / 2, rtol=1e-13)


def test_twice_the_pinball_loss_at_many_levels_is_the_crps() -> None:
    levels = (np.arange(1000) + 0.5) / 1000
    expected = normal_crps(Y, LOC, SCALE).mean()
    assert_allclose(2 * np.asarray(metrics.pinball_loss(NORMAL, Y, levels)), expected, rtol=1e-4)


def test_brier_score() -> None:
    assert_allclose(metrics.brier_score(COIN, CAME), np.mean((PROBS - CAME) ** 2), rtol=1e-13)
    came = np.eye(4)[LABELS]
    assert_allclose(
        metrics.brier_score(CLASSES, LABELS),
        np.mean(np.sum((SIMPLEX - came) ** 2, axis=1)),
        rtol=1e-12,
    )
    two = given(likely.Categorical(2), probs=np.stack([1 - PROBS, PROBS], axis=1))
    assert_allclose(metrics.brier_score(two, CAME), 2 * np.mean((PROBS - CAME) ** 2), rtol=1e-12)


def test_brier_score_of_several_columns() -> None:
    d = given("bernoulli", probs=np.stack([PROBS, PROBS**2], axis=1))
    both = metrics.brier_score(d, np.stack([CAME, CAME], axis=1))
    assert_allclose(both, [np.mean((p - CAME) ** 2) for p in (PROBS, PROBS**2)], rtol=1e-12)
    probs = np.stack([SIMPLEX, SIMPLEX[:, ::-1]], axis=1)
    several = given(likely.Categorical(4), probs=probs)
    first, second = np.asarray(metrics.brier_score(several, np.stack([LABELS, LABELS], axis=1)))
    assert_allclose(first, metrics.brier_score(CLASSES, LABELS), rtol=1e-12)
    assert_allclose(second, metrics.brier_score(CLASSES, 3 - LABELS), rtol=1e-12)


# ---- calibration


def test_interval_coverage_and_width() -> None:
    for coverage in (0.5, 0.9):
        lower, upper = stats.norm.interval(coverage, LOC, SCALE)
        held = (lower <= Y) & (upper >= Y)
        assert metrics.interval_coverage(NORMAL, Y, coverage) == held.mean()
        assert_allclose(metrics.interval_width(NORMAL, coverage), (upper - lower).mean())
        # Four deviations of a binomial.
        assert abs(held.mean() - coverage) < 4 * math.sqrt(coverage * (1 - coverage) / ROWS)
    width = np.asarray(metrics.interval_width(TWO, 0.9))
    assert_allclose(width[1], 2 * width[0], rtol=1e-12)
    assert np.shape(metrics.interval_coverage(TWO, Y_TWO, 0.9)) == (2,)


def test_both_ends_belong_to_the_interval() -> None:
    d = Counts([4.0, 4.0, 4.0, 4.0])
    lower, upper = (int(end[0]) for end in d.interval(0.8))
    y = [lower - 1, lower, upper, upper + 1]
    assert metrics.interval_coverage(d, y, 0.8) == 0.5


def uniformity(pit: Array) -> float:
    """The p-value of Kolmogorov and Smirnov's test."""
    return float(stats.kstest(pit, "uniform").pvalue)


def test_recalibrated_predictions_too_know_what_is_impossible() -> None:
    x = np.linspace(0, 1, 50)
    network = likely.Network(1, distribution="poisson", dtype="float64")
    better = likely.recalibrate(network, x, np.arange(50) % 3)
    with refused(ValueError, "y", "support of Poisson", "-1"):
        metrics.pit_values(better.predict_distribution(x[:2]), [0, -1])


def test_angles_of_a_mixture_are_taken_modulo_a_turn() -> None:
    d = given(
        likely.Mixture("von_mises", 2),
        weights=[0.5, 0.5], loc=[3.0, 3.3], concentration=[10.0, 10.0],
    )  # fmt: skip
    y = np.array([-3.0, 3.2, 1.0, 3.0 + 2 * np.pi])
    assert metrics.interval_coverage(d, y, 0.9) == 0.75


def test_pit_values_of_a_continuous_family_are_its_cdf() -> None:
    assert_allclose(metrics.pit_values(NORMAL, Y), stats.norm.cdf(Y, LOC, SCALE), atol=1e-14)
    rounded = given("normal", dtype="float32", loc=LOC, scale=SCALE)
    pit = metrics.pit_values(rounded, Y)
    assert pit.dtype == np.float64
    # y is rounded to float32: a change of 1e-6 at densities of up to 2.
    assert_allclose(pit, stats.norm.cdf(Y, LOC, SCALE), atol=5e-6)
    both = metrics.pit_values(TWO, Y_TWO)
    assert_allclose(both[:, 0], stats.norm.cdf(Y, LOC, SCALE), atol=1e-14)


class FarBelow:
    """A standard normal in float32, with the probability of more than y."""

    distribution: Any = NORMAL.distribution

    def cdf(self, y: Any) -> Any:
        return stats.norm.cdf(y).astype(np.float32)

    def sf(self, y: Any) -> Any:
        return stats.norm.sf(y).astype(np.float32)


def test_pit_values_close_to_1_do_not_end_with_float32() -> None:
    d: Any = FarBelow()
    pit = metrics.pit_values(d, [-7.0, 0.0, 5.5, 7.0])
    # A step of y in float32, 4.8e-7 at 7, changes the probability of the tail by 7.1 times that.
    assert_allclose(pit[:2], stats.norm.cdf([-7.0, 0.0]), rtol=4e-6)
    assert_allclose(1 - pit[2:], stats.norm.sf([5.5, 7.0]), rtol=1e-3)


RATE = np.exp(RNG.normal(1, 1, ROWS))
COUNTED = RNG.poisson(RATE).astype(float)
TAILS = (0.05, 0.3, 0.5, 0.95)


@pytest.mark.parametrize(
    ("calibrated", "wrong", "y"),
    [
        (NORMAL, given("normal", loc=LOC, scale=1.5 * SCALE), Y),
        (NORMAL, given("normal", loc=LOC + SCALE / 4, scale=SCALE), Y),
        (COIN, given("bernoulli", probs=PROBS**2), CAME),
        (Counts(RATE), Counts(1.2 * RATE), COUNTED),
        (Levels(TAILS, np.zeros(ROWS)), Levels(TAILS, np.full(ROWS, 0.25)), (Y - LOC) / SCALE),
    ],
    ids=["scale", "bias", "coin", "counts", "levels"],
)
def test_pit_values_are_uniform_for_calibrated_predictions_only(
    calibrated: Any, wrong: Any, y: Array
) -> None:
    # Between levels, a straight line stands for the normal's cdf: compare below and above alone.
    pit, other = (metrics.pit_values(d, y, seed=3) for d in (calibrated, wrong))
    if isinstance(calibrated, Levels):
        pit, other = (np.digitize(p, TAILS) for p in (pit, other))
        expected = ROWS * np.diff([0, *TAILS, 1])
        p_values = [
            stats.chisquare(np.bincount(p, minlength=5), expected).pvalue for p in (pit, other)
        ]
    else:
        p_values = [uniformity(p) for p in (pit, other)]
    assert p_values[0] > 0.01 and p_values[1] < 1e-6, p_values


def test_pit_values_where_the_cdf_jumps() -> None:
    d = given("bernoulli", probs=[0.25] * 1000)
    for y, lowest, highest in ((0.0, 0.0, 0.75), (1.0, 0.75, 1.0)):
        pit = metrics.pit_values(d, [y] * 1000)
        assert lowest <= pit.min() and pit.max() <= highest
        assert uniformity((pit - lowest) / (highest - lowest)) > 0.01
    counts = Counts([2.0] * 1000)
    pit = metrics.pit_values(counts, [3.0] * 1000)
    assert_allclose([pit.min(), pit.max()], stats.poisson.cdf([2, 3], 2.0), atol=2e-3)


def test_pit_values_are_a_function_of_the_seed() -> None:
    first = metrics.pit_values(COIN, CAME, seed=1)
    assert_array_equal(metrics.pit_values(COIN, CAME, seed=1), first)
    assert np.all(metrics.pit_values(COIN, CAME, seed=2) != first)


def test_pit_values_beyond_the_levels_are_drawn_from_beyond() -> None:
    y = np.repeat([-9.0, 0.0, 9.0], 500)
    d = Levels((0.2, 0.5, 0.9), np.zeros(len(y)))
    low, middle, high = metrics.pit_values(d, y).reshape(3, 500)
    assert_allclose(middle, 0.5)
    assert uniformity(low / 0.2) > 0.01
    assert uniformity((high - 0.9) / 0.1) > 0.01


def calibration_error(confidence: Array, right: Array, bins: int) -> float:
    """Guo et al. (2017), equation 5, bin by bin."""
    total = 0.0
    for b in range(bins):
        inside = (confidence >= b / bins) & (confidence < (b + 1) / bins)
        inside |= (confidence == 1) & (b == bins - 1)
        if inside.any():
            total += inside.sum() * abs(confidence[inside].mean() - right[inside].mean())
    return total / len(confidence)


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_expected_calibration_error(bins: int) -> None:
    error = metrics.expected_calibration_error
    sure = np.where(np.arange(ROWS) % 3, PROBS, np.round(PROBS))  # 0 and 1 among them
    for probs in (PROBS, sure):
        d = given("bernoulli", probs=probs)
        expected = calibration_error(probs, CAME == 1, bins)
        assert_allclose(error(d, CAME, bins), expected, atol=1e-12)
    right = SIMPLEX.argmax(axis=1) == LABELS
    expected = calibration_error(SIMPLEX.max(axis=1), right, bins)
    assert_allclose(error(CLASSES, LABELS, bins), expected, atol=1e-12)


def test_expected_calibration_error_tells_good_from_bad() -> None:
    error = metrics.expected_calibration_error
    logits = np.log(PROBS / (1 - PROBS))
    sure = given("bernoulli", probs=1 / (1 + np.exp(-3 * logits)))
    assert error(COIN, CAME) < 0.05 < 0.1 < error(sure, CAME)
    both = given("bernoulli", probs=np.stack([PROBS, np.ones(ROWS)], axis=1))
    first, second = np.asarray(error(both, np.stack([CAME, CAME], axis=1)))
    assert_allclose([first, second], [error(COIN, CAME), 1 - CAME.mean()], rtol=1e-12)


# ---- shapes and bad input


def test_a_single_prediction_stands_against_every_row() -> None:
    one, many = (given("normal", loc=np.zeros(n), scale=2.0) for n in (1, ROWS))
    coin, coins = (given("bernoulli", probs=np.full(n, 0.3)) for n in (1, ROWS))
    die, dice = (given(likely.Categorical(4), probs=np.full((n, 4), 0.25)) for n in (1, ROWS))
    calls: list[tuple[Callable[..., Any], Any, Any, Array, tuple[Any, ...]]] = [
        (metrics.negative_log_likelihood, one, many, Y, ()),
        (metrics.pinball_loss, one, many, Y, (0.3,)),
        (metrics.interval_coverage, one, many, Y, (0.9,)),
        (metrics.pit_values, one, many, Y, ()),
        (metrics.brier_score, coin, coins, CAME, ()),
        (metrics.expected_calibration_error, coin, coins, CAME, ()),
        (metrics.brier_score, die, dice, LABELS, ()),
        (metrics.expected_calibration_error, die, dice, LABELS, ()),
    ]
    for metric, single, repeated, y, rest in calls:
        assert_allclose(metric(single, y, *rest), metric(repeated, y, *rest), rtol=1e-12)


def test_metrics_of_one_column_are_python_floats() -> None:
    for value in (
        metrics.negative_log_likelihood(NORMAL, Y),
        metrics.pinball_loss(NORMAL, Y, 0.5),
        metrics.interval_coverage(NORMAL, Y, 0.5),
        metrics.interval_width(NORMAL, 0.5),
        metrics.brier_score(COIN, CAME),
        metrics.expected_calibration_error(COIN, CAME),
    ):
        assert type(value) is float


NAN = math.nan
m = metrics
BAD: list[tuple[Callable[..., Any], tuple[Any, ...], type[Exception], list[str]]] = [
    (m.negative_log_likelihood, (Y, Y), TypeError, ["d", "log_prob", "ndarray"]),
    (m.pit_values, (COUNT, [0.5]), ValueError, ["y", "support of Poisson", "0.5"]),
    (m.pit_values, (SHARE, [1 - 1e-9]), ValueError, ["y", "support of Beta", "1 in float32"]),
    (m.negative_log_likelihood, (COUNT, [1], [1]), ValueError, ["event", "Poisson", "Weibull"]),
    (m.negative_log_likelihood, (COIN[:2], [0, 2]), ValueError, ["y"]),
    (m.negative_log_likelihood, (Levels(TAILS, [0.0]), [0.0]), TypeError, ["pinball_loss"]),
    (m.crps, (Levels(TAILS, [0.0]), [0.0]), TypeError, ["d", "crps", "Levels", "pinball_loss"]),
    (m.pinball_loss, (NORMAL, Y[:5], 0.5), ValueError, ["y", f"{ROWS} rows", "5"]),
    (m.pinball_loss, (NORMAL, np.append(Y[1:], NAN), 0.5), ValueError, ["y", f"row {ROWS - 1}"]),
    (m.pinball_loss, (NORMAL, Y, 1.5), ValueError, ["levels", "[0, 1]", "1.5"]),
    (m.pinball_loss, (NORMAL, Y, [0.5, -1]), ValueError, ["levels", "-1.0"]),
    (m.pinball_loss, (NORMAL, Y, []), ValueError, ["levels", "(0,)"]),
    (m.pinball_loss, (NORMAL, Y, "0.5"), TypeError, ["levels", "str"]),
    (m.pinball_loss, (Levels(TAILS, [0.0]), [0.0], 0.01), ValueError, ["Quantiles", "0.01"]),
    (m.pinball_loss, (CLASSES, LABELS, 0.5), ValueError, ["Categorical", "brier_score"]),
    (m.interval_coverage, (NORMAL, Y, 2), ValueError, ["coverage", "[0, 1]"]),
    (m.interval_coverage, (NORMAL, Y_TWO, 0.5), ValueError, ["y", "(rows, 1)"]),
    (m.interval_coverage, (CLASSES, LABELS, 0.5), ValueError, ["Categorical", "brier_score"]),
    (m.interval_coverage, (Levels(TAILS, [0.0]), [0.0], 0.99), ValueError, ["coverage", "0.99"]),
    (m.interval_width, (CLASSES, 0.5), ValueError, ["interval_width", "Categorical"]),
    (m.interval_width, (3, 0.5), TypeError, ["d", "interval", "int"]),
    (m.pit_values, (NORMAL, Y, -1), ValueError, ["seed", "-1"]),
    (m.pit_values, (NORMAL, [*Y[1:], math.inf]), ValueError, ["y", "finite", "inf"]),
    (m.pit_values, (CLASSES, LABELS), ValueError, ["Categorical", "expected_calibration_error"]),
    (m.brier_score, (NORMAL, Y), ValueError, ["brier_score", "Normal", "crps"]),
    (m.brier_score, (COIN[:2], [0, 0.5]), ValueError, ["y", "0 to 1", "row 1", "0.5"]),
    (m.brier_score, (CLASSES[:2], [0, 4]), ValueError, ["y", "0 to 3", "row 1", "4"]),
    (m.brier_score, (CLASSES[:2], [-1, 0]), ValueError, ["y", "row 0", "-1"]),
    (m.brier_score, (Counts([1.0]), [1]), TypeError, ["d", "PredictiveDistribution", "Counts"]),
    (m.expected_calibration_error, (NORMAL, Y), ValueError, ["Normal", "pit_values"]),
    (m.expected_calibration_error, (COIN, CAME, 0), ValueError, ["bins", "0"]),
    (m.expected_calibration_error, (COIN, CAME, 2.5), TypeError, ["bins", "2.5"]),
]


@pytest.mark.parametrize(("metric", "arguments", "error", "words"), BAD)
def test_bad_input(
    metric: Callable[..., Any],
    arguments: tuple[Any, ...],
    error: type[Exception],
    words: list[str],
) -> None:
    with refused(error, *words):
        metric(*arguments)
