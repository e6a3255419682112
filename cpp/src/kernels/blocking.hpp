// How products are cut: constants. bench/bench_products.py measures alternatives and writes them.
#pragma once

#include <cstdint>

namespace likely::tiles {

/// A chain of multiply-adds ends after so many numbers of depth (those of halves.hpp later).
inline constexpr std::int64_t deepest = 128;
/// So many rows of the result are computed while a panel of b stays near.
inline constexpr std::int64_t block_rows = 512;
/// A result of so many bytes, its rectifier's values and the next panel of b are fetched ahead.
inline constexpr std::int64_t far_bytes = 262144;
/// Columns of a are copied first where they stand a multiple of so many bytes apart.
inline constexpr std::int64_t crowding = 4096;
/// Such rows of b are copied where the result has so many rows.
inline constexpr std::int64_t copied_from = 32;
/// Registers of columns in a panel, where there are 32 registers, and where there are 16. Of a
/// whose columns are contiguous a tile reads parts of cache lines, which are longer the higher it
/// is.
inline constexpr int widest_of_32 = 4, widest_of_32_by_columns = 3;
inline constexpr int widest_of_16 = 3, widest_of_16_by_columns = 2;

/// From so many depths on, the last columns, up to a quarter of a register, are computed four rows
/// or depths a register (narrow.hpp).
inline constexpr std::int64_t narrow_from = 32;

}  // namespace likely::tiles
