"""Angles: distances on the circle and the von Mises distribution, whose statistics are integrals.

Contract: that of `_special`. Each integral is over one panel, as far as the density reaches, by
Gauss and Legendre's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


def turned(y: Any, center: Array) -> Array:
    """An angle's distance from a center in [-pi, pi], both ends of which are left alone."""
    distance = np.asarray(y - center, dtype=np.float64)
    turns = np.where(np.isfinite(distance), np.rint(distance / (2 * np.pi)), 0)
    inside = np.abs(distance) <= np.pi + 1e-15 * (np.pi + np.abs(center))
    return np.clip(np.where(inside, distance, distance - 2 * np.pi * turns), -np.pi, np.pi)


class VonMises:
    """Its probabilities are integrals over the angle's distance from loc."""

    discrete = positive = False

    def __init__(self, loc: Array, concentration: Array) -> None:
        try:
            from scipy import special
        except ImportError as error:
            raise ImportError(
                "this statistic of VonMises needs SciPy (pip install 'likely[stats]')"
            ) from error
        self._loc, self._concentration = np.broadcast_arrays(loc, concentration)
        self._length = special.i1e(self._concentration) / special.i0e(self._concentration)
        self._height = 1 / (2 * np.pi * special.i0e(self._concentration))
        self._reach = np.minimum(np.pi, 13 / np.sqrt(self._concentration))  # all but 1e-30

    def _integral(self, power: int, lower: Array, upper: Array) -> Array:
        """Of distance^power times the density."""
        half = (upper - lower)[..., np.newaxis] / 2
        at = lower[..., np.newaxis] + half * (1 + NODES)
        exponent = -2 * self._concentration[..., np.newaxis] * np.sin(at / 2) ** 2
        return np.asarray(self._height * np.sum(at**power * np.exp(exponent) * half * WEIGHTS, -1))

    def std(self) -> Array:
        return np.sqrt(2 * self._integral(2, 0 * self._reach, self._reach))

    def _above(self, distance: Array) -> Array:
        """The probability beyond a distance in [0, pi]."""
        return self._integral(0, distance, np.minimum(np.pi, distance + self._reach))

    def near(self, y: Any) -> Array:
        """The same angle, within pi of loc."""
        return np.asarray(self._loc + turned(y, self._loc))

    def _side(self, y: Any, sign: int) -> Array:
        distance = turned(y, self._loc)
        beyond = self._above(np.abs(distance))
        return np.where(sign * distance < 0, beyond, 1 - beyond)

    def cdf(self, y: Any) -> Array:
        return self._side(y, 1)

    def sf(self, y: Any) -> Array:
        return self._side(y, -1)

    def log_prob(self, y: Any) -> Array:
        exponent = -2 * self._concentration * np.sin((y - self._loc) / 2) ** 2
        return np.asarray(np.log(self._height) + exponent)

    def crps(self, y: Array) -> Array:
        """The mean distance to y less half of that between two draws.

        With T(t) the probability beyond t and J(t) the integral of the angle times the density
        there: |y| (1 - 2 T(|y|)) + 2 J(|y|), less 2 J(0) - 2 times the integral of T^2.
        """
        distance = np.abs(turned(y, self._loc))
        zero, half = np.zeros_like(self._reach), self._reach / 2
        squares = sum(
            self._above(half * (1 + node)) ** 2 * weight * half
            for node, weight in zip(NODES, WEIGHTS, strict=True)
        )
        end = np.minimum(np.pi, distance + self._reach)
        moments = self._integral(1, distance, end) - self._integral(1, zero, self._reach)
        nearer = 1 - 2 * self._above(distance)
        return np.asarray(distance * nearer + 2 * moments + 2 * squares)

    def _distance(self, beyond: Any) -> Array:
        """At which this probability, of at most a half, is left beyond it: Newton's method.

        `_above` is convex and falls, so that from the left no step goes too far; one from the right
        may reach 0 at worst. It starts at the quantile of a normal distribution.
        """
        from scipy import special

        tail = np.where(beyond > 0, beyond, 0.5)
        scale = 1 / np.sqrt(self._concentration)
        distance = np.clip(-special.ndtri(tail) * scale, 0, np.pi)
        for _ in range(100):
            density = self._height * np.exp(-2 * self._concentration * np.sin(distance / 2) ** 2)
            step = (self._above(distance) - tail) / density
            distance = np.clip(distance + step, 0, np.pi)
            if np.all(np.abs(step) <= 1e-9 * np.minimum(scale, 1)):
                break
        return np.where(beyond <= 0, np.pi, distance)

    def quantile(self, p: Any) -> Array:
        distance = self._distance(np.minimum(p, 1 - np.asarray(p)))
        return np.asarray(self._loc + np.where(np.asarray(p) < 0.5, -distance, distance))

    def isf(self, p: Any) -> Array:
        return 2 * self._loc - self.quantile(p)

    def part(self, rows: Any) -> VonMises:
        return VonMises(self._loc[rows], self._concentration[rows])

    def edges(self, tails: Sequence[float]) -> Array:
        """Where its peak is, and where it has fallen off, whatever the tails."""
        steps = np.array([-13.0, -5.0, -1.5, 0.0, 1.5, 5.0, 13.0])
        steps = steps / np.sqrt(self._concentration)[..., np.newaxis]
        return np.asarray(self._loc[..., np.newaxis] + np.clip(steps, -np.pi, np.pi))

    def direction(self) -> NDArray[np.complex128]:
        """The mean of exp(i angle) (Mardia and Jupp 2000, section 3.4.1)."""
        return np.asarray(self._length * np.exp(1j * self._loc))

    def up_to(self, angle: Any) -> tuple[Array, Array]:
        """The integral of the density, which repeats, from loc - pi to this angle.

        As the number of peaks below the angle and what is to be added: differences do not cancel.
        """
        distance = np.asarray(angle - self._loc, dtype=np.float64)
        turns = np.rint(distance / (2 * np.pi))
        distance = np.clip(distance - 2 * np.pi * turns, -np.pi, np.pi)
        beyond = self._above(np.abs(distance))
        above = distance >= 0
        return turns + above, np.where(above, -beyond, beyond)
