// The product of a network's first layer, which two halves of a team cut by its inputs.
//
// Why: the weights of the first layer are most of what a network of wide inputs has, and every
// step writes them. Where threads cut the rows of a batch, each reads all of them, half from
// another core's cache. Cut by inputs, a thread reads those it has written itself, and neither the
// inputs of the batch nor the weights go from core to core; half of the sums do instead.
//
// Contract: the sums of such a layer are those of its first inputs plus those of the others,
// whoever computes them, so no bit depends on the team.
#pragma once

#include "plan.hpp"
#include "threads.hpp"

namespace likely {

/// Where the second half begins.
constexpr std::int64_t half_of(std::int64_t inputs) {
    return (inputs / 2 + row_unit - 1) / row_unit * row_unit;
}

/// The first layer, if this team cuts it by its inputs; else null. Sums of fewer rows than there
/// are inputs are less than the weights; few weights do not pay for a job of their own.
inline const DenseStep* first_in_halves(const Plan& plan, std::int64_t rows, const Team& team) {
    constexpr std::int64_t fewest_weights = 1 << 15;
    const auto* step = std::get_if<DenseStep>(&plan.steps.front());
    const bool pays = step && step->in_halves && team.size() % 2 == 0 && rows < step->inputs &&
                      rows >= fewest_rows && step->inputs * step->outputs >= fewest_weights;
    return pays ? step : nullptr;
}

/// use(Piece of the inputs, Piece of the rows): one half of the team has the first inputs.
template <class Use>
void split_in_halves(const DenseStep& step, std::int64_t rows, const Team& team, Use&& use) {
    const int cuts = std::min(team.size() / 2, team.pieces(rows, fewest_rows));
    const std::int64_t half = half_of(step.inputs);
    team.each(2 * cuts, [&](int index, int member) {
        const Piece inputs =
            index < cuts ? Piece{0, half, member} : Piece{half, step.inputs, member};
        use(inputs, Team::cut(rows, row_unit, index % cuts, cuts, member));
    });
}

}  // namespace likely
