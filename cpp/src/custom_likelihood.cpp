#include "custom_likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace likely {

/// Calls the function unless a raw parameter is not finite. Parameters come in rows and leave
/// parameter by parameter: raw[i][k T + t] is parameter k of sample i T + t.
template <class T>
bool CustomLikelihood<T>::evaluate(const T* raw, const T* y, std::int64_t rows,
                                   bool with_derivative) {
    const CustomDensity& function = std::get<Custom>(plan_.distribution).function();
    const std::int64_t samples = rows * plan_.targets;
    const std::int64_t numbers = rows * plan_.raw_width;
    if (!std::all_of(raw, raw + numbers, [](T value) { return std::isfinite(value); })) {
        return false;
    }
    y_.assign(y, y + samples);
    raw_.resize(static_cast<std::size_t>(numbers));
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < plan_.raw_width; ++j) {
            const std::int64_t k = j / plan_.targets, t = j % plan_.targets;
            raw_[static_cast<std::size_t>(k * samples + i * plan_.targets + t)] =
                static_cast<double>(raw[i * plan_.raw_width + j]);
        }
    }
    log_prob_.resize(static_cast<std::size_t>(samples));
    if (with_derivative) derivative_.resize(static_cast<std::size_t>(numbers));
    function.evaluate(samples, y_.data(), raw_.data(), log_prob_.data(),
                      with_derivative ? derivative_.data() : nullptr);
    return true;
}

template <class T>
double CustomLikelihood<T>::operator()(const T* raw, const T* y, const T* weight, std::int64_t rows,
                                       double gradient_scale, T* d_raw) {
    if (!evaluate(raw, y, rows, d_raw != nullptr)) {
        if (d_raw) {
            std::fill_n(d_raw, rows * plan_.raw_width, std::numeric_limits<T>::quiet_NaN());
        }
        return std::numeric_limits<double>::quiet_NaN();
    }
    const std::int64_t samples = rows * plan_.targets;
    double total = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
        const double w = weight ? static_cast<double>(weight[i]) : 1.0;
        for (std::int64_t t = 0; t < plan_.targets; ++t) {
            total -= w * log_prob_[static_cast<std::size_t>(i * plan_.targets + t)];
        }
        if (!d_raw) continue;
        for (std::int64_t j = 0; j < plan_.raw_width; ++j) {
            const std::int64_t k = j / plan_.targets, t = j % plan_.targets;
            const double slope =
                derivative_[static_cast<std::size_t>(k * samples + i * plan_.targets + t)];
            d_raw[i * plan_.raw_width + j] = static_cast<T>(-gradient_scale * w * slope);
        }
    }
    return total;
}

template <class T>
void CustomLikelihood<T>::log_prob(const T* raw, const T* y, std::int64_t rows, T* out) {
    if (!evaluate(raw, y, rows, false)) {
        throw std::invalid_argument("a raw parameter of the prediction is not finite");
    }
    std::transform(log_prob_.begin(), log_prob_.end(), out,
                   [](double value) { return static_cast<T>(value); });
}

template class CustomLikelihood<float>;
template class CustomLikelihood<double>;

}  // namespace likely
