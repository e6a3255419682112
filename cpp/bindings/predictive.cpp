// The statistics behind likely.PredictiveDistribution.
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <optional>

#include "checks.hpp"
#include "custom_likelihood.hpp"
#include "objects.hpp"
#include "plan.hpp"
#include "rng.hpp"

namespace likely::python {
namespace {

constexpr std::array<std::pair<std::string_view, Statistic>, 11> statistics{
    {{"mean", Statistic::mean},
     {"std", Statistic::std},
     {"mode", Statistic::mode},
     {"entropy", Statistic::entropy},
     {"quantile", Statistic::quantile},
     {"cdf", Statistic::cdf},
     {"sf", Statistic::sf},
     {"log_prob", Statistic::log_prob},
     {"log_survival", Statistic::log_survival},
     {"crps", Statistic::crps},
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

/// A custom density is known by its log_prob alone.
void check_known(const HeadObject& object, Statistic statistic, const std::string& name) {
    const auto* custom = std::get_if<Custom>(&plan_of(object).distribution);
    if (!custom || statistic == Statistic::parameter || statistic == Statistic::log_prob) return;
    throw py::value_error("density '" + custom->density_name + "' has no " + name +
                          "; it is known by its log_prob alone");
}

void check_density(const HeadObject& object, const std::string& name) {
    const Distribution& family = plan_of(object).distribution;
    if (has_density(family)) return;
    throw py::value_error(repr_of(to_python<Distribution>(family)) + " has no " + name +
                          ", for it has no density; it is known by its quantiles alone");
}

NumberArray evaluate(const HeadObject& object, const std::string& statistic,
                     const NumberArray& raw_parameters, const std::optional<NumberArray>& argument,
                     double probability, std::int64_t parameter) {
    const Evaluation what{statistic_named(statistic), parameter, probability};
    check_known(object, what.statistic, statistic);
    if (what.statistic == Statistic::log_prob) check_density(object, statistic);
    return std::visit(
        [&](const auto& head) -> NumberArray {
            using T = decltype(number_type(head));
            const std::int64_t rows = raw_parameters.shape(0);
            Array<T> out({rows, result_columns(head.plan(), what.statistic)});
            const T* source = numbers<T>(raw_parameters);
            const T* arguments = numbers_or_null<T>(argument);
            T* target = out.mutable_data();
            const py::gil_scoped_release released;
            if (what.statistic == Statistic::log_prob &&
                std::holds_alternative<Custom>(head.plan().distribution)) {
                CustomLikelihood<T>(head.plan()).log_prob(source, arguments, rows, target);
            } else {
                head.evaluate(what, source, rows, arguments, target);
            }
            return out;
        },
        object.head);
}

/// make(a number of the precision).
template <class Make>
HeadObject in_precision(const std::string& dtype, const Make& make) {
    if (dtype == "float32") return make(0.0f);
    if (dtype == "float64") return make(0.0);
    throw py::value_error("dtype must be 'float32' or 'float64'; got '" + dtype + "'");
}

HeadObject head_of_given(const py::object& distribution, std::int64_t targets,
                         const std::string& dtype) {
    return in_precision(dtype, [&](auto number) -> HeadObject {
        const auto family = from_python<Distribution>(distribution, "distribution");
        return {Head<decltype(number)>(family, targets)};
    });
}

NumberArray raw_from(const HeadObject& object, const NumberArray& given) {
    return std::visit(
        [&](const auto& head) -> NumberArray {
            using T = decltype(number_type(head));
            const std::int64_t rows = given.shape(0);
            Array<T> out({rows, head.plan().raw_width});
            head.raw_from(numbers<double>(given), rows, out.mutable_data());
            return out;
        },
        object.head);
}

/// In the precision T, to which both sides are converted.
template <class T>
NumberArray compare_in(Comparison what, const HeadObject& p, const NumberArray& p_raw,
                       const HeadObject& q, const NumberArray& q_raw) {
    const auto converted = [](const HeadObject& object) {
        return std::visit([](const auto& head) { return Head<T>(head); }, object.head);
    };
    using Converted = py::array_t<T, py::array::c_style | py::array::forcecast>;
    const Head<T> p_head = converted(p), q_head = converted(q);
    const Converted p_values(p_raw), q_values(q_raw);
    const auto p_side = p_head.predictions(p_values.data(), p_values.shape(0));
    const auto q_side = q_head.predictions(q_values.data(), q_values.shape(0));
    Array<T> out({std::max(p_side.rows, q_side.rows), p_head.plan().targets});
    T* target = out.mutable_data();
    const py::gil_scoped_release released;
    likely::compare(what, p_side, q_side, target);
    return out;
}

/// In the wider of their precisions.
NumberArray compare(Comparison what, const HeadObject& p, const NumberArray& p_raw,
                    const HeadObject& q, const NumberArray& q_raw) {
    const Plan &p_plan = plan_of(p), &q_plan = plan_of(q);
    if (!same_family(p_plan.distribution, q_plan.distribution)) {
        throw py::value_error("p and q must be distributions of the same family; got " +
                              repr_of(to_python<Distribution>(p_plan.distribution)) + " and " +
                              repr_of(to_python<Distribution>(q_plan.distribution)));
    }
    if (!has_comparison(p_plan.distribution)) {
        throw py::value_error(
            "cross-entropy and divergence are known in closed form only; those of " +
            repr_of(to_python<Distribution>(p_plan.distribution)) + " have none");
    }
    const auto must_agree = [](const std::string& things, std::int64_t a, std::int64_t b) {
        throw py::value_error("p and q must have the same number of " + things + "; got " +
                              std::to_string(a) + " and " + std::to_string(b));
    };
    if (p_plan.targets != q_plan.targets) {
        must_agree("target columns", p_plan.targets, q_plan.targets);
    }
    const std::int64_t p_rows = p_raw.shape(0), q_rows = q_raw.shape(0);
    if (p_rows != q_rows && p_rows != 1 && q_rows != 1) {
        must_agree("rows, or one of them a single row", p_rows, q_rows);
    }
    const bool single = p.head.index() == 0 && q.head.index() == 0;
    return single ? compare_in<float>(what, p, p_raw, q, q_raw)
                  : compare_in<double>(what, p, p_raw, q, q_raw);
}

template <Comparison what>
NumberArray comparison(const HeadObject& p, const NumberArray& p_raw, const HeadObject& q,
                       const NumberArray& q_raw) {
    return compare(what, p, p_raw, q, q_raw);
}

/// count x rows x targets uniform numbers in the open unit interval (docs/conventions.md): those of
/// step 0 are what quantiles are asked for, those of step 1 choose the component of a mixture.
NumberArray uniforms(const HeadObject& object, std::int64_t count, std::int64_t rows,
                     std::uint64_t seed, std::uint64_t step) {
    return std::visit(
        [&](const auto& head) -> NumberArray {
            using T = decltype(number_type(head));
            Array<T> out({count, rows, head.plan().targets});
            T* target = out.mutable_data();
            const std::int64_t size = out.size();
            const py::gil_scoped_release released;
            Philox random(seed, Purpose::sample, step);
            for (std::int64_t i = 0; i < size; ++i) {
                target[i] = static_cast<T>(uniform<T>(random.word(static_cast<std::uint64_t>(i))));
            }
            return out;
        },
        object.head);
}

/// Draws by inversion, from `uniforms`; of a mixture by that of a component.
NumberArray sample(const HeadObject& object, const NumberArray& raw_parameters, std::int64_t count,
                   std::uint64_t seed) {
    check_known(object, Statistic::quantile, "sample");
    check_density(object, "sample");
    const std::int64_t rows = raw_parameters.shape(0);
    NumberArray draws = uniforms(object, count, rows, seed, 0);
    const bool chooses = std::holds_alternative<Mixture>(plan_of(object).distribution);
    const auto choices =
        chooses ? std::optional(uniforms(object, count, rows, seed, 1)) : std::nullopt;
    std::visit(
        [&](const auto& head) {
            using T = decltype(number_type(head));
            const T* source = numbers<T>(raw_parameters);
            const T* choice = numbers_or_null<T>(choices);
            T* target = static_cast<T*>(draws.mutable_data());
            const std::int64_t size = rows * head.plan().targets;
            const py::gil_scoped_release released;
            for (std::int64_t k = 0; k < count * size; k += size) {
                head.sample(source, rows, choice ? choice + k : nullptr, target + k);
            }
        },
        object.head);
    return draws;
}

/// The same in double precision.
HeadObject in_float64(const HeadObject& object) {
    return {std::visit([](const auto& head) { return Head<double>(head); }, object.head)};
}

using HeadState =
    py::typing::Tuple<py::object, py::int_, py::str, py::typing::List<py::float_>, py::object>;

/// The family, as Python has it, and all numbers: what `from_state` needs. None: not scaled.
HeadState state_of(const HeadObject& object) {
    return std::visit(
        [](const auto& head) -> HeadState {
            using T = decltype(number_type(head));
            const Scaling& s = head.scaling();
            const py::object scaling =
                s.fitted() ? py::object(py::make_tuple(s.input_mean, s.input_scale, s.target_mean,
                                                       s.target_scale))
                           : py::none();
            return py::make_tuple(to_python<Distribution>(head.plan().distribution),
                                  head.plan().targets, sizeof(T) == 4 ? "float32" : "float64",
                                  head.shared(), scaling);
        },
        object.head);
}

HeadObject from_state(const HeadState& state) {
    Scaling scaling;
    if (!state[4].is_none()) {
        auto numbers = state[4].cast<std::array<std::vector<double>, 4>>();
        scaling = {numbers[0], numbers[1], numbers[2], numbers[3]};
    }
    return in_precision(state[2].cast<std::string>(), [&](auto number) -> HeadObject {
        using T = decltype(number);
        return {Head<T>(from_python<Distribution>(state[0], "distribution"),
                        state[1].cast<std::int64_t>(), state[3].cast<std::vector<T>>(), scaling)};
    });
}

/// Whether the core has a closed form.
bool has(const HeadObject& object, const std::string& statistic) {
    return has_statistic(plan_of(object).distribution, statistic_named(statistic));
}

/// The names and shapes of the family's own parameters.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> parameter_arrays(
    const HeadObject& object) {
    std::vector<std::pair<std::string, std::vector<std::int64_t>>> result;
    for (const ParameterArray& each : plan_of(object).parameters) {
        result.emplace_back(each.name, each.shape);
    }
    return result;
}

/// Throws unless every target is in the support and, where events are given, may be censored.
void check_targets(const HeadObject& object, const NumberArray& y,
                   const std::optional<NumberArray>& event) {
    std::visit(
        [&](const auto& head) {
            using T = decltype(number_type(head));
            const Plan& plan = head.plan();
            check_finite("y", numbers<T>(y), y.shape(0), plan.targets);
            check_support("y", plan.distribution, numbers<T>(y), y.shape(0), plan.targets);
            if (event) {
                check_events("event", plan.distribution, numbers<T>(*event), y.shape(0),
                             plan.targets);
            }
        },
        object.head);
}

}  // namespace

void bind_predictive(py::module_& module) {
    py::class_<HeadObject>(
        module, "Head",
        "What turns raw parameters into statistics; see likely.PredictiveDistribution.")
        .def(py::init(&head_of_given), py::arg("distribution"), py::arg("targets"),
             py::arg("dtype"))
        .def("raw_from", &raw_from, py::arg("given"))
        .def("cross_entropy", &comparison<Comparison::cross_entropy>, py::arg("raw"),
             py::arg("other"), py::arg("other_raw"))
        .def("kl_divergence", &comparison<Comparison::kl_divergence>, py::arg("raw"),
             py::arg("other"), py::arg("other_raw"))
        .def("evaluate", &evaluate, py::arg("statistic"), py::arg("raw"),
             py::arg("argument") = py::none(), py::arg("probability") = 0.0,
             py::arg("parameter") = 0)
        .def("in_float64", &in_float64)
        .def("uniforms", &uniforms, py::arg("count"), py::arg("rows"), py::arg("seed"),
             py::arg("step") = 0)
        .def("sample", &sample, py::arg("raw"), py::arg("count"), py::arg("seed"))
        .def("check_targets", &check_targets, py::arg("y"), py::arg("event") = py::none())
        .def_property_readonly("targets", [](const HeadObject& o) { return plan_of(o).targets; })
        .def_property_readonly("joint",
                               [](const HeadObject& o) { return joint(plan_of(o).distribution); })
        .def_property_readonly(
            "dtype",
            [](const HeadObject& o) { return o.head.index() == 0 ? "float32" : "float64"; })
        .def_property_readonly(
            "distribution",
            [](const HeadObject& o) { return to_python<Distribution>(plan_of(o).distribution); })
        .def("has", &has, py::arg("statistic"))
        .def(py::pickle(&state_of, &from_state))
        .def_property_readonly("parameters", &parameter_arrays);
}

}  // namespace likely::python
