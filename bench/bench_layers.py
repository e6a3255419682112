"""What dropout and normalisation cost a training step.

    python bench/bench_layers.py [--rounds 15]

README.md beside this file says how it is measured and how to read it.
"""

import argparse
from collections.abc import Callable

import likely
import numpy as np
from figures import spread
from machine import settle_on_one_core, warn_if_busy

BATCH = 128
WIDTHS = (784, 256, 128, 10)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((50 * BATCH, WIDTHS[0]), dtype=np.float32)
CLASSES = RNG.integers(0, WIDTHS[-1], len(X))

Extra = Callable[[], list[likely.Layer]]


def classifier(before: Extra = list, after: Extra = list, activation: str = "relu") -> float:
    """Microseconds of a step with other layers before the first and after each hidden one."""
    layers = before()
    for width in WIDTHS[1:-1]:
        layers += [likely.Dense(width, activation), *after()]
    network = likely.Network(WIDTHS[0], 1, layers, likely.Categorical(WIDTHS[-1]))
    history = likely.Trainer("adam", BATCH, epochs=1).fit(network, X, CLASSES)
    return 1e6 * history.seconds / history.steps


ROWS: dict[str, Callable[[], float]] = {
    "plain": classifier,
    "Dropout(0.5) on hidden layers": lambda: classifier(after=lambda: [likely.Dropout(0.5)]),
    "Dropout(0.2) on inputs too": lambda: classifier(
        lambda: [likely.Dropout(0.2)], lambda: [likely.Dropout(0.5)]
    ),
    "BatchNorm after the activation": lambda: classifier(after=lambda: [likely.BatchNorm()]),
    "BatchNorm before the activation": lambda: classifier(
        after=lambda: [likely.BatchNorm(activation="relu")], activation="identity"
    ),
    "LayerNorm after the activation": lambda: classifier(after=lambda: [likely.LayerNorm()]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    settle_on_one_core()
    warn_if_busy()

    measured: dict[str, list[float]] = {name: [] for name in ROWS}
    for step in ROWS.values():
        step()  # to warm up
    for _ in range(rounds):
        for name, step in ROWS.items():
            measured[name].append(step())
    microseconds = {name: np.array(values) for name, values in measured.items()}

    print(f"| {'-'.join(map(str, WIDTHS))}, Adam, batch {BATCH} | likely, us | / plain |")
    print("|---|---|---|")
    for name in ROWS:
        ratio = microseconds[name] / microseconds["plain"]
        print(f"| {name} | {spread(microseconds[name], 0)} | {spread(ratio, 2)} |")
    print(f"\nMedians and quartiles of {rounds} rounds, each row once a round.")


if __name__ == "__main__":
    main()
