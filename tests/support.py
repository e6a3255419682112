"""One description, two networks: the core's and the reference's, with the same parameters.

Errors are counted in epsilons of the network's precision, with the same count for float32 and
float64: the arithmetic is the same, so a larger count in float32 would mean a constant or a step of
the wrong precision. Each count is 1.4 to 4 times the largest error seen on the kernel sets v2, v3
and v4; all are far below 1e-12 in float64.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import likely
import numpy as np
import reference
from families import FAMILIES as TABLE
from families import Entry
from numpy.typing import ArrayLike, NDArray
from reference.arrays import Array

DTYPES = ("float32", "float64")
EPSILON = {dtype: float(np.finfo(dtype).eps) for dtype in DTYPES}
TINY = {dtype: 1e5 * float(np.finfo(dtype).smallest_normal) for dtype in DTYPES}
"""A smaller error is none: near the end of their range exponentials stop or become zero."""

INPUTS = 3
"""The number of inputs that every architecture takes; a residual block in front keeps it."""

RAW = 16
"""Of a network's outputs, relative to the largest; 5 seen."""
LOSS = 32
"""Relative to the loss or to 1; 13 seen."""
GRADIENT = 64
"""Relative to its largest number or to 1; 20 seen."""


def assert_close(
    actual: ArrayLike, expected: ArrayLike, dtype: str, epsilons: float, scale: ArrayLike = 0.0
) -> None:
    """Hold `actual` to `epsilons` units of rounding of the larger of |expected| and `scale`."""
    given = np.asarray(actual, dtype=np.float64)
    wanted = np.asarray(expected, dtype=np.float64)
    assert given.shape == wanted.shape, (given.shape, wanted.shape)
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(given[~finite], wanted[~finite])
    bound = np.broadcast_to(np.maximum(np.abs(wanted), scale), wanted.shape)[finite]
    errors = np.abs(given[finite] - wanted[finite])
    counts = errors / np.maximum(bound, TINY[dtype]) / EPSILON[dtype]
    counts[errors <= TINY[dtype]] = 0.0
    if not np.all(counts <= epsilons):
        worst = np.argmax(counts)
        raise AssertionError(
            f"{dtype}: off by {counts[worst]:.3g} epsilons, {epsilons:g} allowed; "
            f"got {given[finite][worst]!r}, expected {wanted[finite][worst]!r}"
        )


def rounded(values: ArrayLike, dtype: str) -> Array:
    return np.asarray(values).astype(dtype).astype(np.float64)


def largest(values: Array) -> float:
    """The scale of a sum of many terms of about this size, or of about 1."""
    return max(1.0, float(np.abs(values).max(initial=0.0)))


ACTIVATIONS: dict[str, type[likely.Activation]] = {
    "identity": likely.Identity,
    "relu": likely.ReLU,
    "leaky_relu": likely.LeakyReLU,
    "elu": likely.ELU,
    "gelu": likely.GELU,
    "silu": likely.SiLU,
    "sigmoid": likely.Sigmoid,
    "tanh": likely.Tanh,
    "softplus": likely.Softplus,
}


@dataclass(frozen=True)
class Kit:
    """Makes layers of one side; an architecture is a function that is given either."""

    dense: Callable[..., Any]
    residual: Callable[..., Any]
    dropout: Callable[[float], Any]
    batch_norm: Callable[..., Any]
    layer_norm: Callable[..., Any]


def _core_dense(
    units: int, activation: str = "identity", bias: bool = True, init: str = "auto", **fields: float
) -> likely.Dense:
    chosen = ACTIVATIONS[activation](**fields) if fields else activation
    return likely.Dense(units, chosen, bias=bias, init=init)


def _reference_dense(
    units: int, activation: str = "identity", bias: bool = True, init: str = "auto", **fields: float
) -> reference.Dense:
    return reference.Dense(units, activation, bias, init, fields)


CORE = Kit(_core_dense, likely.Residual, likely.Dropout, likely.BatchNorm, likely.LayerNorm)
REFERENCE = Kit(
    _reference_dense,
    reference.Residual,
    reference.Dropout,
    reference.BatchNorm,
    reference.LayerNorm,
)

Layers = tuple[Sequence[Any], Any]
"""The hidden layers, and the output layer or None."""
Architecture = Callable[[Kit, int], Layers]
"""Is told the number of raw parameters, which is the width of the output layer."""


def linear(kit: Kit, width: int) -> Layers:
    return [], None


def one_dense(kit: Kit, width: int) -> Layers:
    return [kit.dense(8, "tanh")], None


def deep(kit: Kit, width: int) -> Layers:
    layers = [kit.dense(17, "relu"), kit.dense(5, "softplus"), kit.dense(33, "tanh"), kit.dense(6)]
    return layers, None


def every_activation(kit: Kit, width: int) -> Layers:
    layers = [kit.dense(5 + i, name) for i, name in enumerate(ACTIVATIONS)]
    return [
        *layers,
        kit.dense(4, "elu", alpha=0.6),
        kit.dense(9, "leaky_relu", negative_slope=0.3),
    ], None


