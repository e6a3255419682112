// Members of a kind as Python classes.
//
// Why: signature, checks, repr, equality, hash and pickle of every distribution, activation, layer,
// optimizer, schedule and stabilizer follow from its fields, once for all of them.
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
#include "likely/schedules.hpp"
#include "likely/stabilizers.hpp"

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

/// The Python name of a kind; null of what is none.
template <class>
inline constexpr std::nullptr_t kind_name{};
template <>
inline constexpr char kind_name<Activation>[] = "Activation";
template <>
inline constexpr char kind_name<Distribution>[] = "Distribution";
template <>
inline constexpr char kind_name<Layer>[] = "Layer";
template <>
inline constexpr char kind_name<Optimizer>[] = "Optimizer";
template <>
inline constexpr char kind_name<Schedule>[] = "Schedule";
template <>
inline constexpr char kind_name<Stabilizer>[] = "Stabilizer";

template <class Type>
inline constexpr bool is_kind = !std::is_null_pointer_v<decltype(kind_name<Type>)>;

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
Schedule from_python(py::handle object, const std::string& argument);
template <>
Stabilizer from_python(py::handle object, const std::string& argument);
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
template <>
KindReference<Schedule> to_python<Schedule>(const Schedule& value);
template <>
KindReference<Stabilizer> to_python<Stabilizer>(const Stabilizer& value);

/// "int 3", "str 'abc'": what came, for error messages.
std::string described(py::handle object);
std::string repr_of(py::handle object);

// All classes are declared before any method is defined, so that signatures show their Python
// names.
void declare_activations(py::module_& module);
void declare_distributions(py::module_& module);
void declare_layers(py::module_& module);
void declare_optimizers(py::module_& module);
void declare_schedules(py::module_& module);
void declare_stabilizers(py::module_& module);
void define_activations(py::module_& module);
void define_distributions(py::module_& module);
void define_layers(py::module_& module);
void define_optimizers(py::module_& module);
void define_schedules(py::module_& module);
void define_stabilizers(py::module_& module);

}  // namespace likely::python

template <class Kind>
struct pybind11::detail::handle_type_name<likely::python::KindReference<Kind>> {
    static constexpr auto name =
        const_name("likely._core.") + const_name(likely::python::kind_name<Kind>);
};
