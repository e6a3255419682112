"""Mixture: what it holds, where its components start, what it finds in data, what it predicts."""

import itertools
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import densities
import likely
import numpy as np
import pytest
import reference
from likely import _special
from reference.arrays import Array
from scipy import integrate, special, stats
from support import DTYPES, EPSILON, Pair, assert_close, linear, make_data, make_pair, one_dense

Family = tuple[likely.Distribution, reference.Distribution]
FAMILIES: dict[str, Family] = {
    "normals": (
        likely.Mixture(likely.Normal(), 3),
        reference.Mixture(reference.Normal(), 3),
    ),
    "normals, shared scales": (
        likely.Mixture(likely.Normal("shared"), 2),
        reference.Mixture(reference.Normal("shared"), 2),
    ),
    "normals, fixed scale": (
        likely.Mixture(likely.Normal(0.3), 4),
        reference.Mixture(reference.Normal(0.3), 4),
    ),
    "coins": (likely.Mixture("bernoulli", 2), reference.Mixture(reference.Bernoulli(), 2)),
    "angles": (likely.Mixture("von_mises", 2), reference.Mixture(reference.VonMises(), 2)),
}
each_family = pytest.mark.parametrize("name", FAMILIES)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def predicting(family: Family, raw: Array, dtype: str) -> Pair:
    """Networks of which input row i gives the raw parameters of row i, those of shared ones too."""
    pair = make_pair(linear, family, len(raw), 1, dtype)
    names = family[1].names
    predicted = [names.index(n) for n in family[1].predicted]
    shared = [raw[0, names.index(n)] for n in family[1].shared]
    pair.set_parameters(
        np.concatenate([raw[:, predicted].ravel(), np.zeros(len(predicted)), shared])
    )
    return pair


def scattered(family: Family, rows: int, spread: float = 1.5) -> Array:
    return np.random.default_rng(3).normal(0.0, spread, (rows, len(family[1].names)))


