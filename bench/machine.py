"""What this machine can do at most, which cores are measured on, and how busy they were.

Needs the standard library alone.
"""

import contextlib
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
CAN_PIN = hasattr(os, "sched_setaffinity")
# LIKELY_ISA=v3 is for likely alone: these are what its peers' libraries listen to (JAX: see there).
HELD_TO_AVX2 = os.environ.get("LIKELY_ISA") == "v3"
AVX2_VARIABLES = {
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}

# Those this program may run on, the one that is measured on first.
CORES = (
    sorted(os.sched_getaffinity(0), reverse=True) if CAN_PIN else list(range(os.cpu_count() or 1))
)


def pin(chosen: Collection[int]) -> None:
    if CAN_PIN:
        os.sched_setaffinity(0, chosen)


@contextlib.contextmanager
def pinned(count: int, first: int = 0) -> Iterator[None]:
    """A program that is started meanwhile stays on so many cores, from this one on."""
    pin(CORES[first : first + count])
    try:
        yield
    finally:
        pin(CORES)


def with_threads(threads: int) -> dict[str, str]:
    """The environment in which a BLAS takes so many threads, and AVX2 alone if it is held to it."""
    held = AVX2_VARIABLES if HELD_TO_AVX2 else {}
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), **held}


def settle_on_one_core() -> None:
    """Restart this program pinned to one core, with one thread in NumPy's products.

    A BLAS reads its number of threads once, when NumPy is imported: hence the restart.
    """
    one_thread = all(os.environ.get(name) == "1" for name in THREAD_VARIABLES)
    if one_thread and (len(CORES) == 1 or not CAN_PIN):
        return
    if not CAN_PIN:
        print("This system cannot pin a program to a core; expect a wider spread.", file=sys.stderr)
    pin(CORES[:1])
    os.execve(sys.executable, sys.orig_argv, with_threads(1))


def warn_if_busy() -> None:
    load = os.getloadavg()[0]
    if load > 0.5 * (os.cpu_count() or 1):
        print(f"The machine is busy (load {load:.1f}): do not trust this run.", file=sys.stderr)


def cpu_name() -> str:
    """The processor, with its family and model, which tell apart what is sold under one name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    values = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)
    }
    parts = [values.get("model name", platform.machine())]
    parts += [f"{key} {values[key]}" for key in ("cpu family", "model") if key in values]
    return ", ".join(parts + ["held to AVX2"] * HELD_TO_AVX2)


class Limits:
    """Multiply-adds and bytes a second of one core, the best of all that was measured.

    `peak` counts a multiply-add as two operations, of AVX2 where all are held to it. Without a
    compiler both stay empty.
    """

    def __init__(self) -> None:
        self.peak = 0.0
        self.bandwidth: dict[int, float] = {}
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        march = ["-march=x86-64-v3"] if HELD_TO_AVX2 else []
        self._peak = compiled(HERE / "multiply_add_peak.cpp", folder / "peak", *march)
        self._bandwidth = compiled(HERE / "bandwidth.cpp", folder / "bandwidth")
        self._handover: Path | None = None
        if CAN_PIN and len(CORES) > 1:
            self._handover = compiled(HERE / "handover.cpp", folder / "handover", "-pthread")

    def measure_peak(self) -> None:
        if self._peak is not None:
            self.peak = max(self.peak, float(on_one_core(self._peak)))

    def handover(self) -> float | None:
        """Seconds until a core sees what the other one has stored, at the moment."""
        return None if self._handover is None else float(on_cores(2, self._handover))

    def measure_bandwidth(self) -> None:
        if self._bandwidth is None:
            return
        for line in on_one_core(self._bandwidth).splitlines():
            size, best = line.split()
            self.bandwidth[int(size)] = max(self.bandwidth.get(int(size), 0.0), float(best))


def compiled(source: Path, target: Path, *arguments: str) -> Path | None:
    """The program, or None where there is no compiler or it does not compile."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        return None
    flags = ["-std=c++20", "-O2", "-march=native", "-ffp-contract=fast"]
    command = [compiler, *flags, str(source), *arguments, "-o", str(target)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        print(f"{source.name} does not compile:\n{made.stderr}", file=sys.stderr)
    return target if made.returncode == 0 else None


def on_one_core(program: Path, *arguments: str) -> str:
    return on_cores(1, program, *arguments)


def on_cores(count: int, program: Path, *arguments: str) -> str:
    with pinned(count):
        command = [str(program), *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class Busyness:
    """What other programs took of all cores since this object was made."""

    def __init__(self) -> None:
        self._wall, self._load = time.monotonic(), os.getloadavg()[0]
        self._busy, self._stolen, self._own = *ticks(), own_seconds()

    def report(self) -> dict[str, Any]:
        """Once all workers have ended. Shares are None where the system does not tell."""
        available = (time.monotonic() - self._wall) * (os.cpu_count() or 1)
        busy, stolen = ticks()
        known = busy > 0
        others = busy - self._busy - (own_seconds() - self._own)
        return {
            "load_before": self._load,
            "others": max(0.0, others / available) if known else None,
            "stolen": (stolen - self._stolen) / available if known else None,
        }


def ticks() -> tuple[float, float]:
    """Seconds that all cores were busy, and that a hypervisor took, since the machine's start."""
    try:
        user, nice, system, _, _, irq, soft, stolen = map(
            int, Path("/proc/stat").read_text().split()[1:9]
        )
    except (OSError, ValueError):
        return 0.0, 0.0
    hertz = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + soft) / hertz, stolen / hertz


def own_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
