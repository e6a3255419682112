"""User's arrays as the core takes them: C-order matrices in the network's precision.

Whatever is wrong with a shape or a type is said here, before the core sees the data; the core itself
looks for numbers that are not finite or outside a distribution's support.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMERIC_KINDS = "buifO"


def _as_array(argument: str, value: Any, dtype: str) -> NDArray[Any]:
    if value is None:
        raise TypeError(f"{argument} must be an array of numbers; got None")
    array = np.asarray(value)
    if array.dtype.kind not in _NUMERIC_KINDS:
        raise TypeError(f"{argument} must be an array of real numbers; got dtype {array.dtype}")
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            # Overflow becomes infinity, which the core reports with its row and column.
            return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{argument} must be an array of real numbers; {error}") from None


def as_matrix(argument: str, value: Any, columns: int, dtype: str) -> NDArray[Any]:
    """Return `value` as a C-order matrix (rows, columns); one column may come as a vector."""
    array = _as_array(argument, value, dtype)
    if array.ndim == 1 and columns == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != columns:
        hint = ""
        if array.ndim == 1 and array.shape == (columns,):
            hint = f"; a single row is {argument}.reshape(1, -1)"
        also = " or (rows,)" if columns == 1 else ""
        raise ValueError(
            f"{argument} must have shape (rows, {columns}){also}; got shape {array.shape}{hint}"
        )
    if array.shape[0] == 0:
        raise ValueError(f"{argument} must have at least one row; got shape {array.shape}")
    return array


def as_vector(argument: str, value: Any, rows: int, dtype: str) -> NDArray[Any]:
    """Return `value` as a vector with one number for each row."""
    array = _as_array(argument, value, dtype)
    if array.shape != (rows,):
        raise ValueError(
            f"{argument} must have shape ({rows},), one number for each row of x; "
            f"got shape {array.shape}"
        )
    return array


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


def as_integer(argument: str, value: Any, lowest: int, highest: int = 2**63 - 1) -> int:
    """Return an integer in [lowest, highest]; numpy integers are welcome, bools are not."""
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise TypeError(f"{argument} must be an integer; got {type(value).__name__} {value!r}")
    number = int(value.__index__())
    if not lowest <= number <= highest:
        expected = f"at least {lowest}" if number < lowest else f"at most {highest}"
        raise ValueError(f"{argument} must be {expected}; got {number}")
    return number


def as_seed(value: Any) -> int:
    """Return a seed: an integer in [0, 2**64)."""
    return as_integer("seed", value, 0, 2**64 - 1)


def as_flag(argument: str, value: Any) -> bool:
    """Return a bool; nothing else is taken for one."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False; got {type(value).__name__} {value!r}")
    return bool(value)
