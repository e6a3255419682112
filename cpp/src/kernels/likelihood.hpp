// The negative log-likelihood of a batch with its gradient, defined; see batch.hpp.
//
// A family is compiled by `template double likelihood_of(const Family&, const
// Batch<LIKELY_NUMBER>&);` in one of the files likelihood_*.cpp.
#pragma once

#include <algorithm>
#include <array>

#include "batch.hpp"
#include "columns.hpp"
#include "dual.hpp"
#include "looked_up.hpp"

namespace likely::kernels_detail {

/// A target column of a block of samples: weights, targets and whether they were seen.
template <class T>
struct Samples {
    const T *weights, *targets, *events;

    Lanes<T> target(std::int64_t i) const { return Lanes<T>::load(targets + i); }
    /// Gives weight * factor * value; 0 where the weight is 0 (so behind the last sample), whatever
    /// the value.
    auto weighted(std::int64_t i, double factor = 1) const {
        const Lanes<T> weight = Lanes<T>::load(weights + i), scaled = weight * Lanes<T>(factor);
        return [=](Lanes<T> value) {
            return select(weight > Lanes<T>(0.0), scaled * value, Lanes<T>(0.0));
        };
    }
    /// The log density, or of right-censored targets the log survival function.
    template <class V, class Family>
    V log_likelihood(const Family& family, std::int64_t i,
                     const std::array<V, raw_count<Family>>& raw) const {
        const V density = family.log_prob(target(i), raw);
        if constexpr (requires { family.log_survival(target(i), raw); }) {
            if (events) {
                return select(Lanes<T>::load(events + i) > Lanes<T>(0.5), density,
                              family.log_survival(target(i), raw));
            }
        }
        return density;
    }
};

/// Brings the samples of a batch in blocks of at most `summed_rows` rows.
template <class T>
class SampleBlocks {
  public:
    explicit SampleBlocks(const Batch<T>& batch)
        : from_(batch.targets), columns_(batch.plan.targets) {
        if (!from_.weight) std::fill_n(weight_room_, std::min(summed_rows, from_.rows), T(1));
    }
    /// Of target column t, for rows that come after those of all blocks before.
    Samples<T> read(std::int64_t begin, std::int64_t rows, std::int64_t t) {
        const std::int64_t at = begin * columns_ + t;
        const T* const targets = contiguous(from_.y + at, columns_, rows, target_room_);
        return {weights(begin, rows), targets,
                from_.event ? contiguous(from_.event + at, columns_, rows, event_room_) : nullptr};
    }
    /// All target columns of them, at `distance` from each other.
    Samples<T> read_all(std::int64_t begin, std::int64_t rows, T* columns, std::int64_t distance) {
        read_columns(from_.y + begin * columns_, columns_, rows, columns_, columns, distance);
        return read_weights(begin, rows);
    }
    /// Their weights alone.
    Samples<T> read_weights(std::int64_t begin, std::int64_t rows) {
        return {weights(begin, rows), nullptr, nullptr};
    }

  private:
    const T* weights(std::int64_t begin, std::int64_t rows) {
        if (from_.weight) return contiguous(from_.weight + begin, 1, rows, weight_room_);
        // Only the last block of all has fewer rows than are in whole registers.
        std::fill(weight_room_ + rows, weight_room_ + padded<T>(rows), T(0));
        return weight_room_;
    }

