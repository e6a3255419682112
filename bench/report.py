"""Results as Markdown, and their history: functions of the results alone, nothing is measured here.

Results are what JSON can hold; __main__.py makes them, and says which parts they have.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.figures import spread
from bench.rows import Array, Floor, Row, floor, row_from_json

Results = Mapping[str, Any]
OURS, REFERENCE = "likely", "NumPy"
SLOWER = 1.1  # a regression: so many times the time of the runs before, beyond the spread
RUNS_BEFORE = 5
NEAR = 1e-7  # seconds of a handover: 5e-8 where cores share a cache, 2e-7 where they do not
PEERS = ("NumPy", "scikit-learn", "PyTorch", "JAX", "ONNX Runtime", "likely, C++")


def short(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def ratio(values: Array) -> str:
    return spread(values, 2 if np.median(values) < 100 else 0)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


class Contest:
    """One measured row: seconds by peer, one number a round."""

    def __init__(self, result: Mapping[str, Any]) -> None:
        self.row: Row = row_from_json(result["row"])
        self.cores: int = result.get("cores", 1)
        self.rows: int = result.get("rows", 1)
        self.seconds: dict[str, Array] = {}
        # likely with one thread, in a contest on more cores: alone, and once on each core.
        self.one_core: Array | None = None
        self.two_at_once: Array | None = None
        self.handovers = np.array([s for s in result.get("handovers", ()) if s is not None])
        self.other_work: list[str] = []
        for entrant in result["entrants"]:
            seconds = np.array(entrant["seconds"])
            if not entrant.get("agrees", True):
                self.other_work.append(entrant["peer"])
            elif entrant["peer"] == f"{OURS}, two at once":
                self.two_at_once = seconds
            elif entrant.get("threads", self.cores) != self.cores:
                self.one_core = seconds
            else:
                self.seconds[entrant["peer"]] = seconds

    def median(self, peer: str) -> float:
        return float(np.median(self.seconds[peer], axis=0))

    @property
    def best_peer(self) -> str | None:
        peers = [peer for peer in self.seconds if not peer.startswith(OURS)]
        return min(peers, key=self.median, default=None)

    def ratios(self, peer: str) -> Array:
        """How many times as fast likely is, round by round."""
        return np.asarray(self.seconds[peer] / self.seconds[OURS])

    def floor(self, machine: Mapping[str, Any]) -> Floor | None:
        if not machine["peak"] or not machine["bandwidth"]:
            return None
        bandwidth = {int(size): value for size, value in machine["bandwidth"].items()}
        return floor(self.row, machine["peak"], bandwidth)


def contests(results: Results, part: str) -> list[Contest]:
    return [Contest(result) for result in results.get(part, ())]


def present(chosen: Sequence[Contest]) -> list[str]:
    return [peer for peer in PEERS if any(peer in contest.seconds for contest in chosen)]


def two_cores(contest: Contest) -> list[str]:
    """Than on one core, two fits at once, handover, and the first of these where that is short."""
    one, two, handovers = contest.one_core, contest.two_at_once, contest.handovers
    apart = spread(1e9 * handovers, 0) if handovers.size else "-"
    if one is None:
        return ["-", "-", apart, "-"]
    gained, near = one / contest.seconds[OURS], handovers < NEAR
    at_once = "-" if two is None else ratio(one / two)
    return [ratio(gained), at_once, apart, ratio(gained[near]) if near.any() else "-"]


def training(results: Results, cores: int) -> str:
    chosen = [c for c in contests(results, "training") if c.cores == cores and OURS in c.seconds]
    if not chosen:
        return ""
    peers = present(chosen)
    times, ratios = [], []
    for contest in chosen:
        least, ours = contest.floor(results["machine"]), 1e6 * contest.seconds[OURS]
        cells = [contest.row.name, spread(ours, 2 if np.median(ours) < 10 else 0)]
        cells += [short(1e6 * contest.median(p)) if p in contest.seconds else "-" for p in peers]
        if least is None:
            cells += ["-", "-", "-"]
        else:
            arithmetic = 1e6 * least.arithmetic / np.median(ours)
            share = 1e6 * least.seconds / np.median(ours)
            cells += [short(1e6 * least.seconds), f"{share:.0%}", f"{arithmetic:.0%}"]
        times.append(cells)
        best = contest.best_peer
        line = [contest.row.name, "-" if best is None else f"{ratio(contest.ratios(best))}, {best}"]
        line += [ratio(contest.ratios(p)) if p in contest.seconds else "-" for p in peers]
        if cores > 1:
            line += two_cores(contest)
        ratios.append(line)
    count = "one core" if cores == 1 else f"{cores} cores"
    text = f"## A training step, {count}, microseconds\n\n"
    head = ["step", OURS, *peers, "floor", "floor / likely", "of the peak"]
    text += table(head, times)
    text += f"\nHow many times as fast likely is, {count}:\n\n"
    head = ["step", "than the best peer", *peers]
    if cores > 1:
        head += ["than on one core", "two fits at once", "handover, ns", "than on one core, near"]
    text += table(head, ratios)
    others = [f"{c.row.name}: {', '.join(c.other_work)}" for c in chosen if c.other_work]
    if others:
        text += f"\nDid different work, and do not count: {'; '.join(others)}.\n"
    return text + "\n"


def of_each_peer(
    contest: Contest, peers: Sequence[str], figure: Callable[[Contest, str], str]
) -> list[str]:
    """Ours and theirs, with a dash for who cannot do it."""
    return [figure(contest, p) if p in contest.seconds else "-" for p in (OURS, *peers)]


def one_row(results: Results) -> str:
    chosen = contests(results, "one_row")
    if not chosen:
        return ""
    peers = present(chosen)

    def percentiles(contest: Contest, peer: str) -> str:
        _, median, _, last = 1e6 * np.median(contest.seconds[peer], axis=0)
        return f"{short(median)} / {short(last)}"

    lines = [
        [contest.row.network, *of_each_peer(contest, peers, percentiles)] for contest in chosen
    ]
    text = "## One row, p50 / p99 in microseconds, one core\n\n"
    return text + table(["network", OURS, *peers], lines) + "\n"


def many_rows(results: Results) -> str:
    chosen = contests(results, "many_rows")
    if not chosen:
        return ""
    peers = present(chosen)

    def speed(contest: Contest, peer: str) -> str:
        return short(1e-3 * contest.rows / contest.median(peer))

    lines = []
    for contest in chosen:
        cells = [contest.row.network, str(contest.rows), *of_each_peer(contest, peers, speed)]
        peak = results["machine"]["peak"]
        weights = sum(layer.inputs * layer.outputs for layer in contest.row.layers)
        cells.append(short(1e-3 * peak / (2 * weights)) if peak else "-")
        best = contest.best_peer
        cells.append("-" if best is None else ratio(contest.ratios(best)))
        lines.append(cells)
    text = "## Many rows, thousand rows a second, one core\n\n"
    head = ["network", "rows", OURS, *peers, "arithmetic limit", "best peer / likely"]
    return text + table(head, lines) + "\n"


def around(results: Results) -> str:
    measured = results.get("around")
    if not measured:
        return ""
    names = list(measured["import"])
    seconds = [f"{np.median(measured['import'][name]):.3f}" for name in names]
    lines = [["import, seconds", "-", *seconds]]
    for title, part in (("installed, MB, without NumPy", "installed"), ("memory, MB", "memory")):
        values = measured[part]
        cells = [f"{1e-6 * values[n]:.1f}" if n in values else "-" for n in ("data", *names)]
        lines.append([title, *cells])
    text = "## Around it\n\n" + table(["", "data alone", *names], lines)
    wheel = measured["wheel"]
    return text + (f"\nThe wheel has {1e-6 * wheel:.2f} MB.\n\n" if wheel else "\n")


def sweep(results: Results) -> str:
    chosen = [c for c in contests(results, "sweep") if OURS in c.seconds and c.best_peer]
    if not chosen:
        return ""
    slower = []
    for contest in chosen:
        best = str(contest.best_peer)
        values = contest.ratios(best)
        if np.median(values) < 1 / 1.05:
            ours = short(1e6 * contest.median(OURS))
            slower.append((float(np.median(values)), contest.row.name, ours, best, ratio(values)))
    text = f"## Other shapes\n\n{len(chosen)} shapes, one core; slower than the best peer by more "
    text += f"than 5 %: {len(slower)}.\n\n"
    if slower:
        head = ["step", "likely, us", "best peer", "best peer / likely"]
        text += table(head, (line[1:] for line in sorted(slower))) + "\n"
    return text


def machine(results: Results) -> str:
    about = results["machine"]
    lines = [f"- {about['cpu']}, {about['cores']} cores, {about['system']}."]
    if about["peak"]:
        lines.append(f"- Multiply-add peak of one core: {1e-9 * about['peak']:.0f} GFLOP/s.")
    if about.get("product"):
        lines.append(f"- NumPy's product of 1024 x 1024: {1e-9 * about['product']:.0f} GFLOP/s.")
    if about["bandwidth"]:
        sizes = {"16 KB": 1 << 14, "256 KB": 1 << 18, "8 MB": 1 << 23, "256 MB": 1 << 28}
        figures = [f"{1e-9 * about['bandwidth'][str(s)]:.0f} ({n})" for n, s in sizes.items()]
        lines.append(f"- Read bandwidth of one core, GB/s: {', '.join(figures)}.")
    busy = about["busy"]
    text = f"- Load before: {busy['load_before']:.1f}"
    if busy["others"] is not None:
        text += f"; other programs took {busy['others']:.0%} of all cores during the run"
        text += f", the hypervisor {busy['stolen']:.0%}"
    lines.append(text + ".")
    lines.append(f"- {', '.join(f'{n} {v}' for n, v in results['versions'].items())}.")
    return "\n".join(lines) + "\n\n"


def markdown(results: Results, found: Sequence[str]) -> str:
    text = f"# Benchmark of likely, {results['when']}, {results['commit']}\n\n"
    text += "bench/README.md says how it is measured and how to read it.\n\n" + machine(results)
    if found:
        text += "**Slower than before:**\n\n" + "".join(f"- {line}\n" for line in found) + "\n"
    for cores in (1, 2):
        text += training(results, cores)
    return text + one_row(results) + many_rows(results) + around(results) + sweep(results)


# ---- history: one line a run


def figures(results: Results) -> dict[str, list[float]]:
    """likely's time as a share of NumPy's by hand: its quartiles over the rounds."""
    found = {}
    for part in ("training", "one_row", "many_rows"):
        for contest in contests(results, part):
            if not {OURS, REFERENCE} <= contest.seconds.keys():
                continue
            reference, ours = contest.seconds[REFERENCE], contest.seconds[OURS]
            share = ours / reference
            if part == "one_row":
                share = share[:, 1]
            name = {
                "training": f"{contest.row.name}, cores: {contest.cores}",
                "one_row": f"{contest.row.network}, one row",
                "many_rows": f"{contest.row.network}, {contest.rows} rows",
            }[part]
            found[name] = [float(q) for q in np.quantile(share, [0.25, 0.5, 0.75])]
    return found


def history_line(results: Results) -> dict[str, Any]:
    return {
        "when": results["when"],
        "commit": results["commit"],
        "cpu": results["machine"]["cpu"],
        "numpy": results["versions"].get(REFERENCE),
        "likely / NumPy": figures(results),
    }


def regressions(history: Sequence[Mapping[str, Any]], line: Mapping[str, Any]) -> list[str]:
    """What is slower than in the last runs on such a machine with this NumPy."""
    alike = [old for old in history if all(old[key] == line[key] for key in ("cpu", "numpy"))]
    found = []
    for name, (low, middle, _) in line["likely / NumPy"].items():
        before = [old["likely / NumPy"][name] for old in alike if name in old["likely / NumPy"]]
        if not before:
            continue
        last = np.array(before[-RUNS_BEFORE:])
        usual, highest = np.median(last[:, 1]), np.median(last[:, 2])
        if middle > SLOWER * usual and low > highest:
            found.append(f"{name}: {middle / usual:.2f} times the time of the runs before")
    return found


def read_history(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
