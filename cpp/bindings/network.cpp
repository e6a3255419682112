// The model behind likely.Network.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "checks.hpp"
#include "objects.hpp"
#include "plan.hpp"
#include "workspace.hpp"

namespace likely::python {
namespace {

AnyModel make_model(Specification specification, const std::string& dtype, std::uint64_t seed) {
    if (dtype == "float32") return Model<float>(std::move(specification), seed);
    if (dtype == "float64") return Model<double>(std::move(specification), seed);
    throw py::value_error("dtype must be 'float32' or 'float64'; got '" + dtype + "'");
}

/// Throws unless the data suit the model; returns the number of rows.
template <class T>
std::int64_t check_data(const Model<T>& model, const NumberArray& x,
                        const std::optional<NumberArray>& y = std::nullopt,
                        const std::optional<NumberArray>& weight = std::nullopt,
                        const std::optional<NumberArray>& event = std::nullopt) {
    const std::int64_t rows = x.shape(0);
    check_finite("x", numbers<T>(x), rows, model.plan().inputs);
    if (y) {
        check_finite("y", numbers<T>(*y), rows, model.plan().targets);
        check_support("y", model.plan().distribution, numbers<T>(*y), rows, model.plan().targets);
    }
    if (weight) check_weights("sample_weight", numbers<T>(*weight), rows);
    if (event) {
        check_events("event", model.plan().distribution, numbers<T>(*event), rows,
                     model.plan().targets);
    }
    return rows;
}

NumberArray raw(ModelObject& object, const NumberArray& x) {
    return object.visit([&](auto& model) -> NumberArray {
        using T = decltype(number_type(model));
        const std::int64_t rows = x.shape(0);
        Array<T> out({rows, model.plan().raw_width});
        T* target = out.mutable_data();
        const T* source = numbers<T>(x);
        const py::gil_scoped_release released;
        predict_rows(object, source, rows, target);
        return out;
    });
}

/// The mean loss in the user's units and, where `gradient` is not null, its derivative.
template <class T>
double mean_loss(Model<T>& model, const NumberArray& x, const NumberArray& y,
                 const std::optional<NumberArray>& weight, const std::optional<NumberArray>& event,
                 T* gradient) {
    const std::int64_t rows = check_data(model, x, y, weight, event);
    const Rows<T> data{
        numbers<T>(x), numbers<T>(y), numbers_or_null<T>(weight), numbers_or_null<T>(event),
        nullptr,       rows};
    const py::gil_scoped_release released;
    const double count = static_cast<double>(rows);
    return Workspace<T>(model, rows, default_threads())
               .loss_and_gradient(data, 1 / count, gradient) /
           count;
}

double loss(ModelObject& object, const NumberArray& x, const NumberArray& y,
            const std::optional<NumberArray>& weight, const std::optional<NumberArray>& event) {
    return object.visit([&](auto& model) {
        using T = decltype(number_type(model));
        return mean_loss<T>(model, x, y, weight, event, nullptr);
    });
}

py::typing::Tuple<double, NumberArray> loss_and_gradient(ModelObject& object, const NumberArray& x,
                                                         const NumberArray& y,
                                                         const std::optional<NumberArray>& weight,
                                                         const std::optional<NumberArray>& event) {
    return object.visit([&](auto& model) -> py::typing::Tuple<double, NumberArray> {
        using T = decltype(number_type(model));
        Array<T> gradient(model.plan().parameter_count);
        const double value = mean_loss<T>(model, x, y, weight, event, gradient.mutable_data());
        return py::make_tuple(value, gradient);
    });
}

/// How many weights are exactly zero, of how many.
py::typing::Tuple<py::int_, py::int_> sparsity(const ModelObject& object) {
    std::int64_t zeros = 0, weights = 0;
    std::visit(
        [&](const auto& model) {
            for (const ParameterTensor& tensor : model.plan().tensors) {
                if (tensor.role != Role::weight) continue;
                const auto begin = model.parameters().begin() + tensor.offset;
                zeros += std::count(begin, begin + tensor.size, 0);
                weights += tensor.size;
            }
        },
        object.model);
    return py::make_tuple(zeros, weights);
}

std::optional<py::typing::Dict<py::str, NumberArray>> scaling(const ModelObject& object) {
    return std::visit(
        [](const auto& model) -> std::optional<py::typing::Dict<py::str, NumberArray>> {
            const Scaling& s = model.scaling();
            if (!s.fitted()) return std::nullopt;
            py::typing::Dict<py::str, NumberArray> result;
            const auto add = [&](const char* name, const std::vector<double>& values) {
                result[name] =
                    py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
            };
            add("input_mean", s.input_mean);
            add("input_scale", s.input_scale);
            add("target_mean", s.target_mean);
            add("target_scale", s.target_scale);
            return result;
        },
        object.model);
}

py::bytes to_bytes(const ModelObject& object) {
    const auto bytes = std::visit([](const auto& model) { return model.to_bytes(); }, object.model);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<Distribution> distribution_or_none(const py::object& object) {
    if (object.is_none()) return std::nullopt;
    return from_python<Distribution>(object, "distribution");
}

ModelObject from_bytes(const py::bytes& data, const py::object& distribution) {
    const auto text = static_cast<std::string_view>(data);
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return {any_model_from_bytes(std::move(bytes), distribution_or_none(distribution))};
}

}  // namespace

void bind_network(py::module_& module) {
    const auto specification_of = [](const ModelObject& object) -> const Specification& {
        return std::visit(
            [](const auto& model) -> const Specification& { return model.specification(); },
            object.model);
    };
    py::class_<ModelObject> type(
        module, "Model", "A specification with its parameters and scaling; see likely.Network.");
    bind_predict(type);
    type.def(py::init([](std::int64_t inputs, std::int64_t targets, std::vector<py::object> layers,
                         const std::optional<py::object>& output, const py::object& distribution,
                         const std::string& dtype, std::uint64_t seed, bool standardize,
                         std::vector<std::string> feature_names,
                         std::vector<std::string> target_names,
                         std::vector<std::string> class_names) {
                 Specification s;
                 s.inputs = inputs;
                 s.targets = targets;
                 for (std::size_t i = 0; i < layers.size(); ++i) {
                     s.layers.push_back(
                         from_python<LayerPointer>(layers[i], "layers[" + std::to_string(i) + "]"));
                 }
                 if (output) s.output = from_python<LayerPointer>(*output, "output");
                 s.distribution = from_python<Distribution>(distribution, "distribution");
                 s.standardize = standardize;
                 s.feature_names = std::move(feature_names);
                 s.target_names = std::move(target_names);
                 s.class_names = std::move(class_names);
                 return ModelObject{make_model(std::move(s), dtype, seed)};
             }),
             py::arg("inputs"), py::arg("targets"), py::arg("layers"), py::arg("output"),
             py::arg("distribution"), py::arg("dtype"), py::arg("seed"), py::arg("standardize"),
             py::arg("feature_names"), py::arg("target_names"), py::arg("class_names"))
        .def_static(
            "load",
            [](const std::filesystem::path& path, const py::object& distribution) {
                return ModelObject{load_any_model(path, distribution_or_none(distribution))};
            },
            py::arg("path"), py::arg("distribution") = py::none())
        .def(
            "save",
            [](const ModelObject& object, const std::filesystem::path& path) {
                std::visit([&](const auto& model) { model.save(path); }, object.model);
            },
            py::arg("path"))
        .def("to_bytes", &to_bytes)
        .def_static("from_bytes", &from_bytes, py::arg("data"),
                    py::arg("distribution") = py::none())
        .def("raw", &raw, py::arg("x"))
        .def("loss", &loss, py::arg("x"), py::arg("y"), py::arg("sample_weight") = py::none(),
             py::arg("event") = py::none())
        .def("loss_and_gradient", &loss_and_gradient, py::arg("x"), py::arg("y"),
             py::arg("sample_weight") = py::none(), py::arg("event") = py::none())
        .def("head",
             [](ModelObject& object) {
                 return object.visit([](auto& model) { return HeadObject{Head(model)}; });
             })
        .def_property_readonly(
            "parameters",
            [](const py::object& self) -> NumberArray {
                return self.cast<ModelObject&>().visit([&](auto& model) -> NumberArray {
                    using T = decltype(number_type(model));
                    return Array<T>(static_cast<py::ssize_t>(model.parameters().size()),
                                    model.parameters().data(), self);
                });
            })
        .def_property_readonly(
            "tensors",
            [](const ModelObject& object) {
                py::typing::List<py::typing::Tuple<py::str, py::tuple, py::int_>> tensors;
                std::visit(
                    [&](const auto& model) {
                        for (const ParameterTensor& tensor : model.plan().tensors) {
                            tensors.append(py::make_tuple(
                                tensor.name, py::tuple(py::cast(tensor.shape)), tensor.offset));
                        }
                    },
                    object.model);
                return tensors;
            })
        .def_property_readonly(
            "averages",
            [](const py::object& self) -> NumberArray {
                return self.cast<ModelObject&>().visit([&](auto& model) -> NumberArray {
                    using T = decltype(number_type(model));
                    return Array<T>(static_cast<py::ssize_t>(model.averages().size()),
                                    model.averages().data(), self);
                });
            })
        .def_property_readonly("dtype",
                               [](const ModelObject& object) {
                                   return object.model.index() == 0 ? "float32" : "float64";
                               })
        .def_property_readonly("scaling", &scaling)
        .def("sparsity", &sparsity)
        .def_property_readonly(
            "specification",
            [=](const ModelObject& o) { return dump(describe_specification(specification_of(o))); })
        .def_property_readonly("inputs",
                               [=](const ModelObject& o) { return specification_of(o).inputs; })
        .def_property_readonly("targets",
                               [=](const ModelObject& o) { return specification_of(o).targets; })
        .def_property_readonly(
            "standardize", [=](const ModelObject& o) { return specification_of(o).standardize; })
        .def_property_readonly(
            "feature_names",
            [=](const ModelObject& o) { return specification_of(o).feature_names; })
        .def_property_readonly(
            "target_names", [=](const ModelObject& o) { return specification_of(o).target_names; })
        .def_property_readonly(
            "class_names", [=](const ModelObject& o) { return specification_of(o).class_names; })
        .def_property_readonly("distribution",
                               [=](const ModelObject& o) {
                                   return to_python<Distribution>(specification_of(o).distribution);
                               })
        .def_property_readonly(
            "output",
            [=](const ModelObject& o) { return to_python<Layer>(specification_of(o).output); })
        .def_property_readonly("layers", [=](const ModelObject& o) {
            py::typing::List<KindReference<Layer>> layers;
            for (const auto& layer : specification_of(o).layers)
                layers.append(to_python<Layer>(layer));
            return layers;
        });
}

}  // namespace likely::python
