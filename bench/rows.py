"""The networks that are measured, their data, and the least time that a step of theirs can take.

Needs NumPy alone: every peer's interpreter reads this file. All sides get the same numbers from
one file: data, first parameters, and which rows stand in which batch.

Parameters are a flat array: weight (inputs x outputs, C order), then bias, of each distinct dense
layer.
"""

import dataclasses
import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Activation = Literal["relu", "sigmoid", "identity"]
Loss = Literal["squared error", "normal", "cross-entropy"]
Optimizer = Literal["adam", "sgd"]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Dense:
    """act(x W + b), or x + act(x W + b)."""

    inputs: int
    outputs: int
    activation: Activation
    offset: int
    """Where its parameters begin; layers that share them have the same."""
    residual: bool = False

    @property
    def end(self) -> int:
        return self.offset + (self.inputs + 1) * self.outputs

    def weight_and_bias(self, parameters: Any) -> tuple[Any, Any]:
        """Views of a flat array, of whatever library."""
        split = self.end - self.outputs
        weight = parameters[self.offset : split].reshape(self.inputs, self.outputs)
        return weight, parameters[split : self.end]


def perceptron(
    widths: tuple[int, ...], hidden: Activation = "relu", offset: int = 0
) -> tuple[Dense, ...]:
    layers = []
    for inputs, outputs in itertools.pairwise(widths):
        layers.append(Dense(inputs, outputs, hidden, offset))
        offset = layers[-1].end
    last = layers.pop()
    return (*layers, Dense(last.inputs, last.outputs, "identity", last.offset))


def residual_tutorial() -> tuple[Dense, ...]:
    """Sigmoid, four residual sigmoid layers, the last one four more times, a layer without one."""
    first = Dense(1, 100, "sigmoid", 0)
    own = [Dense(100, 100, "sigmoid", first.end + i * 101 * 100, residual=True) for i in range(4)]
    last = perceptron((100, 100, 2), "identity", own[-1].end)
    return (first, *own, *[own[-1]] * 4, *last)


@dataclass(frozen=True)
class Row:
    """A network, a loss and a batch: one row of the tables."""

    layers: tuple[Dense, ...]
    batch: int
    loss: Loss
    optimizer: Optimizer = "adam"
    steps: int = 1
    """In an epoch: tens of milliseconds, or 0.1 s where threads share steps (1 ms to wake them)."""
    learning_rate: float = 1e-3
    clip_value: float | None = None
    title: str = ""

    @property
    def inputs(self) -> int:
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @property
    def network(self) -> str:
        return self.title or "-".join(
            str(width) for width in (self.inputs, *(layer.outputs for layer in self.layers))
        )

    @property
    def name(self) -> str:
        optimizer = {"adam": "Adam", "sgd": "SGD"}[self.optimizer]
        return f"{self.network}, {self.loss}, {optimizer}, batch {self.batch}"

    @cached_property
    def parameters(self) -> int:
        return max(layer.end for layer in self.layers)

    @property
    def operations(self) -> int:
        """Multiplications and additions of the products of a step, 2 B (3 sum(W) - W1).

        Three products a layer, but for the first one, whose input needs no gradient.
        """
        weights = [layer.inputs * layer.outputs for layer in self.layers]
        return 2 * self.batch * (3 * sum(weights) - weights[0])

    @property
    def update_bytes(self) -> int:
        """Adam reads w, g, m, v and writes w, m, v; plain SGD reads w, g and writes w."""
        return self.parameters * {"adam": 28, "sgd": 12}[self.optimizer]

    @property
    def update_span(self) -> int:
        """Bytes of the arrays that an update walks over."""
        return self.parameters * {"adam": 16, "sgd": 8}[self.optimizer]

    @property
    def gather_bytes(self) -> int:
        """The inputs of a batch, read once."""
        return 4 * self.batch * self.inputs

    @property
    def data_span(self) -> int:
        return self.gather_bytes * self.steps

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def row_from_json(values: dict[str, Any]) -> Row:
    return Row(**{**values, "layers": tuple(Dense(**layer) for layer in values["layers"])})


@dataclass(frozen=True)
class Floor:
    """The least seconds of a step: its parts do not overlap."""

    arithmetic: float
    update: float
    gather: float

    @property
    def seconds(self) -> float:
        return self.arithmetic + self.update + self.gather


