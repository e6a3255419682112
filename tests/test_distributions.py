"""Every distribution in the table `support.CASES` against SciPy and the reference."""

from typing import Any

import likely
import numpy as np
import pytest
import reference
from families import FAMILIES as TABLE
from reference.arrays import Array
from scipy import special, stats
from support import (
    CASES,
    DTYPES,
    FAMILIES,
    INPUTS,
    Predicted,
    assert_close,
    linear,
    make_pair,
    one_dense,
    rounded,
)

EPSILONS = 8
"""Of a number, relative to it or to the terms that it is the sum of; 3 seen, 6 in SciPy's."""

each_case = pytest.mark.parametrize("name", CASES)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def close(d: Predicted, actual: Any, expected: Any, terms: Any = 0.0) -> None:
    """Of a float32 network statistics are computed in double precision and rounded once."""
    if d.dtype == "float32":
        assert_close(actual, expected, d.dtype, 1)
    else:
        assert_close(actual, expected, d.dtype, EPSILONS, terms)


def test_every_distribution_has_a_case() -> None:
    covered = {type(case.family[0]) for case in CASES.values()}
    covered |= {type(entry.core()) for entry in TABLE.values()}  # in test_families.py
    own = {
        likely.Custom,
        likely.Mixture,
        likely.MultivariateNormal,
        likely.Ordinal,
        likely.Quantiles,
    }  # in files of their own
    assert covered | own == set(likely.Distribution.__subclasses__())


@each_case
@each_dtype
def test_statistics(name: str, dtype: str) -> None:
    d = Predicted(name, dtype)
    for statistic in ("mean", "variance", "mode"):
        actual = getattr(d.core, statistic)
        assert actual.dtype == dtype
        close(d, actual, getattr(d.reference, statistic)[:, 0])
    close(d, d.core.std, d.reference.std[:, 0])
    close(d, d.core.entropy, d.reference.entropy[:, 0], d.log_terms(d.reference.mean))
    assert list(d.core.params) == list(d.reference.parameters)
    for parameter, values in d.core.params.items():
        close(d, values, d.reference.parameters[parameter][:, 0])
    np.testing.assert_array_equal(d.core.median, d.core.quantile(0.5))
    lower, upper = d.core.interval(0.5)
    np.testing.assert_array_equal([lower, upper], [d.core.quantile(0.25), d.core.quantile(0.75)])


@each_case
@each_dtype
def test_scipy_agrees(name: str, dtype: str) -> None:
    d = Predicted(name, dtype, with_extreme=False)
    oracles = [d.oracle(*row) for row in d.raw]
    close(d, d.core.entropy, [o.entropy() for o in oracles], 10.0)
    if not isinstance(d.family, reference.Categorical):  # SciPy's labels are numbers
        floor = 0.0 if d.is_normal else 1.0
        close(d, d.core.mean, [o.mean() for o in oracles], floor)
        close(d, d.core.std, [o.std() for o in oracles], floor)
        close(d, d.core.variance, [o.var() for o in oracles], floor)
    for target in d.targets:
        y = d.y(target)
        log_prob = [
            (o.logpdf if d.is_normal else o.logpmf)(value)
            for o, value in zip(oracles, y[:, 0], strict=True)
        ]
        close(d, d.core.log_prob(y), log_prob, np.maximum(d.log_terms(y), 1.0))
        cdf = np.array([o.cdf(value) for o, value in zip(oracles, y[:, 0], strict=True)])
        close(d, d.core.cdf(y), cdf, cdf * (1 + d.square(y)))
    for p in (0.001, 0.3, 0.62, 0.9):
        terms = d.quantile_terms(special.ndtri(p)) if d.is_normal else 0.0
        close(d, d.core.quantile(p), [o.ppf(p) for o in oracles], terms)


@each_case
@each_dtype
def test_log_prob_and_cdf(name: str, dtype: str) -> None:
    d = Predicted(name, dtype)
    for target in d.targets:
        y = d.y(target)
        log_prob = d.core.log_prob(y)
        assert np.isfinite(log_prob).all()
        close(d, log_prob, d.reference.log_prob(y)[:, 0], d.log_terms(y))
    between = [] if d.is_normal else [-1.0, -0.5, 0.5, 1.5, 2.5, 4.0]
    for target in [*d.targets, *between]:
        y = d.y(target)
        expected = d.reference.cdf(y)[:, 0]
        close(d, d.core.cdf(y), expected, expected * (1 + d.square(y)))
    for end in (-np.inf, np.inf):
        y = np.full((len(d.raw), 1), end)
        np.testing.assert_array_equal(d.core.cdf(y), d.reference.cdf(y)[:, 0])
    with pytest.raises(ValueError, match="nan"):
        d.core.cdf(np.full(len(d.raw), np.nan))


