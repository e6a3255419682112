"""What machine and which build this is."""

from __future__ import annotations

import platform

import numpy as np

from likely import _core
from likely._arrays import as_integer


def set_num_threads(count: int) -> None:
    """Set how many threads a step of training or a prediction of many rows may use.

    Without it that is the environment variable LIKELY_NUM_THREADS, else the number of cores that
    this process may run on. `Trainer(threads=...)` goes before it. The number of threads never
    changes a result. Threads of the program that train at once need no setting: one of them is
    helped by the others' idle cores, the rest work alone.

    Parameters
    ----------
    count : int
        From 1 to 256.

    Raises
    ------
    ValueError, TypeError
        Where it is not.

    Examples
    --------
    >>> import likely
    >>> likely.set_num_threads(2)
    >>> likely.show_config()  # doctest: +ELLIPSIS
    likely: ...
    threads:    2
    ...

    """
    _core.set_num_threads(as_integer("count", count, 1))


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
