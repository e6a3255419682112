"""Forward-mode differentiation of NumPy: every rule against differences, and what has no rule."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import likely
import numpy as np
import pytest
from likely._differentiation import FUNCTIONS, MIXING, PLAIN, RULES, Dual, value_and_derivative
from reference.arrays import Array
from scipy import special

X = np.array([-3.1, -1.1, -0.4, 0.3, 0.9, 1.7, 12.3])
POSITIVE = np.array([1e-3, 0.2, 0.9, 1.6, 3.4, 25.0])
INSIDE = np.array([-0.97, -0.5, -0.1, 0.2, 0.6, 0.99])
SHARE = np.array([1e-3, 0.2, 0.49, 0.7, 0.98])
POINTS: dict[tuple[str, ...], Array] = {
    ("sqrt", "log", "log2", "log10", "power", "float_power", "gamma", "gammaln"): POSITIVE,
    ("loggamma", "psi", "beta", "betaln", "entr", "xlogy"): POSITIVE,
    ("arcsin", "arccos", "arctanh", "log1p", "xlog1py", "erfinv"): INSIDE,
    ("logit", "ndtri"): SHARE,
    ("arccosh",): 1 + POSITIVE[1:],
}
"""Where functions are tried, if not at X."""


def ufunc_named(name: str) -> np.ufunc:
    found = [getattr(home, name, None) for home in (np, special)]
    return next(ufunc for ufunc in found if isinstance(ufunc, np.ufunc))


def differences(function: Callable[..., Any], arguments: list[Array], k: int) -> Array:
    """Richardson's extrapolation of central differences: of fourth order."""
    quotients = []
    for step in (2e-4, 1e-4):
        h = step * np.maximum(1e-3, np.abs(arguments[k]))
        above, below = (list(arguments) for _ in range(2))
        above[k], below[k] = arguments[k] + h, arguments[k] - h
        quotients.append((function(*above) - function(*below)) / (above[k] - below[k]))
    coarse, fine = quotients
    return fine + (fine - coarse) / 3


def assert_right(function: Callable[..., Any], arguments: list[Array]) -> None:
    value, derivative = value_and_derivative(
        lambda y, *raw: function(*raw), np.zeros_like(arguments[0]), np.array(arguments)
    )
    np.testing.assert_array_equal(value, function(*arguments))
    assert derivative is not None
    for k in range(len(arguments)):
        expected = differences(function, arguments, k)
        noise = 1e-10 * np.abs(value) / np.maximum(1e-3, np.abs(arguments[k]))
        np.testing.assert_array_less(
            np.abs(derivative[k] - expected), 1e-8 * np.abs(expected) + noise + 1e-11
        )


@pytest.mark.parametrize("name", RULES)
def test_rule(name: str) -> None:
    ufunc = ufunc_named(name)
    points = next((points for names, points in POINTS.items() if name in names), X)
    assert ufunc.__name__ == name
    assert len(RULES[name]) == ufunc.nin
    if ufunc.nin == 1:
        assert_right(ufunc, [points])
        return
    first, second = (a.ravel() for a in np.meshgrid(points, 0.93 * points + 0.011))
    assert_right(ufunc, [first, second])
    # With a constant on one side, an array or a number.
    for constant in (second, 0.7):
        assert_right(lambda a, c=constant: ufunc(a, c), [first])
        assert_right(lambda b, c=constant: ufunc(c, b), [first])


