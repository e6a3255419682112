// Forward passes alone: what predictions are made of.
//
// Why: a prediction needs far less memory than a training step, and how much decides its speed. One
// row takes what a few cache lines hold, so that it can stay with a model; many rows are taken in
// blocks whose activations stay in the second cache.
//
// Contract: all memory is allocated by the constructor, from uninitialised storage. Runs in
// evaluation mode, with the model's parameters, averages and scaling as they are at the call, but
// for a scaling that was set after the construction (see `fits`). x is in the user's units. Bits do
// not depend on the number of threads. Serves one caller at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/table.hpp"
#include "likely/model.hpp"
#include "threads.hpp"

namespace likely {

template <class T>
class Inference {
  public:
    /// Keeps a reference to the model, which must stay. Rows beyond `most_rows`, or beyond what
    /// suits the caches, are taken in blocks; these are dealt out to the threads.
    Inference(const Model<T>& model, std::int64_t most_rows, int threads = 1);

    /// The raw parameters of all rows, count x plan.raw_width.
    void operator()(const T* x, std::int64_t count, T* out) noexcept;

    /// The same; false where x has a number that is not finite, and `out` is written in part.
    [[nodiscard]] bool if_finite(const T* x, std::int64_t count, T* out) noexcept;

    /// Whether another one, for so many rows and threads, would be the same; not once the model was
    /// given another scaling.
    bool fits(std::int64_t most_rows, int threads) const {
        return scaling_.get() == &model_.scaling() && threads == threads_ &&
               useful_rows(most_rows, threads) == most_rows_;
    }

  private:
    /// More of them need no more memory.
    static std::int64_t useful_rows(std::int64_t most_rows, int threads);
    template <class Accept>
    bool predict(const T* x, std::int64_t count, T* out, Accept accept) noexcept;
    void predict_block(const T* x, std::int64_t rows, T* out, int member) noexcept;

    const Model<T>& model_;
    const Kernels<T>& kernels_;
    std::shared_ptr<const Scaling> scaling_;
    int threads_;
    std::int64_t most_rows_, block_, capacity_;
    Scheduler scheduler_;
    std::int64_t at_once_;
    std::vector<T> mean_, inverse_scale_;
    AlignedVector<T> workspace_, scratch_, x_;  ///< the last two may be empty
};

extern template class Inference<float>;
extern template class Inference<double>;

}  // namespace likely
