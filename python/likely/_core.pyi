"""
The C++ core of likely.
"""
from __future__ import annotations
import collections.abc
import inspect
import numpy.typing
import os
import typing
__all__: list[str] = ['Activation', 'Adagrad', 'Adam', 'AdamW', 'BatchNorm', 'Bernoulli', 'Beta', 'BetaWeighting', 'Binomial', 'Categorical', 'Constant', 'CosineDecay', 'Custom', 'Dense', 'Distribution', 'DivergedError', 'Dropout', 'ELU', 'Exponential', 'ExponentialDecay', 'Faithful', 'GELU', 'Gamma', 'Head', 'History', 'Identity', 'InverseScaling', 'Laplace', 'Layer', 'LayerNorm', 'LeakyReLU', 'LogNormal', 'Logistic', 'Mixture', 'Model', 'MultivariateNormal', 'NaturalGradient', 'NegativeBinomial', 'Normal', 'OneCycle', 'Optimizer', 'Ordinal', 'Poisson', 'Quantiles', 'RMSprop', 'ReLU', 'ReduceOnPlateau', 'Residual', 'SGD', 'Schedule', 'Sequence', 'SiLU', 'Sigmoid', 'Softplus', 'Stabilizer', 'StepDecay', 'StudentT', 'Tanh', 'TrainerOptions', 'VonMises', 'Warmup', 'Weibull', 'ZeroInflated', 'fit', 'raw_parameters', 'set_num_threads', 'system', 'use_threads_always']
class Activation:
    """
    Base class of every Activation.
    """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __reduce__(self) -> tuple[typing.Any, ...]:
        ...
    def __repr__(self) -> str:
        ...
class Identity(Activation):
    """
    z
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class ReLU(Activation):
    """
    max(z, 0); its derivative at 0 is 0. Nair and Hinton (2010).
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class LeakyReLU(Activation):
    """
    z where z > 0, else negative_slope z. Maas et al. (2013).
    
    Parameters
    ----------
    negative_slope : float, default 0.01
        slope below zero, at least 0
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, negative_slope: float = 0.01) -> None:
        ...
    @property
    def negative_slope(self) -> float:
        """
        slope below zero, at least 0
        """
class ELU(Activation):
    """
    z where z > 0, else alpha (exp(z) - 1). Clevert et al. (2016).
    
    Parameters
    ----------
    alpha : float, default 1.0
        minus the limit at -infinity, positive
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, alpha: float = 1.0) -> None:
        ...
    @property
    def alpha(self) -> float:
        """
        minus the limit at -infinity, positive
        """
class GELU(Activation):
    """
    z Phi(z), Phi the standard normal cdf (the exact form). Hendrycks and Gimpel (2016).
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class SiLU(Activation):
    """
    z / (1 + exp(-z)). Elfwing et al. (2018).
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Sigmoid(Activation):
    """
    1 / (1 + exp(-z))
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Tanh(Activation):
    """
    tanh(z)
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Softplus(Activation):
    """
    log(1 + exp(z)). Dugas et al. (2001).
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Distribution:
    """
    Base class of every Distribution.
    """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __reduce__(self) -> tuple[typing.Any, ...]:
        ...
    def __repr__(self) -> str:
        ...
class Normal(Distribution):
    """
    Normal distribution of a real target. Raw parameters: loc and log_scale, with scale = exp(log_scale).
    With scale=1.0 the loss is half the squared error plus log(2 pi) / 2, with scale=0.5**0.5 the squared
    error plus log(pi) / 2. Where the network standardises its target, a fixed scale is in standard
    deviations of the target.
    Source: Nix and Weigend (1994), 'Estimating the mean and variance of the target probability distribution'.
    
    Parameters
    ----------
    scale : str | float, default 'predicted'
        'predicted' for each row, 'shared' (one learned constant for each target column), or a positive number
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, scale: str | float = 'predicted') -> None:
        ...
    @property
    def scale(self) -> str | float:
        """
        'predicted' for each row, 'shared' (one learned constant for each target column), or a positive number
        """
class Laplace(Distribution):
    """
    Laplace (double exponential) distribution of a real target: robust, its mode is the conditional
    median. Raw parameters: loc and log_scale, with scale = exp(log_scale), the mean absolute deviation.
    Source: Laplace (1774), 'Memoire sur la probabilite des causes par les evenements'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class StudentT(Distribution):
    """
    Student's t distribution of a real target: robust where its degrees of freedom are few. Raw
    parameters: loc, log_scale and log_excess_df, with scale = exp(log_scale) and df = 1 +
    exp(log_excess_df) from 1 (Cauchy) to 1000. A predicted or shared df starts at 10.
    The mean is undefined at df = 1, the standard deviation infinite up to df = 2.
    Source: Lange, Little and Taylor (1989), 'Robust statistical modeling using the t distribution'.
    
    Parameters
    ----------
    df : str | float, default 'predicted'
        degrees of freedom: 'predicted' for each row, 'shared' (one learned constant for each target column), or a number in [1, 1000]
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, df: str | float = 'predicted') -> None:
        ...
    @property
    def df(self) -> str | float:
        """
        degrees of freedom: 'predicted' for each row, 'shared' (one learned constant for each target column), or a number in [1, 1000]
        """
