"""Peers side by side: one worker process each, on the same cores, one awake at a time."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.machine import pinned, with_threads

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / "build/bench"
PEERS = ("likely", "numpy", "jax", "torch", "sklearn", "onnxruntime")


class Missing(Exception):
    """The peer's library is not installed."""


def interpreter(peer: str) -> str:
    """Of the peer's own environment where there is one, else this one."""
    own = ENVIRONMENTS / peer / "bin/python"
    return str(own) if own.exists() else sys.executable


class Worker:
    """A peer in a process of its own, pinned to `threads` cores from `first` on.

    Raises Missing where the peer is not installed, RuntimeError where a request fails.
    """

    def __init__(self, peer: str, threads: int, first: int = 0) -> None:
        self.peer, self.threads = peer, threads
        with pinned(threads, first):
            self._process = subprocess.Popen(
                [interpreter(peer), "-m", "bench.worker", peer, str(threads)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                env=with_threads(threads),
            )  # fmt: skip
        try:
            hello = self.answer()
        except RuntimeError:
            self.close()
            raise
        if "missing" in hello:
            self.close()
            raise Missing(hello["missing"])
        self.title, self.version = hello["title"], hello["version"]

    def ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        self.send(request, **arguments)
        return self.answer()

    def send(self, request: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        paths = {key: str(value) for key, value in arguments.items() if isinstance(value, Path)}
        print(
            json.dumps({"do": request, **arguments, **paths}), file=self._process.stdin, flush=True
        )

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.peer}: its worker ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.peer}: {answer['error']}")
        return answer

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Pair(Worker):
    """One more worker on the second core does at once what this one is asked: both have one thread.

    `epoch` then answers with half of the time in which both are done: what the cores give a peer
    that has nothing to share and nobody to wait for.
    """

    def __init__(self, peer: str) -> None:
        self._other = Worker(peer, 1, first=1)
        super().__init__(peer, 1)
        self.title += ", two at once"

    def ask(self, request: str, **arguments: Any) -> dict[str, Any]:
        if request not in ("prepare", "epoch"):
            return super().ask(request, **arguments)
        self._other.send(request, **arguments)
        self.send(request, **arguments)
        return both([worker.answer() for worker in (self._other, self)])

    def close(self) -> None:
        super().close()
        self._other.close()


def both(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One answer of two that worked at once: each has half of the time that the slower one took."""
    one = dict(answers[0])
    if "seconds" in one:
        one["seconds"] = max(answer["seconds"] for answer in answers) / len(answers)
    return one


class Team:
    """The workers of a contest, closed together; peers that are not installed are left out."""

    def __init__(self, peers: Sequence[str], threads: int) -> None:
        self.threads, self.workers = threads, list[Worker]()
        for peer in peers:
            try:
                self.workers.append(Worker(peer, threads))
            except Missing as error:
                say(f"{peer} is not measured: {error}")

    def __enter__(self) -> "Team":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.close()


def say(text: str) -> None:
    """A line about the progress; results go to the standard output."""
    print(text, file=sys.stderr, flush=True)


def commit() -> str:
    """Of the source tree; "+" where it was changed since."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""
