"""Ridge, lasso, elastic net: what a penalty on the weights does, and why it spares the bias.

The objective is mean loss + l1 sum |w| + (l2 / 2) sum w^2. With a normal distribution of scale 1
the loss is half the squared error: on 1000 rows scikit-learn's ridge with alpha 2 is l2 = 0.002,
its lasso with alpha 1 is l1 = 1.
"""

import likely
import numpy as np
from scipy import stats

from examples._data import Array, fit_as_drawn, least_squares, one_feature
from examples._report import Line, compare, show


def half_squared_error_network(inputs: int = 2, bias: bool = False) -> likely.Network:
    """A linear model; the column of ones, where there is one, is a feature and penalised too."""
    return likely.Network(
        inputs=inputs,
        output=likely.Dense(1, bias=bias),
        distribution=likely.Normal(scale=1.0),
        dtype="float64",
    )


def penalized(x: Array, y: Array, bias: bool = False, **penalties: float) -> likely.Network:
    """Full-batch descent from zero. The penalties: the trainer's l1, l2 and penalize_biases."""
    network = half_squared_error_network(x.shape[1], bias)
    network.parameters = np.zeros(network.parameters.size)
    optimizer = likely.SGD(learning_rate=0.1, momentum=0.9)
    likely.Trainer(optimizer, batch_size=None, epochs=1000, **penalties).fit(network, x, y)
    return network


def closed_form(x: Array, y: Array, l1: float = 0.0, l2: float | Array = 0.0) -> Array:
    """Where the gradient of the objective is zero, if all weights are positive."""
    rows, columns = x.shape
    return np.linalg.solve(x.T @ x / rows + l2 * np.eye(columns), x.T @ y / rows - l1)


def pull_of_l1(network: likely.Network, x: Array, y: Array, l2: float) -> Array:
    """What balances the other slopes: l1 at a positive weight, less than l1 at a zero."""
    _, gradient = network.loss_and_gradient(x, y)
    return -gradient - l2 * network.parameters


def run() -> list[Line]:
    data = one_feature()
    x, y = data.x, data.y
    lasso = fit_as_drawn(
        half_squared_error_network(), data.lasso, x, y, batch_size=1000, learning_rate=0.02, l1=1.0
    )
    lines = [
        compare("ridge, l2 = 0.002", [5.99956319, 3.95500059],
                penalized(x, y, l2=0.002).parameters),
        compare("lasso, l1 = 1, full batch, 1000 epochs", [5.04223889, 3.00143701], lasso),
    ]  # fmt: skip

    more = np.column_stack([x, data.irrelevant])
    ridge, lasso = penalized(more, y, l2=0.002), penalized(more, y, l1=1.0)
    zeros = lasso.sparsity().zeros
    lines += [
        compare("irrelevant third feature, ridge", [5.98214338, 3.95518688, 0.03392461],
                ridge.parameters),
        compare("irrelevant third feature, lasso", [5.042239, 3.001437, 0], lasso.parameters,
                digits=6),
        Line("irrelevant third feature, lasso: exact zeros", "1; by plain descent -0.0025",
             (zeros,), zeros == 1 and lasso.parameters[2] == 0, 0),
    ]  # fmt: skip

    elastic = penalized(more, y, l1=1.0, l2=0.1)
    pulls = pull_of_l1(elastic, more, y, l2=0.1)
    lines += [
        compare("elastic net, l1 = 1, l2 = 0.1: closed form",
                [*closed_form(x, y, l1=1.0, l2=0.1), 0], elastic.parameters),
        compare("elastic net: the pull of l1 at the first two", [1, 1], pulls[:2]),
        Line("elastic net: and at the zero", "at most 1", (float(pulls[2]),), abs(pulls[2]) <= 1),
    ]  # fmt: skip

    feature, through_origin = x[:, 1:], y - 6  # the same noise about 0 + 4 x
    network = penalized(feature, through_origin, bias=True)
    lines.append(compare("bias, where the true one is 0; weight", [0.0113, 3.9625],
                         network.parameters[::-1], digits=4))  # fmt: skip
    free = closed_form(x, y, l2=np.array([0.0, 1.0]))
    lines.append(compare("l2 = 1, bias exempt: bias, weight", free,
                         penalized(feature, y, bias=True, l2=1.0).parameters[::-1]))  # fmt: skip
    network = penalized(feature, y, bias=True, l2=1.0, penalize_biases=True)
    lines.append(compare("l2 = 1, on the bias too: bias, weight", closed_form(x, y, l2=1.0),
                         network.parameters[::-1]))  # fmt: skip
    return lines


def draw_regions(axes) -> None:
    """Weights no larger than the penalised ones: where that region touches a contour, these are."""
    x, y = one_feature().x, one_feature().y
    network = half_squared_error_network()
    grid = np.linspace(-3, 8.5, 60)
    loss = np.empty((len(grid), len(grid)))
    for row, column in np.ndindex(loss.shape):
        network.parameters = grid[[column, row]]
        loss[row, column] = network.loss(x, y)
    axes.contour(grid, grid, np.log(loss), levels=12, cmap="Greys_r", linewidths=0.8)
    angle = np.linspace(0, 2 * np.pi, 200)
    for name, color, penalty, corners, size in (
        ("ridge, l2 = 2.6", "tab:green", {"l2": 2.6}, angle, np.linalg.norm),
        ("lasso, l1 = 4.2", "tab:blue", {"l1": 4.2}, np.arange(4) * np.pi / 2, np.sum),
    ):
        network = penalized(x, y, **penalty)
        weights = network.parameters
        axes.contour(grid, grid, loss, levels=[network.loss(x, y)], colors=color)
        region = size(weights) * np.column_stack([np.cos(corners), np.sin(corners)])
        axes.fill(*region.T, color=color, alpha=0.25)
        axes.plot(*weights, "o", color=color, label=name)
    axes.plot(*least_squares(x, y), "k+", markersize=12, label="least squares")
    axes.set(xlabel="first weight", ylabel="second weight", aspect="equal",
             title="Loss and the penalty's region")  # fmt: skip
    axes.legend(loc="lower right")


def draw(figure) -> None:
    figure.set_size_inches(14, 4.4)
    regions, priors, paths = figure.subplots(1, 3)
    draw_regions(regions)

    weight = np.linspace(-5, 5, 501)
    priors.plot(weight, stats.norm.pdf(weight), color="tab:green", label="normal (l2)")
    priors.plot(weight, stats.laplace.pdf(weight), color="tab:blue", label="Laplace (l1)")
    priors.set(xlabel="weight", ylabel="density", title="A penalty is minus a prior's logarithm")
    priors.legend()

    more = np.column_stack([one_feature().x, one_feature().irrelevant])
    strengths = 7 * np.linspace(0, 1, 36) ** 2
    for name, style in (("l1", "-"), ("l2", "--")):
        weights = np.array([penalized(more, one_feature().y, **{name: s}).parameters
                            for s in strengths])  # fmt: skip
        for column, color in enumerate(("tab:orange", "tab:purple", "tab:gray")):
            paths.plot(strengths, weights[:, column], color=color, linestyle=style)
    for label, color in (("bias", "tab:orange"), ("weight", "tab:purple"),
                         ("irrelevant", "tab:gray")):  # fmt: skip
        paths.plot([], [], color=color, label=label)
    paths.plot([], [], color="black", label="l1")
    paths.plot([], [], color="black", linestyle="--", label="l2")
    paths.set(xlabel="l1 or l2", ylabel="weights", title="The weights as the penalty grows")
    paths.legend(ncols=2)


if __name__ == "__main__":
    show(run())
