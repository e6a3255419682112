"""Clipping: the gradient by a large feature explodes, unless it is shortened.

`clip_norm` shortens the whole gradient and keeps its direction; `clip_value` holds each component
within bounds, and turns it. Descent survives, and is no faster for it: scaling makes it fast
(`feature_scaling`).
"""

import likely
import numpy as np

from examples._data import ROWS, Array, fit_as_drawn, least_squares, two_features
from examples._report import Line, compare, show
from examples.linear_regression import squared_error_network


def one_step(**clipping: float) -> Array:
    """What a full-batch step from zero at rate 1 subtracts: the gradient, clipped."""
    network = squared_error_network(inputs=3)
    network.parameters = [0, 0, 0]
    trainer = likely.Trainer(likely.SGD(learning_rate=1.0), batch_size=None, epochs=1, **clipping)
    trainer.fit(network, two_features().x, two_features().y)
    return -network.parameters


def descent(epochs: int, **clipping: float) -> Array:
    """The weights after each epoch at rate 0.1, rows shuffled by the trainer."""
    network = squared_error_network(inputs=3)
    network.parameters = two_features().clipped.start
    path: list[Array] = []
    trainer = likely.Trainer(likely.SGD(learning_rate=0.1), 64, epochs, **clipping)
    trainer.fit(network, two_features().x, two_features().y,
                callback=lambda epoch: path.append(network.parameters.copy()))  # fmt: skip
    return np.array(path)


def gradient_norms(steps: int, **clipping: float) -> Array:
    """The norm of the gradient at each step, before it is clipped, as long as it is finite."""
    network = squared_error_network(inputs=3)
    network.parameters = two_features().clipped.start
    step = likely.Trainer(likely.SGD(learning_rate=0.1), batch_size=None, epochs=1, **clipping)
    norms: list[float] = []
    for start in range(0, 64 * steps, 64):
        rows = np.arange(start, start + 64) % ROWS
        history = step.fit(network, two_features().x[rows], two_features().y[rows])
        norms.append(history.gradient_norm[0])
    return np.array(norms)


def run() -> list[Line]:
    data = two_features()
    gradient, short, bounded = one_step(), one_step(clip_norm=5.0), one_step(clip_value=20.0)
    drawn = fit_as_drawn(squared_error_network(inputs=3), data.clipped, data.x, data.y,
                         batch_size=64, learning_rate=0.1, clip_norm=5.0)  # fmt: skip
    by_norm, by_value = descent(1000, clip_norm=5.0)[-1], descent(1000, clip_value=1.0)[-1]
    second = least_squares(data.x, data.y)[1]
    return [
        compare("clip_norm = 5: length of the gradient", 5, np.linalg.norm(short)),
        compare("clip_norm = 5: its direction", gradient / np.linalg.norm(gradient), short / 5),
        compare("clip_value = 20: the gradient", np.clip(gradient, -20, 20), bounded),
        compare("clip_norm = 5, 1000 epochs", [4.2681595, 3.91673636, 2.59477635], drawn),
        compare("shuffled by the trainer: second weight", second, by_norm[1], 4, within=0.05),
        Line("shuffled: first and third (reported only)", "no nan; far, 2.59 to 3.40",
             (by_norm[0], by_norm[2]), bool(np.isfinite(by_norm).all()), 4),
        Line("clip_value = 1, 1000 epochs (reported only)", "no nan",
             tuple(by_value.tolist()), bool(np.isfinite(by_value).all()), 4),
    ]  # fmt: skip


def draw(figure) -> None:
    figure.set_size_inches(10, 4.2)
    norms, weights = figure.subplots(1, 2)
    for label, color, clipping in (
        ("not clipped", "tab:red", {}),
        ("clip_norm = 5", "tab:blue", {"clip_norm": 5.0}),
        ("clip_value = 1", "tab:orange", {"clip_value": 1.0}),
    ):
        steps = 10 if not clipping else 60
        norms.plot(gradient_norms(steps, **clipping), ".-", color=color, label=label)
    norms.set(xlabel="step", ylabel="norm of the gradient, before clipping", yscale="log",
              ylim=(10, 1e12), title="The first steps at rate 0.1")  # fmt: skip
    norms.legend()

    path = descent(1000, clip_norm=5.0)
    exact = least_squares(two_features().x, two_features().y)
    names = ("bias", "weight of the small feature", "weight of the large feature")
    for column, (name, color) in enumerate(zip(names, ("tab:orange", "tab:purple", "tab:green"),
                                               strict=True)):  # fmt: skip
        weights.plot(path[:, column], color=color, linewidth=1, label=name)
        weights.axhline(exact[column], color=color, linestyle=":")
    weights.plot([], [], color="black", linestyle=":", label="least squares")
    weights.set(xlabel="epoch", ylabel="weights", title="clip_norm = 5: alive, and slow",
                ylim=(0, 9))  # fmt: skip
    weights.legend(loc="upper left", ncols=2, fontsize="small")


if __name__ == "__main__":
    show(run())
