// What bench_products.py calls: the seconds of a product of a dense layer. A shared library,
// compiled with the flags of a kernel set.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "kernels/gemm.hpp"
#include "likely/memory.hpp"

namespace {

using namespace likely;

using Numbers = AlignedVector<float>;

Numbers some(std::int64_t count) {
    Numbers numbers(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<float>(i % 101) / 100 - 0.5F;
    return numbers;
}

struct Layer {
    Layer(std::int64_t rows, std::int64_t inputs, std::int64_t outputs)
        : x(some(rows * inputs)),
          d_x(x),
          weight(some(inputs * outputs)),
          z(some(rows * outputs)),
          bias(some(outputs)) {}

    Numbers x, d_x, weight, z, bias;
};

}  // namespace

/// The median over `rounds` of the seconds that a call takes; 0: forward with a rectifier, 1:
/// weight gradient, 2: input gradient through a rectifier.
extern "C" [[gnu::visibility("default")]] double seconds(int product, std::int64_t rows,
                                                         std::int64_t inputs, std::int64_t outputs,
                                                         std::int64_t calls, int rounds) {
    using Clock = std::chrono::steady_clock;
    // In turn, as in a step: what the first cache held of a layer is gone when it is its turn
    // again.
    std::array layers{Layer(rows, inputs, outputs), Layer(rows, inputs, outputs),
                      Layer(rows, inputs, outputs)};
    Numbers scratch(gemm::scratch_size<float>());
    const auto call = [&](std::int64_t i) {
        Layer& layer = layers[static_cast<std::size_t>(i) % layers.size()];
        float* const x = layer.x.data();
        float* const weight = layer.weight.data();
        float* const z = layer.z.data();
        if (product == 0)
            gemm::forward(x, weight, layer.bias.data(), rows, inputs, outputs, z, scratch.data(),
                          true, inputs == 784);  // first layers: in halves
        if (product == 1)
            gemm::weight_gradient(x, z, rows, inputs, outputs, std::int64_t{0}, inputs, false,
                                  weight, layer.bias.data(), scratch.data());
        if (product == 2)
            gemm::input_gradient(z, weight, rows, inputs, outputs, false, layer.d_x.data(),
                                 scratch.data(), x);
    };
    std::vector<double> taken;
    for (std::int64_t i = 0; i < 3; ++i) call(i);
    for (int round = 0; round < rounds; ++round) {
        const auto start = Clock::now();
        for (std::int64_t i = 0; i < calls; ++i) call(i);
        taken.push_back(std::chrono::duration<double>(Clock::now() - start).count() /
                        static_cast<double>(calls));
    }
    std::nth_element(taken.begin(), taken.begin() + rounds / 2, taken.end());
    return taken[static_cast<std::size_t>(rounds / 2)];
}
