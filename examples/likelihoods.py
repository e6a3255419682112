"""Losses as likelihoods: each familiar loss is the negative log-likelihood of a distribution.

Bernoulli gives the binary cross-entropy, Categorical the cross-entropy of a softmax, Normal with
unit variance half the squared error. Then three models are fitted by their likelihoods alone.
"""

import likely
import numpy as np

from examples._data import Array
from examples._report import Line, compare, show
from examples.logistic_regression import second_order

CLASSES = 3


def network(distribution: likely.Distribution, hidden: tuple[int, ...] = (5,)) -> likely.Network:
    layers = [likely.Dense(units, "relu") for units in hidden]
    return likely.Network(2, layers=layers, distribution=distribution, dtype="float64", seed=1)


def fit(model: likely.Network, x: Array, y: Array, rate: float = 1.0, epochs: int = 500) -> None:
    optimizer = likely.SGD(learning_rate=rate, momentum=0.9, nesterov=True)
    likely.Trainer(optimizer, batch_size=None, epochs=epochs).fit(model, x, y)


def equal_losses(x: Array, noise: Array) -> list[Line]:
    """Untrained networks: the library's loss and the textbook's formula on their raw outputs."""
    y = x[:, 0] + noise
    label = (y > 0).astype(float)
    number = np.digitize(y, [-0.5, 0.5])
    lines = []

    squared = network(likely.Normal(scale=1.0))
    loc = squared.predict_distribution(x).raw[:, 0]
    formula = np.mean((y - loc) ** 2) / 2 + np.log(2 * np.pi) / 2
    lines.append(compare("Normal: half the squared error + log(2 pi) / 2",
                         formula, squared.loss(x, y), digits=13))  # fmt: skip

    binary = network(likely.Bernoulli())
    p = 1 / (1 + np.exp(-binary.predict_distribution(x).raw[:, 0]))
    formula = -np.mean(label * np.log(p) + (1 - label) * np.log(1 - p))
    lines.append(compare("Bernoulli: binary cross-entropy",
                         formula, binary.loss(x, label), digits=13))  # fmt: skip

    softmax = network(likely.Categorical(classes=CLASSES))
    exponentials = np.exp(softmax.predict_distribution(x).raw)
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    formula = -np.mean(np.sum(np.eye(CLASSES)[number] * np.log(p), axis=1))
    lines.append(compare("Categorical: cross-entropy of the softmax",
                         formula, softmax.loss(x, number), digits=13))  # fmt: skip
    return lines


def linear_gaussian(x: Array, noise: Array) -> list[Line]:
    """y ~ Normal(w x + b, sigma^2), sigma learned: least squares and the deviation about it."""
    y = 1.5 * x[:, 0] - 2.0 * x[:, 1] + 0.7 + 0.3 * noise
    columns = np.column_stack([x, np.ones(len(x))])
    exact = np.linalg.lstsq(columns, y, rcond=None)[0]
    sigma = np.sqrt(np.mean((y - columns @ exact) ** 2))

    model = network(likely.Normal(scale="shared"), hidden=())
    fit(model, x, y, rate=0.02, epochs=2000)
    *weights, log_sigma = model.parameters
    return [
        compare("linear-Gaussian: weights and bias, by least squares", exact, weights),
        compare("linear-Gaussian: sigma, deviation of the residuals", sigma, np.exp(log_sigma)),
    ]


def logistic(x: Array, uniform: Array) -> list[Line]:
    """y ~ Bernoulli(sigmoid(w1 x1 + w2 x2 + b)): what a second-order solver finds."""
    label = (uniform < 1 / (1 + np.exp(-(2.0 * x[:, 0] - x[:, 1] + 0.5)))).astype(float)
    exact = second_order(np.column_stack([x, np.ones(len(x))]), label)
    model = network(likely.Bernoulli(), hidden=())
    fit(model, x, label, rate=2.0)
    return [compare("logistic: weights and bias, second order (SciPy)", exact, model.parameters)]


def one_hidden_layer(x: Array, uniform: Array) -> list[Line]:
    """Classes drawn from a known network; another is fitted and met with rows it has not seen."""
    truth = network(likely.Categorical(classes=CLASSES), hidden=(4,))
    truth.parameters = 4 * truth.parameters  # decided, so that there is something to learn
    p = truth.predict_distribution(x).params["probs"]
    number = np.argmax(uniform[:, None] < np.cumsum(p, axis=1), axis=1)
    train, test = slice(None, len(x) // 2), slice(len(x) // 2, None)

    model = network(likely.Categorical(classes=CLASSES), hidden=(8,))
    fit(model, x[train], number[train], rate=0.3, epochs=1000)
    return [
        compare("softmax, one hidden layer: held-out loss, of the truth",
                truth.loss(x[test], number[test]), model.loss(x[test], number[test]),
                digits=3, within=0.02)
    ]  # fmt: skip


def run() -> list[Line]:
    rng = np.random.RandomState(0)
    x, noise, uniform = rng.normal(size=(4000, 2)), rng.normal(size=4000), rng.uniform(size=4000)
    return [
        *equal_losses(x, noise),
        *linear_gaussian(x, noise),
        *logistic(x, uniform),
        *one_hidden_layer(x, uniform),
    ]


if __name__ == "__main__":
    show(run())
