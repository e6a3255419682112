// The fit loop behind likely.Trainer: runs with the interpreter lock released, takes it back for
// hooks alone.
#include "likely/trainer.hpp"

#include <pybind11/stl.h>

#include <optional>
#include <tuple>

#include "objects.hpp"

namespace likely::python {
namespace {

template <class T>
Dataset<T> dataset(const NumberArray& x, const NumberArray& y,
                   const std::optional<NumberArray>& weight,
                   const std::optional<NumberArray>& event) {
    return {numbers<T>(x), numbers<T>(y), numbers_or_null<T>(weight), x.shape(0),
            numbers_or_null<T>(event)};
}

/// x, y and event of validation data.
using HeldOut = std::tuple<NumberArray, NumberArray, std::optional<NumberArray>>;

[[noreturn]] void raise_diverged(const DivergedError& error) {
    const py::object type = py::module_::import("likely._core").attr("DivergedError");
    const py::object raised = type(error.what());
    raised.attr("epoch") = error.epoch;
    raised.attr("step") = error.step;
    raised.attr("gradient_norm") = error.gradient_norm;
    PyErr_SetObject(type.ptr(), raised.ptr());
    throw py::error_already_set();
}

void run_fit(ModelObject& object, const TrainerOptions& options, const NumberArray& x,
             const NumberArray& y, const std::optional<NumberArray>& weight,
             const std::optional<NumberArray>& event, const std::optional<HeldOut>& validation,
             const py::object& callback, History& history) {
    Hooks hooks;
    hooks.poll = [] {
        const py::gil_scoped_acquire acquired;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    };
    if (!callback.is_none()) {
        hooks.after_epoch = [&](const EpochReport& report) {
            const py::gil_scoped_acquire acquired;
            const py::object answer = callback(report.epoch, report.loss, report.validation_loss);
            const int is_true = PyObject_IsTrue(answer.ptr());
            if (is_true < 0) throw py::error_already_set();
            return is_true == 1;
        };
    }
    try {
        object.visit([&](auto& model) {
            using T = decltype(number_type(model));
            const Dataset<T> data = dataset<T>(x, y, weight, event);
            std::optional<Dataset<T>> held_out;
            if (validation) {
                const auto& [held_x, held_y, held_event] = *validation;
                held_out = dataset<T>(held_x, held_y, std::nullopt, held_event);
            }
            const py::gil_scoped_release released;
            fit(model, options, data, held_out, hooks, history);
        });
    } catch (const DivergedError& error) {
        raise_diverged(error);
    }
}

NumberArray as_array(const std::vector<double>& values) {
    return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

}  // namespace

void bind_trainer(py::module_& module) {
    py::class_<TrainerOptions>(module, "TrainerOptions",
                               "The options of a fit, checked; see likely.Trainer.")
        .def(py::init([](const py::object& optimizer, std::optional<std::int64_t> batch_size,
                         std::int64_t epochs, bool shuffle, bool drop_last,
                         std::optional<std::int64_t> patience, std::uint64_t seed,
                         const py::object& schedule, double l1, double l2, bool penalize_biases,
                         std::optional<double> clip_value, std::optional<double> clip_norm,
                         const py::object& stabilize, std::optional<std::int64_t> threads) {
                 TrainerOptions options;
                 options.optimizer = from_python<Optimizer>(optimizer, "optimizer");
                 options.batch_size = batch_size;
                 options.epochs = epochs;
                 options.shuffle = shuffle;
                 options.drop_last = drop_last;
                 options.patience = patience;
                 options.seed = seed;
                 options.schedule = from_python<Schedule>(schedule, "schedule");
                 options.l1 = l1;
                 options.l2 = l2;
                 options.penalize_biases = penalize_biases;
                 options.clip_value = clip_value;
                 options.clip_norm = clip_norm;
                 if (!stabilize.is_none())
                     options.stabilize = from_python<Stabilizer>(stabilize, "stabilize");
                 options.threads = threads;
                 options.validate();
                 return options;
             }),
             py::arg("optimizer"), py::arg("batch_size"), py::arg("epochs"), py::arg("shuffle"),
             py::arg("drop_last"), py::arg("patience"), py::arg("seed"), py::arg("schedule"),
             py::arg("l1"), py::arg("l2"), py::arg("penalize_biases"), py::arg("clip_value"),
             py::arg("clip_norm"), py::arg("stabilize"), py::arg("threads"))
        .def_property_readonly(
            "optimizer",
            [](const TrainerOptions& options) { return to_python<Optimizer>(options.optimizer); })
        .def_property_readonly(
            "schedule",
            [](const TrainerOptions& options) { return to_python<Schedule>(options.schedule); })
        .def_property_readonly(
            "stabilize",
            [](const TrainerOptions& options) -> std::optional<KindReference<Stabilizer>> {
                if (!options.stabilize) return std::nullopt;
                return to_python<Stabilizer>(*options.stabilize);
            });

    py::class_<History>(
        module, "History",
        "What happened in a fit. Losses are mean negative log-likelihoods in the user's units.")
        .def(py::init<>())
        .def_property_readonly(
            "loss", [](const History& h) { return as_array(h.loss); },
            "Training loss of each epoch, as its rows were met.")
        .def_property_readonly(
            "validation_loss", [](const History& h) { return as_array(h.validation_loss); },
            "Validation loss after each epoch; empty without validation data.")
        .def_property_readonly(
            "learning_rate", [](const History& h) { return as_array(h.learning_rate); },
            "Learning rate of the last step of each epoch.")
        .def_property_readonly(
            "gradient_norm", [](const History& h) { return as_array(h.gradient_norm); },
            "The largest L2 norm of the gradient in each epoch, before clipping.")
        .def_property_readonly(
            "best_epoch",
            [](const History& h) {
                return h.best_epoch < 0 ? std::optional<std::int64_t>() : h.best_epoch;
            },
            "The epoch (from 0) with the lowest validation loss, or None.")
        .def_property_readonly(
            "epochs", [](const History& h) { return h.loss.size(); }, "How many epochs ran.")
        .def_property_readonly(
            "steps", [](const History& h) { return h.steps; }, "How many optimizer steps ran.")
        .def_property_readonly(
            "seconds", [](const History& h) { return h.seconds; }, "How long the fit took.")
        .def_property_readonly(
            "stopped", [](const History& h) { return h.stopped; },
            "Why it ended: 'epochs', 'early stopping', 'callback', 'interrupted' or 'diverged'; "
            "empty before a fit.")
        .def(py::pickle(
            [](const History& h) {
                return py::make_tuple(h.loss, h.validation_loss, h.learning_rate, h.gradient_norm,
                                      h.best_epoch, h.steps, h.seconds, h.stopped);
            },
            [](const py::tuple& state) {
                return History{state[0].cast<std::vector<double>>(),
                               state[1].cast<std::vector<double>>(),
                               state[2].cast<std::vector<double>>(),
                               state[3].cast<std::vector<double>>(),
                               state[4].cast<std::int64_t>(),
                               state[5].cast<std::int64_t>(),
                               state[6].cast<double>(),
                               state[7].cast<std::string>()};
            }))
        .def("__repr__", [](const History& h) {
            std::string text = "History(epochs=" + std::to_string(h.loss.size());
            if (!h.loss.empty()) text += ", loss=" + repr_of(py::float_(h.loss.back()));
            if (!h.validation_loss.empty())
                text += ", validation_loss=" + repr_of(py::float_(h.validation_loss.back()));
            return text + ", stopped='" + h.stopped + "')";
        });

    module.def("fit", &run_fit, py::arg("model"), py::arg("options"), py::arg("x"), py::arg("y"),
               py::arg("sample_weight"), py::arg("event"), py::arg("validation"),
               py::arg("callback"), py::arg("history"));
    py::exception<DivergedError> diverged(module, "DivergedError", PyExc_ArithmeticError);
    diverged.attr("__doc__") =
        "The loss, the gradient or a parameter stopped being finite while training. The network "
        "keeps "
        "its\nlast finite parameters: the step is not applied, or, where only some of the updated "
        "parameters\nwould not be finite, these keep their values from before "
        "it.\n\nAttributes\n----------\n"
        "epoch, step : int\n    Where, from 0; the step counted over the whole fit.\n"
        "gradient_norm : float\n    The largest L2 norm of the gradient before.";
}

}  // namespace likely::python
