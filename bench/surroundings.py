"""What is paid beside a step: importing, disk space, and memory while training."""

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import ENVIRONMENTS, ROOT, Missing, Worker, interpreter, say
from bench.machine import pinned
from bench.rows import Row, make_data, perceptron

MODULES = {"numpy": "numpy", "likely": "likely", "jax": "jax", "torch": "torch",
           "sklearn": "sklearn.neural_network", "onnxruntime": "onnxruntime"}  # fmt: skip
MEMORY = Row(perceptron((32, 128, 128, 2)), 128, "normal", steps=782)  # 100,096 rows

# Of all that stands in an environment, less what likely needs too, or measuring alone needs.
SIZE = """
from importlib.metadata import distributions
without = {"numpy", "pip", "setuptools", "wheel", "onnx"}
files = {f.locate() for d in distributions() if d.name not in without for f in d.files or ()}
print(sum(f.stat().st_size for f in files if f.suffix != ".pyc" and f.is_file()))
"""
OWN_SIZE = """
import likely, likely._core
from pathlib import Path
folders = {Path(m.__file__).parent for m in (likely, likely._core)}
files = {f for folder in folders for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc"}
print(sum(f.stat().st_size for f in files))
"""


def measure(peers: Sequence[str], rounds: int) -> dict[str, Any]:
    """Each by the name of the peer; seconds less those of starting Python, and bytes."""
    sizes: dict[str, int] = {}
    if "likely" in peers:
        sizes["likely"] = int(run("likely", OWN_SIZE))
    for peer in peers:
        if (ENVIRONMENTS / peer).exists():
            sizes[peer] = int(run(peer, SIZE))
    wheels = list((ROOT / ".venv/wheel").glob("*.whl"))
    result = {
        "import": imports(peers, rounds),
        "installed": sizes,
        "wheel": wheels[0].stat().st_size if wheels else None,
        "memory": memory([peer for peer in peers if peer != "onnxruntime"]),
    }
    say(f"  installed, MB: { {k: round(1e-6 * v, 1) for k, v in sizes.items()} }")
    return result


def run(peer: str, code: str) -> str:
    command = [interpreter(peer), "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


def imports(peers: Sequence[str], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {peer: [] for peer in peers}
    for turn in range(rounds + 1):
        for peer in peers:
            with pinned(1):
                start = time.perf_counter()
                run(peer, "")
                empty = time.perf_counter()
                run(peer, f"import {MODULES[peer]}")
                taken = time.perf_counter() - empty - (empty - start)
            if turn > 0:  # the first one reads from the disk
                seconds[peer].append(taken)
    figures = ", ".join(f"{peer} {np.median(values):.3f}" for peer, values in seconds.items())
    say(f"  import: {figures} s")
    return seconds


def memory(peers: Sequence[str]) -> dict[str, int]:
    """Of an epoch; "data" is NumPy with the data alone."""
    used: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "data.npz"
        make_data(MEMORY).save(file)
        with Worker("numpy", 1) as worker:
            worker.ask("load", data=file)
            used["data"] = worker.ask("memory")["bytes"]
        for peer in peers:
            try:
                with Worker(peer, 1) as worker:
                    if worker.ask("prepare", row=MEMORY.as_json(), data=file)["known"]:
                        worker.ask("epoch", steps=MEMORY.steps)
                        used[peer] = worker.ask("memory")["bytes"]
            except Missing:
                continue
    say(f"  memory, MB: { {k: round(1e-6 * v) for k, v in used.items()} }")
    return used
