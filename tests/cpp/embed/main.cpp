// embed MODEL X1 X2 ...: mean, standard deviation and 99 % quantile of one row, for each target
// column, without Python and without an allocation after construction.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <likely/model.hpp>
#include <likely/predictor.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "count_allocations.hpp"

using Predictor = likely::Predictor<float>;
static_assert(requires(Predictor p, const Predictor& q, const float* in, float* out) {
    { p(in, out) } noexcept;
    { q.mean(in, out) } noexcept;
    { q.std(in, out) } noexcept;
    { q.mode(in, out) } noexcept;
    { q.entropy(in, out) } noexcept;
    { q.quantile(in, 0.5, out) } noexcept;
    { q.cdf(in, in, out) } noexcept;
    { q.log_prob(in, in, out) } noexcept;
    { q.parameter(in, 0, out) } noexcept;
    { q.inputs() + q.targets() + q.raw_width() } noexcept;
    { Predictor(std::move(p)) } noexcept;
});

int main(int count, char** words) try {
    if (count < 2) throw std::invalid_argument("usage: embed MODEL X1 X2 ...");
    Predictor predict(likely::Model<float>::load(words[1]));
    if (count - 2 != predict.inputs()) throw std::invalid_argument("wrong number of inputs");
    std::vector<float> x, raw(static_cast<std::size_t>(predict.raw_width()));
    for (int i = 2; i < count; ++i) x.push_back(std::strtof(words[i], nullptr));
    const auto targets = static_cast<std::size_t>(predict.targets());
    std::vector<float> mean(targets), deviation(targets), upper(targets);

    const std::size_t before = allocation_count();
    predict(x.data(), raw.data());
    predict.mean(raw.data(), mean.data());
    predict.std(raw.data(), deviation.data());
    predict.quantile(raw.data(), 0.99, upper.data());
    const std::size_t after = allocation_count();

    for (std::size_t t = 0; t < targets; ++t)
        std::printf("%.9g %.9g %.9g\n", mean[t], deviation[t], upper[t]);
    std::printf("allocations: %zu before, %zu in prediction\n", before, after - before);
    return before > 0 && after == before ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "embed: %s\n", error.what());
    return 1;
}
