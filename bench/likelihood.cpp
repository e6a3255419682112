// What bench_likelihood.py calls: a batch likelihood with gradient, of a kernel set or by hand.
//
// A shared library, compiled for this machine together with cpp/src/plan.cpp. It opens the kernel
// sets of the installed package, which must have been built from this source.
#include <dlfcn.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernels/table.hpp"
#include "likelihood_loops.hpp"
#include "plan.hpp"

namespace {

using namespace likely;

constexpr float levels[] = {0.05f, 0.25f, 0.5f, 0.75f, 0.95f};

struct Family {
    std::string name;
    Distribution distribution;
    double (*loop)(const loops::Rows&);
    std::int64_t targets = 1;
};

template <class Inner>
DistributionPointer pointer() {
    return std::make_shared<const Distribution>(Inner{});
}

const Family* find(const char* name) {
    static const std::vector<Family> families = {
        {"Normal", Normal{}, loops::normal},
        {"Laplace", Laplace{}, loops::laplace},
        {"Logistic", Logistic{}, loops::logistic},
        {"LogNormal", LogNormal{}, loops::log_normal},
        {"Exponential", Exponential{}, loops::exponential},
        {"Weibull", Weibull{}, loops::weibull},
        {"Bernoulli", Bernoulli{}, loops::bernoulli},
        {"Categorical(10)", Categorical{10}, loops::categorical<10>},
        {"Ordinal(5)", Ordinal{5}, loops::ordinal<5>},
        {"Quantiles(5)", Quantiles{{levels, levels + 5}},
         [](const loops::Rows& rows) { return loops::quantiles(rows, levels); }},
        {"Mixture(Normal, 3)", Mixture{pointer<Normal>(), 3}, loops::normal_mixture<3>},
        {"MultivariateNormal, 3 columns", MultivariateNormal{}, loops::multivariate_normal<3>, 3},
        {"StudentT", StudentT{}, loops::student_t},
        {"Gamma", Gamma{}, loops::gamma},
        {"Beta", Beta{}, loops::beta},
        {"VonMises", VonMises{}, loops::von_mises},
        {"Poisson", Poisson{}, loops::poisson},
        {"NegativeBinomial", NegativeBinomial{}, loops::negative_binomial},
        {"ZeroInflated(Poisson)", ZeroInflated{pointer<Poisson>()}, loops::zero_inflated_poisson},
        {"Binomial(20)", Binomial{20}, loops::binomial<20>},
    };
    for (const Family& family : families) {
        if (family.name == name) return &family;
    }
    return nullptr;
}

const KernelTable* open_set(const char* path) {
    void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void* const function = library ? dlsym(library, "likely_kernel_table") : nullptr;
    return function ? reinterpret_cast<const KernelTable* (*)()>(function)() : nullptr;
}

}  // namespace

/// Seconds of one evaluation, the mean of `repetitions`: of the kernel set at `path`, by hand where
/// it is null. Negative where there is no such family or set, or not so many raw parameters.
extern "C" double run(const char* name, const char* path, std::int64_t rows, std::int64_t raw_width,
                      std::int64_t shared_count, const float* y, const float* raw,
                      const float* shared, float* d_raw, float* d_shared, double* loss,
                      std::int64_t repetitions) {
    using Clock = std::chrono::steady_clock;
    const Family* const family = find(name);
    const KernelTable* const table = path ? open_set(path) : nullptr;
    if (!family || (path && !table)) return -1;
    Plan plan;
    place_distribution(plan, family->distribution, family->targets);
    if (plan.raw_width != raw_width || plan.shared_count != shared_count) return -1;
    if (shared_count > 0) plan.shared = 0;
    // As much as any family of the list needs: 2 * 10 + 3 numbers for each of 64 rows.
    alignas(64) static float scratch[64 * 32];
    const double scale = 1.0 / static_cast<double>(rows);

    const auto start = Clock::now();
    for (std::int64_t i = 0; i < repetitions; ++i) {
        if (table) {
            *loss = table->float_.likelihood(plan, shared, raw, {.y = y, .rows = rows}, scale,
                                             scratch, d_raw, d_shared, false);
        } else {
            *loss =
                family->loop({rows, y, raw, shared, static_cast<float>(scale), d_raw, d_shared});
        }
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return seconds / static_cast<double>(repetitions);
}
