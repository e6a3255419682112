// The kernel set of the library for applications: linked in, one, chosen by LIKELY_ISA when the
// library is built.
#include <algorithm>
#include <stdexcept>
#include <string>

#include "cpu.hpp"
#include "kernels/table.hpp"

extern "C" const likely::KernelTable* likely_kernel_table();

namespace likely {
namespace {

/// Throws where the first wide instruction would end the program without a word.
const KernelTable& checked_table() {
    const KernelTable& table = *likely_kernel_table();
    const auto* const set =
        std::find(kernel_set_names.begin(), kernel_set_names.end(), table.instruction_set);
    const auto position = static_cast<std::size_t>(set - kernel_set_names.begin());
    if (position >= supported_kernel_sets()) {
        throw std::runtime_error("likely was built for x86-64-" +
                                 std::string(table.instruction_set) + ", this CPU runs x86-64-" +
                                 std::string(widest_supported_set()) +
                                 "; build the library with another LIKELY_ISA");
    }
    return table;
}

}  // namespace

const KernelTable& kernel_table() {
    static const KernelTable& table = checked_table();
    return table;
}

}  // namespace likely
