"""Least squares by gradient descent, and what the learning rate does.

The squared error is the negative log-likelihood of a normal distribution with a fixed scale. With
scale sqrt(1/2) the loss is the squared error itself, plus the constant log(pi) / 2.
"""

import likely
import numpy as np

from examples._data import Array, least_squares, one_feature
from examples._report import Line, compare, show

RATES = (0.001, 0.01, 0.05, 0.1, 1.0)
CONSTANT = np.log(np.pi) / 2


def squared_error_network(inputs: int = 2) -> likely.Network:
    """A linear model without a bias of its own: the first feature is always 1."""
    return likely.Network(
        inputs=inputs,
        output=likely.Dense(1, bias=False),
        distribution=likely.Normal(scale=0.5**0.5),
        dtype="float64",
    )


def descend(network: likely.Network, steps: int, learning_rate: float = 0.01) -> Array:
    """Full-batch gradient descent from where the network stands; the loss before each step."""
    data = one_feature()
    optimizer = likely.SGD(learning_rate=learning_rate)
    trainer = likely.Trainer(optimizer, batch_size=None, epochs=steps, shuffle=False)
    return trainer.fit(network, data.x, data.y).loss - CONSTANT


def descend_from_zero(learning_rate: float) -> tuple[Array, Array]:
    """The weights after 15 steps, and the loss before each step and at the end."""
    data = one_feature()
    network = squared_error_network()
    network.parameters = [0, 0]
    losses = descend(network, 15, learning_rate)
    return network.parameters, np.append(losses, network.loss(data.x, data.y) - CONSTANT)


def run() -> list[Line]:
    exact = least_squares(one_feature().x, one_feature().y)
    lines = [compare("ordinary least squares (NumPy)", [6.01132196, 3.96247175], exact)]

    network = squared_error_network()
    network.parameters = one_feature().descent_start
    done = 0
    for steps, document in {
        500: [6.01108844, 3.96242360],
        1000: [6.01132195, 3.96247175],
        3000: [6.01132196, 3.96247175],
    }.items():
        descend(network, steps - done)
        done = steps
        lines.append(compare(f"gradient descent, {steps} steps", document, network.parameters))

    documents = (
        [0.18155223, 0.12379996],
        [1.60013258, 1.08670659],
        [4.81547513, 3.22246947],
        [5.81500752, 3.85150789],
        [19.8158439, 18.42703331],
    )
    for rate, document in zip(RATES, documents, strict=True):
        weights, losses = descend_from_zero(rate)
        lines.append(compare(f"from zero, 15 steps, learning rate {rate:g}", document, weights))
    growing = int(np.sum(np.diff(losses) > 0))
    lines.append(
        Line("learning rate 1: steps that raise the loss", "diverges", (growing,), growing == 15, 0)
    )
    return lines


def draw(figure) -> None:
    figure.set_size_inches(10, 4.2)
    left, right = figure.subplots(1, 2)
    x, y = one_feature().x, one_feature().y
    left.scatter(x[:, 1], y, s=8, alpha=0.5, linewidths=0, color="tab:gray", label="data")
    network = squared_error_network()
    network.parameters = one_feature().descent_start
    descend(network, 1000)
    ends = np.array([[1, x[:, 1].min()], [1, x[:, 1].max()]])
    left.plot(ends[:, 1], network.predict_distribution(ends).mean, color="tab:blue", label="fit")
    left.set(xlabel="x", ylabel="y", title="y = 6 + 4 x + noise")
    left.legend()
    for rate in RATES:
        right.plot(descend_from_zero(rate)[1], marker=".", label=f"{rate:g}")
    right.set(xlabel="step", ylabel="mean squared error", yscale="log", title="From zero")
    right.legend(title="learning rate")


if __name__ == "__main__":
    show(run())
