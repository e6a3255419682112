// The layers of a network specification.
//
// Why: a layer says what is computed, never holds a weight. Layers are immutable and held by shared
// pointer, and identity means something: the same pointer twice in a network is one set of weights,
// used twice.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "likely/activations.hpp"
#include "likely/registry.hpp"

namespace likely {

struct Dense;
struct Residual;
struct Dropout;
struct BatchNorm;
struct LayerNorm;
using Layer = std::variant<Dense, Residual, Dropout, BatchNorm, LayerNorm>;
using LayerPointer = std::shared_ptr<const Layer>;

/// Blocks may stand in blocks this deep.
inline constexpr int deepest_nesting = 64;

/// How weights start; docs/conventions.md has the formulas.
inline constexpr std::array<std::string_view, 7> initializer_names = {
    "auto", "glorot_uniform", "he_uniform", "torch_uniform", "glorot_normal", "he_normal", "zeros"};

struct Dense {
    static constexpr std::string_view name = "Dense";
    static constexpr std::string_view doc = "Fully connected layer: activation(x @ weight + bias).";

    std::int64_t units = 0;
    Activation activation = Identity{};
    bool bias = true;
    std::string init = "auto";

    static constexpr auto fields() {
        return std::tuple{Field{"units", &Dense::units, "number of outputs, at least 1", true},
                          Field{"activation", &Dense::activation, "a name or an activation object"},
                          Field{"bias", &Dense::bias, "whether a bias is added"},
                          Field{"init", &Dense::init,
                                "'auto' (he_uniform before the relu family, else glorot_uniform), "
                                "'glorot_uniform', 'he_uniform', "
                                "'torch_uniform', 'glorot_normal', 'he_normal' or 'zeros'"}};
    }
    void validate() const {
        require(units >= 1, "units", "at least 1", units);
        for (const std::string_view known : initializer_names) {
            if (init == known) return;
        }
        throw_unknown_name("init", init, {initializer_names.begin(), initializer_names.end()});
    }
};

struct Residual {
    static constexpr std::string_view name = "Residual";
    static constexpr std::string_view doc =
        "Residual block: x + f(x), with f the given layers one after the other. f must keep the "
        "width of x.\nThe same layer object twice, inside or outside of it, shares its weights.\n"
        "Source: He et al. (2016), 'Deep residual learning for image recognition', equation 1.";

    std::vector<LayerPointer> layers;

    static constexpr auto fields() {
        return std::tuple{
            Field{"layers", &Residual::layers, "the layers of f, at least one", true}};
    }
    void validate() const;
};

struct Dropout {
    static constexpr std::string_view name = "Dropout";
    static constexpr std::string_view doc =
        "Dropout: in a training step each number is set to zero with probability `rate`, and those "
        "kept are divided by\n1 - rate (rounded to a multiple of 1 / 65536), so that a prediction, "
        "which drops nothing, needs no change.\nStands before any dense layer, the output layer "
        "too; first in a network it drops inputs.\n"
        "Source: Srivastava et al. (2014), 'Dropout: a simple way to prevent neural networks from "
        "overfitting'.";

    double rate = -1;  // must be given

    static constexpr auto fields() {
        return std::tuple{
            Field{"rate", &Dropout::rate, "the share that is dropped, in [0, 1)", true}};
    }
    void validate() const { require(rate >= 0 && rate < 1, "rate", "in [0, 1)", rate); }

    /// A 16-bit random number below this keeps its element.
    std::uint32_t kept_below() const {
        return static_cast<std::uint32_t>(std::max(1.0, std::nearbyint(65536 * (1 - rate))));
    }
};

/// Not so small that float32 would take it for zero; a number of columns given by mistake is too
/// large.
inline void require_epsilon(double epsilon) {
    require(epsilon >= 1e-30 && epsilon <= 1, "epsilon", "in [1e-30, 1]", epsilon);
}

struct BatchNorm {
    static constexpr std::string_view name = "BatchNorm";
    static constexpr std::string_view doc =
        "Batch normalisation: activation(scale * z + shift), z each column standardised: in a "
        "training step over the\nrows of the batch, elsewhere by moving averages of the batches' "
        "moments. After an activation:\nDense(64, 'relu'), BatchNorm(); before it: Dense(64), "
        "BatchNorm(activation='relu').\nAn object is used once in a network. Batches need at least "
        "two rows.\n"
        "Source: Ioffe and Szegedy (2015), 'Batch normalization: accelerating deep network "
        "training by reducing internal\ncovariate shift', algorithms 1 and 2.";

    double momentum = 0.9;
    double epsilon = 1e-5;
    Activation activation = Identity{};

    static constexpr auto fields() {
        return std::tuple{
            Field{"momentum", &BatchNorm::momentum,
                  "how much of the moving averages stays at each step, in [0, 1)"},
            Field{"epsilon", &BatchNorm::epsilon, "added to the variance, in [1e-30, 1]"},
            Field{"activation", &BatchNorm::activation, "a name or an activation object"}};
    }
    void validate() const {
        require(momentum >= 0 && momentum < 1, "momentum", "in [0, 1)", momentum);
        require_epsilon(epsilon);
    }
};

struct LayerNorm {
    static constexpr std::string_view name = "LayerNorm";
    static constexpr std::string_view doc =
        "Layer normalisation: activation(scale * z + shift), z each row standardised over its "
        "columns.\n"
        "Source: Ba, Kiros and Hinton (2016), 'Layer normalization', equation 4.";

    double epsilon = 1e-5;
    Activation activation = Identity{};

    static constexpr auto fields() {
        return std::tuple{
            Field{"epsilon", &LayerNorm::epsilon, "added to the variance, in [1e-30, 1]"},
            Field{"activation", &LayerNorm::activation, "a name or an activation object"}};
    }
    void validate() const { require_epsilon(epsilon); }
};

/// How deep blocks stand in each other below a layer; each distinct layer is looked at once.
inline int nesting(const LayerPointer& layer, std::map<const Layer*, int>& known) {
    const auto* residual = std::get_if<Residual>(layer.get());
    if (!residual) return 0;
    if (const auto found = known.find(layer.get()); found != known.end()) return found->second;
    int deepest = 0;
    for (const auto& inner : residual->layers) deepest = std::max(deepest, nesting(inner, known));
    return known[layer.get()] = deepest + 1;
}

inline void Residual::validate() const {
    require_some(!layers.empty(), "layers", "at least one layer");
    std::map<const Layer*, int> known;
    for (const auto& layer : layers) {
        if (nesting(layer, known) >= deepest_nesting) {
            throw std::invalid_argument("layers are nested more than " +
                                        std::to_string(deepest_nesting) + " deep");
        }
    }
}

}  // namespace likely
