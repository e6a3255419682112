"""Densities of one's own: against SciPy and likely.Normal, in training, and bad ones."""

import copy
from collections.abc import Callable
from typing import Any

import densities
import likely
import numpy as np
import pytest
from likely._gradients import DRAWN
from numpy.typing import NDArray
from scipy import stats
from support import ARCHITECTURES, CORE, DTYPES, INPUTS, LOSS, assert_close, largest
from test_bad_input import refused

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_density = pytest.mark.parametrize("name", densities.ORACLES)

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, INPUTS)).astype(np.float32)
Y = RNG.normal(size=(60, 2)).astype(np.float32)


def drawn(name: str, rows: int, targets: int = 1) -> tuple[Any, Any, likely.Custom, Any]:
    """Targets and raw parameters for a density, and the density with its oracle."""
    density, oracle = densities.ORACLES[name]
    rng = np.random.default_rng(1)
    y = DRAWN[density.support](rng, rows * targets).reshape(rows, targets)
    raw = rng.normal(size=(rows, len(density.parameters) * targets))
    return y, raw, density, oracle


@each_density
@each_dtype
@pytest.mark.parametrize("targets", [1, 3])
def test_scipy_agrees(name: str, dtype: str, targets: int) -> None:
    rows = 25
    y, raw, density, oracle = drawn(name, rows, targets)
    network = likely.Network(rows, targets, distribution=density, dtype=dtype)
    weights = np.concatenate([raw.ravel(), np.zeros(raw.shape[1])])
    network.parameters = weights.astype(dtype)
    y = y.astype(dtype)
    prediction = network.predict_distribution(np.eye(rows))
    parts = prediction.raw.astype(np.float64).reshape(rows, -1, targets)
    expected = oracle(y.astype(np.float64), *np.moveaxis(parts, 1, 0))
    actual = prediction.log_prob(y).reshape(rows, targets)
    np.testing.assert_allclose(actual, expected, rtol=1e-10 if dtype == "float64" else 1e-6)
    assert actual.dtype == dtype
    assert network.loss(np.eye(rows), y) == pytest.approx(-expected.sum(axis=1).mean(), rel=1e-12)
    assert list(prediction.params) == list(density.parameters)
    for k, values in enumerate(prediction.params.values()):
        np.testing.assert_array_equal(values.reshape(rows, targets), parts[:, k].astype(dtype))


@each_density
def test_gradients_are_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert likely.check_gradient(densities.ORACLES[name][0]) < 1e-7
    assert densities.ORACLES[name][0].name in capsys.readouterr().out


FITS: dict[str, dict[str, Any]] = {
    "small batches": {"batch_size": 7},
    "weights": {"batch_size": 7, "weighted": True},
    "more than a chunk in a batch": {"rows": 2600, "batch_size": 1300, "weighted": True},
    "the whole set": {"rows": 1500, "batch_size": None},
    "in order": {"batch_size": 16, "shuffle": False, "drop_last": True},
    "one target": {"targets": 1},
    "standardised inputs": {"x_scale": 40.0},
}

SAME = 16
"""Epsilons, relative to the largest number, after 8 to 36 steps; 6 seen."""


