"""Exponential, Gamma, Weibull and LogNormal: families of positive numbers, scaled but not shifted.

A crps by definition holds for any real y: below 0, where the cdf is 0, it grows by the distance.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .arrays import Array
from .distributions import Distribution, keep_nan, nan_unless_probability, outside_support
from .functions import (
    HALF_LOG_2PI,
    STRAIGHT,
    digamma_rest,
    exponential_rest,
    held,
    lgamma_half_step,
    log_ratio,
    stirling_rest,
    straight_exp,
    straight_exp_slope,
    trigamma_rest,
    where_free,
)


class Positive(Distribution):
    target_scaling = "scale"

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        y = np.asarray(y, dtype=np.float64)
        return (y > 0) & np.isfinite(y)

    def _log_prob(self, raw: Array, y: Array) -> Array:
        """For y in the support."""
        raise NotImplementedError

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        inside = self.support(y)
        return outside_support(self._log_prob(raw, np.where(inside, y, 1.0)), inside, y)

    def _cdf_and_sf(self, raw: Array, y: Array) -> tuple[Array, Array]:
        """For y > 0, inf among them."""
        raise NotImplementedError

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        cdf, _ = self._cdf_and_sf(raw, np.where(y > 0, y, 1.0))
        return keep_nan(np.where(y > 0, cdf, 0.0), y)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        _, sf = self._cdf_and_sf(raw, np.where(y > 0, y, 1.0))
        return keep_nan(np.where(y > 0, sf, 1.0), y)

    def _quantile(self, raw: Array, p: Array) -> Array:
        """For p in [0, 1]."""
        raise NotImplementedError

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        return nan_unless_probability(self._quantile(raw, np.clip(p, 0.0, 1.0)), p)

    def _crps(self, raw: Array, y: Array) -> Array:
        """For y >= 0."""
        raise NotImplementedError

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return self._crps(raw, np.maximum(y, 0.0)) + np.maximum(-y, 0.0)

    def variance(self, raw: Array) -> Array:
        with np.errstate(over="ignore"):
            return self.std(raw) ** 2


class Exponential(Positive):
    names = ("log_scale",)

    @staticmethod
    def _scale(raw: Array) -> Array:
        return np.exp(held(raw[0]))

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        y = np.asarray(y, dtype=np.float64)
        return (y >= 0) & np.isfinite(y)

    def _log_prob(self, raw: Array, y: Array) -> Array:
        return -y * np.exp(-held(raw[0])) - held(raw[0])

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return where_free(raw, (y * np.exp(-held(raw[0])) - 1.0)[np.newaxis])

    def log_survival(self, raw: Array, y: ArrayLike) -> Array:
        return -np.asarray(y, dtype=np.float64) * np.exp(-held(raw[0]))

    def survival_gradient(self, raw: Array, y: ArrayLike) -> Array:
        return where_free(raw, -self.log_survival(raw, y)[np.newaxis])

    def fisher(self, raw: Array) -> Array:
        return np.ones_like(raw)

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        return {"rate": np.exp(-held(raw[0])) / np.asarray(scale)}

    def mean(self, raw: Array) -> Array:
        return self._scale(raw)

    def std(self, raw: Array) -> Array:
        return self._scale(raw)

    def mode(self, raw: Array) -> Array:
        return np.zeros_like(raw[0])

    def entropy(self, raw: Array) -> Array:
        return 1.0 + held(raw[0])

    def _cdf_and_sf(self, raw: Array, y: Array) -> tuple[Array, Array]:
        log_survival = self.log_survival(raw, y)
        return -np.expm1(log_survival), np.exp(log_survival)

    def _quantile(self, raw: Array, p: Array) -> Array:
        return -self._scale(raw) * special.xlog1py(1.0, -p)

    def _crps(self, raw: Array, y: Array) -> Array:
        """Jordan, Krueger and Lerch 2019, as are those of Gamma and LogNormal."""
        x = -self.log_survival(raw, y)
        return self._scale(raw) * (x + 2.0 * np.expm1(-x) + 0.5)


class Gamma(Positive):
    names = ("log_mean", "log_concentration")

    @staticmethod
    def _mean_and_concentration(raw: Array) -> tuple[Array, Array]:
        return np.exp(held(raw[0])), np.exp(held(raw[1]))

    @staticmethod
    def _deviance(e: Array) -> Array:
        """exp(e) - 1 - e, with exp as a straight line above 40."""
        far = straight_exp(np.maximum(e, STRAIGHT)) - 1.0 - e
        return np.where(e > STRAIGHT, far, exponential_rest(np.minimum(e, STRAIGHT)))

    def _log_prob(self, raw: Array, y: Array) -> Array:
        _, a = self._mean_and_concentration(raw)
        e = log_ratio(y, held(raw[0]))
        constant = 0.5 * held(raw[1]) - HALF_LOG_2PI - stirling_rest(a)
        return constant - np.log(y) - a * self._deviance(e)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        _, a = self._mean_and_concentration(raw)
        e = log_ratio(np.asarray(y, dtype=np.float64), held(raw[0]))
        d_mean = a * np.expm1(np.minimum(e, STRAIGHT))
        d_concentration = a * digamma_rest(a) - a * self._deviance(e)
        return where_free(raw, np.stack(np.broadcast_arrays(d_mean, d_concentration)))

    def fisher(self, raw: Array) -> Array:
        _, a = self._mean_and_concentration(raw)
        return np.stack([a, 0.5 + a * a * trigamma_rest(a)])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        mean, a = self._mean_and_concentration(raw)
        return {"concentration": a + 0.0 * mean, "rate": a / mean / np.asarray(scale)}

    def mean(self, raw: Array) -> Array:
        return self._mean_and_concentration(raw)[0]

    def std(self, raw: Array) -> Array:
        mean, a = self._mean_and_concentration(raw)
        return mean / np.sqrt(a)

    def mode(self, raw: Array) -> Array:
        mean, a = self._mean_and_concentration(raw)
        return mean * np.maximum(a - 1.0, 0.0) / a

    def entropy(self, raw: Array) -> Array:
        _, a = self._mean_and_concentration(raw)
        scale = held(raw[0]) - 0.5 * held(raw[1])
        return scale + HALF_LOG_2PI + stirling_rest(a) + (a - 1.0) * digamma_rest(a)

    def _cdf_and_sf(self, raw: Array, y: Array) -> tuple[Array, Array]:
        mean, a = self._mean_and_concentration(raw)
        x = a * (y / mean)
        return special.gammainc(a, x), special.gammaincc(a, x)

    def _quantile(self, raw: Array, p: Array) -> Array:
        mean, a = self._mean_and_concentration(raw)
        lower, upper = special.gammaincinv(a, p), special.gammainccinv(a, 1.0 - p)
        return mean * (np.where(p < 0.5, lower, upper) / a)

    def _crps(self, raw: Array, y: Array) -> Array:
        mean, a = self._mean_and_concentration(raw)
        x = a * (y / mean)
        sign = special.gammainc(a, x) - special.gammaincc(a, x)
        next_sign = special.gammainc(a + 1.0, x) - special.gammaincc(a + 1.0, x)
        # 1 / (a B(1/2, a)), half of the mean difference of two draws of mean 1.
        half_difference = np.exp(lgamma_half_step(a) - held(raw[1])) / np.sqrt(np.pi)
        return y * sign - mean * (next_sign + half_difference)


class Weibull(Positive):
    names = ("log_scale", "log_concentration")

    @staticmethod
    def _scale_and_concentration(raw: Array) -> tuple[Array, Array]:
        return np.exp(held(raw[0])), np.exp(held(raw[1]))

    def _z(self, raw: Array, y: ArrayLike) -> Array:
        _, k = self._scale_and_concentration(raw)
        return k * log_ratio(np.asarray(y, dtype=np.float64), held(raw[0]))

    def _log_prob(self, raw: Array, y: Array) -> Array:
        z = self._z(raw, y)
        return held(raw[1]) + z - np.log(y) - straight_exp(z)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        _, k = self._scale_and_concentration(raw)
        z = self._z(raw, y)
        slope = np.expm1(np.minimum(z, STRAIGHT))
        return where_free(raw, np.stack([k * slope, 1.0 - z * slope]))

    def log_survival(self, raw: Array, y: ArrayLike) -> Array:
        return -straight_exp(self._z(raw, y))

    def survival_gradient(self, raw: Array, y: ArrayLike) -> Array:
        _, k = self._scale_and_concentration(raw)
        z = self._z(raw, y)
        slope = straight_exp_slope(z)
        return where_free(raw, np.stack([k * slope, -z * slope]))

    def fisher(self, raw: Array) -> Array:
        _, k = self._scale_and_concentration(raw)
        return np.stack([k * k, np.full_like(k, np.pi**2 / 6.0 + (1.0 - np.euler_gamma) ** 2)])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        own, k = self._scale_and_concentration(raw)
        return {"scale": np.asarray(scale) * own, "concentration": k + 0.0 * own}

    def _log_mean(self, raw: Array) -> Array:
        _, k = self._scale_and_concentration(raw)
        return held(raw[0]) + special.gammaln(1.0 + 1.0 / k)

    def mean(self, raw: Array) -> Array:
        scale, k = self._scale_and_concentration(raw)
        return scale * special.gamma(1.0 + 1.0 / k)

    def std(self, raw: Array) -> Array:
        _, k = self._scale_and_concentration(raw)
        x = 1.0 / k
        # lgamma(1 + 2 x) - 2 lgamma(1 + x), by its series near 0.
        near = np.where(x < 0.1, x, 0.0)
        order = np.arange(2.0, 40.0)
        terms = special.zeta(order) * (2.0**order - 2.0) / order
        log_ratio = (terms * (-near[..., np.newaxis]) ** order).sum(axis=-1)
        far = special.gammaln(1.0 + 2.0 * x) - 2.0 * special.gammaln(1.0 + x)
        log_ratio = np.where(x < 0.1, log_ratio, far)
        with np.errstate(over="ignore"):
            large = np.exp(self._log_mean(raw) + 0.5 * log_ratio)
            small = self.mean(raw) * np.sqrt(np.expm1(np.minimum(log_ratio, 40.0)))
        return np.where(log_ratio > 40.0, large, small)

    def mode(self, raw: Array) -> Array:
        scale, k = self._scale_and_concentration(raw)
        above = np.where(k > 1.0, k, 2.0)
        return np.where(k > 1.0, scale * np.exp(np.log1p(-1.0 / above) / above), 0.0)

    def entropy(self, raw: Array) -> Array:
        _, k = self._scale_and_concentration(raw)
        return np.euler_gamma * (1.0 - 1.0 / k) + held(raw[0]) - held(raw[1]) + 1.0

    def _cdf_and_sf(self, raw: Array, y: Array) -> tuple[Array, Array]:
        log_survival = self.log_survival(raw, y)
        return -np.expm1(log_survival), np.exp(log_survival)

    def _quantile(self, raw: Array, p: Array) -> Array:
        scale, k = self._scale_and_concentration(raw)
        with np.errstate(divide="ignore", over="ignore"):
            return scale * np.exp(np.log(-np.log1p(-p)) / k)

    def _crps(self, raw: Array, y: Array) -> Array:
        """E |Y - y| less half of the mean difference, which is mean (1 - 2^(-1/k)). The incomplete
        mean may be finite where the mean is not.
        """
        _, k = self._scale_and_concentration(raw)
        log_mean = self._log_mean(raw)
        with np.errstate(divide="ignore", over="ignore"):
            t = np.exp(np.minimum(k * (np.log(y) - held(raw[0])), 700.0))
            smaller = np.exp(log_mean - np.log(2.0) / k)
            share = special.gammainc(1.0 + 1.0 / k, t)
            below = np.exp(log_mean + np.log(share))
        sign = -np.expm1(-t) - np.exp(-t)
        return np.where(np.isinf(smaller), np.inf, y * sign + smaller - 2.0 * below)


class LogNormal(Positive):
    names = ("loc", "log_scale")

    @staticmethod
    def _scale(raw: Array) -> Array:
        return np.exp(held(raw[1]))

    def _residual(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return log_ratio(y, raw[0]) * np.exp(-held(raw[1]))

    def _log_prob(self, raw: Array, y: Array) -> Array:
        return -0.5 * self._residual(raw, y) ** 2 - held(raw[1]) - HALF_LOG_2PI - np.log(y)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        r = self._residual(raw, y)
        return np.stack([r * np.exp(-held(raw[1])), where_free(raw[1], r * r - 1.0)])

    def log_survival(self, raw: Array, y: ArrayLike) -> Array:
        return special.log_ndtr(-self._residual(raw, y))

    def survival_gradient(self, raw: Array, y: ArrayLike) -> Array:
        r = self._residual(raw, y)
        hazard = np.sqrt(2.0 / np.pi) / special.erfcx(r / np.sqrt(2.0))
        return np.stack([hazard * np.exp(-held(raw[1])), where_free(raw[1], hazard * r)])

    def fisher(self, raw: Array) -> Array:
        precision = np.exp(-2.0 * held(raw[1]))
        return np.stack([precision, np.full_like(precision, 2.0)])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        own = self._scale(raw)
        return {"loc": raw[0] + np.log(scale) + 0.0 * own, "scale": own + 0.0 * np.asarray(scale)}

    def mean(self, raw: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(raw[0] + 0.5 * self._scale(raw) ** 2)

    def std(self, raw: Array) -> Array:
        square = self._scale(raw) ** 2
        with np.errstate(over="ignore", invalid="ignore"):
            small = self.mean(raw) * np.sqrt(np.expm1(square))
            return np.where(square < 100.0, small, np.exp(raw[0] + square))

    def mode(self, raw: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(raw[0] - self._scale(raw) ** 2)

    def entropy(self, raw: Array) -> Array:
        return raw[0] + 0.5 + HALF_LOG_2PI + held(raw[1])

    def _cdf_and_sf(self, raw: Array, y: Array) -> tuple[Array, Array]:
        r = self._residual(raw, y)
        return special.ndtr(r), special.ndtr(-r)

    def _quantile(self, raw: Array, p: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(raw[0] + self._scale(raw) * special.ndtri(p))

    def _crps(self, raw: Array, y: Array) -> Array:
        scale = self._scale(raw)
        with np.errstate(divide="ignore"):
            r = (np.log(y) - raw[0]) / scale
        # 2 mean (Phi(r - scale) - Phi(-scale / sqrt 2)), each with its factor in the exponent.
        log_mean = raw[0] + 0.5 * scale**2
        with np.errstate(over="ignore"):
            below = np.exp(log_mean + special.log_ndtr(r - scale))
            half = np.exp(log_mean + special.log_ndtr(-scale / np.sqrt(2.0)))
        smaller = y * (special.ndtr(r) - special.ndtr(-r)) - 2.0 * below
        return np.where(np.isinf(half), np.inf, smaller + 2.0 * half)
