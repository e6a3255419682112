// The Weibull distribution.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/special_functions.hpp"

namespace likely {

struct Weibull {
    static constexpr std::string_view name = "Weibull";
    static constexpr std::string_view doc =
        "Weibull distribution of a positive target, such as a time to failure: the hazard grows "
        "where\nconcentration > 1. Raw parameters: log_scale and log_concentration, with scale = "
        "exp(log_scale) and\nconcentration = exp(log_concentration). Targets may be "
        "right-censored.\n"
        "Source: Weibull (1951), 'A statistical distribution function of wide applicability'.";
    static std::string support() { return "a finite number above 0"; }
    static bool supports(double y) { return y > 0 && std::isfinite(y); }
    static constexpr TargetScaling target_scaling = TargetScaling::scale;
    static constexpr std::array parameters{
        NamedParameter{"scale", Unit::scale, smallest_scale, largest_scale},
        NamedParameter{"concentration", Unit::none, smallest_scale, largest_scale}};

    using Raw = std::array<double, 2>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"log_scale"}, RawParameter{"log_concentration"}};
    }

    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        const auto log_y = log(y);
        const V z = exponent(log_y, raw);
        return held(raw[1]) + z - saturating_exp(z) - log_y;
    }
    template <class V>
    V log_survival(auto y, const std::array<V, 2>& raw) const {
        return -saturating_exp(exponent(log(y), raw));
    }
    Raw fisher(const Raw& raw) const {
        constexpr double rest = 1 - std::numbers::egamma, pi = std::numbers::pi;
        return {exp(2 * held(raw[1])), pi * pi / 6 + rest * rest};
    }
    double mean(const Raw& raw) const { return scale(raw) * std::tgamma(1 + inverse(raw)); }
    double std(const Raw& raw) const {
        const double x = inverse(raw), log_ratio = log_moment_ratio(x);
        return log_ratio < 40 ? mean(raw) * sqrt(expm1(log_ratio))
                              : exp(held(raw[0]) + std::lgamma(1 + x) + 0.5 * log_ratio);
    }
    double mode(const Raw& raw) const {
        const double x = inverse(raw);
        return x < 1 ? scale(raw) * exp(log1p(-x) * x) : 0;
    }
    double entropy(const Raw& raw) const {
        return std::numbers::egamma * (1 - inverse(raw)) + held(raw[0]) - held(raw[1]) + 1;
    }
    double cdf(double y, const Raw& raw) const { return y > 0 ? -expm1(log_survival(y, raw)) : 0; }
    double sf(double y, const Raw& raw) const { return y > 0 ? exp(log_survival(y, raw)) : 1; }
    double quantile(double p, const Raw& raw) const {
        return scale(raw) * exp(log(-log1p(-p)) * inverse(raw));
    }
    double parameter(std::size_t index, const Raw& raw) const { return exp(held(raw[index])); }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const { return {log(given[0]), log(given[1])}; }

  private:
    template <class V>
    static V held(V logarithm) {
        return clamp(logarithm, -log_scale_bound, log_scale_bound);
    }
    /// The log of minus the log survival function.
    template <class V>
    static V exponent(auto log_y, const std::array<V, 2>& raw) {
        return unchecked_exp(held(raw[1])) * (log_y - held(raw[0]));
    }
    static double scale(const Raw& raw) { return exp(held(raw[0])); }
    /// 1 / concentration.
    static double inverse(const Raw& raw) { return exp(-held(raw[1])); }

    /// log(Gamma(1 + 2 x) / Gamma(1 + x)^2), where x is small by its series: the sum over n of
    /// zeta(n) (2^n - 2) / n (-x)^n.
    static double log_moment_ratio(double x) {
        static constexpr double coefficients[] = {
            1.64493406684822644, 2.40411380631918857, 3.78813131798898367, 6.22156653086021956,
            10.5125449738393078, 18.1502869928746109, 31.8794560592847328, 56.7804755934779922,
            102.301645578063008, 186.09191908036622,  341.250623195770262, 630.077309408974448,
            1170.21452621060941, 2184.46681694338906, 4095.93759422425541};
        if (x < 0.05) return x * x * detail::polynomial(-x, coefficients);
        return std::lgamma(1 + 2 * x) - 2 * std::lgamma(1 + x);
    }
};

}  // namespace likely
