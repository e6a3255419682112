#include "statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

namespace likely {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// The raw parameters of one distribution, wherever each comes from.
template <class T>
class RawRow {
  public:
    RawRow(const Plan& plan, const T* shared, const T* raw, std::int64_t column)
        : places_(plan.raw_places), shared_(shared), raw_(raw), column_(column) {}

    double operator()(std::int64_t k) const {
        const RawPlace& place = places_[static_cast<std::size_t>(k)];
        switch (place.source) {
            case Source::predicted:
                return static_cast<double>(raw_[place.position + column_]);
            case Source::shared:
                return static_cast<double>(shared_[place.position + column_]);
            case Source::fixed:
                return place.value;
        }
        return undefined;
    }
    /// As a family wants them.
    template <class Family>
    decltype(auto) of(const Family&) const {
        if constexpr (FixedFamily<Family>) {
            std::array<double, raw_count<Family>> values;
            for (std::size_t k = 0; k < values.size(); ++k) {
                values[k] = (*this)(static_cast<std::int64_t>(k));
            }
            return values;
        } else {
            return *this;
        }
    }

  private:
    const std::vector<RawPlace>& places_;
    const T* shared_;
    const T* raw_;
    std::int64_t column_;
};

/// One statistic on standardised targets, or nothing where the family has no closed form.
template <class Family>
std::optional<double> statistic_of(const Family& family, Statistic statistic, const auto& raw,
                                   double argument, std::int64_t parameter) {
    switch (statistic) {
        case Statistic::mean:
            if constexpr (requires { family.mean(raw); }) return family.mean(raw);
            break;
        case Statistic::std:
            if constexpr (requires { family.std(raw); }) return family.std(raw);
            break;
        case Statistic::mode:
            if constexpr (requires { family.mode(raw); }) return family.mode(raw);
            break;
        case Statistic::entropy:
            if constexpr (requires { family.entropy(raw); }) return family.entropy(raw);
            break;
        case Statistic::log_prob:
            if constexpr (requires { family.log_prob(argument, raw); })
                return family.log_prob(argument, raw);
            break;
        case Statistic::log_survival:
            if constexpr (requires { family.log_survival(argument, raw); })
                return family.log_survival(argument, raw);
            break;
        case Statistic::quantile:
            if constexpr (requires { family.quantile(argument, raw); })
                return argument >= 0 && argument <= 1 ? family.quantile(argument, raw) : undefined;
            break;
        case Statistic::cdf:
            if constexpr (requires { family.cdf(argument, raw); })
                return std::isnan(argument) ? undefined : family.cdf(argument, raw);
            break;
        case Statistic::sf:
            if constexpr (requires { family.sf(argument, raw); })
                return std::isnan(argument) ? undefined : family.sf(argument, raw);
            break;
        case Statistic::crps:
            if constexpr (requires { family.crps(argument, raw); })
                return family.crps(argument, raw);
            break;
        case Statistic::parameter:
            if constexpr (FixedFamily<Family>) {
                return family.parameter(static_cast<std::size_t>(parameter), raw);
            } else {
                return family.parameter(parameter, raw);
            }
    }
    return std::nullopt;
}

/// How a statistic and its argument leave and enter the standardised units of a target column.
struct UnitChange {
    double argument_mean = 0, argument_scale = 1, factor = 1, offset = 0;

    UnitChange(Statistic statistic, Unit unit_of_parameter, double mean, double scale) {
        switch (statistic) {
            case Statistic::mean:
            case Statistic::mode:
            case Statistic::quantile:
                change(Unit::location, mean, scale);
                break;
            case Statistic::std:
                change(Unit::scale, mean, scale);
                break;
            case Statistic::parameter:
                change(unit_of_parameter, mean, scale);
                break;
            case Statistic::entropy:
                offset = std::log(scale);
                break;
            case Statistic::log_prob:
                offset = -std::log(scale);
                take_target(mean, scale);
                break;
            case Statistic::crps:
                factor = scale;
                take_target(mean, scale);
                break;
            case Statistic::cdf:
            case Statistic::sf:
            case Statistic::log_survival:
                take_target(mean, scale);
        }
    }
    double inner(double argument) const { return (argument - argument_mean) / argument_scale; }
    double outer(double result) const { return result * factor + offset; }

