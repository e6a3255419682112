// Prints how many nanoseconds pass until one core sees what the other has stored.
//
// Two threads, each on one of the two CPUs it may run on, hand a number to and fro. Cores that
// share a cache take some 50 ns, those that do not 200; a virtual machine's may be either from one
// second to the next.
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <thread>

constexpr int rounds = 3000, unmeasured = 300;

/// Onto the CPU with this number among those allowed.
void pin(int number) {
    cpu_set_t allowed, chosen;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    CPU_ZERO(&chosen);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &allowed) && number-- == 0) CPU_SET(cpu, &chosen);
    }
    pthread_setaffinity_np(pthread_self(), sizeof chosen, &chosen);
}

int main() {
    using Clock = std::chrono::steady_clock;
    alignas(64) std::atomic<int> number{0};
    std::thread other([&] {
        pin(1);
        for (int i = 0; i < rounds; ++i) {
            while (number.load(std::memory_order_acquire) != 2 * i + 1) {
            }
            number.store(2 * i + 2, std::memory_order_release);
        }
    });
    pin(0);
    Clock::time_point start;
    for (int i = 0; i < rounds; ++i) {
        if (i == unmeasured) start = Clock::now();
        number.store(2 * i + 1, std::memory_order_release);
        while (number.load(std::memory_order_acquire) != 2 * i + 2) {
        }
    }
    const std::chrono::duration<double> taken = Clock::now() - start;
    other.join();
    std::printf("%.6e\n", taken.count() / (2 * (rounds - unmeasured)));
}