LIMITS: dict[str, tuple[Callable[..., Any], float, float]] = {
    "a power of 0": (lambda x: x**0, 0.0, 0.0),
    "0 to a power": (lambda x: 0.0**x, 2.0, 0.0),
    "square at 0": (lambda x: x**2, 0.0, 0.0),
    "a cube of a negative number": (lambda x: x**3, -2.0, 12.0),
    "xlogy at 0": (lambda x: special.xlogy(0.0, x), 0.0, 0.0),
    "xlog1py at -1": (lambda x: special.xlog1py(0.0, x), -1.0, 0.0),
    "i1 at 0": (special.i1, 0.0, 0.5),
    "i1e at 0": (special.i1e, 0.0, 0.5),
    "log_expit far left": (special.log_expit, -800.0, 1.0),
    "log_ndtr far left": (special.log_ndtr, -1e4, 1e4),
    "logaddexp far apart": (lambda x: np.logaddexp(x, 1e4), -1e4, 0.0),
    "abs at 0": (np.abs, 0.0, 0.0),
    "maximum with itself": (lambda x: np.maximum(x, x), 0.3, 1.0),
    "clip at its end": (lambda x: np.clip(x, -1, 1), 1.0, 1.0),
    "clip outside": (lambda x: np.clip(x, -1, 1), 1.01, 0.0),
    "clip below": (lambda x: np.clip(x, 0.5, None), 0.4, 0.0),
    "clip as a method": (lambda x: x.clip(None, 3.0), 2.0, 1.0),
    "no branch taken": (lambda x: np.where(x > 0, np.sqrt(x), 1.0), 0.0, 0.0),
    "overflow left out": (lambda x: np.where(x > 700, x, np.exp(x)), 800.0, 1.0),
    "in place": (lambda x: _in_place(x), 0.5, 6.0),
    "operators": (
        lambda x: -(+x) + 2 - 3 * x / 2 + abs(x) % 0.75 + 1 / x,
        -2.0,
        1 - 2.5 - 2 - 0.25,
    ),
}


def _in_place(x: Any) -> Any:
    z = 2 * x
    z *= 3
    z += 1
    return z


@pytest.mark.parametrize(("function", "x", "expected"), LIMITS.values(), ids=LIMITS)
def test_limits(function: Callable[..., Any], x: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        value, derivative = value_and_derivative(
            lambda y, p: function(p), np.zeros(2), np.full((1, 2), x)
        )
        np.testing.assert_array_equal(value, function(np.full(2, x)))
    assert derivative is not None
    np.testing.assert_allclose(derivative, np.full((1, 2), expected), rtol=1e-7)


def test_choices_follow_the_values() -> None:
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.5, -1.0])
    y = np.array([0.0, 1.0, 2.0])

    def function(y: Array, a: Any, b: Any) -> Any:
        assert np.shape(a) == (3,)
        assert np.size(a) == len(a) == 3
        assert np.ndim(a) == 1
        chosen = np.select([y == 0, a > b], [a * b, np.where(b < 0, b * b, 7.0)], default=a)
        filled = np.zeros_like(a) + np.ones_like(b) + np.full_like(a, 2.0)
        return chosen + filled * a

    value, derivative = value_and_derivative(function, y, np.array([a, b]))
    np.testing.assert_array_equal(value, function(y, a, b))
    np.testing.assert_array_equal(derivative, [[2 + 3, 1 + 3, 3], [1, 0, -2]])


@pytest.mark.parametrize("ufunc", PLAIN, ids=lambda ufunc: ufunc.__name__)
def test_true_or_false(ufunc: np.ufunc) -> None:
    a, b = np.array([0.0, 1.0, np.inf, -2.0]), np.array([1.0, 1.0, 0.0, np.nan])
    seen = []

    def function(y: Array, p: Any, q: Any) -> Any:
        seen.append(ufunc(*(p, q)[: ufunc.nin]))
        return p

    value_and_derivative(function, a, np.array([a, b]))
    assert type(seen[0]) is np.ndarray
    np.testing.assert_array_equal(seen[0], ufunc(*(a, b)[: ufunc.nin]))


def refused(function: Callable[..., Any], *words: str) -> None:
    with pytest.raises(TypeError) as caught:
        value_and_derivative(lambda y, p: function(p), np.ones(3), np.ones((1, 3)))
    for word in words:
        assert word in str(caught.value)


def test_every_ufunc_has_a_rule_or_is_refused_by_name() -> None:
    names = {name for name, value in inspect.getmembers(np) if isinstance(value, np.ufunc)}
    plain = {ufunc.__name__ for ufunc in PLAIN}
    for name in sorted(names):
        ufunc = getattr(np, name)
        if ufunc.__name__ not in RULES.keys() | plain:
            refused(lambda p, u=ufunc: u(*[p] * u.nin), f"np.{ufunc.__name__} ", "no derivative")
    for ufunc in (special.jv, special.zeta, special.gammainc, special.ive):
        refused(lambda p, u=ufunc: u(1.5, p), f"{ufunc.__name__} ", "no derivative in likely")


