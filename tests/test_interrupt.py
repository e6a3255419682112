"""What happens around a fit while it runs: Ctrl-C, other threads, a callback that raises."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import likely
import numpy as np
import pytest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
Y = RNG.normal(size=400)

# Fits until it is interrupted, then says what is left.
INTERRUPTED = """
import json, sys, time
import likely, numpy as np

rows, options, sizes, held_out = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(rows, 1)), rng.normal(size=rows)
network = likely.Network(1, layers=[likely.Dense(size, "tanh") for size in sizes], standardize=True)
trainer = likely.Trainer(likely.SGD(1e-6), epochs=10**12, **options)
before = network.parameters.copy()
validation = None if held_out is None else (rng.normal(size=(held_out, 1)), np.zeros(held_out))
print("ready", flush=True)
try:
    trainer.fit(network, x, y, validation=validation)
except KeyboardInterrupt:
    print(time.time())
history = trainer.history
again = likely.Trainer(epochs=1).fit(network, x[:50], y[:50])
print(json.dumps({
    "steps": history.steps,
    "epochs": history.epochs,
    "losses": history.loss.tolist(),
    "seconds": history.seconds,
    "stopped": history.stopped,
    "moved": bool((network.parameters != before).any()),
    "finite": bool(np.isfinite(network.parameters).all()),
    "again": again.epochs,
    "usable": bool(np.isfinite(network.predict_distribution([[0.5]]).mean).all()),
}))
"""

Fit = tuple[int, dict[str, Any], list[int], int | None]
FITS: dict[str, Fit] = {
    "many short epochs": (100, {"batch_size": 10}, [4], None),
    "epochs of one step": (1, {"batch_size": None}, [], None),
    "one endless epoch of tiny steps": (3_000_000, {"batch_size": 1}, [], None),
    "long steps": (512, {"batch_size": None, "shuffle": False}, [512, 512], None),
    "long validation": (10, {}, [64, 64], 20_000),
}


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to another process")
@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_ctrl_c_ends_a_fit_within_a_second(fit: Fit) -> None:
    command = [sys.executable, "-c", INTERRUPTED, json.dumps(fit)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.4)
            sent = time.time()
            process.send_signal(signal.SIGINT)
            caught, report = process.communicate(timeout=30)[0].splitlines()
        finally:
            process.kill()
    assert float(caught) - sent < 1
    left = json.loads(report)
    assert left["steps"] > 0
    assert left["moved"]
    assert left["finite"]
    assert left["usable"]
    assert left["again"] == 1
    assert len(left["losses"]) == left["epochs"] <= left["steps"]
    assert np.isfinite(left["losses"]).all()
    assert left["stopped"] == "interrupted"
    assert 0.1 < left["seconds"] < 30


def make_network(seed: int = 0, dtype: str = "float32") -> likely.Network:
    layers = [likely.Dense(16, "tanh"), likely.Residual(likely.Dense(16, "relu"))]
    return likely.Network(3, layers=layers, standardize=True, seed=seed, dtype=dtype)


class Failure(Exception):
    pass


def raising(error: BaseException, at: int) -> Callable[[likely.Epoch], None]:
    def callback(epoch: likely.Epoch) -> None:
        if epoch.number == at:
            raise error

    return callback


@pytest.mark.parametrize("error", [Failure("mine"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_callback_raises_passes_through(error: BaseException) -> None:
    network, trainer = make_network(), likely.Trainer(epochs=10, batch_size=50)
    with pytest.raises(type(error)) as caught:
        trainer.fit(network, X, Y, callback=raising(error, at=3))
    assert caught.value is error
    same = make_network()
    expected = likely.Trainer(epochs=4, batch_size=50).fit(same, X, Y)
    assert trainer.history.loss.tolist() == expected.loss.tolist()
    assert trainer.history.steps == 4 * 8
    assert trainer.history.stopped == "interrupted"
    assert network.parameters.tobytes() == same.parameters.tobytes()
    assert trainer.fit(network, X, Y).epochs == 10


def test_a_callback_ends_a_fit_and_sees_the_network() -> None:
    network, seen = make_network(), list[Any]()

    def callback(epoch: likely.Epoch) -> bool:
        seen.append((epoch, network.loss(X, Y), network.parameters.tobytes()))
        return epoch.number == 2

    trainer = likely.Trainer(epochs=10)
    history = trainer.fit(network, X, Y, validation=(X, Y), callback=callback)
    assert history.epochs == len(seen) == 3
    assert history.stopped == "callback"
    assert [epoch.number for epoch, _, _ in seen] == [0, 1, 2]
    assert [epoch.loss for epoch, _, _ in seen] == history.loss.tolist()
    assert [epoch.validation_loss for epoch, _, _ in seen] == history.validation_loss.tolist()
    np.testing.assert_allclose([loss for _, loss, _ in seen], history.validation_loss, rtol=1e-6)
    assert seen[-1][2] == network.parameters.tobytes()
    assert len({bits for _, _, bits in seen}) == 3


def test_a_callback_may_fit_another_network() -> None:
    inner, alone = make_network(1), make_network(1)
    callback = raising(Failure(), at=99)

    def fit_inner(epoch: likely.Epoch) -> None:
        callback(epoch)
        likely.Trainer(epochs=1, seed=epoch.number).fit(inner, X, Y)

    likely.Trainer(epochs=2).fit(make_network(), X, Y, callback=fit_inner)
    for seed in (0, 1):
        likely.Trainer(epochs=1, seed=seed).fit(alone, X, Y)
    assert inner.parameters.tobytes() == alone.parameters.tobytes()


def counted_during(work: Callable[[], object]) -> int:
    """How often another Python thread gets its turn while `work` runs."""
    turns, done = 0, threading.Event()
    started = threading.Event()

    def count() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            started.set()

    thread = threading.Thread(target=count)
    thread.start()
    started.wait()
    before = turns
    work()
    during = turns - before
    done.set()
    thread.join()
    return during


def test_the_interpreter_lock_is_released() -> None:
    # One call of each lasts long enough that a thread which waits for the lock would get no turn.
    network = likely.Network(3, layers=[likely.Dense(256, "tanh"), likely.Dense(256, "tanh")])
    x, y = np.tile(X, (80, 1)), np.tile(Y, 80)
    trainer = likely.Trainer(epochs=1, batch_size=16)
    alone = counted_during(lambda: time.sleep(0.1))
    for work in (
        lambda: trainer.fit(network, x, y),
        lambda: network.loss_and_gradient(x, y),
        lambda: network.loss(x, y),
        lambda: network.predict_distribution(x),
    ):
        start = time.perf_counter()
        turns = counted_during(work)
        share = turns / (alone * (time.perf_counter() - start) / 0.1)
        assert share > 0.2, (turns, share)


def test_fits_in_threads_give_the_same_bits_as_one_after_the_other() -> None:
    kinds = [(seed, dtype) for seed in (0, 1) for dtype in ("float32", "float64")]
    histories: dict[Any, Any] = {}

    def fit(kind: Any, network: likely.Network) -> None:
        trainer = likely.Trainer(epochs=20, batch_size=16, seed=kind[0])
        history = trainer.fit(network, X, Y, validation=(X, Y))
        losses = (history.loss.tobytes(), history.validation_loss.tobytes())
        histories.setdefault(kind, []).append((losses, network.parameters.tobytes()))

    for kind in kinds:
        fit(kind, make_network(*kind))
    barrier = threading.Barrier(len(kinds))

    def run(kind: Any) -> None:
        barrier.wait()
        fit(kind, make_network(*kind))

    threads = [threading.Thread(target=run, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(histories[kind]) == 2 for kind in kinds)
    assert all(first == second for first, second in histories.values())


def test_one_network_predicts_in_many_threads() -> None:
    network = make_network()
    expected = network.predict_distribution(X).raw.tobytes()
    results: list[bytes] = []

    def predict() -> None:
        results.extend(network.predict_distribution(X).raw.tobytes() for _ in range(20))

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 80


def test_a_prediction_stays_what_it_was_while_its_network_is_fitted_further() -> None:
    network = likely.Network(3, distribution=likely.Normal("shared"), standardize=True)
    prediction = network.predict_distribution(X)
    before = [prediction.mean.tolist(), prediction.std.tolist(), prediction.log_prob(Y).tolist()]
    likely.Trainer(epochs=3).fit(network, X, 10 * Y)
    after = [prediction.mean.tolist(), prediction.std.tolist(), prediction.log_prob(Y).tolist()]
    assert after == before


def test_a_diverged_fit_says_so_and_keeps_its_history() -> None:
    network, trainer = make_network(), likely.Trainer(likely.SGD(1e30), epochs=5, batch_size=None)
    with pytest.raises(likely.DivergedError, match="learning rate") as caught:
        trainer.fit(network, X, Y)
    assert isinstance(caught.value, ArithmeticError)
    assert "epoch" in str(caught.value)
    assert trainer.history.epochs == trainer.history.steps >= 1
    assert trainer.history.stopped != "epochs"
