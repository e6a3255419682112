"""The training loop, so that whole trajectories of the core can be compared, not only one step.

Contract: `fit` changes `network.parameters` in place (and `network.scaling`, once) and returns what
it measured. Epochs count from 0. Losses are in the user's units; weights are divided by their mean
over the training rows; the validation loss is unweighted.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from . import philox
from .network import Network
from .optimizers import Optimizer
from .scaling import Scaling


@dataclass
class History:
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_epoch: int | None = None  # of the lowest validation loss


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
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    patience: int | None = None,
    standardize: bool = False,
) -> History:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    rows = len(x)
    if patience is not None and (validation is None or patience < 1):
        raise ValueError("patience is at least 1 and needs validation data")
    if batch_size < 1 or (drop_last and rows < batch_size):
        raise ValueError("an epoch needs at least one batch")
    weight = np.ones(rows)
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=np.float64)
        if np.any(weight < 0) or not 0 < weight.sum() < np.inf:
            raise ValueError("sample weights are finite, not negative and not all zero")
        weight = weight / weight.mean()
    if standardize and network.scaling is None:
        network.scaling = Scaling.of(x, y, network.distribution.target_scaling, weight)

    optimizer.reset()
    history = History()
    best_loss, best_parameters, epochs_since_best = np.inf, None, 0
    used = rows - rows % batch_size if drop_last else rows
    for epoch in range(epochs):
        order = philox.shuffle(rows, seed, epoch) if shuffle else np.arange(rows)
        total = 0.0
        for start in range(0, used, batch_size):
            batch = order[start : start + batch_size]
            loss, gradient = network.loss_and_gradient(x[batch], y[batch], weight[batch])
            optimizer.step(network.parameters, gradient)
            total += loss * len(batch)
        history.losses.append(total / used)

        if validation is None:
            continue
        validation_loss = network.loss(*validation)
        history.validation_losses.append(validation_loss)
        epochs_since_best += 1
        if validation_loss < best_loss:
            best_loss, best_parameters = validation_loss, network.parameters.copy()
            history.best_epoch, epochs_since_best = epoch, 0
        if epochs_since_best == patience:
            break

    if patience is not None and best_parameters is not None:
        network.parameters[...] = best_parameters
    return history
