// What bench_products.py calls: the seconds of a product of a dense layer. A shared library,
// compiled with the flags of a kernel set.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/gemm.hpp"

namespace {

using namespace likely;

/// Numbers that begin at a page, as a network's large matrices may.
struct Matrix {
    explicit Matrix(std::int64_t count)
        : data(static_cast<float*>(std::aligned_alloc(
              4096, (static_cast<std::size_t>(count) * sizeof(float) / 4096 + 1) * 4096))) {
        for (std::int64_t i = 0; i < count; ++i) data[i] = static_cast<float>(i % 101 - 50) / 100;
    }
    ~Matrix() { std::free(data); }
    Matrix(const Matrix&) = delete;
    Matrix& operator=(const Matrix&) = delete;

    float* data;
};

}  // namespace

/// The median over `rounds` of the seconds that a call takes; 0: forward with a rectifier, 1:
/// weight gradient, 2: input gradient through a rectifier.
extern "C" [[gnu::visibility("default")]] double seconds(int product, std::int64_t rows,
                                                         std::int64_t inputs, std::int64_t outputs,
                                                         std::int64_t calls, int rounds) {
    using Clock = std::chrono::steady_clock;
    const Matrix x(rows * inputs), weight(inputs * outputs), z(rows * outputs), bias(outputs),
        d_x(rows * inputs), scratch(gemm::scratch_size<float>());
    const auto call = [&] {
        if (product == 0)
            gemm::forward(x.data, weight.data, bias.data, rows, inputs, outputs, z.data,
                          scratch.data, true);
        if (product == 1)
            gemm::weight_gradient(x.data, z.data, rows, inputs, outputs, std::int64_t{0}, inputs,
                                  false, weight.data, bias.data, scratch.data);
        if (product == 2)
            gemm::input_gradient(z.data, weight.data, rows, inputs, outputs, d_x.data, scratch.data,
                                 x.data);
    };
    std::vector<double> taken;
    call();
    for (int round = 0; round < rounds; ++round) {
        const auto start = Clock::now();
        for (std::int64_t i = 0; i < calls; ++i) call();
        taken.push_back(std::chrono::duration<double>(Clock::now() - start).count() /
                        static_cast<double>(calls));
    }
    std::nth_element(taken.begin(), taken.begin() + rounds / 2, taken.end());
    return taken[static_cast<std::size_t>(rounds / 2)];
}
