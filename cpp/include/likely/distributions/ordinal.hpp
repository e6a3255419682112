// The ordinal distribution: ordered levels cut out of a logistic variable that the network shifts.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
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

template <class V, std::size_t K>
struct Dual;  // the kernels have it, and they alone ask for the gradient

/// A level of an ordinal distribution by what its probability depends on. The cuts of the ends are
/// at -inf and inf, and their log_between is 0.
struct OrdinalLevel {
    using Raw = std::array<double, 4>;

    std::array<RawParameter, 4> raw_parameters() const {
        return {RawParameter{"loc"}, RawParameter{"lower_cut"}, RawParameter{"upper_cut"},
                RawParameter{"log_between"}};
    }
    // With a and b the distances of the cuts from loc, sigmoid(b) - sigmoid(a) =
    // sigmoid(b) sigmoid(-a) (1 - exp(a - b)), the logarithm of the last being log_between: b - a
    // is the gap, and no term cancels in a tail.
    template <class V>
    V log_prob(const auto&, const std::array<V, 4>& raw) const {
        return raw[3] - softplus(raw[0] - raw[2]) - softplus(raw[1] - raw[0]);
    }
};

struct Ordinal {
    static constexpr std::string_view name = "Ordinal";
    static constexpr std::string_view doc =
        "Ordinal distribution (proportional odds) of a label 0, 1, ..., levels - 1 whose order "
        "means something and\n"
        "whose distances do not: grades, ratings. P(target <= k) = sigmoid(cut_k - loc), whose "
        "differences are the\nprobs of params.\n"
        "Raw parameters: loc, cut_point = cut_0 and log_gap[k], with cut_k = cut_(k-1) + "
        "exp(log_gap[k]) for k = 1 to\nlevels - 2. The network predicts loc; the others are "
        "learned constants of each target column, which start at\nequally probable levels, unless "
        "cut_points='predicted'.\n"
        "Source: McCullagh (1980), 'Regression models for ordinal data'.";
    static constexpr TargetScaling target_scaling = TargetScaling::none;

    using Label = OrdinalLevel;

    std::int64_t levels = 0;
    std::string cut_points = "shared";

    static constexpr auto fields() {
        return std::tuple{
            Field{"levels", &Ordinal::levels, "number of levels, at least 2", true},
            Field{"cut_points", &Ordinal::cut_points,
                  "'shared' (learned constants of each target column) or 'predicted' (for each "
                  "row)"}};
    }
    void validate() const {
        require(levels >= 2, "levels", "at least 2", levels);
        require(cut_points == "shared" || cut_points == "predicted", "cut_points",
                "'shared' or 'predicted'", cut_points);
    }
    std::vector<RawParameter> raw_parameters() const {
        const Source source = is_looked_up() ? Source::shared : Source::predicted;
        const auto above = [&](std::int64_t k) { return static_cast<double>(levels - 1 - k); };
        std::vector<RawParameter> result{{"loc"}, {"cut_point", source, -std::log(above(0))}};
        std::int64_t k = 0;
        for (RawParameter& gap : raw_parameter_array("log_gap", levels - 2, 1)) {
            ++k;  // from the logit of k / levels to that of (k + 1) / levels
            gap.value = std::log(std::log1p(1 / static_cast<double>(k)) + std::log1p(1 / above(k)));
            gap.source = source;
            result.push_back(std::move(gap));
        }
        return result;
    }
    std::vector<ParameterArray> parameter_arrays() const {
        return {{"probs", Unit::none, {levels}}};
    }
    Ordinal all_predicted() const { return {levels, "predicted"}; }
    std::string support() const {
        return "a label 0, 1, ..., levels - 1, with levels = " + std::to_string(levels);
    }
    bool supports(double y) const {
        return y >= 0 && y < static_cast<double>(levels) && y == std::floor(y);
    }

