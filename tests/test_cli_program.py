"""The command line as a program: Ctrl-C, pipes, imports, and what it says to type next."""

import signal
import subprocess
import sys

import likely
import pytest
from command_line import figure_in, numbers_table, run
from command_line import folder as folder
from likely import _console, _fit, cli


class _Interrupting:
    """Stands in for a progress bar; presses Ctrl-C after some epochs."""

    def __init__(self, total: int, *_: str) -> None:
        self.epochs = 0

    def __enter__(self) -> "_Interrupting":
        return self

    def __exit__(self, *_: object) -> None: ...

    def set_postfix_str(self, *_: object, **__: object) -> None: ...

    def update(self) -> None:
        self.epochs += 1
        if self.epochs >= 5:
            signal.raise_signal(signal.SIGINT)


def test_interrupted_fit_saves_the_best_so_far(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = numbers_table()
    monkeypatch.setattr(_fit, "progress", _Interrupting)
    before = signal.getsignal(signal.SIGINT)
    assert run("fit", "data.csv", "--target", "y", "-o", "m") == 130
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr()
    assert "stopping after this epoch" in said.err
    assert "fitted     5 epochs" in said.out
    held_out = frame.iloc[_fit._split(60, 0.2, 0)[1]]
    loss = likely.load("m").loss(held_out[["a", "b"]].to_numpy(), held_out.y.to_numpy())
    assert figure_in(said.out, "this network") == pytest.approx(loss, abs=6e-4)


def test_interrupted_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupted)
    assert run("config") == 130
    assert capsys.readouterr() == ("", "")


def test_version_config_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run("--version")
    assert capsys.readouterr().out == f"likely {likely.__version__}\n"
    assert run("config") == 0
    assert "kernel set:" in capsys.readouterr().out
    assert run() == 0
    assert "predict" in capsys.readouterr().out


def test_program() -> None:
    program = [sys.executable, "-m", "likely.cli"]
    numbers_table("big.csv", rows=20000)
    likely.Network(inputs=3).save("m")
    with (
        subprocess.Popen([*program, "--help"], stdout=subprocess.PIPE, text=True) as helping,
        subprocess.Popen(
            [*program, "predict", "m", "big.csv"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as predicting,
    ):
        assert predicting.stdout is not None
        assert predicting.stderr is not None
        assert predicting.stdout.readline().startswith("target_mean")
        predicting.stdout.close()  # as `| head -1` does
        assert predicting.stderr.read() == ""
        assert predicting.wait() == 141
        assert "usage: likely" in helping.communicate()[0]
        assert helping.returncode == 0


def test_the_command_line_imports_nothing_heavy() -> None:
    code = "import sys, likely.cli; print(*{'pandas', 'matplotlib', 'tqdm'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize(
    ("called", "found", "expected"),
    [
        ("/v/bin/likely", "/v/bin/likely", "likely fit 'a b'"),
        ("/v/bin/likely", "/usr/bin/likely", "/v/bin/likely fit 'a b'"),
        ("/v/bin/likely", None, "/v/bin/likely fit 'a b'"),
        ("/v/bin/pytest", None, "likely fit 'a b'"),
        ("/v/likely/cli.py", None, f"{sys.executable} -m likely.cli fit 'a b'"),
    ],
)
def test_what_to_type_next_works_where_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, called: str, found: str | None, expected: str
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr(_console.shutil, "which", lambda name: found)
    assert _console.command("fit", "a b") == expected
