// Copies of the parts of operands that tiles cannot read well where they stand.
//
// Why: a tile reads a row of b at a time, so a transposed b has to be turned; and what stands a
// page apart shares a few sets of the first cache, which cannot hold it. All else is read in place:
// to copy it first costs more than it brings, even where it comes from the third cache.
#pragma once

#include <cstring>

#include "tiles.hpp"

namespace likely::tiles {

/// Numbers that `copy_left` needs for each depth.
template <class T>
constexpr std::int64_t copied_column(std::int64_t rows) {
    constexpr std::int64_t line = 64 / sizeof(T);
    return ((rows + line - 1) / line | 1) * line;  // an odd number of lines: spread over all sets
}

/// Whether numbers so far apart share few sets.
template <class T>
bool crowded(std::int64_t distance) {
    return distance * std::int64_t{sizeof(T)} % crowding == 0;
}

/// Columns of contiguous rows.
template <class T>
LeftOperand<T> copy_left(const LeftOperand<T>& a, std::int64_t rows, std::int64_t depth, T* out) {
    const std::int64_t distance = copied_column<T>(rows);
    for (std::int64_t k = 0; k < depth; ++k)
        std::memcpy(out + k * distance, a.at + k * a.depth,
                    static_cast<std::size_t>(rows) * sizeof(T));
    return {out, 1, distance};
}

/// Rows of b, `padded` numbers each.
template <class T>
void copy_right(const RightOperand<T>& b, std::int64_t depth, std::int64_t columns,
                std::int64_t padded, T* out) {
    using V = Lanes<T>;
    const std::int64_t last = padded - V::size;
    const Tail<T> tail(columns - last);
    const T* from = b.at;
    for (std::int64_t k = 0; k < depth; ++k, from += b.stride, out += padded) {
        for (std::int64_t j = 0; j < last; j += V::size) V::load(from + j).store(out + j);
        tail.load(from + last).store(out + last);
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as a template's argument
#endif
/// The same of a transposed b.
template <class T>
void turn_right(const RightOperand<T>& b, std::int64_t depth, std::int64_t columns,
                std::int64_t padded, T* out) {
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

}  // namespace likely::tiles
