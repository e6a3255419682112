// The schedules: the factor on the learning rate over a training, and their list.
//
// Why: a schedule says what is wanted and remembers nothing; `RunningSchedule` is a schedule in one
// training.
//
// Contract: besides what every kind has, a member has either `double factor(const ScheduleTime&)`,
// or what it does stands in RunningSchedule (ReduceOnPlateau, Sequence). Where the factor changes
// within an epoch `each_step` is true. An optional field `epochs` is the span over which it is
// defined.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "likely/registry.hpp"

namespace likely {

/// A step on a schedule's own clock, which begins with 0 where the schedule begins.
struct ScheduleTime {
    std::int64_t epoch;
    double t;       ///< in epochs: epoch + step / steps of an epoch
    double step;    ///< in epochs: 1 / steps of an epoch
    double epochs;  ///< that the schedule spans
};

namespace detail {

inline void require_factor(std::string_view argument, double value) {
    require(value > 0 && value <= 1, argument, "in (0, 1]", value);
}
inline void require_share(std::string_view argument, double value) {
    require(value >= 0 && value <= 1, argument, "in [0, 1]", value);
}
inline void require_epochs(const std::optional<std::int64_t>& epochs) {
    if (epochs) require(*epochs >= 1, "epochs", "at least 1, or none", *epochs);
}

/// From `from` at u = 0 to `to` at u = 1 on half a period of a cosine.
inline double cosine_between(double from, double to, double u) {
    return from + (to - from) * (1 - std::cos(std::numbers::pi * u)) / 2;
}

inline constexpr std::string_view epochs_doc =
    "the span of the schedule; None: that of the training, or of its part of a Sequence";

}  // namespace detail

struct Constant {
    static constexpr std::string_view name = "Constant";
    static constexpr std::string_view doc = "Schedule: the learning rate stays as it is, factor 1.";

    static constexpr auto fields() { return std::tuple{}; }
    void validate() const {}
    double factor(const ScheduleTime&) const { return 1; }
};

struct StepDecay {
    static constexpr std::string_view name = "StepDecay";
    static constexpr std::string_view doc =
        "Schedule: the learning rate times factor^floor(epoch / every), the same for a whole "
        "epoch.";
    std::int64_t every = 0;
    double decay = 0.1;

    static constexpr auto fields() {
        return std::tuple{Field{"every", &StepDecay::every, "epochs between steps", true},
                          Field{"factor", &StepDecay::decay, "in (0, 1]"}};
    }
    void validate() const {
        require(every >= 1, "every", "at least 1", every);
        detail::require_factor("factor", decay);
    }
    double factor(const ScheduleTime& time) const {
        return std::pow(decay, static_cast<double>(time.epoch / every));
    }
};

struct ExponentialDecay {
    static constexpr std::string_view name = "ExponentialDecay";
    static constexpr bool each_step = true;
    static constexpr std::string_view doc =
        "Schedule: the learning rate times factor^t, t the time in epochs, from step to step.";
    double decay = 0.95;

    static constexpr auto fields() {
        return std::tuple{Field{"factor", &ExponentialDecay::decay, "of one epoch, in (0, 1]"}};
    }
    void validate() const { detail::require_factor("factor", decay); }
    double factor(const ScheduleTime& time) const { return std::pow(decay, time.t); }
};

struct InverseScaling {
    static constexpr std::string_view name = "InverseScaling";
    static constexpr bool each_step = true;
    static constexpr std::string_view doc =
        "Schedule: the learning rate times (1 + t)^-power, t the time in epochs, from step to step "
        "(Robbins\n"
        "and Monro 1951, whose conditions hold for powers in (0.5, 1]).";
    double power = 0.5;

    static constexpr auto fields() {
        return std::tuple{Field{"power", &InverseScaling::power, "positive"}};
    }
    void validate() const {
        require(power > 0 && std::isfinite(power), "power", "finite and positive", power);
    }
    double factor(const ScheduleTime& time) const { return std::pow(1 + time.t, -power); }
};

struct CosineDecay {
    static constexpr std::string_view name = "CosineDecay";
    static constexpr bool each_step = true;
    static constexpr std::string_view doc =
        "Schedule: a linear warmup to 1, then half a period of a cosine down to `final` at the end "
        "of the\n"
        "epochs that it spans (Loshchilov and Hutter 2017, without restarts).";
    double warmup = 0;
    double final = 0;
    std::optional<std::int64_t> epochs = std::nullopt;

