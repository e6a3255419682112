"""Stabilised training against the reference, whole trajectories, and as a user meets it."""

import dataclasses
import itertools
import pickle
from typing import Any

import likely
import numpy as np
import pytest
import reference
from families import FAMILIES as TABLE
from support import (
    ARCHITECTURES,
    DTYPES,
    FAMILIES,
    INPUTS,
    Data,
    Kit,
    Layers,
    Pair,
    assert_close,
    largest,
    make_data,
    make_pair,
)
from test_families import Core
from test_training import OPTIMIZERS, Run, assert_same_trajectory, run_both

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
STABILIZERS: dict[str, tuple[likely.Stabilizer | str, reference.Stabilizer]] = {
    "warmup": (likely.Warmup(2), reference.Warmup(2)),
    "warmup, by name": ("warmup", reference.Warmup(2)),  # of 4 or 5 epochs
    "beta": ("beta", reference.BetaWeighting(0.5)),
    "beta 1": (likely.BetaWeighting(1.0), reference.BetaWeighting(1.0)),
    "faithful": ("faithful", reference.Faithful()),
    "natural": ("natural", reference.NaturalGradient(1e-3)),
    "natural, damped": (likely.NaturalGradient(0.3), reference.NaturalGradient(0.3)),
}
LOCATIONS = ("warmup", "warmup, by name", "beta", "beta 1", "faithful")

RUNS = {
    "predicted": Run(),
    "one target, in order": Run(targets=1, shuffle=False),
    "no hidden layer": Run(architecture="linear", weighted=True, options={"clip_norm": 1.0}),
    "weights": Run(weighted=True, batch_size=5, targets=3),
    "standardised, weights": Run(standardize=True, weighted=True, drop_last=True),
    "shared scale": Run("shared scale", standardize=True, weighted=True),
    "shared scale, no hidden layer": Run("shared scale", "linear", batch_size=1),
    "fixed scale": Run("fixed scale", "deep", weighted=True),
    "residual": Run("normal", "residual"),
    "nested residuals": Run("shared scale", "nested_residual"),
    "shared layers": Run("normal", "same_layer_five_times", options={"clip_norm": 1.0}),
    "output with an activation": Run("normal", "output_given"),
    "several chunks": Run(rows=1500, batch_size=1300, epochs=4, weighted=True),
    "several chunks, shared scale": Run("shared scale", rows=1500, batch_size=1300, epochs=4),
    "dropout": Run("shared scale", "dropout", weighted=True, standardize=True),
    "dropout of inputs alone": Run("normal", "dropout_only", options={"clip_norm": 1.0}),
    "batch norm": Run("shared scale", "batch_norm", rows=25, options={"clip_norm": 1.0}),
    "layer norm": Run("normal", "layer_norm", batch_size=9),
    "l2, clipped norm": Run(weighted=True, options={"l2": 0.3, "clip_norm": 0.5}),
    "l1, clipped values": Run("shared scale", options={"l1": 0.05, "clip_value": 0.1}),
    "schedule": Run(schedule="one cycle", epochs=5, standardize=True),
}
OTHERS = {
    "bernoulli": Run("bernoulli", weighted=True, standardize=True),
    "categorical": Run("categorical", "deep", options={"clip_norm": 1.0}),
    "categorical, several chunks": Run("categorical", rows=1500, batch_size=1300),
}
OF_EVERY_FAMILY = Run(weighted=True, standardize=True, epochs=4, options={"clip_norm": 1.0})
NO_FISHER = ("zero-inflated poisson", "zero-inflated negative binomial")


def has_a_location(family: str) -> bool:
    return {"loc", "log_scale"} <= set(TABLE[family].reference.names)


APPLICABLE = [
    (family, name)
    for family in TABLE
    for name in STABILIZERS
    if (family not in NO_FISHER if name.startswith("natural") else has_a_location(family))
]
"""Families of the table, with each stabilizer that there is for them."""


