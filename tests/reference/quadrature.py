"""Integrals that have no closed form, for the entropy and the CRPS of mixtures.

Contract: `integrate` halves each panel between two edges until Gauss and Legendre's rule agrees
with itself on the halves; the integrand may be singular at an edge as a logarithm is, and is never
evaluated at one. The edges have to be near whatever is narrow. A panel of a few float64 counts as
nothing.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .arrays import Array

NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
TOLERANCE = 1e-14  # of a panel, relative to the whole
HALVINGS = 60
LARGEST_OPEN = 5000  # panels: then what is left is noise


def _panels(integrand: Callable[[Array], Array], left: Array, right: Array) -> Array:
    half = 0.5 * (right - left)
    at = np.clip(
        (left + half)[:, np.newaxis] + half[:, np.newaxis] * NODES,
        np.nextafter(left, right)[:, np.newaxis],
        np.nextafter(right, left)[:, np.newaxis],
    )
    return half * (integrand(at.ravel()).reshape(at.shape) @ WEIGHTS)


def _narrow(left: Array, right: Array) -> NDArray[np.bool_]:
    return right - left < 4.0 * np.spacing(np.maximum(np.abs(left), np.abs(right)))


def integrate(integrand: Callable[[Array], Array], edges: Array) -> float:
    """Over the panels between these points, in any order."""
    edges = np.unique(edges)
    wide = ~_narrow(edges[:-1], edges[1:])
    left, right = edges[:-1][wide], edges[1:][wide]
    whole = _panels(integrand, left, right)
    total = 0.0
    for _ in range(HALVINGS):
        middle = 0.5 * (left + right)
        lower, upper = _panels(integrand, left, middle), _panels(integrand, middle, right)
        size = np.abs(total) + np.sum(np.abs(lower)) + np.sum(np.abs(upper))
        open_ = np.abs(lower + upper - whole) > TOLERANCE * size
        open_ &= ~_narrow(left, middle) & ~_narrow(middle, right)
        total += float(np.sum((lower + upper)[~open_]))
        left, right = (
            np.concatenate([left[open_], middle[open_]]),
            np.concatenate([middle[open_], right[open_]]),
        )
        whole = np.concatenate([lower[open_], upper[open_]])
        if left.size == 0 or left.size > LARGEST_OPEN:
            break
    return total + float(np.sum(whole))
