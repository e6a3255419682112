"""Networks with a density of one's own in files, pickles and threads."""

import copy
import pickle
import threading
from typing import Any

import densities
import likely
import numpy as np
import pytest
from support import DTYPES, INPUTS
from test_bad_input import refused

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, INPUTS)).astype(np.float32)
Y = RNG.normal(size=(60, 2)).astype(np.float32)


def fitted(density: likely.Distribution, dtype: str = "float32") -> likely.Network:
    network = likely.Network(
        INPUTS, 2, [likely.Dense(4, "tanh")], density, dtype=dtype, standardize=True
    )
    likely.Trainer(epochs=2).fit(network, X, Y)
    return network


@pytest.mark.parametrize("dtype", DTYPES)
def test_file_round_trip(dtype: str, tmp_path: Any) -> None:
    network, path = fitted(densities.gumbel, dtype), tmp_path / "model.safetensors"
    network.save(path)
    again = likely.load(path, distribution=densities.gumbel)
    assert again.loss(X, Y) == network.loss(X, Y)
    assert again.distribution.function is densities.gumbel.function
    np.testing.assert_array_equal(again.parameters, network.parameters)
    likely.Trainer(epochs=1).fit(again, X, Y)

    bare = likely.load(path)
    assert bare.distribution == densities.gumbel
    assert bare.distribution.function is None
    prediction, expected = (n.predict_distribution(X) for n in (bare, network))
    np.testing.assert_array_equal(prediction.raw, expected.raw)
    for name, values in expected.params.items():
        np.testing.assert_array_equal(prediction.params[name], values)
    for use in (
        lambda: bare.loss(X, Y),
        lambda: bare.loss_and_gradient(X, Y),
        lambda: likely.Trainer().fit(bare, X, Y),
        lambda: prediction.log_prob(Y),
        lambda: bare.distribution(1.0, 0.0, 0.0),
        lambda: likely.check_gradient(bare.distribution),
    ):
        with refused(ValueError, "gumbel", "missing", "likely.load", "distribution=gumbel"):
            use()
    bare.save(tmp_path / "second.safetensors")
    second = likely.load(tmp_path / "second.safetensors", distribution=densities.gumbel)
    assert second.loss(X, Y) == network.loss(X, Y)
    assert pickle.loads(pickle.dumps(bare)).distribution == densities.gumbel


def test_a_file_takes_its_own_density_alone(tmp_path: Any) -> None:
    path = tmp_path / "model.safetensors"
    fitted(densities.gumbel).save(path)
    for other, word in (
        (densities.laplace, "laplace"),
        (likely.Custom("gumbel", ["loc", "scale"]), "scale"),
        (likely.Custom("gumbel", ["log_scale", "loc"]), "log_scale"),
        (likely.Custom("gumbel", ["loc", "log_scale"], "positive"), "positive"),
        (likely.Normal(), "Normal"),
    ):
        with refused(ValueError, "model.safetensors", "distribution", "gumbel", word):
            likely.load(path, distribution=other)
    for bad in (densities.plain_exponential, likely.Normal):
        with refused(TypeError, "distribution"):
            likely.load(path, distribution=bad)  # type: ignore[arg-type]
    fitted(likely.Normal()).save(path)
    with refused(ValueError, "distribution", "Normal", "gumbel"):
        likely.load(path, distribution=densities.gumbel)
    assert likely.load(path, distribution=likely.Normal()).distribution == likely.Normal()


@pytest.mark.parametrize("density", [densities.gumbel, densities.exponential])
def test_pickle_by_reference(density: likely.Custom) -> None:
    again = pickle.loads(pickle.dumps(density))
    assert again == density
    assert again.function is density.function
    network = likely.Network(1, distribution=density)
    for copier in (lambda n: pickle.loads(pickle.dumps(n)), copy.copy, copy.deepcopy):
        other = copier(network)
        assert other.distribution.function is density.function
        assert other.loss([0.0], [1.0]) == network.loss([0.0], [1.0])
    bare = likely.Custom("mine", ["a"])
    assert pickle.loads(pickle.dumps(bare)) == bare


def test_local_functions_cannot_be_pickled_but_copied() -> None:
    @likely.distribution(parameters=["loc"])
    def local(y: Any, loc: Any) -> Any:
        return -((y - loc) ** 2)

    network = likely.Network(1, distribution=local)
    for thing in (local, network):
        with refused(pickle.PicklingError, "local", "top level", "likely.load"):
            pickle.dumps(thing)
        assert copy.copy(thing) is not None
    assert copy.deepcopy(network).loss([0.0], [1.0]) == network.loss([0.0], [1.0])
    shadow = likely.distribution(["log_rate"])(lambda y, log_rate: -y)
    with refused(pickle.PicklingError, "top level"):
        pickle.dumps(shadow)


def test_threads_train_their_own_networks() -> None:
    """The lock is taken for the function alone; results are those of one after the other."""

    def train(seed: int) -> likely.Network:
        network = likely.Network(INPUTS, 2, [likely.Dense(8)], densities.laplace, seed=seed)
        likely.Trainer(epochs=10, seed=seed).fit(network, X, Y)
        return network

    networks: dict[int, likely.Network] = {}
    threads = [
        threading.Thread(target=lambda s=seed: networks.__setitem__(s, train(s)))
        for seed in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for seed in range(4):
        np.testing.assert_array_equal(networks[seed].parameters, train(seed).parameters)
