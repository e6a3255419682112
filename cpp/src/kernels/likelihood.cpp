// The negative log-likelihood of a batch with its gradient.
#include "columns.hpp"
#include "kernels.hpp"

namespace likely::kernels_detail {
namespace {

/// Families whose number of raw parameters is known at compile time.
template <class Family, class T>
double likelihood_of(const Family& family, const Plan& plan, const T* shared, const T* raw,
                     const T* y, const T* weight, std::int64_t rows, double gradient_scale,
                     T* d_raw, T* d_shared) {
    using V = Lanes<T>;
    using Parameters = RawParameters<Family, T>;
    const Parameters parameters(family, shared, plan.targets);
    std::array<Column<T>, Parameters::count> value, slope;
    Column<T> target, weights;
    weights.fill(1);
    double total = 0;
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        const std::int64_t block = std::min(block_rows, rows - begin);
        if (weight) {
            weights.read(weight + begin, 1, block);
        } else {
            std::fill(weights.values + block, weights.values + block_rows, T(0));
        }
        for (std::int64_t t = 0; t < plan.targets; ++t) {
            parameters.read(raw + begin * plan.raw_width, plan.raw_width, t, block, value);
            target.read(y + begin * plan.targets + t, plan.targets, block);
            V sum(0.0);
            for (std::int64_t i = 0; i < block; i += V::size) {
                const auto lanes = Parameters::lanes(value, i);
                const V w = weights.lanes(i);
                if (!d_raw) {
                    sum = sum - w * family.log_prob(target.lanes(i), lanes);
                    continue;
                }
                using D = Dual<V, Parameters::count>;
                const D density = family.log_prob(target.lanes(i), D::variables(lanes));
                sum = sum - w * density.value;
                const V factor = w * V(-gradient_scale);
                for (std::size_t p = 0; p < Parameters::count; ++p) {
                    (factor * density.derivative[p]).store(slope[p].values + i);
                }
            }
            total += sum.sum();
            if (!d_raw) continue;
            for (std::size_t p = 0; p < Parameters::count; ++p) {
                if (parameters.source(p) == Source::predicted) {
                    slope[p].write(plan.raw_width, block,
                                   d_raw + begin * plan.raw_width + parameters.position(p) + t);
                } else if (parameters.source(p) == Source::shared) {
                    double block_sum = 0;
                    for (std::int64_t i = 0; i < block; ++i) {
                        block_sum += static_cast<double>(slope[p].values[i]);
                    }
                    d_shared[parameters.position(p) + t] += static_cast<T>(block_sum);
                }
            }
        }
    }
    return total;
}

/// Families that bring their own gradient over one row.
template <class Family, class T>
    requires requires(const Family& f) { f.count(); }
double likelihood_of(const Family& family, const Plan& plan, const T*, const T* raw, const T* y,
                     const T* weight, std::int64_t rows, double gradient_scale, T* d_raw, T*) {
    double total = 0;
    for (std::int64_t begin = 0; begin < rows; begin += block_rows) {
        double block_sum = 0;
        for (std::int64_t i = begin; i < std::min(begin + block_rows, rows); ++i) {
            const T w = weight ? weight[i] : T(1);
            for (std::int64_t t = 0; t < plan.targets; ++t) {
                const std::int64_t at = i * plan.raw_width + t;
                const T loss = family.nll_gradient(y[i * plan.targets + t], raw + at, plan.targets,
                                                   w * static_cast<T>(gradient_scale),
                                                   d_raw ? d_raw + at : nullptr);
                block_sum += static_cast<double>(w) * static_cast<double>(loss);
            }
        }
        total += block_sum;
    }
    return total;
}

}  // namespace

template <class T>
double likelihood(const Plan& plan, const T* shared, const T* raw, const T* y, const T* weight,
                  std::int64_t rows, double gradient_scale, T* d_raw, T* d_shared,
                  bool accumulate) {
    if (d_raw && plan.shared != none && !accumulate) {
        std::fill_n(d_shared, plan.shared_count, T(0));
    }
    return std::visit(
        [&](const auto& family) {
            return likelihood_of(family, plan, shared, raw, y, weight, rows, gradient_scale, d_raw,
                                 d_shared);
        },
        plan.distribution);
}

template <class T>
void fill_likelihood(Kernels<T>& table) {
    table.likelihood = likelihood<T>;
}

template void fill_likelihood(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
