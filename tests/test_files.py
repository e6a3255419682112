"""Model files: what is saved comes back bit by bit, other programs read it, and nothing that goes
wrong costs the old file. Damaged and foreign files are in test_damaged_files.py.
"""

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import likely
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

X = np.linspace(-1.0, 2.0, 12).reshape(6, 2)
Y = np.arange(6.0) % 2


def make_network(dtype: str = "float32") -> likely.Network:
    """One with everything in it: shared layers, names, scaling, learned constants."""
    shared = likely.Dense(3, likely.LeakyReLU(0.1), init="he_normal")
    inner = likely.Residual(likely.Dense(3, "gelu", bias=False), shared)
    network = likely.Network(
        2,
        layers=[likely.Dense(3, "tanh"), shared, likely.Residual(shared, inner), inner],
        distribution=likely.Normal("shared"),
        standardize=True,
        dtype=dtype,
        seed=3,
        feature_names=["größe", 'a "quoted"\n name'],
        target_names=["y"],
    )
    likely.Trainer(epochs=2, batch_size=4).fit(network, X, Y)
    return network


TENSORS = {
    "dense_0.weight": (2, 3),
    "dense_0.bias": (3,),
    "dense_1.weight": (3, 3),
    "dense_1.bias": (3,),
    "dense_2.weight": (3, 3),
    "output.weight": (3, 1),
    "output.bias": (1,),
    "distribution.log_scale": (1,),
}


def everything(network: likely.Network) -> list[Any]:
    scaling = network.scaling and {name: v.tobytes() for name, v in network.scaling.items()}
    names = [network.feature_names, network.target_names, network.class_names]
    parts = [network.layers, network.output, network.distribution, network.dtype]
    sizes = [network.inputs, network.targets, network.standardize]
    prediction = network.predict_distribution(X)
    arrays = [network.parameters, prediction.raw, prediction.quantile(0.9)]
    return [scaling, *names, *parts, *sizes, repr(network), *(array.tobytes() for array in arrays)]


Copier = Callable[[likely.Network, Path], likely.Network]


def through_file(network: likely.Network, folder: Path) -> likely.Network:
    network.save(folder / "model.safetensors")
    return likely.load(folder / "model.safetensors")


def through_pickle(network: likely.Network, folder: Path) -> likely.Network:
    return pickle.loads(pickle.dumps(network))


def through_oldest_pickle(network: likely.Network, folder: Path) -> likely.Network:
    return pickle.loads(pickle.dumps(network, protocol=0))


def through_deepcopy(network: likely.Network, folder: Path) -> likely.Network:
    return copy.deepcopy(network)


COPIERS = [through_file, through_pickle, through_oldest_pickle, through_deepcopy]


@pytest.mark.parametrize("copier", COPIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_comes_back(dtype: str, copier: Copier, tmp_path: Path) -> None:
    network = make_network(dtype)
    other = copier(network, tmp_path)
    assert everything(other) == everything(network)
    assert other.parameters.flags.writeable
    before = network.parameters.tobytes()
    other.parameters[:] = 0
    assert network.parameters.tobytes() == before


@pytest.mark.parametrize("copier", COPIERS)
def test_shared_layers_stay_shared(copier: Copier, tmp_path: Path) -> None:
    network = make_network("float64")
    other = copier(network, tmp_path)
    assert other.parameters.size == sum(np.prod(shape) for shape in TENSORS.values())
    for trained in (network, other):
        likely.Trainer(likely.SGD(0.1, momentum=0.5), epochs=5, batch_size=3).fit(trained, X, Y)
    assert everything(other) == everything(network)


def test_new_networks_come_back(tmp_path: Path) -> None:
    for family in ("bernoulli", likely.Categorical(3), likely.Normal(0.3)):
        classes = {"class_names": ["no", "yes"]} if family == "bernoulli" else {}
        network = likely.Network(2, distribution=family, standardize=True, **classes)
        other = through_file(network, tmp_path)
        assert everything(other) == everything(network)
        assert other.scaling is None


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    network = make_network()
    network.save(tmp_path / "a")
    likely.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_other_programs_read_the_file(dtype: str, tmp_path: Path) -> None:
    network = make_network(dtype)
    path = tmp_path / "model.safetensors"
    network.save(path)
    tensors = load_file(path)
    assert {name: tensor.shape for name, tensor in tensors.items()} == TENSORS
    assert {tensor.dtype.name for tensor in tensors.values()} == {dtype}
    flat = np.concatenate([tensors[name].ravel() for name in TENSORS])
    assert flat.tobytes() == network.parameters.tobytes()
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    assert list(metadata) == ["likely"]
    assert list(json.loads(metadata["likely"])) == ["format", "specification", "scaling"]
    save_file(dict(reversed(tensors.items())), path, metadata)
    assert everything(likely.load(path)) == everything(network)


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_paths_of_every_type(kind: Any, tmp_path: Path) -> None:
    path = kind(tmp_path / "größe 漢.model")
    network = make_network()
    network.save(path)
    assert everything(likely.load(path)) == everything(network)


def test_a_path_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    likely.Network(1).save("model")
    assert likely.load("model").inputs == 1
    assert os.listdir() == ["model"]


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    network = make_network()
    missing = tmp_path / "missing" / "model.safetensors"
    for act in (network.save, likely.load):
        with pytest.raises(FileNotFoundError) as caught:
            act(missing)
        assert str(missing) in str(caught.value)
        with pytest.raises(IsADirectoryError, match=tmp_path.name):
            act(tmp_path)
        with pytest.raises(OSError, match=os.devnull):
            act(os.devnull)
        with pytest.raises(ValueError, match="null"):
            act(str(tmp_path / "a\0b"))
        for bad in (None, 5.0, network):
            with pytest.raises(TypeError, match=type(bad).__name__):
                act(bad)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="no_such_file"):
        likely.load(tmp_path / "no_such_file")
    assert os.listdir(tmp_path) == []


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    network = make_network()
    path = tmp_path / "model"
    network.save(path)
    before = path.read_bytes()
    network.parameters[4] = np.nan
    with pytest.raises(ValueError, match="finite"):
        network.save(path)
    with pytest.raises(ValueError, match="finite"):
        pickle.dumps(network)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]


FULL_DISK = """
import resource, sys, likely
network = likely.Network(100)  # 202 numbers
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    network.save(sys.argv[1])
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    likely.Network(1, seed=5).save(path)
    before = path.read_bytes()
    for name, files in (("model", ["model"]), ("new", ["model"])):
        command = [sys.executable, "-c", FULL_DISK, str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert str(tmp_path / name) in done.stdout
        assert "File too large" in done.stdout
        assert os.listdir(tmp_path) == files
    assert path.read_bytes() == before
