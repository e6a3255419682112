"""What the core has no closed form for, by SciPy's distributions; imported when asked for.

Contract: parameters are those of `PredictiveDistribution.params`, in float64 and shaped (rows,
targets), with one more axis where there are several of a name. Arguments broadcast
against (rows, targets) and are checked already.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likely import _core, _crps, _integrals
from likely._angles import NODES, WEIGHTS, VonMises, turned

Array = NDArray[np.float64]
Params = dict[str, Any]


def statistic(head: _core.Head, raw: Array, params: Params, name: str, argument: Any) -> Array:
    """A statistic that the core does not have: cdf, sf, quantile, crps, entropy, mean or std.

    Of a mixture also a sample; the argument is then a pair of uniform numbers.
    """
    d = _distribution(head.distribution, params)
    if name == "crps":
        closed = _crps.closed_form(head, raw, params, argument, d)
        if closed is not None:
            return closed
    if name in ("crps", "entropy") or (name == "std" and isinstance(d, _MixtureOfAngles)):
        return _integral(head.distribution, params, name, argument)
    if name == "sample":
        return _sample(head.distribution, params, *argument)
    if name in ("mean", "std"):  # of angles
        return np.asarray(getattr(d, name)())
    return np.asarray(getattr(d, name)(argument))


def _integral(family: _core.Distribution, params: Params, name: str, y: Any) -> Array:
    """Of distributions in rows of one target column each, of which integrals choose."""
    shape = next(iter(params.values())).shape[:2]
    d = _distribution(family, {p: v.reshape(-1, 1, *v.shape[2:]) for p, v in params.items()})
    if name == "std":
        values = d.std()
    elif name == "entropy":
        values = _integrals.entropy(d)
    elif isinstance(d, _MixtureOfAngles):
        targets = d.near(y.reshape(-1, 1))
        cuts = [slice(begin, begin + _CHUNK) for begin in range(0, len(targets), _CHUNK)]
        values = np.concatenate([d.part(rows).crps(targets[rows]) for rows in cuts])
    else:
        values = _integrals.crps(d, y.reshape(-1, 1))
    return np.asarray(values).reshape(shape)


def _sample(family: Any, params: Params, p: Array, choice: Array) -> Array:
    """The quantile at p of the component of a mixture that another probability chooses."""
    mixture = _distribution(family, params)
    reached = np.cumsum(params["weights"], axis=-1)[..., :-1] < choice[..., np.newaxis]
    chosen = reached.sum(axis=-1)[..., np.newaxis]

    def of_chosen(values: Array) -> Array:
        every = np.broadcast_to(values, (len(p), *values.shape))
        return np.asarray(np.take_along_axis(every, chosen, axis=-1)[..., 0])

    inner = {name: of_chosen(values) for name, values in params.items() if name != "weights"}
    draws = _distribution(family.component, inner).quantile(p)
    return mixture.near(draws) if isinstance(mixture, _MixtureOfAngles) else draws


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
        mixture = _MixtureOfAngles if isinstance(component, VonMises) else _Mixture
        return mixture(params["weights"], component)
    if isinstance(family, _core.ZeroInflated):
        inner = {name: values for name, values in params.items() if name != "gate"}
        return _ZeroInflated(params["gate"], _distribution(family.base, inner))
    if isinstance(family, _core.VonMises):
        return VonMises(params["loc"], params["concentration"])
    if isinstance(family, _core.NegativeBinomial):
        return _NegativeBinomial(params["total_count"], params["probs"])
    return _Frozen(frozen(family, params))


def _quantiles(d: Any, tails: Sequence[float]) -> Array:
    """Those at both tails, along a new last axis."""
    return np.stack([ask(tail) for ask in (d.quantile, d.isf) for tail in tails], axis=-1)


class _Frozen:
    """A distribution of scipy.stats, whose quantiles begin in the support."""

    def __init__(self, distribution: Any) -> None:
        self.discrete = hasattr(distribution, "pmf")
        self.positive = bool(np.all(distribution.support()[0] >= 0))
        self.cdf = distribution.cdf
        self.sf = distribution.sf
        self.log_prob = distribution.logpmf if self.discrete else distribution.logpdf
        self._distribution = distribution

    def quantile(self, p: Any) -> Array:
        return np.asarray(np.maximum(self._distribution.ppf(p), self._distribution.support()[0]))

    def isf(self, p: Any) -> Array:
        return np.asarray(np.maximum(self._distribution.isf(p), self._distribution.support()[0]))

    def edges(self, tails: Sequence[float]) -> Array:
        return _quantiles(self, tails)

    def part(self, rows: Any) -> _Frozen:
        d = self._distribution
        shape = np.broadcast_shapes(*(np.shape(a) for a in (*d.args, *d.kwds.values())))
        cut = [np.broadcast_to(a, shape)[rows] for a in d.args]
        named = {name: np.broadcast_to(a, shape)[rows] for name, a in d.kwds.items()}
        return _Frozen(d.dist(*cut, **named))


class _NegativeBinomial(_Frozen):
    """SciPy takes 1 - probs, which has no digits of probs where total_count is large."""

    def __init__(self, total_count: Array, probs: Array) -> None:
        params = {"total_count": total_count, "probs": probs}
        super().__init__(frozen(_core.NegativeBinomial(), params))
        self._total_count, self._probs = total_count, probs
        self.cdf = lambda y: self._side("betaincc", "cdf", y)
        self.sf = lambda y: self._side("betainc", "sf", y)
        self.log_prob = self._log_prob

    def _log_prob(self, y: Any) -> Array:
        from scipy import special

        n, probs = self._total_count, self._probs
        ways = -np.log(y + n) - special.betaln(y + 1, n)
        return np.asarray(ways + special.xlogy(y, probs) + special.xlog1py(n, -probs))

    def _side(self, function: str, method: str, y: Any) -> Array:
        from scipy import special

        failures = np.floor(np.clip(y, 0.0, 1e300)) + 1
        of_probs = getattr(special, function)(failures, self._total_count, self._probs)
        by_scipy = (self._probs > 0.5) | (np.asarray(y) < 0)
        return np.asarray(np.where(by_scipy, getattr(self._distribution, method)(y), of_probs))

    def part(self, rows: Any) -> _NegativeBinomial:
        return _NegativeBinomial(self._total_count[rows], self._probs[rows])


class _ZeroInflated:
    discrete = positive = True

    def __init__(self, gate: Array, base: _Frozen) -> None:
        self._gate, self.base = gate, base

    def cdf(self, y: Any) -> Array:
        return np.where(y < 0, 0.0, self._gate + (1 - self._gate) * self.base.cdf(y))

    def sf(self, y: Any) -> Array:
        return np.where(y < 0, 1.0, (1 - self._gate) * self.base.sf(y))

    def log_prob(self, y: Any) -> Array:
        with np.errstate(divide="ignore"):
            inner = np.log1p(-self._gate) + self.base.log_prob(y)
            at_zero = np.logaddexp(np.log(self._gate), inner)
            return np.asarray(np.where(y == 0, at_zero, inner))

    def quantile(self, p: Any) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = (p - self._gate) / (1 - self._gate)
        return np.where(inner > 0, self.base.quantile(np.clip(inner, 0, 1)), 0.0)

    def isf(self, p: Any) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            inner = p / (1 - self._gate)
        return np.where(inner < 1, self.base.isf(np.clip(inner, 0, 1)), 0.0)

    def edges(self, tails: Sequence[float]) -> Array:
        return _quantiles(self, tails)

    def part(self, rows: Any) -> _ZeroInflated:
        return _ZeroInflated(self._gate[rows], self.base.part(rows))


class _Mixture:
    """Components stand along the last axis of weights and of the component's parameters."""

    def __init__(self, weights: Array, component: Any) -> None:
        self._weights, self._component = weights, component
        self.discrete, self.positive = component.discrete, component.positive

    def cdf(self, y: Any) -> Array:
        return self._mean(self._component.cdf(y[..., np.newaxis]))

    def sf(self, y: Any) -> Array:
        return self._mean(self._component.sf(y[..., np.newaxis]))

    def _mean(self, values: Array) -> Array:
        counted = np.where(self._weights > 0, values, 0.0)  # which may be infinite
        return np.asarray(np.sum(self._weights * counted, axis=-1))

    def edges(self, tails: Sequence[float]) -> Array:
        """Those of all components that have a weight."""
        edges = self._component.edges(tails)
        heaviest = np.argmax(self._weights, axis=-1)[..., np.newaxis, np.newaxis]
        counted = self._weights[..., np.newaxis] > 0
        edges = np.where(counted, edges, np.take_along_axis(edges, heaviest, axis=-2))
        return np.asarray(edges.reshape(*edges.shape[:-2], -1))

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

    def part(self, rows: Any) -> _Mixture:
        return _Mixture(self._weights[rows], self._component.part(rows))