# With both sides of where AS 241 changes its formula: at 0.075 and exp(-25) = 1.4e-11.
PROBABILITIES = [1e-300, 1e-30, 1.3e-11, 1.5e-11, 1e-9, 1e-3, 0.01, 0.07, 0.0749, 0.0751, 0.08, 0.2]
PROBABILITIES += [0.33, 0.45, 0.4999, 0.5, 0.52, 0.61, 0.77, 0.9]


@each_case
@each_dtype
def test_quantile(name: str, dtype: str) -> None:
    d = Predicted(name, dtype)
    for p in PROBABILITIES[1 if dtype == "float32" else 0 :]:  # 1e-300 is 0 in float32
        expected = d.reference.quantile(p)[:, 0]
        if d.is_normal:
            close(d, d.core.quantile(p), expected, d.quantile_terms(special.ndtri(p)))
        else:
            np.testing.assert_array_equal(d.core.quantile(p), expected)
    for p in (0.0, 1.0):
        np.testing.assert_array_equal(d.core.quantile(p), d.reference.quantile(p)[:, 0])


@each_dtype
@pytest.mark.parametrize("tail", [0.02, 1e-3, 1e-6, 1e-9, 1e-12])
def test_upper_quantiles_are_as_exact_as_lower_ones(dtype: str, tail: float) -> None:
    """1 - 1e-9 is 1 in float32, but the probability that a user gives is a float64."""
    d = Predicted("normal", dtype)
    expected = d.reference.quantile(1 - tail)[:, 0]
    close(d, d.core.quantile(1 - tail), expected, d.quantile_terms(special.ndtri(tail)))


@each_case
@each_dtype
def test_round_trip(name: str, dtype: str) -> None:
    d = Predicted(name, dtype, with_extreme=False)
    for p in (0.001, 0.3, 0.5, 0.83, 0.97):
        q = d.core.quantile(p)
        if d.is_normal:
            # A quantile is rounded to an epsilon of its terms; p follows with a slope below 1.
            terms = d.quantile_terms(special.ndtri(p)) / d.reference.std[:, 0]
            assert_close(d.core.cdf(q), np.full(len(q), p), dtype, EPSILONS, terms)
        else:
            assert np.all(d.core.cdf(q) >= p)
            assert np.all(d.core.cdf(q - 1) < p)


@each_case
@each_dtype
def test_gradient_by_raw_parameters(name: str, dtype: str) -> None:
    d = Predicted(name, dtype)
    rows, predicted = d.core.raw.shape
    for target in d.targets:
        y = d.y(target)
        loss, gradient = d.pair.core.loss_and_gradient(d.x, y)
        expected_loss, expected = d.pair.reference.loss_and_gradient(d.x, y)
        assert np.isfinite(gradient).all()
        assert_close(loss, expected_loss, dtype, EPSILONS, np.mean(d.log_terms(y)))
        # The difference r^2 - 1, and probability - 1 of Categorical, may be small.
        scale = np.full(
            (rows, predicted), 1.0 if isinstance(d.family, reference.Categorical) else 0.0
        )
        if d.is_normal:
            scale[:, 1:] = 1 + d.square(y)[:, np.newaxis]
        by_row, expected_by_row = (
            g[: scale.size].reshape(scale.shape) for g in (gradient, expected)
        )
        assert_close(by_row, expected_by_row, dtype, EPSILONS, scale / rows)
        if d.family.shared:
            size = np.mean(1 + d.square(y))
            assert_close(gradient[-1], expected[-1], dtype, EPSILONS, size)


@each_case
@each_dtype
@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_samples_follow_the_words_of_the_reference(name: str, dtype: str, seed: int) -> None:
    d = Predicted(name, dtype)
    draws = d.core.sample(23, seed)
    assert draws.dtype == dtype
    terms = d.quantile_terms(4.0) if d.is_normal else 0.0
    close(d, draws, d.reference.sample(23, seed)[:, :, 0], terms)
    np.testing.assert_array_equal(draws, d.core.sample(23, seed))
    np.testing.assert_array_equal(draws[:5], d.core.sample(5, seed))
    assert not np.array_equal(draws, d.core.sample(23, 1))


