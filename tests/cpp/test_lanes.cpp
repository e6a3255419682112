// The vector functions and the primitives over them against the standard library in long double;
// dual numbers against derivatives written out.
//
// Built with the flags of the kernel set. Errors are counted in units in the last place (ULP) of
// the true value; the bounds hold for every instruction set, the worst found is printed.

#include <cmath>
#include <cstdint>
#include <iomanip>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "kernels/dual.hpp"
#include "kernels/transpose.hpp"
#include "likely/distributions.hpp"

using namespace likely;

namespace {

using Exact = long double;

template <class T>
constexpr T smallest_normal = std::numeric_limits<T>::min();
template <class T>
constexpr T largest = std::numeric_limits<T>::max();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// The first lane of f(x, x, ...).
template <class T, class Function>
T at(T x, Function f) {
    return f(Lanes<T>(static_cast<double>(x))).v[0];
}

template <class T>
Exact spacing(Exact value) {
    int exponent = 0;
    std::frexp(std::max(std::abs(value), Exact{smallest_normal<T>}), &exponent);
    return std::ldexp(Exact{1}, exponent - std::numeric_limits<T>::digits);
}

/// Numbers of every magnitude and either sign, and evenly spaced ones, all within [lower, upper].
template <class T>
std::vector<T> sweep(double lower, double upper) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr Bits count = 40'000;
    std::vector<T> values{static_cast<T>(lower), static_cast<T>(upper)};
    const auto add = [&](T value) {
        if (value >= static_cast<T>(lower) && value <= static_cast<T>(upper))
            values.push_back(value);
    };
    const Bits step = std::numeric_limits<Bits>::max() / count;
    for (Bits i = 0; i < count; ++i) add(std::bit_cast<T>(i * step + i % 1009));
    for (const double reach : {2.0, 30.0, 1000.0}) {
        const double first = std::max(lower, -reach), last = std::min(upper, reach);
        for (Bits i = 0; i < count && first < last; ++i) {
            const double part = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
            add(static_cast<T>(first + (last - first) * part));
        }
    }
    while (values.size() % static_cast<std::size_t>(Lanes<T>::size) != 0)
        values.push_back(values[0]);
    return values;
}

/// Checks |f(x) - exact(x)| <= allowed(x) ULP over [lower, upper] and prints the worst.
template <class T, class Function, class Reference, class Bound>
void compare(const char* name, double lower, double upper, Bound allowed, Function f,
             Reference exact) {
    const std::vector<T> values = sweep<T>(lower, upper);
    double worst = 0, worst_share = 0;
    T worst_at = 0;
    for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(Lanes<T>::size)) {
        T results[Lanes<T>::size];
        f(Lanes<T>::load(&values[i])).store(results);
        for (std::size_t lane = 0; lane < std::size(results); ++lane) {
            const T x = values[i + lane];
            const Exact wanted = exact(static_cast<Exact>(x));
            if (results[lane] == static_cast<T>(wanted)) continue;
            const Exact error = std::abs(static_cast<Exact>(results[lane]) - wanted);
            const double ulps = static_cast<double>(error / spacing<T>(wanted));
            const double share = ulps / allowed(static_cast<double>(x));
            if (!(share <= worst_share)) {  // also where it is nan, which nothing outdoes
                worst = ulps;
                worst_share = std::isnan(share) ? infinity : share;
                worst_at = x;
            }
        }
    }
    std::cout << std::setw(16) << name << (sizeof(T) == 4 ? "  float" : "  double") << "  worst "
              << std::setprecision(3) << worst << " ULP at " << std::setprecision(9) << worst_at
              << std::endl;
    CHECK(worst_share <= 1);
}

auto within(double ulps) {
    return [ulps](double) { return ulps; };
}

/// The quantile of the standard normal by Newton's method on its logarithm, from a good start.
Exact exact_normal_quantile(Exact p) {
    if (p > 0.5L) return -exact_normal_quantile(1 - p);
    Exact q = normal_quantile(static_cast<double>(p));
    for (int i = 0; i < 3; ++i) {
        const Exact cdf = 0.5L * std::erfc(-q / std::sqrt(2.0L));
        const Exact density = std::exp(-q * q / 2) / std::sqrt(2 * std::numbers::pi_v<Exact>);
        q -= std::log(cdf / p) * cdf / density;
    }
    return q;
}

