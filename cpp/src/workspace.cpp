#include "workspace.hpp"

#include <algorithm>
#include <cmath>
#include <new>

namespace likely {
namespace {

constexpr std::int64_t most_chunk_rows = 1024;
constexpr std::align_val_t alignment{64};

}  // namespace

template <class T>
void Workspace<T>::AlignedDelete::operator()(T* memory) const {
    ::operator delete[](memory, alignment);
}

template <class T>
typename Workspace<T>::Buffer Workspace<T>::allocate(std::int64_t count) {
    T* memory =
        static_cast<T*>(::operator new[](static_cast<std::size_t>(count) * sizeof(T), alignment));
    std::fill_n(memory, count, T(0));
    return Buffer(memory);
}

template <class T>
Workspace<T>::Workspace(const Model<T>& model, std::int64_t most_rows)
    : plan_(model.plan()),
      kernels_(kernels<T>()),
      capacity_((std::clamp<std::int64_t>(most_rows, 1, most_chunk_rows) + 15) / 16 * 16),
      workspace_(allocate(plan_.workspace_width * capacity_)),
      scratch_(allocate(kernels_.scratch_size(plan_, capacity_))),
      x_(allocate(plan_.inputs * capacity_)),
      y_(allocate(plan_.targets * capacity_)),
      weight_(allocate(capacity_)) {
    const Scaling& scaling = model.scaling();
    if (!scaling.fitted()) return;
    const auto copy = [](const std::vector<double>& mean, const std::vector<double>& scale,
                         std::vector<T>& means, std::vector<T>& inverse_scales) {
        for (const double value : mean) means.push_back(static_cast<T>(value));
        for (const double value : scale) inverse_scales.push_back(static_cast<T>(1 / value));
    };
    copy(scaling.input_mean, scaling.input_scale, input_mean_, input_inverse_scale_);
    copy(scaling.target_mean, scaling.target_scale, target_mean_, target_inverse_scale_);
    for (const double scale : scaling.target_scale) log_target_scale_ += std::log(scale);
}

template <class T>
Rows<T> Workspace<T>::chunk(const Rows<T>& rows, std::int64_t begin, std::int64_t count) noexcept {
    const std::int64_t* order = rows.order ? rows.order + begin : nullptr;
    const std::int64_t first = rows.order ? 0 : begin;
    const auto bring = [&](const T* source, std::int64_t columns, const std::vector<T>& mean,
                           const std::vector<T>& inverse_scale, T* target) -> const T* {
        if (!source) return nullptr;
        source += first * columns;
        if (!order && mean.empty()) return source;
        kernels_.gather(source, columns, order, count, mean.empty() ? nullptr : mean.data(),
                        inverse_scale.data(), target);
        return target;
    };
    static const std::vector<T> unscaled;
    Rows<T> result{};
    result.x = bring(rows.x, plan_.inputs, input_mean_, input_inverse_scale_, x_.get());
    result.y = bring(rows.y, plan_.targets, target_mean_, target_inverse_scale_, y_.get());
    result.weight = bring(rows.weight, 1, unscaled, unscaled, weight_.get());
    result.count = count;
    return result;
}

template <class T>
void Workspace<T>::raw(const T* parameters, const T* x, std::int64_t count, T* out) noexcept {
    const Rows<T> rows{x, nullptr, nullptr, nullptr, count};
    for (std::int64_t begin = 0; begin < count; begin += capacity_) {
        const Rows<T> part = chunk(rows, begin, std::min(capacity_, count - begin));
        kernels_.forward(plan_, parameters, part.x, part.count, capacity_, workspace_.get(),
                         scratch_.get());
        std::copy_n(workspace_.get() + plan_.raw * capacity_, part.count * plan_.raw_width,
                    out + begin * plan_.raw_width);
    }
}

template <class T>
double Workspace<T>::loss(const T* parameters, const Rows<T>& rows) noexcept {
    return loss_and_gradient(parameters, rows, 0, nullptr);
}

template <class T>
double Workspace<T>::loss_and_gradient(const T* parameters, const Rows<T>& rows,
                                       double gradient_scale, T* gradient) noexcept {
    const T* shared = plan_.shared == none ? nullptr : parameters + plan_.shared;
    T* d_shared = gradient && plan_.shared != none ? gradient + plan_.shared : nullptr;
    T* d_raw = gradient ? workspace_.get() + plan_.gradient_in * capacity_ : nullptr;
    const T* raw = workspace_.get() + plan_.raw * capacity_;
    double total = 0;
    for (std::int64_t begin = 0; begin < rows.count; begin += capacity_) {
        const Rows<T> part = chunk(rows, begin, std::min(capacity_, rows.count - begin));
        kernels_.forward(plan_, parameters, part.x, part.count, capacity_, workspace_.get(),
                         scratch_.get());
        total += kernels_.likelihood(plan_, shared, raw, part.y, part.weight, part.count,
                                     gradient_scale, d_raw, d_shared, begin > 0);
        if (gradient) {
            kernels_.backward(plan_, parameters, part.x, part.count, capacity_, workspace_.get(),
                              scratch_.get(), gradient, begin > 0);
        }
    }
    return total;
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace likely
