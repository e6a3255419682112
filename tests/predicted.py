"""Predictions that SciPy makes: what metrics and calibration need of a distribution, and no more.

They stand for families by their names, so that what is special about whole numbers and about
quantiles is held to numbers that the package has not made.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]


class Poisson:
    """A family by name."""


class Quantiles:
    """A family by name."""

    def __init__(self, levels: tuple[float, ...]) -> None:
        self.levels = levels


class Counts:
    """Poisson distributions."""

    distribution: Any = Poisson()

    def __init__(self, rate: ArrayLike) -> None:
        self.rate = np.asarray(rate, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.rate)

    def cdf(self, y: Any) -> Array:
        return np.asarray(stats.poisson.cdf(np.asarray(y), self.rate))

    def quantile(self, probability: float) -> Array:
        # SciPy has -1 at 0.
        return np.maximum(stats.poisson.ppf(probability, self.rate), 0)

    def interval(self, coverage: float) -> tuple[Array, Array]:
        return self.quantile((1 - coverage) / 2), self.quantile((1 + coverage) / 2)


class Levels:
    """Quantiles of standard normals moved to loc, known at and between the levels alone."""

    def __init__(self, levels: tuple[float, ...], loc: ArrayLike) -> None:
        self.distribution: Any = Quantiles(levels)
        self.at = stats.norm.ppf(levels)
        self.loc = np.asarray(loc, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.loc)

    def cdf(self, y: Any) -> Array:
        levels = self.distribution.levels
        return np.interp(np.asarray(y) - self.loc, self.at, levels, left=np.nan, right=np.nan)

    def quantile(self, probability: float) -> Array:
        levels = self.distribution.levels
        return self.loc + np.interp(probability, levels, self.at, left=np.nan, right=np.nan)

    def interval(self, coverage: float) -> tuple[Array, Array]:
        return self.quantile((1 - coverage) / 2), self.quantile((1 + coverage) / 2)
