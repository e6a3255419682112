"""ZeroInflated: what it holds, its loss, what it finds in data, what it predicts."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
import reference
from scipy import special, stats
from support import DTYPES, assert_close, linear, make_pair, one_dense

Family = tuple[likely.Distribution, reference.Distribution]
FAMILIES: dict[str, Family] = {
    "poisson": (
        likely.ZeroInflated(likely.Poisson()),
        reference.ZeroInflated(reference.Poisson()),
    ),
    "negative binomial": (
        likely.ZeroInflated("negative_binomial"),
        reference.ZeroInflated(reference.NegativeBinomial()),
    ),
}
each_family = pytest.mark.parametrize("name", FAMILIES)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def test_ways_to_say_it() -> None:
    counts = likely.ZeroInflated(likely.Poisson())
    assert counts == likely.ZeroInflated("poisson") == likely.ZeroInflated(base="poisson")
    assert counts.base == likely.Poisson()
    assert repr(counts) == "ZeroInflated(base=Poisson())"
    assert counts != likely.ZeroInflated("negative_binomial")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: likely.ZeroInflated(), TypeError, "needs base"),
        (lambda: likely.ZeroInflated(3), TypeError, "base must be a name"),
        (lambda: likely.ZeroInflated("normal"), ValueError, "base must be one of Poisson, Neg"),
        (lambda: likely.ZeroInflated(likely.Binomial(3)), ValueError, "got 'Binomial'"),
        (
            lambda: likely.ZeroInflated(likely.ZeroInflated("poisson")),
            ValueError,
            "base must be one of Poisson, NegativeBinomial; got 'ZeroInflated'",
        ),
        (
            lambda: likely.Mixture(likely.ZeroInflated("poisson"), 2),
            ValueError,
            "component must be one of .*; got 'ZeroInflated'",
        ),
        (lambda: likely.Network(1, distribution="zero_inflated"), ValueError, "needs base"),
    ],
)
def test_what_it_refuses(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


@each_family
@each_dtype
def test_networks_come_back(name: str, dtype: str, tmp_path: Path) -> None:
    pair = make_pair(one_dense, FAMILIES[name], 3, 2, dtype)
    pair.scatter_parameters()
    x, y = np.ones((3, 3)), np.array([[0.0, 1.0], [3.0, 0.0], [7.0, 2.0]])
    pair.core.save(tmp_path / "network.safetensors")
    loaded = likely.load(tmp_path / "network.safetensors")
    for other in (loaded, pickle.loads(pickle.dumps(pair.core))):
        assert other.distribution == FAMILIES[name][0]
        assert other.loss(x, y) == pair.core.loss(x, y)


@each_family
@each_dtype
def test_loss_and_gradient(name: str, dtype: str) -> None:
    pair = make_pair(one_dense, FAMILIES[name], 3, 2, dtype)
    pair.scatter_parameters(deviation=0.7)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 3)).astype(np.float32).astype(np.float64)
    y = rng.poisson(1.5, (150, 2)).astype(np.float64)
    loss, gradient = pair.core.loss_and_gradient(x, y)
    expected_loss, expected = pair.reference.loss_and_gradient(x, y)
    assert_close(loss, expected_loss, dtype, 64, 1.0)
    assert_close(gradient, expected, dtype, 256, np.max(np.abs(expected)))


@each_family
@each_dtype
def test_statistics_follow_the_reference(name: str, dtype: str) -> None:
    family = FAMILIES[name]
    raw = np.random.default_rng(3).normal(0.3, 1.5, (40, len(family[1].names)))
    raw[:2] = [[1e4], [-1e4]]
    pair = make_pair(linear, family, 40, 1, dtype)
    pair.set_parameters(np.concatenate([raw.ravel(), np.zeros(raw.shape[1])]))
    x = np.eye(40)
    d, expected = pair.core.predict_distribution(x), pair.reference.predict(x)
    for statistic in ("mean", "std", "mode"):
        wanted = getattr(expected, statistic)[:, 0]
        assert_close(getattr(d, statistic), wanted, dtype, 16)
    assert list(d.params) == list(expected.parameters)
    for parameter, values in d.params.items():
        assert_close(values, expected.parameters[parameter][:, 0], dtype, 16)
    for count in (0.0, 1.0, 5.0, 1e6):
        y = np.full((40, 1), count)
        assert_close(d.log_prob(y), expected.log_prob(y)[:, 0], dtype, 64, 1.0)
        loss, gradient = pair.core.loss_and_gradient(x, y)
        assert np.isfinite(loss)
        assert np.all(np.isfinite(gradient))


def test_given_parameters() -> None:
    gate, rate = np.array([0.0, 0.3, 1.0]), np.array([2.0, 4.5, 3.0])
    d = likely.PredictiveDistribution.from_params(FAMILIES["poisson"][0], gate=gate, rate=rate)
    np.testing.assert_allclose(d.params["gate"], gate, rtol=1e-15)
    np.testing.assert_allclose(d.params["rate"], rate, rtol=1e-15)
    drawn = (1.0 - gate) * stats.poisson(rate).pmf(0)
    np.testing.assert_allclose(np.exp(d.log_prob(np.zeros(3))), gate + drawn, rtol=1e-14)
    np.testing.assert_allclose(d.mean, (1.0 - gate) * rate, rtol=1e-14)
    y = np.arange(200)
    pmf = (1.0 - gate[1]) * stats.poisson(rate[1]).pmf(y) + gate[1] * (y == 0)
    np.testing.assert_allclose(d.variance[1], pmf @ y**2 - (pmf @ y) ** 2, rtol=1e-12)
    with pytest.raises(ValueError, match=r"gate must be in \[0, 1\]; got 1.5"):
        likely.PredictiveDistribution.from_params(FAMILIES["poisson"][0], gate=1.5, rate=1.0)


@each_dtype
def test_gate_and_rate_are_found(dtype: str) -> None:
    rng = np.random.default_rng(1)
    y = np.where(rng.random((2000, 1)) < 0.4, 0, rng.poisson(3.0, (2000, 1))).astype(np.float64)
    x = np.zeros((2000, 1))
    network = likely.Network(1, distribution=FAMILIES["poisson"][0], dtype=dtype)
    likely.Trainer(likely.Adam(0.03), batch_size=100, epochs=20).fit(network, x, y)
    d = network.predict_distribution([[0.0]])
    gate, rate = d.params["gate"][0], d.params["rate"][0]
    # The most likely parameters give the zeros their share and the data their mean.
    np.testing.assert_allclose(np.exp(d.log_prob([0.0])), np.mean(y == 0), atol=0.01)
    np.testing.assert_allclose(d.mean, np.mean(y), rtol=0.03)
    np.testing.assert_allclose([gate, rate], [0.4, 3.0], atol=0.12)
    np.testing.assert_allclose(gate, special.expit(d.raw[0, 0]), rtol=1e-6)
