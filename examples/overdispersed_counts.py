"""Counts that vary more than a Poisson distribution can: a negative binomial beside it.

Each count is Poisson, but of a rate that varies from row to row (by a gamma distribution) for
reasons that are not in the data. Both models find the mean. The Poisson model takes its root for
the deviation; the negative binomial learns how much wider the counts are, and its intervals hold.
"""

from functools import cache

import likely
import numpy as np
from scipy import stats

from examples._data import Array
from examples._report import Line, compare, show

BIAS, WEIGHT, TOTAL_COUNT = 1.0, 0.8, 2.0
FAMILIES = {"Poisson": likely.Poisson(), "NegativeBinomial": likely.NegativeBinomial()}
AT = np.array([[-1.0], [0.0], [1.0]])


def truth(x: Array):
    mean = np.exp(BIAS + WEIGHT * np.ravel(x))
    return stats.nbinom(TOTAL_COUNT, TOTAL_COUNT / (TOTAL_COUNT + mean))


@cache
def counts(rows: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.RandomState(seed)
    x = rng.uniform(-1, 1, size=(rows, 1))
    rates = rng.gamma(TOTAL_COUNT, np.exp(BIAS + WEIGHT * x[:, 0]) / TOTAL_COUNT)
    return x, rng.poisson(rates).astype(float)


@cache
def fitted(name: str) -> likely.Network:
    network = likely.Network(1, distribution=FAMILIES[name], dtype="float64")
    optimizer = likely.Adam(learning_rate=0.05)
    trainer = likely.Trainer(optimizer, batch_size=500, epochs=40, schedule=likely.CosineDecay())
    trainer.fit(network, *counts(4000, seed=0))
    return network


def covered(quantiles, y: Array) -> float:
    """How many counts are within the central 90 %, of which whole numbers hold some more."""
    return float(np.mean((quantiles(0.05) <= y) & (y <= quantiles(0.95))))


def run() -> list[Line]:
    x, y = counts(20_000, seed=1)
    lines, losses, exact = [], {}, truth(x)
    for name in FAMILIES:
        d = fitted(name).predict_distribution(AT)
        losses[name] = fitted(name).loss(x, y)
        lines.append(compare(f"{name}: mean at -1, 0, 1", truth(AT).mean(), d.mean,
                             digits=2, within=0.25))  # fmt: skip
        wanted = truth(AT).std() if name == "NegativeBinomial" else np.sqrt(truth(AT).mean())
        lines.append(compare(f"{name}: deviation at -1, 0, 1", wanted, d.std,
                             digits=2, within=0.25))  # fmt: skip
        share = covered(fitted(name).predict_distribution(x).quantile, y)
        wanted = covered(exact.ppf, y)
        if name == "Poisson":  # a Poisson model with the true mean
            wanted = covered(stats.poisson(exact.mean()).ppf, y)
        lines.append(compare(f"{name}: new counts in its 90 % interval", wanted, share,
                             digits=3, within=0.02))  # fmt: skip
    total_count = fitted("NegativeBinomial").predict_distribution(AT).params["total_count"]
    lines.append(compare("NegativeBinomial: total count at -1, 0, 1", [TOTAL_COUNT] * 3,
                         total_count, digits=2, within=0.4))  # fmt: skip
    lines.append(compare("NegativeBinomial: loss on new counts, of the truth",
                         -exact.logpmf(y).mean(), losses["NegativeBinomial"],
                         digits=3, within=0.005))  # fmt: skip
    wider = -stats.poisson(exact.mean()).logpmf(y).mean()
    lines.append(compare("Poisson: loss on new counts, of the true mean", wider,
                         losses["Poisson"], digits=3, within=0.02))  # fmt: skip
    return lines


def draw(figure) -> None:
    import likely.plot

    figure.set_size_inches(10, 4.2)
    x, y = counts(4000, seed=0)
    for axes, name in zip(figure.subplots(1, 2, sharey=True), FAMILIES, strict=True):
        likely.plot.fan(fitted(name), x[:400], y[:400], axes=axes)
        share = covered(fitted(name).predict_distribution(x).quantile, y)
        title = f"{name}: {100 * share:.0f} % of counts in its 90 % band"
        axes.set(xlabel="x", ylabel="count", title=title, ylim=(-0.5, 25))


if __name__ == "__main__":
    show(run())
