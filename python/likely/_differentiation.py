"""Forward-mode differentiation of NumPy functions of many independent samples.

Why: a custom density is written as plain NumPy on arrays, one number a sample. Each of its
parameters enters as a `Dual`, a vector of values with their derivatives by every parameter; NumPy
hands each operation on it over (`__array_ufunc__`, `__array_function__`), and the chain rule is
applied sample by sample (Wengert 1964).

Contract: `value_and_derivative`. `RULES` is the one list of what can be differentiated; SciPy's
special functions are NumPy ufuncs too and stand in it by name, so that SciPy itself is needed only
by who uses them. Whatever mixes samples (reductions, indices) or has no rule is a TypeError that
names it. Where a function has a kink the derivative is that of one of its sides.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Array = NDArray[Any]
Partial = Callable[..., Any]
"""A partial derivative, a function of the ufunc's result and of its arguments."""


def _special(name: str) -> Callable[..., Any]:
    """A function of scipy.special, which whoever differentiates one of its functions has loaded."""
    function: Callable[..., Any] = getattr(sys.modules["scipy.special"], name)
    return function


def _power_by_base(z: Array, a: Array, b: Array) -> Array:
    return np.where(b == 0, 0.0, b * np.power(a, np.where(b == 0, 1.0, b - 1)))


def _power_by_exponent(z: Array, a: Array, b: Array) -> Array:
    return np.where(z == 0, 0.0, z * np.log(np.where(z == 0, 1.0, a)))


def _i1e_slope(z: Array, x: Array) -> Any:
    ratio = np.where(x == 0, 0.5, z / np.where(x == 0, 1.0, x))
    return _special("i0e")(x) - ratio - np.sign(x) * z


def _i1_slope(z: Array, x: Array) -> Any:
    return _special("i0")(x) - np.where(x == 0, 0.5, z / np.where(x == 0, 1.0, x))


_TWO_OVER_ROOT_PI = 2 / np.sqrt(np.pi)
_LOG_ROOT_TWO_PI = np.log(2 * np.pi) / 2
_LOG_2 = np.log(2.0)

