// Which kernel sets the running CPU can execute.
//
// Why: the Python module chooses a kernel set when it is imported, the library for applications
// checks the one that is linked in, and CMake asks for the build machine's own. All three ask here.
//
// Contract: the names are those of the x86-64 levels (v2 about 2009, v3 with AVX2 and FMA, v4 with
// AVX-512); on other processors there is one set, `baseline`. A level counts only if the operating
// system saves its registers too.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace likely {

#if defined(__x86_64__)

/// The kernel sets there can be, from the most general to the widest.
inline constexpr std::array<std::string_view, 3> kernel_set_names = {"v2", "v3", "v4"};

/// How many of `kernel_set_names`, from the first, this CPU runs.
inline std::size_t supported_kernel_sets() {
    __builtin_cpu_init();
    if (!(__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") &&
          __builtin_cpu_supports("popcnt"))) {
        return 0;
    }
    // Not every compiler's __builtin_cpu_supports knows these three of level v3.
    unsigned int a = 0, b = 0, c = 0, d = 0;
    const bool half_floats_and_movbe =
        __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) != 0 && (c & bit_MOVBE) != 0;
    const bool count_zeros = __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & bit_LZCNT) != 0;
    if (!(half_floats_and_movbe && count_zeros && __builtin_cpu_supports("avx2") &&
          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
          __builtin_cpu_supports("fma"))) {
        return 1;
    }
    if (!(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
          __builtin_cpu_supports("avx512vl"))) {
        return 2;
    }
    return 3;
}

#else

inline constexpr std::array<std::string_view, 1> kernel_set_names = {"baseline"};

inline std::size_t supported_kernel_sets() { return 1; }

#endif

/// The widest set that this CPU runs; "v1" for an x86-64 CPU that is older than all of them.
inline std::string_view widest_supported_set() {
    const std::size_t supported = supported_kernel_sets();
    return supported == 0 ? "v1" : kernel_set_names[supported - 1];
}

}  // namespace likely
