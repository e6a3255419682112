// The negative log-likelihood of a batch under a custom density, with its gradient.
//
// Why: the user's function is slow to call and may throw, so it is called once for a whole batch,
// in double precision, and outside of the kernels, which never throw.
//
// Contract: a sample is a row and a target column, row by row. Where a raw parameter is not finite
// the function is not called. Memory grows with the first batch and is kept.
#pragma once

#include <cstdint>
#include <vector>

#include "plan.hpp"

namespace likely {

template <class T>
class CustomLikelihood {
  public:
    /// The plan must stay.
    explicit CustomLikelihood(const Plan& plan) : plan_(plan) {}

    /// As the kernel table's `likelihood`; nan, and nan derivatives, where a raw parameter is not
    /// finite.
    double operator()(const T* raw, const T* y, const T* weight, std::int64_t rows,
                      double gradient_scale, T* d_raw);

    /// The log density of every sample. Throws std::invalid_argument where a raw parameter is not
    /// finite.
    void log_prob(const T* raw, const T* y, std::int64_t rows, T* out);

  private:
    bool evaluate(const T* raw, const T* y, std::int64_t rows, bool with_derivative);

    const Plan& plan_;
    std::vector<double> y_, raw_, log_prob_, derivative_;
};

extern template class CustomLikelihood<float>;
extern template class CustomLikelihood<double>;

}  // namespace likely
