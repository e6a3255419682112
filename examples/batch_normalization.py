"""Batch normalisation: statistics of the batch in training, moving averages afterwards.

It may stand on the inputs, before an activation or after it; raw features of any size then do no
harm. The notebook gives no figures: the data's own moments, NumPy and the plain network stand in
their place.
"""

import likely
import numpy as np

from examples._data import Array, two_features
from examples._report import Line, compare, show
from examples.feature_scaling import coefficients

EPSILON = 1e-5


def normalized_line() -> likely.Network:
    """Least squares on raw features, one of them large, behind a batch normalisation."""
    return likely.Network(
        inputs=2,
        layers=[likely.BatchNorm(epsilon=EPSILON)],
        distribution=likely.Normal(scale=1.0),
        dtype="float64",
    )


def fit_line(batch_size: int | None, epochs: int) -> likely.Network:
    network = normalized_line()
    optimizer = likely.SGD(learning_rate=0.002, momentum=0.9)
    trainer = likely.Trainer(optimizer, batch_size, epochs, schedule=likely.CosineDecay())
    trainer.fit(network, two_features().x[:, 1:], two_features().y)
    return network


def loss_in_training(network: likely.Network, x: Array, y: Array) -> float:
    """What a training step meets: here the one of an epoch with a single batch."""
    step = likely.Trainer(likely.SGD(learning_rate=1e-9), batch_size=None, epochs=1)
    return step.fit(network, x, y).loss[0]


def large_feature(rows: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    z = rng.uniform(-2, 2, size=rows)
    return 50 + 10 * z, np.sin(2 * z) + 0.2 * rng.normal(size=rows)


def fit_curve(layers: list[likely.Layer]) -> likely.Network:
    network = likely.Network(1, layers=layers, distribution=likely.Normal(scale="shared"), seed=0)
    optimizer, schedule = likely.Adam(learning_rate=0.01), likely.CosineDecay()
    trainer = likely.Trainer(optimizer, batch_size=100, epochs=100, schedule=schedule)
    trainer.fit(network, *large_feature(2000, seed=0))
    return network


def curves() -> dict[str, likely.Network]:
    """The sigmoids of the plain one are saturated; the others take the feature as raw."""
    return {
        "without": fit_curve([likely.Dense(32, "sigmoid")]),
        "before the activation": fit_curve(
            [likely.BatchNorm(), likely.Dense(32), likely.BatchNorm(activation="sigmoid")]
        ),
        "after the activation": fit_curve(
            [likely.BatchNorm(), likely.Dense(32, "sigmoid"), likely.BatchNorm()]
        ),
    }


def run() -> list[Line]:
    x, y = two_features().x[:, 1:], two_features().y
    mean, variance = x.mean(axis=0), x.var(axis=0)

    network = normalized_line()
    weight, bias = network.named_parameters()["output.weight"], 150.0
    network.named_parameters()["output.bias"][:] = bias
    prediction = (x - mean) / np.sqrt(variance + EPSILON) @ weight[:, 0] + bias
    formula = np.mean((y - prediction) ** 2) / 2 + np.log(2 * np.pi) / 2
    lines = [
        compare("loss in training: statistics of the batch (NumPy)", formula,
                loss_in_training(network, x, y)),
    ]  # fmt: skip

    network = fit_line(batch_size=None, epochs=1000)
    lines += [
        compare("moving averages, full batch: means", mean, network.averages[:2]),
        compare("moving averages, full batch: variances", x.var(axis=0, ddof=1),
                network.averages[2:]),
        compare("raw features, least squares", [156.448, 3.9466, 30.9245], coefficients(network),
                4, within=0.02),
    ]  # fmt: skip
    alone = [network.predict_distribution(row[None]).mean[0] for row in x[:100]]
    together = network.predict_distribution(x).mean[:100]
    lines.append(
        compare("a row predicted alone or with others: difference", 0,
                np.abs(alone - together).max(), digits=12)
    )  # fmt: skip
    averages = fit_line(batch_size=100, epochs=10).averages
    off = [*(averages[:2] - mean) / np.sqrt(variance), *averages[2:] / variance]
    lines.append(compare("batches of 100: shift of the means, ratio of variances", [0, 0, 1, 1],
                         off, 3, within=0.1))  # fmt: skip

    held_out = large_feature(5000, seed=1)
    for name, network in curves().items():
        loss = network.loss(*held_out)
        what, holds = ("more than 0.5", loss > 0.5) if name == "without" else ("below 0", loss < 0)
        lines.append(Line(f"sigmoids of a large feature, {name}: loss", what, (loss,), holds, 3))
    return lines


def draw(figure) -> None:
    figure.set_size_inches(7, 4.2)
    axes = figure.subplots()
    x, y = large_feature(2000, seed=0)
    axes.scatter(x[::4], y[::4], s=8, alpha=0.5, linewidths=0, color="tab:gray", label="data")
    grid = np.linspace(30, 70, 300)
    for (name, network), color in zip(
        curves().items(), ("tab:red", "tab:blue", "tab:orange"), strict=True
    ):
        axes.plot(grid, network.predict_distribution(grid).mean, color=color, label=name)
    axes.set(xlabel="x, not scaled", ylabel="y", title="Batch normalisation of a large feature",
             ylim=(-1.8, 2.4))  # fmt: skip
    axes.legend(loc="upper left", ncols=2)


if __name__ == "__main__":
    show(run())
