"""Densities of one's own: a Python function becomes a distribution that networks train on.

Why: a density without a name should cost no more than its formula. The core calls the function
once for each training batch, in double precision, and gets log_prob with its derivatives by
forward-mode differentiation (`_differentiation`).

Contract: what a function returns is checked at every call (shape, type, finite numbers), whether
samples stay apart before every fit and loss (`check_density`). What the function itself raises
passes through as it is.
"""

from __future__ import annotations

import inspect
import pickle
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likely import _core
from likely._arrays import as_list
from likely._differentiation import value_and_derivative

Array = NDArray[Any]

CHECKED_SAMPLES = 256
"""So many targets at most are looked at before a fit."""


def distribution(
    parameters: Sequence[str], support: str = "real"
) -> Callable[[Callable[..., Any]], _core.Custom]:
    """Make a distribution of a function `log_prob(y, *parameters)`: a decorator.

    The function gets vectors, one number a sample, and returns the log density of every sample. It
    is written with NumPy's functions (arithmetic, powers, exponentials, logarithms, trigonometric
    and hyperbolic functions, maximum, minimum, floor, np.where, np.clip, np.select) and those of
    scipy.special (gammaln, betaln, digamma, expit, log_expit, logit, erf, erfc, ndtr, log_ndtr,
    xlogy, xlog1py, i0e and others); its derivatives follow. What has none is a TypeError that names
    it. Parameters are the network's outputs, any real numbers: a positive one is given as its
    logarithm, best held inside a range with np.clip.

    The result stands wherever a distribution does, and is still called like the function. Only
    inputs are standardised by ``Network(..., standardize=True)``: the density is in the target's
    own units. A whole training batch is one call (with ``batch_size=None``, the whole set).
    Predictions know `params`, under the names of the arguments, and `log_prob`; other statistics
    are a ValueError.

    A model file holds the name, parameters and support, not the function: give it again with
    ``likely.load(path, distribution=...)``. A network is pickled by reference to the function,
    which must then stand at the top level of a module.

    Parameters
    ----------
    parameters : sequence of str
        The function's arguments after y, in order; at least one.
    support : str, default "real"
        Which targets are possible: "real", "positive", "nonnegative", "unit_interval" (0 and 1
        included), "integer" or "nonnegative_integer".

    Returns
    -------
    decorator
        Takes the function, gives a `likely.Custom`.

    Raises
    ------
    ValueError, TypeError
        Where names and arguments differ, or the support is not known. While training: where the
        function returns another shape or type, a number that is not finite, or mixes samples.

    Source: Wengert (1964), 'A simple automatic derivative evaluation program'.

    Examples
    --------
    >>> import likely, numpy as np
    >>> @likely.distribution(parameters=("loc", "log_scale"))
    ... def gumbel(y, loc, log_scale):
    ...     z = (y - loc) * np.exp(-log_scale)
    ...     return -z - np.exp(-z) - log_scale
    >>> x = np.linspace(-1, 1, 500)
    >>> y = np.random.default_rng(0).gumbel(2 * x, 0.5)
    >>> network = likely.Network(inputs=1, distribution=gumbel)
    >>> trainer = likely.Trainer(likely.Adam(learning_rate=0.05), epochs=50)
    >>> history = trainer.fit(network, x, y)
    >>> {name: v.round(1) for name, v in network.predict_distribution([[0.5]]).params.items()}
    {'loc': array([1.], dtype=float32), 'log_scale': array([-0.7], dtype=float32)}

    """
    names = as_list("parameters", parameters, "strings")
    for name in names:
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"parameters must be names of arguments; got {name!r}")

    def decorate(function: Callable[..., Any]) -> _core.Custom:
        name = getattr(function, "__name__", None)
        if not callable(function) or not isinstance(name, str):
            raise TypeError(
                f"a density must be a function with a name; got {type(function).__name__}"
            )
        density = _core.Custom(name, tuple(names), support)
        arguments = [p.name for p in inspect.signature(function).parameters.values()]
        if arguments[1:] != names:
            raise ValueError(
                f"parameters must be the arguments of {name} after the target, "
                f"{arguments[1:]}; got {names}"
            )
        return density.with_call(_Call(function, name, tuple(names)))

    return decorate


