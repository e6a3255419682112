"""Every family of the core, by the table of families: against the reference, which is held to
mpmath and SciPy in test_reference_families.py and test_reference_statistics.py.

Raw parameters and targets are numbers of the core's precision, so both sides see the same.
"""

import re
from typing import Any

import likely
import mpmath as mp
import numpy as np
import pytest
import reference
from families import FAMILIES, Entry, rounding
from likely import _angles, _integrals, _special
from numpy.testing import assert_array_equal
from reference.arrays import Array
from support import DTYPES

EPSILONS = 24
"""Of a log density or derivative, relative to it or to 1, beside `rounding`."""
LARGEST = {"float32": 1e37, "float64": 1e300}
"""Beyond it a loss or a derivative does not fit into the precision."""

each = pytest.mark.parametrize("name", FAMILIES)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


class Core:
    """A family with given raw parameters, a row each: a linear network, whose inputs choose."""

    def __init__(self, entry: Entry, dtype: str, with_extreme: bool = True) -> None:
        self.entry, self.family = entry, entry.reference
        raw = entry.raw(with_extreme).astype(dtype).astype(np.float64)
        names = list(self.family.names)
        for parameter, value in self.family.fixed.items():
            raw[names.index(parameter)] = value
        self.raw = raw
        self.x = np.eye(raw.shape[1])
        self.network = likely.Network(raw.shape[1], distribution=entry.core(), dtype=dtype)
        self.predicted = [names.index(n) for n in self.family.predicted]
        shared = [raw[names.index(n), 0] for n in self.family.shared]
        flat = [raw[self.predicted].T.ravel(), np.zeros(len(self.predicted)), shared]
        self.network.parameters = np.concatenate(flat)
        self.prediction = self.network.predict_distribution(self.x)

    def targets(self) -> Array:
        return self.entry.targets(self.raw, str(self.network.dtype))

    def loss_and_gradient(self, i: int, y: float) -> tuple[float, Array]:
        """Of row i, by its predicted and shared raw parameters in the order of names."""
        loss, flat = self.network.loss_and_gradient(self.x[[i]], [y])
        count = len(self.predicted)
        gradient = np.zeros(len(self.raw))
        gradient[self.predicted] = flat[i * count : (i + 1) * count]
        names = list(self.family.names)
        for k, name in enumerate(self.family.shared):
            gradient[names.index(name)] = flat[(len(self.x) + 1) * count + k]
        return loss, gradient


@each
@each_dtype
def test_density_and_gradient(name: str, dtype: str) -> None:
    core = Core(FAMILIES[name], dtype)
    entry, family, raw = core.entry, core.family, core.raw
    held, epsilon = entry.held(raw), float(np.finfo(dtype).eps)
    free = [p for p, n in enumerate(family.names) if n not in family.fixed]
    for y in core.targets():
        log_prob = core.prediction.log_prob(y)
        value, gradient = family.log_prob(raw, y), family.gradient(raw, y)
        lost = rounding(entry, family.log_prob, held, y, dtype)
        lost_slopes = rounding(entry, family.gradient, held, y, dtype)
        for i in range(raw.shape[1]):
            if abs(value[i]) > LARGEST[dtype] or np.any(np.abs(gradient[:, i]) > LARGEST[dtype]):
                continue
            loss, slopes = core.loss_and_gradient(i, y[i])
            where = (raw[:, i], y[i])
            bound = EPSILONS * epsilon * max(1.0, abs(value[i]))
            assert abs(-loss - value[i]) <= bound + lost[i], where
            assert abs(log_prob[i] - value[i]) <= bound + lost[i], where
            bounds = EPSILONS * epsilon * np.maximum(1.0, np.abs(gradient[:, i]))
            errors = np.abs(-slopes - gradient[:, i])
            assert np.all((errors <= bounds + lost_slopes[:, i])[free]), (where, -slopes, errors)


@each
@each_dtype
def test_finite_where_it_is_promised(name: str, dtype: str) -> None:
    """Every raw parameter at both ends, with every target of the table."""
    core = Core(FAMILIES[name], dtype)
    for y in core.targets():
        value, gradient = core.family.log_prob(core.raw, y), core.family.gradient(core.raw, y)
        for i in range(core.raw.shape[1]):
            if max(abs(value[i]), np.abs(gradient[:, i]).max()) > LARGEST[dtype]:
                continue
            loss, slopes = core.loss_and_gradient(i, y[i])
            assert np.isfinite(loss) and np.isfinite(slopes).all(), (core.raw[:, i], y[i])


