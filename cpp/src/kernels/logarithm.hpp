// log(u + c) of one vector register.
//
// Why: the logarithm of a sum must not lose what the sum rounds off, and log(1 + x) is such a sum.
// Eigen's log, corrected for that, costs two divisions more.
//
// Contract: c is of no more than the rounding of u, or u is 1. log(0) is -inf, log(inf) inf, of a
// negative number nan. Below the smallest normal number it is the logarithm of that, but with
// AVX-512, which has it right. The worst errors found with AVX-512 and SSE4 are 0.95 ULP
// (log) and 1.3 (log1p) in single precision (of a third of all numbers), 0.8 and 1.1 in double.
#pragma once

#include <limits>
#include <numbers>

#include "register.hpp"

namespace likely::kernels_detail {

// Least squares of the relative error on 48 Chebyshev points, in 50 digits.

/// (log(1 + f) - f + f^2/2) / f^3 over -1/4 to 1/2, relative error 1.2e-7.
inline constexpr float log_single[] = {0.333333343F, -0.250000566F,  0.200000852F,
                                       -0.16660659F, 0.14270255F,    -0.126458913F,
                                       0.116667502F, -0.0948915482F, 0.0421851203F};
/// 2 (atanh(s)/s - 1) / s^2 as a function of s^2 over 0 to 0.04, relative error 5.6e-17.
inline constexpr double log_double[] = {
    0.6666666666666666,  0.40000000000007785, 0.28571428567346374, 0.22222223036727545,
    0.18181738531972574, 0.15388831841456438, 0.1321041211368595,  0.13603646576754244};

/// Without `sum` c is not looked at.
template <class T, bool sum = true>
[[gnu::always_inline]] inline typename Register<T>::Vector logarithm(
    typename Register<T>::Vector u,
    typename Register<T>::Vector c = typename Register<T>::Vector{}) {
    using R = Register<T>;
    using Vector = typename R::Vector;
    // u = 2^k m with m from 3/4 to 3/2; f + correction = (u + c) / 2^k - 1, f without rounding.
    Vector k, m, correction = Vector{};
#if defined(__AVX512DQ__)
    if constexpr (sizeof(T) == 4) {
        const __m512 mantissa = _mm512_getmant_ps(u, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
        m = mantissa;
        k = _mm512_sub_ps(_mm512_getexp_ps(u), _mm512_getexp_ps(mantissa));
        // The bound keeps 0 times infinity away, at u = 0.
        if (sum) correction = _mm512_scalef_ps(c, _mm512_min_ps(-k, _mm512_set1_ps(200)));
    } else {
        const __m512d mantissa = _mm512_getmant_pd(u, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
        m = mantissa;
        k = _mm512_sub_pd(_mm512_getexp_pd(u), _mm512_getexp_pd(mantissa));
        if (sum) correction = _mm512_scalef_pd(c, _mm512_min_pd(-k, _mm512_set1_pd(2000)));
    }
#else
    using Bit = typename R::Bit;
    constexpr Bit one = std::bit_cast<Bit>(T(1)), three_quarters = std::bit_cast<Bit>(T(0.75));
    constexpr Bit exponent_one = Bit{1} << R::mantissa_bits;
    constexpr Bit exponent = ~(exponent_one - 1);
    constexpr T step_one = static_cast<T>(exponent_one);
    const Vector smallest = R::all(std::numeric_limits<T>::min());
    const typename R::Bits normal = R::bits(u < smallest ? smallest : u);
    // k plus the bias of the exponent, above the mantissa.
    const typename R::Bits biased = (normal + (one - three_quarters)) & exponent;
    k = R::number((biased >> R::mantissa_bits) | std::bit_cast<Bit>(step_one)) -
        (step_one + T(std::numeric_limits<T>::max_exponent - 1));
    m = R::number(normal - biased + one);
    // 2^(1 - k), since 2^-128 or 2^-1024 is no normal number.
    if (sum) correction = (c * R::number(one + one + exponent_one - biased)) * T(0.5);
#endif
    const Vector f = m - T(1);
    // k times the first part of log(2) is exact.
    constexpr T high = sizeof(T) == 4 ? T(0.69314575) : T(0.69314718055989033);
    constexpr T low = sizeof(T) == 4 ? T(1.42860677e-06) : T(5.4979230187083712e-14);
    Vector small = k * low, result;
    if (sum) small = small + (correction - correction * f);
    if constexpr (sizeof(T) == 4) {
        const Vector series = (polynomial(f, log_single) * f - T(0.5)) * (f * f);
        result = k * high + (f + (series + small));
    } else {
        // log(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + 2 (atanh(s) - s)/s)
        const Vector s = f / (f + T(2)), square = s * s, half_square = T(0.5) * (f * f);
        const Vector rest = s * (half_square + square * polynomial(square, log_double));
        result = k * high + (f - (half_square - (rest + small)));
    }
#if !defined(__AVX512DQ__)
    const Vector zero = Vector{}, infinity = R::all(std::numeric_limits<T>::infinity());
    const Vector nan = R::all(std::numeric_limits<T>::quiet_NaN());
    result = u > zero ? result : (u == zero ? -infinity : nan);
    result = u < infinity ? result : u;
#endif
    return result;
}

}  // namespace likely::kernels_detail
