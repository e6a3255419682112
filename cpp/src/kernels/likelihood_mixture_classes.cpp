// Likelihoods of mixtures of classes.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const MixtureOf<Bernoulli>&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
