#include "likely/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "checks.hpp"
#include "kernels/table.hpp"
#include "rng.hpp"
#include "workspace.hpp"

namespace likely {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class T>
void check(const Model<T>& model, const Dataset<T>& data, const std::string& prefix) {
    const Plan& plan = model.plan();
    if (data.rows < 1)
        throw std::invalid_argument(prefix + "x must have at least one row; got none");
    check_finite(prefix + "x", data.x, data.rows, plan.inputs);
    check_finite(prefix + "y", data.y, data.rows, plan.targets);
    check_support(prefix + "y", plan.distribution, data.y, data.rows, plan.targets);
    if (data.weight) check_weights(prefix + "sample_weight", data.weight, data.rows);
}

/// Weighted mean and population standard deviation of each column, in two passes. A constant column
/// has scale 1, as has one whose deviation is too small for its inverse to be a number.
template <class T>
void moments(const std::string& argument, const T* values, const T* weight, std::int64_t rows,
             std::int64_t columns, std::vector<double>& mean, std::vector<double>& scale) {
    const auto size = static_cast<std::size_t>(columns);
    mean.assign(size, 0);
    scale.assign(size, 0);
    std::vector<T> lowest(size, std::numeric_limits<T>::infinity());
    std::vector<T> highest(size, -std::numeric_limits<T>::infinity());
    double total = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
        const double w = weight ? static_cast<double>(weight[i]) : 1.0;
        if (!(w > 0)) continue;
        const T* row = values + i * columns;
        total += w;
        for (std::size_t j = 0; j < size; ++j) {
            mean[j] += w * static_cast<double>(row[j]);
            lowest[j] = std::min(lowest[j], row[j]);
            highest[j] = std::max(highest[j], row[j]);
        }
    }
    for (double& value : mean) value /= total;
    for (std::int64_t i = 0; i < rows; ++i) {
        const double w = weight ? static_cast<double>(weight[i]) : 1.0;
        const T* row = values + i * columns;
        for (std::size_t j = 0; j < size; ++j) {
            const double distance = static_cast<double>(row[j]) - mean[j];
            scale[j] += w * distance * distance;
        }
    }
    for (std::size_t j = 0; j < size; ++j) {
        scale[j] = std::sqrt(scale[j] / total);
        if (!std::isfinite(scale[j])) {
            throw std::invalid_argument(argument + " cannot be standardised: column " +
                                        std::to_string(j) + " is too widely spread for float64");
        }
        const bool usable = std::isfinite(static_cast<T>(1 / scale[j]));
        if (lowest[j] == highest[j] || !usable) scale[j] = 1;
    }
}

template <class T>
Scaling scaling_of(const Plan& plan, const Dataset<T>& data) {
    Scaling scaling;
    moments("x", data.x, data.weight, data.rows, plan.inputs, scaling.input_mean,
            scaling.input_scale);
    moments("y", data.y, data.weight, data.rows, plan.targets, scaling.target_mean,
            scaling.target_scale);
    const TargetScaling allowed =
        std::visit([](const auto& family) { return family.target_scaling; }, plan.distribution);
    if (allowed != TargetScaling::location_and_scale) std::ranges::fill(scaling.target_mean, 0);
    if (allowed == TargetScaling::none) std::ranges::fill(scaling.target_scale, 1);
    return scaling;
}

/// Calls `poll` about ten times a second without reading the clock after every short step.
class Poller {
  public:
    Poller(const std::function<void()>& poll, double work_of_a_step)
        : poll_(poll),
          every_(static_cast<std::int64_t>(std::max(1.0, 1e6 / std::max(work_of_a_step, 1.0)))) {}
    void after_step() {
        if (!poll_ || ++steps_ < every_) return;
        steps_ = 0;
        if (seconds_since(last_) < 0.1) return;
        poll_();
        last_ = Clock::now();
    }

  private:
    const std::function<void()>& poll_;
    std::int64_t every_, steps_ = 0;
    Clock::time_point last_ = Clock::now();
};

/// Writes how long its scope took, also where an exception ends it.
class Stopwatch {
  public:
    explicit Stopwatch(double& seconds) : seconds_(seconds) {}
    ~Stopwatch() { seconds_ = seconds_since(start_); }

  private:
    double& seconds_;
    Clock::time_point start_ = Clock::now();
};

[[noreturn]] void throw_diverged(std::int64_t epoch, std::int64_t step) {
    throw DivergedError(
        "the loss is not finite any more at epoch " + std::to_string(epoch) + ", step " +
        std::to_string(step) +
        "; lower the learning rate, or standardise the data (Network(..., standardize=True))");
}

}  // namespace

void TrainerOptions::validate() const {
    std::visit([](const auto& chosen) { chosen.validate(); }, optimizer);
    if (batch_size)
        require(*batch_size >= 1, "batch_size", "at least 1, or none for the whole set",
                *batch_size);
    require(epochs >= 1, "epochs", "at least 1", epochs);
    if (patience) require(*patience >= 1, "patience", "at least 1, or none", *patience);
}