def test_ways_to_say_it() -> None:
    mixture = likely.Mixture(likely.Normal(), 3)
    assert mixture == likely.Mixture("normal", k=3) == likely.Mixture(component="normal", k=3)
    assert mixture.component == likely.Normal()
    assert mixture.k == 3
    assert repr(mixture) == "Mixture(component=Normal(scale='predicted'), k=3)"
    others = [likely.Mixture("normal", 2), likely.Mixture(likely.Normal("shared"), 3)]
    assert mixture not in others
    assert len({mixture, *others, likely.Mixture("normal", 3)}) == 3


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: likely.Mixture("normal", 1), ValueError, "k must be at least 2; got 1"),
        (lambda: likely.Mixture("normal"), TypeError, "k"),
        (lambda: likely.Mixture("normal", 2.0), TypeError, "k must be an integer"),
        (lambda: likely.Mixture(k=2), TypeError, "needs component"),
        (lambda: likely.Mixture(likely.Normal, 2), TypeError, "component must be an object"),
        (lambda: likely.Mixture("cauchit", 2), ValueError, "unknown component 'cauchit'"),
        (lambda: likely.Mixture(None, 2), TypeError, "component"),
        (
            lambda: likely.Mixture(likely.Mixture("normal", 2), 2),
            ValueError,
            "component must be one of Normal, .*Bernoulli.*; got 'Mixture'",
        ),
        (lambda: likely.Mixture(likely.Categorical(3), 2), ValueError, "got 'Categorical'"),
        (lambda: likely.Mixture(densities.normal, 2), ValueError, "got 'Custom'"),
        (lambda: likely.Network(1, distribution="mixture"), ValueError, "needs component"),
        (
            lambda: likely.Network(1, distribution=likely.Mixture("normal", 2**40)),
            ValueError,
            "too large",
        ),
    ],
)
def test_what_it_refuses(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_a_file_with_a_nested_mixture_is_refused(tmp_path: Path) -> None:
    network = likely.Network(1, distribution=likely.Mixture("normal", 2))
    path = tmp_path / "network.safetensors"
    network.save(path)
    component = rb"{\"kind\":\"Normal\",\"scale\":\"predicted\"}"
    content = path.read_bytes()
    assert content.count(component) == 1
    nested = rb"{\"kind\":\"Mixture\",\"component\":" + component + rb",\"k\":2}"
    size = int.from_bytes(content[:8], "little") + len(nested) - len(component)
    path.write_bytes(size.to_bytes(8, "little") + content[8:].replace(component, nested))
    with pytest.raises(ValueError, match="component must be one of"):
        likely.load(path)


@each_family
@each_dtype
def test_networks_come_back(name: str, dtype: str, tmp_path: Path) -> None:
    pair = make_pair(one_dense, FAMILIES[name], 3, 2, dtype)
    pair.scatter_parameters()
    data = make_data(pair, 7)
    pair.core.save(tmp_path / "network.safetensors")
    loaded = likely.load(tmp_path / "network.safetensors")
    for other in (loaded, pickle.loads(pickle.dumps(pair.core))):
        assert other.distribution == FAMILIES[name][0]
        np.testing.assert_array_equal(other.parameters, pair.core.parameters)
        assert other.loss(data.x, data.y) == pair.core.loss(data.x, data.y)


@each_family
@each_dtype
def test_components_start_apart(name: str, dtype: str) -> None:
    family = FAMILIES[name]
    core = likely.Network(2, distribution=family[0], dtype=dtype)
    starts = dict(zip(family[1].names, family[1].starts, strict=True))
    expected = [starts[n] for n in family[1].predicted]
    assert_close(core.predict_distribution(np.zeros((1, 2))).raw[0], expected, dtype, 2)
    k = family[0].k  # type: ignore[attr-defined]
    firsts = [starts[n] for n in family[1].names if n.split("[")[0] in ("loc", "logit")]
    np.testing.assert_allclose(firsts, stats.norm.ppf((np.arange(k) + 0.5) / k), atol=1e-15)
    assert len(set(firsts)) == k


@each_family
@each_dtype
@pytest.mark.parametrize("targets", [1, 2])
def test_loss_and_gradient(name: str, dtype: str, targets: int) -> None:
    pair = make_pair(one_dense, FAMILIES[name], 3, targets, dtype)
    pair.scatter_parameters(deviation=0.7)
    data = make_data(pair, 150)
    loss, gradient = pair.core.loss_and_gradient(data.x, data.y, data.weight)
    expected_loss, expected = pair.reference.loss_and_gradient(data.x, data.y, data.weight)
    assert_close(loss, expected_loss, dtype, 64, 1.0)
    assert_close(gradient, expected, dtype, 256, np.max(np.abs(expected)))


@each_family
@each_dtype
def test_far_out_everything_is_finite(name: str, dtype: str) -> None:
    family = FAMILIES[name]
    numbers = np.random.default_rng(0).choice(
        [-1e4, 1e4, -30.0, 30.0, 0.0, 0.4], (200, len(family[1].names))
    )
    for raw in (numbers, np.full((2, len(family[1].names)), 1e4)):
        pair = predicting(family, raw, dtype)
        for y in (0.0, 1.0):
            target = np.full((len(raw), 1), y)
            loss, gradient = pair.core.loss_and_gradient(np.eye(len(raw)), target)
            assert np.isfinite(loss)
            assert np.all(np.isfinite(gradient))


@each_dtype
def test_an_impossible_component_has_no_gradient(dtype: str) -> None:
    """Its own is infinite in float32."""
    raw = np.array([[0.0, 0.0, 1e15, -30.0, 0.5, 0.3]])
    family = (likely.Mixture("normal", 2), reference.Mixture(reference.Normal(), 2))
    pair = predicting(family, raw, dtype)
    loss, gradient = pair.core.loss_and_gradient(np.eye(1), np.zeros((1, 1)))
    expected_loss, expected = pair.reference.loss_and_gradient(np.eye(1), np.zeros((1, 1)))
    assert_close(loss, expected_loss, dtype, 8, 1.0)
    assert_close(gradient, expected, dtype, 8, 1.0)


@each_family
@each_dtype
def test_statistics_follow_the_reference(name: str, dtype: str) -> None:
    family = FAMILIES[name]
    pair = predicting(family, scattered(family, 40), dtype)
    x = np.eye(40)
    d, expected = pair.core.predict_distribution(x), pair.reference.predict(x)
    tolerance = 4 * EPSILON["float32"] if dtype == "float32" else 1e-13
    close: dict[str, float] = {"rtol": tolerance, "atol": tolerance}
    for statistic in ("mean", "std", "mode"):
        wanted = getattr(expected, statistic)[:, 0]
        np.testing.assert_allclose(getattr(d, statistic), wanted, **close)
    assert list(d.params) == list(expected.parameters)
    for parameter, values in d.params.items():
        np.testing.assert_allclose(values, expected.parameters[parameter][:, 0], **close)
    for p in (0.0, 1e-12, 0.03, 0.5, 0.8, 1 - 1e-9, 1.0):
        wanted = expected.quantile(p)[:, 0]
        np.testing.assert_allclose(d.quantile(p), wanted, rtol=10 * tolerance, atol=1e-14)
    for y in (0.0, 1.0):
        target = np.full((40, 1), y)
        np.testing.assert_allclose(d.cdf(target), expected.cdf(target)[:, 0], **close)
        np.testing.assert_allclose(d.log_prob(target), expected.log_prob(target)[:, 0], **close)


def test_statistics_follow_scipy() -> None:
    weights, loc, scale = [0.2, 0.5, 0.3], [-3.0, 0.5, 2.0], [0.4, 1.5, 0.1]
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("normal", 3), weights=weights, loc=loc, scale=scale
    )
    parts = stats.norm(loc, scale)
    y = np.linspace(-5.0, 5.0, 41)
    np.testing.assert_allclose(d.cdf(y), parts.cdf(y[:, np.newaxis]) @ weights, rtol=1e-13)
    log_prob = np.log(parts.pdf(y[:, np.newaxis]) @ weights)
    np.testing.assert_allclose(d.log_prob(y), log_prob, rtol=1e-13, atol=1e-14)

    def density(z: float) -> float:
        return float(parts.pdf(z) @ weights)

    breaks = [-20.0, -5.0, -3.0, -1.0, 1.5, 1.9, 2.0, 2.1, 2.5, 8.0, 20.0]

    def moment(n: int) -> float:
        pieces = itertools.pairwise(breaks)
        return float(sum(integrate.quad(lambda z: z**n * density(z), a, b)[0] for a, b in pieces))

    np.testing.assert_allclose(d.mean[0], moment(1), rtol=1e-9)
    np.testing.assert_allclose(d.variance[0], moment(2) - moment(1) ** 2, rtol=1e-9)
    for p in (1e-10, 0.1, 0.5, 0.77, 0.999):
        z = d.quantile(p)[0]
        np.testing.assert_allclose(float(parts.cdf(z) @ weights), p, rtol=1e-12)
    assert d.mode[0] == 2.0
    assert d.quantile(0.0)[0] == -np.inf
    assert d.quantile(1.0)[0] == np.inf


