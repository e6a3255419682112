"""Pictures of predicted distributions; they need Matplotlib (`pip install "likely[cli]"`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from likely._arrays import as_matrix
from likely.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOR = (0.13, 0.40, 0.69)
_STRENGTH = 0.24  # of one band; bands inside bands are stronger


def bands(
    network: Network,
    x: Any,
    y: Any = None,
    *,
    coverages: Sequence[float] = (0.5, 0.9),
    points: int = 400,
    axes: Axes | None = None,
) -> Axes:
    """Draw what a network of one input and one target predicts: mean and central intervals.

    Parameters
    ----------
    network : Network
        With one input and one target.
    x : array of shape (rows,) or (rows, 1)
        The picture reaches from the lowest to the highest of them.
    y : array of shape (rows,) or (rows, 1), optional
        Observations at x, drawn as points.
    coverages : sequence of float, default (0.5, 0.9)
        Probabilities that the drawn intervals hold the target with.
    points : int, default 400
        Where the prediction is evaluated, evenly spaced.
    axes : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Where the network has several inputs or targets, or x and y differ in length.

    Examples
    --------
    >>> import likely, likely.plot, matplotlib.figure, numpy as np
    >>> x = np.linspace(0, 1, 50)
    >>> network = likely.Network(inputs=1, feature_names=["time"], target_names=["speed"])
    >>> axes = matplotlib.figure.Figure().subplots()
    >>> likely.plot.bands(network, x, np.sin(x), axes=axes).get_xlabel()
    'time'

    """
    if network.inputs != 1 or network.targets != 1:
        raise ValueError(
            "network must have one input and one target; "
            f"got {network.inputs} inputs and {network.targets} targets"
        )
    x_column = as_matrix("x", x, 1, "float64")[:, 0]
    y_column = None if y is None else as_matrix("y", y, 1, "float64")[:, 0]
    if y_column is not None and len(y_column) != len(x_column):
        raise ValueError(f"x and y must be of one length; got {len(x_column)} and {len(y_column)}")
    if axes is None:
        import matplotlib.pyplot as plt

        axes = plt.subplots()[1]
    grid = np.linspace(x_column.min(), x_column.max(), points)
    d = network.predict_distribution(grid)
    for depth, coverage in enumerate(sorted(coverages, reverse=True), start=1):
        white = (1 - _STRENGTH) ** depth
        axes.fill_between(
            grid,
            *d.interval(coverage),
            color=tuple(white + (1 - white) * part for part in _COLOR),
            linewidth=0,
            label=f"{100 * coverage:g} % band",
        )
    axes.plot(grid, d.mean, color=_COLOR, linewidth=2, label="mean")
    if y_column is not None:
        axes.scatter(
            x_column, y_column, s=14, color="#222222", alpha=0.75, linewidths=0, label="data"
        )
    axes.set_xlabel(network.feature_names[0] if network.feature_names else "input")
    axes.set_ylabel(network.target_names[0] if network.target_names else "target")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    return axes
