// The generic binding of one kind; each kind instantiates it in a file of its own, since a bound
// class costs seconds.
#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <functional>

#include "describe.hpp"
#include "kinds.hpp"
#include "plan.hpp"

namespace likely::python {

template <class Kind>
const Kind& kind_of(const KindObject<Kind>& object) {
    if constexpr (std::is_same_v<Kind, Layer>) {
        return *object.value;
    } else {
        return object.value;
    }
}

/// The kind that a shared pointer holds.
template <PointerField Value>
using PointedKind = std::remove_const_t<typename Value::element_type>;

/// How the type of a field is written in a Python signature.
template <class Value>
std::string type_text() {
    if constexpr (std::is_same_v<Value, bool>) return "bool";
    if constexpr (std::is_same_v<Value, std::int64_t>) return "int";
    if constexpr (std::is_same_v<Value, double>) return "float";
    if constexpr (std::is_same_v<Value, std::string>) return "str";
    if constexpr (std::is_same_v<Value, std::variant<std::string, double>>) return "str | float";
    if constexpr (is_kind<Value>) return std::string("str | ") + kind_name<Value>;
    if constexpr (std::is_same_v<Value, LayerPointer>)
        return kind_name<Layer>;  // has no name
    else if constexpr (PointerField<Value>)
        return type_text<PointedKind<Value>>();
    if constexpr (OptionalField<Value>) return type_text<typename Value::value_type>() + " | None";
    if constexpr (ListField<Value>)
        return "collections.abc.Sequence[" + type_text<typename Value::value_type>() + "]";
}

/// How it is written for the attribute: there a name has become an object, and a list a tuple.
template <class Value>
std::string attribute_text() {
    if constexpr (is_kind<Value>) {
        return kind_name<Value>;
    } else if constexpr (PointerField<Value>) {
        return kind_name<PointedKind<Value>>;
    } else if constexpr (ListField<Value>) {
        return "tuple[" + attribute_text<typename Value::value_type>() + ", ...]";
    } else {
        return type_text<Value>();
    }
}

template <class Value>
py::object field_to_python(const Value& value) {
    if constexpr (is_kind<Value>) {
        return to_python<Value>(value);
    } else if constexpr (std::is_same_v<Value, LayerPointer>) {
        return to_python<Layer>(value);
    } else if constexpr (PointerField<Value>) {
        return to_python<PointedKind<Value>>(*value);
    } else if constexpr (OptionalField<Value>) {
        return value.has_value() ? field_to_python(*value) : py::none();
    } else if constexpr (ListField<Value>) {
        py::tuple elements(value.size());
        for (std::size_t i = 0; i < value.size(); ++i) elements[i] = field_to_python(value[i]);
        return elements;
    } else {
        return py::cast(value);
    }
}

/// A default as it stands in a signature: members without a changed field by their name.
template <class Value>
py::object default_to_python(const Value& value) {
    if constexpr (is_kind<Value>) {
        return py::str(std::visit([](const auto& m) { return normalized_name(m.name); }, value));
    } else {
        return field_to_python(value);
    }
}

/// Residual takes its layers one by one: Residual(a, b).
template <class Member>
inline constexpr bool is_variadic = std::is_same_v<Member, Residual>;

/// How the type of an argument of __init__ is written in its signature.
template <class Member, class Value>
std::string argument_text() {
    if constexpr (is_variadic<Member>) {
        return type_text<typename Value::value_type>();
    } else {
        return type_text<Value>();
    }
}

/// The same for the reader of a class's documentation.
template <class Member, class Value>
std::string documented_text() {
    if constexpr (ListField<Value> && !is_variadic<Member>) {
        return "sequence of " + type_text<typename Value::value_type>();
    } else {
        return argument_text<Member, Value>();
    }
}

template <class Member>
Member member_from_arguments(const py::args& arguments, const py::kwargs& keywords) {
    Member member;
    const std::string name(Member::name);
    if constexpr (is_variadic<Member>) {
        if (!keywords.empty())
            throw py::type_error(name + "() takes layers one after the other, no keywords");
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            member.layers.push_back(
                from_python<LayerPointer>(arguments[i], "layer " + std::to_string(i)));
        }
    } else {
        std::vector<std::string_view> known;
        for_each_field<Member>([&](const auto& field) { known.push_back(field.name); });
        if (arguments.size() > known.size()) {
            throw py::type_error(name + "() takes at most " + std::to_string(known.size()) +
                                 " arguments; got " + std::to_string(arguments.size()));
        }
        for (const auto& keyword : keywords) {
            const auto key = keyword.first.cast<std::string>();
            if (std::ranges::find(known, key) == known.end()) {
                try {
                    throw_unknown_name("argument of " + name + "()", key, known);
                } catch (const std::invalid_argument& error) {
                    throw py::type_error(error.what());
                }
            }
        }
        std::size_t position = 0;
        for_each_field<Member>([&](const auto& field) {
            const std::string field_name(field.name);
            const bool is_positional = position < arguments.size();
            const bool is_keyword = keywords.contains(field_name.c_str());
            if (is_positional && is_keyword)
                throw py::type_error(name + "() got " + field_name + " twice");
            if (is_positional || is_keyword) {
                const py::object value = is_positional ? py::object(arguments[position])
                                                       : py::object(keywords[field_name.c_str()]);
                using Value = std::decay_t<decltype(member.*field.member)>;
                if constexpr (std::is_same_v<Value, std::variant<std::string, double>>) {
                    if (value.is_none() || py::isinstance<py::bool_>(value)) {
                        throw py::type_error(field_name + " must be " + std::string(field.doc) +
                                             "; got " + described(value));
                    }
                }
                member.*field.member = from_python<Value>(value, field_name);
            }
            if (!is_positional && !is_keyword && field.required) {
                throw py::type_error(name + "() needs " + field_name + ": " +
                                     std::string(field.doc));
            }
            ++position;
        });
    }
    member.validate();
    return member;
}