@pytest.mark.parametrize("architecture", ["linear", "nested_residual"])
@pytest.mark.parametrize("name", FITS)
@each_dtype
def test_a_custom_normal_trains_as_normal_does(name: str, architecture: str, dtype: str) -> None:
    options = {"rows": 60, "targets": 2, "weighted": False, "x_scale": None, **FITS[name]}
    rows, targets, scale = options.pop("rows"), options.pop("targets"), options.pop("x_scale")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, INPUTS)), rng.normal(size=(rows, targets))
    if scale:  # likely.Normal would standardise the target too: it is given in such units
        x, y = 5 + scale * x, (y - y.mean(axis=0)) / y.std(axis=0)
    weight = rng.uniform(0.2, 2.0, rows) if options.pop("weighted") else None
    layers, _ = ARCHITECTURES[architecture](CORE, 2 * targets)
    ends = []
    for family in (likely.Normal(), densities.normal):
        network = likely.Network(
            INPUTS, targets, layers, family, dtype=dtype, seed=4, standardize=bool(scale)
        )
        trainer = likely.Trainer(likely.Adam(learning_rate=0.01), epochs=4, **options)
        history = trainer.fit(network, x, y, validation=(x[:9], y[:9]), sample_weight=weight)
        ends.append((network, history))
    (expected, theirs), (actual, ours) = ends
    assert_close(actual.parameters, expected.parameters, dtype, SAME, largest(expected.parameters))
    assert_close(ours.loss, theirs.loss, dtype, SAME, 1.0)
    assert_close(ours.validation_loss, theirs.validation_loss, dtype, SAME, 1.0)
    loss, gradient = actual.loss_and_gradient(x, y, weight)
    expected.parameters = actual.parameters
    their_loss, their_gradient = expected.loss_and_gradient(x, y, weight)
    assert_close(loss, their_loss, dtype, LOSS, 1.0)
    assert_close(gradient, their_gradient, dtype, SAME, largest(their_gradient))


def test_the_function_is_called_once_a_batch() -> None:
    sizes: list[int] = []

    @likely.distribution(parameters=["loc"])
    def counted(y: Any, loc: Any) -> Any:
        sizes.append(len(y))
        return -np.square(y - loc)

    rng = np.random.default_rng(0)
    network = likely.Network(2, 2, [likely.Dense(3)], counted)
    x, y = rng.normal(size=(4000, 2)), rng.normal(size=(4000, 2))
    history = likely.Trainer(batch_size=1700, epochs=2).fit(network, x, y)
    checks = 2
    assert sizes[checks:] == [3400, 3400, 1200] * 2
    assert all(size <= 2 * 256 for size in sizes[:checks])
    assert history.steps == 6


def regression(family: likely.Custom, draw: Callable[..., Any], dtype: str) -> Any:
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, size=4000)
    y = 2 * x + 0.5 + np.exp(0.4 * x - 1) * draw(4000, random_state=rng)
    network = likely.Network(1, distribution=family, dtype=dtype)
    for rate in (0.1, 0.01):
        likely.Trainer(likely.Adam(rate), batch_size=None, epochs=200).fit(network, x, y)
    return network.parameters.reshape(2, -1)


@each_dtype
def test_regressions_find_the_true_parameters(dtype: str) -> None:
    """Slopes and biases; four standard errors are at most 0.09, of log_df 0.3."""
    for family, law in ((densities.gumbel, stats.gumbel_r()), (densities.laplace, stats.laplace())):
        weight, bias = regression(family, law.rvs, dtype)
        np.testing.assert_allclose(weight, [2.0, 0.4], atol=0.1)
        np.testing.assert_allclose(bias, [0.5, -1.0], atol=0.1)
    weight, bias = regression(densities.student_t, stats.t(4).rvs, dtype)
    np.testing.assert_allclose(weight[:2], [2.0, 0.4], atol=0.1)
    np.testing.assert_allclose(bias, [0.5, -1.0, np.log(4)], atol=0.25)


def test_a_constant_input_gives_scipys_maximum_likelihood() -> None:
    y = stats.gumbel_r(1.5, 0.7).rvs(300, random_state=np.random.default_rng(2))
    network = likely.Network(1, distribution=densities.gumbel, dtype="float64")
    for rate in (0.1, 0.01, 0.001):
        likely.Trainer(likely.Adam(rate), batch_size=None, epochs=400).fit(network, 0 * y, y)
    loc, scale = stats.gumbel_r.fit(y)
    fitted = network.predict_distribution([[0.0]]).params
    np.testing.assert_allclose(fitted["loc"], loc, rtol=1e-4)
    np.testing.assert_allclose(np.exp(fitted["log_scale"]), scale, rtol=1e-4)


