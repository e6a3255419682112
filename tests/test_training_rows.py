"""What a network remembers of the rows of its fits, and that calibration refuses these."""

import copy
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
from likely._training_rows import LIMIT, TrainingRows, training_rows
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from test_bad_input import refused

Array = NDArray[np.float64]
FIT = likely.Trainer(epochs=1)
each_wrapper = pytest.mark.parametrize("wrap", [likely.recalibrate, likely.conformal])
Wrap = Callable[[likely.Network, Any, Any], Any]


def plain(rows: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 2)), rng.normal(size=rows)


@pytest.fixture
def fitted() -> tuple[likely.Network, Array, Array]:
    x, y = plain(300, 0)
    network = likely.Network(2)
    FIT.fit(network, x, y, validation=plain(100, 1))
    return network, x, y


@each_wrapper
@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (x, y),
        lambda x, y: (x[::-1], y[::-1]),
        lambda x, y: (x.tolist(), y.reshape(-1, 1).astype(np.float32)),
        lambda x, y: (x[7:27], y[7:27]),
        lambda x, y: (np.concatenate([x, x]), np.concatenate([y, y])),
        lambda x, y: tuple(
            np.concatenate(p) for p in zip((x[:60], y[:60]), plain(240, 2), strict=True)
        ),
    ],
    ids=["same", "reversed", "other types", "some", "twice", "a fifth"],
)
def test_rows_of_the_fit_are_refused(
    wrap: Wrap, change: Callable[..., Any], fitted: tuple[likely.Network, Array, Array]
) -> None:
    network, x, y = fitted
    with refused(ValueError, "x and y", "held out", "fitted"):
        wrap(network, *change(x, y))


def test_the_message_tells_the_share(fitted: tuple[likely.Network, Array, Array]) -> None:
    network, x, y = fitted
    fresh = plain(100, 3)
    with pytest.raises(ValueError, match=r"75% of these 400 rows are among those"):
        likely.conformal(network, np.concatenate([x, fresh[0]]), np.concatenate([y, fresh[1]]))


@each_wrapper
def test_other_rows_are_taken(wrap: Wrap, fitted: tuple[likely.Network, Array, Array]) -> None:
    network, x, y = fitted
    wrap(network, *plain(300, 2))
    wrap(network, *plain(100, 1))  # the validation rows of the fit
    wrap(network, x, y + 1)  # measured again
    wrap(network, *(np.concatenate(p) for p in zip((x[:5], y[:5]), plain(295, 2), strict=True)))
    wrap(likely.Network(2), x, y)  # was never fitted


def test_all_fits_count(fitted: tuple[likely.Network, Array, Array]) -> None:
    network, x, y = fitted
    second = plain(200, 5)
    for _ in range(3):
        FIT.fit(network, *second)
    for rows in ((x, y), second):
        with refused(ValueError, "100%"):
            likely.conformal(network, *rows)
    likely.conformal(network, *plain(200, 6))


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_remember(
    duplicate: Callable[..., likely.Network], fitted: tuple[likely.Network, Array, Array]
) -> None:
    network, x, y = fitted
    with refused(ValueError, "held out"):
        likely.conformal(duplicate(network), x, y)


def test_a_model_file_holds_no_rows(
    fitted: tuple[likely.Network, Array, Array], tmp_path: Path
) -> None:
    network, x, y = fitted
    network.save(tmp_path / "model.safetensors")
    likely.conformal(likely.load(tmp_path / "model.safetensors"), x, y)


def test_a_fit_that_did_not_begin_leaves_nothing() -> None:
    x, y = plain(100, 0)
    network = likely.Network(2)
    with pytest.raises(ValueError, match="nan"):
        FIT.fit(network, x, np.append(y[1:], math.nan))
    likely.conformal(network, x, y)


def test_rows_of_no_weight_were_not_fitted_to() -> None:
    x, y = plain(200, 0)
    network = likely.Network(2)
    FIT.fit(network, x, y, sample_weight=np.repeat([1.0, 0.0], 100))
    likely.conformal(network, x[100:], y[100:])
    with refused(ValueError, "held out"):
        likely.conformal(network, x[:100], y[:100])


def test_discrete_data_repeat_by_chance() -> None:
    rng = np.random.default_rng(0)

    def coins(rows: int, values: int) -> tuple[Array, Array]:
        x = rng.integers(0, values, (rows, 2)).astype(float)
        return x, (rng.uniform(size=rows) < 0.3).astype(float)

    for rows, values in ((100, 2), (1000, 10), (1000, 40), (50, 5), (6000, 2)):
        network = likely.Network(2, distribution="bernoulli")
        x, y = coins(rows, values)
        FIT.fit(network, x, y)
        for _ in range(20):
            likely.recalibrate(network, *coins(500, values))
        if values == 40:  # 3200 different rows, of which many are met once
            with refused(ValueError, "100%"):
                likely.recalibrate(network, x, y)


def test_of_many_rows_some_are_known() -> None:
    x, y = (a.astype(np.float32).reshape(50_000, -1) for a in plain(50_000, 0))
    rows = training_rows(x, y)
    assert len(rows.codes) == LIMIT and rows.codes.nbytes + rows.counts.nbytes <= 16 * LIMIT
    assert rows.known(x, y) == 1.0
    assert rows.known(x[::7], y[::7]) == 1.0
    assert rows.known(x[100:400], y[100:400]) == 1.0
    half = x.copy()
    half[::2] += 1
    assert_allclose(rows.known(half, y), 0.5, atol=4 * 0.5 / math.sqrt(LIMIT))
    assert rows.known(x + 1, y) == 0.0


def test_the_rows_of_two_fits_do_not_depend_on_their_order() -> None:
    parts = [tuple(a.reshape(rows, -1) for a in plain(rows, rows)) for rows in (3000, 20_000, 500)]

    def after(order: list[int]) -> TrainingRows:
        rows: TrainingRows | None = None
        for i in order:
            rows = training_rows(*parts[i], rows)
        assert rows is not None
        return rows

    first, second = after([0, 1, 2]), after([2, 1, 0, 1])
    assert_array_equal(first.codes, second.codes)
    assert_array_equal(first.counts, second.counts)
    assert len(first.codes) <= LIMIT
    for x, y in parts:
        assert first.known(x, y) == 1.0


def test_a_small_fit_after_a_large_one_does_not_hide_what_was_left_out() -> None:
    x, y = (np.repeat(a.reshape(20_000, -1), 2, axis=0) for a in plain(20_000, 0))
    small = tuple(a.reshape(100, -1) for a in plain(100, 1))
    large = training_rows(x, y)
    both = training_rows(*small, large)
    assert len(large.codes) < len(both.codes) < LIMIT
    assert both.highest == large.highest
    fresh = tuple(a.reshape(4000, -1) for a in plain(4000, 2))
    assert large.known(*fresh) == both.known(*fresh) == 0.0


def test_different_rows_have_different_codes() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(64.0)] * 3), axis=-1).reshape(-1, 3)
    for dtype in ("float32", "float64"):
        for scale in (1.0, 0.25, 2.0**40):
            x = (scale * grid).astype(dtype)
            codes = training_rows(x[:, :2], x[:, 2:])
            # The lowest 4096 of 64**3 even codes: the last of them is at 4096 / 64**3 = 1 / 64.
            assert np.all(codes.counts == 1) and len(codes.codes) == LIMIT
            assert_allclose(codes.highest / 2**64, 1 / 64, rtol=0.06)
