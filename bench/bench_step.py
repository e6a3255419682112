"""One training step of likely against NumPy by hand, as ratios from one run.

    python bench/bench_step.py [--rounds 15]

README.md beside this file says how it is measured and how to read it.
"""

import argparse
import itertools
import sys
import time
from dataclasses import dataclass

import likely
import numpy as np
from machine import Peak, settle_on_one_core, warn_if_busy
from numpy_step import Step


@dataclass(frozen=True)
class Task:
    widths: tuple[int, ...]
    batch: int
    steps: int
    """In an epoch: as many as take some tens of milliseconds, over data of a few megabytes."""

    @property
    def categorical(self) -> bool:
        return self.widths[-1] > 2

    @property
    def name(self) -> str:
        loss = "cross-entropy" if self.categorical else "Normal NLL"
        return f"{'-'.join(map(str, self.widths))}, {loss}, batch {self.batch}"

    @property
    def flops(self) -> int:
        """Multiplications and additions of the three products of every layer.

        The first layer needs no gradient of its input.
        """
        weights = [a * b for a, b in itertools.pairwise(self.widths)]
        return 2 * self.batch * (3 * sum(weights) - weights[0])


TASKS = (
    Task((10, 50, 2), batch=32, steps=4000),
    Task((32, 128, 128, 2), batch=128, steps=250),
    Task((784, 256, 128, 10), batch=128, steps=50),
)


def shuffled(rows: int, seed: int) -> np.ndarray:
    """The order in which likely takes the rows of its first epoch; see docs/conventions.md."""
    purpose_shuffle = 2
    order = np.arange(rows)
    words = np.random.Philox(key=np.array([seed, purpose_shuffle], np.uint64), counter=0)
    for i, word in enumerate(words.random_raw(rows - 1).tolist()):
        j = i + (word * (rows - i) >> 64)
        order[i], order[j] = order[j], order[i]
    return order


def with_quartiles(values: np.ndarray, digits: int) -> str:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


class Contest:
    """Both sides on one task: the same data, first parameters and order of the rows."""

    def __init__(self, task: Task) -> None:
        self.task = task
        rng = np.random.default_rng(0)
        rows = task.batch * task.steps
        self.x = rng.standard_normal((rows, task.widths[0]), dtype=np.float32)
        self.x_with_ones = np.column_stack([self.x, np.ones(rows, np.float32)])
        signal = self.x @ rng.standard_normal((task.widths[0], task.widths[-1]), dtype=np.float32)
        self.y = signal.argmax(axis=1) if task.categorical else np.tanh(signal[:, 0])
        self.batches = shuffled(rows, seed=0).reshape(task.steps, task.batch)

        family = likely.Categorical(task.widths[-1]) if task.categorical else likely.Normal()
        hidden = [likely.Dense(width, "relu") for width in task.widths[1:-1]]
        self.network = likely.Network(task.widths[0], layers=hidden, distribution=family)
        self.start = self.network.parameters.copy()
        self.trainer = likely.Trainer(likely.Adam(), batch_size=task.batch, epochs=1, seed=0)
        self.microseconds: dict[str, list[float]] = {"likely": [], "numpy": []}

    def round(self) -> None:
        """An epoch of each, from the first parameters."""
        self.network.parameters = self.start
        history = self.trainer.fit(self.network, self.x, self.y)
        self.microseconds["likely"].append(1e6 * history.seconds / history.steps)

        step = Step(self.task.widths, self.task.batch, self.start)
        x, y, losses = self.x_with_ones, self.y, []
        start = time.perf_counter()
        for rows in self.batches:
            losses.append(step(x, y, rows))
        seconds = time.perf_counter() - start
        self.microseconds["numpy"].append(1e6 * seconds / self.task.steps)
        self.check_same_work(float(history.loss[0]), float(np.mean(losses)), step.parameters)

    def check_same_work(self, loss: float, numpy_loss: float, numpy_parameters: np.ndarray) -> None:
        way = np.linalg.norm(self.network.parameters - self.start)
        apart = np.linalg.norm(self.network.parameters - numpy_parameters)
        if abs(loss - numpy_loss) > 1e-4 * abs(numpy_loss) or apart > 0.02 * way:
            sys.exit(
                f"{self.task.name}: the two sides did different work. Mean loss {loss} and "
                f"{numpy_loss}; the parameters moved by {way}, and are {apart} apart."
            )
        self.agreement = (loss, numpy_loss, apart / way)

    def row(self, peak: float) -> str:
        ours, numpys = (np.array(self.microseconds[side]) for side in ("likely", "numpy"))
        digits = 1 if np.median(ours) < 100 else 0
        floor = 1e6 * self.task.flops / peak
        cells = [
            self.task.name,
            with_quartiles(ours, digits),
            with_quartiles(numpys, digits),
            with_quartiles(numpys / ours, 2),
            f"{floor:.{digits}f}",
            f"{100 * floor / np.median(ours):.0f} %",
        ]
        return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    settle_on_one_core()
    warn_if_busy()

    peak = Peak()
    contests = [Contest(task) for task in TASKS]
    for contest in contests:
        contest.round()  # to warm up
        contest.microseconds = {"likely": [], "numpy": []}
    for _ in range(arguments.rounds):
        peak.measure()
        for contest in contests:
            contest.round()

    print("| training step, one core | likely, us | NumPy, us | NumPy / likely |", end="")
    print(" floor, us | floor / likely |\n|---|---|---|---|---|---|")
    for contest in contests:
        print(contest.row(peak.multiply_add))
    how = "by a loop of multiply-adds" if peak.compiled else "no compiler: by NumPy's product"
    print(f"\nMedians and quartiles of {arguments.rounds} rounds, each side once a round.")
    print(f"Multiply-add peak: {peak.multiply_add / 1e9:.0f} GFLOP/s, {how}.", end=" ")
    print(f"NumPy's product of 1024 x 1024: {peak.product / 1e9:.0f} GFLOP/s.")
    for contest in contests:
        loss, numpy_loss, apart = contest.agreement
        print(
            f"{contest.task.name}: mean loss of the epoch {loss:.6f} (likely), {numpy_loss:.6f} "
            f"(NumPy); the parameters end {100 * apart:.2g} % of their way apart."
        )


if __name__ == "__main__":
    main()
