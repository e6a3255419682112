"""Pictures of fits, of predicted distributions and of how well their probabilities come true.

Each is one call and returns the Axes; they need Matplotlib (`pip install "likely[plot]"`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from likely import _core
from likely._arrays import as_integer, as_matrix
from likely._drawing import (
    COLOR,
    NO_TURNS,
    axes_or_new,
    cut_off,
    finished,
    line,
    nested,
    turns_of,
    with_data,
)
from likely._evaluation import (
    CLASSES,
    CONFIDENCE,
    Predicted,
    binomial_interval,
    confidences,
    is_angle,
    method_of,
    refuse,
    reliability,
)
from likely.calibration import RecalibratedNetwork
from likely.metrics import pit_values
from likely.network import Network
from likely.predictive import PredictiveDistribution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SECOND = (0.82, 0.37, 0.10)
_EXPECTED = "#8a8a8a"  # what calibrated predictions would give
_BAND = "#dedede"
_STRENGTH = 0.24  # of one band; bands inside bands are stronger
_NO_ORDER = "has labels without order: see reliability_diagram"
_FAN = (0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85, 0.95)


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

    Of a family without a mean (Quantiles, Ordinal) the median. Angles are drawn from -pi to pi, and
    what leaves the picture above comes back below.

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
    TypeError, ValueError
        Where network is no Network (`fan` takes a recalibrated one), has several inputs or targets,
        or classes without order (Categorical), or x and y differ in length.

    Examples
    --------
    >>> import likely, likely.plot, matplotlib.figure, numpy as np
    >>> x = np.linspace(0, 1, 50)
    >>> network = likely.Network(inputs=1, feature_names=["time"], target_names=["speed"])
    >>> axes = matplotlib.figure.Figure().subplots()
    >>> likely.plot.bands(network, x, np.sin(x), axes=axes).get_xlabel()
    'time'

    """
    if not isinstance(network, Network):
        raise TypeError(
            f"network must be a likely.Network (fan takes others too); got {type(network).__name__}"
        )
    grid, x_column, y_column = _grid(network, x, y, points)
    d = network.predict_distribution(grid)
    refuse(d, "bands", ("Categorical",), _NO_ORDER)
    center, name = d.mean, "mean"
    if np.isnan(center).all():
        center, name = d.median, "median"
    axes = axes_or_new(axes)
    widest_first = sorted(coverages, reverse=True)
    intervals = [d.interval(coverage) for coverage in widest_first]
    names = [f"{100 * coverage:g} % band" for coverage in widest_first]
    turns = turns_of(center, intervals) if is_angle(d.distribution) else NO_TURNS
    nested(axes, grid, intervals, names, _STRENGTH, turns)
    line(axes, grid, center, name, turns)
    return with_data(axes, x_column, y_column, network, is_angle(d.distribution))


