"""`likely fit`: from a CSV file to a model file."""

from __future__ import annotations

import argparse
import math
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import numpy as np
from numpy.typing import NDArray

import likely
from likely._columns import Target, choose_features, read_target
from likely._console import UserError, check_output, command, counted, listed, note, progress, say
from likely._table import Table

# Higher than the optimizer's own default: it suits standardised tables of moderate size, where it
# reached the same held-out likelihood in half the epochs.
ADAM_LEARNING_RATE = 0.003
CONSTANT_ROWS = 10_000
"""Enough for the few numbers of a distribution without input."""


@dataclass
class Interruption:
    """Whether Ctrl-C came while the network was fitted."""

    came: bool = False


def fit(arguments: argparse.Namespace) -> int:
    """Fit a network to a CSV file as the command line says."""
    trainer = _trainer(arguments)
    layers = [likely.Dense(units, arguments.activation) for units in arguments.layers]
    check_output(arguments.output, arguments.data)
    table = Table(arguments.data)
    features = choose_features(table, arguments.target, arguments.features, arguments.drop)
    x = table.numbers(features)
    target = read_target(table, arguments.target, arguments.distribution, arguments.scale)
    if arguments.dtype == "float32":
        _note_rounding([*features, *target.names], np.column_stack([x, target.values]))
    training, held_out = _split(len(table), arguments.validation, arguments.seed)
    network = likely.Network(
        inputs=len(features),
        targets=len(target.names),
        layers=layers,
        distribution=target.family,
        standardize=arguments.standardize,
        dtype=arguments.dtype,
        seed=arguments.seed,
        feature_names=features,
        target_names=target.names,
        class_names=target.class_names,
    )
    _check_support(network, x, target, table)
    say("data", f"{table.name}: {counted(len(table), 'row')}")
    say("features", f"{len(features)}: {listed(features)}")
    say("target", f"{listed(target.names)}: {target.because}")
    say("network", describe(network))
    share = f" ({arguments.validation:.0%}, at random)" if len(held_out) else ""
    say("rows", f"{len(training):,} to fit, {len(held_out):,} held out{share}")

    bar = progress(trainer.epochs, "fitting", "epoch")
    interruption = Interruption()

    def after_epoch(epoch: likely.Epoch) -> bool:
        loss = epoch.loss if epoch.validation_loss is None else epoch.validation_loss
        bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        bar.update()
        return interruption.came

    with bar, _stops_after_epoch(interruption):
        history = trainer.fit(
            network,
            x[training],
            target.values[training],
            validation=(x[held_out], target.values[held_out]) if len(held_out) else None,
            callback=after_epoch,
        )
    best = (
        f", the best was number {history.best_epoch + 1}" if history.best_epoch is not None else ""
    )
    say("fitted", f"{counted(history.epochs, 'epoch')} in {history.seconds:.2f} s{best}")
    _report(network, x, target, training, held_out)
    network.save(arguments.output)
    print(f"\nWrote {arguments.output}. Next:")
    print("  " + command("predict", arguments.output, arguments.data, "-o", "predictions.csv"))
    return 130 if interruption.came else 0


def _check_support(
    network: likely.Network, x: NDArray[np.float64], target: Target, table: Table
) -> None:
    """Raise the core's error for a target outside of the support, with its line in the file."""
    try:
        network.loss(x, target.values)
    except ValueError as error:
        row = re.search(r"\brow (\d+)", str(error))
        line = f" (line {table.line(int(row[1]))})" if row else ""
        raise UserError(f"{table.name}: {error}{line}") from None


