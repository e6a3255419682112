// The vector register of a number type: the compiler's own vectors, as wide as Eigen's packets.
#pragma once

#include <Eigen/Core>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>
#if defined(__AVX512DQ__)
#include <immintrin.h>
#endif

/// Before a function whose loop shall have all that it calls inlined. A sanitizer looks at every
/// operation, and would take minutes to compile the whole.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIKELY_FLATTEN
#else
#define LIKELY_FLATTEN [[gnu::flatten]]
#endif

namespace likely::kernels_detail {

template <class T>
struct Register {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    static constexpr std::int64_t size = Eigen::internal::packet_traits<T>::size;
    using Bit = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    typedef T Vector __attribute__((vector_size(sizeof(T) * size)));
    typedef Bit Bits __attribute__((vector_size(sizeof(T) * size)));

    static constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1;
    static Vector all(T number) { return Vector{} + number; }
    static Bits bits(Vector x) { return std::bit_cast<Bits>(x); }
    static Vector number(Bits bits) { return std::bit_cast<Vector>(bits); }
};

/// The larger or the smaller number; b where they are equal or either is nan.
template <class T>
typename Register<T>::Vector larger(typename Register<T>::Vector a,
                                    typename Register<T>::Vector b) {
#if defined(EIGEN_VECTORIZE_SSE)  // where one instruction is just that; GCC does not find it
    using Packet = typename Register<T>::Packet;
    return typename Register<T>::Vector(Eigen::internal::pmax(Packet(b), Packet(a)));
#else
    return a > b ? a : b;
#endif
}
template <class T>
typename Register<T>::Vector smaller(typename Register<T>::Vector a,
                                     typename Register<T>::Vector b) {
#if defined(EIGEN_VECTORIZE_SSE)
    using Packet = typename Register<T>::Packet;
    return typename Register<T>::Vector(Eigen::internal::pmin(Packet(b), Packet(a)));
#else
    return a < b ? a : b;
#endif
}

/// The coefficient of the lowest power first: Horner's rule over the even ones and over the odd
/// ones, which do not wait for each other.
template <class Vector, class T, std::size_t N>
[[gnu::always_inline]] inline Vector polynomial(Vector x, const T (&coefficients)[N]) {
    const Vector square = x * x;
    Vector even = Vector{} + coefficients[(N - 1) / 2 * 2];
    for (std::size_t k = (N - 1) / 2 * 2; k >= 2; k -= 2)
        even = even * square + coefficients[k - 2];
    Vector odd = Vector{} + coefficients[N / 2 * 2 - 1];
    for (std::size_t k = N / 2 * 2 - 1; k >= 2; k -= 2) odd = odd * square + coefficients[k - 2];
    return odd * x + even;
}

}  // namespace likely::kernels_detail
