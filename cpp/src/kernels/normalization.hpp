// Batch and layer normalisation; each backward stands right under its forward.
//
// Sums over the rows of a batch run over blocks of 256 rows, in order.
#pragma once

#include <cmath>
#include <utility>

#include "columns.hpp"
#include "matrices.hpp"

namespace likely::kernels_detail {

/// totals[k][j] += the sum over rows i of the k-th number that function(i, j) returns, an
/// std::array of lanes from column j on (the last `count` of which are real). `partial` holds one
/// block's sums, K x width.
template <std::size_t K, class T, class Function>
void add_column_sums(std::int64_t rows, std::int64_t width, std::array<T*, K> totals, T* partial,
                     Function function) {
    using V = Lanes<T>;
    for (std::int64_t begin = 0; begin < rows; begin += summed_rows) {
        const std::int64_t end = std::min(begin + summed_rows, rows);
        std::fill_n(partial, static_cast<std::int64_t>(K) * width, T(0));
        for (std::int64_t i = begin; i < end; ++i) {
            std::int64_t j = 0;
            for (; j + V::size <= width; j += V::size) {
                const std::array<V, K> terms = function(i, j, V::size);
                for (std::size_t k = 0; k < K; ++k) {
                    T* sum = partial + static_cast<std::int64_t>(k) * width + j;
                    (V::load(sum) + terms[k]).store(sum);
                }
            }
            if (j < width) {
                const std::array<V, K> terms = function(i, j, width - j);
                for (std::size_t k = 0; k < K; ++k) {
                    T* sum = partial + static_cast<std::int64_t>(k) * width + j;
                    (V::load_partial(sum, width - j, T(0)) + terms[k])
                        .store_partial(sum, width - j);
                }
            }
        }
        for (std::size_t k = 0; k < K; ++k) {
            for (std::int64_t j = 0; j < width; ++j)
                totals[k][j] += partial[static_cast<std::int64_t>(k) * width + j];
        }
    }
}

/// The rows of a step's matrix of moments.
template <class T>
struct Moments {
    T *mean, *variance, *inverse_deviation, *first_sum, *second_sum, *partial;

    Moments(const NormStep& step, const Matrices<T>& matrices)
        : mean(matrices.at(step.moments)),
          variance(mean + step.width),
          inverse_deviation(mean + 2 * step.width),
          first_sum(mean + 3 * step.width),
          second_sum(mean + 4 * step.width),
          partial(mean + 5 * step.width) {}
};

/// value = activation(scale * normalized + shift) for one row.
template <class T>
void scale_and_shift(const NormStep& step, const T* parameters, const T* normalized, T* value) {
    std::visit(
        [&](const auto& activation) {
            transform<T>(
                step.width, value,
                [&](Lanes<T> n, Lanes<T> scale, Lanes<T> shift) {
                    return activation.value(scale * n + shift);
                },
                normalized, parameters + step.scale, parameters + step.shift);
        },
        step.activation);
}

/// `d_value` becomes d loss / d z of z = scale * normalized + shift, and the gradients of scale and
/// shift are written; their sums over these rows stay in `moments`.
template <class T>
void scale_and_shift_backward(const NormStep& step, const T* parameters,
                              const Matrices<T>& matrices, std::int64_t rows,
                              const Moments<T>& moments, const GradientTarget<T>& target,
                              T* d_value) {
    using V = Lanes<T>;
    const std::int64_t width = step.width;
    const T* normalized = matrices.at(step.normalized);
    const T* value = matrices.at(step.value);
    std::fill_n(moments.first_sum, width, T(0));
    std::fill_n(moments.second_sum, width, T(0));
    std::visit(
        [&](const auto& activation) {
            add_column_sums<2, T>(
                rows, width, {moments.first_sum, moments.second_sum}, moments.partial,
                [&](std::int64_t i, std::int64_t j, std::int64_t count) {
                    const V n = load_lanes(normalized + i * width + j, count);
                    V d = load_lanes(d_value + i * width + j, count);
                    if constexpr (!std::is_same_v<std::decay_t<decltype(activation)>, Identity>) {
                        const V z = load_lanes(parameters + step.scale + j, count) * n +
                                    load_lanes(parameters + step.shift + j, count);
                        d = d * activation.derivative(z, load_lanes(value + i * width + j, count));
                        store_lanes(d, d_value + i * width + j, count);
                    }
                    return std::array<V, 2>{d, d * n};
                });
        },
        step.activation);
    const bool accumulate = target.accumulate || step.accumulates;
    for (const auto& [offset, sum] :
         {std::pair{step.shift, moments.first_sum}, std::pair{step.scale, moments.second_sum}}) {
        T* gradient = target.gradient + offset;
        for (std::int64_t j = 0; j < width; ++j)
            gradient[j] = accumulate ? gradient[j] + sum[j] : sum[j];
    }
}

/// The moments of the columns and the inverse of their deviation, for `forward`.
template <class T>
void find_moments(const BatchNormStep& step, const Mode<T>& mode, const Matrices<T>& matrices,
                  std::int64_t rows) {
    using V = Lanes<T>;
    const std::int64_t width = step.width;
    const T* source = matrices.source(step.source);
    const Moments<T> moments(step, matrices);
    if (mode.training) {
        const T share = T(1) / static_cast<T>(rows);
        std::fill_n(moments.mean, 2 * width, T(0));
        add_column_sums<1, T>(rows, width, {moments.mean}, moments.partial,
                              [&](std::int64_t i, std::int64_t j, std::int64_t count) {
                                  return std::array{load_lanes(source + i * width + j, count)};
                              });
        for (std::int64_t j = 0; j < width; ++j) moments.mean[j] *= share;
        add_column_sums<1, T>(rows, width, {moments.variance}, moments.partial,
                              [&](std::int64_t i, std::int64_t j, std::int64_t count) {
                                  const V distance = load_lanes(source + i * width + j, count) -
                                                     load_lanes(moments.mean + j, count);
                                  return std::array{distance * distance};
                              });
        for (std::int64_t j = 0; j < width; ++j) moments.variance[j] *= share;
    } else {
        std::copy_n(mode.averages + step.mean, width, moments.mean);
        std::copy_n(mode.averages + step.variance, width, moments.variance);
    }
    for (std::int64_t j = 0; j < width; ++j) {
        moments.inverse_deviation[j] =
            T(1) / std::sqrt(moments.variance[j] + static_cast<T>(step.epsilon));
    }
}

template <class T>
void forward(const BatchNormStep& step, const Mode<T>&, const T* parameters,
             const Matrices<T>& matrices, const Piece& rows, T*) {
    const std::int64_t width = step.width;
    const T* source = matrices.source(step.source);
    const Moments<T> moments(step, matrices);
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
        T* normalized = matrices.at(step.normalized) + i * width;
        transform<T>(
            width, normalized, [](Lanes<T> x, Lanes<T> mean, Lanes<T> s) { return (x - mean) * s; },
            source + i * width, static_cast<const T*>(moments.mean),
            static_cast<const T*>(moments.inverse_deviation));
        scale_and_shift(step, parameters, normalized, matrices.at(step.value) + i * width);
    }
}

