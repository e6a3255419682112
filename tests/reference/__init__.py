"""The executable specification of `likely`: plain NumPy in float64, readable before fast.

It is written from docs/conventions.md, independently of the core, and is itself tested against
SciPy and central differences; the core is then tested against it.
"""

from . import philox
from .activations import ACTIVATIONS
from .distributions import Bernoulli, Categorical, Distribution, Normal
from .layers import BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual
from .network import Network
from .optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from .predictive import Predictive
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
    "Categorical",
    "Constant",
    "CosineDecay",
    "Dense",
    "Distribution",
    "DivergedError",
    "Dropout",
    "ExponentialDecay",
    "History",
    "InverseScaling",
    "Layer",
    "LayerNorm",
    "Network",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Penalties",
    "Predictive",
    "RMSprop",
    "ReduceOnPlateau",
    "Residual",
    "Scaling",
    "Schedule",
    "Sequence",
    "StepDecay",
    "fit",
    "philox",
    "update",
]
