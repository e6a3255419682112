// exp of one vector register.
//
// Why: Eigen's holds its argument inside the normal numbers, so that it never reaches zero, and is
// slower than AVX-512 allows. On other processors Eigen's it is.
//
// Contract on AVX-512: the worst error is 0.91 ULP in single precision (of all 2^32 numbers) and
// 0.9 in double (of 16 million), counted in denormal steps where the result is denormal; exp(0) is
// 1, exp(-inf) is 0, inf from the overflow on, nan stays nan. In single precision it never
// decreases.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <numbers>
#if defined(__AVX512DQ__)
#include <immintrin.h>
#endif

namespace likely::kernels_detail {

template <class Packet>
Packet exponential(Packet x) {
    return Eigen::internal::pexp(x);
}

#if defined(__AVX512DQ__)
inline __m512 nearest(__m512 x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT); }
inline __m512d nearest(__m512d x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEAREST_INT); }
/// x held inside -1/2 to 1/2; 1/2 for nan.
inline __m512 within_half(__m512 x) { return _mm512_range_ps(x, _mm512_set1_ps(0.5F), 2); }
inline __m512d within_half(__m512d x) { return _mm512_range_pd(x, _mm512_set1_pd(0.5), 2); }
/// x 2^n, rounded once where that is denormal.
inline __m512 scaled(__m512 x, __m512 n) { return _mm512_scalef_ps(x, n); }
inline __m512d scaled(__m512d x, __m512d n) { return _mm512_scalef_pd(x, n); }

/// 2^n exp(r) with x = n log(2) + r, n whole and exp(r) between 3/4 and 3/2: then exp(r) - 1 is at
/// most a quarter below 1 and a half above, and its rounding small beside that of the sum with 1.
///
/// log(2) is the sum of T's nearest number and `low` (Cody and Waite 1980): n times the first,
/// taken from x in a fused multiply-add, leaves no rounding. Where x is huge, infinite or nan, r is
/// meaningless and held; then n alone, as large, infinite or nan, decides the result.
///
/// exp(r) = 1 + r + r^2 q(r); `q` has the coefficient of the highest power first.
template <class Packet, class T, std::size_t N>
Packet exponential(Packet x, T low, const T (&q)[N]) {
    using namespace Eigen::internal;
    const auto all = [](T number) { return pset1<Packet>(number); };
    const T log2_of_three_halves = T(0.58496250072115618);
    const Packet n =
        nearest(pmadd(x, all(std::numbers::log2e_v<T>), all(T(0.5) - log2_of_three_halves)));
    const Packet rough = pmadd(n, all(-std::numbers::ln2_v<T>), x);
    const Packet r = within_half(pmadd(n, all(-low), rough));
    Packet sum = all(q[0]);
    for (std::size_t k = 1; k < N; ++k) sum = pmadd(sum, r, all(q[k]));
    return scaled(padd(pmadd(sum, pmul(r, r), r), all(T(1))), n);
}

// The coefficients are minimax for the error relative to exp(r) over log(3/4) to log(3/2), by
// Remez's algorithm in 140 bits: the lowest was rounded, the others fitted anew, the next lowest
// rounded, the others fitted anew, these rounded.

/// 1 + r + r^2 q(r) is of degree 6, its relative error 3.2e-9 = 2^-28.2.
inline __m512 exponential(__m512 x) {
    static constexpr float q[] = {0x1.7e3d7p-10F, 0x1.12071ap-7F, 0x1.5544d8p-5F, 0x1.5554cp-3F,
                                  0x1.000006p-1F};
    return exponential(x, -1.90465430e-9F, q);
}

/// Of degree 11, its relative error 4.2e-18 = 2^-57.7.
inline __m512d exponential(__m512d x) {
    static constexpr double q[] = {
        0x1.c68716db89601p-26, 0x1.2840ed6af5a3ap-22, 0x1.71d33b9d12ce1p-19, 0x1.a019f4705cdddp-16,
        0x1.a01a054550d48p-13, 0x1.6c16c16abb66cp-10, 0x1.111111108f536p-7,  0x1.5555555555f3ep-5,
        0x1.55555555556dep-3,  0x1.ffffffffffffep-2};
    return exponential(x, 2.3190468138462996e-17, q);
}
#endif

}  // namespace likely::kernels_detail
