#include <pybind11/gil_safe_call_once.h>

#include "bind_kind.hpp"

namespace likely::python {

namespace {

/// The living Python objects of layers by the address of what they hold. Identity means sharing, to
/// pickle and copy too, so a layer has one Python object as long as anyone holds it.
py::object& living_layers() {
    static py::gil_safe_call_once_and_store<py::object> storage;
    return storage
        .call_once_and_store_result(
            [] { return py::module_::import("weakref").attr("WeakValueDictionary")(); })
        .get_stored();
}

py::int_ address(const LayerPointer& layer) {
    return py::int_(reinterpret_cast<std::uintptr_t>(layer.get()));
}

}  // namespace

template <>
LayerPointer from_python(py::handle object, const std::string& argument) {
    if (!py::isinstance<KindObject<Layer>>(object)) {
        std::string hint;
        if (PyType_Check(object.ptr())) {
            const auto name = object.attr("__name__").cast<std::string>();
            hint = " (an object is needed: write " + name + "(...))";
        } else if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
            hint = " (to use a list's layers one after the other, write *layers)";
        }
        throw py::type_error(argument + " must be a layer (Dense, Residual, ...); got " +
                             described(object) + hint);
    }
    const LayerPointer layer = object.cast<const KindObject<Layer>&>().value;
    living_layers().attr("setdefault")(address(layer), object);
    return layer;
}

template <>
KindReference<Layer> to_python<Layer>(const LayerPointer& layer) {
    const py::object living = living_layers().attr("get")(address(layer));
    if (!living.is_none()) return living.cast<KindReference<Layer>>();
    const KindReference<Layer> object = new_object<Layer>(layer);
    living_layers()[address(layer)] = object;
    return object;
}

void declare_layers(py::module_& module) { declare<Layer>(module); }
void define_layers(py::module_& module) { define<Layer>(module); }

}  // namespace likely::python
