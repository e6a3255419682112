"""What metrics, calibration and pictures ask of predictions and of what was observed.

The kinds of families by name; observations in the shape of the predictions' statistics; the classes
that came beside their probabilities; and the band that chance explains.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from likely import _core
from likely._arrays import as_matrix, as_probability
from likely.predictive import PredictiveDistribution

CLASSES = ("Bernoulli", "Categorical", "Ordinal")
COUNTS = ("Poisson", "NegativeBinomial", "ZeroInflated", "Binomial")
"""Families of whole numbers by name; Mixture may have any of `COUNTS` as its component."""

CONFIDENCE = 0.95
"""Of the bands around what calibrated predictions would give."""


class Predicted(Protocol):
    """What knows quantiles and probabilities: a predicted distribution, recalibrated or not."""

    def __len__(self) -> int:
        """Return the number of rows."""

    @property
    def distribution(self) -> _core.Distribution:
        """The family."""

    def quantile(self, probability: float) -> NDArray[Any]:
        """Return the values that targets stay below with this probability."""

    def interval(self, coverage: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the central interval of this probability."""

    def cdf(self, y: Any) -> NDArray[Any]:
        """Return the probability of at most y."""


def in_double(d: Predicted, y: Any, cdf: NDArray[Any]) -> NDArray[np.float64]:
    """Return the cdf at y in float64; where float32 rounds it to 1, `sf` knows better."""
    below = cdf.astype(np.float64)
    survival: Callable[[Any], NDArray[Any]] | None = getattr(d, "sf", None)
    if survival is None or cdf.dtype == np.float64:
        return below
    return np.where(below < 0.5, below, 1 - survival(y).astype(np.float64))


