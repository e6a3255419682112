// The rules that reading and writing JSON share, so that whatever is written can be read.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "json.hpp"

namespace likely {

/// The length of the well-formed UTF-8 sequence that begins a text, or 0 if none does.
std::size_t utf8_sequence(std::string_view text);

/// A key that occurs twice in an object, if there is one.
std::optional<std::string> duplicate_key(const Json::Object& object);

}  // namespace likely
