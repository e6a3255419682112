"""One update of the parameters: clipping, penalties, weight decay the optimizer, in their order.

Contract: `update` changes `parameters` in place and returns whether every new value was finite
(at most `largest` in magnitude); a component whose new value is not keeps its old one. Penalties
act where `penalised` says. The step of the l1 penalty is the proximal one, in the metric of the
optimizer, so that its fixed point is the minimum of loss + l1 sum |w| + (l2 / 2) sum w^2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import Array
from .optimizers import Optimizer


@dataclass(frozen=True)
class Penalties:
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        for penalty in (self.l1, self.l2):
            if not 0 <= penalty < np.inf:
                raise ValueError("l1 and l2 are at least 0 and finite")
        for clip in (self.clip_value, self.clip_norm):
            if clip is not None and not 0 < clip < np.inf:
                raise ValueError("clip_value and clip_norm are positive and finite")
        if self.clip_value is not None and self.clip_norm is not None:
            raise ValueError("clip_value or clip_norm, not both")

    def check(self, optimizer: Optimizer) -> None:
        if self.l2 > 0 and optimizer.weight_decay > 0:
            raise ValueError("l2 or weight_decay, not both")


def clipped(gradient: Array, penalties: Penalties) -> Array:
    if penalties.clip_value is not None:
        return np.clip(gradient, -penalties.clip_value, penalties.clip_value)
    if penalties.clip_norm is not None:
        norm = np.linalg.norm(gradient)
        if norm > penalties.clip_norm:
            return gradient * (penalties.clip_norm / norm)
    return gradient


def update(
    parameters: Array,
    gradient: Array,
    optimizer: Optimizer,
    penalised: NDArray[np.bool_],
    penalties: Penalties,
    factor: float = 1.0,
    largest: float = np.inf,
) -> bool:
    penalties.check(optimizer)
    rate = optimizer.learning_rate * factor
    gradient = clipped(gradient, penalties)
    gradient = gradient + np.where(penalised, penalties.l2 * parameters, 0.0)
    new = parameters - np.where(penalised, rate * optimizer.weight_decay * parameters, 0.0)
    metric = optimizer.step(new, gradient, rate)
    shrunk = np.sign(new) * np.maximum(np.abs(new) - penalties.l1 * metric, 0.0)
    new = np.where(penalised, shrunk, new)
    finite = np.isfinite(new) & (np.abs(new) <= largest)
    parameters[finite] = new[finite]
    return bool(finite.all())
