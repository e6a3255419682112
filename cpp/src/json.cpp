#include "json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "json_text.hpp"

namespace likely {
std::size_t utf8_sequence(std::string_view text) {
    const auto byte = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    // The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF.
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) return 0;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    return length;
}

std::optional<std::string> duplicate_key(const Json::Object& object) {
    // By sorting: a file with a million keys must not cost a million squared.
    std::vector<std::string_view> keys;
    keys.reserve(object.size());
    for (const auto& [key, value] : object) keys.emplace_back(key);
    std::sort(keys.begin(), keys.end());
    const auto found = std::adjacent_find(keys.begin(), keys.end());
    return found == keys.end() ? std::nullopt : std::optional<std::string>(*found);
}

namespace {

class Writer {
  public:
    void write(const Json& value, int depth) {
        if (value.is_null()) {
            out += "null";
        } else if (value.is_bool()) {
            out += value.as_bool() ? "true" : "false";
        } else if (value.is_int()) {
            out += std::to_string(value.as_int());
        } else if (value.is_double()) {
            write(value.as_double());
        } else if (value.is_string()) {
            write(value.as_string());
        } else if (depth == json_depth_limit) {
            throw std::invalid_argument("JSON: nested deeper than " +
                                        std::to_string(json_depth_limit));
        } else if (value.is_array()) {
            char before = '[';
            for (const Json& element : value.as_array()) {
                out += std::exchange(before, ',');
                write(element, depth + 1);
            }
            out += before == '[' ? "[]" : "]";
        } else {
            if (const auto key = duplicate_key(value.as_object())) {
                throw std::invalid_argument("JSON: duplicate key " + dump(*key));
            }
            char before = '{';
            for (const auto& [key, member] : value.as_object()) {
                out += std::exchange(before, ',');
                write(key);
                out += ':';
                write(member, depth + 1);
            }
            out += before == '{' ? "{}" : "}";
        }
    }

    std::string out;

  private:
    void write(double value) {
        if (!std::isfinite(value)) {
            throw std::invalid_argument("JSON has no number for infinity or nan");
        }
        std::array<char, 32> buffer;
        const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
        const std::string_view digits(buffer.data(), result.ptr);
        out += digits;
        if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
    }

    void write(const std::string& text) {
        constexpr std::string_view special = "\"\\\b\f\n\r\t";
        constexpr std::string_view names = "\"\\bfnrt";
        constexpr std::string_view hex = "0123456789abcdef";
        out += '"';
        for (std::size_t i = 0; i < text.size();) {
            const std::size_t length = utf8_sequence(std::string_view(text).substr(i));
            if (length == 0) throw std::invalid_argument("JSON: string with invalid UTF-8");
            const auto byte = static_cast<unsigned char>(text[i]);
            if (const auto index = special.find(text[i]); index != std::string_view::npos) {
                out += '\\';
                out += names[index];
            } else if (byte < 0x20) {
                out += "\\u00";
                out += hex[byte >> 4];
                out += hex[byte & 15];
            } else {
                out.append(text, i, length);
            }
            i += length;
        }
        out += '"';
    }
};

}  // namespace

template <class T>
const T& Json::get(const char* expected) const {
    if (const T* value = std::get_if<T>(&value_)) return *value;
    constexpr std::array<const char*, std::variant_size_v<decltype(value_)>> names = {
        "null", "a bool", "an integer", "a float", "a string", "an array", "an object"};
    throw std::invalid_argument(std::string("expected ") + expected + ", found " +
                                names[value_.index()]);
}

bool Json::as_bool() const { return get<bool>("a bool"); }
std::int64_t Json::as_int() const { return get<std::int64_t>("an integer"); }
double Json::as_double() const {
    return is_int() ? static_cast<double>(as_int()) : get<double>("a number");
}
const std::string& Json::as_string() const { return get<std::string>("a string"); }
const Json::Array& Json::as_array() const { return get<Array>("an array"); }
const Json::Object& Json::as_object() const { return get<Object>("an object"); }

const Json* Json::find(std::string_view key) const {
    for (const auto& [name, value] : as_object()) {
        if (name == key) return &value;
    }
    return nullptr;
}

const Json& Json::at(std::string_view key) const {
    if (const Json* value = find(key)) return *value;
    throw std::invalid_argument("missing key " + dump(key));
}

void Json::set(std::string_view key, Json value) {
    if (is_null()) value_ = Object();
    static_cast<void>(as_object());
    Object& object = std::get<Object>(value_);
    for (auto& [name, old] : object) {
        if (name == key) {
            old = std::move(value);
            return;
        }
    }
    object.emplace_back(std::string(key), std::move(value));
}

bool Json::operator==(const Json& other) const { return value_ == other.value_; }

void Json::throw_not_int64() {
    throw std::invalid_argument("JSON: integer beyond 64 bits with sign");
}

std::string dump(const Json& value) {
    Writer writer;
    writer.write(value, 0);
    return std::move(writer.out);
}

}  // namespace likely
