"""Right-censored targets, from SciPy's and mpmath's log survival to what a fit recovers."""

from dataclasses import dataclass
from typing import Any

import likely
import mpmath as mp
import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from reference.arrays import Array
from scipy import stats
from support import (
    ARCHITECTURES,
    DTYPES,
    GRADIENT,
    INPUTS,
    LOSS,
    Pair,
    assert_close,
    largest,
    make_pair,
    rounded,
)
from test_bad_input import NAN, NOT_NUMBERS, ROWS, Case, X, Y, make_network, refused, refuses_fit
from test_stabilize import STABILIZERS
from test_training import assert_same_trajectory, copy_scaling

FAMILIES: dict[str, tuple[likely.Distribution, reference.Distribution]] = {
    "exponential": (likely.Exponential(), reference.Exponential()),
    "weibull": (likely.Weibull(), reference.Weibull()),
    "lognormal": (likely.LogNormal(), reference.LogNormal()),
}
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_family = pytest.mark.parametrize("family", FAMILIES)


@dataclass(frozen=True)
class Times:
    x: NDArray[Any]
    y: NDArray[Any]
    event: NDArray[Any]
    weight: NDArray[Any]


def make_times(pair: Pair, rows: int, seed: int = 0) -> Times:
    """Numbers that float32 holds; the second target column is censored more often."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.3, 1.0, (rows, INPUTS))
    y = np.exp(rng.normal(0.7, 0.6, (rows, pair.core.targets)))
    event = (rng.uniform(size=y.shape) < [0.7, 0.4]).astype(float)
    weight = rng.uniform(0.25, 2.0, rows)
    return Times(*(v.astype(np.float32).astype(pair.dtype) for v in (x, y, event, weight)))


def make_times_pair(family: str, dtype: str, *, standardize: bool, seed: int = 1) -> Pair:
    pair = make_pair(
        ARCHITECTURES["residual"], FAMILIES[family], INPUTS, 2, dtype,
        seed=seed, standardize=standardize,
    )  # fmt: skip
    pair.scatter_parameters()
    return pair


def set_scaling(pair: Pair, data: Times) -> None:
    """By a fit that moves nothing else."""
    likely.Trainer(likely.SGD(learning_rate=1e-30), epochs=1, batch_size=None).fit(
        pair.core, data.x, data.y, event=data.event
    )
    copy_scaling(pair)
    pair.copy_parameters()


@each_dtype
@each_family
@pytest.mark.parametrize("standardize", [False, True])
def test_loss_and_gradient(family: str, dtype: str, standardize: bool) -> None:
    pair = make_times_pair(family, dtype, standardize=standardize)
    if standardize:
        set_scaling(pair, make_times(pair, 40, seed=5))
        assert np.all(pair.reference.scaling.target_scale > 1.2)  # so that its log shows
    for rows in (1, 31, 257, 1300):
        data = make_times(pair, rows)
        for event in (data.event, np.zeros_like(data.event)):
            for weight in (None, data.weight):
                loss, gradient = pair.core.loss_and_gradient(data.x, data.y, weight, event)
                expected_loss, expected = pair.reference.loss_and_gradient(
                    data.x, data.y, weight, event
                )
                assert_close(loss, expected_loss, dtype, LOSS, 1.0)
                assert_close(gradient, expected, dtype, GRADIENT, largest(expected))
                alone = pair.core.loss(data.x, data.y, weight, event)
                assert_close(alone, loss, dtype, 4)


@each_dtype
@each_family
def test_targets_that_were_all_seen_give_the_same_bits(family: str, dtype: str) -> None:
    pair = make_times_pair(family, dtype, standardize=False)
    data = make_times(pair, 70)
    ones = np.ones_like(data.event)
    plain, gradient = pair.core.loss_and_gradient(data.x, data.y)
    seen, same = pair.core.loss_and_gradient(data.x, data.y, event=ones)
    assert plain == seen
    assert gradient.tobytes() == same.tobytes()
    prediction = pair.core.predict_distribution(data.x)
    assert prediction.log_prob(data.y, ones).tobytes() == prediction.log_prob(data.y).tobytes()


@each_dtype
@each_family
def test_the_loss_is_that_of_the_predictions(family: str, dtype: str) -> None:
    """In the user's units: a density is divided by the targets' scale, a probability is not."""
    pair = make_times_pair(family, dtype, standardize=True)
    data = make_times(pair, 300)
    set_scaling(pair, data)
    prediction = pair.core.predict_distribution(data.x)
    log_prob = prediction.log_prob(data.y, data.event)
    assert log_prob.dtype == dtype
    loss = pair.core.loss(data.x, data.y, event=data.event)
    assert_close(loss, -np.sum(log_prob.astype(float)) / 300, dtype, LOSS, 1.0)
    # 1 - cdf where that does not cancel.
    cdf = prediction.cdf(data.y).astype(float)
    censored = (data.event == 0) & (cdf < 0.9)
    assert censored.sum() > 50
    assert_close(log_prob[censored], np.log1p(-cdf[censored]), dtype, 32, 1.0)


@each_dtype
@each_family
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_trajectory(family: str, dtype: str, standardize: bool, weighted: bool) -> None:
    pair = make_times_pair(family, dtype, standardize=standardize)
    train, held_out = make_times(pair, 21, seed=2), make_times(pair, 11, seed=3)
    weight = train.weight if weighted else None
    validation = (held_out.x, held_out.y, held_out.event)
    history = likely.Trainer(
        likely.Adam(learning_rate=0.02), batch_size=8, epochs=6, patience=3, seed=4
    ).fit(
        pair.core, train.x, train.y,
        sample_weight=weight, event=train.event, validation=validation,
    )  # fmt: skip
    expected = reference.fit(
        pair.reference, train.x, train.y, optimizer=reference.Adam(learning_rate=0.02),
        batch_size=8, epochs=6, patience=3, seed=4, standardize=standardize,
        sample_weight=weight, event=train.event, validation=validation,
    )  # fmt: skip
    assert_same_trajectory(pair, history, expected)
    if standardize:
        assert pair.core.scaling is not None
        data = [v if v is None else v.astype(float) for v in (train.x, train.y, weight)]
        scaling = reference.Scaling.of(*data[:2], "scale", data[2])  # of all times
        assert_close(pair.core.scaling["target_scale"], scaling.target_scale, "float64", 16)


STABILIZED = [
    (family, name)
    for family in FAMILIES
    for name in STABILIZERS
    if family == "lognormal" or name.startswith("natural")
]


@each_dtype
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize(("family", "stabilize"), STABILIZED)
def test_stabilized_trajectory(family: str, stabilize: str, standardize: bool, dtype: str) -> None:
    """A censored target's log survival is in the place of its log density, at unit scale too."""
    pair = make_times_pair(family, dtype, standardize=standardize)
    train, held_out = make_times(pair, 21, seed=2), make_times(pair, 11, seed=3)
    core, other = STABILIZERS[stabilize]
    options: dict[str, Any] = {"batch_size": 8, "epochs": 4, "seed": 4, "clip_norm": 1.0}
    rates: dict[str, Any] = {"learning_rate": 0.02, "epsilon": 1e-3}
    data: dict[str, Any] = {
        "sample_weight": train.weight, "event": train.event,
        "validation": (held_out.x, held_out.y, held_out.event),
    }  # fmt: skip
    trainer = likely.Trainer(likely.Adam(**rates), **options, stabilize=core)
    history = trainer.fit(pair.core, train.x, train.y, **data)
    expected = reference.fit(
        pair.reference, train.x, train.y, optimizer=reference.Adam(**rates),
        **options, **data, stabilize=other, standardize=standardize,
    )  # fmt: skip
    assert_same_trajectory(pair, history, expected)


