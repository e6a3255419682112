"""likely itself."""

import likely
import numpy as np

from bench.peers.base import Predict
from bench.rows import Array, Data, Dense, Row

title = "likely"


def version() -> str:
    return likely.__version__


def use_threads(threads: int) -> None:
    likely.set_num_threads(threads)


def network(row: Row) -> likely.Network:
    *hidden, output = row.layers
    made: dict[Dense, likely.Layer] = {}
    for dense in hidden:
        if dense not in made:
            layer: likely.Layer = likely.Dense(dense.outputs, dense.activation)
            made[dense] = likely.Residual(layer) if dense.residual else layer
    family = {
        "squared error": likely.Normal(scale=1.0),
        "normal": likely.Normal(),
        "cross-entropy": likely.Categorical(max(2, output.outputs)),
    }[row.loss]
    return likely.Network(row.inputs, 1, [made[dense] for dense in hidden], family)


class Fit:
    def __init__(self, row: Row, data: Data) -> None:
        rate = row.learning_rate
        optimizer = {"adam": likely.Adam, "sgd": likely.SGD}[row.optimizer](learning_rate=rate)
        self._trainer = likely.Trainer(
            optimizer, row.batch, epochs=1, seed=0, clip_value=row.clip_value
        )
        self._row, self._data = row, data
        self._network = network(row)

    def epoch(self, steps: int) -> tuple[float, float]:
        """Always the whole epoch: its order is a function of the number of rows."""
        assert steps == self._row.steps
        self._network.parameters = self._data.parameters
        history = self._trainer.fit(self._network, self._data.x, self._data.y)
        loss = float(history.loss[0])
        if self._row.loss == "squared error":  # a density's, with its constant
            loss -= 0.5 * np.log(2 * np.pi)
        return history.seconds, loss

    def parameters(self) -> Array:
        return self._network.parameters.copy()


training = Fit


def predict(row: Row, parameters: Array) -> Predict:
    trained = network(row)
    trained.parameters = parameters
    return trained.predict
