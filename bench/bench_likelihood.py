"""The batch likelihood with gradient against scalar loops with libm, and its share of a step.

    python bench/bench_likelihood.py [--rounds 25]

README.md beside this file says how it is measured and how to read it.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import likely
import numpy as np
from figures import spread
from likely import _core
from machine import settle_on_one_core, warn_if_busy

ROWS = 4096
BATCH = 128
STEPS = 20
MOST_OF_A_STEP = 0.10
SECONDS = 1e-3  # of a measurement, at least
HERE = Path(__file__).parent
CPP = HERE.parent / "cpp"
FLAGS = "-std=c++20 -O3 -march=native -fno-math-errno -fno-trapping-math -fPIC -shared"
Address = ctypes.c_void_p

RNG = np.random.default_rng(0)
X = RNG.standard_normal((STEPS * BATCH, 32), dtype=np.float32)


@dataclass(frozen=True)
class Family:
    distribution: likely.Distribution
    goal: int
    """How many times as fast as the loop."""
    draw: Callable[[int | tuple[int, int]], np.ndarray]
    center: tuple[float, ...]
    """Of the raw parameters, which are 0.3 z away from it for standard normal z."""
    shared: tuple[float, ...] = ()
    targets: int = 1


def counts(size: int | tuple[int, int]) -> np.ndarray:
    return RNG.poisson(5, size)


def positive(size: int | tuple[int, int]) -> np.ndarray:
    return RNG.lognormal(0, 0.5, size)


def labels(below: int) -> Callable[[int | tuple[int, int]], np.ndarray]:
    return lambda size: RNG.integers(0, below, size)


REAL = RNG.standard_normal
LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
# Under the names that likelihood.cpp knows.
FAMILIES = {
    "Normal": Family(likely.Normal(), 3, REAL, (0, 0)),
    "Laplace": Family(likely.Laplace(), 3, REAL, (0, 0)),
    "Logistic": Family(likely.Logistic(), 3, REAL, (0, 0)),
    "LogNormal": Family(likely.LogNormal(), 3, positive, (0, 0)),
    "Exponential": Family(likely.Exponential(), 3, positive, (0,)),
    "Weibull": Family(likely.Weibull(), 3, positive, (0, 0.5)),
    "Bernoulli": Family(likely.Bernoulli(), 3, labels(2), (0,)),
    "Categorical(10)": Family(likely.Categorical(10), 3, labels(10), (0,) * 10),
    "Ordinal(5)": Family(likely.Ordinal(5), 3, labels(5), (0,), (-1.4, 0, -0.1, 0)),
    "Quantiles(5)": Family(likely.Quantiles(LEVELS), 3, REAL, (0, 0.4, 0, 0, 0.4)),
    "Mixture(Normal, 3)": Family(
        likely.Mixture("normal", 3), 3, REAL, (0, 0, 0, -1, 0, 0, 0, 1, 0)
    ),
    "MultivariateNormal, 3 columns": Family(
        likely.MultivariateNormal(), 3, REAL, (0,) * 9, targets=3
    ),
    "StudentT": Family(likely.StudentT(), 2, REAL, (0, 0, 2)),
    "Gamma": Family(likely.Gamma(), 2, positive, (0, 1)),
    "Beta": Family(likely.Beta(), 2, lambda size: RNG.beta(2, 2, size), (0, 1.5)),
    "VonMises": Family(likely.VonMises(), 2, lambda size: RNG.uniform(-3, 3, size), (0, 1)),
    "Poisson": Family(likely.Poisson(), 2, counts, (1.6,)),
    "NegativeBinomial": Family(likely.NegativeBinomial(), 2, counts, (1.6, 1)),
    "ZeroInflated(Poisson)": Family(
        likely.ZeroInflated("poisson"),
        2,
        lambda size: counts(size) * RNG.integers(0, 2, size),
        (0, 1.6),
    ),
    "Binomial(20)": Family(likely.Binomial(20), 2, lambda size: RNG.binomial(20, 0.5, size), (0,)),
}


def kernel_sets() -> dict[str, Path]:
    """The installed kernel sets that this CPU runs, but for that of the oldest CPUs."""
    system = _core.system()
    names = system["installed_instruction_sets"].split(", ")
    folder = Path(_core.__file__).parent
    usable = [name for name in names if name != "v2" and name <= system["cpu_level"]]
    for name in ("v3", "v4"):
        if name not in usable and name <= system["cpu_level"]:
            print(
                f"{name} is not installed and was not measured; install with the environment "
                "variable CMAKE_ARGS='-DLIKELY_ISA=v3;v4'.",
                file=sys.stderr,
            )
    return {name: folder / f"_kernels_{name}.so" for name in usable}


def compiled(folder: str) -> ctypes.CDLL:
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if compiler is None:
        sys.exit("A C++ compiler is needed; name it in the environment variable CXX.")
    library = Path(folder) / "likelihood.so"
    sources = [HERE / "likelihood.cpp", CPP / "src/plan.cpp", CPP / "src/distributions.cpp"]
    include = [f"-I{CPP / 'include'}", f"-I{CPP / 'src'}"]
    command = [compiler, *FLAGS.split(), *include, *sources, "-ldl", "-o", library]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.run.restype = ctypes.c_double
    numbers = [ctypes.c_int64] * 3 + [Address] * 6
    loaded.run.argtypes = [ctypes.c_char_p, ctypes.c_char_p, *numbers, ctypes.c_int64]
    return loaded


def aligned(values: np.ndarray) -> np.ndarray:
    """A copy in float32 that begins at a multiple of 64 bytes, as in a fit."""
    room = np.empty(values.size + 16, np.float32)
    start = -(room.ctypes.data // 4) % 16
    copy = room[start : start + values.size].reshape(values.shape)
    copy[...] = values
    return copy


class Likelihood:
    """The likelihood of so many rows, by hand where `path` is None."""

    def __init__(self, library: ctypes.CDLL, name: str, path: Path | None, data: np.ndarray):
        family = FAMILIES[name]
        y, raw = np.split(data, [family.targets], axis=1)
        self._arrays = [
            aligned(values)
            for values in (y, raw, np.array(family.shared), np.zeros(raw.shape), np.zeros(9))
        ]
        self._loss = ctypes.c_double()
        self._run, self._name = library.run, name.encode()
        self._path = None if path is None else str(path).encode()
        self._sizes = (len(raw), raw.shape[1], len(family.shared))
        self.rows = len(raw)
        self.run(1)
        self._repetitions = max(1, round(SECONDS / self.run(5)))

    def run(self, repetitions: int) -> float:
        seconds = self._run(
            self._name,
            self._path,
            *self._sizes,
            *(array.ctypes.data for array in self._arrays),
            ctypes.addressof(self._loss),
            repetitions,
        )
        if seconds < 0:
            raise RuntimeError(f"likelihood.cpp cannot evaluate {self._name.decode()}")
        return seconds

    def nanoseconds(self) -> float:
        """Of one row."""
        return 1e9 * self.run(self._repetitions) / self.rows

    def results(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Loss and derivatives of a row."""
        shared = self._arrays[4][: self._sizes[2]]
        return np.array(self._loss.value / self.rows), self._arrays[3] * self.rows, shared


