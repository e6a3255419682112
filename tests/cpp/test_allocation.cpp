// The whole loop runs without an allocation: training from the first epoch's end to the last,
// prediction from the constructor on.
//
// Between two calls of the hook `after_epoch` lies a whole epoch: shuffle, every step, validation
// with early stopping. All it may allocate is a longer history, once for each of its vectors that
// had to grow. What happens before the first call is measured too: a fit over many batches
// allocates as often as a fit over one. All this on one thread and by a team.
//
// A test is one source file, so the source of the counter is included.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "check.hpp"
#include "embed/count_allocations.cpp"
#include "likely/predictor.hpp"
#include "likely/trainer.hpp"
#include "threads.hpp"

using namespace likely;

namespace {

LayerPointer dense(std::int64_t units, Activation activation = ReLU{}) {
    return std::make_shared<const Layer>(Dense{units, activation});
}
LayerPointer layer(Layer any) { return std::make_shared<const Layer>(std::move(any)); }
LayerPointer residual(std::vector<LayerPointer> layers) {
    return std::make_shared<const Layer>(Residual{std::move(layers)});
}

struct Task {
    Specification specification;
    std::int64_t rows, batch_size;
    Optimizer optimizer = Adam{};
    bool shuffle = true;
    std::optional<Stabilizer> stabilize = std::nullopt;
};

/// Inputs of either sign; targets 0 or 1, which every distribution supports.
template <class T>
struct Data {
    Data(const Specification& specification, std::int64_t count) : rows(count) {
        for (std::int64_t i = 0; i < count * specification.inputs; ++i)
            x.push_back(static_cast<T>(std::sin(static_cast<double>(i))));
        for (std::int64_t i = 0; i < count * specification.targets; ++i)
            y.push_back(static_cast<T>(i % 3 == 0));
        for (std::int64_t i = 0; i < count; ++i) weight.push_back(static_cast<T>(1 + i % 2));
    }
    Dataset<T> set(bool weighted) const {
        return {x.data(), y.data(), weighted ? weight.data() : nullptr, rows};
    }
    std::int64_t rows;
    std::vector<T> x, y, weight;
};

TrainerOptions options_of(const Task& task, std::int64_t epochs, std::int64_t threads) {
    TrainerOptions options;
    options.optimizer = task.optimizer;
    options.batch_size = task.batch_size;
    options.epochs = epochs;
    options.shuffle = task.shuffle;
    options.schedule = ReduceOnPlateau{};
    options.l1 = 1e-3;
    options.clip_norm = 1;
    options.stabilize = task.stabilize;
    options.threads = threads;
    return options;
}

template <class T>
void test_epochs(const Task& task, std::int64_t threads) {
    const Data<T> data(task.specification, task.rows), held_out(task.specification, 100);
    Model<T> model(task.specification, 0);
    TrainerOptions options = options_of(task, 4, threads);
    options.patience = 4;

    History history;
    std::size_t seen = 0, beyond_history = 0, polls = 0;
    std::array<std::size_t, 4> capacities{};
    Hooks hooks;
    hooks.poll = [&] { ++polls; };
    hooks.after_epoch = [&](const EpochReport& report) {
        const std::size_t now = allocation_count();
        const std::array<std::size_t, 4> grown{
            history.loss.capacity(), history.validation_loss.capacity(),
            history.learning_rate.capacity(), history.gradient_norm.capacity()};
        std::size_t allowed = 0;
        for (std::size_t i = 0; i < grown.size(); ++i) allowed += grown[i] != capacities[i];
        if (report.epoch > 0) beyond_history += now - seen - allowed;
        capacities = grown;
        seen = allocation_count();
        return false;
    };
    fit<T>(model, options, data.set(true), held_out.set(false), hooks, history);
    CHECK(history.loss.size() == 4);
    CHECK(polls >= 4);
    CHECK(beyond_history == 0);
}

/// Allocations of a fit of one epoch over so many batches.
template <class T>
std::size_t allocations(const Task& task, std::int64_t batches, std::int64_t threads) {
    const Data<T> data(task.specification, task.batch_size * batches);
    Model<T> model(task.specification, 0);
    const TrainerOptions options = options_of(task, 1, threads);
    History history;
    const std::size_t before = allocation_count();
    fit<T>(model, options, data.set(false), std::nullopt, {}, history);
    return allocation_count() - before;
}

template <class T>
void test_prediction(const Specification& specification) {
    const Model<T> model(specification, 0);
    const std::int64_t rows = 100;
    const Data<T> data(specification, rows);
    const auto results = static_cast<std::size_t>(rows * specification.targets);
    std::vector<T> out(results);

    const std::size_t start = allocation_count();
    Predictor<T> predict(model, 64);
    const std::size_t before = allocation_count();
    CHECK(before > start);
    std::vector<T> raw(static_cast<std::size_t>(rows * predict.raw_width()));
    const std::size_t ready = allocation_count();
    for (const std::int64_t count : {std::int64_t{1}, std::int64_t{2}, rows}) {
        predict(data.x.data(), raw.data(), count);
        predict.mean(raw.data(), out.data(), count);
        predict.std(raw.data(), out.data(), count);
        predict.mode(raw.data(), out.data(), count);
        predict.entropy(raw.data(), out.data(), count);
        predict.quantile(raw.data(), 0.99, out.data(), count);
        predict.cdf(raw.data(), data.y.data(), out.data(), count);
        predict.log_prob(raw.data(), data.y.data(), out.data(), count);
        predict.parameter(raw.data(), 0, out.data(), count);
    }
    Predictor<T> moved(std::move(predict));
    CHECK(allocation_count() == ready);
}

Specification specification_of(std::int64_t inputs, std::vector<LayerPointer> layers,
                               Distribution distribution, std::int64_t targets = 1) {
    Specification specification;
    specification.inputs = inputs;
    specification.targets = targets;
    specification.layers = std::move(layers);
    specification.distribution = std::move(distribution);
    return specification;
}

template <class T>
void test_all() {
    const LayerPointer shared = dense(20, GELU{});
    const std::vector<LayerPointer> blocks = {
        dense(20, Sigmoid{}), residual({shared}),
        residual({shared, residual({dense(20, Softplus{})})})};
    const std::vector<LayerPointer> normalized = {
        layer(Dropout{0.1}), dense(20, ReLU{}), layer(BatchNorm{}),
        residual({dense(20), layer(LayerNorm{}), layer(Dropout{0.5})})};
    Specification scaled = specification_of(3, blocks, Normal{"shared"}, 2);
    scaled.standardize = true;
    const std::int64_t wide_rows = sizeof(T) == 4 ? 1024 : 128;  // a sanitizer makes them slow
    const Task tasks[] = {
        {specification_of(1, {}, Normal{}), 70, 1},
        {specification_of(10, {dense(50)}, Normal{}), 330, 32},
        {scaled, 330, 32, SGD{0.01, 0.9, true}},
        {specification_of(7, {dense(33, SiLU{})}, Normal{0.5}, 3), 330, 32, SGD{}, false},
        {specification_of(5, blocks, Bernoulli{}, 2), 330, 32},
        {specification_of(5, {dense(64, ELU{})}, Categorical{10}, 2), 330, 32},
        {specification_of(5, normalized, Normal{}), 330, 32, AdamW{}},
        // Widths for which Eigen's own product would take its packing buffers from the heap, and
        // a batch that is taken in two chunks.
        {specification_of(300, {dense(1024), dense(512)}, Normal{}), wide_rows, wide_rows},
        {specification_of(200, {residual({dense(200)})}, Categorical{3}), 1100, 1100},
        {scaled, 330, 32, Adam{}, true, Faithful{}},
        {scaled, 330, 32, Adam{}, true, Warmup{}},
        {specification_of(5, {dense(20)}, Normal{}, 2), 1100, 1100, Adam{}, true, BetaWeighting{}},
        {specification_of(5, {dense(20)}, Categorical{10}, 2), 330, 32, Adam{}, true,
         NaturalGradient{}},
    };
    for (const Task& task : tasks) {
        for (const int threads : {1, 3}) test_epochs<T>(task, threads);
        test_prediction<T>(task.specification);
    }
    for (const Task& task :
         {tasks[0], tasks[1], tasks[4], tasks[5], tasks[6], tasks[9], tasks[12]}) {
        for (const int threads : {1, 3})
            CHECK(allocations<T>(task, 1, threads) == allocations<T>(task, 20, threads));
    }
}

void test_counter() {
    const std::size_t before = allocation_count();
    const auto grown = std::make_unique<std::vector<double>>(1000);
    CHECK(allocation_count() == before + 2);
#if defined(__GLIBC__) && !defined(SANITIZER_OWNS_MALLOC)
    void* volatile plain = std::malloc(100);
    void* volatile aligned = std::aligned_alloc(64, 128);
    CHECK(allocation_count() == before + 4);
    std::free(plain);
    std::free(aligned);
#endif
}

}  // namespace

int main() {
    Scheduler::use_always(true);  // a team for every step, however short
    test_counter();
    test_all<float>();
    test_all<double>();
    return finish();
}
