"""Special functions in the forms that do not cancel, for raw parameters anywhere within +-30.

Contract: each is right to a few units of rounding of its own value (of its terms, where it crosses
zero) on the whole range that is named, and takes and gives arrays.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from .arrays import Array

LOG_LIMIT = 30.0
"""Raw parameters named log_... are held to +-30."""
STRAIGHT = 40.0
"""Where the exponentials of Weibull and Gamma continue as straight lines."""

HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)
_SERIES_FROM = 10.0
_TWICE = np.arange(2, 18, 2)
_BERNOULLI = special.bernoulli(16)[2::2]


def held(raw: Array) -> Array:
    return np.clip(raw, -LOG_LIMIT, LOG_LIMIT)


def where_free(raw: Array, derivative: Array) -> Array:
    """The derivative by a raw parameter that is held to +-30: 0 outside, not at the bounds."""
    return np.where(np.abs(raw) <= LOG_LIMIT, derivative, 0.0)


def straight_exp(z: Array) -> Array:
    """exp(z), above 40 its tangent there."""
    return np.exp(np.minimum(z, STRAIGHT)) * (1.0 + np.maximum(z - STRAIGHT, 0.0))


def straight_exp_slope(z: Array) -> Array:
    return np.exp(np.minimum(z, STRAIGHT))


def exponential_rest(e: Array) -> Array:
    """exp(e) - 1 - e, by its series near 0, where the difference would cancel."""
    near = np.where(np.abs(e) < 1.0, e, 0.0)
    term, series = near, np.zeros_like(near)
    for k in range(2, 22):
        term = term * near / k
        series = series + term
    return np.where(np.abs(e) < 1.0, series, np.expm1(e) - e)


def log_ratio(y: Array, log_scale: Array) -> Array:
    """log y - log_scale for y > 0, by the difference of the numbers where they are close."""
    log_scale = np.asarray(log_scale, dtype=np.float64)
    difference = np.log(y) - log_scale
    near = np.abs(difference) < 0.5
    scale = np.exp(np.where(near, log_scale, 0.0))
    return np.where(near, np.log1p((np.where(near, y, scale) - scale) / scale), difference)


def log_of_quotient(a: Array, b: Array, difference: Array) -> Array:
    """log(a / b) of positive numbers, `difference` being a - b without cancellation."""
    near = np.abs(difference) < 0.5 * b
    return np.where(near, np.log1p(np.where(near, difference, 0.0) / b), np.log(a / b))


def _stirling_series(x: Array, coefficients: Array, power: int) -> Array:
    """Sum of coefficients[i] / x^(2 i + power), for x of at least 10."""
    total = np.zeros_like(x)
    for coefficient in coefficients[::-1]:
        total = total / (x * x) + coefficient
    return total / x**power


def _split(x: Array, series: Callable[[Array], Array], direct: Callable[[Array], Array]) -> Array:
    x = np.asarray(x, dtype=np.float64)
    far = x >= _SERIES_FROM
    return np.where(far, series(np.where(far, x, 1e3)), direct(np.where(far, 1.0, x)))


def stirling_rest(x: Array) -> Array:
    """lgamma(x) - (x - 1/2) log x + x - log(2 pi)/2 for x > 0."""
    return _split(
        x,
        lambda x: _stirling_series(x, _BERNOULLI / (_TWICE * (_TWICE - 1)), 1),
        lambda x: special.gammaln(x) - (x - 0.5) * np.log(x) + x - HALF_LOG_2PI,
    )


def digamma_rest(x: Array) -> Array:
    """log x - digamma(x) for x > 0: 1/(2 x) less the derivative of stirling_rest."""

    def direct(x: Array) -> Array:
        """By the recurrence: where psi and the logarithm are near each other they cancel."""
        steps = [1.0 / (x + k) - np.log1p(1.0 / (x + k)) for k in range(12)]
        return np.sum(steps, axis=0) + series(x + 12.0)

    def series(x: Array) -> Array:
        return 0.5 / x + _stirling_series(x, _BERNOULLI / _TWICE, 2)

    return _split(x, series, direct)


def trigamma_rest(x: Array) -> Array:
    """trigamma(x) - 1/x - 1/(2 x^2) for x > 0, by its recurrence and the series from 16 on."""
    x = np.asarray(x, dtype=np.float64)
    steps = [0.5 / ((x + k) * (x + k + 1.0)) ** 2 for k in range(16)]
    return np.sum(steps, axis=0) + _stirling_series(x + 16.0, _BERNOULLI, 3)


def trigamma(x: Array) -> Array:
    return trigamma_rest(x) + 1.0 / x + 0.5 / (x * x)


def lgamma_half_step(x: Array) -> Array:
    """lgamma(x + 1/2) - lgamma(x) for x > 0."""
    far = np.asarray(x >= 1.0)
    y = np.where(far, x, 1.0)
    series = y * np.log1p(0.5 / y) - 0.5 + 0.5 * np.log(y)
    series = series + stirling_rest(y + 0.5) - stirling_rest(y)
    near = np.where(far, 1.0, x)
    return np.where(far, series, special.gammaln(near + 0.5) - special.gammaln(near))


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(100)


def integral(function: Callable[[Array], Array], lower: Array, upper: Array) -> Array:
    """Of a smooth function, by Gauss and Legendre's rule of 100 nodes.

    The function is given points with one more axis, the last.
    """
    lower, upper = np.broadcast_arrays(lower, upper)
    half, middle = (upper - lower) / 2.0, (upper + lower) / 2.0
    points = middle[..., np.newaxis] + half[..., np.newaxis] * _NODES
    return half * (function(points) @ _WEIGHTS)
