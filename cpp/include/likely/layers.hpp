// The layers of a network specification.
//
// Why: a layer says what is computed, never holds a weight. Layers are immutable and held by shared
// pointer, and identity means something: the same pointer twice in a network is one set of weights,
// used twice.
#pragma once

#include <algorithm>
#include <array>
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
using Layer = std::variant<Dense, Residual>;
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
    require(!layers.empty(), "layers", "at least one layer", "none");
    std::map<const Layer*, int> known;
    for (const auto& layer : layers) {
        if (nesting(layer, known) >= deepest_nesting) {
            throw std::invalid_argument("layers are nested more than " +
                                        std::to_string(deepest_nesting) + " deep");
        }
    }
}

}  // namespace likely
