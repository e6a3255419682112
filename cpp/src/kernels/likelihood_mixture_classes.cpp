// Likelihoods of mixtures of classes and counts.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const MixtureOf<Poisson>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<NegativeBinomial>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Bernoulli>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Binomial>&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
