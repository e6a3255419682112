// The list of distributions.
//
// Why: a distribution is a plain struct whose density is written once, on raw parameters (what the
// network puts out, unconstrained), as a template over the number type: plain numbers give the
// density, dual numbers its gradient.
//
// Contract of a member whose number of raw parameters is fixed:
//     raw_parameters()                   std::array of RawParameter: name and source
//     log_prob(y, raw), mean(raw), std(raw), mode(raw), entropy(raw), cdf(y, raw), quantile(p, raw)
//     parameters, parameter(i, raw)      the family's own parameters, under the names of
//     torch.distributions supports(y), support               which targets are possible, and how to
//     say so target_scaling                     how the target may be standardised
//     raw_from(given)                    the inverse of all `parameter`s
//     all_predicted()                    the family with every raw parameter predicted, where some
//                                        may not be
//     cross_entropy(p, q), kl_divergence(p, q)    of raw parameters in the same units
//     moved(raw, offset, factor)         what brings them there, where a target may be standardised
// One whose number of raw parameters is known only at run time (Categorical) brings `count()`,
// `nll_gradient` and `evaluate` over one row instead. Custom holds a function of the user, which is
// called for a batch outside of the kernels.
#pragma once

#include <variant>

#include "likely/distributions/bernoulli.hpp"
#include "likely/distributions/categorical.hpp"
#include "likely/distributions/common.hpp"
#include "likely/distributions/custom.hpp"
#include "likely/distributions/normal.hpp"

namespace likely {

using Distribution = std::variant<Normal, Bernoulli, Categorical, Custom>;

}  // namespace likely
