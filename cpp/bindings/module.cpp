// The Python module: a table of contents.
#include <pybind11/pybind11.h>

#include "kernels_loaded.hpp"
#include "objects.hpp"
#include "threads.hpp"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
    using namespace likely::python;
    module.doc() = "The C++ core of likely.";
    likely::load_kernels();
    likely::default_threads();  // an impossible LIKELY_NUM_THREADS is told of here

    declare_activations(module);
    declare_distributions(module);
    declare_layers(module);
    declare_optimizers(module);
    declare_schedules(module);
    declare_stabilizers(module);
    define_activations(module);
    define_distributions(module);
    define_layers(module);
    define_optimizers(module);
    define_schedules(module);
    define_stabilizers(module);

    bind_custom(module);
    bind_predictive(module);
    bind_network(module);
    bind_trainer(module);
    bind_system(module);
}
