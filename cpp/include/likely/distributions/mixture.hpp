// A mixture as it is computed: k distributions of one family, each with a weight.
//
// Why: a density with several peaks. How many components there are is known at run time, of which
// family they are at compile time, so each component is computed as that family alone would be.
//
// Contract: that of a family whose raw parameters are counted (distributions.hpp): k weight logits,
// then the component's raw parameters of component 0, of component 1, ... A statistic is there
// where the component has what it is made of.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "likely/distributions/categorical.hpp"
#include "likely/distributions/common.hpp"
#include "likely/distributions/normal.hpp"
#include "likely/primitives.hpp"

namespace likely {

template <class V, std::size_t K>
struct Dual;  // the kernels have it, and they alone ask for the gradient

template <FixedFamily Component>
struct MixtureOf {
    static constexpr std::string_view name = "Mixture";
    static constexpr TargetScaling target_scaling = Component::target_scaling;
    /// Of angles there is no mean by averages.
    static constexpr bool is_circular = requires { Component::circular; };
    using Given = std::array<double, raw_count<Component>>;

    const Component& component;
    std::int64_t k;

    std::vector<RawParameter> raw_parameters() const {
        std::vector<RawParameter> result = raw_parameter_array("weight_logits", k);
        for (std::int64_t j = 0; j < k; ++j) {
            bool first = true;
            for (RawParameter each : component.raw_parameters()) {
                each.name = each.name + "[" + std::to_string(j) + "]";
                // Components that start alike would stay alike.
                if (first) {
                    each.value =
                        normal_quantile((static_cast<double>(j) + 0.5) / static_cast<double>(k));
                }
                first = false;
                result.push_back(std::move(each));
            }
        }
        return result;
    }
    std::vector<ParameterArray> parameter_arrays() const {
        std::vector<ParameterArray> result{{"weights", Unit::none, {k}, 0, 1}};
        for (const NamedParameter& each : Component::parameters) {
            result.push_back({std::string(each.name), each.unit, {k}, each.lower, each.upper});
        }
        return result;
    }
    std::string support() const { return component.support(); }
    bool supports(double y) const { return component.supports(y); }

    template <class V, class Raw, class Slopes>
    V nll_gradient(V y, const Raw& raw, Slopes& slopes) const {
        using D = Dual<V, width>;
        const V largest = weights().template largest_logit<V>(raw);
        V total(0.0), peak(-std::numeric_limits<double>::infinity());
        for (std::int64_t j = 0; j < k; ++j) {
            const V log_weight = raw(j) - largest;  // but for the log of the total
            const D log_density = component.log_prob(y, D::variables(part<V>(j, raw)));
            const V joint = log_weight + log_density.value;
            total = total + exp(log_weight);
            peak = max(peak, joint);
            slopes.set(j, joint);
            for (std::size_t i = 0; i < width; ++i) {
                slopes.set(place(j, i), log_density.derivative[i]);
            }
        }
        V sum(0.0);
        for (std::int64_t j = 0; j < k; ++j) {
            const V e = exp(slopes.get(j) - peak);
            slopes.set(j, e);
            sum = sum + e;
        }
        const V part_of_total = V(1.0) / total, part_of_sum = V(1.0) / sum;
        for (std::int64_t j = 0; j < k; ++j) {
            const V responsibility = slopes.get(j) * part_of_sum;
            slopes.set(j, exp(raw(j) - largest) * part_of_total - responsibility);
            for (std::size_t i = 0; i < width; ++i) {
                // Where a component is impossible, its slope may be infinite.
                const V slope = responsibility * slopes.get(place(j, i));
                slopes.set(place(j, i), select(responsibility > V(0.0), -slope, V(0.0)));
            }
        }
        return log(total) - (peak + log(sum));
    }

