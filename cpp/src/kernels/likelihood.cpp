// The negative log-likelihood of a batch with its gradient, and the statistics of predicted
// distributions.
//
// Samples are taken in blocks of 256: a block's raw parameters are brought from rows into one
// contiguous column for each parameter, so that every family is a loop over whole registers. Sums
// run over these blocks in order.
#include "kernels.hpp"
#include "lanes.hpp"

namespace likely::kernels_detail {
namespace {

constexpr std::int64_t block_rows = 256;

template <class T>
struct alignas(64) Column {
    T values[block_rows];
};

template <class T>
void read_column(const T* source, std::int64_t stride, std::int64_t rows, T fill,
                 Column<T>& column) {
    for (std::int64_t i = 0; i < rows; ++i) column.values[i] = source[i * stride];
    const std::int64_t padded = (rows + Lanes<T>::size - 1) / Lanes<T>::size * Lanes<T>::size;
    for (std::int64_t i = rows; i < padded; ++i) column.values[i] = fill;
}

template <class T>
void write_column(const Column<T>& column, std::int64_t stride, std::int64_t rows, T* target) {
    for (std::int64_t i = 0; i < rows; ++i) target[i * stride] = column.values[i];
}

/// The raw parameters of one target column: where each comes from.
template <class Family, class T>
class RawColumns {
  public:
    static constexpr std::size_t count =
        std::tuple_size_v<decltype(std::declval<Family>().raw_parameters())>;

    RawColumns(const Family& family, const T* shared, std::int64_t targets)
        : raw_(family.raw_parameters()) {
        std::int64_t predicted = 0, learned = 0;
        for (std::size_t p = 0; p < count; ++p) {
            if (raw_[p].source == Source::predicted) position_[p] = predicted++ * targets;
            if (raw_[p].source == Source::shared) position_[p] = learned++ * targets;
        }
        shared_ = shared;
    }
    Source source(std::size_t p) const { return raw_[p].source; }
    /// Of a predicted one its first column in the raw matrix, of a shared one its offset among the
    /// constants.
    std::int64_t position(std::size_t p) const { return position_[p]; }

    /// Fills the columns of target column t for rows that begin at `raw`. The padding repeats
    /// constants, or is zero.
    void read(const T* raw, std::int64_t stride, std::int64_t t, std::int64_t rows,
              std::array<Column<T>, count>& columns) const {
        for (std::size_t p = 0; p < count; ++p) {
            if (raw_[p].source == Source::predicted) {
                read_column(raw + position_[p] + t, stride, rows, T(0), columns[p]);
            } else {
                const T value = raw_[p].source == Source::shared ? shared_[position_[p] + t]
                                                                 : static_cast<T>(raw_[p].value);
                std::fill_n(columns[p].values, block_rows, value);
            }
        }
    }

  private:
    std::array<RawParameter, count> raw_;
    std::array<std::int64_t, count> position_{};
    const T* shared_;
};

/// Families whose number of raw parameters is known at compile time.
template <class Family, class T>
double likelihood_of(const Family& family, const Plan& plan, const T* shared, const T* raw,
                     const T* y, const T* weight, std::int64_t rows, double gradient_scale,
                     T* d_raw, T* d_shared) {
    using V = Lanes<T>;
    using Columns = RawColumns<Family, T>;
    const Columns source(family, shared, plan.targets);
    std::array<Column<T>, Columns::count> value, slope;
    Column<T> target, weights;
    std::fill_n(weights.values, block_rows, T(1));
    double total = 0;
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        const std::int64_t block = std::min(block_rows, rows - begin);
        if (weight) {
            read_column(weight + begin, 1, block, T(0), weights);
        } else {
            for (std::int64_t i = block; i < block_rows; ++i) weights.values[i] = T(0);
        }
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            source.read(raw + begin * plan.raw_width, plan.raw_width, t, block, value);
            read_column(y + begin * plan.targets + t, plan.targets, block, T(0), target);
            V sum(0.0);
            for (std::int64_t i = 0; i < block; i += V::size) {
                std::array<V, Columns::count> lanes;
                for (std::size_t p = 0; p < Columns::count; ++p)
                    lanes[p] = V::load(value[p].values + i);
                const V w = V::load(weights.values + i);
                const V targets = V::load(target.values + i);
                if (d_raw) {
                    using D = Dual<V, Columns::count>;
                    const D density = family.log_prob(targets, D::variables(lanes));
                    sum = sum - w * density.value;
                    const V factor = w * V(-gradient_scale);
                    for (std::size_t p = 0; p < Columns::count; ++p) {
                        (factor * density.derivative[p]).store(slope[p].values + i);
                    }
                } else {
                    sum = sum - w * family.log_prob(targets, lanes);
                }
            }
            total += sum.sum();
            if (!d_raw) continue;
            for (std::size_t p = 0; p < Columns::count; ++p) {
                if (source.source(p) == Source::predicted) {
                    write_column(slope[p], plan.raw_width, block,
                                 d_raw + begin * plan.raw_width + source.position(p) + t);
                } else if (source.source(p) == Source::shared) {
                    double block_sum = 0;
                    for (std::int64_t i = 0; i < block; ++i)
                        block_sum += static_cast<double>(slope[p].values[i]);
                    d_shared[source.position(p) + t] += static_cast<T>(block_sum);
                }
            }
        }
    }
    return total;
}

