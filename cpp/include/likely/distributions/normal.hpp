// The normal distribution; with a fixed scale its negative log-likelihood is half the squared error
// plus a constant.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"
#include "likely/special_functions.hpp"

namespace likely {

struct Normal {
    static constexpr std::string_view name = "Normal";
    static constexpr std::string_view doc =
        "Normal distribution of a real target. Raw parameters: loc and log_scale, with scale = "
        "exp(log_scale).\n"
        "With scale=1.0 the loss is half the squared error plus log(2 pi) / 2, with scale=0.5**0.5 "
        "the squared\nerror plus log(pi) / 2. Where the network\n"
        "standardises its target, a fixed scale is in standard deviations of the target.\n"
        "Source: Nix and Weigend (1994), 'Estimating the mean and variance of the target "
        "probability distribution'.";
    static std::string support() { return "a finite real number"; }
    static constexpr TargetScaling target_scaling = TargetScaling::location_and_scale;
    static constexpr std::array parameters{
        NamedParameter{"loc", Unit::location},
        NamedParameter{"scale", Unit::scale, smallest_scale, largest_scale}};

    using Raw = std::array<double, 2>;

    std::variant<std::string, double> scale = std::string("predicted");

    static constexpr auto fields() {
        return std::tuple{Field{"scale", &Normal::scale,
                                "'predicted' for each row, 'shared' (one learned constant for each "
                                "target column), or a "
                                "positive number"}};
    }
    void validate() const {
        if (const auto* word = std::get_if<std::string>(&scale)) {
            require(*word == "predicted" || *word == "shared", "scale",
                    "'predicted', 'shared' or a positive number", *word);
        } else {
            const double number = std::get<double>(scale);
            require(number > 0 && std::abs(std::log(number)) <= log_scale_bound, "scale",
                    "'predicted', 'shared' or a number in [exp(-30), exp(30)]", number);
        }
    }
    std::array<RawParameter, 2> raw_parameters() const {
        RawParameter log_scale{"log_scale"};
        if (const auto* number = std::get_if<double>(&scale)) {
            log_scale.source = Source::fixed;
            log_scale.value = std::log(*number);
        } else if (std::get<std::string>(scale) == "shared") {
            log_scale.source = Source::shared;
        }
        return {RawParameter{"loc"}, log_scale};
    }
    /// The family of distributions whose parameters are all given.
    static Normal all_predicted() { return {}; }
    static bool supports(double y) { return std::isfinite(y); }

    template <class V>
    static V bounded_log_scale(V log_scale) {
        return clamp(log_scale, -log_scale_bound, log_scale_bound);
    }
    template <class V>
    V standardized(auto y, const std::array<V, 2>& raw) const {
        return (y - raw[0]) * exp(-bounded_log_scale(raw[1]));
    }
    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        const V residual = standardized(y, raw);
        return residual * residual * -0.5 - bounded_log_scale(raw[1]) - half_log_two_pi;
    }
    double mean(const Raw& raw) const { return raw[0]; }
    double mode(const Raw& raw) const { return raw[0]; }
    double std(const Raw& raw) const { return exp(bounded_log_scale(raw[1])); }
    double entropy(const Raw& raw) const {
        return bounded_log_scale(raw[1]) + half_log_two_pi + 0.5;
    }
    double cdf(double y, const Raw& raw) const { return normal_cdf(standardized(y, raw)); }
    double sf(double y, const Raw& raw) const { return normal_cdf(-standardized(y, raw)); }
    double quantile(double p, const Raw& raw) const {
        return raw[0] + std(raw) * normal_quantile(p);
    }
    /// Gneiting and Raftery (2007), equation 21.
    double crps(double y, const Raw& raw) const {
        const double z = standardized(y, raw);
        return std(raw) *
               (z * (1 - 2 * normal_cdf(-z)) + 2 * normal_density(z) - std::numbers::inv_sqrtpi);
    }
    double parameter(std::size_t index, const Raw& raw) const {
        return index == 0 ? mean(raw) : std(raw);
    }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const { return {given[0], log(given[1])}; }

    /// Raw parameters of offset + factor * (a variable with these). The log_scale is bounded
    /// before it moves, as the density has it, and may then stand outside the bounds.
    Raw moved(const Raw& raw, double offset, double factor) const {
        return {offset + factor * raw[0], bounded_log_scale(raw[1]) + likely::log(factor)};
    }
    /// p and q as `moved` leaves them, in the same units.
    double cross_entropy(const Raw& p, const Raw& q) const {
        const double distance = (p[0] - q[0]) * exp(-q[1]);
        return q[1] + half_log_two_pi + (exp((p[1] - q[1]) * 2) + distance * distance) * 0.5;
    }
    /// p and q as `moved` leaves them, in the same units.
    double kl_divergence(const Raw& p, const Raw& q) const {
        const double distance = (p[0] - q[0]) * exp(-q[1]);
        return (deviance((p[1] - q[1]) * 2) + distance * distance) * 0.5;
    }
};

}  // namespace likely
