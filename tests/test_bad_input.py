"""What bad data get: an exception that names the argument, what came and what was expected, raised
before anything is changed. And the arrays that are not bad, only unusual: these give the same bits
as plain ones. The arguments of constructors are in test_bad_arguments.py.
"""

import datetime
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import likely
import numpy as np
import pandas as pd
import pytest

ROWS = 6
X = np.linspace(-1.0, 1.0, 2 * ROWS).reshape(ROWS, 2)
Y = np.linspace(0.0, 2.0, ROWS)
NAN, INF = math.nan, math.inf

Case = tuple[Any, type[Exception], list[str]]
"""A bad value, its exception, and words that the message holds beside the argument's name."""


@contextmanager
def refused(error: type[Exception], *words: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
    with pytest.raises(error) as caught:
        yield caught
    message = str(caught.value)
    for word in words:
        assert re.search(rf"(?<!\w){re.escape(word)}(?!\w)", message), (
            f"{word!r} is not in: {message}"
        )


def make_network(distribution: Any = "normal", **options: Any) -> likely.Network:
    options = {"standardize": True, **options}
    return likely.Network(2, layers=[likely.Dense(3, "tanh")], distribution=distribution, **options)


def state(network: likely.Network, trainer: likely.Trainer) -> list[Any]:
    scaling = network.scaling and {name: v.tolist() for name, v in network.scaling.items()}
    history = trainer.history
    reached = [history.loss.tolist(), history.validation_loss.tolist(), history.steps]
    return [network.parameters.tolist(), scaling, reached, history.seconds]


def refuses_fit(
    error: type[Exception],
    words: list[str],
    distribution: Any = "normal",
    targets: Any = Y,
    **changed: Any,
) -> None:
    """A fit with changed arguments fails, and leaves a new and a fitted network as they were."""
    for fitted in (False, True):
        network = make_network(distribution)
        trainer = likely.Trainer(epochs=2)
        if fitted:
            trainer.fit(network, X, targets, validation=(X, targets))
        before = state(network, trainer)
        with refused(error, *words):
            trainer.fit(network, **{"x": X, "y": targets, **changed})
        assert state(network, trainer) == before


def with_bad(values: Any, place: Any, bad: float) -> Any:
    """A copy with a bad number, and others after it, which are not to be named."""
    copy = np.array(values, dtype=np.float64)
    copy[place] = bad
    copy[-1] = NAN
    return copy


def masked() -> Any:
    return np.ma.masked_array(X, mask=np.arange(2 * ROWS).reshape(ROWS, 2) == 7)


NOT_NUMBERS: dict[str, Case] = {
    "None": (None, TypeError, ["None"]),
    "string": ("abc", TypeError, []),
    "strings": ([["a", "b"]] * ROWS, TypeError, []),
    "strings of digits": ([["1", "2"]] * ROWS, TypeError, []),
    "objects of digits": (np.array([["1", "2"]] * ROWS, dtype=object), TypeError, ["str"]),
    "bytes": ([[b"1", b"2"]] * ROWS, TypeError, []),
    "complex": (X.astype(complex), TypeError, ["complex128"]),
    "complex objects": (X.astype(complex).astype(object), TypeError, ["complex"]),
    "datetimes": (X.astype("M8[s]"), TypeError, ["datetime64[s]"]),
    "timedeltas": (X.astype("m8[s]"), TypeError, ["timedelta64[s]"]),
    "datetime objects": ([[datetime.datetime(2000, 1, 1)] * 2] * ROWS, TypeError, ["datetime"]),
    "records": (np.zeros(ROWS, dtype=[("a", float), ("b", float)]), TypeError, []),
    "dictionary": ({"a": 1.0}, TypeError, ["dict"]),
    "function": (len, TypeError, ["builtin_function_or_method"]),
    "generator": ((i for i in range(ROWS)), TypeError, ["generator"]),
    "ragged": ([[1.0, 2.0], [3.0]], ValueError, []),
    "beyond every float": ([[0.0, 10**400]] * ROWS, ValueError, []),
}
SHAPES_X: dict[str, Case] = {
    "a scalar": (1.0, ValueError, ["(rows, 2)", "()"]),
    "a vector": (np.zeros(ROWS), ValueError, ["(rows, 2)", "(6,)"]),
    "one row": (np.zeros(2), ValueError, ["(rows, 2)", "(2,)", "x.reshape(1, -1)"]),
    "a column more": (np.zeros((ROWS, 3)), ValueError, ["(rows, 2)", "(6, 3)"]),
    "a column less": (X[:, :1], ValueError, ["(rows, 2)", "(6, 1)"]),
    "three dimensions": (X[..., None], ValueError, ["(rows, 2)", "(6, 2, 1)"]),
    "no rows": (X[:0], ValueError, ["at least one row", "(0, 2)"]),
    "an empty list": ([], ValueError, ["(0,)"]),
}
NUMBERS_X: dict[str, Case] = {
    f"{bad:g}": (
        with_bad(X, (3, 1), bad),
        ValueError,
        ["finite", "float32", "row 3, column 1", got],
    )
    for bad, got in ((NAN, "nan"), (INF, "inf"), (-INF, "-inf"), (1e39, "inf"))
} | {"masked": (masked(), ValueError, [])}
SHAPES_Y: dict[str, Case] = {
    "rows": (Y[:5], ValueError, ["6", "5"]),
    "two columns": (X, ValueError, ["(rows, 1)", "(6, 2)"]),
    "no rows": (Y[:0], ValueError, []),
    "None": (None, TypeError, ["None"]),
    "ragged": ([[1.0, 2.0], [3.0]], ValueError, []),
}
NUMBERS_Y: dict[str, Case] = {
    f"{bad:g}": (with_bad(Y, 2, bad), ValueError, ["finite", "row 2", got])
    for bad, got in ((NAN, "nan"), (INF, "inf"), (-INF, "-inf"), (1e39, "inf"))
}
WEIGHTS: dict[str, Case] = {
    "negative": (with_bad(np.ones(ROWS), 2, -0.5), ValueError, ["at least 0", "row 2", "-0.5"]),
    "nan": (with_bad(np.ones(ROWS), 2, NAN), ValueError, ["finite", "row 2", "nan"]),
    "infinite": (with_bad(np.ones(ROWS), 2, INF), ValueError, ["finite", "row 2", "inf"]),
    "all zero": (np.zeros(ROWS), ValueError, ["0"]),
    "too short": (np.ones(5), ValueError, ["(6,)", "(5,)"]),
    "a matrix": (np.ones((ROWS, 1)), ValueError, ["(6,)", "(6, 1)"]),
    "a string": ("abc", TypeError, []),
}
CASES_X = SHAPES_X | NUMBERS_X | NOT_NUMBERS
CASES_Y = SHAPES_Y | NUMBERS_Y
DATA = (
    [("x", *case) for case in CASES_X.values()]
    + [("y", *case) for case in CASES_Y.values()]
    + [("sample_weight", *case) for case in WEIGHTS.values()]
)
DATA_NAMES = (
    [f"x {name}" for name in CASES_X]
    + [f"y {name}" for name in CASES_Y]
    + [f"weight {name}" for name in WEIGHTS]
)


@pytest.mark.parametrize(("argument", "value", "error", "words"), DATA, ids=DATA_NAMES)
def test_data(argument: str, value: Any, error: type[Exception], words: list[str]) -> None:
    refuses_fit(error, [argument, *words], **{argument: value})
    network = make_network()
    before = network.parameters.tolist()
    for method in (network.loss, network.loss_and_gradient):
        with refused(error, argument, *words):
            method(**{"x": X, "y": Y, argument: value})
    if argument != "sample_weight":
        pair = (value, Y) if argument == "x" else (X, value)
        words = [word for word in words if word != "x.reshape(1, -1)"]
        refuses_fit(error, [f"validation {argument}", *words], validation=pair)
    if argument == "x":
        with refused(error, "x", *words):
            network.predict_distribution(value)
    assert network.parameters.tolist() == before


@pytest.mark.parametrize(("value", "error", "words"), CASES_Y.values(), ids=CASES_Y)
def test_targets_of_a_prediction(value: Any, error: type[Exception], words: list[str]) -> None:
    prediction = make_network().predict_distribution(X)
    with refused(error, "y", *words):
        prediction.log_prob(value)
    if "inf" not in words and "-inf" not in words:  # the cdf has limits
        with refused(error, "y", *(word for word in words if word != "finite")):
            prediction.cdf(value)


LABELS = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
SUPPORTS = [
    *(("bernoulli", "Bernoulli", "0 or 1", bad) for bad in (-1.0, 2.0, 0.5)),
    *((likely.Categorical(7), "Categorical", "7", bad) for bad in (-1.0, 7.0, 0.5, 6.25)),
]


@pytest.mark.parametrize(("family", "name", "expected", "bad"), SUPPORTS)
def test_targets_outside_the_support(family: Any, name: str, expected: str, bad: float) -> None:
    y = LABELS.copy()
    y[3:5] = bad
    words = [name, expected, "row 3", f"{bad:g}"]
    refuses_fit(ValueError, ["y", *words], family, LABELS, y=y)
    refuses_fit(ValueError, ["validation y", *words], family, LABELS, validation=(X, y))
    network = make_network(family)
    for method in (
        network.loss,
        network.loss_and_gradient,
        network.predict_distribution(X).log_prob,
    ):
        with refused(ValueError, "y", *words):
            method(y) if method.__name__ == "log_prob" else method(X, y)


VALIDATION: dict[str, Case] = {
    "a string": ("abc", TypeError, ["pair", "str"]),
    "a number": (5, TypeError, ["pair", "int"]),
    "an array": (X, TypeError, ["pair", "ndarray"]),
    "a dictionary": ({"x": X, "y": Y}, TypeError, ["pair", "dict"]),
    "one": ((X,), TypeError, ["pair", "1"]),
    "four": ((X, Y, Y, Y), TypeError, ["pair", "4"]),
}


@pytest.mark.parametrize(("value", "error", "words"), VALIDATION.values(), ids=VALIDATION)
def test_validation(value: Any, error: type[Exception], words: list[str]) -> None:
    refuses_fit(error, ["validation", *words], validation=value)


@pytest.mark.parametrize("value", [5, "abc", [], likely.Adam()])
def test_callback_that_cannot_be_called(value: Any) -> None:
    refuses_fit(TypeError, ["callback", type(value).__name__], callback=value)


def test_callback_whose_answer_is_neither_true_nor_false() -> None:
    with refused(ValueError, "ambiguous"):
        likely.Trainer(epochs=1).fit(make_network(), X, Y, callback=lambda _: np.zeros(2))


def test_options_that_do_not_suit_the_data() -> None:
    network = make_network()
    before = network.parameters.tolist()
    with refused(ValueError, "patience", "validation"):
        likely.Trainer(patience=3).fit(network, X, Y)
    with refused(ValueError, "drop_last", "batch_size", "7", "6"):
        likely.Trainer(batch_size=7, drop_last=True).fit(network, X, Y)
    with refused(TypeError, "network", "str"):
        likely.Trainer().fit("network", X, Y)  # type: ignore[arg-type]
    assert network.parameters.tolist() == before
    assert network.scaling is None


def test_parameters_of_another_length_are_refused() -> None:
    network = make_network()
    before = network.parameters.tolist()
    for bad, error in (([1.0, 2.0], ValueError), (None, TypeError), ("abc", TypeError)):
        with refused(error, "parameters") as caught:
            network.parameters = bad
        assert "row" not in str(caught.value)
    with refused(ValueError, "parameters", "finite", "nan"):
        network.parameters = np.full(len(before), NAN)
    assert network.parameters.tolist() == before


EXACT = np.random.default_rng(0).integers(-8, 9, (ROWS, 2)) / 4
WHOLE = EXACT.round()
UNUSUAL: dict[str, tuple[Any, Any]] = {
    "list": (EXACT, EXACT.tolist()),
    "tuples": (EXACT, tuple(map(tuple, EXACT))),
    "list of arrays": (EXACT, list(EXACT)),
    "columns apart": (EXACT, np.repeat(EXACT, 3, axis=1)[:, ::3]),
    "rows apart": (EXACT, np.repeat(EXACT, 2, axis=0)[::2]),
    "negative strides": (EXACT, np.ascontiguousarray(EXACT[::-1, ::-1])[::-1, ::-1]),
    "no strides": (np.ones((ROWS, 2)), np.broadcast_to(1.0, (ROWS, 2))),
    "Fortran order": (EXACT, np.asfortranarray(EXACT)),
    "unaligned": (EXACT, np.frombuffer(b"-" + EXACT.tobytes(), offset=1).reshape(ROWS, 2)),
    "objects": (EXACT, EXACT.astype(object)),
    "objects of integers": (WHOLE, WHOLE.astype(int).astype(object)),
    "frame": (EXACT, pd.DataFrame(EXACT, columns=["a", "b"], index=range(7, 7 + ROWS))),
    "frame of several types": (WHOLE, pd.DataFrame({0: WHOLE[:, 0].astype(int), 1: WHOLE[:, 1]})),
    "frame that allows gaps": (EXACT, pd.DataFrame(EXACT).astype("Float64")),
    "nothing masked": (EXACT, np.ma.masked_array(EXACT)),
    **{
        kind: (EXACT, EXACT.astype(kind))
        for kind in ("float16", "float32", "longdouble", ">f2", ">f4", ">f8", "<f4")
    },
    **{kind: (WHOLE, WHOLE.astype(kind)) for kind in ("int8", "int16", "int32", "int64", ">i4")},
    **{kind: (abs(WHOLE), abs(WHOLE).astype(kind)) for kind in ("uint8", "uint64", ">u2")},
    "bool": (WHOLE > 0, WHOLE > 0),
}


def outcome(x: Any, y: Any, weight: Any, dtype: str, family: Any = "normal") -> list[Any]:
    """The bits of everything that is made from data."""
    network = make_network(family, dtype=dtype)
    value, gradient = network.loss_and_gradient(x, y, weight)
    trainer = likely.Trainer(epochs=2, batch_size=4)
    history = trainer.fit(network, x, y, sample_weight=weight, validation=(x, y))
    prediction = network.predict_distribution(x)
    arrays = [network.parameters, gradient, prediction.raw, prediction.log_prob(y), history.loss]
    return [value, network.loss(x, y), *(array.tobytes() for array in arrays)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_arrays_give_the_same_bits(name: str, dtype: str) -> None:
    plain, unusual = UNUSUAL[name]
    plain = np.array(plain, dtype=np.float64, order="C")
    weight = np.arange(1.0, ROWS + 1)
    before = np.array(unusual).tolist()
    expected = outcome(plain, plain[:, 1].copy(), weight, dtype)
    y = unusual[:, 1] if isinstance(unusual, np.ndarray) else np.array(unusual)[:, 1]
    if isinstance(unusual, pd.DataFrame):
        y = unusual.iloc[:, 1]
    assert outcome(unusual, y, weight.astype(">i2")[::1], dtype) == expected
    if isinstance(unusual, np.ndarray):
        unusual.flags.writeable = False
        assert outcome(unusual, y, weight.tolist(), dtype) == expected
    assert np.array(unusual).tolist() == before


@pytest.mark.parametrize("labels", [int, bool, "uint8", ">i8", object, "float16", list, "Int64"])
def test_labels_of_any_type_give_the_same_bits(labels: Any) -> None:
    weight = np.ones(ROWS)
    unusual: Any = LABELS.tolist() if labels is list else pd.Series(LABELS, index=range(3, 9))
    if labels not in (list, "Int64"):
        unusual = LABELS.astype(labels)
    for family in ("bernoulli", likely.Categorical(2)):
        assert outcome(X, unusual, weight, "float32", family) == outcome(
            X, LABELS, weight, "float32", family
        )


def test_one_column_may_come_as_a_vector() -> None:
    network = likely.Network(1, layers=[likely.Dense(3, "tanh")])
    x, y = X[:, 0].copy(), X[:, 1].copy()
    assert network.loss(x, y) == network.loss(x[:, None], y[:, None])
    raw = [network.predict_distribution(values).raw for values in (x, x[:, None], x.tolist())]
    assert raw[0].tobytes() == raw[1].tobytes() == raw[2].tobytes()
    prediction = network.predict_distribution(x)
    assert prediction.log_prob(y).shape == prediction.log_prob(y[:, None]).shape == (ROWS,)