    template <class V, class Raw, class Slopes>
    V nll_gradient(V level, const Raw& raw, Slopes& slopes) const {
        const V zero(0.0);
        V cut = raw(1), lower(-infinity), upper = cut, gap_of_level(infinity);
        for (std::int64_t k = 1; k < levels; ++k) {
            const auto is_level = level == V(static_cast<double>(k));
            lower = select(is_level, cut, lower);
            if (k == levels - 1) {
                upper = select(is_level, V(infinity), upper);
                break;
            }
            const V gap = gap_of(raw(1 + k));
            slopes.set(1 + k, gap);
            cut = cut + gap;
            upper = select(is_level, cut, upper);
            gap_of_level = select(is_level, gap, gap_of_level);
        }
        using D = Dual<V, 4>;
        const D density = OrdinalLevel{}.log_prob(
            level, D::variables({raw(0), lower, upper, log1mexp(gap_of_level)}));
        const auto& [by_loc, by_lower, by_upper, by_between] = density.derivative;
        slopes.set(0, -by_loc);
        slopes.set(1, by_loc);
        const V by_log_gap = gap_of_level * by_upper + gap_of_level / expm1(gap_of_level);
        for (std::int64_t k = 1; k < levels - 1; ++k) {
            const V label(static_cast<double>(k));
            const V slope = select(level == label, by_log_gap,
                                   select(level > label, slopes.get(1 + k) * -by_loc, zero));
            const auto is_free = abs(raw(1 + k)) <= V(log_scale_bound);
            slopes.set(1 + k, select(is_free, -slope, zero));
        }
        return -density.value;
    }

    /// Whether the raw parameters of a level but loc are the same for all rows.
    bool is_looked_up() const { return cut_points == "shared"; }
    /// use(k, raw parameters of level k), in order.
    void for_each_level(const auto& raw, auto&& use) const {
        OrdinalLevel::Raw level = {raw(0), -infinity, raw(1), 0};
        for (std::int64_t k = 0; k < levels; ++k) {
            if (k > 0) {
                level[1] = level[2];
                level[2] = k < levels - 1 ? level[1] + gap(k, raw) : infinity;
                level[3] = log_between(k, raw);
            }
            use(k, level);
        }
    }
    /// From sum(k, i), over the samples of level k the sum of the derivatives by raw parameter i of
    /// that level, to the derivatives by raw parameters 1, 2, ...: calls set(i, derivative).
    void add_up(const auto& raw, const auto& sum, auto&& set) const {
        double by_cuts = 0;  // by moving all cuts from here on
        for (std::int64_t k = levels - 1; k-- > 0;) {
            by_cuts += sum(k, 2) + sum(k + 1, 1);
            if (k == 0) {
                set(1, by_cuts);
            } else {
                const double gap = gap_of<double>(raw(1 + k));
                const bool is_free = abs(raw(1 + k)) <= log_scale_bound;
                set(1 + k, is_free ? gap * by_cuts + gap / expm1(gap) * sum(k, 3) : 0);
            }
        }
    }

