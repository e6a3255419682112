"""A penalty under mini-batches: the notebook's estimate drifts with the batch size, ours does not.

The notebook divides its penalty by the rows of the batch, so that small batches (the short one at
the end of an epoch among them) shrink the weights more: on the squared error, l2 = 2 / rows. Here
l2 belongs to the objective, which no batch size changes.
"""

import likely

from examples._data import ROWS, Array, Run, one_feature
from examples._report import Line, compare, show
from examples.linear_regression import squared_error_network
from examples.penalties import half_squared_error_network

DRIFTING = {
    8: [5.40822766, 3.58409232],
    16: [5.65860196, 3.73012032],
    32: [5.82685968, 3.81718301],
    64: [5.91404397, 3.90443054],
    128: [5.96654590, 3.93418727],
    256: [5.98786988, 3.94779378],
    512: [5.99939005, 3.95494569],
    1000: [6.00521432, 3.95865926],
}
RIDGE = [5.99956319, 3.95500059]


def drifting_weights(drawn: Run, batch_size: int) -> Array:
    data = one_feature()
    network = squared_error_network()
    network.parameters = drawn.start
    whole = ROWS - ROWS % batch_size  # rows in batches of full size
    optimizer = likely.SGD(learning_rate=0.01)
    parts = [
        (rows, likely.Trainer(optimizer, size, epochs=1, shuffle=False, l2=2 / size))
        for rows, size in ((slice(whole), batch_size), (slice(whole, None), ROWS - whole))
        if size
    ]
    for order in drawn.orders:
        for rows, trainer in parts:
            trainer.fit(network, data.x[order[rows]], data.y[order[rows]])
    return network.parameters


def steady_weights(batch_size: int) -> Array:
    """The learning rate falls to zero, and the noise of the batches with it."""
    network = half_squared_error_network()
    network.parameters = [0, 0]
    trainer = likely.Trainer(likely.SGD(learning_rate=0.1), batch_size, epochs=500, l2=0.002,
                             schedule=likely.CosineDecay())  # fmt: skip
    trainer.fit(network, one_feature().x, one_feature().y)
    return network.parameters


def run() -> list[Line]:
    data = one_feature()
    lines = [
        compare("l2 divided by the batch: batch 64, 100 epochs", [5.91794500, 3.90542865],
                drifting_weights(data.ridge, batch_size=64))
    ]  # fmt: skip
    for size, document in DRIFTING.items():
        found = drifting_weights(data.drifting[size], size)
        lines.append(compare(f"l2 divided by the batch: batch {size}", document, found))
    for size in DRIFTING:
        found = steady_weights(size)
        lines.append(compare(f"l2 = 0.002: batch {size}", RIDGE, found, digits=3, within=0.002))
    return lines


def draw(figure) -> None:
    figure.set_size_inches(6, 4)
    axes = figure.subplots()
    sizes = list(DRIFTING)
    drifting = [drifting_weights(one_feature().drifting[size], size)[0] for size in sizes]
    steady = [steady_weights(size)[0] for size in sizes]
    axes.axhline(RIDGE[0], color="black", linewidth=0.8, linestyle=":", label="ridge, exact")
    axes.plot(sizes, drifting, "o-", color="tab:orange", label="l2 divided by the batch")
    axes.plot(sizes, steady, "o-", color="tab:blue", label="l2 in the objective")
    axes.set(xlabel="batch size", ylabel="first weight", xscale="log",
             title="One penalty, eight batch sizes")  # fmt: skip
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.legend()


if __name__ == "__main__":
    show(run())
