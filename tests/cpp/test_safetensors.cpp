// The safetensors format: round trips, and files of strangers, each of which must end in an error
// that names the fault.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "check.hpp"
#include "safetensors.hpp"

using namespace likely;

namespace {

using Bytes = std::vector<std::byte>;

/// A safetensors file with this header and so many zero bytes of data.
Bytes file_of(std::string_view header, std::size_t data_size) {
    std::string text(8, '\0');
    const std::uint64_t length = header.size();
    std::memcpy(text.data(), &length, sizeof length);
    text += header;
    text.append(data_size, '\0');
    const auto* const first = reinterpret_cast<const std::byte*>(text.data());
    return Bytes(first, first + text.size());
}

void test_safetensors_round_trip() {
    const std::vector<float> weight = {1.5f, -2.0f, 3.25f};
    const std::vector<double> bias = {0.1};
    const std::vector<Tensor> tensors = {
        {"dense.weight", "F32", {3, 1}, std::as_bytes(std::span(weight))},
        {"empty", "F64", {0, 5}, {}},
        {"scalar \u20ac", "F64", {}, std::as_bytes(std::span(bias))},
    };
    const Metadata metadata = {{"format", "1"}, {"specification", R"({"a":"\n"})"}};
    const Bytes bytes = write_safetensors(metadata, tensors);
    CHECK(bytes == write_safetensors(metadata, tensors));

    SafetensorsFile first = read_safetensors(bytes);
    const SafetensorsFile file = std::move(first);
    CHECK(file.metadata == metadata);
    CHECK(file.tensors.size() == tensors.size());
    CHECK((file.tensors.at(0).data.data() - file.bytes.data()) % 8 == 0);
    for (const Tensor& tensor : tensors) {
        const Tensor* back = file.find(tensor.name);
        CHECK(back != nullptr && back->dtype == tensor.dtype && back->shape == tensor.shape);
        CHECK(std::ranges::equal(back->data, tensor.data));
    }
    CHECK(file.find("other") == nullptr);
    CHECK(read_safetensors(write_safetensors({}, {})).tensors.empty());

    for (std::size_t size = 0; size < bytes.size(); ++size) {
        bool refused = false;
        try {
            read_safetensors(Bytes(bytes.data(), bytes.data() + size));
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        CHECK(refused);
    }

    const auto write = [](Tensor tensor) { return write_safetensors({}, {&tensor, 1}); };
    const auto data = std::as_bytes(std::span(weight));
    CHECK_THROWS(write({"w", "F32", {2}, data}),
                 "tensor \"w\": has 12 bytes, but F32 of shape [2]");
    CHECK_THROWS(write({"w", "F16", {6}, data}), "dtype \"F16\" is neither");
    CHECK_THROWS(write({"w", "F32", {-3, -1}, data}), "negative dimension in [-3,-1]");
    CHECK_THROWS(write({"__metadata__", "F32", {3}, data}), "reserved");
    const std::vector<Tensor> twice(2, Tensor{"w", "F32", {3}, data});
    CHECK_THROWS(write_safetensors({}, twice), "duplicate key \"w\"");
}

void test_safetensors_by_hand() {
    // As another program may write it: in another order, with spaces, without metadata.
    const auto file = read_safetensors(file_of(
        R"({"b": {"dtype": "F32", "shape": [1, 2], "data_offsets": [8, 16]},
            "a": {"data_offsets": [0, 8], "shape": [1], "dtype": "F64"} }   )",
        16));
    CHECK(file.tensors.at(0).name == "a" && file.tensors.at(1).name == "b");
    CHECK(file.metadata.empty());
}

