// Forward and backward over plan, parameters and workspace; each backward stands right under its
// forward.
#include "dense.hpp"
#include "dropout.hpp"
#include "kernels.hpp"
#include "matrices.hpp"
#include "normalization.hpp"

namespace likely::kernels_detail {
namespace {

template <class T>
void forward(const ResidualBegin&, const Mode<T>&, const T*, const Matrices<T>&, const Piece&, T*) {
}

template <class T>
void forward(const ResidualEnd& step, const Mode<T>&, const T*, const Matrices<T>& matrices,
             const Piece& rows, T*) {
    if (step.inner == none) return;
    const std::int64_t begin = rows.begin * step.width;
    transform<T>(
        rows.size() * step.width, matrices.at(step.value) + begin,
        [](Lanes<T> x, Lanes<T> f) { return x + f; }, matrices.source(step.source) + begin,
        static_cast<const T*>(matrices.at(step.inner) + begin));
}

template <class T>
void backward(const ResidualEnd& step, const Matrices<T>& matrices, const Piece& rows,
              const T* current) {
    if (step.kept_gradient == none) return;
    const std::int64_t begin = rows.begin * step.width;
    std::copy_n(current + begin, rows.size() * step.width, matrices.at(step.kept_gradient) + begin);
}

template <class T>
void backward(const ResidualBegin& step, const Matrices<T>& matrices, const Piece& rows,
              T* current) {
    if (step.kept_gradient == none) return;  // the input gradient was added to it
    const std::int64_t begin = rows.begin * step.width;
    transform<T>(
        rows.size() * step.width, current + begin, [](Lanes<T> a, Lanes<T> b) { return a + b; },
        static_cast<const T*>(current + begin),
        static_cast<const T*>(matrices.at(step.kept_gradient) + begin));
}

}  // namespace

template <class T>
std::int64_t scratch_size(const Plan& plan) {
    return std::max(gemm::scratch_size<T>(), likelihood_scratch_size<T>(plan));
}

template <class T>
void network_forward(const Plan& plan, const Mode<T>& mode, const T* parameters, const T* x,
                     std::int64_t rows, std::int64_t capacity, T* workspace, T* scratch,
                     const Team& team) {
    const Matrices<T> matrices{x, workspace, capacity};
    const std::int64_t scratch_of_one = scratch_size<T>(plan);
    for (std::size_t first = 0; first < plan.steps.size();) {
        // Between two batch normalisations, which need all rows, each piece of the rows runs alone.
        if (const auto* step = std::get_if<BatchNormStep>(&plan.steps[first]))
            find_moments(*step, mode, matrices, rows);
        std::size_t end = first + 1;
        while (end < plan.steps.size() && !std::holds_alternative<BatchNormStep>(plan.steps[end]))
            ++end;
        const DenseStep* const halved = first == 0 ? first_in_halves<T>(plan, rows, team) : nullptr;
        T* const other = halved ? matrices.at(plan.gradient_out) : nullptr;  // not needed yet
        if (halved) {
            split_in_halves(*halved, rows, team, [&](const Piece& inputs, const Piece& some) {
                forward_half(*halved, parameters, matrices, inputs, some, other,
                             scratch + some.member * scratch_of_one);
            });
        }
        team.split(rows, row_unit, fewest_rows, [&](const Piece& piece) {
            if (halved) add_halves<T>(*halved, matrices, piece, other);
            for (std::size_t index = first + (halved ? 1 : 0); index < end; ++index) {
                std::visit(
                    [&](const auto& step) {
                        forward(step, mode, parameters, matrices, piece,
                                scratch + piece.member * scratch_of_one);
                    },
                    plan.steps[index]);
            }
        });
        first = end;
    }
}

/// The walk back. In one job, the pieces of the gradient of a dense layer's weights, which need all
/// rows of d loss / d z, and those of the rows from there to the next such layer.
template <class T>
void network_backward(const Plan& plan, const Mode<T>& mode, const T* parameters, const T* x,
                      std::int64_t rows, std::int64_t capacity, T* workspace, T* scratch,
                      T* gradient, bool accumulate, const Team& team) {
    const Matrices<T> matrices{x, workspace, capacity};
    const GradientTarget<T> target{gradient, accumulate};
    const std::int64_t scratch_of_one = scratch_size<T>(plan);
    const int row_pieces = team.pieces(rows, fewest_rows);
    const auto last = static_cast<std::int64_t>(plan.steps.size()) - 1;
    const auto step_at = [&](std::int64_t index) -> const Step& {
        return plan.steps[static_cast<std::size_t>(index)];
    };
    T* current = matrices.at(plan.gradient_in);
    T* other = matrices.at(plan.gradient_out);
    const DenseStep* dense = nullptr;  // whose d_z is ready
    T* d_z = nullptr;
    // What stands before the first step with parameters only passes x on.
    for (auto index = last; dense || index >= plan.first_trained;) {
        const auto begin = index;
        while (index >= plan.first_trained && !std::holds_alternative<DenseStep>(step_at(index)) &&
               !std::holds_alternative<BatchNormStep>(step_at(index)) &&
               !std::holds_alternative<LayerNormStep>(step_at(index)))
            --index;
        const auto* next =
            index < plan.first_trained ? nullptr : std::get_if<DenseStep>(&step_at(index));
        const bool is_first = dense && begin < plan.first_trained;
        const std::int64_t columns_below =
            dense && begin == last - 1 ? mode.columns_below : plan.widest;
        // A block of one dense layer: to the gradient by its value, still in place, the layer's is
        // added.
        const bool adds = [&] {
            if (!dense || is_first) return false;
            const auto* block = std::get_if<ResidualBegin>(&step_at(begin));
            return block && block->kept_gradient == none;
        }();
        if (dense && !is_first && !adds) std::swap(current, other);

        // Values of a rectifier right below: their derivative goes into the input gradient.
        const bool fused = dense && next && begin == index && is_rectified(*next);
        const T* const rectified = fused ? matrices.at(next->value) : nullptr;
        const auto by_inputs = [&](int piece, int pieces, int member) {
            weight_gradient(*dense, matrices, rows,
                            Team::cut(dense->inputs, row_unit, piece, pieces, member),
                            static_cast<const T*>(d_z), target, scratch + member * scratch_of_one);
        };
        const auto by_rows = [&](int number, int member) {
            const Piece piece = Team::cut(rows, row_unit, number, row_pieces, member);
            if (dense) {
                input_gradient(*dense, parameters, piece, d_z, adds, current, rectified,
                               columns_below, scratch + member * scratch_of_one);
            }
            for (auto i = begin; i > index; --i) {
                if (const auto* end = std::get_if<ResidualEnd>(&step_at(i))) {
                    backward(*end, matrices, piece, static_cast<const T*>(current));
                } else if (const auto* block = std::get_if<ResidualBegin>(&step_at(i))) {
                    backward(*block, matrices, piece, current);
                } else {
                    backward(std::get<DropoutStep>(step_at(i)), mode, matrices, piece, current);
                }
            }
            if (next && !fused) activation_gradient(*next, matrices, piece, current);
        };
        int input_pieces = 0;
        if (dense) {
            input_pieces = team.pieces(dense->inputs, fewest_rows);
            if (columns_below < dense->outputs) {  // `by_rows` changes what `by_inputs` reads
                team.each(input_pieces,
                          [&](int piece, int member) { by_inputs(piece, input_pieces, member); });
                input_pieces = 0;
            }
        }
        const bool has_rows =
            dense ? !is_first
                  : begin > index || (next && !std::holds_alternative<Identity>(next->activation));
        const int by_row_pieces = has_rows ? row_pieces : 0;
        team.each(std::max(input_pieces, by_row_pieces), [&](int piece, int member) {
            if (piece < input_pieces) by_inputs(piece, input_pieces, member);
            if (piece < by_row_pieces) by_rows(piece, member);
        });

        dense = next;
        if (next) d_z = gradient_place(*next, matrices, current);
        if (index < plan.first_trained) break;
        const bool ends = index == plan.first_trained;
        if (const auto* batch = std::get_if<BatchNormStep>(&step_at(index))) {
            backward(*batch, mode, parameters, matrices, rows, target, current, ends);
        } else if (const auto* layer = std::get_if<LayerNormStep>(&step_at(index))) {
            backward(*layer, mode, parameters, matrices, rows, target, current, ends);
        }
        --index;
    }
}

template <class T>
void fill_network(Kernels<T>& table) {
    table.scratch_size = scratch_size<T>;
    table.forward = network_forward<T>;
    table.backward = network_backward<T>;
}

template void fill_network(Kernels<LIKELY_NUMBER>&);

}  // namespace likely::kernels_detail
