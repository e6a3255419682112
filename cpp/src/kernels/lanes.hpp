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

}  // namespace likely
