// predict MODEL CALLS: seconds of a call of the C++ predictor for one row, at the quantiles 0.25,
// 0.5, 0.75 and 0.99, less the median of looking at the clock.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <likely/model.hpp>
#include <likely/predictor.hpp>
#include <stdexcept>
#include <vector>

using Clock = std::chrono::steady_clock;

static double nanoseconds(Clock::duration taken) {
    return std::chrono::duration<double, std::nano>(taken).count();
}

static double quantile(std::vector<double>& values, double level) {
    const auto place = static_cast<std::size_t>(level * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                     values.end());
    return values[place];
}

int main(int count, char** words) try {
    if (count != 3) throw std::invalid_argument("usage: predict MODEL CALLS");
    likely::Predictor<float> predict(likely::Model<float>::load(words[1]));
    const auto calls = static_cast<std::size_t>(std::atol(words[2]));
    constexpr std::size_t row_count = 256;
    const auto inputs = static_cast<std::size_t>(predict.inputs());
    std::vector<float> x(row_count * inputs), raw(static_cast<std::size_t>(predict.raw_width()));
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<float>((i * 7919) % 2001) / 1000 - 1;

    std::vector<double> taken(calls), empty(calls);
    for (double& value : empty) {
        const auto start = Clock::now();
        value = nanoseconds(Clock::now() - start);
    }
    float sum = 0;
    for (std::size_t i = 0; i < calls; ++i) {
        const float* row = x.data() + (i % row_count) * inputs;
        const auto start = Clock::now();
        predict(row, raw.data());
        taken[i] = nanoseconds(Clock::now() - start);
        sum += raw[0];
    }
    const double clock = quantile(empty, 0.5);
    for (double level : {0.25, 0.5, 0.75, 0.99})
        std::printf("%.6e\n", 1e-9 * (quantile(taken, level) - clock));
    return sum != sum;
} catch (const std::exception& error) {
    std::fprintf(stderr, "predict: %s\n", error.what());
    return 1;
}
