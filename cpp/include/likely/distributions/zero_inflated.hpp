// Counts with more zeros than their distribution has, as they are computed.
//
// Why: a zero may have two causes (nobody came; the shop was closed), and a distribution of counts
// knows one.
//
// Contract: that of a family with a fixed number of raw parameters (distributions.hpp): the logit
// of the gate, then the base's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/special_functions.hpp"

namespace likely {

template <FixedFamily Base>
struct ZeroInflatedOf {
    static constexpr std::string_view name = "ZeroInflated";
    static constexpr TargetScaling target_scaling = TargetScaling::none;
    static constexpr auto parameters = [] {
        std::array<NamedParameter, Base::parameters.size() + 1> result{
            NamedParameter{"gate", Unit::none, 0, 1}};
        std::ranges::copy(Base::parameters, result.begin() + 1);
        return result;
    }();

    using Raw = std::array<double, raw_count<Base> + 1>;

    const Base& base;

    std::array<RawParameter, raw_count<Base> + 1> raw_parameters() const {
        std::array<RawParameter, raw_count<Base> + 1> result{RawParameter{"gate_logit"}};
        std::ranges::copy(base.raw_parameters(), result.begin() + 1);
        return result;
    }
    std::string support() const { return base.support(); }
    bool supports(double y) const { return base.supports(y); }

    template <class V>
    V log_prob(auto y, const std::array<V, raw_count<Base> + 1>& raw) const {
        const V drawn = base.log_prob(y, of_base(raw)) - softplus(raw[0]);
        return select(y == decltype(y)(0.0), logaddexp(-softplus(-raw[0]), drawn), drawn);
    }
    double mean(const Raw& raw) const { return sigmoid(-raw[0]) * base.mean(of_base(raw)); }
    double std(const Raw& raw) const {
        const double inside = base.std(of_base(raw)), center = base.mean(of_base(raw));
        return sqrt(sigmoid(-raw[0]) * (inside * inside + sigmoid(raw[0]) * center * center));
    }
    double mode(const Raw& raw) const {
        const double other = base.mode(of_base(raw));
        return log_prob(other, raw) > log_prob(0.0, raw) ? other : 0;
    }
    double parameter(std::size_t index, const Raw& raw) const {
        return index == 0 ? sigmoid(raw[0]) : base.parameter(index - 1, of_base(raw));
    }
    /// The inverse of `parameter`; a gate of 0 or 1 gets a logit that is exactly that.
    Raw raw_from(const std::array<double, parameters.size()>& given) const {
        Raw result{clamp(log(given[0] / (1 - given[0])), -certain_logit, certain_logit)};
        std::ranges::copy(base.raw_from(without_first(given)), result.begin() + 1);
        return result;
    }

  private:
    template <class V, std::size_t N>
    static std::array<V, N - 1> without_first(const std::array<V, N>& all) {
        std::array<V, N - 1> result;
        std::ranges::copy(all.begin() + 1, all.end(), result.begin());
        return result;
    }
    template <class V>
    static std::array<V, raw_count<Base>> of_base(const std::array<V, raw_count<Base> + 1>& raw) {
        return without_first(raw);
    }
};

}  // namespace likely
