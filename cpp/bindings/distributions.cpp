#include "bind_kind.hpp"

namespace likely::python {

void declare_distributions(py::module_& module) { declare<Distribution>(module); }
void define_distributions(py::module_& module) { define<Distribution>(module); }

template <>
Distribution from_python(py::handle object, const std::string& argument) {
    return kind_from_python<Distribution>(object, argument);
}
template <>
KindReference<Distribution> to_python<Distribution>(const Distribution& value) {
    return new_object<Distribution>(value);
}

}  // namespace likely::python
