// exp(x), exp(x) - 1 and exp(x) - 1 - x of one vector register.
//
// Why: Eigen's exp holds its argument inside the normal numbers, so that it never reaches zero, and
// is slow in double precision. The two differences come from the same reduction, without
// cancelling.
//
// Contract: exp(0) is 1, exp(-inf) is 0, inf from the overflow on, nan stays nan. Where exp(x)
// would be denormal, AVX-512 rounds it once and other processors have 0. The worst errors found
// with AVX-512 and SSE4 are 0.96 ULP (exp) and 1.36 (expm1) in single precision (of a third of all
// numbers), 0.91 and 1.1 in double.
#pragma once

#include <cstddef>
#include <numbers>

#include "likely/primitives.hpp"
#include "register.hpp"

namespace likely::kernels_detail {

#if defined(__AVX512DQ__)
inline __m512 nearest(__m512 x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT); }
inline __m512d nearest(__m512d x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEAREST_INT); }
/// x held inside -1/2 to 1/2; 1/2 for nan.
inline __m512 within_half(__m512 x) { return _mm512_range_ps(x, _mm512_set1_ps(0.5F), 2); }
inline __m512d within_half(__m512d x) { return _mm512_range_pd(x, _mm512_set1_pd(0.5), 2); }
/// x 2^n, rounded once where that is denormal.
inline __m512 scaled(__m512 x, __m512 n) { return _mm512_scalef_ps(x, n); }
inline __m512d scaled(__m512d x, __m512d n) { return _mm512_scalef_pd(x, n); }
#endif

/// x = n log(2) + r with n whole and exp(r) between 3/4 and 3/2: then exp(r) - 1 is at most a
/// quarter below 1 and a half above, and its rounding small beside that of the sum with 1.
/// exp(x) = 2^n (1 + r + r^2 q(r)).
template <class T>
struct ReducedExponent {
    using R = Register<T>;
    using Vector = typename R::Vector;
    using Bits = typename R::Bits;

    // Beyond these exp(x) is above the largest or below the smallest normal number.
    static constexpr T highest = sizeof(T) == 4 ? T(88.7228317) : T(709.782712893384);
    static constexpr T lowest = sizeof(T) == 4 ? T(-87.33654) : T(-708.396418532264);

    Vector n, r;
    Bits shifted;  ///< n in its lowest bits

    explicit ReducedExponent(Vector x) {
        constexpr T middle = T(0.5) - T(0.58496250072115618);  // 1/2 - log2(3/2)
        // log(2) as the sum of a short number, n times which is exact, and the rest (Cody and Waite
        // 1980).
        constexpr T high = sizeof(T) == 4 ? T(0.69314575) : T(0.69314718055989033);
        constexpr T low = sizeof(T) == 4 ? T(1.42860677e-06) : T(5.4979230187083712e-14);
        // Adding 3/2 times the first number whose steps are 1 rounds to a whole number.
        constexpr T whole = T(3) * static_cast<T>(typename R::Bit{1} << (R::mantissa_bits - 1));
        const Vector rounded = (x * std::numbers::log2e_v<T> + middle) + whole;
        shifted = R::bits(rounded);
        n = rounded - whole;
        r = (x - n * high) - n * low;
    }
    /// x 2^n for x between 1/2 and 2, where the result is a normal number.
    Vector scaled(Vector x) const {
#if defined(__AVX512DQ__)
        using Packet = typename R::Packet;
        return kernels_detail::scaled(Packet(x), Packet(n));
#else
        return R::number(R::bits(x) + (shifted << R::mantissa_bits));
#endif
    }
    /// 2^(n - 1).
    Vector half_power() const { return scaled(R::all(T(0.5))); }
};

// The coefficients are minimax for the error relative to exp(r) over log(3/4) to log(3/2), by
// Remez's algorithm in 140 bits: the lowest was rounded, the others fitted anew, the next lowest
// rounded, the others fitted anew, these rounded.

/// q for 1 + r + r^2 q(r) of degree 6, its relative error 3.2e-9 = 2^-28.2.
inline constexpr float exp_single[] = {0x1.000006p-1F, 0x1.5554cp-3F, 0x1.5544d8p-5F,
                                       0x1.12071ap-7F, 0x1.7e3d7p-10F};
/// Of degree 11, its relative error 4.2e-18 = 2^-57.7.
inline constexpr double exp_double[] = {
    0x1.ffffffffffffep-2,  0x1.55555555556dep-3,  0x1.5555555555f3ep-5,  0x1.111111108f536p-7,
    0x1.6c16c16abb66cp-10, 0x1.a01a054550d48p-13, 0x1.a019f4705cdddp-16, 0x1.71d33b9d12ce1p-19,
    0x1.2840ed6af5a3ap-22, 0x1.c68716db89601p-26};

