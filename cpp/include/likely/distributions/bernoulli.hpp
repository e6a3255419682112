// The Bernoulli distribution; its negative log-likelihood is the binary cross-entropy.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct Bernoulli {
    static constexpr std::string_view name = "Bernoulli";
    static constexpr std::string_view doc =
        "Bernoulli distribution of a target that is 0 or 1. Raw parameter: logit, with probs = 1 / "
        "(1 + exp(-logit)).\n"
        "The loss is the binary cross-entropy. Source: Cox (1958), 'The regression analysis of "
        "binary sequences'.";
    static std::string support() { return "0 or 1"; }
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr std::array parameters{NamedParameter{"probs", Unit::none, 0, 1}};

    using Raw = std::array<double, 1>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 1> raw_parameters() const { return {RawParameter{"logit"}}; }
    static bool supports(double y) { return y == 0 || y == 1; }

    template <class V>
    V log_prob(auto y, const std::array<V, 1>& raw) const {
        // y logit - softplus(logit), without its cancellation
        return -softplus(raw[0] * (1 - 2 * y));
    }
    double mean(const Raw& raw) const { return sigmoid(raw[0]); }
    double mode(const Raw& raw) const { return raw[0] > 0 ? 1 : 0; }
    double std(const Raw& raw) const { return sqrt(sigmoid(raw[0]) * sigmoid(-raw[0])); }
    double entropy(const Raw& raw) const { return cross_entropy(raw, raw); }
    double cdf(double y, const Raw& raw) const { return y < 0 ? 0 : y < 1 ? sigmoid(-raw[0]) : 1; }
    double sf(double y, const Raw& raw) const { return y < 0 ? 1 : y < 1 ? sigmoid(raw[0]) : 0; }
    double quantile(double p, const Raw& raw) const { return p <= sigmoid(-raw[0]) ? 0 : 1; }
    /// The Brier score (Gneiting and Raftery 2007, section 4.2).
    double crps(double y, const Raw& raw) const {
        const double miss = y == 1 ? sigmoid(-raw[0]) : sigmoid(raw[0]);
        return miss * miss;
    }
    Raw fisher(const Raw& raw) const { return {sigmoid(raw[0]) * sigmoid(-raw[0])}; }
    double parameter(std::size_t, const Raw& raw) const { return mean(raw); }
    /// The inverse of `parameter`; a probability of 0 or 1 gets a logit that is exactly that.
    Raw raw_from(const Raw& given) const {
        return {clamp(log(given[0] / (1 - given[0])), -certain_logit, certain_logit)};
    }
    double cross_entropy(const Raw& p, const Raw& q) const {
        return sigmoid(p[0]) * softplus(-q[0]) + sigmoid(-p[0]) * softplus(q[0]);
    }
    double kl_divergence(const Raw& p, const Raw& q) const {
        return kl_term(sigmoid(p[0]), sigmoid(q[0]), softplus(-p[0]) - softplus(-q[0])) +
               kl_term(sigmoid(-p[0]), sigmoid(-q[0]), softplus(p[0]) - softplus(q[0]));
    }
};

}  // namespace likely