class Logistic(Distribution):
    """
    Logistic distribution of a real target: like the normal one, with exponential tails and a cdf in
    closed form. Raw parameters: loc and log_scale, with scale = exp(log_scale); the standard deviation is
    scale pi / sqrt(3).
    Source: Balakrishnan (1992), 'Handbook of the logistic distribution'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class LogNormal(Distribution):
    """
    Log-normal distribution of a positive target, whose logarithm is normal. Raw parameters: loc and
    log_scale, with scale = exp(log_scale), both of the logarithm. Targets may be right-censored.
    Source: Aitchison and Brown (1957), 'The lognormal distribution'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Exponential(Distribution):
    """
    Exponential distribution of a target of at least 0, such as a time until something that happens at a
    constant rate. Raw parameter: log_scale, with rate = exp(-log_scale). Targets may be right-censored.
    Source: Feigl and Zelen (1965), 'Estimation of exponential survival probabilities with concomitant
    information'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Gamma(Distribution):
    """
    Gamma distribution of a positive target. Raw parameters: log_mean and log_concentration, with mean =
    exp(log_mean), concentration = exp(log_concentration) and rate = concentration / mean. The standard
    deviation is mean / sqrt(concentration).
    Source: McCullagh and Nelder (1989), 'Generalized linear models', chapter 8.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Weibull(Distribution):
    """
    Weibull distribution of a positive target, such as a time to failure: the hazard grows where
    concentration > 1. Raw parameters: log_scale and log_concentration, with scale = exp(log_scale) and
    concentration = exp(log_concentration). Targets may be right-censored.
    Source: Weibull (1951), 'A statistical distribution function of wide applicability'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Beta(Distribution):
    """
    Beta distribution of a target between 0 and 1, a share. Raw parameters: logit_mean and log_precision,
    with mean = 1 / (1 + exp(-logit_mean)), precision = exp(log_precision), concentration1 = mean precision and
    concentration0 = (1 - mean) precision. The variance is mean (1 - mean) / (1 + precision).
    Source: Ferrari and Cribari-Neto (2004), 'Beta regression for modelling rates and proportions'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class VonMises(Distribution):
    """
    Von Mises distribution of an angle in radians, a normal distribution on the circle. Raw parameters: loc and
    log_concentration, with concentration = exp(log_concentration), about 1 / (standard deviation)^2 where
    it is large. Targets and loc count modulo 2 pi; mean and mode are loc in [-pi, pi), and the standard
    deviation is that of the distance to loc.
    Source: Mardia and Jupp (2000), 'Directional statistics', section 3.5.4.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Poisson(Distribution):
    """
    Poisson distribution of a target that is a count. Raw parameter: log_mean, with rate = exp(log_mean), which is
    mean and variance. Where the variance is larger, take NegativeBinomial.
    Source: McCullagh and Nelder (1989), 'Generalized linear models', chapter 6.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class NegativeBinomial(Distribution):
    """
    Negative binomial distribution of a target that is a count, with a variance above its mean: a Poisson
    distribution whose rate is drawn from a gamma distribution. Raw parameters: log_mean and log_total_count, with
    mean = exp(log_mean), total_count = exp(log_total_count) (any positive number) and probs =
    mean / (mean + total_count). The variance is mean + mean^2 / total_count: Poisson's where total_count is large.
    Source: Lawless (1987), 'Negative binomial and mixed Poisson regression'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class ZeroInflated(Distribution):
    """
    Zero-inflated distribution of a target that is a count: 0 with the probability gate, else a draw of the base
    (which may be 0 too). Raw parameters: gate_logit, with gate = 1 / (1 + exp(-gate_logit)), then those of the base.
    Source: Lambert (1992), 'Zero-inflated Poisson regression, with an application to defects in manufacturing'.
    
    Parameters
    ----------
    base : str | Distribution
        'poisson' or 'negative_binomial'
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, base: str | Distribution) -> None:
        ...
    @property
    def base(self) -> Distribution:
        """
        'poisson' or 'negative_binomial'
        """
class Bernoulli(Distribution):
    """
    Bernoulli distribution of a target that is 0 or 1. Raw parameter: logit, with probs = 1 / (1 + exp(-logit)).
    The loss is the binary cross-entropy. Source: Cox (1958), 'The regression analysis of binary sequences'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Binomial(Distribution):
    """
    Binomial distribution of a target that is the number of successes in n trials. Raw parameter: logit, with
    probs = 1 / (1 + exp(-logit)), the probability of success in each trial. One trial makes it Bernoulli.
    Source: McCullagh and Nelder (1989), 'Generalized linear models', chapter 4.
    
    Parameters
    ----------
    n : int
        number of trials, at least 1
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, n: int) -> None:
        ...
    @property
    def n(self) -> int:
        """
        number of trials, at least 1
        """
