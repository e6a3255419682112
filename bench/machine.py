"""One core for everybody, and what that core can do.

Ratios mean something only if both sides run on the same core, one thread each, in one process.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
PEAK_SOURCE = Path(__file__).with_name("multiply_add_peak.cpp")


def settle_on_one_core() -> None:
    """Restart this program pinned to one core, with one thread in NumPy's products.

    A BLAS reads its number of threads once, when NumPy is imported: hence the restart.
    """
    if all(os.environ.get(name) == "1" for name in THREAD_VARIABLES):
        return
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    else:
        print("This system cannot pin a program to a core; expect a wider spread.", file=sys.stderr)
    os.execv(sys.executable, sys.orig_argv)


def warn_if_busy() -> None:
    load = os.getloadavg()[0]
    if load > 0.5 * (os.cpu_count() or 1):
        print(f"The machine is busy (load {load:.1f}): do not trust this run.", file=sys.stderr)


class Peak:
    """What one core reaches at most, in multiplications and additions a second.

    `product` is NumPy's product of 1024 x 1024; `multiply_add` is a compiled loop of nothing but
    multiply-adds, or, where there is no compiler, the product too.
    """

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._a, self._b = rng.standard_normal((2, 1024, 1024), dtype=np.float32)
        self._out = np.empty_like(self._a)
        self.product = self.multiply_add = 0.0
        self._folder = tempfile.TemporaryDirectory()
        self._program = self._compiled(Path(self._folder.name) / "peak")

    @property
    def compiled(self) -> bool:
        return self._program is not None

    @staticmethod
    def _compiled(target: Path) -> Path | None:
        compiler = shutil.which(os.environ.get("CXX", "c++"))
        if compiler is None:
            return None
        flags = ["-std=c++20", "-O2", "-march=native", "-ffp-contract=fast"]
        made = subprocess.run([compiler, *flags, PEAK_SOURCE, "-o", target], capture_output=True)
        return target if made.returncode == 0 else None

    def measure(self) -> None:
        for _ in range(3):
            start = time.perf_counter()
            np.dot(self._a, self._b, out=self._out)
            self.product = max(self.product, 2 * 1024**3 / (time.perf_counter() - start))
        measured = self.product
        if self._program is not None:
            text = subprocess.run([self._program], check=True, capture_output=True, text=True)
            measured = float(text.stdout)
        self.multiply_add = max(self.multiply_add, measured)
