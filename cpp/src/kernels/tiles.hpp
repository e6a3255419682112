// Tiles of a matrix product: a block of the result stays in registers while depth runs.
//
// Why: a library's product copies both operands into blocks first, which costs a tenth of the time
// at the sizes of a training step. A tile needs no copy: it reads a register of b's row where it
// stands (a ragged last one under a mask) and broadcasts a's elements by loads, and both keep up
// with the multiply-adds even from the second cache.
//
// Contract: c (rows x columns, C-order) = start + a b. Every element is a sum over parts of depth
// (equal ones of at most `deepest`, or halves), in order, each one chain of multiply-adds from zero
// in order of depth: how rows and columns are cut changes no bit. Nothing is read or written
// outside of the matrices.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "blocking.hpp"
#include "likely/activations.hpp"
#include "tail.hpp"

namespace likely::tiles {

/// a(i, k) = at[i * row + k * depth].
template <class T>
struct LeftOperand {
    const T* at;
    std::int64_t row, depth;

    LeftOperand from(std::int64_t i, std::int64_t k) const {
        return {at + i * row + k * depth, row, depth};
    }
};

/// b(k, j) = at[k * stride + j], or at[j * stride + k] if transposed.
template <class T>
struct RightOperand {
    const T* at;
    std::int64_t stride;
    bool transposed;

    RightOperand from(std::int64_t k, std::int64_t j) const {
        return {at + (transposed ? j * stride + k : k * stride + j), stride, transposed};
    }
    T operator()(std::int64_t k, std::int64_t j) const {
        return transposed ? at[j * stride + k] : at[k * stride + j];
    }
};

/// What is added to the sums: what stands in c, else a row of biases, else nothing.
template <class T>
struct Start {
    bool accumulate = false;
    const T* bias = nullptr;

    Start from(std::int64_t j) const { return {accumulate, bias ? bias + j : nullptr}; }
};

/// What happens to a result before it is stored: a rectifier, or what a rectifier's derivative does
/// to the gradient by its value.
template <class T>
struct Finish {
    bool rectify = false;
    const T* values = nullptr;  ///< of a rectifier, placed as c is

    explicit operator bool() const { return rectify || values; }
};

#if defined(__AVX512F__)
inline constexpr int registers = 32, widest = widest_of_32;
inline constexpr int widest_by_columns = widest_of_32_by_columns;
#else
inline constexpr int registers = 16, widest = widest_of_16;
inline constexpr int widest_by_columns = widest_of_16_by_columns;
#endif
static_assert(widest_by_columns <= widest);

/// How much of depth is computed at a time: parts as long as each other, since each reads and
/// writes the result. It must not follow from the rows, which threads cut.
constexpr std::int64_t part_of(std::int64_t depth) {
    const std::int64_t parts = (depth + deepest - 1) / deepest;
    return ((depth + parts - 1) / parts + 7) / 8 * 8;
}

/// Rows of a tile: registers hold its sums, a row of b and an element of a. With the sums of b's
/// columns besides, there are fewer.
inline constexpr int highest = 8;
template <int Columns, bool Sums = false>
inline constexpr int rows_of_tile = std::min(highest, (registers - 1) / Columns - (Sums ? 2 : 1));

/// Rows that will be read soon: brought near a few at a time, while tiles compute.
template <class T>
struct Ahead {
    const T* at = nullptr;
    std::int64_t rows = 0, columns = 0, stride = 0;

