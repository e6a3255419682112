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

/// The column of raw parameter k of target column t for the rows that begin at `raw`.
template <class T>
void read_raw(const Plan& plan, std::size_t k, const T* shared, const T* raw, std::int64_t t,
              std::int64_t rows, T* column) {
    const RawPlace& place = plan.raw_places[k];
    switch (place.source) {
        case Source::predicted:
            read_column(raw + place.position + t, plan.raw_width, rows, column);
            break;
        case Source::shared:
            std::fill_n(column, padded<T>(rows), shared[place.position + t]);
            break;
        case Source::fixed:
            std::fill_n(column, padded<T>(rows), static_cast<T>(place.value));
    }
}

/// Brings the derivatives by raw parameter k of target column t to where they belong.
template <class T>
void write_slopes(const Plan& plan, std::size_t k, const T* column, std::int64_t t,
                  std::int64_t rows, T* d_raw, T* d_shared) {
    const RawPlace& place = plan.raw_places[k];
    if (place.source == Source::predicted) {
        for (std::int64_t i = 0; i < rows; ++i) {
            d_raw[i * plan.raw_width + place.position + t] = column[i];
        }
    } else if (place.source == Source::shared) {
        double sum = 0;
        for (std::int64_t i = 0; i < rows; ++i) sum += static_cast<double>(column[i]);
        d_shared[place.position + t] += static_cast<T>(sum);
    }
}

}  // namespace likely::kernels_detail
