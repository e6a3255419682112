"""What the tests of the command line share: a folder of their own, tables, and the answers."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from likely import cli

QUICK = ["--layers", "8", "--epochs", "20"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test of a file that imports this run in an empty folder."""
    monkeypatch.chdir(tmp_path)


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