class Categorical(Distribution):
    """
    Categorical distribution of a label 0, 1, ..., classes - 1. Raw parameters: one logit for each class, with
    probs = softmax(logits). The loss is the cross-entropy.
    Source: Bridle (1990), 'Probabilistic interpretation of feedforward classification network outputs'.
    
    Parameters
    ----------
    classes : int
        number of classes, at least 2
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, classes: int) -> None:
        ...
    @property
    def classes(self) -> int:
        """
        number of classes, at least 2
        """
class Ordinal(Distribution):
    """
    Ordinal distribution (proportional odds) of a label 0, 1, ..., levels - 1 whose order means something and
    whose distances do not: grades, ratings. P(target <= k) = sigmoid(cut_k - loc), whose differences are the
    probs of params.
    Raw parameters: loc, cut_point = cut_0 and log_gap[k], with cut_k = cut_(k-1) + exp(log_gap[k]) for k = 1 to
    levels - 2. The network predicts loc; the others are learned constants of each target column, which start at
    equally probable levels, unless cut_points='predicted'.
    Source: McCullagh (1980), 'Regression models for ordinal data'.
    
    Parameters
    ----------
    levels : int
        number of levels, at least 2
    cut_points : str, default 'shared'
        'shared' (learned constants of each target column) or 'predicted' (for each row)
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, levels: int, cut_points: str = 'shared') -> None:
        ...
    @property
    def cut_points(self) -> str:
        """
        'shared' (learned constants of each target column) or 'predicted' (for each row)
        """
    @property
    def levels(self) -> int:
        """
        number of levels, at least 2
        """
class MultivariateNormal(Distribution):
    """
    Multivariate normal distribution of all target columns of a row, which may depend on each other. log_prob and
    entropy are of the row, other statistics of its marginals. Raw parameters: loc[t] of each column, then the lower
    Cholesky factor L of the covariance L L^T row by row: log_diagonal[t] on its diagonal, off_diagonal[t,u] below.
    params has L as scale_tril. At most 1024 target columns.
    Source: Williams (1996), 'Using neural networks to model conditional multivariate densities'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class Mixture(Distribution):
    """
    Mixture of k distributions of one family, so that a prediction may have several peaks.
    Raw parameters: weight_logits[0 .. k-1], with weights = softmax(weight_logits), then those of component 0,
    of component 1, ...: for Normal components loc[0], log_scale[0], loc[1], ... What the component shares or fixes
    (Normal(scale='shared')), each of the k shares or fixes for itself. The components start apart, their first raw
    parameters at quantiles of the standard normal distribution: with standardize=True they are spread over the
    target. Support and standardisation are those of the component.
    Source: Bishop (1994), 'Mixture density networks'.
    
    Parameters
    ----------
    component : str | Distribution
        the family of the components: one of a single target and a number of raw parameters that does not depend on its fields
    k : int
        number of components, at least 2
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, component: str | Distribution, k: int) -> None:
        ...
    @property
    def component(self) -> Distribution:
        """
        the family of the components: one of a single target and a number of raw parameters that does not depend on its fields
        """
    @property
    def k(self) -> int:
        """
        number of components, at least 2
        """
class Quantiles(Distribution):
    """
    Quantiles of a real target at given levels, which never cross, by quantile regression: no density, so no
    log_prob and no samples; quantile and cdf are linear between the levels and nan outside, other statistics nan.
    Raw parameters: quantile, that of level number (m - 1) // 2 of the m levels, and gap[1], ..., gap[m - 1],
    with quantile i = quantile i - 1 + softplus(gap[i]); params has them as quantiles. The loss is the pinball loss
    summed over the levels. Where the network standardises its target, losses are in standard deviations of
    the target.
    Source: Koenker and Bassett (1978), 'Regression quantiles'.
    
    Parameters
    ----------
    levels : sequence of float
        increasing numbers in (0, 1)
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, levels: collections.abc.Sequence[float]) -> None:
        ...
    @property
    def levels(self) -> tuple[float, ...]:
        """
        increasing numbers in (0, 1)
        """
class Custom(Distribution):
    """
    A density written in Python, known by its log_prob alone; made by likely.distribution.
    Made by hand or read from a file it has no function: a network then predicts the raw
    parameters, and likely.load(path, distribution=...) gives the function back.
    
    Parameters
    ----------
    name : str
        of the density, such as 'gumbel'
    parameters : sequence of str
        the function's arguments after y, each a raw parameter, such as ('loc', 'log_scale')
    support : str, default 'real'
        which targets are possible: 'real', 'positive', 'nonnegative', 'unit_interval' (0 and 1 included), 'integer' or 'nonnegative_integer'
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __call__(self, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        """
        The function itself.
        """
    def __copy__(self) -> typing.Any:
        ...
    def __deepcopy__(self, arg0: typing.Any) -> typing.Any:
        ...
    def __init__(self, name: str, parameters: collections.abc.Sequence[str], support: str = 'real') -> None:
        ...
    def __reduce__(self) -> tuple:
        ...
    def with_call(self, call: typing.Any) -> Custom:
        """
        The same density with another call.
        """
    @property
    def call(self) -> typing.Any:
        """
        What the core calls; see likely.distribution.
        """
    @property
    def function(self) -> typing.Any:
        """
        The function as it was written, or None where it is missing.
        """
    @property
    def name(self) -> str:
        """
        of the density, such as 'gumbel'
        """
    @property
    def parameters(self) -> tuple[str, ...]:
        """
        the function's arguments after y, each a raw parameter, such as ('loc', 'log_scale')
        """
    @property
    def support(self) -> str:
        """
        which targets are possible: 'real', 'positive', 'nonnegative', 'unit_interval' (0 and 1 included), 'integer' or 'nonnegative_integer'
        """
class Layer:
    """
    Base class of every Layer.
    """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __reduce__(self) -> tuple[typing.Any, ...]:
        ...
    def __repr__(self) -> str:
        ...
class Dense(Layer):
    """
    Fully connected layer: activation(x @ weight + bias).
    
    Parameters
    ----------
    units : int
        number of outputs, at least 1
    activation : str | Activation, default 'identity'
        a name or an activation object
    bias : bool, default True
        whether a bias is added
    init : str, default 'auto'
        'auto' (he_uniform before the relu family, else glorot_uniform), 'glorot_uniform', 'he_uniform', 'torch_uniform', 'glorot_normal', 'he_normal' or 'zeros'
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, units: int, activation: str | Activation = 'identity', bias: bool = True, init: str = 'auto') -> None:
        ...
    @property
    def activation(self) -> Activation:
        """
        a name or an activation object
        """
    @property
    def bias(self) -> bool:
        """
        whether a bias is added
        """
    @property
    def init(self) -> str:
        """
        'auto' (he_uniform before the relu family, else glorot_uniform), 'glorot_uniform', 'he_uniform', 'torch_uniform', 'glorot_normal', 'he_normal' or 'zeros'
        """
    @property
    def units(self) -> int:
        """
        number of outputs, at least 1
        """
class Residual(Layer):
    """
    Residual block: x + f(x), with f the given layers one after the other. f must keep the width of x.
    The same layer object twice, inside or outside of it, shares its weights.
    Source: He et al. (2016), 'Deep residual learning for image recognition', equation 1.
    
    Parameters
    ----------
    *layers : Layer
        the layers of f, at least one
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, *layers: Layer) -> None:
        ...
    @property
    def layers(self) -> tuple[Layer, ...]:
        """
        the layers of f, at least one
        """
