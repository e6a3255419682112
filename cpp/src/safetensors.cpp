#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "json.hpp"

namespace likely {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored little-endian and copied as they are");

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t header_limit = 100'000'000;  // the format's own
constexpr std::string_view metadata_key = "__metadata__";

/// The bytes of a tensor; an error if its type is unknown or its shape impossible.
std::uint64_t size_in_bytes(const std::string& dtype, const std::vector<std::int64_t>& shape) {
    std::uint64_t size = dtype == "F32" ? 4 : dtype == "F64" ? 8 : 0;
    if (size == 0) {
        throw std::invalid_argument("dtype " + dump(dtype) + " is neither \"F32\" nor \"F64\"");
    }
    for (const std::int64_t dimension : shape) {
        if (dimension < 0) throw std::invalid_argument("negative dimension in " + dump(shape));
        const auto factor = static_cast<std::uint64_t>(dimension);
        if (factor != 0 && size > std::numeric_limits<std::uint64_t>::max() / factor) {
            throw std::invalid_argument("shape " + dump(shape) + " overflows 64 bits");
        }
        size *= factor;
    }
    return size;
}

void check_size(const std::string& dtype, const std::vector<std::int64_t>& shape,
                std::uint64_t size) {
    const std::uint64_t expected = size_in_bytes(dtype, shape);
    if (size == expected) return;
    throw std::invalid_argument("has " + std::to_string(size) + " bytes, but " + dtype +
                                " of shape " + dump(shape) + " takes " + std::to_string(expected));
}

/// Says where in the file something was wrong.
[[noreturn]] void rethrow_within(const std::string& where, const std::invalid_argument& error) {
    throw std::invalid_argument(where + ": " + error.what());
}

/// The header's entry of one tensor. `data` is all that follows the header.
Tensor read_entry(const std::string& name, const Json& entry, std::span<const std::byte> data) {
    Tensor tensor{name, entry.at("dtype").as_string(), {}, {}};
    for (const Json& dimension : entry.at("shape").as_array()) {
        tensor.shape.push_back(dimension.as_int());
    }
    const Json& offsets = entry.at("data_offsets");
    if (offsets.as_array().size() != 2) {
        throw std::invalid_argument("data_offsets are not two integers");
    }
    if (entry.as_object().size() != 3) {
        throw std::invalid_argument("more in it than dtype, shape and data_offsets");
    }
    const std::int64_t begin = offsets.as_array()[0].as_int();
    const std::int64_t end = offsets.as_array()[1].as_int();
    if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > data.size()) {
        throw std::invalid_argument("data_offsets " + dump(offsets) + " are not within the " +
                                    std::to_string(data.size()) + " bytes of data");
    }
    tensor.data =
        data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    check_size(tensor.dtype, tensor.shape, tensor.data.size());
    return tensor;
}

Metadata read_metadata(const Json& entry) {
    Metadata metadata;
    for (const auto& [key, value] : entry.as_object()) metadata.emplace(key, value.as_string());
    return metadata;
}

/// Every byte of the data belongs to exactly one tensor. Sorts the tensors by their data.
void check_coverage(std::vector<Tensor>& tensors, std::span<const std::byte> data) {
    // The end counts too, for tensors without elements; the header's order decides the rest.
    std::stable_sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) {
        const auto* const x = a.data.data();
        const auto* const y = b.data.data();
        return x != y ? x < y : a.data.size() < b.data.size();
    });
    const std::byte* position = data.data();
    for (const Tensor& tensor : tensors) {
        if (tensor.data.data() != position) {
            const bool overlap = tensor.data.data() < position;
            throw std::invalid_argument("tensor " + dump(tensor.name) + ": its data " +
                                        (overlap ? "overlap those" : "leave a gap to the end") +
                                        " of the tensor before");
        }
        position += tensor.data.size();
    }
    if (const auto rest = data.data() + data.size() - position; rest != 0) {
        throw std::invalid_argument(std::to_string(rest) + " bytes after the last tensor");
    }
}

}  // namespace

const Tensor* SafetensorsFile::find(std::string_view name) const {
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [name](const Tensor& tensor) { return tensor.name == name; });
    return found == tensors.end() ? nullptr : &*found;
}

std::vector<std::byte> write_safetensors(const Metadata& metadata,
                                         std::span<const Tensor> tensors) {
    Json::Object header;
    if (!metadata.empty()) {
        Json::Object strings(metadata.begin(), metadata.end());
        header.emplace_back(metadata_key, std::move(strings));
    }
    std::size_t offset = 0;
    for (const Tensor& tensor : tensors) {
        try {
            check_size(tensor.dtype, tensor.shape, tensor.data.size());
            if (tensor.name == metadata_key) throw std::invalid_argument("a reserved name");
        } catch (const std::invalid_argument& error) {
            rethrow_within("tensor " + dump(tensor.name), error);
        }
        const std::size_t end = offset + tensor.data.size();
        header.emplace_back(tensor.name,
                            Json::Object{{"dtype", tensor.dtype},
                                         {"shape", tensor.shape},
                                         {"data_offsets", std::vector<std::size_t>{offset, end}}});
        offset = end;
    }
    std::string text = dump(header);  // refuses duplicate names
    text.append((8 - (length_bytes + text.size()) % 8) % 8, ' ');
    const std::uint64_t length = text.size();
    if (length > header_limit) throw std::invalid_argument("header of more than 100 MB");

    std::vector<std::byte> bytes(length_bytes + text.size() + offset);
    std::byte* out = bytes.data();
    const auto append = [&out](const void* source, std::size_t size) {
        if (size != 0) std::memcpy(out, source, size);
        out += size;
    };
    append(&length, length_bytes);
    append(text.data(), text.size());
    for (const Tensor& tensor : tensors) append(tensor.data.data(), tensor.data.size());
    return bytes;
}

SafetensorsFile read_safetensors(std::vector<std::byte> bytes) {
    SafetensorsFile file;
    file.bytes = std::move(bytes);
    const std::span<const std::byte> all(file.bytes);
    if (all.size() < length_bytes) {
        throw std::invalid_argument("not a safetensors file: shorter than 8 bytes");
    }
    std::uint64_t length = 0;
    std::memcpy(&length, all.data(), length_bytes);
    if (length > header_limit || length > all.size() - length_bytes) {
        throw std::invalid_argument("not a safetensors file, or cut short: a header of " +
                                    std::to_string(length) + " bytes in a file of " +
                                    std::to_string(all.size()));
    }
    const auto header_bytes = all.subspan(length_bytes, static_cast<std::size_t>(length));
    const auto data = all.subspan(length_bytes + header_bytes.size());
    const std::string_view text(reinterpret_cast<const char*>(header_bytes.data()),
                                header_bytes.size());
    if (!text.starts_with('{')) {
        throw std::invalid_argument("not a safetensors file: its header does not begin with {");
    }
    Json header;
    try {
        header = parse_json(text);
    } catch (const std::invalid_argument& error) {
        rethrow_within("header", error);
    }
    for (const auto& [name, entry] : header.as_object()) {
        const bool is_metadata = name == metadata_key;
        try {
            if (is_metadata) {
                file.metadata = read_metadata(entry);
            } else {
                file.tensors.push_back(read_entry(name, entry, data));
            }
        } catch (const std::invalid_argument& error) {
            rethrow_within(is_metadata ? name : "tensor " + dump(name), error);
        }
    }
    check_coverage(file.tensors, data);
    return file;
}

}  // namespace likely
