"""Runs the benchmark: `python -m bench`; README.md beside this file says what it measures."""

import argparse
import datetime
import fnmatch
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import prediction, profiler, report, surroundings, sweep, training
from bench.contest import ENVIRONMENTS, PEERS, Pair, Team, Worker, commit, say
from bench.machine import CORES, Busyness, Limits, cpu_name, warn_if_busy
from bench.rows import SERVED, TRAINING, Row

PARTS = ("training", "prediction", "around", "sweep")
HISTORY = Path(__file__).with_name("history.jsonl")


def main() -> None:
    arguments = parsed()
    rows = chosen(TRAINING, arguments.rows)
    if arguments.command == "profile":
        profiler.main(rows, arguments.rounds)
        return
    warn_if_busy()
    results = measure(arguments, rows)
    found: list[str] = []
    if not arguments.quick and results["machine"]["cpu"]:
        history, line = report.read_history(HISTORY), report.history_line(results)
        found = report.regressions(history, line)
        if line["likely / NumPy"]:
            with HISTORY.open("a", encoding="utf-8") as file:
                print(json.dumps(line), file=file)
    text = report.markdown(results, found)
    folder: Path = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    (folder / "report.md").write_text(text, "utf-8")
    print(text)
    try:
        from bench.pictures import draw
    except ImportError as error:
        say(f"no picture: {error}")
    else:
        draw(results, folder / "picture.png")
    say(f"Written to {folder}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "profile"), default="run")
    parser.add_argument("--rows", default="", help="only rows whose name has this in it (or *?)")
    parser.add_argument(
        "--peers", type=names(PEERS), default=PEERS, help=f"some of {','.join(PEERS)}"
    )
    parser.add_argument(
        "--parts", type=names(PARTS), default=PARTS, help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--sweep-seconds", type=float, default=240, help="how long other shapes are measured"
    )
    parser.add_argument(
        "--quick", action="store_true", help="3 rounds, 20 s of other shapes, not in the history"
    )
    parser.add_argument("--out", type=Path, default=ENVIRONMENTS / "results")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.sweep_seconds = 3, 20.0
    return arguments


def names(known: Sequence[str]) -> Any:
    def parse(text: str) -> tuple[str, ...]:
        given = tuple(text.split(","))
        for name in given:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name}: expected some of {','.join(known)}")
        return given

    return parse


def chosen(rows: Sequence[Row], pattern: str) -> list[Row]:
    found = [row for row in rows if fnmatch.fnmatch(row.name, f"*{pattern}*")]
    if not found:
        known = "\n  ".join(row.name for row in rows)
        raise SystemExit(f"--rows: no row has {pattern!r} in its name; there are\n  {known}")
    return found


def measure(arguments: argparse.Namespace, rows: Sequence[Row]) -> dict[str, Any]:
    busyness, limits, rounds = Busyness(), Limits(), arguments.rounds
    peers = [peer for peer in PEERS if peer in arguments.peers]
    results: dict[str, Any] = {
        "when": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "commit": commit(),
        "training": [],
    }
    limits.measure_bandwidth()
    with Team(peers, 1) as team:
        peers = [worker.peer for worker in team.workers]  # those that are there
        results["versions"] = {worker.title: worker.version for worker in team.workers}
        product = [w.ask("product")["rate"] for w in team.workers if w.peer == "numpy"]
        if "training" in arguments.parts:
            say("Training, one core")
            results["training"] += training.measure(rows, team, rounds, limits, 1)
        if "prediction" in arguments.parts:
            say("Prediction, one core")
            results |= prediction.measure(SERVED, team, rounds)
        if "sweep" in arguments.parts:
            say("Training, other shapes, one core")
            results["sweep"] = sweep.measure(team, min(rounds, 5), arguments.sweep_seconds)
    if "training" in arguments.parts and len(CORES) > 1:
        say("Training, two cores")
        with Team(peers, 2) as team:
            if "likely" in peers:
                team.workers[1:1] = [Worker("likely", 1), Pair("likely")]  # next to its turn
            results["training"] += training.measure(rows, team, rounds, limits, 2)
    if "around" in arguments.parts:
        say("Around it")
        results["around"] = surroundings.measure(peers, rounds)
    limits.measure_peak()
    limits.measure_bandwidth()
    results["machine"] = {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "peak": limits.peak,
        "product": product[0] if product else None,
        "bandwidth": {str(size): rate for size, rate in limits.bandwidth.items()},
        "busy": busyness.report(),
    }
    return results


if __name__ == "__main__":
    main()
