// The gamma distribution, by its mean and its concentration.
#pragma once

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

struct Gamma {
    static constexpr std::string_view name = "Gamma";
    static constexpr std::string_view doc =
        "Gamma distribution of a positive target. Raw parameters: log_mean and log_concentration, "
        "with mean =\nexp(log_mean), concentration = exp(log_concentration) and rate = "
        "concentration / mean. The standard\ndeviation is mean / sqrt(concentration).\n"
        "Source: McCullagh and Nelder (1989), 'Generalized linear models', chapter 8.";
    static std::string support() { return "a positive number"; }
    static constexpr TargetScaling target_scaling = TargetScaling::scale;
    static constexpr std::array parameters{
        NamedParameter{"concentration", Unit::none, smallest_scale, largest_scale},
        NamedParameter{"rate", Unit::rate, smallest_scale * smallest_scale,
                       largest_scale * largest_scale}};

    using Raw = std::array<double, 2>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"log_mean"}, RawParameter{"log_concentration"}};
    }
    static bool supports(double y) { return y > 0 && std::isfinite(y); }

    template <class V>
    V log_prob(auto target, const std::array<V, 2>& raw) const {
        using P = decltype(detail::plain(raw[0]));
        const P y = detail::plain(target);
        const V held_mean = clamp(raw[0], -log_scale_bound, log_scale_bound);
        const V held_concentration = clamp(raw[1], -log_scale_bound, log_scale_bound);
        const P log_mean = detail::plain(held_mean), log_a = detail::plain(held_concentration);
        const P mean = exp(log_mean), a = exp(log_a), log_y = log(y);
        // Of e = log(y / mean): exp(e) - 1, and exp(e) - 1 - e, both straight from 40 on.
        constexpr double straight = 40, exp_40 = 235385266837019985.4;
        const P e = log_y - log_mean, difference = y - mean, inverse = P(1) / mean;
        const auto far = e > P(straight);
        const P excess = select(far, P(exp_40 - 1), difference * inverse);
        const P deviance = select(far, P(exp_40 - 1 - straight) + excess * (e - P(straight)),
                                  inverse * detail::ratio(mean, y, difference, e).deviance);
        const auto rest = detail::stirling_rest(a);
        const P value = P(0.5) * log_a - P(half_log_two_pi) - rest.value - log_y - a * deviance;
        return detail::chained(held_mean, held_concentration, value, a * excess,
                               P(0.5) - a * (rest.slope + deviance));
    }
    /// The diagonal of the Fisher information.
    Raw fisher(const Raw& raw) const {
        const double a = concentration(raw);
        return {a, 0.5 + a * a * detail::trigamma_rest(a)};
    }
    double mean(const Raw& raw) const { return exp(held(raw[0])); }
    double std(const Raw& raw) const { return mean(raw) / sqrt(concentration(raw)); }
    double mode(const Raw& raw) const {
        const double a = concentration(raw);
        return a > 1 ? mean(raw) * (a - 1) / a : 0;
    }
    double entropy(const Raw& raw) const {
        const double a = concentration(raw);
        return held(raw[0]) - 0.5 * held(raw[1]) + half_log_two_pi + stirling_rest(a) +
               (a - 1) * detail::digamma_rest(a);
    }
    double parameter(std::size_t index, const Raw& raw) const {
        return index == 0 ? concentration(raw) : concentration(raw) / mean(raw);
    }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const {
        const double log_mean = log(given[0]) - log(given[1]);
        require(std::abs(log_mean) <= largest_log, "rate",
                "such that the mean, concentration / rate, is in [exp(-30), exp(30)]", given[1]);
        return {log_mean, log(given[0])};
    }

  private:
    static double held(double raw) { return clamp(raw, -log_scale_bound, log_scale_bound); }
    static double concentration(const Raw& raw) { return exp(held(raw[1])); }
};

}  // namespace likely
