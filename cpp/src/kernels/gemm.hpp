// The three products of a dense layer. The only file that the rest knows of matrix products.
//
// Contract: matrices are C-order; x rows x inputs, weight inputs x outputs, z and d_z rows x
// outputs. Bits do not depend on how work is cut: `forward` and `input_gradient` may be called for
// any range of two rows or more, `weight_gradient` for any range of inputs.
#pragma once

#include "../halves.hpp"
#include "one_row.hpp"
#include "product.hpp"

namespace likely::gemm {

template <class T>
constexpr std::int64_t scratch_size() {
    return tiles::scratch_size<T>();
}

/// z = x weight + bias; `bias` null: none. With `rectify` max(z, 0) instead; with `halves` as the
/// sum of what `forward_half` computes.
template <class T>
void forward(const T* x, const T* weight, const T* bias, std::int64_t rows, std::int64_t inputs,
             std::int64_t outputs, T* z, T* scratch, bool rectify = false, bool halves = false) {
    if (rows == 1) {
        one_row::forward(inputs, outputs, x, weight, bias, z);
        if (rectify) tiles::apply<T>({true, nullptr}, 0, 1, outputs, outputs, z);
        return;
    }
    tiles::product<T>(rows, outputs, inputs, {x, inputs, 1}, {weight, outputs, false},
                      {false, bias}, z, scratch, {rectify, nullptr}, nullptr,
                      halves ? half_of(inputs) : 0);
}

/// z = x weight, of some inputs, plus the bias where they begin with the first one.
template <class T>
void forward_half(const T* x, const T* weight, const T* bias, std::int64_t rows,
                  std::int64_t inputs, std::int64_t outputs, const Piece& some, T* z, T* scratch) {
    tiles::product<T>(rows, outputs, some.size(), {x + some.begin, inputs, 1},
                      {weight + some.begin * outputs, outputs, false},
                      {false, some.begin == 0 ? bias : nullptr}, z, scratch, {}, nullptr,
                      some.size());
}

/// Rows [begin, end) of d_weight (+)= x' d_z and, with its first row, d_bias (+)= the column sums
/// of d_z; `d_bias` null: no bias.
template <class T>
void weight_gradient(const T* x, const T* d_z, std::int64_t rows, std::int64_t inputs,
                     std::int64_t outputs, std::int64_t begin, std::int64_t end, bool accumulate,
                     T* d_weight, T* d_bias, T* scratch) {
    if (rows == 1) {
        one_row::weight_gradient(x + begin, d_z, end - begin, outputs, accumulate,
                                 d_weight + begin * outputs, begin == 0 ? d_bias : nullptr);
        return;
    }
    tiles::product<T>(end - begin, outputs, rows, {x + begin, 1, inputs}, {d_z, outputs, false},
                      {accumulate, nullptr}, d_weight + begin * outputs, scratch, {},
                      begin == 0 ? d_bias : nullptr);
}

/// d_x (+)= d_z weight'. Where x are values of a rectifier, given as `values`, its derivative is in
/// it: the gradient by the rectifier's input.
template <class T>
void input_gradient(const T* d_z, const T* weight, std::int64_t rows, std::int64_t inputs,
                    std::int64_t outputs, bool accumulate, T* d_x, T* scratch,
                    const T* values = nullptr) {
    if (rows == 1) {
        one_row::input_gradient(d_z, weight, inputs, outputs, accumulate, d_x);
        if (values) tiles::apply<T>({false, values}, 0, 1, inputs, inputs, d_x);
        return;
    }
    tiles::product<T>(rows, inputs, outputs, {d_z, outputs, 1}, {weight, outputs, true},
                      {accumulate, nullptr}, d_x, scratch, {false, values});
}

}  // namespace likely::gemm