def fan(
    predicted: Network | RecalibratedNetwork | Predicted,
    x: Any,
    y: Any = None,
    *,
    levels: Sequence[float] | None = None,
    points: int = 400,
    axes: Axes | None = None,
) -> Axes:
    """Draw the quantiles of predictions of one target along x, the darker the more central.

    Parameters
    ----------
    predicted : Network, RecalibratedNetwork, PredictiveDistribution or RecalibratedDistribution
        A network with one input and one target, or predicted distributions, one for each x.
    x : array of shape (rows,) or (rows, 1)
        Of a network: the picture reaches from the lowest to the highest of them. Of predicted
        distributions: where each row stands, a time for instance.
    y : array of shape (rows,) or (rows, 1), optional
        Observations at x, drawn as points.
    levels : sequence of float, optional
        Probabilities of the quantiles; by default 5 %, 15 %, ..., 95 % and the median, of Quantiles
        its own. The lowest and the highest bound one band, the next two one inside, and so on.
    points : int, default 400
        Where a network is evaluated, evenly spaced.
    axes : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        Where there are several inputs or targets, lengths differ, or there are no such quantiles;
        for Categorical, whose labels have no order.

    Notes
    -----
    Source: Britton, Fisher and Whitley (1998), 'The Inflation Report projections: understanding
    the fan chart'.

    Examples
    --------
    >>> import likely, likely.plot, matplotlib.figure, numpy as np
    >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=[1.0, 1.5, 2.0])
    >>> axes = likely.plot.fan(d, [1, 2, 3], axes=matplotlib.figure.Figure().subplots())
    >>> axes.get_legend_handles_labels()[1][0]
    '5 % to 95 %'

    """
    source: Any = predicted
    network = getattr(source, "network", source)
    if isinstance(network, Network):
        positions, x_column, y_column = _grid(network, x, y, points)
        d: Predicted = source.predict_distribution(positions)
    else:
        method_of(source, "quantile")
        x_column, y_column = _pair(x, y)
        if len(source) != len(x_column):
            raise ValueError(f"x must have {len(source)} rows, as d; got {len(x_column)}")
        d, network, positions = source, None, x_column
    refuse(d, "fan", ("Categorical",), _NO_ORDER)
    own = getattr(d.distribution, "levels", None)  # of Quantiles; of Ordinal a number
    chosen = sorted(levels or (own if isinstance(own, (tuple, list)) else _FAN))
    order = np.argsort(positions, kind="stable")
    curves = [d.quantile(level)[order] for level in chosen]
    if curves[0].ndim > 1:
        raise ValueError(f"predicted must have one target; got {curves[0].shape[1]}")
    if np.isnan(curves).any():
        raise ValueError(f"levels must be within those that are predicted; got {chosen}")
    axes = axes_or_new(axes)
    pairs = len(chosen) // 2
    intervals = [(curves[i], curves[-1 - i]) for i in range(pairs)]
    on_circle = is_angle(d.distribution)
    turns = turns_of(d.quantile(0.5)[order], intervals) if on_circle else NO_TURNS
    names = [f"{100 * chosen[i]:g} % to {100 * chosen[-1 - i]:g} %" for i in range(pairs)]
    strength = 1 - 0.45 ** (1 / max(pairs, 1))
    nested(axes, positions[order], intervals, names, strength, turns)
    if len(chosen) % 2:
        middle = chosen[pairs]
        name = "median" if middle == 0.5 else f"{100 * middle:g} %"
        line(axes, positions[order], curves[pairs], name, turns)
    return with_data(axes, x_column, y_column, network, on_circle)


def learning_curve(history: _core.History, *, axes: Axes | None = None) -> Axes:
    """Draw the loss of each epoch, in training and (where there is one) in validation.

    Parameters
    ----------
    history : History
        What `Trainer.fit` returned. Epochs are counted from 0, as in the history; the best one is
        marked.
    axes : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Losses that start far above where they end are cut off above, so that the end is seen.

    Raises
    ------
    TypeError
        Where history is none.
    ValueError
        Where it has no epochs.

    Examples
    --------
    >>> import likely, likely.plot, matplotlib.figure, numpy as np
    >>> x = np.linspace(-1, 1, 64)
    >>> history = likely.Trainer(epochs=9).fit(likely.Network(inputs=1), x, x)
    >>> axes = likely.plot.learning_curve(history, axes=matplotlib.figure.Figure().subplots())
    >>> len(axes.lines[0].get_xdata())
    9

    """
    if not isinstance(history, _core.History):
        raise TypeError(f"history must be a likely.History; got {type(history).__name__}")
    if history.epochs == 0:
        raise ValueError("history must have at least one epoch; got an empty one")
    axes = axes_or_new(axes)
    curves = [("training", history.loss, COLOR)]
    if len(history.validation_loss):
        curves.append(("validation", history.validation_loss, _SECOND))
    for name, losses, color in curves:
        marker = "o" if len(losses) == 1 else None
        axes.plot(losses, color=color, linewidth=1.8, label=name, marker=marker)
    best = history.best_epoch
    if best is not None:
        loss = history.validation_loss[best]
        axes.plot([best], [loss], "o", color=_SECOND, markersize=7, label=f"best: epoch {best}")
    cut_off([losses for _, losses, _ in curves], axes)
    axes.locator_params(axis="x", integer=True)
    if history.epochs == 1:
        axes.set_xticks([0])  # no fractions of an epoch
    axes.set(xlabel="epoch", ylabel="loss per row")
    return finished(axes)


