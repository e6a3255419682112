"""Entropies and scores that are integrals over the target, or sums over counts.

Contract: distributions are those of `_special`, of (rows, 1) each. Results are (rows, 1) and right
to 1e-8 of the result or of the spread; nan in the rows where SciPy knows no quantile.

Integrals are cut at quantiles of the components, between which an integrand is smooth, and cut
further in halves until Gauss and Legendre's rule has seen the last of it: until the coefficients
that it has of the highest Legendre polynomials are small.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integrand = Callable[[Any, Array], Array]
"""Of a part of a distribution, at targets of the shape (rows, any number)."""

_TAILS = (1e-12, 1e-6, 0.01, 0.15, 0.5)  # the median, for Laplace has its peak there
_COUNT_TAILS = (0.5, 0.3, 0.15, 0.05, *(10.0**-k for k in range(2, 9)), 1e-10, 1e-12, 1e-15)
_TOLERANCE = 1e-8
_COUNT_TOLERANCE = 1e-7  # between counts an integrand is a straight line, which has kinks
_HALVINGS = 60
_LARGEST_RATIO = 10.0
"""Of the ends of a panel of a tail: of a wider one the nodes may see nothing."""
_WIDE = 4000
"""So many counts are summed one by one; sums over more are integrals."""
_CHUNK = 100_000
"""Points at a time, for the memory."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(14)
# Times values: about the coefficients of the two highest polynomials, of degree 12 and 13.
_HIGHEST = np.polynomial.legendre.legvander(_NODES, 13)[:, -2:] * _WEIGHTS[:, np.newaxis] * 13


def entropy(d: Any) -> Array:
    """The differential entropy, or that of a count."""

    def integrand(part: Any, y: Array) -> Array:
        log_prob = part.log_prob(y)
        inside = np.isfinite(log_prob)  # a point may be rounded to where a density is infinite
        return np.where(inside, -np.exp(log_prob) * np.where(inside, log_prob, 0.0), 0.0)

    return over_support(d, integrand, None)


def crps(d: Any, y: Array) -> Array:
    """The integral of its definition (Gneiting and Raftery 2007, equation 20)."""

    def integrand(part: Any, z: Array) -> Array:
        return np.asarray(np.square(part.cdf(z) - (z >= part.target)))

    return over_support(d, integrand, y)


def over_support(d: Any, integrand: Integrand, y: Array | None) -> Array:
    """The integral, or for counts the sum, over all of the support; y is a seam of the integrand.

    For the score the range reaches to y, wherever that is, which parts know as their target.
    """
    with warnings.catch_warnings():  # Boost finds not all roots; an edge may be anywhere
        warnings.filterwarnings("ignore", "Error in function boost", RuntimeWarning)
        edges = d.edges(_COUNT_TAILS[-1:] if d.discrete else _TAILS)[:, 0]
    edges = np.sort(edges if y is None else np.concatenate([edges, y], axis=1), axis=1)
    # SciPy knows no quantiles of a Poisson distribution of mean 1e12: nan, in that row alone.
    known = np.flatnonzero(np.isfinite(edges).all(axis=1))
    down_to_zero = y is None and d.positive  # where a density may rise without bound
    total = np.full(len(edges), np.nan)
    of_rows = _Rows(d, y, integrand)
    if d.discrete:
        total[known] = _sums(d, y, of_rows, known, edges[known, 0], edges[known, -1])
    else:
        edges = np.maximum(edges[known], 1e-300) if down_to_zero else edges[known]
        total[known] = _integrals(of_rows, known, edges, _TOLERANCE, down_to_zero)
    return total[:, np.newaxis]