def close(actual: Array, expected: Array, dtype: str, scale: Array | float = 0.0) -> None:
    """To 1e-8, or to a few roundings where the precision has not as many digits."""
    tolerance = max(1e-8, 8 * float(np.finfo(dtype).eps))
    assert np.shape(actual) == np.shape(expected)
    atol = tolerance * np.broadcast_to(scale, np.shape(expected))
    finite = np.isfinite(expected)
    assert_array_equal(np.asarray(actual)[~finite], np.asarray(expected)[~finite])
    errors = np.abs(np.asarray(actual, dtype=np.float64) - expected)[finite]
    assert np.all(errors <= (tolerance * np.abs(expected) + atol + 1e-300)[finite]), (
        actual, expected,
    )  # fmt: skip


@each
@each_dtype
def test_statistics(name: str, dtype: str) -> None:
    core = Core(FAMILIES[name], dtype, with_extreme=False)
    d, family, raw = core.prediction, core.family, core.raw
    with np.errstate(all="ignore"):
        deviation = np.nan_to_num(np.abs(family.std(raw)), posinf=0)  # infinite for heavy tails
    spread = family.quantile(raw, 0.75) - family.quantile(raw, 0.25)
    size = np.abs(family.quantile(raw, 0.5)) + np.maximum(deviation, spread)
    for statistic in ("mean", "std", "mode"):
        close(getattr(d, statistic), getattr(family, statistic)(raw), dtype, size)
    close(d.entropy, family.entropy(raw), dtype, 1.0)
    for p in (1e-9, 1e-3, 0.07, 0.31, 0.5, 0.83, 0.999):
        close(d.quantile(p), family.quantile(raw, p), dtype, size)
    close(d.median, family.quantile(raw, 0.5), dtype, size)
    for parameter, values in family.parameters(raw).items():
        close(d.params[parameter], values, dtype, size if parameter == "loc" else 0.0)
    for y in core.targets():
        cdf, sf = family.cdf(raw, y), family.sf(raw, y)
        close(d.cdf(y), cdf, dtype, 1e-12)
        close(d.sf(y), sf, dtype, 1e-12)
        if not isinstance(family, reference.Categorical):
            close(d.crps(y), family.crps(raw, y), dtype, size)


@each
def test_samples_have_the_distribution(name: str) -> None:
    """Kolmogorov and Smirnov's distance; its law is an upper bound where values are discrete."""
    core = Core(FAMILIES[name], "float64", with_extreme=False)
    draws = core.prediction.sample(2000, seed=3)
    for i, row in enumerate(core.raw.T):
        values, counts = np.unique(draws[:, i], return_counts=True)
        upper = np.cumsum(counts) / 2000
        cdf = core.family.cdf(row[:, np.newaxis], values)
        below = core.family.cdf(row[:, np.newaxis], np.nextafter(values, -np.inf))
        distance = max(np.abs(upper - cdf).max(), np.abs(upper - counts / 2000 - below).max())
        assert distance < 1.8 / np.sqrt(2000)  # one in 300 is farther, for continuous ones


@each
def test_recovery(name: str) -> None:
    """Raw parameters that are straight lines in x are found again from simulated targets."""
    entry = FAMILIES[name]
    family = entry.reference
    if name == "cauchy" or "trial" in name:
        pytest.skip("the family is fitted under another name")
    rng = np.random.default_rng(5)
    rows, x = 6000, rng.uniform(-1, 1, 6000)
    first = np.array(entry.rows[0], dtype=np.float64)
    slopes = np.where([n in family.predicted for n in family.names], 0.5, 0.0)
    slopes[1::2] *= -0.8
    true = first[:, np.newaxis] + slopes[:, np.newaxis] * x
    y = family.quantile(true, rng.uniform(size=rows))
    network = likely.Network(1, distribution=entry.core(), dtype="float64")
    trainer = likely.Trainer(
        likely.Adam(learning_rate=0.05), batch_size=500, epochs=60,
        schedule=likely.CosineDecay(),
    )  # fmt: skip
    trainer.fit(network, x, y)
    grid = np.linspace(-1, 1, 21)
    truth = first[:, np.newaxis] + slopes[:, np.newaxis] * grid
    expected = family.parameters(truth)
    fitted = network.predict_distribution(grid).params
    regret = network.loss(x, y) + family.log_prob(true, y).mean()
    assert -0.003 < regret <= 1e-4, regret  # the fit is at most as bad as the truth on its own data
    for parameter, values in expected.items():
        size = np.maximum(np.abs(values), np.std(values)) + (parameter in ("loc", "probs"))
        errors = np.abs(fitted[parameter] - values) / size
        assert errors.max() < 0.35, (parameter, errors.max())


