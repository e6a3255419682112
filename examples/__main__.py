"""Run the examples and print one table; `--pictures FOLDER` draws their pictures too."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from examples import SCRIPTS
from examples._report import table


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument(
        "scripts", nargs="*", metavar="script", help=f"which ones (all): {', '.join(SCRIPTS)}"
    )
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw pictures into it")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.scripts) - set(SCRIPTS)
    if unknown:
        there = ", ".join(SCRIPTS)
        parser.error(f"no such script: {', '.join(sorted(unknown))}; there are {there}")

    lines = []
    for name in arguments.scripts or SCRIPTS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        script = importlib.import_module(f"examples.{name}")
        lines += script.run()
        if arguments.pictures is not None and hasattr(script, "draw"):
            save(script.draw, arguments.pictures / f"{name}.png")
    print(table(lines))
    return 0 if all(line.holds for line in lines) else 1


def save(draw, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained", dpi=120)
    draw(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(main())
