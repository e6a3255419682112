// The optimizers: what one step does to one parameter, and their list.
//
// Contract: `slots()`, one of `slot_counts`, is how many numbers an optimizer remembers for each
// parameter (zero at the start of a fit). `at_step<V>(t, rate)`, t from 1, with the learning rate
// of that step, returns a function object `(V& parameter, V gradient, std::array<V, slots>& slot)`,
// which the kernels apply to the whole flat buffer in one pass. It returns the metric of the
// l1 penalty: what a constant unit gradient would have moved the parameter by.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <variant>

#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

namespace detail {

inline void require_finite_positive(std::string_view argument, double value) {
    require(value > 0 && std::isfinite(value), argument, "finite and positive", value);
}
inline void require_decay(std::string_view argument, double value) {
    require(value >= 0 && value < 1, argument, "in [0, 1)", value);
}

/// The step that the adaptive optimizers share. A second moment below 1e-12 says that there was no
/// gradient, so there is nothing that the l1 penalty could be weighed against.
template <class V>
V adaptive_step(V& parameter, V first_moment, V second_moment, V rate, V metric_rate, V epsilon) {
    const V denominator = sqrt(second_moment) + epsilon;
    parameter = parameter - rate * first_moment / denominator;
    return select(second_moment < V(1e-12), V(0), metric_rate / denominator);
}

}  // namespace detail

struct SGD {
    static constexpr std::string_view name = "SGD";
    static constexpr std::string_view doc =
        "Stochastic gradient descent, with classical or Nesterov momentum (Sutskever et al. "
        "2013):\n"
        "v = momentum v + g; p -= learning_rate v, or p -= learning_rate (g + momentum v).";
    static constexpr std::array slot_counts{0, 1};
    double learning_rate = 0.01;
    double momentum = 0;
    bool nesterov = false;

    static constexpr auto fields() {
        return std::tuple{Field{"learning_rate", &SGD::learning_rate, "step size, positive"},
                          Field{"momentum", &SGD::momentum, "in [0, 1)"},
                          Field{"nesterov", &SGD::nesterov, "look ahead along the momentum"}};
    }
    void validate() const {
        detail::require_finite_positive("learning_rate", learning_rate);
        detail::require_decay("momentum", momentum);
        require(!nesterov || momentum > 0, "momentum", "positive when nesterov=True", momentum);
    }
    int slots() const { return momentum > 0 ? 1 : 0; }

    template <class V>
    auto at_step(std::int64_t t, double rate) const {
        const double steps = static_cast<double>(nesterov ? t + 1 : t);
        const double sum_of_powers =
            momentum > 0 ? (1 - std::pow(momentum, steps)) / (1 - momentum) : 1;
        return [rate = V(rate), mu = V(momentum), nesterov = nesterov,
                metric = V(rate * sum_of_powers)]<std::size_t Slots>(V& parameter, V gradient,
                                                                     std::array<V, Slots>& slot) {
            if constexpr (Slots == 0) {
                parameter = parameter - rate * gradient;
            } else {
                slot[0] = mu * slot[0] + gradient;
                parameter = parameter - rate * (nesterov ? gradient + mu * slot[0] : slot[0]);
            }
            return metric;
        };
    }
};

struct Adam {
    static constexpr std::string_view name = "Adam";
    static constexpr std::string_view doc =
        "Adam (Kingma and Ba 2015, algorithm 1): steps scaled by running first and second moments "
        "of the\n"
        "gradient, both corrected for their start at zero.";
    static constexpr std::array slot_counts{2};
    double learning_rate = 0.001;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;

    static constexpr auto fields() {
        return std::tuple{Field{"learning_rate", &Adam::learning_rate, "step size, positive"},
                          Field{"beta1", &Adam::beta1, "decay of the first moment, in [0, 1)"},
                          Field{"beta2", &Adam::beta2, "decay of the second moment, in [0, 1)"},
                          Field{"epsilon", &Adam::epsilon, "added to the denominator, positive"}};
    }
    void validate() const {
        detail::require_finite_positive("learning_rate", learning_rate);
        detail::require_decay("beta1", beta1);
        detail::require_decay("beta2", beta2);
        detail::require_finite_positive("epsilon", epsilon);
    }
    int slots() const { return 2; }

