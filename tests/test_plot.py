"""Pictures: what is drawn where."""

from typing import Any

import likely
import matplotlib
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from likely import plot
from likely._evaluation import binomial_interval
from matplotlib.axes import Axes
from numpy.testing import assert_allclose, assert_array_equal
from predicted import Levels
from scipy import stats
from test_bad_input import refused


def test_bands() -> None:
    x = np.linspace(0, 10, 30)
    network = likely.Network(inputs=1, dtype="float64", feature_names=["t"], target_names=["v"])
    axes = matplotlib.figure.Figure().subplots()
    assert plot.bands(network, x, np.sin(x), coverages=[0.5, 0.9], axes=axes) is axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t", "v")
    assert axes.get_legend_handles_labels()[1] == ["90 % band", "50 % band", "mean", "data"]
    wide, narrow = (band.get_paths()[0].vertices for band in axes.collections[:2])
    lower, upper = network.predict_distribution([0.0]).interval(0.9)
    assert_allclose(wide[wide[:, 0] == 0][:, 1].min(), lower[0])
    assert_allclose(wide[wide[:, 0] == 0][:, 1].max(), upper[0])
    assert np.ptp(narrow[:, 1]) < np.ptp(wide[:, 1])
    colors = {tuple(band.get_facecolor()[0]) for band in axes.collections[:2]}
    assert len(colors) == 2
    assert axes.get_legend() is not None


@pytest.mark.parametrize("family", [likely.Quantiles([0.05, 0.5, 0.95]), likely.Ordinal(4)])
def test_bands_of_a_family_without_a_mean(family: likely.Distribution) -> None:
    network = likely.Network(inputs=1, distribution=family)
    axes = plot.bands(network, [0, 1], coverages=[0.9], axes=empty())
    assert labels(axes) == ["90 % band", "median"]
    assert_array_equal(axes.lines[0].get_ydata()[0], network.predict_distribution([0]).median[0])


def test_bands_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(ValueError, match="one input and one target; got 2 inputs"):
        plot.bands(likely.Network(inputs=2), [[1, 2]])
    with pytest.raises(ValueError, match="x and y must be of one length; got 2 and 1"):
        plot.bands(likely.Network(inputs=1), [1, 2], [1])
    x = np.linspace(0, 1, 50)
    better: Any = likely.recalibrate(likely.Network(inputs=1), x, x)
    with refused(TypeError, "network", "likely.Network", "fan", "RecalibratedNetwork"):
        plot.bands(better, x, axes=empty())
    plot.fan(better, x, axes=empty())
    classes = likely.Network(inputs=1, distribution=likely.Categorical(3))
    for draw in (plot.bands, plot.fan):
        with refused(ValueError, "Categorical", "order", "reliability_diagram"):
            draw(classes, x, axes=empty())


def empty() -> Axes:
    return matplotlib.figure.Figure().subplots()


def labels(axes: Axes) -> list[str]:
    return axes.get_legend_handles_labels()[1]


# ---- fan


def vertices(axes: Axes) -> list[Any]:
    return [band.get_paths()[0].vertices for band in axes.collections]


def test_fan_of_a_network() -> None:
    x = np.linspace(0, 10, 30)
    network = likely.Network(inputs=1, dtype="float64", feature_names=["t"], target_names=["v"])
    axes = empty()
    assert plot.fan(network, x, np.sin(x), axes=axes) is axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t", "v")
    bands = ["5 % to 95 %", "15 % to 85 %", "25 % to 75 %", "35 % to 65 %"]
    assert labels(axes) == [*bands, "median", "data"]
    d = network.predict_distribution([0.0])
    for band, level in zip(vertices(axes), (0.05, 0.15, 0.25, 0.35), strict=False):
        ends = band[band[:, 0] == 0][:, 1]
        assert_allclose((ends.min(), ends.max()), np.ravel(d.interval(1 - 2 * level)))
    assert_allclose(axes.lines[0].get_ydata()[0], d.median[0])
    strengths = [band.get_facecolor()[0][0] for band in axes.collections[:4]]
    assert strengths == sorted(strengths, reverse=True)  # of red: the more central, the bluer


