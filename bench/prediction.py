"""Prediction: one row at a time, from Python and from C++, and many rows in a call."""

import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import ENVIRONMENTS, ROOT, Team, Worker, say
from bench.machine import compiled, on_one_core
from bench.rows import Row, first_parameters

CALLS = 2000
MANY = {1024: 20, 100_000: 1}  # rows of a call: calls in a turn
DISTINCT_ROWS = 256


def measure(
    rows: Sequence[Row], team: Team, rounds: int, many: Sequence[int] = tuple(MANY)
) -> dict[str, list[dict[str, Any]]]:
    """`one_row`: seconds of a call at worker.QUANTILES; `many_rows`: seconds of a call."""
    one_row, many_rows = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = cpp_program(folder)
        for row in rows:
            able = prepare(row, team, folder)
            one_row.append(one(row, able, rounds, folder, program))
            for count in many:
                many_rows.append(several(row, able, rounds if count < 1e4 else 3, count, folder))
    return {"one_row": one_row, "many_rows": many_rows}


def prepare(row: Row, team: Team, folder: Path) -> list[Worker]:
    """Those that predict such a network, once all agree on what they predict."""
    rng = np.random.default_rng(0)
    np.save(folder / "parameters.npy", first_parameters(row, rng))
    np.save(folder / "x.npy", rng.standard_normal((DISTINCT_ROWS, row.inputs), np.float32))
    request: dict[str, Any] = {"row": row.as_json(), "parameters": folder / "parameters.npy"}
    able = [worker for worker in team.workers if worker.ask("prepare_predict", **request)["known"]]
    expected = None
    for worker in able:
        worker.ask("predict", x=folder / "x.npy", out=folder / "out.npy")
        result = np.load(folder / "out.npy").reshape(DISTINCT_ROWS, row.outputs)
        if row.loss == "cross-entropy" and worker.peer != "sklearn":  # which gives probabilities
            result = np.exp(result) / np.exp(result).sum(axis=1, keepdims=True)
        expected = result if expected is None else expected
        np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4, err_msg=worker.title)
    return able


def one(
    row: Row, able: Sequence[Worker], rounds: int, folder: Path, program: Path | None
) -> dict[str, Any]:
    seconds: dict[str, list[Any]] = {worker.title: [] for worker in able}
    if program is not None:
        seconds["likely, C++"] = []
        save_model(row, folder)
    for _ in range(rounds):
        for worker in able:
            answer = worker.ask("latency", x=folder / "x.npy", calls=CALLS)
            seconds[worker.title].append(answer["seconds"])
        if program is not None:
            text = on_one_core(program, str(folder / "model.safetensors"), str(10 * CALLS))
            seconds["likely, C++"].append([float(line) for line in text.splitlines()])
    medians = {peer: np.median(values, axis=0) for peer, values in seconds.items()}
    figures = ", ".join(f"{peer} {1e6 * value[1]:.3g}" for peer, value in medians.items())
    say(f"  one row, {row.network}: {figures} us")
    entrants = [{"peer": peer, "seconds": values} for peer, values in seconds.items()]
    return {"row": row.as_json(), "entrants": entrants}


def several(
    row: Row, able: Sequence[Worker], rounds: int, count: int, folder: Path
) -> dict[str, Any]:
    rng, file = np.random.default_rng(1), folder / "many.npy"
    np.save(file, rng.standard_normal((count, row.inputs), np.float32))
    seconds: dict[str, list[float]] = {worker.title: [] for worker in able}
    for turn in range(rounds + 1):
        for worker in able:
            taken = worker.ask("throughput", x=file, repetitions=MANY[count])["seconds"]
            if turn > 0:  # the first one is to warm up
                seconds[worker.title].append(taken)
    file.unlink()
    rates = {peer: 1e-3 * count / np.median(values) for peer, values in seconds.items()}
    figures = ", ".join(f"{peer} {value:.4g}" for peer, value in rates.items())
    say(f"  {count} rows, {row.network}: {figures} thousand rows/s")
    entrants = [{"peer": peer, "seconds": values} for peer, values in seconds.items()]
    return {"row": row.as_json(), "rows": count, "entrants": entrants}


def save_model(row: Row, folder: Path) -> None:
    from bench.peers.likely import network

    model = network(row)
    model.parameters = np.load(folder / "parameters.npy")
    model.save(folder / "model.safetensors")


def cpp_program(folder: Path) -> Path | None:
    """predict.cpp with the C++ library, which is built for it; None where that cannot be."""
    cmake = shutil.which("cmake", path=sysconfig.get_path("scripts")) or shutil.which("cmake")
    if cmake is None:
        say("CMake is missing: prediction from C++ is not measured")
        return None
    core = ENVIRONMENTS / "core"
    configure = [cmake, "-S", str(ROOT), "-B", str(core), "-DCMAKE_BUILD_TYPE=Release"]
    configure.append(f"-DCMAKE_PREFIX_PATH={sysconfig.get_path('purelib')}")
    say("  building the C++ library, a minute or two the first time")
    for command in (configure, [cmake, "--build", str(core), "--parallel", "2"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            say(f"prediction from C++ is not measured; {' '.join(command)}:\n{done.stderr[-2000:]}")
            return None
    include, library = f"-I{ROOT / 'cpp/include'}", str(core / "liblikely.a")
    return compiled(ROOT / "bench/predict.cpp", folder / "predict", include, library, "-pthread")
