#include "likely/model.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>

#include "files.hpp"
#include "likely/primitives.hpp"
#include "model_file.hpp"
#include "plan.hpp"
#include "rng.hpp"

namespace likely {
namespace {

/// Where a weight or a bias starts: +-limit uniformly, or normal with a standard deviation; both
/// zero: at zero.
struct Start {
    double limit = 0, deviation = 0;
    bool draws_bias = false;
};

Start start_of(const Initialization& initialization) {
    const Dense& layer = *initialization.layer;
    const double inputs = static_cast<double>(initialization.inputs);
    const double both = inputs + static_cast<double>(layer.units);
    std::string init = layer.init;
    if (init == "auto") {
        const bool saturates = std::holds_alternative<Identity>(layer.activation) ||
                               std::holds_alternative<Sigmoid>(layer.activation) ||
                               std::holds_alternative<Tanh>(layer.activation);
        init = saturates ? "glorot_uniform" : "he_uniform";
    }
    if (init == "glorot_uniform") return {std::sqrt(6 / both), 0, false};
    if (init == "he_uniform") return {std::sqrt(6 / inputs), 0, false};
    if (init == "torch_uniform") return {1 / std::sqrt(inputs), 0, true};
    if (init == "glorot_normal") return {0, std::sqrt(2 / both), false};
    if (init == "he_normal") return {0, std::sqrt(2 / inputs), false};
    return {};
}

/// What each number of a flat buffer starts from, unless it is drawn.
template <class T>
void fill_starts(const std::vector<ParameterTensor>& tensors, std::span<T> buffer) {
    for (const ParameterTensor& tensor : tensors) {
        std::fill_n(buffer.begin() + tensor.offset, tensor.size, static_cast<T>(tensor.start));
    }
}

template <class T>
void initialize(const Plan& plan, std::uint64_t seed, std::span<T> parameters) {
    fill_starts(plan.tensors, parameters);
    for (const Initialization& initialization : plan.initializations) {
        const Start start = start_of(initialization);
        Philox random(seed, Purpose::initialization, 0, 0,
                      static_cast<std::uint64_t>(initialization.index));
        const auto draw = [&](std::int64_t index) {
            const double u = uniform<T>(random.word(static_cast<std::uint64_t>(index)));
            return static_cast<T>(start.deviation > 0 ? start.deviation * normal_quantile(u)
                                                      : (2 * u - 1) * start.limit);
        };
        const std::int64_t weights = initialization.inputs * initialization.layer->units;
        if (start.limit > 0 || start.deviation > 0) {
            for (std::int64_t i = 0; i < weights; ++i) {
                parameters[static_cast<std::size_t>(initialization.weight + i)] = draw(i);
            }
        }
        if (start.draws_bias && initialization.bias != none) {
            for (std::int64_t j = 0; j < initialization.layer->units; ++j) {
                parameters[static_cast<std::size_t>(initialization.bias + j)] = draw(weights + j);
            }
        }
    }
    const std::int64_t bias = std::get<DenseStep>(plan.steps.back()).bias;
    if (bias == none) return;
    for (const RawPlace& place : plan.raw_places) {
        if (place.source != Source::predicted) continue;
        for (std::int64_t t = 0; t < plan.columns; ++t) {
            parameters[static_cast<std::size_t>(bias + place.position + t)] +=
                static_cast<T>(place.value);
        }
    }
}

/// An allocation that failed, with what it was for.
struct NetworkTooLarge : std::bad_alloc {
    explicit NetworkTooLarge(std::int64_t numbers)
        : message("the network is too large for the memory: " + std::to_string(numbers) +
                  " parameters") {}
    const char* what() const noexcept override { return message.c_str(); }
    std::string message;
};

template <class T>
AlignedVector<T> zeros(std::int64_t count) {
    try {
        return AlignedVector<T>(static_cast<std::size_t>(count), T(0));
    } catch (const std::bad_alloc&) {
        throw NetworkTooLarge(count);
    }
}

template <class T>
constexpr const char* dtype_name() {
    return sizeof(T) == 4 ? "F32" : "F64";
}

std::string text_of(const std::vector<std::int64_t>& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + ")";
}

template <class From, class T>
void copy_tensor(const Tensor& tensor, T* target, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) {
        From value;
        std::memcpy(&value, tensor.data.data() + static_cast<std::size_t>(i) * sizeof(From),
                    sizeof(From));
        target[i] = static_cast<T>(value);
        if (!std::isfinite(target[i])) {
            throw std::invalid_argument("tensor " + tensor.name +
                                        " holds a number that is not finite");
        }
    }
}

template <class T>
void check_variances(const Plan& plan, std::span<const T> averages) {
    for (const Step& step : plan.steps) {
        const auto* norm = std::get_if<BatchNormStep>(&step);
        if (!norm) continue;
        const auto variance = averages.begin() + norm->variance;
        if (std::any_of(variance, variance + norm->width, [](T v) { return v < 0; }))
            throw std::invalid_argument("a moving average of a variance is negative");
    }
}

}  // namespace

