"""`Network.predict` and `predict_into`: one row by a way of its own, everything else by the general
one, with the same numbers and the same errors.
"""

import copy
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = ("float32", "float64")
OTHER = {"float32": "float64", "float64": "float32"}

# Widths on both sides of registers of 2 to 16 numbers, and of several of them.
WIDTHS = (1, 2, 3, 4, 5, 7, 8, 10, 16, 17, 31, 32, 50, 64, 65, 100, 129, 256, 300)


def make_network(inputs: int = 5, dtype: str = "float32", **options: Any) -> likely.Network:
    layers = options.pop("layers", [likely.Dense(9, "tanh"), likely.Dense(6, "relu")])
    network = likely.Network(inputs, layers=layers, dtype=dtype, **options)
    rng = np.random.default_rng(1)
    network.parameters = network.parameters + rng.normal(0, 0.1, network.parameters.size)
    return network


def rows(count: int, inputs: int = 5, dtype: str = "float32") -> Array:
    return np.random.default_rng(2).normal(size=(count, inputs)).astype(dtype)


def general(network: likely.Network, x: Array) -> Array:
    """The answer by the way that every array takes; of one row, as a matrix."""
    return network.predict_distribution(x).raw


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("outputs", WIDTHS)
def test_a_row_is_the_sum_of_its_products(outputs: int, dtype: str) -> None:
    unit = float(np.finfo(dtype).eps) / 2
    for inputs in WIDTHS:
        for bias in (True, False):
            network = likely.Network(
                inputs,
                distribution=likely.Quantiles(np.linspace(0.01, 0.99, outputs)),
                output=likely.Dense(outputs, bias=bias),
                dtype=dtype,
            )
            rng = np.random.default_rng(inputs)
            network.parameters = rng.normal(size=network.parameters.size)
            x = rows(1, inputs, dtype)
            named = {name: v.astype(float) for name, v in network.named_parameters().items()}
            terms = x[0, :, None].astype(float) * named["output.weight"]
            start = named["output.bias"] if bias else np.zeros(outputs)
            # Each of n + 1 numbers takes part in at most n + 1 roundings, in whatever order.
            bound = 1.01 * (inputs + 1) * unit * (np.abs(start) + np.abs(terms).sum(axis=0))
            predicted = network.predict(x)
            assert predicted.dtype == dtype
            assert np.all(np.abs(predicted[0] - (start + terms.sum(axis=0))) <= bound), inputs
            # A row within a batch is summed in another order: docs/conventions.md.
            batch = network.predict(np.repeat(x, 40, axis=0))
            assert np.all(np.abs(batch - predicted) <= 2 * bound), inputs


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("standardize", [False, True])
def test_all_ways_give_the_same_bits(dtype: str, standardize: bool) -> None:
    network = make_network(dtype=dtype, standardize=standardize)
    if standardize:
        y = 3 + rows(40, 1, dtype)[:, 0]
        likely.Trainer(epochs=2).fit(network, 5 + 2 * rows(40, dtype=dtype), y)
    x = rows(1, dtype=dtype)
    expected = general(network, x)
    spread = np.zeros((1, 10), dtype)
    spread[:, ::2] = x
    big_endian = x.astype(x.dtype.newbyteorder(">"))
    unaligned = np.frombuffer(b"\0" + x.tobytes(), dtype=np.uint8)[1:].view(dtype)
    masked = np.ma.MaskedArray(x)
    exact = [x, x.copy(order="F"), x.astype(OTHER[dtype]) if dtype == "float32" else x]
    for given in [*exact, spread[:, ::2], big_endian, unaligned.reshape(1, -1), masked, x.tolist()]:
        assert_array_equal(network.predict(given), expected)
        out = np.full_like(expected, 7)
        assert network.predict_into(given, out) is None
        assert_array_equal(out, expected)
    for given in [x[0], spread[0, ::2], big_endian[0], unaligned, masked[0], x[0].tolist()]:
        assert_array_equal(network.predict(given), expected[0])
        out = np.full_like(expected[0], 7)
        network.predict_into(given, out)
        assert_array_equal(out, expected[0])
    assert network.predict(x).dtype == network.predict(x.tolist()).dtype == dtype


