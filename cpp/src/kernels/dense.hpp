// A dense layer with its activation: value = activation(x weight + bias); the backward pass right
// under the forward one.
#pragma once

#include <algorithm>

#include "gemm.hpp"
#include "matrices.hpp"

namespace likely::kernels_detail {

/// Whether the products themselves compute the activation and its derivative.
inline bool is_rectified(const DenseStep& step) {
    return std::holds_alternative<ReLU>(step.activation);
}

template <class T>
void forward(const DenseStep& step, const Mode<T>&, const T* parameters,
             const Matrices<T>& matrices, std::int64_t rows, T* scratch) {
    T* value = matrices.at(step.value);
    T* z = step.preactivation == none ? value : matrices.at(step.preactivation);
    const bool rectified = is_rectified(step) && step.sum == none;
    gemm::forward(matrices.source(step.source), parameters + step.weight,
                  step.bias == none ? nullptr : parameters + step.bias, rows, step.inputs,
                  step.outputs, z, scratch, rectified);
    if (rectified) return;
    std::visit(
        [&](const auto& activation) {
            constexpr bool is_identity =
                std::is_same_v<std::decay_t<decltype(activation)>, Identity>;
            if (step.sum != none) {
                T* sum = matrices.at(step.sum);
                const T* skipped = matrices.source(step.skipped);
                for_lanes<T>(rows * step.outputs, [&](std::int64_t i, std::int64_t count) {
                    const Lanes<T> a = activation.value(load_lanes(z + i, count));
                    if constexpr (!is_identity) store_lanes(a, value + i, count);
                    store_lanes(load_lanes(skipped + i, count) + a, sum + i, count);
                });
            } else if constexpr (!is_identity) {
                transform<T>(
                    rows * step.outputs, value,
                    [&](Lanes<T> lanes) { return activation.value(lanes); }, z);
            }
        },
        step.activation);
}

/// `d_value` becomes d loss / d z on the way, unless it is that already (`is_d_z`) or that has a
/// place of its own; d loss / d input goes to `d_source` unless it is null, that of the first
/// `columns_below` outputs alone. `rectified` not null: the input, values of a rectifier, whose
/// derivative is then in `d_source`.
template <class T>
void backward(const DenseStep& step, const T* parameters, const Matrices<T>& matrices,
              std::int64_t rows, T* scratch, const GradientTarget<T>& target, T* d_value,
              bool is_d_z, T* d_source, const T* rectified, std::int64_t columns_below) {
    const T* value = matrices.at(step.value);
    const T* z = step.preactivation == none ? value : matrices.at(step.preactivation);
    T* d_z = d_value;
    std::visit(
        [&](const auto& activation) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(activation)>, Identity>) {
                if (is_d_z) return;
                T* own = step.d_preactivation == none ? d_value : matrices.at(step.d_preactivation);
                transform<T>(
                    rows * step.outputs, own,
                    [&](Lanes<T> d, Lanes<T> input, Lanes<T> a) {
                        return d * activation.derivative(input, a);
                    },
                    static_cast<const T*>(d_value), z, value);
                d_z = own;
            }
        },
        step.activation);
    gemm::weight_gradient(matrices.source(step.source), static_cast<const T*>(d_z), rows,
                          step.inputs, step.outputs, 0, step.inputs,
                          target.accumulate || step.accumulates, target.gradient + step.weight,
                          step.bias == none ? nullptr : target.gradient + step.bias, scratch);
    if (d_source) {
        if (columns_below < step.outputs) {
            for (std::int64_t i = 0; i < rows; ++i) {
                std::fill(d_z + i * step.outputs + columns_below, d_z + (i + 1) * step.outputs,
                          T(0));
            }
        }
        gemm::input_gradient(static_cast<const T*>(d_z), parameters + step.weight, rows,
                             step.inputs, step.outputs, d_source, scratch, rectified);
    }
}

}  // namespace likely::kernels_detail
