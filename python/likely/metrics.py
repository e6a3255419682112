"""How good predicted distributions are: scores, and whether their probabilities come true.

Each metric takes the predicted distributions and what was observed, and is the mean over the rows:
a number for one target column, an array (targets,) for several, whose units may differ.
`quantile`, `interval` and `cdf` are all that coverage, width, pinball loss and PIT values need, so
that they take recalibrated predictions too (`likely.recalibrate`). Of right-censored targets only
`negative_log_likelihood` knows (`event`); all others take each y for what was seen, which makes
predictions of times that were cut off look worse than they are.

>>> import likely, numpy as np
>>> y = np.random.default_rng(0).normal(size=1000)
>>> honest, timid = (
...     likely.PredictiveDistribution.from_params("normal", loc=np.zeros(1000), scale=scale)
...     for scale in (1.0, 2.0)
... )
>>> [round(likely.metrics.negative_log_likelihood(d, y), 2) for d in (honest, timid)]
[1.4, 1.73]
>>> [round(likely.metrics.interval_coverage(d, y, 0.5), 2) for d in (honest, timid)]
[0.51, 0.84]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likely._arrays import as_integer, as_probability, as_seed
from likely._evaluation import (
    Predicted,
    classes_of,
    confidences,
    family_name,
    finite,
    in_double,
    interval_of,
    method_of,
    observed_by,
    quantile_of,
    refuse,
    reliability,
)
from likely.predictive import PredictiveDistribution

__all__ = [
    "brier_score",
    "crps",
    "expected_calibration_error",
    "interval_coverage",
    "interval_width",
    "negative_log_likelihood",
    "pinball_loss",
    "pit_values",
]

Metric = float | NDArray[np.float64]


def negative_log_likelihood(d: PredictiveDistribution, y: Any, event: Any = None) -> Metric:
    """Mean negative log-likelihood, -log_prob(y), in nats and in the units of y.

    Parameters
    ----------
    d : PredictiveDistribution
        A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        What was observed, within the family's support.
    event : array of shape (rows,) or (rows, targets), optional
        1 where the target was seen, 0 where it is right-censored at y: there -log of the
        probability to exceed y counts. For `Exponential`, `Weibull` and `LogNormal`.

    Returns
    -------
    float, or array of shape (targets,)
        Lower is better. The sum over target columns is `Network.loss`. Of a MultivariateNormal one
        number: its rows have one density each.

    Raises
    ------
    TypeError
        Where d is no predicted distribution, or a recalibrated one, which has no density.
    ValueError
        Where y has another shape or is outside the support, or the family has no density; where
        event is neither 0 nor 1, or the family takes none.

    Notes
    -----
    Source: Good (1952), 'Rational decisions'.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("bernoulli", probs=[0.5, 0.25])
    >>> round(likely.metrics.negative_log_likelihood(d, [0, 1]), 4)  # (log 2 + log 4) / 2
    1.0397

    """
    method_of(d, "log_prob", "crps or pinball_loss")
    refuse(d, "negative_log_likelihood", ("Quantiles",), "has no density: use pinball_loss")
    return _mean(-d.log_prob(y, event).astype(np.float64))


def crps(d: PredictiveDistribution, y: Any) -> Metric:
    """Mean continuous ranked probability score, in the units of y; of a point the absolute error.

    The integral of (cdf(z) - [y <= z])**2 over z.

    Parameters
    ----------
    d : PredictiveDistribution
        A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        What was observed.

    Returns
    -------
    float, or array of shape (targets,)
        Lower is better. Of Ordinal the ranked probability score, counted in levels; of a
        MultivariateNormal that of each marginal.

    Raises
    ------
    TypeError, ValueError
        As `negative_log_likelihood`; also for Categorical, whose labels have no distances, and for
        Quantiles, which is silent outside its levels.

    Notes
    -----
    Source: Gneiting and Raftery (2007), 'Strictly proper scoring rules, prediction, and
    estimation'.

    """
    score = method_of(d, "crps", "pinball_loss at many levels, of which crps is twice the mean")
    refuse(d, "crps", ("Categorical",), "has labels without distances: use brier_score")
    refuse(d, "crps", ("Quantiles",), "is silent outside its levels: use pinball_loss")
    return _mean(score(y))


def pinball_loss(d: Predicted, y: Any, levels: float | Sequence[float]) -> Metric:
    """Mean pinball loss of quantiles, (level - [y < q]) (y - q), in the units of y.

    Parameters
    ----------
    d : PredictiveDistribution or RecalibratedDistribution
        A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        What was observed. Angles (VonMises) are taken modulo 2 pi.
    levels : float or sequence of float
        The probabilities of the quantiles; of several the mean over them. At many even levels it
        is half the `crps`.

    Returns
    -------
    float, or array of shape (targets,)
        Lower is better. At level 0.5 half the absolute error of the median.

    Raises
    ------
    TypeError, ValueError
        Where d is no predicted distribution, y has another shape or a number that is not finite,
        a level is outside of [0, 1] or has no quantile, or for Categorical.

    Notes
    -----
    Source: Koenker and Bassett (1978), 'Regression quantiles'.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("normal", loc=[0.0, 0.0], scale=1.0)
    >>> likely.metrics.pinball_loss(d, [1.0, -3.0], 0.5)  # (1 + 3) / 2 / 2
    1.0

    """
    method_of(d, "quantile")
    refuse(d, "pinball_loss", ("Categorical",), "has labels without order: use brier_score")
    chosen = np.asarray(levels, dtype=object)
    if chosen.ndim > 1 or chosen.size == 0:
        raise ValueError(
            f"levels must be a number or a sequence of numbers; got shape {chosen.shape}"
        )
    losses = []
    for level in [as_probability("levels", level) for level in chosen.ravel()]:
        quantile = quantile_of(d, level)
        error = observed_by(d, y, quantile) - quantile
        losses.append(np.maximum(level * error, (level - 1) * error))
    return _mean(np.mean(losses, axis=0))


def interval_coverage(d: Predicted, y: Any, coverage: float) -> Metric:
    """Share of the rows whose central interval of this probability holds the target.

    Parameters
    ----------
    d : PredictiveDistribution or RecalibratedDistribution
        A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        What was observed. Angles (VonMises) are taken modulo 2 pi.
    coverage : float
        The probability of the interval, in [0, 1].

    Returns
    -------
    float, or array of shape (targets,)
        About `coverage` for calibrated predictions of a continuous target; counts and levels, whose
        intervals end at whole numbers, may have more. Both ends belong to the interval.

    Raises
    ------
    TypeError, ValueError
        As `pinball_loss`.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=1.0)
    >>> likely.metrics.interval_coverage(d, [-2.0, -0.5, 0.5, 1.5], 0.9)
    0.75

    """
    lower, upper = interval_of(d, "interval_coverage", coverage)
    observed = observed_by(d, y, lower)
    return _mean((lower <= observed) & (observed <= upper))


def interval_width(d: Predicted, coverage: float) -> Metric:
    """Mean width of the central intervals of this probability, in the units of the target.

    Of predictions whose coverage is right, the narrower are the better: sharpness.

    Parameters
    ----------
    d : PredictiveDistribution or RecalibratedDistribution
    coverage : float
        The probability of the interval, in [0, 1].

    Returns
    -------
    float, or array of shape (targets,)

    Raises
    ------
    TypeError, ValueError
        As `pinball_loss`.

    Notes
    -----
    Source: Gneiting, Balabdaoui and Raftery (2007), 'Probabilistic forecasts, calibration and
    sharpness'.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=[1.0, 2.0])
    >>> round(likely.metrics.interval_width(d, 0.9), 4)  # 2 * 1.6449 * (1 + 2) / 2
    4.9346

    """
    lower, upper = interval_of(d, "interval_width", coverage)
    return _mean(upper - lower)


def pit_values(d: Predicted, y: Any, seed: int = 0) -> NDArray[np.float64]:
    """Probability integral transforms: the cdf of each row at what was observed.

    They are uniform on [0, 1] where predictions are calibrated; a heap at both ends tells of
    intervals that are too narrow, a heap in the middle of too wide ones, a slope of a bias.
    Where the cdf jumps (counts, classes), a value is drawn evenly from the jump.

    Parameters
    ----------
    d : PredictiveDistribution or RecalibratedDistribution
        A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        What was observed.
    seed : int, default 0
        Decides the draws.

    Returns
    -------
    array of shape (rows,) or (rows, targets)
        In [0, 1]. Quantiles, silent outside its levels, gives a draw from between 0 and its lowest
        or from between its highest level and 1.

    Raises
    ------
    TypeError, ValueError
        Where d is no predicted distribution, y has another shape, a number that is not finite or
        one outside the support, or for Categorical, whose labels have no order.

    Notes
    -----
    Source: Dawid (1984), 'The prequential approach'; for counts Czado, Gneiting and Held (2009),
    'Predictive model assessment for count data'.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=1.0)
    >>> likely.metrics.pit_values(d, [-1.6449, 0.0, 1.6449]).round(4)
    array([0.05, 0.5 , 0.95])

    """
    method_of(d, "cdf")
    instead = "has labels without order: use expected_calibration_error"
    refuse(d, "pit_values", ("Categorical",), instead)
    draws = np.random.default_rng(as_seed(seed))
    at = d.cdf(y)
    base = getattr(d, "_base", d)  # of recalibrated predictions
    if isinstance(base, PredictiveDistribution):
        base._possible(y)
    observed = finite(y, at).astype(at.dtype)
    just_below = np.nextafter(observed, -np.inf, dtype=at.dtype)
    upper, lower = in_double(d, y, at), in_double(d, just_below, d.cdf(just_below))
    if family_name(d) == "Quantiles":
        family: Any = d.distribution
        levels = family.levels
        lowest = d.quantile(levels[0])
        upper = np.where(np.isnan(upper), np.where(observed < lowest, levels[0], 1), upper)
        lower = np.where(np.isnan(lower), np.where(just_below < lowest, 0, levels[-1]), lower)
    pit: NDArray[np.float64] = lower + draws.random(upper.shape) * (upper - lower)
    return pit


def brier_score(d: PredictiveDistribution, y: Any) -> Metric:
    """Mean Brier score: the squared distance of predicted probabilities to what came.

    Parameters
    ----------
    d : PredictiveDistribution
        Of Bernoulli, Categorical or Ordinal. A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        Classes 0, 1, ..., K-1.

    Returns
    -------
    float, or array of shape (targets,)
        Lower is better. Bernoulli: mean of (P(1) - y)**2, in [0, 1]. Otherwise the sum over the
        classes of (P(k) - [y = k])**2, in [0, 2]: for two classes twice as much.

    Raises
    ------
    TypeError, ValueError
        Where d is no predicted distribution or has no classes, or y has another shape or is no
        class.

    Notes
    -----
    Source: Brier (1950), 'Verification of forecasts expressed in terms of probability'.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("bernoulli", probs=[0.5, 0.9])
    >>> round(likely.metrics.brier_score(d, [0, 1]), 4)  # (0.25 + 0.01) / 2
    0.13

    """
    probabilities, labels = classes_of(d, y, "brier_score")
    if family_name(d) == "Bernoulli":
        return _mean(np.square(probabilities - labels))
    came = labels[..., None] == np.arange(probabilities.shape[-1])
    return _mean(np.square(probabilities - came).sum(axis=-1))


def expected_calibration_error(d: PredictiveDistribution, y: Any, bins: int = 15) -> Metric:
    """How far predicted probabilities of classes are from what comes true, on average.

    Rows are put into even bins of their probability; the error is the mean over the rows of
    abs(mean probability - share that came true) of their bins.

    Parameters
    ----------
    d : PredictiveDistribution
        Of Bernoulli, Categorical or Ordinal. A single row stands against every row of y.
    y : array of shape (rows,) or (rows, targets)
        Classes 0, 1, ..., K-1.
    bins : int, default 15

    Returns
    -------
    float, or array of shape (targets,)
        In [0, 1], lower is better; with few rows in a bin more than 0 also where predictions are
        calibrated. Bernoulli: of the probability of 1 (Naeini, Cooper and Hauskrecht 2015).
        Otherwise of the most probable class being right (Guo et al. 2017).

    Raises
    ------
    TypeError, ValueError
        As `brier_score`; or where bins is no integer of at least 1.

    Notes
    -----
    Source: Naeini, Cooper and Hauskrecht (2015), 'Obtaining well calibrated probabilities using
    Bayesian binning'; Guo et al. (2017), 'On calibration of modern neural networks'.

    Examples
    --------
    >>> import likely
    >>> d = likely.PredictiveDistribution.from_params("bernoulli", probs=[0.8, 0.8, 0.8, 0.8])
    >>> round(likely.metrics.expected_calibration_error(d, [0, 1, 0, 1]), 4)
    0.3

    """
    count = as_integer("bins", bins, 1)
    claimed, true = confidences(d, y, "expected_calibration_error")
    errors = []
    for column, came in zip(*(np.atleast_2d(a.T) for a in (claimed, true)), strict=True):
        probability, share, rows = reliability(column, came, count)
        errors.append(np.abs(probability - share) @ rows / len(column))
    return float(errors[0]) if claimed.ndim == 1 else np.array(errors)


def _mean(values: NDArray[Any]) -> Metric:
    mean: NDArray[np.float64] = np.mean(values, axis=0, dtype=np.float64)
    return float(mean) if mean.ndim == 0 else mean