LAYERS: dict[str, list[likely.Layer]] = {
    "linear": [],
    "dense": [likely.Dense(20, "gelu"), likely.Dense(3, "softplus")],
    "residual": [likely.Residual(likely.Dense(5, "silu")), likely.Residual(likely.Dense(5))],
    "deep residual": [likely.Residual(likely.Dense(7, "elu"), likely.Dense(5, "tanh"))],
    "dropout": [likely.Dropout(0.5), likely.Dense(4, "sigmoid"), likely.Dropout(0.1)],
    "normalised": [likely.BatchNorm(), likely.Dense(9), likely.LayerNorm(activation="relu")],
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_row_of_any_network_is_that_row_of_a_batch(name: str) -> None:
    network = make_network(dtype="float64", layers=LAYERS[name], targets=2)
    x = rows(700, dtype="float64")  # several blocks
    batch = general(network, x)
    one_by_one = np.stack([network.predict(row) for row in x])
    np.testing.assert_allclose(one_by_one, batch, rtol=1e-12, atol=1e-13)
    again = general(network, x[:1])  # memory that a batch has not seen
    assert_array_equal(again[0], one_by_one[0])


def test_many_rows_and_one_input() -> None:
    network, x = make_network(), rows(7)
    assert_array_equal(network.predict(x), general(network, x))
    out = np.empty((7, 2), np.float32)
    network.predict_into(x, out)
    assert_array_equal(out, general(network, x))
    narrow, column = make_network(1), rows(7, 1)
    for given in (column[:, 0], column):  # (rows,) are rows
        assert_array_equal(narrow.predict(given), general(narrow, column))
    assert narrow.predict(column[0]).shape == (1, 2)
    assert_array_equal(narrow.predict(column[0]), general(narrow, column[:1]))


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (np.zeros(4, np.float32), ValueError, r"x must have shape \(rows, 5\) or \(5,\).*\(4,\)"),
        (np.zeros((1, 6), np.float32), ValueError, r"x must have shape \(rows, 5\).*\(1, 6\)"),
        (np.zeros((1, 1, 5), np.float32), ValueError, r"x must have shape .*\(1, 1, 5\)"),
        (np.zeros((0, 5), np.float32), ValueError, "x must have at least one row"),
        (np.float32(1), ValueError, r"x must have shape"),
        (
            np.array([0, 0, np.nan, 0, 0], np.float32),
            ValueError,
            "x must be finite.*column 2 is nan",
        ),
        (
            np.array([0, 0, 0, 0, -np.inf], np.float32),
            ValueError,
            "x must be finite.*column 4 is -inf",
        ),
        (np.array([0, 0, 0, 0, 1e300]), ValueError, "x must be finite in float32.*column 4"),
        (np.zeros(5, complex), TypeError, "x must be an array of real numbers"),
        (["a"] * 5, TypeError, "x must be an array of real numbers"),
        (None, TypeError, "x must be an array of numbers; got None"),
    ],
)
def test_bad_rows_are_refused_alike(x: Any, error: type[Exception], words: str) -> None:
    network, out = make_network(), np.full(2, 7, np.float32)
    with pytest.raises(error, match=words):
        network.predict(x)
    with pytest.raises(error, match=words):
        network.predict_into(x, out)
    assert_array_equal(out, [7, 7])


def test_the_first_bad_number_of_many_rows_is_named() -> None:
    network, x = make_network(), rows(2000)
    x[[1234, 1999], [3, 0]] = np.nan  # in a later block
    with pytest.raises(ValueError, match="x must be finite in float32; row 1234, column 3 is"):
        network.predict(x)
    with pytest.raises(ValueError, match="x must be finite in float32; row 1234, column 3 is"):
        network.predict_distribution(x)


def read_only(shape: int) -> Array:
    array = np.full(shape, 7, np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("out", "error", "words"),
    [
        (np.full(2, 7.0), TypeError, "out must have the network's dtype float32; got float64"),
        (np.full(2, 7, ">f4"), TypeError, "out must have the network's dtype float32; got >f4"),
        (np.full(3, 7, np.float32), ValueError, r"out must have shape \(2,\); got shape \(3,\)"),
        (np.full((1, 2), 7, np.float32), ValueError, r"out must have shape \(2,\); .*\(1, 2\)"),
        (read_only(2), ValueError, "out must be writeable; got a read-only array"),
        ([7.0, 7.0], TypeError, "out must be a NumPy array; got list"),
        (None, TypeError, "out must be a NumPy array; got NoneType"),
    ],
)
def test_bad_outputs_are_refused_and_left_alone(
    out: Any, error: type[Exception], words: str
) -> None:
    for x in (rows(1)[0], rows(1)[0].tolist()):
        with pytest.raises(error, match=words):
            make_network().predict_into(x, out)
        assert out is None or np.all(np.asarray(out) == 7)


