// Densities written in Python: what likely.Custom has beyond its fields.
//
// Contract: the call behind a density is a Python object `call(y, raw, with_derivative)`, which
// gives a pair of C-order float64 arrays, (samples,) and (parameters, samples), the second None
// unless asked for; `call.function` is what the user wrote. It is called with the interpreter lock,
// and what it raises passes through.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

#include "objects.hpp"

namespace likely::python {
namespace {

class PythonDensity final : public CustomDensity {
  public:
    PythonDensity(py::object call, std::int64_t parameters)
        : call_(std::move(call)), parameters_(parameters) {}
    PythonDensity(const PythonDensity&) = delete;
    PythonDensity& operator=(const PythonDensity&) = delete;
    ~PythonDensity() override {
        if (Py_IsInitialized() == 0) {
            (void)call_.release();
            return;
        }
        const py::gil_scoped_acquire acquired;  // the last network may go on any thread
        call_ = py::object();
    }

    const py::object& call() const { return call_; }

    void evaluate(std::int64_t samples, const double* y, const double* raw, double* log_prob,
                  double* derivative) const override {
        const py::gil_scoped_acquire acquired;
        // Copies, for the function may keep them.
        const Array<double> targets(samples, y), values({parameters_, samples}, raw);
        const py::tuple result = call_(targets, values, derivative != nullptr);
        copy(result[0], samples, log_prob);
        if (derivative) copy(result[1], parameters_ * samples, derivative);
    }

  private:
    static void copy(const py::object& array, std::int64_t size, double* target) {
        const auto values = array.cast<Array<double>>();
        if (values.size() != size) throw py::value_error("a density's call gave a wrong shape");
        std::copy_n(values.data(), size, target);
    }

    py::object call_;
    std::int64_t parameters_;
};

using Object = MemberObject<Distribution, Custom>;

const Custom& custom_of(const Object& object) { return std::get<Custom>(object.value); }

py::object call_of(const Object& object) {
    const auto* density = dynamic_cast<const PythonDensity*>(custom_of(object).density.get());
    return density ? density->call() : py::none();
}

py::object function_of(const Object& object) {
    const py::object call = call_of(object);
    return call.is_none() ? call : py::object(call.attr("function"));
}

Object with_call(const Object& object, const py::object& call) {
    Custom custom = custom_of(object);
    custom.density =
        std::make_shared<const PythonDensity>(call, static_cast<std::int64_t>(custom.names.size()));
    Object result;
    result.value = std::move(custom);
    return result;
}

py::object apply(const Object& object, const py::args& arguments, const py::kwargs& keywords) {
    (void)custom_of(object).function();  // throws where it is missing
    return function_of(object)(*arguments, **keywords);
}

/// The raw parameters that are not fixed: (name, "predicted" or "shared").
std::vector<std::pair<std::string, std::string>> named_raw_parameters(
    const py::object& distribution) {
    std::vector<std::pair<std::string, std::string>> result;
    for (const RawParameter& raw :
         likely::raw_parameters(from_python<Distribution>(distribution, "distribution"), 1)) {
        if (raw.source == Source::fixed) continue;
        result.emplace_back(raw.name, raw.source == Source::shared ? "shared" : "predicted");
    }
    return result;
}

}  // namespace

void bind_custom(py::module_& module) {
    auto type = py::reinterpret_borrow<py::class_<Object, KindObject<Distribution>>>(
        module.attr(std::string(Custom::name).c_str()));
    type.def_property_readonly("function", &function_of,
                               "The function as it was written, or None where it is missing.")
        .def_property_readonly("call", &call_of, "What the core calls; see likely.distribution.")
        .def("with_call", &with_call, py::arg("call"), "The same density with another call.")
        .def("__copy__", [](const py::object& self) { return self; })
        .def("__deepcopy__", [](const py::object& self, const py::object&) { return self; })
        .def("__reduce__", [](const py::object& self) -> py::tuple {
            const py::object call = call_of(self.cast<const Object&>());
            if (!call.is_none()) return call.attr("reduce")(self);
            return py::type::of<KindObject<Distribution>>().attr("__reduce__")(self);
        });
    const std::string signature =
        "__call__(self, *args: typing.Any, **kwargs: typing.Any) -> typing.Any\n\n"
        "The function itself.";
    py::options options;
    options.disable_function_signatures();
    type.def("__call__", &apply, signature.c_str());
    options.enable_function_signatures();
    module.def("raw_parameters", &named_raw_parameters, py::arg("distribution"));
}

}  // namespace likely::python
