"""Distributions, written from their textbook definitions so that the core can be held against them.

Contract: a distribution has raw parameters (unconstrained numbers), named in `names`. Each one is
predicted by the network, or `shared` (a learned constant for each target column), or `fixed`. Every
method takes `raw`, all raw parameters stacked along the first axis: `raw[p]` is parameter p with
any shape that broadcasts against the target y, and the result has that broadcast shape. The
gradient has one more axis, the first, for the raw parameters.

A log density is -inf outside the support, quantiles are nan outside [0, 1], as in SciPy. Nothing
here knows of standardisation except `target_scaling`, which says what a family allows, and the
location and scale that `parameters` puts back.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from .activations import sigmoid, softplus
from .arrays import Array
from .functions import exponential_rest, held, where_free


class Distribution:
    """What every family declares and answers."""

    names: tuple[str, ...]
    shared: tuple[str, ...] = ()
    fixed: Mapping[str, float] = {}
    target_scaling: str  # "location and scale", "scale" or "none"
    joint = False  # one distribution over all target columns of a row, which are y's last axis
    density = True  # else log_prob is minus a loss, in standardised units

    @property
    def predicted(self) -> tuple[str, ...]:
        return tuple(n for n in self.names if n not in self.shared and n not in self.fixed)

    @property
    def starts(self) -> tuple[float, ...]:
        """Where each raw parameter starts, in the order of `names`."""
        return (0.0,) * len(self.names)

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        raise NotImplementedError

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        raise NotImplementedError

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        """d log_prob / d raw, for targets in the support."""
        raise NotImplementedError

    def fisher(self, raw: Array) -> Array:
        """The diagonal of the Fisher information of the raw parameters, as if none were held."""
        raise NotImplementedError

    def log_survival(self, raw: Array, y: ArrayLike) -> Array:
        """log sf(y) for a target in the support that is censored on the right."""
        raise NotImplementedError

    def survival_gradient(self, raw: Array, y: ArrayLike) -> Array:
        """d log_survival / d raw."""
        raise NotImplementedError

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        """Named parameters of location + scale * (a variable with these raw parameters)."""
        raise NotImplementedError

    def mean(self, raw: Array) -> Array:
        raise NotImplementedError

    def variance(self, raw: Array) -> Array:
        raise NotImplementedError

    def std(self, raw: Array) -> Array:
        return np.sqrt(self.variance(raw))

    def mode(self, raw: Array) -> Array:
        raise NotImplementedError

    def entropy(self, raw: Array) -> Array:
        raise NotImplementedError

    def cross_entropy(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        """-E log q in nats, q with raw parameters `other`, the mean over `p`, which is
        location + scale * (a variable with the raw parameters `raw`).
        """
        raise NotImplementedError

    def kl_divergence(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        """E (log p - log q) in nats, of the same p and q."""
        raise NotImplementedError

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        raise NotImplementedError

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        """1 - cdf, without its cancellation."""
        raise NotImplementedError

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """The integral of (cdf(z) - [y <= z])^2 over z, for any real y."""
        raise NotImplementedError

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        raise NotImplementedError


class Normal(Distribution):
    names = ("loc", "log_scale")
    target_scaling = "location and scale"

    def __init__(self, scale: str | float = "predicted") -> None:
        if isinstance(scale, str):
            if scale not in ("predicted", "shared"):
                raise ValueError(f"scale is 'predicted', 'shared' or a number, not {scale!r}")
            if scale == "shared":
                self.shared = ("log_scale",)
        else:
            if not 0 < scale < np.inf:
                raise ValueError("a fixed scale is positive and finite")
            self.fixed = {"log_scale": float(np.log(scale))}

    @staticmethod
    def _loc_and_log_scale(raw: Array) -> tuple[Array, Array]:
        loc, log_scale = raw
        return loc, held(log_scale)

    def _residual(self, raw: Array, y: ArrayLike) -> Array:
        loc, log_scale = self._loc_and_log_scale(raw)
        return (np.asarray(y, dtype=np.float64) - loc) * np.exp(-log_scale)

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isfinite(np.asarray(y, dtype=np.float64))

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        _, log_scale = self._loc_and_log_scale(raw)
        return -0.5 * self._residual(raw, y) ** 2 - log_scale - 0.5 * np.log(2.0 * np.pi)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        _, log_scale = self._loc_and_log_scale(raw)
        residual = self._residual(raw, y)
        d_log_scale = where_free(raw[1], residual**2 - 1.0)
        return np.stack([residual * np.exp(-log_scale), d_log_scale])

    def fisher(self, raw: Array) -> Array:
        precision = np.exp(-2.0 * self._loc_and_log_scale(raw)[1])
        return np.stack([precision, np.full_like(precision, 2.0)])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        loc, log_scale = self._loc_and_log_scale(raw)
        a, b = np.asarray(location), np.asarray(scale)
        return {"loc": a + b * loc, "scale": b * np.exp(log_scale)}

    def mean(self, raw: Array) -> Array:
        return raw[0]

    def variance(self, raw: Array) -> Array:
        return self.std(raw) ** 2

    def std(self, raw: Array) -> Array:
        _, log_scale = self._loc_and_log_scale(raw)
        return np.exp(log_scale)

    def mode(self, raw: Array) -> Array:
        return raw[0]

    def entropy(self, raw: Array) -> Array:
        _, log_scale = self._loc_and_log_scale(raw)
        return 0.5 * np.log(2.0 * np.pi * np.e) + log_scale

    def _distance(
        self, raw: Array, other: Array, location: ArrayLike, scale: ArrayLike
    ) -> tuple[Array, Array, Array]:
        """Log of p's scale over q's, squared distance of the means in q's scales, log of q's."""
        loc_p, log_scale_p = self._loc_and_log_scale(raw)
        loc_q, log_scale_q = self._loc_and_log_scale(other)
        loc_p = np.asarray(location) + np.asarray(scale) * loc_p
        log_ratio = log_scale_p + np.log(scale) - log_scale_q
        return log_ratio, ((loc_p - loc_q) * np.exp(-log_scale_q)) ** 2, log_scale_q

    def cross_entropy(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        log_ratio, distance, log_scale_q = self._distance(raw, other, location, scale)
        return log_scale_q + 0.5 * np.log(2.0 * np.pi) + (np.exp(2.0 * log_ratio) + distance) / 2.0

    def kl_divergence(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        log_ratio, distance, _ = self._distance(raw, other, location, scale)
        return (exponential_rest(2.0 * log_ratio) + distance) / 2.0

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return ndtr(self._residual(raw, y))

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return ndtr(-self._residual(raw, y))

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """Gneiting and Raftery 2007, (21)."""
        r = self._residual(raw, y)
        density = np.exp(-0.5 * r * r) / np.sqrt(2.0 * np.pi)
        sign = ndtr(r) - ndtr(-r)
        return self.std(raw) * (r * sign + 2.0 * density - 1.0 / np.sqrt(np.pi))

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        loc, log_scale = self._loc_and_log_scale(raw)
        return loc + np.exp(log_scale) * ndtri(np.asarray(p, dtype=np.float64))


class Bernoulli(Distribution):
    names = ("logit",)
    target_scaling = "none"

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isin(np.asarray(y, dtype=np.float64), (0.0, 1.0))

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        (logit,) = raw
        inside = np.where(y == 1.0, -softplus(-logit), -softplus(logit))
        return outside_support(inside, self.support(y), y)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        (logit,) = raw
        return np.stack([np.where(np.asarray(y) == 1.0, sigmoid(-logit), -sigmoid(logit))])

    def fisher(self, raw: Array) -> Array:
        return sigmoid(raw) * sigmoid(-raw)

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        return {"probs": sigmoid(raw[0])}

    def mean(self, raw: Array) -> Array:
        return sigmoid(raw[0])

    def variance(self, raw: Array) -> Array:
        return sigmoid(raw[0]) * sigmoid(-raw[0])

    def mode(self, raw: Array) -> Array:
        return np.where(raw[0] > 0, 1.0, 0.0)

    def entropy(self, raw: Array) -> Array:
        (logit,) = raw
        return sigmoid(logit) * softplus(-logit) + sigmoid(-logit) * softplus(logit)

    def cross_entropy(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        (p,), (q,) = raw, other
        return sigmoid(p) * softplus(-q) + sigmoid(-p) * softplus(q)

    def kl_divergence(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        (p,), (q,) = raw, other
        one, zero = softplus(-q) - softplus(-p), softplus(q) - softplus(p)
        return sigmoid(p) * one + sigmoid(-p) * zero

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        below_one = np.where(y < 0, 0.0, sigmoid(-raw[0]))
        return keep_nan(np.where(y >= 1, 1.0, below_one), y)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        below_one = np.where(y < 0, 1.0, sigmoid(raw[0]))
        return keep_nan(np.where(y >= 1, 0.0, below_one), y)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """(p - y)^2 at a label, the Brier score."""
        y = np.asarray(y, dtype=np.float64)
        at_zero, at_one = sigmoid(raw[0]) ** 2, sigmoid(-raw[0]) ** 2
        inside = np.clip(y, 0.0, 1.0)
        between = inside * at_one + (1.0 - inside) * at_zero
        return between + np.abs(y - inside)

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        return nan_unless_probability(np.where(sigmoid(-raw[0]) >= p, 0.0, 1.0), p)


class Categorical(Distribution):
    """Inside, and in `probs`, the classes are the last axis, so that the others broadcast."""

    target_scaling = "none"

    def __init__(self, classes: int) -> None:
        if classes < 2:
            raise ValueError("a categorical distribution has at least two classes")
        self.classes = classes
        self.names = tuple(f"logit_{k}" for k in range(classes))

    @staticmethod
    def _log_probs(raw: Array) -> Array:
        shifted = np.moveaxis(raw - np.max(raw, axis=0), 0, -1)
        return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))

    def _probs(self, raw: Array) -> Array:
        return np.exp(self._log_probs(raw))

    def _one_hot(self, y: Array) -> NDArray[np.bool_]:
        return y[..., np.newaxis] == np.arange(self.classes)

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return np.isin(np.asarray(y, dtype=np.float64), np.arange(self.classes))

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        inside = np.sum(np.where(self._one_hot(y), self._log_probs(raw), 0.0), axis=-1)
        return outside_support(inside, self.support(y), y)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        return np.moveaxis(self._one_hot(y) - self._probs(raw), -1, 0)

    def fisher(self, raw: Array) -> Array:
        probs = self._probs(raw)
        others = np.stack([np.delete(probs, k, -1).sum(-1) for k in range(self.classes)], -1)
        return np.moveaxis(probs * others, -1, 0)

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        return {"probs": self._probs(raw)}

    def mean(self, raw: Array) -> Array:
        return np.full(raw.shape[1:], np.nan)

    def variance(self, raw: Array) -> Array:
        return np.full(raw.shape[1:], np.nan)

    def mode(self, raw: Array) -> Array:
        return np.argmax(raw, axis=0).astype(np.float64)

    def entropy(self, raw: Array) -> Array:
        return -np.sum(self._probs(raw) * self._log_probs(raw), axis=-1)

    def cross_entropy(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        return -np.sum(self._probs(raw) * self._log_probs(other), axis=-1)

    def kl_divergence(
        self, raw: Array, other: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> Array:
        difference = self._log_probs(raw) - self._log_probs(other)
        return np.sum(self._probs(raw) * difference, axis=-1)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        at_most_y = np.arange(self.classes) <= y[..., np.newaxis]
        total = np.sum(np.where(at_most_y, self._probs(raw), 0.0), axis=-1)
        return keep_nan(np.where(y >= self.classes - 1, 1.0, total), y)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        above_y = np.arange(self.classes) > y[..., np.newaxis]
        total = np.sum(np.where(above_y, self._probs(raw), 0.0), axis=-1)
        return keep_nan(np.where(y < 0, 1.0, total), y)

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        raise ValueError("labels have no distances, so a categorical distribution has no crps")

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        p = np.asarray(p, dtype=np.float64)
        # The last class is left out: its cdf is 1 by definition, whatever the sum rounds to.
        too_small = np.cumsum(self._probs(raw), axis=-1)[..., :-1] < p[..., np.newaxis]
        return nan_unless_probability(np.sum(too_small, axis=-1).astype(np.float64), p)


def keep_nan(value: Array, y: Array) -> Array:
    return np.where(np.isnan(y), np.nan, value)


def outside_support(inside: Array, support: NDArray[np.bool_], y: Array) -> Array:
    return keep_nan(np.where(support, inside, -np.inf), y)


def nan_unless_probability(quantile: Array, p: Array) -> Array:
    return np.where((p >= 0) & (p <= 1), quantile, np.nan)
