"""The network: layers, one flat parameter buffer, the loss and its gradient by backpropagation.

Contract: `parameters` holds the distinct layers in the order of their first appearance, the output
layer last (unless it is a hidden layer too), and behind them the shared constants of the
distribution, one a target column; `averages` holds those of the BatchNorm layers. A layer object
that appears twice is one set of parameters. Everything runs in evaluation mode but
`training_loss_and_gradient`, which changes nothing either: it returns the averages that the caller
sets once the step was applied. Arithmetic is float64 whatever the `dtype`, which decides only the
bits of uniforms, the rounding of initial parameters and what counts as finite in training. x is
(rows, inputs), y is (rows, targets), the loss is in the user's units. `event`, of y's shape, is 0
where a target is censored (its variable is larger), else 1. `stabilize` changes the gradient alone.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import philox
from .activations import ACTIVATIONS
from .arrays import Array
from .distributions import Distribution
from .layers import BatchNorm, ColumnSlots, Dense, DenseSlots, Dropout, Layer, LayerNorm, Residual
from .predictive import Predictive
from .scaling import Scaling
from .stabilizers import Stabilizer

# One entry for each layer passed: the layer, and what its backward pass needs.
Trace = list[tuple[Any, ...]]


class TrainingStep:
    """What sets a step in training mode apart: where its masks come from, what moves an average."""

    def __init__(self, averages: Array, seed: int, epoch: int, step: int) -> None:
        self.averages = averages  # as they shall stand after the step
        self.seed, self.epoch, self.step = seed, epoch, step
        self.uses = 0  # of Dropout layers, so far

    def mask(self, rate: float, shape: tuple[int, ...]) -> Array:
        use, self.uses = self.uses, self.uses + 1
        return philox.dropout_mask(
            rate, shape, seed=self.seed, epoch=self.epoch, step=self.step, use=use
        )


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
        if distribution.joint and distribution.targets != targets:
            raise ValueError(f"the distribution is over {distribution.targets} target columns")
        self.columns = 1 if distribution.joint else targets  # that have raw parameters of their own
        units = len(distribution.predicted) * self.columns
        output = Dense(units) if output is None else output
        if not isinstance(output, Dense):
            raise ValueError("the output layer is a dense layer")
        if output.units != units:
            raise ValueError(f"the output layer needs {units} units, not {output.units}")
        self.inputs = inputs
        self.targets = targets
        self.layers: list[Layer] = [*layers, output]
        self.distribution = distribution
        self.dtype = dtype
        self.scaling: Scaling | None = None

        self.slots: dict[Layer, Any] = {}  # DenseSlots of a Dense, else ColumnSlots
        self.average_slots: dict[Layer, ColumnSlots] = {}
        self._place(self.layers, inputs)
        self.weights_end = sum(slots.size for slots in self.slots.values())
        self.parameters = np.zeros(self.weights_end + len(distribution.shared) * self.columns)
        self.averages = np.zeros(sum(slots.size for slots in self.average_slots.values()))
        for average in self.average_slots.values():
            average.second(self.averages)[...] = 1.0
        dense = 0
        for layer, slots in self.slots.items():
            if not isinstance(layer, Dense):
                slots.first(self.parameters)[...] = 1.0
                continue
            weight, bias = philox.initialise(
                layer.init, layer.activation, slots.inputs, slots.units,
                seed=seed, layer=dense, dtype=dtype,
            )  # fmt: skip
            slots.weight(self.parameters)[...] = weight
            slots.bias_of(self.parameters)[...] = bias
            dense += 1
        # Predicted raw parameters start through the output layer's bias, constants by themselves.
        bias = self.slots[output].bias_of(self.parameters)
        bias[...] = bias.astype(dtype) + self._starts(distribution.predicted).astype(dtype)
        self.parameters[self.weights_end :] = self._starts(distribution.shared).astype(dtype)

    def _starts(self, names: Sequence[str]) -> Array:
        """Starting values of these raw parameters, in the order of the output layer's units."""
        starts = dict(zip(self.distribution.names, self.distribution.starts, strict=True))
        return np.repeat(np.array([starts[n] for n in names], dtype=np.float64), self.columns)

    def _place(self, layers: Sequence[Layer], width: int) -> int:
        """Give each new layer its place; return the width behind the layers."""
        for layer in layers:
            if isinstance(layer, Residual):
                if self._place(layer.layers, width) != width:
                    raise ValueError("the layers of a residual keep the width")
                continue
            if isinstance(layer, Dropout):
                continue
            if layer in self.average_slots:
                raise ValueError("a BatchNorm layer is used once: its batches would be different")
            if layer not in self.slots:
                offset = sum(slots.size for slots in self.slots.values())
                if isinstance(layer, Dense):
                    self.slots[layer] = DenseSlots(width, layer.units, layer.bias, offset)
                else:
                    self.slots[layer] = ColumnSlots(width, offset)
            if isinstance(layer, BatchNorm):
                offset = sum(slots.size for slots in self.average_slots.values())
                self.average_slots[layer] = ColumnSlots(width, offset)
            if self.slots[layer].inputs != width:
                raise ValueError("a shared layer has the same number of inputs at each use")
            width = layer.units if isinstance(layer, Dense) else width
        return width

    def penalised(self, biases: bool = False) -> NDArray[np.bool_]:
        """Which parameters penalties and weight decay act on: dense weights, biases if asked."""
        chosen = np.zeros_like(self.parameters)
        for layer, slots in self.slots.items():
            if isinstance(layer, Dense):
                slots.weight(chosen)[...] = 1.0
                slots.bias_of(chosen)[...] = float(biases)
        return chosen > 0

    def _forward(
        self, layers: Sequence[Layer], x: Array, trace: Trace, training: TrainingStep | None
    ) -> Array:
        for layer in layers:
            if isinstance(layer, Residual):
                inner: Trace = []
                x = x + self._forward(layer.layers, x, inner, training)
                trace.append((layer, inner))
                continue
            if isinstance(layer, Dropout):
                mask = np.ones_like(x) if training is None else training.mask(layer.rate, x.shape)
                x = x * mask
                trace.append((layer, mask))
                continue
            slots = self.slots[layer]
            if isinstance(layer, Dense):
                z = x @ slots.weight(self.parameters) + slots.bias_of(self.parameters)
                trace.append((layer, z, x))
            else:
                mean, variance, axis = self._statistics(layer, x, training)
                deviation = np.sqrt(variance + layer.epsilon)
                normalised = (x - mean) / deviation
                z = slots.first(self.parameters) * normalised + slots.second(self.parameters)
                trace.append((layer, z, normalised, deviation, axis))
            value, _ = ACTIVATIONS[layer.activation]
            x = value(z, **layer.activation_parameters)
        return x

    def _statistics(
        self, layer: BatchNorm | LayerNorm, x: Array, training: TrainingStep | None
    ) -> tuple[Array, Array, int | None]:
        """Mean and variance that normalise x, and the axis that they were computed over, if any."""
        if isinstance(layer, LayerNorm):
            return x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True), 1
        slots = self.average_slots[layer]
        if training is None:
            return slots.first(self.averages), slots.second(self.averages), None
        rows = len(x)
        if rows == 1:
            raise ValueError("a training step with BatchNorm needs two rows")
        mean, variance = x.mean(axis=0), x.var(axis=0)
        for average, batch in (
            (slots.first(training.averages), mean),
            (slots.second(training.averages), variance * rows / (rows - 1)),
        ):
            average[...] = layer.momentum * average + (1 - layer.momentum) * batch
        return mean, variance, 0

    def _backward(self, trace: Trace, d_value: Array, gradient: Array) -> Array:
        """Add to the gradient of the parameters; return the gradient of the traced input."""
        for layer, *saved in reversed(trace):
            if isinstance(layer, Residual):
                (inner,) = saved
                d_value = d_value + self._backward(inner, d_value, gradient)
                continue
            if isinstance(layer, Dropout):
                (mask,) = saved
                d_value = d_value * mask
                continue
            z, *saved = saved
            _, derivative = ACTIVATIONS[layer.activation]
            d_z = d_value * derivative(z, **layer.activation_parameters)
            slots = self.slots[layer]
            if isinstance(layer, Dense):
                (x,) = saved
                slots.weight(gradient)[...] += x.T @ d_z
                slots.bias_of(gradient)[...] += d_z.sum(axis=0)
                d_value = d_z @ slots.weight(self.parameters).T
                continue
            normalised, deviation, axis = saved
            slots.first(gradient)[...] += (d_z * normalised).sum(axis=0)
            slots.second(gradient)[...] += d_z.sum(axis=0)
            d_normalised = d_z * slots.first(self.parameters)
            d_value = d_normalised / deviation
            if axis is not None:  # through the mean and the variance, which x decides too
                along = d_normalised.mean(axis, keepdims=True)
                along = along + normalised * (d_normalised * normalised).mean(axis, keepdims=True)
                d_value = d_value - along / deviation
        return d_value

    def _scaling(self) -> Scaling:
        return Scaling.identity(self.inputs, self.targets) if self.scaling is None else self.scaling

    def _outputs(self, x: ArrayLike, training: TrainingStep | None = None) -> tuple[Array, Trace]:
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ValueError(f"x has the shape (rows, {self.inputs}), not {x.shape}")
        scaling = self._scaling()
        trace: Trace = []
        standardised = (x - scaling.input_mean) / scaling.input_scale
        return self._forward(self.layers, standardised, trace, training), trace

    def _all_raw(self, outputs: Array) -> Array:
        """As (parameter, row, target column); of a joint family as (parameter, row)."""
        family, rows = self.distribution, len(outputs)
        predicted = outputs.reshape(rows, len(family.predicted), self.columns)
        shared = self.parameters[self.weights_end :].reshape(len(family.shared), self.columns)
        raw = np.empty((len(family.names), rows, self.columns))
        for p, name in enumerate(family.names):
            if name in family.fixed:
                raw[p] = family.fixed[name]
            elif name in family.shared:
                raw[p] = shared[family.shared.index(name)]
            else:
                raw[p] = predicted[:, family.predicted.index(name)]
        return raw[..., 0] if family.joint else raw

    def raw(self, x: ArrayLike) -> Array:
        """The outputs, (rows, predicted parameters * targets), in standardised units."""
        return self._outputs(x)[0]

    def predict(self, x: ArrayLike) -> Predictive:
        scaling = self._scaling()
        raw = self._all_raw(self.raw(x))
        return Predictive(
            self.distribution, raw, scaling.target_mean, scaling.target_scale, self.dtype
        )

    def loss(
        self,
        x: ArrayLike,
        y: ArrayLike,
        weight: ArrayLike | None = None,
        event: ArrayLike | None = None,
    ) -> float:
        return self.loss_and_gradient(x, y, weight, event)[0]

    def loss_and_gradient(
        self,
        x: ArrayLike,
        y: ArrayLike,
        weight: ArrayLike | None = None,
        event: ArrayLike | None = None,
        *,
        stabilize: Stabilizer | None = None,
        epoch: int = 0,
    ) -> tuple[float, Array]:
        """sum(weight * row loss) / rows, and its gradient in the layout of `parameters`."""
        return self._loss_and_gradient(x, y, weight, event, None, stabilize, epoch)

    def training_loss_and_gradient(
        self,
        x: ArrayLike,
        y: ArrayLike,
        weight: ArrayLike | None = None,
        event: ArrayLike | None = None,
        *,
        stabilize: Stabilizer | None = None,
        seed: int = 0,
        epoch: int = 0,
        step: int = 0,
    ) -> tuple[float, Array, Array]:
        """The same in training mode, and what `averages` becomes if the step is applied."""
        training = TrainingStep(self.averages.copy(), seed, epoch, step)
        loss, gradient = self._loss_and_gradient(x, y, weight, event, training, stabilize, epoch)
        return loss, gradient, training.averages

    def _checked_targets(self, y: ArrayLike, rows: int) -> Array:
        y = np.asarray(y, dtype=np.float64)
        if y.shape != (rows, self.targets):
            raise ValueError(f"y has the shape ({rows}, {self.targets}), not {y.shape}")
        if not np.all(self.distribution.support(y)):
            raise ValueError("a target is outside the support of the distribution")
        return y

    def _seen(self, event: ArrayLike | None, rows: int) -> NDArray[np.bool_]:
        """Which targets are not censored."""
        if event is None:
            return np.ones((rows, self.targets), dtype=np.bool_)
        event = np.asarray(event)
        if type(self.distribution).log_survival is Distribution.log_survival:
            raise ValueError("the distribution takes no event: its targets cannot be censored")
        if event.shape != (rows, self.targets):
            raise ValueError(f"event has the shape ({rows}, {self.targets}), not {event.shape}")
        if not np.all((event == 0) | (event == 1)):
            raise ValueError("event is 0 where a target is censored, else 1")
        return event == 1

    def _loss_and_gradient(
        self,
        x: ArrayLike,
        y: ArrayLike,
        weight: ArrayLike | None,
        event: ArrayLike | None,
        training: TrainingStep | None,
        stabilize: Stabilizer | None,
        epoch: int,
    ) -> tuple[float, Array]:
        family, scaling = self.distribution, self._scaling()
        outputs, trace = self._outputs(x, training)
        rows = len(outputs)
        if rows == 0:
            raise ValueError("a loss needs at least one row")
        y = self._checked_targets(y, rows)
        seen = self._seen(event, rows)
        w = np.ones(rows) if weight is None else np.asarray(weight, dtype=np.float64)
        if w.shape != (rows,):
            raise ValueError(f"weight has the shape ({rows},), not {w.shape}")

        raw = self._all_raw(outputs)
        y = (y - scaling.target_mean) / scaling.target_scale
        log_likelihood = family.log_prob(raw, y)
        if not np.all(seen):
            log_likelihood = np.where(seen, log_likelihood, family.log_survival(raw, y))
        log_likelihood = log_likelihood.reshape(rows, self.columns).sum(axis=1)
        if family.density:
            # That in the user's units is the standardised one divided by the targets' scales;
            # the probability of a censored target has no unit.
            log_likelihood = log_likelihood - seen @ np.log(scaling.target_scale)
        loss = float(np.sum(w * -log_likelihood) / rows)

        def derivatives(raw: Array) -> Array:
            plain = family.gradient(raw, y)
            return (
                plain if np.all(seen) else np.where(seen, plain, family.survival_gradient(raw, y))
            )

        if stabilize is None:
            d_raw = d_below = derivatives(raw)
        else:
            stabilize.check(family)
            d_raw = stabilize.apply(family, raw, derivatives, epoch)
            d_below = stabilize.below(family, d_raw)
        return loss, self._gradient(trace, d_raw, d_below, w / rows)

    def _gradient(self, trace: Trace, d_raw: Array, d_below: Array, w: Array) -> Array:
        """Of sum(-w log likelihood): d_raw reaches the output layer and the shared constants,
        d_below the layers before.
        """
        family, gradient = self.distribution, np.zeros_like(self.parameters)
        shape = (len(family.names), len(w), self.columns)
        d_raw, d_below = (-d.reshape(shape) * w[:, np.newaxis] for d in (d_raw, d_below))
        predicted = [family.names.index(name) for name in family.predicted]
        shared = [family.names.index(name) for name in family.shared]

        def of_outputs(d: Array) -> Array:
            return np.swapaxes(d[predicted], 0, 1).reshape(len(w), -1)

        hidden, output = trace[:-1], trace[-1:]
        self._backward(output, of_outputs(d_raw), gradient)
        d_hidden = self._backward(output, of_outputs(d_below), np.zeros_like(gradient))
        self._backward(hidden, d_hidden, gradient)
        gradient[self.weights_end :] += d_raw[shared].sum(axis=1).ravel()
        return gradient
