"""The trainer: how parameters are fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from likely import _core
from likely._arrays import as_event, as_flag, as_integer, as_number, as_pair, as_seed, as_vector
from likely._training_rows import training_rows
from likely.custom import check_density
from likely.network import Network


@dataclass(frozen=True)
class Epoch:
    """What a callback is told after each epoch; losses are in the user's units."""

    number: int
    """Counted from 0."""
    loss: float
    validation_loss: float | None


@dataclass(frozen=True)
class Trainer:
    """Fits networks by minimising the mean negative log-likelihood in mini-batches.

    The objective is mean loss + l1 sum |w| + (l2 / 2) sum w**2, with w the weights of the dense
    layers, in the units of the network (of standardised data where it standardises). It is the
    same at every batch size. Losses are reported without the penalty.

    Parameters
    ----------
    optimizer : str or Optimizer, default "adam"
        ``"sgd"``, ``"rmsprop"``, ``"adagrad"``, ``"adam"``, ``"adamw"`` or an object such as
        ``likely.SGD(learning_rate=0.1, momentum=0.9)``.
    batch_size : int or None, default 32
        Rows in a step; None is the whole set.
    epochs : int, default 100
        Passes over the data.
    shuffle : bool, default True
        Whether each epoch takes the rows in a new order, a function of seed and epoch.
    drop_last : bool, default False
        Whether the last batch of an epoch is dropped where it is short.
    patience : int, optional
        Stop after so many epochs without a new lowest validation loss. The parameters of the
        best epoch are then restored, also where the epochs run out first.
    seed : int, default 0
        Decides the order of the rows and what dropout drops.
    schedule : str or Schedule, default "constant"
        What the learning rate is multiplied by in the course of training, such as
        ``likely.StepDecay(every=20, factor=0.1)`` or ``likely.CosineDecay(warmup=5)``.
    l1, l2 : float, default 0
        Penalties on the weights. l1 makes weights exactly zero, by a proximal step after each
        update (Parikh and Boyd 2014, section 6.5.2); `Network.sparsity` counts them.
    penalize_biases : bool, default False
        Whether penalties and weight decay are on biases too.
    clip_value : float, optional
        Holds each component of the gradient within [-clip_value, clip_value].
    clip_norm : float, optional
        Shortens a gradient whose L2 norm, over all parameters, is larger (Pascanu et al. 2013).
        Not together with clip_value. Both clip the gradient of the loss, without the penalty.
    stabilize : str or Stabilizer, optional
        What takes the place of the gradient, so that a predicted scale does not spoil the
        location; see below. ``"warmup"``, ``"beta"``, ``"faithful"``, ``"natural"`` or an object
        such as ``likely.Warmup(epochs=20)``. The first three need a family with a location and a
        scale, the last one whose Fisher information is known. Losses stay the plain ones.
    threads : int, optional
        At most so many threads work on a step; where a step is too short, or another program keeps
        the cores busy, one does. The result is the same, bit for bit. By default as many as
        `set_num_threads` or the environment variable LIKELY_NUM_THREADS says, else as there are
        cores.

    Attributes
    ----------
    history : History
        Of the last fit; kept also where the fit was interrupted.

    Options cannot be changed; make another trainer with `dataclasses.replace`.

    Notes
    -----
    The likelihood weighs errors by 1 / scale**2. Where the location is not fitted yet, the scale
    grows to explain the errors, which then hardly count: the mean may stay wrong, and the loss
    looks calm. Which option when (``bench/README.md`` has figures):

    - none, where the mean is easily fitted, or the scale is one constant;
    - ``"beta"`` first, where a mean stays unfitted or smooth in places of large predicted scale:
      it has no length to choose, and a larger ``BetaWeighting(beta)`` leans more towards squared
      errors [2]_. Where plain likelihood does not fail, that may fit better;
    - ``"faithful"`` where the mean must be that of a network trained on squared errors alone, as
      where it is reported by itself; the scale then makes do with that network's features [3]_;
    - ``"warmup"`` where epochs are plenty; it trains only the location in the first half of them
      [1]_. These do not count for `patience`: together with it, better say how many,
      ``likely.Warmup(epochs)``;
    - ``"natural"`` for other families, and for scales far from 1, where plain steps are too long
      or too short [4]_. In classification it acts most where a class is nearly certain: lower the
      learning rate, clip, or raise ``NaturalGradient(damping)`` where that diverges.

    References
    ----------
    .. [1] Nix and Weigend (1994), "Estimating the mean and variance of the target probability
       distribution".
    .. [2] Seitzer et al. (2022), "On the pitfalls of heteroscedastic uncertainty estimation with
       probabilistic neural networks".
    .. [3] Stirn et al. (2023), "Faithful heteroscedastic regression with neural networks".
    .. [4] Amari (1998), "Natural gradient works efficiently in learning".

    Examples
    --------
    >>> import likely, numpy as np
    >>> x = np.linspace(-1, 1, 64)
    >>> network = likely.Network(inputs=1, distribution=likely.Normal(scale=1.0))
    >>> trainer = likely.Trainer(optimizer=likely.Adam(learning_rate=0.05), epochs=200)
    >>> history = trainer.fit(network, x, 2 * x + 0.5)
    >>> round(float(network.predict_distribution([[0.5]]).mean[0]), 3)
    1.5

    """

    optimizer: str | _core.Optimizer = "adam"
    batch_size: int | None = 32
    epochs: int = 100
    _: KW_ONLY
    shuffle: bool = True
    drop_last: bool = False
    patience: int | None = None
    seed: int = 0
    schedule: str | _core.Schedule = "constant"
    l1: float = 0.0
    l2: float = 0.0
    penalize_biases: bool = False
    clip_value: float | None = None
    clip_norm: float | None = None
    stabilize: str | _core.Stabilizer | None = None
    threads: int | None = None
    history: _core.History = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("batch_size", "patience", "threads"):
            if getattr(self, name) is not None:
                self._set(name, as_integer(name, getattr(self, name), 1))
        for name in ("clip_value", "clip_norm"):
            if getattr(self, name) is not None:
                self._set(name, as_number(name, getattr(self, name)))
        for name in ("l1", "l2"):
            self._set(name, as_number(name, getattr(self, name)))
        for name in ("shuffle", "drop_last", "penalize_biases"):
            self._set(name, as_flag(name, getattr(self, name)))
        self._set("epochs", as_integer("epochs", self.epochs, 1))
        self._set("seed", as_seed(self.seed))
        options = self._options()
        self._set("optimizer", options.optimizer)
        self._set("schedule", options.schedule)
        self._set("stabilize", options.stabilize)
        self._set("history", _core.History())

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)  # options do not change, what was given is tidied

    def _options(self) -> _core.TrainerOptions:
        return _core.TrainerOptions(
            optimizer=self.optimizer,
            batch_size=self.batch_size,
            epochs=self.epochs,
            shuffle=self.shuffle,
            drop_last=self.drop_last,
            patience=self.patience,
            seed=self.seed,
            schedule=self.schedule,
            l1=self.l1,
            l2=self.l2,
            penalize_biases=self.penalize_biases,
            clip_value=self.clip_value,
            clip_norm=self.clip_norm,
            stabilize=self.stabilize,
            threads=self.threads,
        )

    def fit(
        self,
        network: Network,
        x: Any,
        y: Any,
        *,
        validation: tuple[Any, ...] | None = None,
        sample_weight: Any = None,
        event: Any = None,
        callback: Callable[[Epoch], Any] | None = None,
    ) -> _core.History:
        """Fit the network's parameters in place, starting from those it has.

        The loop runs without the interpreter lock. Ctrl-C stops it between two steps: the
        network then holds the parameters of the last step, and `history` what was reached.

        Parameters
        ----------
        network : Network
        x : array of shape (rows, inputs)
            (rows,) will do for one input.
        y : array of shape (rows, targets)
            (rows,) will do for one target. Classes are 0, 1, ..., K-1.
        validation : pair (x, y), or (x, y, event), optional
            Held-out data, looked at after each epoch.
        sample_weight : array of shape (rows,), optional
            Scaled to mean 1; a batch's loss is sum(weight * loss) / batch size.
        event : array of the shape of y, optional
            1 (or True) where the target was seen, 0 where it is right-censored: known to be beyond
            y, as the lifetime of what still lives when the study ends. Its loss is minus the log
            of the probability to exceed y (Kalbfleisch and Prentice 2002, section 3.2). For
            `Exponential`, `Weibull` and `LogNormal`. Targets are standardised by the scale of all
            y, seen or not.
        callback : function of an `Epoch`, optional
            Called after each epoch; a true answer stops the fit.

        Returns
        -------
        History

        Raises
        ------
        ValueError, TypeError
            Where data or arguments are not possible, before anything is changed.
        DivergedError
            Where the loss, the gradient or a parameter stops being finite. The network keeps its
            last finite parameters.

        Examples
        --------
        Lifetimes of mean 3, watched for 2; the mean of y is 1.5.

        >>> import likely, numpy as np
        >>> lifetimes = np.random.default_rng(0).exponential(3.0, size=2000)
        >>> x, y, event = np.zeros(2000), np.minimum(lifetimes, 2.0), lifetimes <= 2.0
        >>> network = likely.Network(inputs=1, distribution="exponential")
        >>> trainer = likely.Trainer(likely.Adam(learning_rate=0.05), batch_size=None, epochs=100)
        >>> history = trainer.fit(network, x, y, event=event)
        >>> round(float(network.predict_distribution([[0.0]]).mean[0]), 1)
        3.0

        """
        if not isinstance(network, Network):
            raise TypeError(f"network must be a likely.Network; got {type(network).__name__}")
        inputs, targets, dtype = network.inputs, network.targets, network.dtype
        x_matrix, y_matrix = as_pair(x, y, inputs, targets, dtype)
        weight = None
        if sample_weight is not None:
            weight = as_vector("sample_weight", sample_weight, len(x_matrix), dtype, "row of x")
        seen = as_event(event, len(x_matrix), targets, dtype)
        held_out = None
        if validation is not None:
            given: Any = validation
            if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
                size = f" of {len(given)}" if hasattr(given, "__len__") else ""
                raise TypeError(
                    "validation must be a pair (x, y), or (x, y, event); "
                    f"got {type(given).__name__}{size}"
                )
            pair = as_pair(given[0], given[1], inputs, targets, dtype, prefix="validation ")
            held_event = given[2] if len(given) == 3 else None
            held_seen = as_event(held_event, len(pair[0]), targets, dtype, prefix="validation ")
            held_out = (*pair, held_seen)
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be a function; got {type(callback).__name__}")
        check_density(network._model, x_matrix, y_matrix)
        after_epoch = None if callback is None else lambda *report: callback(Epoch(*report))
        history = _core.History()
        try:
            _core.fit(
                model=network._model,
                options=self._options(),
                x=x_matrix,
                y=y_matrix,
                sample_weight=weight,
                event=seen,
                validation=held_out,
                callback=after_epoch,
                history=history,
            )
        finally:
            if history.stopped:  # begun, perhaps interrupted
                self._set("history", history)
                used = slice(None) if weight is None else weight > 0
                network._training_rows = training_rows(
                    x_matrix[used], y_matrix[used], network._training_rows
                )
        return history
