"""`likely demo`, `likely fit` and `likely predict`, called in this process as a user would."""

import io
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, error_of, figure_in, numbers_table, run, table
from command_line import folder as folder
from likely import _demo, _fit, _predict
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

# ---- demo


def test_demo(capsys: pytest.CaptureFixture[str]) -> None:
    start = time.monotonic()
    assert run("demo", "--output-dir", "my demo", "--seed", 3) == 0
    assert time.monotonic() - start < 20
    said = capsys.readouterr()
    assert said.err == ""

    losses = _demo.held_out_losses(*_demo.load_data(), seed=3)
    own = losses["predicted"]
    assert figure_in(said.out, _demo.LABELS["predicted"]) == pytest.approx(own.mean(), abs=6e-4)
    for name in ("shared", "nothing"):
        line = next(line for line in said.out.splitlines() if _demo.LABELS[name] in line)
        loss, gain, error = map(float, re.findall(r"-?\d+\.\d+", line))
        assert loss == pytest.approx(losses[name].mean(), abs=6e-4)
        assert gain == pytest.approx((losses[name] - own).mean(), abs=6e-4)
        assert gain > 3 * error > 0

    made = Path("my demo")
    assert sorted(path.name for path in made.iterdir()) == [
        "likely-demo.csv",
        "likely-demo.png",
        "likely-demo.safetensors",
    ]
    assert (made / "likely-demo.png").read_bytes().startswith(b"\x89PNG")
    network = likely.load(made / "likely-demo.safetensors")
    assert (network.feature_names, network.target_names) == (["times"], ["accel"])
    calm, crash = network.predict_distribution([[8.0], [35.0]]).std
    assert calm < 5 < 20 < crash

    predict, fit, python = said.out.splitlines()[-3:]
    for line in (predict, fit):
        words = shlex.split(line)
        assert words[0] == "likely"
        assert run(*words[1:]) == 0
    assert "133 rows" in capsys.readouterr().err
    words = shlex.split(python)
    assert words[1] == "-c"
    exec(words[2], {})
    assert capsys.readouterr().out.startswith("[")


def test_demo_data() -> None:
    x, y = _demo.load_data()
    assert x.shape == y.shape == (133,)
    assert (x[0], y[0], x[-1], y[-1]) == (2.4, 0, 57.6, 10.7)


# ---- fit and predict


