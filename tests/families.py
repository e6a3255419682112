"""The table of the families: what each is held against, and where.

Contract: an entry names the core's object (made when asked: the reference may be ahead of the
core), the reference's, SciPy's, and the log density in mpmath numbers, which is what counts where
SciPy rounds. `rows` and `extreme` are raw parameters, shared and fixed ones among them (the same in
each row); `extreme` are those at which SciPy is of no use, or which an integral does not resolve.
Raw parameters of many rows stand as (parameters, rows). `offsets` are put by `place` where they
matter for a row: in scales from the location, as numbers of a count, and so on, far tails among
them. An mpmath density is given raw parameters that are held already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import likely
import mpmath as mp
import numpy as np
import reference
from mpmath_densities import (
    mp_beta,
    mp_binomial,
    mp_categorical,
    mp_exponential,
    mp_gamma,
    mp_inflated,
    mp_laplace,
    mp_logistic,
    mp_lognormal,
    mp_negative_binomial,
    mp_normal,
    mp_poisson,
    mp_student_t,
    mp_von_mises,
    mp_weibull,
)
from numpy.typing import ArrayLike
from reference.arrays import Array
from scipy import special, stats

Row = tuple[float, ...]
E30 = np.exp(30.0)
LEAST, LARGEST = 1e-15, 1e15
"""What targets are within in absolute value, where they are not 0."""


@dataclass(frozen=True)
class Entry:
    core: Callable[[], Any]
    reference: reference.Distribution
    oracle: Callable[..., Any] | None
    density: Callable[..., mp.mpf]
    rows: Sequence[Row]
    extreme: Sequence[Row]
    offsets: Sequence[float]
    place: Callable[[Array, float], Array]

    def raw(self, with_extreme: bool = True) -> Array:
        """All rows, as (parameters, rows)."""
        return np.array([*self.rows, *(self.extreme if with_extreme else [])], dtype=float).T

    def targets(self, raw: Array, dtype: str = "float64") -> Array:
        """In the support and in this precision, as (offsets, rows)."""
        places = [np.broadcast_to(self.place(raw, o), raw.shape[1:]) for o in self.offsets]
        y = np.array(places).astype(dtype)
        if isinstance(self.reference, reference.Beta):  # 1 is outside of the support
            y = np.minimum(y, np.nextafter(np.ones(1, dtype), np.zeros(1, dtype)))
        return y.astype(np.float64)

    def held(self, raw: Array) -> Array:
        """The raw parameters that the density sees."""
        raw = np.array(raw, dtype=np.float64)
        for p, name in enumerate(self.reference.names):
            if name.startswith("log_") or name == "logit_mean":
                upper = np.log(999.0) if name == "log_excess_df" else 30.0
                raw[p] = np.clip(raw[p], -30.0, upper)
        return raw


def mp_log_density(entry: Entry, row: ArrayLike, y: float) -> mp.mpf:
    """To 60 digits, for held raw parameters of one row."""
    with mp.workdps(60):
        return entry.density(mp.mpf(y), *(mp.mpf(float(value)) for value in np.asarray(row)))


def mp_gradient(entry: Entry, row: ArrayLike, y: float) -> list[mp.mpf]:
    """Of the log density by each held raw parameter."""
    with mp.workdps(60):
        values = [mp.mpf(float(value)) for value in np.asarray(row)]
        return [
            mp.diff(lambda t, p=p: entry.density(mp.mpf(y), *values[:p], t, *values[p + 1 :]), v)
            for p, v in enumerate(values)
        ]


def rounding(
    entry: Entry,
    value: Callable[[Array, Array], Array],
    raw: Array,
    y: Array,
    dtype: str = "float64",
) -> Array:
    """How far value(raw, y) moves, at held raw parameters, when each of them (and the target, or
    its logarithm) moves by 4 epsilons of itself or of 1: what formulas in `dtype` cannot avoid.
    """
    y = np.asarray(y, dtype=np.float64)
    family = entry.reference
    by_difference = "loc" in family.names and not isinstance(family, reference.LogNormal)
    size = np.abs(y) if by_difference else np.abs(np.log(np.where(y > 0, y, 1.0)))
    middle = value(raw, y)
    total = np.zeros_like(middle)
    for p in range(len(raw)):
        step = np.zeros_like(raw)
        step[p] = 4 * np.finfo(dtype).eps * np.maximum(np.maximum(1.0, np.abs(raw[p])), size)
        moves = [np.abs(value(raw + sign * step, y) - middle) for sign in (1, -1)]
        total = total + np.maximum(*moves)
    return total


# Where targets stand.
def _scales(raw: Array, offset: float) -> Array:
    return np.clip(raw[0] + offset * np.exp(np.clip(raw[1], -30, 30)), -LARGEST, LARGEST)


def _log_scales(raw: Array, offset: float) -> Array:
    log_y = raw[0] + offset * np.exp(np.clip(raw[1], -30, 30))
    return np.exp(np.clip(log_y, np.log(LEAST), np.log(LARGEST)))


def _multiples(raw: Array, offset: float) -> Array:
    """Of an Exponential's scale, up to where it is straight in float32."""
    y = offset * np.exp(np.clip(raw[0], -30, 30))
    return np.where(y == 0, 0.0, np.clip(y, LEAST, LARGEST))