template <class T>
void fit(Model<T>& model, const TrainerOptions& options, const Dataset<T>& data,
         const std::optional<Dataset<T>>& validation, const Hooks& hooks, History& history) {
    options.validate();
    if (options.patience && !validation)
        throw std::invalid_argument("patience needs validation data; got none");
    check(model, data, "");
    if (validation) check(model, *validation, "validation ");
    const std::int64_t batch_size = std::min(options.batch_size.value_or(data.rows), data.rows);
    if (options.drop_last && options.batch_size.value_or(0) > data.rows) {
        throw std::invalid_argument("drop_last=True would drop every row: batch_size is " +
                                    std::to_string(*options.batch_size) + ", x has " +
                                    std::to_string(data.rows) + " rows");
    }

    const Plan& plan = model.plan();
    if (model.specification().standardize && !model.scaling().fitted())
        model.set_scaling(scaling_of(plan, data));
    std::vector<T> weight;
    if (data.weight) {
        const double mean = std::accumulate(data.weight, data.weight + data.rows, 0.0) /
                            static_cast<double>(data.rows);
        for (std::int64_t i = 0; i < data.rows; ++i) {
            weight.push_back(static_cast<T>(static_cast<double>(data.weight[i]) / mean));
        }
    }
    Workspace<T> workspace(model, batch_size);
    std::vector<std::int64_t> order(options.shuffle ? static_cast<std::size_t>(data.rows) : 0);
    std::vector<T> gradient(model.parameters().size());
    const int slot_count =
        std::visit([](const auto& chosen) { return chosen.slots(); }, options.optimizer);
    std::vector<T> slots(gradient.size() * static_cast<std::size_t>(slot_count));
    std::vector<T> best;
    T* parameters = model.parameters().data();
    Poller poller(hooks.poll,
                  static_cast<double>(3 * plan.multiply_adds) * static_cast<double>(batch_size));

    history = {};
    history.stopped = "interrupted";
    const Stopwatch stopwatch(history.seconds);
    double best_loss = std::numeric_limits<double>::infinity();
    std::int64_t epochs_without_gain = 0;
    bool stop = false;
    for (std::int64_t epoch = 0; epoch < options.epochs && !stop; ++epoch) {
        if (options.shuffle) {
            shuffle(order.data(), data.rows,
                    Philox(options.seed, Purpose::shuffle, 0, static_cast<std::uint64_t>(epoch)));
        }
        double loss_sum = 0, weight_sum = 0;
        std::int64_t rows_seen = 0;
        for (std::int64_t begin = 0; begin < data.rows; begin += batch_size) {
            const std::int64_t count = std::min(batch_size, data.rows - begin);
            if (options.drop_last && count < batch_size) break;
            const std::int64_t offset = options.shuffle ? 0 : begin;
            const Rows<T> rows{data.x + offset * plan.inputs, data.y + offset * plan.targets,
                               weight.empty() ? nullptr : weight.data() + offset,
                               options.shuffle ? order.data() + begin : nullptr, count};
            const double loss = workspace.loss_and_gradient(
                parameters, rows, 1 / static_cast<double>(count), gradient.data());
            if (!std::isfinite(loss)) throw_diverged(epoch, history.steps);
            ++history.steps;
            kernels<T>().update(options.optimizer, history.steps,
                                static_cast<std::int64_t>(gradient.size()), gradient.data(),
                                parameters, slots.data());
            loss_sum += loss;
            rows_seen += count;
            poller.after_step();
        }
        if (weight.empty()) {
            weight_sum = static_cast<double>(rows_seen);
        } else {
            for (std::int64_t i = 0; i < rows_seen; ++i) {
                weight_sum += static_cast<double>(weight[static_cast<std::size_t>(
                    options.shuffle ? order[static_cast<std::size_t>(i)] : i)]);
            }
        }
        const double rows = static_cast<double>(rows_seen);
        EpochReport report{epoch, (loss_sum + workspace.log_target_scale() * weight_sum) / rows,
                           std::nullopt};
        history.loss.push_back(report.loss);
        if (validation) {
            const Rows<T> all{validation->x, validation->y, validation->weight, nullptr,
                              validation->rows};
            const double loss =
                workspace.loss(parameters, all) / static_cast<double>(validation->rows) +
                workspace.log_target_scale();
            report.validation_loss = loss;
            history.validation_loss.push_back(loss);
            if (loss < best_loss) {
                best_loss = loss;
                history.best_epoch = epoch;
                epochs_without_gain = 0;
                if (options.patience) best.assign(parameters, parameters + gradient.size());
            } else if (options.patience && ++epochs_without_gain >= *options.patience) {
                history.stopped = "early stopping";
                stop = true;
            }
        }
        if (hooks.poll) hooks.poll();
        if (hooks.after_epoch && hooks.after_epoch(report) && !stop) {
            history.stopped = "callback";
            stop = true;
        }
    }
    if (!stop) history.stopped = "epochs";
    if (!best.empty()) std::ranges::copy(best, parameters);
    for (const T value : model.parameters()) {
        if (!std::isfinite(value))
            throw_diverged(static_cast<std::int64_t>(history.loss.size()) - 1, history.steps);
    }
}

template void fit(Model<float>&, const TrainerOptions&, const Dataset<float>&,
                  const std::optional<Dataset<float>>&, const Hooks&, History&);
template void fit(Model<double>&, const TrainerOptions&, const Dataset<double>&,
                  const std::optional<Dataset<double>>&, const Hooks&, History&);

}  // namespace likely
