// A small pool of threads for the pieces of a training step or of a prediction.
//
// Why: a step of a few hundred microseconds is a dozen products, each of which must be done before
// the next one begins. Threads that spin for a moment between two of them join in half a
// microsecond; a runtime that lets them sleep needs fifty. (docs/decisions/011)
//
// Contract: results do not depend on the number of threads. Whoever cuts work into pieces does it
// so that no number is computed in another way than as a whole (`cut`, and the rule in
// docs/conventions.md). A process has one pool; who finds it taken works alone, so any number of
// threads may train at once. Idle threads sleep. On Linux the pool's threads may run on the CPUs
// that the caller may run on, but for the one it is on. After a fork the child starts a pool of its
// own when it needs one. Tasks do not throw.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <type_traits>

namespace likely {

inline constexpr int most_threads = 256;

/// How many threads are used where nothing else is said: as set, else LIKELY_NUM_THREADS, else as
/// many CPUs as this process may run on. Throws std::invalid_argument where the environment
/// variable is not a number from 1 to `most_threads`.
int default_threads();
/// Throws std::invalid_argument unless `count` is from 1 to `most_threads`.
void set_default_threads(std::int64_t count);
void check_threads(const char* argument, std::int64_t count);

/// Some of all rows (or inputs, or parameters): those from `begin` on, before `end`.
struct Piece {
    std::int64_t begin, end;
    int member;  ///< of the team, who works on it: its scratch memory

    std::int64_t size() const { return end - begin; }
};

class Pool;

/// Who works together on a job: the calling thread, which is member 0, and some of the pool.
class Team {
  public:
    /// The calling thread alone.
    Team() = default;

    int size() const { return size_; }

    /// use(piece, member) for every piece from 0, one for each member at most; returns when all are
    /// done. Piece 0 is the caller's, as is any that its member does not begin in time.
    template <class Use>
    void each(int pieces, Use&& use) const {
        if (pieces <= 1) {
            use(0, 0);
            return;
        }
        run_(
            *pool_, pieces,
            [](const void* context, int piece, int member) {
                (*static_cast<const std::remove_reference_t<Use>*>(context))(piece, member);
            },
            &use);
    }

    /// How many pieces of at least `smallest` there are.
    int pieces(std::int64_t whole, std::int64_t smallest) const {
        return static_cast<int>(std::clamp<std::int64_t>(whole / smallest, 1, size_));
    }

    /// Piece number `index` of so many about equal ones, each a multiple of `unit` but the last.
    static Piece cut(std::int64_t whole, std::int64_t unit, int index, int pieces, int member) {
        const std::int64_t units = (whole + unit - 1) / unit;
        const auto at = [&](int i) { return std::min(units * i / pieces * unit, whole); };
        return {at(index), at(index + 1), member};
    }

    /// use(Piece) for the pieces of a whole.
    template <class Use>
    void split(std::int64_t whole, std::int64_t unit, std::int64_t smallest, Use&& use) const {
        const int count = pieces(whole, smallest);
        each(count, [&](int index, int member) { use(cut(whole, unit, index, count, member)); });
    }

  private:
    friend class Scheduler;
    using Task = void (*)(const void* context, int piece, int member);
    using Run = void (*)(Pool&, int pieces, Task, const void* context);

    // Kernel sets do not link the pool, so they reach it by a pointer.
    Team(Pool& pool, int size, Run run) : pool_(&pool), size_(size), run_(run) {}

    Pool* pool_ = nullptr;
    int size_ = 1;
    Run run_ = nullptr;
};

/// Rows are cut at multiples of 16 into pieces of at least 32, so that no row is left alone
/// (gemm.hpp).
inline constexpr std::int64_t row_unit = 16, fewest_rows = 32;

/// Decides by how many threads jobs of one kind are done: all that may take part, or the caller
/// alone where that is faster, as it is next to a busy neighbour. Which one is faster is measured:
/// a few jobs in a while are done alone, and where those of the team took longer, the team pauses.
class Scheduler {
    using Clock = std::chrono::steady_clock;

  public:
    /// `multiply_adds` of a job: short ones are not worth a team.
    Scheduler(int threads, double multiply_adds);

    /// The size of a team.
    int size() const { return size_; }

    /// One job of so much `work` (in any unit that is the same for all jobs). It begins here and
    /// ends with this object; one thread at a time may have it.
    class Job {
      public:
        Job(Scheduler& scheduler, std::int64_t work) : scheduler_(scheduler), work_(work) {
            if (scheduler.size_ > 1) begin();
        }
        ~Job() {
            if (scheduler_.size_ > 1) end();
        }
        Job(const Job&) = delete;
        Job& operator=(const Job&) = delete;

        const Team& team() const { return team_; }

      private:
        void begin() noexcept;
        void end() noexcept;

        Scheduler& scheduler_;
        std::int64_t work_;
        Team team_;
        Clock::time_point start_;
    };

    /// For tests: whether every job is a team's, however short it is.
    static void use_always(bool always);

  private:
    bool wants_team(Clock::time_point now) noexcept;
    void learn(Clock::time_point start, Clock::time_point end, double work, bool team,
               double waited) noexcept;

    int size_;
    std::int64_t jobs_ = 0;
    double alone_ = 0;   ///< seconds for a unit of work; 0: not known yet
    double credit_ = 0;  ///< seconds that teams have won of late
    bool suspicious_ = false, trial_ = false;
    double pause_;
    Clock::time_point paused_until_{}, last_team_{};
};

}  // namespace likely
