#include "likely/trainer.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <sstream>

#include "checks.hpp"
#include "kernels/table.hpp"
#include "rng.hpp"
#include "scaling.hpp"
#include "threads.hpp"
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
    if (data.event) {
        check_events(prefix + "event", plan.distribution, data.event, data.rows, plan.targets);
    }
}

/// Calls `poll` about ten times a second without reading the clock after every short step.
class Poller {
  public:
    Poller(const std::function<void()>& poll, double work_of_a_step)
        : poll_(poll),
          every_(static_cast<std::int64_t>(std::max(1.0, 1e6 / std::max(work_of_a_step, 1.0)))) {}
    void after_steps(std::int64_t count) {
        steps_ += count;
        if (!poll_ || steps_ < every_) return;
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

/// Parameters that stand side by side and are penalised alike.
struct Segment {
    std::int64_t offset, count;
    bool penalized;
};

std::vector<Segment> segments_of(const Plan& plan, const TrainerOptions& options) {
    const bool any = options.l1 > 0 || options.l2 > 0 || weight_decay(options.optimizer) > 0;
    std::vector<Segment> segments;
    for (const ParameterTensor& tensor : plan.tensors) {
        const bool penalized = any && (tensor.role == Role::weight ||
                                       (options.penalize_biases && tensor.role == Role::bias));
        if (!segments.empty() && segments.back().penalized == penalized) {
            segments.back().count += tensor.size;
        } else {
            segments.push_back({tensor.offset, tensor.size, penalized});
        }
    }
    return segments;
}

std::string text_of(double value) {
    if (std::isnan(value)) return "nan";  // of either sign
    std::ostringstream text;
    text << value;
    return text.str();
}

/// With its length, where it is a Warmup.
std::optional<Stabilizer> stabilizer_of(const TrainerOptions& options) {
    std::optional<Stabilizer> stabilizer = options.stabilize;
    if (auto* warmup = stabilizer ? std::get_if<Warmup>(&*stabilizer) : nullptr)
        warmup->epochs = warmup->length(options.epochs);
    return stabilizer;
}

/// In how many epochs, from the first, the scale is not trained.
std::int64_t epochs_without_scale(const TrainerOptions& options) {
    const auto* warmup = options.stabilize ? std::get_if<Warmup>(&*options.stabilize) : nullptr;
    return warmup ? warmup->length(options.epochs) : 0;
}

/// Data of more numbers are asked for before their turn.
constexpr std::int64_t cached_numbers = 1 << 17;
int threads_of(const TrainerOptions& options) {
    return options.threads ? static_cast<int>(*options.threads) : default_threads();
}

/// Plain gradient descent with one sample a step; null: it is not.
const SGD* sample_descent(const TrainerOptions& options, std::int64_t batch_size, bool weighted) {
    const auto* sgd = std::get_if<SGD>(&options.optimizer);
    const bool plain = sgd && sgd->slots() == 0 && options.l1 == 0 && options.l2 == 0 &&
                       !options.clip_norm && !options.clip_value;
    return plain && batch_size == 1 && !weighted ? sgd : nullptr;
}

/// So many of these steps are made in one call.
constexpr std::int64_t steps_at_once = 1024;

/// Parameters at a time of the norm and of the update: a multiple of what their kernels sum.
constexpr std::int64_t block = 4096;

/// The blocks of a large tensor, or of small ones side by side.
struct Blocks {
    std::int64_t begin, end;
};

std::vector<Blocks> blocks_of(const Plan& plan) {
    constexpr std::int64_t large = 16 * block;
    std::vector<Blocks> all;
    bool was_large = true;
    for (const ParameterTensor& tensor : plan.tensors) {
        const std::int64_t begin = (tensor.offset + block - 1) / block;
        const std::int64_t end = (tensor.offset + tensor.size + block - 1) / block;
        const bool is_large = tensor.size >= large;
        if (is_large || was_large) {
            all.push_back({begin, end});
        } else {
            all.back().end = end;
        }
        was_large = is_large;
    }
    return all;
}

/// One fit: its memory, allocated at once, and what it has reached.
template <class T>
class Fit {
  public:
    Fit(Model<T>& model, const TrainerOptions& options, const Dataset<T>& data,
        std::int64_t batch_size, History& history)
        : model_(model),
          plan_(model.plan()),
          options_(options),
          data_(data),
          history_(history),
          batch_size_(batch_size),
          used_(options.drop_last ? data.rows - data.rows % batch_size : data.rows),
          larger_than_cache_(options.shuffle && data.rows * plan_.inputs > cached_numbers),
          workspace_(model, batch_size, threads_of(options), plan_.whole_batches,
                     stabilizer_of(options)),
          scheduler_(workspace_.training_scheduler(batch_size)),
          sample_descent_(workspace_.has_sample_steps()
                              ? sample_descent(options, batch_size, data.weight || data.event)
                              : nullptr),
          order_(options.shuffle ? static_cast<std::size_t>(data.rows) : 0, 0),
          gradient_(model.parameters().size(), T(0)),
          squares_((gradient_.size() + block - 1) / block),
          slots_(gradient_.size() *
                     static_cast<std::size_t>(std::visit(
                         [](const auto& chosen) { return chosen.slots(); }, options.optimizer)),
                 T(0)),
          segments_(segments_of(plan_, options)),
          blocks_(blocks_of(plan_)),
          schedule_(options.schedule, options.epochs, (used_ + batch_size - 1) / batch_size) {
        if (!data.weight) return;
        const double mean = std::accumulate(data.weight, data.weight + data.rows, 0.0) /
                            static_cast<double>(data.rows);
        for (std::int64_t i = 0; i < data.rows; ++i)
            weight_.push_back(static_cast<T>(static_cast<double>(data.weight[i]) / mean));
    }

    /// Passes once over the data; returns the mean loss. `after_steps(count)` may
    /// throw.
    template <class AfterSteps>
    double epoch(std::int64_t epoch, AfterSteps&& after_steps) {
        if (options_.shuffle) {
            kernel_table().shuffle(
                Philox(options_.seed, Purpose::shuffle, 0, static_cast<std::uint64_t>(epoch)),
                data_.rows, order_.data());
        }
        const bool one_rate = schedule_.is_constant_in(epoch);
        set_rate(epoch, 0);
        epoch_norm_ = 0;
        double loss_sum = 0;
        for (std::int64_t begin = 0, step = 0; begin < used_; begin += batch_size_, ++step) {
            if (!one_rate) set_rate(epoch, step);
            if (sample_descent_ && one_rate) {
                const auto made = descend(begin, std::min(steps_at_once, used_ - begin));
                loss_sum += made.loss;
                after_steps(made.steps);
                begin += made.steps;
                step += made.steps;
                if (begin == used_) break;
            }
            loss_sum += this->step(epoch, step, begin, std::min(batch_size_, used_ - begin));
            after_steps(1);
        }
        history_.gradient_norm.push_back(epoch_norm_);
        history_.learning_rate.push_back(rate_);
        return loss_sum / static_cast<double>(used_);
    }

    double validation_loss(const Dataset<T>& data) {
        const Rows<T> all{data.x, data.y, data.weight, data.event, nullptr, data.rows};
        return workspace_.loss(all) / static_cast<double>(data.rows);
    }

    void after_epoch(std::int64_t epoch, double loss) { schedule_.after_epoch(epoch, loss); }

    void keep_best() {
        best_.assign(model_.parameters().begin(), model_.parameters().end());
        best_averages_.assign(model_.averages().begin(), model_.averages().end());
    }
    void restore_best() {
        if (best_.empty()) return;
        std::ranges::copy(best_, model_.parameters().begin());
        std::ranges::copy(best_averages_, model_.averages().begin());
    }

  private:
    void set_rate(std::int64_t epoch, std::int64_t step) {
        rate_ = learning_rate(options_.optimizer) * schedule_.factor(epoch, step);
    }

    Rows<T> rows_of(std::int64_t begin, std::int64_t count) const {
        const std::int64_t offset = options_.shuffle ? 0 : begin;
        return {data_.x + offset * plan_.inputs,
                data_.y + offset * plan_.targets,
                weight_.empty() ? nullptr : weight_.data() + offset,
                data_.event ? data_.event + offset * plan_.targets : nullptr,
                options_.shuffle ? order_.data() + begin : nullptr,
                count,
                larger_than_cache_ ? used_ - begin - count : 0};
    }

    /// Steps of one sample each, up to one whose numbers are not finite.
    SampleResult descend(std::int64_t begin, std::int64_t count) {
        const auto made = workspace_.sample_steps(rows_of(begin, count), *sample_descent_, rate_,
                                                  model_.parameters().data());
        largest_norm_ = std::max(largest_norm_, made.largest_norm);
        epoch_norm_ = std::max(epoch_norm_, made.largest_norm);
        history_.steps += made.steps;
        return made;
    }

    /// The loss of one batch, summed over its rows, before its update.
    double step(std::int64_t epoch, std::int64_t step, std::int64_t begin, std::int64_t count) {
        const Rows<T> rows = rows_of(begin, count);
        const Scheduler::Job job(scheduler_, count);
        const double loss = workspace_.training_step(
            rows, 1 / static_cast<double>(count),
            {options_.seed, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(step)},
            gradient_.data(), job.team());
        const double norm = std::sqrt(squared_norm(job.team()));
        if (!std::isfinite(loss)) diverged(epoch, "the loss is " + text_of(loss));
        if (plan_.average_count > 0 && !workspace_.has_finite_moments(count))
            diverged(epoch, "the moments of a BatchNorm's batch are not finite");
        if (!std::isfinite(norm))
            diverged(epoch, std::string("the norm of the gradient is not finite in ") +
                                (sizeof(T) == 4 ? "float32" : "float64"));
        largest_norm_ = std::max(largest_norm_, norm);
        epoch_norm_ = std::max(epoch_norm_, norm);
        if (!update(norm, job.team())) diverged(epoch, "a parameter would not be finite");
        if (plan_.average_count > 0) workspace_.move_averages(count, model_.averages().data());
        ++history_.steps;
        return loss;
    }

    /// use(begin, end) for all parameters. Large tensors are cut one by one, as their gradients
    /// are: what a core has computed is still in its cache.
    template <class Use>
    void split_parameters(const Team& team, Use&& use) {
        const auto size = static_cast<std::int64_t>(gradient_.size());
        const int pieces = team.pieces(size, block);
        team.each(pieces, [&](int index, int member) {
            for (const Blocks& blocks : blocks_) {
                const Piece piece = Team::cut(blocks.end - blocks.begin, 1, index, pieces, member);
                use((blocks.begin + piece.begin) * block,
                    std::min((blocks.begin + piece.end) * block, size));
            }
        });
    }

    /// Infinite where T cannot hold it.
    double squared_norm(const Team& team) {
        split_parameters(team, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i += block) {
                squares_[static_cast<std::size_t>(i / block)] =
                    kernels<T>().squared_norm(std::min(block, end - i), gradient_.data() + i);
            }
        });
        const double sum = std::accumulate(squares_.begin(), squares_.end(), 0.0);
        const bool above = sum > static_cast<double>(std::numeric_limits<T>::max());
        return above ? std::numeric_limits<double>::infinity() : sum;
    }

