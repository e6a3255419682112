// Raw parameters that are looked up by the target, for the likelihood of labels.
//
// Why: the cuts of an ordinal distribution are learned constants. All that depends on them alone is
// computed once for each label, and a sample costs the same for few labels and for many.
//
// Contract: a family with `Family::Label`, a fixed family whose raw parameter 0 is the family's and
// predicted, while `for_each_level` gives the others for each label and `add_up` brings the sums of
// their derivatives to the constants. Targets that are no labels count as the nearest one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "batch.hpp"
#include "columns.hpp"

namespace likely::kernels_detail {

template <class Family, class T>
class LookedUp {
    static constexpr std::int64_t width = raw_count<typename Family::Label>;
    /// A sum for each lane: sums that follow each other at one place would wait for each other.
    static constexpr std::int64_t lanes = Lanes<T>::size;

  public:
    LookedUp(const Family& family, const Batch<T>& batch)
        : family_(family), batch_(batch), size_(family.levels * width) {
        for (std::int64_t t = 0; t < batch.plan.targets; ++t) {
            T* number = table(t);
            family.for_each_level(constants(t), [&](std::int64_t, const auto& level) {
                for (const double each : level) *number++ = static_cast<T>(each);
            });
            std::fill_n(sums(t), size_, T(0));
        }
    }
    /// How much scratch memory that needs.
    static std::int64_t scratch_size(const Family& family, std::int64_t targets) {
        return family.levels * width * (2 * targets + lanes);
    }

    /// As `Placed` has it, but for the derivatives by constants.
    double visit(std::int64_t begin, std::int64_t rows, std::int64_t t, const T* target,
                 auto&& use) {
        const std::int64_t step = batch_.plan.raw_width;
        look_up(table(t), target, padded<T>(rows));
        read_column(batch_.raw + begin * step + t, step, rows, values_);
        const double result = use(InColumns<T, width>{values_, slopes_});
        if (batch_.d_raw) {
            write_column(slopes_, rows, batch_.d_raw + begin * step + t, step);
            add_up(padded<T>(rows), sums(t));
        }
        return result;
    }
    /// Brings the sums of all blocks to the constants.
    void write_constants() const {
        for (std::int64_t t = 0; t < batch_.plan.targets; ++t) {
            const auto sum = [&](std::int64_t label, std::int64_t k) {
                return static_cast<double>(sums(t)[label * width + k]);
            };
            family_.add_up(constants(t), sum, [&](std::int64_t k, double slope) {
                batch_.d_shared[position(k) + t] += static_cast<T>(slope);
            });
        }
    }

  private:
    T* table(std::int64_t t) const { return batch_.scratch + 2 * t * size_; }
    T* sums(std::int64_t t) const { return table(t) + size_; }

    LIKELY_FLATTEN void look_up(const T* from, const T* target, std::int64_t rows) {
        const T last = static_cast<T>(family_.levels - 1);
        for (std::int64_t i = 0; i < rows; ++i) {
            const T label = target[i] > 0 ? target[i] : 0;
            place_[i] = static_cast<std::int32_t>(label < last ? label : last) *
                        static_cast<std::int32_t>(width);
        }
        for (std::int64_t i = 0; i < rows; i += lanes) {
            const auto raw =
                load_rows<T, width>([&](std::int64_t row) { return from + place_[i + row]; });
            unrolled<width>([&](auto k) { raw[k].store(values_ + k * summed_rows + i); });
        }
    }
    LIKELY_FLATTEN void add_up(std::int64_t rows, T* total) {
        T* const by_lane = table(batch_.plan.targets);
        std::fill_n(by_lane, size_ * lanes, T(0));
        for (std::int64_t i = 0; i < rows; i += lanes) {
            const auto slope = [=, this](std::int64_t k) {
                return Lanes<T>::load(slopes_ + k * summed_rows + i);
            };
            const auto add = [=, this](std::int64_t lane, std::int64_t column, auto numbers) {
                T* const sum = by_lane + place_[i + lane] * lanes + lane * width + column;
                auto next = numbers;
                std::memcpy(&next, sum, sizeof(next));
                next = next + numbers;
                std::memcpy(sum, &next, sizeof(next));
            };
            store_rows<T, width>(slope, add);
        }
        for (std::int64_t label = 0; label < family_.levels; ++label) {
            const T* const sums_of_label = by_lane + label * lanes * width;
            for (std::int64_t k = 0; k < width; ++k) {
                double sum = 0;
                for (std::int64_t lane = 0; lane < lanes; ++lane) {
                    sum += static_cast<double>(sums_of_label[lane * width + k]);
                }
                total[label * width + k] += static_cast<T>(sum);
            }
        }
    }
    std::int64_t position(std::int64_t k) const {
        return batch_.plan.raw_places[static_cast<std::size_t>(k)].position;
    }
    /// loc counts as 0.
    auto constants(std::int64_t t) const {
        return [this, t](std::int64_t k) {
            return k == 0 ? 0.0 : static_cast<double>(batch_.shared[position(k) + t]);
        };
    }

    const Family& family_;
    const Batch<T>& batch_;
    std::int64_t size_;
    alignas(64) T values_[width * summed_rows], slopes_[width * summed_rows];
    std::int32_t place_[summed_rows];  ///< of each sample's label in a table
};

}  // namespace likely::kernels_detail