def pit_histogram(
    d: Predicted,
    y: Any,
    *,
    bins: int = 20,
    target: int | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw the histogram of PIT values: flat where predictions are calibrated.

    A U tells of predictions that are too narrow, a hump of too wide ones, a slope of a bias.

    Parameters
    ----------
    d : PredictiveDistribution or RecalibratedDistribution
    y : array of shape (rows,) or (rows, targets)
        What was observed; of any family but Categorical (`reliability_diagram`).
    bins : int, default 20
    target : int, optional
        Which target column, where there are several.
    axes : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The grey band holds each bar with a probability of at least 95 % where predictions are
        calibrated (the central interval of a binomial): of 20 bars one may well lie outside.

    Raises
    ------
    TypeError, ValueError
        As `likely.metrics.pit_values`; or where bins or target will not do.

    Examples
    --------
    >>> import likely, likely.plot, matplotlib.figure, numpy as np
    >>> d = likely.PredictiveDistribution.from_params("normal", loc=0.0, scale=1.0)
    >>> y = np.random.default_rng(0).normal(size=500)
    >>> axes = matplotlib.figure.Figure().subplots()
    >>> likely.plot.pit_histogram(d, y, bins=10, axes=axes).get_xlabel()
    'PIT value'

    """
    count = as_integer("bins", bins, 1)
    pit = _column(pit_values(d, y), target)
    axes = axes_or_new(axes)
    height = count / len(pit)  # of one row, where 1 is flat
    lower, upper = binomial_interval(len(pit), 1 / count)
    band = (lower * height, upper * height)
    axes.axhspan(*band, color=_EXPECTED, alpha=0.35, linewidth=0, zorder=3, label=_band_name())
    axes.axhline(1, color=_EXPECTED, linewidth=1.2, zorder=4)
    rows, edges = np.histogram(pit, bins=count, range=(0, 1))
    axes.bar(
        edges[:-1],
        rows * height,
        width=1 / count,
        align="edge",
        color=(*COLOR, 0.6),
        edgecolor="white",
        linewidth=0.8,
        label="predictions",
    )
    highest = 1.25 * max(upper, rows.max()) * height  # the legend stands above the bars
    axes.set(xlim=(0, 1), ylim=(0, highest), xlabel="PIT value", ylabel="density")
    return finished(axes)


def reliability_diagram(
    d: Predicted,
    y: Any,
    *,
    bins: int = 10,
    target: int | None = None,
    axes: Axes | None = None,
) -> Axes:
    """Draw what came true against what was predicted: a diagonal where predictions are calibrated.

    Of Bernoulli the share of ones against their predicted probability; of Categorical and Ordinal
    the share of right classes against the probability of the predicted one, the most probable; of
    other families the share of targets that lie below each predicted quantile against its level.

    Parameters
    ----------
    d : PredictiveDistribution or RecalibratedDistribution
    y : array of shape (rows,) or (rows, targets)
        What was observed.
    bins : int, default 10
        Of the probabilities of classes; those without a row are not drawn.
    target : int, optional
        Which target column, where there are several.
    axes : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Grey: where each point, or the line at each level, lies with a probability of at least 95 %
        where predictions are calibrated (consistency bars, Broecker and Smith 2007). The area of a
        point is in proportion to the rows of its bin.

    Raises
    ------
    TypeError, ValueError
        Where d is no predicted distribution, y has another shape or is impossible, or bins or
        target will not do.

    Notes
    -----
    Source: Broecker and Smith (2007), 'Increasing the reliability of reliability diagrams';
    Kuleshov, Fenner and Ermon (2018), 'Accurate uncertainties for deep learning using calibrated
    regression'.

    Examples
    --------
    >>> import likely, likely.plot, matplotlib.figure, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=500)
    >>> d = likely.PredictiveDistribution.from_params("bernoulli", probs=p)
    >>> axes = matplotlib.figure.Figure().subplots()
    >>> likely.plot.reliability_diagram(d, rng.uniform(size=500) < p, axes=axes).get_ylabel()
    'share of ones'

    """
    count = as_integer("bins", bins, 1)
    family = type(d.distribution).__name__
    if has_classes := family in CLASSES and isinstance(d, PredictiveDistribution):
        claimed, true = (_column(a, target) for a in confidences(d, y, "reliability_diagram"))
        level, share, rows = reliability(claimed, true, count)
        expected = np.array([binomial_interval(n, p) for n, p in zip(rows, level, strict=True)])
        expected = expected / rows[:, None]
    else:
        pit = np.sort(_column(pit_values(d, y), target))
        level = np.linspace(0, 1, 201)
        share = np.searchsorted(pit, level, side="right") / len(pit)
        expected = np.array([binomial_interval(len(pit), p) for p in level]) / len(pit)
    axes = axes_or_new(axes)
    axes.plot([0, 1], [0, 1], color=_EXPECTED, linewidth=1.2, zorder=1)
    band: dict[str, Any] = {"color": _BAND, "linewidth": 0, "zorder": 0, "label": _band_name()}
    if has_classes:
        lower, upper = expected.T
        axes.bar(level, upper - lower, 0.25 / count, lower, **band)
        names = "probability of the predicted class", "share that was right"
        if family == "Bernoulli":
            names = "predicted probability of 1", "share of ones"
    else:
        axes.fill_between(level, *expected.T, **band)
        names = "level of the quantile", "share of targets below it"
    label = "predictions"
    if has_classes:
        sizes = 8 + 72 * rows / rows.max()
        axes.scatter(level, share, sizes, color=COLOR, linewidths=0, zorder=3, label=label)
    width, label = (1.2, "") if has_classes else (1.8, label)
    axes.plot(level, share, color=COLOR, linewidth=width, label=label or None)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=names[0], ylabel=names[1])
    axes.set_aspect("equal")
    finished(axes)
    # Bars may reach everywhere within.
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return axes


def _band_name() -> str:
    return f"{100 * CONFIDENCE:g} % if calibrated"


def _pair(x: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    x_column = as_matrix("x", x, 1, "float64")[:, 0]
    y_column = None if y is None else as_matrix("y", y, 1, "float64")[:, 0]
    if y_column is not None and len(y_column) != len(x_column):
        raise ValueError(f"x and y must be of one length; got {len(x_column)} and {len(y_column)}")
    return x_column, y_column


def _grid(
    network: Network, x: Any, y: Any, points: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """Return where to evaluate a network of one input and one target, x and y."""
    if network.inputs != 1 or network.targets != 1:
        raise ValueError(
            "network must have one input and one target; "
            f"got {network.inputs} inputs and {network.targets} targets"
        )
    x_column, y_column = _pair(x, y)
    return np.linspace(x_column.min(), x_column.max(), points), x_column, y_column


def _column(values: NDArray[Any], target: int | None) -> NDArray[Any]:
    """Return the values of one target column."""
    targets = 1 if values.ndim == 1 else values.shape[1]
    if target is None and targets > 1:
        raise ValueError(f"target must be given, one of 0 to {targets - 1}; got None")
    column = as_integer("target", 0 if target is None else target, 0, targets - 1)
    return values if values.ndim == 1 else values[:, column]
