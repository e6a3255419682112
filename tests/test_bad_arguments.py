"""What bad arguments of constructors get: an exception that names the argument, what came and what
was expected. Data are in test_bad_input.py.
"""

import math
from collections.abc import Callable
from typing import Any

import likely
import numpy as np
import pytest
from test_bad_input import Case, make_network, refused

NAN, INF = math.nan, math.inf
BEYOND = 10**30
COUNT: list[Case] = [
    (0, ValueError, ["at least", "0"]),
    (-1, ValueError, ["at least", "-1"]),
    (1.5, TypeError, ["integer", "float", "1.5"]),
    (2.0, TypeError, ["integer", "float"]),
    ("3", TypeError, ["integer", "str"]),
    (True, TypeError, ["integer", "bool"]),
    ([3], TypeError, ["integer", "list"]),
    (BEYOND, ValueError, [str(BEYOND)]),
    (-BEYOND, ValueError, [str(-BEYOND)]),
]
NO_COUNT: list[Case] = [(None, TypeError, ["integer", "NoneType"])]
SEED: list[Case] = [*COUNT[1:], *NO_COUNT, (2**64, ValueError, [str(2**64)])]
POSITIVE: list[Case] = [
    (0, ValueError, ["positive", "0"]),
    (-0.5, ValueError, ["positive", "-0.5"]),
    (NAN, ValueError, ["nan"]),
    (INF, ValueError, ["finite", "inf"]),
    (10**400, ValueError, ["finite"]),
    ("0.1", TypeError, ["number", "str"]),
    (None, TypeError, ["number", "NoneType"]),
    (True, TypeError, ["number", "bool"]),
    ([0.1], TypeError, ["number", "list"]),
    (1j, TypeError, ["number", "complex"]),
]
AT_LEAST_0: list[Case] = [(-0.5, ValueError, ["at least 0", "-0.5"]), *POSITIVE[2:]]
FRACTION: list[Case] = [(1, ValueError, ["[0, 1)"]), (-0.5, ValueError, ["[0, 1)"]), *POSITIVE[-5:]]
FLAG: list[Case] = [
    (bad, TypeError, ["True or False", type(bad).__name__]) for bad in (0, 1, "", None)
]
DECAY_FACTOR: list[Case] = [
    *((bad, ValueError, ["(0, 1]", f"{bad}"]) for bad in (0, -0.5, 1.5, NAN, INF)),
    *POSITIVE[-5:],
]
SHARE: list[Case] = [
    *((bad, ValueError, ["[0, 1]", f"{bad}"]) for bad in (-0.5, 1.5, NAN, INF)),
    *POSITIVE[-5:],
]
INNER_SHARE: list[Case] = [
    *((bad, ValueError, ["(0, 1)", f"{bad}"]) for bad in (0, 1, -0.5, 1.5, NAN, INF)),
    *POSITIVE[-5:],
]
SCHEDULES: list[Case] = [
    ("constant", TypeError, ["list of schedules", "constant"]),
    (likely.Constant(), TypeError, ["list of schedules", "Constant"]),
    (None, TypeError, ["list of schedules", "NoneType"]),
    ([], ValueError, ["at least one"]),
    (["constant", likely.SGD()], TypeError, ["schedules[1]", "Schedule", "SGD"]),
    ([likely.Constant], TypeError, ["schedules[0]", "Constant(...)"]),
    (["constan"], ValueError, ["schedules[0]", "constan", "Constant"]),
    (["step_decay"], ValueError, ["schedules[0]", "StepDecay", "every"]),
    ([likely.Sequence(["constant"], [])], ValueError, ["schedules[0]", "Sequence"]),
]
STARTS: list[Case] = [
    (5, TypeError, ["list of integers", "int 5"]),
    ("5", TypeError, ["list of integers", "str"]),
    (None, TypeError, ["list of integers", "NoneType"]),
    ([1.5, 2], TypeError, ["at[0]", "integer", "1.5"]),
    ([2, True], TypeError, ["at[1]", "integer", "bool"]),
    ([2], ValueError, ["length 2", "1"]),
    ([2, 3, 4], ValueError, ["length 2", "3"]),
    ([0, 3], ValueError, ["increasing", "0"]),
    ([3, 3], ValueError, ["increasing", "3"]),
    ([2, BEYOND], ValueError, ["at[1]", str(BEYOND)]),
]
NAMES: list[Case] = [
    ("ab", TypeError, ["list of strings", "ab"]),
    (["a", 3], TypeError, ["list of strings", "3"]),
    (5, TypeError, ["list of strings", "5"]),
    (["a"], ValueError, ["2", "1"]),
    (["a", "b", "c"], ValueError, ["2", "3"]),
]
LAYERS: list[Case] = [
    ("relu", TypeError, ["list", "relu"]),
    (likely.Dense(3), TypeError, ["list", "Dense"]),
    (5, TypeError, ["list", "int"]),
    (None, TypeError, ["list", "NoneType"]),
    (["relu"], TypeError, ["layers[0]", "str"]),
    ([likely.Dense(3), likely.Adam()], TypeError, ["layers[1]", "Adam"]),
]
SCALES: list[Case] = [
    *((bad, ValueError, ["predicted", "shared", f"{bad}"]) for bad in (0, -1, NAN, INF, "share")),
    *((bad, TypeError, ["predicted", "shared", f"{bad}"]) for bad in (None, True)),
]
DEGREES: list[Case] = [
    *SCALES,
    *((bad, ValueError, ["[1, 1000]", f"{bad}"]) for bad in (0.5, 1001)),
]
PROBABILITY: list[Case] = [
    (-0.5, ValueError, ["[0, 1]", "-0.5"]),
    (1.5, ValueError, ["[0, 1]", "1.5"]),
    (NAN, ValueError, ["[0, 1]", "nan"]),
    (10**400, ValueError, []),
    ("0.5", TypeError, ["number", "str"]),
    (None, TypeError, ["number", "None"]),
    (True, TypeError, ["number", "bool"]),
]
PROBABILITIES: list[Case] = [
    *PROBABILITY,
    ([], ValueError, ["at least one number", "(0,)"]),
    ([0.5, 1.5], ValueError, ["[0, 1]", "1.5"]),
    ([[0.1, 0.2], [0.3]], ValueError, ["one number", "(2,)"]),
    ([0.5, "0.9"], TypeError, ["number", "str"]),
]


