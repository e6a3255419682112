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

namespace likely {

/// Borrowed data in the user's units, C-order: x rows x inputs, y rows x targets, weight rows or
/// null.
template <class T>
struct Dataset {
    const T* x = nullptr;
    const T* y = nullptr;
    const T* weight = nullptr;
    std::int64_t rows = 0;
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
    std::int64_t best_epoch =
        -1;  ///< with the lowest validation loss, or -1 without validation data
    std::int64_t steps = 0;
    double seconds = 0;
    std::string
        stopped;  ///< "epochs", "early stopping", "callback", "interrupted"; empty: not begun
};

struct Hooks {
    std::function<bool(const EpochReport&)> after_epoch;  ///< true: stop
    std::function<void()> poll;  ///< called about ten times a second, between steps
};

/// The loss stopped being a number.
struct DivergedError : std::runtime_error {
    using std::runtime_error::runtime_error;
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
