"""Files that are no model, or not one any more: an error with the file's name and the reason, and
nothing half-loaded. Whatever the bytes are, the process survives them.
"""

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
from safetensors.numpy import save_file
from test_files import everything, make_network

Json = dict[str, Any]


def refuses(path: Path, *reasons: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        likely.load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message) > len(f"{path}: ") + 10, message
    for reason in reasons:
        assert reason in message


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "model"
    make_network().save(path)
    return path.read_bytes()


def test_truncated_at_every_length(saved: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    for length in range(len(saved)):
        path.write_bytes(saved[:length])
        refuses(path)
    path.write_bytes(saved + b"\0")
    refuses(path, "1 bytes after the last tensor")


def test_damage_anywhere_is_an_error_or_another_model(saved: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "model"
    for _ in range(500):
        damaged = np.frombuffer(saved, np.uint8).copy()
        damaged[rng.integers(0, len(saved), rng.integers(1, 4))] ^= np.uint8(rng.integers(1, 256))
        path.write_bytes(damaged.tobytes())
        try:
            network = likely.load(path)
        except ValueError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017
        else:
            assert np.isfinite(network.parameters).all()


FOREIGN: dict[str, bytes] = {
    "empty": b"",
    "text": b"x,y\n" * 100,
    "zeros": bytes(100),
    "random": np.random.default_rng(0).bytes(1000),
    "archive": b"PK\3\4" + bytes(96),
    "pickle": pickle.dumps({"weights": [1.0] * 99}),
    "an enormous header": (2**62).to_bytes(8, "little") + b"{}",
    "a header of 2**64 - 1 bytes": b"\xff" * 8 + b"{}",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_files_that_are_no_models(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    refuses(path, "not a safetensors file")


def test_safetensors_files_of_others(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for dtype in ("float32", "float64"):
        save_file({"weight": np.zeros((2, 3), dtype)}, path)
        refuses(path, "not one that likely wrote")
    save_file({}, path)
    refuses(path, "not one that likely wrote")
    save_file({"weight": np.zeros(3, np.float16)}, path)
    refuses(path, "weight", "F16")
    save_file({"weight": np.zeros(3, np.float32)}, path, {"likely": "yes"})
    refuses(path, "JSON")


def unpack(content: bytes) -> tuple[Json, Json, bytes]:
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    return header, json.loads(header.pop("__metadata__")["likely"]), content[end:]


def pack(header: Json, description: Json | str, data: bytes) -> bytes:
    text = description if isinstance(description, str) else json.dumps(description)
    packed = json.dumps({"__metadata__": {"likely": text}, **header}).encode()
    return len(packed).to_bytes(8, "little") + packed + data


def changed(place: str, value: Any) -> Callable[[Json], None]:
    """Sets or (value ...) removes an entry such as "specification/layers/0/units"."""

    def change(root: Json) -> None:
        *folders, last = [int(key) if key.isdigit() else key for key in place.split("/")]
        target: Any = root
        for key in folders:
            target = target[key]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    return change


S = "specification/"
DESCRIPTIONS: list[tuple[str, Any, list[str]]] = [
    ("format", 2, ["format", "2", "1"]),
    ("format", "1", ["format"]),
    ("format", ..., ["format"]),
    ("specification", ..., ["specification"]),
    ("specification", [], ["specification"]),
    ("scaling", ..., ["scaling"]),
    ("extra", 1, ["extra"]),
    (S + "input", 2, ["'input'", "inputs"]),
    (S + "inputs", ..., ["inputs"]),
    (S + "inputs", 0, ["inputs", "0"]),
    (S + "inputs", 3, ["3", "2"]),
    (S + "inputs", 2**62, [str(2**62)]),
    (S + "inputs", "2", ["inputs"]),
    (S + "targets", 2, ["2", "1"]),
    (S + "layers/0/unit", 3, ["Dense", "'unit'", "units"]),
    (S + "layers/0/units", ..., ["units"]),
    (S + "layers/0/units", -1, ["units", "-1"]),
    (S + "layers/0/units", 3.5, ["units"]),
    (S + "layers/0/units", 4, ["dense_1", "4"]),
    (S + "layers/4/units", 2**62, [str(2**62)]),
    (S + "layers/0/kind", "Dens", ["'Dens'", "Dense"]),
    (S + "layers/0/kind", "Normal", ["'Normal'"]),
    (S + "layers/0/kind", ..., ["kind"]),
    (S + "layers/0/name", "dense_1", ["name"]),
    (S + "layers/0/name", ..., ["name"]),
    (S + "layers/0/activation/kind", "Tan", ["'Tan'", "Tanh"]),
    (S + "layers/0/activation", "tanh", ["activation"]),
    (S + "layers/1/activation/negative_slope", -1.0, ["negative_slope"]),
    (S + "layers/2/layers", [2], ["contains itself"]),
    (S + "layers/2/layers", [], ["layer"]),
    (S + "layers/2/layers", [1, 9], ["9"]),
    (S + "tree", [0, 99], ["99"]),
    (S + "tree", [0, -1], ["-1"]),
    (S + "tree", [0, 2**62], [str(2**62)]),
    (S + "tree", [0], []),
    (S + "output", 2, []),
    (S + "output", 99, ["99"]),
    (S + "distribution/kind", "Norm", ["'Norm'", "Normal"]),
    (S + "distribution/scale", "share", ["scale", "share"]),
    (S + "distribution/scales", 1.0, ["'scales'", "scale"]),
    (S + "standardize", 1, ["standardize"]),
    (S + "feature_names", ["a"], ["feature_names", "2", "1"]),
    (S + "feature_names", ["a", 2], ["feature_names"]),
    (S + "class_names", ["a", "b"], ["class_names"]),
    ("scaling/input_scale", [0.0, 1.0], ["input_scale", "positive"]),
    ("scaling/target_scale", [-1.0], ["target_scale", "positive"]),
    ("scaling/target_scale", [1.0, 1.0], ["target_scale", "1", "2"]),
    ("scaling/target_mean", ["0"], ["target_mean"]),
    ("scaling/target_means", [0.0], ["target_means", "target_mean"]),
]
HEADERS: list[tuple[str, Any, list[str]]] = [
    ("dense_0.weight/shape", [3, 2], ["dense_0.weight", "(3, 2)", "(2, 3)"]),
    ("dense_0.weight/shape", [6], ["dense_0.weight", "(2, 3)"]),
    ("dense_0.weight/shape", [2, 4], ["dense_0.weight"]),
    ("dense_0.weight/shape", [2**32, 2**32], ["dense_0.weight"]),
    ("dense_0.weight/shape", [-2, -3], ["dense_0.weight"]),
    ("dense_0.weight/dtype", "I32", ["dense_0.weight", "I32"]),
    ("dense_0.weight/data_offsets", [0, 2**62], ["dense_0.weight"]),
    ("dense_0.weight", ..., ["tensor"]),
    ("spare", {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, ["tensors"]),
]


@pytest.mark.parametrize(("place", "value", "reasons"), DESCRIPTIONS)
def test_tampered_description(
    place: str, value: Any, reasons: list[str], saved: bytes, tmp_path: Path
) -> None:
    header, description, data = unpack(saved)
    changed(place, value)(description)
    path = tmp_path / "model"
    path.write_bytes(pack(header, description, data))
    refuses(path, *reasons)


@pytest.mark.parametrize(("place", "value", "reasons"), HEADERS)
def test_tampered_tensors(
    place: str, value: Any, reasons: list[str], saved: bytes, tmp_path: Path
) -> None:
    header, description, data = unpack(saved)
    changed(place, value)(header)
    path = tmp_path / "model"
    path.write_bytes(pack(header, description, data))
    refuses(path, *reasons)


def test_tampered_in_other_ways(saved: bytes, tmp_path: Path) -> None:
    header, description, data = unpack(saved)
    path = tmp_path / "model"

    def refuses_packed(*parts: Any, reasons: list[str]) -> None:
        path.write_bytes(pack(*parts))
        refuses(path, *reasons)

    path.write_bytes(pack(header, description, data))
    assert everything(likely.load(path)) == everything(make_network())
    for bad in (np.nan, np.inf):
        damaged = np.float32(bad).tobytes() + data[4:]
        refuses_packed(header, description, damaged, reasons=["dense_0.weight", "finite"])
    renamed = {name.replace("output.bias", "output.shift"): v for name, v in header.items()}
    refuses_packed(renamed, description, data, reasons=["output.bias", "missing"])
    more = {"dtype": "F32", "shape": [1], "data_offsets": [len(data), len(data) + 4]}
    refuses_packed({**header, "more": more}, description, data + bytes(4), reasons=["9", "8"])
    for text in ("", "null", "[]", "{", "[" * 9999, '{"format": 1, "format": 1}'):
        refuses_packed(header, text, data, reasons=[])
    spare = copy.deepcopy(description)
    spare["specification"]["layers"].append(spare["specification"]["layers"][0])
    refuses_packed(header, spare, data, reasons=["layer"])
    unscaled = copy.deepcopy(description)
    unscaled["specification"]["standardize"] = False
    refuses_packed(header, unscaled, data, reasons=["scaling"])
