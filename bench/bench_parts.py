"""Where the time of a training step goes: what each kernel takes, and what is left.

    python bench/bench_parts.py [--rounds 15]

README.md beside this file says how it is measured and how to read it.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import likely
import numpy as np
from likely import _core
from machine import settle_on_one_core, warn_if_busy

HERE = Path(__file__).parent
CPP = HERE.parent / "cpp"
FLAGS = "-std=c++20 -O2 -fPIC -shared"
PARTS = ("shuffle", "gather", "forward", "likelihood", "backward", "linear", "norm", "update")
"""As in parts.cpp. A linear model's gather, forward, likelihood and backward are one."""
FOLDER = "LIKELY_BENCH_PARTS"
"""Names the folder of the package with the measuring kernel set, where this program restarted."""


@dataclass(frozen=True)
class Task:
    widths: tuple[int, ...]
    batch: int
    steps: int
    loss: str = "squared error"

    @property
    def optimizer(self) -> likely.Optimizer:
        return likely.SGD() if self.widths == (1, 1) else likely.Adam()

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.widths))}, {self.loss}, batch {self.batch}"

    @property
    def family(self) -> likely.Distribution:
        if self.loss == "cross-entropy":
            return likely.Categorical(self.widths[-1])
        return likely.Normal("predicted" if self.widths[-1] == 2 else 1.0)


TASKS = (
    Task((1, 1), 1, 100_000),
    Task((1, 1), 64, 20_000),
    Task((10, 50, 2), 32, 4000, "Normal NLL"),
    Task((13, 64, 64, 1), 32, 2000),
    Task((32, 128, 128, 2), 128, 250, "Normal NLL"),
    Task((784, 256, 128, 10), 128, 50, "cross-entropy"),
)


def restart_with_measuring_kernels(folder: Path) -> int:
    """Run this program again on a package whose kernel set is the measuring one."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        sys.exit("A C++ compiler is needed; name it in the environment variable CXX.")
    package = folder / "likely"
    package.mkdir()
    for place in likely.__path__:
        for file in Path(place).iterdir():
            if not (package / file.name).exists():
                (package / file.name).symlink_to(file)
    kernels = package / f"_kernels_{_core.system()['instruction_set']}.so"
    real = kernels.resolve()
    kernels.unlink()
    include = [f"-I{CPP / 'include'}", f"-I{CPP / 'src'}", f'-DREAL_SET="{real}"']
    source = [HERE / "parts.cpp", "-ldl", "-o", kernels]
    subprocess.run([compiler, *FLAGS.split(), *include, *source], check=True)
    # -S: an editable installation's hook would find the package elsewhere.
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, FOLDER: str(kernels)}
    return subprocess.call([sys.executable, "-S", *sys.argv], env=environment)


def measured(task: Task, rounds: int, parts: ctypes.CDLL) -> np.ndarray:
    """Seconds of a step's parts and of all of it, medians over the rounds."""
    rng = np.random.default_rng(0)
    rows = task.batch * task.steps
    x = rng.standard_normal((rows, task.widths[0]), dtype=np.float32)
    y = x[:, 0] > 0 if task.loss == "cross-entropy" else np.tanh(x[:, 0])
    hidden = [likely.Dense(width, "relu") for width in task.widths[1:-1]]
    network = likely.Network(task.widths[0], layers=hidden, distribution=task.family)
    trainer = likely.Trainer(task.optimizer, batch_size=task.batch, epochs=1)
    times = []
    for _ in range(rounds + 1):
        seconds = (ctypes.c_double * len(PARTS))()
        parts.parts(seconds)
        history = trainer.fit(network, x, y)
        taken = parts.parts(seconds)
        times.append([*seconds, history.seconds - taken])
    return np.median(times[1:], axis=0) / task.steps


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    settle_on_one_core()
    if FOLDER not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(restart_with_measuring_kernels(Path(folder)))
    warn_if_busy()

    parts = ctypes.CDLL(os.environ[FOLDER])
    parts.parts.restype = ctypes.c_double
    print(f"| training step, one core | us | {' | '.join(PARTS)} | rest |")
    print("|---" * (len(PARTS) + 3) + "|")
    for task in TASKS:
        *each, whole = 1e6 * measured(task, arguments.rounds, parts)
        shares = [*each, whole - sum(each)]
        cells = [f"{100 * share / whole:.0f} %" if share else "" for share in shares]
        print(f"| {task.name} | {whole:.3g} | {' | '.join(cells)} |")
    print(f"\nMedians of {arguments.rounds} rounds; shares of the step.")


if __name__ == "__main__":
    main()
