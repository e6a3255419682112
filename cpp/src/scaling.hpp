// What the first fit of a standardising model learns of its data: means and deviations.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "likely/trainer.hpp"
#include "plan.hpp"

namespace likely {

/// Weighted mean and population standard deviation of each column, in two passes. A constant column
/// has scale 1, as has one whose deviation is too small for its inverse to be a number.
template <class T>
void moments(const std::string& argument, const T* values, const T* weight, std::int64_t rows,
             std::int64_t columns, std::vector<double>& mean, std::vector<double>& scale) {
    const auto size = static_cast<std::size_t>(columns);
    mean.assign(size, 0);
    scale.assign(size, 0);
    std::vector<T> lowest(size, std::numeric_limits<T>::infinity());
    std::vector<T> highest(size, -std::numeric_limits<T>::infinity());
    double total = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
        const double w = weight ? static_cast<double>(weight[i]) : 1.0;
        if (!(w > 0)) continue;
        const T* row = values + i * columns;
        total += w;
        for (std::size_t j = 0; j < size; ++j) {
            mean[j] += w * static_cast<double>(row[j]);
            lowest[j] = std::min(lowest[j], row[j]);
            highest[j] = std::max(highest[j], row[j]);
        }
    }
    for (double& value : mean) value /= total;
    for (std::int64_t i = 0; i < rows; ++i) {
        const double w = weight ? static_cast<double>(weight[i]) : 1.0;
        const T* row = values + i * columns;
        for (std::size_t j = 0; j < size; ++j) {
            const double distance = static_cast<double>(row[j]) - mean[j];
            scale[j] += w * distance * distance;
        }
    }
    for (std::size_t j = 0; j < size; ++j) {
        scale[j] = std::sqrt(scale[j] / total);
        if (!std::isfinite(scale[j])) {
            throw std::invalid_argument(argument + " cannot be standardised: column " +
                                        std::to_string(j) + " is too widely spread for float64");
        }
        const bool usable = std::isfinite(static_cast<T>(1 / scale[j]));
        if (lowest[j] == highest[j] || !usable) scale[j] = 1;
    }
}

template <class T>
Scaling scaling_of(const Plan& plan, const Dataset<T>& data) {
    Scaling scaling;
    moments("x", data.x, data.weight, data.rows, plan.inputs, scaling.input_mean,
            scaling.input_scale);
    moments("y", data.y, data.weight, data.rows, plan.targets, scaling.target_mean,
            scaling.target_scale);
    const TargetScaling allowed =
        visit_family([](const auto& family) { return family.target_scaling; }, plan.distribution);
    if (allowed != TargetScaling::location_and_scale) std::ranges::fill(scaling.target_mean, 0);
    if (allowed == TargetScaling::none) std::ranges::fill(scaling.target_scale, 1);
    return scaling;
}

}  // namespace likely
