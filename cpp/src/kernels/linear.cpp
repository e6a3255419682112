// Linear models: what does not depend on the family, and the choice of the family.
#include "linear.hpp"

#include <limits>

namespace likely::kernels_detail {
namespace {

/// Lanes of 1 that a register begins with, if it is loaded `count` before the middle.
template <class T>
struct alignas(64) Ones {
    static constexpr std::int64_t size = Lanes<T>::size;
    std::array<T, 2 * size> values{};
    constexpr Ones() { std::fill_n(values.begin(), size, T(1)); }

    Lanes<T> first(std::int64_t count) const {
        return Lanes<T>::load(values.data() + size - std::min(count, size));
    }
};
template <class T>
constexpr Ones<T> ones;

/// Samples that are asked for ahead of their turn.
constexpr std::int64_t distance = 64;

/// Every `stride`-th number from `source` on of some rows, and the last one's again up to a whole
/// register.
template <class T>
void read_column(const T* source, std::int64_t stride, const Rows<T>& rows, std::int64_t begin,
                 std::int64_t count, T* column) {
    using V = Lanes<T>;
    if (!rows.order) {
        source += begin * stride;
        for (std::int64_t i = 0; i < count; ++i) column[i] = source[i * stride];
    } else {
        const std::int64_t* order = rows.order + begin;
        const std::int64_t known = rows.ahead == 0 ? 0 : rows.count - begin + rows.ahead - distance;
        for (std::int64_t i = 0; i < std::min(count, known); ++i)
            __builtin_prefetch(source + order[i + distance] * stride);
        if (count == 1) {
            V(source[*order * stride]).store(column);
            return;
        }
        for (std::int64_t i = 0; i < count; ++i) column[i] = source[order[i] * stride];
    }
    const std::int64_t whole = (count + V::size - 1) / V::size * V::size;
    std::fill(column + count, column + whole, column[count - 1]);
}

template <class T>
void standardize(T mean, T inverse_scale, std::int64_t count, T* column) {
    using V = Lanes<T>;
    for (std::int64_t i = 0; i < count; i += V::size)
        ((V::load(column + i) - V(mean)) * V(inverse_scale)).store(column + i);
}

}  // namespace

template <class T>
void LinearSamples<T>::read_inputs(const LinearBatch<T>& batch, std::int64_t begin,
                                   std::int64_t rows) {
    using V = Lanes<T>;
    const Rows<T>& from = batch.rows;
    const Standardization<T>& scaling = batch.standardization;
    const std::int64_t inputs = batch.plan.inputs;
    count = rows;
    for (std::int64_t j = 0; j < inputs; ++j) {
        T* const column = x[static_cast<std::size_t>(j)].data();
        read_column(from.x + j, inputs, from, begin, rows, column);
        if (scaling.input_mean) {
            standardize(scaling.input_mean[j], scaling.input_inverse_scale[j], rows, column);
        }
    }
    if (from.weight) read_column(from.weight, 1, from, begin, rows, weight.data());
    for (std::int64_t i = 0; i < rows; i += V::size) {
        const V present = ones<T>.first(rows - i);
        (from.weight ? present * V::load(weight.data() + i) : present).store(weight.data() + i);
    }
}

template <class T>
void LinearSamples<T>::read_targets(const LinearBatch<T>& batch, std::int64_t begin,
                                    std::int64_t t) {
    const Rows<T>& from = batch.rows;
    const Standardization<T>& scaling = batch.standardization;
    const std::int64_t targets = batch.plan.targets;
    read_column(from.y + t, targets, from, begin, count, y.data());
    if (scaling.target_mean) {
        standardize(scaling.target_mean[t], scaling.target_inverse_scale[t], count, y.data());
    }
    if (from.event) read_column(from.event + t, targets, from, begin, count, event.data());
}

template <class T>
void add_linear_gradient(const LinearSamples<T>& samples, const LinearRaw<T>& raw, std::size_t k,
                         const DenseStep& layer, bool accumulate, T* gradient) {
    using V = Lanes<T>;
    const auto slope = [&](std::int64_t i) { return V::load(samples.slope[k].data() + i); };
    const auto put = [&](std::int64_t at, auto term) {
        V sum = term(0);
        for (std::int64_t i = V::size; i < samples.count; i += V::size) sum = sum + term(i);
        const T value = samples.count == 1 ? sum.v[0] : static_cast<T>(sum.sum());
        gradient[at] = accumulate ? gradient[at] + value : value;
    };
    if (raw.constant != none) put(raw.constant, slope);
    if (raw.weight == none) return;
    for (std::int64_t j = 0; j < layer.inputs; ++j) {
        const T* x = samples.x[static_cast<std::size_t>(j)].data();
        put(raw.weight + j * layer.outputs,
            [&](std::int64_t i) { return slope(i) * V::load(x + i); });
    }
}

template <class T>
bool is_linear(const Plan& plan) {
    if (plan.targets > most_linear_targets || plan.inputs > most_linear_inputs ||
        plan.steps.size() != 1)
        return false;
    const auto* layer = std::get_if<DenseStep>(&plan.steps.front());
    return layer && std::holds_alternative<Identity>(layer->activation) &&
           visit_family([]<class Family>(const Family&) { return walks_linear<Family>; },
                        plan.distribution);
}

template <class T>
double linear(const LinearBatch<T>& batch) {
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (walks_linear<Family>) {
                return linear_of(family, batch);
            } else {
                return std::numeric_limits<double>::quiet_NaN();
            }
        },
        batch.plan.distribution);
}

template <class T>
void fill_linear(Kernels<T>& table) {
    table.is_linear = is_linear<T>;
    table.linear = linear<T>;
}

template void fill_linear(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
