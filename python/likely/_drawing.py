"""What the pictures of `likely.plot` are made of.

Bands and curves, on a circle too; observations; legends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from likely.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOR = (0.13, 0.40, 0.69)
DATA = "#222222"
NO_TURNS = (0.0,)


def axes_or_new(axes: Axes | None) -> Axes:
    if axes is not None:
        return axes
    import matplotlib.pyplot as plt

    new: Axes = plt.subplots()[1]
    return new


def finished(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return axes


def nested(
    axes: Axes,
    grid: NDArray[Any],
    intervals: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    labels: Sequence[str],
    strength: float,
    turns: Sequence[Any],
) -> None:
    """Fill intervals inside each other, the widest first, each stronger than the last."""
    for depth, ((lower, upper), label) in enumerate(zip(intervals, labels, strict=True), start=1):
        white = (1 - strength) ** depth
        color = tuple(white + (1 - white) * part for part in COLOR)
        for i, turn in enumerate(turns):
            ends = lower + turn, upper + turn
            name = None if i else label
            axes.fill_between(grid, *ends, color=color, linewidth=0, label=name)


def line(
    axes: Axes, grid: NDArray[Any], values: NDArray[Any], label: str, turns: Sequence[Any]
) -> None:
    """Draw the curve in the middle."""
    for i, turn in enumerate(turns):
        axes.plot(grid, values + turn, color=COLOR, linewidth=2, label=None if i else label)


def turns_of(
    center: NDArray[Any], intervals: Sequence[tuple[NDArray[Any], NDArray[Any]]]
) -> list[NDArray[Any]]:
    """Return what is added to angles, so that curves cross the seam of the circle unbroken.

    As often as it takes for all that is within (-pi, pi) to be drawn.
    """
    whole = 2 * np.pi
    unbroken = np.unwrap(center.astype(np.float64)) - center
    ends = [end + unbroken for interval in intervals for end in interval] + [center + unbroken]
    first = np.ceil((-np.pi - np.max(ends)) / whole)
    last = np.floor((np.pi - np.min(ends)) / whole)
    return [unbroken + whole * turn for turn in np.arange(first, last + 1)]


def with_data(
    axes: Axes,
    x: NDArray[Any],
    y: NDArray[Any] | None,
    network: Network | None,
    on_circle: bool,
) -> Axes:
    """Add observations, the names of the columns and the legend."""
    if on_circle:
        axes.set_ylim(-np.pi, np.pi)
        y = None if y is None else np.mod(y + np.pi, 2 * np.pi) - np.pi
    if y is not None:
        axes.scatter(x, y, s=14, color=DATA, alpha=0.75, linewidths=0, label="data")
    inputs, targets = (network.feature_names, network.target_names) if network else ([], [])
    axes.set_xlabel(inputs[0] if inputs else "input")
    axes.set_ylabel(targets[0] if targets else "target")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    axes.legend()
    return axes


def cut_off(curves: list[NDArray[Any]], axes: Axes) -> None:
    """Let the first epochs run out of the picture where they would squeeze the rest."""
    everything = np.concatenate(curves)
    later = np.concatenate([losses[len(losses) // 10 :] for losses in curves])
    lowest, highest = everything.min(), later.max()
    if everything.max() > highest + 2 * (highest - lowest) > lowest:
        margin = 0.05 * (highest - lowest)
        axes.set_ylim(lowest - margin, highest + 0.5 * (highest - lowest))