def test_outputs_may_be_strided_or_overlap_the_inputs() -> None:
    network, x = make_network(2, layers=[]), rows(1, 2)[0]
    expected = network.predict(x)
    spread = np.full(4, 7, np.float32)
    network.predict_into(x, spread[::2])
    assert_array_equal(spread, [expected[0], 7, expected[1], 7])
    for shift in (0, 1):
        memory = np.zeros(3, np.float32)
        memory[:2] = x
        network.predict_into(memory[:2], memory[shift : shift + 2])
        assert_array_equal(memory[shift : shift + 2], expected)


def test_wrong_calls_are_type_errors() -> None:
    network: Any = make_network()
    calls: list[Callable[[], Any]] = [
        network.predict,
        lambda: network.predict(1, 2),
        lambda: network._model.predict(),
        lambda: network._model.predict(1, 2),
        lambda: network._model.predict_into(1),
        lambda: type(network._model).predict(object(), 1),
        lambda: type(network._model).predict(type(network._model).__new__(type(network._model)), 1),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


def test_changes_of_the_network_are_seen() -> None:
    network, x = make_network(standardize=True), rows(1)[0]

    def check() -> Array:
        predicted = network.predict(x)
        assert_array_equal(predicted, general(copy.deepcopy(network), x[None])[0])
        return predicted

    seen = [check()]
    network.parameters[-1] += 1  # a view
    seen.append(check())
    network.parameters = network.parameters * 2
    seen.append(check())
    many, y = 5 + 2 * rows(50), rows(50, 1)
    for _ in range(2):  # the first sets the scaling
        likely.Trainer(epochs=1).fit(network, many, y)
        seen.append(check())
    during: list[Array] = []
    likely.Trainer(epochs=3).fit(network, many, y, callback=lambda _: during.append(check()))
    seen.extend(during)
    assert len({tuple(each) for each in seen}) == len(seen) == 8


def test_moving_averages_are_seen() -> None:
    network = make_network(layers=[likely.BatchNorm()])
    x = rows(1)[0]
    before = network.predict(x)
    network.averages[:5] += 1
    assert_array_equal(network.predict(x), general(pickle.loads(pickle.dumps(network)), x[None])[0])
    assert np.any(network.predict(x) != before)


def test_results_stay_and_are_their_own() -> None:
    network, x = make_network(), rows(2)
    first, second = network.predict(x[0]), network.predict(x[1])
    assert first.flags.owndata and first.flags.writeable and np.any(first != second)
    assert_array_equal(first, network.predict(x[0]))


# The larger one releases the interpreter lock.
@pytest.mark.parametrize("width", [8, 1200])
def test_threads_share_a_network(width: int) -> None:
    network = make_network(layers=[likely.Dense(width, "relu"), likely.Dense(width, "relu")])
    x = rows(8)
    expected = [network.predict(row) for row in x]
    wrong: list[int] = []
    together = threading.Barrier(len(x))

    def work(number: int) -> None:
        out = np.empty(2, np.float32)
        together.wait()
        for _ in range(200 if width == 8 else 20):
            network.predict_into(x[number], out)
            if np.any(out != expected[number]) or np.any(
                network.predict(x[number]) != expected[number]
            ):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(x))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_predicting_into_an_array_allocates_nothing() -> None:
    import tracemalloc

    network, x, out = make_network(), rows(1)[0], np.empty(2, np.float32)
    network.predict_into(x, out)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        network.predict_into(x, out)
        grown = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert grown == 0


COUNTED = """
import ctypes, likely, numpy as np

count = ctypes.CDLL(None)._Z16allocation_countv
count.restype = ctypes.c_size_t
network = likely.Network(5, layers=[likely.Dense(9, "tanh"), likely.Dense(400)], standardize=True)
x = np.ones((50, 5), np.float32)
likely.Trainer(epochs=1).fit(network, x, x[:, 0])
row, out = x[0], np.empty(2, np.float32)
many = np.ones((2000, 5), np.float32)  # whose predictions are an array that NumPy keeps no room for

def taken(calls, into):
    network.predict_into(row, out)
    before = count()
    for _ in range(calls):
        network.predict_into(row, out) if into else network.predict(many)
    return count() - before

print(taken(2000, True) - taken(20, True), taken(200, False) - taken(20, False) >= 180)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("c++") is None, reason="counts by a compiled malloc"
)
def test_predicting_into_an_array_allocates_nothing_below_python(tmp_path: Path) -> None:
    """The loop's own numbers are Python's, which takes them from its pools, or as often."""
    counter = Path(__file__).parent / "cpp/embed/count_allocations.cpp"
    library = tmp_path / "counter.so"
    command = ["c++", "-std=c++20", "-shared", "-fPIC", str(counter), "-o", str(library)]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [sys.executable, "-c", COUNTED],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LD_PRELOAD": str(library)},
    )
    assert done.stdout == "0 True\n"