def test_validation_without_event_was_all_seen() -> None:
    pair = make_times_pair("weibull", "float64", standardize=False)
    data = make_times(pair, 30)
    trainer = likely.Trainer(likely.SGD(learning_rate=1e-30), epochs=1)
    options = {"event": data.event, "validation": (data.x, data.y)}
    history = trainer.fit(pair.core, data.x, data.y, **options)
    assert_close(history.validation_loss, [pair.core.loss(data.x, data.y)], "float64", 4)
    seen_too = pair.core.loss(data.x, data.y, event=data.event)
    assert abs(history.validation_loss[0] - seen_too) > 0.1


TAIL: dict[str, list[tuple[tuple[float, ...], float]]] = {
    "exponential": [((s,), y) for s in (-3.0, 0.0, 2.5) for y in (0.0, 1e-6, 1.5, 800.0, 1e9)],
    "weibull": [
        ((s, k), y) for s in (-1.0, 2.0) for k in (-0.7, 0.0, 1.3) for y in (1e-6, 0.5, 30.0, 4e3)
    ],
    "lognormal": [
        ((0.5, s), y) for s in (-2.0, 0.0, 1.0) for y in (1e-9, 0.1, 1.6, 3.0, 1e2, 1e4, 1e9, 1e15)
    ],
}
"""Raw parameters and a target each, with probabilities down to exp(-1e9)."""


def mp_log_survival(family: str, y: mp.mpf, *raw: mp.mpf) -> mp.mpf:
    if family == "exponential":
        return -y * mp.exp(-raw[0])
    if family == "weibull":
        return -mp.exp(mp.exp(raw[1]) * (mp.log(y) - raw[0]))
    u = (mp.log(y) - raw[0]) * mp.exp(-raw[1]) / mp.sqrt(2)
    return mp.log(mp.erfc(u) / 2) if u > 0 else mp.log1p(-mp.erfc(-u) / 2)


