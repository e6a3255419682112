"""Threads: the same bits at any number of them; forks, callers at once, bad numbers."""

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import likely
import numpy as np
import pytest
from likely import _core
from numpy.typing import NDArray
from support import ARCHITECTURES, CORE, DTYPES, INPUTS

COUNTS = (2, 3, 4, 7)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(autouse=True)
def always() -> Iterator[None]:
    """Cut even the shortest step into pieces, and leave the number of threads as it was."""
    before = int(_core.system()["threads"])
    _core.use_threads_always(True)
    yield
    _core.use_threads_always(False)
    likely.set_num_threads(before)


def results(
    network: likely.Network, data: dict[str, Any], threads: int, **options: Any
) -> list[NDArray[Any]]:
    """Return all that a network gives: of a fit, of losses and gradients, of predictions."""
    likely.set_num_threads(threads)
    trainer = likely.Trainer(epochs=2, threads=threads, **options)
    x, y, event = data["x"], data["y"], data.get("event")
    weight = data.get("sample_weight")
    held_out = (x[:70], y[:70]) if event is None else (x[:70], y[:70], event[:70])
    history = trainer.fit(network, **data, validation=held_out)
    loss, gradient = network.loss_and_gradient(x, y, sample_weight=weight, event=event)
    return [
        network.parameters,
        network.averages,
        history.loss,
        history.validation_loss,
        history.gradient_norm,
        np.array([loss, network.loss(x, y, sample_weight=weight, event=event)]),
        gradient,
        network.predict_distribution(x).raw,
    ]


def assert_same_bits(make: Any, data: dict[str, Any], **options: Any) -> None:
    expected = results(make(), data, 1, **options)
    assert all(np.isfinite(values).all() for values in expected)
    for threads in COUNTS:
        for actual, wanted in zip(results(make(), data, threads, **options), expected, strict=True):
            np.testing.assert_array_equal(actual, wanted)


def made_data(rows: int, inputs: int, targets: int, dtype: str) -> dict[str, Any]:
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, inputs)).astype(dtype)
    return {"x": x, "y": rng.normal(size=(rows, targets)).astype(dtype)}


@each_dtype
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture(architecture: str, dtype: str) -> None:
    layers, output = ARCHITECTURES[architecture](CORE, 4)

    def make() -> likely.Network:
        return likely.Network(INPUTS, 2, layers, output=output, dtype=dtype, standardize=True)

    assert_same_bits(make, made_data(391, INPUTS, 2, dtype), batch_size=129, clip_norm=1.0)


@each_dtype
@pytest.mark.parametrize("batch_size", [1, 31, 63, 64, 100, 257, 1000, 2100, None])
@pytest.mark.parametrize("widths", [(67, 130), (16, 33, 256), (100, 3)])
def test_every_kind_of_cut(widths: tuple[int, ...], batch_size: int | None, dtype: str) -> None:
    """Products of one row and of many, whole and in pieces, in one chunk of rows and in several."""
    rows = 90 if batch_size == 1 else 2100

    def make() -> likely.Network:
        layers = [likely.Dense(width, "tanh") for width in widths]
        return likely.Network(95, 1, layers, dtype=dtype)

    data = made_data(rows, 95, 1, dtype)
    data["sample_weight"] = np.linspace(0.0, 2.0, rows)
    assert_same_bits(make, data, batch_size=batch_size, optimizer=likely.Adam(learning_rate=1e-4))


@each_dtype
@pytest.mark.parametrize("inputs", [257, 300, 993])  # 257 = 128 + 129, 993 = 496 + 497
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_first_layer_in_halves(activation: str, inputs: int, dtype: str) -> None:
    """Of many inputs; standardised and not, in order and not, with and without a bias."""
    data = made_data(230, inputs, 1, dtype)

    def make() -> likely.Network:
        layers = [likely.Dense(259, activation), likely.Dense(131, activation)]
        return likely.Network(inputs, 1, layers, dtype=dtype, standardize=True)

    def plain() -> likely.Network:
        layers = [likely.Dense(258, activation, bias=False), likely.Dense(20)]
        return likely.Network(inputs, 1, layers, dtype=dtype)

    rate = likely.Adam(learning_rate=1e-4)
    assert_same_bits(make, data, batch_size=100, optimizer=rate)
    assert_same_bits(plain, data, batch_size=100, optimizer=rate, shuffle=False)


FAMILIES: list[likely.Distribution] = [
    likely.Normal(scale="shared"), likely.StudentT(df="shared"), likely.Gamma(), likely.Poisson(),
    likely.Categorical(classes=7), likely.Ordinal(levels=4), likely.Quantiles([0.1, 0.5, 0.9]),
    likely.MultivariateNormal(), likely.Mixture(likely.Normal(), 3),
    likely.ZeroInflated(likely.Poisson()),
]  # fmt: skip