    bool update(double norm, const Team& team) {
        Update what{};
        what.step = history_.steps + 1;
        what.learning_rate = rate_;
        what.gradient_scale =
            options_.clip_norm && norm > *options_.clip_norm ? *options_.clip_norm / norm : 1;
        what.clip_value = options_.clip_value.value_or(std::numeric_limits<double>::infinity());
        const auto size = static_cast<std::int64_t>(gradient_.size());
        std::atomic<bool> finite = true;
        split_parameters(team, [&](std::int64_t first, std::int64_t last) {
            for (const Segment& segment : segments_) {
                const std::int64_t begin = std::max(segment.offset, first);
                const std::int64_t count = std::min(segment.offset + segment.count, last) - begin;
                if (count <= 0) continue;
                Update of_segment = what;
                if (segment.penalized) {
                    of_segment.l1 = options_.l1;
                    of_segment.l2 = options_.l2;
                    of_segment.weight_decay = weight_decay(options_.optimizer);
                }
                if (!kernels<T>().update(options_.optimizer, of_segment, count, size,
                                         gradient_.data() + begin,
                                         model_.parameters().data() + begin,
                                         slots_.empty() ? nullptr : slots_.data() + begin)) {
                    finite = false;
                }
            }
        });
        return finite;
    }

    [[noreturn]] void diverged(std::int64_t epoch, const std::string& what) {
        history_.stopped = "diverged";
        std::string advice;
        if (!model_.specification().standardize)
            advice += "standardise the data (Network(..., standardize=True)), ";
        advice += "lower the learning rate";
        if (!options_.clip_value && !options_.clip_norm)
            advice += ", or clip the gradient (Trainer(clip_norm=...))";
        throw DivergedError(
            "training diverged in epoch " + std::to_string(epoch) + ", step " +
                std::to_string(history_.steps) + " of the fit (both from 0): " + what +
                "; the largest gradient norm before was " + text_of(largest_norm_) +
                ". The network keeps its last finite parameters. To go on, " + advice,
            epoch, history_.steps, largest_norm_);
    }