def _trainer(arguments: argparse.Namespace) -> likely.Trainer:
    share, patience = arguments.validation, arguments.patience
    if not 0 <= share < 1:
        raise UserError(f"--validation must be at least 0 and below 1; got {share:g}")
    if share == 0 and patience is not None:
        raise UserError("--patience needs held-out rows: leave it out, or raise --validation")
    rate = arguments.learning_rate
    optimizer: likely.Optimizer
    if arguments.optimizer == "adam":
        optimizer = likely.Adam(learning_rate=ADAM_LEARNING_RATE if rate is None else rate)
    else:
        optimizer = likely.SGD() if rate is None else likely.SGD(learning_rate=rate)
    return likely.Trainer(
        optimizer,
        arguments.batch_size,
        arguments.epochs,
        patience=50 if share and patience is None else patience,
        seed=arguments.seed,
    )


def _note_rounding(names: list[str], columns: NDArray[np.float64]) -> None:
    """Tell of columns, such as seconds since 1970, that vary little beside their size."""
    largest = np.abs(columns).max(axis=0)
    step = largest * np.finfo(np.float32).eps
    coarse = np.flatnonzero(
        (step > 1e-3 * columns.std(axis=0)) & np.ptp(columns, axis=0).astype(bool)
    )
    if len(coarse):
        note(
            f"float32 rounds away differences in {listed([repr(names[j]) for j in coarse])}: "
            "--dtype float64 keeps them"
        )