@each_dtype
@pytest.mark.parametrize("optimizer", ["nesterov", "adam, other constants"])
@pytest.mark.parametrize("stabilize", STABILIZERS)
@pytest.mark.parametrize("name", RUNS)
def test_trajectory(name: str, stabilize: str, optimizer: str, dtype: str) -> None:
    run = dataclasses.replace(RUNS[name], stabilize=STABILIZERS[stabilize])
    assert_same_trajectory(*run_both(run, optimizer, dtype))


@each_dtype
@pytest.mark.parametrize("optimizer", ["nesterov", "adam, other constants"])
@pytest.mark.parametrize("stabilize", ["natural", "natural, damped"])
@pytest.mark.parametrize("name", OTHERS)
def test_trajectory_without_a_location(
    name: str, stabilize: str, optimizer: str, dtype: str
) -> None:
    run = dataclasses.replace(OTHERS[name], stabilize=STABILIZERS[stabilize])
    assert_same_trajectory(*run_both(run, optimizer, dtype))


def family_pair(name: str, dtype: str) -> Pair:
    family = (TABLE[name].core(), TABLE[name].reference)
    pair = make_pair(
        ARCHITECTURES["one_dense"], family, INPUTS, 2, dtype, seed=3,
        standardize=OF_EVERY_FAMILY.standardize,
    )  # fmt: skip
    pair.scatter_parameters(seed=7)
    return pair


def predicted_data(pair: Pair, rows: int, seed: int = 0) -> Data:
    """Targets that the untrained network predicts, so that no residual is far out."""
    data, rng = make_data(pair, rows, seed), np.random.default_rng(seed + 100)
    u = rng.uniform(0.02, 0.98, data.y.shape)
    y = pair.reference.predict(data.x.astype(np.float64)).quantile(u)
    return dataclasses.replace(data, y=y.astype(np.float32).astype(pair.dtype))


@each_dtype
@pytest.mark.parametrize(("family", "stabilize"), APPLICABLE)
def test_trajectory_of_every_family(family: str, stabilize: str, dtype: str) -> None:
    run = dataclasses.replace(OF_EVERY_FAMILY, stabilize=STABILIZERS[stabilize])
    pair = family_pair(family, dtype)
    before = pair.core.parameters.copy()
    result = run_both(run, "adam, other constants", dtype, pair, predicted_data)
    assert np.abs(pair.core.parameters - before).max() > 0.05
    assert_same_trajectory(*result)


@pytest.mark.parametrize(("family", "stabilize"), APPLICABLE)
def test_those_trajectories_are_well_conditioned(family: str, stabilize: str) -> None:
    """In the reference: parameters that differ by little at the start do so at the end."""
    run, ends = OF_EVERY_FAMILY, []
    relative = 1e-9
    for change in (0.0, relative):
        pair = family_pair(family, "float64")
        data = predicted_data(pair, run.rows, 1)
        parameters = pair.reference.parameters
        sizes = np.random.default_rng(0).choice([-change, change], parameters.size)
        parameters[...] = parameters * (1 + sizes)
        reference.fit(
            pair.reference, data.x, data.y, optimizer=OPTIMIZERS["adam, other constants"][1],
            batch_size=7, epochs=run.epochs, seed=run.seed, sample_weight=data.weight,
            standardize=run.standardize, stabilize=STABILIZERS[stabilize][1], **run.options,
        )  # fmt: skip
        ends.append(parameters.copy())
    growth = np.abs(ends[1] - ends[0]).max() / largest(ends[0]) / relative
    assert growth < 10