def mp_tail(family: str, dtype: str) -> tuple[Array, Array, Array, Array]:
    """Raw parameters, targets, log survival and its derivatives by the raw parameters."""
    raw = rounded([row for row, _ in TAIL[family]], dtype)
    y = rounded([target for _, target in TAIL[family]], dtype)
    values, slopes = [], []
    with mp.workdps(60):
        for row, target in zip(raw, y, strict=True):
            point = [mp.mpf(value) for value in row]

            def value(*raw: mp.mpf, at: float = target) -> mp.mpf:
                return mp_log_survival(family, mp.mpf(at), *raw)

            values.append(float(value(*point)))
            unit = np.eye(len(point), dtype=int).tolist()
            slopes.append([float(mp.diff(value, tuple(point), tuple(n))) for n in unit])
    return raw, y, np.array(values), np.array(slopes)


@each_family
def test_log_survival_of_mpmath_is_that_of_scipy(family: str) -> None:
    raw, y, expected, _ = mp_tail(family, "float64")
    oracle = {
        "exponential": lambda s: stats.expon(scale=np.exp(s)),
        "weibull": lambda s, k: stats.weibull_min(np.exp(k), scale=np.exp(s)),
        "lognormal": lambda m, s: stats.lognorm(np.exp(s), scale=np.exp(m)),
    }[family]
    np.testing.assert_allclose(oracle(*raw.T).logsf(y), expected, rtol=1e-11, atol=1e-15)


@each_dtype
@each_family
def test_log_survival_far_in_the_tail(family: str, dtype: str) -> None:
    """Values and derivatives, one network whose rows have these raw parameters.

    An error of the exponent, which comes of log y, grows by the derivatives.
    """
    raw, y, values, slopes = mp_tail(family, dtype)
    pair = make_pair(ARCHITECTURES["linear"], FAMILIES[family], len(raw), 1, dtype)
    pair.set_parameters(np.concatenate([raw.ravel(), np.zeros(raw.shape[1])]))
    x, censored = np.eye(len(raw)), np.zeros(len(raw))
    log_size = np.abs(np.log(np.where(y > 0, y, 1.0))) + np.abs(raw).max(axis=1) + 1
    growth = np.abs(slopes).max(axis=1) * log_size
    actual = pair.core.predict_distribution(x).log_prob(y, censored)
    assert_close(actual, values, dtype, 8, growth)
    _, gradient = pair.core.loss_and_gradient(x, y, event=censored)
    actual = -gradient[: raw.size].reshape(raw.shape) * len(raw)
    second = growth * np.abs(np.log(np.abs(values) + 1)) + growth
    assert_close(actual, slopes, dtype, 32, np.maximum(second, 1.0)[:, np.newaxis])


def scipy_fit(family: str, y: Array, seen: NDArray[np.bool_]) -> list[float]:
    """The most probable parameters by SciPy, in the order of `params`."""
    sample = stats.CensoredData.right_censored(y, ~seen)
    if family == "exponential":
        return [1 / stats.expon.fit(sample, floc=0)[1]]
    if family == "weibull":
        concentration, _, scale = stats.weibull_min.fit(sample, floc=0)
        return [scale, concentration]
    scale, _, median = stats.lognorm.fit(sample, floc=0)
    return [float(np.log(median)), scale]


TRUTH = {
    "exponential": (stats.expon(scale=2.5), [0.4]),
    "weibull": (stats.weibull_min(1.7, scale=2.5), [2.5, 1.7]),
    "lognormal": (stats.lognorm(0.6, scale=np.exp(0.8)), [0.8, 0.6]),
}


@each_family
def test_fit_recovers_what_censoring_hides(family: str) -> None:
    """That of SciPy's maximum likelihood, near the truth; without `event` it is far from both."""
    oracle, truth = TRUTH[family]
    rng = np.random.default_rng(6)
    lifetimes = oracle.rvs(4000, random_state=rng)
    watched = rng.uniform(0.5, 4.0, 4000)
    y, seen = np.minimum(lifetimes, watched), lifetimes <= watched
    assert 0.3 < seen.mean() < 0.7

    def fitted(**event: Any) -> list[float]:
        network = likely.Network(1, distribution=family, standardize=True, dtype="float64")
        trainer = likely.Trainer(likely.Adam(learning_rate=0.03), batch_size=None, epochs=600)
        trainer.fit(network, np.zeros(4000), y, **event)
        params = network.predict_distribution([[0.0]]).params
        return [float(value[0]) for value in params.values()]

    best = scipy_fit(family, y, seen)
    np.testing.assert_allclose(fitted(event=seen), best, rtol=1e-3)
    np.testing.assert_allclose(best, truth, rtol=0.05)
    biased = np.abs(np.array(fitted()) / truth - 1)
    assert biased.max() > 0.25


