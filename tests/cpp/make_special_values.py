"""Writes special_values.hpp beside it: the special functions and their derivatives by mpmath.

Run it with the path of another table and a larger COUNT for a closer look. Arguments are single
precision numbers, so that one table serves both precisions: evenly spaced and geometric ones, and
the neighbours of the seams where an approximation changes.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from mpmath import mp, mpf

mp.dps = 50
COUNT = int(sys.argv[2]) if __name__ == "__main__" and len(sys.argv) > 2 else 14


def geometric(first: float, last: float) -> list[float]:
    return list(np.geomspace(first, last, COUNT))


def even(first: float, last: float) -> list[float]:
    return list(np.linspace(first, last, COUNT))


def seams(*places: float) -> list[float]:
    return [place * (1 + side * 1e-5) for place in places for side in (-1, 0, 1)]


def survival(x: mpf) -> mpf:
    return mp.erfc(x / mp.sqrt(2)) / 2


def density(x: mpf) -> mpf:
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def deviance(x: mpf) -> mpf:
    with mp.workdps(120):
        return mp.expm1(x) - x


def saturating(function: Callable[[mpf], mpf], slope: Callable[[mpf], mpf]) -> tuple:
    def value_of(x: mpf) -> mpf:
        over = max(x - 40, mpf(0))
        return function(x - over) + over * slope(x - over)

    return value_of, lambda x: slope(min(x, mpf(40)))


def stirling_rest(a: mpf) -> mpf:
    with mp.workdps(120):
        return mp.loggamma(a) - (a - mpf(0.5)) * mp.log(a) + a - mp.log(2 * mp.pi) / 2


def stirling_slope(a: mpf) -> mpf:
    with mp.workdps(120):
        return mp.digamma(a) - mp.log(a) + 1 / (2 * a)


def bessel_series(order: int, k: mpf) -> mpf:
    """exp(-k) I(k) sqrt(2 pi k) by its asymptotic series (DLMF 10.40.1), for k > 100."""
    term = total = mpf(1)
    for j in range(1, 60):
        term *= -(4 * order**2 - (2 * j - 1) ** 2) / (8 * k * j)
        total += term
    return total


def log_bessel_i0e(k: mpf) -> mpf:
    if k > 200:
        return mp.log(bessel_series(0, k)) - mp.log(2 * mp.pi * k) / 2
    return mp.log(mp.besseli(0, k)) - k


def bessel_slope(k: mpf) -> mpf:
    if k > 200:
        return bessel_series(1, k) / bessel_series(0, k) - 1
    return mp.besseli(1, k) / mp.besseli(0, k) - 1


half = mpf(0.5)
exponents = [-80, -40, -17.5, *even(-3, 3), *seams(-0.28768207, 0.40546511, 15.6), 30, 39.9]
small = [side * x for x in geometric(1e-15, 0.2) for side in (-1, 1)]
turns = [float(n * mp.pi) for n in (1, 2, 3, 4, 5, 50, 51, 1000, 2001, 3000)]

# name: (value, derivative, arguments)
Rows = Iterable[float]
FUNCTIONS: dict[str, tuple[Callable[[mpf], mpf], Callable[[mpf], mpf], Rows]] = {
    "normal_cdf": (lambda x: survival(-x), density, even(-12, 12) + even(-1, 1) + small),
    "log_normal_survival": (
        lambda x: mp.log(survival(x)) if x < 1e4 else -x * x / 2 - mp.log(x * mp.sqrt(2 * mp.pi)),
        lambda x: -density(x) / survival(x) if x < 1e4 else -(x + 1 / x),
        [*even(-12, 12), *even(-1, 1), *small, *geometric(13, 1e5)],
    ),
    "deviance": (deviance, mp.expm1, exponents + small),
    "saturating_deviance": (
        *saturating(deviance, mp.expm1),
        exponents + small + seams(40) + geometric(41, 1e9),
    ),
    "saturating_exp": (
        *saturating(mp.exp, mp.exp),
        exponents + small + seams(40) + geometric(41, 1e9),
    ),
    "stirling_rest": (
        stirling_rest,
        stirling_slope,
        geometric(1e-27, 1e14) + geometric(0.05, 50) + seams(1 / 3, 1),
    ),
    "lgamma_half_ratio": (
        lambda x: mp.loggamma(x + half) - mp.loggamma(x),
        lambda x: mp.digamma(x + half) - mp.digamma(x),
        geometric(0.5, 500) + geometric(0.5, 5),
    ),
    "log_bessel_i0e": (
        log_bessel_i0e,
        bessel_slope,
        geometric(1e-14, 1e13) + geometric(0.1, 100) + seams(8),
    ),
    "chord": (
        lambda d: 2 * mp.sin(d / 2) ** 2,
        mp.sin,
        small + even(-7, 7) + even(-9999, 9999) + turns + seams(*turns),
    ),
    "log1mexp": (
        lambda x: mp.log(-mp.expm1(-x)),
        lambda x: 1 / mp.expm1(x),
        geometric(1e-27, 1) + seams(float(mp.log(2))) + even(1, 80),
    ),
}
# name: (value, arguments); of plain double precision alone
PLAIN = {
    "digamma": (mp.digamma, geometric(1e-14, 1e14) + geometric(0.1, 20)),
    "trigamma": (lambda x: mp.psi(1, x), geometric(1e-14, 1e14) + geometric(0.1, 20)),
    "erfc": (mp.erfc, even(-5, 5) + even(-26, 26) + small),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), even(-5, 9) + even(0, 100) + small),
}
SIZES = (1e-13, 1e-3, 0.3, 1, 7.5, 300, 1e6, 1e13)
SUMMANDS = (-1e15, -1e4, -30, -1, -1e-3, 0, 0.5, 20, 1e4)


def lines(name: str, rows: Iterable[Iterable[mpf]], fields: str) -> Iterable[str]:
    yield f"inline constexpr {fields} {name}_values[] = {{"
    for row in rows:
        yield "    {" + ", ".join(repr(float(number)) for number in row) + "},"
    yield "};"


def single(arguments: Rows) -> list[mpf]:
    return [mpf(float(x)) for x in sorted({np.float32(x) for x in arguments})]


def table() -> Iterable[str]:
    yield "// Written by make_special_values.py: arguments, values and derivatives by mpmath."
    yield "// clang-format off"
    yield "#pragma once"
    yield ""
    yield "struct ValueAndSlope { double x, value, slope; };"
    yield "struct Value { double x, value; };"
    yield "struct ValueOfTwo { double a, b, value; };"
    for name, (value, slope, arguments) in FUNCTIONS.items():
        rows = ((x, value(x), slope(x)) for x in single(arguments))
        yield from lines(name, rows, "ValueAndSlope")
    for name, (value, arguments) in PLAIN.items():
        yield from lines(name, ((x, value(x)) for x in single(arguments)), "Value")
    pairs = [(mpf(a), mpf(b)) for a in SIZES for b in SIZES]
    with mp.workdps(80):
        rows = [(a, b, mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)) for a, b in pairs]
    yield from lines("lbeta", rows, "ValueOfTwo")
    pairs = [(mpf(a), mpf(b)) for a in single(SUMMANDS) for b in single(SUMMANDS)]
    rows = [(a, b, max(a, b) + mp.log1p(mp.exp(-abs(a - b)))) for a, b in pairs]
    yield from lines("logaddexp", rows, "ValueOfTwo")


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("special_values.hpp")
    Path(target).write_text("\n".join(table()) + "\n", "utf-8")