def trainer(argument: str) -> Callable[[Any], Any]:
    return lambda value: likely.Trainer(**{argument: value})


def network(argument: str, **options: Any) -> Callable[[Any], Any]:
    return lambda value: likely.Network(**{"inputs": 2, **options, argument: value})


def of(kind: Callable[..., Any], argument: str, **options: Any) -> Callable[[Any], Any]:
    return lambda value: kind(**{argument: value, **options})


def predicted(method: str, argument: str, **options: Any) -> Callable[[Any], Any]:
    prediction = make_network().predict_distribution(np.zeros((3, 2)))
    return lambda value: getattr(prediction, method)(**{argument: value, **options})


ARGUMENTS: list[tuple[str, Callable[[Any], Any], list[Case]]] = [
    *((name, trainer(name), COUNT) for name in ("batch_size", "epochs", "patience")),
    ("epochs", trainer("epochs"), NO_COUNT),
    *((name, trainer(name), FLAG) for name in ("shuffle", "drop_last")),
    ("seed", trainer("seed"), SEED),
    ("seed", network("seed"), SEED),
    ("seed", predicted("sample", "seed", n=2), SEED),
    ("n", predicted("sample", "n"), [*COUNT, *NO_COUNT, (2**62, ValueError, [str(2**62)])]),
    ("probability", predicted("quantile", "probability"), PROBABILITIES),
    (
        "coverage",
        predicted("interval", "coverage"),
        [*PROBABILITY, ([0.5, 0.9], ValueError, ["one number", "(2,)"])],
    ),
    *((name, network(name), [*COUNT, *NO_COUNT]) for name in ("inputs", "targets")),
    ("layers", network("layers"), LAYERS),
    ("standardize", network("standardize"), FLAG),
    (
        "dtype",
        network("dtype"),
        [
            (bad, ValueError, ["float32", "float64"])
            for bad in ("float16", "int32", "fp32", None, 5)
        ],
    ),
    ("output", network("output"), [("relu", TypeError, ["str"]), (5, TypeError, ["int"])]),
    ("output", network("output"), [(likely.Dense(3), ValueError, ["2", "3"])]),
    ("output", network("output"), [(likely.Residual(likely.Dense(2)), ValueError, ["Dense"])]),
    *((name, network(name, targets=2), NAMES) for name in ("feature_names", "target_names")),
    ("class_names", network("class_names", distribution="bernoulli"), NAMES),
    ("class_names", network("class_names"), [(["a", "b"], ValueError, ["Categorical"])]),
    ("units", of(likely.Dense, "units"), [*COUNT, *NO_COUNT]),
    ("bias", of(likely.Dense, "bias", units=3), FLAG),
    ("classes", of(likely.Categorical, "classes"), [*COUNT, *NO_COUNT, (1, ValueError, ["2"])]),
    ("scale", of(likely.Normal, "scale"), SCALES),
    ("df", of(likely.StudentT, "df"), DEGREES),
    ("negative_slope", of(likely.LeakyReLU, "negative_slope"), AT_LEAST_0),
    ("alpha", of(likely.ELU, "alpha"), POSITIVE),
    *(
        ("learning_rate", of(kind, "learning_rate"), POSITIVE)
        for kind in likely.Optimizer.__subclasses__()
    ),
    ("momentum", of(likely.SGD, "momentum"), FRACTION),
    ("momentum", of(likely.SGD, "momentum", nesterov=True), [(0, ValueError, ["nesterov"])]),
    ("nesterov", of(likely.SGD, "nesterov", momentum=0.5), FLAG),
    *(
        (name, of(kind, name), FRACTION)
        for name in ("beta1", "beta2")
        for kind in (likely.Adam, likely.AdamW)
    ),
    ("decay", of(likely.RMSprop, "decay"), FRACTION),
    *(
        ("epsilon", of(kind, "epsilon"), POSITIVE)
        for kind in (likely.Adam, likely.AdamW, likely.RMSprop, likely.Adagrad)
    ),
    ("weight_decay", of(likely.AdamW, "weight_decay"), AT_LEAST_0),
    ("every", of(likely.StepDecay, "every"), [*COUNT, *NO_COUNT]),
    ("factor", of(likely.StepDecay, "factor", every=2), DECAY_FACTOR),
    ("factor", of(likely.ExponentialDecay, "factor"), DECAY_FACTOR),
    ("power", of(likely.InverseScaling, "power"), POSITIVE),
    ("warmup", of(likely.CosineDecay, "warmup"), AT_LEAST_0),
    ("warmup", of(likely.CosineDecay, "warmup", epochs=5), [(5, ValueError, ["less", "5"])]),
    ("warmup", of(likely.OneCycle, "warmup"), INNER_SHARE),
    ("start", of(likely.OneCycle, "start"), SHARE),
    *(("final", of(kind, "final"), SHARE) for kind in (likely.CosineDecay, likely.OneCycle)),
    *(("epochs", of(kind, "epochs"), COUNT) for kind in (likely.CosineDecay, likely.OneCycle)),
    ("factor", of(likely.ReduceOnPlateau, "factor"), INNER_SHARE),
    ("patience", of(likely.ReduceOnPlateau, "patience"), [*COUNT, *NO_COUNT]),
    ("threshold", of(likely.ReduceOnPlateau, "threshold"), AT_LEAST_0),
    ("minimum", of(likely.ReduceOnPlateau, "minimum"), SHARE),
    ("schedules", of(likely.Sequence, "schedules", at=[]), SCHEDULES),
    ("at", of(likely.Sequence, "at", schedules=["constant"] * 3), STARTS),
    ("epochs", of(likely.Warmup, "epochs"), COUNT),
    ("beta", of(likely.BetaWeighting, "beta"), SHARE),
    ("damping", of(likely.NaturalGradient, "damping"), POSITIVE),
    ("stabilize", trainer("stabilize"), [(True, TypeError, ["Stabilizer", "bool"])]),
    ("stabilize", trainer("stabilize"), [(likely.Adam(), TypeError, ["Stabilizer", "Adam"])]),
    ("stabilize", trainer("stabilize"), [(likely.Faithful, TypeError, ["Faithful(...)"])]),
    (
        "stabilize",
        trainer("stabilize"),
        [(likely.Warmup(bad), ValueError, ["less than", "100", f"{bad}"]) for bad in (100, 250)],
    ),
]


