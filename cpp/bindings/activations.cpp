#include "bind_kind.hpp"

namespace likely::python {

void declare_activations(py::module_& module) { declare<Activation>(module); }
void define_activations(py::module_& module) { define<Activation>(module); }

template <>
Activation from_python(py::handle object, const std::string& argument) {
    return kind_from_python<Activation>(object, argument);
}
template <>
KindReference<Activation> to_python<Activation>(const Activation& value) {
    return new_object<Activation>(value);
}

}  // namespace likely::python
