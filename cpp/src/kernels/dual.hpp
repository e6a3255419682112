// Dual<V, K>: a number and its K derivatives.
//
// Why: over Lanes it gives the value and the gradient of a density in one vectorised pass (forward
// mode; Griewank and Walther 2008, chapter 3).
//
// Most derivatives are zero by their structure (of what depends on loc alone, that by log_scale),
// which a compiler may not use: 0 x is nan where x is infinite. So a number knows which these are;
// all is inlined, where that costs nothing and leaves their arithmetic out.
//
// Contract: a V or a double beside a Dual is a constant. Comparisons are those of the values. Of
// the primitives those that a density needs are here, each with its own derivative.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include "lanes.hpp"
#include "likely/gamma_functions.hpp"
#include "likely/primitives.hpp"
#include "likely/special_functions.hpp"

namespace likely {

template <class V, std::size_t K>
struct Dual {
    V value;
    std::array<V, K> derivative;
    unsigned zeros = 0;  ///< bit k: derivative k is known to be 0

    bool has(std::size_t k) const { return (zeros >> k & 1) == 0; }

    /// The K independent variables, each with derivative 1 by itself.
    static std::array<Dual, K> variables(const std::array<V, K>& values) {
        std::array<Dual, K> result;
        for (std::size_t i = 0; i < K; ++i) {
            result[i] = of(values[i], ~(1U << i), [](std::size_t) { return V(1.0); });
        }
        return result;
    }

    /// The number with this value whose derivative number k is slope(k), or known to be 0.
    template <class Slope>
    [[gnu::always_inline]] static Dual of(V value, unsigned zeros, Slope slope) {
        Dual result{value, {}, zeros};
        for (std::size_t k = 0; k < K; ++k) {
            result.derivative[k] = result.has(k) ? slope(k) : V(0.0);
        }
        return result;
    }
    /// f(a) from its value and its derivative at a.
    static Dual chain(const Dual& a, V value, V slope) {
        return of(value, a.zeros, [&](std::size_t k) { return slope * a.derivative[k]; });
    }
    static Dual chain(const Dual& a, const detail::ValueAndSlope<V>& f) {
        return chain(a, f.value, f.slope);
    }
    /// f(a, b) from its value and its two partial derivatives.
    static Dual chain(const Dual& a, const Dual& b, V value, V by_a, V by_b) {
        return of(value, a.zeros & b.zeros, [&](std::size_t k) {
            if (!a.has(k)) return by_b * b.derivative[k];
            if (!b.has(k)) return by_a * a.derivative[k];
            return by_a * a.derivative[k] + by_b * b.derivative[k];
        });
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
    friend Dual operator/(const Dual& a, const Dual& b) {
        const V reciprocal = V(1.0) / b.value;
        const V quotient = a.value / b.value;
        return of(quotient, a.zeros & b.zeros, [&](std::size_t k) {
            if (!b.has(k)) return a.derivative[k] * reciprocal;
            return (a.derivative[k] - quotient * b.derivative[k]) * reciprocal;
        });
    }
    friend Dual operator-(const Dual& a) { return chain(a, -a.value, V(-1.0)); }
    friend Dual operator+(const Dual& a, V b) { return {a.value + b, a.derivative, a.zeros}; }
    friend Dual operator+(V a, const Dual& b) { return b + a; }
    friend Dual operator-(const Dual& a, V b) { return {a.value - b, a.derivative, a.zeros}; }
    friend Dual operator-(V a, const Dual& b) { return chain(b, a - b.value, V(-1.0)); }
    friend Dual operator*(const Dual& a, V b) { return chain(a, a.value * b, b); }
    friend Dual operator*(V a, const Dual& b) { return chain(b, a * b.value, a); }
    friend Dual operator/(const Dual& a, V b) {
        const V reciprocal = V(1.0) / b;
        return chain(a, a.value / b, reciprocal);
    }
    friend Dual operator/(V a, const Dual& b) {
        const V quotient = a / b.value;
        return chain(b, quotient, -quotient / b.value);
    }

    friend auto operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
    friend auto operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
    friend auto operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
    friend auto operator<(const Dual& a, V b) { return a.value < b; }
    friend auto operator<=(const Dual& a, V b) { return a.value <= b; }
    friend auto operator>(const Dual& a, V b) { return a.value > b; }
    template <class Condition>
    friend Dual select(const Condition& condition, const Dual& a, const Dual& b) {
        return of(select(condition, a.value, b.value), a.zeros & b.zeros, [&](std::size_t k) {
            return select(condition, a.derivative[k], b.derivative[k]);
        });
    }
};

template <class V, std::size_t K>
Dual<V, K> exp(const Dual<V, K>& x) {
    const V e = exp(x.value);
    return Dual<V, K>::chain(x, e, e);
}

template <class V, std::size_t K>
Dual<V, K> unchecked_exp(const Dual<V, K>& x) {
    const V e = unchecked_exp(x.value);
    return Dual<V, K>::chain(x, e, e);
}

template <class V, std::size_t K>
Dual<V, K> expm1(const Dual<V, K>& x) {
    const V e = expm1(x.value);
    return Dual<V, K>::chain(x, e, e + V(1.0));
}

template <class V, std::size_t K>
Dual<V, K> log(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, log(x.value), V(1.0) / x.value);
}

template <class V, std::size_t K>
Dual<V, K> log1p(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, log1p(x.value), V(1.0) / (V(1.0) + x.value));
}