RULES: dict[str, tuple[Partial, ...]] = {
    # arithmetic
    "positive": (lambda z, x: 1.0,),
    "negative": (lambda z, x: -1.0,),
    "add": (lambda z, a, b: 1.0, lambda z, a, b: 1.0),
    "subtract": (lambda z, a, b: 1.0, lambda z, a, b: -1.0),
    "multiply": (lambda z, a, b: b, lambda z, a, b: a),
    "divide": (lambda z, a, b: 1 / b, lambda z, a, b: -z / b),
    "reciprocal": (lambda z, x: -z * z,),
    "square": (lambda z, x: 2 * x,),
    "power": (_power_by_base, _power_by_exponent),
    "float_power": (_power_by_base, _power_by_exponent),
    "sqrt": (lambda z, x: 0.5 / z,),
    "cbrt": (lambda z, x: 1 / (3 * z * z),),
    "remainder": (lambda z, a, b: 1.0, lambda z, a, b: -np.floor(a / b)),
    "fmod": (lambda z, a, b: 1.0, lambda z, a, b: -np.trunc(a / b)),
    # exponentials and logarithms
    "exp": (lambda z, x: z,),
    "exp2": (lambda z, x: z * _LOG_2,),
    "expm1": (lambda z, x: np.exp(x),),
    "log": (lambda z, x: 1 / x,),
    "log2": (lambda z, x: 1 / (x * _LOG_2),),
    "log10": (lambda z, x: 1 / (x * np.log(10)),),
    "log1p": (lambda z, x: 1 / (1 + x),),
    "logaddexp": (lambda z, a, b: np.exp(a - z), lambda z, a, b: np.exp(b - z)),
    "logaddexp2": (lambda z, a, b: np.exp2(a - z), lambda z, a, b: np.exp2(b - z)),
    # pieces; a tie of two is counted as the first
    "absolute": (lambda z, x: np.sign(x),),
    "fabs": (lambda z, x: np.sign(x),),
    "sign": (lambda z, x: 0.0,),
    "floor": (lambda z, x: 0.0,),
    "ceil": (lambda z, x: 0.0,),
    "rint": (lambda z, x: 0.0,),
    "trunc": (lambda z, x: 0.0,),
    "maximum": (lambda z, a, b: a >= b, lambda z, a, b: a < b),
    "minimum": (lambda z, a, b: a <= b, lambda z, a, b: a > b),
    "fmax": (lambda z, a, b: a >= b, lambda z, a, b: a < b),
    "fmin": (lambda z, a, b: a <= b, lambda z, a, b: a > b),
    # circles and hyperbolas
    "sin": (lambda z, x: np.cos(x),),
    "cos": (lambda z, x: -np.sin(x),),
    "tan": (lambda z, x: 1 + z * z,),
    "arcsin": (lambda z, x: 1 / np.sqrt(1 - x * x),),
    "arccos": (lambda z, x: -1 / np.sqrt(1 - x * x),),
    "arctan": (lambda z, x: 1 / (1 + x * x),),
    "arctan2": (lambda z, a, b: b / (a * a + b * b), lambda z, a, b: -a / (a * a + b * b)),
    "hypot": (lambda z, a, b: a / z, lambda z, a, b: b / z),
    "sinh": (lambda z, x: np.cosh(x),),
    "cosh": (lambda z, x: np.sinh(x),),
    "tanh": (lambda z, x: 1 - z * z,),
    "arcsinh": (lambda z, x: 1 / np.sqrt(1 + x * x),),
    "arccosh": (lambda z, x: 1 / np.sqrt(x * x - 1),),
    "arctanh": (lambda z, x: 1 / (1 - x * x),),
    "deg2rad": (lambda z, x: np.pi / 180,),
    "radians": (lambda z, x: np.pi / 180,),
    "rad2deg": (lambda z, x: 180 / np.pi,),
    "degrees": (lambda z, x: 180 / np.pi,),
    # scipy.special
    "gamma": (lambda z, x: z * _special("psi")(x),),
    "gammaln": (lambda z, x: _special("psi")(x),),
    "loggamma": (lambda z, x: _special("psi")(x),),
    "psi": (lambda z, x: _special("polygamma")(1, x),),
    "beta": (
        lambda z, a, b: z * (_special("psi")(a) - _special("psi")(a + b)),
        lambda z, a, b: z * (_special("psi")(b) - _special("psi")(a + b)),
    ),
    "betaln": (
        lambda z, a, b: _special("psi")(a) - _special("psi")(a + b),
        lambda z, a, b: _special("psi")(b) - _special("psi")(a + b),
    ),
    "expit": (lambda z, x: z * _special("expit")(-x),),
    "log_expit": (lambda z, x: _special("expit")(-x),),
    "logit": (lambda z, x: 1 / (x * (1 - x)),),
    "erf": (lambda z, x: _TWO_OVER_ROOT_PI * np.exp(-x * x),),
    "erfc": (lambda z, x: -_TWO_OVER_ROOT_PI * np.exp(-x * x),),
    "erfcx": (lambda z, x: 2 * x * z - _TWO_OVER_ROOT_PI,),
    "erfinv": (lambda z, x: np.exp(z * z) / _TWO_OVER_ROOT_PI,),
    "ndtr": (lambda z, x: np.exp(-x * x / 2 - _LOG_ROOT_TWO_PI),),
    "log_ndtr": (lambda z, x: np.exp(-x * x / 2 - _LOG_ROOT_TWO_PI - z),),
    "ndtri": (lambda z, x: np.exp(z * z / 2 + _LOG_ROOT_TWO_PI),),
    "xlogy": (
        lambda z, a, b: np.where((a == 0) & (b == 0), 0.0, np.log(b)),
        lambda z, a, b: np.where(a == 0, 0.0, a / b),
    ),
    "xlog1py": (
        lambda z, a, b: np.where((a == 0) & (b == -1), 0.0, np.log1p(b)),
        lambda z, a, b: np.where(a == 0, 0.0, a / (1 + b)),
    ),
    "entr": (lambda z, x: -np.log(x) - 1,),
    "i0": (lambda z, x: _special("i1")(x),),
    "i0e": (lambda z, x: _special("i1e")(x) - np.sign(x) * z,),
    "i1": (_i1_slope,),
    "i1e": (_i1e_slope,),
}
"""The partial derivatives of each ufunc by its arguments, under the ufunc's own name."""

