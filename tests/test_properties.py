"""What holds for networks of any shape, from one row, one input and one unit up."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support import (
    ACTIVATIONS,
    DTYPES,
    FAMILIES,
    GRADIENT,
    LOSS,
    RAW,
    Data,
    Kit,
    Layers,
    Pair,
    assert_close,
    largest,
    make_data,
    make_pair,
)

quick = settings(derandomize=True, deadline=None, max_examples=250)

hidden_layers = st.lists(
    st.tuples(
        st.integers(1, 33), st.sampled_from(sorted(ACTIVATIONS)), st.booleans(), st.booleans()
    ),
    max_size=3,
)
"""Units, activation, whether there is a bias, whether a residual block stands around it."""


@dataclass(frozen=True)
class Problem:
    pair: Pair
    data: Data

    @property
    def dtype(self) -> str:
        return self.pair.dtype


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    hidden = draw(hidden_layers)

    def architecture(kit: Kit, width: int) -> Layers:
        layers = []
        columns = inputs
        for units, activation, bias, is_residual in hidden:
            width_kept = columns if is_residual else units
            dense = kit.dense(width_kept, activation, bias=bias)
            layers.append(kit.residual(dense) if is_residual else dense)
            columns = width_kept
        return layers, None

    inputs = draw(st.integers(1, 9))
    family = FAMILIES[draw(st.sampled_from(sorted(FAMILIES)))]
    dtype = draw(st.sampled_from(DTYPES))
    seed = draw(st.integers(0, 2**16))
    pair = make_pair(architecture, family, inputs, draw(st.integers(1, 3)), dtype, seed=seed)
    pair.scatter_parameters(seed)
    return Problem(pair, make_data(pair, draw(st.integers(1, 70)), seed))


@given(problem=problems(), weighted=st.booleans())
@quick
def test_loss_and_gradient_equal_the_reference(problem: Problem, weighted: bool) -> None:
    pair, data = problem.pair, problem.data
    weight = data.weight if weighted else None
    loss, gradient = pair.core.loss_and_gradient(data.x, data.y, weight)
    expected_loss, expected = pair.reference.loss_and_gradient(data.x, data.y, weight)
    assert_close(loss, expected_loss, problem.dtype, LOSS, 1.0)
    assert_close(gradient, expected, problem.dtype, GRADIENT, largest(expected))


@given(problem=problems())
@quick
def test_loss_is_the_weighted_mean_of_log_prob(problem: Problem) -> None:
    core, data = problem.pair.core, problem.data
    d = core.predict_distribution(data.x)
    log_prob = d.log_prob(data.y).reshape(data.y.shape).astype(np.float64)
    row_loss = -log_prob.sum(axis=1)
    size = max(1.0, np.abs(log_prob).sum(axis=1).mean())
    assert_close(core.loss(data.x, data.y), row_loss.mean(), problem.dtype, LOSS, size)
    weighted = (data.weight * row_loss).mean()
    assert_close(core.loss(data.x, data.y, data.weight), weighted, problem.dtype, LOSS, 2 * size)


@given(problem=problems(), factor=st.sampled_from([0.25, 2.0, 16.0]))
@quick
def test_loss_and_gradient_are_linear_in_the_weights(problem: Problem, factor: float) -> None:
    core, data = problem.pair.core, problem.data
    part = np.where(np.arange(len(data.x)) % 2 == 0, data.weight, 0)
    if len(data.x) == 1:  # all weights of the rest would be zero
        part = data.weight / 2
    rest = data.weight - part
    loss, gradient = core.loss_and_gradient(data.x, data.y, data.weight)
    sums = [core.loss_and_gradient(data.x, data.y, w) for w in (part, rest)]
    sizes = [abs(loss) for loss, _ in sums], [largest(gradient) for _, gradient in sums]
    dtype = problem.dtype
    assert_close(sums[0][0] + sums[1][0], loss, dtype, LOSS, 1.0 + sum(sizes[0]))
    assert_close(sums[0][1] + sums[1][1], gradient, dtype, GRADIENT, sum(sizes[1]))
    # A power of two changes no digit.
    scaled_loss, scaled = core.loss_and_gradient(data.x, data.y, factor * data.weight)
    assert_close(scaled_loss, factor * loss, dtype, 4)
    assert_close(scaled, factor * gradient, dtype, 4)


@given(problem=problems(), seed=st.integers(0, 2**16))
@quick
def test_the_order_of_rows_does_not_matter(problem: Problem, seed: int) -> None:
    core, data = problem.pair.core, problem.data
    order = np.random.default_rng(seed).permutation(len(data.x))
    loss, gradient = core.loss_and_gradient(data.x, data.y, data.weight)
    moved = core.loss_and_gradient(data.x[order], data.y[order], data.weight[order])
    assert_close(moved[0], loss, problem.dtype, LOSS, 1.0)
    assert_close(moved[1], gradient, problem.dtype, GRADIENT, largest(gradient))


@given(problem=problems())
@quick
def test_a_batch_is_its_rows(problem: Problem) -> None:
    core, data = problem.pair.core, problem.data
    raw = core.predict_distribution(data.x).raw
    for i in {0, len(data.x) // 2, len(data.x) - 1}:
        alone = core.predict_distribution(data.x[i : i + 1]).raw
        assert_close(alone[0], raw[i], problem.dtype, RAW, largest(raw))
