"""The roofline, and bars against peers, as one picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report import OURS, PEERS, Contest, Results, contests

COLORS = {
    "likely": "black", "NumPy": "tab:blue", "scikit-learn": "tab:orange", "PyTorch": "tab:red",
    "JAX": "tab:green", "ONNX Runtime": "tab:purple",
}  # fmt: skip


def draw(results: Results, path: Path) -> None:
    chosen = [c for c in contests(results, "training") if c.cores == 1 and OURS in c.seconds]
    if not chosen:
        return
    figure = Figure(figsize=(15, 0.75 * len(chosen) + 2.2), layout="constrained", dpi=110)
    roof, bars = figure.subplots(1, 2)
    if results["machine"]["peak"] and results["machine"]["bandwidth"]:
        roofline(roof, chosen, results["machine"])
    against_peers(bars, chosen)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def roofline(axes: Axes, chosen: list[Contest], machine: Mapping[str, Any]) -> None:
    """Operations a second over operations a byte; a byte is one of the update's or gather's."""
    peak, bandwidth = machine["peak"], {int(k): v for k, v in machine["bandwidth"].items()}
    traffic = [c.row.update_bytes + c.row.gather_bytes for c in chosen]
    intensity = np.array([c.row.operations / t for c, t in zip(chosen, traffic, strict=True)])
    x = np.geomspace(0.5 * intensity.min(), 3 * intensity.max(), 200)
    for name, size, style in (
        ("L1", 1 << 14, ":"),
        ("L2", 1 << 19, "--"),
        ("memory", 1 << 28, "-"),
    ):
        rate = bandwidth[size]
        roof = 1e-9 * np.minimum(peak, x * rate)
        label = f"{name}, {1e-9 * rate:.0f} GB/s"
        axes.loglog(x, roof, style, color="0.5", linewidth=1, label=label)
    named: set[str] = set()
    for i, contest in enumerate(chosen):
        rates = {p: 1e-9 * contest.row.operations / contest.median(p) for p in contest.seconds}
        for peer, rate in rates.items():
            label = "" if peer in named else peer
            named.add(peer)
            size = 55 if peer == OURS else 16
            axes.scatter(intensity[i], rate, size, COLORS[peer], label=label, zorder=3)
        axes.annotate(
            str(i + 1), (intensity[i], rates[OURS]), (0, 7), textcoords="offset points",
            ha="center", fontsize=9,
        )  # fmt: skip
    axes.set_xlabel("operations per byte of update and gather")
    axes.set_ylabel("GFLOP/s")
    axes.set_title(f"Training steps under the roof, one core: {1e-9 * peak:.0f} GFLOP/s")
    axes.legend(fontsize=8, loc="lower right")
    axes.grid(alpha=0.3, which="major")


def against_peers(axes: Axes, chosen: list[Contest]) -> None:
    peers = [peer for peer in PEERS if any(peer in c.seconds for c in chosen)]
    height = 0.8 / len(peers)
    for k, peer in enumerate(peers):
        have = [(i, c) for i, c in enumerate(chosen) if peer in c.seconds]
        values = [float(np.median(c.ratios(peer))) for _, c in have]
        places = [i - 0.4 + (k + 0.5) * height for i, _ in have]
        # A logarithmic bar has no natural beginning: it begins where likely stands.
        lefts = np.minimum(values, 1)
        widths = np.maximum(values, 1) - lefts
        axes.barh(places, widths, height, left=lefts, color=COLORS[peer], label=peer)
        for place, value in zip(places, values, strict=True):
            side = "left" if value >= 1 else "right"
            text = f" {value:.1f} " if value < 100 else f" {value:.0f} "
            axes.text(value, place, text, ha=side, va="center", fontsize=7)
    axes.axvline(1, color="black", linewidth=1.5)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.6, high * 1.8)
    names = [
        f"{i + 1}  {c.row.network}\n{c.row.loss}, batch {c.row.batch}" for i, c in enumerate(chosen)
    ]
    axes.set_yticks(range(len(chosen)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("time of a step / that of likely (right of the line: likely is faster)")
    axes.set_title("Against peers, one core")
    axes.legend(fontsize=8, loc="lower right")
    axes.grid(alpha=0.3, axis="x")
