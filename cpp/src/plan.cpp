#include "plan.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <stdexcept>

namespace likely {
namespace {

/// Sizes beyond this would overflow a byte count somewhere.
constexpr std::int64_t largest_size = std::int64_t{1} << 48;

std::int64_t checked_product(std::int64_t a, std::int64_t b, const std::string& what) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product) || product > largest_size) {
        throw std::invalid_argument(what + " is too large: " + std::to_string(a) + " x " +
                                    std::to_string(b) + " numbers");
    }
    return product;
}

constexpr std::size_t most_steps = 100'000;

void collect(const LayerPointer& layer, std::vector<LayerPointer>& found) {
    if (std::find(found.begin(), found.end(), layer) != found.end()) return;
    found.push_back(layer);
    if (const auto* residual = std::get_if<Residual>(layer.get())) {
        for (const auto& inner : residual->layers) collect(inner, found);
    }
}

/// " (loc, log_scale)": what a network has to put out.
std::string predicted_names(const Distribution& distribution, std::int64_t targets) {
    std::string names;
    for (const RawParameter& raw : raw_parameters(distribution, targets)) {
        if (raw.source == Source::predicted) names += (names.empty() ? "" : ", ") + raw.name;
    }
    return " (" + names + (joint(distribution) ? ")" : ") of each target column");
}

/// How many classes a target can belong to; 0 of numbers.
std::int64_t class_count(const Distribution& distribution) {
    if (const auto* categorical = std::get_if<Categorical>(&distribution))
        return categorical->classes;
    if (const auto* ordinal = std::get_if<Ordinal>(&distribution)) return ordinal->levels;
    return std::holds_alternative<Bernoulli>(distribution) ? 2 : 0;
}

/// Layers made in C++ have not passed the checks of Python's constructors.
void check_layer(const LayerPointer& layer, std::vector<const Layer*>& checked) {
    if (!layer) throw std::invalid_argument("layers must not be null; there is a null layer");
    if (std::find(checked.begin(), checked.end(), layer.get()) != checked.end()) return;
    checked.push_back(layer.get());
    if (const auto* residual = std::get_if<Residual>(layer.get())) {
        for (const auto& inner : residual->layers) check_layer(inner, checked);
    }
    std::visit(
        [](const auto& member) {
            if constexpr (requires { member.activation; }) {
                std::visit([](const auto& activation) { activation.validate(); },
                           member.activation);
            }
            member.validate();
        },
        *layer);
}

class Planner {
  public:
    Planner(Plan& plan, const Specification& specification)
        : plan_(plan), named_(distinct_layers(specification.layers, specification.output)) {}

    void lay_out_parameters(const Specification& specification) {
        std::int64_t width = specification.inputs;
        for (const auto& layer : specification.layers) width = check_widths(layer, width);
        check_widths(specification.output, width);
        std::int64_t dense_index = 0;
        for (const auto& [name, layer] : named_) {
            const std::int64_t columns = inputs_.at(layer.get());
            if (const auto* dense = std::get_if<Dense>(layer.get())) {
                DenseStep step{};
                step.inputs = columns;
                step.outputs = dense->units;
                step.weight = add_tensor(name + ".weight", {columns, dense->units}, Role::weight);
                step.bias =
                    dense->bias ? add_tensor(name + ".bias", {dense->units}, Role::bias) : none;
                step.activation = dense->activation;
                plan_.initializations.push_back(
                    {dense, dense_index++, columns, step.weight, step.bias});
                trained_.emplace(layer.get(), step);
            } else if (const auto* batch_norm = std::get_if<BatchNorm>(layer.get())) {
                BatchNormStep step{norm_step(name, columns, *batch_norm), batch_norm->momentum,
                                   add_average(name + ".mean", columns, 0),
                                   add_average(name + ".variance", columns, 1)};
                plan_.whole_batches = true;
                trained_.emplace(layer.get(), step);
            } else if (const auto* layer_norm = std::get_if<LayerNorm>(layer.get())) {
                trained_.emplace(layer.get(),
                                 LayerNormStep{norm_step(name, columns, *layer_norm), none});
            }
        }
    }

    /// Offset of a new tensor of the parameters.
    std::int64_t add_tensor(std::string name, std::vector<std::int64_t> shape, Role role,
                            double start = 0) {
        std::int64_t size = 1;
        for (const std::int64_t extent : shape) size = checked_product(size, extent, name);
        const std::int64_t offset = plan_.parameter_count;
        plan_.parameter_count += size;
        if (plan_.parameter_count > largest_size)
            throw std::invalid_argument("the network is too large");
        plan_.tensors.push_back({std::move(name), std::move(shape), offset, size, role, start});
        return offset;
    }

