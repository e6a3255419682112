// The categorical distribution; its negative log-likelihood is the cross-entropy of a softmax.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

struct Categorical {
    static constexpr std::string_view name = "Categorical";
    static constexpr std::string_view doc =
        "Categorical distribution of a label 0, 1, ..., classes - 1. Raw parameters: one logit for "
        "each class, with\n"
        "probs = softmax(logits). The loss is the cross-entropy.\n"
        "Source: Bridle (1990), 'Probabilistic interpretation of feedforward classification "
        "network outputs'.";
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr std::array parameters{NamedParameter{"probs"}};

    std::int64_t classes = 0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"classes", &Categorical::classes, "number of classes, at least 2", true}};
    }
    void validate() const { require(classes >= 2, "classes", "at least 2", classes); }
    std::int64_t count() const { return classes; }
    std::string support() const {
        return "a label 0, 1, ..., classes - 1, with classes = " + std::to_string(classes);
    }
    bool supports(double y) const {
        return y >= 0 && y < static_cast<double>(classes) && y == std::floor(y);
    }

    /// A row's negative log-likelihood; writes weight * gradient unless `gradient` is null. Logit k
    /// stands at logits[k * stride], its derivative at gradient[k * stride].
    template <class T>
    T nll_gradient(T y, const T* logits, std::int64_t stride, T weight, T* gradient) const {
        const auto label = static_cast<std::int64_t>(y);
        const T largest = largest_logit(logits, stride);
        T sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            const T e = exp(logits[k * stride] - largest);
            if (gradient) gradient[k * stride] = e;
            sum += e;
        }
        if (gradient) {
            const T scale = weight / sum;
            for (std::int64_t k = 0; k < classes; ++k) gradient[k * stride] *= scale;
            gradient[label * stride] -= weight;
        }
        return log(sum) + (largest - logits[label * stride]);
    }

    /// One statistic of a row, in double precision; `argument` is the probability of a quantile,
    /// the target of a cdf or log_prob, the class of a parameter.
    template <class T>
    double evaluate(Statistic statistic, const T* logits, std::int64_t stride,
                    double argument) const {
        constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
        const double largest = static_cast<double>(largest_logit(logits, stride));
        const auto distance = [&](std::int64_t k) {
            return static_cast<double>(logits[k * stride]) - largest;
        };
        double sum = 0;
        double weighted = 0;  // sum of exp(distance) * distance, for the entropy
        std::int64_t mode = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            sum += exp(distance(k));
            weighted += exp(distance(k)) * distance(k);
            if (distance(k) > distance(mode)) mode = k;
        }
        const auto probability = [&](std::int64_t k) { return exp(distance(k)) / sum; };
        if (std::isnan(argument)) return undefined;
        switch (statistic) {
            case Statistic::mode:
                return static_cast<double>(mode);
            case Statistic::entropy:
                return log(sum) - weighted / sum;
            case Statistic::parameter:
                return probability(static_cast<std::int64_t>(argument));
            case Statistic::log_prob:
                if (!supports(argument)) return -std::numeric_limits<double>::infinity();
                return distance(static_cast<std::int64_t>(argument)) - log(sum);
            case Statistic::cdf: {
                if (argument >= static_cast<double>(classes - 1)) return 1;
                double total = 0;
                for (std::int64_t k = 0; static_cast<double>(k) <= argument; ++k) {
                    total += probability(k);
                }
                return total;
            }
            case Statistic::quantile: {
                if (argument < 0 || argument > 1) return undefined;
                double total = probability(0);
                std::int64_t k = 0;
                while (total < argument && k < classes - 1) total += probability(++k);
                return static_cast<double>(k);
            }
            default:
                return undefined;  // labels have no order of size: no mean, no std
        }
    }

    /// The logits of a row with these probabilities, number k of both at [k * stride]: their
    /// logarithms, of 0 one that is exactly that probability. Throws where they are none.
    template <class T>
    void raw_from(const double* probabilities, T* logits, std::int64_t stride) const {
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            const double probability = probabilities[k * stride];
            require(probability >= 0 && probability <= 1, "probs", "in [0, 1]", probability);
            sum += probability;
            logits[k * stride] = static_cast<T>(max(log(probability), -certain_logit));
        }
        require(std::abs(sum - 1) <= 1e-6, "probs",
                "probabilities that sum to 1 over the classes, to within 1e-6", sum);
    }

    /// Of two rows of logits, in double precision.
    template <class T>
    double cross_entropy(const T* p, const T* q, std::int64_t stride) const {
        const auto log_p = log_probabilities(p, stride), log_q = log_probabilities(q, stride);
        double total = 0;
        for (std::int64_t k = 0; k < classes; ++k) total -= exp(log_p(k)) * log_q(k);
        return total;
    }
    /// Of two rows of logits, in double precision.
    template <class T>
    double kl_divergence(const T* p, const T* q, std::int64_t stride) const {
        const auto log_p = log_probabilities(p, stride), log_q = log_probabilities(q, stride);
        double total = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            total += kl_term(exp(log_p(k)), exp(log_q(k)), log_q(k) - log_p(k));
        }
        return total;
    }

  private:
    /// A function of the class.
    template <class T>
    auto log_probabilities(const T* logits, std::int64_t stride) const {
        const double largest = static_cast<double>(largest_logit(logits, stride));
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            sum += exp(static_cast<double>(logits[k * stride]) - largest);
        }
        return [=, log_sum = log(sum)](std::int64_t k) {
            return static_cast<double>(logits[k * stride]) - largest - log_sum;
        };
    }
    template <class T>
    T largest_logit(const T* logits, std::int64_t stride) const {
        T largest = logits[0];
        for (std::int64_t k = 1; k < classes; ++k) largest = max(largest, logits[k * stride]);
        return largest;
    }
};

}  // namespace likely
