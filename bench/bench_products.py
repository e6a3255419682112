"""The products of dense layers: their share of the peak, and the constants that cut them.

    python bench/bench_products.py [--sets v4 v3] [--rounds 5]              # shares of the peak
    python bench/bench_products.py --alternatives [--write]                 # what blocking.hpp says

README.md beside this file says how it is measured and how to read it.
"""

import argparse
import ctypes
import itertools
import math
import os
import re
import shutil
import site
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from machine import compiled, on_one_core, settle_on_one_core, warn_if_busy

HERE = Path(__file__).parent
CPP = HERE.parent / "cpp"
BLOCKING = CPP / "src/kernels/blocking.hpp"
FLAGS = (
    "-std=c++20 -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fPIC -shared "
    "-fvisibility=hidden -w -DEigen=likely_eigen"
)
SOURCES = (str(HERE / "products.cpp"), str(CPP / "src/memory.cpp"))
PRODUCTS = ("forward", "weights", "inputs")
SECONDS = 1e-3  # of a round, at least
# A constant keeps its value unless another one takes less than so much of the time.
WORTH_IT = 0.99

ALTERNATIVES = {
    "deepest": (64, 128, 256),
    "block_rows": (128, 256, 512, 1024),
    "far_bytes": (0, 1 << 18, 1 << 20, 1 << 40),
    "crowding": (1024, 2048, 4096, 1 << 40),
    "copied_from": (8, 32, 128, 1 << 40),
    "narrow_from": (0, 16, 32, 64, 1 << 40),
    "widest_of_32": (3, 4),
    "widest_of_32_by_columns": (2, 3, 4),
    "widest_of_16": (2, 3),
    "widest_of_16_by_columns": (1, 2),
}
# The layers of the networks in rows.py, and sizes that double, with and without page-wide rows.
LAYERS = (
    *((32, 10, 50), (32, 64, 64), (100, 100, 100), (128, 32, 128), (128, 128, 128)),
    *((128, 784, 256), (128, 256, 128), (256, 784, 512), (256, 512, 512), (1024, 100, 1024)),
    *((128, 128, 2), (128, 128, 10), (128, 50, 2), (256, 33, 65)),
    *((1024, 1024, 1024), (1024, 1000, 1000), (512, 512, 2048), (512, 2048, 512)),
)
WIDTHS = (3, 7, 17, 33, 65, 100, 300)
BATCHES = (1, 2, 8, 32, 100, 512, 4096)
Shape = tuple[int, int, int]
Seconds = Callable[[int, Shape, int], float]


def eigen() -> str:
    for place in (os.environ.get("EIGEN", ""), *cmeel(), "/usr/include/eigen3"):
        if place and (Path(place) / "Eigen/Core").exists():
            return place
    raise SystemExit("Eigen is not found: set EIGEN to the folder that holds Eigen/Core")


def cmeel() -> Iterable[str]:
    found = shutil.which("cmeel")
    if found:
        answer = subprocess.run([found, "include"], capture_output=True, text=True).stdout.strip()
        yield f"{answer}/eigen3"
    for folder in site.getsitepackages():
        yield f"{folder}/cmeel.prefix/include/eigen3"


def library(folder: Path, name: str, kernel_set: str, header: str) -> Seconds:
    """The products, with `header` for blocking.hpp."""
    source = folder / name
    shutil.copytree(CPP / "src", source)
    (source / "kernels/blocking.hpp").write_text(header, "utf-8")
    target = folder / f"{name}-{kernel_set}.so"
    command = [os.environ.get("CXX", "c++"), *FLAGS.split(), f"-march=x86-64-{kernel_set}"]
    command += [f"-I{source}", f"-I{CPP / 'include'}", "-isystem", eigen()]
    subprocess.run([*command, *SOURCES, "-o", str(target)], check=True)
    shutil.rmtree(source)
    function = ctypes.CDLL(str(target)).seconds
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_int, *[ctypes.c_int64] * 4, ctypes.c_int]

    def seconds(product: int, shape: Shape, rounds: int) -> float:
        calls = max(1, round(SECONDS / (2e-11 * math.prod(shape) + 2e-7)))
        return float(function(product, *shape, calls, rounds))

    return seconds


