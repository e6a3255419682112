"""The executable specification of `likely`: plain NumPy in float64, readable before fast.

It is written from docs/conventions.md, independently of the core, and is itself tested against
SciPy and central differences; the core is then tested against it.
"""

from . import philox
from .activations import ACTIVATIONS
from .distributions import Bernoulli, Categorical, Distribution, Normal
from .network import Dense, Network, Residual
from .optimizers import SGD, Adam, Optimizer
from .predictive import Predictive
from .scaling import Scaling
from .training import History, fit

__all__ = [
    "ACTIVATIONS",
    "SGD",
    "Adam",
    "Bernoulli",
    "Categorical",
    "Dense",
    "Distribution",
    "History",
    "Network",
    "Normal",
    "Optimizer",
    "Predictive",
    "Residual",
    "Scaling",
    "fit",
    "philox",
]
