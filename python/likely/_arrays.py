"""User's arrays as the core takes them: C-order matrices in the network's precision.

Whatever is wrong with a shape or a type is said here, before the core sees the data; the core
itself looks for numbers that are not finite or outside a distribution's support.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_NUMERIC_KINDS = "buifO"


def _as_array(argument: str, value: Any, dtype: str) -> NDArray[Any]:
    if value is None:
        raise TypeError(f"{argument} must be an array of numbers; got None")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{argument} must be complete; got a masked array with values masked out")
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged lists
        raise ValueError(f"{argument} must be an array of numbers; {error}") from None
    if array.dtype.kind not in _NUMERIC_KINDS:
        raise TypeError(f"{argument} must be an array of real numbers; got dtype {array.dtype}")
    if array.dtype.kind == "O":
        for item in array.flat:
            if isinstance(item, (str, bytes)):  # NumPy would read the digits
                raise TypeError(
                    f"{argument} must be an array of real numbers; "
                    f"it holds the {type(item).__name__} {item!r}"
                )
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            # Overflow becomes infinity, which the core reports with its row and column.
            return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    except TypeError as error:
        raise TypeError(f"{argument} must be an array of real numbers; {error}") from None
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{argument} must be an array of real numbers; {error}") from None


def as_matrix(
    argument: str, value: Any, columns: int, dtype: str, or_row: bool = False
) -> NDArray[Any]:
    """Return `value` as a C-order matrix (rows, columns); one column may come as a vector.

    With `or_row` a single row of several columns may come as a vector, and stays one.
    """
    array = _as_array(argument, value, dtype)
    if array.ndim == 1 and columns == 1:
        array = array.reshape(-1, 1)
    if or_row and columns > 1 and array.shape == (columns,):
        return array
    if array.ndim != 2 or array.shape[1] != columns:
        hint = ""
        if array.ndim == 1 and array.shape == (columns,):
            hint = f"; a single row is {argument}.reshape(1, -1)"
        also = " or (rows,)" if columns == 1 else f" or ({columns},)" if or_row else ""
        raise ValueError(
            f"{argument} must have shape (rows, {columns}){also}; got shape {array.shape}{hint}"
        )
    if array.shape[0] == 0:
        raise ValueError(f"{argument} must have at least one row; got shape {array.shape}")
    return array


def as_output(argument: str, value: Any, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return `value`, an array to be written into."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{argument} must be a NumPy array; got {type(value).__name__}")
    if value.dtype != dtype:
        raise TypeError(f"{argument} must have the network's dtype {dtype}; got {value.dtype}")
    if value.shape != shape:
        raise ValueError(f"{argument} must have shape {shape}; got shape {value.shape}")
    if not value.flags.writeable:
        raise ValueError(f"{argument} must be writeable; got a read-only array")
    return value


def as_vector(argument: str, value: Any, size: int, dtype: str, each: str) -> NDArray[Any]:
    """Return `value` as a vector of this size; `each` says what there is one number for."""
    array = _as_array(argument, value, dtype)
    if array.shape != (size,):
        raise ValueError(
            f"{argument} must have shape ({size},), one number for each {each}; "
            f"got shape {array.shape}"
        )
    return array


def as_rows(
    argument: str, value: Any, shape: Sequence[int] = (), with_targets: bool = True
) -> NDArray[Any]:
    """Return `value` in float64 as (rows, targets, numbers), for arrays of this shape in each.

    A single such array is one row; without targets there is one target.
    """
    array = _as_array(argument, value, "float64")
    last = tuple(shape)
    first = array.shape[: max(0, array.ndim - len(last))]
    if array.shape != (*first, *last) or len(first) > 1 + with_targets:
        expected = "be a number, or have shape (rows,) or (rows, targets)"
        if last:
            axes = ", ".join(str(length) for length in last)
            comma = "," if len(last) == 1 else ""
            expected = f"have shape ({axes}{comma}), (rows, {axes}) or (rows, targets, {axes})"
            if not with_targets:
                expected = f"have shape ({axes}{comma}) or (rows, {axes})"
        raise ValueError(f"{argument} must {expected}; got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{argument} must hold at least one number; got shape {array.shape}")
    return array.reshape((*(*first, 1, 1)[:2], math.prod(last)))


def as_last_length(argument: str, value: Any) -> int:
    """Return the length of the last axis; of a number 1."""
    array = _as_array(argument, value, "float64")
    return array.shape[-1] if array.ndim else 1


def as_number(argument: str, value: Any) -> float:
    """Return one real number; bools and strings are none."""
    if value is None or isinstance(value, (bool, np.bool_, str, bytes)):
        raise TypeError(f"{argument} must be a number; got {type(value).__name__} {value!r}")
    array = np.asarray(value)
    if array.ndim != 0:
        raise ValueError(f"{argument} must be one number; got shape {array.shape}")
    try:
        return float(value)
    except TypeError:
        raise TypeError(f"{argument} must be a real number; got {value!r}") from None
    except OverflowError:
        raise ValueError(f"{argument} must be a number that float64 holds") from None


def as_probability(argument: str, value: Any) -> float:
    """Return one number in [0, 1]."""
    probability = as_number(argument, value)
    if not 0 <= probability <= 1:
        raise ValueError(f"{argument} must be in [0, 1]; got {probability}")
    return probability


def at_probabilities(
    argument: str, value: Any, quantile: Callable[[float], NDArray[Any]]
) -> NDArray[Any]:
    """Return the quantiles at a number in [0, 1], or at an array of them, whose axes come first."""
    levels = np.asarray(value, dtype=object)
    if levels.size == 0:
        raise ValueError(f"{argument} must hold at least one number; got shape {levels.shape}")
    answers = np.stack([quantile(as_probability(argument, level)) for level in levels.ravel()])
    return answers.reshape(*levels.shape, *answers.shape[1:])


def as_tails(coverage: Any) -> tuple[float, float]:
    """Return the two probabilities between which a central interval of this coverage lies.

    In decimal numbers: as doubles (1 - 0.9) / 2 is below 0.05, and Quantiles knows nothing below
    its lowest level.
    """
    exact = Decimal(repr(as_probability("coverage", coverage)))
    return float((1 - exact) / 2), float((1 + exact) / 2)


def as_base(value: Any) -> float:
    """Return the base of a logarithm, above 1."""
    base = as_number("base", value)
    if not 1 < base < math.inf:
        raise ValueError(f"base must be a finite number above 1; got {base}")
    return base


def as_dtype_name(dtype: DTypeLike) -> str:
    """Return the name of a NumPy dtype; the core says which ones it knows."""
    try:
        return str(dtype) if dtype is None else np.dtype(dtype).name
    except TypeError:
        return str(dtype)


def as_pair(
    x: Any, y: Any, inputs: int, targets: int, dtype: str, prefix: str = ""
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return x and y as matrices with the same number of rows."""
    x_matrix = as_matrix(f"{prefix}x", x, inputs, dtype)
    y_matrix = as_matrix(f"{prefix}y", y, targets, dtype)
    if len(x_matrix) != len(y_matrix):
        raise ValueError(
            f"{prefix}x and {prefix}y must have the same number of rows; "
            f"got {len(x_matrix)} and {len(y_matrix)}"
        )
    return x_matrix, y_matrix


