// The one door to the code that depends on the instruction set.
//
// Why: Eigen's templates leave weak symbols that a linker merges, so code for a wide instruction
// set could reach a CPU without it. Everything that uses Eigen is compiled into a kernel set of its
// own, once for each instruction set, and reached through this table of functions over plain
// buffers.
//
// Contract: no function here allocates, throws or keeps state. Matrices are C-order, rows x
// columns.
#pragma once

#include <cstdint>
#include <limits>

#include "../plan.hpp"
#include "likely/optimizers.hpp"

namespace likely {

/// Where in a fit a step stands: what dropout masks are a function of.
struct TrainingPosition {
    std::uint64_t seed = 0, epoch = 0, step = 0;
    std::int64_t first_row = 0;  ///< of the rows at hand, within the batch
};

/// How a network runs: in evaluation mode, or in training mode where `training` is not null.
template <class T>
struct Mode {
    const T* averages = nullptr;
    const TrainingPosition* training = nullptr;
    /// Of the columns of d loss / d raw, how many (the first ones) reach the layers before the
    /// output layer.
    std::int64_t columns_below = std::numeric_limits<std::int64_t>::max();
};

/// One step of an update for a segment of the parameters, whose penalties are the same; the
/// formulas are in docs/conventions.md.
struct Update {
    std::int64_t step = 1;      ///< of the optimizer, from 1
    double learning_rate = 0;   ///< of this step: the optimizer's times the schedule's factor
    double gradient_scale = 1;  ///< min(1, clip_norm / norm), without clip_norm 1
    double clip_value = std::numeric_limits<double>::infinity();
    double l1 = 0;
    double l2 = 0;
    double weight_decay = 0;
};

/// What a batch is to be likely for; `weight` null: all 1.
template <class T>
struct Targets {
    const T* y;
    const T* weight = nullptr;
    /// Rows x targets; 0: the target is right-censored at y. Null: none is.
    const T* event = nullptr;
    std::int64_t rows = 0;
};

template <class T>
struct Kernels {
    /// Numbers of scratch memory that the functions below need for `rows` rows.
    std::int64_t (*scratch_size)(const Plan&, std::int64_t rows);

    /// out row i = (x row order[i] - mean) / scale. `order` null: rows as they stand; `mean` null:
    /// unscaled.
    void (*gather)(const T* x, std::int64_t columns, const std::int64_t* order, std::int64_t rows,
                   const T* mean, const T* inverse_scale, T* out);

    /// Writes the activations and, at plan.raw, the raw parameters into the workspace.
    void (*forward)(const Plan&, const Mode<T>&, const T* parameters, const T* x, std::int64_t rows,
                    std::int64_t capacity, T* workspace, T* scratch);

    /// From d loss / d raw (in the workspace at plan.gradient_in) to the gradient of the
    /// parameters, in the mode of the forward pass before it.
    void (*backward)(const Plan&, const Mode<T>&, const T* parameters, const T* x,
                     std::int64_t rows, std::int64_t capacity, T* workspace, T* scratch,
                     T* gradient, bool accumulate);

    /// The sum over rows of weight * negative log-likelihood. Unless `d_raw` is null, also
    /// gradient_scale times its derivatives: by raw parameters into `d_raw`, by learned constants
    /// into `d_shared`.
    double (*likelihood)(const Plan&, const T* shared, const T* raw, const Targets<T>&,
                         double gradient_scale, T* scratch, T* d_raw, T* d_shared, bool accumulate);

    /// One step for `count` parameters; slot s of parameter i stands at slots[s * stride + i].
    /// False if a new value would not be finite: that parameter keeps its old one, the others move.
    bool (*update)(const Optimizer&, const Update&, std::int64_t count, std::int64_t stride,
                   const T* gradient, T* parameters, T* slots);

    /// The sum of squares, infinite where T cannot hold it.
    double (*squared_norm)(std::int64_t count, const T* gradient);
};

struct KernelTable {
    const char* instruction_set;
    const char* eigen;
    Kernels<float> float_;
    Kernels<double> double_;

    template <class T>
    const Kernels<T>& of() const {
        if constexpr (std::is_same_v<T, float>) {
            return float_;
        } else {
            return double_;
        }
    }
};

/// The kernel set in use: linked in (the library for applications) or loaded for this CPU (the
/// Python module).
const KernelTable& kernel_table();

template <class T>
const Kernels<T>& kernels() {
    return kernel_table().of<T>();
}

}  // namespace likely
