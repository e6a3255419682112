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

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 1> raw_parameters() const { return {RawParameter{"logit"}}; }
    static bool supports(double y) { return y == 0 || y == 1; }

    template <class V>
    V log_prob(auto y, const std::array<V, 1>& raw) const {
        // y logit - softplus(logit), without its cancellation
        return -softplus(raw[0] * (1 - 2 * y));
    }
    template <class V>
    V mean(const std::array<V, 1>& raw) const {
        return sigmoid(raw[0]);
    }
    template <class V>
    V mode(const std::array<V, 1>& raw) const {
        return select(raw[0] > V(0), V(1), V(0));
    }
    template <class V>
    V std(const std::array<V, 1>& raw) const {
        return sqrt(sigmoid(raw[0]) * sigmoid(-raw[0]));
    }
    template <class V>
    V entropy(const std::array<V, 1>& raw) const {
        return sigmoid(raw[0]) * softplus(-raw[0]) + sigmoid(-raw[0]) * softplus(raw[0]);
    }
    template <class V>
    V cdf(V y, const std::array<V, 1>& raw) const {
        return select(y < V(0), V(0), select(y < V(1), sigmoid(-raw[0]), V(1)));
    }
    template <class V>
    V quantile(V p, const std::array<V, 1>& raw) const {
        return select(p <= sigmoid(-raw[0]), V(0), V(1));
    }
    template <class V>
    V parameter(std::size_t, const std::array<V, 1>& raw) const {
        return mean(raw);
    }
    /// The inverse of `parameter`; a probability of 0 or 1 gets a logit that is exactly that.
    template <class V>
    std::array<V, 1> raw_from(const std::array<V, 1>& given) const {
        return {clamp(log(given[0] / (V(1) - given[0])), -certain_logit, certain_logit)};
    }
    template <class V>
    V cross_entropy(const std::array<V, 1>& p, const std::array<V, 1>& q) const {
        return sigmoid(p[0]) * softplus(-q[0]) + sigmoid(-p[0]) * softplus(q[0]);
    }
    template <class V>
    V kl_divergence(const std::array<V, 1>& p, const std::array<V, 1>& q) const {
        return kl_term(sigmoid(p[0]), sigmoid(q[0]), softplus(-p[0]) - softplus(-q[0])) +
               kl_term(sigmoid(-p[0]), sigmoid(-q[0]), softplus(p[0]) - softplus(q[0]));
    }
};

}  // namespace likely