def test_normal(capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers_table()
    assert run("fit", "data.csv", "--target", "y", "-o", "m.safetensors", "--seed", 1) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "y: normal distribution, since it holds numbers" in said.out
    network = likely.load("m.safetensors")
    assert network.standardize
    assert network.feature_names == ["a", "b"]

    training, held_out = _fit._split(60, 0.2, 1)
    assert len(held_out) == 12
    assert_array_equal(np.sort(np.r_[training, held_out]), np.arange(60))
    x, y = frame[["a", "b"]].to_numpy(), frame.y.to_numpy()
    loss = network.loss(x[held_out], y[held_out])
    mean, std = y[training].mean(), y[training].std()
    constant = -stats.norm(mean, std).logpdf(y[held_out]).mean()
    assert figure_in(said.out, "this network") == pytest.approx(loss, abs=6e-4)
    assert figure_in(said.out, "no input") == pytest.approx(constant, abs=6e-4)
    assert figure_in(said.out, "gain") == pytest.approx(constant - loss, abs=6e-4)
    assert constant - loss > 0.5
    errors = network.predict_distribution(x[held_out]).mean - y[held_out]
    rms = float(np.sqrt(np.mean(errors**2)))
    assert figure_in(said.out, "y: root mean squared error") == pytest.approx(rms, rel=1e-3)
    next_line = said.out.splitlines()[-1].strip()
    assert next_line == "likely predict m.safetensors data.csv -o predictions.csv"

    shuffled = frame[["y", "b", "a"]].assign(other="text")
    shuffled.to_csv("new.csv", index=False)
    words = ("predict", "m.safetensors", "new.csv", "--quantiles", "0.01,.5", "-o", "out.csv")
    assert run(*words) == 0
    d = network.predict_distribution(x)
    out = pd.read_csv("out.csv")
    assert list(out.columns) == ["y_mean", "y_std", "y_q0.01", "y_q0.5"]
    assert_array_equal(out["y_mean"].astype("float32"), d.mean)
    assert_array_equal(out["y_std"].astype("float32"), d.std)
    assert_array_equal(out["y_q0.01"].astype("float32"), d.quantile(0.01))
    assert_array_equal(out["y_q0.5"].astype("float32"), d.quantile(0.5))
    said = capsys.readouterr()
    assert said.out == ""
    assert "Wrote out.csv: 60 rows" in said.err
    assert f"log-likelihood of y: {network.loss(x, y):.4f} nats per row (60 rows)" in said.err


def test_to_and_from_the_standard_streams(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers_table()
    monkeypatch.setattr(sys, "stdin", io.StringIO(Path("data.csv").read_text()))
    assert run("fit", "-", "--target", "y", "-o", "m", *QUICK) == 0
    assert "standard input: 60 rows" in capsys.readouterr().out
    assert run("predict", "m", "data.csv", "-o", "out.csv") == 0
    capsys.readouterr()
    assert run("predict", "m", "data.csv") == 0
    said = capsys.readouterr()
    assert said.out == Path("out.csv").read_text()
    assert said.err.startswith("negative log-likelihood of y")
    monkeypatch.setattr(sys, "stdin", io.StringIO("b,a\n1,2\n"))
    assert run("predict", "m", "-", "-o", "-") == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert said.err == ""


def test_several_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers_table()
    frame["z"] = -frame.b
    frame.to_csv("data.csv", index=False)
    options = ("--scale", "shared", "--dtype", "float64", "--optimizer", "sgd", "--layers", "none")
    assert run("fit", "data.csv", "--target", "z", "y", "-o", "m", *options) == 0
    said = capsys.readouterr().out
    assert "summed over 2 targets" in said
    assert "y: root mean" in said
    assert "z: root mean" in said
    network = likely.load("m")
    assert (network.dtype, network.layers, network.targets) == ("float64", [], 2)
    assert network.distribution == likely.Normal(scale="shared")
    assert run("predict", "m", "data.csv", "-o", "out.csv", "--quantiles", "0.9") == 0
    out = pd.read_csv("out.csv")
    assert list(out.columns) == ["z_mean", "z_std", "z_q0.9", "y_mean", "y_std", "y_q0.9"]
    d = network.predict_distribution(frame[["a", "b"]].to_numpy())
    assert_allclose(out[["z_q0.9", "y_q0.9"]], d.quantile(0.9), rtol=1e-14)
    loss = network.loss(frame[["a", "b"]].to_numpy(), frame[["z", "y"]].to_numpy())
    assert f"of z, y: {loss:.4f}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "option", "family", "names"),
    [
        (["yes", "no"], None, likely.Bernoulli(), ["no", "yes"]),
        ([True, False], None, likely.Bernoulli(), ["False", "True"]),
        (["b", "ä ö", "a, c"], None, likely.Categorical(classes=3), ["a, c", "b", "ä ö"]),
        ([0, 1], None, likely.Normal(), []),
        ([0, 1], "bernoulli", likely.Bernoulli(), ["0", "1"]),
        ([2.0, 1.0], "bernoulli", likely.Bernoulli(), ["1", "2"]),
        ([10, 9, 2.5], "categorical", likely.Categorical(classes=3), ["2.5", "9", "10"]),
        (["1", "2", "3+"], "categorical", likely.Categorical(classes=3), ["1", "2", "3+"]),
        ([True, False], "normal", likely.Normal(), []),
    ],
)
def test_what_a_target_is(
    capsys: pytest.CaptureFixture[str],
    values: list[Any],
    option: str | None,
    family: likely.Distribution,
    names: list[str],
) -> None:
    table(c=(values * 60)[:60])
    options = [] if option is None else ["--distribution", option]
    assert run("fit", "data.csv", "--target", "c", "-o", "m", *QUICK, *options) == 0
    said = " ".join(capsys.readouterr().out.split())
    network = likely.load("m")
    assert network.distribution == family
    assert network.class_names == names
    if names:
        assert all(name in said for name in names)
    elif option is None:
        assert "only 2 different ones: if they are classes, --distribution bernoulli" in said


def test_classes(capsys: pytest.CaptureFixture[str]) -> None:
    frame = table()
    frame["kind"] = np.where(frame.a > 0.5, "high", np.where(frame.a < -0.5, "low", "in between"))
    frame.to_csv("data.csv", index=False)
    assert run("fit", "data.csv", "--target", "kind", "-o", "m", "--epochs", 200) == 0
    said = capsys.readouterr().out
    assert "categorical distribution, of 3 classes: high, in between, low" in said
    network = likely.load("m")
    x = frame[["a", "b"]].to_numpy()
    training, held_out = _fit._split(60, 0.2, 0)
    codes = frame.kind.map({"high": 0, "in between": 1, "low": 2}).to_numpy()
    shares = (np.bincount(codes[training]) + 1) / (len(training) + 3)
    constant = -np.log(shares[codes[held_out]]).mean()
    assert figure_in(said, "no input") == pytest.approx(constant, abs=6e-4)
    assert figure_in(said, "gain") > 0.3
    right = np.mean(network.predict_distribution(x[held_out]).mode == codes[held_out])
    usual = np.mean(codes[held_out] == np.bincount(codes[training]).argmax())
    expected = f"kind: {right:.1%} right; always the most frequent class, {usual:.1%}"
    assert expected in said

    assert run("predict", "m", "data.csv", "-o", "out.csv") == 0
    out = pd.read_csv("out.csv")
    names = ["kind_p_high", "kind_p_in between", "kind_p_low"]
    assert list(out.columns) == ["kind_class", *names]
    assert_allclose(out[names], network.predict_distribution(x).params["probs"], rtol=1e-6)
    assert (out.kind_class == frame.kind).mean() > 0.9
    assert f"kind: {network.loss(x, codes):.4f} nats" in capsys.readouterr().err


def test_two_classes(capsys: pytest.CaptureFixture[str]) -> None:
    frame = table()
    frame["ok"] = np.where(frame.a + frame.b > 0, "yes", "no")
    frame["twin"] = np.where(frame.a > 0, "no", "yes")
    frame.to_csv("data.csv", index=False)
    assert run("fit", "data.csv", "--target", "ok", "twin", "-o", "m", *QUICK) == 0
    said = capsys.readouterr().out
    assert "bernoulli distribution, of two classes: 0 is no, 1 is yes" in said
    network = likely.load("m")
    x = frame[["a", "b"]].to_numpy()
    probability = network.predict_distribution(x).params["probs"]
    training, held_out = _fit._split(60, 0.2, 0)
    targets = (frame[["ok", "twin"]] == "yes").to_numpy().astype(float)
    share = (targets[training].sum(axis=0) + 1) / (len(training) + 2)
    constant = -stats.bernoulli(share).logpmf(targets[held_out]).sum(axis=1).mean()
    assert figure_in(said, "no input") == pytest.approx(constant, abs=6e-4)

    assert run("predict", "m", "data.csv", "-o", "out.csv") == 0
    out = pd.read_csv("out.csv")
    columns = [
        f"{target}_{name}" for target in ("ok", "twin") for name in ("class", "p_no", "p_yes")
    ]
    assert list(out.columns) == columns
    assert_allclose(out[["ok_p_yes", "twin_p_yes"]], probability, rtol=1e-6)
    assert_allclose(out.ok_p_no + out.ok_p_yes, 1, rtol=1e-6)
    assert_array_equal(out.ok_class == "yes", probability[:, 0] > 0.5)


RANDOM = np.random.default_rng(3)
UNIT, SIGN = RANDOM.uniform(0.05, 0.95, 60), RANDOM.choice([-3.0, 3.0], 60)
LABELS = np.arange(60) % 4
FAMILIES: dict[str, tuple[likely.Distribution, Any]] = {
    "laplace": (likely.Laplace(), SIGN * UNIT),
    "Logistic": (likely.Logistic(), SIGN * UNIT),
    "student_t": (likely.StudentT(), SIGN * UNIT),
    "StudentT(df=1)": (likely.StudentT(df=1), SIGN * UNIT),
    "LogNormal": (likely.LogNormal(), UNIT),
    "exponential()": (likely.Exponential(), UNIT),
    "gamma": (likely.Gamma(), UNIT),
    "weibull": (likely.Weibull(), UNIT),
    "beta": (likely.Beta(), UNIT),
    "VonMises": (likely.VonMises(), SIGN + UNIT),
    "poisson": (likely.Poisson(), LABELS),
    "negative_binomial": (likely.NegativeBinomial(), LABELS),
    "ZeroInflated(poisson)": (likely.ZeroInflated("poisson"), LABELS),
    " Zero_Inflated( base = NegativeBinomial() ) ": (
        likely.ZeroInflated("negative_binomial"), LABELS,
    ),
    "Binomial(n=10)": (likely.Binomial(10), LABELS),
    "Mixture('normal', 2)": (likely.Mixture("normal", 2), SIGN + UNIT),
    "Mixture(component=Normal(scale=shared), k=2)": (
        likely.Mixture(likely.Normal("shared"), 2), SIGN + UNIT,
    ),
    "Mixture(VonMises, k=2)": (likely.Mixture("von_mises", 2), SIGN + UNIT),
    "Quantiles([0.1, 0.5, 0.9])": (likely.Quantiles([0.1, 0.5, 0.9]), SIGN * UNIT),
    "Quantiles((0.1, 0.3))": (likely.Quantiles([0.1, 0.3]), SIGN * UNIT),
    "multivariate_normal": (likely.MultivariateNormal(), SIGN * UNIT),
    "ordinal": (likely.Ordinal(levels=4), 2.5 * LABELS - 1),
    "Ordinal(levels=5, cut_points=predicted)": (likely.Ordinal(5, "predicted"), LABELS),
    "Categorical(5)": (likely.Categorical(5), LABELS),
    "Normal(2.5)": (likely.Normal(2.5), SIGN * UNIT),
}  # fmt: skip


@pytest.mark.parametrize("text", FAMILIES)
def test_every_family(capsys: pytest.CaptureFixture[str], text: str) -> None:
    family, y = FAMILIES[text]
    frame = table(y=y)
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK, "--distribution", text) == 0
    said = capsys.readouterr()
    assert said.err == ""
    network = likely.load("m")
    assert network.distribution == family
    for label in ("this network", "no input"):
        assert np.isfinite(figure_in(said.out, label))
    assert "nan" not in said.out
    assert run("predict", "m", "data.csv", "-o", "out.csv") == 0
    out = pd.read_csv("out.csv")
    d = network.predict_distribution(frame[["a", "b"]].to_numpy())
    if isinstance(family, (likely.Ordinal, likely.Categorical)):
        probs = [name for name in out.columns if name.startswith("y_p_")]
        assert_allclose(out[probs], d.params["probs"], rtol=1e-6)
        assert ": " in said.out.split("right")[0]
        return
    levels = family.levels if isinstance(family, likely.Quantiles) else _predict.QUANTILES
    for level in levels:
        assert_allclose(out[f"y_q{level}"].astype("float32"), d.quantile(level))
    if isinstance(family, likely.Quantiles):
        assert "pinball loss" in said.out
        assert list(out.columns) == [f"y_q{level}" for level in levels]
        return
    assert_array_equal(out["y_std"].astype("float32"), d.std)  # no field where it is nan
    assert capsys.readouterr().err.count("nats per row (60 rows)") == 1


