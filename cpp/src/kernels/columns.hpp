// Samples in blocks, for the likelihood.
//
// Why: raw parameters stand in rows, vector registers want columns. A block of 256 samples is
// brought into one contiguous column for each raw parameter, so that every family is a loop over
// whole registers. Sums run over these blocks in order.
//
// Contract: the numbers behind the last sample of a block are zeros (constants repeat).
#pragma once

#include <algorithm>
#include <cstdint>

#include "../plan.hpp"
#include "lanes.hpp"
#include "transpose.hpp"

namespace likely::kernels_detail {

inline constexpr std::int64_t block_rows = 256;

/// How many numbers of a column are read or written for so many rows: whole registers.
template <class T>
std::int64_t padded(std::int64_t rows) {
    return (rows + Lanes<T>::size - 1) / Lanes<T>::size * Lanes<T>::size;
}

template <class T>
struct alignas(64) Column {
    T values[block_rows];

    Lanes<T> lanes(std::int64_t i) const { return Lanes<T>::load(values + i); }
};

template <class T>
void read_column(const T* source, std::int64_t stride, std::int64_t rows, T* column) {
    for (std::int64_t i = 0; i < rows; ++i) column[i] = source[i * stride];
    std::fill(column + rows, column + padded<T>(rows), T(0));
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
        const T* const source = raw + place.position + t;
        const std::int64_t done =
            rows_to_columns(source, plan.raw_width, rows, count, column, distance);
        for (std::int64_t c = 0; c < count; ++c) {
            read_column(source + c + done * plan.raw_width, plan.raw_width, rows - done,
                        column + c * distance + done);
        }
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
                double sum = 0;
                for (std::int64_t i = 0; i < rows; ++i) sum += static_cast<double>(column[i]);
                d_shared[place.position + t] += static_cast<T>(sum);
            }
            ++k;
            continue;
        }
        T* const target = d_raw + place.position + t;
        const std::int64_t done =
            columns_to_rows(column, distance, rows, count, target, plan.raw_width);
        for (std::int64_t c = 0; c < count; ++c) {
            for (std::int64_t i = done; i < rows; ++i) {
                target[i * plan.raw_width + c] = column[c * distance + i];
            }
        }
        k += count;
    }
}

}  // namespace likely::kernels_detail
