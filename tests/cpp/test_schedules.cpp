// The factors of schedules at points computed by hand, what they refuse, and that a running one
// allocates nothing.
//
// A test is one source file, so the source of the counter is included.
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "check.hpp"
#include "embed/count_allocations.cpp"
#include "likely/schedules.hpp"

using namespace likely;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool near(double got, double wanted) { return std::abs(got - wanted) <= 1e-15; }

SchedulePointer pointer(const Schedule& schedule) {
    return std::make_shared<const Schedule>(schedule);
}

void test_decays() {
    const RunningSchedule constant(Constant{}, 3, 4);
    CHECK(constant.factor(0, 0) == 1 && constant.factor(2, 3) == 1);

    const RunningSchedule steps(StepDecay{3}, 10, 4);
    CHECK(steps.factor(0, 0) == 1 && steps.factor(2, 3) == 1);
    CHECK(near(steps.factor(3, 0), 0.1) && near(steps.factor(5, 3), 0.1));
    CHECK(near(steps.factor(9, 1), 0.001));

    const RunningSchedule exponential(ExponentialDecay{0.25}, 10, 4);
    CHECK(exponential.factor(0, 0) == 1 && near(exponential.factor(0, 2), 0.5));
    CHECK(near(exponential.factor(2, 2), 0.03125));

    const RunningSchedule inverse(InverseScaling{}, 10, 4);
    CHECK(inverse.factor(0, 0) == 1 && near(inverse.factor(3, 0), 0.5));
    CHECK(near(inverse.factor(1, 1), 1 / 1.5));
}

void test_cosine_decay() {
    const RunningSchedule warm(CosineDecay{2, 0.1, std::nullopt}, 6, 4);
    CHECK(near(warm.factor(0, 0), 0.125) && near(warm.factor(1, 0), 0.625));
    CHECK(near(warm.factor(1, 3), 1) && near(warm.factor(2, 0), 1));
    CHECK(near(warm.factor(4, 0), 0.55));
    const double last = (1 + std::cos(std::numbers::pi * 3.75 / 4)) / 2;
    CHECK(near(warm.factor(5, 3), 0.1 + 0.9 * last));

    const RunningSchedule longer(CosineDecay{0, 0, 10}, 6, 4);  // its own epochs
    CHECK(longer.factor(0, 0) == 1 && near(longer.factor(5, 0), 0.5));

    const RunningSchedule part(CosineDecay{1.5, 0, std::nullopt}, 4, 1);
    CHECK(near(part.factor(0, 0), 1 / 1.5));
    CHECK(part.factor(1, 0) == 1);  // no more than 1
}

void test_one_cycle() {
    const RunningSchedule cycle(OneCycle{}, 10, 4);
    CHECK(near(cycle.factor(0, 0), 0.04) && near(cycle.factor(1, 2), 0.52));
    CHECK(near(cycle.factor(3, 0), 1) && near(cycle.factor(6, 2), (1 + 4e-6) / 2));
    const RunningSchedule longer(OneCycle{0.5, 0, 0, 40}, 30, 1);
    CHECK(near(longer.factor(10, 0), 0.5) && near(longer.factor(20, 0), 1));
}

void test_plateau() {
    RunningSchedule plateau(ReduceOnPlateau{0.5, 2, 0.1, 0.2}, 20, 1);
    std::int64_t epoch = 0;
    const auto after = [&](double loss) {
        plateau.after_epoch(epoch++, loss);
        return plateau.factor(epoch, 0);
    };
    CHECK(plateau.factor(0, 0) == 1);
    CHECK(after(1.0) == 1);
    CHECK(after(0.95) == 1);
    CHECK(after(0.92) == 0.5);  // two epochs without a loss below 0.9
    CHECK(after(0.91) == 0.5);
    CHECK(after(0.85) == 0.5);  // a gain in time
    CHECK(after(0.8) == 0.5);   // none: the best is still 0.85
    CHECK(after(0.76) == 0.25);
    CHECK(after(not_a_number) == 0.25);
    CHECK(after(infinity) == 0.2);  // the minimum
    CHECK(after(5) == 0.2 && after(5) == 0.2);

    RunningSchedule loss_of_minus_infinity(ReduceOnPlateau{0.5, 1}, 20, 1);
    for (std::int64_t i = 0; i < 3; ++i) loss_of_minus_infinity.after_epoch(i, -infinity);
    CHECK(loss_of_minus_infinity.factor(3, 0) == 0.25);
}