def residual(kit: Kit, width: int) -> Layers:
    block = kit.residual(kit.dense(4, "silu"), kit.dense(7, "tanh"))
    return [kit.dense(7, "gelu"), block, kit.dense(3, "sigmoid")], None


def residual_first(kit: Kit, width: int) -> Layers:
    return [
        kit.residual(kit.dense(3, "tanh"), kit.dense(INPUTS, "sigmoid")),
        kit.dense(5, "elu"),
    ], None


def nested_residual(kit: Kit, width: int) -> Layers:
    inner = kit.residual(kit.dense(6, "softplus"), kit.residual(kit.dense(6, "tanh")))
    outer = kit.residual(inner, kit.dense(2, "tanh"), kit.dense(6, "sigmoid"))
    return [kit.dense(6), outer, kit.residual(inner)], None


def same_layer_twice(kit: Kit, width: int) -> Layers:
    shared = kit.dense(5, "tanh")
    return [kit.dense(5), shared, kit.dense(5, "silu"), shared], None


def same_layer_five_times(kit: Kit, width: int) -> Layers:
    shared = kit.dense(6, "sigmoid")
    blocks = [kit.residual(shared) for _ in range(4)]
    return [kit.dense(6, "tanh"), *blocks, kit.residual(kit.dense(6), shared), kit.dense(4)], None


def output_given(kit: Kit, width: int) -> Layers:
    return [kit.dense(4, "tanh", bias=False)], kit.dense(width, "softplus", bias=False)


def dropout(kit: Kit, width: int) -> Layers:
    """On the inputs, inside of a block, one object used twice, after the last hidden layer."""
    twice = kit.dropout(0.3)
    block = kit.residual(kit.dense(9, "tanh"), twice)
    return [kit.dropout(0.2), kit.dense(9, "relu"), twice, block, kit.dropout(0.55)], None


def dropout_only(kit: Kit, width: int) -> Layers:
    return [kit.dropout(0.4)], None


def batch_norm(kit: Kit, width: int) -> Layers:
    """On the inputs, before an activation that reads its input, inside of a block, at the end.

    No parameter's gradient is zero by construction (as that of a bias right before a BatchNorm):
    an adaptive optimizer would make steps of the rounding errors.
    """
    block = kit.residual(kit.batch_norm(epsilon=1e-3), kit.dense(6, "tanh"))
    return [
        kit.batch_norm(momentum=0.6),
        kit.dense(6, "softplus", bias=False),
        kit.batch_norm(activation="gelu"),
        block,
        kit.dense(19, "sigmoid"),
        kit.batch_norm(),
    ], None


def layer_norm(kit: Kit, width: int) -> Layers:
    """First, before activations, inside of a block, one object used twice (one set of scales)."""
    shared = kit.layer_norm(epsilon=1e-4, activation="silu")
    block = kit.residual(kit.dense(18, "tanh"), shared)
    return [kit.layer_norm(), kit.dense(18), shared, block, kit.layer_norm(activation="tanh")], None


def normalized_and_dropped(kit: Kit, width: int) -> Layers:
    shared = kit.dense(20, "softplus")
    return [
        kit.dense(20, "tanh"),
        kit.residual(kit.batch_norm(), kit.dropout(0.1), shared, kit.layer_norm(epsilon=0.1)),
        kit.dropout(0.5),
        kit.residual(shared, kit.batch_norm(momentum=0.0, epsilon=0.1, activation="elu")),
    ], None


ARCHITECTURES: dict[str, Architecture] = {
    function.__name__: function
    for function in (
        linear, one_dense, deep, every_activation, residual, residual_first, nested_residual,
        same_layer_twice, same_layer_five_times, output_given,
        dropout, dropout_only, batch_norm, layer_norm, normalized_and_dropped,
    )
}  # fmt: skip

IN_CORE = ("normal", "shared scale", "fixed scale", "bernoulli", "categorical")
FAMILIES: dict[str, tuple[likely.Distribution, reference.Distribution]] = {
    name: (TABLE[name].core(), TABLE[name].reference) for name in IN_CORE
}


@dataclass(frozen=True)
class Pair:
    core: likely.Network
    reference: reference.Network
    dtype: str

    def set_parameters(self, values: ArrayLike) -> None:
        """Give both networks these values, rounded to the precision of the core."""
        self.core.parameters = np.asarray(values)
        self.copy_parameters()

    def copy_parameters(self) -> None:
        self.reference.parameters[...] = self.core.parameters
        self.reference.averages[...] = self.core.averages

    def scatter_parameters(self, seed: int = 0, deviation: float = 0.1) -> None:
        """Move every parameter, so that no bias and no shared constant stays at zero.

        Moving averages too, variances by a factor.
        """
        rng = np.random.default_rng(seed)
        noise = rng.normal(0.0, deviation, self.core.parameters.size)
        self.core.averages[...] += rng.normal(0.2, deviation, self.core.averages.size)
        np.abs(self.core.averages, out=self.core.averages)
        self.set_parameters(self.core.parameters + noise)


