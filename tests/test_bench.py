"""The benchmark's arithmetic and its report, without a timing that could be wrong."""

import copy
import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest

from bench import report, rows, training
from bench.contest import Pair, Team, Worker, both
from bench.machine import CORES, Busyness
from bench.peers import numpy as numpy_peer
from bench.rows import Data, Row, floor, make_data, perceptron, row_from_json

KINDS = {
    "squared error": Row(perceptron((3, 5, 1)), 4, "squared error", "sgd", steps=6),
    "normal": Row(perceptron((2, 7, 4, 2)), 8, "normal", steps=5),
    "cross-entropy": Row(perceptron((4, 6, 3)), 8, "cross-entropy", steps=5),
    "tutorial": dataclasses.replace(rows.TRAINING[-1], batch=5, steps=3),
}


def by_hand(row: Row) -> int:
    """Multiplications and additions, product by product."""
    count = 0
    for i, layer in enumerate(row.layers):
        product = 2 * row.batch * layer.inputs * layer.outputs
        count += product * (2 if i == 0 else 3)
    return count


@pytest.mark.parametrize("row", [*rows.TRAINING, *KINDS.values()], ids=lambda row: row.name)
def test_operations_and_parameters_of_a_row(row: Row) -> None:
    assert row.operations == by_hand(row)
    shared = {layer.offset: layer for layer in row.layers}
    sizes = [(layer.inputs + 1) * layer.outputs for layer in shared.values()]
    assert row.parameters == sum(sizes)
    ends = sorted((layer.offset, layer.end) for layer in shared.values())
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(ends))


def test_a_row_crosses_json() -> None:
    for row in rows.TRAINING:
        assert row_from_json(json.loads(json.dumps(row.as_json()))) == row


def test_the_floor_adds_arithmetic_update_and_gather() -> None:
    row = Row(perceptron((3, 5, 1)), 4, "squared error", "adam", steps=6)
    bandwidth = {256: 1e9, 1024: 1e8, 4096: 1e7}
    least = floor(row, 1e6, bandwidth)
    # 15 and 5 weights, the first layer's without a product for its input's gradient; 26 parameters.
    assert least.arithmetic == pytest.approx(2 * 4 * (3 * 20 - 15) / 1e6)
    assert least.update == pytest.approx(26 * 28 / 1e8)  # 416 bytes of w, g, m, v
    assert least.gather == pytest.approx(4 * 4 * 3 / 1e8)  # of 288 bytes
    assert least.seconds == pytest.approx(least.arithmetic + least.update + least.gather)
    sgd = floor(dataclasses.replace(row, optimizer="sgd"), 1e6, bandwidth)
    assert sgd.update == pytest.approx(26 * 12 / 1e9)  # 208 bytes of w, g
    assert rows.of_span(bandwidth, 10**6) == 1e7


@pytest.mark.parametrize("name", KINDS)
def test_numpy_by_hand_does_the_work_of_likely(name: str, tmp_path: Path) -> None:
    """Through the workers, as in a run: the same losses, and parameters that end together."""
    row = KINDS[name]
    with Team(["likely", "numpy"], 1) as team:
        able, first = training.prepare(team.workers, row, tmp_path)
        entrants = [training.Entrant(worker, row) for worker in able]
        ends = [entrant.few_steps(row.steps, tmp_path / "end.npy") for entrant in entrants]
    training.check_same_work(entrants, ends, first)
    assert [entrant.worker.title for entrant in entrants] == ["likely", "NumPy"]
    assert entrants[0].loss == pytest.approx(entrants[1].loss, rel=1e-5)
    assert all(entrant.agrees for entrant in entrants)
    assert entrants[0].apart < 1e-3
    assert np.linalg.norm(ends[0] - first) > 0


def test_other_work_is_noticed() -> None:
    class Stranger:
        peer = title = "stranger"

    row, first = KINDS["normal"], np.zeros(3)
    worker: Any = Stranger()
    entrants = [training.Entrant(worker, row) for _ in range(3)]
    for entrant, loss in zip(entrants, (1.0, 1.00005, 1.01), strict=True):
        entrant.loss = loss
    ends = [np.ones(3), np.ones(3), np.ones(3)]
    training.check_same_work(entrants, ends, first)
    assert [entrant.agrees for entrant in entrants] == [True, True, False]
    ends[1] = np.array([1, 1, 1.1])
    training.check_same_work(entrants, ends, first)
    assert [entrant.agrees for entrant in entrants] == [True, False, False]
    ends[0] = np.full(3, np.nan)
    training.check_same_work(entrants, ends, first)
    assert not any(entrant.agrees for entrant in entrants)