@each_dtype
@pytest.mark.parametrize("family", [name for name, each in APPLICABLE if each == "natural"])
def test_information_at_every_row_of_the_table(family: str, dtype: str) -> None:
    """That of the reference, which is held to the square of the score: what the plain derivatives
    are divided by in a step, from one end of the raw parameters to the other.
    """
    core = Core(TABLE[family], dtype)
    entry, raw = core.entry, core.raw
    information = entry.reference.fisher(entry.held(raw))
    free = [p for p, n in enumerate(entry.reference.names) if n in entry.reference.predicted]
    damping, seen = 1e-3, 0
    for y in core.targets():
        for i in range(raw.shape[1]):
            if np.any(entry.held(raw)[:, i] != raw[:, i]):
                continue
            _, slopes = core.loss_and_gradient(i, y[i])
            wanted = (slopes / (information[:, i] + damping))[free]
            largest_step = np.abs(wanted).max()
            if not 1e-12 < largest_step < 1e12:
                continue
            before = core.network.parameters.copy()
            step = likely.SGD(learning_rate=1 / largest_step)
            likely.Trainer(step, epochs=1, stabilize=likely.NaturalGradient(damping)).fit(
                core.network, core.x[[i]], [y[i]]
            )
            moved = (before - core.network.parameters)[i * len(free) : (i + 1) * len(free)]
            core.network.parameters = before
            size = 1 + np.abs(before).max()
            assert_close(moved, wanted / largest_step, dtype, 32, size)
            seen += 1
    assert seen > len(core.targets())


def test_every_stabilizer_has_a_row() -> None:
    made = (likely.Trainer(stabilize=core).stabilize for core, _ in STABILIZERS.values())
    assert {type(stabilizer) for stabilizer in made} == set(likely.Stabilizer.__subclasses__())


def with_scales(log_scale: float, dtype: str) -> Pair:
    """A linear pair that predicts this raw parameter everywhere."""
    pair = make_pair(ARCHITECTURES["linear"], FAMILIES["normal"], INPUTS, 2, dtype)
    parameters = pair.core.parameters.copy()
    parameters[:-4].reshape(INPUTS, 4)[:, 2:] = 0
    parameters[-2:] = log_scale
    pair.set_parameters(parameters)
    return pair


@each_dtype
@pytest.mark.parametrize(
    ("stabilize", "log_scale"),
    [
        *itertools.product(["beta 1", "natural", "faithful"], [-1e4, 31.0, 1e4]),
        # Elsewhere plain derivatives of 1e25, which float32 cannot square.
        ("beta 1", -29.0),
        *itertools.product(["warmup"], [29.0, 31.0, 1e4]),
    ],
)
def test_scales_are_held(stabilize: str, log_scale: float, dtype: str) -> None:
    """The factor is that of the scale in the density, whose derivative is 0 outside its bounds."""
    run = Run(epochs=3, batch_size=24, stabilize=STABILIZERS[stabilize], options={"clip_norm": 1.0})
    pair = with_scales(log_scale, dtype)
    run_both(run, "sgd", dtype, pair)
    moved, wanted = pair.core.parameters, pair.reference.parameters
    np.testing.assert_allclose(moved, wanted, rtol=0, atol=1e-5 if dtype == "float32" else 1e-12)


def hidden_and_output(kit: Kit, width: int) -> Layers:
    shared = kit.dense(width, "tanh")
    return [kit.dense(width, "silu"), shared], shared


@each_dtype
@pytest.mark.parametrize("stabilize", LOCATIONS)
def test_one_layer_as_hidden_and_output_layer(stabilize: str, dtype: str) -> None:
    run = Run(stabilize=STABILIZERS[stabilize])
    pair = make_pair(hidden_and_output, FAMILIES["normal"], INPUTS, 2, dtype, seed=3)
    pair.copy_parameters()
    assert_same_trajectory(*run_both(run, "nesterov", dtype, pair))


def data(rows: int = 60) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, 2))
    return x, np.sin(x) @ [1.0, -2.0] + 0.3 * np.abs(x[:, 0]) * rng.normal(size=rows)


def network(family: Any = "normal", **options: Any) -> likely.Network:
    return likely.Network(2, 1, [likely.Dense(6, "tanh")], family, dtype="float64", **options)


