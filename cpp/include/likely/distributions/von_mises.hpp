// The von Mises distribution: angles.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/common.hpp"
#include "likely/gamma_functions.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct VonMises {
    static constexpr std::string_view name = "VonMises";
    static constexpr std::string_view doc =
        "Von Mises distribution of an angle in radians, a normal distribution on the circle. Raw "
        "parameters: loc and\nlog_concentration, with concentration = exp(log_concentration), "
        "about 1 / (standard deviation)^2 where\nit is large. Targets and loc count modulo 2 pi; "
        "mean and mode are loc in [-pi, pi), and the standard\ndeviation is that of the distance "
        "to loc.\n"
        "Source: Mardia and Jupp (2000), 'Directional statistics', section 3.5.4.";
    static std::string support() { return "a finite real number, an angle in radians"; }
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr bool circular = true;  ///< its target repeats after 2 pi
    static constexpr std::array parameters{
        NamedParameter{"loc"},
        NamedParameter{"concentration", Unit::none, smallest_scale, largest_scale}};

    using Raw = std::array<double, 2>;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    std::array<RawParameter, 2> raw_parameters() const {
        return {RawParameter{"loc"}, RawParameter{"log_concentration"}};
    }
    static bool supports(double y) { return std::isfinite(y); }

    template <class V>
    V log_prob(auto y, const std::array<V, 2>& raw) const {
        const V k = exp(clamp(raw[1], -log_scale_bound, log_scale_bound));
        return -(k * chord(y - raw[0])) - log_bessel_i0e(k) - log_two_pi;
    }
    /// The diagonal of the Fisher information. With A = I1(k) / I0(k) its second entry,
    /// k^2 (1 - A^2) - k A, is k^2 times the derivative of A, from 50 on by the series of A in 1/k,
    /// whose coefficients follow from A' = 1 - A / k - A^2.
    Raw fisher(const Raw& raw) const {
        const double k = concentration(raw), lack = -detail::log_bessel_i0e(k).slope;
        const double by_loc = k * (1 - lack);
        if (k < 50) return {by_loc, k * k * lack * (2 - lack) - by_loc};
        constexpr int terms = 16;
        std::array<double, terms> c{1};
        double power = 1, sum = 0;
        for (int j = 1; j < terms; ++j) {
            double twice = (j - 2) * c[j - 1];
            for (int i = 1; i < j; ++i) twice -= c[i] * c[j - i];
            c[j] = 0.5 * twice;
            sum -= j * c[j] * power;
            power /= k;
        }
        return {by_loc, sum};
    }
    double mean(const Raw& raw) const {
        const double loc = raw[0], pi = std::numbers::pi;
        if (loc >= -pi && loc < pi) return loc;
        const double wrapped = std::atan2(std::sin(loc), std::cos(loc));
        return wrapped < pi ? wrapped : -pi;
    }
    double mode(const Raw& raw) const { return mean(raw); }
    /// By quadrature in u, the distance to loc being reach (1 + tanh(pi sinh(u) / 2)) / 2 (Takahasi
    /// and Mori 1974). Beyond the reach stands less than 1e-30 of the probability.
    double std(const Raw& raw) const {
        const double k = concentration(raw);
        const double reach = std::min(std::numbers::pi, 13 / std::sqrt(k));
        double total = 0, square = 0;
        for (int i = -62; i <= 62; ++i) {
            const double u = i / 18.0, v = std::numbers::pi * std::sinh(u);
            const double distance = reach * sigmoid(v);
            const double weight = sigmoid(v) * sigmoid(-v) * std::cosh(u);
            const double density = weight * std::exp(-k * chord(distance));
            total += density;
            square += density * (distance * distance);
        }
        return std::sqrt(square / total);
    }
    double entropy(const Raw& raw) const {
        const double k = concentration(raw);
        const auto bessel = detail::log_bessel_i0e(k);
        return log_two_pi + bessel.value - k * bessel.slope;
    }
    double parameter(std::size_t index, const Raw& raw) const {
        return index == 0 ? mean(raw) : concentration(raw);
    }
    /// The inverse of `parameter`.
    Raw raw_from(const Raw& given) const { return {given[0], log(given[1])}; }

  private:
    static constexpr double log_two_pi = 2 * half_log_two_pi;

    static double concentration(const Raw& raw) {
        return exp(clamp(raw[1], -log_scale_bound, log_scale_bound));
    }
};

}  // namespace likely