void test_safetensors_attacks() {
    const auto length_only = [](std::uint64_t length) {
        Bytes bytes = file_of("{}", 0);
        std::memcpy(bytes.data(), &length, sizeof length);
        return bytes;
    };
    CHECK_THROWS(read_safetensors(length_only(3)), "a header of 3 bytes in a file of 10");
    CHECK_THROWS(read_safetensors(length_only(UINT64_MAX)), "header of 18446744073709551615");
    CHECK_THROWS(read_safetensors(Bytes(8)), "does not begin with {");
    Bytes long_header(100'000'009 + 8);
    long_header[0] = std::byte{0x01};  // 100 000 001 is 0x5f5e101
    long_header[1] = std::byte{0xe1};
    long_header[2] = std::byte{0xf5};
    long_header[3] = std::byte{0x05};
    CHECK_THROWS(read_safetensors(long_header), "a header of 100000001 bytes");

    const struct {
        std::string header;
        std::size_t data_size;
        std::string error;
    } attacks[] = {
        {"", 0, "does not begin with {"},
        {" {}", 0, "does not begin with {"},
        {"[]", 0, "does not begin with {"},
        {"{}x", 0, "header: JSON, byte 2: text after the end"},
        {"{\"\xff\":1}", 0, "header: JSON, byte 2: invalid UTF-8"},
        {"{\"a\":" + std::string(100000, '['), 0, "header: JSON, byte 132: nested deeper"},
        {"{}", 1, "1 bytes after the last tensor"},
        {R"({"a":1})", 0, "tensor \"a\": expected an object, found an integer"},
        {R"({"a":{}})", 0, "tensor \"a\": missing key \"dtype\""},
        {R"({"__metadata__":[]})", 0, "__metadata__: expected an object"},
        {R"({"__metadata__":{"a":1}})", 0, "__metadata__: expected a string, found an integer"},
        {R"({"__metadata__":{"a":"1","a":"2"}})", 0, "duplicate key \"a\""},
    };
    for (const auto& [header, data_size, error] : attacks) {
        CHECK_THROWS(read_safetensors(file_of(header, data_size)), error);
    }

    // Tensors as dtype, shape and offsets, over 8 bytes of data.
    const struct {
        std::string a, b, error;
    } tensors[] = {
        {R"("F32","shape":[1],"data_offsets":[0,4])", R"("F32","shape":[1],"data_offsets":[0,4])",
         "tensor \"b\": its data overlap"},
        {R"("F32","shape":[2],"data_offsets":[0,8])", R"("F32","shape":[1],"data_offsets":[4,8])",
         "tensor \"b\": its data overlap"},
        {R"("F64","shape":[1],"data_offsets":[0,8])", R"("F32","shape":[0],"data_offsets":[4,4])",
         "tensor \"b\": its data overlap"},
        {R"("F32","shape":[1],"data_offsets":[0,4])", R"("F32","shape":[0],"data_offsets":[5,5])",
         "tensor \"b\": its data leave a gap"},
        {R"("F32","shape":[0],"data_offsets":[0,0])", R"("F32","shape":[1],"data_offsets":[4,8])",
         "tensor \"b\": its data leave a gap"},
        {R"("F32","shape":[0],"data_offsets":[0,0])", R"("F32","shape":[1],"data_offsets":[0,4])",
         "4 bytes after the last tensor"},
        {"\"F32\"", "", "tensor \"a\": missing key \"shape\""},
        {R"("F32","shape":[2])", "", "missing key \"data_offsets\""},
        {R"("F32","shape":[2],"data_offsets":[0,8],"more":0)", "", "more in it than"},
        {R"("F32","shape":[2],"data_offsets":[0])", "", "not two integers"},
        {R"("F32","shape":[2],"data_offsets":[0,8,8])", "", "not two integers"},
        {R"("F32","shape":[2],"data_offsets":[0,8.0])", "", "expected an integer, found a float"},
        {R"("F32","shape":[2],"data_offsets":[-8,0])", "", "[-8,0] are not within the 8 bytes"},
        {R"("F32","shape":[2],"data_offsets":[8,0])", "", "[8,0] are not within the 8 bytes"},
        {R"("F32","shape":[4],"data_offsets":[0,16])", "", "[0,16] are not within the 8 bytes"},
        {R"("F32","shape":[0],"data_offsets":[9,9])", "", "[9,9] are not within the 8 bytes"},
        {R"("F32","shape":[2],"data_offsets":[0,18446744073709551616])", "", "found a float"},
        {R"("F32","shape":[3],"data_offsets":[0,8])", "", "of shape [3] takes 12"},
        {R"("F32","shape":[2,"1"],"data_offsets":[0,8])", "", "found a string"},
        {R"("F32","shape":2,"data_offsets":[0,8])", "", "expected an array"},
        {R"("F32","shape":[-2,-1],"data_offsets":[0,8])", "", "negative dimension"},
        {R"("F32","shape":[4611686018427387904],"data_offsets":[0,8])", "", "overflows"},
        {R"("F32","shape":[2147483648,2147483649,2],"data_offsets":[0,8])", "", "overflows"},
        {R"("F16","shape":[4],"data_offsets":[0,8])", "", "dtype \"F16\" is neither"},
        {R"("f32","shape":[2],"data_offsets":[0,8])", "", "dtype \"f32\" is neither"},
        {R"(3,"shape":[2],"data_offsets":[0,8])", "", "expected a string"},
        {R"("F32","shape":[2],"data_offsets":[0,8],"dtype":"F32")", "", "duplicate key"},
    };
    for (const auto& [a, b, error] : tensors) {
        const std::string second = b.empty() ? "" : R"(,"b":{"dtype":)" + b + "}";
        const std::string header = R"({"a":{"dtype":)" + a + "}" + second + "}";
        CHECK_THROWS(read_safetensors(file_of(header, 8)), error);
    }
    const std::string same = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
    CHECK_THROWS(read_safetensors(file_of("{" + same + "," + same + "}", 4)),
                 "duplicate key \"a\"");
}

}  // namespace

int main() {
    test_safetensors_round_trip();
    test_safetensors_by_hand();
    test_safetensors_attacks();
    return finish();
}
