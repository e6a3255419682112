// The kernel set of the Python module: one of the shared libraries beside it, chosen for this CPU.
//
// Why: `_core` is neutral code that runs on every CPU; `_kernels_v2`, `_kernels_v3` and
// `_kernels_v4` stand in its folder. Exactly one of them is opened, so no wide instruction can
// reach a CPU without it.
//
// Contract: `load_kernels` is called once, by the module's initialisation, before `kernel_table` is
// used.
#pragma once

#include <string>
#include <vector>

namespace likely {

/// Opens the set that the environment variable LIKELY_ISA names, or without it the widest installed
/// one that this CPU runs. Throws std::runtime_error if that name is unknown, not installed or
/// beyond this CPU, or if no set fits.
void load_kernels();

/// The widest set that this CPU runs: "v4", "v3", "v2"; "v1" if it runs none; "baseline" where
/// there is only one.
std::string cpu_level();

/// The sets that stand beside the module, from the most general to the widest.
std::vector<std::string> installed_kernel_sets();

}  // namespace likely
