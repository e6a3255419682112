// Forward and backward over plan, parameters and workspace; each backward stands right under its
// forward.
#include "gemm.hpp"
#include "kernels.hpp"
#include "lanes.hpp"

namespace likely::kernels_detail {
namespace {

/// value[i] = function(lanes of each array) over `count` numbers, whole registers first, then the
/// rest.
template <class T, class Function, class... Source>
void transform(std::int64_t count, T* target, Function function, const Source*... source) {
    constexpr std::int64_t width = Lanes<T>::size;
    std::int64_t i = 0;
    for (; i + width <= count; i += width)
        function(Lanes<T>::load(source + i)...).store(target + i);
    if (i < count) {
        function(Lanes<T>::load_partial(source + i, count - i, T(0))...)
            .store_partial(target + i, count - i);
    }
}

/// Where the matrices of a plan stand in a workspace of this capacity.
template <class T>
struct Matrices {
    const T* x;
    T* workspace;
    std::int64_t capacity;

    T* at(std::int64_t offset) const { return workspace + offset * capacity; }
    const T* source(std::int64_t offset) const { return offset == input_matrix ? x : at(offset); }
};

template <class T>
void forward(const DenseStep& step, const T* parameters, const Matrices<T>& matrices,
             std::int64_t rows, T* scratch) {
    T* value = matrices.at(step.value);
    T* z = step.preactivation == none ? value : matrices.at(step.preactivation);
    gemm::forward(matrices.source(step.source), parameters + step.weight,
                  step.bias == none ? nullptr : parameters + step.bias, rows, step.inputs,
                  step.outputs, z, scratch);
    std::visit(
        [&](const auto& activation) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(activation)>, Identity>) {
                transform<T>(
                    rows * step.outputs, value,
                    [&](Lanes<T> lanes) { return activation.value(lanes); }, z);
            }
        },
        step.activation);
}

/// `d_value` becomes d loss / d z on the way; d loss / d input goes to `d_source` unless it is
/// null.
template <class T>
void backward(const DenseStep& step, const T* parameters, const Matrices<T>& matrices,
              std::int64_t rows, T* scratch, T* gradient, bool accumulate, T* d_value,
              T* d_source) {
    const T* value = matrices.at(step.value);
    const T* z = step.preactivation == none ? value : matrices.at(step.preactivation);
    std::visit(
        [&](const auto& activation) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(activation)>, Identity>) {
                transform<T>(
                    rows * step.outputs, d_value,
                    [&](Lanes<T> d, Lanes<T> input, Lanes<T> a) {
                        return d * activation.derivative(input, a);
                    },
                    d_value, z, value);
            }
        },
        step.activation);
    gemm::weight_gradient(matrices.source(step.source), d_value, rows, step.inputs, step.outputs,
                          accumulate || step.accumulates, gradient + step.weight,
                          step.bias == none ? nullptr : gradient + step.bias, scratch);
    if (d_source) {
        gemm::input_gradient(d_value, parameters + step.weight, rows, step.inputs, step.outputs,
                             d_source, scratch);
    }
}

template <class T>
void forward(const ResidualBegin&, const T*, const Matrices<T>&, std::int64_t, T*) {}

template <class T>
void forward(const ResidualEnd& step, const T*, const Matrices<T>& matrices, std::int64_t rows,
             T*) {
    transform<T>(
        rows * step.width, matrices.at(step.value), [](Lanes<T> x, Lanes<T> f) { return x + f; },
        matrices.source(step.source), static_cast<const T*>(matrices.at(step.inner)));
}

}  // namespace

template <class T>
std::int64_t scratch_size(const Plan&, std::int64_t) {
    return gemm::scratch_size<T>();
}

template <class T>
void gather(const T* x, std::int64_t columns, const std::int64_t* order, std::int64_t rows,
            const T* mean, const T* inverse_scale, T* out) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const T* row = x + (order ? order[i] : i) * columns;
        T* target = out + i * columns;
        if (mean) {
            for (std::int64_t j = 0; j < columns; ++j)
                target[j] = (row[j] - mean[j]) * inverse_scale[j];
        } else {
            std::copy_n(row, columns, target);
        }
    }
}

template <class T>
void network_forward(const Plan& plan, const T* parameters, const T* x, std::int64_t rows,
                     std::int64_t capacity, T* workspace, T* scratch) {
    const Matrices<T> matrices{x, workspace, capacity};
    for (const Step& any : plan.steps) {
        std::visit([&](const auto& step) { forward(step, parameters, matrices, rows, scratch); },
                   any);
    }
}

template <class T>
void network_backward(const Plan& plan, const T* parameters, const T* x, std::int64_t rows,
                      std::int64_t capacity, T* workspace, T* scratch, T* gradient,
                      bool accumulate) {
    const Matrices<T> matrices{x, workspace, capacity};
    T* current = matrices.at(plan.gradient_in);
    T* other = matrices.at(plan.gradient_out);
    for (auto any = plan.steps.rbegin(); any != plan.steps.rend(); ++any) {
        if (const auto* dense = std::get_if<DenseStep>(&*any)) {
            const bool first = dense->source == input_matrix;
            backward(*dense, parameters, matrices, rows, scratch, gradient, accumulate, current,
                     first ? nullptr : other);
            if (first) return;  // what stands before only passes x on
            std::swap(current, other);
        } else if (const auto* end = std::get_if<ResidualEnd>(&*any)) {
            std::copy_n(current, rows * end->width, matrices.at(end->kept_gradient));
        } else {
            const auto& begin = std::get<ResidualBegin>(*any);
            transform<T>(
                rows * begin.width, current, [](Lanes<T> a, Lanes<T> b) { return a + b; },
                static_cast<const T*>(current),
                static_cast<const T*>(matrices.at(begin.kept_gradient)));
        }
    }
}

template <class T>
void fill_network(Kernels<T>& table) {
    gemm::set_cache_sizes();
    table.scratch_size = scratch_size<T>;
    table.gather = gather<T>;
    table.forward = network_forward<T>;
    table.backward = network_backward<T>;
}

template void fill_network(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
