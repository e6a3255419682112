// The stabilizers: what training follows in the place of the plain gradient, and their list.
//
// Why: under the plain likelihood a sample counts for the location by 1 / scale^2, so that where
// the scale is large early on, the location is left unfitted and the scale stays large.
//
// Contract: a stabilizer changes derivatives by raw parameters and says nothing else; formulas are
// in docs/conventions.md, "Stabilised training". Besides what every kind has, a member may have
// `alias`, a short name.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <variant>

#include "likely/registry.hpp"

namespace likely {

struct Warmup {
    static constexpr std::string_view name = "Warmup";
    static constexpr std::string_view doc =
        "Stabilizer: in the first epochs the location alone is trained, as if the scale were 1 (in "
        "the\nnetwork's units), then everything by the plain gradient. These epochs do not count "
        "for `patience`.\n"
        "Source: Nix and Weigend (1994), 'Estimating the mean and variance of the target "
        "probability distribution'.";
    std::optional<std::int64_t> epochs = std::nullopt;

    static constexpr auto fields() {
        return std::tuple{Field{"epochs", &Warmup::epochs,
                                "at least 1 and less than those of the training; None: half of "
                                "them, rounded down"}};
    }
    void validate() const {
        if (epochs) require(*epochs >= 1, "epochs", "at least 1, or none", *epochs);
    }
    /// In a training of so many epochs.
    std::int64_t length(std::int64_t of_training) const { return epochs.value_or(of_training / 2); }
};

struct BetaWeighting {
    static constexpr std::string_view name = "BetaWeighting";
    static constexpr std::string_view alias = "beta";
    static constexpr std::string_view doc =
        "Stabilizer: all derivatives of a sample times scale^(2 beta), a factor that is not "
        "differentiated\nitself. beta=0 is the plain gradient; with beta=1 the location follows "
        "squared errors.\n"
        "Source: Seitzer et al. (2022), 'On the pitfalls of heteroscedastic uncertainty estimation "
        "with\nprobabilistic neural networks'.";
    double beta = 0.5;

    static constexpr auto fields() {
        return std::tuple{Field{"beta", &BetaWeighting::beta, "in [0, 1]"}};
    }
    void validate() const { require(beta >= 0 && beta <= 1, "beta", "in [0, 1]", beta); }
};

struct Faithful {
    static constexpr std::string_view name = "Faithful";
    static constexpr std::string_view doc =
        "Stabilizer: the location is trained as if the scale were 1 (in the network's units), and "
        "it alone\ntrains the layers before the output layer; the other raw parameters follow the "
        "plain gradient on\nwhat these layers give. The fitted location is that of a network "
        "without a scale.\n"
        "Source: Stirn et al. (2023), 'Faithful heteroscedastic regression with neural networks'.";

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
};

struct NaturalGradient {
    static constexpr std::string_view name = "NaturalGradient";
    static constexpr std::string_view alias = "natural";
    static constexpr std::string_view doc =
        "Stabilizer: the derivative by each raw parameter divided by (its own entry of the Fisher "
        "information\n+ damping), row by row: the location's then is about the error itself, at "
        "any "
        "scale.\n"
        "Source: Amari (1998), 'Natural gradient works efficiently in learning'; Duan et al. "
        "(2020), 'NGBoost:\nnatural gradient boosting for probabilistic prediction'.";
    double damping = 1e-3;

    static constexpr auto fields() {
        return std::tuple{Field{"damping", &NaturalGradient::damping,
                                "finite and positive; bounds what a derivative is multiplied by"}};
    }
    void validate() const {
        require(damping > 0 && std::isfinite(damping), "damping", "finite and positive", damping);
    }
};

using Stabilizer = std::variant<Warmup, BetaWeighting, Faithful, NaturalGradient>;

}  // namespace likely