def test_only_inputs_are_standardised() -> None:
    network = likely.Network(INPUTS, 2, distribution=densities.laplace, standardize=True)
    likely.Trainer(epochs=1).fit(network, 1e6 + 1e5 * X, Y)
    assert network.scaling is not None
    np.testing.assert_array_equal(network.scaling["target_mean"], [0, 0])
    np.testing.assert_array_equal(network.scaling["target_scale"], [1, 1])
    assert abs(network.scaling["input_mean"]).min() > 9e5


# ---- the density as an object


def test_the_density_is_the_function_still() -> None:
    y, loc = np.array([0.5, 2.0]), np.array([0.0, 1.0])
    np.testing.assert_allclose(densities.laplace(y, loc, 0 * loc), -np.abs(y - loc) - np.log(2))
    np.testing.assert_allclose(densities.laplace(1.0, loc=0.0, log_scale=0.0), -1 - np.log(2))
    assert densities.exponential.function is densities.plain_exponential
    density = densities.gamma
    assert isinstance(density, likely.Distribution)
    assert (density.name, density.parameters) == ("gamma", ("log_shape", "log_rate"))
    assert density.support == "positive"
    network = likely.Network(1, distribution=density)
    assert network.distribution == density
    assert network.distribution.function is density.function
    assert "Custom" in repr(network)
    assert density != densities.gumbel
    assert density == likely.Custom("gamma", ["log_shape", "log_rate"], "positive")
    assert {density: 1}[copy.copy(density)] == 1
    assert copy.deepcopy(density).function is density.function


def refuses(words: list[str], error: type[Exception] = ValueError, **options: Any) -> None:
    def plain(y: Any, loc: Any) -> Any:
        return y - loc

    arguments = {"parameters": ["loc"], "function": plain, **options}
    function = arguments.pop("function")
    with refused(error, *words):
        likely.distribution(**arguments)(function)


def test_bad_decorations() -> None:
    refuses(["parameters", "plain", "loc", "scale"], parameters=["scale"])
    refuses(["parameters", "plain", "loc", "scale"], parameters=["loc", "scale"])
    refuses(["parameters", "at least one"], parameters=[])
    refuses(["parameters", "different", "loc twice"], parameters=["loc", "loc"])
    refuses(["parameters", "list", "loc"], TypeError, parameters="loc")
    refuses(["parameters", "None"], TypeError, parameters=None)
    refuses(["parameters", "3"], TypeError, parameters=[3])
    refuses(["parameters", "a b"], TypeError, parameters=["a b"])
    refuses(["support", "reel", "real", "unit_interval"], support="reel")
    refuses(["support", "None"], TypeError, support=None)
    refuses(["function", "int"], TypeError, function=3)
    with refused(TypeError, "distribution", "Distribution", "function"):
        likely.Network(1, distribution=densities.plain_exponential)


SUPPORTS: dict[str, tuple[list[float], list[float]]] = {
    "real": ([-1e9, 0, 0.5], []),
    "positive": ([1e-9, 3], [0, -1]),
    "nonnegative": ([0, 0.1, 3], [-0.1]),
    "unit_interval": ([0, 0.3, 1], [-0.1, 1.1]),
    "integer": ([-3, 0, 7], [0.5]),
    "nonnegative_integer": ([0, 7], [-1, 0.5]),
}


@pytest.mark.parametrize("support", SUPPORTS)
def test_support(support: str) -> None:
    @likely.distribution(parameters=["loc"], support=support)
    def squares(y: Any, loc: Any) -> Any:
        return -((y - loc) ** 2)

    network = likely.Network(1, distribution=squares)
    inside, outside = SUPPORTS[support]
    assert np.isfinite(network.loss(np.zeros(len(inside)), inside))
    prediction = network.predict_distribution([[0.0], [0.0]])
    for bad in [*outside, np.nan, np.inf, -np.inf]:
        with refused(ValueError, "y", "row 1"):
            network.loss([0.0, 0.0], [inside[0], bad])
        with refused(ValueError, "y", "row 1"):
            prediction.log_prob([inside[0], bad])
    for bad in outside:
        with refused(ValueError, "support", "squares"):
            likely.Trainer().fit(network, [0.0, 0.0], [inside[0], bad])


