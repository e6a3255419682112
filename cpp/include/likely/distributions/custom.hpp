// A density that the user writes, known by its log_prob alone.
//
// Why: not every density has a name. The network predicts its raw parameters and trains on its
// log_prob and derivatives, which a function of the user gives for a whole batch at once.
//
// Contract: name, parameters and support are data: they stand in files, and two custom densities
// are equal if these are. The function is not: it must be given again after loading. Without it the
// raw parameters can be predicted, and nothing else.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "likely/distributions/common.hpp"
#include "likely/registry.hpp"

namespace likely {

/// The function of a custom density.
class CustomDensity {
  public:
    virtual ~CustomDensity() = default;

    /// Writes the log density of every sample and, unless `derivative` is null, its derivatives.
    /// Parameter k of sample i stands at raw[k * samples + i], the derivative by it at
    /// derivative[k * samples + i]. Samples are independent: a sample's numbers must not depend on
    /// the others. May throw; the exception passes through training.
    virtual void evaluate(std::int64_t samples, const double* y, const double* raw,
                          double* log_prob, double* derivative) const = 0;
};

/// A set of targets under the names of torch.distributions.constraints.
struct Domain {
    std::string_view name, text;
    bool (*contains)(double);
};

inline constexpr std::array domains{
    Domain{"real", "a finite real number", [](double y) { return std::isfinite(y); }},
    Domain{"positive", "a positive number", [](double y) { return y > 0 && std::isfinite(y); }},
    Domain{"nonnegative", "a number of at least 0",
           [](double y) { return y >= 0 && std::isfinite(y); }},
    Domain{"unit_interval", "a number in [0, 1]", [](double y) { return y >= 0 && y <= 1; }},
    Domain{"integer", "an integer",
           [](double y) { return std::isfinite(y) && y == std::floor(y); }},
    Domain{"nonnegative_integer", "0, 1, 2, ...",
           [](double y) { return y >= 0 && std::isfinite(y) && y == std::floor(y); }}};

struct Custom {
    static constexpr std::string_view name = "Custom";
    static constexpr std::string_view doc =
        "A density written in Python, known by its log_prob alone; made by likely.distribution.\n"
        "Made by hand or read from a file it has no function: a network then predicts the raw\n"
        "parameters, and likely.load(path, distribution=...) gives the function back.";
    static constexpr TargetScaling target_scaling = TargetScaling::none;

    std::string density_name;
    std::vector<std::string> names;
    std::string domain = "real";
    std::shared_ptr<const CustomDensity> density = nullptr;  ///< null: the function is missing

    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &Custom::density_name, "of the density, such as 'gumbel'", true},
            Field{"parameters", &Custom::names,
                  "the function's arguments after y, each a raw parameter, such as ('loc', "
                  "'log_scale')",
                  true},
            Field{"support", &Custom::domain,
                  "which targets are possible: 'real', 'positive', 'nonnegative', 'unit_interval' "
                  "(0 and 1 included), 'integer' or 'nonnegative_integer'"}};
    }
    void validate() const {
        require(!density_name.empty(), "name", "at least a letter", density_name);
        require_some(!names.empty(), "parameters", "at least one name");
        for (auto each = names.begin(); each != names.end(); ++each) {
            require(!each->empty(), "parameters", "names", *each);
            require(std::find(names.begin(), each, *each) == each, "parameters", "different names",
                    *each + " twice");
        }
        std::vector<std::string_view> known;
        for (const Domain& each : domains) known.push_back(each.name);
        if (std::find(known.begin(), known.end(), domain) == known.end()) {
            throw_unknown_name("support", domain, known);
        }
    }
    std::string support() const {
        return std::string(targets().text) + ", by the support of density '" + density_name + "'";
    }
    bool supports(double y) const { return targets().contains(y); }

    /// The function, or an exception that says how to give it.
    const CustomDensity& function() const {
        if (density) return *density;
        throw std::invalid_argument("the function of density '" + density_name +
                                    "' is missing: a file holds its name alone; give it with "
                                    "likely.load(path, distribution=" +
                                    density_name + ")");
    }

    std::vector<RawParameter> raw_parameters() const {
        std::vector<RawParameter> result;
        for (const std::string& each : names) result.push_back({each});
        return result;
    }
    /// The parameters are the raw ones.
    std::vector<ParameterArray> parameter_arrays() const {
        std::vector<ParameterArray> result;
        for (const std::string& each : names) result.push_back({each});
        return result;
    }
    double parameter(std::int64_t k, const auto& raw) const { return raw(k); }
    void raw_from(const auto& given, auto&& set_raw) const {
        for (std::size_t k = 0; k < names.size(); ++k) {
            const auto at = static_cast<std::int64_t>(k);
            require(std::isfinite(given(at)), names[k], "finite", given(at));
            set_raw(at, given(at));
        }
    }

  private:
    const Domain& targets() const {
        return *std::find_if(domains.begin(), domains.end() - 1,
                             [&](const Domain& each) { return each.name == domain; });
    }
};

}  // namespace likely
