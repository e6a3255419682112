// The fit loop, its options and its history.
//
// Contract: `fit` checks its data first and throws std::invalid_argument (naming the argument, the
// first bad row and what was expected) before anything is changed. It then runs without allocation
// inside a step. An exception thrown by a hook ends the fit between two steps and passes through;
// the model then holds the parameters of the last step.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "likely/model.hpp"
#include "likely/optimizers.hpp"
#include "likely/schedules.hpp"
#include "likely/stabilizers.hpp"

namespace likely {

/// Borrowed data in the user's units, C-order: x rows x inputs, y rows x targets, weight rows or
/// null.
template <class T>
struct Dataset {
    const T* x = nullptr;
    const T* y = nullptr;
    const T* weight = nullptr;
    std::int64_t rows = 0;
    /// Rows x targets; 0: the target is right-censored at y (all that is known is that it is
    /// beyond), 1: it was seen. Null: all were. For families with a log_survival.
    const T* event = nullptr;
};

struct TrainerOptions {
    Optimizer optimizer = Adam{};
    std::optional<std::int64_t> batch_size = 32;  ///< none: the whole set
    std::int64_t epochs = 100;
    bool shuffle = true;
    bool drop_last = false;
    std::optional<std::int64_t>
        patience;  ///< stop after so many epochs without a new best validation loss
    std::uint64_t seed = 0;
    Schedule schedule = Constant{};
    /// The objective is mean loss + l1 sum |w| + (l2 / 2) sum w^2, w the weights of dense layers.
    double l1 = 0, l2 = 0;
    bool penalize_biases = false;
    std::optional<double> clip_value;  ///< each component of the gradient, in absolute value
    std::optional<double> clip_norm;   ///< the L2 norm of the whole gradient
    std::optional<Stabilizer> stabilize;
    /// At most so many threads, where a step is worth it; none: as many as the process may use (see
    /// docs/conventions.md, "Threads"). The results are the same bits.
    std::optional<std::int64_t> threads;

    void validate() const;
};

struct EpochReport {
    std::int64_t epoch;  ///< from 0
    double loss;
    std::optional<double> validation_loss;
};

/// Losses are mean negative log-likelihoods in the user's units.
struct History {
    std::vector<double> loss;
    std::vector<double> validation_loss;
    std::vector<double> learning_rate;  ///< of the last step of each epoch
    std::vector<double> gradient_norm;  ///< the largest L2 norm in each epoch, before clipping
    std::int64_t best_epoch =
        -1;  ///< with the lowest validation loss, or -1 without validation data
    std::int64_t steps = 0;
    double seconds = 0;
    std::string stopped;  ///< "epochs", "early stopping", "callback", "interrupted", "diverged";
                          ///< empty: not begun
};

struct Hooks {
    std::function<bool(const EpochReport&)> after_epoch;  ///< true: stop
    std::function<void()> poll;  ///< called about ten times a second, between steps
};

/// The loss, the gradient or an updated parameter stopped being finite. The model holds its last
/// finite parameters: the step is not applied, or, where only some of the updated parameters would
/// not be finite, these keep their values from before it.
struct DivergedError : std::runtime_error {
    DivergedError(const std::string& message, std::int64_t at_epoch, std::int64_t at_step,
                  double largest_gradient_norm)
        : std::runtime_error(message),
          epoch(at_epoch),
          step(at_step),
          gradient_norm(largest_gradient_norm) {}

    std::int64_t epoch, step;  ///< from 0; the step counted over the whole fit
    double gradient_norm;      ///< the largest L2 norm of the gradient before
};

/// Fills `history` as it goes (once the data are checked), so that what was reached is known even
/// when a hook throws.
template <class T>
void fit(Model<T>& model, const TrainerOptions& options, const Dataset<T>& data,
         const std::optional<Dataset<T>>& validation, const Hooks& hooks, History& history);

extern template void fit(Model<float>&, const TrainerOptions&, const Dataset<float>&,
                         const std::optional<Dataset<float>>&, const Hooks&, History&);
extern template void fit(Model<double>&, const TrainerOptions&, const Dataset<double>&,
                         const std::optional<Dataset<double>>&, const Hooks&, History&);

}  // namespace likely