/// Families that bring their own gradient over one row.
template <class Family, class T>
    requires requires(const Family& f) { f.count(); }
double likelihood_of(const Family& family, const Plan& plan, const T*, const T* raw, const T* y,
                     const T* weight, std::int64_t rows, double gradient_scale, T* d_raw, T*) {
    double total = 0;
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        double block_sum = 0;
        for (std::int64_t i = begin; i < std::min(begin + block_rows, rows); ++i) {
            const T w = weight ? weight[i] : T(1);
            for (std::int64_t t = 0; t < plan.targets; ++t) {
                const std::int64_t at = i * plan.raw_width + t;
                const T loss = family.nll_gradient(y[i * plan.targets + t], raw + at, plan.targets,
                                                   w * static_cast<T>(gradient_scale),
                                                   d_raw ? d_raw + at : nullptr);
                block_sum += static_cast<double>(w) * static_cast<double>(loss);
            }
        }
        total += block_sum;
    }
    return total;
}

/// One statistic on standardised targets.
template <class V, class Family, std::size_t K>
V statistic_of(const Family& family, const Evaluation& what, const std::array<V, K>& raw,
               V argument) {
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
            const V outside(std::numeric_limits<double>::quiet_NaN());
            const V inside = family.quantile(argument, raw);
            return select(argument < V(0.0), outside, select(argument > V(1.0), outside, inside));
        }
        case Statistic::cdf:
            return family.cdf(argument, raw);
        case Statistic::log_prob:
            return family.log_prob(argument, raw);
        case Statistic::parameter:
            return family.parameter(static_cast<std::size_t>(what.parameter), raw);
    }
    return V(std::numeric_limits<double>::quiet_NaN());
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
    using V = Lanes<T>;
    using Columns = RawColumns<Family, T>;
    const Columns source(family, shared, plan.targets);
    std::array<Column<T>, Columns::count> value;
    Column<T> arguments, result;
    std::fill_n(arguments.values, block_rows, static_cast<T>(what.probability));
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        const std::int64_t block = std::min(block_rows, rows - begin);
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            const UnitChange change = unit_change(family, what, t);
            source.read(raw + begin * plan.raw_width, plan.raw_width, t, block, value);
            if (argument)
                read_column(argument + begin * plan.targets + t, plan.targets, block, T(0),
                            arguments);
            for (std::int64_t i = 0; i < block; i += V::size) {
                std::array<V, Columns::count> lanes;
                for (std::size_t p = 0; p < Columns::count; ++p)
                    lanes[p] = V::load(value[p].values + i);
                const V inner = (V::load(arguments.values + i) - V(change.argument_mean)) /
                                V(change.argument_scale);
                const V computed = statistic_of(family, what, lanes, inner);
                (computed * V(change.factor) + V(change.offset)).store(result.values + i);
            }
            write_column(result, plan.targets, block, out + begin * plan.targets + t);
        }
    }
}

template <class Family, class T>
    requires requires(const Family& f) { f.count(); }
void evaluate_family(const Family& family, const Plan& plan, const Evaluation& what, const T*,
                     const T* raw, std::int64_t rows, const T* argument, T* out) {
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            T inner = argument ? argument[i * plan.targets + t] : static_cast<T>(what.probability);
            if (what.statistic == Statistic::parameter) inner = static_cast<T>(what.parameter);
            out[i * plan.targets + t] =
                family.evaluate(what.statistic, raw + i * plan.raw_width + t, plan.targets, inner);
        }
    }
}

}  // namespace

template <class T>
double likelihood(const Plan& plan, const T* shared, const T* raw, const T* y, const T* weight,
                  std::int64_t rows, double gradient_scale, T* d_raw, T* d_shared,
                  bool accumulate) {
    if (d_raw && plan.shared != none && !accumulate) {
        std::fill_n(d_shared, plan.shared_start.size(), T(0));
    }
    return std::visit(
        [&](const auto& family) {
            return likelihood_of(family, plan, shared, raw, y, weight, rows, gradient_scale, d_raw,
                                 d_shared);
        },
        plan.distribution);
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
void fill_likelihood(Kernels<T>& table) {
    table.likelihood = likelihood<T>;
    table.evaluate = evaluate<T>;
}

template void fill_likelihood(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
