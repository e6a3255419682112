"""The reference's schedules at chosen points against numbers computed by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from . import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    InverseScaling,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Sequence,
    StepDecay,
)

# For each schedule the factor at (epoch, step) of 4 steps an epoch and 8 epochs.
HALF = 0.5**0.5
BY_HAND: list[tuple[Schedule, dict[tuple[int, int], float]]] = [
    (Constant(), {(0, 0): 1.0, (7, 3): 1.0}),
    (StepDecay(3), {(0, 0): 1.0, (2, 3): 1.0, (3, 0): 0.1, (5, 3): 0.1, (6, 0): 0.01}),
    (StepDecay(1, factor=0.5), {(0, 3): 1.0, (1, 0): 0.5, (7, 0): 1 / 128}),
    (ExponentialDecay(), {(0, 0): 1.0, (1, 0): 0.95, (2, 2): 0.95**2.5}),
    (ExponentialDecay(0.25), {(0, 2): 0.5, (1, 1): 0.25 * HALF}),
    (InverseScaling(), {(0, 0): 1.0, (3, 0): 0.5, (1, 1): 1 / 1.5}),
    (InverseScaling(2.0), {(1, 0): 0.25, (0, 2): 1 / 2.25}),
    (CosineDecay(), {(0, 0): 1.0, (2, 0): (1 + HALF) / 2, (4, 0): 0.5, (6, 0): (1 - HALF) / 2}),
    (
        CosineDecay(warmup=2, final=0.2),  # the rate is full at the last step of the warmup
        {(0, 0): 1 / 8, (0, 3): 0.5, (1, 3): 1.0, (2, 0): 1.0, (5, 0): 0.6,
         (6, 2): 0.6 - 0.4 * HALF},
    ),
    (CosineDecay(warmup=0.3), {(0, 0): 0.25 / 0.3, (0, 1): 1.0}),  # 0.5 / 0.3, but no more than 1
    (CosineDecay(epochs=12), {(0, 0): 1.0, (4, 0): 0.75, (6, 0): 0.5}),
    (
        OneCycle(warmup=0.25),  # the peak is at epoch 2 of 8
        {(0, 0): 0.04, (1, 0): 0.52, (2, 0): 1.0, (5, 0): (1 + 4e-6) / 2,
         (0, 2): 0.52 - 0.48 * HALF, (3, 2): 0.500002 + 0.499998 * HALF},
    ),
    (
        OneCycle(warmup=0.5, start=0.0, final=0.5, epochs=12),
        {(0, 0): 0.0, (3, 0): 0.5, (6, 0): 1.0, (7, 2): 0.75 + 0.25 * HALF},
    ),
    (
        Sequence([CosineDecay(warmup=1), StepDecay(2), CosineDecay(final=0.5)], at=[2, 5]),
        {(0, 0): 0.25, (0, 3): 1.0, (1, 0): 1.0, (1, 2): 0.5, (2, 0): 1.0, (3, 3): 1.0,
         (4, 0): 0.1, (5, 0): 1.0, (6, 2): 0.75},
    ),
    (
        Sequence([Constant(), CosineDecay(epochs=6), Constant()], at=(1, 6)),
        {(0, 3): 1.0, (1, 0): 1.0, (3, 0): 0.75, (4, 0): 0.5, (5, 0): 0.25, (6, 0): 1.0},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "factors"), BY_HAND)
def test_factor_by_hand(schedule: Schedule, factors: dict[tuple[int, int], float]) -> None:
    schedule.check(8)
    given = [schedule.factor(epoch, step, steps=4, epochs=8) for epoch, step in factors]
    assert_allclose(given, list(factors.values()), rtol=1e-13, atol=1e-16)


def factors_at(schedule: Schedule, losses: list[float]) -> list[float]:
    schedule.reset()
    factors = []
    for epoch, loss in enumerate(losses):
        factors.append(schedule.factor(epoch, 0, 1, len(losses)))
        schedule.observe(epoch, loss)
    return factors


@pytest.mark.parametrize(
    ("schedule", "losses", "factors"),
    [
        # Two epochs in a row without a lower one, then the count starts anew.
        (ReduceOnPlateau(0.5, 2), [3, 3, 3, 3, 3, 3], [1, 1, 1, 0.5, 0.5, 0.25]),
        (ReduceOnPlateau(0.5, 2), [3, 4, 2, 4, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1, 1, 0.5]),
        (ReduceOnPlateau(0.5, 1, minimum=0.3), [3, 3, 3, 3, 2], [1, 1, 0.5, 0.3, 0.3]),
        # A loss is lower if it is so by more than the threshold; small gains add up.
        (ReduceOnPlateau(0.5, 1, threshold=1), [5, 4, 3.5, 2, 0.9], [1, 1, 0.5, 0.5, 0.5]),
        (ReduceOnPlateau(0.5, 3, threshold=1), [5, 4.5, 4.25, 3.9, 3, 3, 3], [1] * 7),
        (ReduceOnPlateau(0.5, 1), [3, np.nan, 3, 3], [1, 1, 0.5, 0.25]),
        (ReduceOnPlateau(), [1] + [1 - 5e-5] * 11, [1] * 11 + [0.1]),
        # In a sequence it hears of its own epochs alone, and each one starts at 1.
        (
            Sequence([ReduceOnPlateau(0.5, 1), ReduceOnPlateau(0.25, 2)], at=[2]),
            [1, 1, 9, 9, 9, 9], [1, 1, 1, 1, 1, 0.25],
        ),
        (
            Sequence([ReduceOnPlateau(0.5, 1)] * 2, at=[3]), [1, 1, 1, 9, 9, 9],
            [1, 1, 0.5, 1, 1, 0.5],
        ),
    ],
)  # fmt: skip
def test_plateau(schedule: Schedule, losses: list[float], factors: list[float]) -> None:
    for _ in range(2):  # the second round shows that reset forgets everything
        assert_allclose(factors_at(schedule, losses), factors)


def test_unusable_arguments_are_errors() -> None:
    cosine, constant = CosineDecay, Constant()
    wrong: list[tuple[str, Callable[[], Any]]] = [
        ("every", lambda: StepDecay(0)),
        *(("factor", lambda s=s, f=f: s(factor=f))
          for s in (lambda factor: StepDecay(1, factor), ExponentialDecay, ReduceOnPlateau)
          for f in (0.0, 1.5, np.nan)),
        ("power", lambda: InverseScaling(0.0)),
        *(("warmup", lambda s=s: s(warmup=-0.1)) for s in (CosineDecay, OneCycle)),
        *(("warmup", lambda w=w: OneCycle(warmup=w)) for w in (0.0, 1.0)),
        *(("final", lambda s=s, f=f: s(final=f))
          for s in (CosineDecay, OneCycle) for f in (-0.1, 1.1)),
        ("start", lambda: OneCycle(start=2.0)),
        *(("epochs", lambda s=s: s(epochs=0)) for s in (CosineDecay, OneCycle)),
        ("patience", lambda: ReduceOnPlateau(patience=0)),
        ("threshold", lambda: ReduceOnPlateau(threshold=-1e-4)),
        ("minimum", lambda: ReduceOnPlateau(minimum=1.5)),
        ("ends before", lambda: cosine(epochs=7).check(8)),
        ("ends before", lambda: OneCycle(epochs=7).check(8)),
        ("warmup", lambda: cosine(warmup=8).check(8)),
        ("warmup", lambda: cosine(warmup=9, epochs=9).check(8)),
        ("at least one", lambda: Sequence([], at=[])),
        ("each schedule", lambda: Sequence([constant, constant], at=[])),
        ("increases", lambda: Sequence([constant, constant], at=[0])),
        ("increases", lambda: Sequence([constant] * 3, at=[2, 2])),
        ("nest", lambda: Sequence([Sequence([constant], at=[])], at=[])),
        ("before the end", lambda: Sequence([constant, constant], at=[8]).check(8)),
        ("ends before", lambda: Sequence([cosine(epochs=2), constant], at=[3]).check(8)),
        ("ends before", lambda: Sequence([constant, cosine(epochs=4)], at=[3]).check(8)),
        ("warmup", lambda: Sequence([cosine(warmup=3), constant], at=[3]).check(8)),
    ]  # fmt: skip
    for message, call in wrong:
        with pytest.raises(ValueError, match=message):
            call()
    Sequence([cosine(epochs=3), cosine(epochs=5), constant], at=[3, 7]).check(8)
