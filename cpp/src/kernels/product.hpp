// A matrix product of any size out of tiles.
//
// Why: what stands in which cache decides the speed of a large product. A panel of b's columns, one
// part of depth, stays in the first or second cache while the rows of a block pass by it; of the
// rows of a, as many as a block has stay in the second cache for the next panel. A large result is
// in neither: what a tile will add to, and what the next panel of b begins with, is fetched
// meanwhile.
//
// Contract: as in tiles.hpp and narrow.hpp. `scratch` holds `scratch_size` numbers.
#pragma once

#include "narrow.hpp"
#include "pack.hpp"
#include "sums.hpp"

namespace likely::tiles {

/// Room for a turned panel of b and for copied columns of a.
template <class T>
constexpr std::int64_t scratch_size() {
    return deepest * (widest * Lanes<T>::size + copied_column<T>(block_rows));
}

/// A finish for columns that are computed otherwise.
template <class T>
void apply(const Finish<T>& finish, std::int64_t offset, std::int64_t rows, std::int64_t columns,
           std::int64_t stride, T* c) {
    using V = Lanes<T>;
    for (std::int64_t i = 0; i < rows; ++i, offset += stride) {
        for (std::int64_t j = 0; j < columns; j += V::size) {
            const Tail<T> tail(std::min<std::int64_t>(V::size, columns - j));
            T* const at = c + offset + j;
            V x = tail.load(at);
            if (finish.rectify) x = ReLU{}.value(x);
            if (finish.values) x = x * ReLU{}.derivative(x, tail.load(finish.values + offset + j));
            tail.store(x, at);
        }
    }
}

/// The panels of one part of depth, each as wide as the others or a register less.
template <class T>
void run_panels(std::int64_t rows, std::int64_t columns, std::int64_t depth,
                const LeftOperand<T>& a, const RightOperand<T>& b, const Start<T>& start,
                const Finish<T>& finish, T* sums, T* c, std::int64_t c_stride, std::int64_t offset,
                bool is_far, T* scratch) {
    constexpr std::int64_t width = Lanes<T>::size;
    const std::int64_t all = (columns + width - 1) / width;
    const std::int64_t most = a.row == 1 ? widest_by_columns : widest;
    std::int64_t panels = (all + most - 1) / most;
    for (std::int64_t first = 0; panels > 0; --panels) {
        const std::int64_t count = (all - first + panels - 1) / panels;
        const std::int64_t j = first * width, real = std::min(count * width, columns - j);
        Panel<T> panel{depth,  b.from(0, j).at,           b.stride, start.from(j),
                       finish, sums ? sums + j : nullptr, c_stride, real - (count - 1) * width};
        panel.is_far = is_far;
        if (is_far && panels > 1) {
            const RightOperand<T> next = b.from(0, j + real);
            const std::int64_t some = std::min(count * width, columns - j - real);
            panel.next = b.transposed ? Ahead<T>{next.at, some, depth, b.stride}
                                      : Ahead<T>{next.at, depth, some, b.stride};
        }
        if (b.transposed || (rows >= copied_from && depth <= deepest && crowded<T>(b.stride))) {
            (b.transposed ? turn_right<T> : copy_right<T>)(b.from(0, j), depth, real, count * width,
                                                           scratch);
            panel.b = scratch;
            panel.b_stride = count * width;
        }
        [&]<int... I>(std::integer_sequence<int, I...>) {
            ((count == I + 1 ? run_panel<I + 1>(panel, rows, a, c, offset + j) : void()), ...);
        }(std::make_integer_sequence<int, widest>{});
        first += count;
    }
}

/// The sums of b's columns (where it is not transposed) go to `sums` unless it is null, as those of
/// a row of ones. `first` not 0: two parts of depth, this one and the rest, of b as it stands.
template <class T>
void product(std::int64_t rows, std::int64_t columns, std::int64_t depth, const LeftOperand<T>& a,
             const RightOperand<T>& b, const Start<T>& start, T* c, T* scratch,
             const Finish<T>& finish = {}, T* sums = nullptr, std::int64_t first = 0) {
    const std::int64_t narrow = narrow_columns<T>(columns, depth), wide = columns - narrow;
    const std::int64_t deep = part_of(depth);
    T* const copied = scratch + deepest * widest * Lanes<T>::size;
    const bool is_far = rows * columns * std::int64_t{sizeof(T)} >= far_bytes;
    // Tiles sum up what they read anyway, if they are high enough.
    const bool tiles_sum = sums && rows >= highest;
    if (sums) {
        const std::int64_t summed = tiles_sum ? wide : 0;
        add_rows(b.at + summed, depth, columns - summed, b.stride, deep, start.accumulate,
                 sums + summed);
    }
    for (std::int64_t i = 0; i < rows; i += block_rows) {
        const std::int64_t count = std::min(block_rows, rows - i);
        for (std::int64_t k = 0, part = 0; k < depth; k += part) {
            part = std::min(first == 0 ? deep : k == 0 ? first : depth, depth - k);
            const Start<T> begin = k == 0 ? start : Start<T>{true};
            const Finish<T> end = k + part >= depth ? finish : Finish<T>{};
            LeftOperand<T> left = a.from(i, k);
            if (wide > 0) {
                if (a.row == 1 && crowded<T>(a.depth)) left = copy_left(left, count, part, copied);
                run_panels(count, wide, part, left, b.from(k, 0), begin, end,
                           tiles_sum && i == 0 ? sums : nullptr, c, columns, i * columns, is_far,
                           scratch);
            }
#if defined(__AVX512F__)
            if (narrow > 0) {
                const std::int64_t at = i * columns + wide;
                const RightOperand<T> right = b.from(k, wide);
                run_narrow(
                    {part, right.at, b.stride, begin.from(wide), {}, nullptr, columns, narrow},
                    count, narrow, left, right, c + at, scratch);
                if (end) apply(end, at, count, narrow, columns, c);
            }
#endif
        }
    }
}

}  // namespace likely::tiles