def with_value(header: str, name: str, value: int) -> str:
    return re.sub(rf"\b{name} = \d+\b", f"{name} = {value}", header)


def value_of(header: str, name: str) -> int:
    match = re.search(rf"\b{name} = (\d+)\b", header)
    if match is None:
        raise SystemExit(f"{BLOCKING.name} has no constant {name}")
    return int(match[1])


def matters(name: str, kernel_set: str) -> bool:
    return "_of_" not in name or ("_of_32" in name) == (kernel_set == "v4")


def compare(folder: Path, name: str, sets: list[str], rounds: int, header: str) -> int:
    """Prints what each value takes of the time of the present one; returns the best value."""
    present = value_of(header, name)
    values = sorted({*ALTERNATIVES[name], present})
    ratios: dict[int, list[float]] = {value: [] for value in values}
    for kernel_set in sets:
        if not matters(name, kernel_set):
            continue
        sides = {
            value: library(folder, f"{name}{value}", kernel_set, with_value(header, name, value))
            for value in values
        }
        for shape, product in itertools.product(LAYERS, range(3)):
            taken: dict[int, list[float]] = {value: [] for value in values}
            for _, value in itertools.product(range(rounds), values):
                taken[value].append(sides[value](product, shape, 3))
            of = {value: statistics.median(taken[value]) for value in values}
            for value in values:
                ratios[value].append(of[value] / of[present])
            if max(of.values()) > 1.05 * of[present] or min(of.values()) < 0.95 * of[present]:
                line = "  ".join(f"{v}: {of[v] / of[present]:.2f}" for v in values)
                print(f"  {kernel_set} {shape} {PRODUCTS[product]:8} {line}", flush=True)
    if not ratios[present]:
        return present
    mean = {value: math.exp(statistics.fmean(map(math.log, ratios[value]))) for value in values}
    for value in values:
        note = " (present)" if value == present else ""
        worst, best = max(ratios[value]), min(ratios[value])
        print(f"{name} {value}: {mean[value]:.3f} of the time, {best:.2f} to {worst:.2f}{note}")
    best_value = min(values, key=mean.__getitem__)
    return best_value if mean[best_value] < WORTH_IT else present


def shares(folder: Path, sets: list[str], rounds: int, header: str) -> None:
    shapes = [*LAYERS, *((b, w, w) for b in BATCHES for w in WIDTHS)]
    for kernel_set in sets:
        peak = compiled(
            HERE / "multiply_add_peak.cpp",
            folder / f"peak-{kernel_set}",
            f"-march=x86-64-{kernel_set}",
        )
        if peak is None:
            raise SystemExit("no peak without a compiler")
        side = library(folder, "present", kernel_set, header)
        best = max(float(on_one_core(peak)) for _ in range(3))
        print(f"{kernel_set}: peak {best / 1e9:.1f} GFLOP/s; percent of it")
        print(f"{'rows x inputs x outputs':>24} " + " ".join(f"{p:>8}" for p in PRODUCTS))
        for shape in shapes:
            least = 2 * math.prod(shape) / best
            taken = [side(product, shape, 2 * rounds + 1) for product in range(3)]
            name = " x ".join(map(str, shape))
            print(f"{name:>24} " + " ".join(f"{100 * least / t:8.1f}" for t in taken), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--sets", nargs="+", default=["v4", "v3"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alternatives", nargs="*", metavar="CONSTANT")
    parser.add_argument("--write", action="store_true", help="the best values into blocking.hpp")
    arguments = parser.parse_args()
    warn_if_busy()
    header = BLOCKING.read_text("utf-8")
    with tempfile.TemporaryDirectory() as name:
        settle_on_one_core()
        if arguments.alternatives is None:
            return shares(Path(name), arguments.sets, arguments.rounds, header)
        for constant in arguments.alternatives or ALTERNATIVES:
            best = compare(Path(name), constant, arguments.sets, arguments.rounds, header)
            header = with_value(header, constant, best)
    if arguments.write:
        BLOCKING.write_text(header, "utf-8")
    return None


if __name__ == "__main__":
    main()
