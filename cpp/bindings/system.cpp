// What machine and which build this is.
#include <pybind11/stl.h>

#include "kernels/table.hpp"
#include "kernels_loaded.hpp"
#include "objects.hpp"

namespace likely::python {
namespace {

std::string compiler() {
#if defined(__clang__)
    return std::string("clang ") + __clang_version__;
#else
    return std::string("gcc ") + __VERSION__;
#endif
}

}  // namespace

void bind_system(py::module_& module) {
    module.def("system", [] {
        py::dict result;
        result["instruction_set"] = kernel_table().instruction_set;
        result["installed_instruction_sets"] = installed_kernel_sets();
        result["cpu_level"] = cpu_level();
        result["compiler"] = compiler();
        result["eigen"] = kernel_table().eigen;
        result["threads"] = 1;
        return result;
    });
}

}  // namespace likely::python