def check(name: str, by_hand: Likelihood, ours: Likelihood) -> None:
    """Stops where both differ by more than rounding explains."""
    for expected, result in zip(by_hand.results(), ours.results(), strict=True):
        np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-5, err_msg=name)


def step(family: Family) -> float:
    """Seconds of a training step of a 32-128-128 network."""
    layers = [likely.Dense(128, "relu"), likely.Dense(128, "relu")]
    network = likely.Network(X.shape[1], family.targets, layers, family.distribution)
    y = family.draw((len(X), family.targets))
    history = likely.Trainer("adam", BATCH, epochs=1).fit(network, X, y)
    return history.seconds / history.steps


def print_tables(
    sets: list[str], measured: dict[tuple[str, str, int], list[float]], steps: dict[str, np.ndarray]
) -> None:
    in_use = _core.system()["instruction_set"]
    missed = []
    columns = "".join(f" {name}, ns | loop / {name} |" for name in sets)
    print(f"| {ROWS} rows, ns a row | loop, ns |{columns} goal | share of a step |")
    print("|---|---|" + "---|---|" * len(sets) + "---|---|")
    for name, family in FAMILIES.items():
        loop = np.array(measured[name, "loop", ROWS])
        cells = [name, f"{np.median(loop):.1f}"]
        for kernels in sets:
            ours = np.array(measured[name, kernels, ROWS])
            ratio = loop / ours
            cells += [f"{np.median(ours):.2f}", spread(ratio, 1)]
            if np.median(ratio) < family.goal:
                missed.append(f"{name} ({kernels}: {np.median(ratio):.1f} of {family.goal})")
        share = 1e-9 * BATCH * np.array(measured[name, in_use, BATCH]) / steps[name]
        if np.median(share) > MOST_OF_A_STEP:
            missed.append(f"{name} ({100 * np.median(share):.1f} % of a step)")
        cells += [str(family.goal), f"{100 * np.median(share):.1f} %"]
        print("| " + " | ".join(cells) + " |")
    print(f"\nBelow the goal: {', '.join(missed) or 'none'}.")
    print(
        f"Share of a 32-128-128 training step, batch {BATCH}, with the kernel set {in_use}: ",
        end="",
    )
    everything = np.concatenate(list(steps.values()))
    print(f"a step takes {spread(1e6 * everything, 0)} us.")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    settle_on_one_core()
    warn_if_busy()

    sets = kernel_sets()
    measured: dict[tuple[str, str, int], list[float]] = {}
    likelihoods: dict[tuple[str, str, int], Likelihood] = {}
    steps: dict[str, list[float]] = {name: [] for name in FAMILIES}
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(folder)
    for name, family in FAMILIES.items():
        y = family.draw((ROWS, family.targets))
        raw = np.array(family.center) + 0.3 * REAL((ROWS, len(family.center)))
        for rows in (ROWS, BATCH):
            data = np.hstack([y, raw])[:rows]
            by_hand = likelihoods[name, "loop", rows] = Likelihood(library, name, None, data)
            for kernels, path in sets.items():
                ours = likelihoods[name, kernels, rows] = Likelihood(library, name, path, data)
                check(name, by_hand, ours)
        step(family)  # to warm up
    for _ in range(rounds):
        for name, family in FAMILIES.items():
            steps[name].append(step(family))
            for key, likelihood in likelihoods.items():
                if key[0] == name and key[1:] != ("loop", BATCH):
                    measured.setdefault(key, []).append(likelihood.nanoseconds())
    print_tables(list(sets), measured, {name: np.array(values) for name, values in steps.items()})
    print(f"Medians and quartiles of {rounds} rounds; load {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
