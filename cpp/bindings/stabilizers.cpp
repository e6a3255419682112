#include "bind_kind.hpp"

namespace likely::python {

void declare_stabilizers(py::module_& module) { declare<Stabilizer>(module); }
void define_stabilizers(py::module_& module) { define<Stabilizer>(module); }

template <>
Stabilizer from_python(py::handle object, const std::string& argument) {
    return kind_from_python<Stabilizer>(object, argument);
}
template <>
KindReference<Stabilizer> to_python<Stabilizer>(const Stabilizer& value) {
    return new_object<Stabilizer>(value);
}

}  // namespace likely::python