    static constexpr auto fields() {
        return std::tuple{
            Field{"warmup", &CosineDecay::warmup, "in epochs, less than the schedule spans"},
            Field{"final", &CosineDecay::final, "the last factor, in [0, 1]"},
            Field{"epochs", &CosineDecay::epochs, detail::epochs_doc}};
    }
    void validate() const {
        require(warmup >= 0 && std::isfinite(warmup), "warmup", "finite and at least 0", warmup);
        detail::require_share("final", final);
        detail::require_epochs(epochs);
        if (epochs) require_warmup_before(*epochs);
    }
    void require_warmup_before(std::int64_t span) const {
        require(warmup < static_cast<double>(span), "warmup",
                "less than the " + std::to_string(span) + " epochs that CosineDecay spans", warmup);
    }
    double factor(const ScheduleTime& time) const {
        if (time.t < warmup) return std::min((time.t + time.step) / warmup, 1.0);
        return detail::cosine_between(1, final, (time.t - warmup) / (time.epochs - warmup));
    }
};

struct OneCycle {
    static constexpr std::string_view name = "OneCycle";
    static constexpr bool each_step = true;
    static constexpr std::string_view doc =
        "Schedule: up from `start` to 1 and down to `final`, each way half a period of a cosine "
        "(Smith and\n"
        "Topin 2018). The learning rate of the optimizer is the highest one.";
    double warmup = 0.3;
    double start = 0.04;
    double final = 4e-6;
    std::optional<std::int64_t> epochs = std::nullopt;

    static constexpr auto fields() {
        return std::tuple{
            Field{"warmup", &OneCycle::warmup, "the way up as a share of the epochs, in (0, 1)"},
            Field{"start", &OneCycle::start, "the first factor, in [0, 1]"},
            Field{"final", &OneCycle::final, "the last factor, in [0, 1]"},
            Field{"epochs", &OneCycle::epochs, detail::epochs_doc}};
    }
    void validate() const {
        require(warmup > 0 && warmup < 1, "warmup", "in (0, 1), a share of the epochs", warmup);
        detail::require_share("start", start);
        detail::require_share("final", final);
        detail::require_epochs(epochs);
    }
    double factor(const ScheduleTime& time) const {
        const double peak = warmup * time.epochs;
        if (time.t < peak) return detail::cosine_between(start, 1, time.t / peak);
        return detail::cosine_between(1, final, (time.t - peak) / (time.epochs - peak));
    }
};

struct ReduceOnPlateau {
    static constexpr std::string_view name = "ReduceOnPlateau";
    static constexpr std::string_view doc =
        "Schedule: the learning rate falls by a factor whenever `patience` epochs in a row brought "
        "no loss\n"
        "below the best one less `threshold`. The loss is the validation loss, without validation "
        "data the\ntraining loss.";
    double decay = 0.1;
    std::int64_t patience = 10;
    double threshold = 1e-4;
    double minimum = 0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"factor", &ReduceOnPlateau::decay, "in (0, 1)"},
            Field{"patience", &ReduceOnPlateau::patience, "in epochs, at least 1"},
            Field{"threshold", &ReduceOnPlateau::threshold, "smaller gains do not count"},
            Field{"minimum", &ReduceOnPlateau::minimum, "the smallest factor, in [0, 1]"}};
    }
    void validate() const {
        require(decay > 0 && decay < 1, "factor", "in (0, 1)", decay);
        require(patience >= 1, "patience", "at least 1", patience);
        require(threshold >= 0 && std::isfinite(threshold), "threshold", "finite and at least 0",
                threshold);
        detail::require_share("minimum", minimum);
    }
};

struct Sequence;
using Schedule = std::variant<Constant, StepDecay, ExponentialDecay, InverseScaling, CosineDecay,
                              OneCycle, ReduceOnPlateau, Sequence>;
using SchedulePointer = std::shared_ptr<const Schedule>;

struct Sequence {
    static constexpr std::string_view name = "Sequence";
    static constexpr std::string_view doc =
        "Schedule: one schedule after the other, each with its own clock.";
    std::vector<SchedulePointer> schedules;
    std::vector<std::int64_t> at;

    static constexpr auto fields() {
        return std::tuple{
            Field{"schedules", &Sequence::schedules, "at least one, none of them a Sequence", true},
            Field{"at", &Sequence::at,
                  "the epochs at which the second, the third, ... begins, increasing", true}};
    }
    void validate() const;
};

/// Throws std::invalid_argument where a schedule is not valid or does not fit into a training of so
/// many epochs.
void check_spans(const Schedule& schedule, std::int64_t epochs);

/// A schedule in one training. Allocates in its constructor only, which also checks the spans.
class RunningSchedule {
  public:
    RunningSchedule(const Schedule& schedule, std::int64_t epochs, std::int64_t steps_per_epoch);

    /// The factor on the learning rate, epoch and step (within its epoch) from 0.
    double factor(std::int64_t epoch, std::int64_t step) const;

    /// Whether the factor is the same at every step of an epoch.
    bool is_constant_in(std::int64_t epoch) const;

    /// What ReduceOnPlateau waits for: the loss of each epoch, once.
    void after_epoch(std::int64_t epoch, double loss);

  private:
    struct Part {
        Schedule schedule;
        std::int64_t start;
        double epochs;
        double reduced = 1;                                     ///< the factor of ReduceOnPlateau
        double best = std::numeric_limits<double>::infinity();  ///< the last loss that was a gain
        std::int64_t epochs_without_gain = 0;
    };
    std::size_t part_at(std::int64_t epoch) const;

    std::vector<Part> parts_;
    double steps_;
};

}  // namespace likely
