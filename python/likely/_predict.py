"""`likely predict`: from a model file and a CSV file to predictions."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

import likely
from likely._console import UserError, check_output, counted, listed, nearest, note
from likely._table import Table, write_table

QUANTILES = (0.05, 0.5, 0.95)


def predict(arguments: argparse.Namespace) -> int:
    """Predict a row of output for each row of a CSV file, as the command line says."""
    output = None if arguments.output == "-" else arguments.output
    if output is not None:
        check_output(output, arguments.model, arguments.data)
    network = likely.load(arguments.model)
    classes = _class_names(network)
    if classes and arguments.quantiles is not None:
        raise UserError(f"--quantiles is for numbers, and {arguments.model} predicts classes")
    table = Table(arguments.data)
    d = network.predict_distribution(_features(network, table, arguments.model))
    family = network.distribution
    quantiles = family.levels if isinstance(family, likely.Quantiles) else QUANTILES
    if arguments.quantiles is not None:
        quantiles = arguments.quantiles
    columns = _class_columns(network, d, classes) if classes else _columns(network, d, quantiles)
    write_table(columns, output)
    if output is not None:
        print(
            f"Wrote {output}: {counted(len(table), 'row')}; columns {listed(list(columns))}",
            file=sys.stderr,
        )
    _tell_likelihood(network, d, table, classes)
    return 0


def _class_names(network: likely.Network) -> list[str]:
    """Return the names of the classes, or an empty list where the model predicts numbers."""
    family = network.distribution
    if isinstance(family, likely.Bernoulli):
        return network.class_names or ["0", "1"]
    if isinstance(family, likely.Categorical):
        return network.class_names or [str(label) for label in range(family.classes)]
    if isinstance(family, likely.Ordinal):
        return network.class_names or [str(label) for label in range(family.levels)]
    return []


def _target_names(network: likely.Network) -> list[str]:
    if network.target_names:
        return network.target_names
    if network.targets == 1:
        return ["target"]
    return [f"target{number}" for number in range(1, network.targets + 1)]


def _features(network: likely.Network, table: Table, model: str) -> NDArray[np.float64]:
    names = network.feature_names
    if not names:
        names = table.names
        if len(names) != network.inputs:
            raise UserError(
                f"{model} names no features, so it takes all columns in their order: it expects "
                f"{network.inputs}, and {table.name} has {len(names)}"
            )
    absent = [name for name in names if name not in table.names]
    if absent:
        others = [name for name in table.names if name not in names]
        close = nearest(absent[0], others)
        hint = f"; is it {close!r}?" if close else ""
        what = "feature" if len(absent) == 1 else f"{len(absent)} features"
        raise UserError(
            f"{table.name} lacks the {what} {listed([repr(name) for name in absent])}{hint} "
            f"({model} was fitted to: {listed(names)})"
        )
    for name, sample in table.text_columns(names).items():
        raise UserError(f"{table.name}: the feature {name!r} must be numbers; it holds {sample}")
    table.refuse_missing(names, "a prediction needs every feature: fill it in or delete those rows")
    return table.numbers(names)


def _by_target(network: likely.Network, values: NDArray[Any]) -> NDArray[Any]:
    """Return an array for one or several targets with the targets as second axis."""
    return values[:, np.newaxis] if network.targets == 1 else values


def _columns(
    network: likely.Network, d: likely.PredictiveDistribution, quantiles: tuple[float, ...]
) -> dict[str, NDArray[Any]]:
    statistics = {f"q{q}": d.quantile(q) for q in quantiles}
    if not isinstance(network.distribution, likely.Quantiles):
        statistics = {"mean": d.mean, "std": d.std} | statistics
    return {
        f"{target}_{name}": _by_target(network, values)[:, j]
        for j, target in enumerate(_target_names(network))
        for name, values in statistics.items()
    }


def _class_columns(
    network: likely.Network, d: likely.PredictiveDistribution, classes: list[str]
) -> dict[str, Any]:
    labels = _by_target(network, d.mode).astype(np.intp)
    probabilities = _by_target(network, d.params["probs"])
    if isinstance(network.distribution, likely.Bernoulli):
        probabilities = np.stack([1 - probabilities, probabilities], axis=-1)
    columns: dict[str, Any] = {}
    for j, target in enumerate(_target_names(network)):
        columns[f"{target}_class"] = [classes[label] for label in labels[:, j]]
        for k, name in enumerate(classes):
            columns[f"{target}_p_{name}"] = probabilities[:, j, k]
    return columns


def _tell_likelihood(
    network: likely.Network,
    d: likely.PredictiveDistribution,
    table: Table,
    classes: list[str],
) -> None:
    """Say how likely the targets are, where the file has them; rows without one are left out."""
    names = network.target_names
    if not names or any(name not in table.names for name in names):
        return
    if isinstance(network.distribution, likely.Quantiles):
        return  # has none
    rows = np.flatnonzero(~table.missing(names))
    if not len(rows):
        return
    if classes:
        labels = np.array([table.labels(name, rows) for name in names], dtype=object).T
        codes = {label: code for code, label in enumerate(classes)}
        for row, column in np.argwhere(~np.isin(labels, classes)):
            where = f"{labels[row, column]!r} in line {table.line(int(rows[row]))}"
            note(
                f"no likelihood, for {names[column]!r} holds {where}, and the classes are "
                f"{listed(classes)}"
            )
            return
        y = np.array([[codes[label] for label in row] for row in labels], dtype=np.float64)
    else:
        for name, sample in table.text_columns(names).items():
            note(f"no likelihood, for {name!r} holds text: {sample}")
            return
        y = table.numbers(names, rows)
    loss = -d[rows].log_prob(y).sum() / len(rows)
    print(
        f"negative log-likelihood of {listed(names)}: {loss:.4f} nats per row "
        f"({counted(len(rows), 'row')})",
        file=sys.stderr,
    )
