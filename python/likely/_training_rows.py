"""What a network remembers of the rows that it was fitted to: enough to know them again.

Calibration on training rows flatters, so it is refused. A row (x and y, in the network's precision)
is a code of 64 bits; of many rows those with the lowest codes are kept, at most `LIMIT`. Codes are
as good as random, so they are an even sample that does not depend on the order of the rows, and of
any other rows the share that would have been kept is known too (bottom-k sketch, Cohen and Kaplan
2007).
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]

LIMIT = 4096
_SHARE = 0.1  # of rows that are known although chance does not explain it: more is refused
_DEVIATIONS = 4  # of the number of rows that chance explains
_CHUNK = 65536  # numbers at a time, so that no second copy of the data is made


class TrainingRows(NamedTuple):
    """The codes of rows, of many rows the lowest codes."""

    codes: Codes
    """Ascending, each once."""
    counts: NDArray[np.int64]
    """In how many rows of one fit each stood."""
    highest: int
    """Rows of higher codes were left out."""

    def known(self, x: NDArray[Any], y: NDArray[Any]) -> float:
        """Return the share of these rows that a fit has seen, 0 where chance explains it.

        Discrete data repeat themselves: a training row that stands twice tells how probable it is
        that a new row is the same as an old one.
        """
        codes = _codes(x, y)
        codes = codes[codes <= np.uint64(self.highest)]
        if len(codes) == 0:
            return 0.0
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        found, rows = int(np.sum(self.codes[places] == codes)), len(codes)
        chance = float(self.counts[self.counts > 1].sum() / self.counts.sum())
        allowed = rows * (chance + _SHARE * (1 - chance))
        allowed += _DEVIATIONS * math.sqrt(rows * chance * (1 - chance)) + 1  # one is a coincidence
        return found / rows if found > allowed else 0.0


def training_rows(
    x: NDArray[Any], y: NDArray[Any], before: TrainingRows | None = None
) -> TrainingRows:
    """Return what to remember of these rows, and of those that an earlier fit has seen."""
    codes, highest = _codes(x, y), 2**64 - 1
    if len(codes) > LIMIT:
        highest = int(np.partition(codes, LIMIT - 1)[LIMIT - 1])
        codes = codes[codes <= np.uint64(highest)]
    codes, counts = np.unique(codes, return_counts=True)
    if before is None:
        return TrainingRows(codes, counts, highest)
    if np.array_equal(codes, before.codes):  # the usual second fit
        return before
    highest = min(highest, before.highest)
    both, places = np.unique(np.concatenate([before.codes, codes]), return_inverse=True)
    most = np.zeros(len(both), np.int64)
    np.maximum.at(most, places, np.concatenate([before.counts, counts]))
    if len(both) > LIMIT:
        highest = min(highest, int(both[LIMIT - 1]))
    kept = both <= np.uint64(highest)
    return TrainingRows(both[kept], most[kept], highest)


def _codes(x: NDArray[Any], y: NDArray[Any]) -> Codes:
    """Return a code for each row: multilinear hashing, and a last mixing of its bits."""
    multipliers = _multipliers(x.shape[1] + y.shape[1])
    codes = np.empty(len(x), np.uint64)
    count = max(1, _CHUNK // len(multipliers))
    for start in range(0, len(x), count):
        rows = np.concatenate([x[start : start + count], y[start : start + count]], axis=1)
        words = rows.view(f"u{rows.itemsize}").astype(np.uint64, copy=False)
        # The low bits of round numbers are zero, and products only carry upwards.
        words ^= words >> np.uint64(32)
        codes[start : start + count] = words @ multipliers
    codes ^= codes >> np.uint64(32)
    codes *= np.uint64(0x9E3779B97F4A7C15)
    codes ^= codes >> np.uint64(29)
    return codes


@functools.cache
def _multipliers(columns: int) -> Codes:
    return np.random.default_rng(0).integers(2**64 - 1, size=columns, dtype=np.uint64) | np.uint64(
        1
    )
