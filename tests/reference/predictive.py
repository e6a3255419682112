"""The predicted distribution of each row and target column, in the user's units.

Contract: the target is location + scale * (a variable of the family with these raw parameters), so
every answer is the family's own, moved by this map. Results have the shape (rows, target columns)
(of a joint family log_prob and entropy have (rows,)); `sample(count)` has (count, rows, columns).
"""

import numpy as np
from numpy.typing import ArrayLike

from . import philox
from .arrays import Array
from .distributions import Distribution
from .mixture import Mixture


class Predictive:
    def __init__(
        self, distribution: Distribution, raw: Array, location: Array, scale: Array, dtype: str
    ) -> None:
        self.distribution = distribution
        self.raw = raw
        self.location = location
        self.scale = scale
        self.dtype = dtype

    def _standardised(self, y: ArrayLike) -> Array:
        return (np.asarray(y, dtype=np.float64) - self.location) / self.scale

    @property
    def _log_scale(self) -> Array:
        """What a log density in the standardised units is larger by."""
        return np.log(self.scale).sum() if self.distribution.joint else np.log(self.scale)

    @property
    def parameters(self) -> dict[str, Array]:
        return self.distribution.parameters(self.raw, self.location, self.scale)

    @property
    def mean(self) -> Array:
        return self.location + self.scale * self.distribution.mean(self.raw)

    @property
    def variance(self) -> Array:
        return self.scale**2 * self.distribution.variance(self.raw)

    @property
    def std(self) -> Array:
        return self.scale * self.distribution.std(self.raw)

    @property
    def mode(self) -> Array:
        return self.location + self.scale * self.distribution.mode(self.raw)

    @property
    def entropy(self) -> Array:
        return self.distribution.entropy(self.raw) + self._log_scale

    def cross_entropy(self, other: "Predictive") -> Array:
        """-E log q with q the other, in nats and in the user's units."""
        in_its_units = self._in_units_of(other)
        value = self.distribution.cross_entropy(self.raw, other.raw, *in_its_units)
        return value + np.log(other.scale)

    def kl_divergence(self, other: "Predictive") -> Array:
        """E (log p - log q) with q the other, in nats: the units do not matter."""
        return self.distribution.kl_divergence(self.raw, other.raw, *self._in_units_of(other))

    def _in_units_of(self, other: "Predictive") -> tuple[Array, Array]:
        if type(other.distribution) is not type(self.distribution):
            raise ValueError("both distributions are of the same family")
        if other.raw.shape != self.raw.shape:
            raise ValueError("both predictions have the same rows, targets and classes")
        return (self.location - other.location) / other.scale, self.scale / other.scale

    def log_prob(self, y: ArrayLike) -> Array:
        self._need_density()
        return self.distribution.log_prob(self.raw, self._standardised(y)) - self._log_scale

    def cdf(self, y: ArrayLike) -> Array:
        return self.distribution.cdf(self.raw, self._standardised(y))

    def sf(self, y: ArrayLike) -> Array:
        return self.distribution.sf(self.raw, self._standardised(y))

    def crps(self, y: ArrayLike) -> Array:
        """In the units of y, as it is a distance."""
        return self.scale * self.distribution.crps(self.raw, self._standardised(y))

    def quantile(self, p: ArrayLike) -> Array:
        return self.location + self.scale * self.distribution.quantile(self.raw, p)

    def sample(self, count: int, seed: int) -> Array:
        self._need_density()
        shape = (count, self.raw.shape[1], len(self.scale))
        uniforms, choices = (
            philox.uniform(words, self.dtype).reshape(shape)
            for words in (
                philox.words(seed, philox.SAMPLE, step, 0, 0, int(np.prod(shape)))
                for step in (0, 1)
            )
        )
        if self.distribution.joint:
            return self.location + self.scale * self.distribution.sample(self.raw, uniforms)
        if isinstance(self.distribution, Mixture):
            inner = self.distribution.sample(self.raw, choices, uniforms)
            return self.location + self.scale * inner
        return self.quantile(uniforms)

    def _need_density(self) -> None:
        if not self.distribution.density:
            raise ValueError("the distribution has no density")
