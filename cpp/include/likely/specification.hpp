// What a network is, without its weights: sizes, layers, distribution, names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "likely/distributions.hpp"
#include "likely/layers.hpp"

namespace likely {

struct Specification {
    std::int64_t inputs = 1;
    std::int64_t targets = 1;
    std::vector<LayerPointer> layers;
    LayerPointer
        output;  ///< null: a dense layer without activation, as wide as the distribution needs
    Distribution distribution;
    bool standardize = false;
    std::vector<std::string> feature_names;  ///< empty, or one for each input
    std::vector<std::string> target_names;   ///< empty, or one for each target
    std::vector<std::string> class_names;    ///< empty, or one for each class of the target
};

}  // namespace likely
