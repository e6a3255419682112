// Loss and gradient of a linear model, a single dense layer with a few weights, in one walk.
//
// Why: where a layer is a handful of numbers, what leads to its arithmetic (matrices of the
// workspace, products of any size, transpositions) costs ten times as much as the arithmetic. Here
// samples stand in lanes from the data to the sums of the gradient.
//
// Contract: the numbers of docs/conventions.md, as forward, likelihood and backward give them. The
// lanes behind the last sample have weight 0.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dual.hpp"
#include "kernels.hpp"
#include "lanes.hpp"

namespace likely::kernels_detail {

/// Wider layers are left to the matrix products.
inline constexpr std::int64_t most_linear_inputs = 8, most_linear_targets = 4, linear_rows = 256;
inline constexpr std::size_t most_linear_raw = 3;

/// What a linear model's walk is made for.
template <class Family>
inline constexpr bool walks_linear = false;
template <FixedFamily Family>
inline constexpr bool walks_linear<Family> = raw_count<Family> <= most_linear_raw;

/// Some samples: a column of lanes for each input, target and slope.
template <class T>
struct alignas(64) LinearSamples {
    using Column = std::array<T, linear_rows>;

    std::array<Column, most_linear_inputs> x;
    Column y, weight, event;
    std::array<Column, most_linear_raw> slope;
    std::int64_t count;

    void read_inputs(const LinearBatch<T>& batch, std::int64_t begin, std::int64_t rows);
    /// Of the same rows, what belongs to target column t.
    void read_targets(const LinearBatch<T>& batch, std::int64_t begin, std::int64_t t);
};

/// Where a raw parameter of a target column comes from: its constant (a bias, a learned or a fixed
/// one) and, where it is predicted, its weights, `stride` numbers from input to input.
template <class T>
struct LinearRaw {
    std::int64_t constant = none, weight = none;
    T value = 0;

    void find(const Plan& plan, const DenseStep& layer, std::size_t k, std::int64_t t,
              const T* parameters) {
        const RawPlace& place = plan.raw_places[k];
        if (place.source == Source::fixed) {
            value = static_cast<T>(place.value);
            return;
        }
        if (place.source == Source::predicted) {
            weight = layer.weight + place.position + t;
            constant = layer.bias == none ? none : layer.bias + place.position + t;
        } else {
            constant = plan.shared + place.position + t;
        }
        if (constant != none) value = parameters[constant];
    }
};

/// Adds (or, of the first samples, writes) what the samples' slopes make of a raw parameter's
/// weights and constant.
template <class T>
void add_linear_gradient(const LinearSamples<T>& samples, const LinearRaw<T>& raw, std::size_t k,
                         const DenseStep& layer, bool accumulate, T* gradient);

/// Target column t of the samples.
template <class Family, class T>
double linear_column(const Family& family, const LinearBatch<T>& batch, std::int64_t t,
                     bool accumulate, LinearSamples<T>& samples) {
    using V = Lanes<T>;
    constexpr std::size_t count = raw_count<Family>;
    static_assert(count <= most_linear_raw);
    const auto& layer = std::get<DenseStep>(batch.plan.steps.front());
    std::array<LinearRaw<T>, count> places;
    for (std::size_t k = 0; k < count; ++k)
        places[k].find(batch.plan, layer, k, t, batch.parameters);
    const V slope_scale(-batch.gradient_scale);
    V sum(0.0);
    for (std::int64_t i = 0; i < samples.count; i += V::size) {
        const auto at = [&](const typename LinearSamples<T>::Column& column) {
            return V::load(column.data() + i);
        };
        std::array<V, count> raw;
        for (std::size_t k = 0; k < count; ++k) {
            raw[k] = V(places[k].value);
            if (places[k].weight == none) continue;
            const T* weight = batch.parameters + places[k].weight;
            for (std::int64_t j = 0; j < layer.inputs; ++j) {
                raw[k] = raw[k] +
                         at(samples.x[static_cast<std::size_t>(j)]) * V(weight[j * layer.outputs]);
            }
        }
        const auto variables = Dual<V, count>::variables(raw);
        Dual<V, count> density = family.log_prob(at(samples.y), variables);
        if constexpr (takes_events<Family>) {
            if (batch.rows.event) {
                density = select(at(samples.event) > V(0.5), density,
                                 family.log_survival(at(samples.y), variables));
            }
        }
        const V weight = at(samples.weight);
        const auto counts = weight > V(0.0);
        sum = sum - select(counts, weight * density.value, V(0.0));
        for (std::size_t k = 0; k < count; ++k) {
            const V slope = weight * (density.derivative[k] * slope_scale);
            select(counts, slope, V(0.0)).store(samples.slope[k].data() + i);
        }
    }
    for (std::size_t k = 0; k < count; ++k)
        add_linear_gradient(samples, places[k], k, layer, accumulate, batch.gradient);
    return samples.count == 1 ? static_cast<double>(sum.v[0]) : sum.sum();
}

template <class Family, class T>
double linear_of(const Family& family, const LinearBatch<T>& batch) {
    LinearSamples<T> samples;
    double total = 0;
    for (std::int64_t begin = 0; begin < batch.rows.count; begin += linear_rows) {
        samples.read_inputs(batch, begin, std::min(linear_rows, batch.rows.count - begin));
        for (std::int64_t t = 0; t < batch.plan.targets; ++t) {
            samples.read_targets(batch, begin, t);
            total += linear_column(family, batch, t, begin > 0, samples);
        }
    }
    return total;
}

}  // namespace likely::kernels_detail