    void fetch(std::int64_t count) {
        constexpr std::int64_t line = 64 / sizeof(T);
        for (; count > 0 && rows > 0; --count, --rows, at += stride) {
            for (std::int64_t j = 0; j < columns; j += line) __builtin_prefetch(at + j);
            __builtin_prefetch(at + columns - 1);
        }
    }
};

/// The part of c that a panel of tiles covers, and what goes into it.
template <class T>
struct Panel {
    std::int64_t depth;
    const T* b;
    std::int64_t b_stride;
    Start<T> start;
    Finish<T> finish;  ///< begins where c does
    T* sums;           ///< where the sums of b's columns go, or null
    std::int64_t c_stride;
    std::int64_t last;    ///< real columns in the last register
    bool is_far = false;  ///< c is not in a near cache
    Ahead<T> next = {};   ///< rows of b that the next panel needs
};

/// Rows x (Columns registers) of c, and, if `Sums`, the sums of b's columns; the last register of
/// columns is loaded and stored by an Edge.
template <int Rows, int Columns, bool Sums, class Edge, class T>
[[gnu::noinline]] void tile(const Panel<T>& panel, const T* left, std::int64_t a_row,
                            std::int64_t a_depth, T* c, std::int64_t offset) {
    using V = Lanes<T>;
    constexpr std::int64_t last = (Columns - 1) * V::size;
    V sum[Rows][Columns];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
        for (int j = 0; j < Columns; ++j) sum[i][j] = V(0.0);
    }
    V column[Columns];
    for (int j = 0; j < Columns; ++j) column[j] = V(0.0);
    const Edge edge(panel.last);
    const T* b = panel.b;
    const std::int64_t b_stride = panel.b_stride, depth = panel.depth;
    for (std::int64_t k = 0; k < depth; ++k) {
        V row[Columns];
        for (int j = 0; j < Columns - 1; ++j) row[j] = V::load(b + j * V::size);
        row[Columns - 1] = edge.load(b + last);
        if constexpr (Sums) {
            for (int j = 0; j < Columns; ++j) column[j] = column[j] + row[j];
        }
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
            // Broadcast by the load itself: as zeros plus a number it would cost an addition.
            const V factor =
                V::from_packet(Eigen::internal::pload1<typename V::Packet>(left + i * a_row));
            for (int j = 0; j < Columns; ++j) sum[i][j] = sum[i][j] + factor * row[j];
        }
        left += a_depth;
        b += b_stride;
    }
    if constexpr (Sums) {
        T* const to = panel.sums;
        const bool known = panel.start.accumulate;
        for (int j = 0; j < Columns - 1; ++j)
            (known ? V::load(to + j * V::size) + column[j] : column[j]).store(to + j * V::size);
        edge.store(known ? edge.load(to + last) + column[Columns - 1] : column[Columns - 1],
                   to + last);
    }
    const std::int64_t c_stride = panel.c_stride;
    c += offset;
    if (const T* const base = panel.start.accumulate ? c : panel.start.bias) {
        const std::int64_t base_stride = panel.start.accumulate ? c_stride : 0;
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
            const T* const from = base + i * base_stride;
            for (int j = 0; j < Columns - 1; ++j)
                sum[i][j] = V::load(from + j * V::size) + sum[i][j];
            sum[i][Columns - 1] = edge.load(from + last) + sum[i][Columns - 1];
        }
    }
    if (panel.finish.rectify) {
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
            for (int j = 0; j < Columns; ++j) sum[i][j] = ReLU{}.value(sum[i][j]);
        }
    }
    if (const T* const values = panel.finish.values) {
#pragma GCC unroll 16
        for (int i = 0; i < Rows; ++i) {
            const T* const from = values + offset + i * c_stride;
            for (int j = 0; j < Columns - 1; ++j)
                sum[i][j] = sum[i][j] * ReLU{}.derivative(sum[i][j], V::load(from + j * V::size));
            V& edge_sum = sum[i][Columns - 1];
            edge_sum = edge_sum * ReLU{}.derivative(edge_sum, edge.load(from + last));
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
        T* const to = c + i * c_stride;
        for (int j = 0; j < Columns - 1; ++j) sum[i][j].store(to + j * V::size);
        edge.store(sum[i][Columns - 1], to + last);
    }
}

/// All rows of a panel, with sums `highest` or more; its part of c begins at c + offset.
template <int Columns, class T>
void run_panel(const Panel<T>& panel, std::int64_t rows, const LeftOperand<T>& a, T* c,
               std::int64_t offset) {
    using Tile = void (*)(const Panel<T>&, const T*, std::int64_t, std::int64_t, T*, std::int64_t);
    using WholeEdge = std::conditional_t<masks_are_free, Tail<T>, Whole<T>>;
    constexpr int most = rows_of_tile<Columns>, summing = rows_of_tile<Columns, true>;
    static constexpr auto tiles_with = []<class Edge, int... I>(std::type_identity<Edge>,
                                                                std::integer_sequence<int, I...>) {
        return std::array<Tile, sizeof...(I)>{tile<I + 1, Columns, false, Edge, T>...};
    };
    using Heights = std::make_integer_sequence<int, most>;
    static constexpr auto ragged = tiles_with(std::type_identity<Tail<T>>{}, Heights{});
    static constexpr auto whole = tiles_with(std::type_identity<WholeEdge>{}, Heights{});
    const bool is_whole = panel.last == Lanes<T>::size;
    std::int64_t i = 0;
    if (panel.sums) {
        (is_whole
             ? tile<summing, Columns, true, WholeEdge, T>
             : tile<summing, Columns, true, Tail<T>, T>)(panel, a.at, a.row, a.depth, c, offset);
        i = summing;
    }
    const auto& tiles = is_whole ? whole : ragged;
    Ahead<T> next = panel.next;
    for (std::int64_t pieces = (rows - i + most - 1) / most; i < rows; --pieces) {
        const std::int64_t count = (rows - i + pieces - 1) / pieces;
        if (panel.is_far) {
            const std::int64_t at = offset + i * panel.c_stride, width = Columns * Lanes<T>::size;
            Ahead<T>{c + at, count, width, panel.c_stride}.fetch(count);
            if (panel.finish.values)
                Ahead<T>{panel.finish.values + at, count, width, panel.c_stride}.fetch(count);
            next.fetch((next.rows + pieces - 1) / pieces);
        }
        tiles[static_cast<std::size_t>(count - 1)](panel, a.at + i * a.row, a.row, a.depth, c,
                                                   offset + i * panel.c_stride);
        i += count;
    }
}

}  // namespace likely::tiles
