"""Runs in a peer's own interpreter: answers requests, one JSON object a line, until its input ends.

    python -m bench.worker PEER THREADS

Between two requests it sleeps in a read. What libraries print goes to the standard error.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import IO, Any

import numpy as np

from bench.peers.base import Peer, Training
from bench.rows import Data, row_from_json

QUANTILES = (0.25, 0.5, 0.75, 0.99)


class Worker:
    """Each method is a request of this name, its arguments those of the request."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._training: Training | None = None
        self._predict: Any = None

    def prepare(self, row: dict[str, Any], data: str) -> dict[str, Any]:
        """Whether this peer can train such a network."""
        self._training = None
        gc.collect()
        self._training = self._peer.training(row_from_json(row), Data.load(data))
        return {"known": self._training is not None}

    def epoch(self, steps: int) -> dict[str, Any]:
        assert self._training is not None
        gc.collect()
        with collecting_later():
            seconds, loss = self._training.epoch(steps)
        return {"seconds": seconds, "loss": loss}

    def parameters(self, file: str) -> dict[str, Any]:
        """Writes them, as they are after the last epoch."""
        assert self._training is not None
        np.save(file, self._training.parameters())
        return {}

    def prepare_predict(self, row: dict[str, Any], parameters: str) -> dict[str, Any]:
        self._predict = None
        gc.collect()
        self._predict = self._peer.predict(row_from_json(row), np.load(parameters))
        return {"known": self._predict is not None}

    def predict(self, x: str, out: str) -> dict[str, Any]:
        np.save(out, np.asarray(self._predict(np.load(x))))
        return {}

    def latency(self, x: str, calls: int) -> dict[str, Any]:
        """Seconds of a call for one row each, at QUANTILES, less those of looking at the clock."""
        rows = np.load(x)
        singles = [rows[i : i + 1] for i in range(len(rows))]
        predict, clock = self._predict, time.perf_counter_ns
        taken = np.empty(calls, np.int64)
        empty = np.empty(calls, np.int64)
        with collecting_later():
            for i in range(calls):
                start = clock()
                empty[i] = clock() - start
            for i in range(calls):
                row = singles[i % len(singles)]
                start = clock()
                predict(row)
                taken[i] = clock() - start
        seconds = 1e-9 * (np.quantile(taken, QUANTILES) - np.median(empty))
        return {"seconds": seconds.tolist()}

    def throughput(self, x: str, repetitions: int) -> dict[str, Any]:
        """Seconds of a call with all these rows, the mean of so many."""
        rows = np.load(x)
        with collecting_later():
            start = time.perf_counter()
            for _ in range(repetitions):
                self._predict(rows)
            seconds = time.perf_counter() - start
        return {"seconds": seconds / repetitions}

    def product(self) -> dict[str, Any]:
        """Operations a second of NumPy's product of 1024 x 1024, the best of some."""
        a = np.ones((1024, 1024), np.float32)
        out, best = np.empty_like(a), np.inf
        for _ in range(10):
            start = time.perf_counter()
            np.dot(a, a, out=out)
            best = min(best, time.perf_counter() - start)
        return {"rate": 2 * 1024**3 / best}

    def memory(self) -> dict[str, Any]:
        """The largest resident set so far, in bytes; what getrusage says may be its parent's."""
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
            kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
            return {"bytes": 1024 * int(kilobytes)}
        except (OSError, StopIteration):
            unit = 1 if sys.platform == "darwin" else 1024
            return {"bytes": unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}

    def load(self, data: str) -> dict[str, Any]:
        """Nothing but the data."""
        Data.load(data)
        return {}


@contextlib.contextmanager
def collecting_later() -> Any:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def answers() -> IO[str]:
    """The standard output, which nothing else can write to from now on."""
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return own


def main(name: str, threads: int) -> None:
    out = answers()

    def answer(values: dict[str, Any]) -> None:
        print(json.dumps(values), file=out, flush=True)

    try:
        peer = importlib.import_module(f"bench.peers.{name}")
    except ImportError as error:
        return answer({"missing": str(error)})
    peer.use_threads(threads)
    answer({"title": peer.title, "version": peer.version()})
    worker = Worker(peer)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer(getattr(worker, request.pop("do"))(**request))
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
