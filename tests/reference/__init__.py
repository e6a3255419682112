"""The executable specification of `likely`: plain NumPy in float64, readable before fast.

It is written from docs/conventions.md, independently of the core, and is itself tested against
SciPy and central differences; the core is then tested against it.
"""

from . import philox
from .activations import ACTIVATIONS
from .bounded import Beta, VonMises
from .counts import Binomial, NegativeBinomial, Poisson, ZeroInflated
from .distributions import Bernoulli, Categorical, Distribution, Normal
from .layers import BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual
from .location_scale import Laplace, Logistic, StudentT
from .mixture import Mixture
from .multivariate import MultivariateNormal
from .network import Network
from .optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from .ordinal import Ordinal
from .positive import Exponential, Gamma, LogNormal, Weibull
from .predictive import Predictive
from .quantiles import Quantiles
from .scaling import Scaling
from .schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    InverseScaling,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Sequence,
    StepDecay,
)
from .stabilizers import BetaWeighting, Faithful, NaturalGradient, Stabilizer, Warmup
from .training import DivergedError, History, fit
from .update import Penalties, update

__all__ = [
    "ACTIVATIONS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Bernoulli",
    "Beta",
    "BetaWeighting",
    "Binomial",
    "Categorical",
    "Constant",
    "CosineDecay",
    "Dense",
    "Distribution",
    "DivergedError",
    "Dropout",
    "Exponential",
    "ExponentialDecay",
    "Faithful",
    "Gamma",
    "History",
    "InverseScaling",
    "Laplace",
    "Layer",
    "LayerNorm",
    "LogNormal",
    "Logistic",
    "Mixture",
    "MultivariateNormal",
    "NaturalGradient",
    "NegativeBinomial",
    "Network",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Ordinal",
    "Penalties",
    "Poisson",
    "Predictive",
    "Quantiles",
    "RMSprop",
    "ReduceOnPlateau",
    "Residual",
    "Scaling",
    "Schedule",
    "Sequence",
    "Stabilizer",
    "StepDecay",
    "StudentT",
    "VonMises",
    "Warmup",
    "Weibull",
    "ZeroInflated",
    "fit",
    "philox",
    "update",
]
