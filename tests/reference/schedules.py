"""Schedules: the factor on the learning rate as a function of the time in epochs.

Contract: `factor(epoch, step, steps, epochs)` is the factor at step `step` of `steps` (from 0) of
epoch `epoch` (from 0), in a training (or a part of it, in a Sequence) of `epochs` epochs.
`check(epochs)` raises ValueError where a schedule does not fit into so many. `observe(epoch, loss)`
tells it the loss of an epoch that has ended, and `reset()` makes it forget them.
"""

from collections.abc import Sequence as Several
from copy import copy

import numpy as np


class Schedule:
    epochs: int | None = None  # its own, where it has any

    def check(self, epochs: int) -> None:
        if self.epochs is not None and self.epochs < epochs:
            raise ValueError(f"a schedule of {self.epochs} epochs ends before epoch {epochs}")

    def reset(self) -> None:
        pass

    def observe(self, epoch: int, loss: float) -> None:
        pass

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        raise NotImplementedError

    def span(self, epochs: int) -> int:
        return epochs if self.epochs is None else self.epochs


class Constant(Schedule):
    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        return 1.0


class StepDecay(Schedule):
    def __init__(self, every: int, factor: float = 0.1) -> None:
        _require(every >= 1, "every is at least one epoch")
        _require(0 < factor <= 1, "factor is in (0, 1]")
        self.every = every
        self.decay = factor

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        return self.decay ** (epoch // self.every)


class ExponentialDecay(Schedule):
    def __init__(self, factor: float = 0.95) -> None:
        _require(0 < factor <= 1, "factor is in (0, 1]")
        self.decay = factor

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        return self.decay ** (epoch + step / steps)


class InverseScaling(Schedule):
    def __init__(self, power: float = 0.5) -> None:
        _require(0 < power < np.inf, "power is positive and finite")
        self.power = power

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        return (1 + epoch + step / steps) ** -self.power


class CosineDecay(Schedule):
    """Loshchilov and Hutter (2017), one period, after a linear warmup of `warmup` epochs."""

    def __init__(self, warmup: float = 0.0, final: float = 0.0, epochs: int | None = None) -> None:
        _require(0 <= warmup < np.inf, "warmup is at least 0 and finite")
        _require(0 <= final <= 1, "final is in [0, 1]")
        _require(epochs is None or epochs >= 1, "epochs is at least 1")
        self.warmup = warmup
        self.final = final
        self.epochs = epochs

    def check(self, epochs: int) -> None:
        super().check(epochs)
        _require(self.warmup < self.span(epochs), "the warmup ends before the schedule")

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        t = epoch + step / steps
        if t < self.warmup:
            return min((t + 1 / steps) / self.warmup, 1.0)
        share = (t - self.warmup) / (self.span(epochs) - self.warmup)
        return self.final + (1 - self.final) * (1 + np.cos(np.pi * share)) / 2


class OneCycle(Schedule):
    """Smith and Topin (2018), with cosines; the warmup is a share of the epochs."""

    def __init__(
        self,
        warmup: float = 0.3,
        start: float = 0.04,
        final: float = 4e-6,
        epochs: int | None = None,
    ) -> None:
        _require(0 < warmup < 1, "warmup is in (0, 1)")
        _require(0 <= start <= 1, "start is in [0, 1]")
        _require(0 <= final <= 1, "final is in [0, 1]")
        _require(epochs is None or epochs >= 1, "epochs is at least 1")
        self.warmup = warmup
        self.start = start
        self.final = final
        self.epochs = epochs

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        t, end = epoch + step / steps, self.span(epochs)
        peak = self.warmup * end
        if t < peak:
            a, b, u = self.start, 1.0, t / peak
        else:
            a, b, u = 1.0, self.final, (t - peak) / (end - peak)
        return a + (b - a) * (1 - np.cos(np.pi * u)) / 2


class ReduceOnPlateau(Schedule):
    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        minimum: float = 0.0,
    ) -> None:
        _require(0 < factor < 1, "factor is in (0, 1)")
        _require(patience >= 1, "patience is at least 1")
        _require(0 <= threshold < np.inf, "threshold is at least 0 and finite")
        _require(0 <= minimum <= 1, "minimum is in [0, 1]")
        self.decay = factor
        self.patience = patience
        self.threshold = threshold
        self.minimum = minimum
        self.reset()

    def reset(self) -> None:
        self.current = 1.0
        self.best = np.inf  # the last loss that was an improvement
        self.waited = 0

    def observe(self, epoch: int, loss: float) -> None:
        if loss < self.best - self.threshold:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited == self.patience:
            self.current, self.waited = max(self.decay * self.current, self.minimum), 0

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        return self.current


class Sequence(Schedule):
    """One schedule after the other, each with its own clock."""

    def __init__(self, schedules: Several[Schedule], at: Several[int]) -> None:
        starts = [0, *at]
        _require(len(schedules) >= 1, "a sequence has at least one schedule")
        _require(len(starts) == len(schedules), "at has an epoch for each schedule but the first")
        _require(all(np.diff(starts) > 0), "at increases, from 1 or more")
        _require(not any(isinstance(s, Sequence) for s in schedules), "sequences do not nest")
        self.schedules = [copy(s) for s in schedules]  # each with a state of its own
        self.starts = starts

    def _spans(self, epochs: int) -> list[int]:
        return np.diff([*self.starts, epochs]).tolist()

    def _at(self, epoch: int) -> int:
        return int(np.searchsorted(self.starts, epoch, side="right")) - 1

    def check(self, epochs: int) -> None:
        _require(self.starts[-1] < epochs, "the last schedule starts before the end of training")
        for schedule, span in zip(self.schedules, self._spans(epochs), strict=True):
            schedule.check(span)

    def reset(self) -> None:
        for schedule in self.schedules:
            schedule.reset()

    def observe(self, epoch: int, loss: float) -> None:
        i = self._at(epoch)
        self.schedules[i].observe(epoch - self.starts[i], loss)

    def factor(self, epoch: int, step: int, steps: int, epochs: int) -> float:
        i = self._at(epoch)
        clock = epoch - self.starts[i]
        return self.schedules[i].factor(clock, step, steps, self._spans(epochs)[i])


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
