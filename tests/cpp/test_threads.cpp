// The pool: every piece once, joins that are seen, teams of many callers at once, forks, bad
// numbers; and fits whose bits do not depend on the number of threads.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <thread>
#include <vector>

#include "check.hpp"
#include "halves.hpp"
#include "inference.hpp"
#include "likely/trainer.hpp"
#include "threads.hpp"

using namespace likely;

namespace {

void test_cuts() {
    for (const std::int64_t whole : {1, 31, 32, 63, 64, 65, 95, 96, 97, 127, 128, 1000, 1024}) {
        for (int most = 1; most <= 9; ++most) {
            const int pieces =
                static_cast<int>(std::clamp<std::int64_t>(whole / fewest_rows, 1, most));
            std::int64_t next = 0;
            bool good = true;
            for (int i = 0; i < pieces; ++i) {
                const Piece piece = Team::cut(whole, row_unit, i, pieces, 0);
                good &= piece.begin == next && piece.begin % row_unit == 0;
                good &= pieces == 1 || piece.size() >= fewest_rows;
                next = piece.end;
            }
            CHECK(good && next == whole);
        }
    }
}

/// Jobs after each other, each of which reads what the one before it wrote elsewhere.
bool adds_up(int threads, int jobs) {
    Scheduler scheduler(threads, 1e11);
    std::vector<std::int64_t> from(1000, 1), to(1000);
    bool good = true;
    for (int round = 0; round < jobs; ++round) {
        const Scheduler::Job job(scheduler, 1);
        for (int step = 0; step < 5; ++step) {
            job.team().split(1000, 1, 1, [&](const Piece& piece) {
                for (std::int64_t i = piece.begin; i < piece.end; ++i)
                    to[static_cast<std::size_t>(i)] = from[static_cast<std::size_t>(999 - i)] + 1;
            });
            from.swap(to);
        }
        good &= std::accumulate(from.begin(), from.end(), std::int64_t{0}) ==
                1000 * (1 + 5 * (round + 1));
    }
    return good;
}

void test_jobs() {
    for (const int threads : {1, 2, 3, 7}) CHECK(adds_up(threads, 300));
    // After a sleep, too.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(adds_up(4, 20));
    // More than one member takes part.
    Scheduler scheduler(3, 1e11);
    std::atomic<int> others{0};
    for (int i = 0; i < 200; ++i) {
        const Scheduler::Job job(scheduler, 1);
        job.team().each(job.team().size(), [&](int, int member) {
            if (member > 0) ++others;
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        });
    }
    CHECK(others > 0);
}

void test_callers_at_once() {
    std::vector<std::thread> callers;
    std::atomic<int> good{0};
    for (int i = 0; i < 6; ++i) callers.emplace_back([&] { good += adds_up(4, 200) ? 1 : 0; });
    for (std::thread& caller : callers) caller.join();
    CHECK(good == 6);
}

/// Which part of so many jobs one thread does alone, where a job takes seconds(by a team, seconds
/// since the last team's job).
template <class Seconds>
double share_alone(int jobs, const Seconds& seconds) {
    using Clock = std::chrono::steady_clock;
    using Duration = std::chrono::duration<double>;
    Scheduler scheduler(2, 1e11);
    Clock::time_point last_team{};
    int alone = 0;
    for (int i = 0; i < jobs; ++i) {
        const Clock::time_point start = Clock::now();
        const Scheduler::Job job(scheduler, 1);
        const bool team = job.team().size() > 1;
        const Duration length(seconds(team, Duration(start - last_team).count()));
        while (Clock::now() - start < length) {
        }
        if (team) last_team = Clock::now();
        alone += team ? 0 : 1;
    }
    return static_cast<double>(alone) / jobs;
}

void test_schedulers() {
    CHECK(Scheduler(8, 1e5).size() == 1);
    CHECK(Scheduler(8, 1e11).size() == 8);
    CHECK(Scheduler(8, 6e6).size() == 2);
    Scheduler::use_always(false);
    // A team that is slower than the caller alone pauses, one that is faster does not.
    CHECK(share_alone(300, [](bool team, double) { return team ? 1e-3 : 1e-4; }) > 0.7);
    CHECK(share_alone(300, [](bool team, double) { return team ? 1e-4 : 4e-4; }) < 0.5);
    // What one thread takes right after a team, whose threads still look for work, is not counted.
    const auto disturbed = [](bool team, double since_team) {
        return team ? 1e-3 : since_team < 1.5e-4 ? 1.9e-3 : 3e-4;
    };
    CHECK(share_alone(600, disturbed) > 0.7);
    Scheduler::use_always(true);
}

void test_numbers() {
    CHECK(default_threads() == 3);  // as main() said
    set_default_threads(5);
    CHECK(default_threads() == 5);
    CHECK_THROWS(set_default_threads(0), "a whole number from 1 to 256; got 0");
    CHECK_THROWS(set_default_threads(257), "got 257");
    CHECK(default_threads() == 5);
    TrainerOptions options;
    options.threads = 0;
    CHECK_THROWS(options.validate(), "threads must be a whole number from 1 to 256; got 0");
}

LayerPointer layer(Layer any) { return std::make_shared<const Layer>(std::move(any)); }

template <class T>
Model<T> model_of_40_inputs() {
    Specification specification;
    specification.inputs = 40;
    specification.targets = 1;
    specification.layers = {layer(Dense{70, Tanh{}}), layer(BatchNorm{}), layer(Dropout{0.2}),
                            layer(Dense{33, ReLU{}})};
    specification.standardize = true;
    return Model<T>(specification, 0);
}

template <class T>
std::vector<T> inputs(std::int64_t rows) {
    std::vector<T> x(static_cast<std::size_t>(rows * 40));
    for (std::size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<T>(std::sin(static_cast<double>(i * i)));
    return x;
}

template <class T>
std::vector<T> fitted(std::int64_t threads) {
    Model<T> model = model_of_40_inputs<T>();
    const std::int64_t rows = 700;
    const std::vector<T> x = inputs<T>(rows);
    std::vector<T> y(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[40 * i] * x[40 * i + 1];
    TrainerOptions options;
    options.batch_size = 300;
    options.epochs = 3;
    options.threads = threads;
    History history;
    const Dataset<T> data{x.data(), y.data(), nullptr, rows};
    fit(model, options, data, std::optional(data), {}, history);
    std::vector<T> result(model.parameters().begin(), model.parameters().end());
    for (const double loss : history.loss) result.push_back(static_cast<T>(loss));
    return result;
}

template <class T>
void test_bits() {
    const std::vector<T> alone = fitted<T>(1);
    for (const int threads : {2, 3, 4, 7}) CHECK(fitted<T>(threads) == alone);

    // Of which layers, rows and teams the inputs are cut.
    const auto in_halves = [](std::int64_t inputs, std::int64_t units, std::int64_t rows,
                              int threads) {
        Specification specification;
        specification.inputs = inputs;
        specification.layers = {layer(Dense{units, ReLU{}})};
        const Model<T> wide(specification, 0);
        Scheduler scheduler(threads, 1.0);
        const Scheduler::Job job(scheduler, 1);
        return first_in_halves<T>(wide.plan(), rows, job.team()) != nullptr;
    };
    for (const int threads : {2, 4}) CHECK(in_halves(300, 260, 100, threads));
    CHECK(!in_halves(300, 260, 100, 1) && !in_halves(300, 260, 100, 3));
    CHECK(!in_halves(300, 260, 31, 2) && !in_halves(300, 260, 300, 2));
    CHECK(!in_halves(300, 200, 100, 2) && !in_halves(300, 1024, 100, 2));
    CHECK(!in_halves(255, 300, 100, 2) && !in_halves(1025, 300, 100, 2));

    const Model<T> model = model_of_40_inputs<T>();
    const auto predicted = [&](const std::vector<T>& x, int threads, bool& finite) {
        const auto rows = static_cast<std::int64_t>(x.size() / 40);
        std::vector<T> raw(static_cast<std::size_t>(rows * model.plan().raw_width));
        finite = Inference<T>(model, rows, threads).if_finite(x.data(), rows, raw.data());
        return raw;
    };
    for (const std::int64_t rows : {1, 63, 257, 2305, 5000}) {
        std::vector<T> x = inputs<T>(rows);
        bool finite = false;
        const std::vector<T> expected = predicted(x, 1, finite);
        CHECK(finite);
        for (const int threads : {2, 3, 7})
            CHECK(predicted(x, threads, finite) == expected && finite);
        x[x.size() - 7] = std::numeric_limits<T>::infinity();
        for (const int threads : {1, 3}) {
            predicted(x, threads, finite);
            CHECK(!finite);
        }
    }
}

#if !defined(__SANITIZE_THREAD__)  // which does not follow a fork of several threads
void test_fork() {
    CHECK(adds_up(4, 10));
    const pid_t child = fork();
    if (child == 0) {
        const bool good = adds_up(4, 50) && fitted<float>(4) == fitted<float>(1);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(adds_up(4, 10));

    // In the middle of a job.
    Scheduler scheduler(4, 1.0);
    const Scheduler::Job job(scheduler, 1);
    CHECK(job.team().size() == 4);
    const pid_t second = fork();
    if (second == 0) {
        int done = 0;
        job.team().each(4, [&](int, int) { ++done; });
        _exit(done == 4 ? 0 : 1);
    }
    CHECK(waitpid(second, &status, 0) == second);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

}  // namespace

int main() {
    setenv("LIKELY_NUM_THREADS", "three", 1);
    CHECK_THROWS(default_threads(), "LIKELY_NUM_THREADS=three is not a whole number from 1 to 256");
    setenv("LIKELY_NUM_THREADS", "0", 1);
    CHECK_THROWS(default_threads(), "LIKELY_NUM_THREADS=0 is not");
    setenv("LIKELY_NUM_THREADS", "3", 1);
    test_numbers();
    test_schedulers();
    test_cuts();
    test_jobs();
    test_callers_at_once();
    test_bits<float>();
    test_bits<double>();
#if !defined(__SANITIZE_THREAD__)
    test_fork();
#endif
    return finish();
}