@pytest.mark.parametrize(
    ("weights", "loc", "scale"),
    [
        ([0.5, 0.5], [-1.0, 1.0], [1.0, 1.0]),
        ([0.5, 0.5], [0.3, 0.3], [1.2, 1.2]),
        ([0.3, 0.7], [-1e3, 1e3], [1e-3, 1e-2]),
        ([1e-12, 1.0 - 1e-12], [5.0, 5.5], [1e-12, 1e12]),
        ([1.0, 0.0], [5.0, 50.0], [1.0, 1.0]),
    ],
)
def test_quantile_inverts_the_cdf(weights: Any, loc: Any, scale: Any) -> None:
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("normal", 2), weights=weights, loc=loc, scale=scale
    )
    parts = stats.norm(loc, scale)
    for p in (1e-300, 1e-9, 0.1, 0.29, 0.31, 0.4, 0.77, 1 - 1e-9):
        z = d.quantile(p)[0]
        # What a rounding of z makes of a probability that is near another one.
        near = z + np.array([-2.0, 2.0]) * np.spacing(np.abs(z))
        low, high = parts.cdf(near[:, np.newaxis]) @ weights
        assert low * (1 - 1e-11) <= p <= high * (1 + 1e-11)  # far out a cdf has fewer digits
    if loc[0] == -loc[1] and scale[0] == scale[1]:
        assert d.median[0] == 0.0


