"""Making the probabilities of a fitted network come true, with rows that it was not fitted to.

`recalibrate` bends the predicted distributions so that they are right on average; `conformal` gives
intervals whose coverage is guaranteed for any number of held-out rows. Both refuse the rows that
the network was fitted to: a network is surest of these.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likely import _core
from likely._arrays import (
    as_integer,
    as_pair,
    as_probability,
    as_seed,
    as_tails,
    at_probabilities,
)
from likely._evaluation import in_double, is_discrete
from likely.metrics import pit_values
from likely.network import Network
from likely.predictive import PredictiveDistribution

__all__ = [
    "ConformalNetwork",
    "RecalibratedDistribution",
    "RecalibratedNetwork",
    "conformal",
    "recalibrate",
]

_STRATA = 4096  # of the probabilities that samples are drawn at


class RecalibratedDistribution:
    """Predicted distributions with recalibrated probabilities; made by a `RecalibratedNetwork`.

    Arrays have shape (rows,) for one target column and (rows, targets) for several, and are in the
    user's units. The recalibrated cdf is a step for each held-out row, drawn with straight lines:
    it has no density worth the name, hence no `log_prob`.
    """

    def __init__(self, base: PredictiveDistribution, maps: list[_ProbabilityMap]) -> None:
        self._base = base
        self._maps = maps

    def __len__(self) -> int:
        return len(self._base)

    def __repr__(self) -> str:
        return f"RecalibratedDistribution({self._base!r})"

    def __getitem__(self, rows: Any) -> RecalibratedDistribution:
        """The same for some rows: a number, a slice, a mask or an array of row numbers."""
        return RecalibratedDistribution(self._base[rows], self._maps)

    @property
    def distribution(self) -> _core.Distribution:
        """The family of the predictions that were recalibrated."""
        return self._base.distribution

    @property
    def median(self) -> NDArray[Any]:
        """The quantile at 0.5."""
        return self.quantile(0.5)

    def quantile(self, probability: ArrayLike) -> NDArray[Any]:
        """The value that the target stays below with this probability, in [0, 1].

        At several probabilities the answers stand along first axes of their own. Infinite where so
        many held-out targets lay where the network's cdf is 0, or 1 to the last bit (of a Normal
        from 8 standard deviations on).
        """

        def at(p: float) -> NDArray[Any]:
            return _columns([self._base.quantile(float(of.predicted(p))) for of in self._maps])

        return at_probabilities("probability", probability, at)

    def interval(self, coverage: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """The central interval that holds the target with this probability: (lower, upper)."""
        lower, upper = as_tails(coverage)
        return self.quantile(lower), self.quantile(upper)

    def cdf(self, y: Any) -> NDArray[Any]:
        """The probability that the target is at most y, y as (rows,) or (rows, targets)."""
        predicted = in_double(self._base, y, self._base.cdf(y))
        return _columns([of.recalibrated(predicted) for of in self._maps])

    def sample(self, n: int, seed: int = 0) -> NDArray[Any]:
        """Draw n values for every row: (n, rows) or (n, rows, targets), a function of the seed."""
        count = as_integer("n", n, 1)
        generator = np.random.default_rng(as_seed(seed))
        rows, several = len(self), len(self._maps) > 1
        drawn = np.empty((count * rows, len(self._maps)))
        for column, of in enumerate(self._maps):
            # One probability for all draws that fall into a stratum, a new one for each seed:
            # each draw is uniform, and quantiles are asked for a stratum at a time.
            probabilities = (np.arange(_STRATA) + generator.random(_STRATA)) / _STRATA
            stratum = generator.integers(_STRATA, size=count * rows)
            order = np.argsort(stratum, kind="stable")
            for draws in np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1):
                p = of.predicted(probabilities[stratum[draws[0]]])
                values = self._base[draws % rows].quantile(float(p))
                drawn[draws, column] = values[:, column] if several else values
        shaped: NDArray[Any] = drawn.reshape(count, rows, -1)
        return shaped if several else shaped[..., 0]


class RecalibratedNetwork:
    """A network whose predicted distributions are recalibrated; made by `recalibrate`.

    Attributes
    ----------
    network : Network
        The one that was given. A later fit of it makes the recalibration a wrong one.
    """

    def __init__(self, network: Network, maps: list[Any]) -> None:
        self.network = network
        self._maps = maps

    def __repr__(self) -> str:
        return f"RecalibratedNetwork({self.network!r})"

    def predict_distribution(self, x: Any) -> RecalibratedDistribution | PredictiveDistribution:
        """Predict the recalibrated distribution for each row of x, shape (rows, inputs).

        Of Bernoulli and Categorical it is a PredictiveDistribution, with other probabilities.
        """
        d = self.network.predict_distribution(x)
        if not _has_classes(d):
            return RecalibratedDistribution(d, self._maps)
        claimed = _claims(d)
        bent = np.stack([of(c) for of, c in zip(self._maps, claimed, strict=True)], axis=-1)
        bent = bent.reshape(len(d), self.network.targets, -1)
        if bent.shape[-1] == 1:
            probabilities = bent[..., 0]
        else:
            probabilities = bent / bent.sum(axis=-1, keepdims=True)
        return PredictiveDistribution.from_params(
            d.distribution, dtype=self.network.dtype, probs=probabilities
        )


def recalibrate(network: Network, x: Any, y: Any) -> RecalibratedNetwork:
    """Correct the predicted probabilities of a fitted network by held-out rows.

    Where a tenth of the held-out targets lie below what was predicted as the 3 % quantile, that
    becomes the 10 % quantile, and so on for all probabilities; the same correction for every row,
    so that it is calibrated on average over the rows that come.

    Parameters
    ----------
    network : Network
        Fitted, of any family but MultivariateNormal and Quantiles. It is not changed.
    x : array of shape (rows, inputs)
        Held-out rows; a few hundred or more. Those that early stopping looked at will do: they
        chose the epoch, which flatters a little.
    y : array of shape (rows, targets)
        (rows,) will do for one target. Each target column is corrected by itself. All count as
        seen: a right-censored one bends the correction towards times that are too short.

    Returns
    -------
    RecalibratedNetwork
        Its `predict_distribution` has quantile, interval, median, cdf and sample; for Bernoulli
        and Categorical all that a PredictiveDistribution has.

    Raises
    ------
    TypeError
        Where network is no Network, or x and y are no numbers.
    ValueError
        Where a tenth or more of the rows, beyond what chance explains, are known from a fit;
        where shapes, values or the family will not do.
    ImportError
        Of classes, where SciPy is not installed (``pip install "likely[stats]"``).

    Notes
    -----
    The correction is the isotonic regression of the empirical frequency of the PIT values (see
    `likely.metrics.pit_values`) on themselves. Their k-th smallest of n counts as k / (n + 1), its
    expectation where predictions are calibrated; points so defined are in order already, so they
    are their own isotonic regression, with straight lines between.

    Of classes the isotonic regression of what came on the predicted probability, class by class,
    divided by the sum where there are more than two. One event at probability 0 and one missing
    one at 1 are added, so that no class becomes impossible. Ordinal is treated as counts are.

    Rows are known by codes of at most 4096 training rows, kept by fits and pickles of the network,
    but not in its model file: a loaded network can refuse nothing.

    Source: Kuleshov, Fenner and Ermon (2018), 'Accurate uncertainties for deep learning using
    calibrated regression'; Zadrozny and Elkan (2002), 'Transforming classifier scores into
    accurate multiclass probability estimates'.

    Examples
    --------
    >>> import likely, numpy as np
    >>> x = np.linspace(-1, 1, 3000)
    >>> y = np.random.default_rng(0).normal(size=3000)
    >>> network = likely.Network(inputs=1, distribution=likely.Normal(scale=0.4))
    >>> history = likely.Trainer(epochs=5).fit(network, x[::3], y[::3])
    >>> better = likely.recalibrate(network, x[1::3], y[1::3])
    >>> for model in (network, better):
    ...     d = model.predict_distribution(x[2::3])
    ...     print(round(likely.metrics.interval_coverage(d, y[2::3], 0.8), 1))
    0.3
    0.8

    """
    d, y_matrix = _held_out(network, x, y)
    for family, because in (
        ("MultivariateNormal", "whose columns would be torn apart"),
        ("Quantiles", "which is silent outside its levels"),
    ):
        if type(d.distribution).__name__ == family:
            raise ValueError(
                f"network must not predict a {family}, {because}: likely.conformal has intervals"
            )
    if not _has_classes(d):
        pit = pit_values(d, y_matrix).reshape(y_matrix.shape)
        return RecalibratedNetwork(network, [_ProbabilityMap(column) for column in pit.T])
    claims = _claims(d)
    classes = len(claims) // network.targets
    labels = [1] if classes == 1 else range(classes)
    came = [column == label for column in y_matrix.T for label in labels]
    return RecalibratedNetwork(
        network, [_ClassMap(p, event) for p, event in zip(claims, came, strict=True)]
    )


class ConformalNetwork:
    """A network with intervals of guaranteed coverage; made by `conformal`.

    Attributes
    ----------
    network : Network
        The one that was given. A later fit of it makes the guarantee void.
    """

    def __init__(self, network: Network, d: PredictiveDistribution, y: NDArray[Any]) -> None:
        self.network = network
        self._held_out = d
        self._y = y.astype(np.float64)
        self._widenings: dict[float, NDArray[np.float64]] = {}

    def __repr__(self) -> str:
        return f"ConformalNetwork({self.network!r}, rows={len(self._y)})"

    def interval(self, x: Any, coverage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return intervals that hold the targets of new rows with at least this probability.

        Parameters
        ----------
        x : array of shape (rows, inputs)
        coverage : float
            The probability: above 0, at most n / (n + 1) with n held-out rows. Quantiles needs
            levels at both tails, (1 - coverage) / 2.

        Returns
        -------
        lower, upper : arrays of shape (rows,) or (rows, targets)
            Whole numbers where the target is one.

        Raises
        ------
        TypeError, ValueError
            Where x has another shape, or there are too few rows, or no quantiles, for this
            coverage.

        """
        probability = as_probability("coverage", coverage)
        if probability not in self._widenings:
            self._widenings[probability] = self._widening(probability)
        d = self.network.predict_distribution(x)
        lower, upper, width = self._interval(d, probability)
        move = self._widenings[probability] * width
        columns = (len(d), self.network.targets)
        least, most = (d.quantile(p).astype(np.float64).reshape(columns) for p in (0.0, 1.0))
        # fmax and fmin: Quantiles does not know where the support ends.
        lower, upper = np.fmax(lower - move, least), np.fmin(upper + move, most)
        if is_discrete(self.network.distribution):
            lower, upper = np.ceil(lower - 1e-9), np.floor(upper + 1e-9)  # rounding errors aside
        if self.network.targets == 1:
            return lower[:, 0], upper[:, 0]
        return lower, upper

    def _interval(
        self, d: PredictiveDistribution, coverage: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the predicted central interval and its width, (rows, targets)."""
        shape = (len(d), self.network.targets)
        ends = d.interval(coverage)
        least = np.spacing(np.abs(ends[1])).reshape(shape)  # where both ends are one number
        lower, upper = (end.astype(np.float64).reshape(shape) for end in ends)
        if np.isnan(lower).any() or np.isnan(upper).any():
            raise ValueError(
                f"coverage must be one whose tails are within the levels of "
                f"{type(d.distribution).__name__}; got {coverage:g}"
            )
        width = upper - lower + is_discrete(d.distribution)
        return lower, upper, np.maximum(width, least)

    def _widening(self, coverage: float) -> NDArray[np.float64]:
        """Return by how much of its width an interval moves each of its ends, (targets,)."""
        rows = len(self._y)
        rank = math.ceil((rows + 1) * coverage - 1e-9)  # 0.9 * 10 is 9, whatever its last bit says
        if not 1 <= rank <= rows:
            needs = ""
            if 0 < coverage < 1:
                needs = f", which needs {math.ceil(coverage / (1 - coverage) - 1e-9)}"
            raise ValueError(
                f"coverage must be above 0 and at most {rows / (rows + 1):.6g} with {rows} "
                f"held-out rows; got {coverage:g}{needs}"
            )
        lower, upper, width = self._interval(self._held_out, coverage)
        beyond = np.maximum(lower - self._y, self._y - upper)
        score: NDArray[np.float64] = np.partition(beyond / width, rank - 1, axis=0)[rank - 1]
        return score


def conformal(network: Network, x: Any, y: Any) -> ConformalNetwork:
    """Intervals of guaranteed coverage around a fitted network's, by held-out rows.

    The network's central intervals are widened, or narrowed, in proportion to their own width:
    they stay wide where the network is unsure. With n held-out rows that come from the same source
    as new ones (exchangeable), an interval of coverage c holds a new target with a probability
    of at least c and, for continuous targets, at most c + 1 / (n + 1), whether the network is right
    or wrong. That is on average over rows, not given x, and over the choice of the held-out rows:
    given these, the coverage has a Beta(k, n + 1 - k) distribution, k = ceil((n + 1) c).

    Parameters
    ----------
    network : Network
        Fitted, of any family that has quantiles and an order: not Bernoulli, Categorical or
        VonMises. It is not changed.
    x : array of shape (rows, inputs)
        Held-out rows. Those that early stopping looked at are accepted, but the guarantee then only
        holds approximately.
    y : array of shape (rows, targets)
        (rows,) will do for one target. Each target column is covered by itself. All count as seen:
        with right-censored ones the guarantee is for the times of observation.

    Returns
    -------
    ConformalNetwork

    Raises
    ------
    TypeError
        Where network is no Network, or x and y are no numbers.
    ValueError
        Where a tenth or more of the rows, beyond what chance explains, are known from a fit;
        where shapes, values or the family will not do.

    Notes
    -----
    A held-out row's score is max(lower - y, y - upper) / (upper - lower), with 1 added to the width
    for whole numbers, whose interval may be a single one; the k-th smallest score is what the ends
    move by, in widths. Dividing by the width keeps an interval from ending before it begins, and
    makes the correction of a scale that is wrong by a factor exact. Scores made of probabilities
    (|cdf - 1/2|) would do neither for a network that is far too sure, whose cdf is 0 or 1 to the
    last bit, nor for Quantiles.

    Rows are known by codes of at most 4096 training rows, kept by fits and pickles of the network,
    but not in its model file: a loaded network can refuse nothing.

    Source: Romano, Patterson and Candes (2019), 'Conformalized quantile regression'; the division
    by the width is of Sesia and Candes (2020), 'A comparison of some conformal quantile regression
    methods'.

    Examples
    --------
    >>> import likely, numpy as np
    >>> x = np.linspace(-1, 1, 999)
    >>> y = np.random.default_rng(0).normal(size=999)
    >>> network = likely.Network(inputs=1, distribution=likely.Normal(scale=0.4))
    >>> history = likely.Trainer(epochs=5).fit(network, x[::3], y[::3])
    >>> guaranteed = likely.conformal(network, x[1::3], y[1::3])
    >>> lower, upper = guaranteed.interval(x[2::3], 0.8)
    >>> round(float(np.mean((lower <= y[2::3]) & (y[2::3] <= upper))), 1)
    0.8

    """
    d, y_matrix = _held_out(network, x, y)
    for families, because in (
        (("Bernoulli", "Categorical"), "classes: likely.recalibrate corrects their probabilities"),
        (("VonMises",), "angles, which have neither a least nor a greatest"),
    ):
        inner = getattr(d.distribution, "component", d.distribution)  # of a Mixture
        if type(inner).__name__ in families:
            family = type(d.distribution).__name__
            raise ValueError(f"network must not predict a {family}, whose targets are {because}")
    return ConformalNetwork(network, d, y_matrix)


class _ProbabilityMap:
    """Between predicted and recalibrated probabilities, increasing, piecewise linear."""

    def __init__(self, pit: NDArray[np.float64]) -> None:
        self._predicted = np.concatenate([[0.0], np.sort(pit), [1.0]])
        self._recalibrated = np.linspace(0, 1, len(self._predicted))

    def recalibrated(self, predicted: NDArray[Any]) -> NDArray[np.float64]:
        """Of equal PIT values the last one counts, as in a cdf that jumps."""
        values: NDArray[np.float64] = np.interp(predicted, self._predicted, self._recalibrated)
        return values

    def predicted(self, recalibrated: float) -> np.float64:
        """Return the inverse."""
        value: np.float64 = np.interp(recalibrated, self._recalibrated, self._predicted)
        return value


class _ClassMap:
    """From the predicted probability of a class to how often it comes, by isotonic regression."""

    def __init__(self, claimed: NDArray[np.float64], came: NDArray[np.bool_]) -> None:
        try:
            from scipy.optimize import isotonic_regression
        except ImportError:
            raise ImportError(
                'recalibrating classes needs SciPy 1.12 or newer: pip install "likely[stats]"'
            ) from None
        claimed = np.concatenate([[0.0, 1.0], claimed])
        outcome = np.concatenate([[1.0, 0.0], came])
        self._claimed, place, rows = np.unique(claimed, return_inverse=True, return_counts=True)
        mean = np.bincount(place, outcome) / rows
        self._share = isotonic_regression(mean, weights=rows).x

    def __call__(self, claimed: NDArray[np.float64]) -> NDArray[np.float64]:
        share: NDArray[np.float64] = np.interp(claimed, self._claimed, self._share)
        return share


def _has_classes(d: PredictiveDistribution) -> bool:
    return type(d.distribution).__name__ in ("Bernoulli", "Categorical")


def _claims(d: PredictiveDistribution) -> NDArray[np.float64]:
    """Return predicted probabilities, one row for each target column and class."""
    probabilities = d.params["probs"].astype(np.float64)
    return probabilities.reshape(len(d), -1).T


def _columns(statistics: list[NDArray[Any]]) -> NDArray[Any]:
    """Return of the t-th statistic the t-th target column."""
    if len(statistics) == 1:
        return statistics[0]
    return np.stack([values[:, t] for t, values in enumerate(statistics)], axis=-1)


def _held_out(network: Network, x: Any, y: Any) -> tuple[PredictiveDistribution, NDArray[Any]]:
    """Return the predictions for held-out data, and y as a matrix."""
    if not isinstance(network, Network):
        raise TypeError(f"network must be a likely.Network; got {type(network).__name__}")
    x_matrix, y_matrix = as_pair(x, y, network.inputs, network.targets, network.dtype)
    d = network.predict_distribution(x_matrix)
    d._head.check_targets(y_matrix)
    seen = network._training_rows
    share = 0.0 if seen is None else seen.known(x_matrix, y_matrix)
    if share:
        raise ValueError(
            f"x and y must be held out; {share:.0%} of these {len(x_matrix)} rows are among those "
            "that the network was fitted to: give rows that no fit has been given"
        )
    return d, y_matrix