@each_dtype
@each
def test_single_rows_are_learnt_from_alike(name: str, dtype: str) -> None:
    """Many steps of one row in one call, against each step by itself, as weights make it."""
    entry = FAMILIES[name]
    y = entry.targets(entry.raw(with_extreme=False), dtype).ravel().astype(dtype)
    y = np.resize(y[np.abs(y) < 10], 2500)  # of moderate derivatives
    x = np.random.default_rng(0).uniform(-1, 1, size=(len(y), 3)).astype(dtype)
    x[:, 2] = 0  # a weight without a gradient
    ends = []
    for weight in (None, np.ones(len(y), dtype)):
        network = likely.Network(3, 1, [], entry.core(), dtype=dtype, seed=1)
        trainer = likely.Trainer(likely.SGD(1e-4), batch_size=1, epochs=2, seed=2)
        history = trainer.fit(network, x, y, sample_weight=weight)
        assert history.steps == 5000
        ends.append((network.parameters, history.loss, history.gradient_norm))
    for many, single in zip(*ends, strict=True):
        np.testing.assert_allclose(many, single, rtol=5000 * np.finfo(dtype).eps)


def test_a_single_row_that_diverges_is_named() -> None:
    x = np.linspace(-1, 1, 3000)[:, np.newaxis]
    y = np.where(np.arange(3000) == 2000, 1e30, 0.0)  # its derivative does not fit into float32
    errors = []
    for weight in (None, np.ones(3000)):
        network = likely.Network(1, 1, [], likely.Normal(scale=1e-5), seed=1)
        trainer = likely.Trainer(likely.SGD(1e-14), batch_size=1, epochs=2, shuffle=False)
        with pytest.raises(likely.DivergedError, match="step 2000 of the fit") as raised:
            trainer.fit(network, x, y, sample_weight=weight)
        errors.append((str(raised.value), network.parameters.tolist()))
    assert errors[0] == errors[1]


def test_what_is_not_finite_stays_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    # A newer SciPy has no quantiles of a mean of 1e12, an older one has: here none has any.
    quantile = _special._Frozen.quantile

    def unknown(self: Any, p: Any) -> Array:
        return np.where(self._distribution.mean() < 1e11, quantile(self, p), np.nan)

    monkeypatch.setattr(_special._Frozen, "quantile", unknown)
    of = likely.PredictiveDistribution.from_params
    alone, beside = of("poisson", rate=3.0), of("poisson", rate=[3.0, 1e12])
    assert_array_equal(beside.entropy, [alone.entropy[0], np.nan])
    both = of(likely.Mixture("poisson", 2), weights=[0.5, 0.5], rate=[[[3.0, 3.0]], [[3.0, 1e12]]])
    np.testing.assert_allclose(both.crps([4.0, 1e12]), [alone.crps([4.0])[0], np.nan], rtol=1e-12)
    # pytest makes an error of a warning of overflow
    wide = of("weibull", scale=1.0, concentration=[1.0, 0.01])
    assert_array_equal(wide.variance, [1.0, np.inf])
    assert not np.isfinite(of("weibull", scale=1.0, concentration=1e-3).crps([0.5]))


def test_the_score_of_a_beta_distribution_warns_of_nothing() -> None:
    # SciPy's quantile of this one at 1e-17 is an edge of the integral, and says that it gave up.
    a, b = 1.0029720950432757, 0.8845781503461947
    d = likely.PredictiveDistribution.from_params("beta", concentration1=a, concentration0=b)
    grid = np.linspace(0, 1, 200001)
    inside = np.where(grid < 0.5, d.cdf(grid), d.sf(grid)) ** 2
    integral = np.mean((inside[1:] + inside[:-1]) / 2)
    np.testing.assert_allclose(d.crps([0.5]), integral, rtol=1e-5)


