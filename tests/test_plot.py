"""Pictures: what is drawn where."""

import likely
import matplotlib.figure
import numpy as np
import pytest
from likely import plot
from numpy.testing import assert_allclose


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


def test_bands_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(ValueError, match="one input and one target; got 2 inputs"):
        plot.bands(likely.Network(inputs=2), [[1, 2]])
    with pytest.raises(ValueError, match="x and y must be of one length; got 2 and 1"):
        plot.bands(likely.Network(inputs=1), [1, 2], [1])