def _powers(raw: Array, offset: float) -> Array:
    """Where a Weibull's exponent is the offset."""
    log_y = np.clip(raw[0], -30, 30) + offset * np.exp(-np.clip(raw[1], -30, 30))
    return np.exp(np.clip(log_y, np.log(LEAST), np.log(LARGEST)))


def _gammas(raw: Array, offset: float) -> Array:
    """In standard deviations of the logarithm where they are small, and in e-folds beyond."""
    log_mean, log_concentration = np.clip(raw, -30, 30)
    deviations = offset * np.minimum(np.exp(-0.5 * log_concentration), 1.0)
    return np.exp(np.clip(log_mean + deviations, np.log(LEAST), np.log(LARGEST)))


def _shares(raw: Array, offset: float) -> Array:
    """A logit far out, else in standard deviations from the mean."""
    mean = special.expit(np.clip(raw[0], -30, 30))
    rest = special.expit(-np.clip(raw[0], -30, 30))
    if abs(offset) > 20:
        return np.full_like(mean, special.expit(np.sign(offset) * (abs(offset) - 20)))
    deviation = np.sqrt(mean * rest / (1 + np.exp(np.clip(raw[1], -30, 30))))
    return np.clip(mean + offset * deviation, LEAST, 1 - 2.0**-53)


def _angles(raw: Array, offset: float) -> Array:
    """In radians from loc where the offset is above 4, else in units of 1 / sqrt(k)."""
    width = np.exp(-0.5 * np.clip(raw[1], 0, 30))
    return raw[0] + (np.sign(offset) * (abs(offset) - 4) if abs(offset) > 4 else offset * width)


def _number(raw: Array, offset: float) -> Array:
    return np.full(raw.shape[1:], offset)


def _counts(raw: Array, offset: float) -> Array:
    """A number itself where it is whole, else this many square roots of the mean from the mean."""
    if offset == np.floor(offset):
        return _number(raw, offset)
    mean = np.exp(np.clip(raw[0], -30, 30))
    return np.floor(np.maximum(mean + offset * np.sqrt(mean), 0.0))


def _inflated_counts(raw: Array, offset: float) -> Array:
    return _counts(raw[1:], offset)


# SciPy's, of raw parameters within +-30.
def normal_oracle(loc: float, log_scale: float) -> Any:
    return stats.norm(loc, np.exp(np.clip(log_scale, -30, 30)))


def bernoulli_oracle(logit: float) -> Any:
    return stats.bernoulli(special.expit(logit))


def categorical_oracle(*logits: float) -> Any:
    return stats.rv_discrete(values=(np.arange(len(logits)), special.softmax(logits)))


def beta_oracle(logit: float, log_precision: float) -> Any:
    precision = np.exp(log_precision)
    return stats.beta(special.expit(logit) * precision, special.expit(-logit) * precision)


def negative_binomial_oracle(log_mean: float, log_total_count: float) -> Any:
    return stats.nbinom(np.exp(log_total_count), special.expit(log_total_count - log_mean))


