// A kernel set that measures how long each function of another one takes.
//
// profiler.py compiles it under the name of the set that it stands for, in a copy of the package
// of links: the package itself knows nothing of it, and pays nothing.
#include <dlfcn.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "kernels/table.hpp"

namespace {

using namespace likely;

/// In the order of profiler.py.
enum Part { shuffle, gather, forward, likelihood, backward, linear, samples, norm, update, count };

std::array<std::uint64_t, count> ticks, calls;
KernelTable real;

std::uint64_t now() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// function(arguments...), counted as a call of the part.
template <class Function, class... Arguments>
auto timed(Part part, Function function, Arguments&&... arguments) {
    struct Stopwatch {
        Part part;
        std::uint64_t start = now();
        ~Stopwatch() {
            ticks[part] += now() - start;
            ++calls[part];
        }
    } const stopwatch{part};
    return function(std::forward<Arguments>(arguments)...);
}

/// Puts a function of the same type before a table's: `of` finds it in the real table.
template <Part part, auto of, class Result, class... Arguments>
void wrap(Result (*&function)(Arguments...)) {
    function = [](Arguments... arguments) -> Result {
        return timed(part, of(real), std::forward<Arguments>(arguments)...);
    };
}

template <class T>
void wrap_all(Kernels<T>& table) {
    wrap<gather, [](const KernelTable& k) { return k.of<T>().gather; }>(table.gather);
    wrap<forward, [](const KernelTable& k) { return k.of<T>().forward; }>(table.forward);
    wrap<likelihood, [](const KernelTable& k) { return k.of<T>().likelihood; }>(table.likelihood);
    wrap<backward, [](const KernelTable& k) { return k.of<T>().backward; }>(table.backward);
    wrap<linear, [](const KernelTable& k) { return k.of<T>().linear; }>(table.linear);
    wrap<samples, [](const KernelTable& k) { return k.of<T>().sample_steps; }>(table.sample_steps);
    wrap<norm, [](const KernelTable& k) { return k.of<T>().squared_norm; }>(table.squared_norm);
    wrap<update, [](const KernelTable& k) { return k.of<T>().update; }>(table.update);
}

/// What a measurement itself adds to a part, in ticks, and the ticks of a second.
double overhead, frequency;

void calibrate() {
    constexpr int rounds = 200'000;
    int (*volatile nothing)() = [] { return 0; };
    const auto start = std::chrono::steady_clock::now();
    const std::uint64_t first = now();
    for (int i = 0; i < rounds; ++i) timed(shuffle, nothing);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    frequency = static_cast<double>(now() - first) / seconds.count();
    overhead = static_cast<double>(ticks[shuffle]) / rounds;
}

}  // namespace

extern "C" {

/// Seconds of each part since the last call, without those of the measurement; returns the seconds
/// that all measurements took.
double parts(double* seconds) {
    double all = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double taken = overhead * static_cast<double>(calls[i]);
        seconds[i] = (static_cast<double>(ticks[i]) - taken) / frequency;
        all += 2 * taken / frequency;  // half of a pair of readings lies outside of it
        ticks[i] = calls[i] = 0;
    }
    return all;
}

const likely::KernelTable* likely_kernel_table() {
    static const KernelTable table = [] {
        void* const library = dlopen(REAL_SET, RTLD_NOW | RTLD_LOCAL);
        void* const function = library ? dlsym(library, "likely_kernel_table") : nullptr;
        if (!function) {
            std::fprintf(stderr, "%s\n", dlerror());
            std::exit(1);
        }
        real = *reinterpret_cast<const KernelTable* (*)()>(function)();
        calibrate();
        ticks = calls = {};
        KernelTable result = real;
        wrap<shuffle, [](const KernelTable& k) { return k.shuffle; }>(result.shuffle);
        wrap_all(result.float_);
        wrap_all(result.double_);
        return result;
    }();
    return &table;
}
}
