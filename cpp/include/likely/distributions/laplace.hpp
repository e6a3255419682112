// The Laplace distribution, whose negative log-likelihood is the absolute error in units of its
// scale.
#pragma once

#include <array>
#include <numbers>
#include <string_view>
#include <tuple>

#include "likely/distributions/location_scale.hpp"
#include "likely/primitives.hpp"

namespace likely {

struct Laplace : LocationScale<> {
    static constexpr std::string_view name = "Laplace";
    static constexpr std::string_view doc =
        "Laplace (double exponential) distribution of a real target: robust, its mode is the "
        "conditional\nmedian. Raw parameters: loc and log_scale, with scale = exp(log_scale), the "
        "mean absolute deviation.\n"
        "Source: Laplace (1774), 'Memoire sur la probabilite des causes par les evenements'.";

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"loc"}, RawParameter{"log_scale"}};
    }

    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        return -abs(residual(y, raw)) - log_scale(raw) - std::numbers::ln2;
    }
    Raw fisher(const Raw& raw) const { return {exp(-2 * log_scale(raw)), 1}; }
    double std(const Raw& raw) const { return std::numbers::sqrt2 * scale_of(raw); }
    double entropy(const Raw& raw) const { return 1 + std::numbers::ln2 + log_scale(raw); }
    double cdf(double y, const Raw& raw) const { return below(residual(y, raw)); }
    double sf(double y, const Raw& raw) const { return below(-residual(y, raw)); }
    double quantile(double p, const Raw& raw) const {
        return raw[0] + scale_of(raw) * (p < 0.5 ? log(2 * p) : -log(2 * (1 - p)));
    }
    /// Jordan, Krueger and Lerch (2019), appendix A.
    double crps(double y, const Raw& raw) const {
        const double r = abs(residual(y, raw));
        return scale_of(raw) * (r + exp(-r) - 0.75);
    }

  private:
    /// The cdf of location 0 and scale 1.
    static double below(double r) { return r < 0 ? 0.5 * exp(r) : 1 - 0.5 * exp(-r); }
};

}  // namespace likely
