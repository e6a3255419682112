#include "bind_kind.hpp"

namespace likely::python {

void declare_schedules(py::module_& module) { declare<Schedule>(module); }
void define_schedules(py::module_& module) { define<Schedule>(module); }

template <>
Schedule from_python(py::handle object, const std::string& argument) {
    return kind_from_python<Schedule>(object, argument);
}
template <>
KindReference<Schedule> to_python<Schedule>(const Schedule& value) {
    return new_object<Schedule>(value);
}

}  // namespace likely::python
