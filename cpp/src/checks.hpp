// What data must be, and how to say so.
//
// Contract: each throws std::invalid_argument that names the argument, the first bad row (and
// column), what stands there and what was expected.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include "likely/distributions.hpp"

namespace likely {

/// Without a branch for each number, which the compiler could not vectorise.
template <class T>
bool all_finite(const T* values, std::int64_t count) noexcept {
    // The exponent, all ones of what is not finite, stands in the upper (or only) 32 bits.
    using Words = std::array<std::uint32_t, sizeof(T) / 4>;
    constexpr std::size_t upper =
        std::endian::native == std::endian::little ? sizeof(T) / 4 - 1 : 0;
    constexpr std::uint32_t exponent = sizeof(T) == 4 ? 0x7f800000 : 0x7ff00000;
    std::uint32_t bad = 0;
    for (std::int64_t i = 0; i < count; ++i)
        bad |= (std::bit_cast<Words>(values[i])[upper] & exponent) == exponent;
    return bad == 0;
}

template <class T>
void check_finite(const std::string& argument, const T* values, std::int64_t rows,
                  std::int64_t columns) {
    if (all_finite(values, rows * columns)) return;
    for (std::int64_t i = 0; i < rows * columns; ++i) {
        if (std::isfinite(values[i])) continue;
        std::ostringstream message;
        message << argument << " must be finite in " << (sizeof(T) == 4 ? "float32" : "float64")
                << "; row " << i / columns << ", column " << i % columns << " is " << values[i];
        throw std::invalid_argument(message.str());
    }
}

/// Throws unless a distribution may be given this number as its parameter.
template <class T>
void check_parameter(const ParameterArray& parameter, double value) {
    if (std::isfinite(static_cast<T>(value)) && value >= parameter.lower &&
        value <= parameter.upper) {
        return;
    }
    std::ostringstream message;
    message << parameter.name << " must be ";
    if (std::isfinite(parameter.lower)) {
        message << "in [" << parameter.lower << ", " << parameter.upper << "]";
    } else {
        message << "finite in " << (sizeof(T) == 4 ? "float32" : "float64");
    }
    message << "; got " << shortest(value);
    throw std::invalid_argument(message.str());
}

template <class T>
void check_support(const std::string& argument, const Distribution& distribution, const T* values,
                   std::int64_t rows, std::int64_t columns) {
    visit_family(
        [&](const auto& family) {
            for (std::int64_t i = 0; i < rows * columns; ++i) {
                if (family.supports(static_cast<double>(values[i]))) continue;
                const auto supports_next = [&](T direction) {
                    return family.supports(
                        static_cast<double>(std::nextafter(values[i], direction)));
                };
                constexpr T infinity = std::numeric_limits<T>::infinity();
                const bool may_be_rounded =
                    sizeof(T) == 4 && (supports_next(-infinity) || supports_next(infinity));
                std::ostringstream message;
                message << argument << " must be in the support of " << family.name << " ("
                        << family.support() << "); row " << i / columns << ", column "
                        << i % columns << " is " << shortest(values[i])
                        << (may_be_rounded ? " in float32" : "");
                throw std::invalid_argument(message.str());
            }
        },
        distribution);
}

/// Throws unless each is 0 or 1 and targets of the distribution may be right-censored.
template <class T>
void check_events(const std::string& argument, const Distribution& distribution, const T* values,
                  std::int64_t rows, std::int64_t columns) {
    std::visit(
        [&]<class Given>(const Given&) {
            if constexpr (!takes_events<Given>) {
                std::string known;
                for_each_member<Distribution>([&](auto member) {
                    using Family = typename decltype(member)::type;
                    if (!takes_events<Family>) return;
                    known += (known.empty() ? "" : ", ") + std::string(Family::name);
                });
                throw std::invalid_argument(
                    argument + " must be left out with " + std::string(Given::name) +
                    ", whose targets cannot be censored; families that take it: " + known);
            }
        },
        distribution);
    for (std::int64_t i = 0; i < rows * columns; ++i) {
        if (values[i] == T(0) || values[i] == T(1)) continue;
        std::ostringstream message;
        message << argument << " must be 1 where the target was seen, 0 where it is right-censored"
                << "; row " << i / columns << ", column " << i % columns << " is "
                << shortest(values[i]);
        throw std::invalid_argument(message.str());
    }
}

template <class T>
void check_weights(const std::string& argument, const T* weights, std::int64_t rows) {
    double total = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
        if (!(weights[i] >= 0) || !std::isfinite(weights[i])) {
            std::ostringstream message;
            message << argument << " must be finite and at least 0; row " << i << " is "
                    << shortest(weights[i]);
            throw std::invalid_argument(message.str());
        }
        total += static_cast<double>(weights[i]);
    }
    if (!(total > 0)) throw std::invalid_argument(argument + " must not all be 0");
    if (!std::isfinite(total))
        throw std::invalid_argument(argument + " must have a finite sum; theirs is beyond float64");
}

}  // namespace likely
