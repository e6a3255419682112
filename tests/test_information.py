"""Distributions with given parameters, and the information measures of distributions."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import likely
import numpy as np
import pytest
import reference
from reference.arrays import Array
from scipy import integrate, special, stats
from support import (
    CASES,
    DTYPES,
    EPSILON,
    FAMILIES,
    INPUTS,
    Predicted,
    assert_close,
    make_pair,
    one_dense,
)
from test_bad_input import refused

EPSILONS = 8
"""Of a number, relative to it or to the terms that it is the sum of; 3 seen."""

each_case = pytest.mark.parametrize("name", CASES)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_family = pytest.mark.parametrize("family", FAMILIES)

given = likely.PredictiveDistribution.from_params
NAN, INF = math.nan, math.inf


def draw(distribution: likely.Distribution, rows: int, targets: int, seed: int) -> dict[str, Array]:
    """Parameters of a family as `params` has them, for several target columns."""
    rng = np.random.default_rng(seed)
    if isinstance(distribution, likely.Categorical):
        return {"probs": rng.dirichlet(np.ones(distribution.classes), (rows, targets))}
    if isinstance(distribution, likely.Bernoulli):
        return {"probs": rng.uniform(0.01, 0.99, (rows, targets))}
    loc = rng.normal(3.0, 2.0, (rows, targets))
    return {"loc": loc, "scale": np.exp(rng.normal(-1.0, 1.0, (rows, targets)))}


# ---- given parameters


def through_logarithm(values: Array) -> Array:
    """A number that is kept as its logarithm loses as many epsilons as that has units."""
    sizes = np.asarray(values, dtype=np.float64)
    return sizes * (1 + np.abs(np.log(np.maximum(sizes, 1e-300))))


@each_case
@each_dtype
def test_parameters_come_back(name: str, dtype: str) -> None:
    d = Predicted(name, dtype).core
    again = given(d.distribution, dtype=dtype, **d.params)
    assert len(again) == len(d) and again.raw.dtype == dtype
    for parameter, values in d.params.items():
        lost = 0.0 if parameter == "loc" else through_logarithm(values)
        assert_close(again.params[parameter], values, dtype, EPSILONS, lost)


@each_dtype
@each_family
def test_several_target_columns(family: str, dtype: str) -> None:
    distribution = FAMILIES[family][0]
    params = draw(distribution, 5, 3, seed=1)
    d = given(distribution, dtype=np.dtype(dtype), **params)
    assert repr(d) == f"PredictiveDistribution({type(distribution).__name__}, rows=5, targets=3)"
    for parameter, values in params.items():
        assert d.params[parameter].shape == values.shape
        assert_close(d.params[parameter], values, dtype, EPSILONS, 4.0)
    for t in range(3):
        alone = given(distribution, dtype=dtype, **{p: v[:, t] for p, v in params.items()})
        assert alone.mean.shape == (5,)
        np.testing.assert_array_equal(d.quantile(0.3)[:, t], alone.quantile(0.3))


def test_given_distributions_follow_scipy() -> None:
    loc, scale, y = np.array([-3.0, 10.0, 1e6]), np.array([0.2, 1.0, 1e-3]), [-2.5, 8.0, 1e6]
    d, oracle = given("normal", loc=loc, scale=scale), stats.norm(loc, scale)
    assert_close(d.quantile(0.99), oracle.ppf(0.99), "float64", EPSILONS)
    assert_close(d.log_prob(y), oracle.logpdf(y), "float64", EPSILONS, 10.0)
    assert_close(d.entropy, oracle.entropy(), "float64", EPSILONS, 10.0)
    assert_close(d.cdf(y), oracle.cdf(y), "float64", EPSILONS, 10.0)
    probs = np.array([1e-300, 1e-9, 0.25, 0.5, 0.75, 1 - 1e-9])
    coins = given("bernoulli", probs=probs)
    entropy = special.entr(probs) - special.xlog1py(1 - probs, -probs)
    assert_close(coins.entropy, entropy, "float64", EPSILONS, through_logarithm(entropy))
    assert_close(coins.params["probs"], probs, "float64", EPSILONS, through_logarithm(probs))
    three = given(likely.Categorical(3), probs=[[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_array_equal(three.mode, [1, 0])
    assert_close(three.cdf([1.0, 1.0]), [0.7, 2 / 3], "float64", EPSILONS)


@pytest.mark.parametrize("scale", ["predicted", "shared", 0.7])
def test_the_scale_of_a_normal_is_given_whatever_its_field(scale: str | float) -> None:
    d = given(likely.Normal(scale), loc=2.0, scale=[1.0, 5.0])
    assert d.distribution == likely.Normal()
    np.testing.assert_array_equal(d.params["loc"], [2.0, 2.0])
    assert_close(d.std, [1.0, 5.0], "float64", EPSILONS)


BROADCAST: list[tuple[Any, Any, tuple[int, ...]]] = [
    (1.0, 2.0, (1,)),
    ([1.0, 2.0], 3.0, (2,)),
    (1, [3, 4], (2,)),
    ([[1.0, 2.0]], 3.0, (1, 2)),
    ([[1.0], [2.0]], [[3.0, 4.0, 5.0]], (2, 3)),
    ([1.0, 2.0], [[3.0, 4.0], [5.0, 6.0]], (2, 2)),
    ([0.0], [1.0, 2.0], (2,)),
]


@pytest.mark.parametrize(("loc", "scale", "shape"), BROADCAST)
def test_parameters_are_broadcast(loc: Any, scale: Any, shape: tuple[int, ...]) -> None:
    d = given("normal", loc=loc, scale=scale)
    assert d.mean.shape == shape
    columns = [np.reshape(v, (-1, 1)) if np.ndim(v) < 2 else np.array(v) for v in (loc, scale)]
    wanted = np.broadcast_arrays(*columns)
    np.testing.assert_array_equal(d.mean.ravel(), wanted[0].ravel())
    assert_close(d.std.ravel(), wanted[1].ravel(), "float64", EPSILONS)


@each_dtype
def test_certain_outcomes(dtype: str) -> None:
    coins = given("bernoulli", probs=[0.0, 1.0], dtype=dtype)
    assert np.isfinite(coins.raw).all()
    np.testing.assert_array_equal(coins.params["probs"], [0.0, 1.0])
    np.testing.assert_array_equal(coins.mode, [0.0, 1.0])
    np.testing.assert_array_equal(coins.sample(100, seed=0), [[0.0, 1.0]] * 100)
    assert_close(coins.log_prob([0.0, 1.0]), [0.0, 0.0], dtype, 0)
    np.testing.assert_array_equal(coins.log_prob([1.0, 0.0]), [-1000.0, -1000.0])
    np.testing.assert_array_equal(coins.std, [0.0, 0.0])
    labels = given(likely.Categorical(3), probs=[[0, 0.5, 0.5], [0, 1, 0]], dtype=dtype)
    assert np.isfinite(labels.raw).all()
    np.testing.assert_array_equal(labels.params["probs"], [[0, 0.5, 0.5], [0, 1, 0]])
    np.testing.assert_array_equal(labels.quantile(1e-9), [1.0, 1.0])
    for d in (coins, labels):
        np.testing.assert_array_equal(likely.kl_divergence(d, d), [0.0, 0.0])
    assert_close(likely.entropy(coins), [0.0, 0.0], dtype, 0)
    assert_close(likely.entropy(labels, base=2), [1.0, 0.0], dtype, EPSILONS)


def test_probabilities_are_divided_by_their_sum() -> None:
    d = given(likely.Categorical(2), probs=[0.25, 0.75 + 4e-7])
    assert_close(d.params["probs"].sum(), 1.0, "float64", 2)
    assert_close(d.params["probs"][0, 0], 0.25 / (1 + 4e-7), "float64", EPSILONS)


def of(distribution: Any, **fixed: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda params: given(distribution, **{**fixed, **params})


E30 = math.exp(30)
BAD: list[tuple[Callable[[dict[str, Any]], Any], dict[str, Any], type[Exception], list[str]]] = [
    (of("normal", loc=0.0), {}, TypeError, ["Normal", "loc, scale", "got loc"]),
    (of("normal"), {}, TypeError, ["loc, scale", "none"]),
    (of("normal", loc=0.0, scale=1.0), {"df": 3.0}, TypeError, ["loc, scale", "df"]),
    (of("bernoulli"), {"logits": 0.0}, TypeError, ["Bernoulli", "probs", "logits"]),
    *(
        (of("normal", loc=0.0), {"scale": [1.0, bad]}, ValueError, ["scale", got, "row 1"])
        for bad, got in [(0, "0"), (-1, "-1"), (NAN, "nan"), (INF, "inf"), (2e13, "2e+13")]
    ),
    (of("normal", loc=0.0), {"scale": 0.5 / E30}, ValueError, ["scale", "9.3576e-14"]),
    *(
        (of("normal", scale=1.0), {"loc": [[0, bad]]}, ValueError, ["loc", "finite", "column 1"])
        for bad in (NAN, INF, -INF)
    ),
    (of("normal", scale=1.0, dtype="float32"), {"loc": 1e39}, ValueError, ["loc", "float32"]),
    (of("normal", scale=[1.0, 2.0]), {"loc": [0, 0, 0]}, ValueError, ["loc, scale", "(3, 1)"]),
    (of("normal", scale=1.0), {"loc": np.zeros((2, 2, 2))}, ValueError, ["loc", "(2, 2, 2)"]),
    (of("normal", scale=1.0), {"loc": []}, ValueError, ["loc", "(0,)"]),
    (of("normal", scale=1.0), {"loc": "1"}, TypeError, ["loc", "numbers"]),
    (of("normal", scale=1.0), {"loc": None}, TypeError, ["loc", "None"]),
    (of("normal", scale=1.0, loc=0.0), {"dtype": "float16"}, ValueError, ["dtype", "float16"]),
    (of("normal", scale=1.0, loc=0.0), {"dtype": None}, ValueError, ["dtype", "None"]),
    (of("norml"), {"loc": 0.0, "scale": 1.0}, ValueError, ["distribution", "norml", "Normal"]),
    (of(likely.Normal), {"loc": 0.0, "scale": 1.0}, TypeError, ["distribution", "Normal(...)"]),
    (of(None), {}, TypeError, ["distribution", "None"]),
    (of("categorical"), {"probs": [1.0, 0.0]}, ValueError, ["distribution", "classes"]),
    *(
        (of("bernoulli"), {"probs": [0.5, bad]}, ValueError, ["probs", "[0, 1]", "row 1, column 0"])
        for bad in (-1e-9, 1.0001, NAN, INF)
    ),
    *(
        (of(likely.Categorical(2)), {"probs": bad}, ValueError, ["probs", *words])
        for bad, words in [
            ([0.5, 0.75], ["sum to 1", "1.25", "row 0, column 0"]),
            ([[0.5, 0.5], [0.5, 0.5 - 2**-19]], ["sum to 1", "1e-6", "row 1, column 0"]),
            ([[[0.5, 0.5], [0.0, 0.0]]], ["sum to 1", "row 0, column 1"]),
            ([1.5, -0.5], ["[0, 1]", "1.5"]),
            ([0.5, NAN], ["[0, 1]", "nan"]),
            ([0.2, 0.3, 0.5], ["(rows, 2)", "(3,)"]),
            (0.5, ["(2,)", "()"]),
            (np.full((1, 1, 1, 2), 0.5), ["(rows, targets, 2)", "(1, 1, 1, 2)"]),
            (np.zeros((0, 2)), ["(0, 2)"]),
        ]
    ),
]


@pytest.mark.parametrize(("make", "params", "error", "words"), BAD)
def test_bad_parameters(
    make: Callable[[dict[str, Any]], Any],
    params: dict[str, Any],
    error: type[Exception],
    words: list[str],
) -> None:
    with refused(error, *words):
        make(params)


# ---- information measures


def terms(d: Predicted, p: Array, q: Array) -> Array:
    """The size of what the sums of two rows are made of."""
    size = np.abs(d.family.entropy(p)) + np.abs(d.family.cross_entropy(p, q))
    if isinstance(d.family, reference.Bernoulli):
        return size
    return size + 1 + (np.abs(np.clip(q[1], -30, 30)) if d.is_normal else 0)


@each_case
@each_dtype
def test_the_reference_agrees(name: str, dtype: str) -> None:
    """Each row against every row; of float32, computed in double precision and rounded once."""
    d = Predicted(name, dtype)
    raw = d.reference.raw
    epsilons = 1 if dtype == "float32" else EPSILONS
    largest = float(np.finfo(dtype).max)
    for i in range(len(d.core)):
        for p, q, p_raw, q_raw in [
            (d.core[i], d.core, raw[:, [i]], raw),
            (d.core, d.core[i], raw, raw[:, [i]]),
        ]:
            sizes = np.minimum(terms(d, p_raw, q_raw)[:, 0], largest)
            for measure in ("cross_entropy", "kl_divergence"):
                actual = getattr(likely, measure)(p, q)
                assert actual.dtype == dtype and actual.shape == (len(d.core),)
                expected = getattr(d.family, measure)(p_raw, q_raw)[:, 0]
                expected = np.where(expected > largest, np.inf, expected)
                assert_close(actual, expected, dtype, epsilons, sizes)
            assert np.all(likely.kl_divergence(p, q) >= 0)
            if dtype == "float64":
                total = likely.entropy(p) + likely.kl_divergence(p, q)
                assert_close(likely.cross_entropy(p, q), total, dtype, EPSILONS, sizes)
        assert likely.kl_divergence(d.core[i], d.core[i]).tolist() == [0.0]
    np.testing.assert_array_equal(likely.kl_divergence(d.core, d.core), np.zeros(len(d.core)))
    np.testing.assert_array_equal(likely.entropy(d.core), d.core.entropy)


@each_family
def test_scipy_agrees(family: str) -> None:
    """More rows than a block holds, and three target columns."""
    distribution, rows, targets = FAMILIES[family][0], 600, 3
    first, second = (draw(distribution, rows, targets, seed) for seed in (3, 4))
    p, q = given(distribution, **first), given(distribution, **second)
    if family in ("bernoulli", "categorical"):
        probs, other = first["probs"], second["probs"]
        if family == "bernoulli":
            probs, other = (np.stack([v, 1 - v], axis=-1) for v in (probs, other))
        for base in (None, 2, 2.5):
            h = stats.entropy(probs, axis=-1, base=base)
            kl = stats.entropy(probs, other, axis=-1, base=base)
            assert_close(likely.entropy(p, base), h, "float64", EPSILONS, 2.0)
            assert_close(likely.kl_divergence(p, q, base=base), kl, "float64", EPSILONS, h + kl)
            assert_close(likely.cross_entropy(p, q, base), h + kl, "float64", EPSILONS)
        return
    kl, cross = likely.kl_divergence(p, q), likely.cross_entropy(p, q)
    assert kl.shape == cross.shape == (rows, targets)
    for i in (0, 255, 256, 511, 599):
        for t in range(targets):
            a, b = (stats.norm(v["loc"][i, t], v["scale"][i, t]) for v in (first, second))

            def mean_over_a(f: Callable[[float], float], a: Any = a) -> float:
                def integrand(z: float) -> float:
                    return float(stats.norm.pdf(z) * f(a.mean() + a.std() * z))

                return float(integrate.quad(integrand, -14, 14, epsabs=0, epsrel=1e-11)[0])

            assert cross[i, t] == pytest.approx(mean_over_a(lambda y, b=b: -b.logpdf(y)), rel=1e-9)
            ratio = mean_over_a(lambda y, a=a, b=b: a.logpdf(y) - b.logpdf(y))
            assert kl[i, t] == pytest.approx(ratio, rel=1e-9)


def test_impossible_outcomes() -> None:
    """0 log 0 is 0; where q is 0 and p is not, a log of -1000 stands for that of 0."""
    p = given(likely.Categorical(3), probs=[0.5, 0.5, 0.0])
    q = given(likely.Categorical(3), probs=[[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.0, 0.5, 0.5]])
    expected = [0.0, float(stats.entropy([0.5, 0.5], [0.25, 0.75])), 500 - math.log(2) / 2]
    assert_close(likely.kl_divergence(p, q), expected, "float64", EPSILONS)
    assert_close(likely.cross_entropy(p, q) - math.log(2), expected, "float64", EPSILONS, 1.0)
    coins = given("bernoulli", probs=[0.0, 0.5, 1.0])
    expected = [[0, math.log(2), 1000], [500 - math.log(2)], [1000, math.log(2), 0]]
    expected[1] += [0.0, 500 - math.log(2)]
    for i in range(3):
        actual = likely.kl_divergence(coins[i], coins)
        assert_close(actual, expected[i], "float64", EPSILONS)
        cross = likely.cross_entropy(coins[i], coins)
        assert_close(cross, actual + coins.entropy[i], "float64", EPSILONS)


def exact_divergence(family: likely.Distribution, p: Array, q: Array) -> Decimal:
    """From raw parameters, with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        a, b = ([Decimal(float(value)) for value in raw] for raw in (p, q))
        if isinstance(family, likely.Normal):
            e = 2 * (a[1] - b[1])
            return (e.exp() - 1 - e + ((a[0] - b[0]) / b[1].exp()) ** 2) / 2
        if isinstance(family, likely.Bernoulli):
            a, b = ([logit, Decimal(0)] for (logit,) in (a, b))
        exps = [[logit.exp() for logit in logits] for logits in (a, b)]
        probs = [[value / sum(row) for value in row] for row in exps]
        return sum((x * (x / y).ln() for x, y in zip(*probs, strict=True)), Decimal(0))


