// The safetensors format. A model file is data: named tensors and strings, read without running
// anything, checked completely before any of it is used, open to other programs.
//
// Contract: what is wrong is a std::invalid_argument that says which tensor and why; the caller
// adds the file's name. Files themselves are the matter of files.hpp.
//
// The bytes of a file: the length of the header (8 bytes, little-endian), the header (JSON, padded
// with spaces), the tensors' elements (little-endian, C order).

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace likely {

struct Tensor {
    std::string name;
    std::string dtype;  // "F32" or "F64"
    std::vector<std::int64_t> shape;
    std::span<const std::byte> data;  // borrowed, perhaps unaligned: copy it, do not cast it
};

/// Strings by name, stored beside the tensors.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// What a file holds. It can be moved, not copied: the tensors' data point into its bytes.
struct SafetensorsFile {
    SafetensorsFile() = default;
    SafetensorsFile(SafetensorsFile&&) = default;
    SafetensorsFile& operator=(SafetensorsFile&&) = default;

    /// The tensor of this name, or a null pointer.
    const Tensor* find(std::string_view name) const;

    Metadata metadata;
    std::vector<Tensor> tensors;  // in the order of their data
    std::vector<std::byte> bytes;
};

/// The bytes of a file with these tensors, in this order. The first one's data begin at a multiple
/// of 8. The same content always gives the same bytes.
std::vector<std::byte> write_safetensors(const Metadata& metadata, std::span<const Tensor> tensors);

/// Takes the bytes of a whole file and holds them against the format: every byte is accounted for,
/// every tensor has a known dtype and exactly the bytes of its shape. Values are not looked at.
SafetensorsFile read_safetensors(std::vector<std::byte> bytes);

}  // namespace likely