/// Equality and hash: the neutral form; of layers the flat form, which knows what is shared inside.
inline std::string canonical(const KindObject<Layer>& object) {
    const auto named = distinct_layers({object.value}, nullptr);
    Json::Array parts;
    for (const auto& [name, layer] : named) {
        parts.push_back(describe(*layer, [&](const LayerPointer& inner) {
            return std::ranges::find(named, inner, &NamedLayer::layer) - named.begin();
        }));
    }
    return dump(Json(std::move(parts)));
}

template <class Kind>
std::string canonical(const KindObject<Kind>& object) {
    return dump(describe(object.value));
}

template <class Kind>
std::string representation(const KindObject<Kind>& object) {
    return std::visit(
        [](const auto& member) {
            using Member = std::decay_t<decltype(member)>;
            std::string text;
            for_each_field<Member>([&](const auto& field) {
                const py::object value = field_to_python(member.*field.member);
                if constexpr (is_variadic<Member>) {
                    std::map<const Layer*, int> known;
                    for (const LayerPointer& part : member.layers) {
                        // Blocks of one shared block double at every level; deep ones are cut
                        // short.
                        const bool deep = nesting(part, known) > 6;
                        text += (text.empty() ? "" : ", ") +
                                (deep ? "Residual(...)" : repr_of(to_python<Layer>(part)));
                    }
                } else {
                    text +=
                        (text.empty() ? "" : ", ") + std::string(field.name) + "=" + repr_of(value);
                }
            });
            return std::string(Member::name) + "(" + text + ")";
        },
        kind_of(object));
}

template <class Kind>
void declare(py::module_& module) {
    py::class_<KindObject<Kind>>(
        module, kind_name<Kind>,
        (std::string("Base class of every ") + kind_name<Kind> + ".").c_str());
    for_each_member<Kind>([&](auto type) {
        using Member = typename decltype(type)::type;
        py::class_<MemberObject<Kind, Member>, KindObject<Kind>>(module,
                                                                 std::string(Member::name).c_str());
    });
}

template <class Member>
std::string class_doc() {
    std::string doc(Member::doc);
    bool first = true;
    for_each_field<Member>([&](const auto& field) {
        doc += first ? "\n\nParameters\n----------\n" : "\n";
        first = false;
        using Value = std::decay_t<decltype(std::declval<Member>().*field.member)>;
        doc += (is_variadic<Member> ? "*" : "") + std::string(field.name) + " : " +
               documented_text<Member, Value>();
        if (!field.required)
            doc += ", default " + repr_of(default_to_python(Member{}.*field.member));
        doc += "\n    " + std::string(field.doc);
    });
    return doc;
}

template <class Member>
py::object signature() {
    const py::module_ inspect = py::module_::import("inspect");
    const py::object parameter = inspect.attr("Parameter");
    py::list parameters;
    for_each_field<Member>([&](const auto& field) {
        const py::object kind =
            parameter.attr(is_variadic<Member> ? "VAR_POSITIONAL" : "POSITIONAL_OR_KEYWORD");
        py::dict keywords;
        if (!field.required) keywords["default"] = default_to_python(Member{}.*field.member);
        parameters.append(parameter(py::str(std::string(field.name)), kind, **keywords));
    });
    return inspect.attr("Signature")(parameters);
}

/// The first line of __init__'s docstring, from which type checkers' stubs are made.
template <class Member>
std::string init_doc() {
    std::string text = "__init__(self";
    for_each_field<Member>([&](const auto& field) {
        using Value = std::decay_t<decltype(std::declval<Member>().*field.member)>;
        text += std::string(", ") + (is_variadic<Member> ? "*" : "") + std::string(field.name) +
                ": " + argument_text<Member, Value>();
        if (!field.required) text += " = " + repr_of(default_to_python(Member{}.*field.member));
    });
    return text + ") -> None";
}