# ---- bad functions

Y4 = np.array([0.1, 0.2, 0.3, 0.4])


def with_function(function: Callable[[Any, Any], Any]) -> likely.Custom:
    @likely.distribution(parameters=["loc", "extra"])
    def mine(y: Any, loc: Any, extra: Any) -> Any:
        return function(y, loc)

    return mine


BAD: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], list[str]]] = {
    "a scalar": (lambda y, loc: np.float64(1.0), ValueError, ["mine", "shape ()", "samples"]),
    "a number": (lambda y, loc: 1.0, TypeError, ["mine", "array", "float"]),
    "nothing": (lambda y, loc: None, TypeError, ["mine", "array", "NoneType"]),
    "a matrix": (lambda y, loc: np.outer(y, y), ValueError, ["mine", "shape"]),
    "one too few": (lambda y, loc: y[1:], ValueError, ["mine", "shape"]),
    "integers": (lambda y, loc: np.zeros(len(y), int), TypeError, ["mine", "int64"]),
    "complex": (lambda y, loc: y + 0j, TypeError, ["mine", "complex128"]),
    "truth": (lambda y, loc: y > 0, TypeError, ["mine", "bool"]),
    "nan": (lambda y, loc: np.sqrt(y - 0.15) - loc, ValueError, ["mine", "log_prob", "nan", "y"]),
    "infinite": (lambda y, loc: np.log(y - y) - loc, ValueError, ["mine", "-inf", "loc", "extra"]),
    "infinite slope": (
        lambda y, loc: np.sqrt(loc * 0), ValueError, ["mine", "derivative by loc", "nan"]
    ),
    "mean of y": (lambda y, loc: -((y - y.mean() - loc) ** 2), ValueError, ["mine", "order"]),
    "sorted y": (lambda y, loc: np.sort(y)[::-1] - loc, ValueError, ["mine", "order"]),
    "position": (lambda y, loc: -((y - loc) ** 2) + np.arange(len(y)), ValueError, ["order"]),
    "noise": (lambda y, loc: RNG.normal(size=len(y)) - loc, ValueError, ["random numbers"]),
    "mean of loc": (lambda y, loc: -((y - np.mean(loc)) ** 2), TypeError, ["np.mean", "mixes"]),
    "no derivative": (lambda y, loc: np.floor_divide(loc, 2), TypeError, ["np.floor_divide"]),
    "scipy.stats": (lambda y, loc: stats.norm.logpdf(y, loc), TypeError, ["plain arrays"]),
    "own error": (lambda y, loc: {}["mine"], KeyError, ["mine"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("standardize", [False, True])
def test_bad_function(name: str, standardize: bool) -> None:
    function, error, words = BAD[name]
    network = likely.Network(1, distribution=with_function(function), standardize=standardize)
    before = network.parameters.copy()
    trainer = likely.Trainer()
    for use in (
        lambda: trainer.fit(network, Y4, Y4),
        lambda: network.loss(Y4, Y4),
        lambda: network.loss_and_gradient(Y4, Y4),
    ):
        with pytest.raises(error) as caught:
            use()
        for word in words:
            assert word in str(caught.value)
    assert network.parameters.tobytes() == before.tobytes()
    assert network.scaling is None
    assert trainer.history.steps == 0
    with pytest.raises(error):
        likely.check_gradient(with_function(function), y=Y4)


class Failure(Exception):
    pass


@pytest.mark.parametrize("error", [Failure("mine"), KeyboardInterrupt(), SystemExit(3)])
@each_dtype
def test_what_a_function_raises_passes_through(error: BaseException, dtype: str) -> None:
    calls = 0

    @likely.distribution(parameters=["loc", "log_scale"])
    def breaks(y: Any, loc: Any, log_scale: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2 + 11:
            raise error
        return densities.normal(y, loc, log_scale)

    network = likely.Network(INPUTS, 2, distribution=breaks, dtype=dtype)
    before = network.parameters.copy()
    trainer = likely.Trainer(epochs=10, batch_size=20)
    with pytest.raises(type(error)) as caught:
        trainer.fit(network, X, Y)
    assert caught.value is error
    assert trainer.history.steps == 10
    assert trainer.history.stopped == "interrupted"
    assert np.isfinite(network.parameters).all()
    assert not np.array_equal(network.parameters, before)
    assert trainer.fit(network, X, Y).epochs == 10


def test_a_density_that_fails_in_the_middle_of_training_is_told() -> None:
    """It is finite at first, and minus infinity once loc has moved."""

    @likely.distribution(parameters=["loc"])
    def narrow(y: Any, loc: Any) -> Any:
        return np.log(0.5 - loc) - (y - loc) ** 2 - loc

    network = likely.Network(1, distribution=narrow)
    with refused(ValueError, "narrow", "finite", "loc", "y = 5"):
        likely.Trainer(likely.SGD(0.5), epochs=50).fit(network, np.zeros(40), np.full(40, 5.0))
    assert np.isfinite(network.parameters).all()


@each_dtype
def test_divergence_is_told(dtype: str) -> None:
    """Raw parameters that overflow never reach the function."""
    network = likely.Network(1, distribution=densities.normal, dtype=dtype)
    network.parameters = np.full(4, np.finfo(dtype).max / 2)
    assert np.isnan(network.loss([8.0], [1.0]))
    assert np.isnan(network.loss_and_gradient([8.0], [1.0])[0])
    with pytest.raises(likely.DivergedError, match="learning rate"):
        likely.Trainer(epochs=5).fit(network, [8.0, 9.0], [3.0, 4.0])
    assert np.isfinite(network.parameters).all()
    with refused(ValueError, "raw parameter", "finite"):
        network.predict_distribution([[8.0]]).log_prob([1.0])


def test_warnings_of_branches_not_taken_are_silent() -> None:
    @likely.distribution(parameters=["loc"])
    def branches(y: Any, loc: Any) -> Any:
        return np.where(y > 0, np.where(y > 0, np.log(y), 0.0), y) - (y - loc) ** 2

    network = likely.Network(1, distribution=branches)
    likely.Trainer(epochs=2).fit(network, Y4, [-1.0, 0.0, 1.0, 2.0])
    with pytest.warns(RuntimeWarning, match="divide by zero"):  # outside it is as ever
        np.log(np.zeros(1))


def test_a_function_may_keep_and_change_nothing_of_the_core() -> None:
    @likely.distribution(parameters=["loc"])
    def greedy(y: Any, loc: Any) -> Any:
        kept.append(y)
        y *= 2
        return -((y / 2 - loc) ** 2)

    kept: list[NDArray[Any]] = []
    network, plain = (
        likely.Network(1, distribution=greedy, seed=1, dtype="float64") for _ in range(2)
    )
    y = np.arange(40.0)
    likely.Trainer(epochs=2).fit(network, y, y)
    np.testing.assert_array_equal(y, np.arange(40))
    assert all(np.isfinite(values).all() for values in kept)
    assert np.isfinite(plain.loss(y, y))


UNKNOWN = ("mean", "std", "variance", "mode", "entropy", "median")


def test_only_log_prob_is_known() -> None:
    d = likely.Network(1, distribution=densities.gumbel).predict_distribution([[0.0], [1.0]])
    for name in UNKNOWN:
        known_as = {"variance": "std", "median": "quantile"}.get(name, name)
        with refused(ValueError, "gumbel", f"has no {known_as}", "log_prob"):
            getattr(d, name)
    for use, name in (
        (lambda: d.quantile(0.5), "quantile"),
        (lambda: d.interval(0.5), "quantile"),
        (lambda: d.cdf([0.0, 1.0]), "cdf"),
        (lambda: d.sample(3), "sample"),
    ):
        with refused(ValueError, "gumbel", f"has no {name}", "log_prob"):
            use()
    assert d[1].params["loc"].shape == (1,)
    assert np.isfinite(d.log_prob([0.0, 1.0])).all()