/// exp(x) - 1 - x, by its series where that cancels.
Exact exact_deviance(Exact x) {
    if (std::abs(x) > 1) return std::expm1(x) - x;
    Exact sum = 0;
    for (int k = 30; k >= 3; --k) sum = (sum + 1) * x / k;
    return (sum + 1) * x * x / 2;
}

template <class T>
void test_functions() {
    using L = Lanes<T>;
    constexpr bool single = sizeof(T) == 4;
    const double normal = smallest_normal<T>;
    const double most = largest<T>;
    // exp(x) is a normal number between these. Where it is not, see test_edges.
    const double exp_low = single ? -87.33 : -708.39, exp_high = single ? 88.3 : 709.7;

    compare<T>(
        "exp", exp_low, exp_high, within(single ? 6 : 2.5), [](L x) { return exp(x); },
        [](Exact x) { return std::exp(x); });
    compare<T>(
        "unchecked_exp", exp_low, exp_high, within(single ? 6 : 2.5),
        [](L x) { return unchecked_exp(x); }, [](Exact x) { return std::exp(x); });
    compare<T>(
        "log", normal, most, within(2), [](L x) { return log(x); },
        [](Exact x) { return std::log(x); });
    compare<T>(
        "expm1", -most, exp_high, within(single ? 6 : 4), [](L x) { return expm1(x); },
        [](Exact x) { return std::expm1(x); });
    compare<T>(
        "log1p", -1, most, within(4), [](L x) { return log1p(x); },
        [](Exact x) { return std::log1p(x); });
    compare<T>(
        "tanh", -most, most, within(8), [](L x) { return tanh(x); },
        [](Exact x) { return std::tanh(x); });
    compare<T>(
        "erfc", -most, single ? 9 : 26, within(4), [](L x) { return erfc(x); },
        [](Exact x) { return std::erfc(x); });
    compare<T>(
        "sqrt", normal, most, within(0.51), [](L x) { return sqrt(x); },
        [](Exact x) { return std::sqrt(x); });
    compare<T>(
        "sigmoid", single ? -87.3 : -708.3, most, within(single ? 7 : 4),
        [](L x) { return sigmoid(x); }, [](Exact x) { return 1 / (1 + std::exp(-x)); });
    compare<T>(
        "softplus", exp_low, most, within(single ? 6 : 4), [](L x) { return softplus(x); },
        [](Exact x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); });
    // x^2 / 2 is a normal number from the square root of the smallest one on.
    const double least = 2 * std::sqrt(normal);
    compare<T>(
        "deviance", least, exp_high, within(12), [](L x) { return deviance(x); }, exact_deviance);
    compare<T>(
        "deviance", -most, -least, within(12), [](L x) { return deviance(x); }, exact_deviance);
    // The rounding of x / sqrt(2) grows by x^2 on its way through erfc, that of x^2 through exp.
    compare<T>(
        "normal_cdf", single ? -12.9 : -37, most, [](double x) { return 6 + 2 * x * x; },
        [](L x) { return normal_cdf(x); },
        [](Exact x) { return 0.5L * std::erfc(-x / std::sqrt(2.0L)); });
    compare<T>(
        "normal_density", single ? -12.9 : -37, single ? 12.9 : 37,
        [](double x) { return 6 + x * x; }, [](L x) { return normal_density(x); },
        [](Exact x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Exact>); });
    compare<T>(
        "normal_quantile", normal, 1 - std::numeric_limits<T>::epsilon() / 2, within(10),
        [](L x) { return normal_quantile(x); }, exact_normal_quantile);
}

