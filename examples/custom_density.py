"""A loss without its derivative: densities written with NumPy's functions.

The notebook hands a loss to automatic differentiation. Here one writes the logarithm of a density;
its derivatives follow, and training does with it what it does with the one that is built in.
"""

from contextlib import redirect_stdout

import likely
import numpy as np
from scipy.special import gammaln

from examples._data import Array, fit_as_drawn, one_feature
from examples._report import Line, compare, show
from examples.linear_regression import squared_error_network
from examples.logistic_regression import bernoulli_network


@likely.distribution(parameters=["loc"])
def squared_error(y, loc):
    """A normal density with variance 1/2: minus the squared error, and a constant."""
    return -((y - loc) ** 2) - np.log(np.pi) / 2


@likely.distribution(parameters=["logit"], support="nonnegative_integer")
def log_loss(y, logit):
    """The cross-entropy that stays finite where sigmoid(logit) is 0 or 1."""
    return y * logit - np.logaddexp(0, logit)


@likely.distribution(parameters=["log_rate"], support="nonnegative_integer")
def poisson(y, log_rate):
    """One that is not built in: counts."""
    return y * log_rate - np.exp(log_rate) - gammaln(y + 1)


def linear_network(distribution: likely.Distribution) -> likely.Network:
    """Without a bias of its own: the first feature is always 1."""
    return likely.Network(
        inputs=2,
        output=likely.Dense(1, bias=False),
        distribution=distribution,
        dtype="float64",
    )


def descend(network: likely.Network, start: Array, y: Array, rate: float, steps: int) -> Array:
    network.parameters = start
    trainer = likely.Trainer(likely.SGD(learning_rate=rate), batch_size=None, epochs=steps,
                             shuffle=False)  # fmt: skip
    trainer.fit(network, one_feature().x, y)
    return network.parameters.copy()


def counts() -> Array:
    x = one_feature().x
    return np.random.RandomState(0).poisson(np.exp(x @ [0.5, 0.8])).astype(float)


def poisson_network() -> likely.Network:
    network = linear_network(poisson)
    descend(network, np.zeros(2), counts(), rate=0.1, steps=1000)
    return network


def run() -> list[Line]:
    data = one_feature()
    line, logistic = linear_network(squared_error), linear_network(log_loss)
    lines = [
        compare("squared error, written: 3000 steps", [6.01132196, 3.96247175],
                descend(line, data.descent_start, data.y, rate=0.01, steps=3000)),
        compare("log loss, written: batch 64, rate 1, 200 epochs", [6.66970964, 4.45789135],
                fit_as_drawn(logistic, data.fast_logistic, data.x, data.labels,
                             batch_size=64, learning_rate=1.0)),
    ]  # fmt: skip
    for what, written, built_in, y, rate in (
        ("squared error", line, squared_error_network(), data.y, 0.01),
        ("log loss", logistic, bernoulli_network(), data.labels, 1.0),
    ):
        lines.append(
            compare(f"{what}, 500 steps: built in, written",
                    descend(built_in, data.descent_start, y, rate, steps=500),
                    descend(written, data.descent_start, y, rate, steps=500), digits=12)
        )  # fmt: skip

    rate = np.exp(poisson_network().predict_distribution(data.x).params["log_rate"])
    lines.append(
        compare("Poisson: mean, and times the feature: counts, rates",
                data.x.T @ counts() / len(rate), data.x.T @ rate / len(rate))
    )  # fmt: skip
    for density in (squared_error, log_loss, poisson):
        with redirect_stdout(None):  # it prints what it found
            error = likely.check_gradient(density)
        lines.append(Line(f"check_gradient({density.name}): relative error", "below 1e-7",
                          (error,), error < 1e-7, 12))  # fmt: skip
    return lines


def draw(figure) -> None:
    figure.set_size_inches(6, 4)
    axes = figure.subplots()
    x = one_feature().x[:, 1]
    axes.scatter(x, counts(), s=8, alpha=0.5, linewidths=0, color="tab:gray", label="counts")
    grid = np.linspace(x.min(), x.max(), 300)
    points = np.column_stack([np.ones(300), grid])
    rate = np.exp(poisson_network().predict_distribution(points).params["log_rate"])
    axes.plot(grid, rate, color="tab:blue", label="predicted rate")
    axes.plot(grid, np.exp(0.5 + 0.8 * grid), color="black", linestyle=":", label="truth")
    axes.set(xlabel="x", ylabel="count", title="A Poisson density, written in one line")
    axes.legend(loc="upper left")


if __name__ == "__main__":
    show(run())
