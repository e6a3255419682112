// Lanes<T>: as many numbers as one vector register holds. Dual<V, K>: a number and its K
// derivatives.
//
// Why: densities and activations are templates over a number type. A raw Eigen array would make
// their overloads ambiguous and evaluate lazily; Lanes is a plain value with eager operators and a
// select. Dual over Lanes gives the value and the gradient of a density in one vectorised pass
// (forward mode; Griewank and Walther 2008, chapter 3).
#pragma once

#include <Eigen/Core>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "exponential.hpp"
#include "likely/primitives.hpp"

namespace likely {

template <class T>
struct Lanes {
    using Packet = typename Eigen::internal::packet_traits<T>::type;
    static constexpr std::int64_t size = Eigen::internal::packet_traits<T>::size;
    typedef T Vector __attribute__((vector_size(sizeof(T) * size)));
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
        for (std::int64_t i = 0; i < count; ++i) result.v[i] = source[i];
        return result;
    }
    void store(T* target) const { std::memcpy(target, &v, sizeof(Vector)); }
    void store_partial(T* target, std::int64_t count) const {
        for (std::int64_t i = 0; i < count; ++i) target[i] = v[i];
    }
    /// The sum of the lanes, added in order in double precision.
    double sum() const {
        double total = 0;
        for (std::int64_t i = 0; i < size; ++i) total += static_cast<double>(v[i]);
        return total;
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

    friend Lanes abs(Lanes x) { return select(x < Lanes(0.0), -x, x); }
    /// Correctly rounded: the compiler makes one instruction of it. (Eigen's is an approximation.)
    friend Lanes sqrt(Lanes x) {
        return x.map([](T lane) { return std::sqrt(lane); });
    }
    friend Lanes exp(Lanes x) { return from_packet(kernels_detail::exponential(x.packet())); }
    friend Lanes log(Lanes x) { return from_packet(Eigen::internal::plog(x.packet())); }
    friend Lanes erfc(Lanes x) {
        return x.map([](T lane) { return std::erfc(lane); });
    }
    /// Kahan's correction of exp(x) - 1 (Higham 2002, "Accuracy and stability", section 1.14.1).
    friend Lanes expm1(Lanes x) {
        const Lanes u = exp(x);
        const Lanes difference = u - Lanes(1.0);
        const Lanes corrected = difference * (x / log(u));
        const Lanes outside =
            select(u == difference, u, select(difference == Lanes(-1.0), Lanes(-1.0), corrected));
        return select(u == Lanes(1.0), x, outside);
    }
    /// The same correction for log(1 + x).
    friend Lanes log1p(Lanes x) {
        const Lanes u = Lanes(1.0) + x;
        const Lanes difference = u - Lanes(1.0);
        return select(difference == Lanes(0.0), x,
                      select(u == difference, log(u), x * (log(u) / difference)));
    }
    friend Lanes tanh(Lanes x) {
        const Lanes e = expm1(abs(x) * Lanes(-2.0));
        const Lanes magnitude = -e / (e + Lanes(2.0));
        return select(x < Lanes(0.0), -magnitude, magnitude);
    }
};

template <class V, std::size_t K>
struct Dual {
    V value;
    std::array<V, K> derivative;

    /// The K independent variables, each with derivative 1 by itself.
    static std::array<Dual, K> variables(const std::array<V, K>& values) {
        std::array<Dual, K> result;
        for (std::size_t i = 0; i < K; ++i) {
            result[i].value = values[i];
            for (std::size_t k = 0; k < K; ++k) result[i].derivative[k] = V(i == k ? 1.0 : 0.0);
        }
        return result;
    }

    /// f(a) from its value and its derivative at a.
    static Dual chain(const Dual& a, V value, V slope) {
        Dual result{value, {}};
        for (std::size_t k = 0; k < K; ++k) result.derivative[k] = slope * a.derivative[k];
        return result;
    }
    /// f(a, b) from its value and its two partial derivatives.
    static Dual chain(const Dual& a, const Dual& b, V value, V by_a, V by_b) {
        Dual result{value, {}};
        for (std::size_t k = 0; k < K; ++k)
            result.derivative[k] = by_a * a.derivative[k] + by_b * b.derivative[k];
        return result;
    }

    friend Dual operator+(const Dual& a, const Dual& b) {
        return chain(a, b, a.value + b.value, V(1.0), V(1.0));
    }
    friend Dual operator-(const Dual& a, const Dual& b) {
        return chain(a, b, a.value - b.value, V(1.0), V(-1.0));
    }
    friend Dual operator*(const Dual& a, const Dual& b) {
        return chain(a, b, a.value * b.value, b.value, a.value);
    }
    friend Dual operator-(const Dual& a) { return chain(a, -a.value, V(-1.0)); }
    friend Dual operator+(const Dual& a, V b) { return {a.value + b, a.derivative}; }
    friend Dual operator-(const Dual& a, V b) { return {a.value - b, a.derivative}; }
    friend Dual operator-(V a, const Dual& b) { return chain(b, a - b.value, V(-1.0)); }
    friend Dual operator*(const Dual& a, V b) { return chain(a, a.value * b, b); }
};

template <class V, std::size_t K>
Dual<V, K> exp(const Dual<V, K>& x) {
    const V e = exp(x.value);
    return Dual<V, K>::chain(x, e, e);
}

template <class V, std::size_t K>
Dual<V, K> softplus(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, softplus(x.value), sigmoid(x.value));
}

template <class V, std::size_t K>
Dual<V, K> clamp(const Dual<V, K>& x, double lower, double upper) {
    const V held = clamp(x.value, lower, upper);
    return Dual<V, K>::chain(x, held, select(held == x.value, V(1.0), V(0.0)));
}

}  // namespace likely
