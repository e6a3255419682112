// A dense layer with its activation: value = activation(x weight + bias); the three parts of the
// backward pass right under the forward one.
#pragma once

#include <algorithm>

#include "gemm.hpp"
#include "matrices.hpp"

namespace likely::kernels_detail {

/// Whether the products themselves compute the activation and its derivative.
inline bool is_rectified(const DenseStep& step) {
    return std::holds_alternative<ReLU>(step.activation);
}

/// Where x weight + bias stands: in the place of the value, unless that is needed itself.
template <class T>
T* preactivation(const DenseStep& step, const Matrices<T>& matrices) {
    return matrices.at(step.preactivation == none ? step.value : step.preactivation);
}

template <class T>
void activate(const DenseStep& step, const Matrices<T>& matrices, const Piece& rows) {
    const std::int64_t first = rows.begin * step.outputs, count = rows.size() * step.outputs;
    T* value = matrices.at(step.value) + first;
    const T* z = preactivation(step, matrices) + first;
    std::visit(
        [&](const auto& activation) {
            constexpr bool is_identity =
                std::is_same_v<std::decay_t<decltype(activation)>, Identity>;
            if (step.sum != none) {
                T* sum = matrices.at(step.sum) + first;
                const T* skipped = matrices.source(step.skipped) + first;
                for_lanes<T>(count, [&](std::int64_t i, std::int64_t lanes) {
                    const Lanes<T> a = activation.value(load_lanes(z + i, lanes));
                    if constexpr (!is_identity) store_lanes(a, value + i, lanes);
                    store_lanes(load_lanes(skipped + i, lanes) + a, sum + i, lanes);
                });
            } else if constexpr (!is_identity) {
                transform<T>(
                    count, value, [&](Lanes<T> lanes) { return activation.value(lanes); }, z);
            }
        },
        step.activation);
}

template <class T>
void forward(const DenseStep& step, const Mode<T>&, const T* parameters,
             const Matrices<T>& matrices, const Piece& rows, T* scratch) {
    const bool rectified = is_rectified(step) && step.sum == none;
    gemm::forward(matrices.source(step.source) + rows.begin * step.inputs, parameters + step.weight,
                  step.bias == none ? nullptr : parameters + step.bias, rows.size(), step.inputs,
                  step.outputs, preactivation(step, matrices) + rows.begin * step.outputs, scratch,
                  rectified, has_halves<T>(step));
    if (!rectified) activate(step, matrices, rows);
}

/// The same in two jobs: the sums of some inputs, those of the later ones at `other`; then all of
/// it.
template <class T>
void forward_half(const DenseStep& step, const T* parameters, const Matrices<T>& matrices,
                  const Piece& inputs, const Piece& rows, T* other, T* scratch) {
    T* const z = inputs.begin == 0 ? preactivation(step, matrices) : other;
    gemm::forward_half(matrices.source(step.source) + rows.begin * step.inputs,
                       parameters + step.weight,
                       step.bias == none ? nullptr : parameters + step.bias, rows.size(),
                       step.inputs, step.outputs, inputs, z + rows.begin * step.outputs, scratch);
}

template <class T>
void add_halves(const DenseStep& step, const Matrices<T>& matrices, const Piece& rows,
                const T* other) {
    const std::int64_t first = rows.begin * step.outputs, count = rows.size() * step.outputs;
    T* z = preactivation(step, matrices) + first;
    const bool rectified = is_rectified(step);
    transform<T>(
        count, z, [&](Lanes<T> a, Lanes<T> b) { return rectified ? ReLU{}.value(a + b) : a + b; },
        static_cast<const T*>(z), other + first);
    if (!rectified) activate(step, matrices, rows);
}

/// Where d loss / d z stands once `activation_gradient` has run.
template <class T>
T* gradient_place(const DenseStep& step, const Matrices<T>& matrices, T* d_value) {
    return step.d_preactivation == none ? d_value : matrices.at(step.d_preactivation);
}

/// d loss / d z from d loss / d value, in its place unless there is another one.
template <class T>
void activation_gradient(const DenseStep& step, const Matrices<T>& matrices, const Piece& rows,
                         T* d_value) {
    const std::int64_t first = rows.begin * step.outputs;
    const T* value = matrices.at(step.value) + first;
    const T* z = step.preactivation == none ? value : matrices.at(step.preactivation) + first;
    std::visit(
        [&](const auto& activation) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(activation)>, Identity>) {
                transform<T>(
                    rows.size() * step.outputs, gradient_place(step, matrices, d_value) + first,
                    [&](Lanes<T> d, Lanes<T> input, Lanes<T> a) {
                        return d * activation.derivative(input, a);
                    },
                    static_cast<const T*>(d_value + first), z, value);
            }
        },
        step.activation);
}

/// The gradient of the weights of some inputs, over all rows; with the first inputs the bias's.
template <class T>
void weight_gradient(const DenseStep& step, const Matrices<T>& matrices, std::int64_t rows,
                     const Piece& inputs, const T* d_z, const GradientTarget<T>& target,
                     T* scratch) {
    gemm::weight_gradient(matrices.source(step.source), d_z, rows, step.inputs, step.outputs,
                          inputs.begin, inputs.end, target.accumulate || step.accumulates,
                          target.gradient + step.weight,
                          step.bias == none ? nullptr : target.gradient + step.bias, scratch);
}

/// d loss / d input, or added to it, that of the first `columns_below` outputs alone: the others
/// become 0.
/// `rectified` not null: the input, values of a rectifier, whose derivative is then in `d_source`.
template <class T>
void input_gradient(const DenseStep& step, const T* parameters, const Piece& rows, T* d_z,
                    bool accumulate, T* d_source, const T* rectified, std::int64_t columns_below,
                    T* scratch) {
    T* d = d_z + rows.begin * step.outputs;
    if (columns_below < step.outputs) {
        for (std::int64_t i = 0; i < rows.size(); ++i)
            std::fill(d + i * step.outputs + columns_below, d + (i + 1) * step.outputs, T(0));
    }
    const std::int64_t first = rows.begin * step.inputs;
    gemm::input_gradient(static_cast<const T*>(d), parameters + step.weight, rows.size(),
                         step.inputs, step.outputs, accumulate, d_source + first, scratch,
                         rectified ? rectified + first : nullptr);
}

}  // namespace likely::kernels_detail