def make_pair(
    architecture: Architecture,
    family: tuple[likely.Distribution, reference.Distribution],
    inputs: int,
    targets: int,
    dtype: str,
    *,
    seed: int = 0,
    standardize: bool = False,
) -> Pair:
    width = len(family[1].predicted) * (1 if family[1].joint else targets)
    layers, output = architecture(CORE, width)
    core = likely.Network(
        inputs, targets, layers, family[0],
        output=output, dtype=dtype, seed=seed, standardize=standardize,
    )  # fmt: skip
    layers, output = architecture(REFERENCE, width)
    other = reference.Network(inputs, targets, layers, family[1], output, dtype, seed)
    assert other.parameters.shape == core.parameters.shape
    assert other.averages.shape == core.averages.shape
    return Pair(core, other, dtype)


@dataclass(frozen=True)
class Data:
    """Numbers that float32 and float64 hold exactly alike, so that both sides see the same."""

    x: NDArray[Any]
    y: NDArray[Any]
    weight: NDArray[Any]


def make_data(pair: Pair, rows: int, seed: int = 0) -> Data:
    rng = np.random.default_rng(seed)
    family = pair.reference.distribution
    x = rng.normal(0.3, 1.0, (rows, pair.core.inputs))
    y = rng.normal(-0.4, 1.5, (rows, pair.core.targets))
    if family.target_scaling == "none":
        classes = getattr(family, "classes", getattr(family, "levels", 2))
        y = rng.integers(0, classes, y.shape).astype(np.float64)
    weight = rng.uniform(0.25, 2.0, rows)
    return Data(*(values.astype(np.float32).astype(pair.dtype) for values in (x, y, weight)))


@dataclass(frozen=True)
class Case:
    """An entry of the table of the families (families.py), for the core too."""

    family: tuple[likely.Distribution, reference.Distribution]
    oracle: Callable[..., Any]
    rows: list[tuple[float, ...]]
    """Raw parameters of each row, with those that are shared or fixed."""
    targets: list[float]
    """For a Normal in scales from loc."""
    extreme: list[tuple[float, ...]]
    """Rows at which SciPy, given a rounded probability or an infinite scale, is of no use."""


def _case(entry: Entry) -> Case:
    assert entry.oracle is not None
    return Case(
        (entry.core(), entry.reference), entry.oracle,
        list(entry.rows), list(entry.offsets), list(entry.extreme),
    )  # fmt: skip


CASES = {name: _case(TABLE[name]) for name in (*IN_CORE, "two classes")}


class Predicted:
    """A case in one precision: the prediction of each row, by the core and by the reference."""

    def __init__(self, name: str, dtype: str, with_extreme: bool = True) -> None:
        case = CASES[name]
        self.oracle = case.oracle
        self.targets = case.targets
        self.dtype = dtype
        self.family = case.family[1]
        self.is_normal = isinstance(self.family, reference.Normal)
        self.raw = rounded(case.rows + (case.extreme if with_extreme else []), dtype)
        for parameter, value in self.family.fixed.items():  # is never rounded
            self.raw[:, self.family.names.index(parameter)] = value
        self.pair = make_pair(linear, case.family, len(self.raw), 1, dtype)
        predicted = [self.family.names.index(n) for n in self.family.predicted]
        shared = [self.raw[0, self.family.names.index(n)] for n in self.family.shared]
        weights, biases = self.raw[:, predicted].ravel(), np.zeros(len(predicted))
        self.pair.set_parameters(np.concatenate([weights, biases, shared]))
        self.x = np.eye(len(self.raw))
        self.core = self.pair.core.predict_distribution(self.x)
        self.reference = self.pair.reference.predict(self.x)
        np.testing.assert_array_equal(self.core.raw.ravel(), weights)

    def y(self, target: float) -> Array:
        if not self.is_normal:
            return np.full((len(self.raw), 1), target)
        return rounded(self.reference.mean + target * self.reference.std, self.dtype)

    def square(self, y: Array) -> Array:
        """The square of the standardised residual: what errors of a normal tail grow by."""
        if not self.is_normal:
            return np.zeros(len(self.raw))
        return (((y - self.reference.mean) / self.reference.std) ** 2)[:, 0]

    def log_terms(self, y: Array) -> Any:
        """The size of the terms of a log density, which may cancel."""
        if self.is_normal:
            return self.square(y) + np.abs(np.clip(self.raw[:, 1], -30, 30)) + 1
        return 0.0 if isinstance(self.family, reference.Bernoulli) else 1.0

    def quantile_terms(self, z: float) -> Array:
        return (np.abs(self.reference.mean) + self.reference.std * (1 + abs(z)))[:, 0]