def test_samples_of_angles_take_a_dozen_integrals(monkeypatch: pytest.MonkeyPatch) -> None:
    integral, calls = _angles.VonMises._above, []

    def counted(self: Any, distance: Array) -> Array:
        calls.append(distance)
        return integral(self, distance)

    monkeypatch.setattr(_angles.VonMises, "_above", counted)
    d = likely.PredictiveDistribution.from_params(
        "von_mises", loc=np.linspace(-3, 3, 200), concentration=np.geomspace(1e-3, 1e3, 200)
    )
    probability = d.cdf(d.sample(1)[0])
    assert len(calls) < 15  # 60 by bisection
    uniforms = d._head.uniforms(1, 200, 0)[0, :, 0]
    np.testing.assert_allclose(probability, uniforms, rtol=1e-13)


DOCUMENTED = {type(family := entry.core()).__name__: family for entry in FAMILIES.values()} | {
    "Ordinal": likely.Ordinal(3),
    "Quantiles": likely.Quantiles([0.1, 0.9]),
    "MultivariateNormal": likely.MultivariateNormal(),
    "Mixture": likely.Mixture("poisson", 2),
}


@pytest.mark.parametrize("family", DOCUMENTED.values(), ids=DOCUMENTED)
def test_documentation_names_what_is_predicted(family: likely.Distribution) -> None:
    documentation = type(family).__doc__ or ""
    inner = getattr(family, "component", getattr(family, "base", None))
    documentation += type(inner).__doc__ or ""
    for parameter, _ in likely._core.Head(family, 1, "float64").parameters:
        assert re.search(rf"\b{parameter}\b", documentation), parameter


NO_INTEGRAL = {n: e for n, e in FAMILIES.items() if n not in ("categorical", "two classes")}


@pytest.mark.parametrize("name", NO_INTEGRAL)
def test_every_family_has_a_closed_form_of_its_score(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where distributions are narrow, far out or wide; held to the reference's."""
    monkeypatch.setattr(_integrals, "over_support", None)
    core = Core(FAMILIES[name], "float64")
    d, family, raw = core.prediction, core.family, core.raw
    with np.errstate(all="ignore"):
        deviation = np.nan_to_num(family.std(raw), posinf=0)
        spread = family.quantile(raw, 0.75) - family.quantile(raw, 0.25)
        size = np.abs(family.quantile(raw, 0.5)) + np.maximum(deviation, spread)
    rounded = raw[-1] > 11.5  # there the reference subtracts what rounds
    if "negative binomial" in name:
        rounded |= d.params["probs"] == 1  # SciPy has no such
    for y in core.targets():
        crps = d.crps(y)
        with np.errstate(all="ignore"):
            expected = family.crps(raw, y)
            near = np.abs(crps - expected) <= 1e-8 * (expected + size + np.abs(y))
        assert np.all((crps >= 0) & (near | (crps == expected)) | rounded), y


@pytest.mark.parametrize(
    ("family", "raw"),
    [
        ("gamma", (0.7, 25.0)),
        ("beta", (0.7, 30.0)),
        ("von mises", (0.7, 28.0)),
        ("poisson", (28.0,)),
        ("binomial", (0.0,)),
    ],
)
def test_the_score_of_a_narrow_distribution_is_almost_a_normal_one(
    family: str, raw: tuple[float, ...]
) -> None:
    """Where differences of probabilities have no digits left."""
    entry = FAMILIES[family]
    core_family = likely.Binomial(10**12) if family == "binomial" else entry.core()
    network = likely.Network(1, distribution=core_family, dtype="float64")
    network.parameters = np.concatenate([raw, np.zeros(len(raw))])
    d = network.predict_distribution([[1.0]])
    for z in (-2.0, 0.3, 1.0):
        y = d.mean + z * d.std
        y = np.floor(y) if family in ("poisson", "binomial") else y
        normal = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=1.0)
        scaled = (y - d.mean) / d.std
        expected = normal.crps(scaled) * d.std
        # An older SciPy has the probabilities of such a Beta to 1e-4 only; no score is better.
        known = 4 * d.std * np.abs(d.cdf(y) - normal.cdf(scaled))
        assert np.abs(d.crps(y) - expected) <= 2e-5 * expected + known
        assert known <= 1e-3 * d.std


def test_a_total_count_without_bounds_is_a_poisson_distribution() -> None:
    of = likely.PredictiveDistribution.from_params
    count, mean = np.exp(29.5), 2.0
    wide = of("negative_binomial", total_count=count, probs=mean / (count + mean))
    poisson = of("poisson", rate=mean)
    for y in (0.0, 2.0, 7.0):
        for statistic in ("cdf", "sf", "crps"):
            ours, limit = getattr(wide, statistic)(y), getattr(poisson, statistic)(y)
            np.testing.assert_allclose(ours, limit, rtol=1e-10)