def as_event(
    event: Any, rows: int, targets: int, dtype: str, prefix: str = ""
) -> NDArray[Any] | None:
    """Return which targets were seen as a matrix that fits y, or None."""
    if event is None:
        return None
    matrix = as_matrix(f"{prefix}event", event, targets, dtype)
    if len(matrix) != rows:
        raise ValueError(
            f"{prefix}event must have {rows} rows, one for each of {prefix}y; got {len(matrix)}"
        )
    return matrix


def as_integer(argument: str, value: Any, lowest: int, highest: int = 2**63 - 1) -> int:
    """Return an integer in [lowest, highest]; numpy integers are welcome, bools are not."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{argument} must be an integer; got {type(value).__name__} {value!r}")
    number = int(value.__index__())
    if not lowest <= number <= highest:
        expected = f"at least {lowest}" if number < lowest else f"at most {highest}"
        raise ValueError(f"{argument} must be {expected}; got {number}")
    return number


def as_list(argument: str, value: Any, of: str) -> list[Any]:
    """Return a list; a string is not one."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{argument} must be a list of {of}; got {type(value).__name__} {value!r}")
    return list(value)


def as_seed(value: Any) -> int:
    """Return a seed: an integer in [0, 2**64)."""
    return as_integer("seed", value, 0, 2**64 - 1)


def as_flag(argument: str, value: Any) -> bool:
    """Return a bool; nothing else is taken for one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False; got {type(value).__name__} {value!r}")
    return bool(value)
