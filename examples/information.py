"""Entropy, cross-entropy and divergence: how far a model is from what it describes.

H(p, q) = H(p) + KL(p || q): the cost of outcomes of p under the model q is least, and equal to the
entropy, where the model is right. The loss of a network is a cross-entropy: of the labels, and of
what it predicts. Compared with SciPy, and with numerical integrals.
"""

import likely
import numpy as np
from scipy import integrate, stats

from examples._report import Line, compare, show

of = likely.PredictiveDistribution.from_params

COIN, OTHER_COIN = 0.5, 0.9
DIE, LOADED_DIE = [1 / 6] * 6, [0.1, 0.1, 0.1, 0.1, 0.1, 0.5]
BELL, OTHER_BELL = stats.norm(1.0, 2.0), stats.norm(0.0, 1.0)


def expected(p, function) -> float:
    """E_p of a function: a numerical integral."""
    return integrate.quad(lambda y: p.pdf(y) * function(y), -30, 30, epsabs=1e-13)[0]


def pairs() -> dict[str, tuple[likely.PredictiveDistribution, likely.PredictiveDistribution]]:
    six = likely.Categorical(classes=6)
    return {
        "coins": (of("bernoulli", probs=COIN), of("bernoulli", probs=OTHER_COIN)),
        "dice": (of(six, probs=DIE), of(six, probs=LOADED_DIE)),
        "bells": (of("normal", loc=1.0, scale=2.0), of("normal", loc=0.0, scale=1.0)),
    }


def references() -> dict[str, tuple[list[float], float, float]]:
    """Entropies of p and of q, KL(p || q) and H(p, q): SciPy, sums and integrals."""
    coin, other_coin = [1 - COIN, COIN], [1 - OTHER_COIN, OTHER_COIN]
    return {
        "coins": (
            [stats.bernoulli(COIN).entropy(), stats.bernoulli(OTHER_COIN).entropy()],
            stats.entropy(coin, other_coin),
            -np.dot(coin, np.log(other_coin)),
        ),
        "dice": (
            [stats.entropy(DIE), stats.entropy(LOADED_DIE)],
            stats.entropy(DIE, LOADED_DIE),
            -np.dot(DIE, np.log(LOADED_DIE)),
        ),
        "bells": (
            [BELL.entropy(), OTHER_BELL.entropy()],
            expected(BELL, lambda y: BELL.logpdf(y) - OTHER_BELL.logpdf(y)),
            expected(BELL, lambda y: -OTHER_BELL.logpdf(y)),
        ),
    }


def run() -> list[Line]:
    lines = []
    for name, (p, q) in pairs().items():
        entropies, divergence, cross_entropy = references()[name]
        ours = np.concatenate([likely.entropy(p), likely.entropy(q)])
        bits = np.concatenate([likely.entropy(p, base=2), likely.entropy(q, base=2)])
        cross = likely.cross_entropy(p, q)
        total = likely.entropy(p) + likely.kl_divergence(p, q)
        lines += [
            compare(f"{name}: entropies, nats", entropies, ours, digits=12),
            compare(f"{name}: entropies, bits", np.divide(entropies, np.log(2)), bits, digits=12),
            compare(f"{name}: KL(p || q)", divergence, likely.kl_divergence(p, q), digits=12),
            compare(f"{name}: H(p, q)", cross_entropy, cross, digits=12),
            compare(f"{name}: H(p, q) = H(p) + KL(p || q)", total, cross, digits=13),
            compare(f"{name}: a model that is right: KL(p || p)", 0, likely.kl_divergence(p, p)),
        ]
    return [*lines, *loss_of_a_network()]


def loss_of_a_network() -> list[Line]:
    rng = np.random.RandomState(0)
    x, labels = rng.normal(size=(100, 2)), rng.randint(3, size=100)
    three = likely.Categorical(classes=3)
    network = likely.Network(2, layers=[likely.Dense(5, "tanh")], distribution=three,
                             dtype="float64")  # fmt: skip
    one_hot = of(three, probs=np.eye(3)[labels])
    cross = likely.cross_entropy(one_hot, network.predict_distribution(x))
    return [compare("loss of a network: H(label, prediction)", cross.mean(),
                    network.loss(x, labels), digits=13)]  # fmt: skip


def draw(figure) -> None:
    figure.set_size_inches(13, 4.2)
    spread, models, costs = figure.subplots(1, 3)
    y = np.linspace(-6, 6, 400)
    rows = np.zeros(400, dtype=int)
    for scale, color in ((2.0, "tab:blue"), (0.6, "tab:orange")):
        d = of("normal", loc=0.0, scale=scale)
        bits = likely.entropy(d, base=2)[0]
        spread.plot(y, np.exp(d[rows].log_prob(y)), color=color, label=f"{bits:.2f} bits")
    spread.set(xlabel="y", ylabel="density", title="Entropy: how spread it is", ylim=(0, 0.8))
    spread.legend()

    data = of("normal", loc=0.0, scale=1.0)
    models.fill_between(y, np.exp(data[rows].log_prob(y)), color="tab:gray", alpha=0.3, linewidth=0,
                        label="data")  # fmt: skip
    for loc, color in ((0.0, "tab:blue"), (1.5, "tab:orange")):
        d = of("normal", loc=loc, scale=1.0)
        cost = likely.cross_entropy(data, d)[0]
        models.plot(y, np.exp(d[rows].log_prob(y)), color=color, label=f"H(data, model) {cost:.2f}")
    models.set(xlabel="y", ylabel="density", title="Two models of the data", ylim=(0, 0.6))
    models.legend()

    shift = np.linspace(-3, 3, 200)
    shifted = of("normal", loc=shift, scale=1.0)
    floor = likely.entropy(data)[0]
    costs.plot(shift, likely.cross_entropy(data, shifted), color="tab:blue", label="H(p, q)")
    costs.axhline(floor, color="black", linestyle=":", label="H(p)")
    costs.fill_between(shift, floor, floor + likely.kl_divergence(data, shifted), alpha=0.2,
                       linewidth=0, label="KL(p || q)")  # fmt: skip
    costs.set(xlabel="mean of the model q", ylabel="nats", title="What a wrong model costs")
    costs.legend(loc="upper center")


if __name__ == "__main__":
    show(run())
