"""The reference's distributions, activations and random numbers against SciPy, central differences
and an independent Philox. The core is held against the reference, so an error there would be an
error everywhere. Its networks and training are tested in reference/test_*.py.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference import ACTIVATIONS, Bernoulli, Categorical, Distribution, Normal, Predictive, philox
from reference.arrays import Array
from scipy import integrate, special, stats


def column(*raw: float) -> Array:
    """Raw parameters of a single row and target column."""
    return np.array(raw, dtype=np.float64).reshape(-1, 1, 1)


def categorical_oracle(*logits: float) -> Any:
    return stats.rv_discrete(values=(np.arange(len(logits)), special.softmax(logits)))


CLOSE: Any = {"rtol": 1e-12, "atol": 1e-13}
E30 = np.exp(30.0)
REALS = [-40.0, -1.3, 0.0, 0.7, 2.5]
LABELS = [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]
ORACLES: list[tuple[Distribution, Array, Any, list[float]]] = [
    (Normal(), column(0.0, 0.0), stats.norm(0, 1), REALS),
    (Normal(), column(-2.0, 1.5), stats.norm(-2, np.exp(1.5)), REALS),
    (Normal(), column(3.0, -2.0), stats.norm(3, np.exp(-2.0)), REALS),
    (Normal(), column(0.5, 31.0), stats.norm(0.5, E30), [-E30, 0.5, 2 * E30]),
    (Normal(), column(0.0, -1e4), stats.norm(0, 1 / E30), [0.0, 1e-13]),
    (Normal("shared"), column(1.0, -0.5), stats.norm(1, np.exp(-0.5)), REALS),
    (Normal(2.5), column(1.0, np.log(2.5)), stats.norm(1, 2.5), REALS),
    *((Bernoulli(), column(z), stats.bernoulli(special.expit(z)), LABELS) for z in (-3, 0.2, 2.5)),
    (Categorical(2), column(0.3, -1.0), categorical_oracle(0.3, -1.0), LABELS),
    (Categorical(3), column(0.0, 2.0, 0.0), categorical_oracle(0, 2, 0), LABELS),
    (Categorical(5), column(9, 8, 7.5, 10, 9), categorical_oracle(9, 8, 7.5, 10, 9), LABELS),
]


@pytest.mark.parametrize(("family", "raw", "oracle", "targets"), ORACLES)
def test_distribution_follows_scipy(
    family: Distribution, raw: Array, oracle: Any, targets: list[float]
) -> None:
    p = np.array([1e-9, 0.01, 0.3, 0.5, 0.77, 0.999, 1.0, -0.1, 1.1])
    y = np.array([*targets, np.nan])
    log_prob = getattr(oracle, "logpdf", None) or oracle.logpmf
    assert_allclose(family.log_prob(raw, y)[0], log_prob(y), **CLOSE)
    assert_allclose(family.cdf(raw, y)[0], oracle.cdf(y), **CLOSE)
    assert_allclose(family.quantile(raw, p)[0], oracle.ppf(p), **CLOSE)
    assert_allclose(family.entropy(raw)[0], oracle.entropy(), **CLOSE)
    assert np.all(log_prob(targets) <= log_prob(family.mode(raw)[0]) + 1e-13)
    assert_array_equal(family.support(targets), log_prob(targets) > -np.inf)
    assert not family.support([np.nan, np.inf, -np.inf]).any()
    moments = [family.mean(raw).item(), family.variance(raw).item(), family.std(raw).item()]
    scipys = [oracle.mean(), oracle.var(), oracle.std()]
    assert_allclose(moments, [np.nan] * 3 if isinstance(family, Categorical) else scipys, **CLOSE)


@pytest.mark.parametrize(("family", "raw", "oracle", "targets"), ORACLES)
def test_gradient_of_log_prob(
    family: Distribution, raw: Array, oracle: Any, targets: list[float]
) -> None:
    y = np.array([t for t in targets if family.support(t)])
    for p, gradient in enumerate(family.gradient(raw, y)):
        up, down = raw.copy(), raw.copy()
        h = 1e-5 * (family.std(raw).item() if family.names[p] == "loc" else 1.0)
        up[p] += h
        down[p] -= h
        slope = (family.log_prob(up, y) - family.log_prob(down, y)) / (2 * h)
        # An ulp of log_prob, 1e-15, is 1e-10 after the division by h.
        assert_allclose(gradient, slope, rtol=1e-7, atol=2e-9)


NORMALS = [(0.0, 0.0), (-2.0, 1.5), (3.0, -2.0), (0.0, -31.0), (0.0, -30.0), (1e8, 31.0)]


@pytest.mark.parametrize("p", NORMALS)
@pytest.mark.parametrize("q", NORMALS)
def test_information_between_normals(p: tuple[float, float], q: tuple[float, float]) -> None:
    """By Gauss-Hermite quadrature, which is exact for the square in a logarithm of density."""
    family, raw, other = Normal(), column(*p), column(*q)
    z, weight = np.polynomial.hermite_e.hermegauss(5)
    y = family.mean(raw) + family.std(raw) * z
    oracles = [stats.norm(r[0], np.exp(np.clip(r[1], -30, 30))) for r in (p, q)]
    log_p, log_q = (oracle.logpdf(y) for oracle in oracles)
    mean = weight / weight.sum()
    assert_allclose(family.cross_entropy(raw, other), [[-log_q[0] @ mean]], rtol=1e-12)
    expected = (log_p - log_q)[0] @ mean
    assert_allclose(family.kl_divergence(raw, other), [[expected]], rtol=1e-12, atol=1e-13)


def test_information_between_normals_by_integration() -> None:
    family, raw, other = Normal(), column(0.4, 0.3), column(-1.0, 0.8)
    p, q = stats.norm(0.4, np.exp(0.3)), stats.norm(-1.0, np.exp(0.8))
    cross, _ = integrate.quad(lambda y: -p.pdf(y) * q.logpdf(y), -40, 40, epsabs=1e-12)
    kl, _ = integrate.quad(lambda y: p.pdf(y) * (p.logpdf(y) - q.logpdf(y)), -40, 40, epsabs=1e-12)
    assert_allclose(family.cross_entropy(raw, other), [[cross]], rtol=1e-10)
    assert_allclose(family.kl_divergence(raw, other), [[kl]], rtol=1e-10)


@pytest.mark.parametrize("e", [1e-12, -1e-6, 0.01, -0.999, 0.999, 1.001, -1.001, 3.0, -60.0])
def test_divergence_of_normals_of_almost_one_scale(e: float) -> None:
    """(exp(e) - 1 - e) / 2 to the last digits, where its terms cancel."""
    raw, other = column(0.0, e / 2), column(0.0, 0.0)
    with localcontext() as context:
        context.prec = 60
        expected = float((Decimal(e).exp() - 1 - Decimal(e)) / 2)
    assert_allclose(Normal().kl_divergence(raw, other), [[expected]], rtol=1e-14)


@pytest.mark.parametrize("classes", [2, 5])
def test_information_between_labels(classes: int) -> None:
    rng = np.random.default_rng(classes)
    raw, other = rng.normal(0, 3, (2, classes, 4, 3))
    p, q = special.softmax(raw, axis=0), special.softmax(other, axis=0)
    cross, kl = -special.xlogy(p, q).sum(axis=0), special.rel_entr(p, q).sum(axis=0)
    family = Categorical(classes)
    assert_allclose(family.cross_entropy(raw, other), cross, rtol=1e-12)
    assert_allclose(family.kl_divergence(raw, other), kl, rtol=1e-12)
    if classes == 2:  # the same coin
        raw, other = raw[1:] - raw[:1], other[1:] - other[:1]
        assert_allclose(Bernoulli().cross_entropy(raw, other), cross, rtol=1e-12)
        assert_allclose(Bernoulli().kl_divergence(raw, other), kl, rtol=1e-12)


@pytest.mark.parametrize(("family", "raw", "oracle", "targets"), ORACLES)
def test_cross_entropy_is_entropy_and_divergence(
    family: Distribution, raw: Array, oracle: Any, targets: list[float]
) -> None:
    other = np.random.default_rng(0).normal(0.3, 1.0, (*raw.shape[:2], 9))
    entropy, cross = family.entropy(raw), family.cross_entropy(raw, other)
    assert_allclose(cross, entropy + family.kl_divergence(raw, other), rtol=1e-12)
    assert np.all(family.kl_divergence(raw, other) > 0)
    assert_allclose(family.cross_entropy(raw, raw), entropy, rtol=1e-13)
    assert_array_equal(family.kl_divergence(raw, raw), 0.0)


def test_information_is_exact_far_out() -> None:
    for family, raw, other in (
        (Bernoulli(), column(1e4), column(-1e4)),
        (Categorical(2), column(-1e4, 0.0), column(0.0, -1e4)),
    ):
        assert_array_equal(family.cross_entropy(raw, other), 1e4)
        assert_array_equal(family.kl_divergence(raw, other), 1e4)


def test_information_in_the_users_units() -> None:
    """Of predictions whose targets were standardised differently."""
    rng = np.random.default_rng(1)
    family, shape = Normal(), (2, 6, 3)
    a, b, c, d = rng.normal(size=(4, 3))
    p = Predictive(family, rng.normal(size=shape), a, np.exp(b), "float64")
    q = Predictive(family, rng.normal(size=shape), c, np.exp(d), "float64")
    plain = [np.stack([d.mean, np.log(d.std)]) for d in (p, q)]
    assert_allclose(p.cross_entropy(q), family.cross_entropy(*plain), rtol=1e-12)
    assert_allclose(p.kl_divergence(q), family.kl_divergence(*plain), rtol=1e-12)
    assert_allclose(p.cross_entropy(p), p.entropy, rtol=1e-12)
    assert p.kl_divergence(q).shape == (6, 3)
    coin = Predictive(Bernoulli(), rng.normal(size=(1, 6, 3)), np.zeros(3), np.ones(3), "float64")
    short = Predictive(family, q.raw[:, :5], q.location, q.scale, "float64")
    for other, message in ((coin, "family"), (short, "rows")):
        for measure in (p.cross_entropy, p.kl_divergence):
            with pytest.raises(ValueError, match=message):
                measure(other)
    assert_allclose(coin.cross_entropy(coin), coin.entropy, rtol=1e-13)


def test_named_parameters_and_raw_kinds() -> None:
    named = Normal().parameters(column(1.0, 0.0), location=10.0, scale=2.0)
    assert {k: v.item() for k, v in named.items()} == {"loc": 12.0, "scale": 2.0}
    assert_allclose(Bernoulli().parameters(column(0.4))["probs"], special.expit([[0.4]]))
    probs = Categorical(3).parameters(column(0.1, 0.2, 0.9))["probs"]
    assert_allclose(probs, special.softmax([[[0.1, 0.2, 0.9]]], axis=-1))
    kinds = [
        (d.predicted, d.shared, dict(d.fixed)) for d in (Normal(), Normal("shared"), Normal(1))
    ]
    assert kinds == [
        (("loc", "log_scale"), (), {}),
        (("loc",), ("log_scale",), {}),
        (("loc",), (), {"log_scale": 0.0}),
    ]
    for wrong in ("fixed", 0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="scale"):
            Normal(wrong)
    with pytest.raises(ValueError, match="two classes"):
        Categorical(1)


def test_discrete_ties_and_ends() -> None:
    coin, die = Bernoulli(), Categorical(4)
    assert_array_equal(coin.quantile(column(0.0), [0.0, 0.5, np.nextafter(0.5, 1)]), [[0, 0, 1]])
    assert_array_equal(coin.mode(column(0.0)), [[0.0]])
    assert_array_equal(die.quantile(column(0, 0, 0, 0), [0.0, 0.25, 0.26, 1.0]), [[0, 0, 1, 3]])
    assert_array_equal(die.mode(column(0, 1, 1, 0)), [[1.0]])
    raw = np.random.default_rng(0).normal(size=(4, 100))  # some of these sums are not exactly 1
    assert np.any(die.parameters(raw)["probs"].sum(axis=-1) != 1)
    assert_array_equal(die.cdf(raw, 3.0), 1.0)
    assert_array_equal(die.quantile(raw, 1.0), 3.0)


def test_densities_are_exact_far_out() -> None:
    assert_array_equal(Bernoulli().log_prob(column(1e4), [0.0, 1.0]), [[-1e4, 0.0]])
    assert_array_equal(Categorical(2).log_prob(column(1e4, -1e4), [0.0, 1.0]), [[0.0, -2e4]])
    assert_array_equal(Categorical(2).gradient(column(1e4, -1e4), 1.0), column(-1.0, 1.0))
    at_limit, outside = (Normal().gradient(column(0.0, s), 1e15) for s in (30.0, 30.1))
    assert_array_equal(outside[0], at_limit[0])
    assert outside[1] == 0 != at_limit[1]


ACTIVATION_ORACLES: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "relu": lambda z: z * (z > 0),
    "leaky_relu": lambda z: z * np.where(z > 0, 1, 0.01),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "gelu": lambda z: z * stats.norm.cdf(z),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
}
EVERY_ACTIVATION: list[tuple[str, dict[str, float]]] = [
    *((name, {}) for name in ACTIVATIONS),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 1.7}),
]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_value(name: str) -> None:
    z = np.array([-5.0, -1.0, -0.1, 0.0, 0.2, 1.5, 6.0])
    assert_allclose(ACTIVATIONS[name][0](z), ACTIVATION_ORACLES[name](z), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "parameters"), EVERY_ACTIVATION)
def test_activation_derivative(name: str, parameters: dict[str, float]) -> None:
    value, derivative = ACTIVATIONS[name]
    z = np.array([-5.0, -1.0, -0.1, 0.2, 1.5, 6.0])
    h = 1e-5
    slope = (value(z + h, **parameters) - value(z - h, **parameters)) / (2 * h)
    assert_allclose(derivative(z, **parameters), slope, rtol=1e-7, atol=1e-9)
    far = np.array([-1e4, 1e4])
    assert np.isfinite(value(far, **parameters)).all()
    assert np.isfinite(derivative(far, **parameters)).all()


def test_activations_at_zero_take_the_negative_side() -> None:
    zero = np.zeros(1)
    assert ACTIVATIONS["relu"][1](zero) == 0
    assert ACTIVATIONS["leaky_relu"][1](zero, negative_slope=0.2) == 0.2
    assert ACTIVATIONS["elu"][1](zero, alpha=1.5) == 1.5


def philox_block(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x64-10 as Salmon et al. (2011) define it, in Python's integers."""
    mask = 2**64 - 1
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
        counter = [
            (right >> 64) ^ counter[1] ^ key[0], right & mask,
            (left >> 64) ^ counter[3] ^ key[1], left & mask,
        ]  # fmt: skip
        key = [(key[0] + 0x9E3779B97F4A7C15) & mask, (key[1] + 0xBB67AE8584CAA73B) & mask]
    return counter


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1])
def test_philox_words(seed: int) -> None:
    words = philox.words(seed, purpose=3, step=5, epoch=6, layer=7, n=10)
    blocks = [philox_block([b + 1, 5, 6, 7], [seed, 3]) for b in range(3)]
    assert words.tolist() == [word for block in blocks for word in block][:10]
    bits = np.random.Philox(key=np.array([seed, 3], np.uint64), counter=[0, 5, 6, 7])
    assert_array_equal(words, bits.random_raw(10))


