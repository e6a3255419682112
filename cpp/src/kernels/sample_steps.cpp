// Plain gradient descent of a linear model with one sample a step: many steps in one call.
//
// Why: such a step is a dozen operations. All that leads to it from a trainer (a batch, a gradient,
// its norm, an update, each a call by itself) takes several times as long.
//
// Contract: the numbers of docs/conventions.md, as `linear`, `squared_norm` and `update` give them
// one after the other. Every lane of a register has the same sample.
#include <cmath>

#include "linear.hpp"

namespace likely::kernels_detail {
namespace {

/// Samples are asked for so many steps before their turn.
constexpr std::int64_t ahead = 32;

/// Families whose loop over a single input is compiled by itself: where the number of inputs is
/// known, weights stay in registers from step to step. These are squared error and logistic
/// regression; for all families the kernels would be a tenth larger.
template <class Family>
inline constexpr bool has_single_input_loop =
    std::is_same_v<Family, Normal> || std::is_same_v<Family, Bernoulli>;

/// The parameters that a raw parameter of the only target column comes from.
template <class T, std::size_t Inputs>
struct RawParameters {
    Lanes<T> constant;
    std::array<Lanes<T>, Inputs> weight;
};

/// Moves the parameters of a raw parameter, given the derivative of the loss by it, and sums up the
/// squares of their derivatives and what is not 0 where a new value is not finite.
template <class T>
struct Move {
    Lanes<T> slope, squares{0.0}, residue{0.0};

    void operator()(const auto& rule, Lanes<T> now, Lanes<T> by, Lanes<T>& next) {
        const Lanes<T> gradient = slope * by;
        std::array<Lanes<T>, 0> no_slots;
        next = now;
        rule(next, gradient, no_slots);
        squares = squares + gradient * gradient;
        residue = residue + (next - next);
    }
};

/// At most so many inputs, or exactly one.
template <std::size_t Inputs, class Family, class T>
SampleResult steps_of(const Family& family, const SampleSteps<T>& steps) {
    using V = Lanes<T>;
    constexpr std::size_t count = raw_count<Family>;
    const Rows<T>& rows = steps.rows;
    const Standardization<T>& scaling = steps.standardization;
    const auto& layer = std::get<DenseStep>(steps.plan.steps.front());
    const std::size_t inputs = Inputs == 1 ? 1 : static_cast<std::size_t>(layer.inputs);
    const auto rule = steps.optimizer.template at_step<V>(1, steps.learning_rate);

    std::array<LinearRaw<T>, count> places;
    std::array<RawParameters<T, Inputs>, count> now{}, next;
    const auto for_weights = [&](std::size_t k, auto&& use) {
        if (places[k].weight == none) return;
        for (std::size_t j = 0; j < inputs; ++j)
            use(j, places[k].weight + static_cast<std::int64_t>(j) * layer.outputs);
    };
    for (std::size_t k = 0; k < count; ++k) {
        places[k].find(steps.plan, layer, k, 0, steps.parameters);
        now[k].constant = V(places[k].value);
        for_weights(
            k, [&](std::size_t j, std::int64_t at) { now[k].weight[j] = V(steps.parameters[at]); });
    }
    next = now;

    double loss = 0, largest_square = 0;
    std::int64_t done = 0;
    for (; done < rows.count; ++done) {
        const std::int64_t row = rows.order ? rows.order[done] : done;
        if (rows.order && done + ahead < rows.count) {
            __builtin_prefetch(rows.x + rows.order[done + ahead] * layer.inputs);
            __builtin_prefetch(rows.y + rows.order[done + ahead]);
        }
        std::array<V, Inputs> x;
        for (std::size_t j = 0; j < inputs; ++j) {
            x[j] = V(rows.x[row * layer.inputs + static_cast<std::int64_t>(j)]);
            if (scaling.input_mean)
                x[j] = (x[j] - V(scaling.input_mean[j])) * V(scaling.input_inverse_scale[j]);
        }
        V y(rows.y[row]);
        if (scaling.target_mean)
            y = (y - V(*scaling.target_mean)) * V(*scaling.target_inverse_scale);

        std::array<V, count> raw;
        for (std::size_t k = 0; k < count; ++k) {
            raw[k] = now[k].constant;
            for_weights(
                k, [&](std::size_t j, std::int64_t) { raw[k] = raw[k] + x[j] * now[k].weight[j]; });
        }
        const auto density = family.log_prob(y, Dual<V, count>::variables(raw));
        V squares(0.0), residue = density.value - density.value;
        for (std::size_t k = 0; k < count; ++k) {
            Move<T> move{-density.derivative[k]};
            if (places[k].constant != none) move(rule, now[k].constant, V(1.0), next[k].constant);
            for_weights(k, [&](std::size_t j, std::int64_t) {
                move(rule, now[k].weight[j], x[j], next[k].weight[j]);
            });
            squares = squares + move.squares;
            residue = residue + move.residue;
        }
        if (!((squares - squares + residue).v[0] == T(0))) break;
        for (std::size_t k = 0; k < count; ++k) {
            now[k].constant = next[k].constant;
            for_weights(k,
                        [&](std::size_t j, std::int64_t) { now[k].weight[j] = next[k].weight[j]; });
        }
        loss -= static_cast<double>(density.value.v[0]);
        largest_square = std::max(largest_square, static_cast<double>(squares.v[0]));
    }

    for (std::size_t k = 0; k < count; ++k) {
        if (places[k].constant != none) steps.parameters[places[k].constant] = now[k].constant.v[0];
        for_weights(k, [&](std::size_t j, std::int64_t at) {
            steps.parameters[at] = now[k].weight[j].v[0];
        });
    }
    return {done, loss, std::sqrt(largest_square)};
}

template <class T>
SampleResult sample_steps(const SampleSteps<T>& steps) {
    return visit_family(
        [&]<class Family>(const Family& family) -> SampleResult {
            if constexpr (walks_linear<Family>) {
                if constexpr (has_single_input_loop<Family>) {
                    if (steps.plan.inputs == 1) return steps_of<1>(family, steps);
                }
                return steps_of<most_linear_inputs>(family, steps);
            } else {
                return {};
            }
        },
        steps.plan.distribution);
}

}  // namespace

template <class T>
void fill_sample_steps(Kernels<T>& table) {
    table.sample_steps = sample_steps<T>;
}

template void fill_sample_steps(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
