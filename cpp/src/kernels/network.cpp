// Forward and backward over plan, parameters and workspace; each backward stands right under its
// forward.
#include "dropout.hpp"
#include "gemm.hpp"
#include "kernels.hpp"
#include "matrices.hpp"
#include "normalization.hpp"

namespace likely::kernels_detail {
namespace {

template <class T>
void forward(const DenseStep& step, const Mode<T>&, const T* parameters,
             const Matrices<T>& matrices, std::int64_t rows, T* scratch) {
    T* value = matrices.at(step.value);
    T* z = step.preactivation == none ? value : matrices.at(step.preactivation);
    gemm::forward(matrices.source(step.source), parameters + step.weight,
                  step.bias == none ? nullptr : parameters + step.bias, rows, step.inputs,
                  step.outputs, z, scratch);
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

/// `d_value` becomes d loss / d z on the way, unless that has a place of its own; d loss / d input
/// goes to `d_source` unless it is null, that of the first `columns_below` outputs alone.
template <class T>
void backward(const DenseStep& step, const T* parameters, const Matrices<T>& matrices,
              std::int64_t rows, T* scratch, const GradientTarget<T>& target, T* d_value,
              T* d_source, std::int64_t columns_below) {
    const T* value = matrices.at(step.value);
    const T* z = step.preactivation == none ? value : matrices.at(step.preactivation);
    T* d_z = d_value;
    std::visit(
        [&](const auto& activation) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(activation)>, Identity>) {
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
                          step.inputs, step.outputs, target.accumulate || step.accumulates,
                          target.gradient + step.weight,
                          step.bias == none ? nullptr : target.gradient + step.bias, scratch);
    if (d_source) {
        if (columns_below < step.outputs) {
            for (std::int64_t i = 0; i < rows; ++i) {
                std::fill(d_z + i * step.outputs + columns_below, d_z + (i + 1) * step.outputs,
                          T(0));
            }
        }
        gemm::input_gradient(static_cast<const T*>(d_z), parameters + step.weight, rows,
                             step.inputs, step.outputs, d_source, scratch);
    }
}

template <class T>
void forward(const ResidualBegin&, const Mode<T>&, const T*, const Matrices<T>&, std::int64_t, T*) {
}

template <class T>
void forward(const ResidualEnd& step, const Mode<T>&, const T*, const Matrices<T>& matrices,
             std::int64_t rows, T*) {
    if (step.inner == none) return;
    transform<T>(
        rows * step.width, matrices.at(step.value), [](Lanes<T> x, Lanes<T> f) { return x + f; },
        matrices.source(step.source), static_cast<const T*>(matrices.at(step.inner)));
}

}  // namespace

template <class T>
std::int64_t scratch_size(const Plan& plan, std::int64_t) {
    return std::max(gemm::scratch_size<T>(), likelihood_scratch_size<T>(plan));
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
void network_forward(const Plan& plan, const Mode<T>& mode, const T* parameters, const T* x,
                     std::int64_t rows, std::int64_t capacity, T* workspace, T* scratch) {
    const Matrices<T> matrices{x, workspace, capacity};
    for (const Step& any : plan.steps) {
        std::visit(
            [&](const auto& step) { forward(step, mode, parameters, matrices, rows, scratch); },
            any);
    }
}

template <class T>
void network_backward(const Plan& plan, const Mode<T>& mode, const T* parameters, const T* x,
                      std::int64_t rows, std::int64_t capacity, T* workspace, T* scratch,
                      T* gradient, bool accumulate) {
    const Matrices<T> matrices{x, workspace, capacity};
    const GradientTarget<T> target{gradient, accumulate};
    T* current = matrices.at(plan.gradient_in);
    T* other = matrices.at(plan.gradient_out);
    const auto last = static_cast<std::int64_t>(plan.steps.size()) - 1;
    // What stands before the first step with parameters only passes x on.
    for (auto index = last; index >= plan.first_trained; --index) {
        const bool first = index == plan.first_trained;
        const Step& any = plan.steps[static_cast<std::size_t>(index)];
        if (const auto* dense = std::get_if<DenseStep>(&any)) {
            backward(*dense, parameters, matrices, rows, scratch, target, current,
                     first ? nullptr : other, index == last ? mode.columns_below : dense->outputs);
            std::swap(current, other);
        } else if (const auto* end = std::get_if<ResidualEnd>(&any)) {
            if (end->kept_gradient != none)
                std::copy_n(current, rows * end->width, matrices.at(end->kept_gradient));
        } else if (const auto* begin = std::get_if<ResidualBegin>(&any)) {
            const T* kept =
                begin->kept_gradient == none ? other : matrices.at(begin->kept_gradient);
            transform<T>(
                rows * begin->width, current, [](Lanes<T> a, Lanes<T> b) { return a + b; },
                static_cast<const T*>(current), kept);
        } else if (const auto* dropout = std::get_if<DropoutStep>(&any)) {
            backward(*dropout, mode, matrices, rows, current);
        } else if (const auto* batch = std::get_if<BatchNormStep>(&any)) {
            backward(*batch, mode, parameters, matrices, rows, target, current, first);
        } else {
            backward(std::get<LayerNormStep>(any), mode, parameters, matrices, rows, target,
                     current, first);
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