NEAR = [1e-12, 1e-9, 1e-6, 1e-3, 0.1, 0.4999, 0.5001, 1.0, 3.0, 20.0]
"""Differences of raw parameters, with both sides of where `deviance` changes its formula."""


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("scale", "loc"), [(1.0, 0.0), (0.3, 5.0), (1e3, -1e3)])
def test_nearly_equal_scales(scale: float, loc: float, sign: int) -> None:
    q = given("normal", loc=loc, scale=scale)
    p = given("normal", loc=loc, scale=scale * np.exp(sign * np.array(NEAR)))
    expected = [float(exact_divergence(q.distribution, row, q.raw[0])) for row in p.raw]
    assert 0 < expected[0] < 1e-20
    assert_close(likely.kl_divergence(p, q), expected, "float64", EPSILONS)


@pytest.mark.parametrize("family", ["bernoulli", "categorical"])
@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0])
def test_nearly_equal_probabilities(family: str, spread: float) -> None:
    """An error of an epsilon in a logit is one of epsilon / difference in the divergence."""
    distribution = FAMILIES[family][0]
    width = getattr(distribution, "classes", 1)
    rng = np.random.default_rng(5)
    for difference in NEAR[2:]:
        network = likely.Network(inputs=2, distribution=distribution, dtype="float64")
        logits = spread * rng.normal(size=width)
        network.parameters = np.concatenate(
            [logits, logits + difference * rng.uniform(-1, 1, width), np.zeros(width)]
        )
        d = network.predict_distribution(np.eye(2))
        expected = float(exact_divergence(distribution, *d.raw))
        actual = likely.kl_divergence(d[0], d[1])[0]
        allowed = EPSILONS * EPSILON["float64"] * (1 + (1 + spread) / difference)
        assert abs(actual / expected - 1) <= 4 * allowed


