"""Densities of one's own, at the top level of a module as pickle wants them, each with SciPy's."""

from collections.abc import Callable
from typing import Any

import likely
import numpy as np
from scipy import special, stats


@likely.distribution(parameters=("loc", "log_scale"))
def normal(y, loc, log_scale):
    log_scale = np.clip(log_scale, -30, 30)
    z = (y - loc) * np.exp(-log_scale)
    return -0.5 * z**2 - log_scale - 0.5 * np.log(2 * np.pi)


@likely.distribution(parameters=("loc", "log_scale"))
def gumbel(y, loc, log_scale):
    z = (y - loc) * np.exp(-log_scale)
    return -z - np.exp(-z) - log_scale


@likely.distribution(parameters=("loc", "log_scale"))
def laplace(y, loc, log_scale):
    return -np.abs(y - loc) * np.exp(-log_scale) - log_scale - np.log(2)


@likely.distribution(parameters=("loc", "log_scale", "log_df"))
def student_t(y, loc, log_scale, log_df):
    df = np.exp(log_df)
    z = (y - loc) / np.exp(log_scale)
    constant = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(np.pi * df)
    return constant - log_scale - (df + 1) / 2 * np.log1p(z * z / df)


@likely.distribution(parameters=["log_shape", "log_rate"], support="positive")
def gamma(y, log_shape, log_rate):
    shape = np.exp(log_shape)
    constant = shape * log_rate - special.gammaln(shape)
    return constant + special.xlogy(shape - 1, y) - np.exp(log_rate) * y


@likely.distribution(parameters=["log_a", "log_b"], support="unit_interval")
def beta(y, log_a, log_b):
    a, b = np.exp(log_a), np.exp(log_b)
    return special.xlogy(a - 1, y) + special.xlog1py(b - 1, -y) - special.betaln(a, b)


@likely.distribution(parameters=["log_mean", "log_shape"], support="nonnegative_integer")
def negative_binomial(y, log_mean, log_shape):
    n = np.exp(log_shape)
    log_total = np.logaddexp(log_mean, log_shape)
    ways = special.gammaln(y + n) - special.gammaln(n) - special.gammaln(y + 1)
    return ways + n * (log_shape - log_total) + y * (log_mean - log_total)


@likely.distribution(parameters=["loc", "log_concentration"])
def von_mises(y, loc, log_concentration):
    k = np.exp(log_concentration)
    return k * (np.cos(y - loc) - 1) - np.log(2 * np.pi * special.i0e(k))


@likely.distribution(parameters=["logit", "first", "second"])
def two_normals(y, logit, first, second):
    left = special.log_expit(logit) - 0.5 * (y - first) ** 2
    right = special.log_expit(-logit) - 0.5 * (y - second) ** 2
    return np.logaddexp(left, right) - 0.5 * np.log(2 * np.pi)


def plain_exponential(y, log_rate):
    return log_rate - y * np.exp(log_rate)


exponential = likely.distribution(["log_rate"], "nonnegative")(plain_exponential)

ORACLES: dict[str, tuple[likely.Custom, Callable[..., Any]]] = {
    "normal": (normal, lambda y, m, s: stats.norm.logpdf(y, m, np.exp(s))),
    "gumbel": (gumbel, lambda y, m, s: stats.gumbel_r.logpdf(y, m, np.exp(s))),
    "laplace": (laplace, lambda y, m, s: stats.laplace.logpdf(y, m, np.exp(s))),
    "student t": (student_t, lambda y, m, s, df: stats.t.logpdf(y, np.exp(df), m, np.exp(s))),
    "gamma": (gamma, lambda y, a, b: stats.gamma.logpdf(y, np.exp(a), scale=np.exp(-b))),
    "beta": (beta, lambda y, a, b: stats.beta.logpdf(y, np.exp(a), np.exp(b))),
    "negative binomial": (
        negative_binomial,
        lambda y, m, n: stats.nbinom.logpmf(y, np.exp(n), special.expit(n - m)),
    ),
    "von mises": (von_mises, lambda y, m, k: stats.vonmises.logpdf(y, np.exp(k), m)),
    "two normals": (
        two_normals,
        lambda y, w, a, b: np.log(
            special.expit(w) * stats.norm.pdf(y, a) + special.expit(-w) * stats.norm.pdf(y, b)
        ),
    ),
    "exponential": (exponential, lambda y, r: stats.expon.logpdf(y, scale=np.exp(-r))),
}
