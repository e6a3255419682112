"""The training loop, so that whole trajectories of the core can be compared, not only one step.

Contract: `fit` changes `network.parameters` and `network.averages` in place (and `network.scaling`,
once) and returns what it measured. Epochs count from 0. Losses are in the user's units and without
penalties; weights are divided by their mean over the training rows; the validation loss is
unweighted. `validation` is x, y and, where targets are censored, their event. Training that leaves
the finite numbers ends with DivergedError.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from . import philox
from .network import Network
from .optimizers import Optimizer
from .scaling import Scaling
from .schedules import Constant, Schedule
from .stabilizers import Stabilizer
from .update import Penalties, update


@dataclass
class History:
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)  # of each epoch's last step
    gradient_norms: list[float] = field(
        default_factory=list
    )  # the largest in each epoch, unclipped
    best_epoch: int | None = None  # of the lowest validation loss


class DivergedError(ArithmeticError):
    """A step that could not be applied, or not to all parameters."""

    def __init__(self, epoch: int, step: int, gradient_norm: float) -> None:
        super().__init__(f"training diverged in epoch {epoch}, after {step} steps")
        self.epoch = epoch
        self.step = step  # the number of steps applied before, over the whole fit
        self.gradient_norm = gradient_norm  # the largest finite one of the fit, 0 if none was


def fit(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    optimizer: Optimizer,
    batch_size: int,
    epochs: int,
    shuffle: bool = True,
    drop_last: bool = False,
    seed: int = 0,
    sample_weight: ArrayLike | None = None,
    event: ArrayLike | None = None,
    stabilize: Stabilizer | None = None,
    validation: tuple[ArrayLike, ...] | None = None,
    patience: int | None = None,
    standardize: bool = False,
    l1: float = 0.0,
    l2: float = 0.0,
    penalize_biases: bool = False,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    schedule: Schedule | None = None,
) -> History:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rows = len(x)
    if patience is not None and (validation is None or patience < 1):
        raise ValueError("patience is at least 1 and needs validation data")
    if batch_size < 1 or (drop_last and rows < batch_size):
        raise ValueError("an epoch needs at least one batch")
    used = rows - rows % batch_size if drop_last else rows
    starts = range(0, used, batch_size)
    if network.averages.size and used - starts[-1] == 1:
        raise ValueError("a training step with BatchNorm needs two rows; this has a batch of one")
    penalties = Penalties(l1, l2, clip_value, clip_norm)
    penalties.check(optimizer)
    penalised = network.penalised(penalize_biases)
    schedule = Constant() if schedule is None else schedule
    schedule.check(epochs)
    if stabilize is not None:
        stabilize.check(network.distribution)
    weight = np.ones(rows)
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=np.float64)
        if np.any(weight < 0) or not 0 < weight.sum() < np.inf:
            raise ValueError("sample weights are finite, not negative and not all zero")
        weight = weight / weight.mean()
    if event is not None:
        event = np.asarray(event)
    if standardize and network.scaling is None:
        network.scaling = Scaling.of(x, y, network.distribution.target_scaling, weight)

    optimizer.reset()
    schedule.reset()
    history = History()
    largest = float(np.finfo(network.dtype).max)
    steps, largest_norm = 0, 0.0
    best_loss, best, epochs_since_best = np.inf, None, 0
    for epoch in range(epochs):
        order = philox.shuffle(rows, seed, epoch) if shuffle else np.arange(rows)
        total, epoch_norm = 0.0, 0.0
        for step, start in enumerate(starts):
            batch = order[start : start + batch_size]
            factor = schedule.factor(epoch, step, len(starts), epochs)
            with np.errstate(all="ignore"):  # what is not finite is seen here, not by a warning
                loss, gradient, averages = network.training_loss_and_gradient(
                    x[batch],
                    y[batch],
                    weight[batch],
                    None if event is None else event[batch],
                    stabilize=stabilize,
                    seed=seed,
                    epoch=epoch,
                    step=step,
                )
                square = float(gradient @ gradient)
                # Comparisons with nan are false.
                finite = abs(loss) <= largest and square <= largest
                finite = finite and bool(np.all(np.abs(averages) <= largest))
                if square <= largest:
                    epoch_norm = max(epoch_norm, float(np.sqrt(square)))
                    largest_norm = max(largest_norm, epoch_norm)
                if not finite or not update(
                    network.parameters, gradient, optimizer, penalised, penalties, factor, largest
                ):
                    raise DivergedError(epoch, steps, largest_norm)
            network.averages[...] = averages
            steps += 1
            total += loss * len(batch)
        history.losses.append(total / used)
        history.learning_rates.append(optimizer.learning_rate * factor)
        history.gradient_norms.append(epoch_norm)

        if validation is None:
            schedule.observe(epoch, history.losses[-1])
            continue
        validation_x, validation_y, *validation_event = validation
        validation_loss = network.loss(validation_x, validation_y, None, *validation_event)
        history.validation_losses.append(validation_loss)
        schedule.observe(epoch, validation_loss)
        epochs_since_best += 1 if stabilize is None else stabilize.trains_scale(epoch)
        if validation_loss < best_loss:
            best_loss = validation_loss
            best = network.parameters.copy(), network.averages.copy()
            history.best_epoch, epochs_since_best = epoch, 0
        if epochs_since_best == patience:
            break

    if patience is not None and best is not None:
        network.parameters[...], network.averages[...] = best
    return history