_RUNNING = np.polynomial.legendre.legval(
    NODES,
    np.polynomial.legendre.legint(
        np.polynomial.legendre.legvander(NODES, 31).T * WEIGHTS * (np.arange(32)[:, None] + 0.5),
        lbnd=-1,
    ),
)
"""Times values at the nodes: the integrals of their polynomial from -1 to each node."""
_CHUNK = 4096  # rows of angles at a time, for the memory


class _MixtureOfAngles(_Mixture):
    """As of one von Mises distribution, probabilities count from half a turn before the mean."""

    def __init__(self, weights: Array, component: VonMises) -> None:
        super().__init__(weights, component)
        self._center = np.angle(np.sum(weights * component.direction(), axis=-1))

    def _between(self, first: Any, last: Any) -> Array:
        (low, less), (high, more) = (
            self._component.up_to(np.asarray(angle)[..., np.newaxis]) for angle in (first, last)
        )
        return self._mean((high - low) + (more - less))

    def near(self, y: Any) -> Array:
        """The same angle, within pi of the mean."""
        return np.asarray(self._center + turned(y, self._center))

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

    def crps(self, y: Array) -> Array:
        """Of (rows, 1), by its definition: the cdf is the running integral of the density."""
        edges = np.sort(np.concatenate([self.edges(())[:, 0], y], axis=1), axis=1)
        below, score = np.zeros(len(y)), np.zeros(len(y))
        for lower, upper in itertools.pairwise(edges.T):
            half = (upper - lower) / 2
            at = lower[:, np.newaxis] + half[:, np.newaxis] * (1 + NODES)
            density = half[:, np.newaxis] * np.exp(self.log_prob(at))
            off = below[:, np.newaxis] + density @ _RUNNING - (at >= y)
            score += half * (off**2 @ WEIGHTS)
            below += density @ WEIGHTS
        return score[:, np.newaxis]

    def mean(self) -> Array:
        return np.where(self._center < np.pi, self._center, -np.pi)

    def std(self) -> Array:
        def integrand(part: _MixtureOfAngles, y: Array) -> Array:
            return np.asarray((y - part._center) ** 2 * np.exp(part.log_prob(y)))

        return np.asarray(np.sqrt(_integrals.over_support(self, integrand, None)))

    def edges(self, tails: Sequence[float]) -> Array:
        """Those of the components within the turn, and its ends."""
        inside = turned(super().edges(tails), self._center[..., np.newaxis])
        ends = np.broadcast_to([-np.pi, np.pi], (*inside.shape[:-1], 2))
        distances = np.concatenate([inside, ends], axis=-1)
        return np.asarray(self._center[..., np.newaxis] + distances)

    def part(self, rows: Any) -> _MixtureOfAngles:
        return _MixtureOfAngles(self._weights[rows], self._component.part(rows))
