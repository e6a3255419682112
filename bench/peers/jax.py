"""JAX: a whole epoch in one jitted scan, with Optax; compiling is not timed."""

import ctypes
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import HELD_TO_AVX2
from bench.peers.base import Predict
from bench.rows import BETA1, BETA2, EPSILON, Array, Data, Row

title = "JAX"
flags = ["--xla_cpu_max_isa=AVX2"] if HELD_TO_AVX2 else []  # read once, on import
if len(os.sched_getaffinity(0)) == 1:
    flags += ["--xla_cpu_multi_thread_eigen=false", "intra_op_parallelism_threads=1"]
if flags:
    os.environ["XLA_FLAGS"] = " ".join(flags)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

UP_TO_AVX2 = 0xFF  # SSE2 to AVX2 are the first bits


def hold_products_to_avx2() -> None:
    """XLA's products do not listen to --xla_cpu_max_isa: changes what they found in the processor.

    Raises RuntimeError where this version of jaxlib keeps that elsewhere.
    """
    library = Path(jax.__file__).parents[1] / "jaxlib/libjax_common.so"
    detect = "_ZN3ynn24get_supported_arch_flagsEv"
    found = "_ZZN3ynn24get_supported_arch_flagsEvE5flags"
    listed = subprocess.run(["nm", str(library)], check=True, capture_output=True, text=True).stdout
    symbols = [line.split() for line in listed.splitlines() if line.endswith((detect, found))]
    offsets = {name: int(offset, 16) for offset, _, name in symbols}
    mapped = Path("/proc/self/maps").read_text().splitlines()
    maps = [line for line in mapped if library.name in line]
    if len(offsets) != 2 or not maps:
        raise RuntimeError("jaxlib cannot be held to AVX2: its detection has another name")
    start = int(maps[0].partition("-")[0], 16)
    ctypes.CFUNCTYPE(ctypes.c_uint64)(start + offsets[detect])()
    ctypes.c_uint64.from_address(start + offsets[found]).value &= UP_TO_AVX2


if HELD_TO_AVX2:
    hold_products_to_avx2()


def version() -> str:
    return f"{jax.__version__}, Optax {optax.__version__}"


def use_threads(threads: int) -> None:
    """XLA takes as many as there are cores to run on."""


def forward(row: Row, parameters: list[Any], x: Any) -> Any:
    act = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "identity": lambda z: z}
    places = sorted({layer.offset for layer in row.layers})
    for layer in row.layers:
        weight, bias = parameters[places.index(layer.offset)]
        value = act[layer.activation](x @ weight + bias)
        x = x + value if layer.residual else value
    return x


def loss(row: Row, raw: Any, y: Any) -> Any:
    if row.loss == "cross-entropy":
        return optax.softmax_cross_entropy_with_integer_labels(raw, y).mean()
    if row.loss == "squared error":
        return 0.5 * jnp.mean((raw[:, 0] - y) ** 2)
    residual = (y - raw[:, 0]) * jnp.exp(-raw[:, 1])
    return jnp.mean(0.5 * residual**2 + raw[:, 1]) + 0.5 * np.log(2 * np.pi)


def split(row: Row, parameters: Array) -> list[Any]:
    distinct = {layer.offset: layer for layer in row.layers}
    return [distinct[place].weight_and_bias(parameters) for place in sorted(distinct)]


class Epoch:
    def __init__(self, row: Row, data: Data) -> None:
        self._row, self._first = row, split(row, data.parameters)
        self._x, self._y = jnp.asarray(data.x), jnp.asarray(data.y)
        self._batches = jnp.asarray(data.batches.astype(np.int32))
        rule = (
            optax.adam(row.learning_rate, BETA1, BETA2, EPSILON)
            if row.optimizer == "adam"
            else optax.sgd(row.learning_rate)
        )
        if row.clip_value is not None:
            rule = optax.chain(optax.clip(row.clip_value), rule)
        self._rule = rule

        def objective(parameters: Any, x: Any, y: Any) -> Any:
            return loss(row, forward(row, parameters, x), y)

        def epoch(parameters: Any, state: Any, batches: Any, x: Any, y: Any) -> Any:
            def step(carry: Any, rows: Any) -> Any:
                parameters, state = carry
                batch = [array.at[rows].get(mode="promise_in_bounds") for array in (x, y)]
                value, gradient = jax.value_and_grad(objective)(parameters, *batch)
                updates, state = rule.update(gradient, state, parameters)
                return (optax.apply_updates(parameters, updates), state), value

            carry, losses = jax.lax.scan(step, (parameters, state), batches)
            return carry, losses.mean()

        self._epoch = jax.jit(epoch, donate_argnums=(0, 1))
        self._compiled: dict[int, Any] = {}

    def epoch(self, steps: int) -> tuple[float, float]:
        parameters = jax.tree.map(jnp.array, self._first)
        state = self._rule.init(parameters)
        arguments = (parameters, state, self._batches[:steps], self._x, self._y)
        if steps not in self._compiled:
            self._compiled[steps] = self._epoch.lower(*arguments).compile()
        jax.block_until_ready(arguments)
        start = time.perf_counter()
        (self._parameters, _), mean = self._compiled[steps](*arguments)
        jax.block_until_ready((self._parameters, mean))
        return time.perf_counter() - start, float(mean)

    def parameters(self) -> Array:
        pieces = [np.ravel(array) for layer in self._parameters for array in layer]
        return np.concatenate(pieces)


training = Epoch


def predict(row: Row, parameters: Array) -> Predict:
    constants = [tuple(map(jnp.asarray, layer)) for layer in split(row, parameters)]
    compiled = jax.jit(lambda x: forward(row, constants, x))
    return lambda x: np.asarray(compiled(x))