def test_several_targets_with_a_joint_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers_table()
    frame["z"] = frame.y - 2 * frame.a
    frame.to_csv("data.csv", index=False)
    options = ("--distribution", "multivariate_normal", "--dtype", "float64")
    assert run("fit", "data.csv", "--target", "y", "z", "-o", "m", *QUICK, *options) == 0
    said = capsys.readouterr().out
    training, held_out = _fit._split(60, 0.2, 0)
    y = frame[["y", "z"]].to_numpy()
    mean, covariance = y[training].mean(axis=0), np.cov(y[training].T, ddof=0)
    constant = -stats.multivariate_normal(mean, covariance).logpdf(y[held_out]).mean()
    assert figure_in(said, "no input") == pytest.approx(constant, abs=6e-4)
    assert run("predict", "m", "data.csv", "-o", "out.csv") == 0
    assert list(pd.read_csv("out.csv").columns)[5:7] == ["z_mean", "z_std"]


@pytest.mark.parametrize(
    ("family", "y", "oracle"),
    [
        ("poisson", 1000 * LABELS, lambda y: stats.poisson(y.mean()).logpmf(y)),
        ("exponential", 1e-6 * UNIT, lambda y: stats.expon(scale=y.mean()).logpdf(y)),
        ("gamma", 1e6 * UNIT, lambda y: stats.gamma(*stats.gamma.fit(y, floc=0)).logpdf(y)),
        ("beta", UNIT, lambda y: stats.beta(*stats.beta.fit(y, floc=0, fscale=1)).logpdf(y)),
        ("laplace", 100 + SIGN, lambda y: stats.laplace(*stats.laplace.fit(y)).logpdf(y)),
    ],
)
def test_constant_models_are_the_most_likely(family: str, y: Any, oracle: Any) -> None:
    y = np.asarray(y, dtype=float)
    distribution = likely.Network(1, distribution=family).distribution
    model = _fit.constant_model(distribution, y)
    best = -oracle(y).mean()
    assert model.loss(np.zeros(60), y) == pytest.approx(best, rel=1e-4, abs=1e-4)


