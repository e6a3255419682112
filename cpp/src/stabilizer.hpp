// The likelihood of a batch with the derivatives that a stabilizer puts in the place of the plain
// ones.
//
// Why: a stabilizer acts on each sample, but the kernels sum the derivatives by shared constants
// themselves. So a stabilised pass shows them the same family with every raw parameter predicted,
// shared and fixed ones repeated in each row, and sums where the stabilizer is done.
//
// Contract: all memory is allocated by the constructor. Losses stay the plain ones.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/table.hpp"
#include "likely/stabilizers.hpp"

namespace likely {

/// Throws std::invalid_argument unless the stabilizer can be used with that family.
void check_stabilizer(const Stabilizer& stabilizer, const Distribution& distribution);

template <class T>
class StabilizedLikelihood {
  public:
    /// For up to `capacity` rows at once; the plan must stay. A Warmup has its epochs.
    StabilizedLikelihood(const Stabilizer& stabilizer, const Plan& plan, std::int64_t capacity);

    /// As the kernel table's `likelihood`, in that epoch of the training (from 0).
    double operator()(std::uint64_t epoch, const T* shared, const T* raw, const Targets<T>& targets,
                      double gradient_scale, T* scratch, T* d_raw, T* d_shared,
                      bool accumulate) noexcept;

    /// Of the columns of d_raw, how many (the first ones) train the layers before the output layer.
    std::int64_t columns_below() const;

  private:
    void repeat_constants(const T* shared, const T* raw, std::int64_t rows) noexcept;
    void sum_constants(std::int64_t rows, T* d_raw, T* d_shared) const noexcept;
    /// A copy with log_scale = 0.
    const T* at_unit_scale(const T* raw, std::int64_t rows) noexcept;
    void weight_by_scale(double beta, const T* raw, std::int64_t rows, T* slope) const noexcept;
    void divide_by_information(double damping, const T* raw, std::int64_t rows,
                               T* slope) const noexcept;

    Stabilizer stabilizer_;
    const Plan& plan_;
    Plan all_predicted_;
    bool has_constants_;
    std::vector<T> raw_, slope_;            ///< where there are constants
    std::vector<T> unit_raw_, unit_slope_;  ///< where the location is trained at unit scale
};

extern template class StabilizedLikelihood<float>;
extern template class StabilizedLikelihood<double>;

}  // namespace likely
