// The normal distribution; with a fixed scale its negative log-likelihood is half the squared error
// plus a constant.
#pragma once

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "likely/distributions/location_scale.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"
#include "likely/special_functions.hpp"

namespace likely {

struct Normal : LocationScale<> {
    static constexpr std::string_view name = "Normal";
    static constexpr std::string_view doc =
        "Normal distribution of a real target. Raw parameters: loc and log_scale, with scale = "
        "exp(log_scale).\n"
        "With scale=1.0 the loss is half the squared error plus log(2 pi) / 2, with scale=0.5**0.5 "
        "the squared\nerror plus log(pi) / 2. Where the network standardises its target, a fixed "
        "scale is in standard\ndeviations of the target.\n"
        "Source: Nix and Weigend (1994), 'Estimating the mean and variance of the target "
        "probability distribution'.";

    SourceOption scale = std::string("predicted");

    Normal() = default;
    Normal(SourceOption given) : scale(std::move(given)) {}

    static constexpr auto fields() {
        return std::tuple{Field{"scale", &Normal::scale,
                                "'predicted' for each row, 'shared' (one learned constant for each "
                                "target column), or a "
                                "positive number"}};
    }
    void validate() const {
        check_word(scale, "scale", "a positive number");
        if (const auto* number = std::get_if<double>(&scale)) {
            require(*number > 0 && std::abs(std::log(*number)) <= log_scale_bound, "scale",
                    "'predicted', 'shared' or a number in [exp(-30), exp(30)]", *number);
        }
    }
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"loc"}, raw_parameter("log_scale", scale, 0, log<double>)};
    }
    /// The family of distributions whose parameters are all given.
    static Normal all_predicted() { return {}; }

    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        const V r = residual(y, raw);
        return r * r * -0.5 - log_scale(raw) - half_log_two_pi;
    }
    Raw fisher(const Raw& raw) const { return {exp(-2 * log_scale(raw)), 2}; }
    double std(const Raw& raw) const { return scale_of(raw); }
    double entropy(const Raw& raw) const { return log_scale(raw) + half_log_two_pi + 0.5; }
    double cdf(double y, const Raw& raw) const { return normal_cdf(residual(y, raw)); }
    double sf(double y, const Raw& raw) const { return normal_cdf(-residual(y, raw)); }
    double quantile(double p, const Raw& raw) const {
        return raw[0] + std(raw) * normal_quantile(p);
    }
    /// Gneiting and Raftery (2007), equation 21.
    double crps(double y, const Raw& raw) const {
        const double z = residual(y, raw);
        return std(raw) *
               (z * (1 - 2 * normal_cdf(-z)) + 2 * normal_density(z) - std::numbers::inv_sqrtpi);
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
