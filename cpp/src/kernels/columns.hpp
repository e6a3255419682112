// Samples in blocks: what the likelihood and the statistics of predicted distributions share.
//
// Why: raw parameters stand in rows, vector registers want columns. A block of 256 samples is
// brought into one contiguous column for each raw parameter, so that every family is a loop over
// whole registers. Sums run over these blocks in order.
//
// Contract: the numbers behind the last sample of a block are zeros (constants repeat).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

#include "lanes.hpp"
#include "likely/distributions.hpp"

namespace likely::kernels_detail {

inline constexpr std::int64_t block_rows = 256;

template <class Number>
struct alignas(64) Column {
    Number values[block_rows];

    template <class T>
    void read(const T* source, std::int64_t stride, std::int64_t rows) {
        for (std::int64_t i = 0; i < rows; ++i) {
            values[i] = static_cast<Number>(source[i * stride]);
        }
        constexpr std::int64_t width = Lanes<Number>::size;
        const std::int64_t padded = (rows + width - 1) / width * width;
        std::fill(values + rows, values + padded, Number(0));
    }
    template <class T>
    void write(std::int64_t stride, std::int64_t rows, T* target) const {
        for (std::int64_t i = 0; i < rows; ++i) target[i * stride] = static_cast<T>(values[i]);
    }
    void fill(Number value) { std::fill_n(values, block_rows, value); }
    Lanes<Number> lanes(std::int64_t i) const { return Lanes<Number>::load(values + i); }
};

/// The raw parameters of one target column, wherever each comes from.
template <class Family, class T>
class RawParameters {
  public:
    static constexpr std::size_t count =
        std::tuple_size_v<decltype(std::declval<Family>().raw_parameters())>;

    RawParameters(const Family& family, const T* shared, std::int64_t targets)
        : raw_(family.raw_parameters()), shared_(shared) {
        std::int64_t predicted = 0, learned = 0;
        for (std::size_t p = 0; p < count; ++p) {
            if (raw_[p].source == Source::predicted) position_[p] = predicted++ * targets;
            if (raw_[p].source == Source::shared) position_[p] = learned++ * targets;
        }
    }
    Source source(std::size_t p) const { return raw_[p].source; }
    /// Of a predicted one its first column in the raw matrix, of a shared one its offset among the
    /// constants.
    std::int64_t position(std::size_t p) const { return position_[p]; }

    /// Fills the columns of target column t for the rows that begin at `raw`.
    template <class Number>
    void read(const T* raw, std::int64_t stride, std::int64_t t, std::int64_t rows,
              std::array<Column<Number>, count>& columns) const {
        for (std::size_t p = 0; p < count; ++p) {
            switch (raw_[p].source) {
                case Source::predicted:
                    columns[p].read(raw + position_[p] + t, stride, rows);
                    break;
                case Source::shared:
                    columns[p].fill(static_cast<Number>(shared_[position_[p] + t]));
                    break;
                case Source::fixed:
                    columns[p].fill(static_cast<Number>(raw_[p].value));
            }
        }
    }

    template <class Number>
    static std::array<Lanes<Number>, count> lanes(const std::array<Column<Number>, count>& columns,
                                                  std::int64_t i) {
        std::array<Lanes<Number>, count> result;
        for (std::size_t p = 0; p < count; ++p) result[p] = columns[p].lanes(i);
        return result;
    }

  private:
    std::array<RawParameter, count> raw_;
    std::array<std::int64_t, count> position_{};
    const T* shared_;
};

}  // namespace likely::kernels_detail
