"""Standardisation, so that a model trains in units near one and answers in the user's units.

Contract: statistics are those of the training rows (population, weighted if weights are given), in
float64; a column whose rows of positive weight are all equal has scale 1. The family says what may
be done to a target: location and scale, the scale alone, or nothing.
"""

from dataclasses import dataclass

import numpy as np

from .arrays import Array


@dataclass(frozen=True)
class Scaling:
    input_mean: Array
    input_scale: Array
    target_mean: Array
    target_scale: Array

    @staticmethod
    def identity(inputs: int, targets: int) -> "Scaling":
        return Scaling(np.zeros(inputs), np.ones(inputs), np.zeros(targets), np.ones(targets))

    @staticmethod
    def of(x: Array, y: Array, target_scaling: str, weight: Array | None = None) -> "Scaling":
        input_mean, input_scale = _mean_and_scale(x, weight)
        target_mean, target_scale = _mean_and_scale(y, weight)
        if target_scaling in ("scale", "none"):
            target_mean = np.zeros_like(target_mean)
        if target_scaling == "none":
            target_scale = np.ones_like(target_scale)
        return Scaling(input_mean, input_scale, target_mean, target_scale)


def _mean_and_scale(columns: Array, weight: Array | None) -> tuple[Array, Array]:
    if weight is None:
        weight = np.ones(len(columns))
    mean = np.average(columns, axis=0, weights=weight)
    std = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))
    counted = columns[weight > 0]
    # Not "std == 0": the mean of equal numbers is rounded, so their std may be 1e-17.
    constant = counted.min(axis=0) == counted.max(axis=0)
    return mean, np.where(constant, 1.0, std)
