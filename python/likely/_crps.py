"""Continuous ranked probability scores in closed form, of families for which the core has none.

Why: an integral takes hundreds of probabilities for each row, a closed form two.

Contract: that of `_special`, which asks. SciPy knows probabilities and ratios of gamma functions;
densities come from the core, for SciPy's lose their digits where a concentration is large.

A score is E|Y - y| - E|Y - Y'| / 2 with independent draws Y and Y' (Gneiting and Raftery 2007,
'Strictly proper scoring rules, prediction, and estimation', equation 21). The first term is
(y - mean) (cdf - sf) + 2 E[mean - Y; Y <= y], whose last part is a multiple of the density
in all of the families here but Weibull and VonMises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from likely import _core

Array = NDArray[np.float64]
Params = dict[str, Any]


def closed_form(head: _core.Head, raw: Array, params: Params, y: Array, d: Any) -> Array | None:
    """The score at y of a family, or None where it has no closed form.

    The head is that of double precision, d has the family's cdf and sf.
    """
    name = type(head.distribution).__name__
    if name == "ZeroInflated":
        score = _zero_inflated(head, raw, params, y, d)
    elif name == "VonMises":
        score = d.crps(y)
    elif name == "StudentT":
        score = _student_t(params, y, d)
    elif name == "Weibull":
        score = _weibull(params, y)
    elif name in _PEARSON:
        mean = head.evaluate("mean", raw)
        below, half_difference = _PEARSON[name](head.distribution, params, mean, y)
        density = np.exp(head.evaluate("log_prob", raw, argument=y))
        score = (y - mean) * (d.cdf(y) - d.sf(y)) + 2 * below * density - half_difference
    else:
        return None
    return np.asarray(np.maximum(score, 0.0))  # a difference may round to less


def _half_step(x: Any) -> Array:
    """Gamma(x + 1/2) / Gamma(x)."""
    from scipy import special

    return np.asarray(special.poch(x, 0.5))


def _gamma(_: Any, p: Params, mean: Array, y: Array) -> tuple[Array, Array]:
    """Scheuerer and Moeller (2015), 'Probabilistic wind speed forecasting on a grid'."""
    half_difference = _half_step(p["concentration"]) / (np.sqrt(np.pi) * p["rate"])
    return y / p["rate"], half_difference


def _beta(_: Any, p: Params, mean: Array, y: Array) -> tuple[Array, Array]:
    """Taillardat et al. (2016), 'Calibrated ensemble forecasts', by the duplication formula."""
    a, b = p["concentration1"], p["concentration0"]
    half_difference = _half_step(a) / (a + b) * _half_step(b) / _half_step(a + b)
    return y * (1 - y) / (a + b), half_difference / np.sqrt(np.pi)


def _poisson(_: Any, p: Params, mean: Array, y: Array) -> tuple[Array, Array]:
    """Wei and Held (2014), 'Calibration tests for count data'."""
    from scipy import special

    return mean, mean * (special.i0e(2 * mean) + special.i1e(2 * mean))


def _negative_binomial(_: Any, p: Params, mean: Array, y: Array) -> tuple[Array, Array]:
    count, odds = p["total_count"], mean / p["total_count"]
    spread = 4 * odds * (1 + odds)
    return (y + count) * odds, _half_mean_difference(-count, spread)


def _binomial(family: Any, p: Params, mean: Array, y: Array) -> tuple[Array, Array]:
    probs = p["probs"]
    return (family.n - y) * probs, _half_mean_difference(family.n, -4 * probs * (1 - probs))


_PEARSON = {
    "Gamma": _gamma,
    "Beta": _beta,
    "Poisson": _poisson,
    "NegativeBinomial": _negative_binomial,
    "Binomial": _binomial,
}
"""What E[mean - Y; Y <= y] is of the density at y, and E|Y - Y'| / 2."""

_STEP = 0.2
_REACH = 28.0  # exp(-28) of an integral is left out at either end


def _half_mean_difference(power: Any, spread: Array) -> Array:
    """E|Y - Y'| / 2 where |E exp(2 i t Y)|^2 = (1 + spread sin(t)^2)^power.

    For whole numbers it is the integral of (1 - that) / sin(t)^2 from 0 to pi/2, divided by 2 pi,
    here by the trapezoidal rule in log(tan(t)), which converges exponentially.
    """
    size = np.abs(power * spread)
    start = -_REACH - 0.5 * np.log(np.maximum(size, 1.0))
    total = np.zeros_like(start)
    with np.errstate(divide="ignore"):  # log1p(-1) is an answer
        for k in range(int((_REACH - start.min()) / _STEP) + 1):
            tangent = np.exp(start + k * _STEP)
            square = 1 / (1 + tangent**-2)
            total -= np.expm1(power * np.log1p(spread * square)) / tangent
    return np.asarray(total * _STEP / (2 * np.pi))


def _zero_inflated(head: _core.Head, raw: Array, params: Params, y: Array, d: Any) -> Array:
    """By the distances of its two parts to y, to each other, and within the base."""
    family: Any = head.distribution
    base, inner = _core.Head(family.base, head.targets, "float64"), raw[:, head.targets :].copy()
    gate, rest = params["gate"], {name: p for name, p in params.items() if name != "gate"}
    of_base = closed_form(base, inner, rest, y, d.base)
    mean = base.evaluate("mean", inner)
    _, half_difference = _PEARSON[type(family.base).__name__](family.base, rest, mean, y)
    return np.asarray(gate * y + (1 - gate) * (of_base + gate * (half_difference - mean)))


def _student_t(p: Params, y: Array, d: Any) -> Array:
    """Jordan, Krueger and Lerch (2019), 'Evaluating probabilistic forecasts with scoringRules'.

    There two terms are divided by df - 1; here their ratio is known without cancellation.
    """
    from scipy import special

    df, r = p["df"], (y - p["loc"]) / p["scale"]
    above = np.maximum(df - 1, 1e-16)
    near = np.where(above < 1e-4, above, 0.0)  # there by Taylor's series
    series = np.log(2) - near * (np.pi**2 / 8 - 1.75 * special.zeta(3) * near)
    ratio = np.log(_half_step(df - 0.5) / _half_step(df / 2)) / above
    a, b = np.where(above < 1e-4, series, ratio), 0.5 * np.log1p(r * r / df)
    factor = 2 * np.sqrt(df / np.pi) * _half_step(df / 2) * np.exp(-above * a)
    score = r * (d.cdf(y) - d.sf(y)) + factor * np.expm1(above * (a - b)) / above
    return np.asarray(p["scale"] * score)


def _weibull(p: Params, y: Array) -> Array:
    """Jordan, Krueger and Lerch (2019): mean and E[Y; Y <= y] are gamma functions, in logarithms.

    The score is infinite where float64 cannot hold it.
    """
    from scipy import special

    x, ratio = 1 / p["concentration"], y / p["scale"]
    with np.errstate(divide="ignore", over="ignore"):
        t = ratio ** p["concentration"]
        log_mean = np.log(p["scale"]) + special.gammaln(1 + x)
        smaller_of_two = np.exp(log_mean - x * np.log(2))
        below = np.exp(log_mean + np.log(special.gammainc(1 + x, t)))
    score = y * (-np.expm1(-t) - np.exp(-t)) - 2 * below
    return np.asarray(score + smaller_of_two)
