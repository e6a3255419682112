"""Every figure that the examples print, against what the tutorials print."""

import importlib
import io
from functools import cache
from typing import Any

import numpy as np
import pytest
from matplotlib import image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from examples import SCRIPTS, __main__, _report

pytestmark = pytest.mark.examples

EIGHT = 0.51e-8  # all eight printed digits
TWELVE = 0.51e-12
FINITE = 1e3  # only reported: no nan, and what the script itself asks of it
RIDGE = [5.99956319, 3.95500059]
SIZE_IN_GRAMS = [62384.06, 70000.0, 77615.94]
SIZE_IN_METRES = [1.615853, 1.7, 1.784147]

# script: line: figures, and how far ours may be from them. Figures with many digits are the
# tutorials' own; where those have none, the truth that the data were drawn from, or what the
# project's seeded generators give.
EXPECTED: dict[str, dict[str, tuple[Any, float]]] = {
    "linear_regression": {
        "ordinary least squares (NumPy)": ([6.01132196, 3.96247175], EIGHT),
        "gradient descent, 500 steps": ([6.01108844, 3.9624236], EIGHT),
        "gradient descent, 1000 steps": ([6.01132195, 3.96247175], EIGHT),
        "gradient descent, 3000 steps": ([6.01132196, 3.96247175], EIGHT),
        "from zero, 15 steps, learning rate 0.001": ([0.18155223, 0.12379996], EIGHT),
        "from zero, 15 steps, learning rate 0.01": ([1.60013258, 1.08670659], EIGHT),
        "from zero, 15 steps, learning rate 0.05": ([4.81547513, 3.22246947], EIGHT),
        "from zero, 15 steps, learning rate 0.1": ([5.81500752, 3.85150789], EIGHT),
        "from zero, 15 steps, learning rate 1": ([19.8158439, 18.42703331], EIGHT),
        "learning rate 1: steps that raise the loss": (15, 0),
    },
    "batch_sizes": {
        "batch 1, 100 epochs": ([6.10863654, 3.89402869], EIGHT),
        "batch 8, 100 epochs": ([6.05434008, 3.95548771], EIGHT),
        "batch 16, 100 epochs": ([6.01925548, 3.97143916], EIGHT),
        "batch 32, 100 epochs": ([6.00071779, 3.9636924], EIGHT),
        "batch 64, 100 epochs": ([6.01279841, 3.96202727], EIGHT),
        "batch 128, 100 epochs": ([6.01202513, 3.96292586], EIGHT),
        "batch 256, 100 epochs": ([6.00931051, 3.9613001], EIGHT),
        "batch 1: distance in the last 50 of 100 epochs": (0.130802, 1e-6),
        "batch 8: distance in the last 50 of 100 epochs": (0.027927, 1e-6),
        "batch 64: distance in the last 50 of 100 epochs": (0.003351, 1e-6),
        "batch 256: distance in the last 50 of 300 epochs": (0.000515, 1e-6),
        "batch 1000: distance in the last 50 of 1000 epochs": (0, 1e-6),
    },
    "logistic_regression": {
        "logistic, batch 64, rate 0.01, 100 epochs": ([2.50014806, 1.28482629], EIGHT),
        "logistic, batch 64, rate 1, 200 epochs": ([6.66970964, 4.45789135], EIGHT),
        "logistic, second-order (SciPy)": ([6.65211962, 4.50262017], EIGHT),
        "logistic, full batch with momentum": ([6.65211962, 4.50262017], EIGHT),
        "its loss": (0.107650, 0.51e-6),
    },
    "custom_density": {
        "squared error, written: 3000 steps": ([6.01132196, 3.96247175], EIGHT),
        "log loss, written: batch 64, rate 1, 200 epochs": ([6.66970964, 4.45789135], EIGHT),
        "squared error, 500 steps: built in, written": ([6.011088442667, 3.962423596951], TWELVE),
        "log loss, 500 steps: built in, written": ([5.706894454961, 3.795599948565], TWELVE),
        "Poisson: mean, and times the feature: counts, rates": ([2.387, 2.03107064], EIGHT),
        "check_gradient(squared_error): relative error": (0, 1e-7),
        "check_gradient(log_loss): relative error": (0, 1e-7),
        "check_gradient(poisson): relative error": (0, 1e-7),
    },
    "xor": {
        "XOR, squared error": (
            [0.013322228700, 0.975561709131, 0.979980373718, 0.024680348085],
            0.51e-12,
        ),
        "XOR, log loss": (
            [0.000796668787, 0.999828399835, 0.999076883413, 0.000479553697],
            0.51e-12,
        ),
        "of 30 seeds, squared error: within 0.1": (30, 0),
        "of 30 seeds, log loss: within 0.01": (30, 0),
    },
    "penalties": {
        "ridge, l2 = 0.002": (RIDGE, EIGHT),
        "lasso, l1 = 1, full batch, 1000 epochs": ([5.04223889, 3.00143701], EIGHT),
        "irrelevant third feature, ridge": ([5.98214338, 3.95518688, 0.03392461], EIGHT),
        "irrelevant third feature, lasso": ([5.042239, 3.001437, 0], 0.51e-6),
        "irrelevant third feature, lasso: exact zeros": (1, 0),
        "elastic net, l1 = 1, l2 = 0.1: closed form": ([4.59139234, 2.74366388, 0], EIGHT),
        "elastic net: the pull of l1 at the first two": ([1, 1], EIGHT),
        "elastic net: and at the zero": (0.74043654, EIGHT),
        "bias, where the true one is 0; weight": ([0.0113, 3.9625], 0.51e-4),
        "l2 = 1, bias exempt: bias, weight": ([6.07483471, 1.98821516], EIGHT),
        "l2 = 1, on the bias too: bias, weight": ([3.03663444, 2.03688807], EIGHT),
    },
    "penalty_and_batches": {
        "l2 divided by the batch: batch 64, 100 epochs": ([5.917945, 3.90542865], EIGHT),
        "l2 divided by the batch: batch 8": ([5.40822766, 3.58409232], EIGHT),
        "l2 divided by the batch: batch 16": ([5.65860196, 3.73012032], EIGHT),
        "l2 divided by the batch: batch 32": ([5.82685968, 3.81718301], EIGHT),
        "l2 divided by the batch: batch 64": ([5.91404397, 3.90443054], EIGHT),
        "l2 divided by the batch: batch 128": ([5.9665459, 3.93418727], EIGHT),
        "l2 divided by the batch: batch 256": ([5.98786988, 3.94779378], EIGHT),
        "l2 divided by the batch: batch 512": ([5.99939005, 3.95494569], EIGHT),
        "l2 divided by the batch: batch 1000": ([6.00521432, 3.95865926], EIGHT),
        **{
            f"l2 = 0.002: batch {size}": (RIDGE, 0.002)
            for size in (8, 16, 32, 64, 128, 256, 512, 1000)
        },
    },
    "dropout": {
        "share of inputs dropped": (0.2, 0.02),
        "an input of 1 that is kept": (1.25, 0.51e-4),
        "share of hidden units dropped": (0.5, 0.02),
        "a hidden unit of 1/2 that is kept": (1, 0.51e-4),
        "prediction: changed by dropout, or repetition": (0, 0),
        "on the output": (1, 0),
        "linear model, half of the inputs dropped: a ridge": (
            [0.517, -0.446, 0.358, 1.276, 0.231],
            0.03,
        ),
        "200 rows, held-out loss: without, with dropout": ([0.90, 0.48], 0.05),
    },
    "feature_scaling": {
        "raw features, least squares (NumPy)": ([6.00952581, 3.93270425, 3.00017441], EIGHT),
        "raw, rate 0.01: epoch and step of the error": ([5, 88], 0),
        "raw: powers of ten: gradient; weights kept": ([153.09, 151.09], 0.01),
        "raw, rate 0.0003, 100 epochs": ([0.45991644, 2.27156008, 3.10917524], EIGHT),
        "raw, rate 0.0003, 1000 epochs": ([3.28390533, 3.95687798, 3.05183397], EIGHT),
        "scaled by hand, least squares (NumPy)": ([156.44822091, 3.94658245, 30.92446288], EIGHT),
        "scaled by hand, rate 0.1, 1 epoch": ([152.08538432, 3.69797309, 30.14852295], EIGHT),
        "scaled by hand, rate 0.1, 10 epochs": ([156.45440292, 3.96343058, 30.96520361], EIGHT),
        "scaled by hand, rate 0.1, 50 epochs": ([156.44691019, 3.98666368, 30.88663084], EIGHT),
        "scaled by hand, rate 0.1, 100 epochs": ([156.34646482, 3.94522662, 30.88778661], EIGHT),
        "standardize=True, rate 0.1, 10 epochs": ([156.448, 3.9466, 30.9245], 0.1),
        "the same with a cosine schedule": ([156.448, 3.9466, 30.9245], 0.02),
    },
    "batch_normalization": {
        "loss in training: statistics of the batch (NumPy)": (479.94677031, EIGHT),
        "moving averages, full batch: means": ([0.03217046, 50.10114662], EIGHT),
        "moving averages, full batch: variances": ([1.00807837, 106.35204282], EIGHT),
        "raw features, least squares": ([156.448, 3.9466, 30.9245], 0.02),
        "a row predicted alone or with others: difference": (0, 1e-12),
        "batches of 100: shift of the means, ratio of variances": ([0, 0, 1, 1], 0.1),
        "sigmoids of a large feature, without: loss": (0.82, 0.3),
        "sigmoids of a large feature, before the activation: loss": (-0.06, 0.05),
        "sigmoids of a large feature, after the activation: loss": (-0.08, 0.05),
    },
    "clipping": {
        "clip_norm = 5: length of the gradient": (5, EIGHT),
        "clip_norm = 5: its direction": ([-0.01917961, -0.00096355, -0.99981559], EIGHT),
        "clip_value = 20: the gradient": ([-20, -15.71929646, -20], EIGHT),
        "clip_norm = 5, 1000 epochs": ([4.2681595, 3.91673636, 2.59477635], EIGHT),
        "shuffled by the trainer: second weight": (3.9327, 0.05),
        "shuffled: first and third (reported only)": ([4.23, 2.60], FINITE),
        "clip_value = 1, 1000 epochs (reported only)": ([1.63, 3.87, 3.05], FINITE),
    },
    "information": {
        "coins: entropies, nats": ([0.693147180560, 0.325082973391], TWELVE),
        "coins: entropies, bits": ([1, 0.468995593589], TWELVE),
        "coins: KL(p || q)": (0.510825623766, TWELVE),
        "coins: H(p, q)": (1.203972804326, TWELVE),
        "coins: H(p, q) = H(p) + KL(p || q)": (1.203972804326, TWELVE),
        "coins: a model that is right: KL(p || p)": (0, TWELVE),
        "dice: entropies, nats": ([1.791759469228, 1.497866136777], TWELVE),
        "dice: entropies, bits": ([2.584962500721, 2.160964047444], TWELVE),
        "dice: KL(p || q)": (0.242585971694, TWELVE),
        "dice: H(p, q)": (2.034345440922, TWELVE),
        "dice: H(p, q) = H(p) + KL(p || q)": (2.034345440922, TWELVE),
        "dice: a model that is right: KL(p || p)": (0, TWELVE),
        "bells: entropies, nats": ([2.112085713765, 1.418938533205], TWELVE),
        "bells: entropies, bits": ([3.047095585181, 2.047095585181], TWELVE),
        "bells: KL(p || q)": (1.306852819440, TWELVE),
        "bells: H(p, q)": (3.418938533205, TWELVE),
        "bells: H(p, q) = H(p) + KL(p || q)": (3.418938533205, TWELVE),
        "bells: a model that is right: KL(p || p)": (0, TWELVE),
        "loss of a network: H(label, prediction)": (1.126673349035, TWELVE),
    },
    "likelihoods": {
        "Normal: half the squared error + log(2 pi) / 2": (1.5079130833751, 1e-12),
        "Bernoulli: binary cross-entropy": (0.5123168478553, 1e-12),
        "Categorical: cross-entropy of the softmax": (1.6378201510739, 1e-12),
        "linear-Gaussian: weights and bias, by least squares": (
            [1.5051178, -1.99985587, 0.69420851],
            EIGHT,
        ),
        "linear-Gaussian: sigma, deviation of the residuals": (0.29913063, EIGHT),
        "logistic: weights and bias, second order (SciPy)": (
            [1.9902984, -1.0273004, 0.48640742],
            EIGHT,
        ),
        "softmax, one hidden layer: held-out loss, of the truth": (0.216, 0.02),
    },
    "recipe": {
        "regression: mean at -1, 0, 1": ([-0.909297, 0, 0.909297], 0.05),
        "regression: deviation": ([0.135335, 0.223130, 0.367879], 0.03),
        "regression: its peak is its mean": ([-0.909297, 0, 0.909297], 0.05),
        "regression: width of the 90 % interval": ([0.445214, 0.734033, 1.210217], 0.1),
        "binary: probability of 1": ([0.222970, 0.952574, 0.222970], 0.05),
        "binary: its peak": ([0, 1, 0], 0),
        "three classes: probabilities at -1": ([0.866814, 0.117310, 0.015876], 0.05),
        "three classes: probabilities at 0": ([0.211942, 0.576117, 0.211942], 0.05),
        "three classes: probabilities at 1": ([0.015876, 0.117310, 0.866814], 0.05),
        "three classes: its peak": ([0, 1, 2], 0),
        "two outputs, deviation constant but learned: mean, g": (SIZE_IN_GRAMS, 750),
        "two outputs, deviation constant but learned: deviation, g": ([5000] * 3, 500),
        "two outputs, deviation constant but learned: mean, m": (SIZE_IN_METRES, 0.0075),
        "two outputs, deviation constant but learned: deviation, m": ([0.05] * 3, 0.005),
        "two outputs, deviation predicted: mean, g": (SIZE_IN_GRAMS, 750),
        "two outputs, deviation predicted: deviation, g": ([5000] * 3, 500),
        "two outputs, deviation predicted: mean, m": (SIZE_IN_METRES, 0.0075),
        "two outputs, deviation predicted: deviation, m": ([0.05] * 3, 0.005),
    },
    "constant_variance": {
        "units for 99 % certainty": (12.33, 0.0051),
        "units for 50 % certainty": (10, 1e-12),
        "squared error / (2 sigma^2) + log(2 pi sigma^2) / 2, sigma = 2": (7.4438208974887, 1e-12),
        "where it is least, sigma = 2: least squares": ([6.01132196, 3.96247175], EIGHT),
        "where it is least, sigma learned: least squares": ([6.01132196, 3.96247175], EIGHT),
        "sigma learned: deviation of the residuals": (1.03006727, EIGHT),
    },
    "overdispersed_counts": {
        "Poisson: mean at -1, 0, 1": ([1.2214, 2.7183, 6.0496], 0.25),
        "Poisson: deviation at -1, 0, 1": ([1.1052, 1.6487, 2.4596], 0.1),
        "Poisson: new counts in its 90 % interval": (0.838, 0.02),
        "NegativeBinomial: mean at -1, 0, 1": ([1.2214, 2.7183, 6.0496], 0.25),
        "NegativeBinomial: deviation at -1, 0, 1": ([1.4027, 2.5323, 4.9344], 0.25),
        "NegativeBinomial: new counts in its 90 % interval": (0.961, 0.02),
        "NegativeBinomial: total count at -1, 0, 1": ([2, 2, 2], 0.4),
        "NegativeBinomial: loss on new counts, of the truth": (2.134, 0.005),
        "Poisson: loss on new counts, of the true mean": (2.403, 0.02),
    },
    "survival": {
        "share of units that still lived": (0.422, 0.001),
        "median at -1, 0, 1: truth": ([0.9566, 2.1290, 4.7383], 0.3),
        "median at -1, 0, 1: SciPy's most likely": ([0.9310, 2.0811, 4.6514], 1e-4),
        "concentration at -1, 0, 1: truth": ([1.5, 1.5, 1.5], 0.15),
        "alive after 4 at -1, 0, 1: truth": ([0.0027, 0.1677, 0.5841], 0.03),
        "without event: median / the true one": ([0.978, 0.693, 0.490], 0.01),
    },
    "two_clusters": {
        **{
            f"its recipe, seed {seed}: {what}": figures
            for seed in (0, 1, 2)
            for what, figures in {
                "means": ([1, -1], 0.25),
                "variances / true ones": ([1, 1], 0.25),
                "loss": (1.80, 0.01),
            }.items()
        },
        **{
            f"16 units, Adam, seed {seed}: {what}": figures
            for seed in (0, 1, 2)
            for what, figures in {
                "means": ([1, -1], 0.1),
                "variances / true ones": ([1, 1], 0.1),
                "expected loss": (1.7655, 0.0045),
            }.items()
        },
        "steps: its recipe; 16 units, Adam": ([20000, 4000], 0),
        "seconds, the same two (reported only)": ([7.4, 0.03], FINITE),
    },
}


