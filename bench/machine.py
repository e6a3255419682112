"""One core for everybody, and what that core can do.

Ratios mean something only if both sides run on the same core, one thread each, in one process.
"""

import os
import sys
import time

import numpy as np

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


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


class MultiplyAddPeak:
    """The most multiplications and additions a second that a product of 1024 x 1024 reached.

    NumPy's BLAS is within a few percent of the hardware's limit at this size, so this is a first
    measure of it, from below.
    """

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._a, self._b = rng.standard_normal((2, 1024, 1024), dtype=np.float32)
        self._out = np.empty_like(self._a)
        self.flops = 0.0

    def measure(self) -> None:
        start = time.perf_counter()
        np.dot(self._a, self._b, out=self._out)
        self.flops = max(self.flops, 2 * 1024**3 / (time.perf_counter() - start))
