"""The files that the command line reads and writes, and what it says where they are not right."""

import csv
import errno
import io
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pandas as pd
import pytest
from command_line import QUICK, error_of, numbers_table, run, table
from command_line import folder as folder
from numpy.testing import assert_array_equal

ODD = 'größe, "cm"'


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
        ("a,b\n1,2\n", f"{FIT} a --distribution gauss", "distribution 'gauss'; did you mean 'G"),
        ("a,b\n1,2\n", f"{FIT} a --distribution gauss(1)", "unknown distribution 'gauss'; did"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Bin(", "unknown distribution 'Bin('; "),
        ("a,b\n1,2\n", f"{FIT} a --distribution binomial", "Binomial needs n; write Binomial(n="),
        ("a,b\n1,2\n", f"{FIT} a --distribution Binomial(m=2)", "'m'; did you mean 'n'? Known: n"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Binomial()", "Binomial() needs n: number of"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Binomial(0)", "n must be at least 1"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Binomial(3,n=3)", "got n twice"),
        (
            "a,b\n1,2\n",
            f"{FIT} a --distribution Binomial(1+1)",
            "lists and distributions; got 1 + 1",
        ),
        ("a,b\n1,2\n", f"{FIT} a --distribution Binomial(**b)", "lists and distributions; got **"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Binomial(print())", "unknown distribution 'print'"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Mixture(Gauss,2)", "unknown component 'Gauss'"),
        ("a,b\n1,2\n", f"{FIT} a --distribution custom", "needs name"),
        ("a,b\n1,2\n", f"{FIT} a --distribution Custom('a',['b'])", "is written in Python"),
        (
            "a,b\n1,2\n\n\n-3,4\n",
            f"{FIT} a --distribution Poisson",
            "data.csv: y must be in the support of Poisson (an integer, at least 0); row 1, "
            "column 0 is -3 (line 5)",
        ),
        (
            "a,b\n1,2\n4,3\n",
            f"{FIT} a --distribution Binomial(n=3)",
            "of Binomial (an integer 0, 1, ..., n, with n = 3); row 1, column 0 is 4 (line 3)",
        ),
        (
            "a,b\nx,2\ny,3\n",
            f"{FIT} a --distribution ordinal",
            "'a' holds text, which has no order",
        ),
        ("a,b\nx,2\ny,3\n", f"{FIT} a --distribution Ordinal(2)", "no target for Ordinal(levels=2"),
        (
            "a,b\n1,2\n2,3\n",
            f"{FIT} a --distribution gamma --scale 2",
            "--scale is for --distribution normal; got Gamma()",
        ),
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