def test_names() -> None:
    for name, stabilizer in {
        "warmup": likely.Warmup(),
        "beta": likely.BetaWeighting(),
        "Beta_Weighting": likely.BetaWeighting(0.5),
        "faithful": likely.Faithful(),
        "natural": likely.NaturalGradient(),
        "natural_gradient": likely.NaturalGradient(damping=1e-3),
    }.items():
        trainer = likely.Trainer(stabilize=name)
        assert trainer.stabilize == stabilizer
        assert dataclasses.replace(trainer, epochs=7).stabilize == stabilizer
        assert pickle.loads(pickle.dumps(trainer)).stabilize == stabilizer
    assert likely.Trainer().stabilize is None
    assert "stabilize=BetaWeighting(beta=0.5)" in repr(likely.Trainer(stabilize="beta"))


@pytest.mark.parametrize("stabilize", STABILIZERS)
def test_losses_stay_plain(stabilize: str) -> None:
    x, y = data()
    fitted = network(standardize=True)
    likely.Trainer(epochs=1).fit(fitted, x, y)  # sets the scaling
    before = fitted.loss(x, y)
    trainer = likely.Trainer(epochs=4, batch_size=None, stabilize=STABILIZERS[stabilize][0])
    history = trainer.fit(fitted, x, y, validation=(x, y))
    assert history.loss[0] == pytest.approx(before, rel=1e-12)
    np.testing.assert_allclose(history.loss[1:], history.validation_loss[:-1], rtol=1e-12)
    assert history.validation_loss[-1] == pytest.approx(fitted.loss(x, y), rel=1e-12)


@pytest.mark.parametrize("family", [likely.Normal(), likely.Normal("shared")], ids=repr)
def test_a_warm_up_leaves_the_scale_alone(family: likely.Distribution) -> None:
    """Of 7 epochs 3 by default, whether each row has a scale or all have one."""
    x, y = data()
    fitted = network(family)
    tensors, seen = fitted.named_parameters(), []

    def scale() -> list[float]:
        shared = tensors.get("distribution.log_scale")
        if shared is not None:
            return shared.tolist()
        return [*tensors["output.weight"][:, 1], tensors["output.bias"][1]]

    start = scale()
    trainer = likely.Trainer(epochs=7, stabilize="warmup")
    trainer.fit(fitted, x, y, callback=lambda epoch: seen.append(scale()))
    assert seen[:3] == [start] * 3
    assert all(a != b for a, b in itertools.pairwise(seen[2:]))


def test_the_warm_up_does_not_count_for_patience() -> None:
    """The loss rises from the first epoch on: the data are fitted, and then to other targets."""
    x, y = data()
    ends = {}
    for epochs in (1, 5, 9):
        fitted = network()
        likely.Trainer(likely.Adam(0.02)).fit(fitted, x, y)
        trainer = likely.Trainer(epochs=30, patience=3, stabilize=likely.Warmup(epochs))
        history = trainer.fit(fitted, x, 9 - y, validation=(x, y))
        assert np.all(np.diff(history.validation_loss) > 0)
        assert (history.stopped, history.best_epoch) == ("early stopping", 0)
        ends[epochs] = history.epochs
    # The first epoch is the best; three more that count.
    assert ends == {1: 4, 5: 8, 9: 12}


@each_dtype
@pytest.mark.parametrize("epochs", [1, 3, 6])
def test_patience_and_warm_up_as_in_the_reference(epochs: int, dtype: str) -> None:
    run = Run(rows=12, batch_size=4, epochs=30, targets=1, patience=3, standardize=True)
    pair = make_pair(
        ARCHITECTURES["one_dense"], FAMILIES["normal"], INPUTS, 1, dtype, seed=3, standardize=True
    )
    pair.scatter_parameters(seed=7)
    train, held_out = make_data(pair, run.rows, seed=1), make_data(pair, 11, seed=2)
    validation = (held_out.x, held_out.y)
    history = likely.Trainer(
        OPTIMIZERS["nesterov"][0], 4, 30, patience=3, seed=5, stabilize=likely.Warmup(epochs)
    ).fit(pair.core, train.x, train.y, validation=validation)
    expected = reference.fit(
        pair.reference, train.x, train.y, optimizer=OPTIMIZERS["nesterov"][1], batch_size=4,
        epochs=30, patience=3, seed=5, stabilize=reference.Warmup(epochs), validation=validation,
        standardize=True,
    )  # fmt: skip
    assert_same_trajectory(pair, history, expected)
    assert history.stopped == "early stopping"