def test_a_mixture_of_angles() -> None:
    """Against sums over a fine grid of one turn about the mean direction."""
    weights, loc, k = [0.3, 0.7], [2.9, -2.5], [4.0, 1.5]
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("von_mises", 2), weights=weights, loc=loc, concentration=k
    )
    direction = np.sum(weights * special.i1e(k) / special.i0e(k) * np.exp(1j * np.array(loc)))
    mean = np.angle(direction)
    grid = mean + np.pi * (np.arange(-200_000, 200_000) + 0.5) / 200_000
    density = stats.vonmises(k, loc).pdf(grid[:, np.newaxis]) @ weights * np.pi / 200_000
    np.testing.assert_allclose(d.mean, [mean], rtol=1e-12)
    np.testing.assert_allclose(d.std, [np.sqrt(np.sum(density * (grid - mean) ** 2))], rtol=1e-8)
    np.testing.assert_allclose(np.exp(d.log_prob([1.0])), stats.vonmises(k, loc).pdf(1.0) @ weights)
    below = np.cumsum(density)
    for y in (-6.0, -3.0, -0.4, 2.0, 3.1):
        at = np.searchsorted(grid, mean + np.angle(np.exp(1j * (y - mean))))
        np.testing.assert_allclose(d.cdf([y]), [below[at - 1]], atol=1e-5)
        np.testing.assert_allclose(d.sf([y]), [1 - below[at - 1]], atol=1e-5)
        squares = np.where(np.arange(len(grid)) < at, below, 1 - below) ** 2
        np.testing.assert_allclose(d.crps([y]), [squares.sum() * np.pi / 200_000], rtol=1e-4)
    for p in (0.0, 0.01, 0.5, 0.9, 1.0):
        np.testing.assert_allclose(d.cdf(d.quantile(p)), [p], atol=1e-12)
    draws = d.sample(2000, seed=1)
    assert stats.kstest(draws[:, 0], lambda y: d[np.zeros(len(y), int)].cdf(y)).pvalue > 0.01


@pytest.mark.parametrize("y", [-6.0, -2.9, 0.0, 1.0, 4.0])
def test_crps_follows_its_definition(y: float) -> None:
    weights, loc, scale = np.array([0.2, 0.8]), [-3.0, 1.0], [0.4, 1.5]
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("normal", 2), weights=weights, loc=loc, scale=scale
    )
    assert d._head.has("crps")
    parts = stats.norm(loc, scale)

    def off(z: float) -> float:
        return float((parts.cdf(z) @ weights - (z >= y)) ** 2)

    breaks = sorted([-30.0, -4.0, -3.0, -2.0, y, 1.0, 5.0, 30.0])
    total = sum(
        integrate.quad(off, a, b, epsabs=1e-13)[0] for a, b in itertools.pairwise(breaks) if a < b
    )
    actual = d._head.evaluate("crps", d.raw, argument=np.array([[y]]))
    np.testing.assert_allclose(actual, total, rtol=1e-9)


def test_coins_are_one_coin() -> None:
    probs, weights = np.array([0.1, 0.8]), np.array([0.3, 0.7])
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("bernoulli", 2), weights=weights, probs=probs
    )
    one = likely.PredictiveDistribution.from_params("bernoulli", probs=probs @ weights)
    for statistic in ("mean", "std", "mode"):
        np.testing.assert_allclose(getattr(d, statistic), getattr(one, statistic), rtol=1e-14)
    for y in (0.0, 1.0):
        np.testing.assert_allclose(d.log_prob([y]), one.log_prob([y]), rtol=1e-13)
        np.testing.assert_allclose(d.cdf([y]), one.cdf([y]), rtol=1e-14)
    for p in (0.0, 0.2, 0.4, 0.42, 0.9, 1.0):
        assert d.quantile(p) == one.quantile(p)