// Least squares of the error of q relative to q on 48 Chebyshev points, in 50 digits.

/// q for r^2 q(r), its relative error 4.6e-9.
inline constexpr float expm1_single[] = {0.5F,           0.166666687F,   0.0416665412F,
                                         0.00833238102F, 0.00139221316F, 0.000207462232F};
/// Its relative error 6e-18.
inline constexpr double expm1_double[] = {0.5,
                                          0.16666666666666666,
                                          0.04166666666666738,
                                          0.008333333333334797,
                                          0.0013888888888286528,
                                          0.00019841269837777114,
                                          2.4801589134189212e-05,
                                          2.7557312982133582e-06,
                                          2.7554981898868103e-07,
                                          2.507568030085727e-08,
                                          2.1953119210493926e-09};

template <class T>
constexpr const auto& exp_coefficients() {
    if constexpr (sizeof(T) == 4) {
        return exp_single;
    } else {
        return exp_double;
    }
}
template <class T>
constexpr const auto& expm1_coefficients() {
    if constexpr (sizeof(T) == 4) {
        return expm1_single;
    } else {
        return expm1_double;
    }
}

/// Unchecked it may be anything where it is not a normal number.
template <class T, bool unchecked = false>
[[gnu::always_inline]] inline typename Register<T>::Vector exponential(
    typename Register<T>::Vector x) {
    using R = Register<T>;
    using Vector = typename R::Vector;
#if defined(__AVX512DQ__)
    // Where x is huge, infinite or nan, r is meaningless and held; then n alone, as large, infinite
    // or nan, decides the result. n log(2) is taken from x in two fused multiply-adds.
    using Packet = typename R::Packet;
    constexpr T low = sizeof(T) == 4 ? T(-1.90465430e-9) : T(2.3190468138462996e-17);
    constexpr T middle = T(0.5) - T(0.58496250072115618);
    const Packet n = nearest(Packet(x * std::numbers::log2e_v<T> + middle));
    const Vector rough = Eigen::internal::pmadd(
        n, Eigen::internal::pset1<Packet>(-std::numbers::ln2_v<T>), Packet(x));
    const Vector r = within_half(Packet(rough - Vector(n) * low));
    const Vector tail = polynomial(r, exp_coefficients<T>());
    return scaled(Packet((tail * (r * r) + r) + T(1)), n);
#else
    const ReducedExponent<T> e(x);
    const Vector tail = polynomial(e.r, exp_coefficients<T>());
    const Vector inside = e.scaled((tail * (e.r * e.r) + e.r) + T(1));
    if constexpr (unchecked) return inside;
    const Vector low = R::all(ReducedExponent<T>::lowest),
                 high = R::all(ReducedExponent<T>::highest);
    const Vector not_below = x < low ? Vector{} : inside;
    return x <= high ? not_below : x + std::numeric_limits<T>::infinity();
#endif
}

/// All three from one reduction; exp(x) is 0 where it would be denormal.
template <class T>
[[gnu::always_inline]] inline Exponentials<typename Register<T>::Vector> exponentials(
    typename Register<T>::Vector x) {
    using R = Register<T>;
    using Vector = typename R::Vector;
    const Vector highest = R::all(ReducedExponent<T>::highest), top = highest + T(0.0625);
    const Vector not_above = top < x ? top : x;
#if defined(__AVX512DQ__)
    const Vector low = R::all(sizeof(T) == 4 ? T(-120) : T(-800));
#else
    // Held so that 2^(n - 1) is 0 or a normal number, and infinity stays it.
    const Vector low = R::all(ReducedExponent<T>::lowest);
#endif
    const ReducedExponent<T> e(low > not_above ? low : not_above);
    const Vector tail = polynomial(e.r, expm1_coefficients<T>()) * (e.r * e.r);
    const Vector inner = tail + e.r;
#if defined(__AVX512DQ__)
    const Vector exp = e.scaled(inner + T(1));
#else
    const Vector held = x < low ? Vector{} : e.scaled(inner + T(1));
    const Vector exp = x <= highest ? held : x + std::numeric_limits<T>::infinity();
#endif
    const Vector half = e.half_power(), half_less = half - T(0.5);
    const Vector expm1 = (half * (inner + inner) + half_less) + half_less;
    // With s = 2^n it is s tail + (s - 1) r + (s - 1 - n log(2)), where neither sum cancels much.
    const Vector power = half + half, power_less = power - T(1);
    const Vector near =
        power * tail + (power_less * e.r + (power_less - e.n * std::numbers::ln2_v<T>));
    const Vector far = expm1 - not_above;
    return {exp, expm1, e.n * e.n < R::all(T(256)) ? near : far};
}

}  // namespace likely::kernels_detail
