"""Mixtures of a family with itself, so that a prediction may have several peaks.

Contract: `Mixture(component, k)` has k weight logits and then the raw parameters of each component,
one component after the other; what the component shares or fixes, each of the k shares or fixes.
Statistics without a closed form are computed element by element: slow, and exact to about 1e-12
where the components' quantiles are not rounded to an edge of the support. Source: Bishop (1994),
'Mixture density networks'.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.special import log_softmax, logsumexp, ndtr, ndtri

from .arrays import Array
from .bounded import VonMises
from .counts import ZeroInflated
from .distributions import Categorical, Distribution, Normal, keep_nan, nan_unless_probability
from .functions import held, integral
from .multivariate import MultivariateNormal
from .ordinal import Ordinal
from .quadrature import integrate
from .quantiles import Quantiles

# Probabilities at whose quantiles an integral over the reals is cut into panels.
LEVELS = np.array([1e-30, *10.0 ** np.arange(-16, -1), 0.1, 0.5])
LEVELS = np.array([*LEVELS, *(1.0 - LEVELS[1:-1])])
LARGEST_SUM = 10**7


class Mixture(Distribution):
    def __new__(cls, component: Distribution, k: int) -> "Mixture":
        """Of angles there is no mean by averages, and no first one to count from."""
        return super().__new__(MixtureOfAngles if isinstance(component, VonMises) else cls)

    def __init__(self, component: Distribution, k: int) -> None:
        if isinstance(component, NO_COMPONENTS):
            raise TypeError(f"a mixture has no components {type(component).__name__}")
        if k < 2:
            raise ValueError("a mixture has at least two components")
        self.component = component
        self.k = k
        every = range(k)
        self.names = (
            *(f"weight_logits[{j}]" for j in every),
            *(f"{name}[{j}]" for j in every for name in component.names),
        )
        self.shared = tuple(f"{name}[{j}]" for j in every for name in component.shared)
        self.fixed = {f"{name}[{j}]": v for j in every for name, v in component.fixed.items()}
        self.target_scaling = component.target_scaling
        # 1/2 is in the support of every family of numbers that are not whole.
        self.discrete = not bool(component.support(0.5))

    @property
    def starts(self) -> tuple[float, ...]:
        first = ndtri((np.arange(self.k) + 0.5) / self.k)
        of_components = [start for z in first for start in (z, *self.component.starts[1:])]
        return (*(0.0,) * self.k, *of_components)

    def _log_weights(self, raw: Array) -> Array:
        return log_softmax(raw[: self.k], axis=0)

    def _weights(self, raw: Array) -> Array:
        return np.exp(self._log_weights(raw))

    def _components(self, raw: Array) -> Array:
        """(component, raw parameter, ...)"""
        return raw[self.k :].reshape(self.k, len(self.component.names), *raw.shape[1:])

    def _average(self, raw: Array, statistic: Callable[[Array], Array]) -> Array:
        parts = zip(self._weights(raw), self._components(raw), strict=True)
        terms = [weight * np.where(weight > 0, statistic(part), 0.0) for weight, part in parts]
        return np.sum(terms, axis=0)

    def _log_joint(self, raw: Array, y: ArrayLike) -> Array:
        """Log of weight times density of each component, along the first axis."""
        parts = zip(self._log_weights(raw), self._components(raw), strict=True)
        return np.stack([w + self.component.log_prob(part, y) for w, part in parts])

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        return self.component.support(y)

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        return logsumexp(self._log_joint(raw, y), axis=0)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        responsibilities = np.exp(log_softmax(self._log_joint(raw, y), axis=0))
        d_logits = [r - w for r, w in zip(responsibilities, self._weights(raw), strict=True)]
        d_raw = [
            r * derivative
            for r, part in zip(responsibilities, self._components(raw), strict=True)
            for derivative in self.component.gradient(part, y)
        ]
        return np.stack([*d_logits, *d_raw])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        named = [self.component.parameters(part, location, scale) for part in self._components(raw)]
        weights = {"weights": np.moveaxis(self._weights(raw), 0, -1)}
        return weights | {n: np.stack([d[n] for d in named], axis=-1) for n in named[0]}

    def mean(self, raw: Array) -> Array:
        return self._average(raw, self.component.mean)

    def variance(self, raw: Array) -> Array:
        mean, of = self.mean(raw), self.component
        center = np.where(np.isinf(mean), 0.0, mean)
        around = self._average(raw, lambda p: of.variance(p) + (of.mean(p) - center) ** 2)
        return np.where(np.isinf(mean), np.inf, around)

    def mode(self, raw: Array) -> Array:
        modes = np.stack([self.component.mode(part) for part in self._components(raw)])
        density = self.log_prob(raw, modes)
        density = np.where(self.support(modes), density, np.inf)  # at an edge: unbounded there
        density = np.where(np.isnan(modes) | (self._weights(raw) == 0), -np.inf, density)
        best = np.argmax(density, axis=0)
        return np.take_along_axis(modes, best[np.newaxis], axis=0)[0]

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return self._average(raw, lambda part: self.component.cdf(part, y))

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return self._average(raw, lambda part: self.component.sf(part, y))

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        """By bisection between the least and the largest quantile of the components."""
        p = np.asarray(p, dtype=np.float64)
        usable = np.where((p >= 0) & (p <= 1), p, 0.5)
        low, high = self._around_quantile(raw, usable)
        if self.discrete:
            low = low - 1.0
        for _ in range(1100):  # from one end of the float64 to the other
            middle = 0.5 * low + 0.5 * high  # their sum may overflow
            if self.discrete:
                middle = np.floor(middle)
            between = (middle != low) & (middle != high)
            if not np.any(between):
                break
            # The smaller of both tails has the digits.
            above = np.where(
                usable < 0.5,
                self.cdf(raw, middle) >= usable,
                self.sf(raw, middle) <= 1.0 - usable,
            )
            low = np.where(between & ~above, middle, low)
            high = np.where(between & above, middle, high)
        return nan_unless_probability(high, p)

    def sample(self, raw: Array, choice: Array, p: Array) -> Array:
        """The component that the first uniform number chooses, its quantile at the second."""
        reached = np.cumsum(self._weights(raw), axis=0)[:-1] < choice[:, np.newaxis]
        each = np.stack([self.component.quantile(part, p) for part in self._components(raw)], 1)
        return np.take_along_axis(each, reached.sum(axis=1)[:, np.newaxis], axis=1)[:, 0]

    def _around_quantile(self, raw: Array, p: Array) -> tuple[Array, Array]:
        each = [self.component.quantile(part, p) for part in self._components(raw)]
        return np.min(each, axis=0), np.max(each, axis=0)

    def _element_by_element(
        self, raw: Array, y: ArrayLike, value: Callable[[Array, float], float]
    ) -> Array:
        """`value` of each target, with raw parameters of the shape (raw parameters, 1)."""
        shape = np.broadcast_shapes(raw.shape[1:], np.shape(y))
        raw = np.broadcast_to(raw.reshape(len(raw), *(1,) * (len(shape) - raw.ndim + 1),
                                          *raw.shape[1:]), (len(raw), *shape))  # fmt: skip
        y = np.broadcast_to(np.asarray(y, dtype=np.float64), shape)
        result = np.empty(shape)
        for i in np.ndindex(*shape):
            result[i] = value(raw[(slice(None), *i)][:, np.newaxis], float(y[i]))
        return result

    def _edges(self, raw: Array) -> Array:
        """The components' quantiles."""
        edges = [self.component.quantile(part, LEVELS) for part in self._components(raw)]
        return np.unique(np.concatenate(edges))

    def _whole_numbers(self, raw: Array, *others: float) -> Array | None:
        """All numbers that the components' quantiles and the others enclose, if not too many."""
        edges = np.array([*self._edges(raw), *others])
        low, high = np.floor(edges.min()), edges.max()
        return np.arange(low, high + 1.0) if high - low <= LARGEST_SUM else None

    def entropy(self, raw: Array) -> Array:
        return self._element_by_element(raw, 0.0, lambda one, _: self._entropy(one))

    def _entropy(self, raw: Array) -> float:
        if self.discrete:
            y = self._whole_numbers(raw)
            if y is None:
                return np.nan
            log_prob = self.log_prob(raw, y)
            return -float(np.sum(np.exp(log_prob) * log_prob))
        # Each component's mean of -log density, over its probabilities: the tails become short.
        edges, total = self._edges(raw), 0.0
        for weight, part in zip(self._weights(raw), self._components(raw), strict=True):
            if weight[0] == 0.0:
                continue

            def surprise(u: Array, part: Array = part) -> Array:
                y = self.component.quantile(part, u)
                # One that was rounded to an edge of the support goes back inside.
                inside = np.where(self.support(y), y, np.nextafter(y, 0.5))
                return -self.log_prob(raw, inside)

            probabilities = np.array([0.0, 0.5, *self.component.cdf(part, edges), 1.0])
            total += float(weight[0]) * integrate(surprise, probabilities)
        return total

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        if isinstance(self.component, Normal):
            return self._crps_of_normals(raw, y)
        return self._element_by_element(raw, y, self._crps)

    def _crps(self, raw: Array, y: float) -> float:
        """By the definition."""

        def off(z: Array) -> Array:
            return np.where(z < y, self.cdf(raw, z), self.sf(raw, z)) ** 2

        if not np.isfinite(y):
            return np.nan
        if not self.discrete:
            return integrate(off, np.array([y, *self._edges(raw)]))
        z = self._whole_numbers(raw, y)
        if z is None:
            return np.nan
        before = np.clip(y - z, 0.0, 1.0)  # how much of z .. z + 1 is below y
        each = before * self.cdf(raw, z) ** 2 + (1.0 - before) * self.sf(raw, z) ** 2
        return float(np.sum(each))

    def _crps_of_normals(self, raw: Array, y: ArrayLike) -> Array:
        """Grimit et al. (2006), equation 5."""
        y = np.asarray(y, dtype=np.float64)
        weights, components = self._weights(raw), self._components(raw)
        means = [self.component.mean(part) for part in components]
        stds = [self.component.std(part) for part in components]

        def distance(mean: Array, std: Array) -> Array:
            """E |X|, X normal."""
            r = mean / std
            density = np.exp(-0.5 * r**2) / np.sqrt(2.0 * np.pi)
            return 2.0 * std * density + mean * (ndtr(r) - ndtr(-r))

        total = np.zeros(np.broadcast_shapes(raw.shape[1:], y.shape))
        for i in range(self.k):
            total += weights[i] * distance(y - means[i], stds[i])
            for j in range(self.k):
                between = distance(means[i] - means[j], np.hypot(stds[i], stds[j]))
                total -= 0.5 * weights[i] * weights[j] * between
        return total


