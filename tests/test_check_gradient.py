"""likely.check_gradient: what it finds, what it prints, what it refuses."""

from typing import Any

import densities
import likely
import numpy as np
import pytest
from likely._differentiation import RULES
from test_bad_input import refused

FAMILIES: list[likely.Distribution] = [
    likely.Normal(), likely.Normal("shared"), likely.Normal(0.3), likely.Bernoulli(),
    likely.Categorical(4), densities.student_t,
]  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_check_gradient(family: likely.Distribution, capsys: pytest.CaptureFixture[str]) -> None:
    error = likely.check_gradient(family)
    assert 0 < error < 1e-7
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert f"error {error:.2g}, by " in line
    for word in ("y = ", "derivative ", "central difference "):
        assert word in line
    assert likely.check_gradient(family) == error
    assert likely.check_gradient(family, seed=1) != error


def test_check_gradient_names_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    likely.check_gradient(likely.Normal("shared"), y=[10.0], raw=[[0.0, 1.0]])
    assert "y = 10, loc = 0, log_scale = 1" in capsys.readouterr().out
    likely.check_gradient(likely.Normal(2.0), y=[10.0], raw=[[0.5]])
    assert "by loc at y = 10, loc = 0.5:" in capsys.readouterr().out
    likely.check_gradient("bernoulli", y=[1, 0, 1])
    assert "by logit at y = " in capsys.readouterr().out
    likely.check_gradient(likely.Categorical(2), raw=[[0.5, 1.0]] * 3)
    assert "logits[0] = 0.5, logits[1] = 1" in capsys.readouterr().out


def test_check_gradient_sees_a_wrong_derivative(capsys: pytest.CaptureFixture[str]) -> None:
    @likely.distribution(parameters=["loc", "log_scale"])
    def jumps(y: Any, loc: Any, log_scale: Any) -> Any:
        return densities.normal(y, loc, log_scale) + np.floor(log_scale)

    point = {"y": [1.0, 2.0], "raw": [[0.0, 0.5], [0.3, 1.0]]}
    assert likely.check_gradient(densities.normal, **point) < 1e-7
    assert 0.9 < likely.check_gradient(jumps, **point) < 1.1
    line = capsys.readouterr().out.splitlines()[-1]
    assert "by log_scale at y = 2, loc = 0.3, log_scale = 1: derivative -" in line


def test_check_gradient_sees_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "exp", (lambda z, x: 1.1 * z,))
    assert likely.check_gradient(densities.exponential) > 0.05


def test_check_gradient_accepts_a_kink() -> None:
    @likely.distribution(parameters=["loc", "log_left", "log_right"])
    def two_sided(y: Any, loc: Any, log_left: Any, log_right: Any) -> Any:
        rate = np.exp(np.where(y < loc, log_left, log_right))
        return -np.abs(y - loc) * rate - np.logaddexp(-log_left, -log_right)

    assert likely.check_gradient(two_sided) < 1e-7


def test_check_gradient_refuses() -> None:
    for arguments, words in (
        ({"y": [1.0, 2.0], "raw": [[0.0, 0.0]]}, ["y and raw", "2", "1"]),
        ({"raw": [[0.0, 0.0, 0.0]]}, ["raw", "2"]),
        ({"raw": [[np.nan, 0.0]]}, ["raw", "finite"]),
        ({"y": [np.nan]}, ["y"]),
        ({"distribution": "bernoulli", "y": [0.5]}, ["y", "support"]),
    ):
        with refused(ValueError, *words):
            likely.check_gradient(**{"distribution": likely.Normal(), **arguments})