@cache
def lines_of(script: str) -> dict[str, _report.Line]:
    lines = importlib.import_module(f"examples.{script}").run()
    named = {line.what: line for line in lines}
    assert len(named) == len(lines), "two lines have one name"
    return named


@pytest.mark.parametrize(
    ("script", "what"), [(script, what) for script in EXPECTED for what in EXPECTED[script]]
)
def test_figures(script: str, what: str) -> None:
    line = lines_of(script)[what]
    figures, within = EXPECTED[script][what]
    np.testing.assert_allclose(line.ours, np.ravel(figures), rtol=0, atol=within)
    assert line.holds


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_line_is_expected(script: str) -> None:
    assert list(lines_of(script)) == list(EXPECTED[script])


def test_a_wrong_figure_shows() -> None:
    right = _report.compare("right", [1.25, 2], [1.25 + 4e-9, 2])
    wrong = _report.compare("wrong", [1.25, 2], [1.25, 2 + 6e-9])
    shapes = _report.compare("shapes", [1, 2], 1)
    far = _report.compare("far", 1, 1.2, digits=1, within=0.1)
    nothing = _report.compare("nothing", 1, np.nan)
    table = _report.table([right, wrong, shapes, far, nothing]).splitlines()
    assert [row.split()[-1] for row in table[2:]] == ["yes", "NO", "NO", "NO", "NO"]


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    assert __main__.main(["xor", "--pictures", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["what", "document", "ours", "ok"]
    assert len(printed) == 2 + len(EXPECTED["xor"])
    assert [path.name for path in tmp_path.iterdir()] == ["xor.png"]
    with pytest.raises(SystemExit):
        __main__.main(["nand"])
    assert "no such script: nand; there are linear_regression" in capsys.readouterr().err


PICTURES = [
    name for name in SCRIPTS if hasattr(importlib.import_module(f"examples.{name}"), "draw")
]


def is_panel(axes: Axes) -> bool:
    return axes.get_label() != "<colorbar>"


@pytest.mark.parametrize("script", PICTURES)
def test_pictures(script: str) -> None:
    figure = Figure(layout="constrained", dpi=50)
    importlib.import_module(f"examples.{script}").draw(figure)
    for axes in filter(is_panel, figure.axes):
        assert axes.lines or axes.collections
        assert axes.get_title()
        assert axes.get_xlabel()
        assert axes.get_ylabel() or axes.get_shared_y_axes().get_siblings(axes)[1:]
    with io.BytesIO() as file:
        figure.savefig(file, format="png")  # the Agg backend
        file.seek(0)
        pixels = image.imread(file)
    assert np.mean(np.any(pixels[..., :3] != 1, axis=-1)) > 0.02, "nothing but paper"
