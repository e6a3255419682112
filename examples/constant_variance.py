"""A mean and a standard deviation are enough to plan a stock, and to see why one squares errors.

Where the standard deviation is the same everywhere, the negative log-likelihood of a normal
distribution is the squared error, scaled and shifted: its minimum is least squares.
"""

import likely
import numpy as np

from examples._data import least_squares, one_feature
from examples._report import Line, compare, show


def stock() -> likely.PredictiveDistribution:
    """Tomorrow's sales: 10 units on average, give or take 1."""
    return likely.PredictiveDistribution.from_params("normal", loc=10.0, scale=1.0)


def constant_variance_network(scale: float | str) -> likely.Network:
    return likely.Network(1, distribution=likely.Normal(scale=scale), dtype="float64")


def run() -> list[Line]:
    data = one_feature()
    x, y = data.x[:, 1], data.y
    sales = stock()
    lines = [
        compare("units for 99 % certainty", 12.33, sales.quantile(0.99), digits=2),
        compare("units for 50 % certainty", 10.0, sales.quantile(0.5), digits=2),
    ]

    sigma = 2.0
    fixed = constant_variance_network(sigma)
    mean = fixed.predict_distribution(x).mean
    formula = np.mean((y - mean) ** 2) / (2 * sigma**2) + np.log(2 * np.pi * sigma**2) / 2
    lines.append(
        compare("squared error / (2 sigma^2) + log(2 pi sigma^2) / 2, sigma = 2",
                formula, fixed.loss(x, y), digits=12)
    )  # fmt: skip

    exact = least_squares(data.x, y)
    learned = constant_variance_network("shared")
    for name, network in (("sigma = 2", fixed), ("sigma learned", learned)):
        optimizer = likely.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
        likely.Trainer(optimizer, batch_size=None, epochs=2000).fit(network, x, y)
        weight, bias = network.parameters[:2]
        lines.append(compare(f"where it is least, {name}: least squares", exact, [bias, weight]))
    residuals = np.std(y - data.x @ exact)
    lines.append(
        compare("sigma learned: deviation of the residuals", residuals,
                learned.predict_distribution([0.0]).std)
    )  # fmt: skip
    return lines


def draw(figure) -> None:
    figure.set_size_inches(6, 4)
    axes = figure.subplots()
    sales = stock()
    units = np.linspace(6, 14, 400)
    density = np.exp(sales.log_prob(units))
    enough = sales.quantile(0.99)[0]
    covered = units <= enough
    axes.plot(units, density, color="tab:blue")
    axes.fill_between(units[covered], density[covered], alpha=0.3, linewidth=0, color="tab:blue",
                      label="99 % of days")  # fmt: skip
    axes.axvline(enough, color="tab:orange", label=f"{enough:.2f} units in stock")
    axes.set(xlabel="units sold in a day", ylabel="density", ylim=(0, 0.42),
             title="Mean 10, standard deviation 1")  # fmt: skip
    axes.legend(loc="upper left")


if __name__ == "__main__":
    show(run())