  private:
    void take_target(double mean, double scale) {
        argument_mean = mean;
        argument_scale = scale;
    }
    void change(Unit unit, double mean, double scale) {
        if (unit == Unit::location || unit == Unit::scale) factor = scale;
        if (unit == Unit::rate) factor = 1 / scale;
        if (unit == Unit::location) offset = mean;
        if (unit == Unit::log_location) offset = std::log(scale);
    }
};

/// The unit of number `index` of the named parameters, and of a joint distribution its target
/// column, which comes first in the shape of an array.
std::pair<Unit, std::int64_t> place_of(const Plan& plan, std::int64_t index) {
    for (const ParameterArray& array : plan.parameters) {
        if (index < array.size()) return {array.unit, index * plan.targets / array.size()};
        index -= array.size();
    }
    return {Unit::none, 0};
}

template <class Family, class T>
void evaluate_family(const Family& family, const Plan& plan, const Evaluation& what,
                     const T* shared, const T* raw, std::int64_t rows, const T* argument, T* out) {
    const bool of_target =
        what.statistic == Statistic::log_prob || what.statistic == Statistic::crps;
    const Unit unit =
        what.statistic == Statistic::parameter ? place_of(plan, what.parameter).first : Unit::none;
    for (std::int64_t t = 0; t < plan.targets; ++t) {
        const UnitChange change(what.statistic, unit, what.target_mean ? what.target_mean[t] : 0,
                                what.target_scale ? what.target_scale[t] : 1);
        for (std::int64_t i = 0; i < rows; ++i) {
            const std::int64_t at = i * plan.targets + t;
            const double given = argument ? static_cast<double>(argument[at]) : what.probability;
            double result = undefined;
            if (of_target && !family.supports(given)) {
                if (what.statistic == Statistic::log_prob && !std::isnan(given)) result = -infinity;
            } else {
                const RawRow<T> row(plan, shared, raw + i * plan.raw_width, t);
                result = change.outer(statistic_of(family, what.statistic, row.of(family),
                                                   change.inner(given), what.parameter)
                                          .value_or(undefined));
            }
            out[at] = static_cast<T>(result);
        }
    }
}

/// Of a joint distribution; what is asked of one target column is asked of its marginal.
template <class Family, class T>
void evaluate_joint(const Family& family, const Plan& plan, const Evaluation& what, const T* shared,
                    const T* raw, std::int64_t rows, const T* argument, T* out) {
    const auto mean = [&](std::int64_t t) { return what.target_mean ? what.target_mean[t] : 0; };
    const auto scale = [&](std::int64_t t) { return what.target_scale ? what.target_scale[t] : 1; };
    double log_scale = 0;
    for (std::int64_t t = 0; t < plan.targets; ++t) log_scale += std::log(scale(t));
    for (std::int64_t i = 0; i < rows; ++i) {
        const RawRow<T> row(plan, shared, raw + i * plan.raw_width, 0);
        const auto given = [&](std::int64_t t) {
            return argument ? static_cast<double>(argument[i * plan.targets + t])
                            : what.probability;
        };
        if (what.statistic == Statistic::entropy) {
            out[i] = static_cast<T>(family.entropy(row, plan.targets) + log_scale);
        } else if (what.statistic == Statistic::log_prob) {
            const auto inner = [&](std::int64_t t) { return (given(t) - mean(t)) / scale(t); };
            double result = family.log_prob(inner, row, plan.targets) - log_scale;
            for (std::int64_t t = 0; t < plan.targets && !std::isnan(result); ++t) {
                if (std::isnan(given(t)))
                    result = undefined;
                else if (!family.supports(given(t)))
                    result = -infinity;
            }
            out[i] = static_cast<T>(result);
        } else if (what.statistic == Statistic::parameter) {
            const auto [unit, t] = place_of(plan, what.parameter);
            const UnitChange change(what.statistic, unit, mean(t), scale(t));
            out[i] =
                static_cast<T>(change.outer(family.parameter(what.parameter, row, plan.targets)));
        } else {
            for (std::int64_t t = 0; t < plan.targets; ++t) {
                const UnitChange change(what.statistic, Unit::none,
                                        mean(t) + scale(t) * family.mean(t, row),
                                        scale(t) * family.std(t, row, plan.targets));
                const std::array<double, 2> standard{};
                out[i * plan.targets + t] =
                    static_cast<T>(change.outer(statistic_of(Normal{}, what.statistic, standard,
                                                             change.inner(given(t)), what.parameter)
                                                    .value_or(undefined)));
            }
        }
    }
}

/// What brings p into the standardised units of q in target column t: offset + factor * p. Of two
/// predictions by one network it is p itself, without a rounding.
struct Move {
    template <class T>
    Move(const Predictions<T>& p, const Predictions<T>& q, std::int64_t t) {
        const double p_mean = p.target_mean ? p.target_mean[t] : 0;
        const double q_mean = q.target_mean ? q.target_mean[t] : 0;
        const double p_scale = p.target_scale ? p.target_scale[t] : 1;
        q_scale = q.target_scale ? q.target_scale[t] : 1;
        offset = (p_mean - q_mean) / q_scale;
        factor = p_scale / q_scale;
    }
    double offset, factor, q_scale;
};

/// Row i of a side in target column t.
template <class T>
RawRow<T> row_of(const Predictions<T>& side, std::int64_t i, std::int64_t t) {
    return {*side.plan, side.shared, side.raw + (side.rows == 1 ? 0 : i * side.plan->raw_width), t};
}

template <class Family>
concept Comparable =
    requires(const Family& family, const std::array<double, raw_count<Family>>& r) {
        family.kl_divergence(r, r);
    } || requires(const Family& family, double (*r)(std::int64_t)) { family.kl_divergence(r, r); };

template <class Family, class T>
void compare_families(const Family& p_family, const Family& q_family, Comparison what,
                      const Predictions<T>& p, const Predictions<T>& q, T* out) {
    const std::int64_t rows = std::max(p.rows, q.rows), targets = p.plan->targets;
    for (std::int64_t t = 0; t < targets; ++t) {
        const Move move(p, q, t);
        for (std::int64_t i = 0; i < rows; ++i) {
            auto p_raw = row_of(p, i, t).of(p_family);
            auto q_raw = row_of(q, i, t).of(q_family);
            if constexpr (Family::target_scaling != TargetScaling::none) {
                p_raw = q_family.moved(p_raw, move.offset, move.factor);
                q_raw = q_family.moved(q_raw, 0, 1);
            }
            out[i * targets + t] =
                static_cast<T>(what == Comparison::kl_divergence
                                   ? q_family.kl_divergence(p_raw, q_raw)
                                   : q_family.cross_entropy(p_raw, q_raw) + std::log(move.q_scale));
        }
    }
}

}  // namespace

