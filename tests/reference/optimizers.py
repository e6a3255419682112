"""Optimizers, one update rule a class, as their papers print them.

Contract: `step(parameters, gradient)` changes `parameters` in place; slots and step count start at
zero with the first step after construction or `reset()`.
"""

from typing import Protocol

import numpy as np

from .arrays import Array


class Optimizer(Protocol):
    def reset(self) -> None: ...

    def step(self, parameters: Array, gradient: Array) -> None: ...


class SGD:
    """Gradient descent, with the momentum of Sutskever et al. (2013) if asked."""

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError("momentum is in [0, 1)")
        if nesterov and momentum == 0:
            raise ValueError("nesterov needs momentum")
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.reset()

    def reset(self) -> None:
        self.velocity: Array | None = None

    def step(self, parameters: Array, gradient: Array) -> None:
        if self.momentum == 0:
            parameters -= self.learning_rate * gradient
            return
        if self.velocity is None:
            self.velocity = np.zeros_like(parameters)
        self.velocity = self.momentum * self.velocity + gradient
        if self.nesterov:
            parameters -= self.learning_rate * (gradient + self.momentum * self.velocity)
        else:
            parameters -= self.learning_rate * self.velocity


class Adam:
    """Kingma and Ba (2015), algorithm 1."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.reset()

    def reset(self) -> None:
        self.steps = 0
        self.first_moment: Array | None = None
        self.second_moment: Array | None = None

    def step(self, parameters: Array, gradient: Array) -> None:
        if self.first_moment is None or self.second_moment is None:
            self.first_moment = np.zeros_like(parameters)
            self.second_moment = np.zeros_like(parameters)
        self.steps += 1
        self.first_moment = self.beta1 * self.first_moment + (1 - self.beta1) * gradient
        self.second_moment = self.beta2 * self.second_moment + (1 - self.beta2) * gradient**2
        mean = self.first_moment / (1 - self.beta1**self.steps)
        mean_square = self.second_moment / (1 - self.beta2**self.steps)
        parameters -= self.learning_rate * mean / (np.sqrt(mean_square) + self.epsilon)
