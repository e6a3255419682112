// The statistics of predicted distributions, in the user's units.
//
// Why: they are read by people, asked for far tails (a probability of 1 - 1e-9 is 1 in float32),
// and are no part of a training step. So all of them are computed in double precision, whatever the
// network's, one number after the other, by code that is compiled once.
//
// Contract: nothing here throws or allocates. Results are rows x targets, but for those of joint
// distributions (`result_columns`). What a family has no closed form for (`has_statistic`) is nan.
#pragma once

#include "plan.hpp"

namespace likely {

/// What `evaluate` computes of a predicted distribution, in the user's units.
struct Evaluation {
    Statistic statistic;
    std::int64_t parameter = 0;  ///< index among all numbers of the named parameters
    double probability = 0;  ///< of a quantile, the same for every row, where `argument` is null
    const double* target_mean = nullptr;  ///< null: targets are not standardised
    const double* target_scale = nullptr;
};

/// One side of a comparison: distributions in the units of their own network.
template <class T>
struct Predictions {
    const Plan* plan;
    const T* shared;
    const T* raw;
    std::int64_t rows;
    const double* target_mean;  ///< null: targets are not standardised
    const double* target_scale;
};

/// Whether the core computes it.
bool has_statistic(const Distribution& distribution, Statistic statistic);
bool has_comparison(const Distribution& distribution);

/// How many numbers a statistic has in each row: targets, or 1 where a joint distribution has one.
std::int64_t result_columns(const Plan& plan, Statistic statistic);

/// One statistic of every row. `argument` has rows x targets numbers (targets of the network, or
/// probabilities of a quantile) or is null.
template <class T>
void evaluate(const Plan& plan, const Evaluation& what, const T* shared, const T* raw,
              std::int64_t rows, const T* argument, T* out) noexcept;

/// Makes a sample of these predictions in the place of rows x targets uniform numbers: the
/// quantiles there, of a joint distribution a row for each row. `choices`, as many uniform numbers,
/// choose the component of a mixture; null for others.
template <class T>
void sample(const Predictions<T>& from, const T* choices, T* numbers) noexcept;

/// p against q, of the same family and with the same targets, in the user's units: rows x targets
/// numbers. A side with one row stands against every row of the other.
template <class T>
void compare(Comparison what, const Predictions<T>& p, const Predictions<T>& q, T* out) noexcept;

extern template void evaluate(const Plan&, const Evaluation&, const float*, const float*,
                              std::int64_t, const float*, float*) noexcept;
extern template void evaluate(const Plan&, const Evaluation&, const double*, const double*,
                              std::int64_t, const double*, double*) noexcept;
extern template void sample(const Predictions<float>&, const float*, float*) noexcept;
extern template void sample(const Predictions<double>&, const double*, double*) noexcept;
extern template void compare(Comparison, const Predictions<float>&, const Predictions<float>&,
                             float*) noexcept;
extern template void compare(Comparison, const Predictions<double>&, const Predictions<double>&,
                             double*) noexcept;

}  // namespace likely
