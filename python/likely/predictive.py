"""What a prediction can tell: the predicted distribution of every row.

Distributions with given parameters are the same objects, without a network.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from likely import _core
from likely._arrays import (
    as_dtype_name,
    as_event,
    as_integer,
    as_last_length,
    as_matrix,
    as_rows,
    as_seed,
    as_tails,
    at_probabilities,
)

_DRAWS = 2**16  # at a time by SciPy, for the memory


class PredictiveDistribution:
    """The distributions that a network predicts, one for each row; made by `predict_distribution`.

    Or, made by `from_params`, distributions whose parameters are given.

    Arrays have shape (rows,) for one target column and (rows, targets) for several, and are in the
    user's units. A MultivariateNormal is one distribution of all target columns of a row: its
    log_prob and entropy have shape (rows,), and what else is asked is asked of its marginals.

    Examples
    --------
    >>> import likely
    >>> d = likely.Network(inputs=1, dtype="float64").predict_distribution([[0.0], [0.0]])
    >>> d
    PredictiveDistribution(Normal, rows=2, targets=1)
    >>> d.quantile(0.975).round(4)
    array([1.96, 1.96])
    >>> lower, upper = d.interval(0.9)
    >>> upper.round(4)
    array([1.6449, 1.6449])

    """

    def __init__(self, head: _core.Head, raw: NDArray[Any]) -> None:
        self._head = head
        self._raw = raw

    @classmethod
    def from_params(
        cls,
        distribution: str | _core.Distribution,
        *,
        dtype: DTypeLike = "float64",
        **params: Any,
    ) -> PredictiveDistribution:
        """Distributions with these parameters, without a network: the inverse of `params`.

        Parameters
        ----------
        distribution : str or Distribution
            The family, as for `Network`. The scale of a Normal is always given, whatever its own
            field says.
        dtype : {"float32", "float64"} or a NumPy dtype, default "float64"
            The precision of the answers.
        **params : numbers or arrays
            The family's parameters, all of them, in the names of `params` and broadcast against
            each other: a number, (rows,), or (rows, targets), with one more axis, the last, where
            `params` has one. Scales, rates and concentrations are within exp(-30) to exp(30).
            Categorical's probs sum to 1 to within 1e-6 (then divided by the sum). A probability of
            0 or 1 is kept exactly; its log counts as -1000 where another distribution makes the
            impossible happen. An Ordinal level between others that is given 0 gets a probability
            below 1e-13. Quantiles' are in order. MultivariateNormal: loc, (targets,) or (rows,
            targets), and scale_tril, (targets, targets) or (rows, targets, targets), the lower
            Cholesky factor of the covariance.

        Returns
        -------
        PredictiveDistribution

        Raises
        ------
        TypeError
            Where a parameter is missing or unknown, or is no array of real numbers.
        ValueError
            Where shapes do not fit, or a number is not finite or outside of its range.

        Examples
        --------
        >>> import likely
        >>> d = likely.PredictiveDistribution.from_params("normal", loc=10.0, scale=[1.0, 2.0])
        >>> d.quantile(0.99).round(4)
        array([12.3263, 14.6527])
        >>> dice = likely.Categorical(6)
        >>> likely.PredictiveDistribution.from_params(dice, probs=[1 / 6] * 6).cdf([2])
        array([0.5])

        """
        name = as_dtype_name(dtype)
        head = _core.Head(distribution, 1, name)
        family = head.distribution
        shapes = dict(head.parameters)
        if set(params) != set(shapes):
            raise TypeError(
                f"the parameters of {type(family).__name__} are {', '.join(shapes)}; "
                f"got {', '.join(params) or 'none'}"
            )
        if head.joint:  # the targets are the last axis of every parameter
            first = next(iter(shapes))
            head = _core.Head(distribution, as_last_length(first, params[first]), name)
            arrays = [as_rows(p, params[p], shape, False) for p, shape in head.parameters]
        else:
            arrays = [as_rows(p, params[p], shape) for p, shape in shapes.items()]
        try:
            leading = np.broadcast_shapes(*(array.shape[:2] for array in arrays))
        except ValueError:
            raise ValueError(
                f"{', '.join(shapes)} must have shapes that broadcast as (rows, targets); "
                f"got {', '.join(str(array.shape[:2]) for array in arrays)}"
            ) from None
        values = np.concatenate(
            [np.broadcast_to(array, (*leading, array.shape[2])) for array in arrays], axis=-1
        )
        given = np.ascontiguousarray(np.moveaxis(values, -1, 1)).reshape(len(values), -1)
        if not head.joint:
            head = _core.Head(family, leading[1], name)
        return cls(head, head.raw_from(given))

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        family = type(self._head.distribution).__name__
        return f"PredictiveDistribution({family}, rows={len(self)}, targets={self._head.targets})"

    def __getitem__(self, rows: Any) -> PredictiveDistribution:
        """The same for some rows: a number, a slice, a mask or an array of row numbers."""
        chosen = np.atleast_1d(np.arange(len(self))[rows])
        if chosen.ndim != 1:
            raise IndexError(
                f"rows must be chosen along one axis; got an index of {chosen.ndim} axes"
            )
        return PredictiveDistribution(self._head, np.ascontiguousarray(self._raw[chosen]))

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        return values[..., 0] if values.shape[-1] == 1 else values

    def _statistic(self, name: str, probability: float = 0.0) -> NDArray[Any]:
        if self._in_core(name):
            return self._shaped(self._head.evaluate(name, self._raw, probability=probability))
        return self._shaped(self._by_scipy(name, probability))

    def _in_core(self, name: str) -> bool:
        """Whether the core answers, if only by saying that the family has no such thing."""
        is_custom = isinstance(self._head.distribution, _core.Custom)
        return name.startswith("log_") or is_custom or self._head.has(name)

    def _by_scipy(self, name: str, argument: Any = None) -> NDArray[Any]:
        """What the core has no closed form for; `argument` broadcasts against (rows, targets)."""
        from likely import _special

        exact = self._head.in_float64()
        raw = self._raw.astype(np.float64)
        params = _parameters(exact, raw)
        with np.errstate(over="ignore", invalid="ignore"):  # inf and nan are answers
            values = _special.statistic(exact, raw, params, name, argument)
            return values.astype(self._raw.dtype)

    @property
    def distribution(self) -> _core.Distribution:
        """The family."""
        return self._head.distribution

    @property
    def raw(self) -> NDArray[Any]:
        """The network's unconstrained outputs, (rows, raw parameters times targets).

        Of given parameters, what a network would have to put out.
        """
        return self._raw

    @property
    def params(self) -> dict[str, NDArray[Any]]:
        """The family's parameters under the names of torch.distributions.

        Normal, Laplace, Logistic: loc, scale. StudentT: df, loc, scale. LogNormal: loc, scale (of
        the logarithm). Exponential: rate. Gamma: concentration, rate. Weibull: scale,
        concentration. Beta: concentration1, concentration0. VonMises: loc, concentration. Poisson:
        rate. NegativeBinomial: total_count, probs. ZeroInflated: gate, then those of its base.
        Bernoulli, Binomial: probs. A custom density: its raw parameters, under the names of the
        function's arguments.

        With one more axis, the last: Categorical and Ordinal: probs; Quantiles: quantiles; Mixture:
        weights, then those of its component. MultivariateNormal: loc, (rows, targets), and
        scale_tril, (rows, targets, targets).
        """
        params = _parameters(self._head, self._raw)
        if self._head.targets == 1 or self._head.joint:
            return {name: values[:, 0] for name, values in params.items()}
        return params

    def to_scipy(self) -> Any:
        """The same as a frozen distribution of scipy.stats, with parameters shaped as `mean`.

        Raises ImportError without SciPy, ValueError for a family that scipy.stats does not have
        (Categorical, Ordinal, ZeroInflated, Mixture, Quantiles, custom densities).

        Examples
        --------
        >>> import likely
        >>> d = likely.PredictiveDistribution.from_params("normal", loc=[0.0, 2.0], scale=3.0)
        >>> d.to_scipy().sf(2.0).round(4)
        array([0.2525, 0.5   ])

        """
        from likely import _special

        return _special.frozen(self._head.distribution, self.params)

    @property
    def mean(self) -> NDArray[Any]:
        """Expected values; nan for classes, whose labels are no numbers, and for Quantiles."""
        return self._statistic("mean")

    @property
    def std(self) -> NDArray[Any]:
        """Standard deviations."""
        return self._statistic("std")

    @property
    def variance(self) -> NDArray[Any]:
        """Variances, inf or nan where they are infinite or not defined."""
        with np.errstate(over="ignore"):  # inf is an answer
            variance: NDArray[Any] = np.square(self.std)
        return variance

    @property
    def mode(self) -> NDArray[Any]:
        """The most probable values; for classes the most probable label."""
        return self._statistic("mode")

    @property
    def entropy(self) -> NDArray[Any]:
        """Entropy, of a density the differential entropy, in nats."""
        return self._statistic("entropy")

    @property
    def median(self) -> NDArray[Any]:
        """The quantile at 0.5."""
        return self.quantile(0.5)

    def quantile(self, probability: ArrayLike) -> NDArray[Any]:
        """The value that the target stays below with this probability, in [0, 1].

        Of counts and classes the smallest value that it does not exceed with this probability; of
        Quantiles linear between the levels, nan outside. At several probabilities, which may be a
        list or an array, the answers stand along first axes of their own, as those of `sample`.

        Examples
        --------
        >>> import likely
        >>> d = likely.PredictiveDistribution.from_params("exponential", rate=[1.0, 0.5])
        >>> d.quantile([0.25, 0.5]).round(4)
        array([[0.2877, 0.5754],
               [0.6931, 1.3863]])

        """
        return at_probabilities(
            "probability", probability, lambda p: self._statistic("quantile", p)
        )

    def interval(self, coverage: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """The central interval that holds the target with this probability: (lower, upper)."""
        lower, upper = as_tails(coverage)
        return self.quantile(lower), self.quantile(upper)

    def _targets(self, y: Any) -> NDArray[Any]:
        if np.isscalar(y) or (isinstance(y, np.ndarray) and y.ndim == 0):
            y = np.full((len(self), self._head.targets), y)
        matrix = as_matrix("y", y, self._head.targets, self._head.dtype)
        if len(matrix) != len(self) and len(self) != 1:
            raise ValueError(
                f"y must have {len(self)} rows, one for each prediction; got {len(matrix)}"
            )
        return matrix

    def _at(self, statistic: str, targets: NDArray[Any]) -> NDArray[Any]:
        """A statistic at targets, a single row at all of them."""
        d = self[np.zeros(len(targets), dtype=int)] if len(self) == 1 < len(targets) else self
        if self._in_core(statistic):
            return self._shaped(self._head.evaluate(statistic, d._raw, argument=targets))
        return self._shaped(d._by_scipy(statistic, targets.astype(np.float64)))

    def cdf(self, y: Any) -> NDArray[Any]:
        """The probability that the target is at most y, y as (rows,) or (rows, targets).

        y may be infinite, not nan. A single row is asked at every y, every row at a single number.
        """
        return self._at("cdf", self._points(y))

    def sf(self, y: Any) -> NDArray[Any]:
        """The probability that the target is above y: 1 - cdf(y), exact also where it is tiny.

        y as in `cdf`.

        Examples
        --------
        >>> import likely
        >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=1.0)
        >>> d.sf([10.0])
        array([7.61985302e-24])

        """
        return self._at("sf", self._points(y))

    def _points(self, y: Any) -> NDArray[Any]:
        targets = self._targets(y)
        bad = np.argwhere(np.isnan(targets))
        if len(bad):
            row, column = bad[0]
            raise ValueError(f"y must be finite or infinite; row {row}, column {column} is nan")
        return targets

    def crps(self, y: Any) -> NDArray[Any]:
        """The continuous ranked probability score at y, in the target's units; lower is better.

        The integral of (cdf(z) - [y <= z])^2 over z: of a certain prediction the absolute error.
        y as in `log_prob`. Of ordered levels it is the ranked probability score; labels without an
        order have none; of Quantiles it is nan.

        Raises ValueError where y is outside the support, or for Categorical.

        Notes
        -----
        Source: Gneiting and Raftery (2007), 'Strictly proper scoring rules, prediction, and
        estimation'; closed forms: Jordan, Krueger and Lerch (2019).

        Examples
        --------
        >>> import likely
        >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=1.0)
        >>> d.crps([0.0, 3.0]).round(4)
        array([0.2337, 2.4366])

        """
        return self._at("crps", self._possible(y))

    def _possible(self, y: Any) -> NDArray[Any]:
        """Targets, all of which are in the support."""
        targets = self._targets(y)
        self._head.check_targets(targets)
        return targets

    def log_prob(self, y: Any, event: Any = None) -> NDArray[Any]:
        """The log of the density (or probability) at y, for each target column.

        A single row is asked at every y: ``d[0].log_prob(grid)`` is a curve. Of a
        MultivariateNormal one number for each row.

        Parameters
        ----------
        y : array of shape (rows,) or (rows, targets), or a number for all rows and targets
        event : array of shape (rows,) or (rows, targets), optional
            1 where the target was seen, 0 where it is right-censored at y: there the log of the
            probability to exceed y. For `Exponential`, `Weibull` and `LogNormal`.

        Raises
        ------
        ValueError
            Where y is outside the support, event is neither 0 nor 1, or the family takes none; for
            Quantiles, which have no density.

        Examples
        --------
        >>> import likely
        >>> d = likely.PredictiveDistribution.from_params("exponential", rate=0.5)
        >>> d.log_prob([2.0, 2.0], event=[1, 0]).round(4)  # log 0.5 - 1, and -1
        array([-1.6931, -1.    ])

        """
        targets = self._targets(y)
        seen = as_event(event, len(targets), self._head.targets, self._head.dtype)
        self._head.check_targets(targets, seen)
        log_density = self._at("log_prob", targets)
        if seen is None:
            return log_density
        log_survival = self._at("log_survival", targets)
        return np.where(self._shaped(seen) == 1, log_density, log_survival)

    def sample(self, n: int, seed: int = 0) -> NDArray[Any]:
        """Draw n values for every row: (n, rows) or (n, rows, targets), a function of the seed.

        A draw is the quantile at a uniform number; of a Mixture that of a component, chosen by its
        weight with another one.
        """
        count = as_integer("n", n, 1)
        if count > 2**48 // max(1, len(self) * self._head.targets):
            raise ValueError(f"n is too large: {count} draws for each of {len(self)} rows")
        if self._in_core("quantile"):
            return self._shaped(self._head.sample(self._raw, count, as_seed(seed)))
        first, second = (
            self._head.uniforms(count, len(self), as_seed(seed), step).astype(np.float64)
            for step in (0, 1)
        )
        chooses = isinstance(self.distribution, _core.Mixture)
        step = max(1, _DRAWS // max(1, first[0].size))

        def draws(k: int) -> NDArray[Any]:
            u, choice = first[k : k + step], second[k : k + step]
            name, numbers = ("sample", (u, choice)) if chooses else ("quantile", u)
            return self._by_scipy(name, numbers)

        return self._shaped(np.concatenate([draws(k) for k in range(0, count, step)]))


def _parameters(head: _core.Head, raw: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The family's parameters as (rows, targets), those of many numbers with more axes."""
    result = {}
    index = 0
    for name, shape in head.parameters:
        numbers = [
            head.evaluate("parameter", raw, parameter=index + k) for k in range(math.prod(shape))
        ]
        stacked = np.stack(numbers, axis=-1)
        result[name] = stacked.reshape(*stacked.shape[:2], *shape)
        index += len(numbers)
    return result