class Dropout(Layer):
    """
    Dropout: in a training step each number is set to zero with probability `rate`, and those kept are divided by
    1 - rate (rounded to a multiple of 1 / 65536), so that a prediction, which drops nothing, needs no change.
    Stands before any dense layer, the output layer too; first in a network it drops inputs.
    Source: Srivastava et al. (2014), 'Dropout: a simple way to prevent neural networks from overfitting'.
    
    Parameters
    ----------
    rate : float
        the share that is dropped, in [0, 1)
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, rate: float) -> None:
        ...
    @property
    def rate(self) -> float:
        """
        the share that is dropped, in [0, 1)
        """
class BatchNorm(Layer):
    """
    Batch normalisation: activation(scale * z + shift), z each column standardised: in a training step over the
    rows of the batch, elsewhere by moving averages of the batches' moments. After an activation:
    Dense(64, 'relu'), BatchNorm(); before it: Dense(64), BatchNorm(activation='relu').
    An object is used once in a network. Batches need at least two rows.
    Source: Ioffe and Szegedy (2015), 'Batch normalization: accelerating deep network training by reducing internal
    covariate shift', algorithms 1 and 2.
    
    Parameters
    ----------
    momentum : float, default 0.9
        how much of the moving averages stays at each step, in [0, 1)
    epsilon : float, default 1e-05
        added to the variance, in [1e-30, 1]
    activation : str | Activation, default 'identity'
        a name or an activation object
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-05, activation: str | Activation = 'identity') -> None:
        ...
    @property
    def activation(self) -> Activation:
        """
        a name or an activation object
        """
    @property
    def epsilon(self) -> float:
        """
        added to the variance, in [1e-30, 1]
        """
    @property
    def momentum(self) -> float:
        """
        how much of the moving averages stays at each step, in [0, 1)
        """
class LayerNorm(Layer):
    """
    Layer normalisation: activation(scale * z + shift), z each row standardised over its columns.
    Source: Ba, Kiros and Hinton (2016), 'Layer normalization', equation 4.
    
    Parameters
    ----------
    epsilon : float, default 1e-05
        added to the variance, in [1e-30, 1]
    activation : str | Activation, default 'identity'
        a name or an activation object
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, epsilon: float = 1e-05, activation: str | Activation = 'identity') -> None:
        ...
    @property
    def activation(self) -> Activation:
        """
        a name or an activation object
        """
    @property
    def epsilon(self) -> float:
        """
        added to the variance, in [1e-30, 1]
        """
class Optimizer:
    """
    Base class of every Optimizer.
    """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __reduce__(self) -> tuple[typing.Any, ...]:
        ...
    def __repr__(self) -> str:
        ...
class SGD(Optimizer):
    """
    Stochastic gradient descent, with classical or Nesterov momentum (Sutskever et al. 2013):
    v = momentum v + g; p -= learning_rate v, or p -= learning_rate (g + momentum v).
    
    Parameters
    ----------
    learning_rate : float, default 0.01
        step size, positive
    momentum : float, default 0.0
        in [0, 1)
    nesterov : bool, default False
        look ahead along the momentum
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> None:
        ...
    @property
    def learning_rate(self) -> float:
        """
        step size, positive
        """
    @property
    def momentum(self) -> float:
        """
        in [0, 1)
        """
    @property
    def nesterov(self) -> bool:
        """
        look ahead along the momentum
        """