template <class T>
void test_edges() {
    using L = Lanes<T>;
    const T infinite = static_cast<T>(infinity), nan = std::numeric_limits<T>::quiet_NaN();
    const T denormal = std::numeric_limits<T>::denorm_min();
    const auto exp_of = [](L x) { return exp(x); };
    const auto unchecked_exp_of = [](L x) { return unchecked_exp(x); };
    const auto log_of = [](L x) { return log(x); };
    const auto expm1_of = [](L x) { return expm1(x); };
    const auto log1p_of = [](L x) { return log1p(x); };
    const auto tanh_of = [](L x) { return tanh(x); };
    const auto erfc_of = [](L x) { return erfc(x); };
    const auto sqrt_of = [](L x) { return sqrt(x); };
    const auto sigmoid_of = [](L x) { return sigmoid(x); };
    const auto softplus_of = [](L x) { return softplus(x); };
    const auto cdf_of = [](L x) { return normal_cdf(x); };
    const auto quantile_of = [](L x) { return normal_quantile(x); };
    const auto deviance_of = [](L x) { return deviance(x); };

    CHECK(at(T(0), exp_of) == 1 && at(infinite, exp_of) == infinite && at(T(800), exp_of) > 1e38);
    CHECK(at(-infinite, exp_of) <= smallest_normal<T> && at(-infinite, exp_of) >= 0);
    CHECK(at(T(-800), exp_of) <= smallest_normal<T> && at(T(-800), exp_of) >= 0);
    CHECK(at(T(1), log_of) == 0 && at(T(0), log_of) == -infinite);
    CHECK(at(infinite, log_of) == infinite && std::isnan(at(T(-1), log_of)));
    // Below the smallest normal number it may stay at the logarithm of that.
    CHECK(std::abs(at(denormal, log_of) - std::log(smallest_normal<T>)) < 1e-4 ||
          std::abs(at(denormal, log_of) - std::log(denormal)) < 1e-4);
    CHECK(at(-infinite, expm1_of) == -1 && at(infinite, expm1_of) == infinite);
    CHECK(at(T(-1), log1p_of) == -infinite && at(infinite, log1p_of) == infinite);
    CHECK(at(infinite, tanh_of) == 1 && at(-infinite, tanh_of) == -1);
    CHECK(at(infinite, erfc_of) == 0 && at(-infinite, erfc_of) == 2);
    CHECK(at(T(0), sqrt_of) == 0 && at(infinite, sqrt_of) == infinite);
    CHECK(std::isnan(at(T(-1), sqrt_of)));
    CHECK(at(infinite, sigmoid_of) == 1 && at(-infinite, sigmoid_of) == 0);
    CHECK(at(infinite, softplus_of) == infinite && at(largest<T>, softplus_of) == largest<T>);
    CHECK(at(-infinite, softplus_of) <= smallest_normal<T>);
    CHECK(at(infinite, cdf_of) == 1 && at(-infinite, cdf_of) == 0 && at(T(0), cdf_of) == T(0.5));
    CHECK(at(T(0), quantile_of) == -infinite && at(T(1), quantile_of) == infinite);
    CHECK(at(T(0.5), quantile_of) == 0);
    CHECK(at(T(0), deviance_of) == 0 && at(-infinite, deviance_of) == infinite);
    for (const T outside : {T(-0.1), T(1.1), infinite, -infinite})
        CHECK(std::isnan(at(outside, quantile_of)));
    for (const T tiny : {T(0), denormal, -denormal, smallest_normal<T>, -smallest_normal<T>}) {
        CHECK(at(tiny, expm1_of) == tiny);
        CHECK(at(tiny, log1p_of) == tiny);
        CHECK(at(tiny, tanh_of) == tiny);
    }
    for (const T x : {at(nan, exp_of), at(nan, unchecked_exp_of), at(nan, log_of),
                      at(nan, expm1_of), at(nan, log1p_of), at(nan, tanh_of), at(nan, erfc_of),
                      at(nan, sqrt_of), at(nan, sigmoid_of), at(nan, softplus_of), at(nan, cdf_of),
                      at(nan, quantile_of), at(nan, deviance_of)})
        CHECK(std::isnan(x));
}

#if defined(__AVX512DQ__)
/// Our own exp, from where it is zero through the denormal numbers to where it overflows.
template <class T>
void test_exponential() {
    using L = Lanes<T>;
    const auto exp_of = [](L x) { return exp(x); };
    const bool single = sizeof(T) == 4;
    compare<T>("exp, all", single ? -105 : -747, single ? 89 : 710, within(0.95), exp_of,
               [](Exact x) { return std::exp(x); });
    const T infinite = static_cast<T>(infinity);
    for (const T big : {T(800), T(1e9), T(1e38), largest<T>, infinite})
        CHECK(at(big, exp_of) == infinite && at(-big, exp_of) == 0);
    for (const T tiny : {T(0), -T(0), smallest_normal<T>, -smallest_normal<T>})
        CHECK(at(tiny, exp_of) == 1);
}
#endif

