#include "bind_kind.hpp"

namespace likely::python {

void declare_layers(py::module_& module) { declare<Layer>(module); }
void define_layers(py::module_& module) { define<Layer>(module); }

template KindReference<Layer> to_python<Layer>(const LayerPointer&);

}  // namespace likely::python
