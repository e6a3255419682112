// Rows of a matrix to columns of whole registers and back.
//
// Why: moved one by one, raw parameters and their derivatives cost as much as the exponentials of a
// likelihood. Here 16 bytes of a row move at once: registers take those of 4, 8 or 16 rows (2, 4 or
// 8 in double precision) and are transposed inside of each 16 bytes, where shuffles are cheapest.
//
// Contract: `count` columns that begin at `rows`, `stride` numbers from row to row; column c stands
// at `columns + c * distance`. Both functions return how many rows they moved: whole registers, or
// none where `count` is too small, or where compiler or processor have no such shuffles.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "lanes.hpp"

namespace likely::kernels_detail {

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define LIKELY_SHUFFLES
#endif
#endif

#ifdef LIKELY_SHUFFLES

template <class T>
inline constexpr std::int64_t chunk = 16 / sizeof(T);  ///< numbers in 16 bytes

/// Element i of the result is number index(i) of a and b one after the other.
template <class T, class Index>
Lanes<T> shuffled(Lanes<T> a, Lanes<T> b, Index) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> Lanes<T> {
        return {__builtin_shufflevector(a.v, b.v, Index{}(static_cast<int>(I))...)};
    }(std::make_index_sequence<Lanes<T>::size>{});
}

/// A register of 16 bytes each from so many rows, and back. (Copied into memory piece by piece,
/// they would wait for each other.)
template <class T, std::int64_t size = Lanes<T>::size>
auto gathered(const T* source, std::int64_t distance) {
    typedef T Part __attribute__((vector_size(sizeof(T) * size)));
    if constexpr (size == chunk<T>) {
        Part part;
        std::memcpy(&part, source, sizeof(part));
        return part;
    } else {
        const auto low = gathered<T, size / 2>(source, distance);
        const auto high = gathered<T, size / 2>(source + size / 2 * distance, distance);
        return [&]<std::size_t... I>(std::index_sequence<I...>) -> Part {
            return __builtin_shufflevector(low, high, static_cast<int>(I)...);
        }(std::make_index_sequence<size>{});
    }
}
template <class T, std::size_t... I>
void scatter(Lanes<T> from, T* target, std::int64_t distance, std::index_sequence<I...>) {
    typedef T Part __attribute__((vector_size(16)));
    const auto part = [&]<std::size_t... J>(auto first, std::index_sequence<J...>) -> Part {
        return __builtin_shufflevector(from.v, from.v, static_cast<int>(first() + J)...);
    };
    const auto store = [&](auto first) {
        const Part value = part(first, std::make_index_sequence<chunk<T>>{});
        std::memcpy(target + static_cast<std::int64_t>(first()) * distance, &value, sizeof(value));
    };
    (store(std::integral_constant<std::size_t, I * chunk<T>>{}), ...);
}

/// The lower halves (or the upper ones) of the 16 bytes of a and b, number by number.
template <class T, int half>
Lanes<T> interleaved(Lanes<T> a, Lanes<T> b) {
    constexpr int c = chunk<T>, size = Lanes<T>::size;
    return shuffled(
        a, b, [](int i) constexpr { return i / c * c + half * c / 2 + i % c / 2 + i % 2 * size; });
}

/// As many registers as 16 bytes have numbers, transposed in each 16 bytes.
template <class T>
void transpose(Lanes<T> (&r)[chunk<T>]) {
    if constexpr (chunk<T> == 2) {
        const Lanes<T> low = interleaved<T, 0>(r[0], r[1]);
        r[1] = interleaved<T, 1>(r[0], r[1]);
        r[0] = low;
    } else {
        const Lanes<T> a = interleaved<T, 0>(r[0], r[2]), b = interleaved<T, 1>(r[0], r[2]);
        const Lanes<T> c = interleaved<T, 0>(r[1], r[3]), d = interleaved<T, 1>(r[1], r[3]);
        r[0] = interleaved<T, 0>(a, c);
        r[1] = interleaved<T, 1>(a, c);
        r[2] = interleaved<T, 0>(b, d);
        r[3] = interleaved<T, 1>(b, d);
    }
}

