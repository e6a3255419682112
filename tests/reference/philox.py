"""Random numbers as functions of their position, so that the core can draw the very same ones.

Contract: a stream is named by (seed, purpose, step, epoch, layer); `words` returns its first raw
64-bit words from NumPy's Philox4x64-10. Uniforms, shuffles and initial parameters are made of
these words here, never by a method of NumPy's Generator. All values are float64; a float32 network
differs in the bits of its uniforms and in the final rounding only.
"""

import numpy as np
from scipy.special import ndtri

from .arrays import Array, Words

INITIALISATION, SHUFFLE, DROPOUT, SAMPLE = 1, 2, 3, 4

INITIALISERS = (
    "glorot_uniform", "he_uniform", "torch_uniform", "glorot_normal", "he_normal", "zeros",
)  # fmt: skip
HE_ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")


def words(seed: int, purpose: int, step: int, epoch: int, layer: int, n: int) -> Words:
    key = np.array([seed, purpose], dtype=np.uint64)
    counter = np.array([0, step, epoch, layer], dtype=np.uint64)
    return np.random.Philox(key=key, counter=counter).random_raw(n)


def uniform32(w: Words) -> Array:
    """23 bits and a half: exact in float32, never 0, never 1."""
    return ((w >> np.uint64(41)).astype(np.float64) + 0.5) * 2.0**-23


def uniform64(w: Words) -> Array:
    """52 bits and a half: exact in float64, never 0, never 1."""
    return ((w >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def uniform(w: Words, dtype: str) -> Array:
    """In the precision of a network of this type."""
    if dtype not in ("float32", "float64"):
        raise ValueError(f"unknown dtype {dtype!r}")
    return uniform32(w) if dtype == "float32" else uniform64(w)


def shuffle(n: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the rows 0 .. n-1 in this epoch: a forward Fisher-Yates shuffle."""
    order = np.arange(n)
    draws = words(seed, SHUFFLE, 0, epoch, 0, max(n - 1, 0))
    for i in range(n - 1):
        j = i + ((int(draws[i]) * (n - i)) >> 64)
        order[i], order[j] = order[j], order[i]
    return order


def dropout_mask(
    rate: float, shape: tuple[int, ...], *, seed: int, epoch: int, step: int, use: int
) -> Array:
    """What a batch of this shape is multiplied with at use number `use` of a step's dropouts."""
    size = int(np.prod(shape))
    kept = max(1, round(65536 * (1 - rate)))  # of 65536; Python rounds half to even
    draws = words(seed, DROPOUT, step, epoch, use, -(-size // 4))
    shifts = np.array([0, 16, 32, 48], dtype=np.uint64)
    fields = ((draws[:, np.newaxis] >> shifts) & np.uint64(65535)).ravel()[:size]
    return np.where(fields < kept, 65536 / kept, 0.0).reshape(shape)


def initialise(
    init: str, activation: str, inputs: int, units: int, *, seed: int, layer: int, dtype: str
) -> tuple[Array, Array]:
    """Weight (inputs, units) and bias (units,) of distinct dense layer number `layer`."""
    if init == "auto":
        init = "he_uniform" if activation in HE_ACTIVATIONS else "glorot_uniform"
    if init not in INITIALISERS:
        raise ValueError(f"unknown initialiser {init!r}")
    size = inputs * units
    u = uniform(words(seed, INITIALISATION, 0, 0, layer, size + units), dtype)

    if init == "zeros":
        values = np.zeros_like(u)
    elif init == "glorot_normal":
        values = ndtri(u) * np.sqrt(2.0 / (inputs + units))
    elif init == "he_normal":
        values = ndtri(u) * np.sqrt(2.0 / inputs)
    elif init == "glorot_uniform":
        values = (2.0 * u - 1.0) * np.sqrt(6.0 / (inputs + units))
    elif init == "he_uniform":
        values = (2.0 * u - 1.0) * np.sqrt(6.0 / inputs)
    else:
        values = (2.0 * u - 1.0) * (1.0 / np.sqrt(inputs))

    weight = values[:size].reshape(inputs, units)
    bias = values[size:] if init == "torch_uniform" else np.zeros(units)
    return weight.astype(dtype).astype(np.float64), bias.astype(dtype).astype(np.float64)