    double log_prob(double y, const auto& raw) const {
        const auto log_weight = weights().log_probabilities(raw);
        double peak = -std::numeric_limits<double>::infinity(), sum = 0;
        for (std::int64_t j = 0; j < k; ++j) {  // the sum is in units of exp(peak)
            const double joint = log_weight(j) + component.log_prob(y, part<double>(j, raw));
            if (joint > peak) {
                sum = sum * exp(peak - joint) + 1;
                peak = joint;
            } else {
                sum += exp(joint - peak);
            }
        }
        return peak + log(sum);
    }
    double mean(const auto& raw) const
        requires(!is_circular && requires(const Component& c, const Given& r) { c.mean(r); })
    {
        return average(raw, [&](const Part& one) { return component.mean(one); });
    }
    /// By the law of total variance.
    double std(const auto& raw) const
        requires(!is_circular &&
                 requires(const Component& c, const Given& r) {
                     c.mean(r);
                     c.std(r);
                 })
    {
        const double center = mean(raw);
        if (std::isinf(center)) return std::numeric_limits<double>::infinity();
        return sqrt(average(raw, [&](const Part& one) {
            const double inside = component.std(one), between = component.mean(one) - center;
            return inside * inside + between * between;
        }));
    }
    /// The component's mode with the highest density; at the edge of the support it is unbounded.
    double mode(const auto& raw) const
        requires requires(const Component& c, const Given& r) { c.mode(r); }
    {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        double best = std::numeric_limits<double>::quiet_NaN(), highest = -infinity;
        const auto log_weight = weights().log_probabilities(raw);
        for (std::int64_t j = 0; j < k; ++j) {
            if (!(exp(log_weight(j)) > 0)) continue;
            const double at = component.mode(part<double>(j, raw));
            if (std::isnan(at)) continue;
            const double density = supports(at) ? log_prob(at, raw) : infinity;
            if (density > highest || std::isnan(best)) {
                best = at;
                highest = density;
            }
        }
        return best;
    }
    double cdf(double y, const auto& raw) const
        requires requires(const Component& c, const Given& r) { c.cdf(0.0, r); }
    {
        return average(raw, [&](const Part& one) { return component.cdf(y, one); });
    }
    double sf(double y, const auto& raw) const
        requires requires(const Component& c, const Given& r) { c.sf(0.0, r); }
    {
        return average(raw, [&](const Part& one) { return component.sf(y, one); });
    }
    /// Between the least and the largest quantile of the components, to neighbouring numbers.
    double quantile(double p, const auto& raw) const
        requires requires(const Component& c, const Given& r) {
            c.quantile(0.5, r);
            c.cdf(0.0, r);
            c.sf(0.0, r);
        }
    {
        double low = component.quantile(p, part<double>(0, raw)), high = low;
        for (std::int64_t j = 1; j < k; ++j) {
            const double of_one = component.quantile(p, part<double>(j, raw));
            low = min(low, of_one);
            high = max(high, of_one);
        }
        const bool whole = !component.supports(0.5);
        if (whole) low -= 1;
        // The smaller of both tails has the digits.
        const auto log_weight = weights().log_probabilities(raw);
        const auto ratio = [&](double y) {  // at least 1 from the quantile on
            const auto below = [&](const Part& one) { return component.cdf(y, one); };
            const auto above = [&](const Part& one) { return component.sf(y, one); };
            return p < 0.5 ? average(log_weight, raw, below) / p
                           : (1 - p) / average(log_weight, raw, above);
        };
        if (!whole && std::isfinite(high - low)) narrow(low, high, ratio);
        while (true) {
            double middle = 0.5 * low + 0.5 * high;  // their sum may overflow
            if (whole) middle = std::floor(middle);
            if (!(low < middle && middle < high)) return high;
            (ratio(middle) >= 1 ? high : low) = middle;
        }
    }
    /// The component that one probability chooses, its quantile at another.
    double sample(double choice, double p, const auto& raw) const
        requires requires(const Component& c, const Given& r) { c.quantile(0.5, r); }
    {
        const double chosen = weights().quantile(choice, raw);
        return component.quantile(p, part<double>(static_cast<std::int64_t>(chosen), raw));
    }
    /// Grimit et al. (2006), equation 5.
    double crps(double y, const auto& raw) const
        requires std::same_as<Component, Normal>
    {
        const auto log_weight = weights().log_probabilities(raw);
        double total = 0;
        for (std::int64_t i = 0; i < k; ++i) {
            const Part a = part<double>(i, raw);
            const double mean = component.mean(a), std = component.std(a);
            double off = mean_absolute(y - mean, std);
            for (std::int64_t j = 0; j < k; ++j) {
                const Part b = part<double>(j, raw);
                off -= 0.5 * exp(log_weight(j)) *
                       mean_absolute(mean - component.mean(b), std::hypot(std, component.std(b)));
            }
            total += exp(log_weight(i)) * off;
        }
        return total;
    }
    double parameter(std::int64_t index, const auto& raw) const {
        const auto array = static_cast<std::size_t>(index / k);
        if (array == 0) return weights().parameter(index, raw);
        return component.parameter(array - 1, part<double>(index % k, raw));
    }
    /// The inverse of all `parameter`s. Throws where the weights do not sum to 1.
    void raw_from(const auto& given, auto&& set) const {
        weights().raw_from(given, set, "weights");
        for (std::int64_t j = 0; j < k; ++j) {
            std::array<double, Component::parameters.size()> values;
            for (std::size_t p = 0; p < values.size(); ++p) {
                values[p] = given(k + static_cast<std::int64_t>(p) * k + j);
            }
            const Part one = component.raw_from(values);
            for (std::size_t i = 0; i < width; ++i) set(place(j, i), one[i]);
        }
    }

