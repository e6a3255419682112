// The table of one kernel set.
#include <Eigen/Core>

#include "kernels.hpp"

#define LIKELY_TEXT_OF(x) #x
#define LIKELY_TEXT(x) LIKELY_TEXT_OF(x)

extern "C" __attribute__((visibility("default"))) const likely::KernelTable* likely_kernel_table() {
    static const likely::KernelTable table = [] {
        likely::KernelTable result{};
        result.instruction_set = LIKELY_INSTRUCTION_SET;
        result.eigen = LIKELY_TEXT(EIGEN_WORLD_VERSION) "." LIKELY_TEXT(
            EIGEN_MAJOR_VERSION) "." LIKELY_TEXT(EIGEN_MINOR_VERSION);
        result.shuffle = likely::kernels_detail::shuffle;
        const auto fill = [](auto& kernels) {
            likely::kernels_detail::fill_gather(kernels);
            likely::kernels_detail::fill_linear(kernels);
            likely::kernels_detail::fill_sample_steps(kernels);
            likely::kernels_detail::fill_network(kernels);
            likely::kernels_detail::fill_likelihood(kernels);
            likely::kernels_detail::fill_update(kernels);
        };
        fill(result.float_);
        fill(result.double_);
        return result;
    }();
    return &table;
}
