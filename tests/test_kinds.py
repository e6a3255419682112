"""What every registered class has: signature, documentation, repr, equality, hash, pickle, a name.

The classes are found by walking the base classes, and their values by walking the fields, so a new
class is tested here without a line.
"""

import copy
import inspect
import itertools
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import likely
import numpy as np
import pytest
from likely import _core

BASES = (
    likely.Activation,
    likely.Distribution,
    likely.Layer,
    likely.Optimizer,
    likely.Schedule,
    likely.Stabilizer,
)
CLASSES = [kind for base in BASES for kind in base.__subclasses__()]
INTERNAL = {"Head", "Model", "TrainerOptions"}
"""Classes of the core that stand behind likely.Network and likely.Trainer."""
MOST_VALUES = 400


def documented_types(kind: type) -> dict[str, str]:
    """The fields of a class, each with its type, as its docstring tells them."""
    documentation = inspect.getdoc(kind) or ""
    return dict(re.findall(r"^\*?(\w+) : (.+?)(?:, default .*)?$", documentation, re.MULTILINE))


def candidates(kind: type, field: str) -> list[Any]:
    """Values to try for a field; not each of them must be possible."""
    wanted = documented_types(kind)[field]
    documentation = inspect.getdoc(kind) or ""
    about = documentation.split(f"{field} : ", 1)[1].split("\n", 2)[1]
    simple = {
        "int": [3, 5],
        "int | None": [3, 5],
        "float": [0.5, 0.1 + 0.2],
        "bool": [True, False],
        "sequence of int": [[], [2], (2, 5)],
        "sequence of float": [[0.5], (0.1, 1 / 3)],
    }
    values: list[Any] = simple.get(wanted, [])
    for base in BASES:
        if re.search(rf"\b{base.__name__}\b", wanted):
            values = [*values, *itertools.chain(*map(few_values, base.__subclasses__()))]
    if wanted == "tuple[str, ...]":
        words = re.findall(r"'(\w+)'", about)
        return [words[:n] for n in range(1, len(words) + 1)]
    if re.search(r"\bstr\b", wanted):
        values = [*values, *re.findall(r"'(\w+)'", about)]
    if wanted.startswith("sequence of ") and wanted not in simple:
        return [list(some) for n in (1, 2) for some in itertools.permutations(values[::2], n)]
    return values + ([0.3] if wanted == "str | float" else [])


def few_values(kind: type) -> list[Any]:
    """Some objects of a class that stand inside others."""
    if kind is likely.Residual:
        return [likely.Residual(likely.Dense(3))]
    if kind is likely.Sequence:
        return [likely.Sequence(["constant"], [])]
    if kind is likely.Mixture:
        return [likely.Mixture("normal", 2)]
    if kind is likely.ZeroInflated:
        return [likely.ZeroInflated("poisson")]
    return list(itertools.islice(every_value(kind), 2))


def every_value(kind: type) -> list[Any]:
    """Objects of a class with all combinations of the candidates for its fields."""
    parameters = inspect.signature(kind).parameters
    choices: list[list[tuple[str, Any]]] = []
    for name, parameter in parameters.items():
        found = [(name, value) for value in candidates(kind, name)]
        assert found, f"no values for {kind.__name__}({name}): say its type in the documentation"
        if parameter.kind is parameter.VAR_POSITIONAL:
            layers = [value for _, value in found]
            return [kind(*some) for n in (1, 2) for some in itertools.permutations(layers[:9], n)]
        choices.append(found if parameter.default is parameter.empty else [(name, ...), *found])
    values = []
    for combination in itertools.islice(itertools.product(*choices), MOST_VALUES):
        keywords = {name: value for name, value in combination if value is not ...}
        try:
            values.append(kind(**keywords))
        except ValueError:
            continue
    return values


each_class = pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)


def test_there_are_classes_of_every_kind() -> None:
    assert all(base.__subclasses__() for base in BASES)
    assert {likely.Normal, likely.Dense, likely.Residual, likely.Adam, likely.Tanh} < set(CLASSES)
    assert {likely.AdamW, likely.Sequence, likely.Warmup} < set(CLASSES)


@each_class
def test_repr_evaluates_to_an_equal_object(kind: type) -> None:
    for value in every_value(kind):
        other = eval(repr(value), vars(likely).copy())
        assert type(other) is kind
        assert other == value
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)


@each_class
def test_different_objects_are_unequal(kind: type) -> None:
    values = every_value(kind)
    assert len(set(values)) == len({repr(value) for value in values})
    others = [value for other in CLASSES if other is not kind for value in few_values(other)]
    for value, other in itertools.product(values[:3], [*others, None, 3, repr(values[0])]):
        assert value != other
        assert not value == other  # noqa: SIM201


@each_class
@pytest.mark.parametrize(
    "copier", [lambda v: pickle.loads(pickle.dumps(v)), copy.copy, copy.deepcopy]
)
def test_copies_are_equal(kind: type, copier: Callable[[Any], Any]) -> None:
    for value in every_value(kind):
        other = copier(value)
        assert type(other) is kind
        assert other == value
        assert hash(other) == hash(value)


@each_class
def test_objects_are_immutable(kind: type) -> None:
    value = every_value(kind)[0]
    before = repr(value)
    for name in [*inspect.signature(kind).parameters, "something_new"]:
        with pytest.raises(AttributeError):
            setattr(value, name, 1)
        with pytest.raises(AttributeError):
            delattr(value, name)
    with pytest.raises(AttributeError):
        value.__dict__  # noqa: B018
    assert repr(value) == before


