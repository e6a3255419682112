// The statistics behind likely.PredictiveDistribution.
#include <pybind11/stl.h>

#include <array>
#include <optional>

#include "checks.hpp"
#include "objects.hpp"
#include "plan.hpp"
#include "rng.hpp"

namespace likely::python {
namespace {

constexpr std::array<std::pair<std::string_view, Statistic>, 8> statistics{
    {{"mean", Statistic::mean},
     {"std", Statistic::std},
     {"mode", Statistic::mode},
     {"entropy", Statistic::entropy},
     {"quantile", Statistic::quantile},
     {"cdf", Statistic::cdf},
     {"log_prob", Statistic::log_prob},
     {"parameter", Statistic::parameter}}};

Statistic statistic_named(const std::string& name) {
    for (const auto& [known, statistic] : statistics) {
        if (known == name) return statistic;
    }
    throw py::value_error("unknown statistic '" + name + "'");
}

template <class T>
T number_type(const Head<T>&);

const Plan& plan_of(const HeadObject& object) {
    return std::visit([](const auto& head) -> const Plan& { return head.plan(); }, object.head);
}

NumberArray evaluate(const HeadObject& object, const std::string& statistic,
                     const NumberArray& raw_parameters, const std::optional<NumberArray>& argument,
                     double probability, std::int64_t parameter) {
    const Evaluation what{statistic_named(statistic), parameter, probability};
    return std::visit(
        [&](const auto& head) -> NumberArray {
            using T = decltype(number_type(head));
            const std::int64_t rows = raw_parameters.shape(0);
            Array<T> out({rows, head.plan().targets});
            const T* source = numbers<T>(raw_parameters);
            const T* arguments = numbers_or_null<T>(argument);
            T* target = out.mutable_data();
            const py::gil_scoped_release released;
            head.evaluate(what, source, rows, arguments, target);
            return out;
        },
        object.head);
}

/// Draws by inversion: the quantile function at counter-based uniforms (docs/conventions.md).
NumberArray sample(const HeadObject& object, const NumberArray& raw_parameters, std::int64_t count,
                   std::uint64_t seed) {
    return std::visit(
        [&](const auto& head) -> NumberArray {
            using T = decltype(number_type(head));
            const std::int64_t rows = raw_parameters.shape(0);
            const std::int64_t size = rows * head.plan().targets;
            Array<T> out({count, rows, head.plan().targets});
            const T* source = numbers<T>(raw_parameters);
            T* target = out.mutable_data();
            const py::gil_scoped_release released;
            Philox random(seed, Purpose::sample);
            for (std::int64_t i = 0; i < count * size; ++i) {
                target[i] = static_cast<T>(uniform<T>(random.word(static_cast<std::uint64_t>(i))));
            }
            for (std::int64_t k = 0; k < count; ++k) {
                T* draws = target + k * size;
                head.evaluate({Statistic::quantile}, source, rows, draws, draws);
            }
            return out;
        },
        object.head);
}

/// The names of the family's own parameters.
std::vector<std::string> parameter_names(const HeadObject& object) {
    std::vector<std::string> names;
    std::visit(
        [&](const auto& family) {
            for (const auto& parameter : family.parameters) names.emplace_back(parameter.name);
        },
        plan_of(object).distribution);
    return names;
}

/// Throws unless every target is in the support.
void check_targets(const HeadObject& object, const NumberArray& y) {
    std::visit(
        [&](const auto& head) {
            using T = decltype(number_type(head));
            const Plan& plan = head.plan();
            check_finite("y", numbers<T>(y), y.shape(0), plan.targets);
            check_support("y", plan.distribution, numbers<T>(y), y.shape(0), plan.targets);
        },
        object.head);
}

}  // namespace

void bind_predictive(py::module_& module) {
    py::class_<HeadObject>(
        module, "Head",
        "What turns raw parameters into statistics; see likely.PredictiveDistribution.")
        .def("evaluate", &evaluate, py::arg("statistic"), py::arg("raw"),
             py::arg("argument") = py::none(), py::arg("probability") = 0.0,
             py::arg("parameter") = 0)
        .def("sample", &sample, py::arg("raw"), py::arg("count"), py::arg("seed"))
        .def("check_targets", &check_targets, py::arg("y"))
        .def_property_readonly("targets", [](const HeadObject& o) { return plan_of(o).targets; })
        .def_property_readonly(
            "dtype",
            [](const HeadObject& o) { return o.head.index() == 0 ? "float32" : "float64"; })
        .def_property_readonly(
            "distribution",
            [](const HeadObject& o) { return to_python<Distribution>(plan_of(o).distribution); })
        .def_property_readonly("parameter_names", &parameter_names);
}

}  // namespace likely::python
