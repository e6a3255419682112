"""Dropout on the inputs and on the hidden units: what it drops, what a prediction sees of it.

Units that are kept are scaled up in training, so that a prediction drops nothing and needs no
change. The notebook gives no figures: known truths stand in their place, and the usual rates,
20 % for inputs and 50 % for hidden units.
"""

import likely
import numpy as np

from examples._data import Array
from examples._report import Line, compare, show

ON_INPUTS, ON_HIDDEN = 0.2, 0.5
UNITS = 10_000


def moved_by_one_step(layers: list[likely.Layer], inputs: int = 1) -> Array:
    """Output weights after a step at rate 1 from zero, with one row of ones and the target 1.

    The residual is 1, so that each weight moves by what its unit put out: by 0 if it was dropped.
    """
    network = likely.Network(
        inputs,
        layers=layers,
        output=likely.Dense(1, bias=False, init="zeros"),
        distribution=likely.Normal(scale=1.0),
        dtype="float64",
    )
    trainer = likely.Trainer(likely.SGD(learning_rate=1.0), batch_size=None, epochs=1)
    trainer.fit(network, np.ones((1, inputs)), [1.0])
    return network.named_parameters()["output.weight"]


def takes_dropout_as_output() -> bool:
    try:
        likely.Network(1, output=likely.Dropout(ON_HIDDEN))
    except ValueError:
        return False
    return True


def classifier(dropout: bool) -> likely.Network:
    hidden = likely.Dense(64, "relu")
    layers = [likely.Dropout(ON_INPUTS), hidden, likely.Dropout(ON_HIDDEN)] if dropout else [hidden]
    return likely.Network(inputs=20, layers=layers, distribution="bernoulli")


def labelled(rows: int, seed: int) -> tuple[Array, Array]:
    """Two of twenty features decide the odds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 20))
    return x, (rng.uniform(size=rows) < 1 / (1 + np.exp(2 * (x[:, 1] - x[:, 0])))).astype(float)


def losses(dropout: bool) -> tuple[Array, Array]:
    """Of each epoch, on the 200 rows of the training and on 5000 others; in evaluation mode."""
    network, (x, y) = classifier(dropout), labelled(200, seed=0)
    trained: list[float] = []
    trainer = likely.Trainer(
        likely.Adam(learning_rate=0.01), batch_size=20, epochs=50, schedule=likely.CosineDecay()
    )
    history = trainer.fit(network, x, y, validation=labelled(5000, seed=1),
                          callback=lambda epoch: trained.append(network.loss(x, y)))  # fmt: skip
    return np.array(trained), history.validation_loss


def correlated() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)) + rng.normal(size=(200, 1))
    return x, x @ [1.0, -2.0, 0.5, 3.0, 0.0] + 0.5 * rng.normal(size=200)


def linear_weights(rate: float) -> Array:
    network = likely.Network(
        inputs=5,
        layers=[likely.Dropout(rate)],
        output=likely.Dense(1, bias=False),
        distribution=likely.Normal(scale=1.0),
        dtype="float64",
    )
    trainer = likely.Trainer(likely.SGD(learning_rate=0.02), batch_size=20, epochs=2000,
                             schedule=likely.CosineDecay())  # fmt: skip
    trainer.fit(network, *correlated())
    return network.parameters


def ridge_by_dropout(rate: float) -> Array:
    """The mean of the squared error over all that may be dropped (Srivastava et al. 2014, 9.1)."""
    x, y = correlated()
    moments = x.T @ x / len(x)
    penalty = rate / (1 - rate) * np.diag(np.diag(moments))
    return np.linalg.solve(moments + penalty, x.T @ y / len(x))


def run() -> list[Line]:
    inputs = moved_by_one_step([likely.Dropout(ON_INPUTS)], inputs=UNITS)
    half = likely.Dense(UNITS, "sigmoid", init="zeros")  # puts out 1/2
    hidden = moved_by_one_step([half, likely.Dropout(ON_HIDDEN)])
    with_dropout, without = classifier(True), classifier(False)
    without.parameters = with_dropout.parameters
    x, _ = labelled(200, seed=2)
    change = np.ptp([network.predict_distribution(x).raw
                     for network in (with_dropout, with_dropout, without)], axis=0)  # fmt: skip
    refused = not takes_dropout_as_output()
    memorised, spared = losses(dropout=False)[1][-1], losses(dropout=True)[1][-1]
    return [
        compare("share of inputs dropped", ON_INPUTS, np.mean(inputs == 0), 3, within=0.02),
        compare("an input of 1 that is kept", 1 / (1 - ON_INPUTS), inputs.max(), 4),
        compare("share of hidden units dropped", ON_HIDDEN, np.mean(hidden == 0), 3, within=0.02),
        compare("a hidden unit of 1/2 that is kept", 0.5 / (1 - ON_HIDDEN), hidden.max(), 4),
        compare("prediction: changed by dropout, or repetition", 0, change.max(), 8, within=0),
        Line("on the output", "never; 1: is refused", (refused,), refused, 0),
        compare("linear model, half of the inputs dropped: a ridge", ridge_by_dropout(0.5),
                linear_weights(0.5), 3, within=0.03),
        Line("200 rows, held-out loss: without, with dropout", "less", (memorised, spared),
             spared < 0.6 * memorised, 3),
    ]  # fmt: skip


def draw(figure) -> None:
    figure.set_size_inches(10, 4.2)
    learning, weights = figure.subplots(1, 2)
    for dropout, color, name in ((False, "tab:gray", "without"), (True, "tab:blue", "with")):
        trained, held_out = losses(dropout)
        learning.plot(held_out, color=color, label=f"{name} dropout, held out")
        learning.plot(trained, color=color, linestyle="--", label=f"{name} dropout, trained on")
    learning.set(xlabel="epoch", ylabel="loss", title="200 rows, 20 features", ylim=(0, 1.4))
    learning.legend(loc="upper left")

    rates = np.linspace(0, 0.9, 10)
    exact = np.array([ridge_by_dropout(rate) for rate in np.linspace(0, 0.9, 91)])
    found = np.array([linear_weights(rate) for rate in rates])
    for column in range(5):
        color = f"C{column}"
        weights.plot(np.linspace(0, 0.9, 91), exact[:, column], color=color)
        weights.plot(rates, found[:, column], "o", color=color)
    weights.plot([], [], color="black", label="ridge, exact")
    weights.plot([], [], "o", color="black", label="dropout")
    weights.set(xlabel="share of the inputs dropped", ylabel="weights",
                title="A linear model: dropout is a ridge")  # fmt: skip
    weights.legend()


if __name__ == "__main__":
    show(run())
