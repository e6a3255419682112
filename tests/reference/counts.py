"""Poisson, NegativeBinomial, Binomial and ZeroInflated: probabilities of 0, 1, 2, ...

Probabilities are written by the remainder of Stirling's formula and by deviances (Loader 2000,
"Fast and accurate computation of binomial probabilities"), so that no large logarithms cancel.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .activations import sigmoid, softplus
from .arrays import Array
from .distributions import Distribution, keep_nan, nan_unless_probability, outside_support
from .functions import (
    HALF_LOG_2PI,
    digamma_rest,
    exponential_rest,
    held,
    log_of_quotient,
    log_ratio,
    stirling_rest,
    trigamma_rest,
    where_free,
)


def half_mean_difference(log_modulus: Callable[[Array], Array], square: Array) -> Array:
    """E |Y - Y'| / 2 of draws whose characteristic function at 2 t has a squared modulus that is
    exp(log_modulus(sin^2 t)), about 1 - square t^2 near 0.

    It is the integral of (1 - the squared modulus) / sin^2 t over [0, pi/2], divided by 2 pi (of
    Fejer's kernel), here by the trapezoidal rule in log tan t, which converges exponentially.
    """
    lowest = -39.0 - 0.5 * np.log(np.maximum(square, 1e-300))
    step = (39.0 - lowest) / 2000.0
    u = np.exp(lowest[..., np.newaxis] + step[..., np.newaxis] * np.arange(2001))
    with np.errstate(divide="ignore"):
        values = -np.expm1(log_modulus(u * u / (1.0 + u * u))) / u
    return step * values.sum(axis=-1) / (2.0 * np.pi)


class Counts(Distribution):
    """What the four share. Between two integers a cdf is that of the lower one."""

    target_scaling = "none"
    largest = np.inf

    def support(self, y: ArrayLike) -> NDArray[np.bool_]:
        y = np.asarray(y, dtype=np.float64)
        return (y >= 0) & (y <= self.largest) & np.isfinite(y) & (y == np.floor(y))

    def _log_prob(self, raw: Array, y: Array) -> Array:
        """For y in the support."""
        raise NotImplementedError

    def log_prob(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        inside = self.support(y)
        return outside_support(self._log_prob(raw, np.where(inside, y, 0.0)), inside, y)

    def _tails(self, raw: Array, k: Array) -> tuple[Array, Array]:
        """The probabilities of at most k and of more than k, a finite integer in the support."""
        raise NotImplementedError

    def _cdf(self, raw: Array, y: ArrayLike, upper: bool) -> Array:
        y = np.asarray(y, dtype=np.float64)
        inside = (y >= 0) & (y < self.largest)
        tail = self._tails(raw, np.floor(np.where(inside, y, 0.0)))[int(upper)]
        return keep_nan(np.where(inside, tail, (y < 0) == upper), y)

    def cdf(self, raw: Array, y: ArrayLike) -> Array:
        return self._cdf(raw, y, False)

    def sf(self, raw: Array, y: ArrayLike) -> Array:
        return self._cdf(raw, y, True)

    def quantile(self, raw: Array, p: ArrayLike) -> Array:
        """By bisection of the integers, after a doubling search for an upper bound."""
        p = np.asarray(p, dtype=np.float64)
        lower = np.full(np.broadcast_shapes(raw.shape[1:], p.shape), -1.0)
        upper = np.zeros_like(lower)
        for _ in range(1000):
            short = self.cdf(raw, upper) < p
            if not short.any():
                break
            lower = np.where(short, upper, lower)
            upper = np.where(short, np.minimum(2.0 * upper + 1.0, self.largest), upper)
        while True:
            middle = np.floor((lower + upper) / 2.0)
            open_ = (middle > lower) & (middle < upper)
            if not open_.any():
                break
            short = open_ & (self.cdf(raw, middle) < p)
            lower = np.where(short, middle, lower)
            upper = np.where(open_ & ~short, middle, upper)
        return nan_unless_probability(np.where(p == 1, self.largest, upper), p)

    def _below_mean(self, raw: Array, k: Array) -> Array:
        """The sum over x = 0 .. k of (mean - x) times the probability of x."""
        raise NotImplementedError

    def half_mean_difference(self, raw: Array) -> Array:
        """E |Y - Y'| / 2 of two independent draws."""
        raise NotImplementedError

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """E |Y - y| - E |Y - Y'| / 2, whose difference may round to less than 0."""
        y = np.asarray(y, dtype=np.float64)
        x = np.clip(y, 0.0, self.largest)
        k = np.floor(x)
        sign = self.cdf(raw, k) - self.sf(raw, k)
        inside = (x - self.mean(raw)) * sign + 2.0 * self._below_mean(raw, k)
        inside = np.maximum(inside - self.half_mean_difference(raw), 0.0)
        return inside + np.abs(y - x)

    def _spread(self, raw: Array) -> tuple[Array, Array]:
        """The standard deviation, and the distance over which the upper tail falls by e."""
        raise NotImplementedError

    def entropy(self, raw: Array) -> Array:
        """The sum over counts; of a wide distribution, over the first 1000 counts and by Gauss and
        Legendre's rule beyond them, with the first two corrections of the midpoint rule.
        """
        shape = raw.shape[1:]
        columns = raw.reshape(len(raw), -1)
        values = [self._entropy(columns[:, [i]]) for i in range(columns.shape[1])]
        return np.array(values, dtype=np.float64).reshape(shape)

    def _entropy(self, raw: Array) -> float:
        deviation, tail = (v.item() for v in self._spread(raw))
        mean = self.mean(raw).item()
        end = min(self.largest, mean + 40.0 * deviation + 60.0 * tail + 200.0)
        start = max(0.0, np.floor(mean - 40.0 * deviation - 200.0))

        def terms(y: Array) -> Array:
            log_prob = self._log_prob(raw, y)
            return -np.exp(log_prob) * log_prob

        if end - start < 1e5:
            return float(terms(np.arange(start, np.floor(end) + 1.0)).sum())
        total = 0.0
        if start < 1000.0:
            total = float(terms(np.arange(0.0, 1000.0)).sum())
            start = 1000.0
        start = start - 0.5
        geometric = start + np.geomspace(0.25, end - start, 150)
        linear = mean + deviation * np.linspace(-40.0, 40.0, 161)
        edges = np.unique(np.concatenate([[start], geometric, linear]))
        edges = edges[(edges >= start) & (edges <= end)]
        nodes, weights = np.polynomial.legendre.leggauss(20)
        half = np.diff(edges)[:, np.newaxis] / 2.0
        points = edges[:-1, np.newaxis] + half * (1.0 + nodes)
        total += float((half * terms(points) * weights).sum())
        # sum over y >= start + 1/2 = integral + f'(start) / 24 - 7 f'''(start) / 5760 + ...
        h = 8.0
        f = terms(start + h * np.array([-2.0, -1.0, 1.0, 2.0]))
        slope = (f[0] - 8.0 * f[1] + 8.0 * f[2] - f[3]) / (12.0 * h)
        third = (f[3] - 2.0 * f[2] + 2.0 * f[1] - f[0]) / (2.0 * h**3)
        return total + float(slope / 24.0 - 7.0 * third / 5760.0)


class Poisson(Counts):
    names = ("log_mean",)

    @staticmethod
    def _mean(raw: Array) -> Array:
        return np.exp(held(raw[0]))

    def _log_prob(self, raw: Array, y: Array) -> Array:
        x = np.where(y > 0, y, 1.0)
        deviance = x * exponential_rest(-log_ratio(x, held(raw[0])))
        above = -deviance - stirling_rest(x) - 0.5 * np.log(x) - HALF_LOG_2PI
        return np.where(y > 0, above, -self._mean(raw))

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        difference = np.asarray(y, dtype=np.float64) - self._mean(raw)
        return where_free(raw, difference[np.newaxis])

    def fisher(self, raw: Array) -> Array:
        return self._mean(raw)[np.newaxis]

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        return {"rate": self._mean(raw)}

    def mean(self, raw: Array) -> Array:
        return self._mean(raw)

    def variance(self, raw: Array) -> Array:
        return self._mean(raw)

    def mode(self, raw: Array) -> Array:
        return np.floor(self._mean(raw))

    def _spread(self, raw: Array) -> tuple[Array, Array]:
        return self.std(raw), np.ones_like(raw[0])

    def _tails(self, raw: Array, k: Array) -> tuple[Array, Array]:
        mean = self._mean(raw)
        return special.gammaincc(k + 1.0, mean), special.gammainc(k + 1.0, mean)

    def _below_mean(self, raw: Array, k: Array) -> Array:
        return self._mean(raw) * np.exp(self._log_prob(raw, k))

    def half_mean_difference(self, raw: Array) -> Array:
        mean = self._mean(raw)
        return mean * (special.i0e(2.0 * mean) + special.i1e(2.0 * mean))


class NegativeBinomial(Counts):
    names = ("log_mean", "log_total_count")

    @staticmethod
    def _mean_and_count(raw: Array) -> tuple[Array, Array]:
        return np.exp(held(raw[0])), np.exp(held(raw[1]))

    @staticmethod
    def _log_growth(m: Array, r: Array, y: Array) -> Array:
        """log((y + r) / (m + r))."""
        return log_of_quotient(y + r, m + r, y - m)

    def _log_prob(self, raw: Array, y: Array) -> Array:
        m, r = self._mean_and_count(raw)
        x = np.where(y > 0, y, 1.0)
        n = x + r
        # Of n trials r succeed and x fail; expected are n r / (m + r) and n m / (m + r).
        share = r / (m + r) * (m - x)
        failures = log_of_quotient(n * (m / (m + r)), x, share)
        deviance = r * exponential_rest(self._log_growth(m, r, x)) + x * exponential_rest(failures)
        rests = stirling_rest(n) - stirling_rest(r) - stirling_rest(x)
        above = rests - deviance - HALF_LOG_2PI + 0.5 * (np.log(r) - np.log(n) - np.log(x))
        return np.where(y > 0, above, -r * np.log1p(m / r))

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        m, r = self._mean_and_count(raw)
        rests = r * (digamma_rest(r) - digamma_rest(y + r))
        d_count = rests - r * exponential_rest(self._log_growth(m, r, y))
        return where_free(raw, np.stack([r / (r + m) * (y - m), d_count]))

    def fisher(self, raw: Array) -> Array:
        """The second entry, an infinite sum, is replaced by an approximation: its limits for q = 0
        and for q = 1, and between them the rise that is right for a small and for a large count.
        """
        m, r = self._mean_and_count(raw)
        q = m / (m + r)
        few, many = 0.5 * r / (r + 1.0), 0.5 + r * r * trigamma_rest(r)
        odds = exponential_rest(-np.log1p(m / r)) / (q * q) - 0.5
        rise = -np.expm1(-3.0 * r / (r + 3.0) * odds)
        return np.stack([m * (r / (m + r)), q * q * (few + (many - few) * rise)])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        m, r = self._mean_and_count(raw)
        return {"total_count": r + 0.0 * m, "probs": m / (r + m)}

    def mean(self, raw: Array) -> Array:
        m, r = self._mean_and_count(raw)
        return m + 0.0 * r

    def variance(self, raw: Array) -> Array:
        m, r = self._mean_and_count(raw)
        return m + m * (m / r)

    def mode(self, raw: Array) -> Array:
        m, r = self._mean_and_count(raw)
        return np.floor(np.maximum(m * (r - 1.0) / r, 0.0))

    def _spread(self, raw: Array) -> tuple[Array, Array]:
        m, r = self._mean_and_count(raw)
        return self.std(raw), 1.0 + m / r

    def _tails(self, raw: Array, k: Array) -> tuple[Array, Array]:
        m, r = self._mean_and_count(raw)
        p, q, k = np.broadcast_arrays(r / (r + m), m / (r + m), k + 1.0)
        few = q < 0.5
        cdf = np.where(few, special.betaincc(k, r, q), special.betainc(r, k, p))
        return cdf, np.where(few, special.betainc(k, r, q), special.betaincc(r, k, p))

    def _below_mean(self, raw: Array, k: Array) -> Array:
        m, r = self._mean_and_count(raw)
        return (k + r) * (m / r) * np.exp(self._log_prob(raw, k))

    def half_mean_difference(self, raw: Array) -> Array:
        m, r = np.broadcast_arrays(*self._mean_and_count(raw))
        c = 4.0 * (m / r) * ((r + m) / r)
        inner, count = c[..., np.newaxis], r[..., np.newaxis]
        return half_mean_difference(lambda s: -count * np.log1p(inner * s), c * np.maximum(1.0, r))


class Binomial(Counts):
    names = ("logit",)

    def __init__(self, n: int) -> None:
        if n < 1:
            raise ValueError("a binomial distribution has at least one trial")
        self.n = n
        self.largest = float(n)

    def _log_prob(self, raw: Array, y: Array) -> Array:
        n, logit = float(self.n), raw[0]
        inside = (y > 0) & (y < n)
        x = np.where(inside, y, 0.5 * n)  # has no need to be an integer
        p, q = sigmoid(logit), sigmoid(-logit)
        expected = np.where(logit > 0, (n - x) - n * q, n * p - x)
        successes = self._log_expected(-softplus(-logit), n * p, x, expected)
        failures = self._log_expected(-softplus(logit), n * q, n - x, -expected)
        deviance = x * exponential_rest(successes) + (n - x) * exponential_rest(failures)
        size = np.full_like(x, n)
        rests = stirling_rest(size) - stirling_rest(x) - stirling_rest(n - x)
        between = rests - deviance - HALF_LOG_2PI + 0.5 * np.log(n / (x * (n - x)))
        return np.where(inside, between, -n * softplus(np.where(y > 0, -logit, logit)))

    def _log_expected(self, log_p: Array, expected: Array, x: Array, difference: Array) -> Array:
        """log(n p / x), `difference` being n p - x."""
        near = np.abs(difference) < 0.5 * x
        close = np.log1p(np.where(near, difference, 0.0) / x)
        return np.where(near, close, log_p + np.log(self.n / x))

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        (logit,) = raw
        above = y - self.n * sigmoid(logit)
        return np.where(logit > 0, self.n * sigmoid(-logit) - (self.n - y), above)[np.newaxis]

    def fisher(self, raw: Array) -> Array:
        return self.n * sigmoid(raw) * sigmoid(-raw)

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        return {"probs": sigmoid(raw[0])}

    def mean(self, raw: Array) -> Array:
        return self.n * sigmoid(raw[0])

    def variance(self, raw: Array) -> Array:
        return self.n * sigmoid(raw[0]) * sigmoid(-raw[0])

    def mode(self, raw: Array) -> Array:
        return np.minimum(np.floor((self.n + 1.0) * sigmoid(raw[0])), self.largest)

    def _spread(self, raw: Array) -> tuple[Array, Array]:
        return self.std(raw), np.ones_like(raw[0])

    def _tails(self, raw: Array, k: Array) -> tuple[Array, Array]:
        p, q, k = np.broadcast_arrays(sigmoid(raw[0]), sigmoid(-raw[0]), k + 1.0)
        rest = self.n + 1.0 - k
        few = p < 0.5
        cdf = np.where(few, special.betaincc(k, rest, p), special.betainc(rest, k, q))
        return cdf, np.where(few, special.betainc(k, rest, p), special.betaincc(rest, k, q))

    def _below_mean(self, raw: Array, k: Array) -> Array:
        return (self.n - k) * sigmoid(raw[0]) * np.exp(self._log_prob(raw, k))

    def half_mean_difference(self, raw: Array) -> Array:
        c = 4.0 * sigmoid(raw[0]) * sigmoid(-raw[0])
        inner = c[..., np.newaxis]
        return half_mean_difference(lambda s: self.n * np.log1p(-inner * s), self.n * c)


class ZeroInflated(Counts):
    """0 with probability g, else a draw of the base."""

    def __init__(self, base: Poisson | NegativeBinomial) -> None:
        self.base = base
        self.names = ("gate_logit", *base.names)

    def _log_prob(self, raw: Array, y: Array) -> Array:
        log_gate, log_rest = -softplus(-raw[0]), -softplus(raw[0])
        drawn = log_rest + self.base._log_prob(raw[1:], y)
        return np.where(y == 0, np.logaddexp(log_gate, drawn), drawn)

    def gradient(self, raw: Array, y: ArrayLike) -> Array:
        y = np.asarray(y, dtype=np.float64)
        gate, *_ = raw
        log_zero = self.base._log_prob(raw[1:], np.zeros_like(y))
        inflated = np.where(y == 0, sigmoid(gate - log_zero), 0.0)
        drawn = np.where(y == 0, sigmoid(log_zero - gate), 1.0)
        # At 0 the probability that it is inflated less g: g times what it falls short of 1.
        d_gate = np.where(y == 0, inflated * sigmoid(-gate) * -np.expm1(log_zero), -sigmoid(gate))
        return np.stack([d_gate, *(drawn * self.base.gradient(raw[1:], y))])

    def parameters(
        self, raw: Array, location: ArrayLike = 0.0, scale: ArrayLike = 1.0
    ) -> dict[str, Array]:
        base = self.base.parameters(raw[1:], location, scale)
        return {"gate": sigmoid(raw[0]), **base}

    def mean(self, raw: Array) -> Array:
        return sigmoid(-raw[0]) * self.base.mean(raw[1:])

    def variance(self, raw: Array) -> Array:
        mean, variance = self.base.mean(raw[1:]), self.base.variance(raw[1:])
        return sigmoid(-raw[0]) * (variance + sigmoid(raw[0]) * mean**2)

    def mode(self, raw: Array) -> Array:
        mode = self.base.mode(raw[1:])
        better = self._log_prob(raw, mode) > self._log_prob(raw, np.zeros_like(mode))
        return np.where(better, mode, 0.0)

    def entropy(self, raw: Array) -> Array:
        log_zero = self._log_prob(raw, np.zeros_like(raw[0]))
        log_base_zero = self.base._log_prob(raw[1:], np.zeros_like(raw[0]))
        others = self.base.entropy(raw[1:]) + np.exp(log_base_zero) * log_base_zero
        others = others + softplus(raw[0]) * self.base.sf(raw[1:], 0.0)
        return sigmoid(-raw[0]) * others - np.exp(log_zero) * log_zero

    def _tails(self, raw: Array, k: Array) -> tuple[Array, Array]:
        cdf, sf = self.base._tails(raw[1:], k)
        return sigmoid(raw[0]) + sigmoid(-raw[0]) * cdf, sigmoid(-raw[0]) * sf

    def crps(self, raw: Array, y: ArrayLike) -> Array:
        """By the expected distances of the two parts from y, from each other and of two draws."""
        y = np.asarray(y, dtype=np.float64)
        gate, rest, base = sigmoid(raw[0]), sigmoid(-raw[0]), raw[1:]
        between = self.base.half_mean_difference(base) - self.base.mean(base)
        value = gate * np.abs(y) + rest * (self.base.crps(base, y) + gate * between)
        return np.maximum(value, 0.0)
