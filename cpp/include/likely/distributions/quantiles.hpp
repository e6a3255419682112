// Quantiles of a target, learned by the pinball loss instead of a density.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"
#include "likely/special_functions.hpp"

namespace likely {

struct Quantiles {
    static constexpr std::string_view name = "Quantiles";
    static constexpr std::string_view doc =
        "Quantiles of a real target at given levels, which never cross, by quantile regression: no "
        "density, so no\n"
        "log_prob and no samples; quantile and cdf are linear between the levels and nan outside, "
        "other statistics nan.\n"
        "Raw parameters: quantile, that of level number (m - 1) // 2 of the m levels, and "
        "gap[1], ..., gap[m - 1],\n"
        "with quantile i = quantile i - 1 + softplus(gap[i]); params has them as quantiles. The "
        "loss is the pinball loss\nsummed over the levels. Where the network standardises its "
        "target, losses are in standard deviations of\nthe target.\n"
        "Source: Koenker and Bassett (1978), 'Regression quantiles'.";
    static std::string support() { return "a finite real number"; }
    static constexpr TargetScaling target_scaling = TargetScaling::location_and_scale;
    static constexpr bool has_density = false;

    std::vector<double> levels;

    static constexpr auto fields() {
        return std::tuple{
            Field{"levels", &Quantiles::levels, "increasing numbers in (0, 1)", true}};
    }
    void validate() const {
        require_some(!levels.empty(), "levels", "at least one number in (0, 1)");
        double previous = 0;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const std::string element = "levels[" + std::to_string(i) + "]";
            require(levels[i] > 0 && levels[i] < 1, element, "in (0, 1)", levels[i]);
            require(levels[i] > previous, element, "above the level before it", levels[i]);
            previous = levels[i];
        }
    }
    std::vector<RawParameter> raw_parameters() const {
        std::vector<RawParameter> result{{"quantile"}};
        for (RawParameter& gap : raw_parameter_array("gap", count() - 1, 1)) {
            result.push_back(std::move(gap));
        }
        return result;
    }
    std::vector<ParameterArray> parameter_arrays() const {
        return {{"quantiles", Unit::location, {count()}}};
    }
    static bool supports(double y) { return std::isfinite(y); }

    /// The pinball loss.
    template <class V, class Raw, class Slopes>
    V nll_gradient(V y, const Raw& raw, Slopes& slopes) const {
        V loss(0.0), by_all(0.0);
        // Adds a level's loss; its derivative by the quantile is [y < q] - level.
        const auto add = [&](std::int64_t i, V q) {
            const V level(level_at(i));
            const V slope = select(y < q, V(1.0) - level, -level);
            loss = loss - slope * (y - q);
            by_all = by_all + slope;
            return slope;
        };
        // A gap moves every quantile beyond it.
        V q = raw(0);
        add(central(), q);
        for (std::int64_t i = central() + 1; i < count(); ++i) {
            q = q + softplus(raw(i));
            slopes.set(i, add(i, q));
        }
        q = raw(0);
        for (std::int64_t i = central(); i > 0; --i) {
            q = q - softplus(raw(i));
            slopes.set(i, -add(i - 1, q));
        }
        slopes.set(0, by_all);
        V beyond(0.0);
        for (std::int64_t i = count() - 1; i > central(); --i) {
            beyond = beyond + slopes.get(i);
            slopes.set(i, beyond * sigmoid(raw(i)));
        }
        beyond = V(0.0);
        for (std::int64_t i = 1; i <= central(); ++i) {
            beyond = beyond + slopes.get(i);
            slopes.set(i, beyond * sigmoid(raw(i)));
        }
        return loss;
    }

    double mean(const auto&) const { return undefined(); }
    double std(const auto&) const { return undefined(); }
    double mode(const auto&) const { return undefined(); }
    double entropy(const auto&) const { return undefined(); }
    double crps(double, const auto&) const { return undefined(); }
    double quantile(double p, const auto& raw) const {
        const auto above = std::upper_bound(levels.begin(), levels.end(), p);
        if (above == levels.begin()) return undefined();
        const std::int64_t i = above - levels.begin() - 1;
        const double q = parameter(i, raw);
        if (p == level_at(i)) return q;
        if (i == count() - 1) return undefined();
        const double share = (p - level_at(i)) / (level_at(i + 1) - level_at(i));
        return q + share * (parameter(i + 1, raw) - q);
    }
    double cdf(double y, const auto& raw) const {
        return interpolated(y, raw, [&](std::int64_t i) { return level_at(i); });
    }
    double sf(double y, const auto& raw) const {
        return interpolated(y, raw, [&](std::int64_t i) { return 1 - level_at(i); });
    }
    /// The quantile at level number k.
    double parameter(std::int64_t k, const auto& raw) const {
        double q = raw(0);
        for (std::int64_t i = central() + 1; i <= k; ++i) q += softplus(raw(i));
        for (std::int64_t i = central(); i > k; --i) q -= softplus(raw(i));
        return q;
    }
    /// The inverse of `parameter`; quantiles that coincide are kept exactly. Throws where they are
    /// out of order.
    void raw_from(const auto& quantiles, auto&& set_raw) const {
        for (std::int64_t i = 0; i < count(); ++i) {
            const double q = quantiles(i);
            require(std::isfinite(q), "quantiles", "finite", q);
            if (i == central()) set_raw(0, q);
            if (i == 0) continue;
            const double gap = q - quantiles(i - 1);
            require(gap >= 0, "quantiles", "in the order of their levels", q);
            set_raw(i, gap > 0 ? gap + log1mexp(gap) : -certain_logit);
        }
    }

  private:
    static double undefined() { return std::numeric_limits<double>::quiet_NaN(); }
    std::int64_t count() const { return static_cast<std::int64_t>(levels.size()); }
    std::int64_t central() const { return (count() - 1) / 2; }
    double level_at(std::int64_t i) const { return levels[static_cast<std::size_t>(i)]; }

    /// A function of the levels at y: of quantiles that coincide that of the last, nan outside of
    /// the outermost. Walks from the central one, as `parameter` does.
    double interpolated(double y, const auto& raw, auto&& value) const {
        std::int64_t i = central();
        double q = raw(0), next = q;
        if (y >= q) {
            while (i + 1 < count() && y >= (next = q + softplus(raw(i + 1)))) {
                q = next;
                ++i;
            }
            if (y == q) return value(i);
            if (i + 1 == count()) return undefined();
        } else {
            while (y < q) {
                if (i == 0) return undefined();
                next = q;
                q -= softplus(raw(i));
                --i;
            }
        }
        return value(i) + (y - q) / (next - q) * (value(i + 1) - value(i));
    }
};

}  // namespace likely
