// The special functions and their derivatives against the table of make_special_values.py: of plain
// numbers, of vectors of numbers, and as derivatives of dual numbers.
//
// Built with the flags of the kernel set. Errors are counted in epsilons relative to the true
// number; the bounds hold for every instruction set, the worst found is printed.

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <string>

#include "check.hpp"
#include "kernels/dual.hpp"
#include "likely/gamma_functions.hpp"
#include "likely/special_functions.hpp"
#include "special_values.hpp"

using namespace likely;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The worst error found.
template <class T>
struct Worst {
    double error = 0, at = 0;

    /// Numbers below `least` in absolute value need be no better than that one.
    void see(double x, double got, double wanted, double least) {
        if (std::abs(wanted) > static_cast<double>(std::numeric_limits<T>::max()) ||
            std::abs(wanted) < static_cast<double>(std::numeric_limits<T>::min()))
            return;
        const double found = std::abs(got - wanted) / std::max(std::abs(wanted), least) /
                             static_cast<double>(std::numeric_limits<T>::epsilon());
        if (found <= error) return;
        error = std::isnan(found) ? infinity : found;  // which nothing outdoes
        at = x;
    }
    void hold(const std::string& what, double limit) const {
        std::cout << std::setw(34) << what << (sizeof(T) == 4 ? "  float " : "  double")
                  << "  worst " << std::setprecision(3) << error << " epsilons at "
                  << std::setprecision(9) << at << ", limit " << limit << std::endl;
        CHECK(error <= limit);  // false for nan too
    }
};

struct Limits {
    double value, slope;
    double least = 0;  ///< see Worst
};

template <class T, std::size_t N, class Function>
void compare(const char* name, const ValueAndSlope (&table)[N], Limits limits, Function f) {
    using L = Lanes<T>;
    using D = Dual<L, 2>;
    Worst<T> plain, lanes, dual, slope;
    for (const ::ValueAndSlope& row : table) {
        const double x = row.x, value = row.value, derivative = row.slope;
        const auto see = [&](Worst<T>& worst, T got, double wanted) {
            worst.see(x, static_cast<double>(got), wanted, limits.least);
        };
        see(plain, f(static_cast<T>(x)), value);
        see(lanes, f(L(x)).v[0], value);
        const D result = f(D::variables({L(1.0), L(x)})[1]);
        see(dual, result.value.v[0], value);
        see(slope, result.derivative[1].v[0], derivative);
        CHECK(result.derivative[0].v[0] == 0);
    }
    plain.hold(name, limits.value);
    lanes.hold(name + std::string(" of lanes"), limits.value);
    dual.hold(name + std::string(" of duals"), limits.value);
    slope.hold(name + std::string("'"), limits.slope);
    const T nan = std::numeric_limits<T>::quiet_NaN();
    CHECK(std::isnan(f(nan)) && std::isnan(f(L(static_cast<double>(nan))).v[0]));
}

/// With T of the table's double precision or of lanes of it.
template <class T, class V, std::size_t N, class Function>
void compare_values(const char* name, const Value (&table)[N], double limit, Function f,
                    double least = 0) {
    Worst<T> worst;
    for (const auto& [x, value] : table) {
        const V result = f(V(static_cast<T>(x)));
        if constexpr (std::is_same_v<V, T>) {
            worst.see(x, static_cast<double>(result), value, least);
        } else {
            worst.see(x, static_cast<double>(result.v[0]), value, least);
        }
    }
    worst.hold(name, limit);
}

