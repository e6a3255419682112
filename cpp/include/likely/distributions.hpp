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
//     fisher(raw)                        the diagonal of the Fisher information on raw parameters,
//     a
//                                        std::array, where it is known
//     moved(raw, offset, factor)         raw parameters of offset + factor * (the variable), for
//                                        comparisons, where a target may be standardised
// Where it is not, raw(k) gives raw parameter k, and
//     nll_gradient(y, raw, slopes)       the negative log-likelihood; writes its derivatives by
//                                        slopes.set(k, value), which slopes.get(k) reads again
//     log_prob(y, raw), parameter_arrays(), parameter(i, raw), raw_from(given, set)
//     fisher(raw, set)                   as above; set(k, value)
//     sample(choice, p, raw)             a sample for two uniform numbers, where it is not the
//                                        quantile at one
// Where `location_scale` is true, raw parameters 0 and 1 are loc and log_scale.
// All of them have those of mean, std, mode, entropy, cdf, sf, quantile, crps, cross_entropy and
// kl_divergence that have closed forms, in double precision. Where `has_density` is false, the loss
// is none, and there is no log_prob.
// Where `joint` is true, a row has one distribution of all its target columns: y is a function of
// the column, functions take the number of target columns last, and the marginals are
//     mean(t, raw), std(t, raw)          normal, of target column t
//     sample(t, z, raw)                  column t for standard normal numbers z, a function of the
//                                        column
// Custom holds a function of the user, which is called for a batch outside of the kernels. Mixture
// and ZeroInflated hold another distribution; of them `visit_family` makes a family that has all of
// this.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
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
#include "likely/distributions/mixture.hpp"
#include "likely/distributions/multivariate_normal.hpp"
#include "likely/distributions/negative_binomial.hpp"
#include "likely/distributions/normal.hpp"
#include "likely/distributions/ordinal.hpp"
#include "likely/distributions/poisson.hpp"
#include "likely/distributions/quantiles.hpp"
#include "likely/distributions/student_t.hpp"
#include "likely/distributions/von_mises.hpp"
#include "likely/distributions/weibull.hpp"
#include "likely/distributions/zero_inflated.hpp"

namespace likely {

struct Mixture;
struct ZeroInflated;

using Distribution =
    std::variant<Normal, Laplace, StudentT, Logistic, LogNormal, Exponential, Gamma, Weibull, Beta,
                 VonMises, Poisson, NegativeBinomial, ZeroInflated, Bernoulli, Binomial,
                 Categorical, Ordinal, MultivariateNormal, Mixture, Quantiles, Custom>;
using DistributionPointer = std::shared_ptr<const Distribution>;

struct Mixture {
    static constexpr std::string_view name = "Mixture";
    static constexpr std::string_view doc =
        "Mixture of k distributions of one family, so that a prediction may have several peaks.\n"
        "Raw parameters: weight_logits[0 .. k-1], with weights = softmax(weight_logits), then "
        "those "
        "of component 0,\nof component 1, ...: for Normal components loc[0], log_scale[0], loc[1], "
        "... What the component shares or fixes\n(Normal(scale='shared')), each of the k shares or "
        "fixes for itself. The components start apart, their first raw\nparameters at quantiles of "
        "the standard normal distribution: with standardize=True they are spread over the\n"
        "target. Support and standardisation are those of the component.\n"
        "Source: Bishop (1994), 'Mixture density networks'.";

    DistributionPointer component;
    std::int64_t k = 0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"component", &Mixture::component,
                  "the family of the components: one of a single target and a number of raw "
                  "parameters that does not depend on its fields",
                  true},
            Field{"k", &Mixture::k, "number of components, at least 2", true}};
    }
    void validate() const;
    Mixture all_predicted() const;
};

/// What may have more zeros than it says.
template <class Family>
concept CountFamily = std::same_as<Family, Poisson> || std::same_as<Family, NegativeBinomial>;

struct ZeroInflated {
    static constexpr std::string_view name = "ZeroInflated";
    static constexpr std::string_view doc =
        "Zero-inflated distribution of a target that is a count: 0 with the probability gate, else "
        "a draw of the base\n(which may be 0 too). Raw parameters: gate_logit, with gate = 1 / (1 "
        "+ "
        "exp(-gate_logit)), then those of the base.\n"
        "Source: Lambert (1992), 'Zero-inflated Poisson regression, with an application to defects "
        "in manufacturing'.";

    DistributionPointer base;

    static constexpr auto fields() {
        return std::tuple{
            Field{"base", &ZeroInflated::base, "'poisson' or 'negative_binomial'", true}};
    }
    void validate() const;
};

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

/// Calls the function with the family that a distribution is, one that holds another as it is
/// computed: MixtureOf<Component>, ZeroInflatedOf<Base>. That one points into the distribution.
template <class Function>
decltype(auto) visit_family(Function&& function, const Distribution& distribution) {
    using Result = std::invoke_result_t<Function&, const Normal&>;
    return std::visit(
        [&]<class Member>(const Member& member) -> Result {
            if constexpr (std::is_same_v<Member, Mixture>) {
                return std::visit(
                    [&]<class Component>(const Component& component) -> Result {
                        if constexpr (FixedFamily<Component>) {
                            return function(MixtureOf<Component>{component, member.k});
                        } else {
                            throw std::bad_variant_access();  // `validate` has not been asked
                        }
                    },
                    *member.component);
            } else if constexpr (std::is_same_v<Member, ZeroInflated>) {
                return std::visit(
                    [&]<class Base>(const Base& base) -> Result {
                        if constexpr (CountFamily<Base>) {
                            return function(ZeroInflatedOf<Base>{base});
                        } else {
                            throw std::bad_variant_access();
                        }
                    },
                    *member.base);
            } else {
                return function(member);
            }
        },
        distribution);
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

/// The family with every raw parameter predicted.
inline Distribution all_predicted(Distribution distribution) {
    std::visit(
        [](auto& family) {
            if constexpr (requires { family.all_predicted(); }) family = family.all_predicted();
        },
        distribution);
    return distribution;
}

/// The parameters of one target column; of a joint distribution those of all `targets`.
inline std::vector<ParameterArray> parameter_arrays(const Distribution& distribution,
                                                    std::int64_t targets) {
    return visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (FixedFamily<Family>) {
                std::vector<ParameterArray> result;
                for (const NamedParameter& each : family.parameters) {
                    result.push_back(
                        {std::string(each.name), each.unit, {}, each.lower, each.upper});
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