class MixtureOfAngles(Mixture):
    """Of VonMises: everything counts from half a turn before the mean, which is the direction of
    the mean of exp(i y), and is an integral of the density over the distance t from the mean.
    """

    component: VonMises

    def mean(self, raw: Array) -> Array:
        weights, parts = self._weights(raw), self._components(raw)
        total = np.zeros(raw.shape[1:], dtype=np.complex128)
        for weight, (loc, log_concentration) in zip(weights, parts, strict=True):
            k = np.exp(held(log_concentration))
            total = total + weight * special.i1e(k) / special.i0e(k) * np.exp(1j * loc)
        return VonMises._to_circle(np.angle(total))

    def _cuts(self, raw: Array) -> Array:
        """The distances of every peak, and of where it has fallen to nothing, along the first
        axis.
        """
        loc, log_concentration = self._components(raw).swapaxes(0, 1)
        peak = VonMises._to_circle(loc - self.mean(raw))
        width = 13.0 / np.exp(0.5 * held(log_concentration))
        turns = 2.0 * np.pi * np.array([-1.0, 0.0, 1.0])
        cuts = [peak + turn + side * width for turn in turns for side in (-1.0, 0.0, 1.0)]
        return np.concatenate([np.full_like(peak[:1], v) for v in (-np.pi, np.pi)] + cuts)

    def _integral(
        self, raw: Array, of: Callable[[Array], Array], start: ArrayLike, end: ArrayLike
    ) -> Array:
        """Of of(t) times the density, over the distances from start to end."""
        inner, mean = raw[..., np.newaxis], self.mean(raw)[..., np.newaxis]
        edges = np.sort([np.clip(cut, start, end) for cut in self._cuts(raw)], axis=0)
        panels = [
            integral(lambda t: of(t) * np.exp(self.log_prob(inner, mean + t)), *pair)
            for pair in pairwise(edges)
        ]
        return np.sum(panels, axis=0)

    def variance(self, raw: Array) -> Array:
        return self._integral(raw, np.square, -np.pi, np.pi)

    def entropy(self, raw: Array) -> Array:
        inner, mean = raw[..., np.newaxis], self.mean(raw)[..., np.newaxis]
        return self._integral(raw, lambda t: -self.log_prob(inner, mean + t), -np.pi, np.pi)

    def _distance(self, raw: Array, y: ArrayLike) -> Array:
        mean = self.mean(raw)
        return self.component._distance(np.stack([mean, mean]), np.asarray(y, dtype=np.float64))

    def _tail(self, raw: Array, y: ArrayLike, end: float) -> Array:
        t = self._distance(raw, y)
        start, stop = (t, end) if end > 0 else (end, t)
        tail = np.where(t == -end, 1.0, self._integral(raw, np.ones_like, start, stop))
        return keep_nan(tail, np.asarray(y, dtype=np.float64))

    def sample(self, raw: Array, choice: Array, p: Array) -> Array:
        draws = super().sample(raw, choice, p)
        return self.mean(raw) + self._distance(raw, draws)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return self._tail(raw, y, -np.pi)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return self._tail(raw, y, np.pi)

    def _around_quantile(self, raw: Array, p: Array) -> tuple[Array, Array]:
        """One turn; its ends themselves at 0 and 1, next to which a tail may be 0 too."""
        mean = self.mean(raw)
        return mean + np.where(p == 1, np.pi, -np.pi), mean + np.where(p == 0, -np.pi, np.pi)

    def _edges(self, raw: Array) -> Array:
        return np.unique(self.mean(raw) + np.clip(self._cuts(raw), -np.pi, np.pi))

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        return super().crps(raw, self.mean(raw) + self._distance(raw, y))


NO_COMPONENTS = (
    Categorical,
    Ordinal,
    MultivariateNormal,
    Mixture,
    ZeroInflated,
    Quantiles,
)