@pytest.mark.parametrize(
    ("argument", "make", "case"),
    [
        pytest.param(argument, make, case, id=f"{argument}-{number}-{str(case[0])[:20]}")
        for number, (argument, make, cases) in enumerate(ARGUMENTS)
        for case in cases
    ],
)
def test_argument(argument: str, make: Callable[[Any], Any], case: Case) -> None:
    value, error, words = case
    with refused(error, argument, *words):
        make(value)


def test_numpy_numbers_are_numbers() -> None:
    assert likely.Dense(np.int16(3)) == likely.Dense(3)
    assert likely.SGD(np.float64(0.5), nesterov=np.bool_(False)) == likely.SGD(0.5)
    assert likely.Network(np.uint8(2), seed=np.int64(1)).inputs == 2
    assert likely.Network(1, dtype=np.float64).dtype == "float64"
    assert likely.Network(1, dtype=np.dtype("float32")).dtype == "float32"
    assert likely.Trainer(epochs=np.int32(4), shuffle=np.True_, seed=2**64 - 1).epochs == 4


UNKNOWN: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "activation": (lambda: likely.Dense(3, "rellu"), ["activation", "rellu", "ReLU"]),
    "leaky": (lambda: likely.Dense(3, "leakyrelv"), ["activation", "leakyrelv", "LeakyReLU"]),
    "init": (lambda: likely.Dense(3, init="glorotuniform1"), ["init", "glorot_uniform"]),
    "distribution": (lambda: likely.Network(1, distribution="norml"), ["distribution", "Normal"]),
    "bernouli": (lambda: likely.Network(1, distribution="Bernouli"), ["distribution", "Bernoulli"]),
    "optimizer": (lambda: likely.Trainer("adm"), ["optimizer", "adm", "Adam"]),
    "stabilizer": (
        lambda: likely.Trainer(stabilize="faithfull"),
        ["stabilize", "faithfull", "Faithful"],
    ),
    "empty": (lambda: likely.Trainer(""), ["optimizer", "''", "SGD", "Adam"]),
    "needs a field": (
        lambda: likely.Network(1, distribution="categorical"),
        ["distribution", "Categorical", "classes"],
    ),
    "surrogate": (lambda: likely.Dense(3, "\ud800"), ["activation"]),
}