    /// Appends the steps of a layer whose input stands at `source`; returns where its value stands.
    std::int64_t add_steps(const LayerPointer& layer, std::int64_t source, std::int64_t& width) {
        return std::visit(
            [&](const auto& member) { return add_steps(member, layer.get(), source, width); },
            *layer);
    }

    std::int64_t reserve(std::int64_t width) {
        const std::int64_t offset = plan_.workspace_width;
        plan_.workspace_width += width;
        return offset;
    }

    /// Matrices that predictions do without, behind all others.
    void reserve_gradients() {
        plan_.gradient_in = reserve(plan_.widest);
        plan_.gradient_out = reserve(plan_.widest);
        // Two take turns: one layer's is written while that of the layer behind it is still read.
        std::array<std::int64_t, 2> turns{none, none};
        std::vector<std::size_t> open;
        for (std::size_t index = 0; index < plan_.steps.size(); ++index) {
            if (std::holds_alternative<ResidualBegin>(plan_.steps[index])) open.push_back(index);
            auto* const end = std::get_if<ResidualEnd>(&plan_.steps[index]);
            if (!end) continue;
            const std::size_t begin = open.back();
            open.pop_back();
            auto* const dense = std::get_if<DenseStep>(&plan_.steps[begin + 1]);
            if (dense && index == begin + 2 &&
                !std::holds_alternative<Identity>(dense->activation)) {
                if (turns[0] == none) turns = {reserve(plan_.widest), reserve(plan_.widest)};
                dense->d_preactivation = turns[0];
                std::swap(turns[0], turns[1]);
            } else {
                end->kept_gradient = reserve(end->width);
                std::get<ResidualBegin>(plan_.steps[begin]).kept_gradient = end->kept_gradient;
            }
        }
    }

  private:
    std::int64_t add_steps(const Dense&, const Layer* layer, std::int64_t source,
                           std::int64_t& width) {
        DenseStep step = std::get<DenseStep>(trained_.at(layer));
        step.source = source;
        step.skipped = step.sum = step.d_preactivation = none;
        step.value = reserve(step.outputs);
        const bool uses_input =
            std::visit([](const auto& a) { return a.uses_input; }, step.activation);
        step.preactivation = uses_input ? reserve(step.outputs) : none;
        plan_.multiply_adds += step.inputs * step.outputs;
        width = step.outputs;
        plan_.widest = std::max(plan_.widest, width);
        plan_.steps.emplace_back(step);
        return step.value;
    }

    std::int64_t add_steps(const Residual& residual, const Layer*, std::int64_t source,
                           std::int64_t& width) {
        plan_.steps.emplace_back(ResidualBegin{width, none});
        std::int64_t inner = source;
        for (const auto& part : residual.layers) inner = add_steps(part, inner, width);
        const std::int64_t value = reserve(width);
        if (auto* dense = std::get_if<DenseStep>(&plan_.steps.back())) {
            dense->skipped = source;
            dense->sum = value;
            inner = none;
        }
        plan_.steps.emplace_back(ResidualEnd{width, source, inner, value, none});
        return value;
    }

    std::int64_t add_steps(const Dropout& dropout, const Layer*, std::int64_t source,
                           std::int64_t& width) {
        // Before the first step with parameters no gradient is needed.
        const bool passes_gradient =
            std::any_of(plan_.steps.begin(), plan_.steps.end(), [](const Step& before) {
                return std::visit([](const auto& s) { return requires { s.accumulates; }; },
                                  before);
            });
        const std::int64_t value = reserve(width);
        const DropoutStep step{width,           source,
                               value,           passes_gradient ? reserve(width) : none,
                               dropout_uses_++, dropout.kept_below()};
        plan_.steps.emplace_back(step);
        return step.value;
    }

    std::int64_t add_steps(const BatchNorm&, const Layer* layer, std::int64_t source,
                           std::int64_t& width) {
        BatchNormStep step = std::get<BatchNormStep>(trained_.at(layer));
        return add_norm_step(step, source, width);
    }

    std::int64_t add_steps(const LayerNorm&, const Layer* layer, std::int64_t source,
                           std::int64_t& width) {
        LayerNormStep step = std::get<LayerNormStep>(trained_.at(layer));
        step.inverse_deviation = reserve(1);
        return add_norm_step(step, source, width);
    }