    template <class V>
    auto at_step(std::int64_t t, double rate) const {
        const double steps = static_cast<double>(t);
        return [b1 = V(beta1), b2 = V(beta2), c1 = V(1 - beta1), c2 = V(1 - beta2),
                epsilon = V(epsilon), rate = V(rate),
                corrected_rate = V(rate / (1 - std::pow(beta1, steps))),
                correction = V(1 / (1 - std::pow(beta2, steps)))]<std::size_t Slots>(
                   V& parameter, V gradient, std::array<V, Slots>& slot) {
            slot[0] = b1 * slot[0] + c1 * gradient;
            slot[1] = b2 * slot[1] + c2 * gradient * gradient;
            return detail::adaptive_step(parameter, slot[0], slot[1] * correction, corrected_rate,
                                         rate, epsilon);
        };
    }
};

/// The decay itself is step 4 of an update (docs/conventions.md), the rule is Adam's.
struct AdamW : Adam {
    static constexpr std::string_view name = "AdamW";
    static constexpr std::string_view doc =
        "Adam with decoupled weight decay (Loshchilov and Hutter 2019): before each step of Adam, "
        "weights\n"
        "shrink by learning_rate weight_decay of themselves.";
    double weight_decay = 0.01;

    static constexpr auto fields() {
        return std::tuple_cat(
            Adam::fields(), std::tuple{Field{"weight_decay", &AdamW::weight_decay, "at least 0"}});
    }
    void validate() const {
        Adam::validate();
        require(weight_decay >= 0 && std::isfinite(weight_decay), "weight_decay",
                "finite and at least 0", weight_decay);
    }
};

struct RMSprop {
    static constexpr std::string_view name = "RMSprop";
    static constexpr std::string_view doc =
        "RMSprop (Tieleman and Hinton 2012, lecture 6.5): steps divided by the root of a running "
        "mean of the\n"
        "squared gradient.";
    static constexpr std::array slot_counts{1};
    double learning_rate = 0.001;
    double decay = 0.9;
    double epsilon = 1e-8;

    static constexpr auto fields() {
        return std::tuple{
            Field{"learning_rate", &RMSprop::learning_rate, "step size, positive"},
            Field{"decay", &RMSprop::decay, "decay of the mean square, in [0, 1)"},
            Field{"epsilon", &RMSprop::epsilon, "added to the denominator, positive"}};
    }
    void validate() const {
        detail::require_finite_positive("learning_rate", learning_rate);
        detail::require_decay("decay", decay);
        detail::require_finite_positive("epsilon", epsilon);
    }
    int slots() const { return 1; }

    template <class V>
    auto at_step(std::int64_t, double rate) const {
        return [decay = V(decay), complement = V(1 - decay), epsilon = V(epsilon),
                rate = V(rate)]<std::size_t Slots>(V& parameter, V gradient,
                                                   std::array<V, Slots>& slot) {
            slot[0] = decay * slot[0] + complement * gradient * gradient;
            return detail::adaptive_step(parameter, gradient, slot[0], rate, rate, epsilon);
        };
    }
};

struct Adagrad {
    static constexpr std::string_view name = "Adagrad";
    static constexpr std::string_view doc =
        "Adagrad (Duchi et al. 2011, with the diagonal matrix): steps divided by the root of the "
        "sum of all\n"
        "squared gradients.";
    static constexpr std::array slot_counts{1};
    double learning_rate = 0.01;
    double epsilon = 1e-10;

    static constexpr auto fields() {
        return std::tuple{
            Field{"learning_rate", &Adagrad::learning_rate, "step size, positive"},
            Field{"epsilon", &Adagrad::epsilon, "added to the denominator, positive"}};
    }
    void validate() const {
        detail::require_finite_positive("learning_rate", learning_rate);
        detail::require_finite_positive("epsilon", epsilon);
    }
    int slots() const { return 1; }

    template <class V>
    auto at_step(std::int64_t, double rate) const {
        return [epsilon = V(epsilon), rate = V(rate)]<std::size_t Slots>(
                   V& parameter, V gradient, std::array<V, Slots>& slot) {
            slot[0] = slot[0] + gradient * gradient;
            return detail::adaptive_step(parameter, gradient, slot[0], rate, rate, epsilon);
        };
    }
};

using Optimizer = std::variant<SGD, Adam, AdamW, RMSprop, Adagrad>;

inline double learning_rate(const Optimizer& optimizer) {
    return std::visit([](const auto& chosen) { return chosen.learning_rate; }, optimizer);
}

/// The decoupled weight decay, of optimizers that have one; else 0.
inline double weight_decay(const Optimizer& optimizer) {
    const auto* decaying = std::get_if<AdamW>(&optimizer);
    return decaying ? decaying->weight_decay : 0;
}

}  // namespace likely
