#include "likely/predictor.hpp"

#include "head.hpp"
#include "inference.hpp"

namespace likely {

template <class T>
struct Predictor<T>::State {
    State(const Model<T>& source, std::int64_t max_batch)
        : model(source), head(model), inference(model, max_batch) {}

    Model<T> model;
    Head<T> head;
    Inference<T> inference;
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
    state_->inference(x, rows, raw);
}

template <class T>
void Predictor<T>::mean(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::mean}, raw, rows, nullptr, out);
}
template <class T>
void Predictor<T>::std(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::std}, raw, rows, nullptr, out);
}
template <class T>
void Predictor<T>::mode(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::mode}, raw, rows, nullptr, out);
}
template <class T>
void Predictor<T>::entropy(const T* raw, T* out, std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::entropy}, raw, rows, nullptr, out);
}
template <class T>
void Predictor<T>::quantile(const T* raw, double probability, T* out,
                            std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::quantile, 0, probability}, raw, rows, nullptr, out);
}
template <class T>
void Predictor<T>::cdf(const T* raw, const T* y, T* out, std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::cdf}, raw, rows, y, out);
}
template <class T>
void Predictor<T>::log_prob(const T* raw, const T* y, T* out, std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::log_prob}, raw, rows, y, out);
}
template <class T>
void Predictor<T>::parameter(const T* raw, std::int64_t index, T* out,
                             std::int64_t rows) const noexcept {
    state_->head.evaluate({Statistic::parameter, index}, raw, rows, nullptr, out);
}

template class Predictor<float>;
template class Predictor<double>;

}  // namespace likely