def test_given_parameters_come_back() -> None:
    mixture = likely.Mixture(likely.Normal(scale="shared"), 2)
    given = {
        "weights": [[0.25, 0.75], [1.0, 0.0]],
        "loc": [[0.5, -1.0], [1e4, 3.0]],
        "scale": [[1.5, 0.2], [1e-3, 1e3]],
    }
    d = likely.PredictiveDistribution.from_params(mixture, **given)
    assert d.distribution == likely.Mixture("normal", 2)
    assert d.raw.shape == (2, 6)
    assert list(d.params) == list(given)
    for name, values in given.items():
        np.testing.assert_allclose(d.params[name], values, rtol=1e-14)
    with pytest.raises(ValueError, match="weights must be probabilities that sum to 1"):
        likely.PredictiveDistribution.from_params(mixture, **given | {"weights": [0.5, 0.6]})
    with pytest.raises(ValueError, match=r"weights must be in \[0, 1\]; got -0.5"):
        likely.PredictiveDistribution.from_params(mixture, **given | {"weights": [-0.5, 1.5]})
    with pytest.raises(ValueError, match=r"scale must be in .*; got -1 \(row 1, column 0\)"):
        likely.PredictiveDistribution.from_params(
            mixture, **given | {"scale": [[1.0, 1.0], [1.0, -1.0]]}
        )
    with pytest.raises(ValueError, match="loc must be finite in float32"):
        likely.PredictiveDistribution.from_params(
            mixture, **given | {"loc": [0.0, 1e39]}, dtype="float32"
        )


COMPONENTS: dict[str, reference.Distribution] = {
    "normal": reference.Normal(), "weibull": reference.Weibull(),
    "bernoulli": reference.Bernoulli(),
    "student_t": reference.StudentT(), "gamma": reference.Gamma(), "beta": reference.Beta(),
    "von_mises": reference.VonMises(), "poisson": reference.Poisson(),
    "negative_binomial": reference.NegativeBinomial(),
}  # fmt: skip


COUNTS = ("bernoulli", "poisson", "negative_binomial")


