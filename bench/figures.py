"""Measured numbers as text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def spread(values: Sequence[float] | NDArray[Any], digits: int) -> str:
    """The median and, in brackets, the quartiles."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
