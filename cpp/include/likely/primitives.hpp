// What a log_prob or an activation may call.
//
// Why: a density is written once, as a template over its number type. For plain numbers the
// functions are here; for vectors of numbers (`Lanes`) and for dual numbers the kernels add
// overloads of the same names. A branch lives in a primitive, never in a density.
//
// Contract: stable over the whole range of their argument; `select(condition, a, b)` evaluates both
// sides.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numbers>

namespace likely {

// clang-format off
template <std::floating_point T> T exp(T x) { return std::exp(x); }
template <std::floating_point T> T expm1(T x) { return std::expm1(x); }
template <std::floating_point T> T log(T x) { return std::log(x); }
template <std::floating_point T> T log1p(T x) { return std::log1p(x); }
template <std::floating_point T> T sqrt(T x) { return std::sqrt(x); }
template <std::floating_point T> T tanh(T x) { return std::tanh(x); }
template <std::floating_point T> T abs(T x) { return std::abs(x); }
template <std::floating_point T> T select(bool condition, T a, T b) { return condition ? a : b; }
// clang-format on

/// exp(x) where that is a normal number, else anything: no end is looked for. A nan that arithmetic
/// made stays nan.
template <std::floating_point T>
T unchecked_exp(T x) {
    return std::exp(x);
}

/// max and min give the second where they are equal or either is nan.
template <class V>
V max(V a, V b) {
    return select(a > b, a, b);
}

template <class V>
V min(V a, V b) {
    return select(a < b, a, b);
}

/// x held inside [lower, upper]; its derivative is zero outside. nan stays nan.
template <class V>
V clamp(V x, double lower, double upper) {
    return min(V(upper), max(V(lower), x));
}

/// 1 / (1 + exp(-x)).
template <class V>
V sigmoid(V x) {
    return V(1) / (V(1) + exp(-x));
}

namespace detail {

template <class V>
struct ScalarOf {
    using type = typename V::Scalar;
};
template <std::floating_point V>
struct ScalarOf<V> {
    using type = V;
};
/// float or double, whichever a plain number or a vector of numbers is made of.
template <class V>
using scalar_t = typename ScalarOf<V>::type;

/// Horner's rule over every `Stride`-th coefficient from `first` on.
template <std::size_t Stride, class V, std::size_t N>
V strided_polynomial(V x, const double (&coefficients)[N], std::size_t first) {
    const auto coefficient = [&](std::size_t i) {
        return V(static_cast<scalar_t<V>>(coefficients[i]));
    };
    std::size_t last = first;
    while (last + Stride < N) last += Stride;
    V result = coefficient(last);
    for (; last > first; last -= Stride) result = result * x + coefficient(last - Stride);
    return result;
}
template <class V, std::size_t N>
V horner(V x, const double (&coefficients)[N]) {
    return strided_polynomial<1>(x, coefficients, 0);
}
/// The coefficient of the highest power last. By Horner's rule, in long polynomials over
/// interleaved sums that do not wait for each other (after Estrin 1960); the constant is added
/// last, so that its rounding is all that counts much.
template <class V, std::size_t N>
V polynomial(V x, const double (&coefficients)[N]) {
    if constexpr (N < 6) {
        return horner(x, coefficients);
    } else {
        const V square = x * x;
        V rest = x;
        if constexpr (N < 14) {
            rest = strided_polynomial<2>(square, coefficients, 1) +
                   x * strided_polynomial<2>(square, coefficients, 2);
        } else {
            const V fourth = square * square;
            rest = (strided_polynomial<4>(fourth, coefficients, 1) +
                    x * strided_polynomial<4>(fourth, coefficients, 2)) +
                   square * (strided_polynomial<4>(fourth, coefficients, 3) +
                             x * strided_polynomial<4>(fourth, coefficients, 4));
        }
        return rest * x + V(static_cast<scalar_t<V>>(coefficients[0]));
    }
}
/// With few coefficients in single precision, with many in double.
template <class V, std::size_t Few, std::size_t Many>
V polynomial(V x, const double (&few)[Few], const double (&many)[Many]) {
    if constexpr (sizeof(scalar_t<V>) == sizeof(float)) {
        return polynomial(x, few);
    } else {
        return polynomial(x, many);
    }
}

/// A function's value and its derivative at one point.
template <class V>
struct ValueAndSlope {
    V value, slope;
};

/// log(1 + x) for x from 0 to 1, and its derivative, with one division: in s = x / (2 + x) it is
/// 2 atanh(s) = x - s (x - s^2 p(s^2)).
template <class V>
ValueAndSlope<V> log1p_of_unit(V x) {
    // Least squares of the relative error of p over 0 to 1/9 on 48 Chebyshev points, in 50 digits;
    // of single precision and of double. Relative errors 3e-8 and 1.9e-16.
    static constexpr double single[] = {0.666666687, 0.399997085, 0.285922736, 0.217077881,
                                        0.232188463};
    static constexpr double full[] = {0.6666666666666666,  0.40000000000014485, 0.28571428567131857,
                                      0.22222222715282702, 0.18181789535850842, 0.15385567462815755,
                                      0.13314184076230373, 0.12000716986129578, 0.08802450517802113,
                                      0.16160614324024156};
    const V one = V(1) + x, two = V(2) + x;
    const V inverse = V(1) / (one * two);
    const V s = x * (one * inverse), square = s * s;
    return {x - s * (x - square * polynomial(square, single, full)), two * inverse};
}

template <class V>
ValueAndSlope<V> softplus(V x) {
    // Below it exp(x) is no normal number; 0 then, for arithmetic with others is slow.
    constexpr double least = sizeof(scalar_t<V>) == sizeof(float) ? -87.33 : -708.39;
    const V below = -abs(x);
    const V e = select(below < V(least), V(0), unchecked_exp(below));
    const auto logarithm = log1p_of_unit(e);
    return {max(V(0), x) + logarithm.value,  // nan where x is
            select(x > V(0), logarithm.slope, e * logarithm.slope)};
}

}  // namespace detail

/// exp(x) and what is left of it without 1 and without 1 + x, each relative to itself.
template <class V>
struct Exponentials {
    V exp, expm1, deviance;
};

template <std::floating_point T>
Exponentials<T> exponentials(T x) {
    // The series of exp(x) - 1 - x from x^2 on.
    static constexpr double over_factorials[] = {1.0 / 2,
                                                 1.0 / 6,
                                                 1.0 / 24,
                                                 1.0 / 120,
                                                 1.0 / 720,
                                                 1.0 / 5040,
                                                 1.0 / 40320,
                                                 1.0 / 362880,
                                                 1.0 / 3628800,
                                                 1.0 / 39916800,
                                                 1.0 / 479001600,
                                                 1.0 / 6227020800,
                                                 1.0 / 87178291200,
                                                 1.0 / 1307674368000,
                                                 1.0 / 20922789888000,
                                                 1.0 / 355687428096000,
                                                 1.0 / 6402373705728000};
    const T less_one = std::expm1(x);
    const T near = x * x * detail::polynomial(x, over_factorials);
    const T far = less_one == std::numeric_limits<T>::infinity() ? less_one : less_one - x;
    return {std::exp(x), less_one, std::abs(x) <= 1 ? near : far};
}

/// exp(x) - 1 - x.
template <class V>
V deviance(V x) {
    return exponentials(x).deviance;
}

/// log(u + c), where c is what u rounds off, or u is 1.
template <std::floating_point T>
T log_sum(T u, T c) {
    return u == 1 ? std::log1p(c) : std::log(u) + (c == 0 ? c : c / u);
}

/// a b + c with one rounding where a b + c is much smaller than c.
template <std::floating_point T>
T multiply_add(T a, T b, T c) {
    return std::fma(a, b, c);
}

/// log(1 + exp(x)). Its derivative is sigmoid(x).
template <class V>
V softplus(V x) {
    return detail::softplus(x).value;
}

/// p log(p / q) - p + q for probabilities p and q with log(q / p) = log_ratio, never negative.
/// Where p is 0 it is q. Its sum over all outcomes is the Kullback-Leibler divergence, and unlike
/// that of p log(p / q) does not cancel where p and q are near each other.
template <class V>
V kl_term(V p, V q, V log_ratio) {
    return select(log_ratio > V(1), q - p * (V(1) + log_ratio), p * deviance(log_ratio));
}

/// The standard normal quantile: algorithm AS 241, PPND16 (Wichura 1988), relative accuracy 1e-16.
/// -inf at 0, inf at 1, nan outside [0, 1].
template <class V>
V normal_quantile(V p) {
    static constexpr double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                   1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                   4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                   3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static constexpr double b[] = {1.0,
                                   4.2313330701600911252e+1,
                                   6.8718700749205790830e+2,
                                   5.3941960214247511077e+3,
                                   2.1213794301586595867e+4,
                                   3.9307895800092710610e+4,
                                   2.8729085735721942674e+4,
                                   5.2264952788528545610e+3};
    static constexpr double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static constexpr double d[] = {1.0,
                                   2.05319162663775882187e0,
                                   1.67638483018380384940e0,
                                   6.89767334985100004550e-1,
                                   1.48103976427480074590e-1,
                                   1.51986665636164571966e-2,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
    static constexpr double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                   1.78482653991729133580e0,  2.96560571828504891230e-1,
                                   2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                   2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static constexpr double f[] = {1.0,
                                   5.99832206555887937690e-1,
                                   1.36929880922735805310e-1,
                                   1.48753612908506148525e-2,
                                   7.86869131145613259100e-4,
                                   1.84631831751005468180e-5,
                                   1.42151175831644588870e-7,
                                   2.04426310338993978564e-15};
    const V q = p - V(0.5);
    const V center_r = V(0.180625) - q * q;
    const V center = q * detail::horner(center_r, a) / detail::horner(center_r, b);
    const V tail = min(p, V(1) - p);
    const V r = sqrt(-log(tail));
    const V near = detail::horner(r - V(1.6), c) / detail::horner(r - V(1.6), d);
    const V far = detail::horner(r - V(5), e) / detail::horner(r - V(5), f);
    const V magnitude = select(r <= V(5), near, far);
    const V outer = select(q < V(0), -magnitude, magnitude);
    const V inside = select(abs(q) <= V(0.425), center, outer);
    const V infinity(std::numeric_limits<double>::infinity());
    return select(p == V(0), -infinity, select(p == V(1), infinity, inside));
}

}  // namespace likely
