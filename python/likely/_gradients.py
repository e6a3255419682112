"""Derivatives of densities, held against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likely import _core
from likely._arrays import as_matrix, as_seed
from likely.custom import check_samples
from likely.network import Network

Array = NDArray[Any]

SAMPLES = 32
"""So many are drawn."""

DRAWN: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "real": lambda rng, n: 2 * rng.normal(size=n),
    "positive": lambda rng, n: np.exp(rng.normal(size=n)),
    "nonnegative": lambda rng, n: np.exp(rng.normal(size=n)),
    "unit_interval": lambda rng, n: rng.uniform(size=n),
    "integer": lambda rng, n: np.rint(3 * rng.normal(size=n)),
    "nonnegative_integer": lambda rng, n: rng.poisson(3.0, size=n).astype(np.float64),
}
"""Targets for a custom density, inside each support."""

STEP = np.finfo(np.float64).eps ** (1 / 3)
"""Of a central difference: truncation and rounding are then about equal."""


class _OneSample:
    """A network of one input, always 1, whose weights are the raw parameters of one sample."""

    x = np.ones((1, 1))

    def __init__(self, distribution: str | _core.Distribution) -> None:
        self.network = Network(1, distribution=distribution, dtype="float64")
        self.density = self.network.distribution
        parameters = _core.raw_parameters(self.density)
        self.names = [name for name, _ in parameters]
        self._predicted = sum(source == "predicted" for _, source in parameters)

    def set(self, raw: Array) -> None:
        predicted, shared = np.split(raw, [self._predicted])
        self.network.parameters = np.concatenate([predicted, np.zeros_like(predicted), shared])

    def log_prob(self, y: float, raw: Array) -> float:
        self.set(raw)
        return float(self.network.predict_distribution(self.x).log_prob([y])[0])

    def derivative(self, y: float, raw: Array) -> Array:
        self.set(raw)
        gradient = self.network._model.loss_and_gradient(self.x, np.array([[y]]), None)[1]
        return -np.delete(gradient, np.s_[self._predicted : 2 * self._predicted])

    def drawn_y(self, raw: Array, rng: np.random.Generator) -> Array:
        if isinstance(self.density, _core.Custom):
            return DRAWN[self.density.support](rng, len(raw))
        draws = []
        for row in raw:
            self.set(row)
            seed = int(rng.integers(2**63))
            draws.append(self.network.predict_distribution(self.x).sample(1, seed)[0, 0])
        return np.array(draws)


def check_gradient(
    distribution: str | _core.Distribution, y: Any = None, raw: Any = None, *, seed: int = 0
) -> float:
    """Compare the derivatives that training uses with central differences of log_prob.

    Both are taken in float64, by each raw parameter that is predicted or shared. Prints the
    component that is worst, and returns its relative error: about 1e-8 where the derivative is
    right and the density smooth, far more where it is wrong or a jump is near. The error is
    relative to the larger of the two numbers, or to 0.001 max(1, |log_prob|) where both are
    smaller.

    Parameters
    ----------
    distribution : str or Distribution
        A density of one's own, or any other.
    y : array of shape (samples,), optional
        Targets; by default drawn inside the support.
    raw : array of shape (samples, raw parameters), optional
        Raw parameters for each target; by default standard normal draws.
    seed : int, default 0
        Decides what is drawn.

    Returns
    -------
    float
        The largest relative error.

    Raises
    ------
    ValueError, TypeError
        Where y or raw do not suit the distribution, and where a custom density is refused as in
        training.

    Examples
    --------
    >>> import likely, numpy as np
    >>> @likely.distribution(parameters=["log_rate"], support="positive")
    ... def exponential(y, log_rate):
    ...     return log_rate - y * np.exp(log_rate)
    >>> error = likely.check_gradient(exponential, y=[2.0], raw=[[0.0]])  # doctest: +ELLIPSIS
    check_gradient(exponential): largest relative error ... by log_rate at y = 2, log_rate = 0: ...
    >>> error < 1e-7
    True
    >>> likely.check_gradient(likely.Categorical(3)) < 1e-7  # doctest: +ELLIPSIS
    check_gradient(Categorical): ...
    True

    """
    sample = _OneSample(distribution)
    rng = np.random.default_rng(as_seed(seed))
    targets = None if y is None else as_matrix("y", y, 1, "float64")[:, 0]
    points = None if raw is None else as_matrix("raw", raw, len(sample.names), "float64")
    if points is None:
        samples = SAMPLES if targets is None else len(targets)
        points = rng.normal(size=(samples, len(sample.names)))
    if not np.isfinite(points).all():
        raise ValueError("raw must be finite")
    if targets is None:
        targets = sample.drawn_y(points, rng)
    if len(targets) != len(points):
        raise ValueError(
            f"y and raw must have the same number of samples; got {len(targets)} and {len(points)}"
        )
    sample.network.predict_distribution(np.ones((len(targets), 1)))._head.check_targets(
        np.ascontiguousarray(targets[:, np.newaxis])
    )
    if isinstance(sample.density, _core.Custom):
        check_samples(sample.density, targets, np.ascontiguousarray(points.T))

    worst, message = -1.0, ""
    for target, point in zip(targets, points, strict=True):
        derivatives = sample.derivative(target, point)
        size = 1e-3 * max(1.0, abs(sample.log_prob(target, point)))
        for k, name in enumerate(sample.names):
            above, below = point.copy(), point.copy()
            above[k] += STEP * max(1.0, abs(point[k]))
            below[k] -= STEP * max(1.0, abs(point[k]))
            difference = sample.log_prob(target, above) - sample.log_prob(target, below)
            difference /= above[k] - below[k]
            derivative = derivatives[k]
            scale = max(abs(derivative), abs(difference), size)
            error = float(abs(derivative - difference) / scale)
            if error <= worst:
                continue
            worst = error
            values = zip(("y", *sample.names), (target, *point), strict=True)
            message = (
                f"largest relative error {error:.2g}, by {name} at "
                f"{', '.join(f'{n} = {v:.6g}' for n, v in values)}: "
                f"derivative {derivative:.9g}, central difference {difference:.9g}"
            )
    print(f"check_gradient({_name(sample.density)}): {message}")
    return worst


def _name(density: _core.Distribution) -> str:
    return density.name if isinstance(density, _core.Custom) else type(density).__name__
