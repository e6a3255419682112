// Members of a kind as Python classes.
//
// Why: signature, checks, repr, equality, hash and pickle of every distribution, activation, layer
// and optimizer follow from its fields, once for all of them.
//
// Contract: `KindObject<Kind>` is the Python base class of a kind ("Distribution", "Activation",
// ...); each member is a subclass. Objects are immutable. A wrong argument is a TypeError or
// ValueError that names it.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "likely/distributions.hpp"
#include "likely/layers.hpp"
#include "likely/optimizers.hpp"

namespace likely::python {

namespace py = pybind11;

/// What a Python object of a kind holds. A layer is held by pointer: its identity is part of its
/// meaning.
template <class Kind>
struct Held {
    using Type = Kind;
};
template <>
struct Held<Layer> {
    using Type = LayerPointer;
};

template <class Kind>
struct KindObject {
    typename Held<Kind>::Type value;
};

template <class Kind, class Member>
struct MemberObject : KindObject<Kind> {};

template <class Kind>
constexpr const char* kind_name() {
    if constexpr (std::is_same_v<Kind, Activation>) return "Activation";
    if constexpr (std::is_same_v<Kind, Distribution>) return "Distribution";
    if constexpr (std::is_same_v<Kind, Layer>) return "Layer";
    if constexpr (std::is_same_v<Kind, Optimizer>) return "Optimizer";
}

/// A C++ value from a Python argument; throws TypeError or ValueError naming the argument.
template <class Value>
Value from_python(py::handle object, const std::string& argument);
template <>
Activation from_python(py::handle object, const std::string& argument);
template <>
Distribution from_python(py::handle object, const std::string& argument);
template <>
Optimizer from_python(py::handle object, const std::string& argument);
template <>
LayerPointer from_python(py::handle object, const std::string& argument);

/// A Python object of a kind; a type of its own so that signatures show the kind's name.
template <class Kind>
class KindReference : public py::object {
    static bool check(PyObject* object) { return py::isinstance<KindObject<Kind>>(object); }

  public:
    PYBIND11_OBJECT(KindReference, py::object, check)
};

/// The Python object of a member of a kind.
template <class Kind>
KindReference<Kind> to_python(const typename Held<Kind>::Type& value);
template <>
KindReference<Activation> to_python<Activation>(const Activation& value);
template <>
KindReference<Distribution> to_python<Distribution>(const Distribution& value);
template <>
KindReference<Layer> to_python<Layer>(const LayerPointer& layer);
template <>
KindReference<Optimizer> to_python<Optimizer>(const Optimizer& value);

/// "int 3", "str 'abc'": what came, for error messages.
std::string described(py::handle object);
std::string repr_of(py::handle object);

// All classes are declared before any method is defined, so that signatures show their Python
// names.
void declare_activations(py::module_& module);
void declare_distributions(py::module_& module);
void declare_layers(py::module_& module);
void declare_optimizers(py::module_& module);
void define_activations(py::module_& module);
void define_distributions(py::module_& module);
void define_layers(py::module_& module);
void define_optimizers(py::module_& module);

}  // namespace likely::python

template <class Kind>
struct pybind11::detail::handle_type_name<likely::python::KindReference<Kind>> {
    static constexpr auto name = const_name("likely._core.") + [] {
        if constexpr (std::is_same_v<Kind, likely::Activation>) return const_name("Activation");
        if constexpr (std::is_same_v<Kind, likely::Distribution>) return const_name("Distribution");
        if constexpr (std::is_same_v<Kind, likely::Layer>) return const_name("Layer");
        if constexpr (std::is_same_v<Kind, likely::Optimizer>) return const_name("Optimizer");
    }();
};
