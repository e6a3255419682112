// The beta distribution, by its mean and its precision.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/chained.hpp"
#include "likely/distributions/common.hpp"
#include "likely/distributions/deviances.hpp"
#include "likely/gamma_functions.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct Beta {
    static constexpr std::string_view name = "Beta";
    static constexpr std::string_view doc =
        "Beta distribution of a target between 0 and 1, a share. Raw parameters: logit_mean and "
        "log_precision,\nwith mean = 1 / (1 + exp(-logit_mean)), precision = exp(log_precision), "
        "concentration1 = mean precision and\nconcentration0 = (1 - mean) precision. The variance "
        "is mean (1 - mean) / (1 + precision).\n"
        "Source: Ferrari and Cribari-Neto (2004), 'Beta regression for modelling rates and "
        "proportions'.";
    static std::string support() { return "a number above 0 and below 1"; }
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr std::array parameters{
        NamedParameter{"concentration1", Unit::none, smallest_scale * smallest_scale,
                       largest_scale},
        NamedParameter{"concentration0", Unit::none, smallest_scale * smallest_scale,
                       largest_scale}};

    using Raw = std::array<double, 2>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"logit_mean"}, RawParameter{"log_precision"}};
    }
    static bool supports(double y) { return y > 0 && y < 1; }

    template <class V>
    V log_prob(auto target, const std::array<V, 2>& raw) const {
        using P = decltype(detail::plain(raw[0]));
        const P y = detail::plain(target);
        const V held_logit = clamp(raw[0], -log_scale_bound, log_scale_bound);
        const V held_precision = clamp(raw[1], -log_scale_bound, log_scale_bound);
        const P logit = detail::plain(held_logit), log_precision = detail::plain(held_precision);
        const auto above = logit > P(0);
        const P e = exp(-abs(logit)), log_larger = -log1p(e), log_smaller = log_larger - abs(logit);
        const P larger = P(1) / (P(1) + e), smaller = e * larger;
        const P mean = select(above, larger, smaller), rest = select(above, smaller, larger);
        const P log_mean = select(above, log_larger, log_smaller);
        const P log_rest = select(above, log_smaller, log_larger);
        const P log_y = log(y), log_other = log1p(-y), other = P(1) - y;

        const P difference = select(above, rest - other, y - mean);
        const auto ones = detail::ratio(mean, y, difference, log_y - log_mean);
        const auto zeros = detail::ratio(rest, other, -difference, log_other - log_rest);
        const P precision = exp(log_precision), a = mean * precision, b = rest * precision;
        const P divergence = precision * (ones.deviance + zeros.deviance);
        const auto rest_a = detail::stirling_rest(a), rest_b = detail::stirling_rest(b);
        const auto rest_ab = detail::stirling_rest(precision);

        const P constant = rest_ab.value - rest_a.value - rest_b.value +
                           P(0.5) * (log_precision + log_mean + log_rest) - P(half_log_two_pi);
        const P share_a = P(0.5) - a * rest_a.slope, share_b = P(0.5) - b * rest_b.slope;
        return detail::chained(
            held_logit, held_precision, constant - divergence - log_y - log_other,
            rest * share_a - mean * share_b + a * rest * (ones.log - zeros.log),
            (share_a + share_b) - (P(0.5) - precision * rest_ab.slope) - divergence);
    }
    /// The diagonal of the Fisher information.
    Raw fisher(const Raw& raw) const {
        const auto [a, b, n] = concentrations(raw);
        const double by_logit = a * (b / n);
        return {by_logit * by_logit * (trigamma(a) + trigamma(b)),
                0.5 + a * a * detail::trigamma_rest(a) + b * b * detail::trigamma_rest(b) -
                    n * n * detail::trigamma_rest(n)};
    }
    double mean(const Raw& raw) const { return sigmoid(held(raw[0])); }
    double std(const Raw& raw) const {
        const double logit = held(raw[0]);
        return sqrt(sigmoid(logit) * sigmoid(-logit) / (1 + exp(held(raw[1]))));
    }
    double mode(const Raw& raw) const {
        const auto [a, b, n] = concentrations(raw);
        if (a > 1 && b > 1) return (a - 1) / (a + b - 2);
        return a > 1 ? 1 : b > 1 ? 0 : std::numeric_limits<double>::quiet_NaN();
    }
    double entropy(const Raw& raw) const {
        const auto [a, b, n] = concentrations(raw);
        return stirling_rest(a) + stirling_rest(b) - stirling_rest(n) + half_log_two_pi +
               0.5 * (log(a) + log(b)) - 1.5 * log(n) + (a - 1) * detail::digamma_rest(a) +
               (b - 1) * detail::digamma_rest(b) - (n - 2) * detail::digamma_rest(n);
    }
    double parameter(std::size_t index, const Raw& raw) const { return concentrations(raw)[index]; }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const {
        const double log_precision = log(given[0] + given[1]);
        require(std::abs(log_precision) <= largest_log, "concentration1",
                "such that concentration1 + concentration0 is in [exp(-30), exp(30)]", given[0]);
        const double logit = log(given[0]) - log(given[1]);
        require(std::abs(logit) <= largest_log, "concentration1",
                "such that concentration1 / concentration0 is in [exp(-30), exp(30)]", given[0]);
        return {logit, log_precision};
    }

  private:
    static double held(double raw) { return clamp(raw, -log_scale_bound, log_scale_bound); }
    /// concentration1, concentration0 and their sum, the precision.
    static std::array<double, 3> concentrations(const Raw& raw) {
        const double logit = held(raw[0]), precision = exp(held(raw[1]));
        return {sigmoid(logit) * precision, sigmoid(-logit) * precision, precision};
    }
};

}  // namespace likely
