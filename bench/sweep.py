"""Shapes that no table has: odd widths, deep networks, single rows, large batches."""

import itertools
import random
import time
from typing import Any

import numpy as np

from bench.contest import Team, say
from bench.rows import Row, perceptron
from bench.training import contest

WIDTHS = (3, 7, 17, 33, 65, 100, 300)
DEPTHS = (1, 2, 3, 5, 10)
BATCHES = (1, 2, 8, 32, 128, 1024, 4096)
OPERATIONS = 1e9  # of an epoch
NUMBERS = 4e6  # of the data


def shapes() -> list[Row]:
    """The whole grid, in an order that is random and always the same."""
    rows = []
    for width, depth, batch in itertools.product(WIDTHS, DEPTHS, BATCHES):
        row = Row(perceptron((*(width,) * (depth + 1), 2)), batch, "normal")
        steps = min(1000, OPERATIONS / row.operations, NUMBERS / (batch * width))
        title = f"{depth} x {width}"
        rows.append(Row(row.layers, batch, "normal", steps=max(4, int(steps)), title=title))
    random.Random(0).shuffle(rows)
    return rows


def measure(team: Team, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """As much of the grid as can be measured in so many seconds."""
    results: list[dict[str, Any]] = []
    start = time.monotonic()
    for row in shapes():
        if time.monotonic() - start > seconds:
            break
        result = contest(row, team, rounds)
        results.append(result)
        medians = {e["peer"]: 1e6 * np.median(e["seconds"]) for e in result["entrants"]}
        figures = ", ".join(f"{peer} {value:.3g}" for peer, value in medians.items())
        say(f"  {row.name}: {figures} us")
    return results
