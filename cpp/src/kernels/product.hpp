// A matrix product of any size out of tiles.
//
// Why: what stands in which cache decides the speed of a large product. A block of the result and
// the parts of a and b that go into it stay in the second cache while all of depth runs; of a
// transposed b one panel at a time is turned into the first.
//
// Contract: as in tiles.hpp and narrow.hpp. `scratch` holds `scratch_size` numbers.
#pragma once

#include <cstring>

#include "narrow.hpp"
#include "sums.hpp"

namespace likely::tiles {

/// A block of the result has at most so many rows and registers of columns.
#ifdef LAB
inline std::int64_t block_rows = 256, block_registers = 24;
#else
inline constexpr std::int64_t block_rows = 256, block_registers = 24;
#endif

template <class T>
constexpr std::int64_t scratch_size() {
    return deepest * (widest * Lanes<T>::size + block_rows);
}

/// Rows a multiple of a page apart share few sets of the first cache.
template <class T>
bool crowded(std::int64_t stride) {
    return stride * std::int64_t{sizeof(T)} % 4096 == 0;
}

/// The rows of a tile side by side for each depth.
template <class T>
void pack(const LeftOperand<T>& a, std::int64_t rows, std::int64_t depth, T* out) {
    for (std::int64_t i = 0; i < rows; i += tallest) {
        const T* from = a.at + i;
        if (i + tallest <= rows) {
            for (std::int64_t k = 0; k < depth; ++k, from += a.depth, out += tallest)
                std::memcpy(out, from, tallest * sizeof(T));
        } else {
            for (std::int64_t k = 0; k < depth; ++k, from += a.depth, out += tallest)
                std::copy_n(from, rows - i, out);
        }
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as a template's argument
#endif
/// The rows of a transposed b, `padded` numbers each, zeros behind the last column.
template <class T>
void turn(const RightOperand<T>& b, std::int64_t depth, std::int64_t columns, std::int64_t padded,
          T* out) {
    using V = Lanes<T>;
    for (std::int64_t j = 0; j < padded; j += V::size) {
        const std::int64_t real = std::min<std::int64_t>(V::size, columns - j);
        for (std::int64_t k = 0; k < depth; k += V::size) {
            const std::int64_t count = std::min<std::int64_t>(V::size, depth - k);
            const T* const from = b.at + j * b.stride + k;
            Eigen::internal::PacketBlock<typename V::Packet, int{V::size}> block;
            if (real == V::size && count == V::size) {
                for (std::int64_t r = 0; r < V::size; ++r)
                    block.packet[r] = V::load(from + r * b.stride).packet();
            } else {
                const Tail<T> tail(count);
                for (std::int64_t r = 0; r < V::size; ++r)
                    block.packet[r] = (r < real ? tail.load(from + r * b.stride) : V(0.0)).packet();
            }
            Eigen::internal::ptranspose(block);
            T* const to = out + k * padded + j;
            if (count == V::size) {
                for (std::int64_t r = 0; r < V::size; ++r)
                    V::from_packet(block.packet[r]).store(to + r * padded);
            } else {
                for (std::int64_t r = 0; r < count; ++r)
                    V::from_packet(block.packet[r]).store(to + r * padded);
            }
        }
    }
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The same of one that is not transposed.
template <class T>
void gather(const RightOperand<T>& b, std::int64_t depth, std::int64_t columns, std::int64_t padded,
            T* out) {
    using V = Lanes<T>;
    const Tail<T> tail(columns - (padded - V::size));
    for (std::int64_t k = 0; k < depth; ++k) {
        const T* const from = b.at + k * b.stride;
        for (std::int64_t j = 0; j < padded - V::size; j += V::size)
            V::load(from + j).store(out + j);
        tail.load(from + padded - V::size).store(out + padded - V::size);
        out += padded;
    }
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
                T* scratch) {
    constexpr std::int64_t width = Lanes<T>::size;
    const std::int64_t registers = (columns + width - 1) / width;
    std::int64_t panels = (registers + widest - 1) / widest;
    const bool copied = b.transposed || (crowded<T>(b.stride) && rows >= 32);
    for (std::int64_t first = 0; panels > 0; --panels) {
        const std::int64_t count = (registers - first + panels - 1) / panels;
        const std::int64_t j = first * width, real = std::min(count * width, columns - j);
        Panel<T> panel{depth,  b.from(0, j).at,           b.stride, start.from(j),
                       finish, sums ? sums + j : nullptr, c_stride, real - (count - 1) * width};
        if (copied) {
            (b.transposed ? turn<T> : gather<T>)(b.from(0, j), depth, real, count * width, scratch);
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
/// a row of ones.
template <class T>
void product(std::int64_t rows, std::int64_t columns, std::int64_t depth, const LeftOperand<T>& a,
             const RightOperand<T>& b, const Start<T>& start, T* c, T* scratch,
             const Finish<T>& finish = {}, T* sums = nullptr) {
    const std::int64_t narrow = narrow_columns<T>(columns, depth), wide = columns - narrow;
    const std::int64_t width = block_registers * Lanes<T>::size;
    T* const packed = scratch + deepest * widest * Lanes<T>::size;
    const bool packs = a.row == 1 && crowded<T>(a.depth) && depth >= 16 && columns >= 256;
    // Tiles sum up what they read anyway, if they are high enough.
    const bool tiles_sum = sums && rows >= summing && !packs;
    if (sums) {
        const std::int64_t summed = tiles_sum ? wide : 0;
        add_rows(b.at + summed, depth, columns - summed, b.stride, start.accumulate, sums + summed);
    }
    for (std::int64_t i = 0; i < rows; i += block_rows) {
        const std::int64_t count = std::min(block_rows, rows - i);
        for (std::int64_t j = 0; j == 0 || j < wide; j += width) {
            const std::int64_t block = std::min(width, wide - j);
            for (std::int64_t k = 0; k < depth; k += deepest) {
                const std::int64_t part = std::min(deepest, depth - k);
                const Start<T> begin = k == 0 ? start : Start<T>{true};
                const Finish<T> end = k + deepest >= depth ? finish : Finish<T>{};
                LeftOperand<T> left = a.from(i, k);
                if (packs) {
                    pack(left, count, part, packed);
                    left = {packed, 1, tallest, true};
                }
                if (block > 0) {
                    run_panels(count, block, part, left, b.from(k, j), begin.from(j), end,
                               tiles_sum && i == 0 ? sums + j : nullptr, c, columns,
                               i * columns + j, scratch);
                }
#if defined(__AVX512F__)
                if (narrow > 0 && j + block == wide) {
                    const std::int64_t at = i * columns + wide;
                    const RightOperand<T> right = b.from(k, wide);
                    run_narrow(
                        {part, right.at, b.stride, begin.from(wide), {}, nullptr, columns, narrow},
                        count, narrow, a.from(i, k), right, c + at, scratch);
                    if (end) apply(end, at, count, narrow, columns, c);
                }
#endif
            }
        }
    }
}

}  // namespace likely::tiles
