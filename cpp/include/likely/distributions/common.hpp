// What all distributions share: where a raw parameter comes from, how a target may be standardised,
// and what can be asked of a prediction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace likely {

enum class Source {
    predicted,  ///< put out by the network, one for each row
    shared,     ///< one learned constant for each target column
    fixed,      ///< given by the user
};

struct RawParameter {
    std::string name;
    Source source = Source::predicted;
    double value = 0;  ///< of a fixed one; what another one starts from
};

/// Raw parameters named name[first], name[first + 1], ..., all predicted. Throws
/// std::invalid_argument where they are beyond any network.
inline std::vector<RawParameter> raw_parameter_array(const std::string& name, std::int64_t count,
                                                     std::int64_t first = 0) {
    if (count > 1 << 24) {
        throw std::invalid_argument("the network is too large: " + std::to_string(count) + " " +
                                    name + " of each target column");
    }
    std::vector<RawParameter> result;
    for (std::int64_t k = first; k < first + count; ++k) {
        result.push_back({name + "[" + std::to_string(k) + "]"});
    }
    return result;
}

/// How the target may be standardised: z = (y - location) / scale, z = y / scale, or not at all.
enum class TargetScaling { none, scale, location_and_scale };

/// How a number computed on standardised targets becomes one in the user's units: unchanged, as a
/// target, as a distance of targets, as 1 / distance, as the log of a target.
enum class Unit { none, location, scale, rate, log_location };

/// A parameter under the name of torch.distributions.
struct NamedParameter {
    std::string_view name;
    Unit unit = Unit::none;
    double lower = -std::numeric_limits<double>::infinity();  ///< the least that it may be
    double upper = std::numeric_limits<double>::infinity();   ///< the most
};

/// Parameters under one name: one number, or as many as there are classes, levels, components.
struct ParameterArray {
    std::string name;
    Unit unit = Unit::none;
    std::vector<std::int64_t> shape = {};                     ///< empty: one number
    double lower = -std::numeric_limits<double>::infinity();  ///< as in NamedParameter
    double upper = std::numeric_limits<double>::infinity();

    std::int64_t size() const {
        std::int64_t product = 1;
        for (const std::int64_t length : shape) product *= length;
        return product;
    }
};

/// A family whose number of raw parameters is known at compile time.
template <class Family>
concept FixedFamily =
    requires(const Family& family) { std::tuple_size<decltype(family.raw_parameters())>::value; };

/// How many raw parameters a fixed family has.
template <FixedFamily Family>
inline constexpr std::size_t raw_count =
    std::tuple_size_v<decltype(std::declval<const Family&>().raw_parameters())>;

/// What can be asked of a predicted distribution. `parameter` takes an index, `quantile` a
/// probability, `cdf`, `sf`, `log_prob`, `log_survival` and `crps` a target.
enum class Statistic {
    mean,
    std,
    mode,
    entropy,
    quantile,
    cdf,
    sf,
    log_prob,
    log_survival,
    crps,
    parameter
};

/// What can be asked of two predicted distributions p and q of one family: -E_p log q, and
/// E_p (log p - log q), both in nats.
enum class Comparison { cross_entropy, kl_divergence };

/// Log-scale-like raw parameters are held inside +-30: exp(30) = 1e13 either way is beyond any
/// standardised target, and it keeps loss and gradient finite for raw parameters out to 1e4.
inline constexpr double log_scale_bound = 30;

/// What a given scale may be: exp(-30) to exp(30), a few millionths wider, so that one that was
/// rounded on its way passes. The clamp holds it.
inline constexpr double smallest_scale = 9.3576e-14, largest_scale = 1.06865e13;
/// The largest logarithm of such a number, in absolute value.
inline constexpr double largest_log = 30.000003;

/// The logit of a given probability of 1, and minus that of 0: exp(-1000) is 0 in double precision,
/// and no probability above 0 has a logit below -745.
inline constexpr double certain_logit = 1000;

inline constexpr double half_log_two_pi = 0.91893853320467274178;

}  // namespace likely
