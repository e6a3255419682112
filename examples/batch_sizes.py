"""Stochastic, mini-batch and full-batch gradient descent: the smaller the batch, the noisier."""

import likely
import numpy as np

from examples._data import Array, fit_as_drawn, least_squares, one_feature
from examples._report import Line, compare, show
from examples.linear_regression import CONSTANT, squared_error_network

EPOCHS = {1: 100, 8: 100, 64: 100, 256: 300, 1000: 1000}
"""By batch size: the larger, the fewer steps in an epoch, and the more epochs to arrive."""


def weights_by_epoch(batch_size: int) -> tuple[Array, Array]:
    """The weights after each epoch, rows shuffled by the trainer, and the loss of each epoch."""
    data = one_feature()
    network = squared_error_network()
    network.parameters = [0, 0]
    weights: list[Array] = []
    trainer = likely.Trainer(likely.SGD(learning_rate=0.01), batch_size, EPOCHS[batch_size])
    history = trainer.fit(
        network, data.x, data.y, callback=lambda epoch: weights.append(network.parameters.copy())
    )
    return np.array(weights), history.loss - CONSTANT


def loss_of_each_step(batch_size: int, steps: int) -> Array:
    """The mean squared error of each batch of the first epochs, as it is met."""
    data = one_feature()
    network = squared_error_network()
    network.parameters = data.single.start
    rows = data.single.orders.ravel()[: steps * batch_size].reshape(steps, batch_size)
    step = likely.Trainer(likely.SGD(learning_rate=0.01), batch_size=None, epochs=1)
    return np.array([step.fit(network, data.x[r], data.y[r]).loss[0] for r in rows]) - CONSTANT


def run() -> list[Line]:
    data = one_feature()
    network = squared_error_network()
    lines = []
    # In the notebook's row orders, with the rows shuffled beforehand: its figures.
    found = fit_as_drawn(network, data.single, data.x, data.y, batch_size=1, learning_rate=0.01)
    lines.append(compare("batch 1, 100 epochs", [6.10863654, 3.89402869], found))
    for size, document in {
        8: [6.05434008, 3.95548771],
        16: [6.01925548, 3.97143916],
        32: [6.00071779, 3.96369240],
        64: [6.01279841, 3.96202727],
        128: [6.01202513, 3.96292586],
        256: [6.00931051, 3.96130010],
    }.items():
        found = fit_as_drawn(network, data.batches[size], data.x, data.y, size, learning_rate=0.01)
        lines.append(compare(f"batch {size}, 100 epochs", document, found))
    # Shuffled by the trainer: how far from least squares the weights roam, once they are there.
    exact = least_squares(data.x, data.y)
    smaller = np.inf
    for size, epochs in EPOCHS.items():
        weights, losses = weights_by_epoch(size)
        distance = np.sqrt(np.mean(np.sum((weights[-50:] - exact) ** 2, axis=1)))
        holds = bool(distance < smaller / 3 and losses[-1] < losses[0])
        lines.append(
            Line(f"batch {size}: distance in the last 50 of {epochs} epochs",
                 "less with larger batches", (float(distance),), holds)
        )  # fmt: skip
        smaller = distance
    return lines


def draw(figure) -> None:
    figure.set_size_inches(10, 4.2)
    left, right = figure.subplots(1, 2)
    colors = {1: "tab:gray", 8: "tab:orange", 64: "tab:blue", 256: "tab:red"}
    exact = least_squares(one_feature().x, one_feature().y)
    for size, color in colors.items():
        if size < 256:
            losses = loss_of_each_step(size, 500)
            left.plot(losses, color=color, linewidth=0.8 if size == 1 else 1.5, label=f"{size}")
        weights = weights_by_epoch(size)[0][:100]
        distance = np.linalg.norm(weights - exact, axis=1)
        right.plot(np.arange(1, 101), distance, color=color, label=f"{size}")
    left.set(xlabel="step", ylabel="mean squared error of the batch", yscale="log",
             ylim=(1e-3, 1e3), title="Loss of each batch as it is met")  # fmt: skip
    right.set(xlabel="epoch", ylabel="distance of the weights", yscale="log",
              title="How far from least squares")  # fmt: skip
    for axes in (left, right):
        axes.legend(title="batch size", loc="upper right", ncols=2)


if __name__ == "__main__":
    show(run())
