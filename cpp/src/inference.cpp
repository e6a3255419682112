#include "inference.hpp"

#include <algorithm>
#include <atomic>

namespace likely {
namespace {

/// Enough that reading the weights once a block costs little; few enough that the activations, of
/// layers up to some hundred units, stay in the second cache.
constexpr std::int64_t most_block_rows = 256;
/// Of each thread: a job begins and ends in a microsecond or two, and teams are measured job by
/// job.
constexpr std::int64_t blocks_a_job = 4;

/// How many of the rows that are left are taken next, at most so many: no row is left alone, since
/// it would be computed in another way than among others.
std::int64_t next_rows(std::int64_t left, std::int64_t most) {
    return left == most + 1 && most > 2 ? most - 1 : std::min(left, most);
}

template <class T>
AlignedVector<T> uninitialized(std::int64_t count) {
    return AlignedVector<T>(static_cast<std::size_t>(count));
}

}  // namespace

template <class T>
std::int64_t Inference<T>::useful_rows(std::int64_t most_rows, int threads) {
    return std::clamp<std::int64_t>(most_rows, 1, threads * blocks_a_job * most_block_rows);
}

template <class T>
Inference<T>::Inference(const Model<T>& model, std::int64_t most_rows, int threads)
    : model_(model),
      kernels_(kernels<T>()),
      scaling_(model.shared_scaling()),
      threads_(threads),
      most_rows_(useful_rows(most_rows, threads)),
      block_(std::min(most_rows_, most_block_rows)),
      capacity_((block_ + 15) / 16 * 16),
      scheduler_(static_cast<int>(std::clamp<std::int64_t>(most_rows_ / fewest_rows, 1, threads)),
                 static_cast<double>(model.plan().multiply_adds) * static_cast<double>(most_rows_)),
      at_once_(scheduler_.size() == 1 ? block_ : scheduler_.size() * blocks_a_job * block_),
      // The matrices of a backward pass stand last.
      workspace_(uninitialized<T>(model.plan().gradient_in * capacity_ * scheduler_.size())),
      scratch_(uninitialized<T>(
          block_ == 1 ? 0 : kernels_.scratch_size(model.plan()) * scheduler_.size())) {
    if (!scaling_->fitted()) return;
    for (const double value : scaling_->input_mean) mean_.push_back(static_cast<T>(value));
    for (const double value : scaling_->input_scale)
        inverse_scale_.push_back(static_cast<T>(1 / value));
    x_ = uninitialized<T>(model.plan().inputs * capacity_ * scheduler_.size());
}

template <class T>
template <class Accept>
bool Inference<T>::predict(const T* x, std::int64_t count, T* out, Accept accept) noexcept {
    const Plan& plan = model_.plan();
    if (count == 1) {  // needs no team
        if (!accept(x, plan.inputs)) return false;
        predict_block(x, 1, out, 0);
        return true;
    }
    std::atomic<bool> accepted = true;
    for (std::int64_t first = 0, rows = 0; first < count; first += rows) {
        rows = next_rows(count - first, at_once_);
        const Scheduler::Job job(scheduler_, rows);
        job.team().split(rows, row_unit, fewest_rows, [&](const Piece& piece) {
            for (std::int64_t i = first + piece.begin, n = 0; i < first + piece.end; i += n) {
                n = next_rows(first + piece.end - i, block_);
                const T* const part = x + i * plan.inputs;
                if (!accept(part, n * plan.inputs)) {
                    accepted = false;
                    return;
                }
                predict_block(part, n, out + i * plan.raw_width, piece.member);
            }
        });
        if (!accepted) break;
    }
    return accepted;
}

template <class T>
void Inference<T>::operator()(const T* x, std::int64_t count, T* out) noexcept {
    predict(x, count, out, [](const T*, std::int64_t) { return true; });
}

template <class T>
bool Inference<T>::if_finite(const T* x, std::int64_t count, T* out) noexcept {
    return predict(x, count, out, kernels_.all_finite);
}

template <class T>
void Inference<T>::predict_block(const T* x, std::int64_t rows, T* out, int member) noexcept {
    const Plan& plan = model_.plan();
    const Mode<T> evaluation{model_.averages().data()};
    if (!x_.empty()) {
        T* const scaled = x_.data() + member * plan.inputs * capacity_;
        kernels_.gather(x, plan.inputs, plan.inputs, nullptr, rows, 0, mean_.data(),
                        inverse_scale_.data(), scaled);
        x = scaled;
    }
    T* const workspace = workspace_.data() + member * plan.gradient_in * capacity_;
    T* const scratch =
        scratch_.empty() ? nullptr : scratch_.data() + member * kernels_.scratch_size(plan);
    kernels_.forward(plan, evaluation, model_.parameters().data(), x, rows, capacity_, workspace,
                     scratch, Team());
    std::copy_n(workspace + plan.raw * capacity_, rows * plan.raw_width, out);
}

template class Inference<float>;
template class Inference<double>;

}  // namespace likely