class Adam(Optimizer):
    """
    Adam (Kingma and Ba 2015, algorithm 1): steps scaled by running first and second moments of the
    gradient, both corrected for their start at zero.
    
    Parameters
    ----------
    learning_rate : float, default 0.001
        step size, positive
    beta1 : float, default 0.9
        decay of the first moment, in [0, 1)
    beta2 : float, default 0.999
        decay of the second moment, in [0, 1)
    epsilon : float, default 1e-08
        added to the denominator, positive
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08) -> None:
        ...
    @property
    def beta1(self) -> float:
        """
        decay of the first moment, in [0, 1)
        """
    @property
    def beta2(self) -> float:
        """
        decay of the second moment, in [0, 1)
        """
    @property
    def epsilon(self) -> float:
        """
        added to the denominator, positive
        """
    @property
    def learning_rate(self) -> float:
        """
        step size, positive
        """
class AdamW(Optimizer):
    """
    Adam with decoupled weight decay (Loshchilov and Hutter 2019): before each step of Adam, weights
    shrink by learning_rate weight_decay of themselves.
    
    Parameters
    ----------
    learning_rate : float, default 0.001
        step size, positive
    beta1 : float, default 0.9
        decay of the first moment, in [0, 1)
    beta2 : float, default 0.999
        decay of the second moment, in [0, 1)
    epsilon : float, default 1e-08
        added to the denominator, positive
    weight_decay : float, default 0.01
        at least 0
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-08, weight_decay: float = 0.01) -> None:
        ...
    @property
    def beta1(self) -> float:
        """
        decay of the first moment, in [0, 1)
        """
    @property
    def beta2(self) -> float:
        """
        decay of the second moment, in [0, 1)
        """
    @property
    def epsilon(self) -> float:
        """
        added to the denominator, positive
        """
    @property
    def learning_rate(self) -> float:
        """
        step size, positive
        """
    @property
    def weight_decay(self) -> float:
        """
        at least 0
        """
class RMSprop(Optimizer):
    """
    RMSprop (Tieleman and Hinton 2012, lecture 6.5): steps divided by the root of a running mean of the
    squared gradient.
    
    Parameters
    ----------
    learning_rate : float, default 0.001
        step size, positive
    decay : float, default 0.9
        decay of the mean square, in [0, 1)
    epsilon : float, default 1e-08
        added to the denominator, positive
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, learning_rate: float = 0.001, decay: float = 0.9, epsilon: float = 1e-08) -> None:
        ...
    @property
    def decay(self) -> float:
        """
        decay of the mean square, in [0, 1)
        """
    @property
    def epsilon(self) -> float:
        """
        added to the denominator, positive
        """
    @property
    def learning_rate(self) -> float:
        """
        step size, positive
        """
class Adagrad(Optimizer):
    """
    Adagrad (Duchi et al. 2011, with the diagonal matrix): steps divided by the root of the sum of all
    squared gradients.
    
    Parameters
    ----------
    learning_rate : float, default 0.01
        step size, positive
    epsilon : float, default 1e-10
        added to the denominator, positive
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-10) -> None:
        ...
    @property
    def epsilon(self) -> float:
        """
        added to the denominator, positive
        """
    @property
    def learning_rate(self) -> float:
        """
        step size, positive
        """
class Schedule:
    """
    Base class of every Schedule.
    """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __reduce__(self) -> tuple[typing.Any, ...]:
        ...
    def __repr__(self) -> str:
        ...
class Constant(Schedule):
    """
    Schedule: the learning rate stays as it is, factor 1.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class StepDecay(Schedule):
    """
    Schedule: the learning rate times factor^floor(epoch / every), the same for a whole epoch.
    
    Parameters
    ----------
    every : int
        epochs between steps
    factor : float, default 0.1
        in (0, 1]
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, every: int, factor: float = 0.1) -> None:
        ...
    @property
    def every(self) -> int:
        """
        epochs between steps
        """
    @property
    def factor(self) -> float:
        """
        in (0, 1]
        """
class ExponentialDecay(Schedule):
    """
    Schedule: the learning rate times factor^t, t the time in epochs, from step to step.
    
    Parameters
    ----------
    factor : float, default 0.95
        of one epoch, in (0, 1]
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, factor: float = 0.95) -> None:
        ...
    @property
    def factor(self) -> float:
        """
        of one epoch, in (0, 1]
        """
class InverseScaling(Schedule):
    """
    Schedule: the learning rate times (1 + t)^-power, t the time in epochs, from step to step (Robbins
    and Monro 1951, whose conditions hold for powers in (0.5, 1]).
    
    Parameters
    ----------
    power : float, default 0.5
        positive
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, power: float = 0.5) -> None:
        ...
    @property
    def power(self) -> float:
        """
        positive
        """
