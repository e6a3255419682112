"""The network: layers, one flat parameter buffer, the loss and its gradient by backpropagation.

Contract: `parameters` holds the distinct dense layers in the order of their first appearance, the
output layer last, each as weight (inputs, units) in C order and then bias, and behind them the
shared constants of the distribution, one a target column. A layer object that appears twice is one
set of parameters. Arithmetic is float64 whatever the `dtype`, which decides only the bits of
uniforms and the rounding of initial parameters. x is (rows, inputs), y is (rows, targets), the loss
is in the user's units.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import philox
from .activations import ACTIVATIONS
from .arrays import Array
from .distributions import Distribution
from .predictive import Predictive
from .scaling import Scaling


@dataclass(frozen=True, eq=False)  # compared by identity: the same object is the same weights
class Dense:
    units: int
    activation: str = "identity"
    bias: bool = True
    init: str = "auto"
    activation_parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError("a dense layer has at least one unit")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}")


class Residual:
    def __init__(self, *layers: "Dense | Residual") -> None:
        self.layers = layers


Layer = Dense | Residual


@dataclass(frozen=True)
class Slots:
    """Where a dense layer stands in a flat buffer."""

    inputs: int
    units: int
    bias: bool
    offset: int

    @property
    def size(self) -> int:
        return (self.inputs + self.bias) * self.units

    def weight(self, buffer: Array) -> Array:
        end = self.offset + self.inputs * self.units
        return buffer[self.offset : end].reshape(self.inputs, self.units)

    def bias_of(self, buffer: Array) -> Array:
        start = self.offset + self.inputs * self.units
        return buffer[start : start + self.units] if self.bias else np.zeros(self.units)


# One entry for each layer passed: (dense layer, its input, its z) or (residual, the inner trace).
Trace = list[tuple[Any, ...]]


class Network:
    def __init__(
        self,
        inputs: int,
        targets: int,
        layers: Sequence[Layer],
        distribution: Distribution,
        output: Dense | None = None,
        dtype: str = "float32",
        seed: int = 0,
    ) -> None:
        units = len(distribution.predicted) * targets
        output = Dense(units) if output is None else output
        if output.units != units:
            raise ValueError(f"the output layer needs {units} units, not {output.units}")
        if any(layer is output for layer in _dense_layers(layers)):
            raise ValueError("the output layer is also a hidden layer")
        self.inputs = inputs
        self.targets = targets
        self.layers: list[Layer] = [*layers, output]
        self.distribution = distribution
        self.dtype = dtype
        self.scaling: Scaling | None = None

        self.slots: dict[Dense, Slots] = {}
        self._place(self.layers, inputs)
        self.weights_end = sum(slots.size for slots in self.slots.values())
        self.parameters = np.zeros(self.weights_end + len(distribution.shared) * targets)
        for index, (layer, slots) in enumerate(self.slots.items()):
            weight, bias = philox.initialise(
                layer.init, layer.activation, slots.inputs, slots.units,
                seed=seed, layer=index, dtype=dtype,
            )  # fmt: skip
            slots.weight(self.parameters)[...] = weight
            slots.bias_of(self.parameters)[...] = bias

    def _place(self, layers: Sequence[Layer], width: int) -> int:
        """Give each new dense layer its place; return the width behind the layers."""
        for layer in layers:
            if isinstance(layer, Residual):
                if self._place(layer.layers, width) != width:
                    raise ValueError("the layers of a residual keep the width")
                continue
            if layer not in self.slots:
                offset = sum(slots.size for slots in self.slots.values())
                self.slots[layer] = Slots(width, layer.units, layer.bias, offset)
            if self.slots[layer].inputs != width:
                raise ValueError("a shared layer has the same number of inputs at each use")
            width = layer.units
        return width

    def _forward(self, layers: Sequence[Layer], x: Array, trace: Trace) -> Array:
        for layer in layers:
            if isinstance(layer, Residual):
                inner: Trace = []
                x = x + self._forward(layer.layers, x, inner)
                trace.append((layer, inner))
                continue
            value, _ = ACTIVATIONS[layer.activation]
            slots = self.slots[layer]
            z = x @ slots.weight(self.parameters) + slots.bias_of(self.parameters)
            trace.append((layer, x, z))
            x = value(z, **layer.activation_parameters)
        return x

    def _backward(self, trace: Trace, d_value: Array, gradient: Array) -> Array:
        """Add to the gradient of the parameters; return the gradient of the traced input."""
        for layer, *saved in reversed(trace):
            if isinstance(layer, Residual):
                (inner,) = saved
                d_value = d_value + self._backward(inner, d_value, gradient)
                continue
            x, z = saved
            _, derivative = ACTIVATIONS[layer.activation]
            slots = self.slots[layer]
            d_z = d_value * derivative(z, **layer.activation_parameters)
            slots.weight(gradient)[...] += x.T @ d_z
            slots.bias_of(gradient)[...] += d_z.sum(axis=0)
            d_value = d_z @ slots.weight(self.parameters).T
        return d_value

    def _scaling(self) -> Scaling:
        return Scaling.identity(self.inputs, self.targets) if self.scaling is None else self.scaling

    def _outputs(self, x: ArrayLike) -> tuple[Array, Trace]:
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ValueError(f"x has the shape (rows, {self.inputs}), not {x.shape}")
        scaling = self._scaling()
        trace: Trace = []
        outputs = self._forward(self.layers, (x - scaling.input_mean) / scaling.input_scale, trace)
        return outputs, trace

    def _all_raw(self, outputs: Array) -> Array:
        """Predicted, shared and fixed raw parameters as (parameter, row, target column)."""
        family, rows = self.distribution, len(outputs)
        predicted = outputs.reshape(rows, len(family.predicted), self.targets)
        shared = self.parameters[self.weights_end :].reshape(len(family.shared), self.targets)
        raw = np.empty((len(family.names), rows, self.targets))
        for p, name in enumerate(family.names):
            if name in family.fixed:
                raw[p] = family.fixed[name]
            elif name in family.shared:
                raw[p] = shared[family.shared.index(name)]
            else:
                raw[p] = predicted[:, family.predicted.index(name)]
        return raw

    def raw(self, x: ArrayLike) -> Array:
        """The outputs, (rows, predicted parameters * targets), in standardised units."""
        return self._outputs(x)[0]

    def predict(self, x: ArrayLike) -> Predictive:
        scaling = self._scaling()
        raw = self._all_raw(self.raw(x))
        return Predictive(
            self.distribution, raw, scaling.target_mean, scaling.target_scale, self.dtype
        )

    def loss(self, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None) -> float:
        return self.loss_and_gradient(x, y, weight)[0]

    def loss_and_gradient(
        self, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None
    ) -> tuple[float, Array]:
        """sum(weight * row loss) / rows, and its gradient in the layout of `parameters`."""
        family, scaling = self.distribution, self._scaling()
        outputs, trace = self._outputs(x)
        y = np.asarray(y, dtype=np.float64)
        rows = len(outputs)
        if rows == 0:
            raise ValueError("a loss needs at least one row")
        if y.shape != (rows, self.targets):
            raise ValueError(f"y has the shape ({rows}, {self.targets}), not {y.shape}")
        if not np.all(family.support(y)):
            raise ValueError("a target is outside the support of the distribution")
        w = np.ones(rows) if weight is None else np.asarray(weight, dtype=np.float64)
        if w.shape != (rows,):
            raise ValueError(f"weight has the shape ({rows},), not {w.shape}")

        raw = self._all_raw(outputs)
        y = (y - scaling.target_mean) / scaling.target_scale
        # The density in the user's units is the standardised one divided by the target's scale.
        log_prob = family.log_prob(raw, y) - np.log(scaling.target_scale)
        loss = float(np.sum(w * -log_prob.sum(axis=1)) / rows)

        d_raw = -family.gradient(raw, y) * (w / rows)[:, np.newaxis]
        d_of = dict(zip(family.names, d_raw, strict=True))
        gradient = np.zeros_like(self.parameters)
        d_outputs = np.stack([d_of[name] for name in family.predicted], axis=1)
        self._backward(trace, d_outputs.reshape(rows, -1), gradient)
        tail = gradient[self.weights_end :].reshape(len(family.shared), self.targets)
        for s, name in enumerate(family.shared):
            tail[s] = d_of[name].sum(axis=0)
        return loss, gradient


def _dense_layers(layers: Sequence[Layer]) -> Iterator[Dense]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _dense_layers(layer.layers)
        else:
            yield layer
