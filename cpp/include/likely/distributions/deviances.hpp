// The pieces of which the densities of the gamma family are made: deviances, and the remainder of
// Stirling's formula at numbers from 1 on (Loader 2000, "Fast and accurate computation of binomial
// probabilities").
//
// Why: log densities of thousands of counts are differences of numbers in the ten thousands. A
// deviance is what is left of them, from the difference of the target and its mean.
//
// Contract: templates over a plain number or a vector of numbers, without derivatives. Coefficients
// are least squares of the relative error, of each pair the first polynomial for single precision.
#pragma once

#include "likely/gamma_functions.hpp"
#include "likely/primitives.hpp"
#include "likely/special_functions.hpp"

namespace likely::detail {

/// Of a and b: log(b / a), and its deviance b - a - a log(b / a), which is never negative.
template <class V>
struct Ratio {
    V log, deviance;
};

/// For a, b > 0 and difference = b - a, both results relative to themselves. Where a and b are
/// further apart than a factor of 2, the logarithm is the one given.
template <class V>
Ratio<V> ratio(V a, V b, V difference, V far_log) {
    // (atanh(s)/s - 1) / s^2 as a function of s^2 up to 1/9.
    // Degrees 4 and 9, relative errors 1e-08 and 1.3e-16.
    static constexpr double atanh_single[] = {0.333333337, 0.199998541, 0.142961372, 0.10853894,
                                              0.116094234};
    static constexpr double atanh_full[] = {
        0.33333333333333329,  0.20000000000007244,  0.14285714283565927,  0.11111111357641356,
        0.090908947679252525, 0.076927837314117615, 0.066570920380612656, 0.06000358493509528,
        0.04401225256895586,  0.080803071658189231};
    const V s = difference / (a + b), square = s * s;
    const V rest = square * polynomial(square, atanh_single, atanh_full);
    const auto near = square < V(1.0 / 9);
    return {select(near, V(2) * (s + s * rest), far_log),
            select(near, s * (difference - V(2) * (a * rest)), difference - a * far_log)};
}

/// `stirling_rest` from 1 on, for which no logarithm is needed. Absolute error below 6e-17 and
/// 5e-9.
template <class V>
ValueAndSlope<V> stirling_rest_from_one(V x) {
    // The function / u and minus its derivative / u^2 as functions of u = 1 / (x + 1/2).
    // Degrees 6 and 16, relative errors 6e-08 and 6.6e-16.
    static constexpr double rest_single[] = {0.083333337,   0.0416661325,  0.0180679357,
                                             0.00614665731, 0.00221984194, 0.00047266392,
                                             0.00147255431};
    static constexpr double rest_full[] = {
        0.083333333333333389,   0.041666666666613431,   0.018055555564098292,
        0.006249999454500975,   0.0018353359030204103,  0.0011156907358799309,
        0.0010840828638124357,  0.00016712772384326838, -0.00039842176874843884,
        -0.0016906959365416292, 0.0083112179381192463,  -0.016477668305364854,
        0.0205341515538742,     -0.017195321443558277,  0.0095269743171835793,
        -0.0031784534134062659, 0.00048687221550936718};
    // Degrees 7 and 16, relative errors 6.8e-08 and 3.5e-15.
    static constexpr double slope_single[] = {0.0833333282,   0.0833343997, 0.0541313714,
                                              0.0254366875,   0.0065836055, 0.0147289355,
                                              -0.00483613959, 0.00743152332};
    static constexpr double slope_full[] = {
        0.083333333333333506,   0.083333333333130639,  0.05416666670535153,   0.024999997120434037,
        0.0091766990165269754,  0.0066938158137553468, 0.0075922037369287423, 0.0013094873066368893,
        -0.0034368439752901922, -0.017491966958025345, 0.093106671052023628,  -0.20127727337883926,
        0.27234383226362234,    -0.24652093666656651,  0.14704044038796336,   -0.052624625673295275,
        0.0086194390460442117};
    const V u = V(1) / (x + V(0.5));
    return {u * polynomial(u, rest_single, rest_full),
            -u * (u * polynomial(u, slope_single, slope_full))};
}

/// log(x) - digamma(x) for x > 0, without cancellation.
inline double digamma_rest(double x) { return 0.5 / x - stirling_rest(x).slope; }

}  // namespace likely::detail