@each_dtype
@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_every_kind_of_family(family: likely.Distribution, dtype: str) -> None:
    data = made_data(601, 40, 2, dtype)
    data["y"] = np.floor(np.abs(data["y"])) % 4
    if isinstance(family, likely.Gamma):
        data["y"] += 1

    def make() -> likely.Network:
        return likely.Network(40, 2, [likely.Dense(48, "relu")], family, dtype=dtype)

    assert_same_bits(make, data, batch_size=None, optimizer="sgd", clip_value=0.1)


def test_censored_targets() -> None:
    data = made_data(700, 40, 1, "float32")
    data["y"] = np.exp(data["y"])
    data["event"] = data["x"][:, :1] > 0

    def make() -> likely.Network:
        return likely.Network(40, 1, [likely.Dense(48, "relu")], "weibull", standardize=True)

    assert_same_bits(make, data, batch_size=300)


@pytest.mark.parametrize("stabilize", ["warmup", "beta", "faithful", "natural"])
def test_stabilizers(stabilize: str) -> None:
    def make() -> likely.Network:
        return likely.Network(40, 2, [likely.Dense(48, "silu"), likely.Dense(64, "tanh")])

    data = made_data(500, 40, 2, "float32")
    assert_same_bits(make, data, batch_size=200, stabilize=stabilize, clip_norm=1.0)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad", "adamw"])
def test_optimizers_and_penalties(optimizer: str) -> None:
    """With parameters enough for several pieces of the update and of the norm."""

    def make() -> likely.Network:
        return likely.Network(40, 1, [likely.Dense(200, "tanh"), likely.Dense(150, "relu")])

    data = made_data(300, 40, 1, "float32")
    assert_same_bits(make, data, batch_size=128, optimizer=optimizer, l1=1e-3, clip_norm=0.5)


@likely.distribution(parameters=("loc",))
def gauss(y: Any, loc: Any) -> Any:
    return -0.5 * (y - loc) ** 2


def test_a_density_of_ones_own() -> None:
    def make() -> likely.Network:
        return likely.Network(40, 1, [likely.Dense(64, "tanh")], gauss)

    assert_same_bits(make, made_data(500, 40, 1, "float32"), batch_size=200)


