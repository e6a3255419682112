"""The command line, called in this process as a user would call it."""

import csv
import errno
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import likely
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from likely import _console, _demo, _fit, cli, plot
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

QUICK = ["--layers", "8", "--epochs", "20"]
ODD = 'größe, "cm"'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: Any) -> int:
    return cli.main([str(word) for word in words])


def table(name: str = "data.csv", rows: int = 60, **columns: Sequence[Any]) -> pd.DataFrame:
    """Write a CSV file: `a` and `b` are features, the rest is given."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=rows), "b": random.normal(size=rows)} | columns)
    frame.to_csv(name, index=False)
    return frame


def numbers_table(name: str = "data.csv", rows: int = 60) -> pd.DataFrame:
    frame = table(name, rows)
    frame["y"] = 3 * frame.a + np.random.default_rng(1).normal(size=rows) + 100
    frame.to_csv(name, index=False)
    return frame


def error_of(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    """Run a command that must fail; return its one line."""
    capsys.readouterr()
    assert run(*words) == 2
    said = capsys.readouterr().err.splitlines()
    said = [line for line in said if not line.startswith("likely: note: ")]
    assert len(said) == 1
    assert said[0].startswith("likely: error: ")
    return said[0].removeprefix("likely: error: ")


def figure_in(text: str, label: str) -> float:
    found = re.search(rf"^ *{re.escape(label)}.*? (-?\d+\.\d+)", text, re.MULTILINE)
    assert found, f"{label!r} is not in {text}"
    return float(found[1])


# ---- demo


def test_demo(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
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

    made = folder / "my demo"
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


# ---- CSV files


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_odd_names(separator: str, encoding: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["first name", ODD, "日本語", "a\nb"]
    values = np.random.default_rng(0).normal(size=(30, 4))
    frame = pd.DataFrame(values, columns=pd.Index(names))
    frame.to_csv("odd file.csv", sep=separator, encoding=encoding, index=False)
    assert run("fit", "odd file.csv", "--target", ODD, "-o", "m 1", *QUICK) == 0
    network = likely.load("m 1")
    assert network.feature_names == ["first name", "日本語", "a\nb"]
    assert network.target_names == [ODD]
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert run(*words[1:]) == 0
    with open("predictions.csv", encoding="utf-8", newline="") as stream:
        assert next(csv.reader(stream))[0] == f"{ODD}_mean"


def test_columns_without_a_name_number_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers_table()
    frame.to_csv("data.csv", index=True)
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK) == 0
    assert "not features: Unnamed: 0" in capsys.readouterr().err
    assert likely.load("m").feature_names == ["a", "b"]
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK, "--drop", "Unnamed: 0") == 0
    assert capsys.readouterr().err == ""


def test_features_and_drop() -> None:
    numbers_table()
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK, "--features", "b") == 0
    assert likely.load("m").feature_names == ["b"]
    assert run("fit", "data.csv", "--target", "y", "-o", "m", *QUICK, "--drop", "b") == 0
    assert likely.load("m").feature_names == ["a"]


def test_a_model_without_names_takes_columns_by_position(
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = likely.Network(inputs=2, targets=2)
    network.save("m")
    Path("new.csv").write_text("p,q\n1,2\n3,4\n")
    assert run("predict", "m", "new.csv", "-o", "out.csv", "--quantiles", "0.5") == 0
    out = pd.read_csv("out.csv")
    expected = network.predict_distribution([[1, 2], [3, 4]]).mean
    assert_array_equal(out[["target1_mean", "target2_mean"]].astype("float32"), expected)
    Path("new.csv").write_text("p,q,r\n1,2,3\n")
    assert "it expects 2, and new.csv has 3" in error_of(capsys, "predict", "m", "new.csv")
    likely.Network(inputs=1, distribution=likely.Categorical(classes=3)).save("m")
    Path("new.csv").write_text("p\n1\n")
    assert run("predict", "m", "new.csv") == 0
    assert capsys.readouterr().out.startswith("target_class,target_p_0,target_p_1,target_p_2\n")


def test_likelihood_of_the_rows_with_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    frame = numbers_table()
    frame["kind"] = ["r", "s", "t"] * 20
    frame.to_csv("data.csv", index=False)
    assert run("fit", "data.csv", "--target", "y", "--drop", "kind", "-o", "m", *QUICK) == 0
    words = ["fit", "data.csv", "--target", "kind", "--features", "a", "-o", "k", *QUICK]
    assert run(*words) == 0
    capsys.readouterr()

    loss = likely.load("m").loss([[1.0, 2.0]], [101.0])
    Path("new.csv").write_text("a,b,y,kind\n1,2,,s\n1,2,101,\n")
    assert run("predict", "m", "new.csv") == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 3
    assert said.err == f"negative log-likelihood of y: {loss:.4f} nats per row (1 row)\n"
    assert run("predict", "k", "new.csv") == 0
    assert "kind: 1." in capsys.readouterr().err

    Path("new.csv").write_text("a,b,y,kind\n1,2,,\n1,2,many,u\n")
    for model, where in (("m", "'many' in line 3"), ("k", "'u' in line 3")):
        assert run("predict", model, "new.csv") == 0
        said = capsys.readouterr()
        assert len(said.out.splitlines()) == 3
        assert said.err.startswith("likely: note: no likelihood")
        assert where in said.err
    Path("new.csv").write_text("a,b,y,kind\n1,2,,\n")
    assert run("predict", "k", "new.csv") == 0
    assert capsys.readouterr().err == ""


# ---- what is wrong

FIT = "fit data.csv -o m --target"


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("a,b\n1,2\n", f"{FIT} c", "--target: data.csv has no column 'c'; it has 'a', 'b'"),
        ("age,b\n1,2\n", f"{FIT} aeg", "no column 'aeg'; did you mean 'age'?"),
        ("a,b\n1,2\n", f"{FIT} a --drop c", "--drop: data.csv has no column 'c'"),
        ("a,b\n1,2\n", f"{FIT} a --features c", "--features: data.csv has no column 'c'"),
        ("a,b\n1,2\n", f"{FIT} a a", "--target names 'a' twice"),
        ("a,b\n1,2\n", f"{FIT} a --features a", "'a' is given to --target and to --features"),
        ("a,b\n1,2\n", f"{FIT} a --drop a", "'a' is given to --target and to --drop"),
        ("a,b\n1,2\n", f"{FIT} a --drop b", "data.csv has no column left to predict from"),
        (
            "a,my b,c,d\n1,x,2,3\n4,z,?,5\n",
            f"{FIT} a",
            "features must be numbers, and these columns hold text: 'my b' ('x' in line 2), 'c' "
            "('?' in line 3); leave out with --drop 'my b' c, or encode as numbers",
        ),
        (
            "a,b\n1,2020-01-01\n",
            f"{FIT} a",
            "'b' ('2020-01-01' in line 2); leave out with --drop b",
        ),
        (
            "a,b,c\n1,2,3\n1,,3\n",
            f"{FIT} a",
            "'b' has no value in line 3; fill it in or delete those rows, or leave out with --drop",
        ),
        # A field may go over several lines, and blank lines are no rows.
        (
            'a,b\n\n"1\n",2\n\n\n3,NA\n4,\n',
            f"{FIT} a",
            "'b' has no value in line 7 (and in 1 more row)",
        ),
        ("a,b\n,2\n", f"{FIT} a", "column 'a' is empty"),
        ("a,b\n1,2\n,2\n", f"{FIT} a", "'a' has no value in line 3; fill it in or delete"),
        ("a,b\n1,inf\n", f"{FIT} a --validation 0", "column 'b' is infinite in line 2"),
        (
            "a,b\n1,2\n1,3\n",
            f"{FIT} a",
            "column 'a' is 1 in every row: there is nothing to predict",
        ),
        ("a,b\nx,2\nx,3\n", f"{FIT} a", "'a' holds one class only: x"),
        ("a,b\n1,2\n?,3\n", f"{FIT} a", "'a' holds some numbers, some text ('?' in line 3)"),
        ("a,b\nx,2\ny,3\n", f"{FIT} a --distribution normal", "'a' holds text ('x' in line 2)"),
        (
            "a,b\nx,2\ny,3\nz,3\n",
            f"{FIT} a --distribution bernoulli",
            "bernoulli is for two classes, and 'a' holds 3: x, y, z; use categorical",
        ),
        ("a,b\nx,2\ny,3\n", f"{FIT} a --scale shared", "--scale is for numbers"),
        ("a,b,c\nx,2,3\ny,3,4\n", f"{FIT} a b", "targets must be all numbers or all classes"),
        ("a,b,c\nx,u,3\ny,v,4\n", f"{FIT} a b", "'a' lacks classes of the other targets"),
        ("a,b\n1,2\n3,4\n", f"{FIT} a --validation 0.9", "of 2 rows, 90% held out leaves none"),
        ("a,b,a\n1,2,3\n", f"{FIT} a", "data.csv has 2 columns named 'a'"),
        ("", f"{FIT} a", "data.csv is empty"),
        ("\n\n", f"{FIT} a", "data.csv is empty"),
        ("a,b\n", f"{FIT} a", "data.csv has column names but no rows"),
        ("1,2\n3,4\n", f"{FIT} a", "the first line must name the columns"),
        ("1 2\n3 4\n", f"{FIT} a", "the first line must name the columns"),
        ("a,b\n1,2\n1,2,3\n", f"{FIT} a", "Expected 2 fields in line 3, saw 3"),
        ("a,b\n1,2,3\n1,2,3\n", f"{FIT} a", "rows have more fields than the first line"),
        (
            "a,b\n1,2\n",
            f"{FIT} a --layers 3,x",
            "argument --layers: expected a whole number; got 'x'",
        ),
        ("a,b\n1,2\n", f"{FIT} a --layers 0", "units must be at least 1; got 0"),
        ("a,b\n1,2\n", f"{FIT} a --activation rilu", "unknown activation 'rilu'; did you mean"),
        ("a,b\n1,2\n", f"{FIT} a --epochs 0", "epochs must be at least 1; got 0"),
        ("a,b\n1,2\n", f"{FIT} a --batch-size 0", "batch_size must be at least 1; got 0"),
        ("a,b\n1,2\n", f"{FIT} a --learning-rate -1", "learning_rate must be"),
        ("a,b\n1,2\n", f"{FIT} a --validation 1", "--validation must be at least 0 and below 1"),
        ("a,b\n1,2\n", f"{FIT} a --validation nan", "--validation must be at least 0 and below 1"),
        ("a,b\n1,2\n", f"{FIT} a --validation 0 --patience 3", "--patience needs held-out rows"),
        ("a,b\n1,2\n3,4\n", f"{FIT} a --scale x", "argument --scale: expected a number; got 'x'"),
        ("a,b\n1,2\n3,4\n", f"{FIT} a --scale -1", "scale must be"),
        ("a,b\n1,2\n", f"{FIT} a --distribution gauss", "invalid choice: 'gauss'"),
        ("a,b\n1,2\n", f"{FIT} a --sed 1", "unrecognized arguments: --sed 1"),
        (
            "a,b\n1,2\n",
            "fit data.csv --target a",
            "required: -o/--output (see 'likely fit --help')",
        ),
        ("a,b\n1,2\n", "fit none.csv -o m --target a", "none.csv: No such file or directory"),
        ("a,b\n1,2\n", "fit . -o m --target a", ".: Is a directory"),
        ("a,b\n1,2\n", "fit data.csv -o x/m --target a", "cannot write x/m: there is no folder x"),
        ("a,b\n1,2\n", "fit data.csv -o . --target a", ". is a folder; name a file in it"),
        ("a,b\n1,2\n", "fit data.csv -o data.csv --target a", "data.csv is read here"),
        ("a,b\n1,2\n", "fitt", "invalid choice: 'fitt'"),
        ("a,b\n1,2\n", "demo --seed -1", "seed must be"),
        ("a,b\n1,2\n", "demo --output-dir data.csv", "data.csv: File exists"),
    ],
)
def test_errors(capsys: pytest.CaptureFixture[str], text: str, words: str, expected: str) -> None:
    Path("data.csv").write_text(text)
    assert expected in error_of(capsys, *words.split())
    assert os.listdir() == ["data.csv"]
    assert Path("data.csv").read_text() == text


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        (
            "b,c\n1,2\n",
            "predict m new.csv",
            "new.csv lacks the feature 'a' (m was fitted to: a, b)",
        ),
        ("A,b\n1,2\n", "predict m new.csv", "lacks the feature 'a'; is it 'A'?"),
        ("c\n1\n", "predict m new.csv", "lacks the 2 features 'a', 'b'"),
        ("a,b\n1,2\n1,\n", "predict m new.csv", "'b' has no value in line 3; a prediction needs"),
        ("a,b\n1,2\n1,x\n", "predict m new.csv", "'b' must be numbers; it holds 'x' in line 3"),
        ("a,b\n1,2\n", "predict m new.csv --quantiles 0.5,1", "between 0 and 1; got 1"),
        ("a,b\n1,2\n", "predict m new.csv --quantiles x", "expected a number; got 'x'"),
        ("a,b\n1,2\n", "predict m new.csv -o new.csv", "new.csv is read here"),
        ("a,b\n1,2\n", "predict m new.csv -o m", "m is read here"),
        ("a,b\n1,2\n", "predict n new.csv", "n: No such file or directory"),
        ("a,b\n1,2\n", "predict new.csv new.csv", "new.csv: not a safetensors file"),
        ("a,b\n1,2\n", "predict classes new.csv --quantiles 0.5", "classes predicts classes"),
    ],
)
def test_errors_of_predict(
    capsys: pytest.CaptureFixture[str], text: str, words: str, expected: str
) -> None:
    likely.Network(inputs=2, feature_names=["a", "b"], target_names=["y"]).save("m")
    likely.Network(inputs=2, distribution="bernoulli").save("classes")
    Path("new.csv").write_text(text)
    assert expected in error_of(capsys, *words.split())
    assert sorted(os.listdir()) == ["classes", "m", "new.csv"]


def test_text_that_is_not_utf_8(capsys: pytest.CaptureFixture[str]) -> None:
    Path("data.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    assert "data.csv is not UTF-8 text" in error_of(capsys, *f"{FIT} b".split())


def test_more_classes_than_one_means(capsys: pytest.CaptureFixture[str]) -> None:
    table(who=[f"person {number}" for number in range(60)])
    assert "60 different values" in error_of(capsys, *f"{FIT} who".split())
    assert run(*f"{FIT} who --distribution categorical --epochs 1".split()) == 0
    assert len(likely.load("m").class_names) == 60


def test_divergence(capsys: pytest.CaptureFixture[str]) -> None:
    numbers_table()
    words = f"{FIT} y --optimizer sgd --learning-rate 1e30"
    assert "lower the learning rate" in error_of(capsys, *words.split())
    assert not Path("m").exists()


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("pandas", "fit data.csv --target y -o m"),
        ("tqdm", "fit data.csv --target y -o m"),
        ("pandas", "predict p data.csv"),
        ("tqdm", "demo"),
        ("matplotlib", "demo"),
    ],
)
def test_a_missing_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, package: str, words: str
) -> None:
    numbers_table()
    likely.Network(inputs=3).save("p")
    monkeypatch.setitem(sys.modules, package, None)
    expected = f'this needs {package}: pip install "likely[cli]"'
    assert error_of(capsys, *words.split()) == expected


def test_a_full_disk_leaves_the_old_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(frame: pd.DataFrame, stream: io.TextIOBase, **_: Any) -> None:
        stream.write("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    numbers_table()
    likely.Network(inputs=3).save("m")
    Path("out.csv").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    expected = "out.csv: No space left on device"
    assert error_of(capsys, "predict", "m", "data.csv", "-o", "out.csv") == expected
    assert Path("out.csv").read_text() == "old"
    assert sorted(os.listdir()) == ["data.csv", "m", "out.csv"]


def test_files_keep_their_permissions_and_links() -> None:
    numbers_table()
    likely.Network(inputs=3).save("m")
    Path("real.csv").write_text("old")
    Path("real.csv").chmod(0o640)
    Path("out.csv").symlink_to("real.csv")
    assert run("predict", "m", "data.csv", "-o", "out.csv") == 0
    assert Path("out.csv").is_symlink()
    assert Path("real.csv").stat().st_mode & 0o777 == 0o640
    assert len(pd.read_csv("real.csv")) == 60
    assert run("predict", "m", "data.csv", "-o", os.devnull) == 0
    assert not Path(os.devnull).is_file()


# ---- Ctrl-C, and the program itself


class _Interrupting:
    """Stands in for a progress bar; presses Ctrl-C after some epochs."""

    def __init__(self, total: int, *_: str) -> None:
        self.epochs = 0

    def __enter__(self) -> "_Interrupting":
        return self

    def __exit__(self, *_: object) -> None: ...

    def set_postfix_str(self, *_: object, **__: object) -> None: ...

    def update(self) -> None:
        self.epochs += 1
        if self.epochs >= 5:
            signal.raise_signal(signal.SIGINT)


def test_interrupted_fit_saves_the_best_so_far(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = numbers_table()
    monkeypatch.setattr(_fit, "progress", _Interrupting)
    before = signal.getsignal(signal.SIGINT)
    assert run("fit", "data.csv", "--target", "y", "-o", "m") == 130
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr()
    assert "stopping after this epoch" in said.err
    assert "fitted     5 epochs" in said.out
    held_out = frame.iloc[_fit._split(60, 0.2, 0)[1]]
    loss = likely.load("m").loss(held_out[["a", "b"]].to_numpy(), held_out.y.to_numpy())
    assert figure_in(said.out, "this network") == pytest.approx(loss, abs=6e-4)


def test_interrupted_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert run("config") == 130
    assert capsys.readouterr() == ("", "")


def test_version_config_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run("--version")
    assert capsys.readouterr().out == f"likely {likely.__version__}\n"
    assert run("config") == 0
    assert "kernel set:" in capsys.readouterr().out
    assert run() == 0
    assert "predict" in capsys.readouterr().out


def test_program(folder: Path) -> None:
    program = [sys.executable, "-m", "likely.cli"]
    numbers_table("big.csv", rows=20000)
    likely.Network(inputs=3).save("m")
    with (
        subprocess.Popen([*program, "--help"], stdout=subprocess.PIPE, text=True) as helping,
        subprocess.Popen(
            [*program, "predict", "m", "big.csv"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as predicting,
    ):
        assert predicting.stdout is not None
        assert predicting.stderr is not None
        assert predicting.stdout.readline().startswith("target_mean")
        predicting.stdout.close()  # as `| head -1` does
        assert predicting.stderr.read() == ""
        assert predicting.wait() == 141
        assert "usage: likely" in helping.communicate()[0]
        assert helping.returncode == 0


def test_the_command_line_imports_nothing_heavy() -> None:
    code = "import sys, likely.cli; print(*{'pandas', 'matplotlib', 'tqdm'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize(
    ("called", "found", "expected"),
    [
        ("/v/bin/likely", "/v/bin/likely", "likely fit 'a b'"),
        ("/v/bin/likely", "/usr/bin/likely", "/v/bin/likely fit 'a b'"),
        ("/v/bin/likely", None, "/v/bin/likely fit 'a b'"),
        ("/v/bin/pytest", None, "likely fit 'a b'"),
        ("/v/likely/cli.py", None, f"{sys.executable} -m likely.cli fit 'a b'"),
    ],
)
def test_what_to_type_next_works_where_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, called: str, found: str | None, expected: str
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr(_console.shutil, "which", lambda name: found)
    assert _console.command("fit", "a b") == expected


# ---- pictures


def test_bands() -> None:
    x = np.linspace(0, 10, 30)
    network = likely.Network(inputs=1, dtype="float64", feature_names=["t"], target_names=["v"])
    axes = matplotlib.figure.Figure().subplots()
    assert plot.bands(network, x, np.sin(x), coverages=[0.5, 0.9], axes=axes) is axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t", "v")
    assert axes.get_legend_handles_labels()[1] == ["90 % band", "50 % band", "mean", "data"]
    wide, narrow = (band.get_paths()[0].vertices for band in axes.collections[:2])
    lower, upper = network.predict_distribution([0.0]).interval(0.9)
    assert_allclose(wide[wide[:, 0] == 0][:, 1].min(), lower[0])
    assert_allclose(wide[wide[:, 0] == 0][:, 1].max(), upper[0])
    assert np.ptp(narrow[:, 1]) < np.ptp(wide[:, 1])
    colors = {tuple(band.get_facecolor()[0]) for band in axes.collections[:2]}
    assert len(colors) == 2


def test_bands_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(ValueError, match="one input and one target; got 2 inputs"):
        plot.bands(likely.Network(inputs=2), [[1, 2]])
    with pytest.raises(ValueError, match="x and y must be of one length; got 2 and 1"):
        plot.bands(likely.Network(inputs=1), [1, 2], [1])
