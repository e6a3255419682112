// The statistics of predicted distributions, in the user's units.
//
// All of them are computed in double precision whatever the network's: they are read by people,
// asked for far tails (a probability of 1 - 1e-9 is 1 in float32), and are no part of a training
// step.
#include <cmath>
#include <limits>

#include "columns.hpp"
#include "kernels.hpp"

namespace likely::kernels_detail {
namespace {

/// One statistic on standardised targets.
template <class V, class Family, std::size_t K>
V statistic_of(const Family& family, const Evaluation& what, const std::array<V, K>& raw,
               V argument) {
    const V undefined(std::numeric_limits<double>::quiet_NaN());
    switch (what.statistic) {
        case Statistic::mean:
            return family.mean(raw);
        case Statistic::std:
            return family.std(raw);
        case Statistic::mode:
            return family.mode(raw);
        case Statistic::entropy:
            return family.entropy(raw);
        case Statistic::quantile: {
            const V inside = family.quantile(argument, raw);
            return select(V(0.0) <= argument, select(argument <= V(1.0), inside, undefined),
                          undefined);
        }
        case Statistic::cdf:
            return select(argument == argument, family.cdf(argument, raw), undefined);
        case Statistic::log_prob:
            return family.log_prob(argument, raw);
        case Statistic::parameter:
            return family.parameter(static_cast<std::size_t>(what.parameter), raw);
    }
    return undefined;
}

template <class Family>
Unit unit_of(const Family& family, const Evaluation& what) {
    switch (what.statistic) {
        case Statistic::mean:
        case Statistic::mode:
        case Statistic::quantile:
            return Unit::location;
        case Statistic::std:
            return Unit::scale;
        case Statistic::parameter:
            return family.parameters[static_cast<std::size_t>(what.parameter)].unit;
        default:
            return Unit::none;
    }
}

/// How a statistic and its argument leave and enter the standardised units of one target column.
struct UnitChange {
    double argument_mean = 0, argument_scale = 1, factor = 1, offset = 0;
};

template <class Family>
UnitChange unit_change(const Family& family, const Evaluation& what, std::int64_t t) {
    UnitChange change;
    if (!what.target_mean) return change;
    const double mean = what.target_mean[t], scale = what.target_scale[t];
    if (what.statistic == Statistic::cdf || what.statistic == Statistic::log_prob) {
        change.argument_mean = mean;
        change.argument_scale = scale;
    }
    if (what.statistic == Statistic::log_prob) change.offset = -std::log(scale);
    if (what.statistic == Statistic::entropy) change.offset = std::log(scale);
    const Unit unit = unit_of(family, what);
    if (unit != Unit::none) change.factor = scale;
    if (unit == Unit::location) change.offset = mean;
    return change;
}

template <class Family, class T>
void evaluate_family(const Family& family, const Plan& plan, const Evaluation& what,
                     const T* shared, const T* raw, std::int64_t rows, const T* argument, T* out) {
    using V = Lanes<double>;
    using Parameters = RawParameters<Family, T>;
    const Parameters parameters(family, shared, plan.targets);
    std::array<Column<double>, Parameters::count> value;
    Column<double> arguments, result;
    arguments.fill(what.probability);
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        const std::int64_t block = std::min(block_rows, rows - begin);
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            const UnitChange change = unit_change(family, what, t);
            parameters.read(raw + begin * plan.raw_width, plan.raw_width, t, block, value);
            if (argument) arguments.read(argument + begin * plan.targets + t, plan.targets, block);
            for (std::int64_t i = 0; i < block; i += V::size) {
                const V inner =
                    (arguments.lanes(i) - V(change.argument_mean)) / V(change.argument_scale);
                const V computed = statistic_of(family, what, Parameters::lanes(value, i), inner);
                (computed * V(change.factor) + V(change.offset)).store(result.values + i);
            }
            result.write(plan.targets, block, out + begin * plan.targets + t);
        }
    }
}

template <class Family, class T>
    requires requires(const Family& f) { f.count(); }
