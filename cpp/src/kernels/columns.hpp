// Samples in blocks, for the likelihood.
//
// Why: raw parameters stand in rows, vector registers want columns. A block of 256 samples is
// brought into one contiguous column for each raw parameter, so that every family is a loop over
// whole registers. Sums run over these blocks in order.
//
// Contract: the numbers behind the last sample of a block are zeros (constants repeat).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "batch.hpp"
#include "lanes.hpp"
#include "transpose.hpp"

namespace likely::kernels_detail {

inline constexpr std::int64_t summed_rows = 256;

/// How many numbers of a column are read or written for so many rows: whole registers.
template <class T>
std::int64_t padded(std::int64_t rows) {
    return (rows + Lanes<T>::size - 1) / Lanes<T>::size * Lanes<T>::size;
}

template <class T>
void read_column(const T* source, std::int64_t stride, std::int64_t rows, T* column) {
    if (stride == 1) {
        std::copy_n(source, rows, column);
    } else {
        for (std::int64_t i = 0; i < rows; ++i) column[i] = source[i * stride];
    }
    std::fill(column + rows, column + padded<T>(rows), T(0));
}

/// The inverse, of as many numbers as there are rows.
template <class T>
void write_column(const T* column, std::int64_t rows, T* target, std::int64_t stride) {
    if (stride == 1) {
        std::copy_n(column, rows, target);
    } else {
        for (std::int64_t i = 0; i < rows; ++i) target[i * stride] = column[i];
    }
}

/// The numbers of a column as `read_column` would leave them: where they stand, if they do
/// stand so, else in `room`.
template <class T>
const T* contiguous(const T* source, std::int64_t stride, std::int64_t rows, T* room) {
    if (stride == 1 && rows == padded<T>(rows)) return source;
    read_column(source, stride, rows, room);
    return room;
}

/// So many columns side by side; each stands `distance` after the one before.
template <class T>
void read_columns(const T* source, std::int64_t stride, std::int64_t rows, std::int64_t count,
                  T* columns, std::int64_t distance) {
    const std::int64_t done = rows_to_columns(source, stride, rows, count, columns, distance);
    for (std::int64_t c = 0; c < count; ++c) {
        read_column(source + c + done * stride, stride, rows - done, columns + c * distance + done);
    }
}

template <class T>
void write_columns(const T* columns, std::int64_t distance, std::int64_t rows, std::int64_t count,
                   T* target, std::int64_t stride) {
    const std::int64_t done = columns_to_rows(columns, distance, rows, count, target, stride);
    for (std::int64_t c = 0; c < count; ++c) {
        write_column(columns + c * distance + done, rows - done, target + c + done * stride,
                     stride);
    }
}

/// The sum of so many numbers, by parts that do not wait for each other.
template <class T>
double column_sum(const T* column, std::int64_t rows) {
    std::array<double, 8> part{};
    for (std::int64_t i = 0; i < rows; ++i) part[i % 8] += static_cast<double>(column[i]);
    return std::accumulate(part.begin(), part.end(), 0.0);
}

/// How many raw parameters from k on, at most to `end`, stand side by side in the rows of the raw
/// matrix; 0 where the first does not stand there.
inline std::int64_t side_by_side(const Plan& plan, std::int64_t k, std::int64_t end) {
    const auto place = [&](std::int64_t index) -> const RawPlace& {
        return plan.raw_places[static_cast<std::size_t>(index)];
    };
    std::int64_t count = 0;
    while (k + count < end && place(k + count).source == Source::predicted &&
           place(k + count).position == place(k).position + count) {
        ++count;
    }
    return count;
}

/// The columns of all raw parameters of column t for the rows that begin at `raw`; that of raw
/// parameter k stands at columns + k * distance.
template <class T>
void read_raw(const Plan& plan, const T* shared, const T* raw, std::int64_t t, std::int64_t rows,
              T* columns, std::int64_t distance) {
    const auto end = static_cast<std::int64_t>(plan.raw_places.size());
    for (std::int64_t k = 0; k < end;) {
        const RawPlace& place = plan.raw_places[static_cast<std::size_t>(k)];
        T* const column = columns + k * distance;
        const std::int64_t count = side_by_side(plan, k, end);
        if (count == 0) {
            const bool is_shared = place.source == Source::shared;
            std::fill_n(column, padded<T>(rows),
                        is_shared ? shared[place.position + t] : static_cast<T>(place.value));
            ++k;
            continue;
        }
        read_columns(raw + place.position + t, plan.raw_width, rows, count, column, distance);
        k += count;
    }
}

/// Brings the derivatives by the raw parameters of column t, which stand as for `read_raw`, to
/// where they belong.
template <class T>
void write_slopes(const Plan& plan, const T* columns, std::int64_t distance, std::int64_t t,
                  std::int64_t rows, T* d_raw, T* d_shared) {
    const auto end = static_cast<std::int64_t>(plan.raw_places.size());
    for (std::int64_t k = 0; k < end;) {
        const RawPlace& place = plan.raw_places[static_cast<std::size_t>(k)];
        const T* const column = columns + k * distance;
        const std::int64_t count = side_by_side(plan, k, end);
        if (count == 0) {
            if (place.source == Source::shared) {
                d_shared[place.position + t] += static_cast<T>(column_sum(column, rows));
            }
            ++k;
            continue;
        }
        T* const target = d_raw + place.position + t;
        write_columns(column, distance, rows, count, target, plan.raw_width);
        k += count;
    }
}

/// Raw parameters of a block of samples, of a number known at compile time, and the derivatives by
/// them: in columns, or in rows of no other numbers.
template <class T, std::size_t count>
struct InColumns {
    const T* values;
    T* slopes;

