// The log-normal distribution: the logarithm of the target is normal.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/location_scale.hpp"
#include "likely/primitives.hpp"
#include "likely/special_functions.hpp"

namespace likely {

struct LogNormal : LocationAndScale<> {
    static constexpr std::string_view name = "LogNormal";
    static constexpr std::string_view doc =
        "Log-normal distribution of a positive target, whose logarithm is normal. Raw parameters: "
        "loc and\nlog_scale, with scale = exp(log_scale), both of the logarithm. Targets may be "
        "right-censored.\n"
        "Source: Aitchison and Brown (1957), 'The lognormal distribution'.";
    static std::string support() { return "a finite number above 0"; }
    static bool supports(double y) { return y > 0 && std::isfinite(y); }
    static constexpr TargetScaling target_scaling = TargetScaling::scale;
    static constexpr std::array parameters{
        NamedParameter{"loc", Unit::log_location},
        NamedParameter{"scale", Unit::none, smallest_scale, largest_scale}};

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"loc"}, RawParameter{"log_scale"}};
    }

    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        const auto log_y = log(y);
        const V r = residual(log_y, raw);
        return r * r * -0.5 - log_scale(raw) - (log_y + half_log_two_pi);
    }
    template <class V>
    V log_survival(auto y, const std::array<V, 2>& raw) const {
        return log_normal_survival(residual(log(y), raw));
    }
    Raw fisher(const Raw& raw) const { return {exp(-2 * log_scale(raw)), 2}; }
    double mean(const Raw& raw) const { return exp(raw[0] + 0.5 * square_of_scale(raw)); }
    double mode(const Raw& raw) const { return exp(raw[0] - square_of_scale(raw)); }
    double std(const Raw& raw) const {
        const double square = square_of_scale(raw);
        return square < 100 ? mean(raw) * sqrt(expm1(square)) : exp(raw[0] + square);
    }
    double entropy(const Raw& raw) const { return raw[0] + log_scale(raw) + half_log_two_pi + 0.5; }
    double cdf(double y, const Raw& raw) const {
        return y > 0 ? normal_cdf(residual(log(y), raw)) : 0;
    }
    double sf(double y, const Raw& raw) const {
        return y > 0 ? normal_cdf(-residual(log(y), raw)) : 1;
    }
    double quantile(double p, const Raw& raw) const {
        return exp(raw[0] + scale_of(raw) * normal_quantile(p));
    }
    /// Baran and Lerch (2015), equation A.1, each probability with its factor in one exponent.
    double crps(double y, const Raw& raw) const {
        const double r = residual(log(y), raw), scale = scale_of(raw);
        const double log_mean = raw[0] + 0.5 * scale * scale;
        const double below = exp(log_mean + log_normal_survival(scale - r));
        const double half = exp(log_mean + log_normal_survival(scale / std::numbers::sqrt2));
        if (std::isinf(half)) return std::numeric_limits<double>::infinity();
        return y * (normal_cdf(r) - normal_cdf(-r)) - 2 * below + 2 * half;
    }

  private:
    static double square_of_scale(const Raw& raw) { return exp(2 * log_scale(raw)); }
};

}  // namespace likely
