"""Laplace, StudentT and Logistic: families of location + scale * (a fixed shape)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .activations import sigmoid
from .arrays import Array
from .distributions import Distribution, nan_unless_probability
from .functions import (
    LOG_LIMIT,
    digamma_rest,
    held,
    integral,
    lgamma_half_step,
    trigamma_rest,
    where_free,
)


class LocationScale(Distribution):
    """What the three have in common, from the statistics of location 0 and scale 1."""

    names: tuple[str, ...] = ("loc", "log_scale")
    target_scaling = "location and scale"

    @staticmethod
    def _scale(raw: Array) -> Array:
        return np.exp(held(raw[1]))

    def _residual(self, raw: Array, y: ArrayLike) -> Array:
        return (np.asarray(y, dtype=np.float64) - raw[0]) * np.exp(-held(raw[1]))

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isfinite(np.asarray(y, dtype=np.float64))

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        a, b = np.asarray(location), np.asarray(scale)
        return {"loc": a + b * raw[0], "scale": b * self._scale(raw)}

    def mean(self, raw: Array) -> Array:
        return raw[0] + np.zeros_like(self._scale(raw))

    def variance(self, raw: Array) -> Array:
        return self.std(raw) ** 2

    def mode(self, raw: Array) -> Array:
        return raw[0] + np.zeros_like(self._scale(raw))

    def _upper_quantile(self, raw: Array, p: Array) -> Array:
        """Of location 0 and scale 1, exceeded with probability p, 0 <= p <= 1/2."""
        raise NotImplementedError

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        q = self._upper_quantile(raw, np.clip(np.minimum(p, 1.0 - p), 0.0, 0.5))
        return nan_unless_probability(raw[0] + self._scale(raw) * np.where(p < 0.5, -q, q), p)


class Laplace(LocationScale):
    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        return -np.abs(self._residual(raw, y)) - held(raw[1]) - np.log(2.0)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        r = self._residual(raw, y)
        d_scale = where_free(raw[1], np.abs(r) - 1.0)
        return np.stack([np.sign(r) * np.exp(-held(raw[1])), d_scale])

    def fisher(self, raw: Array) -> Array:
        precision = np.exp(-2.0 * held(raw[1]))
        return np.stack([precision, np.ones_like(precision)])

    def std(self, raw: Array) -> Array:
        return np.sqrt(2.0) * self._scale(raw)

    def entropy(self, raw: Array) -> Array:
        return 1.0 + np.log(2.0) + held(raw[1])

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        r = self._residual(raw, y)
        tail = 0.5 * np.exp(-np.abs(r))
        return np.where(r < 0, tail, 1.0 - tail)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        r = self._residual(raw, y)
        tail = 0.5 * np.exp(-np.abs(r))
        return np.where(r > 0, tail, 1.0 - tail)

    def _upper_quantile(self, raw: Array, p: Array) -> Array:
        return -special.xlogy(1.0, 2.0 * p)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """Jordan, Krueger and Lerch 2019, as are those of StudentT and Logistic."""
        r = np.abs(self._residual(raw, y))
        return self._scale(raw) * (r + np.exp(-r) - 0.75)


class Logistic(LocationScale):
    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        r = np.abs(self._residual(raw, y))
        return -r - 2.0 * np.log1p(np.exp(-r)) - held(raw[1])

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        r = self._residual(raw, y)
        slope = np.tanh(r / 2.0)
        return np.stack([slope * np.exp(-held(raw[1])), where_free(raw[1], r * slope - 1.0)])

    def fisher(self, raw: Array) -> Array:
        precision = np.exp(-2.0 * held(raw[1]))
        return np.stack([precision / 3.0, np.full_like(precision, (3.0 + np.pi**2) / 9.0)])

    def std(self, raw: Array) -> Array:
        return np.pi / np.sqrt(3.0) * self._scale(raw)

    def entropy(self, raw: Array) -> Array:
        return 2.0 + held(raw[1])

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return sigmoid(self._residual(raw, y))

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return sigmoid(-self._residual(raw, y))

    def _upper_quantile(self, raw: Array, p: Array) -> Array:
        return -special.logit(p)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        r = np.abs(self._residual(raw, y))
        return self._scale(raw) * (r + 2.0 * np.log1p(np.exp(-r)) - 1.0)


class StudentT(LocationScale):
    names = ("loc", "log_scale", "log_excess_df")

    def __init__(self, df: str | float = "predicted") -> None:
        if isinstance(df, str):
            if df not in ("predicted", "shared"):
                raise ValueError(f"df is 'predicted', 'shared' or a number, not {df!r}")
            if df == "shared":
                self.shared = ("log_excess_df",)
        else:
            if not 1 <= df <= 1000:
                raise ValueError("a fixed df is in [1, 1000]")
            excess = np.log(df - 1.0) if df > 1 else -LOG_LIMIT
            self.fixed = {"log_excess_df": float(max(excess, -LOG_LIMIT))}

    @property
    def starts(self) -> tuple[float, ...]:
        return (0.0, 0.0, float(np.log(9.0)))

    @staticmethod
    def _excess(raw: Array) -> Array:
        return np.exp(np.clip(raw[2], -LOG_LIMIT, np.log(999.0)))

    @staticmethod
    def _is_cauchy(raw: Array) -> NDArray[np.bool_]:
        return np.asarray(raw[2] <= -LOG_LIMIT)

    @staticmethod
    def _log_constant(n: Array) -> Array:
        return lgamma_half_step(n / 2.0) - 0.5 * np.log(np.pi * n)

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        r, n = self._residual(raw, y), 1.0 + self._excess(raw)
        tail = (n + 1.0) / 2.0 * np.log1p(r * r / n)
        return self._log_constant(n) - tail - held(raw[1])

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        r, excess = self._residual(raw, y), self._excess(raw)
        n = 1.0 + excess
        slope = (n + 1.0) / (n + r * r)
        x = n / 2.0
        # Half of digamma(x + 1/2) - digamma(x), less 1 / (2 n).
        d_constant = np.log1p(1.0 / n) - digamma_rest(x + 0.5) + digamma_rest(x) - 1.0 / n
        d_tail = slope * r * r / n - np.log1p(r * r / n)
        d_excess = np.where(
            (raw[2] >= -LOG_LIMIT) & (raw[2] <= np.log(999.0)),
            excess * 0.5 * (d_constant + d_tail),
            0.0,
        )
        d_scale = where_free(raw[1], slope * r * r - 1.0)
        return np.stack([slope * r * np.exp(-held(raw[1])), d_scale, d_excess])

    def fisher(self, raw: Array) -> Array:
        precision, excess = np.exp(-2.0 * held(raw[1])), self._excess(raw)
        n = 1.0 + excess
        # The difference of trigamma at n/2 and at (n + 1)/2, without what cancels.
        rests = trigamma_rest(n / 2.0) - trigamma_rest((n + 1.0) / 2.0)
        information = (5.0 * n + 3.0) / (2.0 * (n * (n + 1.0)) ** 2 * (n + 3.0)) + rests / 4.0
        return np.stack(
            [
                (n + 1.0) / (n + 3.0) * precision,
                2.0 * n / (n + 3.0) + 0.0 * precision,
                excess**2 * information + 0.0 * precision,
            ]
        )

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        df = np.where(self._is_cauchy(raw), 1.0, 1.0 + self._excess(raw))
        return {"df": df, **super().parameters(raw, location, scale)}

    def mean(self, raw: Array) -> Array:
        return np.where(self._is_cauchy(raw), np.nan, super().mean(raw))

    def std(self, raw: Array) -> Array:
        n = 1.0 + self._excess(raw)
        finite = n > 2.0
        ratio = np.where(finite, n / np.where(finite, n - 2.0, 1.0), np.inf)
        return np.where(self._is_cauchy(raw), np.nan, self._scale(raw) * np.sqrt(ratio))

    def entropy(self, raw: Array) -> Array:
        n = 1.0 + self._excess(raw)
        x = n / 2.0
        step = np.log1p(1.0 / n) - digamma_rest(x + 0.5) + digamma_rest(x)
        return (n + 1.0) / 2.0 * step - self._log_constant(n) + held(raw[1])

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return self._standard_cdf(self._residual(raw, y), 1.0 + self._excess(raw))

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return self._standard_cdf(-self._residual(raw, y), 1.0 + self._excess(raw))

    @staticmethod
    def _standard_cdf(r: Array, n: Array) -> Array:
        r, n = np.broadcast_arrays(r, n)
        far = r * r > n
        # n / (n + r^2) where it is at most a half, else r^2 / (n + r^2).
        tail = 0.5 * special.betainc(n / 2.0, 0.5, 1.0 / (1.0 + np.where(far, r * r / n, 1.0)))
        square = np.where(far, 1.0, r * r / n)
        near = 0.5 * special.betaincc(0.5, n / 2.0, square / (1.0 + square))
        tail = np.where(np.isnan(r), np.nan, np.where(far, tail, near))
        return np.where(r < 0, tail, 1.0 - tail)

    def _upper_quantile(self, raw: Array, p: Array) -> Array:
        n, p = np.broadcast_arrays(1.0 + self._excess(raw), p)
        x = special.betaincinv(n / 2.0, 0.5, 2.0 * np.where(p < 0.25, p, 0.25))
        # Far out the cdf is a power of r.
        log_beta = 0.5 * np.log(np.pi) - lgamma_half_step(n / 2.0)
        with np.errstate(divide="ignore", over="ignore"):
            power = np.exp(-(np.log(n * p) + log_beta) / n)
            far = np.where(x < 1e-100, power, np.sqrt((1.0 - x) / x))
        square = special.betaincinv(0.5, n / 2.0, 1.0 - 2.0 * np.where(p < 0.25, 0.25, p))
        return np.sqrt(n) * np.where(p < 0.25, far, np.sqrt(square / (1.0 - square)))

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """In Jordan, Krueger and Lerch (2019) a difference is divided by df - 1. Its two terms are
        2 c n exp(-d a) and 2 c n exp(-d b), with d = df - 1, c the density at 0 and a, b below.
        """
        r, d = np.broadcast_arrays(self._residual(raw, y), self._excess(raw))
        n = 1.0 + d
        # (log B(1/2, n - 1/2) - log B(1/2, n/2)) / d is -a, the mean of half a digamma's step.
        a = -integral(
            lambda t: (
                special.psi(0.5 + d[..., np.newaxis] * t)
                - special.psi(1.0 + d[..., np.newaxis] * t)
            ),
            0.5 * np.ones_like(d),
            np.ones_like(d),
        )
        b = 0.5 * np.log1p(r * r / n)
        close = np.abs(d * (b - a)) < 1.0
        rest = np.expm1(d * np.where(close, b - a, 0.0))
        rest = np.where(close, rest * np.exp(-d * b), np.exp(-d * a) - np.exp(-d * b))
        constant = 2.0 * n / d * np.exp(self._log_constant(n))
        sign = self._standard_cdf(r, n) - self._standard_cdf(-r, n)
        return self._scale(raw) * (r * sign - constant * rest)