    template <class AnyNormStep>
    std::int64_t add_norm_step(AnyNormStep& step, std::int64_t source, std::int64_t width) {
        step.source = source;
        step.normalized = reserve(width);
        step.value = reserve(width);
        step.moments = reserve(width);
        plan_.steps.emplace_back(step);
        return step.value;
    }

    template <class Norm>
    NormStep norm_step(const std::string& name, std::int64_t columns, const Norm& layer) {
        NormStep step{};
        step.width = columns;
        step.scale = add_tensor(name + ".scale", {columns}, Role::other, 1);
        step.shift = add_tensor(name + ".shift", {columns}, Role::other);
        step.epsilon = layer.epsilon;
        step.activation = layer.activation;
        return step;
    }

    std::int64_t add_average(std::string name, std::int64_t size, double start) {
        const std::int64_t offset = plan_.average_count;
        plan_.average_count += size;
        plan_.averages.push_back({std::move(name), {size}, offset, size, Role::other, start});
        return offset;
    }

    const std::string& name_of(const Layer* layer) const {
        return std::find_if(named_.begin(), named_.end(),
                            [&](const auto& n) { return n.layer.get() == layer; })
            ->name;
    }

    /// The width behind a layer; notes the number of inputs of each.
    std::int64_t check_widths(const LayerPointer& layer, std::int64_t width) {
        if (++uses_ > most_steps) {  // blocks of blocks of one shared layer grow exponentially
            throw std::invalid_argument("layers are used more than " + std::to_string(most_steps) +
                                        " times");
        }
        if (const auto* residual = std::get_if<Residual>(layer.get())) {
            inputs_.emplace(layer.get(), width);
            std::int64_t inner = width;
            for (const auto& part : residual->layers) inner = check_widths(part, inner);
            if (inner == width) return width;
            throw std::invalid_argument("layers: " + name_of(layer.get()) + " gets " +
                                        std::to_string(width) + " columns but its layers put out " +
                                        std::to_string(inner) + "; x + f(x) needs the same number");
        }
        const auto [entry, first] = inputs_.emplace(layer.get(), width);
        if (!first && std::holds_alternative<BatchNorm>(*layer)) {
            throw std::invalid_argument(
                "layers: " + name_of(layer.get()) +
                " is used more than once; its moving averages belong to one place, so make a "
                "BatchNorm object for each");
        }
        if (!first && entry->second != width && !std::holds_alternative<Dropout>(*layer)) {
            throw std::invalid_argument(
                "layers: " + name_of(layer.get()) + " is used more than once, with " +
                std::to_string(entry->second) + " and with " + std::to_string(width) +
                " inputs; a layer object used again shares its weights and needs the same number "
                "of inputs (make a second object for weights of its own)");
        }
        const auto* dense = std::get_if<Dense>(layer.get());
        return dense ? dense->units : width;
    }

    Plan& plan_;
    std::vector<NamedLayer> named_;
    std::map<const Layer*, std::int64_t> inputs_;
    std::map<const Layer*, Step> trained_;  ///< what all uses of a layer with parameters share
    std::size_t uses_ = 0;
    std::int64_t dropout_uses_ = 0;
};

}  // namespace

std::vector<NamedLayer> distinct_layers(const std::vector<LayerPointer>& layers,
                                        const LayerPointer& output) {
    std::vector<LayerPointer> found;
    for (const auto& layer : layers) collect(layer, found);
    const std::size_t hidden = found.size();
    if (output) collect(output, found);
    std::vector<NamedLayer> named;
    std::map<std::string, std::int64_t> counts;
    for (const auto& layer : found) {
        const std::string kind = std::visit(
            [](const auto& l) { return normalized_name(std::decay_t<decltype(l)>::name); }, *layer);
        const bool is_output = named.size() == hidden;
        named.push_back(
            {is_output ? "output" : kind + "_" + std::to_string(counts[kind]++), layer});
    }
    return named;
}