template <class T>
void test_lanes() {
    using L = Lanes<T>;
    T values[L::size], other[L::size];
    for (std::int64_t i = 0; i < L::size; ++i) {
        values[i] = static_cast<T>(i) - T(1.5);
        other[i] = T(0.5);
    }
    const L a = L::load(values), b = L::load(other);
    const L smaller = select(a < b, a, b), above = select(a > b, L(1.0), L(0.0));
    const L at_most = select(a <= b, L(1.0), L(0.0)), equal = select(a == b, L(1.0), L(0.0));
    for (std::int64_t i = 0; i < L::size; ++i) {
        const T x = values[i];
        CHECK((a + b).v[i] == x + T(0.5) && (a - b).v[i] == x - T(0.5) && (-a).v[i] == -x);
        CHECK((a * b).v[i] == x * T(0.5) && (b / a).v[i] == T(0.5) / x);
        CHECK(abs(a).v[i] == std::abs(x) && smaller.v[i] == std::min(x, T(0.5)));
        CHECK(max(a, b).v[i] == std::max(x, T(0.5)) && min(a, b).v[i] == std::min(x, T(0.5)));
        CHECK(above.v[i] == (x > T(0.5)) && at_most.v[i] == (x <= T(0.5)));
        CHECK(equal.v[i] == (x == T(0.5)));
        CHECK(clamp(a, -1.0, 1.0).v[i] == std::clamp(x, T(-1), T(1)));
    }
    double sum = 0;
    for (const T value : values) sum += static_cast<double>(value);
    CHECK(a.sum() == sum);

    for (std::int64_t count = 0; count <= L::size; ++count) {
        const std::vector<T> part(values, values + count);  // nothing may be read past its end
        const L loaded = L::load_partial(part.data(), count, T(7));
        std::vector<T> stored(static_cast<std::size_t>(count), T(-9));
        loaded.store_partial(stored.data(), count);
        CHECK(stored == part);
        bool filled = true;
        for (std::int64_t i = count; i < L::size; ++i) filled = filled && loaded.v[i] == T(7);
        CHECK(filled);
    }
}

template <class T>
void test_dual() {
    using L = Lanes<T>;
    using D = Dual<L, 2>;
    const double tolerance = 64 * std::numeric_limits<T>::epsilon();
    const auto near = [&](L got, double wanted) {
        return std::abs(static_cast<double>(got.v[0]) - wanted) <=
               tolerance * (1 + std::abs(wanted));
    };
    for (const double a : {-3.5, -0.25, 0.0, 1.75, 12.0}) {
        for (const double b : {-2.0, 0.5, 3.0}) {
            const auto [x, y] = D::variables({L(a), L(b)});
            const auto check = [&](const D& got, double value, double by_x, double by_y) {
                CHECK(near(got.value, value));
                CHECK(near(got.derivative[0], by_x) && near(got.derivative[1], by_y));
            };
            check(x, a, 1, 0);
            check(x + y, a + b, 1, 1);
            check(x - y, a - b, 1, -1);
            check(x * y * y, a * b * b, b * b, 2 * a * b);
            check(-x, -a, -1, 0);
            check(x + L(2.0), a + 2, 1, 0);
            check(x - 2.0, a - 2, 1, 0);
            check(L(2.0) - x, 2 - a, -1, 0);
            check(y * 2.5, 2.5 * b, 0, 2.5);
            const double e = std::exp(a * b);
            if (e < 1e3) check(exp(x * y), e, b * e, a * e);
            const double s = 1 / (1 + std::exp(-a));
            check(softplus(x), std::log1p(std::exp(a)), s, 0);
            check(clamp(x, -3.0, 2.0), std::clamp(a, -3.0, 2.0), a > -3 && a < 2, 0);
            check(x / y, a / b, 1 / b, -a / (b * b));
            check(x / L(4.0), a / 4, 0.25, 0);
            check(2.0 / y, 2 / b, 0, -2 / (b * b));
            check(L(2.0) + x * y * -0.5, 2 - a * b / 2, -b / 2, -a / 2);
            check(0.5 * x + 1.5, a / 2 + 1.5, 0.5, 0);
            check(expm1(y), std::expm1(b), 0, std::exp(b));
            check(log(y * y), std::log(b * b), 0, 2 / b);
            check(log1p(y * y), std::log1p(b * b), 0, 2 * b / (1 + b * b));
            check(sqrt(y * y), std::abs(b), 0, b > 0 ? 1 : -1);
            check(abs(x), std::abs(a), (a > 0) - (a < 0), 0);
            check(sigmoid(x), s, s * (1 - s), 0);
            check(select(L(a) > L(0.0), x, y), a > 0 ? a : b, a > 0, a <= 0);
            check(max(x, y), std::max(a, b), a > b, a <= b);
            check(min(x, y), std::min(a, b), a < b, a >= b);
            check(max(x, 0.0), std::max(a, 0.0), a > 0, 0);
            check(min(x, 0.0), std::min(a, 0.0), a < 0, 0);
            check(select(x < y, x, x * y), a < b ? a : a * b, a < b ? 1 : b, a < b ? 0 : a);
            check(select(x <= L(0.0), x, -x), -std::abs(a), a <= 0 ? 1 : -1, 0);
        }
    }

    const double bound = log_scale_bound;
    for (const double log_scale : {-40.0, -2.0, 0.0, 1.5, 31.0}) {
        const double held = std::clamp(log_scale, -bound, bound), inside = held == log_scale;
        const double r = 0.75, y = 2 + r * std::exp(held);
        const auto raw = D::variables({L(2.0), L(log_scale)});
        // At the lower bound y has lost r to rounding.
        const double residual = (static_cast<double>(static_cast<T>(y)) - 2) * std::exp(-held);
        const D density = Normal{}.log_prob(L(y), raw);
        CHECK(near(density.value, -residual * residual / 2 - held - half_log_two_pi));
        CHECK(near(density.derivative[0] * L(std::exp(held)), residual));
        CHECK(near(density.derivative[1], inside * (residual * residual - 1)));
    }
    for (const double logit : {-1e4, -20.0, -1.0, 0.0, 3.0, 1e4}) {
        for (const double y : {0.0, 1.0}) {
            const double probability = 1 / (1 + std::exp(-logit));
            const auto raw = Dual<L, 1>::variables({L(logit)});
            const auto density = Bernoulli{}.log_prob(L(y), raw);
            const double against = y == 1 ? -logit : logit;
            CHECK(near(density.value,
                       -(std::max(against, 0.0) + std::log1p(std::exp(-std::abs(against))))));
            CHECK(near(density.derivative[0], y - probability));
        }
    }
}

