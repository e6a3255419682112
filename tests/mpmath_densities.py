"""Log densities (and probabilities) as in the textbooks, in mpmath numbers of many digits.

Contract: the target first, then raw parameters that are held to their limits already.
"""

from collections.abc import Callable

import mpmath as mp


def mp_normal(y: mp.mpf, loc: mp.mpf, log_scale: mp.mpf) -> mp.mpf:
    r = (y - loc) * mp.exp(-log_scale)
    return -r * r / 2 - log_scale - mp.log(2 * mp.pi) / 2


def mp_laplace(y: mp.mpf, loc: mp.mpf, log_scale: mp.mpf) -> mp.mpf:
    return -abs(y - loc) * mp.exp(-log_scale) - log_scale - mp.log(2)


def mp_student_t(y: mp.mpf, loc: mp.mpf, log_scale: mp.mpf, log_excess_df: mp.mpf) -> mp.mpf:
    n = 1 + mp.exp(log_excess_df)
    r = (y - loc) * mp.exp(-log_scale)
    constant = mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2) - mp.log(mp.pi * n) / 2
    return constant - (n + 1) / 2 * mp.log(1 + r * r / n) - log_scale


def mp_logistic(y: mp.mpf, loc: mp.mpf, log_scale: mp.mpf) -> mp.mpf:
    r = abs(y - loc) * mp.exp(-log_scale)
    return -r - 2 * mp.log(1 + mp.exp(-r)) - log_scale


def mp_lognormal(y: mp.mpf, loc: mp.mpf, log_scale: mp.mpf) -> mp.mpf:
    return mp_normal(mp.log(y), loc, log_scale) - mp.log(y)


def mp_exponential(y: mp.mpf, log_scale: mp.mpf) -> mp.mpf:
    return -y * mp.exp(-log_scale) - log_scale


def mp_straight_exp(z: mp.mpf) -> mp.mpf:
    return mp.exp(40) * (1 + z - 40) if z > 40 else mp.exp(z)


def mp_gamma(y: mp.mpf, log_mean: mp.mpf, log_concentration: mp.mpf) -> mp.mpf:
    a = mp.exp(log_concentration)
    rate = a * mp_straight_exp(mp.log(y) - log_mean)  # times y
    return a * (log_concentration - log_mean) + (a - 1) * mp.log(y) - rate - mp.loggamma(a)


def mp_weibull(y: mp.mpf, log_scale: mp.mpf, log_concentration: mp.mpf) -> mp.mpf:
    z = mp.exp(log_concentration) * (mp.log(y) - log_scale)
    return log_concentration + z - mp.log(y) - mp_straight_exp(z)


def mp_beta(y: mp.mpf, logit_mean: mp.mpf, log_precision: mp.mpf) -> mp.mpf:
    precision = mp.exp(log_precision)
    a, b = precision / (1 + mp.exp(-logit_mean)), precision / (1 + mp.exp(logit_mean))
    constant = mp.loggamma(precision) - mp.loggamma(a) - mp.loggamma(b)
    return constant + (a - 1) * mp.log(y) + (b - 1) * mp.log(1 - y)


def mp_log_i0(k: mp.mpf) -> mp.mpf:
    """Above 1e3 by its asymptotic series."""
    if k < 1000:
        return mp.log(mp.besseli(0, k))
    term = total = mp.mpf(1)
    for j in range(1, 60):
        term = term * (2 * j - 1) ** 2 / (8 * j * k)
        total += term
    return k - mp.log(2 * mp.pi * k) / 2 + mp.log(total)


def mp_von_mises(y: mp.mpf, loc: mp.mpf, log_concentration: mp.mpf) -> mp.mpf:
    k = mp.exp(log_concentration)
    return k * mp.cos(y - loc) - mp.log(2 * mp.pi) - mp_log_i0(k)


def mp_poisson(y: mp.mpf, log_mean: mp.mpf) -> mp.mpf:
    return y * log_mean - mp.exp(log_mean) - mp.loggamma(y + 1)


def mp_negative_binomial(y: mp.mpf, log_mean: mp.mpf, log_total_count: mp.mpf) -> mp.mpf:
    m, r = mp.exp(log_mean), mp.exp(log_total_count)
    ways = mp.loggamma(y + r) - mp.loggamma(y + 1) - mp.loggamma(r)
    return ways + r * mp.log(r / (r + m)) + y * mp.log(m / (r + m))


def mp_inflated(base: Callable[..., mp.mpf]) -> Callable[..., mp.mpf]:
    def density(y: mp.mpf, gate_logit: mp.mpf, *raw: mp.mpf) -> mp.mpf:
        log_gate, log_rest = mp_log_sigmoid(gate_logit), mp_log_sigmoid(-gate_logit)
        log_drawn = log_rest + base(y, *raw)
        if y > 0:
            return log_drawn
        largest = max(log_gate, log_drawn)
        return largest + mp.log(mp.exp(log_gate - largest) + mp.exp(log_drawn - largest))

    return density


def mp_log_sigmoid(z: mp.mpf) -> mp.mpf:
    return -mp.log1p(mp.exp(-z)) if z > 0 else z - mp.log1p(mp.exp(z))


def mp_binomial(n: int) -> Callable[..., mp.mpf]:
    def density(y: mp.mpf, logit: mp.mpf) -> mp.mpf:
        ways = mp.log(mp.binomial(n, y))
        return ways + y * mp_log_sigmoid(logit) + (n - y) * mp_log_sigmoid(-logit)

    return density


def mp_categorical(y: mp.mpf, *logits: mp.mpf) -> mp.mpf:
    largest = max(logits)
    total = mp.fsum(mp.exp(logit - largest) for logit in logits)
    return logits[int(y)] - largest - mp.log(total)
