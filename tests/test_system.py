"""What machine and which build this is, and how another kernel set is chosen."""

import os
import platform
import subprocess
import sys
from importlib.metadata import version

import likely
import numpy as np
import pytest
from likely import _core

SYSTEM = _core.system()
INSTALLED = str(SYSTEM["installed_instruction_sets"]).split(", ")
KNOWN = ["v2", "v3", "v4"] if platform.machine() in ("x86_64", "AMD64") else ["baseline"]
SUPPORTED = KNOWN[: KNOWN.index(SYSTEM["cpu_level"]) + 1]


def imported_with(kernel_set: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "LIKELY_ISA"}
    if kernel_set is not None:
        environment["LIKELY_ISA"] = kernel_set
    code = (
        "from likely import _core; import likely;"
        "likely.Trainer(epochs=1).fit(likely.Network(1), [0.0, 1.0], [0.0, 1.0]);"
        "print(_core.system()['instruction_set'])"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_show_config_prints_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    likely.show_config()
    lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    shown = {name: value.strip() for name, value in lines.items()}
    assert list(shown) == [
        "likely",
        "kernel set",
        "CPU level",
        "compiler",
        "Eigen",
        "threads",
        "Python",
        "NumPy",
    ]
    assert shown["likely"] == likely.__version__ == version("likely")
    assert shown["kernel set"].startswith(SYSTEM["instruction_set"])
    assert all(name in shown["kernel set"] for name in INSTALLED)
    assert shown["CPU level"] == f"{SYSTEM['cpu_level']} ({platform.machine()})"
    assert shown["compiler"].split()[0] in ("gcc", "clang")
    assert shown["Eigen"].startswith("3.")
    assert int(shown["threads"]) >= 1
    assert shown["Python"] == platform.python_version()
    assert shown["NumPy"] == np.__version__


def test_the_set_in_use_is_installed_and_runs_here() -> None:
    assert SYSTEM["instruction_set"] in INSTALLED
    assert SYSTEM["instruction_set"] in SUPPORTED
    assert set(INSTALLED) <= set(KNOWN)


@pytest.mark.parametrize("kernel_set", [None, ""])
def test_without_a_choice_the_widest_usable_set_is_taken(kernel_set: str | None) -> None:
    done = imported_with(kernel_set)
    assert done.stderr == ""
    assert done.stdout.strip() == [name for name in SUPPORTED if name in INSTALLED][-1]


@pytest.mark.parametrize("kernel_set", KNOWN)
def test_a_known_set_is_used_or_refused(kernel_set: str) -> None:
    done = imported_with(kernel_set)
    if kernel_set in SUPPORTED and kernel_set in INSTALLED:
        assert done.stderr == ""
        assert done.stdout.strip() == kernel_set
        return
    message = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert message.startswith(f"ImportError: LIKELY_ISA={kernel_set} ")
    assert ("is not installed" if kernel_set in SUPPORTED else "beyond this CPU") in message
    assert ", ".join(INSTALLED) in message


@pytest.mark.parametrize("kernel_set", ["v5", "V4", "avx2", "../v4", "v3 "])
def test_an_unknown_set_is_refused_with_the_known_ones(kernel_set: str) -> None:
    done = imported_with(kernel_set)
    message = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert message.startswith(f"ImportError: LIKELY_ISA={kernel_set} ")
    assert "did you mean" in message
    assert ", ".join(KNOWN) in message
    assert ", ".join(INSTALLED) in message
