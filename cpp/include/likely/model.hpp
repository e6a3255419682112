// A model: a specification, its parameters in one flat buffer, and the scaling of its data. Load
// and save.
//
// Contract: `Model` owns its parameters and is movable and copyable. Constructors and `load` throw
// std::invalid_argument with the reason (and the file's name), std::filesystem::filesystem_error
// where a file cannot be read, and leave nothing half-made; `save`
// writes beside the file, then renames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "likely/memory.hpp"
#include "likely/specification.hpp"

namespace likely {

struct ModelFile;
struct Plan;

/// x is seen by the network as (x - input_mean) / input_scale, y as (y - target_mean) /
/// target_scale.
struct Scaling {
    std::vector<double> input_mean, input_scale, target_mean,
        target_scale;  ///< all empty: not scaled
    bool fitted() const { return !input_mean.empty(); }
};

template <class T>
class Model {
  public:
    /// Draws the first parameters from the seed. Throws std::invalid_argument where the
    /// specification does not fit.
    Model(Specification specification, std::uint64_t seed);
    static Model load(const std::filesystem::path& path);
    static Model from_bytes(std::span<const std::byte> bytes);
    /// From a file that is read and whose form is checked (the library's own).
    static Model from_file(const ModelFile& file);
    void save(const std::filesystem::path& path) const;
    std::vector<std::byte> to_bytes() const;

    const Specification& specification() const { return *specification_; }
    const Plan& plan() const { return *plan_; }
    std::shared_ptr<const Plan> shared_plan() const { return plan_; }
    std::span<T> parameters() { return parameters_; }
    std::span<const T> parameters() const { return parameters_; }
    /// Moving averages of batch normalisation, in a flat buffer of their own.
    std::span<T> averages() { return averages_; }
    std::span<const T> averages() const { return averages_; }
    const Scaling& scaling() const { return *scaling_; }
    std::shared_ptr<const Scaling> shared_scaling() const { return scaling_; }
    void set_scaling(Scaling scaling) {
        scaling_ = std::make_shared<const Scaling>(std::move(scaling));
    }

  private:
    Model() = default;
    std::shared_ptr<const Specification> specification_;
    std::shared_ptr<const Plan> plan_;
    AlignedVector<T> parameters_, averages_;
    std::shared_ptr<const Scaling> scaling_ = std::make_shared<const Scaling>();
};

extern template class Model<float>;
extern template class Model<double>;

}  // namespace likely