def floor(row: Row, peak: float, bandwidth: dict[int, float]) -> Floor:
    """At `peak` operations a second; `bandwidth` has bytes a second by the size that is read."""
    return Floor(
        row.operations / peak,
        row.update_bytes / of_span(bandwidth, row.update_span),
        row.gather_bytes / of_span(bandwidth, row.data_span),
    )


def of_span(bandwidth: dict[int, float], span: int) -> float:
    """The bandwidth of the smallest measured size that holds so many bytes, else of the largest."""
    fitting = [size for size in bandwidth if size >= span]
    return bandwidth[min(fitting) if fitting else max(bandwidth)]


TRAINING = (
    Row(perceptron((1, 1)), 1, "squared error", "sgd", steps=20000, learning_rate=1e-2),
    Row(perceptron((1, 1)), 64, "squared error", "sgd", steps=10000, learning_rate=1e-2),
    Row(perceptron((10, 50, 2)), 32, "normal", steps=4000),
    Row(perceptron((13, 64, 64, 1)), 32, "squared error", steps=2000),
    Row(perceptron((32, 128, 128, 2)), 128, "normal", steps=1000),
    Row(perceptron((784, 256, 128, 10)), 128, "cross-entropy", steps=150),
    Row(perceptron((784, 512, 512, 10)), 256, "cross-entropy", steps=20),
    Row(perceptron((100, 1024, 1024, 1024, 10)), 1024, "cross-entropy", steps=4),
    Row(
        residual_tutorial(), 100, "normal", "sgd", steps=300, clip_value=1.0,
        title="residual sigmoid tutorial",
    ),
)  # fmt: skip
SERVED = (
    Row(perceptron((10, 64, 64, 2)), 1, "normal"),
    Row(perceptron((32, 128, 128, 1)), 1, "squared error"),
    Row(perceptron((784, 256, 128, 10)), 1, "cross-entropy"),
)


@dataclass(frozen=True)
class Data:
    x: Array
    y: Array
    batches: Array
    """steps x batch: which rows."""
    parameters: Array

    def save(self, path: Path) -> None:
        np.savez(path, x=self.x, y=self.y, batches=self.batches, parameters=self.parameters)

    @staticmethod
    def load(path: Path | str) -> "Data":
        with np.load(path) as file:
            return Data(file["x"], file["y"], file["batches"], file["parameters"])


def make_data(row: Row, seed: int = 0) -> Data:
    rng = np.random.default_rng(seed)
    rows = row.batch * row.steps
    x = rng.standard_normal((rows, row.inputs), dtype=np.float32)
    signal = x @ rng.standard_normal((row.inputs, row.outputs), dtype=np.float32)
    y = signal.argmax(axis=1) if row.loss == "cross-entropy" else np.tanh(signal[:, 0])
    batches = shuffled(rows, seed=0).reshape(row.steps, row.batch)
    return Data(x, y, batches, first_parameters(row, rng))


def first_parameters(row: Row, rng: np.random.Generator) -> Array:
    """Uniform weights of the variance 2 / inputs for ReLU, else 1 / inputs; no biases.

    The output layer's are a tenth of it: where a fit begins wild, rounding errors grow large.
    """
    parameters = np.zeros(row.parameters, np.float32)
    for layer in row.layers:
        weight, _ = layer.weight_and_bias(parameters)
        limit = np.sqrt((6 if layer.activation == "relu" else 3) / layer.inputs)
        limit *= 0.1 if layer == row.layers[-1] else 1
        weight[...] = rng.uniform(-limit, limit, weight.shape)
    return parameters


def shuffled(rows: int, seed: int) -> Array:
    """The order in which likely takes the rows of its first epoch; see docs/conventions.md."""
    purpose_shuffle = 2
    order = list(range(rows))
    key = np.array([seed, purpose_shuffle], np.uint64)
    words = np.random.Philox(key=key, counter=0).random_raw(rows - 1).tolist() if rows > 1 else []
    for i, word in enumerate(words):
        j = i + (word * (rows - i) >> 64)
        order[i], order[j] = order[j], order[i]
    return np.array(order)