  private:
    static constexpr std::size_t width = raw_count<Component>;
    using Part = Given;

    Categorical weights() const { return {k}; }
    /// Where raw parameter i of component j stands.
    std::int64_t place(std::int64_t j, std::size_t i) const {
        return k + j * static_cast<std::int64_t>(width) + static_cast<std::int64_t>(i);
    }
    /// The raw parameters of component j.
    template <class V>
    std::array<V, width> part(std::int64_t j, const auto& raw) const {
        std::array<V, width> result;
        for (std::size_t i = 0; i < width; ++i) result[i] = raw(place(j, i));
        return result;
    }
    /// The weighted mean over the components of a function of their raw parameters.
    double average(const auto& raw, const auto& statistic) const {
        return average(weights().log_probabilities(raw), raw, statistic);
    }
    double average(const auto& log_weight, const auto& raw, const auto& statistic) const {
        double sum = 0;
        for (std::int64_t j = 0; j < k; ++j) {
            const double weight = exp(log_weight(j));
            if (weight > 0)
                sum += weight * statistic(part<double>(j, raw));  // which may be infinite
        }
        return sum;
    }
    /// Brings low and high to within a few roundings of where an increasing function reaches 1, by
    /// inverse quadratic interpolation of its logarithm, or bisection (Chandrupatla 1997, 'A new
    /// hybrid quadratic/bisection algorithm').
    static void narrow(double& low, double& high, const auto& ratio) {
        double a = high, b = low, c = high;  // the root is between a and b; c came before
        double of_a = log(ratio(a)), of_b = log(ratio(b)), of_c = of_a;
        if (of_b >= 0) high = low;
        if (of_a < 0) low = high;
        double step = 0.5;
        for (int count = 0; low < high && count < 60; ++count) {
            const double next = a + step * (b - a), value = log(ratio(next));
            if ((value >= 0) == (of_a >= 0)) {
                c = a;
                of_c = of_a;
            } else {
                c = b;
                of_c = of_b;
                b = a;
                of_b = of_a;
            }
            a = next;
            of_a = value;
            low = value == 0 ? a : min(a, b);
            high = value == 0 ? a : max(a, b);
            const double smallest =
                std::numeric_limits<double>::epsilon() * max(abs(a), abs(b)) / (high - low);
            if (!(smallest < 0.5)) return;
            const double x = (a - b) / (c - b), f = (of_a - of_b) / (of_c - of_b);
            const bool quadratic = f * f < x && (1 - f) * (1 - f) < 1 - x;
            step = quadratic
                       ? of_a / (of_b - of_a) * (of_c / (of_b - of_c)) +
                             (c - a) / (b - a) * (of_a / (of_c - of_a)) * (of_b / (of_c - of_b))
                       : 0.5;
            step = clamp(step, smallest, 1 - smallest);
        }
    }
    /// E |X| of a normal X.
    static double mean_absolute(double mean, double std) {
        const double r = mean / std;
        return 2 * std * normal_density(r) + mean * std::erf(r * (std::numbers::sqrt2 / 2));
    }
};

}  // namespace likely
