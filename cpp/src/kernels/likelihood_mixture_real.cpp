// Likelihoods of mixtures of continuous targets.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const MixtureOf<Normal>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Laplace>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<StudentT>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Logistic>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<LogNormal>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Exponential>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Weibull>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Gamma>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<Beta>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const MixtureOf<VonMises>&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
