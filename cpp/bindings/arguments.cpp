// Python arguments as C++ values, with errors that name the argument, what came and what was
// expected.
#include <limits>

#include "describe.hpp"
#include "kinds.hpp"

namespace likely::python {
namespace {

/// An integer that is not a bool; numpy integers are welcome.
std::int64_t integer_from_python(py::handle object, const std::string& argument) {
    if (py::isinstance<py::bool_>(object) || !PyIndex_Check(object.ptr())) {
        throw py::type_error(argument + " must be an integer; got " + described(object));
    }
    const py::object index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
    if (!index) throw py::error_already_set();
    int overflow = 0;
    const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow != 0) throw py::value_error(argument + " must fit 64 bits; got " + repr_of(index));
    return value;
}

std::string text_from_python(py::handle object, const std::string& argument) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
    if (!text) {
        PyErr_Clear();
        throw py::value_error(argument + " must be text that UTF-8 can hold; got " +
                              described(object));
    }
    return {text, static_cast<std::size_t>(size)};
}

double number_from_python(py::handle object, const std::string& argument) {
    if (py::isinstance<py::bool_>(object) || py::isinstance<py::str>(object) ||
        !PyNumber_Check(object.ptr())) {
        throw py::type_error(argument + " must be a number; got " + described(object));
    }
    const double value = PyFloat_AsDouble(object.ptr());
    if (value == -1 && PyErr_Occurred()) {
        const bool overflow = PyErr_ExceptionMatches(PyExc_OverflowError) != 0;
        PyErr_Clear();
        if (overflow) return std::numeric_limits<double>::infinity();
        throw py::type_error(argument + " must be a number; got " + described(object));
    }
    return value;
}

}  // namespace

std::string repr_of(py::handle object) { return py::repr(object).cast<std::string>(); }

std::string described(py::handle object) {
    std::string text = repr_of(object);
    if (text.size() > 80) text = text.substr(0, 77) + "...";
    return py::type::of(object).attr("__name__").cast<std::string>() + " " + text;
}

template <class Value>
Value from_python(py::handle object, const std::string& argument) {
    if constexpr (std::is_same_v<Value, bool>) {
        if (PyBool_Check(object.ptr())) return object.ptr() == Py_True;
        if (py::type::of(object).attr("__module__").cast<std::string>() == "numpy" &&
            py::type::of(object).attr("__name__").cast<std::string>().starts_with("bool")) {
            return PyObject_IsTrue(object.ptr()) == 1;
        }
        throw py::type_error(argument + " must be True or False; got " + described(object));
    } else if constexpr (std::is_same_v<Value, std::int64_t>) {
        return integer_from_python(object, argument);
    } else if constexpr (std::is_same_v<Value, double>) {
        return number_from_python(object, argument);
    } else if constexpr (std::is_same_v<Value, std::string>) {
        if (!py::isinstance<py::str>(object))
            throw py::type_error(argument + " must be a string; got " + described(object));
        return text_from_python(object, argument);
    } else if constexpr (std::is_same_v<Value, std::variant<std::string, double>>) {
        if (py::isinstance<py::str>(object)) return text_from_python(object, argument);
        return number_from_python(object, argument);
    } else if constexpr (PointerField<Value>) {
        using Kind = std::remove_const_t<typename Value::element_type>;
        return std::make_shared<const Kind>(from_python<Kind>(object, argument));
    } else if constexpr (OptionalField<Value>) {
        if (object.is_none()) return std::nullopt;
        return from_python<typename Value::value_type>(object, argument);
    } else if constexpr (ListField<Value>) {
        using Element = typename Value::value_type;
        if (py::isinstance<py::str>(object) || !py::isinstance<py::sequence>(object)) {
            const std::string elements = std::is_same_v<Element, LayerPointer>      ? "layers"
                                         : std::is_same_v<Element, SchedulePointer> ? "schedules"
                                         : std::is_same_v<Element, std::string>     ? "strings"
                                         : std::is_same_v<Element, double>          ? "numbers"
                                                                                    : "integers";
            throw py::type_error(argument + " must be a list of " + elements + "; got " +
                                 described(object));
        }
        Value list;
        for (const auto& item : py::reinterpret_borrow<py::sequence>(object)) {
            list.push_back(
                from_python<Element>(item, argument + "[" + std::to_string(list.size()) + "]"));
        }
        return list;
    }
}

template bool from_python(py::handle, const std::string&);
template std::int64_t from_python(py::handle, const std::string&);
template double from_python(py::handle, const std::string&);
template std::string from_python(py::handle, const std::string&);
template std::optional<std::int64_t> from_python(py::handle, const std::string&);
template std::vector<double> from_python(py::handle, const std::string&);
template std::vector<std::int64_t> from_python(py::handle, const std::string&);
template DistributionPointer from_python(py::handle, const std::string&);
template std::vector<SchedulePointer> from_python(py::handle, const std::string&);
template std::vector<LayerPointer> from_python(py::handle, const std::string&);
template std::vector<std::string> from_python(py::handle, const std::string&);
template std::variant<std::string, double> from_python(py::handle, const std::string&);

}  // namespace likely::python
