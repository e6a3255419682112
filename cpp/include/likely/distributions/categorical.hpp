// The categorical distribution; its negative log-likelihood is the cross-entropy of a softmax.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

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

    std::int64_t classes = 0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"classes", &Categorical::classes, "number of classes, at least 2", true}};
    }
    void validate() const { require(classes >= 2, "classes", "at least 2", classes); }
    std::vector<RawParameter> raw_parameters() const {
        return raw_parameter_array("logits", classes);
    }
    std::vector<ParameterArray> parameter_arrays() const {
        return {{"probs", Unit::none, {classes}, 0, 1}};
    }
    std::string support() const {
        return "a label 0, 1, ..., classes - 1, with classes = " + std::to_string(classes);
    }
    bool supports(double y) const {
        return y >= 0 && y < static_cast<double>(classes) && y == std::floor(y);
    }

    template <class V>
    V largest_logit(const auto& logits) const {
        V largest = logits(0);
        for (std::int64_t k = 1; k < classes; ++k) largest = max(largest, logits(k));
        return largest;
    }
    template <class V, class Raw, class Slopes>
    V nll_gradient(V label, const Raw& logits, Slopes& slopes) const {
        const V largest = largest_logit<V>(logits);
        V sum(0.0), chosen(0.0);
        for (std::int64_t k = 0; k < classes; ++k) {
            const V e = exp(logits(k) - largest);
            slopes.set(k, e);
            sum = sum + e;
            chosen = select(label == V(static_cast<double>(k)), logits(k), chosen);
        }
        const V scale = V(1.0) / sum;
        for (std::int64_t k = 0; k < classes; ++k) {
            const V hit = select(label == V(static_cast<double>(k)), V(1.0), V(0.0));
            slopes.set(k, slopes.get(k) * scale - hit);
        }
        return log(sum) + (largest - chosen);
    }

    /// A function of the class; points to the logits.
    auto log_probabilities(const auto& logits) const {
        const double largest = largest_logit<double>(logits);
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) sum += exp(logits(k) - largest);
        return [&logits, largest, log_sum = log(sum)](std::int64_t k) {
            return logits(k) - largest - log_sum;
        };
    }
    double log_prob(double label, const auto& logits) const {
        return log_probabilities(logits)(static_cast<std::int64_t>(label));
    }
    /// Labels have no order of size.
    double mean(const auto&) const { return std::numeric_limits<double>::quiet_NaN(); }
    double std(const auto&) const { return std::numeric_limits<double>::quiet_NaN(); }
    double mode(const auto& logits) const {
        std::int64_t best = 0;
        for (std::int64_t k = 1; k < classes; ++k) {
            if (logits(k) > logits(best)) best = k;
        }
        return static_cast<double>(best);
    }
    double entropy(const auto& logits) const { return cross_entropy(logits, logits); }
    double cdf(double y, const auto& logits) const {
        return y >= static_cast<double>(classes - 1) ? 1 : total(logits, 0, label_after(y));
    }
    double sf(double y, const auto& logits) const {
        return y < 0 ? 1 : total(logits, label_after(y), classes);
    }
    double quantile(double p, const auto& logits) const {
        const auto log_probs = log_probabilities(logits);
        double sum = exp(log_probs(0));
        std::int64_t k = 0;
        while (sum < p && k < classes - 1) sum += exp(log_probs(++k));
        return static_cast<double>(k);
    }
    void fisher(const auto& logits, auto&& set) const {
        const auto log_probs = log_probabilities(logits);
        for (std::int64_t k = 0; k < classes; ++k) {
            const double probability = exp(log_probs(k));
            set(k, probability * (1 - probability));
        }
    }
    double parameter(std::int64_t k, const auto& logits) const {
        return exp(log_probabilities(logits)(k));
    }
    /// The logits of these probabilities: their logarithms, of 0 one that is exactly that
    /// probability. Throws where they do not sum to 1, calling them `argument`.
    void raw_from(const auto& probabilities, auto&& set_logit,
                  std::string_view argument = "probs") const {
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            const double probability = probabilities(k);
            sum += probability;
            set_logit(k, max(log(probability), -certain_logit));
        }
        require(std::abs(sum - 1) <= 1e-6, argument,
                "probabilities that sum to 1 over their last axis, to within 1e-6", sum);
    }
    double cross_entropy(const auto& p, const auto& q) const {
        const auto log_p = log_probabilities(p);
        const auto log_q = log_probabilities(q);
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) sum -= exp(log_p(k)) * log_q(k);
        return sum;
    }
    double kl_divergence(const auto& p, const auto& q) const {
        const auto log_p = log_probabilities(p);
        const auto log_q = log_probabilities(q);
        double sum = 0;
        for (std::int64_t k = 0; k < classes; ++k) {
            sum += kl_term(exp(log_p(k)), exp(log_q(k)), log_q(k) - log_p(k));
        }
        return sum;
    }

  private:
    /// The number of labels that are at most y.
    std::int64_t label_after(double y) const {
        return static_cast<std::int64_t>(
            std::clamp(std::floor(y) + 1, 0.0, static_cast<double>(classes)));
    }
    double total(const auto& logits, std::int64_t begin, std::int64_t end) const {
        const auto log_probs = log_probabilities(logits);
        double sum = 0;
        for (std::int64_t k = begin; k < end; ++k) sum += exp(log_probs(k));
        return sum;
    }
};

}  // namespace likely
