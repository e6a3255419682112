"""What the core has no closed form for, by SciPy and numeric integration; imported when asked for.

Contract: parameters are those of `PredictiveDistribution.params`, in float64 and shaped (rows,
targets), with one more axis where there are several of a name. Arguments broadcast
against (rows, targets) and are checked already. Integrals are right to about 1e-9 of the result.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likely import _core

Array = NDArray[np.float64]
Params = dict[str, Any]


def statistic(family: _core.Distribution, params: Params, name: str, argument: Any) -> Array:
    """A statistic that the core does not have: cdf, sf, quantile, crps, entropy, mean or std."""
    d = _distribution(family, params)
    if name in ("crps", "entropy"):
        return _integral_of(name, d, argument)
    if name in ("mean", "std"):  # of angles
        return np.asarray(getattr(d, name)())
    return np.asarray(getattr(d, name)(argument))


_FROZEN: dict[str, Callable[[Any, Any, Params], Any]] = {
    "Normal": lambda stats, family, p: stats.norm(p["loc"], p["scale"]),
    "Laplace": lambda stats, family, p: stats.laplace(p["loc"], p["scale"]),
    "StudentT": lambda stats, family, p: stats.t(p["df"], p["loc"], p["scale"]),
    "Logistic": lambda stats, family, p: stats.logistic(p["loc"], p["scale"]),
    "LogNormal": lambda stats, family, p: stats.lognorm(p["scale"], scale=np.exp(p["loc"])),
    "Exponential": lambda stats, family, p: stats.expon(scale=1 / p["rate"]),
    "Gamma": lambda stats, family, p: stats.gamma(p["concentration"], scale=1 / p["rate"]),
    "Weibull": lambda stats, family, p: stats.weibull_min(p["concentration"], scale=p["scale"]),
    "Beta": lambda stats, family, p: stats.beta(p["concentration1"], p["concentration0"]),
    "VonMises": lambda stats, family, p: stats.vonmises(p["concentration"], p["loc"]),
    "Poisson": lambda stats, family, p: stats.poisson(p["rate"]),
    "NegativeBinomial": lambda stats, family, p: stats.nbinom(p["total_count"], 1 - p["probs"]),
    "Bernoulli": lambda stats, family, p: stats.bernoulli(p["probs"]),
    "Binomial": lambda stats, family, p: stats.binom(family.n, p["probs"]),
}


def frozen(family: _core.Distribution, params: Params) -> Any:
    """The family with these parameters as a frozen distribution of scipy.stats."""
    name = type(family).__name__
    if name not in _FROZEN:
        raise ValueError(
            f"scipy.stats has no frozen distribution for {name}; it has one for "
            f"{', '.join(_FROZEN)}"
        )
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError(
            f"this statistic of {name} needs SciPy (pip install 'likely[stats]')"
        ) from error
    return _FROZEN[name](stats, family, params)


def _distribution(family: _core.Distribution, params: Params) -> Any:
    if isinstance(family, _core.Categorical):
        raise ValueError(
            "Categorical has no crps, for its labels have no order; see likely.metrics.brier_score"
        )
    if isinstance(family, _core.Quantiles):
        raise ValueError("Quantiles knows its quantiles alone: quantile, interval, cdf and sf")
    if isinstance(family, _core.Mixture):
        inner = {name: values for name, values in params.items() if name != "weights"}
        component = _distribution(family.component, inner)
        mixture = _MixtureOfAngles if isinstance(component, _VonMises) else _Mixture
        return mixture(params["weights"], component)
    if isinstance(family, _core.ZeroInflated):
        inner = {name: values for name, values in params.items() if name != "gate"}
        return _ZeroInflated(params["gate"], _distribution(family.base, inner))
    if isinstance(family, _core.VonMises):
        return _VonMises(params["loc"], params["concentration"])
    return _Frozen(frozen(family, params))


class _Frozen:
    """A distribution of scipy.stats, whose quantiles begin in the support."""

    def __init__(self, distribution: Any) -> None:
        self.discrete = hasattr(distribution, "pmf")
        self.cdf = distribution.cdf
        self.sf = distribution.sf
        self.log_prob = distribution.logpmf if self.discrete else distribution.logpdf
        self._distribution = distribution

    def quantile(self, p: Any) -> Array:
        return np.asarray(np.maximum(self._distribution.ppf(p), self._distribution.support()[0]))

    def isf(self, p: Any) -> Array:
        return np.asarray(np.maximum(self._distribution.isf(p), self._distribution.support()[0]))

    def part(self, rows: slice) -> _Frozen:
        d = self._distribution
        shape = np.broadcast_shapes(*(np.shape(a) for a in (*d.args, *d.kwds.values())))
        cut = [np.broadcast_to(a, shape)[rows] for a in d.args]
        named = {name: np.broadcast_to(a, shape)[rows] for name, a in d.kwds.items()}
        return _Frozen(d.dist(*cut, **named))


class _ZeroInflated:
    discrete = True

    def __init__(self, gate: Array, base: _Frozen) -> None:
        self._gate, self._base = gate, base

    def cdf(self, y: Any) -> Array:
        return np.where(y < 0, 0.0, self._gate + (1 - self._gate) * self._base.cdf(y))

    def sf(self, y: Any) -> Array:
        return np.where(y < 0, 1.0, (1 - self._gate) * self._base.sf(y))

    def log_prob(self, y: Any) -> Array:
        with np.errstate(divide="ignore"):
            inner = np.log1p(-self._gate) + self._base.log_prob(y)
            at_zero = np.logaddexp(np.log(self._gate), inner)
            return np.asarray(np.where(y == 0, at_zero, inner))

    def quantile(self, p: Any) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = (p - self._gate) / (1 - self._gate)
        return np.where(inner > 0, self._base.quantile(np.clip(inner, 0, 1)), 0.0)

    def isf(self, p: Any) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = p / (1 - self._gate)
        return np.where(inner < 1, self._base.isf(np.clip(inner, 0, 1)), 0.0)

    def part(self, rows: slice) -> _ZeroInflated:
        return _ZeroInflated(self._gate[rows], self._base.part(rows))


class _Mixture:
    """Components stand along the last axis of weights and of the component's parameters."""

    def __init__(self, weights: Array, component: Any) -> None:
        self._weights, self._component = weights, component
        self.discrete = component.discrete

    def cdf(self, y: Any) -> Array:
        return self._mean(self._component.cdf(y[..., np.newaxis]))

    def sf(self, y: Any) -> Array:
        return self._mean(self._component.sf(y[..., np.newaxis]))

    def _mean(self, values: Array) -> Array:
        return np.asarray(np.sum(self._weights * values, axis=-1))

    def log_prob(self, y: Any) -> Array:
        with np.errstate(divide="ignore"):
            terms = np.log(self._weights) + self._component.log_prob(y[..., np.newaxis])
        return np.asarray(np.logaddexp.reduce(terms, axis=-1))

    def quantile(self, p: Any) -> Array:
        p = np.asarray(p, dtype=np.float64)
        between = self._component.quantile(p[..., np.newaxis])
        return self._bisect(between, lambda y: self.cdf(y) >= p)

    def isf(self, p: Any) -> Array:
        p = np.asarray(p, dtype=np.float64)
        between = self._component.isf(p[..., np.newaxis])
        return self._bisect(between, lambda y: self.sf(y) <= p)

    def _bisect(self, between: Array, reached: Callable[[Array], NDArray[np.bool_]]) -> Array:
        """The least value between the components' quantiles at which a probability is reached."""
        lower, upper = between.min(axis=-1), between.max(axis=-1)
        lower = lower - 1.0 if self.discrete else lower
        while True:
            middle = np.floor((lower + upper) / 2) if self.discrete else (lower + upper) / 2
            inside = (middle > lower) & (middle < upper)
            if not inside.any():
                return np.asarray(upper)
            above = reached(middle)
            upper = np.where(inside & above, middle, upper)
            lower = np.where(inside & ~above, middle, lower)

    def part(self, rows: slice) -> _Mixture:
        return _Mixture(self._weights[rows], self._component.part(rows))