template <class Kind, class Member>
void define_member(py::module_& module) {
    py::options options;
    options.disable_function_signatures();  // the docstrings below begin with true ones
    using Object = MemberObject<Kind, Member>;
    auto type = py::reinterpret_borrow<py::class_<Object, KindObject<Kind>>>(
        module.attr(std::string(Member::name).c_str()));
    type.doc() = class_doc<Member>();
    type.def(py::init([](const py::args& arguments, const py::kwargs& keywords) {
                 Object object;
                 if constexpr (std::is_same_v<Kind, Layer>) {
                     object.value = std::make_shared<const Layer>(
                         member_from_arguments<Member>(arguments, keywords));
                 } else {
                     object.value = member_from_arguments<Member>(arguments, keywords);
                 }
                 return object;
             }),
             init_doc<Member>().c_str());
    for_each_field<Member>([&](const auto& field) {
        using Value = std::decay_t<decltype(std::declval<Member>().*field.member)>;
        const std::string name(field.name);
        type.def_property_readonly(
            name.c_str(),
            py::cpp_function(
                [pointer = field.member](const Object& object) {
                    return field_to_python(std::get<Member>(kind_of<Kind>(object)).*pointer);
                },
                py::is_method(type), (name + "(self) -> " + attribute_text<Value>()).c_str()),
            std::string(field.doc).c_str());
    });
    type.attr("__signature__") = signature<Member>();
}

template <class Kind>
void define(py::module_& module) {
    py::options options;
    options.disable_function_signatures();
    using Object = KindObject<Kind>;
    auto base = py::reinterpret_borrow<py::class_<Object>>(module.attr(kind_name<Kind>));
    base.def("__repr__", &representation<Kind>, "__repr__(self) -> str");
    base.def(
        "__eq__",
        [](const Object& self, const py::object& other) -> py::object {
            if (!py::isinstance<Object>(other))
                return py::reinterpret_borrow<py::object>(Py_NotImplemented);
            return py::bool_(canonical(self) == canonical(other.cast<const Object&>()));
        },
        "__eq__(self, other: object, /) -> bool");
    base.def(
        "__hash__", [](const Object& self) { return py::hash(py::str(canonical(self))); },
        "__hash__(self) -> int");
    base.def(
        "__reduce__",
        [](const py::object& self) {
            const py::object arguments = std::visit(
                [](const auto& member) -> py::object {
                    using Member = std::decay_t<decltype(member)>;
                    py::list values;
                    for_each_field<Member>([&](const auto& field) {
                        if constexpr (is_variadic<Member>) {
                            for (const auto& layer : member.*field.member)
                                values.append(to_python<Layer>(layer));
                        } else {
                            values.append(field_to_python(member.*field.member));
                        }
                    });
                    return py::tuple(values);
                },
                kind_of(self.cast<const Object&>()));
            return py::make_tuple(py::type::of(self), arguments);
        },
        "__reduce__(self) -> tuple[typing.Any, ...]");
    for_each_member<Kind>(
        [&](auto type) { define_member<Kind, typename decltype(type)::type>(module); });
}

/// A kind from its object or from a name.
template <class Kind>
Kind kind_from_python(py::handle object, const std::string& argument) {
    if (py::isinstance<KindObject<Kind>>(object))
        return object.cast<const KindObject<Kind>&>().value;
    if (PyType_Check(object.ptr())) {
        const auto name = object.attr("__name__").cast<std::string>();
        throw py::type_error(argument + " must be an object, not a class; got the class " + name +
                             " (write " + name + "(...))");
    }
    if (!py::isinstance<py::str>(object)) {
        throw py::type_error(argument + " must be a name or one of likely's " + kind_name<Kind> +
                             " objects; got " + described(object));
    }
    Kind kind = member_by_name<Kind>(argument, from_python<std::string>(object, argument));
    std::visit(
        [&](const auto& member) {
            using Member = std::decay_t<decltype(member)>;
            const std::string name(Member::name);
            for_each_field<Member>([&](const auto& field) {
                if (!field.required) return;
                const std::string needed(field.name);
                throw py::value_error(argument + " " + name + " needs " + needed + "; write " +
                                      name + "(" + needed + "=...)");
            });
        },
        kind);
    return kind;
}

template <class Kind>
KindReference<Kind> new_object(const typename Held<Kind>::Type& value) {
    const auto& kind = [&]() -> const Kind& {
        if constexpr (std::is_same_v<Kind, Layer>) {
            return *value;
        } else {
            return value;
        }
    }();
    return std::visit(
        [&](const auto& member) {
            MemberObject<Kind, std::decay_t<decltype(member)>> object;
            object.value = value;
            return py::cast(std::move(object)).template cast<KindReference<Kind>>();
        },
        kind);
}

}  // namespace likely::python