def test_a_stranger_with_a_known_name_has_no_rule() -> None:
    square = np.frompyfunc(lambda x: x + 1, 1, 1)
    refused(square, "no derivative")


@pytest.mark.parametrize(
    "function",
    [np.sum, np.mean, np.max, np.cumsum, np.sort, np.median, np.std, np.linalg.norm, np.prod],
    ids=lambda function: function.__name__,
)
def test_reductions_mix_samples(function: Callable[..., Any]) -> None:
    refused(function, f".{function.__name__} mixes samples")


def test_methods_and_indices_mix_samples() -> None:
    for name in ("sum", "mean", "max", "cumsum"):
        refused(lambda p, n=name: getattr(p, n)(), f"parameter.{name}() mixes samples")
        assert name in MIXING
    refused(lambda p: np.add.reduce(p), "np.add.reduce mixes samples")
    refused(lambda p: p[0], "[0]", "mixes samples")
    refused(lambda p: p[:, None], "mixes samples")
    refused(lambda p: [x for x in p], "mixes samples")  # noqa: C416
    refused(lambda p: p.__setitem__(0, 1.0), "mixes samples")
    with pytest.raises(AttributeError, match="colour"):
        value_and_derivative(lambda y, p: p.colour, np.ones(3), np.ones((1, 3)))


def test_other_ways_out_of_numpy_are_refused() -> None:
    refused(math.exp, "np.exp instead of math.exp")
    refused(int, "np.exp")
    refused(np.asarray, "plain arrays")
    refused(lambda p: special.logsumexp(p), "")
    refused(lambda p: p if p else -p, "np.where instead of if")
    refused(lambda p: np.exp(p, where=np.ones(3, bool)), "np.exp", "where=")
    refused(lambda p: np.exp(p, out=np.zeros(3)), "np.exp", "plain array")
    refused(lambda p: np.ones(3).__isub__(p), "np.subtract", "y = y - loc")
    refused(lambda p: p + np.array(["a", "b", "c"]), "np.add", "numbers")
    refused(lambda p: p * 1j, "np.multiply", "complex")
    refused(lambda p: np.interp(p, [0, 1], [0, 1]), "np.interp", "no derivative")
    refused(lambda p: np.where(p), "np.where")
    for shape in ((2, 1), (4,), (1, 3)):
        with pytest.raises(ValueError, match=r"np.multiply.*shape.*\(3,\)"):
            value_and_derivative(lambda y, p, s=shape: p * np.ones(s), np.ones(3), np.ones((1, 3)))


def test_derivatives_by_several_parameters() -> None:
    """d/d(a, b, c) of c a exp(b y)."""
    y = np.linspace(-1, 1, 5)
    raw = np.array([np.full(5, 1.5), np.linspace(0, 1, 5), np.full(5, -2.0)])
    _, derivative = value_and_derivative(lambda y, a, b, c: c * a * np.exp(b * y), y, raw)
    e = np.exp(raw[1] * y)
    expected = [raw[2] * e, raw[2] * raw[0] * y * e, raw[0] * e]
    np.testing.assert_allclose(derivative, expected, rtol=1e-15)


def test_a_function_without_parameters_has_no_derivative() -> None:
    value, derivative = value_and_derivative(lambda y, p: -y * y, np.arange(3.0), np.ones((1, 3)))
    np.testing.assert_array_equal(value, [0, -1, -4])
    assert derivative is None
    assert "Dual" in repr(Dual(np.ones(1), np.ones((1, 1))))


def test_the_documentation_names_functions_with_rules() -> None:
    documentation = inspect.getdoc(likely.distribution) or ""
    for name in ("gammaln", "betaln", "expit", "log_expit", "logit", "erf", "ndtr", "i0e", "xlogy"):
        assert name in documentation
        assert name in RULES
    assert {np.where, np.clip, np.select} <= set(FUNCTIONS)