@each_class
def test_signature(kind: type) -> None:
    signature = inspect.signature(kind)
    value = every_value(kind)[-1]
    fields = {name: getattr(value, name) for name in signature.parameters}
    if kind is likely.Residual:
        assert kind(*fields["layers"]) == value
        return
    assert kind(*fields.values()) == kind(**fields) == value
    required = {
        name: fields[name] for name, p in signature.parameters.items() if p.default is p.empty
    }
    plain = kind(**required)
    for name, parameter in signature.parameters.items():
        if parameter.default is not parameter.empty:
            assert kind(**required, **{name: parameter.default}) == plain
            assert repr(parameter.default) in repr(plain) or type(parameter.default) is str


@each_class
def test_documentation(kind: type) -> None:
    documentation = inspect.getdoc(kind)
    assert documentation
    assert "\n" not in documentation.split("\n\n")[0] or documentation[0].isalnum()
    fields = list(inspect.signature(kind).parameters)
    assert list(documented_types(kind)) == fields
    for name in fields:
        assert inspect.getdoc(getattr(kind, name))


def spellings(name: str) -> list[str]:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    snake = "_".join(words).lower()
    return [name, name.lower(), name.upper(), snake, snake.upper(), f"_{snake}_"]


def by_name(base: type, name: str) -> Any:
    if base is likely.Activation:
        return likely.Dense(1, name).activation
    if base is likely.Distribution:
        return likely.Network(1, distribution=name).distribution
    if base is likely.Schedule:
        return likely.Sequence([name], []).schedules[0]
    if base is likely.Stabilizer:
        return likely.Trainer(stabilize=name).stabilize
    return likely.Trainer(name).optimizer


@pytest.mark.parametrize(
    "kind",
    [kind for kind in CLASSES if likely.Layer not in kind.__bases__],
    ids=lambda kind: kind.__name__,
)
def test_names_are_found_without_case_and_underscores(kind: type) -> None:
    parameters = inspect.signature(kind).parameters.values()
    required = [p.name for p in parameters if p.default is p.empty]
    for name in spellings(kind.__name__):
        if required:
            with pytest.raises(ValueError, match=required[0]) as caught:
                by_name(kind.__bases__[0], name)
            assert kind.__name__ in str(caught.value)
        else:
            assert by_name(kind.__bases__[0], name) == kind()


def test_every_class_of_the_core_is_exported() -> None:
    exported = set(likely.__all__)
    classes = {name for name, value in vars(_core).items() if inspect.isclass(value)}
    assert classes - exported - INTERNAL == set()
    assert exported <= set(dir(likely))
    inner = {name for name, value in vars(likely).items() if inspect.ismodule(value)}
    public = set(vars(likely)) - (inner - {"metrics"})
    assert {name for name in public if not name.startswith("_")} == exported


def test_sharing_is_part_of_what_a_residual_block_is() -> None:
    a, b = likely.Dense(3), likely.Dense(3)
    assert a == b
    assert likely.Residual(a, b) == likely.Residual(b, a) == likely.Residual(a, likely.Dense(3))
    once, twice = likely.Residual(a, a), likely.Residual(a, b)
    assert once != twice
    assert once == likely.Residual(b, b)
    assert likely.Residual(a, likely.Residual(a)) != likely.Residual(a, likely.Residual(b))
    assert likely.Network(3, layers=[once]).parameters.size == 12 + 8
    assert likely.Network(3, layers=[twice]).parameters.size == 24 + 8
    assert "share" in (inspect.getdoc(likely.Residual) or "")


def nested() -> likely.Residual:
    shared = likely.Dense(3, "tanh")
    inner = likely.Residual(shared, likely.Dense(3), shared)
    return likely.Residual(shared, inner, inner)


@pytest.mark.parametrize("copier", [lambda v: pickle.loads(pickle.dumps(v)), copy.deepcopy])
def test_sharing_survives_copies(copier: Callable[[Any], Any]) -> None:
    block = nested()
    other = copier(block)
    assert other == block
    size = likely.Network(3, layers=[block]).parameters.size
    assert likely.Network(3, layers=[other]).parameters.size == size
    shared = likely.Dense(3)
    layers = copier([shared, likely.Residual(shared)])
    assert likely.Network(3, layers=layers).parameters.size == 12 + 8
    network = likely.Network(3, layers=[block, nested()])
    assert copier(network).layers == network.layers
    assert copier(network).parameters.tobytes() == network.parameters.tobytes()


def test_the_layers_of_a_network_make_the_same_network() -> None:
    shared = likely.Dense(3, "relu")
    network = likely.Network(3, layers=[shared, nested(), likely.Residual(shared)], seed=4)
    again = likely.Network(3, layers=network.layers, output=network.output, seed=4)
    np.testing.assert_array_equal(again.parameters, network.parameters)


LONG_CHAIN = """
import likely
block = likely.Dense(2)
try:
    for _ in range(1_000_000):
        block = likely.Residual(block)
except ValueError as error:
    assert "deep" in str(error)
del block
"""


def test_a_long_chain_of_blocks_ends_no_process() -> None:
    command = [sys.executable, "-c", LONG_CHAIN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
