// Inference only: a trained model behind functions that never throw and never allocate.
//
// Contract: the constructor allocates all memory and copies the parameters, so that the model may
// go. Everything else is noexcept and allocates nothing. One predictor serves one thread. Matrices
// are C-order: x rows x inputs, raw rows x raw_width(), results rows x targets (of a joint
// distribution entropy, log_prob and parameter are one number a row). Numbers are in the user's
// units. Batches beyond `max_batch`, or beyond what suits the caches, are taken in pieces. One row
// at a time (`max_batch` 1) needs least memory and has the shortest way.
//
//     likely::Predictor<float> predict(likely::Model<float>::load("model.safetensors"));
//     predict(x, raw);
//     predict.mean(raw, mean);
//     predict.quantile(raw, 0.99, upper);
#pragma once

#include <cstdint>
#include <memory>

#include "likely/model.hpp"

namespace likely {

template <class T>
class Predictor {
  public:
    explicit Predictor(const Model<T>& model, std::int64_t max_batch = 1);
    Predictor(Predictor&&) noexcept;
    Predictor& operator=(Predictor&&) noexcept;
    ~Predictor();

    std::int64_t inputs() const noexcept;
    std::int64_t targets() const noexcept;
    std::int64_t raw_width() const noexcept;

    /// The raw parameters of the predicted distributions: what every function below begins with.
    void operator()(const T* x, T* raw, std::int64_t rows = 1) noexcept;

    void mean(const T* raw, T* out, std::int64_t rows = 1) const noexcept;
    void std(const T* raw, T* out, std::int64_t rows = 1) const noexcept;
    void mode(const T* raw, T* out, std::int64_t rows = 1) const noexcept;
    void entropy(const T* raw, T* out, std::int64_t rows = 1) const noexcept;
    /// nan where `probability` is outside [0, 1].
    void quantile(const T* raw, double probability, T* out, std::int64_t rows = 1) const noexcept;
    void cdf(const T* raw, const T* y, T* out, std::int64_t rows = 1) const noexcept;
    void log_prob(const T* raw, const T* y, T* out, std::int64_t rows = 1) const noexcept;
    /// Parameter `index` of the family, under the order of its `parameters`; of Categorical, the
    /// probability of class `index`.
    void parameter(const T* raw, std::int64_t index, T* out, std::int64_t rows = 1) const noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

extern template class Predictor<float>;
extern template class Predictor<double>;

}  // namespace likely