def test_fan_of_predictions_in_any_order() -> None:
    d = likely.PredictiveDistribution.from_params("normal", loc=[3.0, 1.0, 2.0], scale=1.0)
    axes = plot.fan(d, [30, 10, 20], [3, 1, 2], levels=[0.5, 0.9, 0.1], axes=empty())
    assert labels(axes) == ["10 % to 90 %", "median", "data"]
    assert_allclose(axes.lines[0].get_xdata(), [10, 20, 30])
    assert_allclose(axes.lines[0].get_ydata(), [1, 2, 3])
    assert_allclose(axes.collections[-1].get_offsets(), [[30, 3], [10, 1], [20, 2]])
    without = plot.fan(d, [30, 10, 20], levels=[0.25, 0.75], axes=empty())
    assert labels(without) == ["25 % to 75 %"]


def test_fan_of_quantiles_has_their_levels() -> None:
    levels = (0.05, 0.3, 0.5, 0.8, 0.9)
    axes = plot.fan(Levels(levels, [0.0, 1.0]), [0, 1], axes=empty())
    assert labels(axes) == ["5 % to 90 %", "30 % to 80 %", "median"]


def test_fan_of_recalibrated_predictions() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=200)
    network = likely.Network(1, dtype="float64")
    better = likely.recalibrate(network, x, rng.normal(size=200))
    for predicted, at in ((better, x), (better.predict_distribution(x), x)):
        axes = plot.fan(predicted, at, axes=empty())
        first = better.predict_distribution([x.min()]).quantile(0.5)
        assert_allclose(axes.lines[0].get_ydata()[0], first)


ANGLES = (
    likely.VonMises(),
    likely.Mixture(likely.VonMises(), 2),
)


