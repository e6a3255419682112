// A schedule in one training: the parts of a Sequence, and what ReduceOnPlateau remembers.
#include "likely/schedules.hpp"

#include <algorithm>
#include <string>

namespace likely {
namespace {

/// Calls `function(schedule, prefix for errors, first epoch, epochs)` for every part of a schedule.
template <class Function>
void for_each_part(const Schedule& schedule, std::int64_t epochs, Function&& function) {
    const auto* sequence = std::get_if<Sequence>(&schedule);
    if (!sequence) {
        function(schedule, std::string(), std::int64_t{0}, epochs);
        return;
    }
    for (std::size_t i = 0; i < sequence->schedules.size(); ++i) {
        const std::int64_t start = i == 0 ? 0 : sequence->at[i - 1];
        const std::int64_t end = i < sequence->at.size() ? sequence->at[i] : epochs;
        function(*sequence->schedules[i], "schedules[" + std::to_string(i) + "] of Sequence, ",
                 start, end - start);
    }
}

std::string name_of(const Schedule& schedule) {
    return std::visit([](const auto& member) { return std::string(member.name); }, schedule);
}

/// The epochs over which a schedule is defined, where it says so itself.
std::optional<std::int64_t> own_epochs(const Schedule& schedule) {
    return std::visit(
        [](const auto& member) -> std::optional<std::int64_t> {
            if constexpr (requires { member.epochs; }) {
                return member.epochs;
            } else {
                return std::nullopt;
            }
        },
        schedule);
}

}  // namespace

void Sequence::validate() const {
    require_some(!schedules.empty(), "schedules", "at least one schedule");
    for (std::size_t i = 0; i < schedules.size(); ++i) {
        const std::string argument = "schedules[" + std::to_string(i) + "]";
        require(schedules[i] != nullptr, argument, "a schedule", "null");
        require(!std::holds_alternative<Sequence>(*schedules[i]), argument,
                "another schedule than a Sequence (list its schedules instead)", "Sequence");
        std::visit([](const auto& member) { member.validate(); }, *schedules[i]);
    }
    const std::size_t starts = schedules.size() - 1;
    require(at.size() == starts, "at",
            "of length " + std::to_string(starts) + ", an epoch for each schedule but the first",
            at.size());
    std::int64_t before = 0;
    for (const std::int64_t start : at) {
        require(start > before, "at", "increasing, here more than " + std::to_string(before),
                start);
        before = start;
    }
}

void check_spans(const Schedule& schedule, std::int64_t epochs) {
    std::visit([](const auto& member) { member.validate(); }, schedule);
    for_each_part(schedule, epochs,
                  [&](const Schedule& part, const std::string& prefix, std::int64_t start,
                      std::int64_t span) {
                      const std::string name = prefix + name_of(part);
                      const std::string where =
                          "training has " + std::to_string(epochs) + " epochs";
                      if (span < 1) {
                          throw std::invalid_argument(name + " begins at epoch " +
                                                      std::to_string(start) + ", but " + where +
                                                      "; begin it earlier or leave it out");
                      }
                      const std::int64_t own = own_epochs(part).value_or(span);
                      if (own < span) {
                          throw std::invalid_argument(
                              name + " ends after " + std::to_string(own) +
                              " epochs, but has to span " + std::to_string(span) + " (" + where +
                              "); give it epochs=" + std::to_string(span) +
                              " or None, or put another schedule after it in a Sequence");
                      }
                      if (const auto* cosine = std::get_if<CosineDecay>(&part))
                          cosine->require_warmup_before(own);
                  });
}

RunningSchedule::RunningSchedule(const Schedule& schedule, std::int64_t epochs,
                                 std::int64_t steps_per_epoch)
    : steps_(static_cast<double>(steps_per_epoch)) {
    check_spans(schedule, epochs);
    for_each_part(
        schedule, epochs,
        [&](const Schedule& part, const std::string&, std::int64_t start, std::int64_t span) {
            parts_.push_back({part, start, static_cast<double>(own_epochs(part).value_or(span))});
        });
}

std::size_t RunningSchedule::part_at(std::int64_t epoch) const {
    const auto next = std::ranges::upper_bound(parts_, epoch, {}, &Part::start);
    return static_cast<std::size_t>(next - parts_.begin()) - 1;
}

double RunningSchedule::factor(std::int64_t epoch, std::int64_t step) const {
    const Part& part = parts_[part_at(epoch)];
    const std::int64_t since = epoch - part.start;
    const ScheduleTime time{since, static_cast<double>(since) + static_cast<double>(step) / steps_,
                            1 / steps_, part.epochs};
    return std::visit(
        [&](const auto& member) {
            if constexpr (requires { member.factor(time); }) {
                return member.factor(time);
            } else {
                return part.reduced;
            }
        },
        part.schedule);
}

bool RunningSchedule::is_constant_in(std::int64_t epoch) const {
    return std::visit([]<class Member>(const Member&) { return !requires { Member::each_step; }; },
                      parts_[part_at(epoch)].schedule);
}

void RunningSchedule::after_epoch(std::int64_t epoch, double loss) {
    Part& part = parts_[part_at(epoch)];
    const auto* plateau = std::get_if<ReduceOnPlateau>(&part.schedule);
    if (!plateau) return;
    if (loss < part.best - plateau->threshold) {
        part.best = loss;
        part.epochs_without_gain = 0;
    } else if (++part.epochs_without_gain == plateau->patience) {
        part.reduced = std::max(plateau->decay * part.reduced, plateau->minimum);
        part.epochs_without_gain = 0;
    }
}

}  // namespace likely
