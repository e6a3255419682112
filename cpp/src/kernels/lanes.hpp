// Lanes<T>: as many numbers as one vector register holds.
//
// Why: densities and activations are templates over a number type. A raw Eigen array would make
// their overloads ambiguous and evaluate lazily; Lanes is a plain value with eager operators and a
// select.
#pragma once

#include <Eigen/Core>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "exponential.hpp"
#include "likely/primitives.hpp"
#include "logarithm.hpp"
#include "register.hpp"

namespace likely {

template <class T>
struct Lanes {
    using Scalar = T;
    using Packet = typename kernels_detail::Register<T>::Packet;
    using Vector = typename kernels_detail::Register<T>::Vector;
    static constexpr std::int64_t size = kernels_detail::Register<T>::size;
    using Mask = decltype(Vector{} < Vector{});

    Vector v;

    Lanes() = default;
    Lanes(Vector vector) : v(vector) {}
    Lanes(double x) : v(Vector{} + static_cast<T>(x)) {}

    static Lanes load(const T* source) {
        Lanes result;
        std::memcpy(&result.v, source, sizeof(Vector));
        return result;
    }
    /// The first `count` lanes from memory, the others `fill`.
    static Lanes load_partial(const T* source, std::int64_t count, T fill) {
        Lanes result(fill);
#if defined(__AVX512F__)
        const auto first = (1U << count) - 1;
        if constexpr (sizeof(T) == 4) {
            return from_packet(
                _mm512_mask_loadu_ps(result.packet(), static_cast<__mmask16>(first), source));
        } else {
            return from_packet(
                _mm512_mask_loadu_pd(result.packet(), static_cast<__mmask8>(first), source));
        }
#endif
        for (std::int64_t i = 0; i < count; ++i) result.v[i] = source[i];
        return result;
    }
    void store(T* target) const { std::memcpy(target, &v, sizeof(Vector)); }
    void store_partial(T* target, std::int64_t count) const {
#if defined(__AVX512F__)
        const auto first = (1U << count) - 1;
        if constexpr (sizeof(T) == 4) {
            return _mm512_mask_storeu_ps(target, static_cast<__mmask16>(first), packet());
        } else {
            return _mm512_mask_storeu_pd(target, static_cast<__mmask8>(first), packet());
        }
#endif
        for (std::int64_t i = 0; i < count; ++i) target[i] = v[i];
    }
    /// The sum of the lanes in double precision: the upper half is added to the lower one, until
    /// there is one.
    double sum() const {
        double part[size];
        for (std::int64_t i = 0; i < size; ++i) part[i] = static_cast<double>(v[i]);
        for (std::int64_t half = size / 2; half > 0; half /= 2) {
            for (std::int64_t i = 0; i < half; ++i) part[i] += part[half + i];
        }
        return part[0];
    }
    template <class Function>
    Lanes map(Function function) const {
        Lanes result;
        for (std::int64_t i = 0; i < size; ++i) result.v[i] = function(v[i]);
        return result;
    }
    Packet packet() const { return std::bit_cast<Packet>(v); }
    static Lanes from_packet(Packet packet) { return std::bit_cast<Vector>(packet); }

    friend Lanes operator+(Lanes a, Lanes b) { return a.v + b.v; }
    friend Lanes operator-(Lanes a, Lanes b) { return a.v - b.v; }
    friend Lanes operator*(Lanes a, Lanes b) { return a.v * b.v; }
    friend Lanes operator/(Lanes a, Lanes b) { return a.v / b.v; }
    friend Lanes operator-(Lanes a) { return -a.v; }
    friend Mask operator<(Lanes a, Lanes b) { return a.v < b.v; }
    friend Mask operator<=(Lanes a, Lanes b) { return a.v <= b.v; }
    friend Mask operator>(Lanes a, Lanes b) { return a.v > b.v; }
    friend Mask operator==(Lanes a, Lanes b) { return a.v == b.v; }
    friend Lanes select(Mask condition, Lanes a, Lanes b) { return condition ? a.v : b.v; }

    friend Lanes max(Lanes a, Lanes b) { return kernels_detail::larger<T>(a.v, b.v); }
    friend Lanes min(Lanes a, Lanes b) { return kernels_detail::smaller<T>(a.v, b.v); }

    friend Lanes abs(Lanes x) { return from_packet(Eigen::internal::pabs(x.packet())); }
    /// Correctly rounded: the compiler makes one instruction of it. (Eigen's is an approximation.)
    friend Lanes sqrt(Lanes x) {
        return x.map([](T lane) { return std::sqrt(lane); });
    }
    friend Lanes exp(Lanes x) { return kernels_detail::exponential<T>(x.v); }
    friend Lanes unchecked_exp(Lanes x) { return kernels_detail::exponential<T, true>(x.v); }
    friend Lanes expm1(Lanes x) { return exponentials(x).expm1; }
    friend Exponentials<Lanes> exponentials(Lanes x) {
        const auto all = kernels_detail::exponentials<T>(x.v);
        return {all.exp, all.expm1, all.deviance};
    }
    friend Lanes log(Lanes x) { return kernels_detail::logarithm<T, false>(x.v); }
    friend Lanes log_sum(Lanes u, Lanes c) { return kernels_detail::logarithm<T>(u.v, c.v); }
    friend Lanes log1p(Lanes x) {
        const Lanes u = x + Lanes(1.0);
        // From its inverse on, what the sum rounds off does not count.
        const Lanes bound(1 / static_cast<double>(std::numeric_limits<T>::epsilon()));
        return log_sum(u, select(u < bound, x - (u - Lanes(1.0)), Lanes(0.0)));
    }
    /// Without the instruction it is Dekker's product (1971).
    friend Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
#if defined(EIGEN_VECTORIZE_FMA)
        return from_packet(Eigen::internal::pmadd(a.packet(), b.packet(), c.packet()));
#else
        const Lanes a_high = truncated(a), b_high = truncated(b);
        const Lanes a_low = a - a_high, b_low = b - b_high, product = a * b;
        const Lanes error =
            ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
        return (product + c) + error;
#endif
    }
    /// x with the lower half of its mantissa cleared.
    static Lanes truncated(Lanes x) {
        using R = kernels_detail::Register<T>;
        constexpr int half = (std::numeric_limits<T>::digits + 1) / 2;
        return R::number(R::bits(x.v) >> half << half);
    }
    friend Lanes tanh(Lanes x) {
        const Lanes e = expm1(abs(x) * Lanes(-2.0));
        const Lanes magnitude = -e / (e + Lanes(2.0));
        return select(x < Lanes(0.0), -magnitude, magnitude);
    }
};

}  // namespace likely
