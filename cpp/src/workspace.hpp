// The memory of forward and backward passes, and the passes themselves over any number of rows.
//
// Why: losses, gradients and training all are the same walk: take a chunk of rows,
// standardise it, run the network, look at the likelihood, run back. Here it stands once; all
// memory is allocated by the constructor.
//
// Contract: data and losses are in the user's units. `gradient` is a flat buffer as the plan lays
// out the parameters. All passes run in evaluation mode, but for `training_step`. A workspace
// serves one caller at a time; passes of many rows use the pool's threads, as many as it is given.
// Results are the same bits at any number of them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "custom_likelihood.hpp"
#include "kernels/table.hpp"
#include "likely/model.hpp"
#include "stabilizer.hpp"

namespace likely {

template <class T>
class Workspace {
  public:
    /// Keeps a reference to the model, which must stay. Larger inputs are taken in chunks, unless
    /// `whole`. A stabilizer acts in training steps; a Warmup has its epochs.
    Workspace(const Model<T>& model, std::int64_t most_rows, int threads = 1, bool whole = false,
              const std::optional<Stabilizer>& stabilizer = std::nullopt);

    /// The sum of weight * negative log-likelihood. Throws what a custom density throws, as do the
    /// next two.
    double loss(const Rows<T>& rows);

    /// The same, and gradient_scale times its derivative into `gradient`.
    double loss_and_gradient(const Rows<T>& rows, double gradient_scale, T* gradient);

    /// The same in training mode: dropout masks are drawn, batch normalisation sees the batch, and
    /// the gradient is that of the stabilizer.
    double training_step(const Rows<T>& rows, double gradient_scale, TrainingPosition position,
                         T* gradient, const Team& team);

    /// For training steps of so many rows; a team of it is for `training_step`.
    Scheduler training_scheduler(std::int64_t rows) const {
        return {threads_, multiply_adds(3, rows)};
    }

    /// Steps of plain gradient descent, one row each, in the model's parameters.
    bool has_sample_steps() const { return linear_ && plan_.targets == 1; }
    SampleResult sample_steps(const Rows<T>& rows, const SGD& optimizer, double learning_rate,
                              T* parameters) const noexcept;

    /// Whether the batch normalisations' moments of the last training step are numbers.
    bool has_finite_moments(std::int64_t rows) const noexcept;

    /// Moves the moving averages by the moments of the last training step, of so many rows.
    void move_averages(std::int64_t rows, T* averages) const noexcept;

  private:
    /// The rows [begin, begin + count) as the network sees them, copied only where they must be.
    Rows<T> chunk(const Rows<T>& rows, std::int64_t begin, std::int64_t count,
                  const Team& team) noexcept;

    template <class Use>
    void for_moments(std::int64_t rows, Use&& use) const noexcept;
    /// What the loss of rows gains in the user's units: a log density loses the log of the scale.
    double unit_change(const Rows<T>& rows) const noexcept;
    /// The sum of the losses; their derivatives are brought to `d_raw` and `d_shared`.
    double likelihood(const Rows<T>& part, const TrainingPosition* position, double gradient_scale,
                      T* d_raw, T* d_shared, bool accumulate, const Team& team);
    /// `team` null: a team of its own for each chunk.
    double pass(const Rows<T>& rows, double gradient_scale, TrainingPosition* position, T* gradient,
                const Team* team);
    /// Of some passes over so many rows.
    double multiply_adds(int passes, std::int64_t rows) const;

    const Model<T>& model_;
    const Plan& plan_;
    const Kernels<T>& kernels_;
    std::int64_t capacity_;
    bool linear_;  ///< passes with a gradient are those of `Kernels::linear`
    int threads_;  ///< that the largest pass may use
    Scheduler evaluation_;
    std::vector<T> input_mean_, input_inverse_scale_, target_mean_, target_inverse_scale_;
    Standardization<T> standardization_;
    std::vector<double> log_target_scale_;
    AlignedVector<T> workspace_, scratch_, x_, y_, weight_, event_;
    std::int64_t likelihood_block_;     ///< rows whose losses are summed by themselves
    std::vector<double> block_losses_;  ///< empty where the likelihood is not cut
    CustomLikelihood<T> custom_likelihood_;
    std::optional<StabilizedLikelihood<T>> stabilized_likelihood_;
};

extern template class Workspace<float>;
extern template class Workspace<double>;

}  // namespace likely
