// The three products of a dense layer. The only file that knows how a matrix product is computed.
//
// Why: a step is these products and little else. On AVX-512 and where it pays it is our own tiled
// product (tiles.hpp). Else Eigen's blocked product is called directly, below its expressions,
// because those allocate their packing buffers; here the buffers are the caller's scratch.
//
// Contract: matrices are C-order; x rows x inputs, weight inputs x outputs, z and d_z rows x
// outputs. In Eigen's column-major reading each is its transpose, so z' = weight' x', and no matrix
// is ever copied to be transposed.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>

#include "likely/primitives.hpp"
#include "one_row.hpp"
#include "tiles.hpp"

namespace likely::gemm {

/// Whether the tiled product is faster for a result of this size (docs/decisions/007).
/// Eigen's is as fast or faster with registers of 256 bits, and where there is little to do.
template <class T>
constexpr bool tiled(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
    if (tiles::registers < 32) return false;
    if (tiles::narrow_columns<T>(columns) == columns) return rows * depth >= 4096;
    return columns >= 3 * Lanes<T>::size && rows >= 16 && depth >= 13 &&
           rows * columns * depth >= 24'000;
}

/// Block sizes follow from these constants, never from the machine: the same shapes give the same
/// bits everywhere.
inline void set_cache_sizes() { Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 4 << 20); }

/// Eigen packs one block of each operand; neither is larger than this many bytes (see `Blocking`).
inline constexpr std::int64_t packed_bytes = 1 << 20;

template <class T>
std::int64_t scratch_size() {
    static_assert(tiles::scratch_size<T>() * sizeof(T) <= 2 * packed_bytes);
    return 2 * packed_bytes / static_cast<std::int64_t>(sizeof(T));
}

/// Eigen's block sizes over the caller's memory.
template <class T>
struct Blocking : Eigen::internal::level3_blocking<T, T> {
    Blocking(Eigen::Index rows, Eigen::Index columns, Eigen::Index depth, T* scratch) {
        this->m_kc = depth;
        this->m_mc = rows;
        this->m_nc = columns;
        Eigen::internal::computeProductBlockingSizes<T, T>(this->m_kc, this->m_mc, this->m_nc);
        const Eigen::Index limit = packed_bytes / static_cast<Eigen::Index>(sizeof(T)) / this->m_kc;
        this->m_mc = std::min(this->m_mc, limit);
        this->m_nc = std::min(this->m_nc, limit);
        this->m_blockA = scratch;
        this->m_blockB = scratch + scratch_size<T>() / 2;
    }
};

enum class Form { plain, transposed };  // how an operand is stored, in Eigen's column-major reading

template <Form A, Form B, class T>
void add_product(Eigen::Index rows, Eigen::Index columns, Eigen::Index depth, const T* a,
                 const T* b, T* result, T* scratch) {
    constexpr int order_a = A == Form::plain ? Eigen::ColMajor : Eigen::RowMajor;
    constexpr int order_b = B == Form::plain ? Eigen::ColMajor : Eigen::RowMajor;
    const Eigen::Index stride_a = A == Form::plain ? rows : depth;
    const Eigen::Index stride_b = B == Form::plain ? depth : columns;
    if (rows + columns + depth < 20) {  // where packing costs more than the product
        for (Eigen::Index j = 0; j < columns; ++j) {
            for (Eigen::Index k = 0; k < depth; ++k) {
                const T factor = B == Form::plain ? b[j * stride_b + k] : b[k * stride_b + j];
                for (Eigen::Index i = 0; i < rows; ++i) {
                    result[j * rows + i] +=
                        (A == Form::plain ? a[k * stride_a + i] : a[i * stride_a + k]) * factor;
                }
            }
        }
        return;
    }
    Blocking<T> blocking(rows, columns, depth, scratch);
    Eigen::internal::general_matrix_matrix_product<Eigen::Index, T, order_a, false, T, order_b,
                                                   false, Eigen::ColMajor, 1>::run(rows, columns,
                                                                                   depth, a,
                                                                                   stride_a, b,
                                                                                   stride_b, result,
                                                                                   1, rows, T(1),
                                                                                   blocking,
                                                                                   nullptr);
}

template <class T>
using ConstMatrix = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>;
template <class T>
using ConstVector = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>;
template <class T>
using Vector = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;

/// z = x weight + bias; `bias` null: none.
template <class T>
void forward(const T* x, const T* weight, const T* bias, std::int64_t rows, std::int64_t inputs,
             std::int64_t outputs, T* z, T* scratch) {
    if (rows == 1) return one_row::product(inputs, outputs, x, weight, bias, z);
    if (tiled<T>(rows, outputs, inputs)) {
        tiles::product<T>(rows, outputs, inputs, {x, inputs, 1}, {weight, outputs, false},
                          {false, bias}, z, scratch);
        return;
    }
    for (std::int64_t i = 0; i < rows; ++i) {
        if (bias) {
            std::copy_n(bias, outputs, z + i * outputs);
        } else {
            std::fill_n(z + i * outputs, outputs, T(0));
        }
    }
    add_product<Form::plain, Form::plain>(outputs, rows, inputs, weight, x, z, scratch);
}

/// d_weight (+)= x' d_z and d_bias (+)= the column sums of d_z; `d_bias` null: no bias.
template <class T>
void weight_gradient(const T* x, const T* d_z, std::int64_t rows, std::int64_t inputs,
                     std::int64_t outputs, bool accumulate, T* d_weight, T* d_bias, T* scratch) {
    const bool tile = tiled<T>(inputs, outputs, rows);
    if (!accumulate && !tile) std::fill_n(d_weight, inputs * outputs, T(0));
    if (!accumulate && d_bias) std::fill_n(d_bias, outputs, T(0));
    if (tile) {
        tiles::product<T>(inputs, outputs, rows, {x, 1, inputs}, {d_z, outputs, false},
                          {accumulate, nullptr}, d_weight, scratch);
    } else if (rows == 1) {
        for (std::int64_t k = 0; k < inputs; ++k) {
            Vector<T>(d_weight + k * outputs, outputs) += x[k] * ConstVector<T>(d_z, outputs);
        }
    } else {
        add_product<Form::plain, Form::transposed>(outputs, inputs, rows, d_z, x, d_weight,
                                                   scratch);
    }
    if (d_bias) tiles::add_rows(d_z, rows, outputs, d_bias);
}

/// d_x = d_z weight'.
template <class T>
void input_gradient(const T* d_z, const T* weight, std::int64_t rows, std::int64_t inputs,
                    std::int64_t outputs, T* d_x, T* scratch) {
    if (tiled<T>(rows, inputs, outputs)) {
        tiles::product<T>(rows, inputs, outputs, {d_z, outputs, 1}, {weight, outputs, true}, {},
                          d_x, scratch);
        return;
    }
    std::fill_n(d_x, rows * inputs, T(0));
    if (rows == 1) {
        Vector<T>(d_x, inputs).noalias() +=
            ConstMatrix<T>(weight, outputs, inputs).transpose() * ConstVector<T>(d_z, outputs);
        return;
    }
    add_product<Form::transposed, Form::plain>(inputs, rows, outputs, weight, d_z, d_x, scratch);
}

}  // namespace likely::gemm