    const Targets<T>& from_;
    std::int64_t columns_;
    alignas(64) T weight_room_[summed_rows], target_room_[summed_rows], event_room_[summed_rows];
};

/// The sum of weight * log density over a block whose raw parameters are in columns or in rows.
/// Flattened: derivatives that are known to be 0 cost nothing only where all is inlined.
template <class T, class Family>
LIKELY_FLATTEN double log_likelihood(const Family& family, const Samples<T> samples,
                                     std::int64_t rows, const auto raw) {
    Lanes<T> sum(0.0);
    for (std::int64_t i = 0; i < rows; i += Lanes<T>::size) {
        sum = sum + samples.weighted(i)(samples.log_likelihood(family, i, raw.load(i)));
    }
    return sum.sum();
}

/// The same; stores factor times the derivatives.
template <class T, class Family>
LIKELY_FLATTEN double log_likelihood(const Family& family, const Samples<T> samples,
                                     std::int64_t rows, const auto raw, double factor) {
    using D = Dual<Lanes<T>, raw_count<Family>>;
    Lanes<T> sum(0.0);
    for (std::int64_t i = 0; i < rows; i += Lanes<T>::size) {
        const D density = samples.log_likelihood(family, i, D::variables(raw.load(i)));
        sum = sum + samples.weighted(i)(density.value);
        const auto weighted = samples.weighted(i, factor);
        raw.store(i, [&](std::size_t k) { return weighted(density.derivative[k]); });
    }
    return sum.sum();
}

/// Families whose number of raw parameters is known at compile time; `places` brings these and
/// takes their derivatives.
template <FixedFamily Family, class T>
double fixed_likelihood(const Family& family, const Batch<T>& batch, auto&& places) {
    SampleBlocks<T> blocks(batch);
    double total = 0;
    for (std::int64_t begin = 0; begin < batch.targets.rows; begin += summed_rows) {
        const std::int64_t rows = std::min(summed_rows, batch.targets.rows - begin);
        for (std::int64_t t = 0; t < batch.plan.targets; ++t) {
            const Samples<T> samples = blocks.read(begin, rows, t);
            total -= places.visit(begin, rows, t, samples.targets, [&](const auto raw) {
                return batch.d_raw
                           ? log_likelihood(family, samples, rows, raw, -batch.gradient_scale)
                           : log_likelihood(family, samples, rows, raw);
            });
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
    SampleBlocks<T> blocks(batch);
    double total = 0;
    for (std::int64_t begin = 0; begin < batch.targets.rows; begin += group_rows) {
        const std::int64_t rows = std::min(group_rows, batch.targets.rows - begin);
        const std::int64_t at = begin * plan.raw_width;
        for (std::int64_t t = 0; t < plan.columns; ++t) {
            const Samples<T> samples = is_joint<Family>
                                           ? blocks.read_all(begin, rows, target, group_rows)
                                           : blocks.read(begin, rows, t);
            const auto loss_of = [&](std::int64_t i, RawLanes<T>& slopes) {
                const RawLanes<T> raw{value + i};
                if constexpr (is_joint<Family>) {
                    family.template prepare<V>(raw, slopes, plan.targets);
                    return family.template nll_gradient<V>(RawLanes<T>{target + i}, raw, slopes,
                                                           plan.targets);
                } else {
                    return family.nll_gradient(samples.target(i), raw, slopes);
                }
            };
            read_raw(plan, batch.shared, batch.raw + at, t, rows, value, group_rows);
            V sum(0.0);
            for (std::int64_t i = 0; i < rows; i += V::size) {
                RawLanes<T> slopes{slope + i};
                sum = sum + samples.weighted(i)(loss_of(i, slopes));
                if (!batch.d_raw) continue;
                const auto weighted = samples.weighted(i, batch.gradient_scale);
                for (std::int64_t k = 0; k < count; ++k) slopes.set(k, weighted(slopes.get(k)));
            }
            total += sum.sum();
            if (!batch.d_raw) continue;
            write_slopes(plan, slope, group_rows, t, rows, batch.d_raw + at, batch.d_shared);
        }
    }
    return total;
}

/// Raw parameters or derivatives by them of one register of samples, of a number known at compile
/// time: so that they need not go through memory.
template <class T, std::int64_t count>
struct FewLanes {
    std::array<Lanes<T>, count> values;

    Lanes<T> operator()(std::int64_t k) const { return get(k); }
    Lanes<T> get(std::int64_t k) const { return values[static_cast<std::size_t>(k)]; }
    void set(std::int64_t k, Lanes<T> value) { values[static_cast<std::size_t>(k)] = value; }
};

/// As `counted_likelihood`, of the first rows (whole registers) of a joint family with few targets.
template <std::int64_t targets, class T, class Family>
LIKELY_FLATTEN double joint_likelihood(const Family& family, const Batch<T>& batch,
                                       std::int64_t whole) {
    using V = Lanes<T>;
    constexpr std::int64_t count = Family::raw_parameter_count(targets);
    alignas(64) T target[targets * group_rows], value[count * group_rows],
        prepared[targets * group_rows];
    const auto keep = [](const auto& registers, T* columns) {
        RawLanes<T> kept{columns};
        std::int64_t k = 0;
        for (const V each : registers) kept.set(k++, each);
    };
    SampleBlocks<T> blocks(batch);
    double total = 0;
    for (std::int64_t begin = 0; begin < whole; begin += group_rows) {
        const std::int64_t rows = std::min(group_rows, whole - begin);
        const Samples<T> samples = blocks.read_weights(begin, rows);
        for (std::int64_t i = 0; i < rows; i += V::size) {
            keep(load_rows<T, targets>(batch.targets.y + (begin + i) * targets), target + i);
            const FewLanes<T, count> raw{load_rows<T, count>(batch.raw + (begin + i) * count)};
            keep(raw.values, value + i);
            RawLanes<T> out{prepared + i};
            family.template prepare<V>(raw, out, constant<targets>);
        }
        V sum(0.0);
        for (std::int64_t i = 0; i < rows; i += V::size) {
            FewLanes<T, count> slopes;
            for (std::int64_t t = 0; t < targets; ++t) slopes.set(t, RawLanes<T>{prepared + i}(t));
            sum = sum +
                  samples.weighted(i)(family.template nll_gradient<V>(
                      RawLanes<T>{target + i}, RawLanes<T>{value + i}, slopes, constant<targets>));
            if (!batch.d_raw) continue;
            const auto weighted = samples.weighted(i, batch.gradient_scale);
            store_rows<T, count>([&](std::int64_t k) { return weighted(slopes.get(k)); },
                                 batch.d_raw + (begin + i) * count);
        }
        total += sum.sum();
    }
    return total;
}

template <class Family, class T>
double likelihood_of(const Family& family, const Batch<T>& batch) {
    if constexpr (FixedFamily<Family>) {
        return fixed_likelihood(family, batch, Placed<T, raw_count<Family>>(batch));
    } else {
        if constexpr (requires { typename Family::Label; }) {
            if (family.is_looked_up()) {
                LookedUp<Family, T> places(family, batch);
                const double total = fixed_likelihood(typename Family::Label(), batch, places);
                if (batch.d_raw) places.write_constants();
                return total;
            }
        }
        if constexpr (is_joint<Family>) {
            const std::int64_t targets = batch.plan.targets;
            if (targets == 2 || targets == 3) {
                const std::int64_t whole = batch.targets.rows / Lanes<T>::size * Lanes<T>::size;
                const double loss = targets == 2 ? joint_likelihood<2>(family, batch, whole)
                                                 : joint_likelihood<3>(family, batch, whole);
                return loss + counted_likelihood(family, rest(batch, whole));
            }
        }
        return counted_likelihood(family, batch);
    }
}

}  // namespace likely::kernels_detail
