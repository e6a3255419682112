"""The layers that a network is described with, and where their numbers stand in its flat buffers.

Contract: a layer is an immutable description, compared by identity: the same object is the same
parameters. Dense contributes its weight (inputs, units) in C order and then its bias, BatchNorm and
LayerNorm their scale and then their shift, one a column; Dropout has no parameters. A BatchNorm
stands in one more buffer, of moving averages, with a mean and then a variance a column.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .activations import ACTIVATIONS
from .arrays import Array


@dataclass(frozen=True, eq=False)
class Dense:
    units: int
    activation: str = "identity"
    bias: bool = True
    init: str = "auto"
    activation_parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError("a dense layer has at least one unit")
        _check_activation(self.activation)


@dataclass(frozen=True, eq=False)
class Dropout:
    """Srivastava et al. (2014), with the scaling in training."""

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError("the rate of a dropout is in [0, 1)")


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """Ioffe and Szegedy (2015): every column of the batch is normalised."""

    momentum: float = 0.9
    epsilon: float = 1e-5
    activation: str = "identity"
    activation_parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError("the momentum of moving averages is in [0, 1)")
        _check_epsilon(self.epsilon)
        _check_activation(self.activation)


@dataclass(frozen=True, eq=False)
class LayerNorm:
    """Ba, Kiros and Hinton (2016): every row is normalised."""

    epsilon: float = 1e-5
    activation: str = "identity"
    activation_parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_epsilon(self.epsilon)
        _check_activation(self.activation)


class Residual:
    """x + f(x), with f the layers one after the other."""

    def __init__(self, *layers: "Layer") -> None:
        self.layers = layers


Layer = Dense | Dropout | BatchNorm | LayerNorm | Residual


@dataclass(frozen=True)
class DenseSlots:
    """Where a dense layer stands in the buffer of parameters."""

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


@dataclass(frozen=True)
class ColumnSlots:
    """Where two numbers a column stand: scale and shift, or a moving mean and variance."""

    inputs: int
    offset: int

    @property
    def size(self) -> int:
        return 2 * self.inputs

    def first(self, buffer: Array) -> Array:
        return buffer[self.offset : self.offset + self.inputs]

    def second(self, buffer: Array) -> Array:
        return buffer[self.offset + self.inputs : self.offset + self.size]


def _check_activation(name: str) -> None:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}")


def _check_epsilon(epsilon: float) -> None:
    if not 0 < epsilon < np.inf:
        raise ValueError("epsilon is positive and finite")
