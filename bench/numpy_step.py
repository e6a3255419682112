"""A training step written by hand in NumPy, as fast as NumPy can be made to run it.

Nothing large is allocated in a step: operations write into buffers that were made before.
Parameters, gradient and moments are flat arrays: Adam is ten passes, without a loop over layers.
A layer's bias stands right behind its weight, and every input carries a column of ones: one product
is both x W + b, and one product both their gradients. The ReLU's mask is kept for the way back.
"""

import itertools

import numpy as np

LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


class NormalLoss:
    """Negative log-likelihood of a normal distribution; raw parameters loc and log_scale."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._inverse, self._residual = np.empty((2, batch), np.float32)

    def __call__(self, raw: np.ndarray, y: np.ndarray, d_raw: np.ndarray) -> float:
        """The mean over the batch; its derivative goes into d_raw."""
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
        return float(loss) / self._batch + 0.5 * np.log(2 * np.pi)


class CategoricalLoss:
    """Cross-entropy of a softmax; y holds the labels."""

    def __init__(self, batch: int, classes: int) -> None:
        self._batch = batch
        self._row = np.empty((batch, 1), np.float32)
        self._chosen = np.empty(batch, np.float32)
        self._first = np.arange(batch) * classes
        self._at = np.empty_like(self._first)

    def __call__(self, raw: np.ndarray, y: np.ndarray, d_raw: np.ndarray) -> float:
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


class Step:
    """Gather, forward, loss, backward, Adam: a perceptron with ReLU between its layers."""

    def __init__(self, widths: tuple[int, ...], batch: int, parameters: np.ndarray) -> None:
        categorical = widths[-1] > 2
        self._loss = CategoricalLoss(batch, widths[-1]) if categorical else NormalLoss(batch)
        self.parameters = parameters.copy()
        self._gradient = np.empty_like(parameters)
        self._m, self._v, self._work = np.zeros((3, parameters.size), np.float32)
        self._steps = 0

        self._y = np.empty(batch, np.int64 if categorical else np.float32)
        self._x = np.empty((batch, widths[0] + 1), np.float32)
        self._inputs, self._values, self._masks, self._d_values = [self._x], [], [], []
        for width in widths[1:-1]:
            with_ones = np.ones((batch, width + 1), np.float32)
            self._inputs.append(with_ones)
            self._values.append(with_ones[:, :width])
            self._masks.append(np.empty((batch, width), bool))
        self._z = [np.empty((batch, width), np.float32) for width in widths[1:]]
        self._d_z = [np.empty_like(z) for z in self._z]
        self._layers, self._d_layers = [], []
        offset = 0
        for inputs, outputs in itertools.pairwise(widths):
            layer = slice(offset, offset + (inputs + 1) * outputs)
            self._layers.append(self.parameters[layer].reshape(inputs + 1, outputs))
            self._d_layers.append(self._gradient[layer].reshape(inputs + 1, outputs))
            offset = layer.stop

    def __call__(self, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> float:
        """Train on these rows of x, whose last column is ones, and return their mean loss."""
        x.take(rows, axis=0, out=self._x, mode="clip")
        y.take(rows, out=self._y, mode="clip")

        last = len(self._layers) - 1
        for i in range(last):
            z, mask = self._z[i], self._masks[i]
            np.dot(self._inputs[i], self._layers[i], out=z)
            np.greater(z, 0, out=mask)
            np.multiply(z, mask, out=self._values[i])
        np.dot(self._inputs[last], self._layers[last], out=self._z[last])
        loss = self._loss(self._z[last], self._y, self._d_z[last])
        for i in range(last, 0, -1):
            np.dot(self._inputs[i].T, self._d_z[i], out=self._d_layers[i])
            below = self._d_z[i - 1]
            np.dot(self._d_z[i], self._layers[i][:-1].T, out=below)
            np.multiply(below, self._masks[i - 1], out=below)
        np.dot(self._x.T, self._d_z[0], out=self._d_layers[0])

        self._adam()
        return loss

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
        rate = LEARNING_RATE * (1 - BETA1) / (1 - BETA1**self._steps) / scale
        np.sqrt(v, out=work)
        np.add(work, np.float32(EPSILON / scale), out=work)
        np.divide(m, work, out=work)
        np.multiply(work, np.float32(rate), out=work)
        np.subtract(self.parameters, work, out=self.parameters)
