// Likelihoods of classes.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const Bernoulli&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Categorical&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Ordinal&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
