// JSON values: what a model file says about itself, and the neutral form in which a configuration
// is described and constructed. Files come from strangers, so reading is strict (RFC 8259) and
// bounded; what dump() writes, parse_json() reads back equal.
//
// Contract: every error is a std::invalid_argument that says what is wrong; a caller adds where
// (the file, the field). Integers and doubles are different kinds: 1 and 1.0 compare unequal, and
// as_int() takes only the former, while as_double() takes both. Equality minds the order of keys.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace likely {

/// Arrays and objects may nest this deep, in reading and in writing.
inline constexpr int json_depth_limit = 128;

class Json {
  public:
    using Array = std::vector<Json>;
    using Object = std::vector<std::pair<std::string, Json>>;  // in order of insertion

    /// All constructors convert implicitly, so a field's value is a Json without ceremony. Numbers
    /// and bool are matched by their exact type: no pointer becomes a bool, no char a number.
    Json() = default;  // null
    Json(std::nullptr_t) {}
    template <class T>
        requires std::same_as<T, bool>
    Json(T value) : value_(value) {}
    template <class T>
        requires std::integral<T> && (!std::same_as<T, bool>) && (!std::same_as<T, char>)
    Json(T value) {
        if (!std::in_range<std::int64_t>(value)) throw_not_int64();
        value_ = static_cast<std::int64_t>(value);
    }
    template <class T>
        requires std::same_as<T, float> || std::same_as<T, double>
    Json(T value) : value_(static_cast<double>(value)) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(std::string_view value) : value_(std::string(value)) {}
    Json(const char* value) : value_(std::string(value)) {}
    Json(Array value) : value_(std::move(value)) {}
    Json(Object value) : value_(std::move(value)) {}
    template <class T>
    Json(const std::vector<T>& values) {
        Array array;
        array.reserve(values.size());
        for (const T& value : values) array.emplace_back(value);
        value_ = std::move(array);
    }

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    bool is_bool() const { return std::holds_alternative<bool>(value_); }
    bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
    bool is_double() const { return std::holds_alternative<double>(value_); }
    bool is_string() const { return std::holds_alternative<std::string>(value_); }
    bool is_array() const { return std::holds_alternative<Array>(value_); }
    bool is_object() const { return std::holds_alternative<Object>(value_); }

    bool as_bool() const;
    std::int64_t as_int() const;
    double as_double() const;
    const std::string& as_string() const;
    const Array& as_array() const;
    const Object& as_object() const;

    /// The member of an object: an error, or a null pointer, if it is missing. Linear in the keys.
    const Json& at(std::string_view key) const;
    const Json* find(std::string_view key) const;

    /// Replaces or appends a member. Null becomes an object first.
    void set(std::string_view key, Json value);

    bool operator==(const Json& other) const;

  private:
    [[noreturn]] static void throw_not_int64();
    template <class T>
    const T& get(const char* expected) const;

    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Reads one JSON text: valid UTF-8, no duplicate keys, no text after it. An integer beyond int64
/// becomes a double; a number beyond double is an error. Errors name the byte offset.
Json parse_json(std::string_view text);

/// The compact text. Doubles are the shortest that read back to the same bits, always as doubles
/// ("1.0"). Non-finite doubles, invalid UTF-8, duplicate keys and too deep nesting are errors.
std::string dump(const Json& value);

}  // namespace likely
