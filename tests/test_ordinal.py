"""Ordinal against the reference and the logistic distribution that it is cut out of."""

from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
import reference
from command_line import run
from reference.arrays import Array
from scipy import stats
from support import DTYPES, INPUTS, Pair, assert_close, linear, make_data, make_pair, one_dense
from test_training import Run, assert_same_loss_and_gradient, assert_same_trajectory, run_both

LEVELS = 4


class PredictedCuts(reference.Ordinal):
    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.shared = ()


FAMILIES = {
    "two levels": (likely.Ordinal(2), reference.Ordinal(2)),
    "shared": (likely.Ordinal(LEVELS), reference.Ordinal(LEVELS)),
    "predicted": (likely.Ordinal(LEVELS, cut_points="predicted"), PredictedCuts(LEVELS)),
}
each_family = pytest.mark.parametrize("family", FAMILIES)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def predicted_pair(rows: int, dtype: str, seed: int = 0) -> tuple[Pair, Array]:
    """With raw parameters of each row; (raw parameters, rows)."""
    pair = make_pair(linear, FAMILIES["predicted"], rows, 1, dtype)
    raw = np.random.default_rng(seed).normal(0, 2, (rows, LEVELS)).astype(dtype)
    pair.set_parameters(np.concatenate([raw.ravel(), np.zeros(LEVELS)]))
    return pair, raw.T.astype(np.float64)


@each_family
@each_dtype
def test_starts_at_equally_probable_levels(family: str, dtype: str) -> None:
    pair = make_pair(one_dense, FAMILIES[family], INPUTS, 2, dtype)
    assert_close(pair.core.parameters, pair.reference.parameters, dtype, 1, 1.0)
    probs = pair.core.predict_distribution(np.zeros((1, INPUTS))).params["probs"]
    assert_close(probs, np.full((1, 2, probs.shape[-1]), 1 / probs.shape[-1]), dtype, 4)


@each_family
@each_dtype
def test_loss_gradient_and_training(family: str, dtype: str) -> None:
    pair = make_pair(one_dense, FAMILIES[family], INPUTS, 2, dtype)
    pair.scatter_parameters(deviation=1.0)
    data = make_data(pair, 257)
    assert set(np.unique(data.y)) == set(range(FAMILIES[family][1].levels))
    for weight in (None, data.weight):
        assert_same_loss_and_gradient(pair, data, weight)
    assert_same_trajectory(*run_both(Run(weighted=True), "adam", dtype, pair))


@each_dtype
def test_extremes_are_finite(dtype: str) -> None:
    pair = make_pair(linear, FAMILIES["predicted"], 500, 1, dtype)
    rng = np.random.default_rng(0)
    raw = rng.choice([-1e4, -30.0, 0.0, 30.0, 1e4], (500, LEVELS))
    pair.set_parameters(np.concatenate([raw.ravel(), np.zeros(LEVELS)]))
    loss, gradient = pair.core.loss_and_gradient(np.eye(500), rng.integers(0, LEVELS, 500))
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()


