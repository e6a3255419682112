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

import typing as _typing
from importlib import import_module as _import

from likely import metrics
from likely._core import (
    ELU,
    GELU,
    SGD,
    Activation,
    Adagrad,
    Adam,
    AdamW,
    BatchNorm,
    Bernoulli,
    Beta,
    BetaWeighting,
    Binomial,
    Categorical,
    Constant,
    CosineDecay,
    Custom,
    Dense,
    Distribution,
    DivergedError,
    Dropout,
    Exponential,
    ExponentialDecay,
    Faithful,
    Gamma,
    History,
    Identity,
    InverseScaling,
    Laplace,
    Layer,
    LayerNorm,
    LeakyReLU,
    Logistic,
    LogNormal,
    Mixture,
    MultivariateNormal,
    NaturalGradient,
    NegativeBinomial,
    Normal,
    OneCycle,
    Optimizer,
    Ordinal,
    Poisson,
    Quantiles,
    ReduceOnPlateau,
    ReLU,
    Residual,
    RMSprop,
    Schedule,
    Sequence,
    Sigmoid,
    SiLU,
    Softplus,
    Stabilizer,
    StepDecay,
    StudentT,
    Tanh,
    VonMises,
    Warmup,
    Weibull,
    ZeroInflated,
)
from likely._gradients import check_gradient
from likely._system import set_num_threads, show_config
from likely.calibration import conformal, recalibrate
from likely.custom import distribution
from likely.information import cross_entropy, entropy, kl_divergence
from likely.network import Network, load
from likely.predictive import PredictiveDistribution
from likely.trainer import Epoch, Trainer

__version__: str

if not _typing.TYPE_CHECKING:  # a type checker shall still miss what is not there

    def __getattr__(name):
        """Import what takes as long as all else here when it is asked for: pictures, metadata."""
        if name == "plot":
            return _import("likely.plot")
        if name == "__version__":
            return _import("importlib.metadata").version("likely")
        raise AttributeError(f"module 'likely' has no attribute {name!r}")


__all__ = [
    "ELU",
    "GELU",
    "SGD",
    "Activation",
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
    "Custom",
    "Dense",
    "Distribution",
    "DivergedError",
    "Dropout",
    "Epoch",
    "Exponential",
    "ExponentialDecay",
    "Faithful",
    "Gamma",
    "History",
    "Identity",
    "InverseScaling",
    "Laplace",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
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
    "Poisson",
    "PredictiveDistribution",
    "Quantiles",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Residual",
    "Schedule",
    "Sequence",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Stabilizer",
    "StepDecay",
    "StudentT",
    "Tanh",
    "Trainer",
    "VonMises",
    "Warmup",
    "Weibull",
    "ZeroInflated",
    "check_gradient",
    "conformal",
    "cross_entropy",
    "distribution",
    "entropy",
    "kl_divergence",
    "load",
    "metrics",
    "recalibrate",
    "set_num_threads",
    "show_config",
]
