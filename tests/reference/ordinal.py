"""The ordinal distribution: ordered labels cut out of a logistic variable that the network shifts.

Contract: loc is predicted; the first cut point and the logs of the gaps behind it are shared, each
one constant for each target column. P(Y <= k) = sigmoid(cut_k - loc). Inside, and in `probs`, the
levels are the last axis. Source: McCullagh (1980), 'Regression models for ordinal data'.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import sigmoid, softplus
from .arrays import Array
from .distributions import Distribution, keep_nan, nan_unless_probability, outside_support
from .functions import held, where_free


class Ordinal(Distribution):
    target_scaling = "none"

    def __init__(self, levels: int) -> None:
        if levels < 2:
            raise ValueError("an ordinal distribution has at least two levels")
        self.levels = levels
        gaps = tuple(f"log_gap[{k}]" for k in range(1, levels - 1))
        self.shared = ("cut_point", *gaps)
        self.names = ("loc", *self.shared)

    @property
    def starts(self) -> tuple[float, ...]:
        below = np.arange(1, self.levels)
        cuts = np.log(below / (self.levels - below))
        return (0.0, cuts[0], *np.log(np.diff(cuts)))

    @staticmethod
    def _gaps(raw: Array) -> Array:
        return np.exp(held(raw[2:]))

    def _distances(self, raw: Array) -> Array:
        """Of the cuts from loc."""
        cuts = np.cumsum([raw[1], *self._gaps(raw)], axis=0)
        return np.moveaxis(cuts - raw[0], 0, -1)

    def _ends(self, raw: Array) -> tuple[Array, Array]:
        """Distances of each level's lower and upper cut from loc; the outermost are infinite."""
        distances = self._distances(raw)
        outermost = np.full((*distances.shape[:-1], 1), np.inf)
        return (
            np.concatenate([-outermost, distances], axis=-1),
            np.concatenate([distances, outermost], axis=-1),
        )

    def _log_probs(self, raw: Array) -> Array:
        # sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)); b - a is the gap.
        lower, upper = self._ends(raw)
        log_probs = -softplus(-upper) - softplus(lower)
        log_probs[..., 1:-1] += np.moveaxis(np.log(-np.expm1(-self._gaps(raw))), 0, -1)
        return log_probs

    def _is_level(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.asarray(y, dtype=np.float64)[..., np.newaxis] == np.arange(self.levels)

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isin(np.asarray(y, dtype=np.float64), np.arange(self.levels))

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        inside = np.sum(np.where(self._is_level(y), self._log_probs(raw), 0.0), axis=-1)
        return outside_support(inside, self.support(y), y)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        lower, upper = self._ends(raw)
        gaps = self._gaps(raw)
        chosen = self._is_level(y)

        def at_y(values: Array) -> Array:
            return np.sum(np.where(chosen, values, 0.0), axis=-1)

        shift = at_y(sigmoid(-upper) - sigmoid(lower))  # of both cuts of the level
        rise = at_y(sigmoid(-upper))  # of the upper one alone
        d_gaps = []
        for k, gap in enumerate(gaps, start=1):
            of_gap = np.exp(-gap) / -np.expm1(-gap)  # d log(1 - exp(-gap))
            d_gap = np.where(np.asarray(y) == k, rise + of_gap, shift) * (np.asarray(y) >= k)
            d_gaps.append(where_free(raw[1 + k], gap * d_gap))
        return np.stack([-shift, shift, *d_gaps])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        return {"probs": np.exp(self._log_probs(raw))}

    def mean(self, raw: Array) -> Array:
        return np.full(raw.shape[1:], np.nan)

    def variance(self, raw: Array) -> Array:
        return np.full(raw.shape[1:], np.nan)

    def mode(self, raw: Array) -> Array:
        return np.argmax(self._log_probs(raw), axis=-1).astype(np.float64)

    def entropy(self, raw: Array) -> Array:
        log_probs = self._log_probs(raw)
        return -np.sum(np.exp(log_probs) * log_probs, axis=-1)

    def _at_cut(self, y: Array, values: Array, below: float, above: float) -> Array:
        """Of the cut above level floor(y); `below` before the first level, `above` at the last."""
        chosen = np.floor(y)[..., np.newaxis] == np.arange(self.levels - 1)
        inside = np.sum(np.where(chosen, values, 0.0), axis=-1)
        value = np.where(y < 0, below, np.where(y >= self.levels - 1, above, inside))
        return keep_nan(value, y)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return self._at_cut(y, sigmoid(self._distances(raw)), 0.0, 1.0)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return self._at_cut(y, sigmoid(-self._distances(raw)), 1.0, 0.0)

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        too_small = sigmoid(self._distances(raw)) < p[..., np.newaxis]
        return nan_unless_probability(np.sum(too_small, axis=-1).astype(np.float64), p)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """The ranked probability score (Epstein 1969)."""
        y = np.asarray(y, dtype=np.float64)
        distances = self._distances(raw)
        reached = y[..., np.newaxis] <= np.arange(self.levels - 1)
        off = np.where(reached, sigmoid(-distances), sigmoid(distances))
        return np.where(self.support(y), np.sum(off**2, axis=-1), np.nan)
