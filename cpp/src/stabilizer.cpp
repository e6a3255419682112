#include "stabilizer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "likely/primitives.hpp"

namespace likely {
namespace {

/// Of a family with a location and a scale; its raw parameter 0 is the location.
constexpr std::int64_t log_scale = 1;

template <class Family>
constexpr bool has_location_and_scale = requires { Family::location_scale; };

template <class Family>
concept HasFisher =
    requires(const Family& family, const std::array<double, raw_count<Family>>& raw) {
        family.fisher(raw);
    } || requires(const Family& family, double (*raw)(std::int64_t),
                  void (*set)(std::int64_t, double)) { family.fisher(raw, set); };

/// Whether a family has what a stabilizer needs.
template <class Member, class Family>
constexpr bool suits() {
    if constexpr (std::is_same_v<Member, NaturalGradient>) {
        return HasFisher<Family>;
    } else {
        return has_location_and_scale<Family>;
    }
}

template <class Member>
void check_family(const Member&, const Distribution& distribution) {
    const bool suited = visit_family(
        []<class Family>(const Family&) { return suits<Member, Family>(); }, distribution);
    if (suited) return;
    std::string names;
    for_each_member<Distribution>([&](auto member) {
        using Family = typename decltype(member)::type;
        if (suits<Member, Family>())
            names += (names.empty() ? "" : ", ") + std::string(Family::name);
    });
    const std::string name =
        std::visit([](const auto& family) { return std::string(family.name); }, distribution);
    const std::string needed = std::is_same_v<Member, NaturalGradient>
                                   ? "a family whose Fisher information is known"
                                   : "a family with a location and a scale";
    throw std::invalid_argument("stabilize=" + std::string(Member::name) + " needs " + needed +
                                " (" + names + "); the network's distribution is " + name +
                                ". Use another stabilizer, or None");
}

}  // namespace

void check_stabilizer(const Stabilizer& stabilizer, const Distribution& distribution) {
    std::visit([&](const auto& member) { check_family(member, distribution); }, stabilizer);
}

template <class T>
StabilizedLikelihood<T>::StabilizedLikelihood(const Stabilizer& stabilizer, const Plan& plan,
                                              std::int64_t capacity)
    : stabilizer_(stabilizer), plan_(plan) {
    place_distribution(all_predicted_, all_predicted(plan.distribution), plan.targets);
    has_constants_ = all_predicted_.raw_width > plan.raw_width;
    const auto size = static_cast<std::size_t>(capacity * all_predicted_.raw_width);
    if (has_constants_) {
        raw_.resize(size);
        slope_.resize(size);
    }
    const bool faithful = std::holds_alternative<Faithful>(stabilizer);
    if (faithful || std::holds_alternative<Warmup>(stabilizer)) unit_raw_.resize(size);
    if (faithful) unit_slope_.resize(size);
}

template <class T>
double StabilizedLikelihood<T>::operator()(std::uint64_t epoch, const T* shared, const T* raw,
                                           const Targets<T>& targets, double gradient_scale,
                                           T* scratch, T* d_raw, T* d_shared,
                                           bool accumulate) noexcept {
    const auto& likelihood = kernels<T>().likelihood;
    const auto* warmup = std::get_if<Warmup>(&stabilizer_);
    if (warmup && static_cast<std::int64_t>(epoch) >= *warmup->epochs) {
        return likelihood(plan_, shared, raw, targets, gradient_scale, scratch, d_raw, d_shared,
                          accumulate);
    }
    const std::int64_t rows = targets.rows, width = all_predicted_.raw_width;
    const std::int64_t columns = plan_.targets;
    const T* all = raw;
    T* slope = d_raw;
    if (has_constants_) {
        repeat_constants(shared, raw, rows);
        all = raw_.data();
        slope = slope_.data();
    }
    const auto pass = [&](const T* of, T* to) {
        return likelihood(all_predicted_, nullptr, of, targets, gradient_scale, scratch, to,
                          nullptr, false);
    };
    const double loss = pass(all, warmup ? nullptr : slope);
    if (warmup) {
        pass(at_unit_scale(all, rows), slope);
        for (std::int64_t i = 0; i < rows; ++i)
            std::fill(slope + i * width + columns, slope + (i + 1) * width, T(0));
    } else if (std::holds_alternative<Faithful>(stabilizer_)) {
        pass(at_unit_scale(all, rows), unit_slope_.data());
        for (std::int64_t i = 0; i < rows; ++i)
            std::copy_n(unit_slope_.data() + i * width, columns, slope + i * width);
    } else if (const auto* weighting = std::get_if<BetaWeighting>(&stabilizer_)) {
        weight_by_scale(weighting->beta, all, rows, slope);
    } else {
        divide_by_information(std::get<NaturalGradient>(stabilizer_).damping, all, rows, slope);
    }
    if (has_constants_) {
        if (!accumulate && d_shared) std::fill_n(d_shared, plan_.shared_count, T(0));
        sum_constants(rows, d_raw, d_shared);
    }
    return loss;
}

template <class T>
std::int64_t StabilizedLikelihood<T>::columns_below() const {
    return std::holds_alternative<Faithful>(stabilizer_) ? plan_.targets : plan_.raw_width;
}

template <class T>
void StabilizedLikelihood<T>::repeat_constants(const T* shared, const T* raw,
                                               std::int64_t rows) noexcept {
    T* out = raw_.data();
    for (std::int64_t i = 0; i < rows; ++i, raw += plan_.raw_width) {
        for (const RawPlace& place : plan_.raw_places) {
            for (std::int64_t t = 0; t < plan_.targets; ++t) {
                *out++ = place.source == Source::predicted ? raw[place.position + t]
                         : place.source == Source::shared  ? shared[place.position + t]
                                                           : static_cast<T>(place.value);
            }
        }
    }
}

template <class T>
void StabilizedLikelihood<T>::sum_constants(std::int64_t rows, T* d_raw,
                                            T* d_shared) const noexcept {
    const T* slope = slope_.data();
    for (const RawPlace& place : plan_.raw_places) {
        for (std::int64_t t = 0; t < plan_.targets; ++t, ++slope) {
            double sum = 0;
            for (std::int64_t i = 0; i < rows; ++i) {
                const T value = slope[i * all_predicted_.raw_width];
                sum += static_cast<double>(value);
                if (place.source == Source::predicted)
                    d_raw[i * plan_.raw_width + place.position + t] = value;
            }
            if (place.source == Source::shared) d_shared[place.position + t] += static_cast<T>(sum);
        }
    }
}

template <class T>
const T* StabilizedLikelihood<T>::at_unit_scale(const T* raw, std::int64_t rows) noexcept {
    const std::int64_t width = all_predicted_.raw_width;
    std::copy_n(raw, rows * width, unit_raw_.data());
    for (std::int64_t i = 0; i < rows; ++i)
        std::fill_n(unit_raw_.data() + i * width + log_scale * plan_.targets, plan_.targets, T(0));
    return unit_raw_.data();
}

template <class T>
void StabilizedLikelihood<T>::weight_by_scale(double beta, const T* raw, std::int64_t rows,
                                              T* slope) const noexcept {
    const std::int64_t width = all_predicted_.raw_width, columns = plan_.targets;
    for (std::int64_t i = 0; i < rows; ++i, raw += width, slope += width) {
        for (std::int64_t t = 0; t < columns; ++t) {
            const double s = clamp(static_cast<double>(raw[log_scale * columns + t]),
                                   -log_scale_bound, log_scale_bound);
            const double factor = exp(2 * beta * s);
            for (std::int64_t at = t; at < width; at += columns)
                slope[at] = static_cast<T>(static_cast<double>(slope[at]) * factor);
        }
    }
}

template <class T>
void StabilizedLikelihood<T>::divide_by_information(double damping, const T* raw, std::int64_t rows,
                                                    T* slope) const noexcept {
    const std::int64_t width = all_predicted_.raw_width, columns = plan_.targets;
    visit_family(
        [&]<class Family>(const Family& family) {
            if constexpr (HasFisher<Family>) {
                for (std::int64_t at = 0; at < rows * width; at += width) {
                    for (std::int64_t t = 0; t < columns; ++t) {
                        const auto value = [&](std::int64_t k) {
                            return static_cast<double>(raw[at + k * columns + t]);
                        };
                        const auto divide = [&](std::int64_t k, double information) {
                            T& d = slope[at + k * columns + t];
                            d = static_cast<T>(static_cast<double>(d) / (information + damping));
                        };
                        if constexpr (FixedFamily<Family>) {
                            std::array<double, raw_count<Family>> values;
                            std::int64_t k = 0;
                            for (double& each : values) each = value(k++);
                            k = 0;
                            for (const double each : family.fisher(values)) divide(k++, each);
                        } else {
                            family.fisher(value, divide);
                        }
                    }
                }
            }
        },
        all_predicted_.distribution);
}

template class StabilizedLikelihood<float>;
template class StabilizedLikelihood<double>;

}  // namespace likely
