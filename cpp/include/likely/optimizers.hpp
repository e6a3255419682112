// The optimizers: what one step does to one parameter, and their list.
//
// Contract: `slots()`, one of `slot_counts`, is how many numbers an optimizer remembers for each
// parameter (zero at the start of a fit). `at_step<V>(t)`, t from 1, returns a function object `(V&
// parameter, V gradient, std::array<V, slots>& slot)`, which the kernels apply to the whole flat
// buffer in one pass.
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

inline void require_learning_rate(double rate) {
    require(rate > 0 && std::isfinite(rate), "learning_rate", "finite and positive", rate);
}

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
        require_learning_rate(learning_rate);
        require(momentum >= 0 && momentum < 1, "momentum", "in [0, 1)", momentum);
        require(!nesterov || momentum > 0, "momentum", "positive when nesterov=True", momentum);
    }
    int slots() const { return momentum > 0 ? 1 : 0; }

    template <class V>
    auto at_step(std::int64_t) const {
        return [rate = V(learning_rate), mu = V(momentum), nesterov = nesterov]<std::size_t Slots>(
                   V& parameter, V gradient, std::array<V, Slots>& slot) {
            if constexpr (Slots == 0) {
                parameter = parameter - rate * gradient;
            } else {
                slot[0] = mu * slot[0] + gradient;
                parameter = parameter - rate * (nesterov ? gradient + mu * slot[0] : slot[0]);
            }
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
        require_learning_rate(learning_rate);
        require(beta1 >= 0 && beta1 < 1, "beta1", "in [0, 1)", beta1);
        require(beta2 >= 0 && beta2 < 1, "beta2", "in [0, 1)", beta2);
        require(epsilon > 0 && std::isfinite(epsilon), "epsilon", "finite and positive", epsilon);
    }
    int slots() const { return 2; }

    template <class V>
    auto at_step(std::int64_t t) const {
        const double steps = static_cast<double>(t);
        return [b1 = V(beta1), b2 = V(beta2), c1 = V(1 - beta1), c2 = V(1 - beta2),
                epsilon = V(epsilon), rate = V(learning_rate / (1 - std::pow(beta1, steps))),
                correction = V(1 / (1 - std::pow(beta2, steps)))]<std::size_t Slots>(
                   V& parameter, V gradient, std::array<V, Slots>& slot) {
            slot[0] = b1 * slot[0] + c1 * gradient;
            slot[1] = b2 * slot[1] + c2 * gradient * gradient;
            parameter = parameter - rate * slot[0] / (sqrt(slot[1] * correction) + epsilon);
        };
    }
};

using Optimizer = std::variant<SGD, Adam>;

}  // namespace likely