template <class T>
void backward(const BatchNormStep& step, const Mode<T>& mode, const T* parameters,
              const Matrices<T>& matrices, std::int64_t rows, const GradientTarget<T>& target,
              T* d_value, bool first) {
    const std::int64_t width = step.width;
    const Moments<T> moments(step, matrices);
    scale_and_shift_backward(step, parameters, matrices, rows, moments, target, d_value);
    if (first) return;
    // d source = factor * (d - first_sum / rows - normalized * second_sum / rows), where batch
    // moments are functions of the source.
    const T share = mode.training ? T(1) / static_cast<T>(rows) : T(0);
    for (std::int64_t j = 0; j < width; ++j) {
        moments.first_sum[j] *= share;
        moments.second_sum[j] *= share;
        moments.partial[j] = parameters[step.scale + j] * moments.inverse_deviation[j];
    }
    for (std::int64_t i = 0; i < rows; ++i) {
        T* d = d_value + i * width;
        transform<T>(
            width, d,
            [](Lanes<T> slope, Lanes<T> n, Lanes<T> first_mean, Lanes<T> second_mean,
               Lanes<T> factor) { return factor * (slope - first_mean - n * second_mean); },
            static_cast<const T*>(d),
            static_cast<const T*>(matrices.at(step.normalized) + i * width),
            static_cast<const T*>(moments.first_sum), static_cast<const T*>(moments.second_sum),
            static_cast<const T*>(moments.partial));
    }
}

template <class T>
void forward(const LayerNormStep& step, const Mode<T>&, const T* parameters,
             const Matrices<T>& matrices, const Piece& rows, T*) {
    using V = Lanes<T>;
    const std::int64_t width = step.width;
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
        const T* source = matrices.source(step.source) + i * width;
        T* normalized = matrices.at(step.normalized) + i * width;
        V total(0.0);
        for_lanes<T>(width, [&](std::int64_t j, std::int64_t count) {
            total = total + load_lanes(source + j, count);
        });
        const T mean = static_cast<T>(total.sum()) / static_cast<T>(width);
        total = V(0.0);
        for_lanes<T>(width, [&](std::int64_t j, std::int64_t count) {
            V x = load_lanes(source + j, count, mean);  // what is not there has no distance
            x = x - V(static_cast<double>(mean));
            total = total + x * x;
        });
        const T variance = static_cast<T>(total.sum()) / static_cast<T>(width);
        const T inverse_deviation = T(1) / std::sqrt(variance + static_cast<T>(step.epsilon));
        matrices.at(step.inverse_deviation)[i] = inverse_deviation;
        transform<T>(
            width, normalized,
            [m = V(static_cast<double>(mean)), s = V(static_cast<double>(inverse_deviation))](V x) {
                return (x - m) * s;
            },
            source);
        scale_and_shift(step, parameters, normalized, matrices.at(step.value) + i * width);
    }
}

template <class T>
void backward(const LayerNormStep& step, const Mode<T>&, const T* parameters,
              const Matrices<T>& matrices, std::int64_t rows, const GradientTarget<T>& target,
              T* d_value, bool first) {
    using V = Lanes<T>;
    const std::int64_t width = step.width;
    scale_and_shift_backward(step, parameters, matrices, rows, Moments<T>(step, matrices), target,
                             d_value);
    if (first) return;
    const T* scale = parameters + step.scale;
    for (std::int64_t i = 0; i < rows; ++i) {
        T* d = d_value + i * width;
        const T* normalized = matrices.at(step.normalized) + i * width;
        V sum(0.0), weighted(0.0);
        for_lanes<T>(width, [&](std::int64_t j, std::int64_t count) {
            const V slope = load_lanes(d + j, count) * load_lanes(scale + j, count);
            sum = sum + slope;
            weighted = weighted + slope * load_lanes(normalized + j, count);
        });
        const double share = 1 / static_cast<double>(width);
        transform<T>(
            width, d,
            [factor = V(static_cast<double>(matrices.at(step.inverse_deviation)[i])),
             first_mean = V(static_cast<double>(sum.sum()) * share),
             second_mean = V(static_cast<double>(weighted.sum()) * share)](V slope, V n, V s) {
                return factor * (slope * s - first_mean - n * second_mean);
            },
            static_cast<const T*>(d), normalized, scale);
    }
}

}  // namespace likely::kernels_detail