def _turned(y: Any, center: Array) -> Array:
    """An angle's distance from a center in [-pi, pi], both ends of which are left alone."""
    distance = np.asarray(y - center, dtype=np.float64)
    turns = np.where(np.isfinite(distance), np.rint(distance / (2 * np.pi)), 0)
    inside = np.abs(distance) <= np.pi + 1e-15 * (np.pi + np.abs(center))
    return np.clip(np.where(inside, distance, distance - 2 * np.pi * turns), -np.pi, np.pi)


class _VonMises:
    """Its probabilities are integrals over the angle's distance from loc."""

    discrete = False

    def __init__(self, loc: Array, concentration: Array) -> None:
        try:
            from scipy import special
        except ImportError as error:
            raise ImportError(
                "this statistic of VonMises needs SciPy (pip install 'likely[stats]')"
            ) from error
        self._loc, self._concentration = np.broadcast_arrays(loc, concentration)
        self._length = special.i1e(self._concentration) / special.i0e(self._concentration)
        self._height = 1 / (2 * np.pi * special.i0e(self._concentration))
        self._reach = np.minimum(np.pi, 13 / np.sqrt(self._concentration))  # all but 1e-30

    def _integral(self, power: int, lower: Array, upper: Array) -> Array:
        """Of distance^power times the density."""
        half = (upper - lower)[..., np.newaxis] / 2
        at = lower[..., np.newaxis] + half * (1 + _NODES)
        exponent = -2 * self._concentration[..., np.newaxis] * np.sin(at / 2) ** 2
        return np.asarray(self._height * np.sum(at**power * np.exp(exponent) * half * _WEIGHTS, -1))

    def std(self) -> Array:
        return np.sqrt(2 * self._integral(2, 0 * self._reach, self._reach))

    def _above(self, distance: Array) -> Array:
        """The probability beyond a distance in [0, pi]."""
        return self._integral(0, distance, np.minimum(np.pi, distance + self._reach))

    def near(self, y: Any) -> Array:
        """The same angle, within pi of loc."""
        return np.asarray(self._loc + _turned(y, self._loc))

    def _side(self, y: Any, sign: int) -> Array:
        distance = _turned(y, self._loc)
        beyond = self._above(np.abs(distance))
        return np.where(sign * distance < 0, beyond, 1 - beyond)

    def cdf(self, y: Any) -> Array:
        return self._side(y, 1)

    def sf(self, y: Any) -> Array:
        return self._side(y, -1)

    def log_prob(self, y: Any) -> Array:
        exponent = -2 * self._concentration * np.sin((y - self._loc) / 2) ** 2
        return np.asarray(np.log(self._height) + exponent)

    def _distance(self, beyond: Any) -> Array:
        """At which this probability, of at most a half, is left beyond it: Newton's method.

        `_above` is convex and falls, so that from the left no step goes too far; one from the right
        may reach 0 at worst. It starts at the quantile of a normal distribution.
        """
        from scipy import special

        tail = np.where(beyond > 0, beyond, 0.5)
        scale = 1 / np.sqrt(self._concentration)
        distance = np.clip(-special.ndtri(tail) * scale, 0, np.pi)
        for _ in range(100):
            density = self._height * np.exp(-2 * self._concentration * np.sin(distance / 2) ** 2)
            step = (self._above(distance) - tail) / density
            distance = np.clip(distance + step, 0, np.pi)
            if np.all(np.abs(step) <= 1e-9 * np.minimum(scale, 1)):
                break
        return np.where(beyond <= 0, np.pi, distance)

    def quantile(self, p: Any) -> Array:
        distance = self._distance(np.minimum(p, 1 - np.asarray(p)))
        return np.asarray(self._loc + np.where(np.asarray(p) < 0.5, -distance, distance))

    def isf(self, p: Any) -> Array:
        return 2 * self._loc - self.quantile(p)

    def part(self, rows: slice) -> _VonMises:
        return _VonMises(self._loc[rows], self._concentration[rows])

    def direction(self) -> NDArray[np.complex128]:
        """The mean of exp(i angle) (Mardia and Jupp 2000, section 3.4.1)."""
        return np.asarray(self._length * np.exp(1j * self._loc))

    def up_to(self, angle: Any) -> tuple[Array, Array]:
        """The integral of the density, which repeats, from loc - pi to this angle.

        As the number of peaks below the angle and what is to be added: differences do not cancel.
        """
        distance = np.asarray(angle - self._loc, dtype=np.float64)
        turns = np.rint(distance / (2 * np.pi))
        distance = np.clip(distance - 2 * np.pi * turns, -np.pi, np.pi)
        beyond = self._above(np.abs(distance))
        above = distance >= 0
        return turns + above, np.where(above, -beyond, beyond)


