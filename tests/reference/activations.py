"""Activations, so that a layer of the core can be checked value by value and slope by slope.

Contract: `ACTIVATIONS[name]` is `(value, derivative)`, both elementwise functions of the input z
and of the activation's parameters by keyword; the derivative is taken with respect to z. Every
function is finite, without a warning, at |z| = 1e4.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from .arrays import Array


def identity(z: Array) -> Array:
    return z


def identity_derivative(z: Array) -> Array:
    return np.ones_like(z)


def relu(z: Array) -> Array:
    return np.maximum(z, 0.0)


def relu_derivative(z: Array) -> Array:
    return np.where(z > 0, 1.0, 0.0)


def leaky_relu(z: Array, negative_slope: float = 0.01) -> Array:
    return np.where(z > 0, z, negative_slope * z)


def leaky_relu_derivative(z: Array, negative_slope: float = 0.01) -> Array:
    return np.where(z > 0, 1.0, negative_slope)


def elu(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0)))


def elu_derivative(z: Array, alpha: float = 1.0) -> Array:
    return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0.0)))


def gelu(z: Array) -> Array:
    return z * ndtr(z)


def gelu_derivative(z: Array) -> Array:
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    return ndtr(z) + z * density


def sigmoid(z: Array) -> Array:
    decay = np.exp(-np.abs(z))  # never overflows
    return np.where(z >= 0, 1.0, decay) / (1.0 + decay)


def sigmoid_derivative(z: Array) -> Array:
    return sigmoid(z) * sigmoid(-z)


def silu(z: Array) -> Array:
    return z * sigmoid(z)


def silu_derivative(z: Array) -> Array:
    return sigmoid(z) + z * sigmoid_derivative(z)


def tanh(z: Array) -> Array:
    return np.tanh(z)


def tanh_derivative(z: Array) -> Array:
    return 4.0 * sigmoid_derivative(2.0 * z)  # 1 - tanh(z)^2 cancels in the tails


def softplus(z: Array) -> Array:
    return np.logaddexp(0.0, z)


def softplus_derivative(z: Array) -> Array:
    return sigmoid(z)


ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "identity": (identity, identity_derivative),
    "relu": (relu, relu_derivative),
    "leaky_relu": (leaky_relu, leaky_relu_derivative),
    "elu": (elu, elu_derivative),
    "gelu": (gelu, gelu_derivative),
    "silu": (silu, silu_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "tanh": (tanh, tanh_derivative),
    "softplus": (softplus, softplus_derivative),
}
