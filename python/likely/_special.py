"""What the core has no closed form for, by SciPy; imported when it is asked for.

Contract: parameters are those of `PredictiveDistribution.params`, in float64 and shaped (rows,
targets), with one more axis where there are several of a name. Arguments broadcast against (rows,
targets), and are checked already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Params = dict[str, Any]


def _stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError("this statistic of this family needs SciPy: pip install scipy") from error
    return stats


_FROZEN: dict[str, Callable[[Any, Any, Params], Any]] = {
    "Normal": lambda stats, family, p: stats.norm(p["loc"], p["scale"]),
    "Laplace": lambda stats, family, p: stats.laplace(p["loc"], p["scale"]),
    "StudentT": lambda stats, family, p: stats.t(p["df"], p["loc"], p["scale"]),
    "Logistic": lambda stats, family, p: stats.logistic(p["loc"], p["scale"]),
    "LogNormal": lambda stats, family, p: stats.lognorm(p["scale"], scale=np.exp(p["loc"])),
    "Exponential": lambda stats, family, p: stats.expon(scale=1 / p["rate"]),
    "Gamma": lambda stats, family, p: stats.gamma(p["concentration"], scale=1 / p["rate"]),
    "Weibull": lambda stats, family, p: stats.weibull_min(p["concentration"], scale=p["scale"]),
    "Beta": lambda stats, family, p: stats.beta(p["concentration1"], p["concentration0"]),
    "VonMises": lambda stats, family, p: stats.vonmises(p["concentration"], p["loc"]),
    "Poisson": lambda stats, family, p: stats.poisson(p["rate"]),
    "NegativeBinomial": lambda stats, family, p: stats.nbinom(p["total_count"], 1 - p["probs"]),
    "Bernoulli": lambda stats, family, p: stats.bernoulli(p["probs"]),
    "Binomial": lambda stats, family, p: stats.binom(family.n, p["probs"]),
}


def frozen(family: Any, params: Params) -> Any:
    """The family with these parameters as a frozen distribution of scipy.stats."""
    name = type(family).__name__
    if name not in _FROZEN:
        raise ValueError(
            f"scipy.stats has no frozen distribution for {name}; there is one for "
            f"{', '.join(_FROZEN)}"
        )
    return _FROZEN[name](_stats(), family, params)


def statistic(family: Any, params: Params, name: str, argument: Any) -> Array:
    """A statistic that the core does not have: cdf, sf, quantile, crps, entropy or std."""
    d = frozen(family, params)
    if name == "quantile":
        least = d.support()[0]
        return np.maximum(d.ppf(argument), least)
    if name in ("cdf", "sf"):
        return np.asarray(getattr(d, name)(argument))
    return np.asarray(getattr(d, name)())
