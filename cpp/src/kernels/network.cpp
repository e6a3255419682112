// Forward and backward over plan, parameters and workspace; each backward stands right under its
// forward.
#include "dense.hpp"
#include "dropout.hpp"
#include "kernels.hpp"
#include "matrices.hpp"
#include "normalization.hpp"

namespace likely::kernels_detail {
namespace {

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

/// The dense layer right below step `index`, if its values are a rectifier's and its gradient needs
/// no place of its own: the input gradient above it can take in its derivative.
const DenseStep* rectified_below(const Plan& plan, std::int64_t index) {
    if (index <= plan.first_trained) return nullptr;
    const auto* below = std::get_if<DenseStep>(&plan.steps[static_cast<std::size_t>(index - 1)]);
    return below && is_rectified(*below) && below->d_preactivation == none ? below : nullptr;
}

}  // namespace

template <class T>
std::int64_t scratch_size(const Plan& plan, std::int64_t) {
    return std::max(gemm::scratch_size<T>(), likelihood_scratch_size<T>(plan));
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
    bool is_d_z = false;  // the derivative of the dense layer at hand is in `current` already
    const auto last = static_cast<std::int64_t>(plan.steps.size()) - 1;
    // What stands before the first step with parameters only passes x on.
    for (auto index = last; index >= plan.first_trained; --index) {
        const bool first = index == plan.first_trained;
        const Step& any = plan.steps[static_cast<std::size_t>(index)];
        if (const auto* dense = std::get_if<DenseStep>(&any)) {
            const DenseStep* below = rectified_below(plan, index);
            backward(*dense, parameters, matrices, rows, scratch, target, current, is_d_z,
                     first ? nullptr : other, below ? matrices.at(below->value) : nullptr,
                     index == last ? mode.columns_below : dense->outputs);
            is_d_z = below != nullptr;
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
    table.scratch_size = scratch_size<T>;
    table.forward = network_forward<T>;
    table.backward = network_backward<T>;
}

template void fill_network(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