def test_statistics() -> None:
    pair, raw = predicted_pair(40, "float64")
    d = pair.core.predict_distribution(np.eye(40))
    family = FAMILIES["predicted"][1]
    cuts = np.cumsum([raw[1], *np.exp(raw[2:])], axis=0)
    below = np.array([np.zeros(40), *stats.logistic(raw[0]).cdf(cuts), np.ones(40)])
    np.testing.assert_allclose(d.params["probs"], np.diff(below, axis=0).T, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(d.entropy, family.entropy(raw), rtol=1e-13)
    np.testing.assert_array_equal(d.mode, family.mode(raw))
    assert np.isnan(d.mean).all()
    assert np.isnan(d.std).all()
    for target in (-1.0, -0.5, 0.0, 1.0, 1.5, 2.0, 3.0, 7.0, np.inf):
        y = np.full(40, target)
        np.testing.assert_allclose(d.cdf(y), family.cdf(raw, y), rtol=1e-13)
        if family.support(target):
            np.testing.assert_allclose(d.log_prob(y), family.log_prob(raw, y), rtol=1e-12)
    for p in (0.0, 0.01, 0.3, 0.5, 0.8, 0.999, 1.0):
        np.testing.assert_array_equal(d.quantile(p), family.quantile(raw, np.full(40, p)))
    np.testing.assert_array_equal(d.median, d.quantile(0.5))
    draws = d.sample(5000, seed=2)
    frequencies = np.mean(draws[..., np.newaxis] == np.arange(LEVELS), axis=0)
    np.testing.assert_allclose(frequencies, d.params["probs"], atol=5 * 0.5 / 5000**0.5)


def test_log_prob_in_the_tails() -> None:
    """By differences of the cdf nothing would be left of these."""
    network = likely.Network(1, distribution=likely.Ordinal(3), dtype="float64")
    network.parameters = np.array([1.0, 0.0, -2.0, np.log(1e-9)])  # weight, bias, cuts
    d = network.predict_distribution([[500.0], [-500.0], [0.0]])
    middle = d.log_prob([1, 1, 1])
    np.testing.assert_allclose(middle[:2], np.log(1e-9) - [502.0, 498.0], rtol=1e-11)
    density = np.exp(-2.0) / (1 + np.exp(-2.0)) ** 2
    np.testing.assert_allclose(middle[2], np.log(1e-9 * density), rtol=1e-10)
    np.testing.assert_allclose(d[0].log_prob([0]), -502.0, rtol=1e-14)


def test_from_params() -> None:
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.full(5, 0.4), (6, 2))
    of = likely.PredictiveDistribution.from_params
    d = of(likely.Ordinal(5), probs=probs)
    assert d.distribution == likely.Ordinal(5, "predicted")
    np.testing.assert_allclose(d.params["probs"], probs, rtol=1e-9, atol=1e-15)
    edges = of(likely.Ordinal(4), probs=[[0.0, 0.25, 0.75, 0.0], [0.5, 0.0, 0.5, 0.0]])
    expected = [[0.0, 0.25, 0.75, 0.0], [0.5, 0.0, 0.5, 0.0]]
    np.testing.assert_allclose(edges.params["probs"], expected, rtol=1e-12, atol=1e-13)
    for bad, match in (([0.5, 0.6, 0.1], "sum to 1"), ([-0.1, 0.6, 0.5], r"in \[0, 1\]")):
        with pytest.raises(ValueError, match=f"probs must be .*{match}"):
            of(likely.Ordinal(3), probs=bad)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [((1,), "levels must be at least 2; got 1"), ((3, "fixed"), "cut_points must be 'shared' or")],
)
def test_bad_arguments(arguments: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        likely.Ordinal(*arguments)


def test_bad_targets() -> None:
    network = likely.Network(1, distribution=likely.Ordinal(3))
    with pytest.raises(ValueError, match="levels = 3"):
        network.loss([[0.0]], [3])


def test_files_and_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["low", "middle", "high"]
    network = likely.Network(
        1, distribution=likely.Ordinal(3), class_names=names,
        feature_names=["x"], target_names=["grade"],
    )  # fmt: skip
    with pytest.raises(ValueError, match="class_names must have 3 names"):
        likely.Network(1, distribution=likely.Ordinal(3), class_names=["a", "b"])
    model, data = tmp_path / "model.safetensors", tmp_path / "data.csv"
    network.save(model)
    assert likely.load(model).distribution == likely.Ordinal(3)
    data.write_text("x,grade\n0.5,low\n-1,high\n")
    capsys.readouterr()
    assert run("predict", model, data, "-o", "-") == 0
    said = capsys.readouterr()
    assert said.out.startswith("grade_class,grade_p_low,grade_p_middle,grade_p_high\n")
    loss = network.loss([[0.5], [-1.0]], [0, 2])
    assert f"{loss:.4f} nats per row" in said.err
