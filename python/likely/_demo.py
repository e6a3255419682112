"""`likely demo`: the motorcycle crash data, from held-out likelihoods to a picture and a model."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import TYPE_CHECKING, Never

import numpy as np
from numpy.typing import NDArray

import likely
from likely._arrays import as_seed
from likely._console import check_output, command, progress, python_command, replacing, say
from likely._fit import constant_model, describe

if TYPE_CHECKING:
    from tqdm import tqdm

FOLDS = 10
REPEATS = 5
# Between 300 and 800 epochs the held-out likelihoods of both networks hardly change.
EPOCHS = 500
LABELS = {
    "predicted": "this network: mean and standard deviation",
    "shared": "constant standard deviation, same layers",
    "nothing": "no input at all: one normal distribution",
}


def load_data() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return time after impact (ms) and head acceleration (g) of the 133 observations."""
    text = importlib.resources.files("likely").joinpath("data/mcycle.csv").read_text("utf-8")
    times, accelerations = np.loadtxt(
        text.splitlines(), delimiter=",", skiprows=1, usecols=(1, 2), unpack=True
    )
    return times, accelerations


def fitted(scale: str, x: NDArray[np.float64], y: NDArray[np.float64], seed: int) -> likely.Network:
    """Return the demo's network, fitted."""
    network = likely.Network(
        inputs=1,
        layers=[likely.Dense(16, "tanh"), likely.Dense(16, "tanh")],
        distribution=likely.Normal(scale=scale),
        standardize=True,
        seed=seed,
        feature_names=["times"],
        target_names=["accel"],
    )
    optimizer = likely.Adam(learning_rate=0.003)
    likely.Trainer(optimizer, batch_size=32, epochs=EPOCHS, seed=seed).fit(network, x, y)
    return network


def held_out_losses(
    x: NDArray[np.float64], y: NDArray[np.float64], seed: int, bar: tqdm[Never] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the held-out negative log-likelihood of every row, for the network and two baselines.

    Each row is predicted by networks that were fitted without its fold; the loss is the mean over
    repeats with other folds and other first parameters.
    """
    losses = {name: np.zeros(len(y)) for name in LABELS}
    random = np.random.default_rng(seed)
    for _ in range(REPEATS):
        fit_seed = int(random.integers(2**63))
        for fold in np.array_split(random.permutation(len(y)), FOLDS):
            rest = np.setdiff1d(np.arange(len(y)), fold)
            for name in LABELS:
                if name == "nothing":
                    network = constant_model(likely.Normal(), y[rest])
                else:
                    network = fitted(name, x[rest], y[rest], fit_seed)
                d = network.predict_distribution(x[fold])
                losses[name][fold] -= d.log_prob(y[fold]) / REPEATS
                if bar is not None:
                    bar.update()
    return losses


def draw(
    network: likely.Network,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    losses: dict[str, NDArray[np.float64]],
    path: Path,
) -> None:
    """Write the picture."""
    from matplotlib.figure import Figure

    from likely import plot

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = plot.bands(network, x, y, axes=figure.subplots())
    axes.axhline(0, color="#888888", linewidth=0.7, zorder=1.5)
    axes.set_xlabel("time after impact (ms)")
    axes.set_ylabel("acceleration of the head (g)")
    axes.set_title(
        "A motorcycle crash: the predicted spread follows the data",
        loc="left",
        fontsize=14,
        pad=24,
    )
    own, constant, nothing = (losses[name].mean() for name in LABELS)
    axes.annotate(
        f"held-out negative log-likelihood {own:.2f} nats per row; {constant:.2f} with a constant "
        f"standard deviation, {nothing:.2f} without input",
        (0, 1),
        xytext=(0, 8),
        xycoords="axes fraction",
        textcoords="offset points",
        color="#555555",
    )
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False, loc="lower right")
    with replacing(path) as beside:
        figure.savefig(beside, format="png", dpi=150)


def demo(output_dir: str, seed: int) -> int:
    """Run the demo; return the exit code."""
    import matplotlib  # noqa: F401  found missing before the work, not after it

    as_seed(seed)
    folder = Path(output_dir)
    picture, model, data = (
        folder / f"likely-demo.{ending}" for ending in ("png", "safetensors", "csv")
    )
    folder.mkdir(parents=True, exist_ok=True)
    for path in (picture, model, data):
        check_output(str(path))
    x, y = load_data()
    say("data", f"motorcycle crash (Silverman 1985), {len(y)} rows: times (ms), accel (g)")
    with progress(REPEATS * FOLDS * len(LABELS), "cross-validation", "fit") as bar:
        losses = held_out_losses(x, y, seed, bar)
    network = fitted("predicted", x, y, seed)
    say("network", describe(network))
    _print_losses(losses)
    with replacing(data) as beside:
        np.savetxt(
            beside, np.column_stack([x, y]), "%g", delimiter=",", header="times,accel", comments=""
        )
    network.save(model)
    draw(network, x, y, losses, picture)

    print(f"\nFitted to all {len(y)} rows, and written:")
    width = len(str(model))
    print(f"  {picture!s:<{width}}  the picture: data, mean, 50 % and 90 % bands")
    print(f"  {model!s:<{width}}  the model")
    print(f"  {data!s:<{width}}  the data")
    code = (
        f"import likely; d = likely.load({json.dumps(str(model))}).predict_distribution([[20.0]]); "
        "print(d.mean, d.std, d.quantile(0.99))"
    )
    print("\nNext:")
    print("  " + command("predict", model, data, "-o", folder / "predictions.csv"))
    print("  " + command("fit", data, "--target", "accel", "-o", folder / "model.safetensors"))
    print("  " + python_command(code))
    return 0


def _print_losses(losses: dict[str, NDArray[np.float64]]) -> None:
    print("\nHeld-out negative log-likelihood, nats per row (lower is better),")
    print(f"{FOLDS}-fold cross-validation, {REPEATS} times; ± standard error over rows:")
    print(f"  {'':<44}{'':>7}    gain of the network")
    own = losses["predicted"]
    for name, label in LABELS.items():
        line = f"  {label:<44}{losses[name].mean():>7.3f}"
        if name != "predicted":
            gain = losses[name] - own
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            line += f"    {gain.mean():.3f} ± {error:.3f}"
        print(line)