    double log_prob(double level, const auto& raw) const {
        const auto k = static_cast<std::int64_t>(level);
        return log_prob_of({raw(0), cut(k - 1, raw), cut(k, raw), log_between(k, raw)});
    }
    /// Levels have no distances.
    double mean(const auto&) const { return std::numeric_limits<double>::quiet_NaN(); }
    double std(const auto&) const { return std::numeric_limits<double>::quiet_NaN(); }
    double mode(const auto& raw) const {
        std::int64_t best = 0;
        double highest = -std::numeric_limits<double>::infinity();
        for_each_level(raw, [&](std::int64_t k, const OrdinalLevel::Raw& level) {
            const double log_probability = log_prob_of(level);
            if (log_probability <= highest) return;
            highest = log_probability;
            best = k;
        });
        return static_cast<double>(best);
    }
    double entropy(const auto& raw) const {
        double sum = 0;
        for_each_level(raw, [&](std::int64_t, const OrdinalLevel::Raw& level) {
            const double log_probability = log_prob_of(level);
            sum -= exp(log_probability) * log_probability;
        });
        return sum;
    }
    double cdf(double y, const auto& raw) const {
        if (y < 0) return 0;
        return y >= static_cast<double>(levels - 1) ? 1 : sigmoid(cut(floor(y), raw) - raw(0));
    }
    double sf(double y, const auto& raw) const {
        if (y < 0) return 1;
        return y >= static_cast<double>(levels - 1) ? 0 : sigmoid(raw(0) - cut(floor(y), raw));
    }
    double quantile(double p, const auto& raw) const {
        double at = raw(1);
        std::int64_t k = 0;
        while (k < levels - 1 && sigmoid(at - raw(0)) < p) {
            if (++k < levels - 1) at += gap(k, raw);
        }
        return static_cast<double>(k);
    }
    /// The ranked probability score (Epstein 1969).
    double crps(double y, const auto& raw) const {
        double at = raw(1), sum = 0;
        for (std::int64_t k = 0; k < levels - 1; ++k) {
            if (k > 0) at += gap(k, raw);
            const double from_loc = at - raw(0);
            const double off = sigmoid(y <= static_cast<double>(k) ? -from_loc : from_loc);
            sum += off * off;
        }
        return sum;
    }
    double parameter(std::int64_t k, const auto& raw) const {
        return exp(log_prob(static_cast<double>(k), raw));
    }
    /// loc 0 and the cuts of these probabilities. Where no level below a cut (or above) has any, it
    /// is exactly that; a level between others that has none gets the smallest gap, with a
    /// probability below 1e-13. Throws where they are none.
    void raw_from(const auto& probabilities, auto&& set_raw) const {
        const auto last = static_cast<std::size_t>(levels) - 1;
        std::vector<double> above(last + 1);  // the probability of the levels above each
        for (std::size_t k = last + 1; k-- > 0;) {
            const double probability = probabilities(static_cast<std::int64_t>(k));
            require(probability >= 0 && probability <= 1, "probs", "in [0, 1]", probability);
            if (k > 0) above[k - 1] = above[k] + probability;
        }
        const double total = above[0] + probabilities(0);
        require(std::abs(total - 1) <= 1e-6, "probs",
                "probabilities that sum to 1 over the levels, to within 1e-6", total);
        set_raw(0, 0.0);
        double below = 0, previous = 0;
        for (std::size_t k = 0; k < last; ++k) {
            const double probability = probabilities(static_cast<std::int64_t>(k));
            const double cut =
                clamp(log((below + probability) / above[k]), -certain_logit, certain_logit);
            if (k == 0) {
                set_raw(1, cut);
            } else {
                const double gap = below > 0 && above[k] > 0
                                       ? log1p(probability / below) + log1p(probability / above[k])
                                       : cut - previous;
                set_raw(static_cast<std::int64_t>(k) + 1, max(log(gap), -log_scale_bound));
            }
            below += probability;
            previous = cut;
        }
    }

  private:
    static constexpr double infinity = std::numeric_limits<double>::infinity();

    static double log_prob_of(const OrdinalLevel::Raw& level) {
        return OrdinalLevel{}.log_prob(0, level);
    }
    static std::int64_t floor(double y) { return static_cast<std::int64_t>(std::floor(y)); }
    template <class V>
    static V gap_of(V log_gap) {
        return exp(clamp(log_gap, -log_scale_bound, log_scale_bound));
    }
    /// Between the two cuts of level k.
    double gap(std::int64_t k, const auto& raw) const {
        return k > 0 && k < levels - 1 ? gap_of(raw(1 + k)) : infinity;
    }
    double log_between(std::int64_t k, const auto& raw) const { return log1mexp(gap(k, raw)); }
    /// Above level k.
    double cut(std::int64_t k, const auto& raw) const {
        if (k < 0) return -infinity;
        if (k == levels - 1) return infinity;
        double result = raw(1);
        for (std::int64_t i = 1; i <= k; ++i) result += gap(i, raw);
        return result;
    }
};

}  // namespace likely
