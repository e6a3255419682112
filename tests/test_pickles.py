"""Predictions and corrected networks through pickle and copy: the same numbers on the other side.

Networks, densities of one's own and what networks are made of are in test_files, test_custom_files
and test_kinds.
"""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import densities
import likely
import numpy as np
import pytest
from likely import _core
from support import DTYPES, TABLE

Copier = Callable[[Any], Any]
COPIERS: list[Copier] = [
    lambda value: pickle.loads(pickle.dumps(value)),
    lambda value: pickle.loads(pickle.dumps(value, protocol=2)),
    copy.copy,
    copy.deepcopy,
]
each_copier = pytest.mark.parametrize("copier", COPIERS, ids=["pickle", "oldest", "copy", "deep"])
each_dtype = pytest.mark.parametrize("dtype", DTYPES)

FAMILIES: dict[str, likely.Distribution] = {
    **{name: entry.core() for name, entry in TABLE.items()},
    "ordinal": likely.Ordinal(levels=4),
    "quantiles": likely.Quantiles([0.1, 0.5, 0.9]),
    "multivariate normal": likely.MultivariateNormal(),
    "mixture": likely.Mixture(likely.Normal(), 3),
    "one's own": densities.gumbel,
}
STATISTICS = ("mean", "mode", "std", "entropy", "median")


def numbers(d: Any) -> list[bytes]:
    """All that a prediction tells; of what its family has no statistic of, the message."""
    found = [repr(d).encode()]

    def add(ask: Callable[[], Any]) -> None:
        try:
            answers = ask()
        except (AttributeError, ValueError, TypeError) as error:
            found.append(str(error).encode())
            return
        for answer in answers if isinstance(answers, tuple) else (answers,):
            found.append(np.asarray(answer).tobytes())

    targets = np.ones((len(d), 2))
    targets[0] = 0
    for name in STATISTICS:
        add(lambda name=name: getattr(d, name))
    add(lambda: tuple(d.params.values()))
    add(lambda: d.quantile([0.0, 0.3, 1.0]))
    add(lambda: d.interval(0.7))
    add(lambda: d.cdf(targets))
    add(lambda: d.log_prob(targets))
    add(lambda: d.crps(targets))
    add(lambda: d.sample(3, seed=5))
    add(lambda: d[1:].quantile(0.3))
    return found


def fitted(family: likely.Distribution, dtype: str) -> tuple[likely.Network, Any, Any]:
    """A network of two targets with learned constants and a scaling."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 2, size=(40, 2)).astype(float)
    if isinstance(family, likely.LogNormal | likely.Gamma | likely.Weibull | likely.Beta):
        y = 0.25 + 0.5 * y
    layers = [likely.Dense(5, "tanh")]
    network = likely.Network(3, 2, layers, family, dtype=dtype, standardize=True, seed=1)
    likely.Trainer(epochs=2, batch_size=10).fit(network, x, y)
    return network, x, y


@each_dtype
@pytest.mark.parametrize("name", FAMILIES)
def test_a_prediction(name: str, dtype: str) -> None:
    network, x, y = fitted(FAMILIES[name], dtype)
    assert network.scaling is not None
    d = network.predict_distribution(x[:3])
    expected = numbers(d)
    copies = [copier(d) for copier in COPIERS]
    likely.Trainer(epochs=2, batch_size=10).fit(network, x, y)  # which they have nothing of
    for again in copies:
        assert again.distribution == d.distribution
        assert numbers(again) == expected


@each_copier
@each_dtype
def test_given_distributions(dtype: str, copier: Copier) -> None:
    normal = likely.Normal("shared")  # here its scale is given like loc
    d = likely.PredictiveDistribution.from_params(
        normal, loc=[[1.0, 2.0]] * 4, scale=[[0.1], [2.0], [3.0], [4.0]], dtype=dtype
    )
    assert numbers(copier(d)) == numbers(d)
    triangle = [[1.0, 0.0], [0.5, 2.0]]
    joint = likely.PredictiveDistribution.from_params(
        "multivariate_normal", loc=[[1.0, 2.0]] * 3, scale_tril=triangle, dtype=dtype
    )
    assert numbers(copier(joint)) == numbers(joint)


@each_copier
@pytest.mark.parametrize("family", [likely.Normal("shared"), likely.Poisson(), likely.Bernoulli()])
def test_a_recalibrated_network(family: likely.Distribution, copier: Copier) -> None:
    network, x, y = fitted(family, "float32")
    better = likely.recalibrate(network, x + 1, y)
    d = better.predict_distribution(x)
    assert numbers(copier(better).predict_distribution(x)) == numbers(d)
    assert numbers(copier(d)) == numbers(d)


@each_copier
@pytest.mark.parametrize("family", [likely.Normal("shared"), likely.Quantiles([0.1, 0.5, 0.9])])
def test_a_conformal_network(family: likely.Distribution, copier: Copier) -> None:
    network, x, y = fitted(family, "float64")
    sure = likely.conformal(network, x + 1, y)
    sure.interval(x, 0.8)
    again = copier(sure)
    for coverage in (0.8,) if isinstance(family, likely.Quantiles) else (0.8, 0.6):
        np.testing.assert_array_equal(again.interval(x, coverage), sure.interval(x, coverage))


STATE = (likely.Normal("shared"), 2, "float64", [0.5, 0.25], None)
ONES, SCALED = [1.0, 1.0], ([0.0], [1.0], [0.0, 0.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (1, 3, "shared must have 3 numbers; got 2"),
        (2, "float16", "dtype must be 'float32' or 'float64'; got 'float16'"),
        (3, [0.5], "shared must have 2 numbers; got 1"),
        (4, (*SCALED[:2], [0.0], ONES), "target_mean must have 2 numbers; got 1"),
        (4, (*SCALED[:3], [*ONES, 1.0]), "target_scale must have 2 numbers; got 3"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(place: int, value: Any, words: str) -> None:
    made = _core.Head.__new__(_core.Head)
    made.__setstate__((*STATE[:4], SCALED))
    assert made.targets == 2 and made.dtype == "float64"
    bad = (*STATE[:place], value, *STATE[place + 1 :])
    with pytest.raises(ValueError, match=words):
        _core.Head.__new__(_core.Head).__setstate__(bad)
