// The last few columns of a product, up to a quarter of a register of AVX-512.
//
// Why: a whole register for 4 of 100 columns costs an eighth of the time, and an output layer has
// one or two columns in all. Here a register holds a quarter of a register of columns for four
// depths or four rows: four neighbours of a go into every quarter by one load.
//
// Contract: as in tiles.hpp, but where depth is what is contiguous in a, a sum over a part of
// depth is four chains, of every fourth depth each. On processors without AVX-512 there are no
// narrow columns: there a whole register for the edge costs less.
#pragma once

#include "tiles.hpp"

namespace likely::tiles {

#if defined(__AVX512F__)

/// Lane 4 e + q of a register belongs to column e, and to depth or row q of four.
template <class T>
struct Quads;

template <>
struct Quads<float> {
    using V = Lanes<float>;
    static constexpr std::int64_t columns = 4;

    /// Lane 4 e + q is four[q]; the first `count` are read, the others 0.
    static V repeat(const float* four) {
        return V::from_packet(_mm512_broadcast_f32x4(_mm_loadu_ps(four)));
    }
    static V repeat(const float* four, std::int64_t count) {
        return V::from_packet(_mm512_broadcast_f32x4(_mm_maskz_loadu_ps(first(count), four)));
    }
    /// Lane 4 e + q is row[e] for e below `count`, else 0.
    static V spread(const float* row, std::int64_t count) {
        return turned(_mm512_broadcast_f32x4(_mm_maskz_loadu_ps(first(count), row)));
    }
    /// The sums over q of four registers; that of register r for column e in lane 4 e + r.
    static V fold(const V* four) {
        const __m512 a = halved(four[0], four[1]), b = halved(four[2], four[3]);
        return V::from_packet(
            _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE)));
    }
    /// c(q, e) = lane 4 e + q, added to c, or to base if not null, for `rows` and `count` columns.
    static void store(V lanes, const Start<float>& start, float* c, std::int64_t stride,
                      std::int64_t rows, std::int64_t count) {
        const __mmask8 mask = first(count);
        const __m512 all = turned(lanes.packet()).packet();
        const __m128 row[] = {_mm512_castps512_ps128(all), _mm512_extractf32x4_ps(all, 1),
                              _mm512_extractf32x4_ps(all, 2), _mm512_extractf32x4_ps(all, 3)};
        for (std::int64_t q = 0; q < rows; ++q) {
            float* const to = c + q * stride;
            const float* const base = start.accumulate ? to : start.bias;
            const __m128 known = base ? _mm_maskz_loadu_ps(mask, base) : _mm_setzero_ps();
            _mm_mask_storeu_ps(to, mask, base ? _mm_add_ps(known, row[q]) : row[q]);
        }
    }

  private:
    static __mmask8 first(std::int64_t count) { return static_cast<__mmask8>((1U << count) - 1); }
    static V turned(__m512 x) {
        return V::from_packet(_mm512_permutexvar_ps(
            _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0), x));
    }
    static __m512 halved(V a, V b) {
        return _mm512_add_ps(_mm512_unpacklo_ps(a.packet(), b.packet()),
                             _mm512_unpackhi_ps(a.packet(), b.packet()));
    }
};

template <>
struct Quads<double> {
    using V = Lanes<double>;
    static constexpr std::int64_t columns = 2;

    static V repeat(const double* four) {
        return V::from_packet(_mm512_broadcast_f64x4(_mm256_loadu_pd(four)));
    }
    static V repeat(const double* four, std::int64_t count) {
        return V::from_packet(_mm512_broadcast_f64x4(_mm256_maskz_loadu_pd(first(count), four)));
    }
    static V spread(const double* row, std::int64_t count) {
        const __m512i which = _mm512_set_epi64(1, 1, 1, 1, 0, 0, 0, 0);
        return V::from_packet(_mm512_permutexvar_pd(
            which, _mm512_castpd128_pd512(_mm_maskz_loadu_pd(first(count), row))));
    }
    static V fold(const V* four) {
        const __m512d a = halved(four[0], four[1]), b = halved(four[2], four[3]);
        const __m512i lower = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
        const __m512i upper = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
        return V::from_packet(_mm512_add_pd(_mm512_permutex2var_pd(a, lower, b),
                                            _mm512_permutex2var_pd(a, upper, b)));
    }
    static void store(V lanes, const Start<double>& start, double* c, std::int64_t stride,
                      std::int64_t rows, std::int64_t count) {
        const __mmask8 mask = first(count);
        const __m512d all =
            _mm512_permutexvar_pd(_mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0), lanes.packet());
        const __m128d row[] = {_mm512_castpd512_pd128(all), _mm512_extractf64x2_pd(all, 1),
                               _mm512_extractf64x2_pd(all, 2), _mm512_extractf64x2_pd(all, 3)};
        for (std::int64_t q = 0; q < rows; ++q) {
            double* const to = c + q * stride;
            const double* const base = start.accumulate ? to : start.bias;
            const __m128d known = base ? _mm_maskz_loadu_pd(mask, base) : _mm_setzero_pd();
            _mm_mask_storeu_pd(to, mask, base ? _mm_add_pd(known, row[q]) : row[q]);
        }
    }

  private:
    static __mmask8 first(std::int64_t count) { return static_cast<__mmask8>((1U << count) - 1); }
    static __m512d halved(V a, V b) {
        return _mm512_add_pd(_mm512_unpacklo_pd(a.packet(), b.packet()),
                             _mm512_unpackhi_pd(a.packet(), b.packet()));
    }
};

/// Columns at the right edge that are computed here. Where depth is short, folding costs more than
/// the rest of a register.
template <class T>
constexpr std::int64_t narrow_columns(std::int64_t columns, std::int64_t depth) {
    const std::int64_t rest = columns % Lanes<T>::size;
    return rest <= Quads<T>::columns && depth >= narrow_from ? rest : 0;
}

