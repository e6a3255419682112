#include "threads.hpp"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif

namespace likely {
namespace {

std::string range() { return "a whole number from 1 to " + std::to_string(most_threads); }

int available_threads() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return std::clamp(CPU_COUNT(&set), 1, most_threads);
#endif
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, most_threads);
}

int threads_from_environment() {
    const char* const text = std::getenv("LIKELY_NUM_THREADS");
    if (text == nullptr || *text == '\0') return available_threads();
    int count = 0;
    const char* const end = text + std::strlen(text);
    const auto [stopped, error] = std::from_chars(text, end, count);
    if (error != std::errc() || stopped != end || count < 1 || count > most_threads) {
        throw std::invalid_argument("LIKELY_NUM_THREADS=" + std::string(text) + " is not " +
                                    range() + "; correct it, or unset it to use all CPUs");
    }
    return count;
}

std::atomic<int> chosen_threads{0};  // 0: not chosen

inline void pause_briefly() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

/// Waits for ready() a moment, some 50 microseconds; whether it came.
template <class Ready>
bool spin(Ready ready) {
    for (int i = 0; i < 2000; ++i) {
        if (ready()) return true;
        pause_briefly();
    }
    return false;
}

/// The same, but gives way to other threads, some 100 microseconds where there are none.
template <class Ready>
bool yield(Ready ready) {
    for (int i = 0; i < 200; ++i) {
        if (ready()) return true;
        std::this_thread::yield();
    }
    return false;
}

std::atomic<bool> always{false};

}  // namespace

void check_threads(const char* argument, std::int64_t count) {
    if (count >= 1 && count <= most_threads) return;
    throw std::invalid_argument(std::string(argument) + " must be " + range() + "; got " +
                                std::to_string(count));
}

int default_threads() {
    const int chosen = chosen_threads.load(std::memory_order_relaxed);
    if (chosen > 0) return chosen;
    static const int initial = threads_from_environment();
    return initial;
}

void set_default_threads(std::int64_t count) {
    check_threads("count", count);
    chosen_threads = static_cast<int>(count);
}

/// The threads of a process. A slot belongs to a worker and holds the state of its piece of the
/// job; whoever takes the piece from `posted` to `taken`, its worker or the caller, does it.
class Pool {
  public:
    /// The pool with at least `size` members (fewer where the system has no more threads), for the
    /// caller alone until `leave`; null: it is taken.
    static Pool* enter(int& size) noexcept {
        Pool* pool = current.load(std::memory_order_acquire);
        if (pool == nullptr) {
            pool = create();
            if (pool == nullptr) return nullptr;
        }
        if (pool->taken_.exchange(true, std::memory_order_acquire)) return nullptr;
        pool->waited_ = 0;
        pool->grow(size);
        pool->make_way();
        size = std::min(size, pool->workers_ + 1);
        return pool;
    }
    /// Returns how many seconds the caller has waited for others, beyond a moment each time.
    double leave() noexcept {
        const double waited = waited_;
        taken_.store(false, std::memory_order_release);
        return waited;
    }

    static void run(Pool& pool, int pieces, void (*task)(const void*, int, int),
                    const void* context) noexcept {
        if (current.load(std::memory_order_relaxed) != &pool) {  // forked while it was taken
            for (int i = 0; i < pieces; ++i) task(context, i, 0);
            return;
        }
        pool.task_ = task;
        pool.context_ = context;
        for (int i = 1; i < pieces; ++i) pool.slot(i).post(State::posted);
        task(context, 0, 0);
        for (int i = 1; i < pieces; ++i) {
            Slot& slot = pool.slot(i);
            if (slot.take()) {
                task(context, i, 0);
                slot.state.store(State::idle, std::memory_order_relaxed);
            }
        }
        for (int i = 1; i < pieces; ++i) {
            const Slot& slot = pool.slot(i);
            const auto done = [&] {
                return slot.state.load(std::memory_order_acquire) == State::idle;
            };
            if (spin(done)) continue;
            const Clock::time_point start = Clock::now();
            while (!yield(done)) {
            }
            pool.waited_ += seconds_between(start, Clock::now());
        }
    }

  private:
    enum State : int { idle, posted, taken, stop };

    struct alignas(64) Slot {
        std::atomic<int> state{State::idle};
        std::atomic<bool> sleeps{false};
        std::thread thread;

        void post(State what) noexcept {
            state.store(what);  // before `sleeps` is read, in the one order of all threads
            if (sleeps.load()) state.notify_one();
        }
        bool take() noexcept {
            int expected = State::posted;
            return state.compare_exchange_strong(expected, State::taken, std::memory_order_acquire,
                                                 std::memory_order_relaxed);
        }
    };

    static Pool* create() noexcept {
        static const int registered = pthread_atfork(nullptr, nullptr, [] { current = nullptr; });
        if (registered != 0) return nullptr;
        Pool* const made = new (std::nothrow) Pool;
        Pool* expected = nullptr;
        if (made == nullptr || current.compare_exchange_strong(expected, made)) return made;
        delete made;
        return expected;
    }

    Slot& slot(int member) noexcept { return *slots_[static_cast<std::size_t>(member)]; }

    void grow(int size) noexcept {
        while (workers_ + 1 < size) {
            auto& slot = slots_[static_cast<std::size_t>(workers_ + 1)];
            sigset_t all, before;  // signals are for the program's own threads
            sigfillset(&all);
            pthread_sigmask(SIG_SETMASK, &all, &before);
            try {
                slot = std::make_unique<Slot>();
                slot->thread = std::thread(&Pool::work, this, slot.get(), workers_ + 1);
                ++workers_;
            } catch (const std::exception&) {  // no memory or no threads: with those there are
                slot.reset();
                size = workers_ + 1;
            }
            pthread_sigmask(SIG_SETMASK, &before, nullptr);
        }
    }

