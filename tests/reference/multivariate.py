"""The multivariate normal distribution: one distribution over all target columns of a row.

Contract: `joint`. raw[p] has the shape of the rows, y one more axis, the last, for the columns;
log_prob and entropy have the shape of the rows, what is said of marginals (mean, mode, std,
variance, cdf, sf, quantile, crps) that of y. Raw parameters: loc of each column, then the lower
Cholesky factor row by row, its diagonal as logs.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from .arrays import Array
from .distributions import Distribution, nan_unless_probability
from .functions import held, where_free


class MultivariateNormal(Distribution):
    joint = True
    target_scaling = "location and scale"

    def __init__(self, targets: int) -> None:
        if targets < 1:
            raise ValueError("a multivariate normal distribution has at least one target column")
        self.targets = targets
        factor = [
            f"log_diagonal[{t}]" if t == u else f"off_diagonal[{t},{u}]"
            for t in range(targets)
            for u in range(t + 1)
        ]
        self.names = (*(f"loc[{t}]" for t in range(targets)), *factor)

    def _loc(self, raw: Array) -> Array:
        return np.moveaxis(raw[: self.targets], 0, -1)

    def _log_diagonal(self, raw: Array) -> Array:
        """Not held to its limits."""
        places = [p for p, name in enumerate(self.names) if name.startswith("log_diagonal")]
        return np.moveaxis(raw[places], 0, -1)

    def _factor(self, raw: Array) -> Array:
        factor = np.zeros((*raw.shape[1:], self.targets, self.targets))
        t, u = np.tril_indices(self.targets)
        factor[..., t, u] = np.moveaxis(raw[self.targets :], 0, -1)
        diagonal = held(self._log_diagonal(raw))
        every = np.arange(self.targets)
        factor[..., every, every] = np.exp(diagonal)
        return factor

    def _whitened(self, raw: Array, y: ArrayLike) -> Array:
        """z with L z = y - loc, by forward substitution."""
        factor = self._factor(raw)
        rest = np.asarray(y, dtype=np.float64) - self._loc(raw)
        z = np.zeros_like(rest)
        for t in range(self.targets):
            before = np.sum(factor[..., t, :t] * z[..., :t], axis=-1)
            z[..., t] = (rest[..., t] - before) / factor[..., t, t]
        return z

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isfinite(np.asarray(y, dtype=np.float64)).all(axis=-1)

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        square = np.sum(self._whitened(raw, y) ** 2, axis=-1)
        diagonal = held(self._log_diagonal(raw))
        constant = 0.5 * self.targets * np.log(2.0 * np.pi)
        return -0.5 * square - np.sum(diagonal, axis=-1) - constant

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        factor, z = self._factor(raw), self._whitened(raw, y)
        log_diagonal = self._log_diagonal(raw)
        u = np.zeros_like(z)  # L^T u = z, by backward substitution
        for t in reversed(range(self.targets)):
            behind = np.sum(factor[..., t + 1 :, t] * u[..., t + 1 :], axis=-1)
            u[..., t] = (z[..., t] - behind) / factor[..., t, t]
        # d(-z^2/2) = u^T dL z
        d_factor = []
        for t in range(self.targets):
            d_factor.extend(u[..., t] * z[..., s] for s in range(t))
            d_log = u[..., t] * factor[..., t, t] * z[..., t] - 1.0
            d_factor.append(where_free(log_diagonal[..., t], d_log))
        return np.stack([*np.moveaxis(u, -1, 0), *d_factor])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        a, b = np.asarray(location), np.broadcast_to(scale, (self.targets,))
        return {
            "loc": a + b * self._loc(raw),
            "scale_tril": b[:, np.newaxis] * self._factor(raw),
        }

    def mean(self, raw: Array) -> Array:
        return self._loc(raw)

    def variance(self, raw: Array) -> Array:
        return np.sum(self._factor(raw) ** 2, axis=-1)

    def mode(self, raw: Array) -> Array:
        return self._loc(raw)

    def entropy(self, raw: Array) -> Array:
        diagonal = held(self._log_diagonal(raw))
        return 0.5 * self.targets * np.log(2.0 * np.pi * np.e) + np.sum(diagonal, axis=-1)

    def _residual(self, raw: Array, y: ArrayLike) -> Array:
        return (np.asarray(y, dtype=np.float64) - self._loc(raw)) / self.std(raw)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return ndtr(self._residual(raw, y))

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return ndtr(-self._residual(raw, y))

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        return nan_unless_probability(self._loc(raw) + self.std(raw) * ndtri(p), p)

    def sample(self, raw: Array, u: Array) -> Array:
        """loc + L z, z the standard normal quantiles of the uniforms u (..., columns)."""
        return self._loc(raw) + np.sum(self._factor(raw) * ndtri(u)[..., np.newaxis, :], axis=-1)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """Of the marginals (Gneiting and Raftery 2007, equation 21)."""
        r = self._residual(raw, y)
        density = np.exp(-0.5 * r**2) / np.sqrt(2.0 * np.pi)
        return self.std(raw) * (r * (ndtr(r) - ndtr(-r)) + 2.0 * density - 1.0 / np.sqrt(np.pi))
