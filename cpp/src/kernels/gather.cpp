// The rows of a batch, brought together from where they stand and standardised on the way; whether
// numbers are finite.
//
// Why: a shuffled row is short and at a random place. A call of memcpy for each costs more than its
// bytes, and data that are larger than the caches are not there when they are asked for.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernels.hpp"
#include "register.hpp"
#include "tail.hpp"

namespace likely::kernels_detail {
namespace {

constexpr std::int64_t line_bytes = 64;
/// Bytes of rows that are on their way from memory: enough for its latency, little for a cache.
constexpr std::int64_t bytes_ahead = 1 << 15;

/// A row in pieces of `Width` numbers, at most `columns`; the last piece may overlap the one
/// before.
template <int Width, bool scaled, class T>
void gather_rows(const T* x, std::int64_t columns, std::int64_t stride, const std::int64_t* order,
                 std::int64_t rows, std::int64_t distance, std::int64_t ahead, const T* mean,
                 const T* inverse_scale, T* out) {
    typedef T Piece __attribute__((vector_size(sizeof(T) * Width)));
    const auto load = [](const T* from) {
        Piece piece;
        std::memcpy(&piece, from, sizeof piece);
        return piece;
    };
    const auto bring = [&](const T* row, T* target, std::int64_t j) {
        Piece piece = load(row + j);
        if constexpr (scaled) piece = (piece - load(mean + j)) * load(inverse_scale + j);
        std::memcpy(target + j, &piece, sizeof piece);
    };
    for (std::int64_t i = 0; i < rows; ++i) {
        if (i + distance < rows + ahead) {
            const char* next = reinterpret_cast<const char*>(x + order[i + distance] * stride);
            const char* end = next + columns * static_cast<std::int64_t>(sizeof(T)) - 1;
            for (const char* line = next; line < end; line += line_bytes) __builtin_prefetch(line);
            __builtin_prefetch(end);
        }
        const T* row = x + (order ? order[i] : i) * stride;
        T* target = out + i * stride;
        std::int64_t j = 0;
        for (; j + Width < columns; j += Width) bring(row, target, j);
        bring(row, target, columns - Width);
    }
}

}  // namespace

template <class T>
void gather(const T* x, std::int64_t columns, std::int64_t stride, const std::int64_t* order,
            std::int64_t rows, std::int64_t ahead, const T* mean, const T* inverse_scale, T* out) {
    const std::int64_t row_bytes = columns * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t distance =
        ahead == 0 ? rows : std::clamp<std::int64_t>(bytes_ahead / row_bytes, 2, 64);
    const auto with = [&]<int Width>(std::integral_constant<int, Width>) {
        if (mean) {
            gather_rows<Width, true>(x, columns, stride, order, rows, distance, ahead, mean,
                                     inverse_scale, out);
        } else {
            gather_rows<Width, false>(x, columns, stride, order, rows, distance, ahead, mean,
                                      inverse_scale, out);
        }
    };
    constexpr int widest = Register<T>::size;
    if constexpr (widest >= 16) {
        if (columns >= 16) return with(std::integral_constant<int, 16>{});
    }
    if constexpr (widest >= 8) {
        if (columns >= 8) return with(std::integral_constant<int, 8>{});
    }
    if constexpr (widest >= 4) {
        if (columns >= 4) return with(std::integral_constant<int, 4>{});
    }
    if (columns >= 2) return with(std::integral_constant<int, 2>{});
    with(std::integral_constant<int, 1>{});
}

/// Zero times any other number is zero. Several sums, since each addition waits for the one before.
template <class T>
bool all_finite(const T* values, std::int64_t count) {
    using V = Lanes<T>;
    constexpr int chains = 4;
    const V zero(0.0);
    V sums[chains]{zero, zero, zero, zero};
    std::int64_t i = 0;
    for (; i + chains * V::size <= count; i += chains * V::size) {
        for (int chain = 0; chain < chains; ++chain)
            sums[chain] = sums[chain] + V::load(values + i + chain * V::size) * zero;
    }
    for (; i + V::size <= count; i += V::size) sums[0] = sums[0] + V::load(values + i) * zero;
    if (i < count) sums[1] = sums[1] + Tail<T>(count - i).load(values + i) * zero;
    return Eigen::internal::predux(((sums[0] + sums[1]) + (sums[2] + sums[3])).packet()) == T(0);
}

template <class T>
void fill_gather(Kernels<T>& table) {
    table.gather = gather<T>;
    table.all_finite = all_finite<T>;
}

template void fill_gather(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