def test_uniforms_never_reach_the_ends() -> None:
    words = np.array([0, 2**41, 2**64 - 1], dtype=np.uint64)
    assert_array_equal(philox.uniform32(words), [2**-24, 3 * 2**-24, 1 - 2**-24])
    assert_array_equal(philox.uniform32(words), philox.uniform32(words).astype(np.float32))
    words = np.array([0, 2**12, 2**64 - 1], dtype=np.uint64)
    assert_array_equal(philox.uniform64(words), [2**-53, 3 * 2**-53, 1 - 2**-53])


def test_shuffle_is_a_fair_permutation() -> None:
    for n in (0, 1, 2, 257):
        assert_array_equal(np.sort(philox.shuffle(n, seed=3, epoch=1)), np.arange(n))
    counts = Counter(tuple(philox.shuffle(3, seed=1, epoch=e).tolist()) for e in range(3000))
    assert set(counts) == set(itertools.permutations(range(3)))
    assert all(400 < count < 600 for count in counts.values())  # 500 +- 5 sigma
    first = [philox.shuffle(2, seed=4, epoch=e)[0] for e in range(20)]
    words = [philox_block([1, 0, e, 0], [4, 2])[0] for e in range(20)]
    assert first == [word >> 63 for word in words]  # the highest bit decides between two rows


RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")


@pytest.mark.parametrize(
    ("init", "activation", "limit", "std"),
    [
        ("glorot_uniform", "relu", np.sqrt(6 / 70), np.sqrt(2 / 70)),
        ("he_uniform", "tanh", np.sqrt(6 / 50), np.sqrt(2 / 50)),
        ("torch_uniform", "tanh", np.sqrt(1 / 50), np.sqrt(1 / 150)),
        ("glorot_normal", "tanh", np.inf, np.sqrt(2 / 70)),
        ("he_normal", "tanh", np.inf, np.sqrt(2 / 50)),
        ("zeros", "tanh", 0.0, 0.0),
        *(("auto", a, np.sqrt(6 / 70), np.sqrt(2 / 70)) for a in ("identity", "sigmoid", "tanh")),
        *(("auto", a, np.sqrt(6 / 50), np.sqrt(2 / 50)) for a in RECTIFIERS),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initialisers(init: str, activation: str, limit: float, std: float, dtype: str) -> None:
    w, bias = philox.initialise(init, activation, 50, 20, seed=2, layer=1, dtype=dtype)
    assert (w.shape, bias.shape) == ((50, 20), (20,))
    assert np.abs(w).max() <= limit * (1 + 1e-7)
    assert np.isfinite(limit) or np.abs(w).max() > 3 * std
    assert_allclose([w.mean(), w.std()], [0, std], atol=0.1 * std)
    assert_array_equal(w, w.astype(dtype))
    assert_array_equal(bias != 0, np.full(20, init == "torch_uniform"))
    if np.isfinite(limit):
        draws = philox.words(2, philox.INITIALISATION, 0, 0, 1, 1020)
        u = (philox.uniform32 if dtype == "float32" else philox.uniform64)(draws)
        values = np.append(w, bias) if bias.any() else w.ravel()
        assert_allclose(values, (2 * u[: values.size] - 1) * limit, rtol=float(np.finfo(dtype).eps))
