// Likelihoods with gamma or Bessel functions.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const Gamma&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Beta&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const VonMises&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
