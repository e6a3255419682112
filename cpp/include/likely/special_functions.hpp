// The special functions of the densities: error functions, logarithms of gamma and Bessel
// functions, and sums and differences inside logarithms, each in the form that does not cancel.
//
// Why: written with lgamma, erfc or log(1 - p), a density of the gamma family, a censored one or a
// von Mises one loses all its digits somewhere in the range that a network reaches.
//
// Contract: each function is a template over a plain number or a vector of numbers. `detail` has
// it together with its derivative, for dual numbers, under the same name.
#pragma once

#include <cmath>
#include <concepts>
#include <numbers>

#include "likely/primitives.hpp"

namespace likely {

namespace detail {

/// A function's value and its derivative at one point.
template <class V>
struct ValueAndSlope {
    V value, slope;
};

template <class V, class Function>
V each(V x, Function f) {
    if constexpr (std::floating_point<V>) {
        return f(x);
    } else {
        return x.map(f);
    }
}

inline double slow_erfcx(double x) {
    if (x < 25) return std::exp(x * x) * std::erfc(x);
    const double t = 1 / (x * x);
    return std::numbers::inv_sqrtpi / x * (1 - t * (0.5 - t * (0.75 - t * 1.875)));
}

inline double slow_digamma(double x) {
    double shift = 0;
    while (x < 10) shift -= 1 / x++;
    const double t = 1 / (x * x);
    return shift + std::log(x) - 0.5 / x -
           t * (1.0 / 12 - t * (1.0 / 120 - t * (1.0 / 252 - t * (1.0 / 240 - t / 132))));
}

template <class V>
ValueAndSlope<V> deviance(V x) {
    return {likely::deviance(x), expm1(x)};
}

template <class V>
ValueAndSlope<V> erfcx(V x) {
    const V value = each(x, [](auto lane) -> decltype(lane) { return slow_erfcx(lane); });
    return {value, V(2) * x * value - V(2 * std::numbers::inv_sqrtpi)};
}

template <class V>
ValueAndSlope<V> log_normal_survival(V x) {
    return {each(x,
                 [](auto lane) -> decltype(lane) {
                     const double u = lane * std::numbers::sqrt2 / 2;
                     return u < 1 ? std::log(0.5 * std::erfc(u))
                                  : std::log(0.5 * slow_erfcx(u)) - u * u;
                 }),
            each(x, [](auto lane) -> decltype(lane) {
                const double u = lane * std::numbers::sqrt2 / 2;
                return -2 * std::numbers::inv_sqrtpi / std::numbers::sqrt2 / slow_erfcx(u);
            })};
}

template <class V>
ValueAndSlope<V> stirling_rest(V a) {
    return {each(a,
                 [](auto lane) -> decltype(lane) {
                     const double x = lane, t = 1 / (x * x);
                     if (x > 15)
                         return (1.0 / 12 - t * (1.0 / 360 - t * (1.0 / 1260 - t / 1680))) / x;
                     return std::lgamma(x) - (x - 0.5) * std::log(x) + x - 0.91893853320467274178;
                 }),
            each(a, [](auto lane) -> decltype(lane) {
                const double x = lane, t = 1 / (x * x);
                if (x > 15) return -t * (1.0 / 12 - t * (1.0 / 120 - t * (1.0 / 252 - t / 240)));
                return slow_digamma(x) - std::log(x) + 0.5 / x;
            })};
}

template <class V>
ValueAndSlope<V> lgamma_half_ratio(V x) {
    return {each(x,
                 [](auto lane) -> decltype(lane) {
                     return std::lgamma(lane + 0.5) - std::lgamma(lane * 1.0);
                 }),
            each(x, [](auto lane) -> decltype(lane) {
                return slow_digamma(lane + 0.5) - slow_digamma(lane);
            })};
}

template <class V>
ValueAndSlope<V> log_bessel_i0e(V k) {
    return {each(k,
                 [](auto lane) -> decltype(lane) {
                     const double x = lane;
                     if (x < 500) return std::log(std::cyl_bessel_i(0.0, x)) - x;
                     return std::log((1 + (1 + 9 / (16 * x)) / (8 * x)) /
                                     std::sqrt(2 * std::numbers::pi * x));
                 }),
            each(k, [](auto lane) -> decltype(lane) {
                const double x = lane;
                if (x < 500) return std::cyl_bessel_i(1.0, x) / std::cyl_bessel_i(0.0, x) - 1;
                return -(1 + (1 + 1 / x) / (4 * x)) / (2 * x);
            })};
}

template <class V>
ValueAndSlope<V> chord(V d) {
    return {each(d,
                 [](auto lane) -> decltype(lane) {
                     const double s = std::sin(0.5 * lane);
                     return 2 * s * s;
                 }),
            each(d, [](auto lane) -> decltype(lane) { return std::sin(lane); })};
}

template <class V>
ValueAndSlope<V> log1mexp(V x) {
    const V e = expm1(-x);
    return {select(x < V(std::numbers::ln2), log(-e), log1p(-exp(-x))), (V(-1) - e) / e};
}

}  // namespace detail

/// exp(x^2) erfc(x).
template <class V>
V erfcx(V x) {
    return detail::erfcx(x).value;
}

/// log(1 - Phi(x)), Phi the standard normal cumulative distribution function. Its derivative is
/// minus the hazard.
template <class V>
V log_normal_survival(V x) {
    return detail::log_normal_survival(x).value;
}

/// exp(x) up to 40, from there on the straight line with the value and the slope of 40.
template <class V>
V saturating_exp(V x) {
    const V e = exp(min(x, V(40)));
    return e + e * max(x - V(40), V(0));
}

/// exp(x) - 1 - x with its exp(x) as in `saturating_exp`.
template <class V>
V saturating_deviance(V x) {
    return select(x > V(40), saturating_exp(x) - (V(1) + x), deviance(min(x, V(40))));
}

/// lgamma(a) - ((a - 1/2) log(a) - a + log(2 pi) / 2), the remainder of Stirling's formula, for
/// a > 0.
template <class V>
V stirling_rest(V a) {
    return detail::stirling_rest(a).value;
}

/// lgamma(x + 1/2) - lgamma(x), for x from 1/2 to 500.
template <class V>
V lgamma_half_ratio(V x) {
    return detail::lgamma_half_ratio(x).value;
}

/// log(exp(-k) I0(k)), I0 the modified Bessel function, for k >= 0. Its derivative is
/// I1(k) / I0(k) - 1.
template <class V>
V log_bessel_i0e(V k) {
    return detail::log_bessel_i0e(k).value;
}

/// 2 sin(d / 2)^2 = 1 - cos(d). Its derivative is sin(d).
template <class V>
V chord(V d) {
    return detail::chord(d).value;
}

/// log(1 - exp(-x)) for x > 0.
template <class V>
V log1mexp(V x) {
    return detail::log1mexp(x).value;
}

/// log(exp(a) + exp(b)).
template <class V>
V logaddexp(V a, V b) {
    return max(a, b) + log1p(exp(-abs(a - b)));
}

/// The derivative of lgamma, for x > 0.
inline double digamma(double x) { return detail::slow_digamma(x); }

/// The second derivative of lgamma, for x > 0.
inline double trigamma(double x) {
    double shift = 0;
    for (; x < 10; ++x) shift += 1 / (x * x);
    const double t = 1 / (x * x);
    return shift + 1 / x + t / 2 +
           t / x * (1.0 / 6 - t * (1.0 / 30 - t * (1.0 / 42 - t * (1.0 / 30 - t * 5 / 66))));
}

/// The logarithm of the beta function of a, b > 0.
inline double lbeta(double a, double b) {
    return stirling_rest(a) + stirling_rest(b) - stirling_rest(a + b) + 0.91893853320467274178 -
           0.5 * std::log(a) - a * std::log1p(b / a) - (b - 0.5) * std::log1p(a / b);
}

}  // namespace likely