@each_family
@pytest.mark.parametrize("dtypes", [(a, b) for a in DTYPES for b in DTYPES])
def test_networks_of_different_scaling_and_precision(family: str, dtypes: tuple[str, str]) -> None:
    """Against the reference in the user's units, to which raw parameters are moved here by hand."""
    rng = np.random.default_rng(0)
    x = rng.normal(20.0, 7.0, (40, INPUTS)).astype(np.float32)
    shift = [([300.0, -0.02], [60.0, 0.005]), ([270.0, -0.023], [90.0, 0.003])]
    core = FAMILIES[family][1]
    predictions, users, locations = [], [], []
    for dtype, (location, spread), seed in zip(dtypes, shift, (2, 3), strict=True):
        pair = make_pair(one_dense, FAMILIES[family], INPUTS, 2, dtype, standardize=True)
        y = rng.integers(0, 2, (40, 2)).astype(np.float64)
        if isinstance(core, reference.Normal):
            y = rng.normal(location, spread, (40, 2))
        likely.Trainer(likely.SGD(learning_rate=1e-30), epochs=1).fit(pair.core, x, y)
        pair.scatter_parameters(seed=seed)
        d = pair.core.predict_distribution(x)
        raw = d.raw.astype(np.float64).reshape(40, -1, 2).swapaxes(0, 1)
        mean = scale = np.zeros(2)
        if isinstance(core, reference.Normal):
            assert pair.core.scaling is not None
            mean, scale = pair.core.scaling["target_mean"], pair.core.scaling["target_scale"]
            logs = np.full((40, 2), core.fixed.get("log_scale", 0.0))
            if core.shared:
                logs += pair.core.parameters[-2:]
            elif not core.fixed:
                logs = raw[1]
            raw = np.stack([mean + scale * raw[0], logs + np.log(scale)])
        predictions.append(d)
        users.append(raw)
        locations.append(np.abs(mean))
    p, q = predictions
    lost: Any = 10.0
    if isinstance(core, reference.Normal):  # a location is rounded to an epsilon of its mean
        lost = np.abs(users[0][0] - users[1][0]) * np.exp(-users[1][1]) + 1
        lost *= sum(locations) * np.exp(-users[1][1])
        lost += 10.0
    dtype = "float32" if dtypes == ("float32", "float32") else "float64"
    epsilons = 1 if dtype == "float32" else EPSILONS
    for measure in ("cross_entropy", "kl_divergence"):
        actual, expected = getattr(likely, measure)(p, q), getattr(core, measure)(*users)
        assert actual.dtype == dtype
        assert_close(actual, expected, dtype, epsilons, lost)
    for d, raw in zip(predictions, users, strict=True):
        expected = core.entropy(raw)
        assert_close(likely.entropy(d), expected, str(d.mean.dtype), EPSILONS, 10.0)
        np.testing.assert_array_equal(likely.kl_divergence(d, d), np.zeros((40, 2)))


