"""Where the plain likelihood leaves a mean unfitted, and what each option of `stabilize` does.

    python bench/bench_stabilize.py [--seeds 7] [--picture FILE.png]

README.md beside this file says what the data are and how to read the table.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import likely
import numpy as np
from figures import spread
from numpy.typing import NDArray

Array = NDArray[np.float64]
OPTIONS = (None, "warmup", "beta", "faithful", "natural")
LEARNING_RATES = (1e-3, 2e-3)


@dataclass(frozen=True)
class Problem:
    """y = mean(x) + std(x) * (a standard normal number), x uniform on a range."""

    name: str
    mean: Callable[[Array], Array]
    std: Callable[[Array], Array]
    end: float
    drawn_rate: float

    def sample(self, seed: int) -> tuple[Array, Array]:
        rng = np.random.default_rng(seed)
        x = rng.uniform(0, self.end, 500)
        return x, self.mean(x) + self.std(x) * rng.standard_normal(500)

    def grid(self) -> Array:
        return np.linspace(0, self.end, 1001)

    def fit(self, option: str | None, rate: float, seed: int) -> likely.Network:
        layers = [likely.Dense(64, "tanh"), likely.Dense(64, "tanh")]
        network = likely.Network(1, layers=layers, standardize=True, seed=seed)
        trainer = likely.Trainer(
            likely.Adam(learning_rate=rate), batch_size=50, epochs=1200, seed=seed,
            schedule="cosine_decay", stabilize=option,
        )  # fmt: skip
        trainer.fit(network, *self.sample(seed))
        return network

    def scores(self, network: likely.Network) -> tuple[float, float, float]:
        """Over x: RMSE of the mean and of log(std), expected loss less that of the truth."""
        x = self.grid()
        truth, fitted = self.std(x), network.predict_distribution(x)
        error, ratio = fitted.mean - self.mean(x), np.log(fitted.std / truth)
        # The Kullback-Leibler divergence of the fitted normal distribution from the true one.
        excess = ratio + ((truth**2 + error**2) / fitted.std**2 - 1) / 2
        rmse, rmse_ratio = np.sqrt(np.mean(error**2)), np.sqrt(np.mean(ratio**2))
        return float(rmse), float(rmse_ratio), float(np.mean(excess))


PROBLEMS = (
    Problem(
        "sine, constant noise",
        mean=lambda x: 0.4 * np.sin(2 * np.pi * x),
        std=lambda x: np.full_like(x, 0.01),
        end=3.0,
        drawn_rate=2e-3,
    ),
    Problem(
        "growing sine, growing noise",
        mean=lambda x: x * np.sin(x),
        std=lambda x: 0.3 * np.sqrt(1 + x**2),
        end=10.0,
        drawn_rate=1e-3,
    ),
)
Fitted = dict[tuple[str, float, str | None], list[likely.Network]]


def label(option: str | None) -> str:
    return "plain" if option is None else f'"{option}"'


def draw(fitted: Fitted, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 6.4), layout="constrained", dpi=110)
    rows = figure.subplots(len(PROBLEMS), len(OPTIONS), sharex="row", sharey="row")
    for axes_of_row, problem in zip(rows, PROBLEMS, strict=True):
        x = problem.grid()
        mean, std = problem.mean(x), problem.std(x)
        for axes, option in zip(axes_of_row, OPTIONS, strict=True):
            network = fitted[problem.name, problem.drawn_rate, option][0]
            d = network.predict_distribution(x)
            axes.plot(*problem.sample(0), ".", color="0.6", markersize=2, label="data")
            axes.fill_between(
                x, d.mean - 2 * d.std, d.mean + 2 * d.std,
                color="tab:blue", alpha=0.25, linewidth=0, label="fitted: mean, 2 deviations",
            )  # fmt: skip
            axes.plot(x, d.mean, color="tab:blue", linewidth=1.5)
            axes.plot(x, mean, color="black", linewidth=1, label="truth: mean, 2 deviations")
            for sign in (-2, 2):
                axes.plot(x, mean + sign * std, color="black", linewidth=0.8, linestyle=":")
            rmse = problem.scores(network)[0]
            axes.set_title(f"{label(option)}: RMSE of the mean {rmse:.3f}", fontsize=10)
            low, high = (mean - 3 * std).min(), (mean + 3 * std).max()
            room = 0.1 * (high - low)
            axes.set(xlabel="x", xlim=(0, problem.end), ylim=(low - room, high + room))
        axes_of_row[0].set_ylabel(f"{problem.name}\nlearning rate {problem.drawn_rate:g}")
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, markerscale=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the first seed's fits")
    arguments = parser.parse_args()
    fitted: Fitted = {}
    print("| data | rate | stabilize | RMSE of the mean | RMSE of log(std) | loss, excess |")
    print("|---|---|---|---|---|---|")
    for problem in PROBLEMS:
        for rate in LEARNING_RATES:
            for option in OPTIONS:
                networks = [problem.fit(option, rate, seed) for seed in range(arguments.seeds)]
                fitted[problem.name, rate, option] = networks
                rmse, ratio, excess = np.array([problem.scores(n) for n in networks]).T
                cells = [problem.name, f"{rate:g}", label(option),
                         spread(rmse, 3), spread(ratio, 2), spread(excess, 3)]  # fmt: skip
                print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\nMedians and quartiles over {arguments.seeds} seeds of data, weights and batches.")
    if arguments.picture is not None:
        draw(fitted, arguments.picture)


if __name__ == "__main__":
    main()