class CosineDecay(Schedule):
    """
    Schedule: a linear warmup to 1, then half a period of a cosine down to `final` at the end of the
    epochs that it spans (Loshchilov and Hutter 2017, without restarts).
    
    Parameters
    ----------
    warmup : float, default 0.0
        in epochs, less than the schedule spans
    final : float, default 0.0
        the last factor, in [0, 1]
    epochs : int | None, default None
        the span of the schedule; None: that of the training, or of its part of a Sequence
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, warmup: float = 0.0, final: float = 0.0, epochs: int | None = None) -> None:
        ...
    @property
    def epochs(self) -> int | None:
        """
        the span of the schedule; None: that of the training, or of its part of a Sequence
        """
    @property
    def final(self) -> float:
        """
        the last factor, in [0, 1]
        """
    @property
    def warmup(self) -> float:
        """
        in epochs, less than the schedule spans
        """
class OneCycle(Schedule):
    """
    Schedule: up from `start` to 1 and down to `final`, each way half a period of a cosine (Smith and
    Topin 2018). The learning rate of the optimizer is the highest one.
    
    Parameters
    ----------
    warmup : float, default 0.3
        the way up as a share of the epochs, in (0, 1)
    start : float, default 0.04
        the first factor, in [0, 1]
    final : float, default 4e-06
        the last factor, in [0, 1]
    epochs : int | None, default None
        the span of the schedule; None: that of the training, or of its part of a Sequence
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, warmup: float = 0.3, start: float = 0.04, final: float = 4e-06, epochs: int | None = None) -> None:
        ...
    @property
    def epochs(self) -> int | None:
        """
        the span of the schedule; None: that of the training, or of its part of a Sequence
        """
    @property
    def final(self) -> float:
        """
        the last factor, in [0, 1]
        """
    @property
    def start(self) -> float:
        """
        the first factor, in [0, 1]
        """
    @property
    def warmup(self) -> float:
        """
        the way up as a share of the epochs, in (0, 1)
        """
class ReduceOnPlateau(Schedule):
    """
    Schedule: the learning rate falls by a factor whenever `patience` epochs in a row brought no loss
    below the best one less `threshold`. The loss is the validation loss, without validation data the
    training loss.
    
    Parameters
    ----------
    factor : float, default 0.1
        in (0, 1)
    patience : int, default 10
        in epochs, at least 1
    threshold : float, default 0.0001
        smaller gains do not count
    minimum : float, default 0.0
        the smallest factor, in [0, 1]
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, factor: float = 0.1, patience: int = 10, threshold: float = 0.0001, minimum: float = 0.0) -> None:
        ...
    @property
    def factor(self) -> float:
        """
        in (0, 1)
        """
    @property
    def minimum(self) -> float:
        """
        the smallest factor, in [0, 1]
        """
    @property
    def patience(self) -> int:
        """
        in epochs, at least 1
        """
    @property
    def threshold(self) -> float:
        """
        smaller gains do not count
        """
class Sequence(Schedule):
    """
    Schedule: one schedule after the other, each with its own clock.
    
    Parameters
    ----------
    schedules : sequence of str | Schedule
        at least one, none of them a Sequence
    at : sequence of int
        the epochs at which the second, the third, ... begins, increasing
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, schedules: collections.abc.Sequence[str | Schedule], at: collections.abc.Sequence[int]) -> None:
        ...
    @property
    def at(self) -> tuple[int, ...]:
        """
        the epochs at which the second, the third, ... begins, increasing
        """
    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """
        at least one, none of them a Sequence
        """
class Stabilizer:
    """
    Base class of every Stabilizer.
    """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __reduce__(self) -> tuple[typing.Any, ...]:
        ...
    def __repr__(self) -> str:
        ...
class Warmup(Stabilizer):
    """
    Stabilizer: in the first epochs the location alone is trained, as if the scale were 1 (in the
    network's units), then everything by the plain gradient. These epochs do not count for `patience`.
    Source: Nix and Weigend (1994), 'Estimating the mean and variance of the target probability distribution'.
    
    Parameters
    ----------
    epochs : int | None, default None
        at least 1 and less than those of the training; None: half of them, rounded down
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, epochs: int | None = None) -> None:
        ...
    @property
    def epochs(self) -> int | None:
        """
        at least 1 and less than those of the training; None: half of them, rounded down
        """
class BetaWeighting(Stabilizer):
    """
    Stabilizer: all derivatives of a sample times scale^(2 beta), a factor that is not differentiated
    itself. beta=0 is the plain gradient; with beta=1 the location follows squared errors.
    Source: Seitzer et al. (2022), 'On the pitfalls of heteroscedastic uncertainty estimation with
    probabilistic neural networks'.
    
    Parameters
    ----------
    beta : float, default 0.5
        in [0, 1]
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, beta: float = 0.5) -> None:
        ...
    @property
    def beta(self) -> float:
        """
        in [0, 1]
        """
