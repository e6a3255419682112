#include "bind_kind.hpp"

namespace likely::python {

void declare_optimizers(py::module_& module) { declare<Optimizer>(module); }
void define_optimizers(py::module_& module) { define<Optimizer>(module); }

template <>
Optimizer from_python(py::handle object, const std::string& argument) {
    return kind_from_python<Optimizer>(object, argument);
}
template <>
KindReference<Optimizer> to_python<Optimizer>(const Optimizer& value) {
    return new_object<Optimizer>(value);
}

}  // namespace likely::python
