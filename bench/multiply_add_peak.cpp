// Prints the multiplications and additions a second that one core reaches at most, in float32.
//
// Twelve chains, each of multiply-adds that wait for one another, keep every unit busy: two units
// with a latency of four need eight. All stays in registers.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "vector.hpp"

constexpr std::size_t chain_count = 12;
constexpr long rounds = 1'000'000;

template <std::size_t... Index>
[[gnu::noinline]] Vector run(Vector factor, Vector term, std::index_sequence<Index...>) {
    Vector chains[] = {(term + static_cast<float>(Index))...};
    for (long round = 0; round < rounds; ++round)
        ((chains[Index] = chains[Index] * factor + term), ...);
    return (chains[Index] + ...);
}

int main() {
    using Clock = std::chrono::steady_clock;
    volatile float factor = 0.999f, term = 0.1f, result = 0;
    double best = 0;
    for (int attempt = 0; attempt < 10; ++attempt) {
        const auto start = Clock::now();
        result =
            run(Vector{} + factor, Vector{} + term, std::make_index_sequence<chain_count>())[0];
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        const double operations = 2.0 * chain_count * (vector_bytes / sizeof(float)) * rounds;
        if (operations / seconds > best) best = operations / seconds;
    }
    std::printf("%.6e\n", best);
}