    Model<T>& model_;
    const Plan& plan_;
    const TrainerOptions& options_;
    const Dataset<T>& data_;
    History& history_;
    std::int64_t batch_size_, used_;
    bool larger_than_cache_;
    Workspace<T> workspace_;
    Scheduler scheduler_;
    const SGD* sample_descent_;  ///< null: steps are made one by one
    AlignedVector<std::int64_t> order_;
    std::vector<T> weight_;
    AlignedVector<T> gradient_;
    std::vector<double> squares_;  ///< of each block of the gradient, summed
    AlignedVector<T> slots_;
    std::vector<T> best_, best_averages_;
    std::vector<Segment> segments_;
    std::vector<Blocks> blocks_;
    RunningSchedule schedule_;
    double rate_ = 0, epoch_norm_ = 0, largest_norm_ = 0;
};

}  // namespace

void TrainerOptions::validate() const {
    std::visit([](const auto& chosen) { chosen.validate(); }, optimizer);
    if (batch_size)
        require(*batch_size >= 1, "batch_size", "at least 1, or none for the whole set",
                *batch_size);
    require(epochs >= 1, "epochs", "at least 1", epochs);
    if (patience) require(*patience >= 1, "patience", "at least 1, or none", *patience);
    require(l1 >= 0 && std::isfinite(l1), "l1", "finite and at least 0", l1);
    require(l2 >= 0 && std::isfinite(l2), "l2", "finite and at least 0", l2);
    if (l2 > 0 && weight_decay(optimizer) > 0) {
        throw std::invalid_argument(
            "l2 and the optimizer's weight_decay both shrink the weights; use one of them (got "
            "l2=" +
            text_of(l2) + " and weight_decay=" + text_of(weight_decay(optimizer)) + ")");
    }
    if (threads) check_threads("threads", *threads);
    if (clip_value) require(*clip_value > 0, "clip_value", "positive, or none", *clip_value);
    if (clip_norm) require(*clip_norm > 0, "clip_norm", "positive, or none", *clip_norm);
    if (clip_value && clip_norm)
        throw std::invalid_argument("clip_value and clip_norm exclude each other; got both");
    check_spans(schedule, epochs);  // and validates it
    if (!stabilize) return;
    std::visit([](const auto& member) { member.validate(); }, *stabilize);
    const std::int64_t warmup = epochs_without_scale(*this);
    require(warmup < epochs, "stabilize=Warmup's epochs",
            "less than the " + std::to_string(epochs) +
                " epochs of the training, whose rest trains the scale",
            warmup);
}

