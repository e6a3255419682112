// What all distributions share: where a raw parameter comes from, how a target may be standardised,
// and what can be asked of a prediction.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace likely {

enum class Source {
    predicted,  ///< put out by the network, one for each row
    shared,     ///< one learned constant for each target column
    fixed,      ///< given by the user
};

struct RawParameter {
    std::string_view name;
    Source source = Source::predicted;
    double value = 0;  ///< of a fixed one; what a shared one starts from
};

/// How the target may be standardised: z = (y - location) / scale, z = y / scale, or not at all.
enum class TargetScaling { none, scale, location_and_scale };

/// How a number computed on standardised targets becomes one in the user's units.
enum class Unit { none, location, scale };

struct NamedParameter {
    std::string_view name;
    Unit unit = Unit::none;
};

/// What can be asked of a predicted distribution. `parameter` takes an index, `quantile` a
/// probability, `cdf` and `log_prob` a target.
enum class Statistic { mean, std, mode, entropy, quantile, cdf, log_prob, parameter };

/// Log-scale-like raw parameters are held inside +-30: exp(30) = 1e13 either way is beyond any
/// standardised target, and it keeps loss and gradient finite for raw parameters out to 1e4.
inline constexpr double log_scale_bound = 30;

inline constexpr double half_log_two_pi = 0.91893853320467274178;

}  // namespace likely
