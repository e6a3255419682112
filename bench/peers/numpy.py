"""NumPy by hand, as fast as it can be made to run a training step.

Nothing large is allocated in a step: operations write into buffers that were made before.
Parameters, gradient and moments are flat arrays: the update is a few passes, without a loop over
layers. A layer's bias stands right behind its weight, and every input carries a column of ones: one
product is both x W + b, and one product both their gradients.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.peers.base import Predict
from bench.rows import BETA1, BETA2, EPSILON, Array, Data, Dense, Row

title = "NumPy"
HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


def version() -> str:
    return np.__version__


def use_threads(threads: int) -> None:
    """Its BLAS reads the environment."""


class NormalLoss:
    """Negative log-likelihood of a normal distribution; raw parameters loc and log_scale.

    A call returns the mean over the batch; its derivative goes into d_raw.
    """

    def __init__(self, row: Row) -> None:
        self._batch = row.batch
        self._inverse, self._residual = np.empty((2, row.batch), np.float32)

    def __call__(self, raw: Array, y: Array, d_raw: Array) -> float:
        loc, log_scale = raw[:, 0], raw[:, 1]
        d_loc, d_log_scale = d_raw[:, 0], d_raw[:, 1]
        inverse, residual = self._inverse, self._residual
        np.negative(log_scale, out=inverse)
        np.exp(inverse, out=inverse)
        np.subtract(loc, y, out=residual)
        np.multiply(residual, inverse, out=residual)
        loss = 0.5 * np.dot(residual, residual) + np.add.reduce(log_scale)
        np.multiply(residual, inverse, out=d_loc)
        np.multiply(residual, residual, out=residual)
        np.subtract(1, residual, out=d_log_scale)
        np.multiply(d_raw, np.float32(1 / self._batch), out=d_raw)
        return float(loss / self._batch + HALF_LOG_2PI)


class SquaredError:
    """Half the squared error."""

    def __init__(self, row: Row) -> None:
        self._batch = row.batch

    def __call__(self, raw: Array, y: Array, d_raw: Array) -> float:
        residual = d_raw[:, 0]
        np.subtract(raw[:, 0], y, out=residual)
        loss = 0.5 * np.dot(residual, residual) / self._batch
        np.multiply(residual, np.float32(1 / self._batch), out=residual)
        return float(loss)


class CrossEntropy:
    """Of a softmax; y holds the labels."""

    def __init__(self, row: Row) -> None:
        self._batch = row.batch
        self._row = np.empty((row.batch, 1), np.float32)
        self._chosen = np.empty(row.batch, np.float32)
        self._first = np.arange(row.batch) * row.outputs
        self._at = np.empty_like(self._first)

    def __call__(self, raw: Array, y: Array, d_raw: Array) -> float:
        np.maximum.reduce(raw, axis=1, keepdims=True, out=self._row)
        np.subtract(raw, self._row, out=raw)
        np.exp(raw, out=d_raw)
        np.add.reduce(d_raw, axis=1, keepdims=True, out=self._row)
        np.divide(d_raw, self._row, out=d_raw)
        np.add(self._first, y, out=self._at)
        raw.ravel().take(self._at, out=self._chosen, mode="clip")
        loss = np.add.reduce(np.log(self._row, out=self._row), axis=None)
        loss -= np.add.reduce(self._chosen)
        d_raw.ravel()[self._at] -= 1
        np.multiply(d_raw, np.float32(1 / self._batch), out=d_raw)
        return float(loss) / self._batch


LOSSES: dict[str, Callable[[Row], Callable[[Array, Array, Array], float]]] = {
    "normal": NormalLoss,
    "squared error": SquaredError,
    "cross-entropy": CrossEntropy,
}


class Layer:
    """One use of a dense layer: its buffers, and views of its parameters and gradient.

    `x` is the input with its ones; `out` takes the output and has none at the end of the network.
    `gradient_is_sum`: the same parameters already had a gradient in this step.
    """

    def __init__(
        self, dense: Dense, x: Array, out: Array, parameters: Array, gradient: Array,
        gradient_is_sum: bool,
    ) -> None:  # fmt: skip
        place, shape = slice(dense.offset, dense.end), (dense.inputs + 1, dense.outputs)
        self._weights = parameters[place].reshape(shape)
        self._d_weights = gradient[place].reshape(shape)
        self._more = np.empty(shape, np.float32) if gradient_is_sum else None
        self._x, self._values, self._out = x, x[:, : dense.inputs], out
        self._z = np.empty((len(x), dense.outputs), np.float32)
        self._work = np.empty_like(self._z)
        self._mask = np.empty(self._z.shape, bool)
        self._dense = dense

    def forward(self) -> None:
        z, out = self._z, self._out
        np.dot(self._x, self._weights, out=z)
        if self._dense.activation == "relu":
            np.greater(z, 0, out=self._mask)
            np.multiply(z, self._mask, out=out if not self._dense.residual else z)
        elif self._dense.activation == "sigmoid":
            np.negative(z, out=z)
            np.exp(z, out=z)
            np.add(z, 1, out=z)
            np.reciprocal(z, out=z)
        if self._dense.residual:
            np.add(self._values, z, out=out)
        elif self._dense.activation != "relu":
            np.copyto(out, z)

    def backward(self, d_out: Array, d_x: Array | None) -> None:
        d_z = d_out
        if self._dense.activation == "relu":
            d_z = np.multiply(d_out, self._mask, out=self._work)
        elif self._dense.activation == "sigmoid":
            np.multiply(self._z, self._z, out=self._work)
            np.subtract(self._z, self._work, out=self._work)
            d_z = np.multiply(self._work, d_out, out=self._work)
        if self._more is None:
            np.dot(self._x.T, d_z, out=self._d_weights)
        else:
            np.dot(self._x.T, d_z, out=self._more)
            np.add(self._d_weights, self._more, out=self._d_weights)
        if d_x is not None:
            np.dot(d_z, self._weights[:-1].T, out=d_x)
            if self._dense.residual:
                np.add(d_x, d_out, out=d_x)


class Step:
    """Gather, forward, loss, backward, update."""

    def __init__(self, row: Row, parameters: Array) -> None:
        self._row, self._loss = row, LOSSES[row.loss](row)
        self.parameters = parameters.copy()
        self._gradient = np.empty_like(parameters)
        self._m, self._v, self._work = np.zeros((3, parameters.size), np.float32)
        self._steps = 0

        self._y = np.empty(row.batch, np.int64 if row.loss == "cross-entropy" else np.float32)
        self._x = np.empty((row.batch, row.inputs + 1), np.float32)
        self._raw = np.empty((row.batch, row.outputs), np.float32)
        self._d_values: list[Array | None] = [None]  # the gradient of each layer's input
        self._layers = []
        x = self._x
        for i, dense in enumerate(row.layers):
            is_last = i == len(row.layers) - 1
            with_ones = np.ones((row.batch, dense.outputs + 1), np.float32)
            out = self._raw if is_last else with_ones[:, : dense.outputs]
            # The last use of a layer is the first one on the way back.
            used_again = any(other.offset == dense.offset for other in row.layers[i + 1 :])
            layer = Layer(dense, x, out, self.parameters, self._gradient, used_again)
            self._layers.append(layer)
            self._d_values.append(np.empty((row.batch, dense.outputs), np.float32))
            x = with_ones

    def __call__(self, x: Array, y: Array, rows: Array) -> float:
        """Train on these rows of x, whose last column is ones, and return their mean loss."""
        x.take(rows, axis=0, out=self._x, mode="clip")
        y.take(rows, out=self._y, mode="clip")
        for layer in self._layers:
            layer.forward()
        d_raw: Any = self._d_values[-1]
        loss = self._loss(self._raw, self._y, d_raw)
        for i in range(len(self._layers) - 1, -1, -1):
            d_out: Any = self._d_values[i + 1]
            self._layers[i].backward(d_out, self._d_values[i])
        if self._row.clip_value is not None:
            np.minimum(self._gradient, np.float32(self._row.clip_value), out=self._gradient)
            np.maximum(self._gradient, np.float32(-self._row.clip_value), out=self._gradient)
        (self._adam if self._row.optimizer == "adam" else self._sgd)()
        return loss

    def _sgd(self) -> None:
        np.multiply(self._gradient, np.float32(self._row.learning_rate), out=self._work)
        np.subtract(self.parameters, self._work, out=self.parameters)

    def _adam(self) -> None:
        """Adam with its constant factors moved into the two scalars of the last line."""
        self._steps += 1
        g, m, v, work = self._gradient, self._m, self._v, self._work
        np.multiply(m, np.float32(BETA1), out=m)
        np.add(m, g, out=m)
        np.multiply(g, g, out=work)
        np.multiply(v, np.float32(BETA2), out=v)
        np.add(v, work, out=v)
        scale = np.sqrt((1 - BETA2) / (1 - BETA2**self._steps))
        rate = self._row.learning_rate * (1 - BETA1) / (1 - BETA1**self._steps) / scale
        np.sqrt(v, out=work)
        np.add(work, np.float32(EPSILON / scale), out=work)
        np.divide(m, work, out=work)
        np.multiply(work, np.float32(rate), out=work)
        np.subtract(self.parameters, work, out=self.parameters)


class Steps:
    def __init__(self, row: Row, data: Data) -> None:
        self._row, self._data = row, data
        self._x_with_ones = np.column_stack([data.x, np.ones(len(data.x), np.float32)])

    def epoch(self, steps: int) -> tuple[float, float]:
        self._step = step = Step(self._row, self._data.parameters)
        x, y, batches, losses = self._x_with_ones, self._data.y, self._data.batches[:steps], []
        start = time.perf_counter()
        for rows in batches:
            losses.append(step(x, y, rows))
        return time.perf_counter() - start, float(np.mean(losses))

    def parameters(self) -> Array:
        return self._step.parameters


training = Steps


def predict(row: Row, parameters: Array) -> Predict:
    layers = [(*layer.weight_and_bias(parameters), layer) for layer in row.layers]

    def raw(x: Array) -> Array:
        for weight, bias, layer in layers:
            z = np.dot(x, weight)
            z += bias
            if layer.activation == "relu":
                np.maximum(z, 0, out=z)
            elif layer.activation == "sigmoid":
                z = 1 / (1 + np.exp(-z))
            x = x + z if layer.residual else z
        return x

    return raw
