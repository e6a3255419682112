// Student's t distribution of location, scale and degrees of freedom.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "likely/distributions/location_scale.hpp"
#include "likely/gamma_functions.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct StudentT : LocationScale<3> {
    static constexpr std::string_view name = "StudentT";
    static constexpr std::string_view doc =
        "Student's t distribution of a real target: robust where its degrees of freedom are few. "
        "Raw\nparameters: loc, log_scale and log_excess_df, with scale = exp(log_scale) and df = 1 "
        "+\nexp(log_excess_df) from 1 (Cauchy) to 1000. A predicted or shared df starts at 10.\n"
        "The mean is undefined at df = 1, the standard deviation infinite up to df = 2.\n"
        "Source: Lange, Little and Taylor (1989), 'Robust statistical modeling using the t "
        "distribution'.";
    static constexpr double largest_df = 1000, log_largest_excess = 6.90675477864855353;
    static constexpr std::array parameters{
        NamedParameter{"df", Unit::none, 1, largest_df}, NamedParameter{"loc", Unit::location},
        NamedParameter{"scale", Unit::scale, smallest_scale, largest_scale}};

    SourceOption df = std::string("predicted");

    StudentT() = default;
    StudentT(SourceOption given) : df(std::move(given)) {}

    static constexpr auto fields() {
        return std::tuple{Field{"df", &StudentT::df,
                                "degrees of freedom: 'predicted' for each row, 'shared' (one "
                                "learned constant for each target column), or a number in [1, "
                                "1000]"}};
    }
    void validate() const {
        check_word(df, "df", "a number in [1, 1000]");
        if (const auto* number = std::get_if<double>(&df)) {
            require(*number >= 1 && *number <= largest_df, "df",
                    "'predicted', 'shared' or a number in [1, 1000]", *number);
        }
    }
    std::array<RawParameter, 3> raw_parameters() const {
        return {RawParameter{"loc"}, RawParameter{"log_scale"},
                raw_parameter("log_excess_df", df, log(9.0), log_excess)};
    }
    /// The family of distributions whose parameters are all given.
    static StudentT all_predicted() { return {}; }

    template <class V>
    V log_prob(auto y, const std::array<V, 3>& raw) const {
        using Number = decltype(y);
        const V n = excess(raw) + 1.0;
        const V r = residual(y, raw);
        // log(1 + r^2 / n); where r^2 would not fit into single precision, of (2^-32 r)^2, whose 1
        // is none.
        const auto far = abs(r) > 0x1p62;
        const V shorter = r * select(far, Number(0x1p-32), Number(1));
        const V log_tail =
            log1p(shorter * shorter / n) + select(far, Number(64 * std::numbers::ln2), Number(0));
        const V log_constant = lgamma_half_ratio(n * 0.5) - log(n * std::numbers::pi) * 0.5;
        return log_constant - (n + 1.0) * 0.5 * log_tail - log_scale(raw);
    }
    Raw fisher(const Raw& raw) const {
        const double e = excess(raw), n = 1 + e;
        // The difference of trigamma at n/2 and at (n + 1)/2, without what cancels.
        const double rests = detail::trigamma_rest(n / 2) - detail::trigamma_rest((n + 1) / 2);
        const double step = n * (n + 1);
        const double information = (5 * n + 3) / (2 * step * step * (n + 3)) + rests / 4;
        return {(n + 1) / (n + 3) * exp(-2 * log_scale(raw)), 2 * n / (n + 3), e * e * information};
    }
    double mean(const Raw& raw) const { return is_cauchy(raw) ? undefined : raw[0]; }
    double std(const Raw& raw) const {
        if (is_cauchy(raw)) return undefined;
        const double n = 1 + excess(raw);
        return n > 2 ? scale_of(raw) * sqrt(n / (n - 2)) : std::numeric_limits<double>::infinity();
    }
    double entropy(const Raw& raw) const {
        const double n = 1 + excess(raw);
        const auto [half_ratio, step] = detail::lgamma_half_ratio(n / 2);
        return (n + 1) / 2 * step - half_ratio + log(std::numbers::pi * n) / 2 + log_scale(raw);
    }
    double parameter(std::size_t index, const Raw& raw) const {
        if (index > 0) return LocationScale::parameter(index - 1, raw);
        return is_cauchy(raw) ? 1 : std::min(1 + excess(raw), largest_df);
    }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const { return {given[1], log(given[2]), log_excess(given[0])}; }

  private:
    static constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

    template <class V>
    static V excess(const std::array<V, 3>& raw) {
        return exp(clamp(raw[2], -log_scale_bound, log_largest_excess));
    }
    static double log_excess(double number) { return std::max(log(number - 1), -log_scale_bound); }
    static bool is_cauchy(const Raw& raw) { return raw[2] <= -log_scale_bound; }
};

}  // namespace likely
