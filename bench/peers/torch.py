"""PyTorch: eager, with its fused optimizers; prediction by a frozen trace."""

import time
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bench.peers.base import Predict
from bench.rows import BETA1, BETA2, EPSILON, Array, Data, Row

title = "PyTorch"


def version() -> str:
    return str(torch.__version__)


def use_threads(threads: int) -> None:
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


ACTIVATIONS: dict[str, Any] = {"relu": torch.relu, "sigmoid": torch.sigmoid}


def forward(row: Row, layers: list[tuple[Any, Any]], x: Any) -> Any:
    """Plain function calls: modules would only add to them."""
    for layer, (weight, bias) in zip(row.layers, layers, strict=True):
        value = torch.addmm(bias, x, weight)
        if layer.activation != "identity":
            value = ACTIVATIONS[layer.activation](value)
        x = x + value if layer.residual else value
    return x


def loss(row: Row, raw: Any, y: Any) -> Any:
    if row.loss == "cross-entropy":
        return functional.cross_entropy(raw, y)
    if row.loss == "squared error":
        return 0.5 * functional.mse_loss(raw[:, 0], y)
    loc, log_scale = raw.unbind(1)
    residual = (y - loc) * torch.exp(-log_scale)
    return (0.5 * residual * residual + log_scale).mean() + 0.5 * np.log(2 * np.pi)


class Eager:
    def __init__(self, row: Row, data: Data) -> None:
        self._row, self._first = row, data.parameters
        self._x, self._y = torch.from_numpy(data.x), torch.from_numpy(data.y)
        self._batches = torch.from_numpy(data.batches)
        self._offsets = sorted({layer.offset for layer in row.layers})

    def _fresh(self) -> list[Any]:
        distinct = {layer.offset: layer for layer in self._row.layers}
        tensors: list[Any] = []
        for offset in self._offsets:
            for array in distinct[offset].weight_and_bias(self._first):
                tensors.append(torch.tensor(array, requires_grad=True))
        return tensors

    def epoch(self, steps: int) -> tuple[float, float]:
        row, x, y, batches = self._row, self._x, self._y, self._batches
        tensors = self._tensors = self._fresh()
        at = [2 * self._offsets.index(layer.offset) for layer in row.layers]
        layers = [(tensors[i], tensors[i + 1]) for i in at]
        rate = row.learning_rate
        optimizer = (
            torch.optim.Adam(tensors, rate, (BETA1, BETA2), EPSILON, fused=True)
            if row.optimizer == "adam"
            else torch.optim.SGD(tensors, rate, fused=True)
        )
        losses = []
        start = time.perf_counter()
        for i in range(steps):
            rows = batches[i]
            value = loss(row, forward(row, layers, x[rows]), y[rows])
            optimizer.zero_grad()
            value.backward()
            if row.clip_value is not None:
                torch.nn.utils.clip_grad_value_(tensors, row.clip_value)
            optimizer.step()
            losses.append(value.detach())
        seconds = time.perf_counter() - start
        return seconds, float(torch.stack(losses).mean())

    def parameters(self) -> Array:
        return np.concatenate([tensor.detach().numpy().ravel() for tensor in self._tensors])


training = Eager


def predict(row: Row, parameters: Array) -> Predict:
    layers = [
        tuple(torch.tensor(array) for array in layer.weight_and_bias(parameters))
        for layer in row.layers
    ]

    class Network(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def forward(self, x: Any) -> Any:
            return forward(row, layers, x)  # type: ignore[arg-type, unused-ignore]

    example = torch.zeros(2, row.inputs)
    frozen = torch.jit.freeze(torch.jit.trace(Network().eval(), example))

    def predicted(x: Array) -> Array:
        with torch.inference_mode():
            result: Array = frozen(torch.from_numpy(x)).numpy()
        return result

    for _ in range(20):  # it compiles on its second call
        predicted(np.zeros((2, row.inputs), np.float32))
    return predicted
