"""Where the time of likely's training step goes: what each kernel takes, and what is left.

`parts.cpp` is a kernel set that stands before the real one and looks at the clock around each of
its functions. It is compiled into a package of links to likely's files, and this program runs again
on that one: likely itself knows nothing of it.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.contest import ROOT, say
from bench.machine import compiled, pinned, with_threads
from bench.rows import Row, make_data, row_from_json

PARTS = ("shuffle", "gather", "forward", "likelihood", "backward", "linear", "samples", "norm",
         "update")  # fmt: skip
"""As in parts.cpp. A linear model's gather, forward, likelihood and backward are one; with one
sample a step all is, but the shuffle."""


def main(rows: Sequence[Row], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pinned(1):
        kernels = linked_package(Path(folder))
        # -S: an editable installation's hook would find the package elsewhere.
        path = os.pathsep.join([folder, *filter(None, sys.path)])
        environment = with_threads(1) | {"PYTHONPATH": path}
        given = json.dumps([row.as_json() for row in rows])
        again = [sys.executable, "-S", "-m", "bench.profiler", str(kernels), str(rounds), given]
        subprocess.run(again, check=True, cwd=ROOT, env=environment)


def linked_package(folder: Path) -> Path:
    """A package in `folder` like likely, whose kernel set is the measuring one; that one's path."""
    import likely
    from likely import _core

    package = folder / "likely"
    package.mkdir()
    for place in likely.__path__:
        for file in Path(place).iterdir():
            if not (package / file.name).exists():
                (package / file.name).symlink_to(file)
    kernels = package / f"_kernels_{_core.system()['instruction_set']}.so"
    real = kernels.resolve()
    kernels.unlink()
    include = [f"-I{ROOT / 'cpp' / name}" for name in ("include", "src")]
    shared = ("-fPIC", "-shared", "-ldl", f'-DREAL_SET="{real}"')
    if compiled(ROOT / "bench" / "parts.cpp", kernels, *include, *shared) is None:
        raise SystemExit("A profile needs a C++ compiler; name it in the environment variable CXX.")
    return kernels


def profile(rows: Sequence[Row], rounds: int, kernels: str) -> None:
    import numpy as np

    from bench.peers import likely as ours

    ours.use_threads(1)
    parts = ctypes.CDLL(kernels)
    parts.parts.restype = ctypes.c_double
    seconds = (ctypes.c_double * len(PARTS))()
    print(f"| training step, one core | us | {' | '.join(PARTS)} | rest |")
    print("|---" * (len(PARTS) + 3) + "|")
    for row in rows:
        fit = ours.training(row, make_data(row))
        times = []
        for _ in range(rounds + 1):
            parts.parts(seconds)
            whole, _ = fit.epoch(row.steps)
            measuring = parts.parts(seconds)
            times.append([*seconds, whole - measuring])
        *each, step = 1e6 * np.median(times[1:], axis=0) / row.steps
        cells = [f"{100 * us / step:.0f} %" if us else "" for us in [*each, step - sum(each)]]
        print(f"| {row.name} | {step:.3g} | {' | '.join(cells)} |", flush=True)
    say(f"Medians of {rounds} rounds; shares of the step.")


if __name__ == "__main__":
    profile([row_from_json(row) for row in json.loads(sys.argv[3])], int(sys.argv[2]), sys.argv[1])
