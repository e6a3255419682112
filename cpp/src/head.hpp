// What turns raw parameters into statistics of predicted distributions: family, learned constants
// and scaling of a model, without its weights.
//
// Why: a prediction must stay what it was while its network is fitted further, and the predictor
// and the Python predictions ask for the same statistics. Distributions with given parameters have
// a head too, and no network.
//
// Contract: a copy, small and independent of the model. `evaluate` and `predictions` neither throw
// nor allocate.
#pragma once

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks.hpp"
#include "likely/model.hpp"
#include "statistics.hpp"

namespace likely {

/// Whether distributions of the two can be compared: one family, with as many raw parameters.
inline bool same_family(const Distribution& a, const Distribution& b) {
    return a.index() == b.index() && raw_parameters(a, 1).size() == raw_parameters(b, 1).size();
}

template <class T>
class Head {
  public:
    explicit Head(const Model<T>& model) : plan_(model.shared_plan()), scaling_(model.scaling()) {
        if (plan_->shared == none) return;
        const auto parameters = model.parameters();
        shared_.assign(parameters.begin() + plan_->shared, parameters.end());
    }

    /// Of distributions whose parameters are all given, in the user's units.
    Head(const Distribution& distribution, std::int64_t targets)
        : Head(all_predicted(distribution), targets, {}, {}) {}

    /// Of what a head consists of; see the functions of these names. Throws std::invalid_argument
    /// where their sizes do not fit.
    Head(const Distribution& distribution, std::int64_t targets, std::vector<T> shared,
         Scaling scaling)
        : shared_(std::move(shared)), scaling_(std::move(scaling)) {
        Plan plan;
        place_distribution(plan, distribution, targets);
        const auto check = [](const char* name, std::size_t expected, std::size_t size) {
            if (size == expected) return;
            throw std::invalid_argument(std::string(name) + " must have " +
                                        std::to_string(expected) + " numbers; got " +
                                        std::to_string(size));
        };
        check("shared", static_cast<std::size_t>(plan.shared_count), shared_.size());
        const auto scaled = static_cast<std::size_t>(scaling_.fitted() ? targets : 0);
        check("target_mean", scaled, scaling_.target_mean.size());
        check("target_scale", scaled, scaling_.target_scale.size());
        plan_ = std::make_shared<const Plan>(std::move(plan));
    }

    /// The same in another precision.
    template <class Other>
    explicit Head(const Head<Other>& other)
        : plan_(other.plan_),
          shared_(other.shared_.begin(), other.shared_.end()),
          scaling_(other.scaling_) {}

    const Plan& plan() const { return *plan_; }
    /// The values of the learned constants, each for every column.
    const std::vector<T>& shared() const { return shared_; }
    const Scaling& scaling() const { return scaling_; }

    /// rows x result_columns numbers.
    void evaluate(Evaluation what, const T* raw, std::int64_t rows, const T* argument,
                  T* out) const noexcept {
        if (scaling_.fitted()) {
            what.target_mean = scaling_.target_mean.data();
            what.target_scale = scaling_.target_scale.data();
        }
        likely::evaluate(*plan_, what, shared_.data(), raw, rows, argument, out);
    }

    /// Makes a sample of rows x targets uniform numbers, in their place; see statistics.hpp.
    void sample(const T* raw, std::int64_t rows, const T* choices, T* numbers) const noexcept {
        likely::sample(predictions(raw, rows), choices, numbers);
    }

    /// These predictions as a side of a comparison; points into both.
    Predictions<T> predictions(const T* raw, std::int64_t rows) const noexcept {
        const bool scaled = scaling_.fitted();
        return {plan_.get(),
                shared_.data(),
                raw,
                rows,
                scaled ? scaling_.target_mean.data() : nullptr,
                scaled ? scaling_.target_scale.data() : nullptr};
    }

    /// The raw parameters of distributions with given parameters, for a head of such ones. Both are
    /// laid out alike: number k of column t of a row at k * columns + t. Throws
    /// std::invalid_argument.
    void raw_from(const double* given, std::int64_t rows, T* raw) const {
        std::int64_t width = 0;
        for (const ParameterArray& each : plan_->parameters) width += each.size();
        visit_family(
            [&](const auto& family) {
                for (std::int64_t i = 0; i < rows; ++i) {
                    for (std::int64_t t = 0; t < plan_->columns; ++t) {
                        try {
                            row_from(family, given + i * width * plan_->columns + t,
                                     raw + i * plan_->raw_width + t);
                        } catch (const std::invalid_argument& error) {
                            const std::string column =
                                joint(plan_->distribution) ? "" : ", column " + std::to_string(t);
                            throw std::invalid_argument(std::string(error.what()) + " (row " +
                                                        std::to_string(i) + column + ")");
                        }
                    }
                }
            },
            plan_->distribution);
    }

  private:
    template <class>
    friend class Head;

    template <class Family>
    void row_from(const Family& family, const double* given, T* raw) const {
        const std::int64_t stride = plan_->columns;
        const auto number = [&](std::int64_t k) { return given[k * stride]; };
        const auto set = [&](std::int64_t k, double value) {
            raw[k * stride] = static_cast<T>(value);
            require(std::isfinite(raw[k * stride]), "parameters",
                    sizeof(T) == 4 ? "finite in float32" : "finite in float64", value);
        };
        if constexpr (is_joint<Family>) {  // checks and names its elements itself
            family.raw_from(number, set, plan_->targets);
        } else {
            std::int64_t count = 0;
            for (const ParameterArray& each : plan_->parameters) {
                const std::int64_t end = count + each.size();
                for (; count < end; ++count) check_parameter<T>(each, number(count));
            }
        }
        if constexpr (is_joint<Family>) {
            return;
        } else if constexpr (!FixedFamily<Family>) {
            family.raw_from(number, set);
        } else {
            std::array<double, Family::parameters.size()> values;
            for (std::size_t p = 0; p < values.size(); ++p) {
                values[p] = number(static_cast<std::int64_t>(p));
            }
            for (const double value : family.raw_from(values)) {
                *raw = static_cast<T>(value);
                raw += stride;
            }
        }
    }

    std::shared_ptr<const Plan> plan_;
    std::vector<T> shared_;
    Scaling scaling_;
};

}  // namespace likely
