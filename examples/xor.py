"""XOR: one hidden layer of four sigmoid units, with the squared error and with the log loss.

Without biases; a constant feature takes their place. A rate of 1 on the sum over the four rows is
a rate of 4 on their mean.
"""

import likely
import numpy as np

from examples._data import Array, one_feature
from examples._report import Line, compare, show

X = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=float)
Y = np.array([0, 1, 1, 0], dtype=float)


def squared_error_network() -> likely.Network:
    return likely.Network(
        inputs=3,
        layers=[likely.Dense(4, "sigmoid", bias=False)],
        output=likely.Dense(1, "sigmoid", bias=False),
        distribution=likely.Normal(scale=1.0),
        dtype="float64",
    )


def log_loss_network() -> likely.Network:
    """The sigmoid of the output is a part of the distribution: its raw parameter is the logit."""
    return likely.Network(
        inputs=3,
        layers=[likely.Dense(4, "sigmoid", bias=False)],
        output=likely.Dense(1, bias=False),
        distribution=likely.Bernoulli(),
        dtype="float64",
    )


def solve(network: likely.Network, start: Array, steps: int = 3000) -> Array:
    """Train and predict. The notebook prints what it predicts before the last of 3000 steps."""
    network.parameters = start
    optimizer = likely.SGD(learning_rate=4.0)
    likely.Trainer(optimizer, batch_size=None, epochs=steps - 1, shuffle=False).fit(network, X, Y)
    return network.predict_distribution(X).mean


def solved(network: likely.Network, error: float) -> float:
    """How many of 30 starts, drawn as the notebook draws them, end this close to the answer."""
    starts = [np.random.RandomState(seed).random_sample(16) for seed in range(30)]
    return sum(float(np.abs(solve(network, start) - Y).max() < error) for start in starts)


def run() -> list[Line]:
    squared, log = squared_error_network(), log_loss_network()
    data = one_feature()
    of_squared, of_log = solved(squared, error=0.1), solved(log, error=0.01)
    return [
        compare("XOR, squared error",
                [0.013322228700, 0.975561709131, 0.979980373718, 0.024680348085],
                solve(squared, data.xor_squared), digits=12),
        compare("XOR, log loss",
                [0.000796668787, 0.999828399835, 0.999076883413, 0.000479553697],
                solve(log, data.xor_log), digits=12),
        Line("of 30 seeds, squared error: within 0.1", "every one", (of_squared,),
             of_squared == 30, 0),
        Line("of 30 seeds, log loss: within 0.01", "every one", (of_log,), of_log == 30, 0),
    ]  # fmt: skip


def draw(figure) -> None:
    figure.set_size_inches(9, 4)
    grid = np.linspace(-0.5, 1.5, 200)
    a, b = np.meshgrid(grid, grid)
    points = np.column_stack([np.ones(a.size), a.ravel(), b.ravel()])
    data = one_feature()
    panels = figure.subplots(1, 2, sharey=True)
    for axes, title, network, start in (
        (panels[0], "Squared error", squared_error_network(), data.xor_squared),
        (panels[1], "Log loss", log_loss_network(), data.xor_log),
    ):
        solve(network, start)
        p = network.predict_distribution(points).mean.reshape(a.shape)
        levels = np.linspace(0, 1, 11)
        image = axes.contourf(a, b, p, levels=levels, cmap="RdBu_r", alpha=0.8)
        for label, marker in ((0, "o"), (1, "s")):
            rows = X[label == Y]
            axes.scatter(rows[:, 1], rows[:, 2], s=80, marker=marker, color="white",
                         edgecolors="black", label=f"XOR = {label}")  # fmt: skip
        axes.set(xlabel="first switch", title=title, aspect="equal")
    panels[0].set_ylabel("second switch")
    panels[0].legend(loc="upper right")
    figure.colorbar(image, ax=panels, label="predicted")


if __name__ == "__main__":
    show(run())