void place_distribution(Plan& plan, const Distribution& distribution, std::int64_t targets) {
    plan.targets = targets;
    plan.columns = joint(distribution) ? 1 : targets;
    plan.distribution = distribution;
    plan.raw_places.clear();
    std::int64_t predicted = 0, shared = 0;
    for (const RawParameter& raw : raw_parameters(distribution, targets)) {
        RawPlace place{raw.source, raw.value, 0};
        if (raw.source == Source::predicted) place.position = predicted++ * plan.columns;
        if (raw.source == Source::shared) place.position = shared++ * plan.columns;
        plan.raw_places.push_back(place);
    }
    plan.raw_width = checked_product(predicted, plan.columns, "the output layer");
    plan.shared_count = shared * plan.columns;
    plan.parameters = parameter_arrays(plan.distribution, targets);
}

Specification completed(Specification specification) {
    require(specification.inputs >= 1, "inputs", "at least 1", specification.inputs);
    require(specification.targets >= 1, "targets", "at least 1", specification.targets);
    std::visit([](const auto& family) { family.validate(); }, specification.distribution);
    Plan head;
    place_distribution(head, specification.distribution, specification.targets);
    std::vector<const Layer*> checked;
    for (const auto& layer : specification.layers) check_layer(layer, checked);
    const std::int64_t width = head.raw_width;
    if (specification.output) {
        check_layer(specification.output, checked);
    } else {
        specification.output = std::make_shared<const Layer>(Dense{width});
    }
    const auto* output = std::get_if<Dense>(specification.output.get());
    if (!output) {
        throw std::invalid_argument(
            "output must be a Dense layer, which puts out the raw parameters; got " +
            std::visit([](const auto& layer) { return std::string(layer.name); },
                       *specification.output) +
            " (other layers stand in `layers`, before it)");
    }
    if (output->units != width) {
        throw std::invalid_argument("output must have " + std::to_string(width) +
                                    " units, one for each raw parameter" +
                                    predicted_names(specification.distribution, head.targets) +
                                    "; got " + std::to_string(output->units));
    }
    const auto check_names = [](const auto& names, std::int64_t expected,
                                const std::string& argument) {
        if (!names.empty() && static_cast<std::int64_t>(names.size()) != expected) {
            throw std::invalid_argument(argument + " must have " + std::to_string(expected) +
                                        " names; got " + std::to_string(names.size()));
        }
        for (auto name = names.begin(); name != names.end(); ++name) {
            if (std::find(names.begin(), name, *name) != name) {
                throw std::invalid_argument(argument + " must differ; '" + *name +
                                            "' stands there twice");
            }
        }
    };
    check_names(specification.feature_names, specification.inputs, "feature_names");
    check_names(specification.target_names, specification.targets, "target_names");
    const std::int64_t classes = class_count(specification.distribution);
    if (!specification.class_names.empty() && classes == 0) {
        throw std::invalid_argument(
            "class_names needs a distribution of classes (Bernoulli, Categorical or Ordinal)");
    }
    check_names(specification.class_names, classes, "class_names");
    return specification;
}

Plan make_plan(const Specification& specification) {
    Plan plan;
    plan.inputs = specification.inputs;
    place_distribution(plan, specification.distribution, specification.targets);
    plan.whole_batches = std::holds_alternative<Custom>(plan.distribution);  // one call a batch
    plan.widest = plan.inputs;

    Planner planner(plan, specification);
    planner.lay_out_parameters(specification);
    for (const RawParameter& raw : raw_parameters(plan.distribution, plan.targets)) {
        if (raw.source != Source::shared) continue;
        const std::int64_t offset =
            planner.add_tensor("distribution." + raw.name, {plan.columns}, Role::other, raw.value);
        if (plan.shared == none) plan.shared = offset;
    }

    std::int64_t source = input_matrix;
    std::int64_t width = plan.inputs;
    for (const auto& layer : specification.layers) source = planner.add_steps(layer, source, width);
    plan.raw = planner.add_steps(specification.output, source, width);
    planner.reserve_gradients();
    if (plan.workspace_width > largest_size)
        throw std::invalid_argument("the network is too large");

    std::vector<std::int64_t> written;
    for (std::size_t index = plan.steps.size(); index-- > 0;) {
        std::visit(
            [&](auto& step) {
                if constexpr (requires { step.accumulates; }) {
                    std::int64_t parameter = none;
                    if constexpr (requires { step.weight; }) {
                        parameter = step.weight;
                    } else {
                        parameter = step.scale;
                    }
                    step.accumulates =
                        std::find(written.begin(), written.end(), parameter) != written.end();
                    written.push_back(parameter);
                    plan.first_trained = static_cast<std::int64_t>(index);
                }
            },
            plan.steps[index]);
    }
    return plan;
}

}  // namespace likely
