// Likelihoods of counts.
#include "likelihood.hpp"

namespace likely::kernels_detail {

template double likelihood_of(const Poisson&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const NegativeBinomial&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const Binomial&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const ZeroInflatedOf<Poisson>&, const Batch<LIKELY_NUMBER>&);
template double likelihood_of(const ZeroInflatedOf<NegativeBinomial>&, const Batch<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