def test_a_worker_answers_errors_and_goes_on() -> None:
    with Worker("numpy", 1) as worker:
        assert worker.version == np.__version__
        with pytest.raises(RuntimeError, match="AssertionError"):
            worker.ask("epoch", steps=1)
        assert worker.ask("memory")["bytes"] > 1e6


@pytest.mark.skipif(len(CORES) < 2, reason="needs a second core")
def test_two_at_once_do_the_work_of_one(tmp_path: Path) -> None:
    row = KINDS["normal"]
    with Worker("numpy", 1) as one, Pair("numpy") as two:
        able, _ = training.prepare([one, two], row, tmp_path)
        assert able == [one, two]
        single, pair = (worker.ask("epoch", steps=row.steps) for worker in able)
    assert two.title == "NumPy, two at once"
    assert pair["loss"] == single["loss"]
    assert both([{"seconds": 2.0, "loss": 1}, {"seconds": 3.0}]) == {"seconds": 1.5, "loss": 1}


def test_a_peer_that_is_missing_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with Team(["no_such_library", "numpy"], 1) as team:
        assert [worker.peer for worker in team.workers] == ["numpy"]
    assert "no_such_library is not measured" in capsys.readouterr().err


def test_batches_are_those_of_a_fit() -> None:
    """The loss of an epoch of one batch a row tells the order, as it is met before each update."""
    row = Row(perceptron((1, 1)), 1, "squared error", "sgd", steps=50, learning_rate=0.3)
    data = make_data(row)
    assert sorted(data.batches.ravel()) == list(range(50))
    network = likely.Network(1, distribution=likely.Normal(scale=1.0))
    network.parameters = data.parameters
    trainer = likely.Trainer(likely.SGD(learning_rate=0.3), 1, epochs=1)
    loss = trainer.fit(network, data.x, data.y).loss[0] - 0.5 * np.log(2 * np.pi)
    in_order = Data(data.x, data.y, np.arange(50)[:, None], data.parameters)
    assert numpy_peer.training(row, data).epoch(50)[1] == pytest.approx(loss, rel=1e-4)
    assert numpy_peer.training(row, in_order).epoch(50)[1] != pytest.approx(loss, rel=1e-2)


def test_predictions_by_numpy_are_those_of_likely() -> None:
    from bench.peers import likely as ours

    for row in rows.SERVED:
        parameters = rows.first_parameters(row, np.random.default_rng(0))
        x = np.random.default_rng(1).standard_normal((5, row.inputs), np.float32)
        expected = numpy_peer.predict(row, parameters)(x)
        np.testing.assert_allclose(ours.predict(row, parameters)(x), expected, rtol=1e-4, atol=1e-5)


def test_busyness_is_a_share() -> None:
    busy = Busyness().report()
    assert busy["load_before"] >= 0
    assert busy["others"] is None or busy["others"] >= 0


# ---- the report


def entrant(peer: str, seconds: Any, **more: Any) -> dict[str, Any]:
    return {"peer": peer, "seconds": seconds, "threads": 1, "agrees": True, **more}


def canned() -> dict[str, Any]:
    row = KINDS["normal"].as_json()
    step = [
        entrant("likely", [1e-6, 2e-6, 3e-6]),
        entrant("NumPy", [4e-6, 6e-6, 9e-6]),
        entrant("JAX", [2e-6, 3e-6, 9e-6]),
        entrant("PyTorch", [1e-9] * 3, agrees=False),
    ]
    two_cores = [
        entrant("likely", [1e-6] * 3, threads=2),
        entrant("likely", [1.9e-6, 1e-6, 1.9e-6]),
        entrant("likely, two at once", [0.95e-6] * 3),
    ]
    once = [[1e-6, 2e-6, 3e-6, 4e-6]] * 3
    twice = [[3e-6, 4e-6, 5e-6, 9e-6]] * 3
    served = rows.SERVED[0].as_json()
    return {
        "when": "2030-01-01", "commit": "abc", "versions": {"likely": "1", "NumPy": "2"},
        "machine": {
            "cpu": "C", "cores": 2, "system": "S", "peak": 1e9, "product": 5e8,
            "bandwidth": {str(1 << k): 1e9 for k in range(13, 29)},
            "busy": {"load_before": 0.1, "others": 0.25, "stolen": 0.01},
        },
        "training": [
            {"row": row, "cores": 1, "entrants": step},
            {"row": row, "cores": 2, "entrants": two_cores, "handovers": [5e-8, 2e-7, 6e-8]},
        ],
        "one_row": [
            {"row": served, "entrants": [entrant("likely", once), entrant("NumPy", twice)]}
        ],
        "many_rows": [
            {"row": served, "rows": 1000,
             "entrants": [entrant("likely", [1e-3] * 2), entrant("NumPy", [2e-3] * 2)]}
        ],
        "around": {
            "import": {"likely": [0.1], "NumPy": [0.08]}, "installed": {"likely": 5_000_000},
            "wheel": 2_000_000, "memory": {"data": 46_000_000, "likely": 50_000_000},
        },
        "sweep": [
            {"row": row, "entrants": [entrant("likely", [s]), entrant("NumPy", [1e-6])]}
            for s in (0.5e-6, 1.04e-6, 1.06e-6)
        ],
    }  # fmt: skip


