// The list of distributions.
//
// Why: a distribution is a plain struct whose density is written once, on raw parameters (what the
// network puts out, unconstrained), as a template over the number type: plain numbers give the
// density, dual numbers its gradient.
//
// Contract of every member:
//     raw_parameters()                   each with its name, its source and where it starts: a
//                                        std::array where their number is fixed, else a std::vector
//     supports(y), support()             which targets are possible, and how to say so
//     target_scaling                     how the target may be standardised
//     all_predicted()                    the family with every raw parameter predicted, where some
//                                        may not be
// Where the number is fixed, raw is a std::array, and
//     log_prob(y, raw)                   a template over the number type
//     log_survival(y, raw)               the same for right-censored targets, where it has one
//     location_scale = true              where raw parameters 0 and 1 are loc and log_scale
//     fisher(raw)                        the diagonal Fisher information of the raw parameters
//     parameters, parameter(i, raw)      under the names of torch.distributions
//     raw_from(given)                    the inverse of all `parameter`s
//     moved(raw, offset, factor)         raw parameters of offset + factor * (the variable), for
//                                        comparisons, where a target may be standardised
// Where it is not, raw(k) gives raw parameter k, and
//     nll_gradient(y, raw, slopes)       the negative log-likelihood; writes its derivatives by
//                                        slopes.set(k, value), which slopes.get(k) reads again
//     log_prob(y, raw), parameter_arrays(), parameter(i, raw), raw_from(given, set)
// All of them have those of mean, std, mode, entropy, cdf, sf, quantile, crps, cross_entropy and
// kl_divergence that have closed forms, in double precision. Where `has_density` is false, the loss
// is none, and there is no log_prob.
// Where `joint` is true, a row has one distribution of all its target columns: y is a function of
// the column, functions take the number of target columns last, and the marginals are
//     mean(t, raw), std(t, raw)          normal, of target column t
//     sample(t, z, raw)                  column t for standard normal numbers z, a function of the
//                                        column
// Custom holds a function of the user, which is called for a batch outside of the kernels.
#pragma once

#include <array>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "likely/distributions/bernoulli.hpp"
#include "likely/distributions/beta.hpp"
#include "likely/distributions/binomial.hpp"
#include "likely/distributions/categorical.hpp"
#include "likely/distributions/common.hpp"
#include "likely/distributions/custom.hpp"
#include "likely/distributions/exponential.hpp"
#include "likely/distributions/gamma.hpp"
#include "likely/distributions/laplace.hpp"
#include "likely/distributions/log_normal.hpp"
#include "likely/distributions/logistic.hpp"
#include "likely/distributions/multivariate_normal.hpp"
#include "likely/distributions/negative_binomial.hpp"
#include "likely/distributions/normal.hpp"
#include "likely/distributions/ordinal.hpp"
#include "likely/distributions/poisson.hpp"
#include "likely/distributions/quantiles.hpp"
#include "likely/distributions/student_t.hpp"
#include "likely/distributions/von_mises.hpp"
#include "likely/distributions/weibull.hpp"

namespace likely {

using Distribution =
    std::variant<Normal, Laplace, StudentT, Logistic, LogNormal, Exponential, Gamma, Weibull, Beta,
                 VonMises, Poisson, NegativeBinomial, Bernoulli, Binomial, Categorical, Ordinal,
                 MultivariateNormal, Quantiles, Custom>;

/// A family whose number of raw parameters is known at compile time.
template <class Family>
concept FixedFamily =
    requires(const Family& family) { std::tuple_size<decltype(family.raw_parameters())>::value; };

/// How many raw parameters a fixed family has.
template <FixedFamily Family>
inline constexpr std::size_t raw_count =
    std::tuple_size_v<decltype(std::declval<Family>().raw_parameters())>;

/// Whether targets of a family may be right-censored.
template <class Family>
inline constexpr bool takes_events = false;
template <FixedFamily Family>
inline constexpr bool takes_events<Family> =
    requires(const Family& family, const std::array<double, raw_count<Family>>& raw) {
        family.log_survival(1.0, raw);
    };

/// Whether a row has one distribution of all its target columns.
template <class Family>
inline constexpr bool is_joint = requires { Family::joint; };

/// Calls the function with the family that a distribution is.
template <class Function>
decltype(auto) visit_family(Function&& function, const Distribution& distribution) {
    return std::visit(std::forward<Function>(function), distribution);
}

/// Whether the loss is a negative log-likelihood.
inline bool has_density(const Distribution& distribution) {
    return visit_family(
        []<class Family>(const Family&) { return !requires { Family::has_density; }; },
        distribution);
}

inline bool joint(const Distribution& distribution) {
    return visit_family([]<class Family>(const Family&) { return is_joint<Family>; }, distribution);
}

/// Those of one target column; of a joint distribution those of all `targets`.
inline std::vector<RawParameter> raw_parameters(const Distribution& distribution,
                                                std::int64_t targets) {
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (is_joint<Family>) {
                return family.raw_parameters(targets);
            } else {
                const auto raw = family.raw_parameters();
                return std::vector<RawParameter>(raw.begin(), raw.end());
            }
        },
        distribution);
}

/// The parameters of one target column; of a joint distribution those of all `targets`.
inline std::vector<ParameterArray> parameter_arrays(const Distribution& distribution,
                                                    std::int64_t targets) {
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (FixedFamily<Family>) {
                std::vector<ParameterArray> result;
                for (const NamedParameter& each : family.parameters) {
                    result.push_back({std::string(each.name), each.unit});
                }
                return result;
            } else if constexpr (is_joint<Family>) {
                return family.parameter_arrays(targets);
            } else {
                return family.parameter_arrays();
            }
        },
        distribution);
}

}  // namespace likely