def test_an_error_inside_of_a_step_leaves_the_pool_usable() -> None:
    @likely.distribution(parameters=("loc",))
    def fails(y: Any, loc: Any) -> Any:
        if np.size(y) == 200:
            raise RuntimeError("on purpose")
        return -0.5 * (y - loc) ** 2

    data = made_data(200, 40, 1, "float32")
    network = likely.Network(40, 1, [likely.Dense(64, "tanh")], fails)
    with pytest.raises(Exception, match="on purpose"):
        likely.Trainer(batch_size=None, threads=3).fit(network, **data)
    test_stabilizers("beta")

    def interrupts(epoch: likely.Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        likely.Trainer(threads=3).fit(likely.Network(40), **data, callback=interrupts)
    test_stabilizers("natural")


def predictions(network: likely.Network, x: NDArray[Any], threads: int) -> list[NDArray[Any]]:
    likely.set_num_threads(threads)
    out = np.empty((len(x), 4), x.dtype)
    network.predict_into(x, out)
    d = network.predict_distribution(x)
    return [network.predict(x), out, d.raw, d.mean, d.quantile(0.9)]


# Around the ends of pieces, of blocks and of what threads take at once.
ROWS = (1, 2, 31, 33, 63, 65, 97, 255, 257, 300, 513, 769, 1025, 2049, 2305, 3073, 4099)


@each_dtype
@pytest.mark.parametrize("standardize", [False, True])
def test_predictions(standardize: bool, dtype: str) -> None:
    layers = [
        likely.Dense(70, "tanh"),
        likely.BatchNorm(),
        likely.Dropout(0.2),
        likely.Residual(likely.Dense(70, "relu"), likely.LayerNorm()),
        likely.Dense(33, "relu"),
    ]
    network = likely.Network(13, 2, layers, dtype=dtype, standardize=standardize)
    data = made_data(ROWS[-1], 13, 2, dtype)
    likely.Trainer(epochs=1, batch_size=500).fit(network, **data)
    whole = predictions(network, data["x"], 1)
    for rows in ROWS:
        expected = predictions(network, data["x"][:rows], 1)
        assert len(expected[0]) == rows and np.isfinite(np.concatenate(expected[:3])).all()
        for threads in (2, 3, 7):
            found = predictions(network, data["x"][:rows], threads)
            for actual, wanted in zip(found, expected, strict=True):
                np.testing.assert_array_equal(actual, wanted)
        if rows > 1:  # a row has the same bits in every batch
            for actual, wanted in zip(expected, whole, strict=True):
                np.testing.assert_array_equal(actual, wanted[:rows])


@pytest.mark.parametrize("threads", [1, 3])
def test_a_bad_number_is_found_wherever_it_stands(threads: int) -> None:
    likely.set_num_threads(threads)
    network = likely.Network(5, 1, [likely.Dense(40, "relu")])
    x = np.ones((5000, 5), np.float32)
    for row in (4999, 2500, 300, 0):
        x[row, 3] = np.inf
        with pytest.raises(ValueError, match=f"x must be finite in float32; row {row}, column 3"):
            network.predict(x)


def test_many_predictions_at_once() -> None:
    """Of one network for all and of one for each."""
    x = made_data(1500, 40, 1, "float32")["x"]
    likely.set_num_threads(3)
    networks = [likely.Network(40, 1, [likely.Dense(64, "tanh")], seed=seed) for seed in range(4)]
    expected = [network.predict(x) for network in networks]
    wrong: list[int] = []

    def run(number: int) -> None:
        for _ in range(20):
            for each in (0, number):
                if np.any(networks[each].predict(x) != expected[each]):
                    wrong.append(each)

    callers = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def fitted(threads: int) -> NDArray[Any]:
    network = likely.Network(40, 1, [likely.Dense(64, "tanh"), likely.Dense(64, "tanh")])
    data = made_data(600, 40, 1, "float32")
    likely.Trainer(epochs=5, batch_size=128, threads=threads).fit(network, **data)
    return network.parameters.copy()


def test_many_fits_at_once() -> None:
    """One has the pool, the others work alone; more of them than there are cores."""
    expected = fitted(1)
    found: list[NDArray[Any]] = []

    def run() -> None:
        found.extend(fitted(4) for _ in range(3))

    callers = [threading.Thread(target=run) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 24
    for parameters in found:
        np.testing.assert_array_equal(parameters, expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_trains_too() -> None:
    expected = fitted(4)
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(fitted(4), expected) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        np.testing.assert_array_equal(fitted(3), expected)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_of_every_kind(method: str) -> None:
    expected = fitted(4)
    with multiprocessing.get_context(method).Pool(2) as processes:
        for parameters in processes.map(fitted, [4, 1, 2]):
            np.testing.assert_array_equal(parameters, expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_beside_a_training_thread() -> None:
    """The child has a copy of a pool that is at work, and none of its threads."""
    expected, ended = fitted(4), threading.Event()

    def run() -> None:
        while not ended.is_set():
            fitted(4)

    other = threading.Thread(target=run)
    other.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                os._exit(0 if np.array_equal(fitted(4), expected) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        ended.set()
        other.join()


@pytest.mark.parametrize("threads", [0, -1, 257, 10**30, 2.0, "2", True])
def test_a_bad_number_of_threads_is_refused(threads: Any) -> None:
    before = _core.system()["threads"]
    with pytest.raises((ValueError, TypeError), match=r"threads must be .*; got"):
        likely.Trainer(threads=threads)
    with pytest.raises((ValueError, TypeError), match=r"count must be .*; got"):
        likely.set_num_threads(threads)
    assert _core.system()["threads"] == before


def test_no_number_is_no_number_to_set() -> None:
    assert likely.Trainer(threads=None).threads is None
    with pytest.raises(TypeError, match="count must be an integer; got NoneType None"):
        likely.set_num_threads(None)  # type: ignore[arg-type]


def test_show_config_shows_the_number_that_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    likely.set_num_threads(5)
    likely.show_config()
    assert "\nthreads:    5\n" in capsys.readouterr().out


def imported_with(threads: str) -> subprocess.CompletedProcess[str]:
    code = "import likely; likely.show_config()"
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "LIKELY_NUM_THREADS": threads},
        check=False,
    )


def test_the_environment_variable() -> None:
    assert "\nthreads:    3\n" in imported_with("3").stdout
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert f"\nthreads:    {cores}\n" in imported_with("").stdout


@pytest.mark.parametrize("threads", ["0", "-2", "two", "2.5", " 2", "2 ", "257", "9" * 30])
def test_a_bad_environment_variable_is_refused(threads: str) -> None:
    done = imported_with(threads)
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert message.startswith(f"ImportError: LIKELY_NUM_THREADS={threads} is not a whole number")


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two CPUs and a system that tells who may run where",
)
def test_workers_keep_off_the_callers_cpu() -> None:
    """In a process of its own: its threads are the caller, those of NumPy, and the workers."""
    program = """
import os, numpy as np, likely
from likely import _core
_core.use_threads_always(True)
before = set(os.listdir("/proc/self/task"))
x = np.linspace(-1.0, 1.0, 256)[:, None]
likely.Trainer(epochs=3, threads=2).fit(likely.Network(1, 1, [likely.Dense(32)]), x, x)
allowed = os.sched_getaffinity(0)
for thread in set(os.listdir("/proc/self/task")) - before:
    print(len(allowed - os.sched_getaffinity(int(thread))))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["1"]