@each_case
@each_dtype
def test_samples_have_the_distribution(name: str, dtype: str) -> None:
    d = Predicted(name, dtype, with_extreme=False)
    draws = d.core.sample(3000, seed=11)
    for row, oracle in enumerate(d.oracle(*raw) for raw in d.raw):
        if d.is_normal:
            assert stats.kstest(draws[:, row], oracle.cdf).pvalue > 0.001
        else:
            counts = [np.count_nonzero(draws[:, row] == label) for label in d.targets]
            assert stats.chisquare(counts, 3000 * oracle.pmf(d.targets)).pvalue > 0.001


@each_dtype
@pytest.mark.parametrize("family", FAMILIES)
def test_target_columns_are_independent(family: str, dtype: str) -> None:
    """Raw parameter p of column t is unit p T + t: three columns are three networks of one."""
    rows, targets = 5, 3
    pair = make_pair(linear, FAMILIES[family], rows, targets, dtype)
    single = make_pair(linear, FAMILIES[family], rows, 1, dtype)
    pair.scatter_parameters(seed=3, deviation=0.8)
    y = np.random.default_rng(1).integers(0, 2, (rows, targets)).astype(dtype)
    d = pair.core.predict_distribution(np.eye(rows))
    draws = d.sample(4, seed=5)
    assert d.mean.shape == d.log_prob(y).shape == (rows, targets)
    expected = pair.reference.predict(np.eye(rows))
    size = np.abs(expected.quantile(0.5)) + expected.variance
    assert_close(draws, expected.sample(4, seed=5), dtype, EPSILONS, size)
    shared = FAMILIES[family][1].shared
    layer = pair.core.parameters[: -targets if shared else None].reshape(rows + 1, -1, targets)
    losses = []
    for t in range(targets):
        constants = pair.core.parameters[-targets:][[t]] if shared else []
        single.set_parameters(np.concatenate([layer[:, :, t].ravel(), constants]))
        alone = single.core.predict_distribution(np.eye(rows))
        losses.append(single.core.loss(np.eye(rows), y[:, t]))
        np.testing.assert_array_equal(d.quantile(0.3)[:, t], alone.quantile(0.3))
        np.testing.assert_array_equal(d.log_prob(y)[:, t], alone.log_prob(y[:, t]))
        np.testing.assert_array_equal(d.cdf(y)[:, t], alone.cdf(y[:, t]))
        for parameter, values in d.params.items():
            np.testing.assert_array_equal(values[:, t], alone.params[parameter])
    assert_close(pair.core.loss(np.eye(rows), y), np.sum(losses), dtype, EPSILONS)


def weighted_moments(columns: Array, weight: Array) -> tuple[Array, Array]:
    total = weight.sum()
    mean = (weight[:, np.newaxis] * columns).sum(axis=0) / total
    return mean, np.sqrt((weight[:, np.newaxis] * (columns - mean) ** 2).sum(axis=0) / total)


