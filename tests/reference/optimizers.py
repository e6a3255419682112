"""Optimizers, one update rule a class, as their papers print them.

Contract: `step(parameters, gradient, rate)` changes `parameters` in place, with rate the learning
rate of this step; slots and step count start at zero with the first step after construction or
`reset()`. It returns the metric: what a constant unit gradient would have moved each parameter by,
which is how far the l1 penalty, applied after the step, may move it for the same price.
"""

import numpy as np

from .arrays import Array

TINY = 1e-12  # a smaller second moment says that there was no gradient: no metric


class Optimizer:
    learning_rate: float
    weight_decay: float = 0.0

    def reset(self) -> None:
        raise NotImplementedError

    def step(self, parameters: Array, gradient: Array, rate: float) -> Array | float:
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent, with the momentum of Sutskever et al. (2013) if asked."""

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        _check_positive(learning_rate=learning_rate)
        _check_fraction(momentum=momentum)
        if nesterov and momentum == 0:
            raise ValueError("nesterov needs momentum")
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.reset()

    def reset(self) -> None:
        self.steps = 0
        self.velocity: Array | float = 0.0

    def step(self, parameters: Array, gradient: Array, rate: float) -> Array | float:
        mu = self.momentum
        self.steps += 1
        if mu == 0:
            parameters -= rate * gradient
            return rate
        self.velocity = mu * self.velocity + gradient
        if self.nesterov:
            parameters -= rate * (gradient + mu * self.velocity)
            return rate * (1 - mu ** (self.steps + 1)) / (1 - mu)
        parameters -= rate * self.velocity
        return rate * (1 - mu**self.steps) / (1 - mu)


class Adam(Optimizer):
    """Kingma and Ba (2015), algorithm 1."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        _check_positive(learning_rate=learning_rate, epsilon=epsilon)
        _check_fraction(beta1=beta1, beta2=beta2)
        self.learning_rate = learning_rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.reset()

    def reset(self) -> None:
        self.steps = 0
        self.first_moment: Array | float = 0.0
        self.second_moment: Array | float = 0.0

    def step(self, parameters: Array, gradient: Array, rate: float) -> Array | float:
        self.steps += 1
        self.first_moment = self.beta1 * self.first_moment + (1 - self.beta1) * gradient
        self.second_moment = self.beta2 * self.second_moment + (1 - self.beta2) * gradient**2
        mean = self.first_moment / (1 - self.beta1**self.steps)
        mean_square = self.second_moment / (1 - self.beta2**self.steps)
        parameters -= rate * mean / (np.sqrt(mean_square) + self.epsilon)
        return _adaptive_metric(rate, mean_square, self.epsilon)


class AdamW(Adam):
    """Loshchilov and Hutter (2019): the update shrinks the weights before this step of Adam."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon)
        if not 0 <= weight_decay < np.inf:
            raise ValueError("weight_decay is at least 0 and finite")
        self.weight_decay = weight_decay


class RMSprop(Optimizer):
    """Tieleman and Hinton (2012), lecture 6.5."""

    def __init__(
        self, learning_rate: float = 0.001, decay: float = 0.9, epsilon: float = 1e-8
    ) -> None:
        _check_positive(learning_rate=learning_rate, epsilon=epsilon)
        _check_fraction(decay=decay)
        self.learning_rate = learning_rate
        self.decay = decay
        self.epsilon = epsilon
        self.reset()

    def reset(self) -> None:
        self.second_moment: Array | float = 0.0

    def step(self, parameters: Array, gradient: Array, rate: float) -> Array | float:
        self.second_moment = self.decay * self.second_moment + (1 - self.decay) * gradient**2
        parameters -= rate * gradient / (np.sqrt(self.second_moment) + self.epsilon)
        return _adaptive_metric(rate, self.second_moment, self.epsilon)


class Adagrad(Optimizer):
    """Duchi, Hazan and Singer (2011), with the diagonal matrix."""

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-10) -> None:
        _check_positive(learning_rate=learning_rate, epsilon=epsilon)
        self.learning_rate = learning_rate
        self.epsilon = epsilon
        self.reset()

    def reset(self) -> None:
        self.second_moment: Array | float = 0.0

    def step(self, parameters: Array, gradient: Array, rate: float) -> Array | float:
        self.second_moment = self.second_moment + gradient**2
        parameters -= rate * gradient / (np.sqrt(self.second_moment) + self.epsilon)
        return _adaptive_metric(rate, self.second_moment, self.epsilon)


def _adaptive_metric(rate: float, second_moment: Array, epsilon: float) -> Array:
    return np.where(second_moment < TINY, 0.0, rate / (np.sqrt(second_moment) + epsilon))


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name} is positive and finite")


def _check_fraction(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} is in [0, 1)")