@pytest.mark.parametrize("unit", [1e-13, 1e12])
def test_scales_beyond_the_bounds_in_the_users_units(unit: float) -> None:
    """The bounds hold in the standardised units, and nowhere else."""
    x = np.linspace(-1, 1, 50)
    y = unit * np.sin(3 * x)
    networks = [likely.Network(1, standardize=True, dtype="float64", seed=s) for s in (0, 1)]
    for network, log_scale in zip(networks, (-4.0, 4.0), strict=True):
        likely.Trainer(likely.SGD(learning_rate=1e-30), epochs=1).fit(network, x, y)
        network.parameters[-1] = log_scale
    p, q = (network.predict_distribution(x) for network in networks)
    assert min(p.std.min(), q.std.min()) < math.exp(-30) or q.std.max() > E30
    wanted = [stats.norm(d.mean / unit, d.std / unit) for d in (p, q)]
    ratio = wanted[0].var() / wanted[1].var()
    distance = (wanted[0].mean() - wanted[1].mean()) ** 2 / wanted[1].var()
    expected = 0.5 * (ratio - 1 - np.log(ratio) + distance)
    assert_close(likely.kl_divergence(p, q), expected, "float64", EPSILONS, 10.0)
    cross = likely.entropy(p) + likely.kl_divergence(p, q)
    assert_close(likely.cross_entropy(p, q), cross, "float64", EPSILONS, 50.0)


