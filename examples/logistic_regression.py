"""Logistic regression: gradient descent slow and fast, against a second-order solver.

The labels are drawn from the model itself: 1 with probability sigmoid(6 + 4 x). The loss of a
Bernoulli distribution whose logit the network predicts is the binary cross-entropy.
"""

import likely
import numpy as np
from scipy import optimize, special

from examples._data import Array, fit_as_drawn, one_feature
from examples._report import Line, compare, show


def bernoulli_network() -> likely.Network:
    """A linear logit without a bias of its own: the first feature is always 1."""
    return likely.Network(
        inputs=2,
        output=likely.Dense(1, bias=False),
        distribution=likely.Bernoulli(),
        dtype="float64",
    )


def second_order(x: Array, labels: Array) -> Array:
    """Where the gradient of the log-likelihood is zero, found with its second derivatives."""

    def gradient(weights: Array) -> Array:
        return x.T @ (special.expit(x @ weights) - labels) / len(x)

    def hessian(weights: Array) -> Array:
        p = special.expit(x @ weights)
        return (x * (p * (1 - p))[:, None]).T @ x / len(x)

    return optimize.root(gradient, np.zeros(x.shape[1]), jac=hessian, tol=1e-13).x


def run() -> list[Line]:
    data = one_feature()
    x, labels = data.x, data.labels
    network = bernoulli_network()
    slow = fit_as_drawn(network, data.slow_logistic, x, labels, batch_size=64, learning_rate=0.01)
    fast = fit_as_drawn(network, data.fast_logistic, x, labels, batch_size=64, learning_rate=1.0)

    optimizer = likely.SGD(learning_rate=10.0, momentum=0.9, nesterov=True)
    network.parameters = [0, 0]
    likely.Trainer(optimizer, batch_size=None, epochs=1000).fit(network, x, labels)
    solver = second_order(x, labels)
    return [
        compare("logistic, batch 64, rate 0.01, 100 epochs", [2.50014806, 1.28482629], slow),
        compare("logistic, batch 64, rate 1, 200 epochs", [6.66970964, 4.45789135], fast),
        compare("logistic, second-order (SciPy)", [6.65211962, 4.50262017], solver),
        compare("logistic, full batch with momentum", [6.65211962, 4.50262017], network.parameters),
        compare("its loss", 0.107650, network.loss(x, labels), digits=6),
    ]


def draw(figure) -> None:
    figure.set_size_inches(13, 4.2)
    data = one_feature()
    fit, odds, coin = figure.subplots(1, 3)

    network = bernoulli_network()
    network.parameters = second_order(data.x, data.labels)
    grid = np.linspace(-3, 3.5, 300)
    noise = np.random.default_rng(0).uniform(-0.03, 0.03, len(data.labels))
    fit.scatter(data.x[:, 1], data.labels + noise, s=6, alpha=0.4, linewidths=0, color="tab:gray",
                label="labels (scattered)")  # fmt: skip
    p = network.predict_distribution(np.column_stack([np.ones_like(grid), grid])).mean
    fit.plot(grid, p, color="tab:blue", label="probability of 1")
    fit.set(xlabel="x", ylabel="label", title="A sigmoid of a line")
    fit.legend(loc="center right")

    # A Bernoulli distribution for each logit: probability, odds and entropy follow.
    identity = likely.Network(1, output=likely.Dense(1, bias=False), distribution="bernoulli")
    identity.parameters = [1]
    logit = np.linspace(-6.9, 2.94, 300)
    p = identity.predict_distribution(logit).mean
    odds.plot(p, p / (1 - p), color="tab:orange", label="odds: p / (1 - p)")
    odds.plot(p, logit, color="tab:blue", label="log-odds (logit)")
    odds.axhline(0, color="black", linewidth=0.5)
    odds.set(xlabel="probability", ylabel="value", title="Probability, odds and log-odds")
    odds.legend()

    d = identity.predict_distribution(np.linspace(-7, 7, 400))
    coin.plot(d.mean, d.entropy / np.log(2), color="tab:blue")
    coin.set(xlabel="probability of heads", ylabel="entropy in bits", title="Entropy of a coin")


if __name__ == "__main__":
    show(run())
