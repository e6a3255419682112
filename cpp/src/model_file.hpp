// What a model file says, in the form the model needs it.
//
// Why: a model file is data. The specification, the scaling and a format number are one JSON text
// in the metadata of a safetensors file, whose tensors carry the layers' names; nothing in it is
// executed, and all of it is checked before a model is made of it. Contract: reading throws
// std::invalid_argument with the reason; the caller adds the file's name.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <variant>

#include "files.hpp"
#include "json.hpp"
#include "likely/model.hpp"
#include "safetensors.hpp"

namespace likely {

/// The flat form: the distinct layers by name, and the network as numbers into that list. Two
/// specifications are equal if their JSON is.
Json describe_specification(const Specification& specification);
Specification construct_specification(const Json& json);

struct ModelFile {
    Specification specification;
    Scaling scaling;
    SafetensorsFile tensors;
};

ModelFile read_model_file(std::vector<std::byte> bytes);

/// What `make` makes of the file at `path`; an error of its content begins with the file's name.
template <class Make>
auto load_as(const std::filesystem::path& path, const Make& make) {
    std::vector<std::byte> bytes = read_file(path);
    try {
        return make(read_model_file(std::move(bytes)));
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(path.string() + ": " + error.what());
    }
}

/// The metadata of a model's file.
Metadata model_metadata(const Specification& specification, const Scaling& scaling);

using AnyModel = std::variant<Model<float>, Model<double>>;

/// A model in the precision of its file. A `distribution` must be the one of the file; it is taken
/// instead, since a custom density has its function.
AnyModel load_any_model(const std::filesystem::path& path,
                        const std::optional<Distribution>& distribution = std::nullopt);
AnyModel any_model_from_bytes(std::vector<std::byte> bytes,
                              const std::optional<Distribution>& distribution = std::nullopt);

}  // namespace likely
