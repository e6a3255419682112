"""Values and slopes of every activation, read from a network, against the reference."""

from typing import Any

import likely
import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from reference.arrays import Array
from support import ACTIVATIONS, DTYPES, assert_close

DECADES = 10.0 ** np.arange(-44, 3)  # float32 ends at 1.4e-45
INPUTS = np.concatenate(
    [[0.0, 1e4, -1e4, 16.7, 17.4, 36.9, 38.0, 87.4, 88.8, 103.9], np.linspace(-100, 100, 801),
     np.linspace(-5, 5, 401), DECADES, -DECADES]
)  # fmt: skip

ROWS: list[tuple[str, dict[str, float]]] = [
    ("identity", {}),
    ("relu", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": 0.0}),
    ("leaky_relu", {"negative_slope": 2.5}),
    ("elu", {}),
    ("elu", {"alpha": 1.7}),
    ("gelu", {}),
    ("silu", {}),
    ("sigmoid", {}),
    ("tanh", {}),
    ("softplus", {}),
]


def test_every_activation_has_a_row() -> None:
    assert {ACTIVATIONS[name] for name, _ in ROWS} == set(likely.Activation.__subclasses__())
    assert set(ACTIVATIONS) == set(reference.ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_name_and_object_are_the_same(name: str) -> None:
    assert likely.Dense(3, name).activation == ACTIVATIONS[name]()


def values_and_slopes(activation: likely.Activation, z: NDArray[Any]) -> tuple[Any, Any]:
    """The activation at each z, and its derivative there, in the precision of z.

    One hidden unit for each z, which is its bias. The logit is so large that the slope of the loss
    by it is exactly 1, so the gradient of an output weight is the unit's value, and that of a
    unit's bias (times an output weight of 1) the derivative.
    """
    units = z.size
    layers = [likely.Dense(units, activation)]
    network = likely.Network(1, 1, layers, likely.Bernoulli(), dtype=z.dtype.name)
    network.parameters = np.concatenate([np.zeros(units), z, np.ones(units), [2.0**24]])
    _, gradient = network.loss_and_gradient([[0.0]], [0.0])
    assert gradient[-1] == 1
    return gradient[2 * units : 3 * units], gradient[units : 2 * units]


def tail_rounding(name: str, z: Array, value: Array) -> Array:
    """How much of a value one epsilon of z makes, where that is more than an epsilon of it."""
    # z exp(-z^2 / 2): the relative error of a normal tail is z^2 times that of its argument.
    return np.abs(value) * (1 + z**2) if name == "gelu" else np.abs(value)


def slope_rounding(name: str, z: Array) -> Array:
    """Slopes are computed from values, which round to 1 or z: their errors are absolute."""
    # a + z s (1 - s) of silu: 1 - s has an absolute error, which z multiplies.
    return 1 + np.minimum(np.abs(z), 40.0) if name == "silu" else np.ones_like(z)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "fields"), ROWS)
def test_value_and_slope(name: str, fields: dict[str, float], dtype: str) -> None:
    z = INPUTS.astype(dtype)
    values, slopes = values_and_slopes(ACTIVATIONS[name](**fields), z)
    value, slope = (
        function(z.astype(np.float64), **fields) for function in reference.ACTIVATIONS[name]
    )
    assert_close(values, value, dtype, 8, tail_rounding(name, z.astype(np.float64), value))
    assert_close(slopes, slope, dtype, 8, slope_rounding(name, z.astype(np.float64)))
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_at_zero_the_slope_is_that_of_the_negative_side(name: str, dtype: str) -> None:
    zeros = np.array([0.0, -0.0], dtype=dtype)
    values, slopes = values_and_slopes(ACTIVATIONS[name](), zeros)
    expected = {"relu": 0.0, "leaky_relu": 0.01, "elu": 1.0}[name]
    np.testing.assert_array_equal(values, [0.0, 0.0])
    np.testing.assert_array_equal(slopes, np.full(2, expected, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("units", [1, 2, 3, 7, 8, 9, 15, 16, 17, 33])
def test_every_width_gives_the_same_numbers(name: str, dtype: str, units: int) -> None:
    """A unit's number does not depend on its place among the lanes of a register."""
    z = np.linspace(-4, 4, 33).astype(dtype)
    values, slopes = values_and_slopes(ACTIVATIONS[name](), z)
    part_values, part_slopes = values_and_slopes(ACTIVATIONS[name](), z[:units])
    assert_close(part_values, values[:units], dtype, 2, 1.0)
    assert_close(part_slopes, slopes[:units], dtype, 2, 1.0)
