"""What a script reports: lines of a table with the tutorial's figures and ours."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Line:
    what: str
    document: str
    ours: tuple[float, ...]
    holds: bool
    digits: int = 8
    """After the decimal point, in print."""


def compare(
    what: str, document: ArrayLike, ours: ArrayLike, digits: int = 8, within: float | None = None
) -> Line:
    """A line whose two sides are numbers: equal to all printed digits, or within a distance."""
    wanted, got = np.ravel(document).astype(float), np.ravel(ours).astype(float)
    bound = 0.51 * 10.0**-digits if within is None else within
    holds = wanted.shape == got.shape and bool(np.all(np.abs(got - wanted) <= bound))
    return Line(what, numbers(wanted, digits), tuple(got.tolist()), holds, digits)


def numbers(values: Iterable[float], digits: int) -> str:
    text = " ".join(f"{value:.{digits}f}" for value in values)
    return f"[{text}]" if " " in text else text


def table(lines: Iterable[Line]) -> str:
    head = ("what", "document", "ours", "ok")
    rows = [
        (line.what, line.document, numbers(line.ours, line.digits), "yes" if line.holds else "NO")
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, rule, *rows)
    )


def show(lines: list[Line]) -> None:
    print(table(lines))