PLAIN = {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.isfinite,
    np.isinf, np.isnan, np.signbit, np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
}  # fmt: skip
"""Ufuncs whose results are true or false: they are taken of the values."""

MIXING = {
    "accumulate", "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "at", "average",
    "concatenate", "cumprod", "cumsum", "diff", "dot", "einsum", "flip", "item", "max", "mean",
    "median", "min", "norm", "outer", "percentile", "prod", "ptp", "quantile", "ravel", "reduce",
    "reduceat", "reshape", "roll", "sort", "squeeze", "stack", "std", "sum", "take", "tolist",
    "var",
}  # fmt: skip
"""Functions and methods that look at more than one sample, or change which sample stands where."""


def _refuse_mixing(what: str) -> NoReturn:
    raise TypeError(
        f"{what} mixes samples; a density gets the samples of a batch one after the other, and "
        "each must have its log_prob from its own y and parameters alone"
    )


def _refuse(name: str) -> NoReturn:
    if name.rpartition(".")[2] in MIXING:
        _refuse_mixing(name)
    raise TypeError(
        f"{name} has no derivative in likely; write it with other functions of NumPy or "
        "scipy.special (docstring of likely.distribution), or propose a rule for it"
    )


def _rule(ufunc: np.ufunc) -> tuple[Partial, ...]:
    name = ufunc.__name__
    homes = (np, sys.modules.get("scipy.special"))
    if name not in RULES or not any(getattr(home, name, None) is ufunc for home in homes):
        _refuse(_full_name(ufunc))
    return RULES[name]


def _full_name(ufunc: np.ufunc) -> str:
    return f"np.{ufunc.__name__}" if hasattr(np, ufunc.__name__) else ufunc.__name__


class Dual(NDArrayOperatorsMixin):
    """Values of shape (samples,) with derivatives of shape (parameters, samples)."""

    __slots__ = ("derivative", "value")
    ndim = 1
    dtype = np.dtype(np.float64)

    def __init__(self, value: Array, derivative: Array) -> None:
        self.value = value
        self.derivative = derivative

    @property
    def shape(self) -> tuple[int]:
        return (len(self.value),)

    @property
    def size(self) -> int:
        return len(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, {self.derivative!r})"

    def clip(self, a_min: Any = None, a_max: Any = None) -> Any:
        return _clip(self, a_min, a_max)

    def copy(self) -> Dual:
        return Dual(self.value, self.derivative)  # neither is ever written into

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        name = _full_name(ufunc)
        if method != "__call__":
            _refuse(f"{name}.{method}")
        out = keywords.pop("out", None)
        if keywords:
            raise TypeError(
                f"{name} with {', '.join(keywords)}= has no derivative in likely; leave it out, or "
                "choose with np.where"
            )
        result = _apply(ufunc, name, inputs)
        if out is None:
            return result
        if not isinstance(out[0], Dual) or not isinstance(result, Dual):
            raise TypeError(
                f"{name} cannot write its derivative into a plain array; write y = y - loc instead "
                "of y -= loc, and leave out="
            )
        out[0].value, out[0].derivative = result.value, result.derivative
        return out[0]

    def __array_function__(
        self, function: Callable[..., Any], types: Any, arguments: Any, keywords: Any
    ) -> Any:
        known = FUNCTIONS.get(function)
        if known is None:
            _refuse(f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1))
        return known(*arguments, **keywords)

    def __array__(self, *arguments: Any, **keywords: Any) -> NoReturn:
        raise TypeError(
            "a density's parameters cannot be turned into plain arrays, which have no derivative; "
            "use NumPy's functions and those of scipy.special on them (not scipy.stats or math)"
        )

    def __float__(self) -> NoReturn:
        raise TypeError(
            "a density's parameters are arrays, one number a sample: use np.exp instead of "
            "math.exp, and arrays instead of single numbers"
        )

    __int__ = __float__

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a density's parameters are arrays, one number a sample: choose with np.where instead "
            "of if"
        )

    def __getitem__(self, index: Any) -> NoReturn:
        _refuse_mixing(f"an index into a parameter ([{index!r}])")

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        _refuse_mixing(f"an index into a parameter ([{index!r}])")

    def __iter__(self) -> NoReturn:
        _refuse_mixing("a loop over a parameter")

    def __getattr__(self, name: str) -> Any:
        if name in MIXING:
            _refuse_mixing(f"parameter.{name}()")
        raise AttributeError(f"a density's parameter has no attribute {name!r}")