bool has_statistic(const Distribution& distribution, Statistic statistic) {
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (is_joint<Family>) {
                return true;
            } else if constexpr (FixedFamily<Family>) {
                const std::array<double, raw_count<Family>> zeros{};
                return statistic_of(family, statistic, zeros, 0, 0).has_value();
            } else {
                const auto zeros = [](std::int64_t) { return 0.0; };
                return statistic_of(family, statistic, zeros, 0, 0).has_value();
            }
        },
        distribution);
}

std::int64_t result_columns(const Plan& plan, Statistic statistic) {
    const bool of_row = statistic == Statistic::log_prob || statistic == Statistic::entropy ||
                        statistic == Statistic::parameter;
    return of_row && joint(plan.distribution) ? 1 : plan.targets;
}

bool has_comparison(const Distribution& distribution) {
    return visit_family([]<class Family>(const Family&) { return Comparable<Family>; },
                        distribution);
}

template <class T>
void evaluate(const Plan& plan, const Evaluation& what, const T* shared, const T* raw,
              std::int64_t rows, const T* argument, T* out) noexcept {
    std::int64_t numbers = 0;
    for (const ParameterArray& each : plan.parameters) numbers += each.size();
    if (what.statistic == Statistic::parameter &&
        (what.parameter < 0 || what.parameter >= numbers)) {
        std::fill_n(out, rows * result_columns(plan, what.statistic),
                    std::numeric_limits<T>::quiet_NaN());
        return;
    }
    visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (is_joint<Family>) {
                evaluate_joint(family, plan, what, shared, raw, rows, argument, out);
            } else {
                evaluate_family(family, plan, what, shared, raw, rows, argument, out);
            }
        },
        plan.distribution);
}

