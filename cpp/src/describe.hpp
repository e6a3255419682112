// A member of a kind as JSON and back.
//
// Why: files and equality need one neutral form of every configuration; it follows from the fields
// in the registry. Contract: {"kind": name, field: value, ...}. Reading rejects unknown keys, wrong
// types and values that the member's own `validate` refuses. Layers inside a layer are numbers:
// what they mean is the business of whoever holds the list
// (`number_of`: LayerPointer -> index, `layer_at`: index -> LayerPointer).
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "json.hpp"
#include "likely/layers.hpp"
#include "likely/registry.hpp"

namespace likely {

template <class Value>
concept ListField = std::same_as<Value, std::vector<typename Value::value_type>>;
template <class Value>
concept OptionalField = std::same_as<Value, std::optional<typename Value::value_type>>;
template <class Value>
concept PointerField = std::same_as<Value, std::shared_ptr<typename Value::element_type>>;

template <class Kind, class NumberOf>
Json describe(const Kind& kind, const NumberOf& number_of);

template <class Value, class NumberOf>
Json describe_value(const Value& value, const NumberOf& number_of) {
    if constexpr (ListField<Value>) {
        Json::Array elements;
        for (const auto& element : value) elements.push_back(describe_value(element, number_of));
        return Json(std::move(elements));
    } else if constexpr (OptionalField<Value>) {
        return value ? describe_value(*value, number_of) : Json();
    } else if constexpr (std::is_same_v<Value, LayerPointer>) {
        return Json(number_of(value));
    } else if constexpr (PointerField<Value>) {
        return describe(*value, number_of);
    } else if constexpr (std::is_same_v<Value, std::variant<std::string, double>>) {
        return std::visit([](const auto& held) { return Json(held); }, value);
    } else if constexpr (std::is_constructible_v<Json, Value>) {
        return Json(value);
    } else {
        return describe(value, number_of);
    }
}

template <class Kind, class NumberOf>
Json describe(const Kind& kind, const NumberOf& number_of) {
    return std::visit(
        [&](const auto& member) {
            using Member = std::decay_t<decltype(member)>;
            Json result;
            result.set("kind", Json(Member::name));
            for_each_field<Member>([&](const auto& field) {
                result.set(field.name, describe_value(member.*field.member, number_of));
            });
            return result;
        },
        kind);
}

/// For kinds without layers inside.
template <class Kind>
Json describe(const Kind& kind) {
    return describe(kind, [](const LayerPointer&) -> std::int64_t { return -1; });
}

template <class Kind, class LayerAt>
Kind construct(const Json& json, const LayerAt& layer_at);

template <class Value, class LayerAt>
void construct_value(Value& target, const Json& json, const LayerAt& layer_at) {
    if constexpr (std::is_same_v<Value, bool>) {
        target = json.as_bool();
    } else if constexpr (std::is_same_v<Value, std::int64_t>) {
        target = json.as_int();
    } else if constexpr (std::is_same_v<Value, double>) {
        target = json.as_double();
    } else if constexpr (std::is_same_v<Value, std::string>) {
        target = json.as_string();
    } else if constexpr (std::is_same_v<Value, std::variant<std::string, double>>) {
        if (json.is_string()) {
            target = json.as_string();
        } else {
            target = json.as_double();
        }
    } else if constexpr (std::is_same_v<Value, std::vector<double>>) {
        for (const Json& item : json.as_array()) target.push_back(item.as_double());
    } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
        for (const Json& item : json.as_array()) target.push_back(item.as_string());
    } else if constexpr (std::is_same_v<Value, std::vector<LayerPointer>>) {
        for (const Json& number : json.as_array()) target.push_back(layer_at(number.as_int()));
    } else if constexpr (PointerField<Value>) {
        using Kind = std::remove_const_t<typename Value::element_type>;
        target = std::make_shared<const Kind>(construct<Kind>(json, layer_at));
    } else {
        target = construct<Value>(json, layer_at);
    }
}

template <class Kind, class LayerAt>
Kind construct(const Json& json, const LayerAt& layer_at) {
    const std::string& name = json.at("kind").as_string();
    Kind result = member_by_name<Kind>("kind", name);
    std::visit(
        [&](auto& member) {
            using Member = std::decay_t<decltype(member)>;
            std::vector<std::string_view> known{"kind"};
            for_each_field<Member>([&](const auto& field) {
                known.push_back(field.name);
                try {
                    construct_value(member.*field.member, json.at(field.name), layer_at);
                } catch (const std::invalid_argument& error) {
                    throw std::invalid_argument(name + ", " + std::string(field.name) + ": " +
                                                error.what());
                }
            });
            for (const auto& entry : json.as_object()) {
                if (std::find(known.begin(), known.end(), entry.first) == known.end()) {
                    throw_unknown_name("field of " + name, entry.first, known);
                }
            }
            member.validate();
        },
        result);
    return result;
}

}  // namespace likely
