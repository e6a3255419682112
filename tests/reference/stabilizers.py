"""What training follows in the place of the plain gradient, so that a scale does not spoil a mean.

Contract: a stabilizer changes derivatives of the log likelihood with respect to raw parameters,
which `derivatives(raw)` gives as (parameter, ...), and says which of them go below the output
layer. Losses stay plain. Everything is in the network's (standardised) units, and a censored
target's log likelihood is that of its survival.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .distributions import Distribution
from .functions import held

Derivatives = Callable[[Array], Array]


class Stabilizer:
    def check(self, family: Distribution) -> None:
        """Whether the family has what the stabilizer needs."""
        if not {"loc", "log_scale"} <= set(family.names):
            raise ValueError(f"{type(self).__name__} needs a family with loc and log_scale")

    def apply(
        self, family: Distribution, raw: Array, derivatives: Derivatives, epoch: int
    ) -> Array:
        raise NotImplementedError

    def below(self, family: Distribution, d_raw: Array) -> Array:
        """What of these derivatives goes to the layers before the output layer."""
        return d_raw

    def trains_scale(self, epoch: int) -> bool:
        """Whether the epoch counts for early stopping's patience."""
        return True


def _of_unit_scale(family: Distribution, raw: Array, derivatives: Derivatives) -> Array:
    """The location's derivative in the density with log_scale = 0, all others 0."""
    unit = raw.copy()
    unit[family.names.index("log_scale")] = 0.0
    return _location_alone(family, derivatives(unit))


def _location_alone(family: Distribution, d_raw: Array) -> Array:
    location = family.names.index("loc")
    alone = np.zeros_like(d_raw)
    alone[location] = d_raw[location]
    return alone


@dataclass(frozen=True)
class Warmup(Stabilizer):
    """Nix and Weigend (1994)."""

    epochs: int

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError("a warm-up has at least one epoch")

    def apply(
        self, family: Distribution, raw: Array, derivatives: Derivatives, epoch: int
    ) -> Array:
        if self.trains_scale(epoch):
            return derivatives(raw)
        return _of_unit_scale(family, raw, derivatives)

    def trains_scale(self, epoch: int) -> bool:
        return epoch >= self.epochs


@dataclass(frozen=True)
class BetaWeighting(Stabilizer):
    """Seitzer et al. (2022)."""

    beta: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.beta <= 1:
            raise ValueError("beta is in [0, 1]")

    def apply(
        self, family: Distribution, raw: Array, derivatives: Derivatives, epoch: int
    ) -> Array:
        log_scale = held(raw[family.names.index("log_scale")])
        return np.exp(2.0 * self.beta * log_scale) * derivatives(raw)


@dataclass(frozen=True)
class Faithful(Stabilizer):
    """Stirn et al. (2023)."""

    def apply(
        self, family: Distribution, raw: Array, derivatives: Derivatives, epoch: int
    ) -> Array:
        d_raw = derivatives(raw)
        location = family.names.index("loc")
        d_raw[location] = _of_unit_scale(family, raw, derivatives)[location]
        return d_raw

    def below(self, family: Distribution, d_raw: Array) -> Array:
        return _location_alone(family, d_raw)


@dataclass(frozen=True)
class NaturalGradient(Stabilizer):
    """Amari (1998), with the diagonal of the Fisher information; Duan et al. (2020)."""

    damping: float = 1e-3

    def __post_init__(self) -> None:
        if not 0 < self.damping < np.inf:
            raise ValueError("damping is positive and finite")

    def check(self, family: Distribution) -> None:
        if type(family).fisher is Distribution.fisher:
            raise ValueError(f"the Fisher information of {type(family).__name__} is not known")

    def apply(
        self, family: Distribution, raw: Array, derivatives: Derivatives, epoch: int
    ) -> Array:
        return derivatives(raw) / (family.fisher(raw) + self.damping)
