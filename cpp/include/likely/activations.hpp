// The activations: every value beside its derivative, and their list.
//
// Contract: `value(z)` on the input z; `derivative(z, a)` on the input and the value. Unless
// `uses_input` is true, `derivative` must not read z: the kernels then keep the value alone.
#pragma once

#include <string_view>
#include <tuple>
#include <variant>

#include "likely/primitives.hpp"
#include "likely/registry.hpp"
#include "likely/special_functions.hpp"

namespace likely {

/// What most activations share: no parameter, and a derivative that follows from the value.
struct PlainActivation {
    static constexpr bool uses_input = false;
    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
};

struct Identity : PlainActivation {
    static constexpr std::string_view name = "Identity";
    static constexpr std::string_view doc = "z";
    template <class V>
    V value(V z) const {
        return z;
    }
    template <class V>
    V derivative(V, V) const {
        return V(1);
    }
};

struct ReLU : PlainActivation {
    static constexpr std::string_view name = "ReLU";
    static constexpr std::string_view doc =
        "max(z, 0); its derivative at 0 is 0. Nair and Hinton (2010).";
    template <class V>
    V value(V z) const {
        return max(z, V(0));
    }
    template <class V>
    V derivative(V, V a) const {
        return select(a > V(0), V(1), V(0));
    }
};

struct LeakyReLU {
    static constexpr std::string_view name = "LeakyReLU";
    static constexpr std::string_view doc =
        "z where z > 0, else negative_slope z. Maas et al. (2013).";
    static constexpr bool uses_input = false;
    double negative_slope = 0.01;
    static constexpr auto fields() {
        return std::tuple{
            Field{"negative_slope", &LeakyReLU::negative_slope, "slope below zero, at least 0"}};
    }
    void validate() const {
        require(negative_slope >= 0 && std::isfinite(negative_slope), "negative_slope",
                "finite and at least 0", negative_slope);
    }
    template <class V>
    V value(V z) const {
        return select(z > V(0), z, V(negative_slope) * z);
    }
    template <class V>
    V derivative(V, V a) const {
        return select(a > V(0), V(1), V(negative_slope));
    }
};

struct ELU {
    static constexpr std::string_view name = "ELU";
    static constexpr std::string_view doc =
        "z where z > 0, else alpha (exp(z) - 1). Clevert et al. (2016).";
    static constexpr bool uses_input = false;
    double alpha = 1;
    static constexpr auto fields() {
        return std::tuple{Field{"alpha", &ELU::alpha, "minus the limit at -infinity, positive"}};
    }
    void validate() const {
        require(alpha > 0 && std::isfinite(alpha), "alpha", "finite and positive", alpha);
    }
    template <class V>
    V value(V z) const {
        return select(z > V(0), z, V(alpha) * expm1(min(z, V(0))));
    }
    template <class V>
    V derivative(V, V a) const {
        return select(a > V(0), V(1), a + V(alpha));
    }
};

struct GELU : PlainActivation {
    static constexpr std::string_view name = "GELU";
    static constexpr std::string_view doc =
        "z Phi(z), Phi the standard normal cdf (the exact form). Hendrycks and Gimpel (2016).";
    static constexpr bool uses_input = true;
    template <class V>
    V value(V z) const {
        return z * normal_cdf(z);
    }
    template <class V>
    V derivative(V z, V) const {
        const auto [cdf, density] = detail::normal_cdf(z);
        return cdf + z * density;
    }
};

struct SiLU : PlainActivation {
    static constexpr std::string_view name = "SiLU";
    static constexpr std::string_view doc = "z / (1 + exp(-z)). Elfwing et al. (2018).";
    static constexpr bool uses_input = true;
    template <class V>
    V value(V z) const {
        return z * sigmoid(z);
    }
    template <class V>
    V derivative(V z, V a) const {
        const V s = sigmoid(z);
        return s + a * (V(1) - s);
    }
};

struct Sigmoid : PlainActivation {
    static constexpr std::string_view name = "Sigmoid";
    static constexpr std::string_view doc = "1 / (1 + exp(-z))";
    template <class V>
    V value(V z) const {
        return sigmoid(z);
    }
    template <class V>
    V derivative(V, V a) const {
        return a * (V(1) - a);
    }
};

struct Tanh : PlainActivation {
    static constexpr std::string_view name = "Tanh";
    static constexpr std::string_view doc = "tanh(z)";
    template <class V>
    V value(V z) const {
        return tanh(z);
    }
    template <class V>
    V derivative(V, V a) const {
        return V(1) - a * a;
    }
};

struct Softplus : PlainActivation {
    static constexpr std::string_view name = "Softplus";
    static constexpr std::string_view doc = "log(1 + exp(z)). Dugas et al. (2001).";
    template <class V>
    V value(V z) const {
        return softplus(z);
    }
    template <class V>
    V derivative(V, V a) const {
        return -expm1(-a);
    }
};

using Activation =
    std::variant<Identity, ReLU, LeakyReLU, ELU, GELU, SiLU, Sigmoid, Tanh, Softplus>;

}  // namespace likely
