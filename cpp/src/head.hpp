// What turns raw parameters into statistics of predicted distributions: family, learned constants
// and scaling of a model, without its weights.
//
// Why: a prediction must stay what it was while its network is fitted further, and the predictor
// and the Python predictions ask for the same statistics.
//
// Contract: a copy, small and independent of the model. `evaluate` neither throws nor allocates.
#pragma once

#include <memory>
#include <vector>

#include "kernels/table.hpp"
#include "likely/model.hpp"

namespace likely {

template <class T>
class Head {
  public:
    explicit Head(const Model<T>& model) : plan_(model.shared_plan()), scaling_(model.scaling()) {
        if (plan_->shared == none) return;
        const auto parameters = model.parameters();
        shared_.assign(parameters.begin() + plan_->shared, parameters.end());
    }

    const Plan& plan() const { return *plan_; }

    /// rows x targets numbers; `argument` as in the kernel table.
    void evaluate(Evaluation what, const T* raw, std::int64_t rows, const T* argument,
                  T* out) const noexcept {
        if (scaling_.fitted()) {
            what.target_mean = scaling_.target_mean.data();
            what.target_scale = scaling_.target_scale.data();
        }
        kernels<T>().evaluate(*plan_, what, shared_.data(), raw, rows, argument, out);
    }

  private:
    std::shared_ptr<const Plan> plan_;
    std::vector<T> shared_;
    Scaling scaling_;
};

}  // namespace likely
