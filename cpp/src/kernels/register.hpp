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

/// Horner's rule, the coefficient of the lowest power first.
template <class Vector, class T, std::size_t N>
Vector horner(Vector x, const T (&coefficients)[N]) {
    Vector sum = Vector{} + coefficients[N - 1];
    for (std::size_t k = N - 1; k-- > 0;) sum = sum * x + coefficients[k];
    return sum;
}

}  // namespace likely::kernels_detail