TAILS = [-30.0, -10.0, -5.0, -2.0, -1.0, -0.3, 0.0, 0.1, 1.0, 1.7, 3.0, 8.0, 20.0, 35.0]
PLAIN = [(0.0, 0.0), (-2.0, 1.5), (3.0, -2.0), (700.0, 6.0), (-1e-3, -9.0), (0.5, 31.0)]
PLAIN += [(0.0, -31.0)]
FAR = [(1e4, 1e4), (-1e4, 1e4), (1e4, -1e4), (-1e4, -1e4), (0.0, 30.0), (0.0, -30.0), (0.0, 30.1)]
LOGITS = [0.0, 1e-6, -0.3, 0.2, -2.5, 2.5]
FAR_LOGITS = [7.0, 15.0, 40.0, 87.0, 89.0, 750.0, 1e4, -7.0, -15.0]
FAR_LOGITS += [-40.0, -87.0, -89.0, -750.0, -1e4]

# Two raw parameters that are held to +-30, at their bounds and beyond.
HELD_FAR = [(a, b) for a in (-1e4, 0.7, 1e4) for b in (-1e4, 1e4)]
HELD_FAR += [(1e4, 0.3), (-1e4, -0.4), (30.0, 30.0), (-30.0, -30.0), (0.1, 25.0), (-3.0, -20.0)]
REALS = [*TAILS, -1e9, 1e12]
DOWN_TO_ZERO = [-60.0, -30.0, -12.0, -6.0, -3.0, -1.0, -0.1, 0.0, 0.02, 0.5, 1.0, 2.0, 3.5, 6.0]
WHOLE = [0.0, 1.0, 2.0, 3.0, 7.0, 40.0, 1e3, 1e15, -3.5, -0.5, 0.001, 1.5, 5.5, 30.5]
FAR_EXCESS_DF = [-1e4, 1e4, 0.4, 3.0, 7.0, 6.9, -31.0]
LOG_0_7 = float(np.log(0.7))