@pytest.mark.parametrize("family", ANGLES, ids=["one", "mixture"])
def test_angles_cross_the_seam_of_the_circle(family: likely.Distribution) -> None:
    """What runs round the circle one and a half times is straight, and there three times."""
    network = likely.Network(1, distribution=family, dtype="float64")
    start = {"von_mises": [3 * np.pi, 0.5]}
    slopes, biases = np.zeros(len(network.parameters) // 2), network.parameters.copy()
    biases = biases[len(slopes) :]
    if family == likely.VonMises():
        slopes[0], biases[:] = start["von_mises"][0], [0.5, 2.0]
    else:
        slopes[[2, 4]], biases[:] = 3 * np.pi, [0.0, 0.0, 0.5, 2.0, 0.5, 2.0]
    network.parameters = np.concatenate([slopes, biases])
    x = np.linspace(0, 1, 50)
    for draw in (plot.bands, plot.fan):
        axes = draw(network, x, np.mod(0.5 + 3 * np.pi * x, 2 * np.pi), axes=empty())
        assert_allclose(axes.get_ylim(), (-np.pi, np.pi))
        assert len(labels(axes)) == len(set(labels(axes)))
        inside = np.zeros(400)
        for line in axes.lines:
            grid, angle = line.get_xydata().T
            assert_allclose(np.diff(angle), 3 * np.pi * np.diff(grid), rtol=1e-6)
            off = (angle - 0.5 - 3 * np.pi * grid) / (2 * np.pi)
            assert_allclose(off, np.round(off), atol=1e-9)
            inside += np.abs(angle) <= np.pi
        assert_array_equal(inside, 1)
        band = axes.collections[0]
        lower, upper = network.predict_distribution([0.0]).interval(0.9)
        ends = np.sort([v[1] for v in band.get_paths()[0].vertices if v[0] == 0])
        assert_allclose(ends[-1] - ends[0], upper[0] - lower[0])
        points = axes.collections[-1].get_offsets()
        assert np.all(np.abs(points[:, 1]) <= np.pi)
        assert_allclose(np.cos(points[:, 1]), np.cos(0.5 + 3 * np.pi * x), atol=1e-12)


def test_fan_refuses_what_it_cannot_draw() -> None:
    d = likely.PredictiveDistribution.from_params("normal", loc=[0.0, 1.0], scale=1.0)
    two = likely.PredictiveDistribution.from_params("normal", loc=np.zeros((2, 2)), scale=1.0)
    for arguments, error, words in (
        ((likely.Network(2), [1]), ValueError, ["one input", "2 inputs"]),
        ((d, [1, 2, 3]), ValueError, ["x", "2 rows", "3"]),
        ((d, [1, 2], [1]), ValueError, ["x and y", "2", "1"]),
        ((two, [1, 2]), ValueError, ["one target", "2"]),
        ((Levels((0.1, 0.9), [0.0]), [1], None, (0.01, 0.9)), ValueError, ["levels", "0.01"]),
        (("d", [1]), TypeError, ["d", "quantile", "str"]),
    ):
        with refused(error, *words):
            predicted, x, y, levels = (*arguments, None, None)[:4]
            plot.fan(predicted, x, y, levels=levels, axes=empty())
    with refused(ValueError, "probability", "[0, 1]"):
        plot.fan(d, [1, 2], levels=[0.5, 2], axes=empty())


# ---- learning curve


def test_learning_curve() -> None:
    x = np.linspace(-1, 1, 64)
    trainer = likely.Trainer(likely.Adam(learning_rate=0.05), epochs=30)
    history = trainer.fit(likely.Network(1), x, x, validation=(x[::3], x[::3] + 0.01))
    axes = empty()
    assert plot.learning_curve(history, axes=axes) is axes
    assert labels(axes) == ["training", "validation", f"best: epoch {history.best_epoch}"]
    training, validation, best = axes.lines
    assert_array_equal(training.get_xydata(), np.stack([np.arange(30), history.loss], axis=1))
    assert_array_equal(validation.get_ydata(), history.validation_loss)
    lowest = np.argmin(history.validation_loss)
    assert_array_equal(best.get_xydata(), [[lowest, history.validation_loss[lowest]]])
    without = trainer.fit(likely.Network(1), x, x)
    assert labels(plot.learning_curve(without, axes=empty())) == ["training"]
    for epochs in (1, 4):
        short = likely.Trainer(epochs=epochs).fit(likely.Network(1), x, x)
        ticks = plot.learning_curve(short, axes=empty()).get_xticks()
        assert_array_equal(ticks, np.round(ticks))


@pytest.mark.parametrize(("rate", "cut"), [(0.5, True), (0.001, False)])
def test_the_end_of_a_learning_curve_is_seen(rate: float, cut: bool) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    trainer = likely.Trainer(likely.Adam(learning_rate=rate), epochs=50, batch_size=None)
    history = trainer.fit(likely.Network(1), x, 50 * x + rng.normal(size=200))
    bottom, top = plot.learning_curve(history, axes=empty()).get_ylim()
    assert bottom < history.loss.min()
    assert (top < history.loss.max()) == cut
    assert top > history.loss[5:].max()


def test_learning_curve_refuses_what_is_no_history() -> None:
    with refused(TypeError, "history", "list"):
        plot.learning_curve([1.0], axes=empty())
    with refused(ValueError, "history", "at least one epoch"):
        plot.learning_curve(likely.History(), axes=empty())


# ---- calibration


ROWS = 1500
RNG = np.random.default_rng(3)
Y = RNG.normal(size=ROWS)
NORMAL, NARROW = (
    likely.PredictiveDistribution.from_params("normal", loc=np.zeros(ROWS), scale=scale)
    for scale in (1.0, 0.6)
)
P = RNG.beta(0.7, 0.7, ROWS)
CAME = RNG.uniform(size=ROWS) < P
COIN = likely.PredictiveDistribution.from_params("bernoulli", probs=P)


@pytest.mark.parametrize("rows", [1, 2, 7, 50, 333, 2000, 10**6])
def test_the_band_is_the_interval_of_a_binomial(rows: int) -> None:
    for probability in (0, 1e-6, 0.001, 0.05, 0.3, 0.5, 0.9, 0.999, 1):
        expected = stats.binom.interval(0.95, rows, probability)
        assert binomial_interval(rows, probability) == tuple(map(int, expected))


def outside(axes: Axes) -> int:
    heights = np.array([bar.get_height() for bar in axes.patches if bar.get_width() < 1])
    band = next(p for p in axes.patches if p.get_width() == 1)
    lower, upper = band.get_y(), band.get_y() + band.get_height()
    return int(np.sum((heights < lower - 1e-9) | (heights > upper + 1e-9)))


def test_pit_histogram() -> None:
    axes = empty()
    assert plot.pit_histogram(NORMAL, Y, axes=axes) is axes
    bars = [bar for bar in axes.patches if bar.get_width() < 1]
    counts = np.histogram(stats.norm.cdf(Y), bins=20, range=(0, 1))[0]
    assert_allclose([bar.get_height() for bar in bars], 20 * counts / ROWS)
    band = next(p for p in axes.patches if p.get_width() == 1)
    lower, upper = stats.binom.interval(0.95, ROWS, 1 / 20)
    assert_allclose(
        [band.get_y(), band.get_y() + band.get_height()], 20 * np.array([lower, upper]) / ROWS
    )
    assert labels(axes) == ["95 % if calibrated", "predictions"]
    assert outside(axes) <= 4 < 10 < outside(plot.pit_histogram(NARROW, Y, axes=empty()))


def test_pit_histogram_of_one_of_several_columns() -> None:
    d = likely.PredictiveDistribution.from_params("normal", loc=np.zeros((ROWS, 2)), scale=1.0)
    y = np.stack([5 * Y, Y], axis=1)
    assert outside(plot.pit_histogram(d, y, target=1, axes=empty())) <= 4
    assert outside(plot.pit_histogram(d, y, target=0, axes=empty())) > 10
    for draw in (plot.pit_histogram, plot.reliability_diagram):
        with refused(ValueError, "target", "0 to 1", "None"):
            draw(d, y, axes=empty())
        with refused(ValueError, "target", "at most 1"):
            draw(d, y, target=2, axes=empty())
        with refused(ValueError, "target", "at most 0"):
            draw(NORMAL, Y, target=1, axes=empty())
        with refused(ValueError, "bins", "0"):
            draw(NORMAL, Y, bins=0, axes=empty())


def test_reliability_diagram_of_classes() -> None:
    axes = empty()
    assert plot.reliability_diagram(COIN, CAME, bins=5, axes=axes) is axes
    diagonal, curve = axes.lines
    assert_array_equal(diagonal.get_xydata(), [[0, 0], [1, 1]])
    place = np.digitize(P, [0.2, 0.4, 0.6, 0.8])
    expected = [[P[place == b].mean(), CAME[place == b].mean()] for b in range(5)]
    assert_allclose(curve.get_xydata(), expected)
    for bar, b in zip(axes.patches, range(5), strict=True):
        rows = int(np.sum(place == b))
        lower, upper = stats.binom.interval(0.95, rows, P[place == b].mean())
        assert_allclose(bar.get_x() + bar.get_width() / 2, expected[b][0])
        assert_allclose([bar.get_y(), bar.get_y() + bar.get_height()], [lower / rows, upper / rows])
    assert axes.get_xlabel() == "predicted probability of 1"
    points = axes.collections[0]
    assert_allclose(points.get_offsets(), expected)
    sizes, rows = points.get_sizes(), np.bincount(place)
    assert_allclose((sizes - 8) / (sizes.max() - 8), rows / rows.max())
    axes.figure.canvas.draw()
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 >= axes.get_window_extent().y1 - 1  # above everything that is drawn
    assert labels(axes) == ["predictions", "95 % if calibrated"]


def test_reliability_diagram_of_several_classes() -> None:
    probs = np.array([[0.72, 0.2, 0.08], [0.1, 0.84, 0.06], [0.75, 0.25, 0], [0.1, 0.18, 0.72]])
    d = likely.PredictiveDistribution.from_params(likely.Categorical(3), probs=probs)
    axes = plot.reliability_diagram(d, [0, 1, 2, 2], axes=empty())
    # The bins from 0.7 on, and from 0.8 on.
    assert_allclose(axes.lines[1].get_xydata(), [[(0.72 + 0.75 + 0.72) / 3, 2 / 3], [0.84, 1]])
    assert axes.get_ylabel() == "share that was right"


def test_reliability_diagram_of_a_continuous_target() -> None:
    inside = []
    for d in (NORMAL, NARROW):
        axes = plot.reliability_diagram(d, Y, axes=empty())
        level, share = axes.lines[1].get_xydata().T
        below = [np.mean(stats.norm.ppf(p, scale=d.params["scale"][0]) >= Y) for p in level]
        assert_allclose(share, below, atol=1.01 / ROWS)  # at a target itself it may count or not
        lower, upper = np.array([stats.binom.interval(0.95, ROWS, p) for p in level]).T / ROWS
        band = axes.collections[0].get_paths()[0].vertices
        for p, low, high in zip(level[1:-1], lower[1:-1], upper[1:-1], strict=True):
            ends = band[band[:, 0] == p][:, 1]
            assert_allclose([ends.min(), ends.max()], [low, high])
        inside.append(np.mean((share >= lower) & (share <= upper)))
    assert inside[0] > 0.8 > 0.3 > inside[1]
    assert axes.get_xlabel() == "level of the quantile"


def test_a_new_figure_is_made() -> None:
    matplotlib.use("agg")
    axes = plot.pit_histogram(NORMAL, Y)
    assert axes.figure.axes == [axes]
    plt.close(axes.figure)
