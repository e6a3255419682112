"""Quantiles against the reference: the pinball loss, its gradient, what it can be asked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
import reference
from command_line import run as command
from support import DTYPES, INPUTS, assert_close, linear, make_data, make_pair, one_dense
from test_training import Run, assert_same_loss_and_gradient, assert_same_trajectory, run_both

LEVELS = {
    "median": [0.5],
    "two": [0.2, 0.7],
    "three": [0.05, 0.5, 0.95],
    "even": [0.1, 0.3, 0.5, 0.9],
    "many": list(np.linspace(0.02, 0.98, 25)),
}
each_levels = pytest.mark.parametrize("levels", LEVELS.values(), ids=LEVELS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@each_levels
@each_dtype
def test_loss_gradient_and_training(levels: list[float], dtype: str) -> None:
    family = likely.Quantiles(levels), reference.Quantiles(levels)
    for standardize in (False, True):
        pair = make_pair(one_dense, family, INPUTS, 2, dtype, standardize=standardize)
        pair.scatter_parameters(deviation=0.5)
        run = Run(weighted=True, standardize=standardize)
        assert_same_trajectory(*run_both(run, "sgd", dtype, pair))
        data = make_data(pair, 257)
        assert_same_loss_and_gradient(pair, data, data.weight)


def test_loss_stays_in_standardised_units() -> None:
    network = likely.Network(
        1, distribution=likely.Quantiles([0.5]), standardize=True, dtype="float64"
    )
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 1)), 100 * rng.normal(size=50)
    likely.Trainer(epochs=1).fit(network, x, y)
    assert network.scaling is not None
    scale = network.scaling["target_scale"][0]
    distance = np.abs(y - network.predict_distribution(x).median)
    np.testing.assert_allclose(network.loss(x, y), 0.5 * distance.mean() / scale, rtol=1e-12)


@each_levels
@each_dtype
def test_extremes_are_finite(levels: list[float], dtype: str) -> None:
    network = likely.Network(200, distribution=likely.Quantiles(levels), dtype=dtype)
    raw = np.random.default_rng(0).choice([-1e4, 0.0, 1e4], (200, len(levels)))
    network.parameters = np.concatenate([raw.ravel(), np.zeros(len(levels))])
    for y in (-1e15, 1e-15, 1e15):
        loss, gradient = network.loss_and_gradient(np.eye(200), np.full(200, y))
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()


@each_levels
@each_dtype
def test_statistics(levels: list[float], dtype: str) -> None:
    family = likely.Quantiles(levels), reference.Quantiles(levels)
    pair = make_pair(linear, family, 30, 2, dtype)
    pair.scatter_parameters(deviation=2.0)
    d = pair.core.predict_distribution(np.eye(30))
    expected = pair.reference.predict(np.eye(30))
    q = expected.parameters["quantiles"]
    assert_close(d.params["quantiles"], q, dtype, 16, np.abs(q).max())
    np.testing.assert_array_equal(d.quantile(levels[-1]), d.params["quantiles"][..., -1])
    inside = np.random.default_rng(1).uniform(0.05, 0.95, (30, 2))
    y = (q[..., 0] + inside * (q[..., -1] - q[..., 0])).astype(dtype)
    if len(levels) > 1:
        # A target is rounded to an epsilon of itself; p follows with the density as its slope.
        steepest = (np.diff(levels) / np.diff(q, axis=-1)).max()
        assert_close(d.cdf(y), expected.cdf(y), dtype, 16, 1 + np.abs(q).max() * steepest)
        middle = levels[0] + 0.4 * (levels[-1] - levels[0])
        assert_close(d.quantile(middle), expected.quantile(middle), dtype, 16, np.abs(q).max())
    for outside in (-1e6, 1e6, -np.inf, np.inf):
        assert np.isnan(d.cdf(np.full((30, 2), outside))).all()
    for p in (0.0, levels[0] - 1e-6, levels[-1] + 1e-6, 1.0):
        assert np.isnan(d.quantile(p)).all()
    for values in (d.mean, d.std, d.mode, d.entropy):
        assert np.isnan(values).all()


def test_an_interval_between_the_outermost_levels() -> None:
    # (1 - 0.9) / 2 is below 0.05 as a double, and so for most coverages.
    for percent in range(1, 100):
        levels = [(100 - percent) / 200, (100 + percent) / 200]
        d = likely.PredictiveDistribution.from_params(likely.Quantiles(levels), quantiles=[3, 5])
        np.testing.assert_allclose(d.interval(percent / 100), [[3], [5]], rtol=1e-14)


def test_metrics_and_conformal_intervals_at_the_outermost_levels() -> None:
    x = np.linspace(-1, 1, 40)
    network = likely.Network(1, distribution=likely.Quantiles([0.05, 0.5, 0.95]))
    d = network.predict_distribution(x)
    width = d.quantile(0.95) - d.quantile(0.05)
    np.testing.assert_allclose(likely.metrics.interval_width(d, 0.9), width.mean(), rtol=1e-6)
    lower, upper = likely.conformal(network, x, np.sin(x)).interval(x, 0.9)
    assert np.all(np.isfinite([lower, upper]))


def test_no_density() -> None:
    d = likely.Network(1, distribution=likely.Quantiles([0.1, 0.9])).predict_distribution([[0.0]])
    calls: list[Callable[[], Any]] = [lambda: d.log_prob([0.0]), lambda: d.sample(3)]
    for call, name in zip(calls, ("log_prob", "sample"), strict=True):
        with pytest.raises(ValueError, match=rf"Quantiles\(levels=.* has no {name}, .* density"):
            call()


def test_from_params() -> None:
    quantiles = np.array([[-3.0, -3.0, 1.0], [0.0, 1e-9, 1e6]])
    family = likely.Quantiles([0.1, 0.5, 0.8])
    d = likely.PredictiveDistribution.from_params(family, quantiles=quantiles)
    np.testing.assert_allclose(d.params["quantiles"], quantiles, rtol=1e-14, atol=1e-20)
    np.testing.assert_array_equal(
        d.cdf([-3.0, 1e-9]), [0.5, 0.5]
    )  # of those that coincide the last
    with pytest.raises(ValueError, match="quantiles must be in the order of their levels; got 1"):
        likely.PredictiveDistribution.from_params(family, quantiles=[0.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("levels", "match"),
    [
        ([], "levels must be at least one number in"),
        ([0.5, 0.5], r"levels\[1\] must be above the level before it; got 0.5"),
        ([0.1, 0.1], r"levels\[1\] must be above the level before it; got 0.1$"),  # not 17 digits
        ([0.7, 0.2], r"levels\[1\] must be above the level before it; got 0.2"),
        ([0.0, 0.5], r"levels\[0\] must be in \(0, 1\); got 0"),
        ([0.5, 1.0], r"levels\[1\] must be in \(0, 1\); got 1"),
        ([float("nan")], r"levels\[0\] must be in \(0, 1\); got nan"),
    ],
)
def test_bad_levels(levels: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        likely.Quantiles(levels)


def test_levels_of_a_wrong_type() -> None:
    with pytest.raises(TypeError, match=r"levels must be a list of numbers; got float 0\.5"):
        likely.Quantiles(0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"levels\[0\] must be a number; got str"):
        likely.Quantiles(["0.5"])  # type: ignore[list-item]


def test_files(tmp_path: Path) -> None:
    family = likely.Quantiles(levels=[0.1, 1 / 3])
    assert family.levels == (0.1, 1 / 3)
    path = tmp_path / "model.safetensors"
    likely.Network(1, distribution=family).save(path)
    assert likely.load(path).distribution == family


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = likely.Network(
        1, distribution=likely.Quantiles([0.1, 0.9]), feature_names=["x"], target_names=["y"]
    )
    model, data = tmp_path / "model.safetensors", tmp_path / "data.csv"
    network.save(model)
    data.write_text("x,y\n0.5,1\n")
    assert command("predict", model, data, "-o", "-") == 0
    assert capsys.readouterr().out.startswith("y_q0.1,y_q0.9\n")