class _Call:
    """What the core calls: the function, its derivatives, and a look at what it returns."""

    def __init__(self, function: Callable[..., Any], name: str, parameters: tuple[str, ...]):
        self.function = function
        self.name = name
        self.parameters = parameters

    def __call__(self, y: Array, raw: Array, with_derivative: bool) -> tuple[Array, Array | None]:
        # Branches that np.where leaves out may overflow; what is not finite in the end is told.
        with np.errstate(all="ignore"):
            if not with_derivative:
                returned, derivative = self.function(y.copy(), *raw.copy()), None
            else:
                returned, derivative = value_and_derivative(self.function, y.copy(), raw.copy())
        if not isinstance(returned, (np.ndarray, np.generic)):
            raise TypeError(
                f"density {self.name!r} must return an array of numbers; "
                f"got {type(returned).__name__}"
            )
        if returned.shape != y.shape:
            raise ValueError(
                f"density {self.name!r} must return one number for each of {len(y)} samples, "
                f"shape {y.shape}; got shape {returned.shape}"
            )
        if returned.dtype.kind != "f":
            raise TypeError(
                f"density {self.name!r} must return real floating-point numbers; "
                f"got {returned.dtype}"
            )
        log_prob = np.ascontiguousarray(returned, dtype=np.float64)
        self._check_finite("log_prob", log_prob, y, raw)
        if not with_derivative:
            return log_prob, None
        if derivative is None:  # no parameter went into it
            derivative = np.zeros_like(raw)
        for name, row in zip(self.parameters, derivative, strict=True):
            self._check_finite(f"the derivative by {name}", row, y, raw)
        return log_prob, np.ascontiguousarray(derivative)

    def _check_finite(self, what: str, values: Array, y: Array, raw: Array) -> None:
        bad = np.flatnonzero(~np.isfinite(values))
        if not len(bad):
            return
        i = bad[0]
        raise ValueError(
            f"density {self.name!r} must be finite on its support, and so must its derivatives; "
            f"{what} is {values[i]} at {self.place(y[i], raw[:, i])}"
        )

    def place(self, y: float, raw: Array) -> str:
        """A sample as it stands in messages."""
        names = ("y", *self.parameters)
        return ", ".join(f"{n} = {v:.6g}" for n, v in zip(names, (y, *raw), strict=True))

    def reduce(self, density: _core.Custom) -> tuple[Any, ...]:
        """For pickle: where the function, or the density in its place, stands."""
        module, path = self.function.__module__, self.function.__qualname__
        try:
            found = _function_at(module, path)
        except (AttributeError, ImportError):
            found = None
        if found is not self.function:
            raise pickle.PicklingError(
                f"density {self.name!r} cannot be pickled: its function {module}.{path} is not at "
                "the top level of a module; move it there, or save the network to a file and give "
                f"the function to likely.load(path, distribution={self.name})"
            )
        return _restored, (module, path, density.parameters, density.support)


def _function_at(module: str, path: str) -> Any:
    place = sys.modules.get(module) or import_module(module)
    found = reduce(getattr, path.split("."), place)
    return found.function if isinstance(found, _core.Custom) else found


def _restored(module: str, path: str, parameters: Sequence[str], support: str) -> _core.Custom:
    return distribution(parameters, support)(_function_at(module, path))


def check_density(model: _core.Model, x: Array, y: Array) -> None:
    """Look at a custom density with some targets and the model's present predictions for them.

    Does nothing for other distributions. Raises ValueError where the function is missing, and
    where a sample's log_prob changes with the samples around it.
    """
    density = model.distribution
    if not isinstance(density, _core.Custom):
        return
    rows = np.unique(np.linspace(0, len(x) - 1, max(1, CHECKED_SAMPLES // y.shape[1])).astype(int))
    x, y = x[rows], y[rows]
    if model.standardize and model.scaling is None:  # about as the fit will
        with np.errstate(all="ignore"):
            deviation = x.std(axis=0)
            x = np.ascontiguousarray((x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1))
    try:
        raw = model.raw(x)
        model.head().check_targets(y)
    except ValueError:
        return  # the core looks at all data next, and knows the row
    if np.isfinite(raw).all():
        by_parameter = raw.reshape(len(x), -1, y.shape[1]).transpose(1, 0, 2)
        check_samples(density, y.ravel(), by_parameter.reshape(len(by_parameter), -1))


def check_samples(density: _core.Custom, y: Array, raw: Array) -> None:
    """Raise unless every sample has the same log_prob among other samples in another order.

    y has shape (samples,), raw (parameters, samples).
    """
    y, raw = y.astype(np.float64), raw.astype(np.float64)
    call = density.call
    if call is None:
        density()  # raises, and says how to give the function
    together = call(y, raw, True)[0]
    others = slice(None, None, -2 if len(y) > 1 else 1)
    among_others = call(
        np.ascontiguousarray(y[others]), np.ascontiguousarray(raw[:, others]), False
    )[0]
    expected = together[others]
    different = np.abs(among_others - expected) > 1e-9 * np.maximum(1, np.abs(expected))
    if not different.any():
        return
    i = np.flatnonzero(different)[0]
    place = call.place(y[others][i], raw[:, others][:, i])
    raise ValueError(
        f"density {density.name!r} must give each sample a log_prob that does not depend on the "
        f"other samples or their order; at {place} it is {expected[i]:.9g}, and "
        f"{among_others[i]:.9g} with every second sample left out and the others reversed "
        "(np.mean(y), sorting, positions and random numbers do this)"
    )
