#include "inference.hpp"

#include <algorithm>
#include <new>

namespace likely {
namespace {

constexpr std::align_val_t alignment{64};

/// Enough that reading the weights once a block costs little; few enough that the activations, of
/// layers up to some hundred units, stay in the second cache.
constexpr std::int64_t most_block_rows = 256;

}  // namespace

template <class T>
void Inference<T>::AlignedDelete::operator()(T* memory) const {
    ::operator delete[](memory, alignment);
}

template <class T>
typename Inference<T>::Buffer Inference<T>::allocate(std::int64_t count) {
    return Buffer(
        static_cast<T*>(::operator new[](static_cast<std::size_t>(count) * sizeof(T), alignment)));
}

template <class T>
Inference<T>::Inference(const Model<T>& model, std::int64_t most_rows)
    : model_(model),
      kernels_(kernels<T>()),
      scaling_(model.shared_scaling()),
      block_(std::clamp<std::int64_t>(most_rows, 1, most_block_rows)),
      capacity_((block_ + 15) / 16 * 16),
      // The matrices of a backward pass stand last.
      workspace_(allocate(model.plan().gradient_in * capacity_)),
      scratch_(block_ == 1 ? nullptr : allocate(kernels_.scratch_size(model.plan(), capacity_))) {
    if (!scaling_->fitted()) return;
    for (const double value : scaling_->input_mean) mean_.push_back(static_cast<T>(value));
    for (const double value : scaling_->input_scale)
        inverse_scale_.push_back(static_cast<T>(1 / value));
    x_ = allocate(model.plan().inputs * capacity_);
}

template <class T>
void Inference<T>::operator()(const T* x, std::int64_t count, T* out) noexcept {
    const Plan& plan = model_.plan();
    const Mode<T> evaluation{model_.averages().data()};
    for (std::int64_t begin = 0; begin < count; begin += block_) {
        const std::int64_t rows = std::min(block_, count - begin);
        const T* part = x + begin * plan.inputs;
        if (x_) {
            kernels_.gather(part, plan.inputs, nullptr, rows, mean_.data(), inverse_scale_.data(),
                            x_.get());
            part = x_.get();
        }
        kernels_.forward(plan, evaluation, model_.parameters().data(), part, rows, capacity_,
                         workspace_.get(), scratch_.get());
        std::copy_n(workspace_.get() + plan.raw * capacity_, rows * plan.raw_width,
                    out + begin * plan.raw_width);
    }
}

template class Inference<float>;
template class Inference<double>;

}  // namespace likely