void evaluate_family(const Family& family, const Plan& plan, const Evaluation& what, const T*,
                     const T* raw, std::int64_t rows, const T* argument, T* out) {
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            const std::int64_t at = i * plan.targets + t;
            double inner = argument ? static_cast<double>(argument[at]) : what.probability;
            if (what.statistic == Statistic::parameter) inner = static_cast<double>(what.parameter);
            out[at] = static_cast<T>(
                family.evaluate(what.statistic, raw + i * plan.raw_width + t, plan.targets, inner));
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

/// Where row i of a side stands.
template <class T>
const T* row_of(const Predictions<T>& side, std::int64_t i) {
    return side.raw + (side.rows == 1 ? 0 : i * side.plan->raw_width);
}

template <class Family, class T>
void compare_families(const Family& p_family, const Family& q_family, Comparison what,
                      const Predictions<T>& p, const Predictions<T>& q, T* out) {
    using V = Lanes<double>;
    using Parameters = RawParameters<Family, T>;
    const std::int64_t rows = std::max(p.rows, q.rows), targets = p.plan->targets;
    const Parameters p_parameters(p_family, p.shared, targets);
    const Parameters q_parameters(q_family, q.shared, targets);
    std::array<Column<double>, Parameters::count> p_values, q_values;
    Column<double> result;
    const auto read = [](const Parameters& parameters, const Predictions<T>& side,
                         std::int64_t begin, std::int64_t t, std::int64_t block, auto& values) {
        parameters.read(row_of(side, begin), side.rows == 1 ? 0 : side.plan->raw_width, t, block,
                        values);
    };
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        const std::int64_t block = std::min(block_rows, rows - begin);
        for (std::int64_t t = 0; t < targets; ++t) {
            const Move move(p, q, t);
            read(p_parameters, p, begin, t, block, p_values);
            read(q_parameters, q, begin, t, block, q_values);
            for (std::int64_t i = 0; i < block; i += V::size) {
                auto p_raw = Parameters::lanes(p_values, i);
                auto q_raw = Parameters::lanes(q_values, i);
                if constexpr (Family::target_scaling != TargetScaling::none) {
                    p_raw = q_family.moved(p_raw, move.offset, move.factor);
                    q_raw = q_family.moved(q_raw, 0, 1);
                }
                const V computed =
                    what == Comparison::kl_divergence
                        ? q_family.kl_divergence(p_raw, q_raw)
                        : q_family.cross_entropy(p_raw, q_raw) + V(std::log(move.q_scale));
                computed.store(result.values + i);
            }
            result.write(targets, block, out + begin * targets + t);
        }
    }
}

template <class Family, class T>
    requires requires(const Family& f) { f.count(); }
void compare_families([[maybe_unused]] const Family& family, const Family&,
                      [[maybe_unused]] Comparison what, const Predictions<T>& p,
                      const Predictions<T>& q, T* out) {
    const std::int64_t rows = std::max(p.rows, q.rows), targets = p.plan->targets;
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t t = 0; t < targets; ++t) {
            const T *p_row = row_of(p, i) + t, *q_row = row_of(q, i) + t;
            double computed = std::numeric_limits<double>::quiet_NaN();  // no closed form
            if constexpr (requires { family.kl_divergence(p_row, q_row, targets); }) {
                computed = what == Comparison::kl_divergence
                               ? family.kl_divergence(p_row, q_row, targets)
                               : family.cross_entropy(p_row, q_row, targets);
            }
            out[i * targets + t] = static_cast<T>(computed);
        }
    }
}

}  // namespace

template <class T>
void compare(Comparison what, const Predictions<T>& p, const Predictions<T>& q, T* out) {
    std::visit(
        [&](const auto& family) {
            const auto& other = *std::get_if<std::decay_t<decltype(family)>>(&q.plan->distribution);
            compare_families(family, other, what, p, q, out);
        },
        p.plan->distribution);
}

template <class T>
void evaluate(const Plan& plan, const Evaluation& what, const T* shared, const T* raw,
              std::int64_t rows, const T* argument, T* out) {
    std::visit(
        [&](const auto& family) {
            std::int64_t parameters = static_cast<std::int64_t>(family.parameters.size());
            if constexpr (requires { family.count(); }) parameters = family.count();
            if (what.statistic == Statistic::parameter &&
                (what.parameter < 0 || what.parameter >= parameters)) {
                std::fill_n(out, rows * plan.targets, std::numeric_limits<T>::quiet_NaN());
                return;
            }
            evaluate_family(family, plan, what, shared, raw, rows, argument, out);
        },
        plan.distribution);
}

template <class T>
void fill_statistics(Kernels<T>& table) {
    table.evaluate = evaluate<T>;
    table.compare = compare<T>;
}

template void fill_statistics(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