class _Rows:
    """The integrand at points, each in a row of its own choice."""

    def __init__(self, d: Any, y: Array | None, integrand: Integrand) -> None:
        self._d, self._y, self._integrand = d, y, integrand

    def __call__(self, rows: NDArray[np.intp], at: Array) -> Array:
        values = np.empty_like(at)
        step = max(1, _CHUNK // at.shape[1])
        for begin in range(0, len(rows), step):
            chosen = slice(begin, begin + step)
            part = self._d.part(rows[chosen])
            if self._y is not None:
                part.target = self._y[rows[chosen]]
            values[chosen] = self._integrand(part, at[chosen])
        return values


def _integrals(
    of_rows: Integrand, numbers: Any, edges: Array, tolerance: float, down_to_zero: bool = False
) -> Array:
    """Over the panels between each row's edges, rows having these numbers."""
    count = len(edges)
    row, lower, upper = _panels(edges, down_to_zero)
    total, size = np.zeros(count), np.zeros(count)
    for halving in range(_HALVINGS + 1):
        half = (upper - lower) / 2
        values = half[:, None] * of_rows(
            numbers[row], lower[:, None] + half[:, None] * (1 + _NODES)
        )
        part = values @ _WEIGHTS
        rest = np.abs(values @ _HIGHEST).max(axis=1, initial=0.0)
        bound = tolerance * (size + np.bincount(row, np.abs(part), count))[row]
        middle = lower + half
        rough = (rest > bound) & (lower < middle) & (middle < upper) & (halving < _HALVINGS)
        total += np.bincount(row[~rough], part[~rough], count)
        size += np.bincount(row[~rough], np.abs(part[~rough]), count)
        if not rough.any():
            break
        row = np.repeat(row[rough], 2)
        ends = np.stack([lower[rough], middle[rough], upper[rough]], axis=1)
        lower, upper = ends[:, :2].ravel(), ends[:, 1:].ravel()
    return total


def _panels(edges: Array, down_to_zero: bool) -> tuple[NDArray[np.intp], Array, Array]:
    """Row, lower and upper ends of all panels, those of tails in geometric steps.

    Distances count from the middle edge or, on the way down to zero, from there.
    """
    row, panel = np.nonzero(np.diff(edges, axis=1) > 0)
    lower, upper = edges[row, panel], edges[row, panel + 1]
    while True:
        middle = edges[row, edges.shape[1] // 2]
        bound = np.where(down_to_zero & (upper <= middle), 0.0, middle)
        near, far = np.sort(np.abs([lower - bound, upper - bound]), axis=0)
        between = bound + np.where(upper > bound, 1, -1) * np.sqrt(near) * np.sqrt(far)
        long = (near > 0) & (far > _LARGEST_RATIO * near) & (lower < between) & (between < upper)
        if not long.any():
            return row, lower, upper
        row = np.concatenate([row, row[long]])
        lower, upper = (
            np.concatenate([lower, between[long]]),
            np.concatenate([np.where(long, between, upper), upper[long]]),
        )


def _sums(
    d: Any, y: Array | None, of_rows: Integrand, numbers: Any, first: Array, last: Array
) -> Array:
    """Over whole numbers, one by one; where there are too many, the rest by integrals."""
    total = np.zeros(len(numbers))
    counts = np.minimum(last - first + 1, _WIDE).astype(np.intp)
    ends = np.cumsum(counts)
    for group in np.split(np.arange(len(numbers)), _cuts(ends, _CHUNK)):
        row = np.repeat(group, counts[group])
        before = np.repeat(ends[group] - counts[group], counts[group])
        step = np.arange(len(row)) - before + (before[0] if len(row) else 0)
        at = (first[row] + step)[:, np.newaxis]
        if y is None:
            values = of_rows(numbers[row], at)[:, 0]
        else:  # probabilities are added up, which is cheaper than to ask for each cdf
            probability = _Rows(d, None, lambda part, k: np.exp(part.log_prob(k)))
            up_to = np.cumsum(probability(numbers[row], at)[:, 0])
            starts = np.flatnonzero(step == 0)
            least = d.part(numbers[group]).cdf(first[group, np.newaxis])[:, 0]
            cdf = up_to + np.repeat(least - up_to[starts], counts[group])
            values = np.square(cdf - (at >= y[numbers[row]])[:, 0])
        total += np.bincount(row, values, len(numbers))
    wide = np.flatnonzero(last - first >= _WIDE)
    if len(wide):
        start = (first + _WIDE)[wide, np.newaxis] - 0.5
        inner = d.part(numbers[wide]).edges(_COUNT_TAILS)[:, 0]
        end = last[wide, np.newaxis]
        jump = start if y is None else y[numbers[wide]] + [-1.0, 0.0]  # of the score's integrand
        edges = np.concatenate([start, inner, jump, end], axis=1)
        edges = np.sort(np.clip(edges, start, end), axis=1)

        def between(rows: Any, at: Array) -> Array:
            step = np.floor(at)
            ahead = at - step
            return of_rows(rows, step) * (1 - ahead) + of_rows(rows, step + 1) * ahead

        total[wide] += _integrals(between, numbers[wide], edges, _COUNT_TOLERANCE)
    return total


def _cuts(ends: NDArray[np.intp], size: int) -> list[int]:
    """Where rows are cut into groups of about this many points."""
    group = ends // size
    return [i + 1 for i, (a, b) in enumerate(itertools.pairwise(group)) if a != b]
