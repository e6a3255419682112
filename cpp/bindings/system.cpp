// What machine and which build this is.
#include <pybind11/stl.h>

#include <filesystem>
#include <map>
#include <string>

#include "kernels/table.hpp"
#include "kernels_loaded.hpp"
#include "objects.hpp"
#include "threads.hpp"

namespace likely::python {
namespace {

std::string compiler() {
#if defined(__clang__)
    return std::string("clang ") + __clang_version__;
#else
    return std::string("gcc ") + __VERSION__;
#endif
}

/// A failed file operation is Python's OSError, or the subclass that its number means.
void translate_filesystem_errors() {
    py::register_exception_translator([](std::exception_ptr pointer) {
        try {
            if (pointer) std::rethrow_exception(pointer);
        } catch (const std::filesystem::filesystem_error& error) {
            const py::object arguments = py::make_tuple(
                error.code().value(), error.code().message(), error.path1().string());
            PyErr_SetObject(PyExc_OSError, arguments.ptr());
        }
    });
}

}  // namespace

void bind_system(py::module_& module) {
    translate_filesystem_errors();
    module.def("system", []() -> std::map<std::string, std::string> {
        std::string installed;
        for (const std::string& set : installed_kernel_sets()) {
            installed += (installed.empty() ? "" : ", ") + set;
        }
        return {{"instruction_set", kernel_table().instruction_set},
                {"installed_instruction_sets", installed},
                {"cpu_level", cpu_level()},
                {"compiler", compiler()},
                {"eigen", kernel_table().eigen},
                {"threads", std::to_string(default_threads())}};
    });
    module.def("set_num_threads", &set_default_threads, py::arg("count"));
    module.def("use_threads_always", &Scheduler::use_always, py::arg("always"),
               "For tests: whether even the shortest step is cut into pieces for all threads.");
}

}  // namespace likely::python