FAMILIES: dict[str, Entry] = {
    "normal": Entry(
        lambda: likely.Normal(), reference.Normal(), normal_oracle, mp_normal,
        PLAIN, FAR, TAILS, _scales,
    ),
    "shared scale": Entry(
        lambda: likely.Normal("shared"), reference.Normal("shared"), normal_oracle, mp_normal,
        [(0.0, 1.25), (-3.0, 1.25), (700.0, 1.25)], [(1e4, 1.25), (-1e4, 1.25)], TAILS, _scales,
    ),
    "fixed scale": Entry(
        lambda: likely.Normal(0.7), reference.Normal(0.7), normal_oracle, mp_normal,
        [(loc, LOG_0_7) for loc in (0.0, -3.0, 700.0)], [], TAILS, _scales,
    ),
    "laplace": Entry(
        lambda: likely.Laplace(), reference.Laplace(),
        lambda loc, s: stats.laplace(loc, np.exp(s)), mp_laplace,
        PLAIN[:5], [*PLAIN[5:], *FAR], REALS, _scales,
    ),
    "logistic": Entry(
        lambda: likely.Logistic(), reference.Logistic(),
        lambda loc, s: stats.logistic(loc, np.exp(s)), mp_logistic,
        PLAIN[:5], [*PLAIN[5:], *FAR], REALS, _scales,
    ),
    "student t": Entry(
        lambda: likely.StudentT(), reference.StudentT(),
        lambda loc, s, d: stats.t(1 + np.exp(d), loc, np.exp(s)), mp_student_t,
        [(0.0, 0.0, 2.2), (-2.0, 1.5, 0.9), (3.0, -2.0, 1.3), (700.0, 6.0, 5.5), (0.0, 0.3, 3.7)],
        [
            (0.0, 0.0, -30.0), (1.0, 0.2, -9.0), (-1.0, 0.4, -0.5), (0.3, 0.1, 0.0),
            *((*row, df) for row, df in zip(FAR, FAR_EXCESS_DF, strict=True)),
        ],
        REALS, _scales,
    ),
    "student t, shared df": Entry(
        lambda: likely.StudentT("shared"), reference.StudentT("shared"),
        lambda loc, s, d: stats.t(1 + np.exp(d), loc, np.exp(s)), mp_student_t,
        [(0.0, 0.0, 1.7), (-2.0, 1.5, 1.7), (3.0, -2.0, 1.7)], [(1e4, 0.2, 1.7)], TAILS, _scales,
    ),
    "student t, fixed df": Entry(
        lambda: likely.StudentT(4.5), reference.StudentT(4.5),
        lambda loc, s, d: stats.t(1 + np.exp(d), loc, np.exp(s)), mp_student_t,
        [(loc, 0.3, float(np.log(3.5))) for loc in (0.0, -3.0, 40.0)], [], TAILS, _scales,
    ),
    "cauchy": Entry(
        lambda: likely.StudentT(1), reference.StudentT(1),
        lambda loc, s, d: stats.cauchy(loc, np.exp(s)), mp_student_t,
        [(0.0, 0.0, -30.0), (2.0, 1.4, -30.0)], [(-1e4, -30.0, -30.0)], TAILS, _scales,
    ),
    "lognormal": Entry(
        lambda: likely.LogNormal(), reference.LogNormal(),
        lambda loc, s: stats.lognorm(np.exp(s), scale=np.exp(loc)), mp_lognormal,
        [(0.0, 0.0), (-2.0, 0.4), (3.0, -2.0), (0.5, -0.7), (12.0, 0.3)],
        [*PLAIN[3:], *FAR, (1.0, -15.0), (2.0, 2.5)], TAILS, _log_scales,
    ),
    "exponential": Entry(
        lambda: likely.Exponential(), reference.Exponential(),
        lambda s: stats.expon(scale=np.exp(s)), mp_exponential,
        [(0.0,), (-3.0,), (0.7,), (9.0,)], [(z,) for z in (30.0, -30.0, 31.0, -31.0, 1e4, -1e4)],
        [0.0, 1e-9, 0.01, 0.5, 1.0, 2.5, 9.0, 40.0, 700.0, 1e12], _multiples,
    ),
    "gamma": Entry(
        lambda: likely.Gamma(), reference.Gamma(),
        lambda m, a: stats.gamma(np.exp(a), scale=np.exp(m - a)), mp_gamma,
        [(0.0, 0.0), (0.4, -0.5), (-3.0, 0.9), (8.0, 2.0), (1.0, 4.5)],
        [*HELD_FAR, (0.2, -3.0), (2.0, 2.31), (2.0, 2.29), (5.0, 9.0)],
        [*DOWN_TO_ZERO, 15.0, 39.0, 41.0, 60.0], _gammas,
    ),
    "weibull": Entry(
        lambda: likely.Weibull(), reference.Weibull(),
        lambda s, k: stats.weibull_min(np.exp(k), scale=np.exp(s)), mp_weibull,
        [(0.0, 0.0), (0.4, -0.5), (-3.0, 0.9), (8.0, 2.0), (1.0, 3.0)],
        [*HELD_FAR, (0.2, -3.0), (0.2, -5.1), (5.0, 9.0)],
        [*DOWN_TO_ZERO, 15.0, 39.0, 41.0, 60.0], _powers,
    ),
    "beta": Entry(
        lambda: likely.Beta(), reference.Beta(), beta_oracle, mp_beta,
        [(0.0, 1.0), (0.3, 2.0), (-1.2, 1.5), (0.8, 3.5), (-2.0, 6.0)],
        [*HELD_FAR, (0.3, -2.0), (-3.0, 0.5), (4.0, 1.0), (20.0, 22.0), (-20.0, 22.0), (2.0, 12.0)],
        [-55.0, -40.0, -30.0, -21.0, -6.0, -1.5, -0.2, 0.0, 0.3, 2.0, 5.0, 21.0, 33.0, 60.0],
        _shares,
    ),
    "von mises": Entry(
        lambda: likely.VonMises(), reference.VonMises(),
        lambda loc, k: stats.vonmises(np.exp(k), loc), mp_von_mises,
        [(0.0, 0.0), (1.5, -2.0), (-3.0, 1.2), (0.4, 2.9), (2.0, 3.5)],
        [*HELD_FAR, (0.0, 6.0), (3.2, 3.21), (-3.3, 3.22), (7.0, 7.0)],
        [0.0, 0.01, 0.3, -1.0, 2.0, -3.0, 3.9, 4.5, -5.5, 6.9, 7.0, -7.1, 9.0, 1e3], _angles,
    ),
    "poisson": Entry(
        lambda: likely.Poisson(), reference.Poisson(),
        lambda m: stats.poisson(np.exp(m)), mp_poisson,
        [(0.0,), (-3.0,), (1.3,), (3.0,), (7.0,)],
        [(z,) for z in (30.0, -30.0, 31.0, -31.0, 1e4, -1e4, 15.0)], WHOLE, _counts,
    ),
    "negative binomial": Entry(
        lambda: likely.NegativeBinomial(), reference.NegativeBinomial(),
        negative_binomial_oracle, mp_negative_binomial,
        [(0.0, 0.0), (0.4, -1.0), (-3.0, 0.9), (3.0, 2.0), (5.0, 4.0), (1.0, 9.0)],
        [*HELD_FAR, (6.0, -6.0), (20.0, 5.0), (-20.0, 5.0), (9.0, 18.0)], WHOLE, _counts,
    ),
    "zero-inflated poisson": Entry(
        lambda: likely.ZeroInflated(likely.Poisson()), reference.ZeroInflated(reference.Poisson()),
        None, mp_inflated(mp_poisson),
        [(0.0, 0.0), (-2.0, 1.3), (1.5, 3.0), (-0.3, -2.0)],
        [(g, m) for g in (-1e4, -40.0, 40.0, 1e4) for m in (-1e4, 1.0, 30.0, 1e4)],
        WHOLE, _inflated_counts,
    ),
    "zero-inflated negative binomial": Entry(
        lambda: likely.ZeroInflated(likely.NegativeBinomial()),
        reference.ZeroInflated(reference.NegativeBinomial()),
        None, mp_inflated(mp_negative_binomial),
        [(0.0, 0.0, 0.0), (-2.0, 1.3, -1.0), (1.5, 3.0, 2.0), (-0.3, -2.0, 0.5)],
        [(g, *row) for g in (-1e4, 25.0, 1e4) for row in HELD_FAR], WHOLE, _inflated_counts,
    ),
    "bernoulli": Entry(
        lambda: likely.Bernoulli(), reference.Bernoulli(), bernoulli_oracle, mp_binomial(1),
        [(z,) for z in LOGITS], [(z,) for z in FAR_LOGITS], [0.0, 1.0], _number,
    ),
    "binomial": Entry(
        lambda: likely.Binomial(7), reference.Binomial(7),
        lambda z: stats.binom(7, special.expit(z)), mp_binomial(7),
        [(z,) for z in LOGITS], [(z,) for z in FAR_LOGITS], [float(k) for k in range(8)], _number,
    ),
    "one trial": Entry(
        lambda: likely.Binomial(1), reference.Binomial(1),
        lambda z: stats.binom(1, special.expit(z)), mp_binomial(1),
        [(z,) for z in LOGITS], [(z,) for z in FAR_LOGITS], [0.0, 1.0], _number,
    ),
    "many trials": Entry(
        lambda: likely.Binomial(2000), reference.Binomial(2000),
        lambda z: stats.binom(2000, special.expit(z)), mp_binomial(2000),
        [(z,) for z in LOGITS], [(z,) for z in FAR_LOGITS],
        [0.0, 1.0, 2.0, 150.0, 151.0, 860.0, 999.0, 1000.0, 1100.0, 1852.0, 1998.0, 1999.0, 2000.0],
        _number,
    ),
    "categorical": Entry(
        lambda: likely.Categorical(4), reference.Categorical(4), categorical_oracle, mp_categorical,
        [(0.3, -1.0, 0.2, 0.7), (0, 2, 0, 2.5), (9, 8, 7.5, 10), (-5, 4, 1, 0), (0, 0, 0, 0)],
        [(1e4, -1e4, 0, 0), (-1e4, 1e4, 1e4, 0), (0, 0, 0, 1e4), (-1e4, -1e4, -1e4, -1e4),
         (100, 12, -100, 0)],
        [0.0, 1.0, 2.0, 3.0], _number,
    ),
    "two classes": Entry(
        lambda: likely.Categorical(2), reference.Categorical(2), categorical_oracle, mp_categorical,
        [(0.3, -1.0), (0.0, 0.0), (-3.0, 4.0)], [(1e4, -1e4), (0.0, 88.0)],
        [0.0, 1.0], _number,
    ),
}  # fmt: skip
