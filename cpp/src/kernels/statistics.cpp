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

}  // namespace

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
}

template void fill_statistics(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
