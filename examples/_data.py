"""What the notebook draws from NumPy's generator: data, first weights and orders of the rows.

NumPy's legacy generator is frozen, so that the same calls in the same order give the same numbers
for ever. The notebook's prose hides some calls (its labels, scikit-learn's own draws); the order
below is the one that reproduces all of its figures.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import likely
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROWS = 1000


class Run:
    """What one run of a mini-batch optimizer draws: first weights, and each epoch's row order."""

    def __init__(self, rng: np.random.RandomState, weights: int, epochs: int) -> None:
        self.start = rng.normal(size=weights)
        self.orders = np.array([rng.permutation(ROWS) for _ in range(epochs)], dtype=np.int16)


@dataclass(frozen=True)
class OneFeature:
    """y = 6 + 4 x + noise, as features (1, x), and what the notebook does with it."""

    x: Array
    y: Array
    descent_start: Array
    single: Run
    batches_of_64: Run
    batches: dict[int, Run]
    labels: Array
    """Drawn from the logistic model with the same weights."""
    slow_logistic: Run
    fast_logistic: Run
    xor_squared: Array
    """First weights of the XOR network: 3 x 4, then 4 x 1; trained with the squared error."""
    xor_log: Array
    ridge: Run
    drifting: dict[int, Run]
    """By batch size: the ridge regression whose estimate drifts with it."""
    lasso: Run
    irrelevant: Array
    """A feature that has nothing to do with y."""


@cache
def one_feature() -> OneFeature:
    rng = np.random.RandomState(777)
    x = np.stack([np.ones(ROWS), rng.normal(size=ROWS)], axis=1)
    weights = np.array([6.0, 4.0])
    y = x @ weights + rng.normal(size=ROWS)
    descent_start = rng.normal(size=2)
    single = Run(rng, 2, epochs=100)
    batches_of_64 = Run(rng, 2, epochs=100)
    batches = {size: Run(rng, 2, epochs=100) for size in (8, 16, 32, 64, 128, 256)}
    labels = rng.binomial(1, np.exp(-np.logaddexp(0, -x @ weights))).astype(float)
    slow_logistic = Run(rng, 2, epochs=100)
    fast_logistic = Run(rng, 2, epochs=200)
    rng.randint(2**31 - 1)  # scikit-learn's logistic regression seeds itself
    xor_squared = rng.random_sample(16)
    xor_log = rng.random_sample(16)
    ridge = Run(rng, 2, epochs=100)
    sizes = (8, 16, 32, 64, 128, 256, 512, 1000)
    drifting = {size: Run(rng, 2, epochs=500) for size in sizes}
    rng.randint(2**31 - 1)  # its lasso
    lasso = Run(rng, 2, epochs=1000)
    rng.randint(2**31 - 1, size=2)  # its stochastic gradient descent: the data's seed, its own
    irrelevant = rng.uniform(size=ROWS)
    return OneFeature(
        x, y, descent_start, single, batches_of_64, batches,
        labels, slow_logistic, fast_logistic, xor_squared, xor_log,
        ridge, drifting, lasso, irrelevant,
    )  # fmt: skip


@dataclass(frozen=True)
class TwoFeatures:
    """y = 6 + 4 a + 3 b + noise, as features (1, a, b); b has mean 50 and deviation 10."""

    x: Array
    y: Array
    diverging: Run
    slow: dict[int, Run]
    """By number of epochs, as is `standardized`."""
    standardized: dict[int, Run]
    clipped: Run


@cache
def two_features() -> TwoFeatures:
    rng = np.random.RandomState(777)
    a, b = rng.normal(size=ROWS), rng.normal(size=ROWS, loc=50, scale=10)
    x = np.stack([np.ones(ROWS), a, b], axis=1)
    y = x @ np.array([6.0, 4.0, 3.0]) + rng.normal(size=ROWS)
    diverging = Run(rng, 3, epochs=10)
    slow = {epochs: Run(rng, 3, epochs) for epochs in (100, 1000, 5000, 10000)}
    standardized = {epochs: Run(rng, 3, epochs) for epochs in (1, 10, 50, 100)}
    clipped = Run(rng, 3, epochs=1000)
    return TwoFeatures(x, y, diverging, slow, standardized, clipped)


def fit_as_drawn(
    network: likely.Network,
    run: Run,
    x: Array,
    y: Array,
    batch_size: int,
    learning_rate: float,
    **options: Any,
) -> Array:
    """Train from the run's first weights, each epoch in its row order, and return the weights.

    The options are those of the trainer, such as a penalty.
    """
    optimizer = likely.SGD(learning_rate=learning_rate)
    epoch = likely.Trainer(optimizer, batch_size, epochs=1, shuffle=False, **options)
    network.parameters = run.start
    for order in run.orders:
        epoch.fit(network, x[order], y[order])
    return network.parameters.copy()


def least_squares(x: Array, y: Array) -> Array:
    return np.linalg.lstsq(x, y, rcond=None)[0]