template <class T>
void fit(Model<T>& model, const TrainerOptions& options, const Dataset<T>& data,
         const std::optional<Dataset<T>>& validation, const Hooks& hooks, History& history) {
    options.validate();
    if (options.patience && !validation)
        throw std::invalid_argument("patience needs validation data; got none");
    if (options.stabilize) check_stabilizer(*options.stabilize, model.plan().distribution);
    check(model, data, "");
    if (validation) check(model, *validation, "validation ");
    const Plan& plan = model.plan();
    const std::int64_t batch_size = std::min(options.batch_size.value_or(data.rows), data.rows);
    if (options.drop_last && options.batch_size.value_or(0) > data.rows) {
        throw std::invalid_argument("drop_last=True would drop every row: batch_size is " +
                                    std::to_string(*options.batch_size) + ", x has " +
                                    std::to_string(data.rows) + " rows");
    }
    if (plan.average_count > 0) {
        const bool short_one = data.rows % batch_size == 1 && !options.drop_last;
        if (batch_size == 1 || short_one) {
            throw std::invalid_argument(
                "BatchNorm needs at least two rows in a batch, but " +
                (data.rows == 1    ? std::string("x has one row")
                 : batch_size == 1 ? std::string("batches have one row; choose a larger batch_size")
                                   : "the last batch would have one: " + std::to_string(data.rows) +
                                         " rows in batches of " + std::to_string(batch_size) +
                                         "; choose another batch_size or drop_last=True"));
        }
    }

    for (const T value : model.parameters()) {
        if (!std::isfinite(value)) {
            throw std::invalid_argument("the parameters of the network must be finite; one is " +
                                        text_of(static_cast<double>(value)));
        }
    }

    std::optional<Fit<T>> fit;
    const Scaling before = model.scaling();
    if (model.specification().standardize && !before.fitted())
        model.set_scaling(scaling_of(plan, data));
    try {
        fit.emplace(model, options, data, batch_size, history);
    } catch (...) {  // no memory
        model.set_scaling(before);
        throw;
    }
    history = {};
    history.stopped = "interrupted";
    const Stopwatch stopwatch(history.seconds);
    Poller poller(hooks.poll,
                  static_cast<double>(3 * plan.multiply_adds) * static_cast<double>(batch_size));
    double best_loss = std::numeric_limits<double>::infinity();
    std::int64_t epochs_without_gain = 0;
    bool stop = false;
    for (std::int64_t epoch = 0; epoch < options.epochs && !stop; ++epoch) {
        EpochReport report{
            epoch, fit->epoch(epoch, [&](std::int64_t count) { poller.after_steps(count); }),
            std::nullopt};
        history.loss.push_back(report.loss);
        if (validation) {
            const double loss = fit->validation_loss(*validation);
            report.validation_loss = loss;
            history.validation_loss.push_back(loss);
            if (loss < best_loss) {
                best_loss = loss;
                history.best_epoch = epoch;
                epochs_without_gain = 0;
                if (options.patience) fit->keep_best();
            } else if (options.patience && epoch >= epochs_without_scale(options) &&
                       ++epochs_without_gain >= *options.patience) {
                history.stopped = "early stopping";
                stop = true;
            }
        }
        fit->after_epoch(epoch, report.validation_loss.value_or(report.loss));
        if (hooks.poll) hooks.poll();
        if (hooks.after_epoch && hooks.after_epoch(report) && !stop) {
            history.stopped = "callback";
            stop = true;
        }
    }
    if (!stop) history.stopped = "epochs";
    fit->restore_best();
}

template void fit(Model<float>&, const TrainerOptions&, const Dataset<float>&,
                  const std::optional<Dataset<float>>&, const Hooks&, History&);
template void fit(Model<double>&, const TrainerOptions&, const Dataset<double>&,
                  const std::optional<Dataset<double>>&, const Hooks&, History&);

}  // namespace likely
