// What families with a location and a scale share.
//
// Why: Normal, Laplace, StudentT and Logistic differ in the shape of their density alone; raw
// parameters, links, moments by symmetry and changes of units are the same. LogNormal has the same
// raw parameters, of the logarithm of its target.
//
// Contract: raw parameter 0 is loc, 1 is log_scale; K is their number with those of the shape.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "likely/distributions/common.hpp"
#include "likely/primitives.hpp"
#include "likely/registry.hpp"

namespace likely {

/// How a raw parameter comes: "predicted", "shared", or a number that fixes it.
using SourceOption = std::variant<std::string, double>;

/// Throws unless a word is "predicted" or "shared".
inline void check_word(const SourceOption& option, std::string_view field,
                       std::string_view number) {
    if (const auto* word = std::get_if<std::string>(&option)) {
        require(*word == "predicted" || *word == "shared", field,
                "'predicted', 'shared' or " + std::string(number), *word);
    }
}

/// The raw parameter of an option, `raw_of` being the inverse link of a number.
inline RawParameter raw_parameter(const std::string& name, const SourceOption& option, double start,
                                  auto raw_of) {
    if (const auto* number = std::get_if<double>(&option)) {
        return {name, Source::fixed, raw_of(*number)};
    }
    const bool shared = std::get<std::string>(option) == "shared";
    return {name, shared ? Source::shared : Source::predicted, start};
}

/// Raw parameters loc and log_scale, of the target or of a function of it.
template <std::size_t K = 2>
struct LocationAndScale {
    static constexpr bool location_scale = true;
    using Raw = std::array<double, K>;

    template <class V>
    static V log_scale(const std::array<V, K>& raw) {
        return clamp(raw[1], -log_scale_bound, log_scale_bound);
    }
    static double scale_of(const Raw& raw) { return exp(log_scale(raw)); }
    /// The distance from the location in scales.
    template <class V>
    static V residual(auto y, const std::array<V, K>& raw) {
        return (y - raw[0]) * unchecked_exp(-log_scale(raw));
    }
    double parameter(std::size_t index, const Raw& raw) const {
        return index == 0 ? raw[0] : scale_of(raw);
    }
    /// The inverse of `parameter`.
    std::array<double, 2> raw_from(const std::array<double, 2>& given) const {
        return {given[0], log(given[1])};
    }
};

/// location + scale * (a variable that is symmetric about 0).
template <std::size_t K = 2>
struct LocationScale : LocationAndScale<K> {
    using typename LocationAndScale<K>::Raw;
    static constexpr TargetScaling target_scaling = TargetScaling::location_and_scale;
    static constexpr std::array parameters{
        NamedParameter{"loc", Unit::location},
        NamedParameter{"scale", Unit::scale, smallest_scale, largest_scale}};

    static std::string support() { return "a finite real number"; }
    static bool supports(double y) { return std::isfinite(y); }
    double mean(const Raw& raw) const { return raw[0]; }
    double mode(const Raw& raw) const { return raw[0]; }

    /// Raw parameters of offset + factor * (a variable with these). The log_scale is bounded
    /// before it moves, as the density has it, and may then stand outside the bounds.
    Raw moved(Raw raw, double offset, double factor) const {
        raw[1] = this->log_scale(raw) + likely::log(factor);
        raw[0] = offset + factor * raw[0];
        return raw;
    }
};

}  // namespace likely