def test_the_report_of_known_results() -> None:
    text = report.markdown(canned(), ["something"])
    name = KINDS["normal"].name
    # 2 (3 (14 + 28 + 8) - 14) 8 operations at 1e9; 21 + 32 + 10 parameters; the best peer is JAX,
    # for PyTorch did other work.
    assert KINDS["normal"].operations == 2176
    least = f"{1e6 * (2176 + 28 * 63 + 4 * 8 * 2) / 1e9:#.3g}"
    assert KINDS["normal"].parameters == 63
    assert f"| {name} | 2.00 (1.50 to 2.50) | 6.00 | 3.00 | {least} |" in text
    assert f"| {name} | 2.00 (1.75 to 2.50), JAX | 3.00 (3.00 to 3.50) | 2.00" in text
    assert "Did different work, and do not count" in text and "PyTorch" in text
    # two cores against one, two fits at once, and the two rounds in which the cores were near
    two = "1.90 (1.45 to 1.90) | 2.00 (1.53 to 2.00) | 60 (55 to 130) | 1.90 (1.90 to 1.90)"
    assert f"| {name} | - | {two} |" in text
    assert "| 10-64-64-2 | 2.00 / 4.00 | 4.00 / 9.00 |" in text
    assert "| 10-64-64-2 | 1000 | 1000 | 500 |" in text
    assert "| installed, MB, without NumPy | - | 5.0 | - |" in text
    assert "The wheel has 2.00 MB." in text
    assert "3 shapes, one core; slower than the best peer by more than 5 %: 1." in text
    assert "other programs took 25% of all cores" in text
    assert "**Slower than before:**\n\n- something\n" in text


def test_the_report_of_parts() -> None:
    results = canned()
    for part in ("training", "one_row", "many_rows", "around", "sweep"):
        del results[part]
    results["machine"] |= {"peak": 0.0, "bandwidth": {}, "product": None}
    results["machine"]["busy"]["others"] = None
    assert "##" not in report.markdown(results, [])
    results["training"] = canned()["training"]
    assert "| - | - | - |" in report.markdown(results, [])  # no floor without a compiler


def test_history_tells_a_regression(tmp_path: Path) -> None:
    line = report.history_line(canned())
    name = f"{KINDS['normal'].name}, cores: 1"
    shares = line["likely / NumPy"]
    assert shares[name] == pytest.approx([0.291666, 1 / 3, 1 / 3], abs=1e-5)
    assert shares["10-64-64-2, one row"] == [0.5] * 3
    assert shares["10-64-64-2, 1000 rows"] == [0.5] * 3

    file = tmp_path / "history.jsonl"
    assert report.read_history(file) == []
    file.write_text(f"{json.dumps(line)}\n" * 3, "utf-8")
    history = report.read_history(file)
    assert report.regressions(history, line) == []

    def slower(factor: float, spread: float = 0.0) -> dict[str, Any]:
        changed = copy.deepcopy(line)
        middle = factor / 3
        changed["likely / NumPy"][name] = [middle - spread, middle, middle + spread]
        return changed

    assert report.regressions(history, slower(1.09)) == []
    assert report.regressions(history, slower(1.2)) == [
        f"{name}: 1.20 times the time of the runs before"
    ]
    assert report.regressions(history, slower(1.2, spread=0.2)) == []  # within the spread
    assert report.regressions(history, {**slower(1.2), "cpu": "another"}) == []
    assert report.regressions(history, {**slower(1.2), "numpy": "another"}) == []
    assert report.regressions(history, slower(0.5)) == []


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    from bench.pictures import draw

    results = canned()
    draw(results, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    del results["training"]
    draw(results, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_a_row_that_is_not_there_is_named() -> None:
    from bench.__main__ import chosen

    assert [row.inputs for row in chosen(rows.TRAINING, "784-2")] == [784]
    with pytest.raises(SystemExit, match="no row has '785' in its name; there are"):
        chosen(rows.TRAINING, "785")
