"""Training steps: every peer runs epochs over the same batches, in turn."""

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import Team, Worker, say
from bench.machine import Limits
from bench.rows import Array, Row, make_data

BREATH = 0.1  # seconds before a turn on several cores, until threads of the turn before sleep
LONGEST = 0.4  # seconds of a peer's turn; a slower peer runs fewer of the epoch's batches
FEWEST_STEPS = 4
CHECKED_STEPS = 10  # rounding errors grow: after many more, equal work would not end equally
LOSS_TOLERANCE = 1e-4
WAY_TOLERANCE = 0.02
REFERENCE = "numpy"


class Entrant:
    """One worker on one row."""

    def __init__(self, worker: Worker, row: Row) -> None:
        self.worker, self.steps, self.seconds = worker, row.steps, list[float]()
        self.agrees = True
        self.loss = self.apart = 0.0

    def few_steps(self, steps: int, file: Path) -> Array:
        """A short epoch; the parameters it leads to."""
        self.loss = self.worker.ask("epoch", steps=steps)["loss"]
        self.worker.ask("parameters", file=file)
        end: Array = np.load(file)
        return end.astype(np.float64)

    def warm_up(self) -> None:
        """Two epochs, one with compilation; then perhaps fewer steps for those to come."""
        self.worker.ask("epoch", steps=self.steps)
        seconds = self.worker.ask("epoch", steps=self.steps)["seconds"]
        if seconds > LONGEST and self.worker.peer != "likely":
            few = max(FEWEST_STEPS, int(self.steps * LONGEST / seconds))
            if few < self.steps:
                self.steps = few
                self.worker.ask("epoch", steps=few)

    def turn(self) -> None:
        self.seconds.append(self.worker.ask("epoch", steps=self.steps)["seconds"] / self.steps)

    def result(self) -> dict[str, Any]:
        return {
            "peer": self.worker.title, "threads": self.worker.threads, "seconds": self.seconds,
            "steps": self.steps, "loss": self.loss, "apart": self.apart, "agrees": self.agrees,
        }  # fmt: skip


def check_same_work(entrants: Sequence[Entrant], ends: Sequence[Array], first: Array) -> None:
    """Against NumPy by hand, or the first: mean loss of the steps, and where the parameters end.

    `apart` is the distance of both ends as a share of the way from the first parameters.
    """
    peers = [entrant.worker.peer for entrant in entrants]
    chosen = peers.index(REFERENCE) if REFERENCE in peers else 0
    loss, end = entrants[chosen].loss, ends[chosen]
    way = float(np.linalg.norm(end - first))
    for entrant, other in zip(entrants, ends, strict=True):
        entrant.apart = float(np.linalg.norm(other - end)) / way
        off = abs(entrant.loss - loss) > LOSS_TOLERANCE * max(abs(loss), 0.01)
        entrant.agrees = not (off or not entrant.apart <= WAY_TOLERANCE)
        if not entrant.agrees:
            say(
                f"  {entrant.worker.title} did different work and does not count: mean loss "
                f"{entrant.loss:.6f}, {loss:.6f} expected; parameters {entrant.apart:.2%} apart"
            )


def prepare(workers: Sequence[Worker], row: Row, folder: Path) -> tuple[list[Worker], Array]:
    """Those that can train such a network, ready to do so; its first parameters."""
    data, file = make_data(row), folder / "data.npz"
    data.save(file)
    request: dict[str, Any] = {"row": row.as_json(), "data": file}
    able = [worker for worker in workers if worker.ask("prepare", **request)["known"]]
    return able, data.parameters


def contest(row: Row, team: Team, rounds: int, limits: Limits | None = None) -> dict[str, Any]:
    """With `limits`, for several cores: how far apart they are in each round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short = dataclasses.replace(row, steps=min(row.steps, CHECKED_STEPS))
        able, first = prepare(team.workers, short, folder)
        entrants = [Entrant(worker, row) for worker in able]
        ends = [entrant.few_steps(short.steps, folder / "end.npy") for entrant in entrants]
        check_same_work(entrants, ends, first)
        prepare(able, row, folder)
    for entrant in entrants:
        entrant.warm_up()
    handovers = []
    for _ in range(rounds):
        if limits and team.threads > 1:
            handovers.append(limits.handover())
        for entrant in entrants:
            if team.threads > 1:
                time.sleep(BREATH)
            entrant.turn()
    results = [entrant.result() for entrant in entrants]
    return {"row": row.as_json(), "entrants": results, "handovers": handovers}


def measure(
    rows: Sequence[Row], team: Team, rounds: int, limits: Limits, cores: int
) -> list[dict[str, Any]]:
    """The results of all rows; a line of progress each."""
    results = []
    for row in rows:
        limits.measure_peak()
        result = {"cores": cores, **contest(row, team, rounds, limits)}
        results.append(result)
        figures = ", ".join(
            f"{entrant['peer']} {1e6 * np.median(entrant['seconds']):.3g}"
            for entrant in result["entrants"]
        )
        say(f"  {row.name}: {figures} us")
    return results
