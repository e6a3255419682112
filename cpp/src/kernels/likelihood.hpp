// The negative log-likelihood of a batch with its gradient, defined; see batch.hpp.
//
// A family is compiled by `template double likelihood_of(const Family&, const
// Batch<LIKELY_NUMBER>&);` in one of the files likelihood_*.cpp.
#pragma once

#include <array>

#include "batch.hpp"
#include "columns.hpp"
#include "dual.hpp"

namespace likely::kernels_detail {

/// A block of samples: weights, targets and whether they were seen.
template <class T>
class Samples {
  public:
    Samples(const Batch<T>& batch, std::int64_t begin, std::int64_t rows)
        : from_(batch.targets), columns_(batch.plan.targets), begin_(begin), rows_(rows) {
        if (from_.weight) {
            read_column(from_.weight + begin, 1, rows, weight_.values);
        } else {
            std::fill_n(weight_.values, rows, T(1));
            std::fill(weight_.values + rows, weight_.values + padded<T>(rows), T(0));
        }
    }
    /// Goes to a target column.
    void read_targets(std::int64_t t) {
        read_targets(t, target_.values);
        if (from_.event) {
            read_column(from_.event + begin_ * columns_ + t, columns_, rows_, event_.values);
        }
    }
    void read_targets(std::int64_t t, T* column) const {
        read_column(from_.y + begin_ * columns_ + t, columns_, rows_, column);
    }
    Lanes<T> target(std::int64_t i) const { return target_.lanes(i); }
    /// weight * value; 0 where the weight is 0 (so behind the last sample), whatever the value.
    Lanes<T> weighted(std::int64_t i, Lanes<T> value) const {
        const Lanes<T> weight = weight_.lanes(i);
        return select(weight > Lanes<T>(0.0), weight * value, Lanes<T>(0.0));
    }
    /// The log density, or of right-censored targets the log survival function.
    template <class V, class Family>
    V log_likelihood(const Family& family, std::int64_t i,
                     const std::array<V, raw_count<Family>>& raw) const {
        const V density = family.log_prob(target(i), raw);
        if constexpr (requires { family.log_survival(target(i), raw); }) {
            if (from_.event) {
                return select(event_.lanes(i) > Lanes<T>(0.5), density,
                              family.log_survival(target(i), raw));
            }
        }
        return density;
    }

  private:
    const Targets<T>& from_;
    std::int64_t columns_, begin_, rows_;
    Column<T> weight_, target_, event_;
};

/// Families whose number of raw parameters is known at compile time.
template <FixedFamily Family, class T>
double fixed_likelihood(const Family& family, const Batch<T>& batch) {
    using V = Lanes<T>;
    constexpr std::size_t count = raw_count<Family>;
    const Plan& plan = batch.plan;
    alignas(64) std::array<T, count * block_rows> value, slope;
    const auto at_column = [](std::size_t k) { return static_cast<std::int64_t>(k) * block_rows; };
    double total = 0;
    for (std::int64_t begin = 0; begin < batch.targets.rows; begin += block_rows) {
        const std::int64_t rows = std::min(block_rows, batch.targets.rows - begin);
        const std::int64_t at = begin * plan.raw_width;
        Samples<T> samples(batch, begin, rows);
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            samples.read_targets(t);
            read_raw(plan, batch.shared, batch.raw + at, t, rows, value.data(), block_rows);
            V sum(0.0);
            for (std::int64_t i = 0; i < rows; i += V::size) {
                std::array<V, count> raw;
                for (std::size_t k = 0; k < count; ++k)
                    raw[k] = V::load(value.data() + at_column(k) + i);
                if (!batch.d_raw) {
                    sum = sum - samples.weighted(i, samples.log_likelihood(family, i, raw));
                    continue;
                }
                using D = Dual<V, count>;
                const D density = samples.log_likelihood(family, i, D::variables(raw));
                sum = sum - samples.weighted(i, density.value);
                for (std::size_t k = 0; k < count; ++k) {
                    const V by_raw = density.derivative[k] * V(-batch.gradient_scale);
                    samples.weighted(i, by_raw).store(slope.data() + at_column(k) + i);
                }
            }
            total += sum.sum();
            if (!batch.d_raw) continue;
            write_slopes(plan, slope.data(), block_rows, t, rows, batch.d_raw + at, batch.d_shared);
        }
    }
    return total;
}

/// Raw parameters, derivatives by them or target columns of one register of samples.
template <class T>
struct RawLanes {
    T* values;

    Lanes<T> operator()(std::int64_t k) const { return get(k); }
    Lanes<T> get(std::int64_t k) const { return Lanes<T>::load(values + k * group_rows); }
    void set(std::int64_t k, Lanes<T> value) { value.store(values + k * group_rows); }
};

/// Families that count their raw parameters at run time and bring their own gradient.
template <class Family, class T>
double counted_likelihood(const Family& family, const Batch<T>& batch) {
    using V = Lanes<T>;
    const Plan& plan = batch.plan;
    const auto count = static_cast<std::int64_t>(plan.raw_places.size());
    T* const value = batch.scratch;
    T* const slope = value + count * group_rows;
    T* const target = slope + count * group_rows;
    double total = 0;
    for (std::int64_t begin = 0; begin < batch.targets.rows; begin += group_rows) {
        const std::int64_t rows = std::min(group_rows, batch.targets.rows - begin);
        const std::int64_t at = begin * plan.raw_width;
        Samples<T> samples(batch, begin, rows);
        const auto loss_of = [&](std::int64_t i, RawLanes<T>& slopes) {
            const RawLanes<T> raw{value + i};
            if constexpr (is_joint<Family>) {
                return family.template nll_gradient<V>(RawLanes<T>{target + i}, raw, slopes,
                                                       plan.targets);
            } else {
                return family.nll_gradient(samples.target(i), raw, slopes);
            }
        };
        for (std::int64_t t = 0; t < plan.columns; ++t) {
            if constexpr (is_joint<Family>) {
                for (std::int64_t u = 0; u < plan.targets; ++u) {
                    samples.read_targets(u, target + u * group_rows);
                }
            } else {
                samples.read_targets(t);
            }
            read_raw(plan, batch.shared, batch.raw + at, t, rows, value, group_rows);
            V sum(0.0);
            for (std::int64_t i = 0; i < rows; i += V::size) {
                RawLanes<T> slopes{slope + i};
                sum = sum + samples.weighted(i, loss_of(i, slopes));
                if (!batch.d_raw) continue;
                for (std::int64_t k = 0; k < count; ++k) {
                    const V by_raw = slopes.get(k) * V(batch.gradient_scale);
                    slopes.set(k, samples.weighted(i, by_raw));
                }
            }
            total += sum.sum();
            if (!batch.d_raw) continue;
            write_slopes(plan, slope, group_rows, t, rows, batch.d_raw + at, batch.d_shared);
        }
    }
    return total;
}

template <class Family, class T>
double likelihood_of(const Family& family, const Batch<T>& batch) {
    if constexpr (FixedFamily<Family>) {
        return fixed_likelihood(family, batch);
    } else {
        return counted_likelihood(family, batch);
    }
}

}  // namespace likely::kernels_detail
