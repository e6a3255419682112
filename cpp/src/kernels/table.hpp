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
#include "../rng.hpp"
#include "../threads.hpp"
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

/// Rows of a data set: row i is row order[i] of the arrays, or row i where `order` is null.
/// `weight` null: all 1.
template <class T>
struct Rows {
    const T* x;
    const T* y = nullptr;
    const T* weight = nullptr;
    const T* event = nullptr;  ///< count x targets; 0 where a target is right-censored; null: none
    const std::int64_t* order = nullptr;
    std::int64_t count = 0;
    /// Of the rows that follow in `order`, those that are asked for next, if they may not be in a
    /// cache.
    std::int64_t ahead = 0;
};

/// (x - mean) * inverse_scale, column by column; null: as they are.
template <class T>
struct Standardization {
    const T* input_mean = nullptr;
    const T* input_inverse_scale = nullptr;
    const T* target_mean = nullptr;
    const T* target_inverse_scale = nullptr;
};

/// What the step of a linear model is computed of and brought to.
template <class T>
struct LinearBatch {
    const Plan& plan;
    const Rows<T>& rows;
    Standardization<T> standardization;
    const T* parameters;
    double gradient_scale;
    T* gradient;
};

/// Steps of plain gradient descent, one sample each, and what they come to.
template <class T>
struct SampleSteps {
    const Plan& plan;
    const Rows<T>& rows;  ///< a step each; without weights and events
    Standardization<T> standardization;
    const SGD& optimizer;  ///< without momentum
    double learning_rate;
    T* parameters;
};
struct SampleResult {
    std::int64_t steps;  ///< made; the next one's numbers are not finite, if these are not all
    double loss, largest_norm;  ///< the losses' sum, and of the gradients' norms
};

template <class T>
struct Kernels {
    /// Numbers of scratch memory that the functions below need on each thread.
    std::int64_t (*scratch_size)(const Plan&);

    /// The first `columns` of out row i = (x row order[i] - mean) / scale; rows stand `stride`
    /// numbers apart. `order` null: rows as they stand; `mean` null: unscaled. The `ahead` rows
    /// that follow in `order` are asked for next.
    void (*gather)(const T* x, std::int64_t columns, std::int64_t stride, const std::int64_t* order,
                   std::int64_t rows, std::int64_t ahead, const T* mean, const T* inverse_scale,
                   T* out);

    bool (*all_finite)(const T* values, std::int64_t count);

    /// Writes the activations and, at plan.raw, the raw parameters into the workspace. Each member
    /// of the team has its own scratch, one after the other; here and in `backward`. One row
    /// needs no scratch; one thread no matrices from plan.gradient_in on.
    void (*forward)(const Plan&, const Mode<T>&, const T* parameters, const T* x, std::int64_t rows,
                    std::int64_t capacity, T* workspace, T* scratch, const Team&);

    /// From d loss / d raw (in the workspace at plan.gradient_in) to the gradient of the
    /// parameters, in the mode of the forward pass before it.
    void (*backward)(const Plan&, const Mode<T>&, const T* parameters, const T* x,
                     std::int64_t rows, std::int64_t capacity, T* workspace, T* scratch,
                     T* gradient, bool accumulate, const Team&);

    /// The sum over rows of weight * negative log-likelihood. Unless `d_raw` is null, also
    /// gradient_scale times its derivatives: by raw parameters into `d_raw`, by learned constants
    /// into `d_shared`.
    double (*likelihood)(const Plan&, const T* shared, const T* raw, const Targets<T>&,
                         double gradient_scale, T* scratch, T* d_raw, T* d_shared, bool accumulate);

    /// Whether a plan has one dense layer and so few weights that `linear` is for it.
    bool (*is_linear)(const Plan&);

    /// Gather, forward, likelihood and backward in one.
    double (*linear)(const LinearBatch<T>&);

    /// The steps of such a model with one target, one after the other. Returns how many were made;
    /// where these are not all, the next one's numbers are not finite.
    SampleResult (*sample_steps)(const SampleSteps<T>&);

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

    /// A uniformly random permutation of 0 .. rows - 1 (docs/conventions.md, Randomness).
    void (*shuffle)(const Philox& random, std::int64_t rows, std::int64_t* order);

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