    std::array<Lanes<T>, count> load(std::int64_t i) const {
        std::array<Lanes<T>, count> raw;
        for (std::size_t k = 0; k < count; ++k) raw[k] = Lanes<T>::load(values + at(k) + i);
        return raw;
    }
    /// by_raw(k) is the derivative by raw parameter k.
    void store(std::int64_t i, auto&& by_raw) const {
        for (std::size_t k = 0; k < count; ++k) by_raw(k).store(slopes + at(k) + i);
    }
    static std::int64_t at(std::size_t k) { return static_cast<std::int64_t>(k) * summed_rows; }
};
template <class T, std::size_t count>
struct InRows {
    const T* values;
    T* slopes;

    static constexpr auto width = static_cast<std::int64_t>(count);

    auto load(std::int64_t i) const { return load_rows<T, width>(values + i * width); }
    void store(std::int64_t i, const auto& by_raw) const {
        store_rows<T, width>(by_raw, slopes + i * width);
    }
};

/// Raw parameters where the plan has them.
template <class T, std::size_t count>
class Placed {
  public:
    explicit Placed(const Batch<T>& batch)
        : batch_(batch),
          are_rows_(batch.plan.raw_width == end && side_by_side(batch.plan, 0, end) == end) {}

    /// Calls use(raw parameters of column t) for a block and brings the derivatives back.
    auto visit(std::int64_t begin, std::int64_t rows, std::int64_t t, const T*, auto&& use) {
        const Plan& plan = batch_.plan;
        const T* const raw = batch_.raw + begin * plan.raw_width;
        T* const d_raw = batch_.d_raw ? batch_.d_raw + begin * plan.raw_width : nullptr;
        if constexpr (has_shuffles<T> || count == 1) {
            if (are_rows_ && rows == padded<T>(rows)) return use(InRows<T, count>{raw, d_raw});
        }
        read_raw(plan, batch_.shared, raw, t, rows, values_, summed_rows);
        const auto result = use(InColumns<T, count>{values_, slopes_});
        if (d_raw) {
            write_slopes(plan, slopes_, summed_rows, t, rows, d_raw, batch_.d_shared);
        }
        return result;
    }

  private:
    static constexpr auto end = static_cast<std::int64_t>(count);

    const Batch<T>& batch_;
    bool are_rows_;
    alignas(64) T values_[count * summed_rows], slopes_[count * summed_rows];
};

}  // namespace likely::kernels_detail
