// A register-tiled matrix product for the sizes of a training step.
//
// Why: below about 200 x 200 x 200 Eigen's product spends a tenth of its time copying both operands
// and works in blocks of 48 columns, which suits few layers. Here a tile of the result stays in
// registers while depth runs; of the right operand only what has to be is copied (a transposed one,
// a ragged edge, a stride that cache sets do not like), of the left one nothing.
//
// Contract: c (rows x columns, C-order) = start + a b. Every element is a sum over parts of 256
// depths, in order, each a chain of multiply-adds from zero in order of depth, however rows are
// cut. The last few columns, up to a quarter of a register, are computed four rows or four depths a
// register; the latter, where rows of a are contiguous, are four chains. `scratch` holds
// `scratch_size` numbers. Nothing is read outside of the matrices.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "lanes.hpp"

namespace likely::tiles {

/// a(i, k) = at[i * row + k * depth]; one of the two strides is 1.
template <class T>
struct LeftOperand {
    const T* at;
    std::int64_t row, depth;
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

#if defined(__AVX512F__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = 16;
#endif
/// Registers that hold sums; the others hold a row of b and an element of a.
inline constexpr int sums = registers * 3 / 4;
/// A tile has at most so many registers of columns.
inline constexpr int widest = registers == 32 ? 4 : 3;
/// So many numbers of depth are taken at a time, so that their part of b stays in the first cache.
inline constexpr std::int64_t deepest = 256;

template <class T>
constexpr std::int64_t scratch_size() {
    return deepest * widest * Lanes<T>::size;
}

/// Writes the sums of a register of columns.
template <class T>
[[gnu::always_inline]] inline void finish(Lanes<T> sum, const T* base, T* c) {
    (base ? Lanes<T>::load(base) + sum : sum).store(c);
}

/// Rows x (Columns registers) of c; `tail` columns of the last register are real, or all if 0.
template <int Rows, int Columns, class T>
[[gnu::noinline]] void tile(std::int64_t depth, const LeftOperand<T>& a, const T* b,
                            std::int64_t stride, const Start<T>& start, T* c, std::int64_t c_stride,
                            std::int64_t tail) {
    using V = Lanes<T>;
    V sum[Rows][Columns];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
        for (int j = 0; j < Columns; ++j) sum[i][j] = V(0.0);
    }
    const T* left = a.at;
    for (std::int64_t k = 0; k < depth; ++k) {
        V row[Columns];
        for (int j = 0; j < Columns; ++j) row[j] = V::load(b + j * V::size);
        for (int i = 0; i < Rows; ++i) {
            const V factor =
                V::from_packet(Eigen::internal::pload1<typename V::Packet>(left + i * a.row));
            for (int j = 0; j < Columns; ++j) sum[i][j] = sum[i][j] + factor * row[j];
        }
        left += a.depth;
        b += stride;
    }
    const int whole = tail ? Columns - 1 : Columns;
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
        T* target = c + i * c_stride;
        const T* base = start.accumulate ? target : start.bias;
#pragma GCC unroll 4
        for (int j = 0; j < Columns; ++j) {
            const std::int64_t at = j * V::size;
            if (j < whole) {
                finish(sum[i][j], base ? base + at : nullptr, target + at);
            } else {
                const V known = base ? V::load_partial(base + at, tail, T(0)) : V(0.0);
                (known + sum[i][j]).store_partial(target + at, tail);
            }
        }
    }
}