/// `rows` rows, 4 (Groups - 1) + 1 to 4 Groups; `packed` holds a register for every four depths.
template <int Groups, class T>
[[gnu::noinline]] void narrow_by_depth(const Panel<T>& panel, const T* packed,
                                       const LeftOperand<T>& a, T* c, std::int64_t rows,
                                       std::int64_t columns) {
    using V = Lanes<T>;
    using Q = Quads<T>;
    constexpr int most = 4 * Groups;
    const T* at[most];  // those beyond the last row are the last row again
    V sum[most];
#pragma GCC unroll 8
    for (int i = 0; i < most; ++i) {
        at[i] = a.at + std::min<std::int64_t>(i, rows - 1) * a.row;
        sum[i] = V(0.0);
    }
    const std::int64_t whole = panel.depth / 4 * 4;
    for (std::int64_t k = 0; k < whole; k += 4) {
        const V row = V::load(packed + k * Q::columns);
#pragma GCC unroll 8
        for (int i = 0; i < most; ++i) sum[i] = sum[i] + Q::repeat(at[i] + k) * row;
    }
    if (whole < panel.depth) {
        const V row = V::load(packed + whole * Q::columns);
#pragma GCC unroll 8
        for (int i = 0; i < most; ++i)
            sum[i] = sum[i] + Q::repeat(at[i] + whole, panel.depth - whole) * row;
    }
#pragma GCC unroll 8
    for (int g = 0; g < Groups; ++g) {
        Q::store(Q::fold(sum + 4 * g), panel.start, c + 4 * g * panel.c_stride, panel.c_stride,
                 std::min<std::int64_t>(4, rows - 4 * g), columns);
    }
}

/// Four rows a register, in the last one `rows` - 4 (Registers - 1).
template <int Registers, class T>
[[gnu::noinline]] void narrow_by_row(const Panel<T>& panel, const LeftOperand<T>& a, T* c,
                                     std::int64_t rows, std::int64_t columns) {
    using V = Lanes<T>;
    using Q = Quads<T>;
    V sum[Registers];
#pragma GCC unroll 8
    for (int r = 0; r < Registers; ++r) sum[r] = V(0.0);
    const T *left = a.at, *b = panel.b;
    const std::int64_t last = rows - 4 * (Registers - 1);
    for (std::int64_t k = 0; k < panel.depth; ++k) {
        const V row = Q::spread(b, columns);
#pragma GCC unroll 8
        for (int r = 0; r < Registers - 1; ++r) sum[r] = sum[r] + Q::repeat(left + 4 * r) * row;
        sum[Registers - 1] = sum[Registers - 1] + Q::repeat(left + 4 * (Registers - 1), last) * row;
        left += a.depth;
        b += panel.b_stride;
    }
#pragma GCC unroll 8
    for (int r = 0; r < Registers; ++r) {
        Q::store(sum[r], panel.start, c + 4 * r * panel.c_stride, panel.c_stride,
                 std::min<std::int64_t>(4, rows - 4 * r), columns);
    }
}

/// Where a's rows are contiguous: the registers that `narrow_by_depth` reads.
template <class T>
void pack_narrow(const RightOperand<T>& b, std::int64_t depth, std::int64_t columns, T* out) {
    constexpr std::int64_t most = Quads<T>::columns;
    for (std::int64_t k = 0; k < depth; k += 4, out += 4 * most) {
        const std::int64_t count = std::min<std::int64_t>(4, depth - k);
        std::fill_n(out, 4 * most, T(0));
        for (std::int64_t e = 0; e < columns; ++e) {
            for (std::int64_t q = 0; q < count; ++q) out[4 * e + q] = b(k + q, e);
        }
    }
}

/// Columns [0, columns) of `panel`, at most a quarter of a register. `scratch` holds a quarter of a
/// register for each depth, rounded up to four.
template <class T>
void run_narrow(const Panel<T>& panel, std::int64_t rows, std::int64_t columns,
                const LeftOperand<T>& a, const RightOperand<T>& b, T* c, T* scratch) {
    std::int64_t i = 0;
    if (a.depth == 1) {
        pack_narrow(b, panel.depth, columns, scratch);
        while (i < rows) {
            const std::int64_t count = std::min<std::int64_t>(8, rows - i);
            (count > 4 ? narrow_by_depth<2, T>
                       : narrow_by_depth<1, T>)(panel, scratch, a.from(i, 0),
                                                c + i * panel.c_stride, count, columns);
            i += count;
        }
        return;
    }
    using Tile = void (*)(const Panel<T>&, const LeftOperand<T>&, T*, std::int64_t, std::int64_t);
    constexpr std::int64_t most = 8;  // registers
    static constexpr auto tiles = []<int... I>(std::integer_sequence<int, I...>) {
        return std::array<Tile, sizeof...(I)>{narrow_by_row<I + 1, T>...};
    }(std::make_integer_sequence<int, most>{});
    const std::int64_t fours = (rows + 3) / 4;
    for (std::int64_t pieces = (fours + most - 1) / most; i < rows; --pieces) {
        const std::int64_t share = ((rows - i + 3) / 4 + pieces - 1) / pieces;
        const std::int64_t count = std::min<std::int64_t>(4 * share, rows - i);
        tiles[static_cast<std::size_t>((count - 1) / 4)](panel, a.from(i, 0),
                                                         c + i * panel.c_stride, count, columns);
        i += count;
    }
}

#else

template <class T>
constexpr std::int64_t narrow_columns(std::int64_t, std::int64_t) {
    return 0;
}

#endif

}  // namespace likely::tiles
