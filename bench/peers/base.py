"""What every peer offers: a peer is a module of this folder with the names of `Peer`."""

from collections.abc import Callable
from typing import Protocol

from bench.rows import Array, Data, Row

Predict = Callable[[Array], Array]


class Training(Protocol):
    """A network that can be trained for an epoch, again and again from the first parameters."""

    def epoch(self, steps: int) -> tuple[float, float]:
        """Train on so many of the first batches; seconds, and the mean of the losses met."""

    def parameters(self) -> Array:
        """Flat, as they were after the last epoch."""


class Peer(Protocol):
    title: str

    def version(self) -> str: ...

    def use_threads(self, threads: int) -> None:
        """Called once, before all else."""

    def training(self, row: Row, data: Data) -> Training | None:
        """None where this library has no such loss or layer."""

    def predict(self, row: Row, parameters: Array) -> Predict | None:
        """From float32 rows x inputs, a NumPy array, to a NumPy array."""
