// Predictions behind likely.Network: of many rows, and of one row in a fraction of a microsecond.
//
// Why: what pybind11 does for a call (overloads, casts, array_t) takes longer than a small network.
// So two methods are plain CPython functions (METH_FASTCALL). They read arrays by pybind11's own
// table of NumPy's functions, which holds for NumPy 1 and 2 alike; none of NumPy's headers is
// needed.
//
// Contract: the two take what they know at a glance (an exact, aligned, C-order array of rows in
// the model's precision; `predict_into` of one row) and decline everything else, before anything of
// the caller's is written: then the Python side goes the general way, with the same numbers, or
// says what is wrong.
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

/// use(Inference) for so many rows, with memory that stays with the model. False where another
/// thread has it.
template <class T, class Use>
bool with_kept(KeptInference& kept, const Model<T>& model, std::int64_t rows, int threads,
               Use&& use) {
    if (kept.taken.test_and_set(std::memory_order_acquire)) return false;
    const struct Return {
        std::atomic_flag& taken;
        ~Return() { taken.clear(std::memory_order_release); }
    } at_the_end{kept.taken};
    auto* inference = std::get_if<Inference<T>>(&kept.inference);
    if (!inference || !inference->fits(rows, threads))
        inference = &kept.inference.template emplace<Inference<T>>(model, rows, threads);
    use(*inference);
    return true;
}

template <class T>
bool predict_row(ModelObject& object, const T* x, T* out) {
    return with_kept(object.one_row, std::get<Model<T>>(object.model), 1, 1,
                     [&](Inference<T>& inference) { inference(x, 1, out); });
}

/// What `predict_rows` does, but for the error: false where x has a number that is not finite;
/// `out` is then written in part, or of one row not at all.
template <class T>
bool predict_finite(ModelObject& object, const T* x, std::int64_t rows, T* out) {
    const Model<T>& model = std::get<Model<T>>(object.model);
    if (rows == 1) {
        if (!kernels<T>().all_finite(x, model.plan().inputs)) return false;
        if (predict_row(object, x, out)) return true;
    }
    bool finite = true;
    const auto use = [&](Inference<T>& inference) { finite = inference.if_finite(x, rows, out); };
    const int threads = default_threads();
    if (!with_kept(object.many_rows, model, rows, threads, use)) {
        Inference<T> own(model, rows, threads);
        use(own);
    }
    return finite;
}

/// Rows of numbers in T, as they stand in an array.
template <class T>
struct RowsOf {
    T* numbers = nullptr;  ///< null: they do not
    std::int64_t rows = 0;
    bool is_matrix = false;
};

/// An array that is exactly a vector of `columns` numbers or a matrix of such rows.
template <class T>
RowsOf<T> rows_in(PyObject* object, std::int64_t columns, int needed_flags) {
    static PyObject* const dtype = npy_api::get().PyArray_DescrFromType_(
        sizeof(T) == 4 ? npy_api::NPY_FLOAT_ : npy_api::NPY_DOUBLE_);
    if (Py_TYPE(object) != npy_api::get().PyArray_Type_) return {};
    const auto* array = py::detail::array_proxy(object);
    const int flags = npy_api::NPY_ARRAY_C_CONTIGUOUS_ | npy_api::NPY_ARRAY_ALIGNED_ | needed_flags;
    if (array->descr != dtype || (array->flags & flags) != flags) return {};
    const bool is_matrix = array->nd == 2;
    if (!is_matrix && array->nd != 1) return {};
    if (array->dimensions[is_matrix ? 1 : 0] != columns) return {};
    const std::int64_t rows = is_matrix ? array->dimensions[0] : 1;
    if (rows == 0) return {};
    return {reinterpret_cast<T*>(array->data), rows, is_matrix};
}

/// The rows x of the model's precision, if they are; a vector for one input is a column of rows.
template <class T>
RowsOf<const T> input_in(PyObject* object, const Plan& plan) {
    const RowsOf<T> x = rows_in<T>(object, plan.inputs, 0);
    if (plan.inputs == 1 && !x.is_matrix) return {};
    return {x.numbers, x.rows, x.is_matrix};
}

template <class T>
bool run(ModelObject& object, const Plan& plan, const RowsOf<const T>& x, T* out) {
    try {
        if (plan.multiply_adds * x.rows < long_work)
            return predict_finite(object, x.numbers, x.rows, out);
        const py::gil_scoped_release released;
        return predict_finite(object, x.numbers, x.rows, out);
    } catch (const std::bad_alloc&) {
        return false;  // the general way says so
    }
}

/// A new array of raw parameters, or None: to be predicted the general way.
template <class T>
PyObject* predict_into_new(ModelObject& object, const Model<T>& model, PyObject* given) {
    const Plan& plan = model.plan();
    const RowsOf<const T> x = input_in<T>(given, plan);
    if (!x.numbers) Py_RETURN_NONE;
    const npy_api& numpy = npy_api::get();
    const Py_intptr_t shape[] = {x.rows, plan.raw_width};
    PyObject* const out = numpy.PyArray_NewFromDescr_(
        numpy.PyArray_Type_,
        numpy.PyArray_DescrFromType_(sizeof(T) == 4 ? npy_api::NPY_FLOAT_ : npy_api::NPY_DOUBLE_),
        x.is_matrix ? 2 : 1, x.is_matrix ? shape : shape + 1, nullptr, nullptr, 0, nullptr);
    if (!out) return nullptr;
    if (run(object, plan, x, reinterpret_cast<T*>(py::detail::array_proxy(out)->data))) return out;
    Py_DECREF(out);
    Py_RETURN_NONE;
}

/// True, or False: to be predicted the general way. One row alone: of many, bad ones must be found
/// before any is written.
template <class T>
PyObject* predict_into_given(ModelObject& object, const Model<T>& model, PyObject* given,
                             PyObject* target) {
    const Plan& plan = model.plan();
    const RowsOf<const T> x = input_in<T>(given, plan);
    if (!x.numbers || x.rows != 1) Py_RETURN_FALSE;
    const RowsOf<T> out = rows_in<T>(target, plan.raw_width, npy_api::NPY_ARRAY_WRITEABLE_);
    if (!out.numbers || out.rows != 1 || out.is_matrix != x.is_matrix) Py_RETURN_FALSE;
    const std::less<const T*> before;
    const bool apart = !before(x.numbers, out.numbers + plan.raw_width) ||
                       !before(out.numbers, x.numbers + plan.inputs);
    return PyBool_FromLong(apart && run(object, plan, x, out.numbers));
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
     "\nThe raw parameters of all rows, or None: not an array that this knows at a glance."},
    {"predict_into", as_method(predict_into), METH_FASTCALL,
     "predict_into(self: likely._core.Model, x: typing.Any, out: typing.Any) -> bool\n"
     "\nThose of one row into an array; False: nothing was written."},
};

}  // namespace

template <class T>
void predict_rows(ModelObject& object, const T* x, std::int64_t rows, T* out) {
    if (predict_finite(object, x, rows, out)) return;
    check_finite("x", x, rows, std::get<Model<T>>(object.model).plan().inputs);  // throws
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