def _plain(name: str, value: Any, samples: int) -> Array:
    """An operand without a derivative: a number, or one for each sample."""
    array = np.asarray(value)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} got {array.dtype} beside a density's parameters; expected numbers")
    if array.shape not in ((), (1,), (samples,)):
        raise ValueError(
            f"{name} got an array of shape {array.shape} beside a density's parameters, which have "
            f"shape ({samples},), one number a sample"
        )
    return array.astype(np.float64)


def _apply(ufunc: np.ufunc, name: str, inputs: tuple[Any, ...]) -> Any:
    if ufunc in PLAIN:
        return ufunc(*(x.value if isinstance(x, Dual) else x for x in inputs))
    partials = _rule(ufunc)
    samples = next(len(x) for x in inputs if isinstance(x, Dual))
    values = [x.value if isinstance(x, Dual) else _plain(name, x, samples) for x in inputs]
    value = ufunc(*values)
    derivative = sum(
        partial(value, *values) * x.derivative
        for partial, x in zip(partials, inputs, strict=True)
        if isinstance(x, Dual)
    )
    return Dual(value, np.asarray(derivative))


def _where(condition: Any, *choices: Any) -> Any:
    if len(choices) != 2:
        _refuse("np.where without two choices")
    if isinstance(condition, Dual):
        condition = condition.value != 0
    duals = [x for x in choices if isinstance(x, Dual)]
    if not duals:
        return np.where(condition, *choices)
    samples = len(duals[0])
    chosen = _plain("np.where", condition, samples) != 0
    first, second = (_as_dual("np.where", x, duals[0]) for x in choices)
    # A derivative that is not chosen may be nan: it is left out, not multiplied by zero.
    return Dual(
        np.where(chosen, first.value, second.value),
        np.where(chosen, first.derivative, second.derivative),
    )


def _as_dual(name: str, x: Any, like: Dual) -> Dual:
    if isinstance(x, Dual):
        return x
    value = np.broadcast_to(_plain(name, x, len(like)), (len(like),))
    return Dual(value, np.zeros_like(like.derivative))


def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """np.clip: at its ends the derivative is that of the inside."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is not None:
        a = np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def _select(conditions: Any, choices: Any, default: Any = 0) -> Any:
    result = default
    for condition, choice in reversed(list(zip(conditions, choices, strict=True))):
        result = np.where(condition, choice, result)
    return result


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: _where,
    np.clip: _clip,
    np.select: _select,
    np.zeros_like: lambda a: np.zeros(len(a)),
    np.ones_like: lambda a: np.ones(len(a)),
    np.full_like: lambda a, fill_value: np.full(len(a), float(fill_value)),
    np.shape: lambda a: a.shape,
    np.size: lambda a: a.size,
    np.ndim: lambda a: a.ndim,
}
"""NumPy's functions that are no ufuncs."""


def value_and_derivative(
    function: Callable[..., Any], y: Array, raw: Array
) -> tuple[Any, Array | None]:
    """What function(y, *raw) returns, and its derivatives by the rows of raw.

    y has shape (samples,), raw (parameters, samples). What is returned may be anything; it has
    derivatives, of shape (parameters, samples), if it was computed from a parameter.
    """
    parameters, samples = raw.shape
    units = np.repeat(np.eye(parameters)[:, :, np.newaxis], samples, axis=2)
    result = function(y, *(Dual(*pair) for pair in zip(raw, units, strict=True)))
    if isinstance(result, Dual):
        return result.value, result.derivative
    return result, None
