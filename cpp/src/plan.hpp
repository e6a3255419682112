// Specification -> where every number stands.
//
// Why: forward, backward, the optimizer, files and threads all work on flat buffers; the plan is
// the one place that knows which weight stands where, in which order the steps run, and where their
// results go.
//
// Contract: parameters as in docs/conventions.md. A workspace for `capacity` rows is one buffer of
// `workspace_width * capacity` numbers; a matrix of the workspace with offset `o` stands at `o *
// capacity`, rows after each other without padding. Offset `input_matrix` is the batch itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "likely/specification.hpp"

namespace likely {

inline constexpr std::int64_t none = -1;
inline constexpr std::int64_t input_matrix = -1;

/// One use of a dense layer.
struct DenseStep {
    std::int64_t inputs, outputs;
    std::int64_t weight, bias;   ///< offsets of parameters; bias may be `none`
    std::int64_t source, value;  ///< workspace offsets of the input and of the activation's value
    std::int64_t preactivation;  ///< `none` unless the activation's derivative reads its input
    Activation activation;
    bool accumulates;  ///< in a backward pass a later use has already written this gradient
    std::int64_t skipped, sum;  ///< last in a residual block: sum = skipped + value; else `none`
    std::int64_t
        d_preactivation;  ///< where the gradient by it goes; `none`: in the place of d value
};

/// The gradient by the block's value is kept at `kept_gradient` while its layers run backward;
/// `none`: the block is one dense layer with a `d_preactivation`, and the gradient stays in place.
struct ResidualBegin {
    std::int64_t width, kept_gradient;
};

/// value = source + inner, unless the dense layer before it has done that (`inner` is `none`).
struct ResidualEnd {
    std::int64_t width, source, inner, value, kept_gradient;
};

/// value = source * mask; in evaluation value = source.
struct DropoutStep {
    std::int64_t width, source, value;
    std::int64_t mask;         ///< `none` where no gradient passes it
    std::int64_t use;          ///< counts the uses of dropout layers in a forward pass
    std::uint32_t kept_below;  ///< a 16-bit random number below this keeps its element
};

/// value = activation(scale * normalized + shift), with normalized = (source - mean) /
/// sqrt(variance + epsilon).
struct NormStep {
    std::int64_t width;
    std::int64_t scale, shift;  ///< offsets of parameters
    std::int64_t source, normalized, value;
    /// A matrix whose rows are mean, variance, 1 / deviation of the columns and room for sums over
    /// rows.
    std::int64_t moments;
    double epsilon;
    Activation activation;
    bool accumulates;
};
struct BatchNormStep : NormStep {
    double momentum;
    std::int64_t mean, variance;  ///< offsets of moving averages
};
struct LayerNormStep : NormStep {
    std::int64_t inverse_deviation;  ///< one number for each row
};

using Step =
    std::variant<DenseStep, ResidualBegin, ResidualEnd, DropoutStep, BatchNormStep, LayerNormStep>;

enum class Role { weight, bias, other };

/// One named tensor of a flat buffer.
struct ParameterTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset, size;
    Role role;         ///< penalties are on weights, and on biases where asked for
    double start = 0;  ///< of each number, unless an initialiser draws it
};

/// Where a raw parameter of the distribution comes from.
struct RawPlace {
    Source source;
    double value;  ///< of a fixed one; what another one starts from
    /// Of a predicted one its first column in the raw matrix, of a shared one its offset among the
    /// constants; that of column t is t further.
    std::int64_t position;
};

/// How the weights of one distinct dense layer start.
struct Initialization {
    const Dense* layer;
    std::int64_t index;  ///< among the distinct dense layers
    std::int64_t inputs, weight, bias;
};

struct Plan {
    std::int64_t inputs = 0, targets = 0;
    std::int64_t columns = 0;  ///< with raw parameters of their own: 1 of a joint distribution
    Distribution distribution;
    std::vector<RawPlace> raw_places;
    std::vector<ParameterArray> parameters;
    std::vector<Step> steps;
    std::int64_t first_trained = 0;  ///< index of the first step that has parameters
    std::vector<ParameterTensor> tensors;
    std::vector<ParameterTensor> averages;  ///< moving averages, in a flat buffer of their own
    std::int64_t average_count = 0;
    bool whole_batches = false;  ///< a training step needs all rows of its batch at once
    std::vector<Initialization> initializations;
    std::int64_t shared = none;  ///< offset of the distribution's learned constants, or `none`
    std::int64_t shared_count = 0;
    std::int64_t parameter_count = 0;
    std::int64_t raw_width = 0;  ///< raw parameters put out for each row
    std::int64_t raw = 0;        ///< workspace offset of the raw parameters
    std::int64_t gradient_in = 0,
                 gradient_out = 0;  ///< two matrices of `widest` columns for training (halves.hpp)
    std::int64_t widest = 0;
    std::int64_t workspace_width = 0;
    std::int64_t multiply_adds = 0;  ///< of a forward pass, for each row
};

/// A distinct layer under the name its tensors and files use.
struct NamedLayer {
    std::string name;
    LayerPointer layer;
};

/// The distinct layers in the order of their first appearance (a block before its layers), the
/// output layer last.
std::vector<NamedLayer> distinct_layers(const std::vector<LayerPointer>& layers,
                                        const LayerPointer& output);

/// Sets the distribution of a plan and all that follows from it: raw places and width, number of
/// shared constants, parameters.
void place_distribution(Plan& plan, const Distribution& distribution, std::int64_t targets);

/// The specification with its output layer filled in, checked. Throws std::invalid_argument.
Specification completed(Specification specification);

/// Throws std::invalid_argument where the layers do not fit together or sizes overflow. Points into
/// `specification`.
Plan make_plan(const Specification& specification);

}  // namespace likely
