// The negative binomial distribution, by its mean and its total count.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
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

struct NegativeBinomial {
    static constexpr std::string_view name = "NegativeBinomial";
    static constexpr std::string_view doc =
        "Negative binomial distribution of a target that is a count, with a variance above its "
        "mean: a Poisson\ndistribution whose rate is drawn from a gamma distribution. Raw "
        "parameters: log_mean and log_total_count, with\nmean = exp(log_mean), total_count = "
        "exp(log_total_count) (any positive number) and probs =\nmean / (mean + total_count). The "
        "variance is mean + mean^2 / total_count: Poisson's where total_count is large.\n"
        "Source: Lawless (1987), 'Negative binomial and mixed Poisson regression'.";
    static std::string support() { return "an integer, at least 0"; }
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr std::array parameters{
        NamedParameter{"total_count", Unit::none, smallest_scale, largest_scale},
        NamedParameter{"probs", Unit::none, 0, 1}};

    using Raw = std::array<double, 2>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"log_mean"}, RawParameter{"log_total_count"}};
    }
    static bool supports(double y) { return y >= 0 && std::isfinite(y) && y == std::floor(y); }

    template <class V>
    V log_prob(auto target, const std::array<V, 2>& raw) const {
        using P = decltype(detail::plain(raw[0]));
        const P y = detail::plain(target);
        const V held_mean = clamp(raw[0], -log_scale_bound, log_scale_bound);
        const V held_count = clamp(raw[1], -log_scale_bound, log_scale_bound);
        const P log_mean = detail::plain(held_mean), m = exp(log_mean);
        const P log_r = detail::plain(held_count), r = exp(log_r);
        const P inverse_r = P(1) / r, inverse = P(1) / (m + r), success = r * inverse;
        const P log_inverse_success = log1p(m * inverse_r);

        // Of y + r trials r succeed; expected are (m + r) for so many successes, and of them
        // failures in the share m / (m + r).
        const P trials = y + r, log_growth = log1p(y * inverse_r);
        const P log_quotient = log_growth - log_inverse_success;
        const P by_trials = success * detail::ratio(m + r, trials, y - m, log_quotient).deviance;
        const P x = max(P(1), y), log_x = log(x);
        const P by_failures = detail::ratio(x, trials * (m * inverse), success * (m - x),
                                            log_quotient + (log_mean - log_x))
                                  .deviance;

        const auto rest_r = detail::stirling_rest(r);
        const auto rest_trials = detail::stirling_rest_from_one(x + r);
        const P rests = rest_trials.value - rest_r.value - detail::stirling_rest_from_one(x).value;
        const P some =
            rests - P(half_log_two_pi) - P(0.5) * (log_growth + log_x) - (by_trials + by_failures);
        const auto any = y > P(0);
        const P rest_slope = P(0.5) * (y / trials) + r * (rest_trials.slope - rest_r.slope);
        return detail::chained(held_mean, held_count, select(any, some, -(r * log_inverse_success)),
                               success * (y - m), select(any, rest_slope, P(0)) - by_trials);
    }
    /// The diagonal of the Fisher information. The second entry, an infinite sum, is replaced by an
    /// approximation: its limits for q = 0 and for q = 1, and between them the rise that is right
    /// for a small and for a large count.
    Raw fisher(const Raw& raw) const {
        const double m = mean(raw), r = total_count(raw);
        const double p = r / (m + r), q = m / (m + r);
        const double few = 0.5 * r / (r + 1), many = 0.5 + r * r * detail::trigamma_rest(r);
        // log(1 + m / r) - q, the deviance of p from 1.
        const double deviance = detail::ratio(1.0, p, -q, -log1p(m / r)).deviance;
        const double rise = -std::expm1(-3 * r / (r + 3) * (deviance / (q * q) - 0.5));
        return {m * p, q * q * (few + (many - few) * rise)};
    }
    double mean(const Raw& raw) const { return exp(held(raw[0])); }
    double std(const Raw& raw) const {
        const double m = mean(raw);
        return sqrt(m + m * (m / total_count(raw)));
    }
    double mode(const Raw& raw) const {
        const double r = total_count(raw);
        return std::floor(std::max(mean(raw) * (r - 1) / r, 0.0));
    }
    double parameter(std::size_t index, const Raw& raw) const {
        const double m = mean(raw), r = total_count(raw);
        return index == 0 ? r : m / (r + m);
    }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const {
        const double log_count = log(given[0]);
        const double log_mean = log_count + log(given[1]) - log1p(-given[1]);
        require(std::abs(log_mean) <= largest_log, "probs",
                "such that the mean, total_count probs / (1 - probs), is in [exp(-30), exp(30)]",
                given[1]);
        return {log_mean, log_count};
    }

  private:
    static double held(double raw) { return clamp(raw, -log_scale_bound, log_scale_bound); }
    static double total_count(const Raw& raw) { return exp(held(raw[1])); }
};

}  // namespace likely