def test_statistics_that_need_scipy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, for a package that is no part of the command line's own."""
    table(y=UNIT)
    likely.Network(2, distribution="gamma", feature_names=["a", "b"]).save("m")
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert "pip install 'likely[stats]'" in error_of(capsys, "predict", "m", "data.csv")


def test_constant_model_of_an_unseen_class() -> None:
    y = np.array([0.0, 0.0, 2.0])
    model = _fit.constant_model(likely.Categorical(classes=4), y)
    probs = model.predict_distribution([[0.0]]).params["probs"]
    assert_allclose(probs, [[3 / 7, 1 / 7, 2 / 7, 1 / 7]])


def test_nothing_held_out(capsys: pytest.CaptureFixture[str]) -> None:
    numbers_table()
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK, "--validation", 0) == 0
    said = capsys.readouterr().out
    assert "60 to fit, 0 held out" in said
    assert "fitted     20 epochs" in said
    assert "These are the rows that were fitted to" in said


def test_numbers_that_vary_little_beside_their_size(capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers_table()
    frame["time"] = 1.7e9 + np.arange(60.0)
    frame["same"] = 1e9
    frame.to_csv("data.csv", index=False)
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK) == 0
    expected = (
        "likely: note: float32 rounds away differences in 'time': --dtype float64 keeps them\n"
    )
    assert capsys.readouterr().err == expected
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK, "--dtype", "float64") == 0
    assert capsys.readouterr().err == ""


def test_options_reach_the_network() -> None:
    numbers_table()
    options = "--layers 5,4 --activation silu --scale 2 --no-standardize --batch-size all"
    assert run("fit", "data.csv", "--target", "y", "-o", "m", "--epochs", 2, *options.split()) == 0
    network = likely.load("m")
    assert network.layers == [likely.Dense(5, "silu"), likely.Dense(4, "silu")]
    assert network.distribution == likely.Normal(scale=2.0)
    assert not network.standardize


def test_the_same_seed_writes_the_same_model() -> None:
    numbers_table()
    for name, seed in (("m1", 5), ("m2", 5), ("m3", 6)):
        assert run("fit", "data.csv", "--target", "y", "-o", name, *QUICK, "--seed", seed) == 0
    assert Path("m1").read_bytes() == Path("m2").read_bytes() != Path("m3").read_bytes()
