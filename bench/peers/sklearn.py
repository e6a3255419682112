"""scikit-learn: `partial_fit`, which is one epoch over rows that stand in order already."""

import time
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bench.peers.base import Predict
from bench.rows import BETA1, BETA2, EPSILON, Array, Data, Row

title = "scikit-learn"


def version() -> str:
    return str(sklearn.__version__)


def use_threads(threads: int) -> None:
    """Its BLAS reads the environment."""


def estimator(row: Row, parameters: Array) -> Any:
    kind = MLPClassifier if row.loss == "cross-entropy" else MLPRegressor
    options = {
        "hidden_layer_sizes": tuple(layer.outputs for layer in row.layers[:-1]),
        "solver": row.optimizer, "alpha": 0.0, "batch_size": row.batch, "shuffle": False,
        "learning_rate_init": row.learning_rate, "momentum": 0.0, "nesterovs_momentum": False,
        "beta_1": BETA1, "beta_2": BETA2,
        # It stands before the correction of the second moment: the same in the first step.
        "epsilon": EPSILON * (1 - BETA2) ** 0.5,
    }  # fmt: skip
    model = kind(**options)
    # A first small fit makes its arrays; then they get their numbers.
    x = np.zeros((2 * row.batch, row.inputs), np.float32)
    if row.loss == "cross-entropy":
        model.partial_fit(x, np.arange(len(x)) % row.outputs, classes=np.arange(row.outputs))
    else:
        model.partial_fit(x, np.zeros((len(x), row.outputs), np.float32).squeeze())
    for i, layer in enumerate(row.layers):
        model.coefs_[i][...], model.intercepts_[i][...] = layer.weight_and_bias(parameters)
    return model


class PartialFit:
    def __init__(self, row: Row, data: Data) -> None:
        order = data.batches.ravel()
        self._row, self._first = row, data.parameters
        self._x, self._y = data.x[order], data.y[order]

    def epoch(self, steps: int) -> tuple[float, float]:
        rows = steps * self._row.batch
        x, y = self._x[:rows], self._y[:rows]
        self._model = estimator(self._row, self._first)
        del self._model._optimizer
        start = time.perf_counter()
        self._model.partial_fit(x, y)
        return time.perf_counter() - start, float(self._model.loss_)

    def parameters(self) -> Array:
        layers = zip(self._model.coefs_, self._model.intercepts_, strict=True)
        return np.concatenate([array.ravel() for layer in layers for array in layer])


def training(row: Row, data: Data) -> PartialFit | None:
    known = row.loss != "normal" and not any(layer.residual for layer in row.layers)
    return PartialFit(row, data) if known else None


def predict(row: Row, parameters: Array) -> Predict:
    model = estimator(row, parameters)
    chosen: Predict = model.predict_proba if row.loss == "cross-entropy" else model.predict
    return chosen
