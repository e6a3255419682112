// The special functions of the densities, and sums and differences inside exponentials and
// logarithms, each in the form that does not cancel.
//
// Why: written with erfc, sin or log(1 - p), a censored density, one on the circle or one with
// inflated zeros loses all its digits somewhere in the range that a network reaches.
//
// Contract: each function is a template over a plain number or a vector of numbers, and keeps nan.
// `detail` has it together with its derivative, for dual numbers, under the same name.
//
// Worst errors found at some thousand points each, with AVX-512 and SSE4, in epsilons of the number
// type relative to the result (single and double precision; value, then derivative): normal_cdf 1.7
// and 2, erfc 1.7 and 2.4, erfcx 2.2 and 2, log_normal_survival 2.2 and 2.9, 1.8 and 2.3, deviance
// 1.2 and 2.2, 0.7 and 1, saturating_exp 1 and 1, chord 2.3 and 2, 1.3 and 1.1 (within +-1e4),
// log1mexp 1 and 1.2, 0.9 and 1. tests/cpp/test_special_functions.cpp holds them for every
// instruction set.
//
// All coefficients: least squares of the relative error on 48 Chebyshev points, in 50 digits, then
// rounded. Of each pair the first polynomial is for single precision.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include "likely/primitives.hpp"

namespace likely {

namespace detail {

/// exp(x^2/2) Phi(-x) for x >= 0, Phi the standard normal cumulative distribution function: in
/// u = c / (x + c) it is u times a function without zeros, down to u = 0 (after Shepherd and
/// Laframboise 1981, who have 1 / (1 + 2 x) beside it).
template <class V>
V scaled_normal_tail(V x) {
    // Degree 11, relative error 2.6e-08.
    static constexpr double single[] = {0.0886538401, 0.0886537358,  0.0842811242,  0.0754194111,
                                        0.0640016273, 0.0428201742,  0.0500205755,  -0.0165119395,
                                        0.0459911749, -0.0170513224, -0.0117143709, 0.00543596176};
    // Degree 24, relative error 6.2e-17.
    static constexpr double full[] = {
        0.07253496007298776,    0.07253496007298765,    0.07013711015324248,  0.06534141031180683,
        0.05838566393291455,    0.049745475259548304,   0.04009499063783594,  0.030227649111224542,
        0.02095364543893917,    0.012932234609217226,   0.006829967692412706, 0.002098860516582345,
        0.0006127993003936126,  -0.0006615170678537874, -0.00755612257958824, 0.02518173044207152,
        -0.06343942942541328,   0.11311174574337822,    -0.14982621955305156, 0.1493003643699481,
        -0.10865353161776162,   0.05537347895375309,    -0.01866290416649899, 0.003741495480134973,
        -0.00033881768921152004};
    const V c(sizeof(scalar_t<V>) == 4 ? 4.5 : 5.5);
    const V sum = x + c, u = c / sum;
    // Not in interleaved sums: here they would cost accuracy.
    V value = u;
    if constexpr (sizeof(scalar_t<V>) == 4) {
        value = u * strided_polynomial<1>(u, single, 0);
    } else {
        value = u * strided_polynomial<1>(u, full, 0);
    }
    // That is the value at c / u - c, which differs from x by the rounding of u. The derivative of
    // the scaled tail is x times itself, less the density at 0; far out it does not matter.
    const V rounding = multiply_add(-u, sum, c) - u * (x - (sum - c));
    const V density_factor(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
    const V correction = (density_factor - x * value) * (rounding * (sum * (V(1) / c)));
    return select(x < V(64), value + correction, value);
}

/// exp(-x^2/2) for x >= 0; 0 from 40 on, so that no square overflows.
template <class V>
V exp_half_square(V x) {
    const V held = min(V(40), x), square = held * held;
    const V rounding = multiply_add(held, held, -square);
    const V e = exp(square * V(-0.5));
    return e - e * (rounding * V(0.5));
}

/// The slope is the density.
template <class V>
ValueAndSlope<V> normal_cdf(V x) {
    const V e = exp_half_square(abs(x));
    const V tail = scaled_normal_tail(abs(x)) * e;
    return {select(x > V(0), V(1) - tail, tail),
            V(std::numbers::inv_sqrtpi / std::numbers::sqrt2) * e};
}

template <class V>
ValueAndSlope<V> log_normal_survival(V x) {
    // Above 0: log of the scaled tail, less x^2/2. Below: log of 1 - tail.
    const V magnitude = abs(x);
    const V scaled = scaled_normal_tail(magnitude), e = exp_half_square(magnitude);
    const V tail = scaled * e, rest = V(1) - tail;
    const auto above = x > V(0);
    const V inside = select(above, scaled, rest);
    const V logarithm = log_sum(inside, select(above, V(0), (V(1) - rest) - tail));
    const V density_factor(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
    return {select(above, logarithm - x * (x * V(0.5)), logarithm),
            -density_factor * select(above, V(1), e) / inside};
}

template <class V>
ValueAndSlope<V> deviance(V x) {
    const auto e = exponentials(x);
    return {e.deviance, e.expm1};
}

template <class V>
ValueAndSlope<V> saturating_exp(V x) {
    const V e = exp(min(V(40), x));
    return {e + e * max(V(0), x - V(40)), e};
}

template <class V>
ValueAndSlope<V> saturating_deviance(V x) {
    const auto held = exponentials(min(V(40), x));
    return {held.deviance + held.expm1 * max(V(0), x - V(40)), held.expm1};
}

template <class V>
ValueAndSlope<V> chord(V d) {
    // (sin(s)/s - 1) / s^2 and (cos(s) - 1) / s^2 as functions of s^2, for s within +-pi/4.
    // Degrees 2 and 5, relative errors 1.5e-07 and 2e-16.
    static constexpr double sine_single[] = {-0.166666642, 0.00833274424, -0.000195873014};
    static constexpr double sine_full[] = {-0.16666666666666666,    0.008333333333330924,
                                           -0.00019841269836726584, 2.755731608805071e-06,
                                           -2.5051129160919358e-08, 1.591795537970186e-10};
    // Degrees 3 and 6, relative errors 2.6e-09 and 2.2e-18.
    static constexpr double cosine_single[] = {-0.5, 0.0416666493, -0.00138875796, 2.44627518e-05};
    static constexpr double cosine_full[] = {-0.5,
                                             0.04166666666666664,
                                             -0.0013888888888880665,
                                             2.4801587293617104e-05,
                                             -2.7557315542505864e-07,
                                             2.087588330738465e-09,
                                             -1.1367813450796389e-11};
    constexpr bool is_single = sizeof(scalar_t<V>) == 4;
    // d = n pi + r with n whole, pi in parts, n times the first of which is exact for n below 2^13
    // in single and 2^20 in double precision (Cody and Waite 1980).
    static constexpr double single_parts[] = {3.140625, 0.0009675025939941406,
                                              1.5099067240953445e-07, 5.12668814e-12};
    static constexpr double full_parts[] = {3.1415926534682512, 1.2154201012607932e-10,
                                            4.044532497591901e-21};
    const V whole = V(1.5 / std::numeric_limits<scalar_t<V>>::epsilon());
    const V n = (d * V(std::numbers::inv_pi) + whole) - whole;
    V r = d;
    if constexpr (is_single) {
        for (const double part : single_parts) r = r - n * V(part);
    } else {
        for (const double part : full_parts) r = r - n * V(part);
    }
    // Only where d is too large to be an angle is r outside.
    const V s = max(V(-1), min(V(1), r * V(0.5)));
    const V square = s * s;
    const V sine = s + s * (square * polynomial(square, sine_single, sine_full));
    const V cosine = V(1) + square * polynomial(square, cosine_single, cosine_full);
    const V half_n = n * V(0.5);
    const auto even = (half_n + whole) - whole == half_n;
    const V versed = V(2) * (sine * sine), slope = V(2) * (sine * cosine);
    return {select(even, versed, V(2) - versed), select(even, slope, -slope)};
}

template <class V>
ValueAndSlope<V> log1mexp(V x) {
    const auto e = exponentials(-x);
    // Where exp(-x) is above a half, 1 - exp(-x) is without rounding error; else take that along.
    const auto near = x < V(std::numbers::ln2);
    const V inside = select(near, -e.expm1, V(1) - e.exp);
    const V lost = select(near, V(0), (V(1) - inside) - e.exp);
    return {log_sum(inside, lost), e.exp / inside};
}

/// log(exp(a) + exp(b)) and its derivatives by a and b.
template <class V>
struct LogSumOfTwo {
    V value, by_a, by_b;
};

template <class V>
LogSumOfTwo<V> logaddexp(V a, V b) {
    const V difference = a - b;
    const V e = exp(-abs(difference));
    const auto logarithm = log1p_of_unit(e);
    const V larger = logarithm.slope, smaller = e * larger;
    const auto first = difference > V(0);
    return {max(a, b) + logarithm.value, select(first, larger, smaller),
            select(first, smaller, larger)};
}

}  // namespace detail

/// The standard normal cumulative distribution function.
template <class V>
V normal_cdf(V x) {
    return detail::normal_cdf(x).value;
}

/// The standard normal density.
template <class V>
V normal_density(V x) {
    return detail::normal_cdf(x).slope;
}

/// 1 - erf(x), as 2 Phi(-sqrt(2) x).
template <class V>
V erfc(V x) {
    const V magnitude = abs(x);
    const V held = min(V(30), magnitude), square = held * held;
    const V e = exp(-square);
    const V tail = detail::scaled_normal_tail(magnitude * V(std::numbers::sqrt2)) *
                   (V(2) * (e - e * multiply_add(held, held, -square)));
    return select(x > V(0), tail, V(2) - tail);
}

/// exp(x^2) erfc(x).
template <class V>
V erfcx(V x) {
    const V magnitude = abs(x);
    const V scaled = V(2) * detail::scaled_normal_tail(magnitude * V(std::numbers::sqrt2));
    const V held = min(V(30), magnitude), square = held * held;
    const V e = V(2) * exp(square);
    return select(x > V(0), scaled, e * (V(1) + multiply_add(held, held, -square)) - scaled);
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
    return detail::saturating_exp(x).value;
}

/// exp(x) - 1 - x up to 40, from there on the straight line with the value and the slope of 40.
template <class V>
V saturating_deviance(V x) {
    return detail::saturating_deviance(x).value;
}

/// 2 sin(d / 2)^2 = 1 - cos(d). Its derivative is sin(d).
template <class V>
V chord(V d) {
    return detail::chord(d).value;
}

/// log(1 - exp(-x)) for x > 0. Its derivative is 1 / (exp(x) - 1).
template <class V>
V log1mexp(V x) {
    return detail::log1mexp(x).value;
}

/// log(exp(a) + exp(b)).
template <class V>
V logaddexp(V a, V b) {
    return detail::logaddexp(a, b).value;
}

}  // namespace likely
