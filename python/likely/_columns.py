"""Which columns of a table are features, and what distribution its targets have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import likely
from likely._console import UserError, listed, note
from likely._table import Table, is_number, option_drop

MOST_CLASSES_OF_TEXT = 50
MOST_CLASSES_OF_NUMBERS = 10


@dataclass(frozen=True)
class Target:
    """What is to be predicted, and as what."""

    names: list[str]
    values: NDArray[np.float64]
    family: likely.Distribution
    class_names: list[str]
    because: str


def choose_features(
    table: Table, targets: list[str], chosen: list[str] | None, drop: list[str]
) -> list[str]:
    """Return the names of the feature columns: the chosen ones, or all but targets and dropped."""
    for names, option in ((targets, "--target"), (chosen or [], "--features"), (drop, "--drop")):
        table.require(names, option)
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"{option} names {name!r} twice")
    for name in targets:
        if name in (chosen or []) or name in drop:
            other = "--drop" if name in drop else "--features"
            raise UserError(f"column {name!r} is given to --target and to {other}")
    if chosen is not None:
        candidates = chosen
    else:
        candidates = [name for name in table.names if name not in table.nameless]
        left_out = [n for n in table.nameless if n not in drop and n not in targets]
        if left_out:
            note(
                f"columns without a name are not features: {listed(left_out)} (--features says "
                "otherwise)"
            )
    features = [name for name in candidates if name not in targets and name not in drop]
    if not features:
        raise UserError(f"{table.name} has no column left to predict from")
    text = table.text_columns(features)
    if text:
        where = listed([f"{name!r} ({sample})" for name, sample in text.items()], 4)
        what = "this column holds" if len(text) == 1 else "these columns hold"
        raise UserError(
            f"{table.name}: features must be numbers, and {what} text: {where}; leave out "
            f"with {option_drop(list(text))}, or encode as numbers"
        )
    for name in features:
        table.refuse_missing(
            [name], f"fill it in or delete those rows, or leave out with {option_drop([name])}"
        )
    return features


def read_target(
    table: Table,
    names: list[str],
    wanted: likely.Distribution | str | None,
    scale: str | float | None,
) -> Target:
    """Return the target columns as numbers, with the wanted distribution or the one that fits."""
    table.refuse_missing(names, "fill it in or delete those rows")
    numeric = [table.is_number(name) for name in names]
    if wanted is None:
        if any(numeric) and not all(numeric):
            raise UserError("targets must be all numbers or all classes: fit one model for each")
        if all(numeric):
            family = likely.Normal() if scale is None else likely.Normal(scale=scale)
            return _number_target(table, names, family, "since it holds numbers")
    if isinstance(wanted, likely.Distribution):
        if scale is not None:
            if wanted != likely.Normal():
                raise UserError(f"--scale is for --distribution normal; got {wanted!r}")
            wanted = likely.Normal(scale=scale)
        return _number_target(table, names, wanted, "as --distribution says")
    if scale is not None:
        raise UserError("--scale is for numbers (--distribution normal), and these are classes")
    return _class_target(table, names, wanted)


def _number_target(table: Table, names: list[str], family: likely.Distribution, why: str) -> Target:
    for name, sample in table.text_columns(names).items():
        raise UserError(
            f"{table.name}: column {name!r} holds text ({sample}), which is no target for "
            f"{family!r}; use categorical, or encode as numbers"
        )
    values = table.numbers(names)
    for name, column in zip(names, values.T, strict=True):
        if np.all(column == column[0]):
            raise UserError(
                f"{table.name}: column {name!r} is {column[0]:g} in every row: there is nothing to "
                "predict"
            )
    plain = isinstance(family, likely.Normal)
    because = f"{'normal distribution' if plain else repr(family)}, {why}"
    distinct = len(np.unique(values))
    if (
        plain
        and distinct <= min(MOST_CLASSES_OF_NUMBERS, values.size // 2)
        and not np.any(values % 1)
    ):
        kind = "bernoulli" if distinct == 2 else "categorical"
        because += f" (only {distinct} different ones: if they are classes, --distribution {kind})"
    return Target(names, values, family, [], because)


def _class_target(table: Table, names: list[str], wanted: str | None) -> Target:
    labels = [table.labels(name) for name in names]
    distinct = {label for column in labels for label in column}
    numeric = all(table.is_number(name) for name in names)
    classes = sorted(distinct, key=float) if numeric else sorted(distinct)
    shown = listed(classes)
    quoted = listed([repr(name) for name in names])
    if len(classes) == 1:
        raise UserError(f"{table.name}: {quoted} holds one class only: {shown}")
    if wanted == "ordinal" and not numeric:
        raise UserError(
            f"{table.name}: {quoted} holds text, which has no order: encode the levels as numbers"
        )
    for name, column in zip(names, labels, strict=True):
        if not numeric and set(column) != distinct:
            raise UserError(
                f"column {name!r} lacks classes of the other targets: fit one model for each"
            )
    if wanted is None:
        wanted = "bernoulli" if len(classes) == 2 else "categorical"
        for name, sample in table.text_columns(names).items():
            some = "some numbers, some text" if any(map(is_number, classes)) else "text"
            if len(classes) > MOST_CLASSES_OF_TEXT or some != "text":
                raise UserError(
                    f"{table.name}: column {name!r} holds {some} ({sample}), {len(classes):,} "
                    "different values; if they are classes, say --distribution categorical"
                )
    if wanted == "bernoulli" and len(classes) != 2:
        raise UserError(
            f"--distribution bernoulli is for two classes, and {quoted} holds {len(classes):,}: "
            f"{shown}; use categorical"
        )
    codes = {label: code for code, label in enumerate(classes)}
    values = np.array([[codes[label] for label in column] for column in labels], float).T
    family: likely.Distribution
    if wanted == "bernoulli":
        family = likely.Bernoulli()
        because = f"bernoulli distribution, of two classes: 0 is {classes[0]}, 1 is {classes[1]}"
    elif wanted == "ordinal":
        family = likely.Ordinal(levels=len(classes))
        because = f"ordinal distribution, of {len(classes)} levels: {shown}"
    else:
        family = likely.Categorical(classes=len(classes))
        because = f"categorical distribution, of {len(classes)} classes: {shown}"
    return Target(names, values, family, classes, because)
