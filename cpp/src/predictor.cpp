#include "likely/predictor.hpp"

#include <limits>

#include "kernels/table.hpp"
#include "workspace.hpp"

namespace likely {

template <class T>
struct Predictor<T>::State {
    State(const Model<T>& source, std::int64_t max_batch)
        : model(source), workspace(model, max_batch) {}

    void evaluate(Evaluation what, const T* raw, const T* argument, T* out,
                  std::int64_t rows) const noexcept {
        const Plan& plan = model.plan();
        if (model.scaling().fitted()) {
            what.target_mean = model.scaling().target_mean.data();
            what.target_scale = model.scaling().target_scale.data();
        }
        const T* shared = plan.shared == none ? nullptr : model.parameters().data() + plan.shared;
        kernels<T>().evaluate(plan, what, shared, raw, rows, argument, out);
    }

    Model<T> model;
    Workspace<T> workspace;
};

template <class T>
Predictor<T>::Predictor(const Model<T>& model, std::int64_t max_batch)
    : state_(std::make_unique<State>(model, max_batch)) {
    require(max_batch >= 1, "max_batch", "at least 1", max_batch);
}

template <class T>
Predictor<T>::Predictor(Predictor&&) noexcept = default;
template <class T>
Predictor<T>& Predictor<T>::operator=(Predictor&&) noexcept = default;
template <class T>
Predictor<T>::~Predictor() = default;

template <class T>
std::int64_t Predictor<T>::inputs() const noexcept {
    return state_->model.plan().inputs;
}
template <class T>
std::int64_t Predictor<T>::targets() const noexcept {
    return state_->model.plan().targets;
}
template <class T>
std::int64_t Predictor<T>::raw_width() const noexcept {
    return state_->model.plan().raw_width;
}

template <class T>
void Predictor<T>::operator()(const T* x, T* raw, std::int64_t rows) noexcept {
    state_->workspace.raw(state_->model.parameters().data(), x, rows, raw);
}

template <class T>
void Predictor<T>::mean(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::mean}, raw, nullptr, out, rows);
}
template <class T>
void Predictor<T>::std(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::std}, raw, nullptr, out, rows);
}
template <class T>
void Predictor<T>::mode(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::mode}, raw, nullptr, out, rows);
}
template <class T>
void Predictor<T>::entropy(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::entropy}, raw, nullptr, out, rows);
}
template <class T>
void Predictor<T>::quantile(const T* raw, double probability, T* out,
                            std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::quantile, 0, probability}, raw, nullptr, out, rows);
}
template <class T>
void Predictor<T>::cdf(const T* raw, const T* y, T* out, std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::cdf}, raw, y, out, rows);
}
template <class T>
void Predictor<T>::log_prob(const T* raw, const T* y, T* out, std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::log_prob}, raw, y, out, rows);
}
template <class T>
void Predictor<T>::parameter(const T* raw, std::int64_t index, T* out,
                             std::int64_t rows) const noexcept {
    state_->evaluate({Statistic::parameter, index}, raw, nullptr, out, rows);
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace likely
