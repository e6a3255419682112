// Likelihoods of positive targets that may be right-censored.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const LogNormal&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Exponential&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Weibull&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
