// Prints, for sizes from 8 KB to 256 MB, the bytes a second that one core reads from a buffer of
// that size which was read before: the bandwidth of the cache that holds it. Each line: size,
// bandwidth.
//
// Eight sums that do not wait for one another; a pass is nothing but loads and additions.
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "vector.hpp"

[[gnu::noinline]] Vector read(const Vector* values, std::size_t count, Vector sum) {
    Vector sums[8] = {sum};
    for (std::size_t i = 0; i < count; i += 8) {
#pragma GCC unroll 8
        for (std::size_t k = 0; k < 8; ++k) sums[k] += values[i + k];
    }
    for (std::size_t k = 1; k < 8; ++k) sums[0] += sums[k];
    return sums[0];
}

int main() {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t largest = std::size_t{1} << 28, least_bytes_timed = std::size_t{1} << 26;
    auto* values = static_cast<Vector*>(std::aligned_alloc(64, largest));
    if (values == nullptr) return 1;
    std::memset(static_cast<void*>(values), 0, largest);
    Vector sum{};
    for (std::size_t size = std::size_t{1} << 13; size <= largest; size *= 2) {
        const std::size_t passes = size < least_bytes_timed ? least_bytes_timed / size : 1;
        double best = 0;
        for (int attempt = 0; attempt < 7; ++attempt) {
            const auto start = Clock::now();
            for (std::size_t pass = 0; pass < passes; ++pass)
                sum = read(values, size / vector_bytes, sum);
            const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
            const double bytes = static_cast<double>(size) * static_cast<double>(passes);
            if (bytes / seconds > best) best = bytes / seconds;
        }
        std::printf("%zu %.6e\n", size, best);
    }
    std::free(values);
    return sum[0] == 1.0f;
}
