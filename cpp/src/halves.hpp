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

/// Where the second half begins: where two threads cut the gradient of the weights.
inline std::int64_t half_of(std::int64_t inputs) {
    return Team::cut(inputs, row_unit, 0, 2, 0).end;
}

/// Whether a layer's sums are in halves. Each is one chain: with more inputs a panel of the weights
/// would leave the second cache, as would rows of weights a page apart.
template <class T>
bool has_halves(const DenseStep& step) {
    constexpr std::int64_t fewest = 256, most = 1024, page = 4096;
    return step.source == input_matrix && step.sum == none && step.inputs >= fewest &&
           step.inputs <= most && step.outputs * std::int64_t{sizeof(T)} % page != 0;
}

/// The first layer, if this team cuts it by its inputs; else null. Sums of fewer rows than there
/// are inputs are less than the weights; few weights do not pay for a job of their own.
template <class T>
const DenseStep* first_in_halves(const Plan& plan, std::int64_t rows, const Team& team) {
    constexpr std::int64_t fewest_weights = 1 << 16;
    const auto* step = std::get_if<DenseStep>(&plan.steps.front());
    const bool pays = step && team.size() % 2 == 0 && rows < step->inputs && rows >= fewest_rows &&
                      step->inputs * step->outputs >= fewest_weights;
    return pays && has_halves<T>(*step) ? step : nullptr;
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
