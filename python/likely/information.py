"""Information measures of predicted distributions, in closed form."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from likely._arrays import as_base
from likely.predictive import PredictiveDistribution


def entropy(p: PredictiveDistribution, base: float | None = None) -> NDArray[Any]:
    """Entropy of each row and target column, -E log p; of a density the differential entropy.

    Parameters
    ----------
    p : PredictiveDistribution
        What a network predicts, or `PredictiveDistribution.from_params`.
    base : float, optional
        The base of the logarithm, above 1: 2 for bits. By default e, for nats.

    Returns
    -------
    array, (rows,) or (rows, targets)
        In the precision of p. A differential entropy belongs to the units of the target, and may
        be negative.

    Raises
    ------
    TypeError, ValueError
        Where p is no predicted distribution, or the base no number above 1.

    Notes
    -----
    Source: Shannon (1948), 'A mathematical theory of communication'.

    Examples
    --------
    >>> import likely
    >>> coins = likely.PredictiveDistribution.from_params("bernoulli", probs=[0.5, 0.9])
    >>> likely.entropy(coins, base=2).round(4)
    array([1.   , 0.469])

    """
    return _in_base(_checked("p", p).entropy, base)


def cross_entropy(
    p: PredictiveDistribution, q: PredictiveDistribution, base: float | None = None
) -> NDArray[Any]:
    """Cross-entropy -E_p log q of each row and target column.

    What an outcome costs on average under q where it is drawn from p: entropy(p) plus
    kl_divergence(p, q).

    Parameters
    ----------
    p, q : PredictiveDistribution
        Of the same family (a Normal with any scale, a Categorical with as many classes), with the
        same target columns, and with the same number of rows unless one of them has a single row,
        which then stands against every row of the other. They may come from different networks,
        with scalings and a precision of their own.
    base : float, optional
        The base of the logarithm, above 1: 2 for bits. By default e, for nats.

    Returns
    -------
    array, (rows,) or (rows, targets)
        In the user's units; in float32 if both are, else in float64.

    Raises
    ------
    TypeError
        Where p or q is no predicted distribution.
    ValueError
        Where families, rows or target columns differ, or the base is not above 1.

    Notes
    -----
    An outcome that is impossible under q but not under p makes it infinite. Logits are finite, so
    a huge number stands for that: with probabilities given as 0, about 1000 nats times p's
    probability. An outcome that is impossible under p counts nothing.

    Source: Shannon (1948), 'A mathematical theory of communication'; Cover and Thomas (2006),
    'Elements of information theory', chapters 2 and 8.

    Examples
    --------
    >>> import likely
    >>> of = likely.PredictiveDistribution.from_params
    >>> p, q = of("bernoulli", probs=0.5), of("bernoulli", probs=[0.5, 0.25])
    >>> likely.cross_entropy(p, q, base=2).round(4)
    array([1.    , 1.2075])

    """
    head, raw = _checked("p", p)._head, p._raw
    other, other_raw = _checked("q", q)._head, q._raw
    return _in_base(p._shaped(head.cross_entropy(raw, other, other_raw)), base)


def kl_divergence(
    p: PredictiveDistribution, q: PredictiveDistribution, base: float | None = None
) -> NDArray[Any]:
    """Kullback-Leibler divergence E_p (log p - log q) of each row and target column.

    Never negative, 0 where p and q are the same, not symmetric, and the same in all units of the
    target. Small divergences are accurate too: they are no difference of entropies.

    Parameters
    ----------
    p, q : PredictiveDistribution
        As in `cross_entropy`.
    base : float, optional
        The base of the logarithm, above 1: 2 for bits. By default e, for nats.

    Returns
    -------
    array, (rows,) or (rows, targets)
        In float32 if both are, else in float64.

    Raises
    ------
    TypeError, ValueError
        As in `cross_entropy`.

    Notes
    -----
    Where q excludes what p does not, it is huge in place of infinite; see `cross_entropy`.

    Source: Kullback and Leibler (1951), 'On information and sufficiency'.

    Examples
    --------
    >>> import likely
    >>> of = likely.PredictiveDistribution.from_params
    >>> p, q = of("normal", loc=0.0, scale=1.0), of("normal", loc=[0.0, 1.0], scale=1.0)
    >>> likely.kl_divergence(p, q)
    array([0. , 0.5])

    """
    head, raw = _checked("p", p)._head, p._raw
    other, other_raw = _checked("q", q)._head, q._raw
    return _in_base(p._shaped(head.kl_divergence(raw, other, other_raw)), base)


def _checked(argument: str, distribution: PredictiveDistribution) -> PredictiveDistribution:
    if not isinstance(distribution, PredictiveDistribution):
        raise TypeError(
            f"{argument} must be a PredictiveDistribution; got {type(distribution).__name__}"
        )
    return distribution


def _in_base(nats: NDArray[Any], base: float | None) -> NDArray[Any]:
    return nats if base is None else nats / math.log(as_base(base))