template <class T>
void test_functions() {
    using L = Lanes<T>;
    compare<T>("normal_cdf", normal_cdf_values, {4, 4}, [](auto x) {
        if constexpr (requires { x.derivative; }) {
            return decltype(x)::chain(x, detail::normal_cdf(x.value));
        } else {
            return normal_cdf(x);
        }
    });
    compare<T>("log_normal_survival", log_normal_survival_values, {4, 4},
               [](auto x) { return log_normal_survival(x); });
    compare<T>("deviance", deviance_values, {4, 4}, [](auto x) { return deviance(x); });
    compare<T>("saturating_deviance", saturating_deviance_values, {4, 4},
               [](auto x) { return saturating_deviance(x); });
    compare<T>("saturating_exp", saturating_exp_values, {4, 4},
               [](auto x) { return saturating_exp(x); });
    // Below 1/3, where logarithms are subtracted, it is less accurate than elsewhere.
    compare<T>("stirling_rest", stirling_rest_values, {5, 4},
               [](auto x) { return stirling_rest(x); });
    // Its zero is at 1.24.
    compare<T>("lgamma_half_ratio", lgamma_half_ratio_values, {4, 4, 0.5},
               [](auto x) { return lgamma_half_ratio(x); });
    compare<T>("log_bessel_i0e", log_bessel_i0e_values, {4, 4},
               [](auto x) { return log_bessel_i0e(x); });
    compare<T>("chord", chord_values, {4, 4}, [](auto x) { return chord(x); });
    compare<T>("log1mexp", log1mexp_values, {4, 4}, [](auto x) { return log1mexp(x); });
    compare_values<T, T>("erfc", erfc_values, 4, [](auto x) { return erfc(x); });
    compare_values<T, L>("erfc of lanes", erfc_values, 4, [](auto x) { return erfc(x); });
    compare_values<T, T>("erfcx", erfcx_values, 4, [](auto x) { return erfcx(x); });
    compare_values<T, L>("erfcx of lanes", erfcx_values, 4, [](auto x) { return erfcx(x); });

    Worst<T> plain, lanes, by_a, by_b;
    for (const auto& [a, b, value] : logaddexp_values) {
        plain.see(a, static_cast<double>(logaddexp(static_cast<T>(a), static_cast<T>(b))), value,
                  0.1);
        const auto [x, y] = Dual<L, 2>::variables({L(a), L(b)});
        const auto sum = logaddexp(x, y);
        lanes.see(a, static_cast<double>(sum.value.v[0]), value, 0.1);
        CHECK(logaddexp(L(a), L(b)).v[0] == sum.value.v[0]);
        const double rounded = static_cast<double>(static_cast<T>(a) - static_cast<T>(b));
        by_a.see(a, static_cast<double>(sum.derivative[0].v[0]), 1 / (1 + std::exp(-rounded)), 0);
        by_b.see(a, static_cast<double>(sum.derivative[1].v[0]), 1 / (1 + std::exp(rounded)), 0);
    }
    plain.hold("logaddexp", 2);
    lanes.hold("logaddexp of lanes", 2);
    by_a.hold("logaddexp' by a", 3);
    by_b.hold("logaddexp' by b", 3);
}

/// What the families' promise of finite losses and gradients needs far out.
template <class T>
void test_far_out() {
    using L = Lanes<T>;
    using D = Dual<L, 1>;
    const auto finite = [](const D& x) {
        return std::isfinite(x.value.v[0]) && std::isfinite(x.derivative[0].v[0]);
    };
    for (const double far : {-1e15, -1e4, 1e4, 1e15}) {
        const D x = D::variables({L(far)})[0];
        CHECK(finite(log_normal_survival(x)) && finite(saturating_exp(x)));
        CHECK(finite(saturating_deviance(x)) && finite(chord(x)) && finite(softplus(x)));
        CHECK(std::abs(chord(x).value.v[0]) <= 2 && std::abs(chord(x).derivative[0].v[0]) <= 1);
        CHECK(finite(logaddexp(x, -x)) && finite(sigmoid(x)));
    }
    CHECK(erfcx(L(infinity)).v[0] <= std::numeric_limits<T>::min());
    CHECK(erfcx(L(-infinity)).v[0] == infinity);
    CHECK(log_normal_survival(L(infinity)).v[0] == -infinity);
    CHECK(log_normal_survival(L(-infinity)).v[0] == 0);
    CHECK(deviance(L(infinity)).v[0] == infinity && deviance(L(-infinity)).v[0] == infinity);
    CHECK(deviance(T(infinity)) == infinity && deviance(T(-infinity)) == infinity);
    CHECK(log_bessel_i0e(L(0.0)).v[0] == 0 && chord(L(0.0)).v[0] == 0);
}

void test_plain() {
    // Its zero is at 1.46.
    compare_values<double, double>("digamma", digamma_values, 8, digamma, 0.5);
    compare_values<double, double>("trigamma", trigamma_values, 4, trigamma);
    Worst<double> worst;
    for (const auto& [a, b, value] : lbeta_values) worst.see(a, lbeta(a, b), value, 1);
    worst.hold("lbeta", 4);
}

}  // namespace

int main() {
    test_functions<float>();
    test_functions<double>();
    test_far_out<float>();
    test_far_out<double>();
    test_plain();
    return finish();
}
