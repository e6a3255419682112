// The Poisson distribution.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/chained.hpp"
#include "likely/distributions/common.hpp"
#include "likely/distributions/deviances.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct Poisson {
    static constexpr std::string_view name = "Poisson";
    static constexpr std::string_view doc =
        "Poisson distribution of a target that is a count. Raw parameter: log_mean, with rate = "
        "exp(log_mean), which is\nmean and variance. Where the variance is larger, take "
        "NegativeBinomial.\n"
        "Source: McCullagh and Nelder (1989), 'Generalized linear models', chapter 6.";
    static std::string support() { return "an integer, at least 0"; }
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr std::array parameters{
        NamedParameter{"rate", Unit::none, smallest_scale, largest_scale}};

    using Raw = std::array<double, 1>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 1> raw_parameters() const { return {RawParameter{"log_mean"}}; }
    static bool supports(double y) { return y >= 0 && std::isfinite(y) && y == std::floor(y); }

    template <class V>
    V log_prob(auto target, const std::array<V, 1>& raw) const {
        using P = decltype(detail::plain(raw[0]));
        const P y = detail::plain(target);
        const V held = clamp(raw[0], -log_scale_bound, log_scale_bound);
        const P log_mean = detail::plain(held), mean = exp(log_mean);
        const P count = max(P(1), y), log_count = log(count);
        const P deviance = detail::ratio(count, mean, mean - count, log_mean - log_count).deviance;
        const P rest = detail::stirling_rest_from_one(count).value;
        const P above = -deviance - rest - P(0.5) * log_count - P(half_log_two_pi);
        return detail::chained(held, select(y > P(0), above, -mean), y - mean);
    }
    /// The diagonal of the Fisher information.
    Raw fisher(const Raw& raw) const { return {mean(raw)}; }
    double mean(const Raw& raw) const {
        return exp(clamp(raw[0], -log_scale_bound, log_scale_bound));
    }
    double std(const Raw& raw) const { return sqrt(mean(raw)); }
    double mode(const Raw& raw) const { return std::floor(mean(raw)); }
    double parameter(std::size_t, const Raw& raw) const { return mean(raw); }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const { return {log(given[0])}; }
};

}  // namespace likely