void test_sequence() {
    const Sequence sequence{
        {pointer(Constant{}), pointer(ReduceOnPlateau{0.5, 1}), pointer(CosineDecay{})}, {2, 5}};
    RunningSchedule running(sequence, 9, 2);
    CHECK(running.factor(0, 0) == 1 && running.factor(1, 1) == 1);
    running.after_epoch(0, 1.0);
    running.after_epoch(1, 1.0);
    CHECK(running.factor(2, 0) == 1);  // its clock has just begun
    running.after_epoch(2, 3.0);
    CHECK(running.factor(3, 0) == 1);
    running.after_epoch(3, 3.0);
    CHECK(running.factor(4, 1) == 0.5);
    CHECK(running.factor(5, 0) == 1 && near(running.factor(7, 0), 0.5));

    const RunningSchedule decays(
        Sequence{{pointer(StepDecay{2, 0.5}), pointer(OneCycle{}), pointer(ExponentialDecay{0.5})},
                 {3, 13}},
        15, 4);
    CHECK(decays.factor(2, 3) == 0.5 && near(decays.factor(6, 0), 1));
    CHECK(decays.factor(13, 0) == 1 && near(decays.factor(14, 0), 0.5));

    const RunningSchedule alone(Sequence{{pointer(StepDecay{2, 0.5})}, {}}, 5, 4);
    CHECK(alone.factor(4, 0) == 0.25);
}

void test_spans() {
    const auto refused = [](const Schedule& schedule, std::int64_t epochs,
                            const std::string& words) {
        CHECK_THROWS((check_spans(schedule, epochs), 0), words);
        CHECK_THROWS(RunningSchedule(schedule, epochs, 1), words);
    };
    const CosineDecay fifty{0, 0, 50};
    refused(fifty, 100,
            "CosineDecay ends after 50 epochs, but has to span 100 (training has 100 epochs); give "
            "it epochs=100 or None");
    refused(OneCycle{0.3, 0.04, 0, 99}, 100, "OneCycle ends after 99 epochs");
    refused(CosineDecay{5}, 5, "warmup must be less than the 5 epochs that CosineDecay spans");
    refused(Sequence{{pointer(Constant{}), pointer(fifty)}, {9}}, 60,
            "schedules[1] of Sequence, CosineDecay ends after 50 epochs, but has to span 51");
    refused(Sequence{{pointer(fifty), pointer(Constant{})}, {51}}, 60, "schedules[0] of Sequence");
    const Sequence late{{pointer(Constant{}), pointer(Constant{})}, {60}};
    refused(late, 60, "schedules[1] of Sequence, Constant begins at epoch 60, but training has 60");
    refused(Sequence{}, 5, "schedules must be at least one");

    CHECK((check_spans(fifty, 50), true));
    CHECK((check_spans(late, 61), true));
    CHECK((check_spans(CosineDecay{5}, 6), true));
    CHECK((check_spans(CosineDecay{5, 0, 9}, 3), true));
    CHECK((check_spans(Sequence{{pointer(fifty), pointer(fifty)}, {50}}, 100), true));
}

void test_allocation() {
    const Sequence sequence{{pointer(ReduceOnPlateau{0.1, 1}), pointer(StepDecay{1}),
                             pointer(ExponentialDecay{}), pointer(InverseScaling{}),
                             pointer(CosineDecay{}), pointer(OneCycle{}), pointer(Constant{})},
                            {2, 4, 6, 8, 10, 12}};
    const std::size_t start = allocation_count();
    RunningSchedule running(sequence, 20, 3);
    const std::size_t before = allocation_count();
    CHECK(before > start);
    double sum = 0;
    for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
        for (std::int64_t step = 0; step < 3; ++step) sum += running.factor(epoch, step);
        running.after_epoch(epoch, 1.0);
    }
    const std::size_t after = allocation_count();
    CHECK(after == before);
    CHECK(sum > 0);
}

}  // namespace

int main() {
    test_decays();
    test_cosine_decay();
    test_one_cycle();
    test_plateau();
    test_sequence();
    test_spans();
    test_allocation();
    return finish();
}
