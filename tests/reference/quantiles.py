"""Quantiles of a target, learned by the pinball loss instead of a density.

Contract: not `density`. `log_prob` is minus the pinball loss, in standardised units, and `gradient`
its derivative; there are no samples. Between the levels cdf and quantile are linear, outside nan,
and so is every other statistic. Source: Koenker and Bassett (1978), 'Regression quantiles'.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import sigmoid, softplus
from .arrays import Array
from .distributions import Distribution


class Quantiles(Distribution):
    density = False
    target_scaling = "location and scale"

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = np.array(levels, dtype=np.float64)
        if self.levels.ndim != 1 or self.levels.size == 0:
            raise ValueError("levels is a sequence of at least one number")
        if not np.all(np.diff([0.0, *self.levels, 1.0]) > 0):
            raise ValueError("levels are increasing numbers in (0, 1)")
        self.central = (self.levels.size - 1) // 2
        self.names = ("quantile", *(f"gap[{i}]" for i in range(1, self.levels.size)))

    def _quantiles(self, raw: Array) -> Array:
        """Along the first axis, as raw parameters are."""
        gaps = softplus(raw[1:])
        q = np.empty(raw.shape)
        q[self.central] = raw[0]
        for i in range(self.central + 1, len(q)):
            q[i] = q[i - 1] + gaps[i - 1]
        for i in reversed(range(self.central)):
            q[i] = q[i + 1] - gaps[i]
        return q

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isfinite(np.asarray(y, dtype=np.float64))

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return -sum(
            (level - (y < q)) * (y - q)
            for level, q in zip(self.levels, self._quantiles(raw), strict=True)
        )

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        d_q = np.stack(
            [
                level - (y < q)  # of y > q where y = q
                for level, q in zip(self.levels, self._quantiles(raw), strict=True)
            ]
        )
        slopes = sigmoid(raw[1:])
        d_gaps = [
            slopes[i - 1] * (d_q[i:].sum(axis=0) if i > self.central else -d_q[:i].sum(axis=0))
            for i in range(1, len(d_q))
        ]
        return np.stack([d_q.sum(axis=0), *d_gaps])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        a, b = np.asarray(location), np.asarray(scale)
        q = np.moveaxis(self._quantiles(raw), 0, -1)
        return {"quantiles": a[..., np.newaxis] + b[..., np.newaxis] * q}

    def _nan(self, raw: Array) -> Array:
        return np.full(raw.shape[1:], np.nan)

    mean = variance = mode = entropy = _nan

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        return np.full(np.broadcast_shapes(raw.shape[1:], np.shape(y)), np.nan)

    def _interpolate(self, at: Array, xs: Array, ys: Array) -> Array:
        """Through the points (xs[i], ys[i]); the last of those with the same xs counts."""
        value = np.where(at == xs[0], ys[0], np.nan)
        for i in range(len(xs) - 1):
            inside = (at >= xs[i]) & (at <= xs[i + 1])
            width = np.where(xs[i + 1] > xs[i], xs[i + 1] - xs[i], 1.0)
            share = np.where(xs[i + 1] > xs[i], (at - xs[i]) / width, 1.0)
            value = np.where(inside, ys[i] + share * (ys[i + 1] - ys[i]), value)
        return value

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        q = self._quantiles(raw)
        return self._interpolate(np.asarray(y, dtype=np.float64), q, self.levels)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        q = self._quantiles(raw)
        return self._interpolate(np.asarray(y, dtype=np.float64), q, 1.0 - self.levels)

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        q = self._quantiles(raw)
        p = np.asarray(p, dtype=np.float64) + np.zeros(q.shape[1:])
        return self._interpolate(p, self.levels, q)
