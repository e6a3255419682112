// The binomial distribution.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/chained.hpp"
#include "likely/distributions/common.hpp"
#include "likely/distributions/deviances.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct Binomial {
    static constexpr std::string_view name = "Binomial";
    static constexpr std::string_view doc =
        "Binomial distribution of a target that is the number of successes in n trials. Raw "
        "parameter: logit, with\nprobs = 1 / (1 + exp(-logit)), the probability of success in "
        "each trial. One trial makes it Bernoulli.\n"
        "Source: McCullagh and Nelder (1989), 'Generalized linear models', chapter 4.";
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr std::array parameters{NamedParameter{"probs", Unit::none, 0, 1}};

    using Raw = std::array<double, 1>;

    std::int64_t n = 0;

    static constexpr auto fields() {
        return std::tuple{Field{"n", &Binomial::n, "number of trials, at least 1", true}};
    }
    void validate() const { require(n >= 1, "n", "at least 1", n); }
    std::array<RawParameter, 1> raw_parameters() const { return {RawParameter{"logit"}}; }
    std::string support() const { return "an integer 0, 1, ..., n, with n = " + std::to_string(n); }
    bool supports(double y) const { return y >= 0 && y <= trials() && y == std::floor(y); }

    template <class V>
    V log_prob(auto target, const std::array<V, 1>& raw) const {
        using P = decltype(detail::plain(raw[0]));
        const P y = detail::plain(target);
        const P logit = detail::plain(raw[0]), all(trials()), failures = all - y;
        const auto above = logit > P(0);
        const P e = exp(-abs(logit)), log_larger = -log1p(e), log_smaller = log_larger - abs(logit);
        const P larger = P(1) / (P(1) + e), smaller = e * larger;
        const P p = select(above, larger, smaller), q = select(above, smaller, larger);
        const P log_p = select(above, log_larger, log_smaller);
        const P log_q = select(above, log_smaller, log_larger);

        const P x = max(P(1), y), z = max(P(1), failures);
        const P log_x = log(x), log_z = log(z), log_all = log(all);
        const P difference = select(above, failures - all * q, all * p - y);
        const P by_successes =
            detail::ratio(x, all * p, difference, (log_all - log_x) + log_p).deviance;
        const P by_failures =
            detail::ratio(z, all * q, -difference, (log_all - log_z) + log_q).deviance;
        const P rests = detail::stirling_rest_from_one(all).value -
                        detail::stirling_rest_from_one(x).value -
                        detail::stirling_rest_from_one(z).value;
        const P some = rests - P(half_log_two_pi) + P(0.5) * (log_all - log_x - log_z) -
                       (by_successes + by_failures);
        const P value = select(y > P(0), select(failures > P(0), some, all * log_p), all * log_q);
        return detail::chained(raw[0], value, y * q - failures * p);
    }
    /// The diagonal of the Fisher information.
    Raw fisher(const Raw& raw) const { return {trials() * sigmoid(raw[0]) * sigmoid(-raw[0])}; }
    double mean(const Raw& raw) const { return trials() * sigmoid(raw[0]); }
    double std(const Raw& raw) const { return sqrt(fisher(raw)[0]); }
    double mode(const Raw& raw) const {
        return std::min(std::floor((trials() + 1) * sigmoid(raw[0])), trials());
    }
    double parameter(std::size_t, const Raw& raw) const { return sigmoid(raw[0]); }
    /// The inverse of `parameter`; a probability of 0 or 1 gets a logit that is exactly that.
    Raw raw_from(const Raw& given) const {
        return {clamp(log(given[0] / (1 - given[0])), -certain_logit, certain_logit)};
    }

  private:
    double trials() const { return static_cast<double>(n); }
};

}  // namespace likely
