"""Predict a mean and a variance: two clusters of points, by a deep network and by a small one.

Between 0 and 1 the target is normal with mean 1 and variance 1, between 2 and 3 with mean -1 and
variance 4. The article's network has two heads, the mean and the logarithm of the variance; those
of `likely.Normal` are the mean and the logarithm of the standard deviation, half of it. The data
are drawn by our own generator; the truth is known, and so is the smallest expected loss: 1.7655,
the entropy of the truth.
"""

from functools import cache

import likely
import numpy as np

from examples._data import Array
from examples._report import Line, show

SEEDS = (0, 1, 2)
MIDDLES = [0.5, 2.5]
MEANS, VARIANCES = np.array([1.0, -1.0]), np.array([1.0, 4.0])


def truth(x: Array) -> likely.PredictiveDistribution:
    second = (x > 1.5).astype(int)
    return likely.PredictiveDistribution.from_params(
        "normal", loc=MEANS[second], scale=np.sqrt(VARIANCES)[second]
    )


@cache
def clusters(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.uniform(0, 1, size=10_000), rng.uniform(2, 3, size=10_000)])
    return x, truth(x).mean + truth(x).std * rng.normal(size=len(x))


@cache
def by_the_article(seed: int) -> tuple[likely.Network, likely.History]:
    def dense(activation: str = "identity", units: int = 100) -> likely.Dense:
        return likely.Dense(units, activation, init="torch_uniform")

    blocks = [likely.Residual(dense("sigmoid")) for _ in range(4)]
    shared = [blocks[-1]] * 4  # the same layer, four times more
    network = likely.Network(
        inputs=1,
        layers=[dense("sigmoid"), *blocks, *shared, dense()],
        output=dense(units=2),
        seed=seed,
    )
    trainer = likely.Trainer(
        likely.SGD(learning_rate=1e-3),
        batch_size=100,
        epochs=100,
        drop_last=True,
        schedule=likely.StepDecay(every=20, factor=0.1),
        clip_value=1.0,
        seed=seed,
    )
    return network, trainer.fit(network, *clusters(seed))


@cache
def by_a_small_network(seed: int) -> tuple[likely.Network, likely.History]:
    network = likely.Network(1, layers=[likely.Dense(16, "tanh")], standardize=True, seed=seed)
    trainer = likely.Trainer(
        likely.Adam(learning_rate=0.02),
        batch_size=100,
        epochs=20,
        schedule=likely.CosineDecay(),
        seed=seed,
    )
    return network, trainer.fit(network, *clusters(seed))


def expected_loss(network: likely.Network) -> float:
    """On new data without end, so that it does not depend on the luck of those drawn."""
    x = np.concatenate([np.linspace(0, 1, 1001), np.linspace(2, 3, 1001)])
    return float(np.mean(likely.cross_entropy(truth(x), network.predict_distribution(x))))


def compare_with_truth(what: str, network: likely.Network, within: float) -> list[Line]:
    """Means to a distance, variances to a share; beside them what the article's one run printed."""
    d = network.predict_distribution(MIDDLES)
    ratios = d.variance / VARIANCES
    return [
        Line(f"{what}: means", "[1.01 -0.85], truth [1 -1]", tuple(d.mean.tolist()),
             bool(np.all(abs(d.mean - MEANS) <= within)), 2),
        Line(f"{what}: variances / true ones", "[0.85 0.98], truth [1 1]", tuple(ratios.tolist()),
             bool(np.all(abs(ratios - 1) <= within)), 2),
    ]  # fmt: skip


def at_most(what: str, bound: float, ours: float) -> Line:
    return Line(what, f"at most {bound:.3f}", (ours,), ours <= bound, 4)


def run() -> list[Line]:
    lines = []
    for seed in SEEDS:
        network, _ = by_the_article(seed)
        what = f"its recipe, seed {seed}"
        lines += compare_with_truth(what, network, within=0.25)
        lines.append(at_most(f"{what}: loss", 1.81, network.loss(*clusters(seed))))
    for seed in SEEDS:
        network, _ = by_a_small_network(seed)
        what = f"16 units, Adam, seed {seed}"
        lines += compare_with_truth(what, network, within=0.1)
        lines.append(at_most(f"{what}: expected loss", 1.77, expected_loss(network)))
    both = by_the_article(0)[1], by_a_small_network(0)[1]
    steps = tuple(history.steps for history in both)
    lines.append(Line("steps: its recipe; 16 units, Adam", "fewer", steps, steps[1] < steps[0], 0))
    seconds = tuple(history.seconds for history in both)
    lines.append(Line("seconds, the same two (reported only)", "faster", seconds, True, 2))
    return lines


def draw(figure) -> None:
    import likely.plot

    figure.set_size_inches(11, 4.4)
    x, y = clusters(0)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, title, (network, history) in (
        (panels[0], "The article's recipe", by_the_article(0)),
        (panels[1], "16 units, Adam, cosine", by_a_small_network(0)),
    ):
        likely.plot.bands(network, x[::20], y[::20], coverages=[0.9], axes=axes)
        for ends in (np.array([0.0, 1.0]), np.array([2.0, 3.0])):
            for bound in (truth(ends).mean, *truth(ends).interval(0.9)):
                axes.plot(ends, bound, color="tab:orange", linestyle="--")
        axes.plot([], [], color="tab:orange", linestyle="--", label="truth")
        title += f": loss {expected_loss(network):.3f}, {history.seconds:.2g} s"
        axes.set(xlabel="x", ylabel="y", title=title, ylim=(-9, 9))
        axes.legend(loc="upper right", ncols=2)


if __name__ == "__main__":
    show(run())