class _MixtureOfAngles(_Mixture):
    """As of one von Mises distribution, probabilities count from half a turn before the mean."""

    def __init__(self, weights: Array, component: _VonMises) -> None:
        super().__init__(weights, component)
        self._center = np.angle(np.sum(weights * component.direction(), axis=-1))

    def _between(self, first: Any, last: Any) -> Array:
        (low, less), (high, more) = (
            self._component.up_to(np.asarray(angle)[..., np.newaxis]) for angle in (first, last)
        )
        return self._mean((high - low) + (more - less))

    def near(self, y: Any) -> Array:
        """The same angle, within pi of the mean."""
        return np.asarray(self._center + _turned(y, self._center))

    def cdf(self, y: Any) -> Array:
        return np.clip(self._between(self._center - np.pi, self.near(y)), 0, 1)

    def sf(self, y: Any) -> Array:
        return np.clip(self._between(self.near(y), self._center + np.pi), 0, 1)

    def quantile(self, p: Any) -> Array:
        return self._bisect(self._turn(p == 0, p == 1), lambda y: self.cdf(y) >= p)

    def isf(self, p: Any) -> Array:
        return self._bisect(self._turn(p == 1, p == 0), lambda y: self.sf(y) <= p)

    def _turn(self, first: Any, last: Any) -> Array:
        """The turn itself, or the end of it that a probability of 0 or 1 stands for."""
        ends = [np.where(last, np.pi, -np.pi), np.where(first, -np.pi, np.pi)]
        return np.stack([self._center + end for end in ends], axis=-1)

    def mean(self) -> Array:
        return np.where(self._center < np.pi, self._center, -np.pi)

    def std(self) -> Array:
        def integrand(y: Array) -> Array:
            return np.asarray((y - self._center) ** 2 * np.exp(self.log_prob(y)))

        return np.sqrt(_over_support(self, integrand, None))

    def part(self, rows: slice) -> _MixtureOfAngles:
        return _MixtureOfAngles(self._weights[rows], self._component.part(rows))


