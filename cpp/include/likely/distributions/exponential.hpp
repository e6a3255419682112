// The exponential distribution.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"

namespace likely {

struct Exponential {
    static constexpr std::string_view name = "Exponential";
    static constexpr std::string_view doc =
        "Exponential distribution of a target of at least 0, such as a time until something that "
        "happens at a\nconstant rate. Raw parameter: log_scale, with rate = exp(-log_scale). "
        "Targets may be right-censored.\n"
        "Source: Feigl and Zelen (1965), 'Estimation of exponential survival probabilities with "
        "concomitant\ninformation'.";
    static std::string support() { return "a finite number of at least 0"; }
    static bool supports(double y) { return y >= 0 && std::isfinite(y); }
    static constexpr TargetScaling target_scaling = TargetScaling::scale;
    static constexpr std::array parameters{
        NamedParameter{"rate", Unit::rate, smallest_scale, largest_scale}};

    using Raw = std::array<double, 1>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 1> raw_parameters() const { return {RawParameter{"log_scale"}}; }

    template <class V>
    V log_prob(auto y, const std::array<V, 1>& raw) const {
        return log_survival(y, raw) - log_scale(raw);
    }
    template <class V>
    V log_survival(auto y, const std::array<V, 1>& raw) const {
        return -(y * unchecked_exp(-log_scale(raw)));
    }
    Raw fisher(const Raw&) const { return {1}; }
    double mean(const Raw& raw) const { return exp(log_scale(raw)); }
    double std(const Raw& raw) const { return mean(raw); }
    double mode(const Raw&) const { return 0; }
    double entropy(const Raw& raw) const { return 1 + log_scale(raw); }
    double cdf(double y, const Raw& raw) const { return y > 0 ? -expm1(log_survival(y, raw)) : 0; }
    double sf(double y, const Raw& raw) const { return y > 0 ? exp(log_survival(y, raw)) : 1; }
    double quantile(double p, const Raw& raw) const { return -mean(raw) * log1p(-p); }
    /// Jordan, Krueger and Lerch (2019), appendix A.
    double crps(double y, const Raw& raw) const {
        const double x = -log_survival(y, raw);
        return mean(raw) * (x + 2 * expm1(-x) + 0.5);
    }
    double parameter(std::size_t, const Raw& raw) const { return exp(-log_scale(raw)); }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const { return {-log(given[0])}; }

  private:
    template <class V>
    static V log_scale(const std::array<V, 1>& raw) {
        return clamp(raw[0], -log_scale_bound, log_scale_bound);
    }
};

}  // namespace likely
