// Rows of numbers to columns of whole registers and back.
//
// Why: moved one by one, raw parameters and their derivatives cost as much as the exponentials of a
// likelihood. Here 16 bytes of a row move at once: registers take those of 4, 8 or 16 rows (2, 4 or
// 8 in double precision) and are transposed inside of each 16 bytes, where shuffles are cheapest.
//
// Contract: `load_rows` and `store_rows` move as many rows as a register has lanes, of a number of
// columns known at compile time; `rows_to_columns` and `columns_to_rows` `count` columns that begin
// at `rows`, `stride` numbers from row to row, column c at `columns + c * distance`. The last two
// return how many rows they moved: whole registers, or none where `count` is too small, or where
// compiler or processor have no such shuffles.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "lanes.hpp"

namespace likely::kernels_detail {

template <class T>
inline constexpr std::int64_t chunk = 16 / sizeof(T);  ///< numbers in 16 bytes

/// use(0), use(1), ..., use(count - 1) with constants, without a loop: in one that is not unrolled
/// an array of registers goes through memory.
template <std::int64_t count>
void unrolled(auto&& use) {
    [&]<std::int64_t... k>(std::integer_sequence<std::int64_t, k...>) {
        (use(std::integral_constant<std::int64_t, k>{}), ...);
    }(std::make_integer_sequence<std::int64_t, count>{});
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define LIKELY_SHUFFLES
#endif
#endif

#ifdef LIKELY_SHUFFLES

template <class T>
inline constexpr bool has_shuffles = Lanes<T>::size >= chunk<T>;

/// Element i of the result is number index(i) of a and b one after the other.
template <class T, class Index>
Lanes<T> shuffled(Lanes<T> a, Lanes<T> b, Index) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> Lanes<T> {
        return {__builtin_shufflevector(a.v, b.v, Index{}(static_cast<int>(I))...)};
    }(std::make_index_sequence<Lanes<T>::size>{});
}

/// A register of 16 bytes each from at(row), at(row + chunk), ... (Copied into memory piece by
/// piece, they would wait for each other.)
template <class T, std::int64_t size = Lanes<T>::size>
auto gathered(const auto& at, std::int64_t row) {
    typedef T Part __attribute__((vector_size(sizeof(T) * size)));
    if constexpr (size == chunk<T>) {
        Part part;
        std::memcpy(&part, at(row), sizeof(part));
        return part;
    } else {
        const auto low = gathered<T, size / 2>(at, row);
        const auto high = gathered<T, size / 2>(at, row + size / 2);
        return [&]<std::size_t... I>(std::index_sequence<I...>) -> Part {
            return __builtin_shufflevector(low, high, static_cast<int>(I)...);
        }(std::make_index_sequence<size>{});
    }
}
/// The inverse: put(row, 16 bytes), put(row + chunk, 16 bytes), ...
template <class T>
void scatter(Lanes<T> from, std::int64_t row, const auto& put) {
    typedef T Part __attribute__((vector_size(16)));
    const auto part = [&]<std::size_t... I>(auto first, std::index_sequence<I...>) -> Part {
        return __builtin_shufflevector(from.v, from.v, static_cast<int>(first() + I)...);
    };
    unrolled<Lanes<T>::size / chunk<T>>([&](auto k) {
        constexpr std::integral_constant<std::size_t, k() * chunk<T>> first{};
        put(row + k() * chunk<T>, part(first, std::make_index_sequence<chunk<T>>{}));
    });
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

/// Of three registers with rows of three numbers: number `part` where column c has it there, else
/// what `others` has. No two numbers of a column have the same place in a register.
template <class T, int c, int part>
Lanes<T> with_third(Lanes<T> others, const T* rows) {
    constexpr int size = Lanes<T>::size;
    return shuffled(others, Lanes<T>::load(rows + part * size), [](int lane) constexpr {
        for (int i = c; i < 3 * size; i += 3) {
            if (i % size == lane && i / size == part) return lane + size;
        }
        return lane;
    });
}

/// Column c of as many rows of three numbers as a register has lanes.
template <class T, int c>
Lanes<T> every_third(const T* rows) {
    constexpr int size = Lanes<T>::size;
    const auto all = with_third<T, c, 2>(with_third<T, c, 1>(Lanes<T>::load(rows), rows), rows);
    return shuffled(all, all, [](int i) constexpr { return (3 * i + c) % size; });
}

/// The inverse begins with each number of column c at its place in a register;
template <class T, int c>
Lanes<T> spread(Lanes<T> column) {
    constexpr int size = Lanes<T>::size;
    return shuffled(column, column, [](int lane) constexpr {
        int row = 0;
        while ((3 * row + c) % size != lane) ++row;
        return row;
    });
}
/// then of three such columns each register takes the lanes that are its own.
template <class T, int part>
Lanes<T> joined(Lanes<T> first, Lanes<T> second, Lanes<T> third) {
    constexpr int size = Lanes<T>::size;
    const auto two = shuffled(first, second, [](int lane) constexpr {
        return (part * size + lane) % 3 == 1 ? lane + size : lane;
    });
    return shuffled(two, third, [](int lane) constexpr {
        return (part * size + lane) % 3 == 2 ? lane + size : lane;
    });
}

#else

template <class T>
inline constexpr bool has_shuffles = false;

#endif

/// use(c) for the first columns c of chunks that cover `count` columns; the last may overlap the
/// one before.
template <class T, std::int64_t count>
void for_chunks(auto&& use) {
    unrolled<(count + chunk<T> - 1) / chunk<T>>([&](auto k) {
        use(std::integral_constant<std::int64_t, std::min(k() * chunk<T>, count - chunk<T>)>{});
    });
}

/// The columns of as many rows as a register has lanes; row number r stands at at(r).
template <class T, std::int64_t count, class At>
std::array<Lanes<T>, count> load_rows(const At& at) {
    std::array<Lanes<T>, count> column;
    if constexpr (has_shuffles<T> && count >= chunk<T>) {
        for_chunks<T, count>([&](auto begin) {
            Lanes<T> r[chunk<T>];
            unrolled<chunk<T>>([&](auto k) {
                r[k] = gathered<T>([&](std::int64_t row) { return at(row) + begin; }, k);
            });
            transpose<T>(r);
            unrolled<chunk<T>>([&](auto k) { column[begin + k] = r[k]; });
        });
    } else {
        for (std::int64_t row = 0; row < Lanes<T>::size; ++row) {
            for (std::int64_t k = 0; k < count; ++k) {
                column[static_cast<std::size_t>(k)].v[row] = at(row)[k];
            }
        }
    }
    return column;
}
/// The inverse, of the registers column(0), column(1), ...: put(row, c, numbers) for the numbers of
/// a row from column c on, which may come twice.
template <class T, std::int64_t count>
void store_rows(const auto& column, const auto& put) {
    if constexpr (has_shuffles<T> && count >= chunk<T>) {
        for_chunks<T, count>([&](auto begin) {
            Lanes<T> r[chunk<T>];
            unrolled<chunk<T>>([&](auto k) { r[k] = column(begin + k); });
            transpose<T>(r);
            unrolled<chunk<T>>([&](auto k) {
                scatter<T>(r[k], k, [&](std::int64_t row, auto part) { put(row, begin(), part); });
            });
        });
    } else {
        for (std::int64_t row = 0; row < Lanes<T>::size; ++row) {
            for (std::int64_t k = 0; k < count; ++k) put(row, k, T(column(k).v[row]));
        }
    }
}

/// The same of rows that stand one after the other.
template <class T, std::int64_t count>
std::array<Lanes<T>, count> load_rows(const T* rows) {
    if constexpr (count == 1) {
        return {Lanes<T>::load(rows)};
    } else if constexpr (has_shuffles<T> && count == 2) {
        const auto first = Lanes<T>::load(rows), second = Lanes<T>::load(rows + Lanes<T>::size);
        return {every_other<T, 0>(first, second), every_other<T, 1>(first, second)};
    } else if constexpr (has_shuffles<T> && count == 3) {
        return {every_third<T, 0>(rows), every_third<T, 1>(rows), every_third<T, 2>(rows)};
    } else {
        return load_rows<T, count>([=](std::int64_t row) { return rows + row * count; });
    }
}
template <class T, std::int64_t count>
void store_rows(const auto& column, T* rows) {
    if constexpr (count == 1) {
        column(0).store(rows);
    } else if constexpr (has_shuffles<T> && count == 2) {
        const Lanes<T> first = column(0), second = column(1);
        paired<T, 0>(first, second).store(rows);
        paired<T, 1>(first, second).store(rows + Lanes<T>::size);
    } else if constexpr (has_shuffles<T> && count == 3) {
        const auto first = spread<T, 0>(column(0)), second = spread<T, 1>(column(1));
        const auto third = spread<T, 2>(column(2));
        joined<T, 0>(first, second, third).store(rows);
        joined<T, 1>(first, second, third).store(rows + Lanes<T>::size);
        joined<T, 2>(first, second, third).store(rows + 2 * Lanes<T>::size);
    } else {
        store_rows<T, count>(column, [=](std::int64_t row, std::int64_t c, auto numbers) {
            std::memcpy(rows + row * count + c, &numbers, sizeof(numbers));
        });
    }
}

/// Calls block(i, c) for rows i and columns c, so that blocks of a register's rows by a chunk's
/// columns cover all; the last may overlap the one before.
template <class T>
void for_blocks(std::int64_t rows, std::int64_t count, auto&& block) {
    for (std::int64_t i = 0; i < rows; i += Lanes<T>::size) {
        for (std::int64_t c = 0; c + chunk<T> < count; c += chunk<T>) block(i, c);
        block(i, count - chunk<T>);
    }
}

template <std::int64_t number>
inline constexpr std::integral_constant<std::int64_t, number> constant{};

// Flattened: what captures the strides is to keep them in registers.
template <class T>
LIKELY_FLATTEN std::int64_t rows_to_columns(const T* rows, std::int64_t stride,
                                            std::int64_t row_count, std::int64_t count, T* columns,
                                            std::int64_t distance) {
    constexpr std::int64_t size = Lanes<T>::size;
    if constexpr (has_shuffles<T>) {
        const std::int64_t whole = row_count / size * size;
        const auto move_dense = [=](auto dense) {
            for (std::int64_t i = 0; i < whole; i += size) {
                const auto column = load_rows<T, dense()>(rows + i * dense);
                unrolled<dense()>([&](auto k) { column[k].store(columns + k * distance + i); });
            }
            return whole;
        };
        if (count == 2 && stride == 2) return move_dense(constant<2>);
        if (count == 3 && stride == 3) return move_dense(constant<3>);
        if (count >= chunk<T>) {
            for_blocks<T>(whole, count, [=](std::int64_t i, std::int64_t c) {
                const auto column = load_rows<T, chunk<T>>(
                    [=](std::int64_t row) { return rows + (i + row) * stride + c; });
                unrolled<chunk<T>>(
                    [&](auto k) { column[k].store(columns + (c + k) * distance + i); });
            });
            return whole;
        }
    }
    return 0;
}

template <class T>
LIKELY_FLATTEN std::int64_t columns_to_rows(const T* columns, std::int64_t distance,
                                            std::int64_t row_count, std::int64_t count, T* rows,
                                            std::int64_t stride) {
    constexpr std::int64_t size = Lanes<T>::size;
    if constexpr (has_shuffles<T>) {
        const std::int64_t whole = row_count / size * size;
        const auto column_at = [=](std::int64_t i, std::int64_t c) {
            return [=](std::int64_t k) { return Lanes<T>::load(columns + (c + k) * distance + i); };
        };
        const auto move_dense = [=](auto dense) {
            for (std::int64_t i = 0; i < whole; i += size) {
                store_rows<T, dense()>(column_at(i, 0), rows + i * dense);
            }
            return whole;
        };
        if (count == 2 && stride == 2) return move_dense(constant<2>);
        if (count == 3 && stride == 3) return move_dense(constant<3>);
        if (count >= chunk<T>) {
            for_blocks<T>(whole, count, [=](std::int64_t i, std::int64_t c) {
                store_rows<T, chunk<T>>(
                    column_at(i, c), [=](std::int64_t row, std::int64_t, auto numbers) {
                        std::memcpy(rows + (i + row) * stride + c, &numbers, sizeof(numbers));
                    });
            });
            return whole;
        }
    }
    return 0;
}

}  // namespace likely::kernels_detail
