#include "inference.hpp"

#include <algorithm>
#include <new>

namespace likely {
namespace {

constexpr std::align_val_t alignment{64};

/// A block's activations take at most so many bytes, for what else is in the second cache are the
/// weights.
constexpr std::int64_t block_bytes = 256 << 10;
constexpr std::int64_t fewest_block_rows = 64, most_block_rows = 512;

template <class T>
std::int64_t block_rows(const Plan& plan, std::int64_t most_rows) {
    const std::int64_t row_bytes = (plan.inputs + plan.gradient_in) * std::int64_t{sizeof(T)};
    const std::int64_t suited =
        std::clamp(block_bytes / row_bytes / 32 * 32, fewest_block_rows, most_block_rows);
    return std::clamp<std::int64_t>(most_rows, 1, suited);
}

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
      block_(block_rows<T>(model.plan(), most_rows)),
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
