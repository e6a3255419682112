"""What machine and which build this is."""

from __future__ import annotations

import platform

import numpy as np

from likely import _core


def show_config() -> None:
    """Print version, kernel set, CPU level, compiler, Eigen and thread count.

    The kernel set is the code for one instruction set; the environment variable LIKELY_ISA (v2, v3,
    v4) chooses another one before the first import.
    """
    from importlib.metadata import version

    system = _core.system()
    rows = {
        "likely": version("likely"),
        "kernel set": f"{system['instruction_set']} "
        f"(installed: {system['installed_instruction_sets']})",
        "CPU level": f"{system['cpu_level']} ({platform.machine()})",
        "compiler": system["compiler"],
        "Eigen": system["eigen"],
        "threads": system["threads"],
        "Python": platform.python_version(),
        "NumPy": np.__version__,
    }
    for name, value in rows.items():
        print(f"{name + ':':<12}{value}")