template <class T>
Model<T>::Model(Specification specification, std::uint64_t seed)
    : specification_(std::make_shared<const Specification>(completed(std::move(specification)))),
      plan_(std::make_shared<const Plan>(make_plan(*specification_))),
      parameters_(zeros<T>(plan_->parameter_count)),
      averages_(zeros<T>(plan_->average_count)) {
    initialize<T>(*plan_, seed, parameters_);
    fill_starts<T>(plan_->averages, averages_);
}

template <class T>
Model<T> Model<T>::from_bytes(std::span<const std::byte> bytes) {
    return from_file(read_model_file({bytes.begin(), bytes.end()}));
}

template <class T>
Model<T> Model<T>::load(const std::filesystem::path& path) {
    return load_as(path, [](const ModelFile& file) { return from_file(file); });
}

template <class T>
Model<T> Model<T>::from_file(const ModelFile& file) {
    Model model;
    model.specification_ = std::make_shared<const Specification>(file.specification);
    model.plan_ = std::make_shared<const Plan>(make_plan(*model.specification_));
    model.set_scaling(file.scaling);
    const std::size_t count = model.plan_->tensors.size() + model.plan_->averages.size();
    if (file.tensors.tensors.size() != count) {
        throw std::invalid_argument("it holds " + std::to_string(file.tensors.tensors.size()) +
                                    " tensors, its network has " + std::to_string(count));
    }
    const std::string dtype = file.tensors.tensors.front().dtype;
    const auto read = [&](const std::vector<ParameterTensor>& tensors, std::span<T> buffer) {
        for (const ParameterTensor& expected : tensors) {
            const Tensor* tensor = file.tensors.find(expected.name);
            if (!tensor) throw std::invalid_argument("tensor " + expected.name + " is missing");
            if (tensor->shape != expected.shape) {
                throw std::invalid_argument("tensor " + expected.name + " has shape " +
                                            text_of(tensor->shape) + ", expected " +
                                            text_of(expected.shape));
            }
            if (tensor->dtype != dtype)
                throw std::invalid_argument("its tensors have different dtypes");
            T* target = buffer.data() + expected.offset;
            if (dtype == "F32") {
                copy_tensor<float>(*tensor, target, expected.size);
            } else {
                copy_tensor<double>(*tensor, target, expected.size);
            }
        }
    };
    model.parameters_ = zeros<T>(model.plan_->parameter_count);
    read(model.plan_->tensors, model.parameters_);
    model.averages_ = zeros<T>(model.plan_->average_count);
    read(model.plan_->averages, model.averages_);
    check_variances<T>(*model.plan_, model.averages_);
    return model;
}

template <class T>
std::vector<std::byte> Model<T>::to_bytes() const {
    std::vector<Tensor> tensors;
    const auto add = [&](const std::vector<ParameterTensor>& names, std::span<const T> buffer) {
        for (const ParameterTensor& tensor : names) {
            const std::span<const T> values(buffer.data() + tensor.offset,
                                            static_cast<std::size_t>(tensor.size));
            for (const T value : values) {
                if (!std::isfinite(value)) {
                    throw std::invalid_argument("a number of " + tensor.name +
                                                " is not finite; nothing was written");
                }
            }
            tensors.push_back({tensor.name, dtype_name<T>(), tensor.shape, std::as_bytes(values)});
        }
    };
    add(plan_->tensors, parameters_);
    add(plan_->averages, averages_);
    check_variances<T>(*plan_, averages_);
    return write_safetensors(model_metadata(*specification_, *scaling_), tensors);
}

template <class T>
void Model<T>::save(const std::filesystem::path& path) const {
    write_file_atomically(path, to_bytes());
}

template class Model<float>;
template class Model<double>;

}  // namespace likely