def test_a_faithful_mean_is_that_of_least_squares() -> None:
    """All along, whatever the scale learns (Stirn et al. 2023)."""
    x, y = data()
    faithful, squares = network(), network(likely.Normal(1.0))
    start, hidden = faithful.named_parameters(), squares.named_parameters()
    hidden["dense_0.weight"][...] = start["dense_0.weight"]
    hidden["output.weight"][:, 0] = start["output.weight"][:, 0]
    options: dict[str, Any] = {"optimizer": likely.Adam(0.05), "epochs": 20}
    likely.Trainer(**options, stabilize="faithful").fit(faithful, x, y)
    likely.Trainer(**options).fit(squares, x, y)
    means = [fitted.predict_distribution(x).mean for fitted in (faithful, squares)]
    np.testing.assert_allclose(*means, rtol=1e-10, atol=1e-12)
    assert np.ptp(faithful.predict_distribution(x).std) > 0.1


def test_beta_zero_is_the_plain_gradient() -> None:
    x, y = data()
    plain, weighted = network(), network()
    likely.Trainer(epochs=3).fit(plain, x, y)
    likely.Trainer(epochs=3, stabilize=likely.BetaWeighting(0.0)).fit(weighted, x, y)
    np.testing.assert_array_equal(plain.parameters, weighted.parameters)


@likely.distribution(parameters=["loc", "log_scale"])
def of_my_own(y: Any, loc: Any, log_scale: Any) -> Any:
    """Not even with the names of a location and a scale."""
    return -np.abs(y - loc) * np.exp(-log_scale) - log_scale - np.log(2)


NO_LOCATION = ("warmup", "beta", "faithful")
WITHOUT = [
    likely.Mixture("normal", 2), likely.Mixture("von_mises", 2), likely.Ordinal(2),
    likely.Quantiles([0.2, 0.5]), likely.MultivariateNormal(), of_my_own,
]  # fmt: skip
"""Families that are not in the table, neither with a location nor with an information."""
UNUSABLE: list[tuple[str, Any]] = [
    *((name, TABLE[f].core()) for f in TABLE if not has_a_location(f) for name in NO_LOCATION),
    *(("natural", TABLE[f].core()) for f in NO_FISHER),
    *((name, family) for family in WITHOUT for name in (*NO_LOCATION, "natural")),
]


@pytest.mark.parametrize(("name", "family"), UNUSABLE, ids=str)
def test_families_that_lack_what_is_needed(name: str, family: Any) -> None:
    x, y = data()
    fitted = network(family, standardize=True)
    before = fitted.parameters.copy()
    trainer = likely.Trainer(stabilize=name)
    needed = "Fisher information" if name == "natural" else "a location and a scale"
    with pytest.raises(ValueError, match=f"stabilize=.* needs a family .*{needed}") as caught:
        trainer.fit(fitted, x, np.where(y > 0, 0.0, 1.0))
    mine = type(fitted.distribution).__name__
    for word in ("Normal", type(trainer.stabilize).__name__, f"distribution is {mine}"):
        assert word in str(caught.value)
    np.testing.assert_array_equal(fitted.parameters, before)
    assert fitted.scaling is None
    assert trainer.history.epochs == 0


@pytest.mark.parametrize("name", [*NO_LOCATION, "natural"])
def test_the_error_lists_the_families_that_can(name: str) -> None:
    with pytest.raises(ValueError, match="needs a family") as caught:
        likely.Trainer(stabilize=name).fit(network(of_my_own), *data())
    listed = str(caught.value).split("(")[1].split(")")[0].split(", ")
    able = {type(TABLE[family].core()).__name__ for family, each in APPLICABLE if each == name}
    assert set(listed) == able