# ---- integrals over the target

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_TAILS = (0.5, 0.3, 0.15, 0.05, *(10.0**-k for k in range(2, 9)), 1e-10, 1e-12, 1e-15, 1e-17)
"""Between quantiles at these tail probabilities an integrand is smooth."""
_WIDE = 4000
"""So many counts are summed one by one; sums over more are integrals."""
_CHUNK = 256
"""Rows at a time, for the memory."""


def _integral_of(name: str, d: Any, y: Any) -> Array:
    rows = len(d.cdf(np.zeros((1, 1))))
    chunks = [slice(begin, begin + _CHUNK) for begin in range(0, rows, _CHUNK)]
    if name == "entropy":
        return np.concatenate([_entropy(d.part(rows)) for rows in chunks])
    targets = d.near(y) if hasattr(d, "near") else np.broadcast_to(y, d.cdf(y).shape)
    return np.concatenate([_crps(d.part(rows), targets[rows]) for rows in chunks])


def _entropy(d: Any) -> Array:
    def integrand(y: Array) -> Array:
        log_prob = d.log_prob(y)
        return np.where(log_prob > -np.inf, -np.exp(log_prob) * np.maximum(log_prob, -1e300), 0.0)

    return _over_support(d, integrand, None)


def _crps(d: Any, y: Array) -> Array:
    """The integral of its definition (Gneiting and Raftery 2007, equation 20)."""
    return _over_support(d, lambda z: np.where(z < y, d.cdf(z), d.sf(z)) ** 2, y)


def _over_support(d: Any, integrand: Callable[[Array], Array], y: Array | None) -> Array:
    """The integral, or for counts the sum, over all of the support; y is a seam of the integrand.

    For the score the range reaches to y, wherever that is.
    """
    tails = _TAILS[:-1] if d.discrete else _TAILS  # SciPy's counts have no smaller ones
    with warnings.catch_warnings():  # at 1e-17 Boost finds not all roots; an edge may be anywhere
        warnings.filterwarnings("ignore", "Error in function boost", RuntimeWarning)
        edges = [ask(np.full((1, 1), tail)) for ask in (d.quantile, d.isf) for tail in tails]
    edges += [] if y is None else [y]
    panels = np.sort(np.stack(np.broadcast_arrays(*edges)), axis=0)
    # SciPy knows no quantiles of a Poisson distribution of mean 1e12: nan, in that row alone.
    unknown = np.isnan(panels).any(axis=0)
    panels = np.where(unknown, 0.0, panels)
    total = np.where(unknown, np.nan, 0.0)
    if d.discrete:
        first, last = panels[0], panels[-1]
        count = int(min((last - first).max() + 1, _WIDE))
        total = sum(
            (
                np.where(first + k <= last, integrand(np.minimum(first + k, last)), 0.0)
                for k in range(count)
            ),
            total,
        )
        panels = np.maximum(panels, first + count) - 0.5
    for lower, upper in itertools.pairwise(panels):
        if np.all(upper <= lower):
            continue
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            at = lower + (upper - lower) * (1 + node) / 2
            if d.discrete:
                step = np.floor(at)
                value = integrand(step) * (1 - (at - step)) + integrand(step + 1) * (at - step)
            else:
                value = integrand(at)
            total = total + np.where(upper > lower, value * weight * (upper - lower) / 2, 0.0)
    return total
