// Likelihoods of real targets.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const MultivariateNormal&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Normal&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Laplace&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const StudentT&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Logistic&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Quantiles&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
