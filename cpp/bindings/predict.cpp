// Predictions behind likely.Network: of many rows, and of one row in a fraction of a microsecond.
//
// Why: what pybind11 does for a call (overloads, casts, array_t) takes longer than a small network.
// So two methods of one row are plain CPython functions (METH_FASTCALL). They read arrays by
// pybind11's own table of NumPy's functions, which holds for NumPy 1 and 2 alike; none of NumPy's
// headers is needed.
//
// Contract: the two take what they know at a glance (an exact, aligned, C-order array of one row in
// the model's precision) and decline everything else, before anything is written: then the Python
// side goes the general way, with the same numbers, or says what is wrong.
#include <algorithm>
#include <limits>

#include "checks.hpp"
#include "objects.hpp"
#include "plan.hpp"

namespace likely::python {
namespace {

using py::detail::npy_api;

/// From so many multiply-adds on, the interpreter lock is released: about 50 microseconds.
constexpr std::int64_t long_work = 1 << 20;

/// Predicts with the memory that stays with the model. False where another thread has it.
template <class T>
bool predict_row(ModelObject& object, const T* x, T* out) {
    OneRow& own = object.one_row;
    if (own.taken.test_and_set(std::memory_order_acquire)) return false;
    const struct Return {
        std::atomic_flag& taken;
        ~Return() { taken.clear(std::memory_order_release); }
    } at_the_end{own.taken};
    auto* inference = std::get_if<Inference<T>>(&own.inference);
    if (!inference || !inference->fits()) {
        const Model<T>& model = std::get<Model<T>>(object.model);
        inference = &own.inference.template emplace<Inference<T>>(model, 1);
    }
    (*inference)(x, 1, out);
    return true;
}

/// One row of numbers in T, as it stands in an array.
template <class T>
struct Row {
    T* numbers = nullptr;  ///< null: it is none
    bool is_matrix = false;
};

/// An array that is exactly a vector of `columns` numbers or a matrix of one such row.
template <class T>
Row<T> row_in(PyObject* object, std::int64_t columns, int needed_flags) {
    static PyObject* const dtype = npy_api::get().PyArray_DescrFromType_(
        sizeof(T) == 4 ? npy_api::NPY_FLOAT_ : npy_api::NPY_DOUBLE_);
    if (Py_TYPE(object) != npy_api::get().PyArray_Type_) return {};
    const auto* array = py::detail::array_proxy(object);
    const int flags = npy_api::NPY_ARRAY_C_CONTIGUOUS_ | npy_api::NPY_ARRAY_ALIGNED_ | needed_flags;
    if (array->descr != dtype || (array->flags & flags) != flags) return {};
    const bool is_vector = array->nd == 1 && array->dimensions[0] == columns;
    const bool is_matrix =
        array->nd == 2 && array->dimensions[0] == 1 && array->dimensions[1] == columns;
    if (!is_vector && !is_matrix) return {};
    return {reinterpret_cast<T*>(array->data), is_matrix};
}

/// The row x of the model's precision, if it is one; a vector for one input is a column of rows.
template <class T>
Row<const T> input_in(PyObject* object, const Plan& plan) {
    const Row<T> x = row_in<T>(object, plan.inputs, 0);
    if (!x.numbers || (plan.inputs == 1 && !x.is_matrix)) return {};
    if (!all_finite(x.numbers, plan.inputs)) return {};
    return {x.numbers, x.is_matrix};
}

template <class T>
bool run(ModelObject& object, const Plan& plan, const T* x, T* out) {
    try {
        if (plan.multiply_adds < long_work) return predict_row(object, x, out);
        const py::gil_scoped_release released;
        return predict_row(object, x, out);
    } catch (const std::bad_alloc&) {
        return false;  // the general way says so
    }
}

/// A new array of one row of raw parameters, or None: to be predicted the general way.
template <class T>
PyObject* predict_into_new(ModelObject& object, const Model<T>& model, PyObject* given) {
    const Plan& plan = model.plan();
    const Row<const T> x = input_in<T>(given, plan);
    if (!x.numbers) Py_RETURN_NONE;
    const npy_api& numpy = npy_api::get();
    const Py_intptr_t shape[] = {1, plan.raw_width};
    PyObject* const out = numpy.PyArray_NewFromDescr_(
        numpy.PyArray_Type_,
        numpy.PyArray_DescrFromType_(sizeof(T) == 4 ? npy_api::NPY_FLOAT_ : npy_api::NPY_DOUBLE_),
        x.is_matrix ? 2 : 1, x.is_matrix ? shape : shape + 1, nullptr, nullptr, 0, nullptr);
    if (!out) return nullptr;
    T* const numbers = reinterpret_cast<T*>(py::detail::array_proxy(out)->data);
    if (run(object, plan, x.numbers, numbers)) return out;
    Py_DECREF(out);
    Py_RETURN_NONE;
}

/// True, or False: to be predicted the general way.
template <class T>
PyObject* predict_into_given(ModelObject& object, const Model<T>& model, PyObject* given,
                             PyObject* target) {
    const Plan& plan = model.plan();
    const Row<const T> x = input_in<T>(given, plan);
    if (!x.numbers) Py_RETURN_FALSE;
    const Row<T> out = row_in<T>(target, plan.raw_width, npy_api::NPY_ARRAY_WRITEABLE_);
    if (!out.numbers || out.is_matrix != x.is_matrix) Py_RETURN_FALSE;
    const std::less<const T*> before;
    const bool apart = !before(x.numbers, out.numbers + plan.raw_width) ||
                       !before(out.numbers, x.numbers + plan.inputs);
    return PyBool_FromLong(apart && run(object, plan, x.numbers, out.numbers));
}

/// The C++ object of a likely._core.Model, without pybind11's search; null before its __init__.
ModelObject* object_of(PyObject* self) {
    auto* const instance = reinterpret_cast<py::detail::instance*>(self);
    if (instance->simple_layout) return static_cast<ModelObject*>(instance->simple_value_holder[0]);
    return py::handle(self).cast<ModelObject*>();
}

template <Py_ssize_t Expected, class Function>
PyObject* call(PyObject* self, Py_ssize_t count, Function function) {
    ModelObject* const object = object_of(self);
    if (!object || count != Expected) {
        PyErr_SetString(PyExc_TypeError, "a Model with its __init__ called, and its arguments");
        return nullptr;
    }
    return object->visit([&](const auto& model) { return function(*object, model); });
}

PyObject* predict(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
    return call<1>(self, count, [&](ModelObject& object, const auto& model) {
        return predict_into_new(object, model, arguments[0]);
    });
}

PyObject* predict_into(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
    return call<2>(self, count, [&](ModelObject& object, const auto& model) {
        return predict_into_given(object, model, arguments[0], arguments[1]);
    });
}

template <class Function>
PyCFunction as_method(Function function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef methods[] = {
    {"predict", as_method(predict), METH_FASTCALL,
     "predict(self: likely._core.Model, x: typing.Any) -> numpy.typing.NDArray[typing.Any] | None\n"
     "\nThe raw parameters of one row, or None: not the array that this knows at a glance."},
    {"predict_into", as_method(predict_into), METH_FASTCALL,
     "predict_into(self: likely._core.Model, x: typing.Any, out: typing.Any) -> bool\n"
     "\nThe same into an array; False: nothing was written."},
};

}  // namespace

template <class T>
void predict_rows(ModelObject& object, const T* x, std::int64_t rows, T* out) {
    const Model<T>& model = std::get<Model<T>>(object.model);
    const Plan& plan = model.plan();
    if (rows == 1) {
        check_finite("x", x, 1, plan.inputs);
        if (predict_row(object, x, out)) return;
    }
    Inference<T> inference(model, rows, default_threads());
    for (std::int64_t begin = 0; begin < rows; begin += inference.at_once()) {
        const std::int64_t count = std::min(inference.at_once(), rows - begin);
        const T* part = x + begin * plan.inputs;
        check_finite("x", part, count, plan.inputs, begin);
        inference(part, count, out + begin * plan.raw_width);
    }
}

template void predict_rows(ModelObject&, const float*, std::int64_t, float*);
template void predict_rows(ModelObject&, const double*, std::int64_t, double*);

void bind_predict(py::class_<ModelObject>& model) {
    auto* const type = reinterpret_cast<PyTypeObject*>(model.ptr());
    for (PyMethodDef& method : methods) {
        const auto descriptor = py::reinterpret_steal<py::object>(PyDescr_NewMethod(type, &method));
        if (!descriptor) throw py::error_already_set();
        model.attr(method.ml_name) = descriptor;
    }
}

}  // namespace likely::python
