"""Beta and VonMises: numbers between 0 and 1, and angles in radians."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .activations import sigmoid
from .arrays import Array
from .distributions import Distribution, keep_nan, nan_unless_probability, outside_support
from .functions import (
    HALF_LOG_2PI,
    digamma_rest,
    exponential_rest,
    held,
    integral,
    log_of_quotient,
    stirling_rest,
    trigamma,
    trigamma_rest,
    where_free,
)


class Beta(Distribution):
    names = ("logit_mean", "log_precision")
    target_scaling = "none"

    @staticmethod
    def _mean(raw: Array) -> tuple[Array, Array]:
        """The mean and one less the mean."""
        logit = held(raw[0])
        return sigmoid(logit), sigmoid(-logit)

    def _concentrations(self, raw: Array) -> tuple[Array, Array]:
        mean, rest = self._mean(raw)
        precision = np.exp(held(raw[1]))
        return mean * precision, rest * precision

    def _logs(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """log(mean / y) and log((1 - mean) / (1 - y)), for y in the support."""
        mean, rest = self._mean(raw)
        difference = np.where(raw[0] > 0, (1.0 - y) - rest, mean - y)
        return (
            log_of_quotient(mean, y, difference),
            log_of_quotient(rest, 1.0 - y, -difference),
        )

    def _divergence(self, raw: Array, y: Array) -> Array:
        """precision * (the Kullback-Leibler divergence of a coin of `mean` from one of y)."""
        a, b = self._concentrations(raw)
        first, second = self._logs(raw, y)
        return a * exponential_rest(-first) + b * exponential_rest(-second)

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        y = np.asarray(y, dtype=np.float64)
        return (y > 0) & (y < 1)

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        x = np.where(self.support(y), y, 0.5)
        a, b = self._concentrations(raw)
        rests = stirling_rest(a + b) - stirling_rest(a) - stirling_rest(b)
        constant = rests + 0.5 * (np.log(a) + np.log(b) - np.log(a + b)) - HALF_LOG_2PI
        inside = constant - self._divergence(raw, x) - np.log(x) - np.log1p(-x)
        return outside_support(inside, self.support(y), y)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        _, rest = self._mean(raw)
        a, b = self._concentrations(raw)
        first, second = self._logs(raw, y)
        d_logit = a * rest * (second - first + digamma_rest(a) - digamma_rest(b))
        rests = a * digamma_rest(a) + b * digamma_rest(b) - (a + b) * digamma_rest(a + b)
        d_precision = rests - self._divergence(raw, y)
        return where_free(raw, np.stack(np.broadcast_arrays(d_logit, d_precision)))

    def fisher(self, raw: Array) -> Array:
        _, rest = self._mean(raw)
        a, b = self._concentrations(raw)
        d_precision = 0.5 - (a + b) ** 2 * trigamma_rest(a + b)
        for x in (a, b):
            d_precision = d_precision + x * x * trigamma_rest(x)
        return np.stack([(a * rest) ** 2 * (trigamma(a) + trigamma(b)), d_precision])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        a, b = self._concentrations(raw)
        return {"concentration1": a, "concentration0": b}

    def mean(self, raw: Array) -> Array:
        return self._mean(raw)[0] + 0.0 * raw[1]

    def variance(self, raw: Array) -> Array:
        mean, rest = self._mean(raw)
        return mean * rest / (1.0 + np.exp(held(raw[1])))

    def mode(self, raw: Array) -> Array:
        a, b = self._concentrations(raw)
        inside = (a > 1) & (b > 1)
        between = np.where(inside, a - 1.0, 0.5) / np.where(inside, a + b - 2.0, 1.0)
        at_end = np.where(a > 1, 1.0, np.where(b > 1, 0.0, np.nan))
        return np.where(inside, between, at_end)

    def entropy(self, raw: Array) -> Array:
        a, b = self._concentrations(raw)
        n = a + b
        logs = 0.5 * (np.log(a) + np.log(b)) - 1.5 * np.log(n)
        rests = stirling_rest(a) + stirling_rest(b) - stirling_rest(n) + HALF_LOG_2PI
        slopes = (a - 1) * digamma_rest(a) + (b - 1) * digamma_rest(b) - (n - 2) * digamma_rest(n)
        return rests + logs + slopes

    @staticmethod
    def _tails(a: Array, b: Array, y: Array) -> tuple[Array, Array]:
        """Below and above y in [0, 1]."""
        return special.betainc(a, b, y), special.betaincc(a, b, y)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return self._tails(*self._concentrations(raw), np.clip(y, 0.0, 1.0))[0]

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return self._tails(*self._concentrations(raw), np.clip(y, 0.0, 1.0))[1]

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        a, b = self._concentrations(raw)
        p = np.asarray(p, dtype=np.float64)
        return nan_unless_probability(special.betaincinv(a, b, np.clip(p, 0.0, 1.0)), p)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """Jordan, Krueger and Lerch 2019."""
        y = np.asarray(y, dtype=np.float64)
        x = np.clip(y, 0.0, 1.0)
        a, b = self._concentrations(raw)
        n = a + b
        below, above = self._tails(a, b, x)
        next_below, next_above = self._tails(a + 1.0, b, x)
        # 2 B(2 a, 2 b) / (n B(a, b)^2), the mean difference of two draws.
        rests = [stirling_rest(2.0 * v) - 2.0 * stirling_rest(v) for v in (a, b, n)]
        log_ratio = rests[0] + rests[1] - rests[2] - HALF_LOG_2PI
        log_ratio = log_ratio + 0.5 * (np.log(a) + np.log(b) - np.log(n) - np.log(2.0))
        difference = 2.0 * np.exp(log_ratio) / n
        mean, _ = self._mean(raw)
        inside = x * (below - above) + mean * (next_above - next_below) - difference
        return inside + np.abs(y - x)


class VonMises(Distribution):
    """Statistics without a closed form are integrals of the density, which falls from loc on."""

    names = ("loc", "log_concentration")
    target_scaling = "none"
    _SERIES_FROM = 25.0

    @staticmethod
    def _concentration(raw: Array) -> Array:
        return np.exp(held(raw[1]))

    @staticmethod
    def _to_circle(angle: Array) -> Array:
        """The same angle in [-pi, pi)."""
        angle = np.asarray(angle, dtype=np.float64)
        wrapped = np.arctan2(np.sin(angle), np.cos(angle))
        wrapped = np.where(wrapped >= np.pi, -np.pi, wrapped)
        return np.where((angle >= -np.pi) & (angle < np.pi), angle, wrapped)

    def _bessel(self, k: Array) -> tuple[Array, Array, Array]:
        """A = I1(k) / I0(k), u = k (1 - A), and k (u - 1/2), the last two by the asymptotic series
        of I0 and I1 (DLMF 10.40.1) where they would cancel.
        """
        ratio = special.i1e(k) / special.i0e(k)
        far = k >= self._SERIES_FROM
        x = np.where(far, k, self._SERIES_FROM)
        i0, difference, excess = np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
        zero = one = 1.0  # coefficients of x^-j in I0 and I1
        half = 0.5  # and half of that of I0 at x^-(j - 1)
        for j in range(1, 41):
            zero, one = zero * (2 * j - 1) ** 2 / (8 * j), one * ((2 * j - 1) ** 2 - 4) / (8 * j)
            i0 = i0 + zero * x**-j
            difference = difference + (zero - one) * x ** (1.0 - j)
            excess = excess + (zero - one - half) * x ** (2.0 - j)
            half = 0.5 * zero
        u = np.where(far, difference / i0, k * (1.0 - ratio))
        return ratio, u, np.where(far, excess / i0, k * (u - 0.5))

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isfinite(np.asarray(y, dtype=np.float64))

    @staticmethod
    def _log_normaliser(k: Array) -> Array:
        return np.log(2.0 * np.pi * special.i0e(k))

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        k = self._concentration(raw)
        half = (np.asarray(y, dtype=np.float64) - raw[0]) / 2.0
        return -2.0 * k * np.sin(half) ** 2 - self._log_normaliser(k)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        k = self._concentration(raw)
        angle = np.asarray(y, dtype=np.float64) - raw[0]
        _, u, _ = self._bessel(k)
        d_concentration = u - 2.0 * k * np.sin(angle / 2.0) ** 2
        return np.stack([k * np.sin(angle), where_free(raw[1], d_concentration)])

    def fisher(self, raw: Array) -> Array:
        k = self._concentration(raw)
        ratio, u, excess = self._bessel(k)
        # k^2 (1 - A^2) - k A, with A = 1 - u / k, written in excess = k (u - 1/2).
        return np.stack([k * ratio, 2.0 * excess - u * u + u])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        k = self._concentration(raw)
        return {"loc": self._to_circle(raw[0]) + 0.0 * k, "concentration": k}

    def mean(self, raw: Array) -> Array:
        return self._to_circle(raw[0]) + np.zeros_like(raw[1])

    def mode(self, raw: Array) -> Array:
        return self.mean(raw)

    @staticmethod
    def _reach(k: Array) -> Array:
        """Beyond this distance from loc stands less than 1e-30 of the probability."""
        return np.minimum(np.pi, 13.0 / np.sqrt(k))

    @staticmethod
    def _density(k: Array, angle: Array) -> Array:
        return np.exp(-2.0 * k * np.sin(angle / 2.0) ** 2) / (2.0 * np.pi * special.i0e(k))

    def variance(self, raw: Array) -> Array:
        """That of the angle's distance to loc in [-pi, pi)."""
        k = self._concentration(raw)
        inner = k[..., np.newaxis]
        return 2.0 * integral(lambda t: t * t * self._density(inner, t), 0.0 * k, self._reach(k))

    def entropy(self, raw: Array) -> Array:
        k = self._concentration(raw)
        return self._log_normaliser(k) + self._bessel(k)[1]

    def _tail(self, k: Array, x: Array) -> Array:
        """The probability from loc + x to loc + pi, 0 <= x <= pi."""
        k, x = np.broadcast_arrays(k, x)
        with np.errstate(divide="ignore", over="ignore"):
            fall = 90.0 / (k * np.sin(x))
        end = x + np.minimum(np.minimum(np.pi - x, 13.0 / np.sqrt(k)), np.abs(fall))
        inner = k[..., np.newaxis]
        return integral(lambda t: self._density(inner, t), x, end)

    def _distance(self, raw: Array, y: Array) -> Array:
        """Of y from loc, in [-pi, pi]: left alone there (and at an end that is rounded), else taken
        modulo 2 pi.
        """
        loc = self._to_circle(raw[0])
        distance = y - loc
        finite = np.where(np.isfinite(distance), distance, 0.0)
        ends = np.pi + 1e-15 * (np.pi + np.abs(loc))
        inside = np.clip(finite, -np.pi, np.pi)
        wrapped = np.where(np.abs(finite) <= ends, inside, self._to_circle(finite))
        return np.where(np.isinf(distance), np.sign(distance) * np.pi, wrapped)

    def _cdf(self, raw: Array, y: ArrayLike, side: float) -> Array:
        y = np.asarray(y, dtype=np.float64)
        distance = side * self._distance(raw, y)
        tail = self._tail(self._concentration(raw), np.abs(distance))
        return keep_nan(np.where(distance < 0, tail, 1.0 - tail), y)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return self._cdf(raw, y, 1.0)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return self._cdf(raw, y, -1.0)

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        k, smaller = np.broadcast_arrays(self._concentration(raw), np.minimum(p, 1.0 - p))
        lower, upper = np.zeros_like(k), np.minimum(np.pi, 40.0 / np.sqrt(k))
        for _ in range(60):
            middle = (lower + upper) / 2.0
            beyond = self._tail(k, middle) > smaller
            lower, upper = np.where(beyond, middle, lower), np.where(beyond, upper, middle)
        distance = np.where(smaller <= 0, np.pi, upper)
        return nan_unless_probability(self.mean(raw) + np.where(p < 0.5, -1, 1) * distance, p)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """With T the tail beyond a distance and d that of y: d + 2 integral of T^2 over [0, pi]
        less 2 integral of T over [0, d].
        """
        y = np.asarray(y, dtype=np.float64)
        k, d = np.broadcast_arrays(self._concentration(raw), np.abs(self._distance(raw, y)))
        reach, inner = self._reach(k), k[..., np.newaxis]
        squares = integral(lambda t: self._tail(inner, t) ** 2, np.zeros_like(k), reach)
        below = integral(lambda t: self._tail(inner, t), np.zeros_like(k), np.minimum(d, reach))
        return d + 2.0 * squares - 2.0 * below