/// Every number to its place and back, and no other number touched.
template <class T>
void test_transposes() {
    using namespace likely::kernels_detail;
    for (const std::int64_t rows : {1, 2, 7, 16, 33, 64}) {
        for (std::int64_t count = 1; count <= 18; ++count) {
            for (const std::int64_t stride : {count, count + 1, count + 5}) {
                const std::int64_t distance = 64;
                std::vector<T> matrix(static_cast<std::size_t>(rows * stride));
                for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<T>(i + 1);
                std::vector<T> columns(static_cast<std::size_t>(count * distance));
                std::vector<T> back(matrix.size());
                const std::int64_t moved =
                    rows_to_columns(matrix.data(), stride, rows, count, columns.data(), distance);
                CHECK(moved >= 0 && moved <= rows && moved % Lanes<T>::size == 0);
                CHECK(columns_to_rows(columns.data(), distance, rows, count, back.data(), stride) ==
                      moved);
                bool right = true;
                for (std::int64_t i = 0; i < rows; ++i) {
                    for (std::int64_t c = 0; c < stride; ++c) {
                        const auto at = static_cast<std::size_t>(i * stride + c);
                        const bool is_moved = i < moved && c < count;
                        right &= back[at] == (is_moved ? matrix[at] : T(0));
                    }
                }
                for (std::int64_t c = 0; c < count; ++c) {
                    for (std::int64_t i = 0; i < distance; ++i) {
                        const auto at = static_cast<std::size_t>(i * stride + c);
                        right &= columns[static_cast<std::size_t>(c * distance + i)] ==
                                 (i < moved ? matrix[at] : T(0));
                    }
                }
                CHECK(right);
            }
        }
    }
}

template <class T>
void test_all() {
    test_lanes<T>();
    test_edges<T>();
    test_functions<T>();
#if defined(__AVX512DQ__)
    test_exponential<T>();
#endif
    test_dual<T>();
    test_transposes<T>();
}

}  // namespace

int main() {
    test_all<float>();
    test_all<double>();
    return finish();
}
