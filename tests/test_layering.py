"""The floors of the house: each file includes and imports only what stands below it."""

import ast
import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the ground up. A line is a room: the files of one subject, which may include each other and
# everything on the floors below, but no other room of their own floor.
PUBLIC = "cpp/include/likely"
CORE = "cpp/src"
PYTHON = "python/likely"
FLOORS: dict[str, list[str]] = {
    "0 ground": [
        f"{PUBLIC}/registry.hpp",
        f"{PUBLIC}/primitives.hpp {PUBLIC}/special_functions.hpp {PUBLIC}/gamma_functions.hpp",
        f"{PUBLIC}/memory.hpp {CORE}/memory.cpp",
        f"{CORE}/rng.hpp",
        f"{CORE}/threads.*",
        f"{CORE}/cpu.hpp",
        f"{CORE}/json*",
        f"{CORE}/files.*",
    ],
    "1 kinds": [
        f"{PUBLIC}/distributions.hpp {PUBLIC}/distributions/* {CORE}/distributions.cpp",
        f"{PUBLIC}/activations.hpp",
        f"{PUBLIC}/optimizers.hpp",
        f"{PUBLIC}/schedules.hpp {CORE}/schedules.cpp",
        f"{PUBLIC}/stabilizers.hpp",
        f"{CORE}/safetensors.*",
    ],
    "2 networks": [
        f"{PUBLIC}/layers.hpp {PUBLIC}/specification.hpp {CORE}/plan.* {CORE}/halves.hpp",
        f"{CORE}/checks.hpp",
    ],
    "3 kernels": [f"{CORE}/kernels/*", f"{CORE}/statistics.*", f"{CORE}/describe.hpp"],
    "4 models": [
        f"{PUBLIC}/model.hpp {CORE}/model.cpp {CORE}/model_file.* {CORE}/workspace.* "
        f"{CORE}/inference.* {CORE}/custom_likelihood.* {CORE}/stabilizer.* "
        f"{CORE}/head.hpp",
        f"{CORE}/kernels_linked.cpp",
        f"{CORE}/kernels_loaded.*",
    ],
    "5 users of models": [
        f"{PUBLIC}/trainer.hpp {CORE}/trainer.cpp {CORE}/scaling.hpp",
        f"{PUBLIC}/predictor.hpp {CORE}/predictor.cpp",
    ],
    "6 bindings": ["cpp/bindings/*"],
    "7 arguments": [
        f"{PYTHON}/_arrays.py {PYTHON}/_system.py",
        f"{PYTHON}/_training_rows.py",
        f"{PYTHON}/_angles.py",
        f"{PYTHON}/_crps.py",
        f"{PYTHON}/_integrals.py",
    ],
    "7 differentiation": [f"{PYTHON}/_differentiation.py"],
    "7 custom densities": [f"{PYTHON}/custom.py"],
    "7 predictions": [f"{PYTHON}/predictive.py {PYTHON}/_special.py"],
    "7 information measures": [
        f"{PYTHON}/information.py",
        f"{PYTHON}/metrics.py {PYTHON}/_evaluation.py",
    ],
    "7 networks": [f"{PYTHON}/network.py"],
    "7 checks of gradients": [f"{PYTHON}/_gradients.py"],
    "7 training": [f"{PYTHON}/trainer.py"],
    "7 calibration": [f"{PYTHON}/calibration.py"],
    "7 public names": [f"{PYTHON}/__init__.py"],
    "8 console": [f"{PYTHON}/_console.py"],
    "8 tables and pictures": [f"{PYTHON}/_table.py", f"{PYTHON}/plot.py {PYTHON}/_drawing.py"],
    "8 columns": [f"{PYTHON}/_columns.py"],
    "8 commands": [f"{PYTHON}/_fit.py", f"{PYTHON}/_predict.py"],
    "8 demonstration": [f"{PYTHON}/_demo.py"],
    "8 applications": [f"{PYTHON}/cli.py", f"{PYTHON}/sklearn.py", f"{PYTHON}/convert.py"],
    "8 python -m likely": [f"{PYTHON}/__main__.py"],
}
ROOMS = [
    (height, floor, room.split()) for height, floor in enumerate(FLOORS) for room in FLOORS[floor]
]
HEAVY = ("scipy", "sklearn", "pandas", "matplotlib", "tqdm")
# Of the standard library, beside what NumPy imports: each costs a good part of all of likely.
SLOW_LIBRARY = ("argparse", "asyncio", "email", "importlib.metadata", "tempfile", "unittest")


