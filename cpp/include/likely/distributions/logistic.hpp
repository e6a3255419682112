// The logistic distribution.
#pragma once

#include <array>
#include <numbers>
#include <string_view>
#include <tuple>

#include "likely/distributions/location_scale.hpp"
#include "likely/primitives.hpp"

namespace likely {

struct Logistic : LocationScale<> {
    static constexpr std::string_view name = "Logistic";
    static constexpr std::string_view doc =
        "Logistic distribution of a real target: like the normal one, with exponential tails and a "
        "cdf in\nclosed form. Raw parameters: loc and log_scale, with scale = exp(log_scale); the "
        "standard deviation is\nscale pi / sqrt(3).\n"
        "Source: Balakrishnan (1992), 'Handbook of the logistic distribution'.";

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"loc"}, RawParameter{"log_scale"}};
    }

    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        // -softplus(r) - softplus(-r) with one exponential
        const V distance = abs(residual(y, raw));
        return distance - softplus(distance) * 2.0 - log_scale(raw);
    }
    Raw fisher(const Raw& raw) const {
        constexpr double pi = std::numbers::pi;
        return {exp(-2 * log_scale(raw)) / 3, (3 + pi * pi) / 9};
    }
    double std(const Raw& raw) const {
        return std::numbers::pi * std::numbers::inv_sqrt3 * scale_of(raw);
    }
    double entropy(const Raw& raw) const { return 2 + log_scale(raw); }
    double cdf(double y, const Raw& raw) const { return sigmoid(residual(y, raw)); }
    double sf(double y, const Raw& raw) const { return sigmoid(-residual(y, raw)); }
    double quantile(double p, const Raw& raw) const {
        return raw[0] + scale_of(raw) * (log(p) - log1p(-p));
    }
    /// Jordan, Krueger and Lerch (2019), appendix A.
    double crps(double y, const Raw& raw) const {
        const double distance = abs(residual(y, raw));
        return scale_of(raw) * (distance + 2 * log1p(exp(-distance)) - 1);
    }
};

}  // namespace likely