def _split(rows: int, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to fit to and those held out."""
    order = np.random.default_rng(seed).permutation(rows)
    count = math.ceil(share * rows)
    if count >= rows:
        raise UserError(
            f"of {counted(rows, 'row')}, {share:.0%} held out leaves none to fit to: lower "
            "--validation, or give more rows"
        )
    return np.sort(order[count:]), np.sort(order[:count])


def describe(network: likely.Network) -> str:
    """Return the network in words: "8 -> 64 -> 64 -> 2, tanh, 4,866 parameters, float32"."""
    dense = [
        layer for layer in [*network.layers, network.output] if isinstance(layer, likely.Dense)
    ]
    widths = " -> ".join(str(width) for width in [network.inputs, *(d.units for d in dense)])
    hidden = type(dense[0].activation).__name__.lower() if len(dense) > 1 else "linear"
    return f"{widths}, {hidden}, {network.parameters.size:,} parameters, {network.dtype}"


@contextmanager
def _stops_after_epoch(interruption: Interruption) -> Iterator[None]:
    """Let the first Ctrl-C end the fit after the epoch, and the second at once."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        interruption.came = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        note("stopping after this epoch and saving (Ctrl-C again: stop at once, save nothing)")

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # signals are for the main thread alone
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def constant_model(family: likely.Distribution, y: NDArray[np.float64]) -> likely.Network:
    """Return a model that knows no input: the family fitted to the target columns.

    Every class is counted once more than it was seen, so that an unseen one is not impossible.
    Without a closed form it is fitted as any network is, to 10,000 of the rows at most.
    """
    y = y.reshape(len(y), -1)
    columns = y.T
    raw: list[NDArray[np.float64]] = []
    if isinstance(family, likely.Categorical):
        counts = [np.bincount(c.astype(np.intp), minlength=family.classes) + 1 for c in columns]
        raw = [np.log(count / count.sum()) for count in counts]
    elif isinstance(family, likely.Bernoulli):
        raw = [np.log([(c.sum() + 1) / (len(c) + 1 - c.sum())]) for c in columns]
    elif isinstance(family, likely.Normal):
        family = likely.Normal()
        raw = [np.array([c.mean(), np.log(max(c.std(), np.finfo(float).tiny))]) for c in columns]
    network = likely.Network(
        inputs=1, targets=len(columns), distribution=family, dtype="float64", standardize=not raw
    )
    if raw:
        flat = np.transpose(raw).ravel()
        network.parameters = np.concatenate([np.zeros_like(flat), flat])
    else:
        some = y[:: math.ceil(len(y) / CONSTANT_ROWS)]
        trainer = likely.Trainer(
            likely.Adam(learning_rate=0.1),
            batch_size=None,
            epochs=400,
            schedule=likely.CosineDecay(),
        )
        trainer.fit(network, np.zeros(len(some)), some)
    return network


def _report(
    network: likely.Network,
    x: NDArray[np.float64],
    target: Target,
    training: NDArray[np.intp],
    held_out: NDArray[np.intp],
) -> None:
    """Print how well the network does on held-out rows, beside a model without input."""
    rows = held_out if len(held_out) else training
    y = target.values[rows]
    loss = _score(network, x[rows], y)
    constant = constant_model(target.family, target.values[training])
    constant_loss = _score(constant, np.zeros((len(rows), 1)), y)
    several = f", summed over {len(target.names)} targets" if len(target.names) > 1 else ""
    what = "negative log-likelihood, nats per row"
    if isinstance(target.family, likely.Quantiles):
        what = "pinball loss, mean over the levels"
    what = f"Held-out {what}" if len(held_out) else what.capitalize()
    print(f"\n{what}{several} (lower is better):")
    print(f"  {'this network':<42}{loss:>9.3f}")
    print(f"  {'no input, the same answer for every row':<42}{constant_loss:>9.3f}")
    print(f"  {'gain':<42}{constant_loss - loss:>9.3f}")
    if loss >= constant_loss:
        print("Nothing is gained: the features tell this network nothing about new rows.")
    if len(held_out):
        print("The held-out rows also chose the epoch, which flatters the network a little.")
    else:
        print("These are the rows that were fitted to: new rows may well do worse.")
    _report_familiar(network, x[rows], y, target, training)


def _score(network: likely.Network, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the loss in the target's units: that of Quantiles is else in standardised ones."""
    family = network.distribution
    if not isinstance(family, likely.Quantiles):
        return network.loss(x, y)
    d = network.predict_distribution(x)
    return float(np.sum(likely.metrics.pinball_loss(d, y, family.levels)))


def _report_familiar(
    network: likely.Network,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    target: Target,
    training: NDArray[np.intp],
) -> None:
    """Print what people also ask for: how far off the mean is, or how many are right.

    Where not every row has a mean, it is the median; of quantiles without one, nothing.
    """
    predicted = network.predict_distribution(x)
    classes = isinstance(target.family, (likely.Bernoulli, likely.Categorical, likely.Ordinal))
    of_mean, best = True, predicted.mode if classes else predicted.mean
    if not np.isfinite(best).all():
        of_mean, best = False, predicted.median
    best = best.reshape(y.shape)
    if not np.isfinite(best).all():
        return
    for j, name in enumerate(target.names):
        seen = target.values[training, j]
        if classes:
            values, counts = np.unique(seen, return_counts=True)
            right = np.mean(best[:, j] == y[:, j])
            usual = np.mean(values[counts.argmax()] == y[:, j])
            print(f"{name}: {right:.1%} right; always the most frequent class, {usual:.1%}")
        elif _is_circular(target.family):
            error = _root_mean_square(_turned(best[:, j] - y[:, j]))
            direction = np.angle(np.exp(1j * seen).mean())
            spread = _root_mean_square(_turned(direction - y[:, j]))
            print(
                f"{name}: root mean squared angle from the mean {error:.4g}; always the mean "
                f"direction, {spread:.4g}"
            )
        elif of_mean:
            error = _root_mean_square(best[:, j] - y[:, j])
            spread = _root_mean_square(seen.mean() - y[:, j])
            print(f"{name}: root mean squared error {error:.4g}; always the mean, {spread:.4g}")
        else:
            error = float(np.abs(best[:, j] - y[:, j]).mean())
            spread = float(np.abs(np.median(seen) - y[:, j]).mean())
            print(f"{name}: mean absolute error {error:.4g}; always the median, {spread:.4g}")


def _is_circular(family: likely.Distribution) -> bool:
    if isinstance(family, likely.Mixture):
        family = family.component
    return isinstance(family, likely.VonMises)


def _turned(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same angles in [-pi, pi]."""
    return np.asarray(np.angle(np.exp(1j * angle)))


def _root_mean_square(errors: Sequence[float] | NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))