@each_dtype
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_standardised_answers_are_in_the_users_units(
    family: str, weighted: bool, dtype: str
) -> None:
    """A network in standardised units, and the change of units done here by hand."""
    pair, inner = (
        make_pair(one_dense, FAMILIES[family], INPUTS, 2, dtype, standardize=standardize)
        for standardize in (True, False)
    )
    rng = np.random.default_rng(0)
    x = rounded(rng.normal(20.0, 7.0, (40, INPUTS)), "float32")
    weight = rounded(rng.uniform(0.2, 3.0, 40), "float32") if weighted else np.ones(40)
    input_mean, input_scale = weighted_moments(x, weight)
    is_normal = isinstance(pair.reference.distribution, reference.Normal)
    y = rng.integers(0, 2, (40, 2)).astype(np.float64)
    location, scale = np.zeros(2), np.ones(2)
    if is_normal:
        y = rounded(rng.normal([300.0, -0.02], [60.0, 0.005], (40, 2)), "float32")
        location, scale = weighted_moments(y, weight)

    trainer = likely.Trainer(likely.SGD(learning_rate=1e-30), epochs=1)
    trainer.fit(pair.core, x, y, sample_weight=weight if weighted else None)
    hand = {"input_mean": input_mean, "input_scale": input_scale}
    hand |= {"target_mean": location, "target_scale": scale}
    assert pair.core.scaling is not None
    for key, values in hand.items():
        np.testing.assert_allclose(pair.core.scaling[key], values, rtol=1e-12)
    inner.scatter_parameters(seed=2)
    pair.set_parameters(inner.core.parameters)

    d = pair.core.predict_distribution(x)
    plain = inner.reference.predict((x - input_mean) / input_scale)
    if not is_normal:
        for statistic in ("mean", "std", "mode", "entropy"):
            users = getattr(d, statistic)
            assert_close(users, getattr(plain, statistic), dtype, EPSILONS, 1.0)
        assert_close(d.log_prob(y), plain.log_prob(y), dtype, EPSILONS, 1.0)
        assert_close(pair.core.loss(x, y), -plain.log_prob(y).sum(axis=1).mean(), dtype, EPSILONS)
        return

    loc, spread = location + scale * plain.raw[0], scale * np.exp(plain.raw[1])
    oracle = stats.norm(loc, spread)
    # Numbers in the user's units are rounded to an epsilon of their column's mean.
    terms = np.abs(location) + np.abs(y) + spread
    lost = terms / spread * (1 + np.abs(y - loc) / spread)
    standard = reference.Predictive(
        plain.distribution, 0 * plain.raw, np.zeros(2), np.ones(2), dtype
    )
    checks = [
        (d.mean, loc, terms),
        (d.mode, loc, terms),
        (d.params["loc"], loc, terms),
        (d.params["scale"], spread, 0.0),
        (d.std, spread, 0.0),
        (d.variance, spread**2, 0.0),
        (d.entropy, oracle.entropy(), 10.0),
        (d.quantile(0.9), oracle.ppf(0.9), terms),
        (d.quantile(0.02), oracle.ppf(0.02), terms),
        (d.cdf(y), oracle.cdf(y), lost),
        (d.log_prob(y), oracle.logpdf(y), 10.0 + lost),
        (d.sample(3, seed=4), loc + spread * standard.sample(3, seed=4), 5 * terms),
    ]
    for actual, expected, rounding in checks:  # twice: for the network in front
        assert_close(actual, expected, dtype, 2 * EPSILONS, rounding)
    row_loss = -oracle.logpdf(y).sum(axis=1)
    rounding = 20.0 + lost.sum(axis=1).mean()
    assert_close(pair.core.loss(x, y), row_loss.mean(), dtype, EPSILONS, rounding)
    assert_close(
        pair.core.loss(x, y, weight), (weight * row_loss).mean(), dtype, EPSILONS, 2 * rounding
    )


def test_a_single_row_is_asked_at_every_target() -> None:
    network = likely.Network(1, 2, [likely.Dense(3, "tanh")], seed=1)
    d = network.predict_distribution([[0.3], [-2.0]])
    y = np.linspace(-3, 3, 14).reshape(7, 2)
    for name in ("log_prob", "cdf"):
        many = getattr(d[np.ones(7, dtype=int)], name)(y)
        np.testing.assert_array_equal(getattr(d[1], name)(y), many)
        with pytest.raises(ValueError, match="y must have 2 rows"):
            getattr(d, name)(y)


@pytest.mark.parametrize("shape", [(4,), (4, 2)])
def test_several_probabilities_and_one_number_for_all(shape: tuple[int, ...]) -> None:
    loc = np.arange(float(np.prod(shape))).reshape(shape)
    d = likely.PredictiveDistribution.from_params("normal", loc=loc, scale=2.0)
    levels = np.array([[0.1, 0.5, 0.9], [0.2, 0.3, 0.4]])
    together = d.quantile(levels)
    assert together.shape == (2, 3, *shape)
    np.testing.assert_array_equal(together[1, 2], d.quantile(0.4))
    np.testing.assert_array_equal(d.quantile([0.1, 0.5, 0.9]), together[0])
    assert d[:0].quantile([0.1, 0.5]).shape == (2, 0, *shape[1:])
    for method in (d.cdf, d.sf, d.log_prob, d.crps):
        for number in (3, 3.0, np.float32(3), np.array(3.0)):
            np.testing.assert_array_equal(method(number), method(np.full(shape, 3.0)))
    with pytest.raises(ValueError, match="row 0, column 0 is nan"):
        d.cdf(np.nan)
    with pytest.raises(TypeError, match="y must be an array of real numbers"):
        d.cdf("3")
