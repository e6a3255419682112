// The negative log-likelihood of a batch, declared for all families.
//
// Why: it is compiled for every family, precision and instruction set. Files of a few families each
// (likelihood_*.cpp) keep translation units short; likelihood.cpp chooses among them.
#pragma once

#include "kernels.hpp"

namespace likely::kernels_detail {

/// What the likelihood is computed of and brought to, as the kernel table has it.
template <class T>
struct Batch {
    const Plan& plan;
    const T* shared;
    const T* raw;
    Targets<T> targets;
    double gradient_scale;
    T* scratch;
    T* d_raw;
    T* d_shared;
};

/// The rows of a batch from `begin` on.
template <class T>
Batch<T> rest(Batch<T> batch, std::int64_t begin) {
    const Plan& plan = batch.plan;
    Targets<T>& targets = batch.targets;
    batch.raw += begin * plan.raw_width;
    targets.y += begin * plan.targets;
    if (targets.weight) targets.weight += begin;
    if (targets.event) targets.event += begin * plan.targets;
    targets.rows -= begin;
    if (batch.d_raw) batch.d_raw += begin * plan.raw_width;
    return batch;
}

/// Rows at a time of a family whose raw parameters are counted at run time.
inline constexpr std::int64_t group_rows = 64;

/// As the kernel table's `likelihood`, added to what is in d_shared.
template <class Family, class T>
double likelihood_of(const Family& family, const Batch<T>& batch);

}  // namespace likely::kernels_detail
