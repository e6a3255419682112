// What the files of the module share: a model in either precision, and typed views of NumPy arrays.
//
// Contract: arrays come in as the Python side prepared them: C-order, in the model's precision.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include <atomic>
#include <string>

#include "head.hpp"
#include "inference.hpp"
#include "kinds.hpp"
#include "likely/trainer.hpp"
#include "model_file.hpp"

namespace likely::python {

/// The memory for predictions, which stays with the model for the next one. One thread at a time
/// has it.
struct KeptInference {
    std::atomic_flag taken;
    std::variant<std::monostate, Inference<float>, Inference<double>> inference;

    KeptInference() = default;
    KeptInference(KeptInference&&) noexcept {}  // points to its model, so it does not move with it
};

struct ModelObject {
    AnyModel model;
    KeptInference one_row{}, many_rows{};

    template <class Function>
    auto visit(Function&& function) {
        return std::visit(std::forward<Function>(function), model);
    }
};

struct HeadObject {
    std::variant<Head<float>, Head<double>> head;
};

template <class T>
T number_type(const Model<T>&);

/// An array in the model's precision; a type of its own so that signatures show what it is.
class NumberArray : public py::array {
  public:
    using py::array::array;
    NumberArray(const py::array& values) : py::array(values) {}
};

template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// The numbers of an array argument; the array must already be C-order and of type T.
template <class T>
const T* numbers(const NumberArray& array) {
    if (!py::isinstance<Array<T>>(array))
        throw py::type_error("array must be C-order in the network's precision");
    return static_cast<const T*>(array.data());
}

template <class T>
const T* numbers_or_null(const std::optional<NumberArray>& array) {
    return array ? numbers<T>(*array) : nullptr;
}

/// The raw parameters of all rows, with the interpreter lock released by the caller or not. Throws
/// std::invalid_argument at a number that is not finite; `out` may then be half written.
template <class T>
void predict_rows(ModelObject& object, const T* x, std::int64_t rows, T* out);

void bind_custom(py::module_& module);
void bind_predictive(py::module_& module);
void bind_network(py::module_& module);
void bind_predict(py::class_<ModelObject>& model);
void bind_trainer(py::module_& module);
void bind_system(py::module_& module);

}  // namespace likely::python

template <>
struct pybind11::detail::handle_type_name<likely::python::NumberArray> {
    static constexpr auto name = const_name("numpy.typing.NDArray[typing.Any]");
};
