// The kernel set of the library for applications: linked in, one, chosen by LIKELY_ISA when the
// library is built.
#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cpu.hpp"
#include "kernels/table.hpp"

extern "C" const likely::KernelTable* likely_kernel_table();

namespace likely {
namespace {

/// Throws where the first wide instruction would end the program without a word. The table's own
/// function is already compiled for the set, so the CPU is asked before it.
const KernelTable& checked_table() {
    constexpr std::string_view set = LIKELY_INSTRUCTION_SET;
    constexpr auto place = std::find(kernel_set_names.begin(), kernel_set_names.end(), set);
    static_assert(place != kernel_set_names.end());
    if (place - kernel_set_names.begin() >= static_cast<std::ptrdiff_t>(supported_kernel_sets())) {
        throw std::runtime_error("likely was built for x86-64-" + std::string(set) +
                                 ", but this CPU runs x86-64-" +
                                 std::string(widest_supported_set()) +
                                 " at most; build the library with another LIKELY_ISA");
    }
    return *likely_kernel_table();
}

}  // namespace

const KernelTable& kernel_table() {
    static const KernelTable& table = checked_table();
    return table;
}

}  // namespace likely
