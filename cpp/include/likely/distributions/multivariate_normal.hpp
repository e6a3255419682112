// The multivariate normal distribution: one distribution of all target columns of a row.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct MultivariateNormal {
    static constexpr std::string_view name = "MultivariateNormal";
    static constexpr std::string_view doc =
        "Multivariate normal distribution of all target columns of a row, which may depend on each "
        "other. log_prob and\n"
        "entropy are of the row, other statistics of its marginals. Raw parameters: loc[t] of each "
        "column, then the lower\n"
        "Cholesky factor L of the covariance L L^T row by row: log_diagonal[t] on its diagonal, "
        "off_diagonal[t,u] below.\n"
        "params has L as scale_tril. At most 1024 target columns.\n"
        "Source: Williams (1996), 'Using neural networks to model conditional multivariate "
        "densities'.";
    static constexpr TargetScaling target_scaling = TargetScaling::location_and_scale;
    static constexpr bool joint = true;
    static constexpr std::int64_t most_targets = 1024;

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    static std::string support() { return "finite real numbers"; }
    static bool supports(double y) { return std::isfinite(y); }

    static constexpr std::int64_t raw_parameter_count(std::int64_t targets) {
        return at(targets, 0, targets);
    }
    /// Throws std::invalid_argument where there are too many targets.
    static std::vector<RawParameter> raw_parameters(std::int64_t targets) {
        require(targets <= most_targets, "targets of a MultivariateNormal",
                "at most " + std::to_string(most_targets), targets);
        std::vector<RawParameter> result = raw_parameter_array("loc", targets);
        for (std::int64_t t = 0; t < targets; ++t) {
            const std::string row = std::to_string(t);
            for (std::int64_t u = 0; u < t; ++u) {
                result.push_back({"off_diagonal[" + row + "," + std::to_string(u) + "]"});
            }
            result.push_back({"log_diagonal[" + row + "]"});
        }
        return result;
    }
    static std::vector<ParameterArray> parameter_arrays(std::int64_t targets) {
        return {{"loc", Unit::location, {targets}},
                {"scale_tril", Unit::scale, {targets, targets}}};
    }

    // With L z = y - loc and L^T u = z the loss is z^2 / 2 plus the sum of log_diagonals, its
    // derivatives are -u by loc and -u[t] z[s] by L[t,s]. 1 / diagonal and then -u stand in the
    // place of the slopes of loc, z in that of those of log_diagonals, until they are needed no
    // more.

    /// Before `nll_gradient`: puts 1 / diagonal in its place. Where that is done of many samples
    /// first, the exponentials do not wait for the chain of columns, nor it for them.
    template <class V, class Raw, class Slopes>
    void prepare(const Raw& raw, Slopes& slopes, auto targets) const {
        repeat(targets,
               [&](std::int64_t t) { slopes.set(t, inverse_diagonal<V>(raw(at(t, t, targets)))); });
    }
    template <class V, class Y, class Raw, class Slopes>
    V nll_gradient(const Y& y, const Raw& raw, Slopes& slopes, auto targets) const {
        const auto whitened = [&](std::int64_t t) { return slopes.get(at(t, t, targets)); };
        const V loss = whiten<V>(
            y, raw, targets, [&](std::int64_t t) { return slopes.get(t); }, whitened,
            [&](std::int64_t t, V z) { slopes.set(at(t, t, targets), z); });
        repeat(targets, [&](std::int64_t done) {
            const std::int64_t t = targets - 1 - done;
            const V z = whitened(t);
            V rest = z;
            for (std::int64_t s = t + 1; s < targets; ++s) {
                rest = rest + raw(at(s, t, targets)) * slopes.get(s);
            }
            const V minus_u = held(-(rest * slopes.get(t)), 1e31, 1e200);
            for (std::int64_t s = 0; s < t; ++s) {
                slopes.set(at(t, s, targets), held(minus_u * whitened(s), 1e36, 1e300));
            }
            const auto is_free = abs(raw(at(t, t, targets))) <= V(log_scale_bound);
            const V by_log_diagonal = held(V(1.0) - rest * z, 1e36, 1e300);
            slopes.set(at(t, t, targets), select(is_free, by_log_diagonal, V(0.0)));
            slopes.set(t, minus_u);
        });
        return loss;
    }

    double log_prob(const auto& y, const auto& raw, std::int64_t targets) const {
        std::array<double, most_targets> whitened;
        const auto of = [&](std::int64_t t) -> double& {
            return whitened[static_cast<std::size_t>(t)];
        };
        return -whiten<double>(
            y, raw, targets,
            [&](std::int64_t t) { return inverse_diagonal<double>(raw(at(t, t, targets))); }, of,
            [&](std::int64_t t, double z) { of(t) = z; });
    }
    double entropy(const auto& raw, std::int64_t targets) const {
        double sum = static_cast<double>(targets) * (half_log_two_pi + 0.5);
        for (std::int64_t t = 0; t < targets; ++t) {
            sum += bounded_log_diagonal<double>(raw(at(t, t, targets)));
        }
        return sum;
    }
    /// Of the marginal distribution of column t, which is a normal one.
    double mean(std::int64_t t, const auto& raw) const { return raw(t); }
    double std(std::int64_t t, const auto& raw, std::int64_t targets) const {
        double sum = 0;
        for (std::int64_t u = 0; u <= t; ++u) {
            const double element = factor(t, u, raw, targets);
            sum += element * element;
        }
        return sqrt(sum);
    }
    /// loc + L z; z is a function of the column.
    double sample(std::int64_t t, const auto& z, const auto& raw, std::int64_t targets) const {
        double sum = raw(t);
        for (std::int64_t u = 0; u <= t; ++u) sum += factor(t, u, raw, targets) * z(u);
        return sum;
    }
    double parameter(std::int64_t k, const auto& raw, std::int64_t targets) const {
        if (k < targets) return raw(k);
        const std::int64_t t = k / targets - 1, u = k % targets;
        return u <= t ? factor(t, u, raw, targets) : 0;
    }
    /// The inverse of `parameter`. Throws where scale_tril is no lower triangular matrix with a
    /// positive diagonal.
    void raw_from(const auto& given, auto&& set_raw, std::int64_t targets) const {
        for (std::int64_t t = 0; t < targets; ++t) {
            require(std::isfinite(given(t)), "loc", "finite", given(t));
            set_raw(t, given(t));
            for (std::int64_t u = 0; u < targets; ++u) {
                const double element = given((t + 1) * targets + u);
                const std::string which =
                    "scale_tril[" + std::to_string(t) + "," + std::to_string(u) + "]";
                if (u > t) {
                    require(element == 0, which, "0, for it is above the diagonal", element);
                } else if (u == t) {
                    require(element >= smallest_scale && element <= largest_scale, which,
                            "in [exp(-30), exp(30)], for it is on the diagonal", element);
                    set_raw(at(t, t, targets), log(element));
                } else {
                    require(std::isfinite(element), which, "finite", element);
                    set_raw(at(t, u, targets), element);
                }
            }
        }
    }

  private:
    /// Where the raw parameter of L[t,u] stands.
    static constexpr std::int64_t at(std::int64_t t, std::int64_t u, std::int64_t targets) {
        return targets + t * (t + 1) / 2 + u;
    }
    /// use(0), use(1), ...: one after the other without a loop where their number is known at
    /// compile time, so that all is kept in registers.
    [[gnu::always_inline]] static void repeat(std::int64_t count, auto&& use) {
        for (std::int64_t i = 0; i < count; ++i) use(i);
    }
    template <std::int64_t count>
    [[gnu::always_inline]] static void repeat(std::integral_constant<std::int64_t, count>,
                                              auto&& use) {
        [&]<std::int64_t... i>(std::integer_sequence<std::int64_t, i...>) {
            (use(i), ...);
        }(std::make_integer_sequence<std::int64_t, count>{});
    }
    template <class V>
    static V bounded_log_diagonal(V log_diagonal) {
        return clamp(log_diagonal, -log_scale_bound, log_scale_bound);
    }
    static double factor(std::int64_t t, std::int64_t u, const auto& raw, std::int64_t targets) {
        const double element = raw(at(t, u, targets));
        return t == u ? exp(bounded_log_diagonal(element)) : element;
    }
    /// x within a limit for single and one for double precision: each column may multiply the ones
    /// before by 1e4 exp(30), and their squares and products are to be finite.
    template <class V>
    static V held(V x, double single, double both) {
        if constexpr (requires { V::size; }) {
            if (sizeof(V) / V::size == sizeof(float)) both = single;
        }
        return clamp(x, -both, both);
    }
    template <class V>
    static V inverse_diagonal(V log_diagonal) {
        return unchecked_exp(-bounded_log_diagonal(log_diagonal));
    }
    /// The negative log density, with inverse(t) = 1 / L[t,t]. Gives set(t, z); z(s) is what it
    /// gave before.
    template <class V>
    static V whiten(const auto& y, const auto& raw, auto targets, auto&& inverse, auto&& z,
                    auto&& set) {
        V loss(half_log_two_pi * static_cast<double>(std::int64_t{targets}));
        repeat(targets, [&](std::int64_t t) {
            V rest = y(t) - raw(t);
            for (std::int64_t s = 0; s < t; ++s) rest = rest - raw(at(t, s, targets)) * z(s);
            const V log_diagonal = bounded_log_diagonal<V>(raw(at(t, t, targets)));
            const V residual = held(rest * inverse(t), 1e18, 1e150);
            set(t, residual);
            loss = loss + (residual * residual * V(0.5) + log_diagonal);
        });
        return loss;
    }
};

}  // namespace likely