/// All rows of a panel of `Columns` registers.
template <int Columns, class T>
void panel(std::int64_t rows, std::int64_t depth, const LeftOperand<T>& a, const T* b,
           std::int64_t stride, const Start<T>& start, T* c, std::int64_t c_stride,
           std::int64_t tail) {
    constexpr int tallest = std::min(12, sums / Columns);
    std::int64_t i = 0;
    const auto take = [&]<int Rows>(std::integral_constant<int, Rows>) {
        tile<Rows, Columns>(depth, LeftOperand<T>{a.at + i * a.row, a.row, a.depth}, b, stride,
                            start, c + i * c_stride, c_stride, tail);
        i += Rows;
    };
    while (i + tallest <= rows) take(std::integral_constant<int, tallest>{});
    if constexpr (tallest > 8) {
        if (i + 8 <= rows) take(std::integral_constant<int, 8>{});
    }
    if constexpr (tallest > 4) {
        if (i + 4 <= rows) take(std::integral_constant<int, 4>{});
    }
    while (i + 2 <= rows) take(std::integral_constant<int, 2>{});
    if (i < rows) take(std::integral_constant<int, 1>{});
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as a template's argument
#endif
/// b's rows as they stand in registers: `padded` numbers each, zeros behind the last column.
template <class T>
void pack(const RightOperand<T>& b, std::int64_t depth, std::int64_t columns, std::int64_t padded,
          T* out) {
    using V = Lanes<T>;
    if (!b.transposed) {
        for (std::int64_t k = 0; k < depth; ++k) {
            std::copy_n(b.at + k * b.stride, columns, out + k * padded);
            std::fill(out + k * padded + columns, out + (k + 1) * padded, T(0));
        }
        return;
    }
    for (std::int64_t j = 0; j < padded; j += V::size) {
        std::int64_t k = 0;
        if (j + V::size <= columns) {
            for (; k + V::size <= depth; k += V::size) {
                Eigen::internal::PacketBlock<typename V::Packet, int{V::size}> block;
                for (std::int64_t r = 0; r < V::size; ++r)
                    block.packet[r] = V::load(b.at + (j + r) * b.stride + k).packet();
                Eigen::internal::ptranspose(block);
                for (std::int64_t r = 0; r < V::size; ++r)
                    V::from_packet(block.packet[r]).store(out + (k + r) * padded + j);
            }
        }
        for (; k < depth; ++k) {
            for (std::int64_t r = j; r < j + V::size; ++r)
                out[k * padded + r] = r < columns ? b(k, r) : T(0);
        }
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#if defined(__AVX512F__)
/// A register as four quarters. (On narrower ones a whole register for the edge costs less.)
template <class T>
struct Quarters {
    static constexpr std::int64_t columns = Lanes<T>::size / 4;

    /// Quarter q is filled with four[q].
    static Lanes<T> spread(const T* four);
    /// Every quarter is the same.
    static Lanes<T> repeat(const T* quarter);
    /// The sum of the four quarters.
    static void fold(Lanes<T> lanes, T* quarter);
};
template <>
inline Lanes<float> Quarters<float>::spread(const float* four) {
    const __m512i which = _mm512_set_epi32(3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0);
    return Lanes<float>::from_packet(
        _mm512_permutexvar_ps(which, _mm512_castps128_ps512(_mm_loadu_ps(four))));
}
template <>
inline Lanes<float> Quarters<float>::repeat(const float* quarter) {
    return Lanes<float>::from_packet(_mm512_broadcast_f32x4(_mm_loadu_ps(quarter)));
}
template <>
inline void Quarters<float>::fold(Lanes<float> lanes, float* quarter) {
    const __m512 all = lanes.packet();
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
    _mm_storeu_ps(quarter,
                  _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}
template <>
inline Lanes<double> Quarters<double>::spread(const double* four) {
    const __m512i which = _mm512_set_epi64(3, 3, 2, 2, 1, 1, 0, 0);
    return Lanes<double>::from_packet(
        _mm512_permutexvar_pd(which, _mm512_castpd256_pd512(_mm256_loadu_pd(four))));
}
template <>
inline Lanes<double> Quarters<double>::repeat(const double* quarter) {
    return Lanes<double>::from_packet(_mm512_broadcast_f64x2(_mm_loadu_pd(quarter)));
}
template <>
inline void Quarters<double>::fold(Lanes<double> lanes, double* quarter) {
    const __m512d all = lanes.packet();
    const __m256d half = _mm256_add_pd(_mm512_castpd512_pd256(all), _mm512_extractf64x4_pd(all, 1));
    _mm_storeu_pd(quarter,
                  _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1)));
}

/// Up to a quarter register of columns; `b` holds a quarter for each depth. Four depths a register
/// where a's rows are contiguous, else four rows.
template <int Registers, bool by_depth, class T>
[[gnu::noinline]] void narrow_tile(std::int64_t depth, const LeftOperand<T>& a, const T* b,
                                   const Start<T>& start, T* c, std::int64_t c_stride,
                                   std::int64_t columns) {
    using V = Lanes<T>;
    using Q = Quarters<T>;
    V sum[Registers];
    for (int r = 0; r < Registers; ++r) sum[r] = V(0.0);
    constexpr std::int64_t step = by_depth ? 4 : 1;
    const std::int64_t whole = depth / step * step;
    for (std::int64_t k = 0; k < whole; k += step) {
        const V row = by_depth ? V::load(b + k * Q::columns) : Q::repeat(b + k * Q::columns);
        for (int r = 0; r < Registers; ++r) {
            const T* four = by_depth ? a.at + r * a.row + k : a.at + k * a.depth + 4 * r;
            sum[r] = sum[r] + Q::spread(four) * row;
        }
    }
    alignas(64) T quarters[Registers][V::size];  // by depth only the first of each is used
    for (int r = 0; r < Registers; ++r) {
        if constexpr (by_depth) {
            Q::fold(sum[r], quarters[r]);
        } else {
            sum[r].store(quarters[r]);
        }
    }
    for (int r = 0; r < Registers; ++r) {
        for (std::int64_t q = 0; q < (by_depth ? 1 : 4); ++q) {
            for (std::int64_t j = 0; j < columns; ++j) {
                T total = quarters[r][q * Q::columns + j];
                for (std::int64_t k = whole; k < depth; ++k)
                    total += a.at[r * a.row + k] * b[k * Q::columns + j];
                T& target = c[(by_depth ? r : 4 * r + q) * c_stride + j];
                target = (start.accumulate ? target : start.bias ? start.bias[j] : T(0)) + total;
            }
        }
    }
}

template <bool by_depth, class T>
void narrow_panel(std::int64_t rows, std::int64_t depth, const LeftOperand<T>& a, const T* b,
                  const Start<T>& start, T* c, std::int64_t c_stride, std::int64_t columns) {
    constexpr std::int64_t rows_a_register = by_depth ? 1 : 4;
    std::int64_t i = 0;
    const auto take = [&]<int Registers>(std::integral_constant<int, Registers>) {
        narrow_tile<Registers, by_depth>(depth, LeftOperand<T>{a.at + i * a.row, a.row, a.depth}, b,
                                         start, c + i * c_stride, c_stride, columns);
        i += Registers * rows_a_register;
    };
    while (i + 8 * rows_a_register <= rows) take(std::integral_constant<int, 8>{});
    if (i + 4 * rows_a_register <= rows) take(std::integral_constant<int, 4>{});
    while (i + rows_a_register <= rows) take(std::integral_constant<int, 1>{});
    for (; i < rows; ++i) {  // fewer than four rows of four
        for (std::int64_t j = 0; j < columns; ++j) {
            T total = 0;
            for (std::int64_t k = 0; k < depth; ++k)
                total += a.at[i * a.row + k * a.depth] * b[k * Quarters<T>::columns + j];
            T& target = c[i * c_stride + j];
            target = (start.accumulate ? target : start.bias ? start.bias[j] : T(0)) + total;
        }
    }
}
#endif

/// Columns at the right edge that are computed by quarters of a register; 0: they fill one.
template <class T>
constexpr std::int64_t narrow_columns([[maybe_unused]] std::int64_t columns) {
#if defined(__AVX512F__)
    const std::int64_t rest = columns % Lanes<T>::size;
    return rest <= Quarters<T>::columns ? rest : 0;
#else
    return 0;
#endif
}

template <class T>
void product(std::int64_t rows, std::int64_t columns, std::int64_t depth, const LeftOperand<T>& a,
             const RightOperand<T>& b, const Start<T>& start, T* c, T* scratch) {
    constexpr std::int64_t width = Lanes<T>::size;
    const std::int64_t narrow = narrow_columns<T>(columns);
    const std::int64_t wide = (columns - narrow + width - 1) / width;  // registers
    const std::int64_t panels = (wide + widest - 1) / widest;
    // Rows of b far apart by a multiple of 512 bytes fall into few sets of the first cache.
    const bool crowded = b.stride * static_cast<std::int64_t>(sizeof(T)) % 512 == 0 && rows > 24;
    for (std::int64_t k = 0; k < depth; k += deepest) {
        const std::int64_t part = std::min(deepest, depth - k);
        const LeftOperand<T> left{a.at + k * a.depth, a.row, a.depth};
        const Start<T> begin = k == 0 ? start : Start<T>{true};
        for (std::int64_t p = 0; p < panels; ++p) {
            const std::int64_t first = wide * p / panels, count = wide * (p + 1) / panels - first;
            const std::int64_t j = first * width;
            const std::int64_t real = std::min(count * width, columns - narrow - j);
            const std::int64_t tail = real % width;
            const RightOperand<T> right = b.from(k, j);
            const T* rows_of_b = right.at;
            std::int64_t stride = b.stride;
            if (b.transposed || tail || crowded) {
                stride = count * width;
                pack(right, part, real, stride, scratch);
                rows_of_b = scratch;
            }
            const auto run = [&]<int Columns>(std::integral_constant<int, Columns>) {
                panel<Columns>(rows, part, left, rows_of_b, stride, begin.from(j), c + j, columns,
                               tail);
            };
            if (count == 1) run(std::integral_constant<int, 1>{});
            if (count == 2) run(std::integral_constant<int, 2>{});
            if (count == 3) run(std::integral_constant<int, 3>{});
            if constexpr (widest == 4) {
                if (count == 4) run(std::integral_constant<int, 4>{});
            }
        }
#if defined(__AVX512F__)
        if (narrow > 0) {
            const std::int64_t j = columns - narrow, quarter = Quarters<T>::columns;
            const RightOperand<T> right = b.from(k, j);
            for (std::int64_t r = 0; r < part; ++r) {
                for (std::int64_t e = 0; e < quarter; ++e)
                    scratch[r * quarter + e] = e < narrow ? right(r, e) : T(0);
            }
            if (a.depth == 1) {
                narrow_panel<true>(rows, part, left, scratch, begin.from(j), c + j, columns,
                                   narrow);
            } else {
                narrow_panel<false>(rows, part, left, scratch, begin.from(j), c + j, columns,
                                    narrow);
            }
        }
#endif
    }
}

/// sums_of_columns[j] += the sum of column j: over blocks of 256 rows, in order.
template <class T>
void add_rows(const T* values, std::int64_t rows, std::int64_t columns, T* sums_of_columns) {
    using V = Lanes<T>;
    for (std::int64_t begin = 0; begin < rows; begin += deepest) {
        const T* block = values + begin * columns;
        const std::int64_t count = std::min(deepest, rows - begin);
        const auto take = [&]<int Count>(std::integral_constant<int, Count>, std::int64_t j) {
            V sum[Count];
            for (int n = 0; n < Count; ++n) sum[n] = V(0.0);
            for (std::int64_t i = 0; i < count; ++i) {
                for (int n = 0; n < Count; ++n)
                    sum[n] = sum[n] + V::load(block + i * columns + j + n * V::size);
            }
            for (int n = 0; n < Count; ++n) {
                T* target = sums_of_columns + j + n * V::size;
                (V::load(target) + sum[n]).store(target);
            }
        };
        std::int64_t j = 0;
        for (; j + 4 * V::size <= columns; j += 4 * V::size)
            take(std::integral_constant<int, 4>{}, j);
        for (; j + V::size <= columns; j += V::size) take(std::integral_constant<int, 1>{}, j);
        for (; j < columns; ++j) {
            T sum = 0;
            for (std::int64_t i = 0; i < count; ++i) sum += block[i * columns + j];
            sums_of_columns[j] += sum;
        }
    }
}

}  // namespace likely::tiles
