"""CSV files as named columns, and columns as arrays; every complaint names column and line."""

from __future__ import annotations

import csv
import io
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from likely._console import UserError, counted, listed, nearest, replacing

_SEPARATORS = (",", ";", "\t")


class Table:
    """The columns of a CSV file whose first line names them.

    Fields are separated by commas, semicolons or tabs, whichever parts the first line into most
    names. Empty fields and the usual words for them (NA, NaN, null ...) are missing values.
    """

    def __init__(self, path: str) -> None:
        import pandas as pd

        self.name = "standard input" if path == "-" else path
        self._path = path
        self._text = sys.stdin.read() if path == "-" else None
        try:
            self._separator, header = self._read_header()
            with self._open() as stream, warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                self._frame = pd.read_csv(
                    stream,
                    sep=self._separator,
                    index_col=False,
                    skipinitialspace=True,
                    low_memory=False,
                )
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self.name} is not UTF-8 text (byte {error.start:,}: {error.reason}); save it as "
                "UTF-8"
            ) from None
        except pd.errors.ParserWarning:
            raise UserError(f"{self.name}: rows have more fields than the first line") from None
        except (csv.Error, pd.errors.ParserError) as error:
            reason = str(error).removeprefix("Error tokenizing data. C error: ")
            raise UserError(f"{self.name} cannot be read as CSV: {reason}") from None
        self._frame.columns = pd.Index([str(column) for column in self._frame.columns])
        self.names: list[str] = list(self._frame.columns)
        # Written by programs that number the rows, or behind a separator at the end of each line.
        self.nameless = [name for name, given in zip(self.names, header, strict=False) if not given]
        if not len(self):
            raise UserError(f"{self.name} has column names but no rows")

    def __len__(self) -> int:
        return len(self._frame)

    def _open(self) -> TextIO:
        if self._text is not None:
            return io.StringIO(self._text, newline="")
        return open(self._path, encoding="utf-8-sig", newline="")

    def _records(self, separator: str) -> Iterator[tuple[int, list[str]]]:
        """Yield each record that is not blank, with the line that it starts in, from 1."""
        with self._open() as stream:
            reader = csv.reader(stream, delimiter=separator, skipinitialspace=True)
            line = 1
            for record in reader:
                if len(record) > 1 or "".join(record).strip():
                    yield line, record
                line = reader.line_num + 1

    def _read_header(self) -> tuple[str, list[str]]:
        headers = {
            separator: next(self._records(separator), (0, []))[1] for separator in _SEPARATORS
        }
        separator = max(_SEPARATORS, key=lambda each: len(headers[each]))
        header = headers[separator]
        if not header:
            raise UserError(f"{self.name} is empty")
        if all(is_number(part) for name in header for part in name.split() or [name]):
            raise UserError(
                f"{self.name}: the first line must name the columns, separated by commas; "
                f"it holds numbers: {listed(header, 4)}"
            )
        for name in header:
            if name and header.count(name) > 1:
                raise UserError(f"{self.name} has {header.count(name)} columns named {name!r}")
        return separator, header

    def line(self, row: int) -> int:
        """Return the line of the file, from 1, in which a row (from 0) starts."""
        for number, (line, _) in enumerate(self._records(self._separator), start=-1):
            if number == row:
                return line
        raise IndexError(row)

    def require(self, names: Sequence[str], option: str) -> None:
        """Raise UserError where there is no column of such a name."""
        for name in names:
            if name not in self.names:
                close = nearest(name, self.names)
                others = listed([repr(other) for other in self.names])
                hint = f"did you mean {close!r}?" if close else f"it has {others}"
                raise UserError(f"{option}: {self.name} has no column {name!r}; {hint}")

    def is_number(self, name: str) -> bool:
        """Whether a column holds numbers; True and False are numbers only as a feature."""
        return self._frame[name].dtype.kind in "iuf"

    def missing(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return for each row whether one of the columns has no value."""
        absent: NDArray[np.bool_] = self._frame[list(names)].isna().any(axis=1).to_numpy(np.bool_)
        return absent

    def refuse_missing(self, names: Sequence[str], advice: str) -> None:
        """Raise UserError, ending in advice, for the first column with a missing value."""
        for name in names:
            rows = np.flatnonzero(self.missing([name]))
            if not len(rows):
                continue
            if len(rows) == len(self):
                raise UserError(f"{self.name}: column {name!r} is empty; {advice}")
            more = f" (and in {counted(len(rows) - 1, 'more row')})" if len(rows) > 1 else ""
            raise UserError(
                f"{self.name}: column {name!r} has no value in line {self.line(int(rows[0]))}"
                f"{more}; {advice}"
            )

    def numbers(self, names: Sequence[str], rows: Any = slice(None)) -> NDArray[np.float64]:
        """Return columns without text or missing values as a matrix; raise for infinity."""
        matrix: NDArray[np.float64] = self._frame[list(names)].to_numpy(dtype=np.float64)[rows]
        bad = np.argwhere(np.isinf(matrix))
        if len(bad):
            row, column = (int(index) for index in bad[0])
            row = int(np.arange(len(self))[rows][row])
            raise UserError(
                f"{self.name}: column {names[column]!r} is infinite in line {self.line(row)}"
            )
        return matrix

    def text_columns(self, names: Sequence[str]) -> dict[str, str]:
        """Return the columns that hold text, each with a sample: "'Paris' in line 2"."""
        samples = {}
        for name in names:
            if self._frame[name].dtype.kind not in "iufb":
                values = self._frame[name].dropna().astype(str)
                odd = values[[not is_number(value) for value in values]]
                sample = odd if len(odd) else values
                position = int(sample.index[0])
                samples[name] = f"{sample.iloc[0]!r} in line {self.line(position)}"
        return samples

    def labels(self, name: str, rows: Any = slice(None)) -> list[str]:
        """Return a column's values as names of classes; 2 and 2.0 are the same name."""
        column = self._frame[name][rows]
        if not self.is_number(name):
            return [str(value) for value in column]
        values, places = np.unique(column.to_numpy(dtype=np.float64), return_inverse=True)
        texts = [str(int(v)) if v.is_integer() else repr(v) for v in values.tolist()]
        return [texts[place] for place in places.reshape(-1)]


def option_drop(names: Sequence[str]) -> str:
    """Return the option that leaves columns out, quoted for the shell."""
    return shlex.join(["--drop", *names])


def write_table(columns: dict[str, Any], path: str | None) -> None:
    """Write named columns as CSV to a file, whole or not at all, or to standard output."""
    import pandas as pd

    frame = pd.DataFrame(columns)
    with np.errstate(invalid="ignore"):  # of which NumPy 1.24 warns where nan becomes text
        if path is None:
            frame.to_csv(sys.stdout, index=False, lineterminator="\n")
            return
        with (
            replacing(Path(path)) as beside,
            open(beside, "w", encoding="utf-8", newline="") as stream,
        ):
            frame.to_csv(stream, index=False, lineterminator="\n")


def is_number(text: str) -> bool:
    """Whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
