// Likelihoods of mixtures of real targets.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const MixtureOf<Normal>&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