@pytest.mark.parametrize("concentration", [0.01, 0.007, 0.3, 40.0])
def test_the_score_of_a_weibull_distribution_is_finite_where_float64_holds_it(
    concentration: float,
) -> None:
    """E|Y - y| - E|Y - Y'| / 2, by mpmath's incomplete gamma function."""
    y, scale = 3.5, 2.0
    with mp.workdps(300):
        x = 1 / mp.mpf(concentration)
        t = (mp.mpf(y) / scale) ** mp.mpf(concentration)
        below = scale * mp.gammainc(1 + x, 0, t)
        mean, cdf = scale * mp.gamma(1 + x), 1 - mp.exp(-t)
        expected = y * (2 * cdf - 1) + mean - 2 * below - mean * (1 - mp.mpf(2) ** -x)
    d = likely.PredictiveDistribution.from_params(
        "weibull", scale=scale, concentration=concentration
    )
    np.testing.assert_allclose(d.crps(y), float(expected), rtol=1e-12)


LIKE_ONE: dict[str, dict[str, list[float]]] = {
    "student_t": {"df": [1.0, 1.01, 2.5, 900.0], "loc": [0.0, 5.0, -1.0, 40.0],
                  "scale": [1.0, 10.0, 0.1, 3.0]},
    "gamma": {"concentration": [0.1, 0.5, 3.0, 500.0], "rate": [1.0, 0.1, 3.0, 20.0]},
    "beta": {"concentration1": [0.1, 0.5, 3.0, 500.0], "concentration0": [0.8, 0.9, 30.0, 2.0]},
    "weibull": {"concentration": [0.1, 0.5, 3.0, 50.0], "scale": [1.0, 0.1, 3.0, 20.0]},
    "log_normal": {"loc": [0.0, -2.0, 3.0, 1.0], "scale": [1.0, 2.0, 0.1, 3.0]},
    "laplace": {"loc": [0.0, -2.0, 3.0, 1.0], "scale": [1.0, 2.0, 1e-3, 3.0]},
    "von_mises": {"loc": [0.0, -2.0, 3.1, 1.0], "concentration": [1e-3, 0.4, 30.0, 1e8]},
    "poisson": {"rate": [0.01, 3.0, 70.0, 1e9]},
    "negative_binomial": {"total_count": [0.1, 3.0, 7.0, 20.0], "probs": [0.1, 0.9, 0.5, 0.9999]},
}  # fmt: skip


@pytest.mark.parametrize("family", LIKE_ONE)
def test_a_mixture_of_equals_scores_as_one_of_them(family: str) -> None:
    """An integral over panels beside a closed form, for the entropy too."""
    parameters = {name: np.array(values) for name, values in LIKE_ONE[family].items()}
    one = likely.PredictiveDistribution.from_params(family, **parameters)
    twice = {n: np.stack([v, v], axis=1)[:, np.newaxis] for n, v in parameters.items()}
    mixture = likely.PredictiveDistribution.from_params(
        likely.Mixture(family, 2), weights=[0.3, 0.7], **twice
    )
    for p in (1e-4, 0.3, 0.9):
        y = one.quantile(p)
        with np.errstate(invalid="ignore"):
            spread = one.quantile(0.75) - one.quantile(0.25)
        np.testing.assert_array_less(
            np.abs(mixture.crps(y) - one.crps(y)), 1e-8 * (one.crps(y) + spread)
        )
    np.testing.assert_allclose(mixture.entropy, one.entropy, rtol=1e-8, atol=1e-8)


def test_the_score_of_a_mixture_takes_a_few_hundred_probabilities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points: list[int] = []
    of_rows = _integrals._Rows.__call__

    def counted(self: Any, rows: Any, at: Array) -> Array:
        points.append(at.size)
        return of_rows(self, rows, at)

    monkeypatch.setattr(_integrals._Rows, "__call__", counted)
    shape = (50, 1, 3)
    rng = np.random.default_rng(0)
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("gamma", 3), weights=np.full(shape, 1 / 3),
        concentration=rng.uniform(0.5, 20, shape), rate=rng.uniform(0.1, 3, shape),
    )  # fmt: skip
    assert np.all(d.crps(rng.uniform(0.1, 10, 50)) > 0)
    assert sum(points) / 50 < 600