@pytest.mark.parametrize("component", COMPONENTS)
@each_dtype
def test_samples_choose_a_component(
    component: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one uniform number, and are its quantile at another: no cdf is inverted."""
    monkeypatch.setattr(_special._Mixture, "_bisect", None)
    family = (likely.Mixture(component, 3), reference.Mixture(COMPONENTS[component], 3))
    raw = scattered(family, 4, 0.7)
    raw[3, :3] = [-1000.0, 0.0, -1000.0]
    pair = predicting(family, raw, dtype)
    d, expected = pair.core.predict_distribution(np.eye(4)), pair.reference.predict(np.eye(4))
    draws = d.sample(1000, seed=5)
    assert draws.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(draws, d.sample(1000, seed=5))
    assert_allclose = np.testing.assert_allclose
    assert_allclose(
        draws[:20], expected.sample(20, 5)[..., 0], rtol=3e-5 if dtype == "float32" else 1e-9
    )
    for i in range(4):
        values, counts = np.unique(draws[:, i].astype(np.float64), return_counts=True)
        one = d[np.full(len(values), i)]
        upper = np.cumsum(counts) / 1000
        distance = np.abs(upper - one.cdf(values)).max()
        if component in COUNTS:
            below = upper - counts / 1000 - one.cdf(values - 0.5)
            distance = max(distance, np.abs(below).max())
        assert distance < 1.8 / np.sqrt(1000)  # one in 300 is farther


@pytest.mark.parametrize("component", ["laplace", *COMPONENTS])
def test_scores_and_entropies_follow_the_reference(component: str) -> None:
    """Both are integrals, over other panels by other rules."""
    of = reference.Laplace() if component == "laplace" else COMPONENTS[component]
    family = (likely.Mixture(component, 2), reference.Mixture(of, 2))
    pair = predicting(family, scattered(family, 6, 0.4), "float64")
    x = np.eye(6)
    d, expected = pair.core.predict_distribution(x), pair.reference.predict(x)
    spread = d.quantile(0.75) - d.quantile(0.25)
    for p in (0.01, 0.6):
        y = expected.quantile(p)
        error = np.abs(d.crps(y) - expected.crps(y)[:, 0])
        assert np.all(error <= 1e-8 * (d.crps(y) + spread))
    if component != "beta":  # whose density has no bound at 1, next to which numbers are sparse
        np.testing.assert_allclose(d.entropy, expected.entropy[:, 0], rtol=1e-8, atol=1e-8)


def test_samples_of_several_columns() -> None:
    mixture = likely.Mixture("gamma", 2)
    d = likely.PredictiveDistribution.from_params(
        mixture, weights=np.array([[[1.0, 0.0], [0.0, 1.0]]] * 3),
        concentration=np.full((3, 2, 2), 1e6), rate=[[[1e6, 2e6], [5e6, 1e5]]] * 3,
    )  # fmt: skip
    draws = d.sample(7)
    assert draws.shape == (7, 3, 2)
    np.testing.assert_allclose(draws, np.broadcast_to([1.0, 10.0], (7, 3, 2)), rtol=0.01)


def test_a_component_without_weight_does_not_count() -> None:
    """Its moments may be undefined, infinite or beyond float64."""
    of = likely.PredictiveDistribution.from_params
    mixture = of(
        likely.Mixture("student_t", 2),
        weights=[1.0, 0.0], df=[5.0, 1.0], loc=[1.0, 2.0], scale=[1.0, 3.0],
    )  # fmt: skip
    one = of("student_t", df=5.0, loc=1.0, scale=1.0)
    for statistic in ("mean", "std", "mode", "median", "entropy"):
        actual, expected = getattr(mixture, statistic), getattr(one, statistic)
        np.testing.assert_allclose(actual, expected, rtol=1e-8)
    np.testing.assert_allclose(mixture.crps([1.5]), one.crps([1.5]), rtol=1e-8)
    wide = of(
        likely.Mixture("log_normal", 2), weights=[0.0, 1.0], loc=[0.0, 1.0], scale=[1e13, 0.5]
    )
    single = of("log_normal", loc=1.0, scale=0.5)
    np.testing.assert_allclose([wide.mean, wide.std], [single.mean, single.std], rtol=1e-12)
    steep = of(
        likely.Mixture("gamma", 2), weights=[0.0, 1.0], concentration=[0.5, 3.0], rate=[1.0, 1.0]
    )
    np.testing.assert_allclose(steep.mode, 2.0)
    with_reference = reference.Mixture(reference.Gamma(), 2)
    np.testing.assert_allclose(with_reference.mode(steep.raw.T), 2.0)


def test_where_the_mean_is_infinite_so_is_the_standard_deviation() -> None:
    d = likely.PredictiveDistribution.from_params(
        likely.Mixture("log_normal", 2), weights=[0.5, 0.5], loc=[0.0, 1.0], scale=[1e13, 0.5]
    )
    assert d.mean == d.std == d.variance == np.inf
    with np.errstate(over="ignore"):
        family = reference.Mixture(reference.LogNormal(), 2)
        assert family.std(d.raw.T) == np.inf


def test_outside_the_support() -> None:
    network = likely.Network(1, distribution=likely.Mixture("bernoulli", 2))
    with pytest.raises(ValueError, match=r"support of Mixture \(0 or 1\)"):
        network.loss([[0.0]], [[0.5]])


@each_dtype
def test_both_components_are_found(dtype: str) -> None:
    rng = np.random.default_rng(1)
    first = rng.random(1500) < 0.3
    y = np.where(first, rng.normal(7.0, 0.5, 1500), rng.normal(20.0, 2.0, 1500))[:, np.newaxis]
    x = np.zeros((1500, 1))
    network = likely.Network(
        1, distribution=likely.Mixture("normal", 2), standardize=True, dtype=dtype
    )
    likely.Trainer(likely.Adam(0.03), batch_size=100, epochs=40).fit(network, x, y)
    d = network.predict_distribution([[0.0]])
    np.testing.assert_allclose(d.params["weights"], [[np.mean(first), np.mean(~first)]], atol=0.03)
    np.testing.assert_allclose(d.params["loc"], [[7.0, 20.0]], atol=0.25)
    np.testing.assert_allclose(d.params["scale"], [[0.5, 2.0]], rtol=0.15)
    np.testing.assert_allclose(d.mean, np.mean(y), rtol=0.02)
    np.testing.assert_allclose(d.std, np.std(y), rtol=0.03)
    np.testing.assert_allclose(network.loss(x, y), -np.mean(d.log_prob(y)), rtol=1e-5)
