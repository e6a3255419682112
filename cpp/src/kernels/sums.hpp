// The sums of the columns of a matrix.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tiles.hpp"

namespace likely::tiles {

/// sums[j] (+)= the sum of column j: over blocks of rows, in order, as a product with
/// ones.
template <class T>
void add_rows(const T* values, std::int64_t rows, std::int64_t columns, std::int64_t stride,
              std::int64_t block, bool accumulate, T* sums) {
    using V = Lanes<T>;
    for (std::int64_t begin = 0; begin < rows; begin += block) {
        const std::int64_t count = std::min(block, rows - begin);
        std::int64_t j = 0;
        const auto take = [&]<int Count>(std::integral_constant<int, Count>, std::int64_t last) {
            const Tail<T> tail(last);
            V sum[Count];
            for (int n = 0; n < Count; ++n) sum[n] = V(0.0);
            const T* row = values + begin * stride + j;
            for (std::int64_t i = 0; i < count; ++i) {
                for (int n = 0; n < Count - 1; ++n) sum[n] = sum[n] + V::load(row + n * V::size);
                sum[Count - 1] = sum[Count - 1] + tail.load(row + (Count - 1) * V::size);
                row += stride;
            }
            T* const target = sums + j;
            const bool known = accumulate || begin > 0;
            for (int n = 0; n < Count - 1; ++n) {
                T* const to = target + n * V::size;
                (known ? V::load(to) + sum[n] : sum[n]).store(to);
            }
            T* const edge = target + (Count - 1) * V::size;
            tail.store(known ? tail.load(edge) + sum[Count - 1] : sum[Count - 1], edge);
            j += (Count - 1) * V::size + last;
        };
        while (j + 4 * V::size <= columns) take(std::integral_constant<int, 4>{}, V::size);
        while (j < columns)
            take(std::integral_constant<int, 1>{}, std::min<std::int64_t>(V::size, columns - j));
    }
}

}  // namespace likely::tiles