@each_family
def test_survival_curves_follow_the_features(family: str) -> None:
    """The group that is watched for a shorter time does not look as if it lived shorter."""
    rng = np.random.default_rng(7)
    group = rng.integers(0, 2, 6000).astype(float)
    lifetimes = TRUTH[family][0].rvs(6000, random_state=rng) * np.where(group == 1, 2.0, 1.0)
    y = np.minimum(lifetimes, np.where(group == 1, 2.0, 6.0))
    network = likely.Network(1, distribution=family, dtype="float64")
    trainer = likely.Trainer(likely.Adam(learning_rate=0.03), batch_size=None, epochs=500)
    trainer.fit(network, group, y, event=lifetimes == y)
    first, second = network.predict_distribution([[0.0], [1.0]]).quantile(0.5)
    assert 1.8 < second / first < 2.2


ONES = np.ones(ROWS)
EVENTS: dict[str, Case] = {
    **{
        f"{bad:g}": (
            np.where(np.arange(ROWS) >= 2, bad, 1.0),
            ValueError,
            ["0", "1", "right-censored", "row 2", f"{bad:g}"],
        )
        for bad in (0.5, 2.0, -1.0, NAN)
    },
    "too short": (ONES[:5], ValueError, ["6", "5"]),
    "two columns": (X, ValueError, ["(rows, 1)", "(6, 2)"]),
    "a scalar": (1, ValueError, ["(rows, 1)"]),
    "strings": (["a"] * ROWS, TypeError, []),
    "ragged": NOT_NUMBERS["ragged"],
}
POSITIVE = Y + 0.5


@pytest.mark.parametrize(("value", "error", "words"), EVENTS.values(), ids=EVENTS)
def test_events_that_are_none(value: Any, error: type[Exception], words: list[str]) -> None:
    words = ["event", *words]
    refuses_fit(error, words, "weibull", POSITIVE, event=value)
    words[0] = "validation event"
    refuses_fit(error, words, "weibull", POSITIVE, validation=(X, POSITIVE, value))
    words[0] = "event"
    network = make_network("weibull")
    prediction = network.predict_distribution(X)
    for refuse in (
        lambda: network.loss(X, POSITIVE, event=value),
        lambda: network.loss_and_gradient(X, POSITIVE, event=value),
        lambda: prediction.log_prob(POSITIVE, value),
    ):
        with refused(error, *words):
            refuse()


@likely.distribution(parameters=["log_rate"], support="positive")
def own_density(y: Any, log_rate: Any) -> Any:
    return log_rate - y * np.exp(log_rate)


@pytest.mark.parametrize(
    "family",
    ["normal", "laplace", "logistic", likely.StudentT(4), likely.Categorical(3), own_density],
)
def test_families_whose_targets_cannot_be_censored(family: Any) -> None:
    """The error names those whose targets can."""
    y = np.ones(ROWS)
    network = make_network(family, standardize=False)
    words = ["event", type(network.distribution).__name__, "Exponential", "Weibull", "LogNormal"]
    refuses_fit(ValueError, words, family, y, event=ONES)
    refuses_fit(ValueError, ["validation event"], family, y, validation=(X, y, ONES))
    prediction = network.predict_distribution(X)
    with refused(ValueError, *words):
        network.loss(X, y, event=ONES)
    with refused(ValueError, *words):
        network.loss_and_gradient(X, y, event=ONES)
    with refused(ValueError, *words):
        prediction.log_prob(y, ONES)


def test_censored_targets_are_in_the_support() -> None:
    refuses_fit(ValueError, ["y", "LogNormal", "row 0"], "lognormal", POSITIVE, y=Y, event=ONES * 0)


@pytest.mark.parametrize("kind", [bool, int, "uint8", object, list])
def test_events_of_any_type_give_the_same_bits(kind: Any) -> None:
    plain = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    event = plain.astype(int).tolist() if kind is list else plain.astype(kind)
    network = make_network("exponential")
    value, gradient = network.loss_and_gradient(X, Y, event=plain)
    again, same = network.loss_and_gradient(X, Y, event=event)
    assert value == again
    assert gradient.tobytes() == same.tobytes()
    assert network.loss(X, Y, event=plain[:, np.newaxis]) == value
    prediction = network.predict_distribution(X)
    assert prediction.log_prob(Y, event).tobytes() == prediction.log_prob(Y, plain).tobytes()
    # A single row is asked at every y.
    curve = prediction[0].log_prob(Y, event)
    assert curve[0] == prediction.log_prob(Y, event)[0]
