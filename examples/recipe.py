"""The recipe, for five kinds of target.

1. Choose a distribution over the domain of the target.
2. Let the network predict its parameters.
3. Minimise the negative log-likelihood.
4. Return the full distribution, or its peak.

The lectures give no figures: the data are drawn from known truths, which stand in their place.
"""

import likely
import numpy as np

from examples._data import Array
from examples._report import Line, compare, show

ROWS = 4000
AT = np.array([[-1.0], [0.0], [1.0]])
"""Where predictions are compared with the truth."""


def features(seed: int) -> tuple[np.random.RandomState, Array]:
    rng = np.random.RandomState(seed)
    return rng, rng.uniform(-2, 2, size=(ROWS, 1))


def fit(distribution: likely.Distribution, x: Array, y: Array, targets: int = 1) -> likely.Network:
    """Steps 1 to 3; inputs, and targets that are numbers, are rescaled inside the model."""
    network = likely.Network(
        1, targets, [likely.Dense(16, "tanh")], distribution, standardize=True, seed=1
    )
    optimizer, schedule = likely.Adam(learning_rate=0.01), likely.CosineDecay()
    likely.Trainer(optimizer, batch_size=100, epochs=80, schedule=schedule).fit(network, x, y)
    return network


def univariate() -> tuple[likely.Network, Array, Array]:
    """A mean and a standard deviation that both depend on x."""
    rng, x = features(seed=1)
    y = np.sin(2 * x[:, 0]) + np.exp(0.5 * x[:, 0] - 1.5) * rng.normal(size=ROWS)
    return fit(likely.Normal(), x, y), x, y


def probability(x: Array) -> Array:
    return 1 / (1 + np.exp(-3 * np.cos(2 * x[:, 0])))


def binary() -> likely.Network:
    rng, x = features(seed=2)
    return fit(likely.Bernoulli(), x, rng.uniform(size=ROWS) < probability(x))


def class_probabilities(x: Array) -> Array:
    exponentials = np.exp(np.column_stack([-2 * x[:, 0], 1 - x[:, 0] ** 2, 2 * x[:, 0]]))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def multiclass() -> likely.Network:
    rng, x = features(seed=3)
    cumulative = np.cumsum(class_probabilities(x), axis=1)
    number = np.argmax(rng.uniform(size=(ROWS, 1)) < cumulative, axis=1)
    return fit(likely.Categorical(classes=3), x, number)


def size_at(x: Array) -> Array:
    """Weight in grams and height in metres, by a feature: their means."""
    return np.column_stack([70_000 + 10_000 * np.tanh(x[:, 0]), 1.7 + 0.1 * np.sin(x[:, 0])])


DEVIATIONS = np.array([5_000, 0.05])


def multivariate(scale: str) -> likely.Network:
    """Two outputs, one 40,000 times the other, independent given x, each with its own variance."""
    rng, x = features(seed=4)
    y = size_at(x) + DEVIATIONS * rng.normal(size=(ROWS, 2))
    return fit(likely.Normal(scale=scale), x, y, targets=2)


def run() -> list[Line]:
    lines = []
    d = univariate()[0].predict_distribution(AT)
    truth = np.sin(2 * AT[:, 0])
    deviation = np.exp(0.5 * AT[:, 0] - 1.5)
    lines.append(compare("regression: mean at -1, 0, 1", truth, d.mean, 3, within=0.05))
    lines.append(compare("regression: deviation", deviation, d.std, 3, within=0.03))
    lines.append(compare("regression: its peak is its mean", d.mean, d.mode, 3, within=0))
    lower, upper = d.interval(0.9)
    lines.append(
        compare("regression: width of the 90 % interval", 2 * 1.644854 * deviation, upper - lower,
                digits=3, within=0.1)
    )  # fmt: skip

    d = binary().predict_distribution(AT)
    truth = probability(AT)
    lines.append(compare("binary: probability of 1", truth, d.params["probs"], 3, within=0.05))
    lines.append(compare("binary: its peak", truth > 0.5, d.mode, digits=0))

    d = multiclass().predict_distribution(AT)
    truth = class_probabilities(AT)
    for row, x in enumerate(AT[:, 0]):
        lines.append(
            compare(f"three classes: probabilities at {x:g}", truth[row], d.params["probs"][row],
                    digits=3, within=0.05)
        )  # fmt: skip
    lines.append(compare("three classes: its peak", truth.argmax(axis=1), d.mode, digits=0))

    for scale, name in (("shared", "constant but learned"), ("predicted", "predicted")):
        d = multivariate(scale).predict_distribution(AT)
        for column, unit, digits in ((0, "g", 0), (1, "m", 3)):
            sigma = DEVIATIONS[column]
            lines.append(
                compare(f"two outputs, deviation {name}: mean, {unit}",
                        size_at(AT)[:, column], d.mean[:, column], digits, within=0.15 * sigma)
            )  # fmt: skip
            lines.append(
                compare(f"two outputs, deviation {name}: deviation, {unit}",
                        np.full(3, sigma), d.std[:, column], digits, within=0.1 * sigma)
            )  # fmt: skip
    return lines


def draw(figure) -> None:
    import likely.plot

    figure.set_size_inches(13, 4.2)
    regression, coin, classes = figure.subplots(1, 3)
    network, x, y = univariate()
    likely.plot.bands(network, x[:500], y[:500], axes=regression)
    regression.set(xlabel="x", ylabel="y", title="Regression: mean and deviation predicted",
                   ylim=(-2.2, 2.7))  # fmt: skip
    regression.legend(loc="upper left", ncols=2)

    grid = np.linspace(-2, 2, 300)[:, None]
    coin.plot(grid, probability(grid), color="black", linestyle=":", label="truth")
    coin.plot(grid, binary().predict_distribution(grid).mean, color="tab:blue", label="predicted")
    coin.set(xlabel="x", ylabel="probability of 1", title="Binary", ylim=(0, 1.15))
    coin.legend(loc="upper left", ncols=2)

    classes.plot(grid, class_probabilities(grid), color="black", linestyle=":")
    p = multiclass().predict_distribution(grid).params["probs"]
    for number, color in enumerate(("tab:blue", "tab:orange", "tab:green")):
        classes.plot(grid, p[:, number], color=color, label=f"class {number}")
    classes.plot([], [], color="black", linestyle=":", label="truth")
    classes.set(xlabel="x", ylabel="probability", title="Three classes", ylim=(0, 1.25))
    classes.legend(loc="upper left", ncols=2)


if __name__ == "__main__":
    show(run())
