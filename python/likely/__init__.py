"""likely: multilayer perceptrons that predict a probability distribution.

Choose a distribution for the target, let the network predict its parameters, minimise the negative
log-likelihood, and get back the whole distribution.

>>> import likely, numpy as np
>>> x = np.random.default_rng(0).uniform(-1, 1, size=(200, 1))
>>> y = np.sin(3 * x) + 0.1
>>> network = likely.Network(inputs=1, layers=[likely.Dense(16, "tanh")], standardize=True)
>>> history = likely.Trainer(epochs=50).fit(network, x, y)
>>> d = network.predict_distribution([[0.0], [0.5]])
>>> d.mean.shape, d.quantile(0.99).shape
((2,), (2,))
"""

from importlib.metadata import version as _version

from likely._core import (
    ELU,
    GELU,
    SGD,
    Activation,
    Adam,
    Bernoulli,
    Categorical,
    Dense,
    Distribution,
    DivergedError,
    History,
    Identity,
    Layer,
    LeakyReLU,
    Normal,
    Optimizer,
    ReLU,
    Residual,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from likely._system import show_config
from likely.network import Network, load
from likely.predictive import PredictiveDistribution
from likely.trainer import Epoch, Trainer

__version__ = _version("likely")

__all__ = [
    "ELU",
    "GELU",
    "SGD",
    "Activation",
    "Adam",
    "Bernoulli",
    "Categorical",
    "Dense",
    "Distribution",
    "DivergedError",
    "Epoch",
    "History",
    "Identity",
    "Layer",
    "LeakyReLU",
    "Network",
    "Normal",
    "Optimizer",
    "PredictiveDistribution",
    "ReLU",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "Trainer",
    "load",
    "show_config",
]