def test_a_network_against_given_parameters() -> None:
    network = likely.Network(1, standardize=True)
    x = np.linspace(-1, 1, 50)
    likely.Trainer(epochs=3).fit(network, x, 50 + 10 * x)
    d = network.predict_distribution(x)
    same = given(d.distribution, **d.params)
    kl = likely.kl_divergence(d, same)
    assert kl.dtype == np.float64
    assert np.all((kl >= 0) & (kl < 1e-10))  # the square of the rounding of the parameters
    assert_close(likely.cross_entropy(same, d), d.entropy, "float32", 2)


@each_dtype
def test_bases(dtype: str) -> None:
    p, q = (given("normal", loc=m, scale=[1.0, 3.0], dtype=dtype) for m in (0.0, 2.0))
    for measure, arguments in [
        (likely.entropy, (p,)),
        (likely.cross_entropy, (p, q)),
        (likely.kl_divergence, (p, q)),
    ]:
        nats = measure(*arguments)
        assert nats.dtype == dtype
        np.testing.assert_array_equal(nats, measure(*arguments, base=None))
        np.testing.assert_array_equal(nats, measure(*arguments, base=math.e))
        for base in (2, 10.0, np.float32(3)):
            other = measure(*arguments, base=base)
            assert other.dtype == dtype
            assert_close(other, nats / math.log(base), dtype, 2)


