"""What the commands share: the user's errors, words on the screen, and files written whole."""

from __future__ import annotations

import difflib
import errno
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from tqdm import tqdm

WIDTH = 79


class UserError(ValueError):
    """Something that the user can mend; the command line prints it as one line."""


def say(label: str, text: str) -> None:
    """Print a labelled line, folded under itself where it is long."""
    print(
        textwrap.fill(
            text,
            WIDTH,
            initial_indent=f"{label:<11}",
            subsequent_indent=" " * 11,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def note(text: str) -> None:
    """Tell something beside the result, on stderr."""
    print(f"likely: note: {text}", file=sys.stderr)


def listed(names: list[str], most: int = 12) -> str:
    """Return the names in a row, the middle left out where there are many."""
    shown = names if len(names) <= most else [*names[: most - 2], "...", names[-1]]
    return ", ".join(shown)


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that was probably meant, if there is one."""
    lowered = {other.strip().lower(): other for other in known}
    close = difflib.get_close_matches(name.strip().lower(), lowered, 1)
    return lowered[close[0]] if close else None


def counted(number: int, noun: str) -> str:
    """Return "1 row" or "1,030 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def progress(total: int, what: str, unit: str) -> tqdm[Never]:
    """Return a progress bar on stderr; it keeps quiet away from a terminal, and when soon over."""
    from tqdm import tqdm

    return tqdm(
        total=total, desc=what, unit=unit, disable=None, delay=0.3, leave=False, dynamic_ncols=True
    )


def command(*words: str | Path) -> str:
    """Return a line that calls likely again, to be pasted into the shell it was called from."""
    called = Path(sys.argv[0])
    if called.name == "cli.py":
        program = [_python(), "-m", "likely.cli"]
    elif called.name == "likely" and not _same(shutil.which("likely"), called):
        program = [str(called)]
    else:
        program = ["likely"]
    return shlex.join([*program, *map(str, words)])


def python_command(code: str) -> str:
    """Return a line that runs Python code where likely is installed."""
    return shlex.join([_python(), "-c", code])


def _python() -> str:
    for name in ("python", "python3"):
        if _same(shutil.which(name), Path(sys.executable)):
            return name
    beside = Path(sys.argv[0]).parent / Path(sys.executable).name
    return str(beside) if beside.exists() else sys.executable


def _same(found: str | None, path: Path) -> bool:
    # Not by what links lead to: the interpreter of a virtual environment is a link.
    return found is not None and os.path.abspath(found) == os.path.abspath(path)


def check_output(path: str, *inputs: str) -> None:
    """Raise UserError where a file cannot be written, or would take the place of an input."""
    target = Path(path)
    if target.is_dir():
        raise UserError(f"{path} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise UserError(f"cannot write {path}: there is no folder {target.parent}")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise UserError(f"cannot write {path}: permission denied")
    for other in inputs:
        if target.exists() and os.path.exists(other) and target.samefile(other):
            raise UserError(f"{path} is read here; write to another file")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a new file that takes the place of `path` once the block ends well."""
    if path.exists() and not path.is_file():
        yield path  # a device or a pipe is written to, never replaced
        return
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".likely-{os.getpid()}-{target.name}"[:200])
    try:
        yield beside
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except OSError as error:
        if error.errno is None or error.errno == errno.EPIPE:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