template <class V, std::size_t K>
Dual<V, K> sqrt(const Dual<V, K>& x) {
    const V root = sqrt(x.value);
    return Dual<V, K>::chain(x, root, V(0.5) / root);
}

/// With derivative 0 at 0.
template <class V, std::size_t K>
Dual<V, K> abs(const Dual<V, K>& x) {
    const V slope = select(x.value > V(0.0), V(1.0), select(x.value < V(0.0), V(-1.0), V(0.0)));
    return Dual<V, K>::chain(x, abs(x.value), slope);
}

template <class V, std::size_t K>
Dual<V, K> sigmoid(const Dual<V, K>& x) {
    const V e = exp(-abs(x.value));
    const V larger = V(1.0) / (V(1.0) + e), smaller = e * larger;
    return Dual<V, K>::chain(x, select(x.value > V(0.0), larger, smaller), larger * smaller);
}

template <class V, std::size_t K>
Dual<V, K> softplus(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::softplus(x.value));
}

template <class V, std::size_t K>
Dual<V, K> deviance(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::deviance(x.value));
}

template <class V, std::size_t K>
Dual<V, K> log_normal_survival(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::log_normal_survival(x.value));
}

template <class V, std::size_t K>
Dual<V, K> stirling_rest(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::stirling_rest(x.value));
}

template <class V, std::size_t K>
Dual<V, K> lgamma_half_ratio(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::lgamma_half_ratio(x.value));
}

template <class V, std::size_t K>
Dual<V, K> log_bessel_i0e(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::log_bessel_i0e(x.value));
}

template <class V, std::size_t K>
Dual<V, K> chord(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::chord(x.value));
}

template <class V, std::size_t K>
Dual<V, K> log1mexp(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::log1mexp(x.value));
}

template <class V, std::size_t K>
Dual<V, K> saturating_exp(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::saturating_exp(x.value));
}

template <class V, std::size_t K>
Dual<V, K> saturating_deviance(const Dual<V, K>& x) {
    return Dual<V, K>::chain(x, detail::saturating_deviance(x.value));
}

template <class V, std::size_t K>
Dual<V, K> logaddexp(const Dual<V, K>& a, const Dual<V, K>& b) {
    const auto sum = detail::logaddexp(a.value, b.value);
    return Dual<V, K>::chain(a, b, sum.value, sum.by_a, sum.by_b);
}

/// max and min with a constant: its derivative is zero where the constant is taken.
template <class V, std::size_t K>
Dual<V, K> max(const Dual<V, K>& a, std::type_identity_t<V> b) {
    return Dual<V, K>::chain(a, max(a.value, b), select(a.value > b, V(1.0), V(0.0)));
}
template <class V, std::size_t K>
Dual<V, K> min(const Dual<V, K>& a, std::type_identity_t<V> b) {
    return Dual<V, K>::chain(a, min(a.value, b), select(a.value < b, V(1.0), V(0.0)));
}

template <class V, std::size_t K>
[[gnu::always_inline]] inline Dual<V, K> clamp(const Dual<V, K>& x, double lower, double upper) {
    const V held = clamp(x.value, lower, upper);
    return Dual<V, K>::chain(x, held, select(held == x.value, V(1.0), V(0.0)));
}

}  // namespace likely
