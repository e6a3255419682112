"""A feature with mean 50 and deviation 10: descent fails, crawls, or is helped by scaling.

With `standardize=True` the scaling is a part of the model: it is trained and asked with raw
features, and nothing has to be remembered outside.
"""

import likely
import numpy as np

from examples._data import Array, fit_as_drawn, least_squares, two_features
from examples._report import Line, compare, show
from examples.linear_regression import squared_error_network


def divergence() -> tuple[likely.DivergedError, likely.Network]:
    """What the raw features do at a usual learning rate, and the network that it leaves behind."""
    data = two_features()
    network = squared_error_network(inputs=3)
    network.parameters = data.diverging.start
    trainer = likely.Trainer(likely.SGD(learning_rate=0.01), batch_size=64, epochs=10)
    try:
        trainer.fit(network, data.x, data.y)
    except likely.DivergedError as error:
        return error, network
    raise AssertionError("did not diverge")


def scaled_by_hand(x: Array) -> Array:
    """What the notebook does: all columns but that of ones to mean 0 and deviation 1."""
    features = x[:, 1:]
    return np.column_stack([x[:, 0], (features - features.mean(axis=0)) / features.std(axis=0)])


def standardized_network(schedule: str | likely.Schedule = "constant") -> likely.Network:
    """Trained on the raw features, without the column of ones: the network has a bias."""
    data = two_features()
    network = likely.Network(
        inputs=2, distribution=likely.Normal(scale=0.5**0.5), standardize=True, dtype="float64"
    )
    optimizer = likely.SGD(learning_rate=0.1)
    trainer = likely.Trainer(optimizer, batch_size=64, epochs=10, schedule=schedule)
    trainer.fit(network, data.x[:, 1:], data.y)
    return network


def coefficients(network: likely.Network) -> Array:
    """The prediction at the features' means, and its change where one moves by a deviation."""
    features = two_features().x[:, 1:]
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    points = np.vstack([mean, mean + np.diag(deviation)])
    at_mean, *moved = network.predict_distribution(points).mean
    return np.array([at_mean, *(moved - at_mean)])


def run() -> list[Line]:
    data = two_features()
    error, kept = divergence()
    magnitudes = np.log10([error.gradient_norm, np.abs(kept.parameters).max()])
    network = squared_error_network(inputs=3)
    lines = [
        compare("raw features, least squares (NumPy)", [6.00952581, 3.93270425, 3.00017441],
                least_squares(data.x, data.y)),
        Line("raw, rate 0.01: epoch and step of the error", "[nan nan nan]",
             (error.epoch, error.step), error.epoch == error.step // 16 < 10, 0),
        Line("raw: powers of ten: gradient; weights kept", "[nan nan nan]",
             tuple(magnitudes.tolist()), bool(np.isfinite(kept.parameters).all()), 0),
    ]  # fmt: skip
    for epochs, document in {
        100: [0.45991644, 2.27156008, 3.10917524],
        1000: [3.28390533, 3.95687798, 3.05183397],
    }.items():
        found = fit_as_drawn(network, data.slow[epochs], data.x, data.y, 64, learning_rate=0.0003)
        lines.append(compare(f"raw, rate 0.0003, {epochs} epochs", document, found))

    scaled = scaled_by_hand(data.x)
    lines.append(
        compare("scaled by hand, least squares (NumPy)", [156.44822091, 3.94658245, 30.92446288],
                least_squares(scaled, data.y))
    )  # fmt: skip
    for epochs, document in {
        1: [152.08538432, 3.69797309, 30.14852295],
        10: [156.45440292, 3.96343058, 30.96520361],
        50: [156.44691019, 3.98666368, 30.88663084],
        100: [156.34646482, 3.94522662, 30.88778661],
    }.items():
        drawn = data.standardized[epochs]
        found = fit_as_drawn(network, drawn, scaled, data.y, batch_size=64, learning_rate=0.1)
        name = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        lines.append(compare(f"scaled by hand, rate 0.1, {name}", document, found))

    found = coefficients(standardized_network())
    lines.append(
        compare("standardize=True, rate 0.1, 10 epochs", [156.448, 3.9466, 30.9245], found,
                digits=4, within=0.1)
    )  # fmt: skip
    found = coefficients(standardized_network(likely.CosineDecay()))
    lines.append(
        compare("the same with a cosine schedule", [156.448, 3.9466, 30.9245], found,
                digits=4, within=0.02)
    )  # fmt: skip
    return lines


def descent(x: Array, learning_rate: float, epochs: int) -> Array:
    """The weights, from zero on, after each epoch."""
    network = squared_error_network(inputs=3)
    network.parameters = [0, 0, 0]
    path = [network.parameters.copy()]
    trainer = likely.Trainer(likely.SGD(learning_rate=learning_rate), batch_size=64, epochs=epochs)
    trainer.fit(network, x, two_features().y,
                callback=lambda epoch: path.append(network.parameters.copy()))  # fmt: skip
    return np.array(path)


def draw(figure) -> None:
    """The loss over two weights, the third as least squares has it, and a descent from zero."""
    figure.set_size_inches(10, 4.2)
    data = two_features()
    raw, scaled = figure.subplots(1, 2)
    for axes, title, x, rate, epochs, (bias, weight) in (
        (raw, "Raw", data.x, 0.0003, 1000, (np.linspace(-2, 14, 80), np.linspace(2.3, 3.5, 80))),
        (scaled, "Scaled", scaled_by_hand(data.x), 0.01, 20,
         (np.linspace(-20, 330, 80), np.linspace(-145, 205, 80))),
    ):  # fmt: skip
        network = squared_error_network(inputs=3)
        optimal = least_squares(x, data.y)
        loss = np.empty((len(weight), len(bias)))
        for row, column in np.ndindex(loss.shape):
            network.parameters = [bias[column], optimal[1], weight[row]]
            loss[row, column] = network.loss(x, data.y)
        axes.contourf(bias, weight, np.log(loss), levels=15, cmap="Blues_r")
        path = descent(x, rate, epochs)
        axes.plot(path[:, 0], path[:, 2], color="tab:orange", linewidth=0.8, marker=".",
                  markersize=4, label="descent, each epoch")  # fmt: skip
        axes.plot(*optimal[[0, 2]], "k+", markersize=12, label="least squares")
        axes.set(xlabel="bias", ylabel="weight of the large feature",
                 title=f"{title}: rate {rate:g}, {epochs} epochs",
                 xlim=bias[[0, -1]], ylim=weight[[0, -1]])  # fmt: skip
        axes.legend(loc="upper right")


if __name__ == "__main__":
    show(run())