@pytest.mark.parametrize(("make", "words"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_names_bring_the_nearest_known_one(
    make: Callable[[], Any], words: list[str]
) -> None:
    with refused(ValueError, *words):
        make()


KEYWORDS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "activation": (
        lambda: likely.Dense(3, activaton="relu"),
        ["Dense()", "activaton", "activation"],
    ),
    "rate": (lambda: likely.SGD(learningrate=0.1), ["SGD()", "learningrate", "learning_rate"]),
    "betas": (lambda: likely.Adam(beta_1=0.9), ["Adam()", "beta_1", "beta1"]),
    "classes": (lambda: likely.Categorical(n_classes=3), ["Categorical()", "n_classes", "classes"]),
    "no field": (lambda: likely.ReLU(slope=1.0), ["ReLU()", "slope"]),
    "residual": (lambda: likely.Residual(layers=[likely.Dense(2)]), ["Residual()", "layers"]),
    "network": (lambda: likely.Network(2, layer=[]), ["layer"]),
    "trainer": (lambda: likely.Trainer(learning_rate=0.1), ["learning_rate"]),
    "fit": (
        lambda: likely.Trainer().fit(likely.Network(1), [1.0], [1.0], weight=[1.0]),
        ["weight"],
    ),
    "missing units": (lambda: likely.Dense(), ["Dense()", "units"]),
    "missing classes": (lambda: likely.Categorical(), ["Categorical()", "classes"]),
    "too many": (lambda: likely.SGD(0.1, 0.5, True, 4), ["SGD()", "3", "4"]),
    "twice": (lambda: likely.SGD(0.1, learning_rate=0.1), ["SGD()", "learning_rate"]),
    "number as activation": (lambda: likely.Dense(3, 5), ["activation", "int"]),
    "class as activation": (lambda: likely.Dense(3, likely.ReLU), ["activation", "ReLU"]),
    "layer as optimizer": (lambda: likely.Trainer(likely.Dense(3)), ["optimizer", "Dense"]),
    "none as distribution": (
        lambda: likely.Network(1, distribution=None),
        ["distribution", "None"],
    ),
    "none as init": (lambda: likely.Dense(3, init=None), ["init", "None"]),
    "list in residual": (lambda: likely.Residual([likely.Dense(2)]), ["layer 0", "list"]),
    "number in residual": (lambda: likely.Residual(likely.Dense(2), 5), ["layer 1", "int"]),
}


@pytest.mark.parametrize(("make", "words"), KEYWORDS.values(), ids=KEYWORDS)
def test_keywords_and_types(make: Callable[[], Any], words: list[str]) -> None:
    with refused(TypeError, *words):
        make()


def test_base_classes_cannot_be_made() -> None:
    for kind in (
        likely.Activation, likely.Distribution, likely.Layer, likely.Optimizer, likely.Schedule,
        likely.Stabilizer,
    ):  # fmt: skip
        with refused(TypeError, kind.__name__):
            kind()


def test_empty_residual() -> None:
    with refused(ValueError, "layers", "at least one"):
        likely.Residual()


def test_layers_that_do_not_fit_together() -> None:
    shared = likely.Dense(3)
    with refused(ValueError, "layers", "dense_0", "2", "4", "shares its weights"):
        likely.Network(2, layers=[shared, likely.Dense(4), shared])
    with refused(ValueError, "layers", "residual_0", "2", "3"):
        likely.Network(2, layers=[likely.Residual(shared)])


SIZES: dict[str, dict[str, Any]] = {
    "units": {"inputs": 1, "layers": [likely.Dense(2**62)]},
    "most units": {"inputs": 1, "layers": [likely.Dense(2**63 - 1)]},
    "a product of 2**80": {"inputs": 2**40, "layers": [likely.Dense(2**40)]},
    "a product of 2**64": {"inputs": 2**32, "layers": [likely.Dense(2**32)]},
    "a sum": {"inputs": 2**24, "layers": [likely.Dense(2**24)]},
    "inputs": {"inputs": 2**62},
    "targets": {"inputs": 1, "targets": 2**62},
    "most targets": {"inputs": 1, "targets": 2**63 - 1},
    "classes": {"inputs": 1, "distribution": likely.Categorical(2**62)},
    "classes by targets": {
        "inputs": 1,
        "targets": 2**40,
        "distribution": likely.Categorical(2**40),
    },
    "shared constants": {"inputs": 1, "targets": 2**48, "distribution": likely.Normal("shared")},
}


@pytest.mark.parametrize("arguments", SIZES.values(), ids=SIZES)
def test_sizes_that_overflow(arguments: dict[str, Any]) -> None:
    with refused(ValueError, "too large"):
        likely.Network(**arguments)


def test_more_than_any_memory() -> None:
    with pytest.raises((ValueError, MemoryError), match="too large"):  # 2**48 bytes
        likely.Network(2**45)


def test_layers_that_multiply_without_end() -> None:
    doubled: likely.Layer = likely.Dense(2)
    for _ in range(40):
        doubled = likely.Residual(doubled, doubled)
    with refused(ValueError, "layers", "times"):
        likely.Network(2, layers=[doubled])
    nested: likely.Layer = likely.Dense(2)
    with refused(ValueError, "layers", "deep"):
        for _ in range(200):
            nested = likely.Residual(nested)
        likely.Network(2, layers=[nested])


def test_a_huge_batch_is_the_whole_set() -> None:
    x = np.arange(4.0)
    whole, huge = (likely.Trainer(batch_size=size, epochs=2) for size in (None, 2**62))
    networks = [likely.Network(1), likely.Network(1)]
    assert whole.fit(networks[0], x, x).loss.tolist() == huge.fit(networks[1], x, x).loss.tolist()


@pytest.mark.parametrize(
    "name", ["optimizer", "batch_size", "epochs", "shuffle", "patience", "seed"]
)
def test_options_are_not_changed_in_vain(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(likely.Trainer(), name, 5)