    /// Keeps workers off the caller's CPU. A system may wake a thread on the CPU that woke it, and
    /// leave it waiting there for tens of milliseconds while another CPU has nothing to do.
    void make_way() noexcept {
#if defined(__linux__)
        const int cpu = sched_getcpu();
        if (cpu != avoided_cpu_) avoiding_ = 0;
        avoided_cpu_ = cpu;
        cpu_set_t others;
        if (avoiding_ == workers_ || cpu < 0 || cpu >= CPU_SETSIZE ||
            sched_getaffinity(0, sizeof others, &others) != 0)
            return;
        CPU_CLR(static_cast<std::size_t>(cpu), &others);
        if (CPU_COUNT(&others) == 0) return;  // the caller is pinned
        while (avoiding_ < workers_) {
            pthread_setaffinity_np(slot(++avoiding_).thread.native_handle(), sizeof others,
                                   &others);
        }
#endif
    }

    void work(Slot* slot, int member) noexcept {
        const auto called = [&] {
            const int state = slot->state.load(std::memory_order_relaxed);
            return state == State::posted || state == State::stop;
        };
        while (true) {
            if (!spin(called) && !yield(called)) {
                slot->sleeps = true;
                slot->state.wait(State::idle);
                slot->sleeps = false;
            }
            if (slot->state.load(std::memory_order_relaxed) == State::stop) return;
            if (!slot->take()) continue;  // the caller has it
            task_(context_, member, member);
            slot->state.store(State::idle, std::memory_order_release);
        }
    }

    /// Ends the threads where the program ends or unloads this library, unless someone is at work.
    struct Ending {
        ~Ending() {
            Pool* const pool = current.load();
            if (pool == nullptr || pool->taken_.exchange(true)) return;
            for (int i = 1; i <= pool->workers_; ++i) {
                pool->slot(i).post(State::stop);
                pool->slot(i).thread.join();
            }
        }
    };

    // A child of a fork has no threads: it leaves the parent's pool where it is and makes another.
    static inline std::atomic<Pool*> current{nullptr};
    static inline Ending ending;

    std::atomic<bool> taken_{false};
    int workers_ = 0;
    int avoided_cpu_ = -1, avoiding_ = 0;  ///< so many workers keep off that CPU
    double waited_ = 0;
    void (*task_)(const void*, int, int) = nullptr;
    const void* context_ = nullptr;
    std::array<std::unique_ptr<Slot>, most_threads> slots_;
};

namespace {

// A pause doubles while teams go on losing.
constexpr double shortest_pause = 0.02, longest_pause = 0.3;
/// A job is for so many threads at most that each has this many multiply-adds of it: those that no
/// core is expected to do in less than 25 microseconds.
constexpr double least_share = 2.5e6;
/// What teams may lose before they pause: seconds, or this many jobs.
constexpr double smallest_budget = 2e-3, budget_in_jobs = 2;
/// Of so many jobs some are done alone, to know how long that takes: from this one on, and at once
/// where the caller waits for this share of a job.
constexpr std::int64_t jobs_a_trial = 256, first_trial = 64;
constexpr double suspicious_share = 0.25;
/// Threads that wait for a job slow down another one where two share a core, so what one thread
/// takes is measured once they sleep, so many seconds after their last job, or by a job so long
/// that they sleep for most of it.
constexpr double until_asleep = 2e-4, long_job = 2e-3;

}  // namespace

Scheduler::Scheduler(int threads, double multiply_adds)
    : size_(always ? threads
                   : static_cast<int>(std::clamp(multiply_adds / least_share, 1.0,
                                                 static_cast<double>(threads)))),
      pause_(shortest_pause) {}

void Scheduler::use_always(bool value) { always = value; }

bool Scheduler::wants_team(Clock::time_point now) noexcept {
    if (always) return true;
    if (now < paused_until_) return false;
    trial_ = trial_ || (alone_ == 0 && suspicious_) || jobs_++ % jobs_a_trial == first_trial;
    return !trial_;
}

void Scheduler::learn(Clock::time_point start, Clock::time_point end, double work, bool team,
                      double waited) noexcept {
    const double seconds = seconds_between(start, end);
    if (!team) {
        if (seconds_between(last_team_, start) < until_asleep && seconds < long_job) return;
        const double measured = seconds / work;
        alone_ = alone_ == 0 || measured < alone_
                     ? measured
                     : alone_ + (std::min(measured, 2 * alone_) - alone_) / 16;
        trial_ = false;
        return;
    }
    last_team_ = end;
    suspicious_ = waited > suspicious_share * seconds;
    if (alone_ == 0) return;
    const double budget = std::max(smallest_budget, budget_in_jobs * alone_ * work);
    credit_ = std::min(credit_ + alone_ * work - seconds, budget);
    if (credit_ < -budget) {
        paused_until_ = end + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double>(pause_));
        pause_ = std::min(2 * pause_, longest_pause);
        credit_ = -budget / 2;  // on probation
    } else if (credit_ == budget) {
        pause_ = shortest_pause;
    }
}

void Scheduler::Job::begin() noexcept {
    start_ = Clock::now();
    if (!scheduler_.wants_team(start_)) return;
    int size = scheduler_.size_;
    if (Pool* const pool = Pool::enter(size)) team_ = Team(*pool, size, &Pool::run);
}

void Scheduler::Job::end() noexcept {
    const double waited = team_.pool_ ? team_.pool_->leave() : 0;
    scheduler_.learn(start_, Clock::now(), static_cast<double>(work_), team_.pool_ != nullptr,
                     waited);
}

}  // namespace likely
