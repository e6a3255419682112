// One list a kind.
//
// Why: distributions, activations, layers, optimizers and schedules are each a `std::variant` of
// plain structs. Everything that must know "all of them" (construction by name, files, Python
// classes, documentation) walks the variant, so adding a member of a kind is one struct and one
// line in its list.
//
// Contract: a member of a kind has
//     static constexpr std::string_view name, doc;
//     static constexpr auto fields();       // std::tuple of Field, in the order of positional
//     arguments void validate() const;                // throws std::invalid_argument, naming the
//     field, what came, what is expected
// and its default-constructed value holds the defaults. Names are compared without case and
// underscores, so that "leaky_relu" and "LeakyReLU" are one name. A member may have `static
// constexpr std::string_view alias`, a second name by which it is found.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <concepts>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace likely {

template <class Object, class Type>
struct Field {
    std::string_view name;
    Type Object::* member;
    std::string_view doc;
    bool required = false;
};

template <class Object, class Type>
Field(std::string_view, Type Object::*, std::string_view) -> Field<Object, Type>;
template <class Object, class Type>
Field(std::string_view, Type Object::*, std::string_view, bool) -> Field<Object, Type>;

/// Calls `function(field)` for every field of a member of a kind.
template <class Object, class Function>
void for_each_field(Function&& function) {
    std::apply([&](const auto&... field) { (function(field), ...); }, Object::fields());
}

/// Calls `function(std::type_identity<Member>{})` for every member of a kind, in the order of its
/// list.
template <class Kind, class Function>
void for_each_member(Function&& function) {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        (function(std::type_identity<std::variant_alternative_t<Index, Kind>>{}), ...);
    }(std::make_index_sequence<std::variant_size_v<Kind>>{});
}

template <class Kind>
std::vector<std::string_view> names_of() {
    std::vector<std::string_view> names;
    for_each_member<Kind>([&](auto member) { names.push_back(decltype(member)::type::name); });
    return names;
}

inline std::string normalized_name(std::string_view name) {
    std::string result;
    for (const char letter : name) {
        if (letter != '_') {
            result += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        }
    }
    return result;
}

inline std::string initials(std::string_view name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (i == 0 || name[i - 1] == '_') result += name[i];
    }
    return result;
}

/// The known name that begins with `name` or has it as initials (lr, learning_rate), else the one
/// with the smallest edit distance (Levenshtein 1966) to it.
inline std::string_view nearest_name(std::string_view name,
                                     const std::vector<std::string_view>& known) {
    const std::string wanted = normalized_name(name);
    std::string_view best;
    std::size_t best_distance = std::numeric_limits<std::size_t>::max();
    for (const std::string_view candidate : known) {
        const std::string other = normalized_name(candidate);
        if (!wanted.empty() && (other.starts_with(wanted) || initials(candidate) == wanted)) {
            return candidate;
        }
        std::vector<std::size_t> row(other.size() + 1);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= wanted.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= other.size(); ++j) {
                const std::size_t substitution = diagonal + (wanted[i - 1] != other[j - 1]);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

[[noreturn]] inline void throw_unknown_name(std::string_view what, std::string_view name,
                                            const std::vector<std::string_view>& known) {
    std::ostringstream message;
    message << "unknown " << what << " '" << name << "'";
    if (!known.empty()) {
        message << "; did you mean '" << nearest_name(name, known) << "'? Known:";
        for (std::size_t i = 0; i < known.size(); ++i) message << (i ? ", " : " ") << known[i];
    } else {
        message << "; there is none";
    }
    throw std::invalid_argument(message.str());
}

/// The member of a kind with that name, with its defaults. Throws for an unknown name, naming the
/// nearest known one.
template <class Kind>
Kind member_by_name(std::string_view what, std::string_view name) {
    const std::string wanted = normalized_name(name);
    Kind result;
    bool found = false;
    for_each_member<Kind>([&](auto member) {
        using Member = typename decltype(member)::type;
        bool named = normalized_name(Member::name) == wanted;
        if constexpr (requires { Member::alias; })
            named |= normalized_name(Member::alias) == wanted;
        if (!found && named) {
            result = Member{};
            found = true;
        }
    });
    if (!found) throw_unknown_name(what, name, names_of<Kind>());
    return result;
}

/// With as few digits as tell it from other numbers of its type.
template <std::floating_point T>
std::string shortest(T number) {
    std::array<char, 32> buffer;
    const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
    return {buffer.data(), result.ptr};
}

/// Throws std::invalid_argument "<argument> must be <expected>; got <value>" unless `condition`
/// holds.
template <class Value>
void require(bool condition, std::string_view argument, std::string_view expected,
             const Value& value) {
    if (condition) return;
    std::ostringstream message;
    message << argument << " must be " << expected << "; got ";
    if constexpr (std::is_convertible_v<Value, std::string_view>) {
        message << "'" << value << "'";
    } else if constexpr (std::floating_point<Value>) {
        message << shortest(value);
    } else {
        message << value;
    }
    throw std::invalid_argument(message.str());
}

/// Throws "<argument> must be <expected>; got none" unless `condition` holds.
inline void require_some(bool condition, const std::string& argument, const std::string& expected) {
    if (!condition) throw std::invalid_argument(argument + " must be " + expected + "; got none");
}

}  // namespace likely