/// Calls block(i, c) for rows i and columns c, so that blocks of a register's rows by a chunk's
/// columns cover all; the last may overlap the one before.
template <class T>
std::int64_t for_blocks(std::int64_t rows, std::int64_t count, auto&& block) {
    const std::int64_t whole = rows / Lanes<T>::size * Lanes<T>::size;
    for (std::int64_t i = 0; i < whole; i += Lanes<T>::size) {
        for (std::int64_t c = 0; c + chunk<T> < count; c += chunk<T>) block(i, c);
        block(i, count - chunk<T>);
    }
    return whole;
}

/// Numbers in pairs: the first ones, or the second ones.
template <class T, int second>
Lanes<T> every_other(Lanes<T> a, Lanes<T> b) {
    return shuffled(a, b, [](int i) constexpr { return 2 * i + second; });
}

/// The lower or the upper half of a and b in pairs.
template <class T, int half>
Lanes<T> paired(Lanes<T> a, Lanes<T> b) {
    constexpr int size = Lanes<T>::size;
    return shuffled(a, b, [](int i) constexpr { return half * size / 2 + i / 2 + i % 2 * size; });
}

template <class T>
std::int64_t rows_to_columns(const T* rows, std::int64_t stride, std::int64_t row_count,
                             std::int64_t count, T* columns, std::int64_t distance) {
    using V = Lanes<T>;
    if constexpr (V::size >= chunk<T>) {
        if (count == 2 && stride == 2) {
            const std::int64_t whole = row_count / V::size * V::size;
            for (std::int64_t i = 0; i < whole; i += V::size) {
                const V a = V::load(rows + 2 * i), b = V::load(rows + 2 * i + V::size);
                every_other<T, 0>(a, b).store(columns + i);
                every_other<T, 1>(a, b).store(columns + distance + i);
            }
            return whole;
        }
        if (count >= chunk<T>) {
            return for_blocks<T>(row_count, count, [&](std::int64_t i, std::int64_t c) {
                V r[chunk<T>];
                for (std::int64_t k = 0; k < chunk<T>; ++k) {
                    r[k] = gathered(rows + (i + k) * stride + c, stride);
                }
                transpose<T>(r);
                for (std::int64_t k = 0; k < chunk<T>; ++k) {
                    r[k].store(columns + (c + k) * distance + i);
                }
            });
        }
    }
    return 0;
}

template <class T>
std::int64_t columns_to_rows(const T* columns, std::int64_t distance, std::int64_t row_count,
                             std::int64_t count, T* rows, std::int64_t stride) {
    using V = Lanes<T>;
    if constexpr (V::size >= chunk<T>) {
        if (count == 2 && stride == 2) {
            const std::int64_t whole = row_count / V::size * V::size;
            for (std::int64_t i = 0; i < whole; i += V::size) {
                const V a = V::load(columns + i), b = V::load(columns + distance + i);
                paired<T, 0>(a, b).store(rows + 2 * i);
                paired<T, 1>(a, b).store(rows + 2 * i + V::size);
            }
            return whole;
        }
        if (count >= chunk<T>) {
            return for_blocks<T>(row_count, count, [&](std::int64_t i, std::int64_t c) {
                V r[chunk<T>];
                for (std::int64_t k = 0; k < chunk<T>; ++k) {
                    r[k] = V::load(columns + (c + k) * distance + i);
                }
                transpose<T>(r);
                for (std::int64_t k = 0; k < chunk<T>; ++k) {
                    scatter(r[k], rows + (i + k) * stride + c, stride,
                            std::make_index_sequence<V::size / chunk<T>>{});
                }
            });
        }
    }
    return 0;
}

#else

template <class T>
std::int64_t rows_to_columns(const T*, std::int64_t, std::int64_t, std::int64_t, T*, std::int64_t) {
    return 0;
}
template <class T>
std::int64_t columns_to_rows(const T*, std::int64_t, std::int64_t, std::int64_t, T*, std::int64_t) {
    return 0;
}

#endif

}  // namespace likely::kernels_detail