class Faithful(Stabilizer):
    """
    Stabilizer: the location is trained as if the scale were 1 (in the network's units), and it alone
    trains the layers before the output layer; the other raw parameters follow the plain gradient on
    what these layers give. The fitted location is that of a network without a scale.
    Source: Stirn et al. (2023), 'Faithful heteroscedastic regression with neural networks'.
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self) -> None:
        ...
class NaturalGradient(Stabilizer):
    """
    Stabilizer: the derivative by each raw parameter divided by (its own entry of the Fisher information
    + damping), row by row: the location's then is about the error itself, at any scale.
    Source: Amari (1998), 'Natural gradient works efficiently in learning'; Duan et al. (2020), 'NGBoost:
    natural gradient boosting for probabilistic prediction'.
    
    Parameters
    ----------
    damping : float, default 0.001
        finite and positive; bounds what a derivative is multiplied by
    """
    __signature__: typing.ClassVar[inspect.Signature]
    def __init__(self, damping: float = 0.001) -> None:
        ...
    @property
    def damping(self) -> float:
        """
        finite and positive; bounds what a derivative is multiplied by
        """
class Head:
    """
    What turns raw parameters into statistics; see likely.PredictiveDistribution.
    """
    def __getstate__(self) -> tuple[typing.Any, int, str, list[float], typing.Any]:
        ...
    def __init__(self, distribution: typing.Any, targets: typing.SupportsInt | typing.SupportsIndex, dtype: str) -> None:
        ...
    def __setstate__(self, arg0: tuple[typing.Any, int, str, list[float], typing.Any]) -> None:
        ...
    def check_targets(self, y: numpy.typing.NDArray[typing.Any], event: numpy.typing.NDArray[typing.Any] | None = None) -> None:
        ...
    def cross_entropy(self, raw: numpy.typing.NDArray[typing.Any], other: Head, other_raw: numpy.typing.NDArray[typing.Any]) -> numpy.typing.NDArray[typing.Any]:
        ...
    def evaluate(self, statistic: str, raw: numpy.typing.NDArray[typing.Any], argument: numpy.typing.NDArray[typing.Any] | None = None, probability: typing.SupportsFloat | typing.SupportsIndex = 0.0, parameter: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[typing.Any]:
        ...
    def has(self, statistic: str) -> bool:
        ...
    def in_float64(self) -> Head:
        ...
    def kl_divergence(self, raw: numpy.typing.NDArray[typing.Any], other: Head, other_raw: numpy.typing.NDArray[typing.Any]) -> numpy.typing.NDArray[typing.Any]:
        ...
    def raw_from(self, given: numpy.typing.NDArray[typing.Any]) -> numpy.typing.NDArray[typing.Any]:
        ...
    def sample(self, raw: numpy.typing.NDArray[typing.Any], count: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex) -> numpy.typing.NDArray[typing.Any]:
        ...
    def uniforms(self, count: typing.SupportsInt | typing.SupportsIndex, rows: typing.SupportsInt | typing.SupportsIndex, seed: typing.SupportsInt | typing.SupportsIndex, step: typing.SupportsInt | typing.SupportsIndex = 0) -> numpy.typing.NDArray[typing.Any]:
        ...
    @property
    def distribution(self) -> Distribution:
        ...
    @property
    def dtype(self) -> str:
        ...
    @property
    def joint(self) -> bool:
        ...
    @property
    def parameters(self) -> list[tuple[str, list[int]]]:
        ...
    @property
    def targets(self) -> int:
        ...
class Model:
    """
    A specification with its parameters and scaling; see likely.Network.
    """
    @staticmethod
    def from_bytes(data: bytes, distribution: typing.Any = None) -> Model:
        ...
    @staticmethod
    def load(path: os.PathLike | str | bytes, distribution: typing.Any = None) -> Model:
        ...
    def __init__(self, inputs: typing.SupportsInt | typing.SupportsIndex, targets: typing.SupportsInt | typing.SupportsIndex, layers: collections.abc.Sequence[typing.Any], output: typing.Any | None, distribution: typing.Any, dtype: str, seed: typing.SupportsInt | typing.SupportsIndex, standardize: bool, feature_names: collections.abc.Sequence[str], target_names: collections.abc.Sequence[str], class_names: collections.abc.Sequence[str]) -> None:
        ...
    def head(self) -> Head:
        ...
    def loss(self, x: numpy.typing.NDArray[typing.Any], y: numpy.typing.NDArray[typing.Any], sample_weight: numpy.typing.NDArray[typing.Any] | None = None, event: numpy.typing.NDArray[typing.Any] | None = None) -> float:
        ...
    def loss_and_gradient(self, x: numpy.typing.NDArray[typing.Any], y: numpy.typing.NDArray[typing.Any], sample_weight: numpy.typing.NDArray[typing.Any] | None = None, event: numpy.typing.NDArray[typing.Any] | None = None) -> tuple[float, numpy.typing.NDArray[typing.Any]]:
        ...
    def predict(self, x: typing.Any) -> numpy.typing.NDArray[typing.Any] | None:
        """
        The raw parameters of all rows, or None: not an array that this knows at a glance.
        """
    def predict_into(self, x: typing.Any, out: typing.Any) -> bool:
        """
        Those of one row into an array; False: nothing was written.
        """
    def raw(self, x: numpy.typing.NDArray[typing.Any]) -> numpy.typing.NDArray[typing.Any]:
        ...
    def save(self, path: os.PathLike | str | bytes) -> None:
        ...
    def sparsity(self) -> tuple[int, int]:
        ...
    def to_bytes(self) -> bytes:
        ...
    @property
    def averages(self) -> numpy.typing.NDArray[typing.Any]:
        ...
    @property
    def class_names(self) -> list[str]:
        ...
    @property
    def distribution(self) -> Distribution:
        ...
    @property
    def dtype(self) -> str:
        ...
    @property
    def feature_names(self) -> list[str]:
        ...
    @property
    def inputs(self) -> int:
        ...
    @property
    def layers(self) -> list[Layer]:
        ...
    @property
    def output(self) -> Layer:
        ...
    @property
    def parameters(self) -> numpy.typing.NDArray[typing.Any]:
        ...
    @property
    def scaling(self) -> dict[str, numpy.typing.NDArray[typing.Any]] | None:
        ...
    @property
    def specification(self) -> str:
        ...
    @property
    def standardize(self) -> bool:
        ...
    @property
    def target_names(self) -> list[str]:
        ...
    @property
    def targets(self) -> int:
        ...
    @property
    def tensors(self) -> list[tuple[str, tuple, int]]:
        ...
class TrainerOptions:
    """
    The options of a fit, checked; see likely.Trainer.
    """
    def __init__(self, optimizer: typing.Any, batch_size: typing.SupportsInt | typing.SupportsIndex | None, epochs: typing.SupportsInt | typing.SupportsIndex, shuffle: bool, drop_last: bool, patience: typing.SupportsInt | typing.SupportsIndex | None, seed: typing.SupportsInt | typing.SupportsIndex, schedule: typing.Any, l1: typing.SupportsFloat | typing.SupportsIndex, l2: typing.SupportsFloat | typing.SupportsIndex, penalize_biases: bool, clip_value: typing.SupportsFloat | typing.SupportsIndex | None, clip_norm: typing.SupportsFloat | typing.SupportsIndex | None, stabilize: typing.Any, threads: typing.SupportsInt | typing.SupportsIndex | None) -> None:
        ...
    @property
    def optimizer(self) -> Optimizer:
        ...
    @property
    def schedule(self) -> Schedule:
        ...
    @property
    def stabilize(self) -> Stabilizer | None:
        ...
class History:
    """
    What happened in a fit. Losses are mean negative log-likelihoods in the user's units.
    """
    def __getstate__(self) -> tuple[list[float], list[float], list[float], list[float], int, int, float, str]:
        ...
    def __init__(self) -> None:
        ...
    def __repr__(self) -> str:
        ...
    def __setstate__(self, arg0: tuple) -> None:
        ...
    @property
    def best_epoch(self) -> int | None:
        """
        The epoch (from 0) with the lowest validation loss, or None.
        """
    @property
    def epochs(self) -> int:
        """
        How many epochs ran.
        """
    @property
    def gradient_norm(self) -> numpy.typing.NDArray[typing.Any]:
        """
        The largest L2 norm of the gradient in each epoch, before clipping.
        """
    @property
    def learning_rate(self) -> numpy.typing.NDArray[typing.Any]:
        """
        Learning rate of the last step of each epoch.
        """
    @property
    def loss(self) -> numpy.typing.NDArray[typing.Any]:
        """
        Training loss of each epoch, as its rows were met.
        """
    @property
    def seconds(self) -> float:
        """
        How long the fit took.
        """
    @property
    def steps(self) -> int:
        """
        How many optimizer steps ran.
        """
    @property
    def stopped(self) -> str:
        """
        Why it ended: 'epochs', 'early stopping', 'callback', 'interrupted' or 'diverged'; empty before a fit.
        """
    @property
    def validation_loss(self) -> numpy.typing.NDArray[typing.Any]:
        """
        Validation loss after each epoch; empty without validation data.
        """
class DivergedError(ArithmeticError):
    """
    The loss, the gradient or a parameter stopped being finite while training. The network keeps its
    last finite parameters: the step is not applied, or, where only some of the updated parameters
    would not be finite, these keep their values from before it.
    
    Attributes
    ----------
    epoch, step : int
        Where, from 0; the step counted over the whole fit.
    gradient_norm : float
        The largest L2 norm of the gradient before.
    """
def fit(model: Model, options: TrainerOptions, x: numpy.typing.NDArray[typing.Any], y: numpy.typing.NDArray[typing.Any], sample_weight: numpy.typing.NDArray[typing.Any] | None, event: numpy.typing.NDArray[typing.Any] | None, validation: tuple[numpy.typing.NDArray[typing.Any], numpy.typing.NDArray[typing.Any], numpy.typing.NDArray[typing.Any] | None] | None, callback: typing.Any, history: History) -> None:
    ...
def raw_parameters(distribution: typing.Any) -> list[tuple[str, str]]:
    ...
def set_num_threads(count: typing.SupportsInt | typing.SupportsIndex) -> None:
    ...
def system() -> dict[str, str]:
    ...
def use_threads_always(always: bool) -> None:
    """
    For tests: whether even the shortest step is cut into pieces for all threads.
    """
