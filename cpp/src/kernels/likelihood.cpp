// The negative log-likelihood of a batch with its gradient: the choice of the family.
#include <algorithm>
#include <limits>

#include "batch.hpp"
#include "looked_up.hpp"

namespace likely::kernels_detail {

template <class T>
std::int64_t likelihood_scratch_size(const Plan& plan) {
    // Raw parameters, their derivatives and, of joint distributions, targets; or tables.
    const std::int64_t counted =
        group_rows * (2 * static_cast<std::int64_t>(plan.raw_places.size()) + plan.targets);
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (requires { typename Family::Label; }) {
                return std::max(counted, LookedUp<Family, T>::scratch_size(family, plan.targets));
            }
            return counted;
        },
        plan.distribution);
}

template <class T>
double likelihood(const Plan& plan, const T* shared, const T* raw, const Targets<T>& targets,
                  double gradient_scale, T* scratch, T* d_raw, T* d_shared, bool accumulate) {
    if (d_raw && plan.shared != none && !accumulate) {
        std::fill_n(d_shared, plan.shared_count, T(0));
    }
    const Batch<T> batch{plan, shared, raw, targets, gradient_scale, scratch, d_raw, d_shared};
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (std::is_same_v<Family, Custom>) {
                // Kernels never throw, so it is not they who call a user's function.
                return std::numeric_limits<double>::quiet_NaN();
            } else {
                return likelihood_of(family, batch);
            }
        },
        plan.distribution);
}

template <class T>
void fill_likelihood(Kernels<T>& table) {
    table.likelihood = likelihood<T>;
}

template std::int64_t likelihood_scratch_size<LIKELY_NUMBER>(const Plan&);
template void fill_likelihood(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