template <class T>
void sample(const Predictions<T>& from, const T* choices, T* numbers) noexcept {
    const std::int64_t targets = from.plan->targets;
    const auto in_units = [&](std::int64_t t, double inner) {
        return static_cast<T>((from.target_mean ? from.target_mean[t] : 0) +
                              (from.target_scale ? from.target_scale[t] : 1) * inner);
    };
    visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (is_joint<Family>) {
                std::array<double, Family::most_targets> quantiles;
                const auto z = [&](std::int64_t t) {
                    return quantiles[static_cast<std::size_t>(t)];
                };
                for (std::int64_t i = 0; i < from.rows; ++i, numbers += targets) {
                    const RawRow<T> row(*from.plan, from.shared,
                                        from.raw + i * from.plan->raw_width, 0);
                    for (std::int64_t t = 0; t < targets; ++t) {
                        quantiles[static_cast<std::size_t>(t)] =
                            normal_quantile(static_cast<double>(numbers[t]));
                    }
                    for (std::int64_t t = 0; t < targets; ++t) {
                        numbers[t] = in_units(t, family.sample(t, z, row, targets));
                    }
                }
            } else if constexpr (requires(double p, const RawRow<T>& row) {
                                     family.sample(p, p, row);
                                 }) {
                for (std::int64_t k = 0; k < from.rows * targets; ++k) {
                    const std::int64_t t = k % targets;
                    const RawRow<T> row(*from.plan, from.shared,
                                        from.raw + k / targets * from.plan->raw_width, t);
                    numbers[k] = in_units(t, family.sample(static_cast<double>(choices[k]),
                                                           static_cast<double>(numbers[k]), row));
                }
            } else {
                const Evaluation what{Statistic::quantile, 0, 0, from.target_mean,
                                      from.target_scale};
                evaluate_family(family, *from.plan, what, from.shared, from.raw, from.rows, numbers,
                                numbers);
            }
        },
        from.plan->distribution);
}

template <class T>
void compare(Comparison what, const Predictions<T>& p, const Predictions<T>& q, T* out) noexcept {
    visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (Comparable<Family>) {
                visit_family(
                    [&](const auto& other) {
                        if constexpr (std::is_same_v<std::decay_t<decltype(other)>, Family>) {
                            compare_families(family, other, what, p, q, out);
                        }
                    },
                    q.plan->distribution);
            }
        },
        p.plan->distribution);
}

template void evaluate(const Plan&, const Evaluation&, const float*, const float*, std::int64_t,
                       const float*, float*) noexcept;
template void evaluate(const Plan&, const Evaluation&, const double*, const double*, std::int64_t,
                       const double*, double*) noexcept;
template void sample(const Predictions<float>&, const float*, float*) noexcept;
template void sample(const Predictions<double>&, const double*, double*) noexcept;
template void compare(Comparison, const Predictions<float>&, const Predictions<float>&,
                      float*) noexcept;
template void compare(Comparison, const Predictions<double>&, const Predictions<double>&,
                      double*) noexcept;

}  // namespace likely
