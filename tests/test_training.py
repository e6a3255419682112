"""Losses, gradients and whole trajectories of training against the reference."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import likely
import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from support import (
    ARCHITECTURES,
    DTYPES,
    FAMILIES,
    GRADIENT,
    INPUTS,
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
    rounded,
)

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def assert_same_loss_and_gradient(pair: Pair, data: Data, weight: NDArray[Any] | None) -> None:
    loss, gradient = pair.core.loss_and_gradient(data.x, data.y, weight)
    expected_loss, expected = pair.reference.loss_and_gradient(data.x, data.y, weight)
    assert isinstance(loss, float)
    assert gradient.dtype == pair.dtype
    assert_close(loss, expected_loss, pair.dtype, LOSS, 1.0)
    assert_close(gradient, expected, pair.dtype, GRADIENT, largest(expected))
    assert_close(pair.core.loss(data.x, data.y, weight), loss, pair.dtype, 4)


@each_dtype
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loss_and_gradient(architecture: str, family: str, dtype: str) -> None:
    pair = make_pair(ARCHITECTURES[architecture], FAMILIES[family], INPUTS, 2, dtype, seed=1)
    pair.scatter_parameters()
    for rows in (1, 2, 31, 257):
        data = make_data(pair, rows)
        expected = pair.reference.raw(data.x)
        raw = pair.core.predict_distribution(data.x).raw
        assert_close(raw, expected, dtype, RAW, largest(expected))
        for weight in (None, data.weight):
            assert_same_loss_and_gradient(pair, data, weight)


@each_dtype
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rows", [1023, 1024, 1025, 2048, 2500])
def test_chunks_of_1024_rows_do_not_show(rows: int, family: str, dtype: str) -> None:
    """Gradients add up over chunks and, for a shared layer, over its uses in each chunk."""
    architecture = ARCHITECTURES["same_layer_five_times"]
    pair = make_pair(architecture, FAMILIES[family], INPUTS, 2, dtype, standardize=True)
    data = make_data(pair, rows)
    likely.Trainer(likely.SGD(learning_rate=1e-30), epochs=1, batch_size=None).fit(
        pair.core, data.x, data.y
    )
    copy_scaling(pair)
    pair.scatter_parameters()
    assert_same_loss_and_gradient(pair, data, data.weight)
    expected = pair.reference.raw(data.x)
    raw = pair.core.predict_distribution(data.x).raw
    assert_close(raw, expected, dtype, RAW, largest(expected))


@each_dtype
@pytest.mark.parametrize("shape", [(600, 700, 650), (1, 900, 700), (700, 5, 900)])
def test_large_matrices(shape: tuple[int, int, int], dtype: str) -> None:
    """Products that are computed in several blocks of rows, of columns and of depth."""
    rows, inputs, units = shape

    def wide(kit: Kit, width: int) -> Layers:
        return [kit.dense(units, "tanh"), kit.dense(530, "sigmoid")], None

    pair = make_pair(wide, FAMILIES["categorical"], inputs, 2, dtype)
    pair.copy_parameters()
    assert_same_loss_and_gradient(pair, make_data(pair, rows), None)


EDGES = [48, 49, 50, 52, 53, 63, 64, 65, 67, 68, 80, 95, 96, 97, 100, 113, 130, 2, 4]


@each_dtype
@pytest.mark.parametrize("index", range(len(EDGES)))
def test_matrices_with_every_kind_of_edge(index: int, dtype: str) -> None:
    """Products in tiles: columns that fill a register, a half or a quarter of it; ragged rows."""
    first, second, inputs = (EDGES[(index + shift) % len(EDGES)] for shift in (0, 3, 7))

    def two(kit: Kit, width: int) -> Layers:
        return [kit.dense(first, "tanh"), kit.dense(second, "sigmoid", bias=False)], None

    pair = make_pair(two, FAMILIES["normal"], inputs, 2, dtype)
    pair.scatter_parameters()
    for rows in (16, 33 + index, 100, 257 + index):
        assert_same_loss_and_gradient(pair, make_data(pair, rows), None)


@each_dtype
def test_depth_in_several_parts_and_sums_over_chunks(dtype: str) -> None:
    """Depths beyond 256, and a gradient that adds to that of earlier rows."""

    def wide(kit: Kit, width: int) -> Layers:
        shared = kit.dense(66, "tanh")
        return [kit.dense(66), shared, shared], None

    pair = make_pair(wide, FAMILIES["normal"], 700, 2, dtype)
    for rows in (300, 1100):
        assert_same_loss_and_gradient(pair, make_data(pair, rows), None)


def copy_scaling(pair: Pair) -> None:
    assert pair.core.scaling is not None
    pair.reference.scaling = reference.Scaling(**pair.core.scaling)


@each_dtype
def test_scaling_of_awkward_columns(dtype: str) -> None:
    """A constant that no float holds, a large offset, a tiny column, an outlier of weight zero."""
    rng = np.random.default_rng(0)
    row = np.arange(30)
    outlier = np.where(row < 5, 7.0, -2.5)
    columns = [np.full(30, 0.1), 1e8 + 64.0 * (row % 7), 1e-12 * rng.normal(size=30), outlier]
    x, y = rounded(np.column_stack(columns), dtype), rng.integers(0, 9, (30, 1))
    weight = np.where(row < 5, 0.0, 1.0)
    network = likely.Network(4, 1, standardize=True, dtype=dtype)
    likely.Trainer(epochs=1).fit(network, x, y, sample_weight=weight)
    assert network.scaling is not None
    expected = reference.Scaling.of(x, y, "location and scale", weight)
    for name, values in network.scaling.items():
        np.testing.assert_allclose(values, getattr(expected, name), rtol=1e-12)


OPTIMIZERS: dict[str, tuple[likely.Optimizer, reference.Optimizer]] = {
    "sgd": (likely.SGD(learning_rate=0.03), reference.SGD(0.03)),
    "momentum": (
        likely.SGD(learning_rate=0.01, momentum=0.8),
        reference.SGD(0.01, momentum=0.8),
    ),
    "nesterov": (
        likely.SGD(learning_rate=0.01, momentum=0.7, nesterov=True),
        reference.SGD(0.01, momentum=0.7, nesterov=True),
    ),
    "adam": (likely.Adam(), reference.Adam()),
    "adam, other constants": (
        likely.Adam(learning_rate=0.02, beta1=0.7, beta2=0.95, epsilon=1e-3),
        reference.Adam(learning_rate=0.02, beta1=0.7, beta2=0.95, epsilon=1e-3),
    ),
    "adam, no memory": (
        likely.Adam(learning_rate=0.01, beta1=0.0, beta2=0.0, epsilon=0.1),
        reference.Adam(learning_rate=0.01, beta1=0.0, beta2=0.0, epsilon=0.1),
    ),
    "adamw": (
        likely.AdamW(epsilon=1e-3, weight_decay=0.3),
        reference.AdamW(epsilon=1e-3, weight_decay=0.3),
    ),
    "rmsprop": (
        likely.RMSprop(decay=0.8, epsilon=1e-4),
        reference.RMSprop(decay=0.8, epsilon=1e-4),
    ),
    "adagrad": (likely.Adagrad(epsilon=1e-3), reference.Adagrad(epsilon=1e-3)),
}

SCHEDULES: dict[str, tuple[likely.Schedule, reference.Schedule]] = {
    "constant": (likely.Constant(), reference.Constant()),
    "steps": (likely.StepDecay(every=2, factor=0.3), reference.StepDecay(every=2, factor=0.3)),
    "exponential": (likely.ExponentialDecay(factor=0.6), reference.ExponentialDecay(factor=0.6)),
    "inverse": (likely.InverseScaling(power=0.8), reference.InverseScaling(power=0.8)),
    "cosine": (likely.CosineDecay(), reference.CosineDecay()),
    "cosine with warm-up": (
        likely.CosineDecay(warmup=2, final=0.1, epochs=9),
        reference.CosineDecay(warmup=2, final=0.1, epochs=9),
    ),
    "one cycle": (likely.OneCycle(), reference.OneCycle()),
    "plateau": (
        likely.ReduceOnPlateau(factor=0.5, patience=2, threshold=0.05, minimum=0.2),
        reference.ReduceOnPlateau(factor=0.5, patience=2, threshold=0.05, minimum=0.2),
    ),
    "sequence": (
        likely.Sequence(
            [likely.CosineDecay(warmup=1), likely.ExponentialDecay(0.5), likely.OneCycle()], [2, 4]
        ),
        reference.Sequence(
            [
                reference.CosineDecay(warmup=1),
                reference.ExponentialDecay(0.5),
                reference.OneCycle(),
            ],
            [2, 4],
        ),
    ),
}


@dataclass(frozen=True)
class Run:
    family: str = "normal"
    architecture: str = "one_dense"
    batch_size: int | None = 7
    shuffle: bool = True
    drop_last: bool = False
    weighted: bool = False
    standardize: bool = False
    rows: int = 24
    epochs: int = 4
    targets: int = 2
    patience: int | None = None
    seed: int = 5
    schedule: str = "constant"
    stabilize: tuple[Any, Any] = (None, None)
    """The core's and the reference's."""
    options: dict[str, Any] = field(default_factory=dict)
    """Penalties and clipping, under the same names on both sides."""


RUNS = {
    "single rows": Run(batch_size=1, epochs=2),
    "last short batch kept": Run(),
    "last short batch dropped": Run(drop_last=True, weighted=True),
    "batches that fit": Run(batch_size=8, drop_last=True),
    "whole set": Run(batch_size=None, epochs=9),
    "more than the whole set": Run(batch_size=100, shuffle=False),
    "in order": Run(shuffle=False, weighted=True),
    "weights": Run(weighted=True, batch_size=5),
    "standardised": Run(standardize=True),
    "standardised with weights": Run(standardize=True, weighted=True, drop_last=True),
    "shared scale": Run(family="shared scale", standardize=True, weighted=True),
    "fixed scale": Run(family="fixed scale", standardize=True, architecture="output_given"),
    "shared layers": Run(architecture="same_layer_five_times", family="shared scale"),
    "nested residuals": Run(architecture="nested_residual", family="shared scale"),
    "bernoulli": Run(family="bernoulli", standardize=True, weighted=True),
    "categorical": Run(family="categorical", architecture="deep"),
    "linear": Run(architecture="linear", family="fixed scale", batch_size=1),
    "linear, one target": Run("fixed scale", "linear", batch_size=1, targets=1),
    "linear, one target, standardised": Run(
        "shared scale", "linear", batch_size=1, targets=1, standardize=True, shuffle=False
    ),
    "linear, one target, decaying rate": Run(
        "fixed scale", "linear", batch_size=1, targets=1, schedule="exponential"
    ),
    "several chunks": Run(rows=1500, batch_size=1300, epochs=2, weighted=True, seed=2**64 - 1),
    # With a predicted scale these would diverge at some of the rates.
    "dropout": Run("fixed scale", "dropout", weighted=True, standardize=True),
    "dropout of inputs alone": Run("fixed scale", "dropout_only"),
    "dropout in several chunks": Run("fixed scale", "dropout", 1300, rows=1500, epochs=2),
    "batch norm": Run("fixed scale", "batch_norm", rows=25, weighted=True, standardize=True),
    "batch norm, short batch dropped": Run("bernoulli", "batch_norm", rows=22, drop_last=True),
    "batch norm of many rows": Run("fixed scale", "batch_norm", 1300, rows=1500, epochs=2),
    "layer norm": Run("fixed scale", "layer_norm", batch_size=1, epochs=2),
    "layer norm in several chunks": Run("fixed scale", "layer_norm", 1300, rows=1500, epochs=2),
    "normalised and dropped": Run("categorical", "normalized_and_dropped", standardize=True),
    "l2": Run(options={"l2": 0.7}, standardize=True),
    "l1": Run("fixed scale", "dropout", options={"l1": 0.3}, rows=28, shuffle=False),
    "both penalties": Run("fixed scale", "deep", epochs=3, options={"l1": 0.05, "l2": 0.4}),
    "penalised biases": Run(
        "shared scale", "layer_norm", options={"l1": 0.1, "l2": 0.2, "penalize_biases": True}
    ),
    "clipped values": Run("fixed scale", "same_layer_five_times", options={"clip_value": 0.1}),
    "clipped norm": Run("shared scale", options={"clip_norm": 0.3}, weighted=True),
    "everything": Run(
        "fixed scale",
        "normalized_and_dropped",
        schedule="sequence",
        standardize=True,
        weighted=True,
        epochs=5,
        options={"l1": 0.02, "l2": 0.1, "clip_norm": 0.5},
    ),
    **{f"schedule, {name}": Run(schedule=name, epochs=7, rows=12) for name in SCHEDULES},
}

TRAJECTORY = 32
"""Of parameters, relative to the largest, and of losses after 10 to 90 steps; 18 seen."""
NORMALIZED = 128
"""The same where normalisation divides by deviations, and errors with them; 46 seen."""


def run_both(
    run: Run,
    optimizer: str,
    dtype: str,
    pair: Pair | None = None,
    data: Callable[[Pair, int, int], Data] = make_data,
) -> tuple[Pair, likely.History, reference.History]:
    if pair is None:
        pair = make_pair(
            ARCHITECTURES[run.architecture], FAMILIES[run.family], INPUTS, run.targets, dtype,
            seed=3, standardize=run.standardize,
        )  # fmt: skip
        pair.scatter_parameters(seed=7)
    train, held_out = data(pair, run.rows, 1), data(pair, 11, 2)
    weight = train.weight if run.weighted else None
    validation = (held_out.x, held_out.y)
    options = dict(run.options)
    if OPTIMIZERS[optimizer][1].weight_decay:  # takes the place of l2
        options.pop("l2", None)
    trainer = likely.Trainer(
        OPTIMIZERS[optimizer][0], run.batch_size, run.epochs,
        shuffle=run.shuffle, drop_last=run.drop_last, patience=run.patience, seed=run.seed,
        schedule=SCHEDULES[run.schedule][0], stabilize=run.stabilize[0], **options,
    )  # fmt: skip
    history = trainer.fit(pair.core, train.x, train.y, sample_weight=weight, validation=validation)
    expected = reference.fit(
        pair.reference, train.x, train.y, optimizer=OPTIMIZERS[optimizer][1],
        batch_size=run.rows if run.batch_size is None else run.batch_size, epochs=run.epochs,
        shuffle=run.shuffle, drop_last=run.drop_last, patience=run.patience, seed=run.seed,
        sample_weight=weight, validation=validation, standardize=run.standardize,
        schedule=SCHEDULES[run.schedule][1], stabilize=run.stabilize[1], **options,
    )  # fmt: skip
    return pair, history, expected


def assert_same_trajectory(
    pair: Pair, history: likely.History, expected: reference.History
) -> None:
    normalizes = any("norm" in name for name in pair.core.named_parameters())
    epsilons = NORMALIZED if normalizes else TRAJECTORY
    moved, wanted = pair.core.parameters, pair.reference.parameters
    assert_close(history.loss, expected.losses, pair.dtype, epsilons, 1.0)
    assert_close(history.validation_loss, expected.validation_losses, pair.dtype, epsilons, 1.0)
    assert_close(moved, wanted, pair.dtype, epsilons, largest(wanted))
    averages = pair.reference.averages
    assert_close(pair.core.averages, averages, pair.dtype, epsilons, largest(averages))
    rates = expected.learning_rates
    assert_close(history.learning_rate, rates, "float64", 4, max(rates))
    norms = np.array(expected.gradient_norms)
    assert_close(history.gradient_norm, norms, pair.dtype, epsilons, largest(norms))
    assert history.best_epoch == expected.best_epoch
    assert history.epochs == len(expected.losses)


@each_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", RUNS)
def test_trajectory(name: str, optimizer: str, dtype: str) -> None:
    run = RUNS[name]
    pair, history, expected = run_both(run, optimizer, dtype)
    assert_same_trajectory(pair, history, expected)
    batch = min(run.batch_size or run.rows, run.rows)
    batches = run.rows // batch if run.drop_last else -(-run.rows // batch)
    assert history.steps == batches * run.epochs
    assert history.stopped == "epochs"


def test_every_optimizer_and_schedule_has_a_row() -> None:
    covered = {type(optimizer) for optimizer, _ in OPTIMIZERS.values()}
    assert covered == set(likely.Optimizer.__subclasses__())
    assert {type(schedule) for schedule, _ in SCHEDULES.values()} == set(
        likely.Schedule.__subclasses__()
    )


@each_dtype
def test_a_second_fit_starts_anew(dtype: str) -> None:
    """Slots, step count and the order of rows begin again; parameters and scaling stay."""
    run = Run(standardize=True, epochs=2)
    pair, first, _ = run_both(run, "adam", dtype)
    again = run_both(run, "adam", dtype, pair)
    assert_same_trajectory(*again)
    assert not np.array_equal(first.loss, again[1].loss)


# Trained on a few rows it soon overfits: the lowest held-out losses are at epochs 2 and 8.
OVERFIT = Run("fixed scale", rows=12, batch_size=4, epochs=30, targets=1, standardize=True)


@each_dtype
@pytest.mark.parametrize(
    ("patience", "best", "epochs"), [(1, 2, 4), (2, 2, 5), (3, 8, 12), (9, 8, 18), (30, 8, 30)]
)
def test_early_stopping_restores_the_best(
    patience: int, best: int, epochs: int, dtype: str
) -> None:
    run = replace(OVERFIT, patience=patience)
    pair, history, expected = run_both(run, "nesterov", dtype)
    assert_same_trajectory(pair, history, expected)
    assert (history.best_epoch, history.epochs) == (best, epochs)
    assert history.stopped == ("early stopping" if epochs < run.epochs else "epochs")
    held_out = make_data(pair, 11, seed=2)
    restored = pair.core.loss(held_out.x, held_out.y)
    assert_close(restored, history.validation_loss[best], dtype, LOSS)
    assert restored < history.validation_loss[-1]


@each_dtype
def test_without_patience_the_last_parameters_stay(dtype: str) -> None:
    pair, history, expected = run_both(OVERFIT, "nesterov", dtype)
    assert_same_trajectory(pair, history, expected)
    assert (history.best_epoch, history.epochs) == (8, 30)
    held_out = make_data(pair, 11, seed=2)
    loss = pair.core.loss(held_out.x, held_out.y)
    assert_close(loss, history.validation_loss[-1], dtype, LOSS)


class Lines:
    """Noise around a line, and networks to fit it with."""

    rng = np.random.default_rng(8)
    x = rng.normal(size=(50, 2))
    y = x @ [1.0, -2.0] + 0.1 * rng.normal(size=50)

    def network(self, **options: Any) -> likely.Network:
        return likely.Network(2, 1, [likely.Dense(6, "tanh")], **options)


def test_callback_is_told_of_each_epoch() -> None:
    lines, epochs = Lines(), []
    network = lines.network()
    trainer = likely.Trainer(epochs=4)
    history = trainer.fit(network, lines.x, lines.y, callback=epochs.append)
    assert [epoch.number for epoch in epochs] == [0, 1, 2, 3]
    assert [epoch.loss for epoch in epochs] == history.loss.tolist()
    assert [epoch.validation_loss for epoch in epochs] == [None] * 4
    epochs.clear()
    validation = (lines.x[:9], lines.y[:9])
    history = trainer.fit(network, lines.x, lines.y, validation=validation, callback=epochs.append)
    assert [epoch.validation_loss for epoch in epochs] == history.validation_loss.tolist()
    assert epochs[-1].validation_loss == pytest.approx(network.loss(*validation), rel=1e-6)


@pytest.mark.parametrize("answer", [True, 1, "stop"])
def test_callback_stops(answer: object) -> None:
    lines = Lines()
    stopped, shorter = lines.network(), lines.network()
    history = likely.Trainer(epochs=9).fit(
        stopped, lines.x, lines.y, callback=lambda epoch: answer if epoch.number == 2 else None
    )
    assert (history.epochs, history.stopped) == (3, "callback")
    likely.Trainer(epochs=3).fit(shorter, lines.x, lines.y)
    np.testing.assert_array_equal(stopped.parameters, shorter.parameters)


def test_callback_sees_the_parameters_of_its_epoch_and_may_fail() -> None:
    lines, seen = Lines(), []
    network = lines.network()

    def look(epoch: likely.Epoch) -> None:
        seen.append(network.parameters.copy())
        if epoch.number == 1:
            raise LookupError("from the callback")

    trainer = likely.Trainer(epochs=9)
    with pytest.raises(LookupError, match="from the callback"):
        trainer.fit(network, lines.x, lines.y, callback=look)
    assert trainer.history.epochs == len(seen) == 2
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(network.parameters, seen[1])


def test_history() -> None:
    lines = Lines()
    trainer = likely.Trainer(epochs=3, batch_size=20)
    assert trainer.history.epochs == 0
    history = trainer.fit(lines.network(), lines.x, lines.y)
    assert trainer.history is history
    assert (history.epochs, history.steps, history.stopped) == (3, 9, "epochs")
    assert history.loss.shape == (3,)
    assert history.validation_loss.shape == (0,)
    assert history.best_epoch is None
    assert 0 < history.seconds < 10
    assert repr(history).startswith("History(epochs=3, loss=")


@each_dtype
def test_divergence_is_an_error(dtype: str) -> None:
    lines = Lines()
    trainer = likely.Trainer(likely.SGD(learning_rate=1e12), epochs=50)
    with pytest.raises(likely.DivergedError, match=r"diverged.*learning rate"):
        trainer.fit(lines.network(dtype=dtype), lines.x, lines.y)
    assert issubclass(likely.DivergedError, ArithmeticError)


@each_dtype
def test_the_same_seeds_give_the_same_bits(dtype: str) -> None:
    lines = Lines()

    def parameters(network_seed: int, trainer_seed: int) -> bytes:
        network = lines.network(seed=network_seed, dtype=dtype)
        likely.Trainer(epochs=3, seed=trainer_seed).fit(network, lines.x, lines.y)
        return network.parameters.tobytes()

    assert parameters(1, 2) == parameters(1, 2)
    assert len({parameters(1, 2), parameters(1, 3), parameters(2, 2)}) == 3


@each_dtype
def test_only_the_ratios_of_weights_matter(dtype: str) -> None:
    lines = Lines()
    weight = np.random.default_rng(1).integers(0, 4, 50)  # some are zero
    ends = []
    for factor in (1, 8):
        network = lines.network(dtype=dtype, standardize=True)
        trainer = likely.Trainer(epochs=3, batch_size=9)
        trainer.fit(network, lines.x, lines.y, sample_weight=factor * weight)
        ends.append(network.parameters.copy())
    np.testing.assert_array_equal(*ends)
