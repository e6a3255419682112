"""Where the time of likely's training step goes.

The compiled core is asked by the profiler `perf`, where the system has it: functions and their
share of an epoch that is repeated for some seconds. Without it, only the step's time is told.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.contest import ROOT, say
from bench.machine import pinned, with_threads
from bench.rows import Row, make_data, row_from_json

SECONDS = 4.0


def main(rows: Sequence[Row]) -> None:
    perf = shutil.which("perf")
    if perf is None:
        say("perf is not installed: only the time of a step is told")
    for row in rows:
        with tempfile.TemporaryDirectory() as name, pinned(1):
            file = Path(name) / "perf.data"
            loop = [sys.executable, "-m", "bench.profiler", str(row.as_json())]
            record = [perf, "record", "-q", "-o", str(file)] if perf else []
            print(f"## {row.name}\n", flush=True)
            subprocess.run([*record, *loop], check=True, cwd=ROOT, env=with_threads(1))
            if perf:
                show = [perf, "report", "-i", str(file), "--stdio", "-q", "--percent-limit", "1"]
                show += ["--sort", "symbol"]
                done = subprocess.run(show, check=True, capture_output=True, text=True)
                print("\n".join(line for line in done.stdout.splitlines() if line.strip()))
            print(flush=True)


def repeat(row: Row) -> None:
    from bench.peers import likely as ours

    ours.use_threads(1)
    fit = ours.training(row, make_data(row))
    best, start = float("inf"), time.monotonic()
    while time.monotonic() - start < SECONDS:
        best = min(best, fit.epoch(row.steps)[0] / row.steps)
    print(f"{1e6 * best:.3g} us a step at best, process {os.getpid()}\n")


if __name__ == "__main__":
    import ast

    repeat(row_from_json(ast.literal_eval(sys.argv[1])))