def files() -> list[str]:
    found = [
        *(ROOT / "cpp").rglob("*.[hc]pp"),
        *(ROOT / "cpp").rglob("*.h"),
        *(ROOT / PYTHON).rglob("*.py"),
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def room_of(file: str) -> tuple[int, str, list[str]]:
    rooms = [room for room in ROOMS if any(fnmatch.fnmatch(file, p) for p in room[2])]
    if len(rooms) != 1:
        where = "no floor" if not rooms else f"{len(rooms)} floors"
        pytest.fail(
            f"{file} stands on {where}: put it into FLOORS at the top of tests/test_layering.py "
            "once, in the room of its subject, above everything that it includes or imports"
        )
    return rooms[0]


def includes(file: str) -> Iterator[tuple[str, bool]]:
    """What stands in a file's #include lines, and whether it stands in quotes."""
    text = (ROOT / file).read_text("utf-8")
    for quote, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', text, re.MULTILINE):
        yield name, quote == '"'


def included_file(file: str, name: str) -> str:
    for folder in ((ROOT / file).parent, ROOT / CORE, ROOT / "cpp/include"):
        if (folder / name).exists():
            return (folder / name).resolve().relative_to(ROOT).as_posix()
    pytest.fail(f"{file} includes {name}, which is not in the project; use <> for others' headers")


def imports(file: str, in_functions: bool = True) -> Iterator[str]:
    """The full names of all that is imported in a file, wherever in it or outside of functions."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    nodes = list(ast.walk(tree))
    if not in_functions:
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        inner = {id(node) for function in functions for node in ast.walk(function)}
        nodes = [node for node in nodes if id(node) not in inner]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_file(name: str) -> str | None:
    """The project's file that a name comes from; the core's module has none."""
    first, _, rest = name.partition(".")
    if first != "likely" or rest.startswith("_core"):
        return None
    module = f"{PYTHON}/{rest.partition('.')[0]}.py"
    return module if rest and (ROOT / module).exists() else f"{PYTHON}/__init__.py"


def dependencies(file: str) -> Iterator[str]:
    if file.endswith(".py"):
        yield from filter(None, map(imported_file, imports(file)))
    else:
        yield from (included_file(file, name) for name, quoted in includes(file) if quoted)


@pytest.mark.parametrize("file", files())
def test_a_file_includes_only_what_stands_below(file: str) -> None:
    height, floor, room = room_of(file)
    for other in dependencies(file):
        other_height, other_floor, other_room = room_of(other)
        assert other_room == room or other_height < height, (
            f"{file} (floor {floor}) includes or imports {other} (floor {other_floor})"
        )


CPP = [file for file in files() if not file.endswith(".py")]


def test_eigen_lives_in_the_kernels_alone() -> None:
    users = {file for file in CPP for name, _ in includes(file) if "Eigen" in name}
    assert users
    assert {str(Path(file).parent) for file in users} == {f"{CORE}/kernels"}


def test_kernels_are_entered_through_their_table() -> None:
    doors = {
        other
        for file in CPP
        if not file.startswith(f"{CORE}/kernels/")
        for other in dependencies(file)
        if other.startswith(f"{CORE}/kernels/")
    }
    assert doors == {f"{CORE}/kernels/table.hpp"}


def test_python_is_known_to_the_bindings_alone() -> None:
    users = {
        file for file in CPP for name, _ in includes(file) if re.match(r"pybind11|Python\.h", name)
    }
    assert users
    assert {str(Path(file).parent) for file in users} == {"cpp/bindings"}


def test_public_headers_include_public_and_standard_headers() -> None:
    for file in CPP:
        if not file.startswith(PUBLIC):
            continue
        for name, quoted in includes(file):
            allowed = r"likely/[\w/]+\.hpp" if quoted else r"[a-z_]+|std(int|def|bool)\.h"
            assert re.fullmatch(allowed, name), f"{file} includes {name}"


def test_python_below_the_applications_needs_numpy_alone() -> None:
    for file in files():
        if not file.endswith(".py") or room_of(file)[1].startswith("8"):
            continue
        needed = {"likely", "numpy", *sys.stdlib_module_names}
        assert roots(imports(file, in_functions=False)) <= needed, file
        assert roots(imports(file)) <= {*needed, "scipy"}, file  # asked for when it is needed


def roots(names: Iterator[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_importing_likely_imports_nothing_heavy() -> None:
    code = (
        "import numpy, sys; before = set(sys.modules); import likely; "
        "print(*(set(sys.modules) - before)); assert callable(likely.plot.fan)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "likely._core" in modules
    heavy = {*HEAVY, *SLOW_LIBRARY, "likely.cli", "likely.plot", "likely.sklearn"}
    assert not modules & heavy
