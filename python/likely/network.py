"""The network: what it is made of, what it predicts, and its file."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from likely import _core
from likely._arrays import (
    as_dtype_name,
    as_event,
    as_flag,
    as_integer,
    as_list,
    as_matrix,
    as_output,
    as_pair,
    as_seed,
    as_vector,
)
from likely._training_rows import TrainingRows
from likely.custom import check_density
from likely.predictive import PredictiveDistribution


class Sparsity(NamedTuple):
    """How many weights are exactly zero."""

    zeros: int
    weights: int

    @property
    def fraction(self) -> float:
        """The share of the weights that is zero."""
        return self.zeros / self.weights


class Network:
    """A multilayer perceptron that predicts the parameters of a distribution.

    Parameters
    ----------
    inputs : int
        Number of feature columns.
    targets : int, default 1
        Number of target columns, independent given the features.
    layers : sequence of Dense, Residual, Dropout, BatchNorm and LayerNorm, default ()
        Hidden layers. The same object twice is one set of weights, used twice. Without any the
        model is linear.
    distribution : str or Distribution, default "normal"
        What the target is drawn from: ``"normal"``, ``"bernoulli"``, an object such as
        ``likely.Normal(scale="shared")`` or ``likely.Categorical(classes=3)``, or a density of
        one's own (`likely.distribution`).
    output : Dense, optional
        The layer that puts out the raw parameters; by default dense, without an activation. Its
        units must be the distribution's raw parameters times the targets.
    standardize : bool, default False
        Whether inputs (and targets, where the distribution allows) are standardised inside the
        model. The first fit sets the scaling; predictions and losses are in the user's units.
    dtype : {"float32", "float64"} or a NumPy dtype, default "float32"
        The precision of parameters and arithmetic.
    seed : int, default 0
        Decides the first parameters.
    feature_names, target_names, class_names : sequence of str, optional
        Stored in the model file.

    Raises
    ------
    ValueError, TypeError
        Where an argument, or the way layers fit together, is not possible.

    Examples
    --------
    >>> import likely
    >>> network = likely.Network(inputs=3, layers=[likely.Dense(8, "tanh")])
    >>> network
    Network(inputs=3, targets=1, layers=[Dense(8, tanh)], distribution=Normal, parameters=50)
    >>> network.predict_distribution([[0.0, 1.0, 2.0]]).mean.shape
    (1,)

    """

    def __init__(
        self,
        inputs: int,
        targets: int = 1,
        layers: Sequence[_core.Layer] = (),
        distribution: str | _core.Distribution = "normal",
        *,
        output: _core.Dense | None = None,
        standardize: bool = False,
        dtype: DTypeLike = "float32",
        seed: int = 0,
        feature_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self._model = _core.Model(
            inputs=as_integer("inputs", inputs, 1),
            targets=as_integer("targets", targets, 1),
            layers=as_list("layers", layers, "layers"),
            output=output,
            distribution=distribution,
            dtype=as_dtype_name(dtype),
            seed=as_seed(seed),
            standardize=as_flag("standardize", standardize),
            feature_names=_names("feature_names", feature_names),
            target_names=_names("target_names", target_names),
            class_names=_names("class_names", class_names),
        )
        self._training_rows: TrainingRows | None = None  # written by a fit; not in a model file

    @property
    def inputs(self) -> int:
        """Number of feature columns."""
        return self._model.inputs

    @property
    def targets(self) -> int:
        """Number of target columns."""
        return self._model.targets

    @property
    def layers(self) -> list[_core.Layer]:
        """The hidden layers."""
        return list(self._model.layers)

    @property
    def output(self) -> _core.Layer:
        """The layer that puts out the raw parameters."""
        return self._model.output

    @property
    def distribution(self) -> _core.Distribution:
        """What the target is drawn from."""
        return self._model.distribution

    @property
    def dtype(self) -> str:
        """The precision: "float32" or "float64"."""
        return self._model.dtype

    @property
    def standardize(self) -> bool:
        """Whether the data are standardised inside the model."""
        return self._model.standardize

    @property
    def scaling(self) -> dict[str, NDArray[Any]] | None:
        """Means and scales of inputs and targets; None before the first fit or without scaling."""
        return self._model.scaling

    @property
    def feature_names(self) -> list[str]:
        """Names of the feature columns, or an empty list."""
        return self._model.feature_names

    @property
    def target_names(self) -> list[str]:
        """Names of the target columns, or an empty list."""
        return self._model.target_names

    @property
    def class_names(self) -> list[str]:
        """Names of the classes of the target, or an empty list."""
        return self._model.class_names

    @property
    def parameters(self) -> NDArray[Any]:
        """All parameters as one flat array: a view, so that writing into it changes the network.

        The order is that of the layers: weight (inputs x outputs, C order), then bias, for each
        distinct dense layer (of BatchNorm and LayerNorm scale, then shift), the output layer last;
        then the learned constants of the distribution.
        """
        return self._model.parameters

    @parameters.setter
    def parameters(self, values: Any) -> None:
        view = self._model.parameters
        given = as_vector("parameters", values, len(view), self.dtype, "parameter")
        bad = np.flatnonzero(~np.isfinite(given))
        if len(bad):
            raise ValueError(f"parameters must be finite; number {bad[0]} is {given[bad[0]]}")
        view[:] = given

    def named_parameters(self) -> dict[str, NDArray[Any]]:
        """The parameters by the names of their layers, as in the model file: views, in shape.

        Moving averages are no parameters; they are in `averages`.

        Examples
        --------
        >>> import likely
        >>> network = likely.Network(inputs=3)
        >>> {name: values.shape for name, values in network.named_parameters().items()}
        {'output.weight': (3, 2), 'output.bias': (2,)}

        """
        flat = self._model.parameters
        return {
            name: flat[offset : offset + math.prod(shape)].reshape(shape)
            for name, shape, offset in self._model.tensors
        }

    @property
    def averages(self) -> NDArray[Any]:
        """The moving averages of BatchNorm layers as one flat array, a view.

        For each layer the means of its columns, then their variances.
        """
        return self._model.averages

    def sparsity(self) -> Sparsity:
        """How many weights of dense layers are exactly zero, of how many; biases do not count.

        Examples
        --------
        >>> import likely
        >>> network = likely.Network(inputs=3, distribution="bernoulli")
        >>> network.parameters[0] = 0
        >>> network.sparsity()
        Sparsity(zeros=1, weights=3)

        """
        return Sparsity(*self._model.sparsity())

    def predict_distribution(self, x: Any) -> PredictiveDistribution:
        """Predict the distribution of the target for each row of x, shape (rows, inputs).

        Raises ValueError or TypeError where x has another shape, or a number that is not finite.

        Examples
        --------
        >>> import likely
        >>> network = likely.Network(inputs=2, layers=[likely.Dense(4, "relu")], dtype="float64")
        >>> d = network.predict_distribution([[0.0, 0.0]])
        >>> float(d.mean[0]), float(d.std[0])
        (0.0, 1.0)

        """
        raw = self._model.raw(as_matrix("x", x, self.inputs, self.dtype))
        return PredictiveDistribution(self._model.head(), raw)

    def predict(self, x: Any) -> NDArray[Any]:
        """Predict the raw parameters alone: the answer in the shortest time.

        They are what `predict_distribution(x).raw` holds: the network's unconstrained outputs, of
        which the distribution's parameters follow (for a Normal without standardised targets
        ``loc`` and ``log_scale``). `predict_distribution` tells the rest.

        One row, as a C-order array of exactly the network's dtype, takes a fraction of a
        microsecond more than its arithmetic. All else that `predict_distribution` takes is taken
        too. The memory that many rows take, at most a kilobyte or two for each unit and thread,
        stays with the network.

        Parameters
        ----------
        x : array of shape (rows, inputs) or (inputs,)
            Many rows, or one. With one input, (rows,) are rows.

        Returns
        -------
        array of shape (rows, raw parameters times targets), or without the first axis for one row

        Raises
        ------
        ValueError, TypeError
            Where x has another shape, or a number that is not finite.

        Examples
        --------
        >>> import likely, numpy as np
        >>> network = likely.Network(inputs=3, distribution="normal")
        >>> row = np.zeros(3, dtype=np.float32)
        >>> network.predict(row)
        array([0., 0.], dtype=float32)
        >>> network.predict(np.zeros((5, 3))).shape
        (5, 2)

        """
        raw = self._model.predict(x)
        return self._predict(x) if raw is None else raw

    def predict_into(self, x: Any, out: NDArray[Any]) -> None:
        """Write what `predict` returns into an array; one row is predicted without an allocation.

        Parameters
        ----------
        x : array
            As for `predict`.
        out : array
            Of the shape that `predict` returns and of the network's dtype. It may overlap x.

        Raises
        ------
        ValueError, TypeError
            As `predict`, and where `out` is no such array or read-only. Nothing is written then.

        Examples
        --------
        >>> import likely, numpy as np
        >>> network = likely.Network(inputs=3, distribution="normal")
        >>> row, out = np.zeros(3, dtype=np.float32), np.empty(2, dtype=np.float32)
        >>> network.predict_into(row, out)
        >>> out
        array([0., 0.], dtype=float32)

        """
        if not self._model.predict_into(x, out):
            raw = self._predict(x)
            as_output("out", out, raw.shape, self.dtype)[...] = raw

    def _predict(self, x: Any) -> NDArray[Any]:
        """Predict the general way, whatever x is."""
        array = as_matrix("x", x, self.inputs, self.dtype, or_row=True)
        raw = self._model.raw(array.reshape(-1, self.inputs))
        return raw[0] if array.ndim == 1 else raw

    def loss(self, x: Any, y: Any, sample_weight: Any = None, event: Any = None) -> float:
        """Mean negative log-likelihood in the user's units, in nats.

        The mean over rows of the sum over target columns. With sample_weight (one number for each
        row) each row's loss is multiplied by its weight, and the sum is still divided by the
        number of rows. With event (shaped as y; see `Trainer.fit`) targets may be right-censored.

        Examples
        --------
        >>> import likely
        >>> coin = likely.Network(inputs=1, distribution="bernoulli", dtype="float64", seed=1)
        >>> round(coin.loss([[0.0], [0.0]], [0, 1]), 6)  # zero inputs: a fair coin, log 2
        0.693147
        >>> life = likely.Network(inputs=1, distribution="exponential", dtype="float64")
        >>> x, y, event = [[0.0], [0.0]], [2.0, 5.0], [1, 0]  # seen at 2, still alive at 5
        >>> life.loss(x, y, event=event)  # (2 + 5) / 2 at rate 1
        3.5

        """
        return self._model.loss(*self._data(x, y, sample_weight, event))

    def loss_and_gradient(
        self, x: Any, y: Any, sample_weight: Any = None, event: Any = None
    ) -> tuple[float, NDArray[Any]]:
        """The loss as in `loss`, and its gradient with the layout of `parameters`.

        Examples
        --------
        >>> import likely
        >>> network = likely.Network(inputs=1)
        >>> value, gradient = network.loss_and_gradient([[1.0], [2.0]], [3.0, 4.0])
        >>> gradient.shape == network.parameters.shape
        True

        """
        return self._model.loss_and_gradient(*self._data(x, y, sample_weight, event))

    def _data(
        self, x: Any, y: Any, sample_weight: Any, event: Any
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, NDArray[Any] | None]:
        x_matrix, y_matrix = as_pair(x, y, self.inputs, self.targets, self.dtype)
        rows, weight = len(x_matrix), None
        if sample_weight is not None:
            weight = as_vector("sample_weight", sample_weight, rows, self.dtype, "row of x")
        seen = as_event(event, rows, self.targets, self.dtype)
        check_density(self._model, x_matrix, y_matrix)
        return x_matrix, y_matrix, weight, seen

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a safetensors file, whole or not at all.

        Raises OSError where the file cannot be written, ValueError where a parameter is not
        finite; an old file then stays as it was.
        """
        self._model.save(_path(path))

    def __repr__(self) -> str:
        layers = ", ".join(_short(layer) for layer in self.layers)
        return (
            f"Network(inputs={self.inputs}, targets={self.targets}, layers=[{layers}], "
            f"distribution={type(self.distribution).__name__}, parameters={self.parameters.size})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        distribution = self.distribution  # a custom density is pickled by reference
        has_function = isinstance(distribution, _core.Custom) and distribution.call is not None
        function = distribution if has_function else None
        return _from_bytes, (self._model.to_bytes(), function, self._training_rows)


def _short(layer: _core.Layer) -> str:
    name = type(layer).__name__
    if isinstance(layer, _core.Residual):
        return f"{name}({', '.join(_short(inner) for inner in layer.layers)})"
    shown = [str(getattr(layer, field)) for field in ("units", "rate") if hasattr(layer, field)]
    activation = getattr(layer, "activation", None)
    if activation is not None and not isinstance(activation, _core.Identity):
        shown.append(type(activation).__name__.lower())
    return f"{name}({', '.join(shown)})"


def _path(path: str | os.PathLike[str]) -> str:
    name = os.fsdecode(path)
    if "\0" in name:
        raise ValueError(f"path must hold no null character; got {name!r}")
    return name


def _names(argument: str, names: Sequence[str] | None) -> list[str]:
    if names is None:
        return []
    strings = as_list(argument, names, "strings")
    if not all(isinstance(name, str) for name in strings):
        raise TypeError(f"{argument} must be a list of strings; got {names!r}")
    return strings


def _from_model(model: _core.Model) -> Network:
    network = Network.__new__(Network)
    network._model = model
    network._training_rows = None
    return network


def _from_bytes(
    data: bytes,
    distribution: _core.Distribution | None = None,
    rows: TrainingRows | None = None,
) -> Network:
    network = _from_model(_core.Model.from_bytes(data, distribution))
    network._training_rows = rows
    return network


def load(
    path: str | os.PathLike[str], *, distribution: _core.Distribution | None = None
) -> Network:
    """Read a network that `Network.save` wrote.

    The file of a custom density (`likely.distribution`) holds its name, parameters and support;
    give the density itself as `distribution`, else the network only predicts raw parameters.

    Raises FileNotFoundError or another OSError where the file cannot be read, and ValueError, with
    the file's name and the reason, where it is damaged or not a model of likely, or where
    `distribution` is not the one that the file names.

    Examples
    --------
    >>> import likely, tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     likely.Network(inputs=2).save(path)
    ...     likely.load(path).inputs
    2

    """
    return _from_model(_core.Model.load(_path(path), distribution))