NORMAL, TWO_ROWS = given("normal", loc=0.0, scale=1.0), given("normal", loc=[0.0, 1.0], scale=1.0)
BAD_PAIRS: dict[str, tuple[Any, Any, type[Exception], list[str]]] = {
    "families": (NORMAL, given("bernoulli", probs=0.5), ValueError, ["Normal", "Bernoulli"]),
    "classes": (
        given(likely.Categorical(2), probs=[0.5, 0.5]),
        given(likely.Categorical(3), probs=[0.5, 0.5, 0.0]),
        ValueError,
        ["Categorical(classes=2)", "Categorical(classes=3)"],
    ),
    "rows": (TWO_ROWS, given("normal", loc=[0, 1, 2], scale=1), ValueError, ["rows", "2 and 3"]),
    "targets": (NORMAL, given("normal", loc=[[0, 1]], scale=1), ValueError, ["target", "1 and 2"]),
    "no distribution": ([0.5, 0.5], NORMAL, TypeError, ["p", "PredictiveDistribution", "list"]),
    "a family": (NORMAL, likely.Normal(), TypeError, ["q", "PredictiveDistribution", "Normal"]),
    "nothing": (NORMAL, None, TypeError, ["q", "NoneType"]),
}


@pytest.mark.parametrize(("p", "q", "error", "words"), BAD_PAIRS.values(), ids=BAD_PAIRS)
@pytest.mark.parametrize("measure", [likely.cross_entropy, likely.kl_divergence])
def test_bad_pairs(measure: Any, p: Any, q: Any, error: type[Exception], words: list[str]) -> None:
    with refused(error, *words):
        measure(p, q)


@pytest.mark.parametrize(
    ("base", "error"),
    [
        *((bad, ValueError) for bad in (1, 1.0, 0.5, 0, -2, NAN, INF, [2, 3])),
        *((bad, TypeError) for bad in ("2", True, 2j)),
    ],
)
def test_bad_bases(base: Any, error: type[Exception]) -> None:
    with refused(error, "base"):
        likely.entropy(NORMAL, base)
    for measure in (likely.cross_entropy, likely.kl_divergence):
        with refused(error, "base"):
            measure(NORMAL, NORMAL, base=base)


def test_entropy_needs_a_distribution() -> None:
    with refused(TypeError, "p", "PredictiveDistribution", "ndarray"):
        likely.entropy(np.array([0.5, 0.5]))  # type: ignore[arg-type]