def confidences(
    d: PredictiveDistribution, y: Any, metric: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return probabilities of an event for each row and target column, and whether it came.

    Bernoulli: of a 1. Otherwise: of the most probable class being the one that comes.
    """
    probabilities, labels = classes_of(d, y, metric)
    if family_name(d) == "Bernoulli":
        claimed, true = probabilities, labels == 1
    else:
        claimed, true = probabilities.max(axis=-1), probabilities.argmax(axis=-1) == labels
    return np.broadcast_to(claimed, labels.shape), true


def reliability(
    claimed: NDArray[np.float64], true: NDArray[np.bool_], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return mean probability, share that came true and rows of each bin with rows."""
    place = np.minimum((claimed * bins).astype(np.intp), bins - 1)
    rows = np.bincount(place, minlength=bins)
    filled = np.flatnonzero(rows)
    probability, share = (
        np.bincount(place, values, bins)[filled] / rows[filled] for values in (claimed, true)
    )
    return probability, share, rows[filled]


def is_discrete(family: _core.Distribution) -> bool:
    """Whether a family is one of whole numbers that have an order."""
    name = type(getattr(family, "component", family)).__name__
    return name in COUNTS or name in ("Bernoulli", "Ordinal")


def is_angle(family: _core.Distribution) -> bool:
    """Whether targets are angles, which end where they begin."""
    return type(getattr(family, "component", family)).__name__ == "VonMises"


def family_name(d: Predicted) -> str:
    """Return what the family is called."""
    return type(d.distribution).__name__


def method_of(d: Any, method: str, instead: str = "") -> Callable[..., NDArray[Any]]:
    """Return a method of d."""
    found: Callable[..., NDArray[Any]] | None = getattr(d, method, None)
    if not callable(found):
        hint = f"; use {instead}" if instead and callable(getattr(d, "quantile", None)) else ""
        raise TypeError(
            f"d must be a predicted distribution with {method}; got {type(d).__name__}{hint}"
        )
    return found


def refuse(d: Predicted, metric: str, families: tuple[str, ...], because: str) -> None:
    """Raise ValueError where a metric makes no sense for the family."""
    if family_name(d) in families:
        raise ValueError(f"{metric} is not for {family_name(d)}, which {because}")


def finite(y: Any, like: NDArray[Any]) -> NDArray[np.float64]:
    """Return y in the shape of statistics like this one, (rows,) or (rows, targets)."""
    matrix = as_matrix("y", y, 1 if like.ndim == 1 else like.shape[1], "float64")
    if len(like) not in (1, len(matrix)):
        raise ValueError(
            f"y must have {len(like)} rows, one for each prediction; got {len(matrix)}"
        )
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        row, column = bad[0]
        raise ValueError(f"y must be finite; row {row}, column {column} is {matrix[row, column]}")
    return matrix[:, 0] if like.ndim == 1 else matrix


def observed_by(d: Predicted, y: Any, like: NDArray[Any]) -> NDArray[np.float64]:
    """Return y as `finite`, angles within the turn that the predicted quantiles are in."""
    observed = finite(y, like)
    if not is_angle(d.distribution):
        return observed
    start = d.quantile(0.0)
    turned: NDArray[np.float64] = start + np.mod(observed - start, 2 * np.pi)
    return turned


def quantile_of(d: Predicted, probability: float) -> NDArray[np.float64]:
    """Return quantiles, or say that there are none."""
    values = d.quantile(probability)
    if np.isnan(values).any():
        raise ValueError(
            f"{family_name(d)} has no quantile at {probability:g}; use levels within its own"
        )
    return values.astype(np.float64)


def interval_of(
    d: Predicted, metric: str, coverage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the central interval as `interval` has it, or say why there is none."""
    method_of(d, "interval")
    refuse(d, metric, ("Categorical",), "has labels without order: use brier_score")
    lower, upper = d.interval(as_probability("coverage", coverage))
    if np.isnan(lower).any() or np.isnan(upper).any():
        raise ValueError(
            f"coverage must be one that {family_name(d)} has an interval of, its tails within its "
            f"levels; got {coverage:g}"
        )
    return lower.astype(np.float64), upper.astype(np.float64)


def classes_of(
    d: PredictiveDistribution, y: Any, metric: str
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return probabilities, of classes along a last axis unless Bernoulli, and labels."""
    if not isinstance(d, PredictiveDistribution):
        raise TypeError(f"d must be a PredictiveDistribution; got {type(d).__name__}")
    if family_name(d) not in CLASSES:
        raise ValueError(
            f"{metric} is for {', '.join(CLASSES)}, not for {family_name(d)}: use crps or "
            "pit_values"
        )
    probabilities = d.params["probs"].astype(np.float64)
    binary = family_name(d) == "Bernoulli"
    classes = 2 if binary else probabilities.shape[-1]
    observed = finite(y, probabilities if binary else probabilities[..., 0])
    bad = np.argwhere(~np.isin(observed, np.arange(classes)))
    if len(bad):
        raise ValueError(
            f"y must be a class, one of 0 to {classes - 1}; row {bad[0][0]} is "
            f"{observed[tuple(bad[0])]:g}"
        )
    return probabilities, observed.astype(np.intp)


def binomial_interval(rows: int, probability: float) -> tuple[int, int]:
    """Return the central interval of a binomial that has at least `CONFIDENCE`."""
    if not 0 < probability < 1:
        return (0, 0) if probability <= 0 else (rows, rows)
    middle = rows * probability
    reach = 9 * math.sqrt(middle * (1 - probability)) + 20  # what is beyond has no weight
    k = np.arange(max(0, math.floor(middle - reach)), min(rows, math.ceil(middle + reach)) + 1)
    steps = np.log((rows - k[:-1]) / (k[1:]) * (probability / (1 - probability)))
    log_weights = np.concatenate([[0.0], np.cumsum(steps)])
    cdf = np.cumsum(np.exp(log_weights - log_weights.max()))
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.searchsorted(cdf / cdf[-1], [tail, 1 - tail])
    return int(k[lower]), int(k[upper])
