"""Lifetimes of which some are known only to be longer: a Weibull distribution, with `event`.

Every unit is watched for a time of its own. Of those that still live then (0 in `event`) the
lifetime is unknown, and the likelihood of what was seen is the probability to live longer. To take
the watched time for the lifetime makes everything live shorter, the more so the longer it lives.
"""

from functools import cache

import likely
import numpy as np
from scipy import optimize, stats

from examples._data import Array
from examples._report import Line, compare, show

BIAS, WEIGHT, CONCENTRATION = 1.0, 0.8, 1.5
ROWS = 4000
AT = np.array([[-1.0], [0.0], [1.0]])


def truth(x: Array):
    return stats.weibull_min(CONCENTRATION, scale=np.exp(BIAS + WEIGHT * np.ravel(x)))


@cache
def lives() -> tuple[Array, Array, Array]:
    """Features, times, and 1 where the time is the lifetime, 0 where the unit still lived."""
    rng = np.random.RandomState(0)
    x = rng.uniform(-1, 1, size=(ROWS, 1))
    lifetime = truth(x).ppf(rng.uniform(size=ROWS))
    watched = rng.uniform(0.5, 5.0, size=ROWS)
    return x, np.minimum(lifetime, watched), (lifetime <= watched).astype(float)


@cache
def fitted(with_event: bool) -> likely.Network:
    """The logarithms of scale and concentration are straight lines in x."""
    x, y, event = lives()
    network = likely.Network(1, distribution="weibull", dtype="float64")
    optimizer = likely.Adam(learning_rate=0.05)
    trainer = likely.Trainer(optimizer, batch_size=None, epochs=400, schedule=likely.CosineDecay())
    trainer.fit(network, x, y, event=event if with_event else None)
    return network


def most_likely() -> Array:
    """The same model by SciPy: median at -1, 0 and 1."""
    x, y, event = lives()

    def scale_and_concentration(raw: Array, at: Array) -> tuple[Array, Array]:
        return np.exp(raw[0] + raw[1] * at), np.exp(raw[2] + raw[3] * at)

    def loss(raw: Array) -> float:
        scale, concentration = scale_and_concentration(raw, x[:, 0])
        d = stats.weibull_min(concentration, scale=scale)
        return -float(np.mean(np.where(event == 1, d.logpdf(y), d.logsf(y))))

    best = optimize.minimize(loss, np.zeros(4), tol=1e-10).x
    scale, concentration = scale_and_concentration(best, AT[:, 0])
    return np.asarray(stats.weibull_min(concentration, scale=scale).median())


def run() -> list[Line]:
    right, wrong = (fitted(how).predict_distribution(AT) for how in (True, False))
    exact = truth(AT).median()
    still_living = 1 - lives()[2].mean()
    return [
        Line("share of units that still lived", "about 0.4", (float(still_living),),
             bool(0.3 < still_living < 0.5), 3),
        compare("median at -1, 0, 1: truth", exact, right.median, digits=2, within=0.3),
        compare("median at -1, 0, 1: SciPy's most likely", most_likely(), right.median, digits=4),
        compare("concentration at -1, 0, 1: truth", [CONCENTRATION] * 3,
                right.params["concentration"], digits=2, within=0.15),
        compare("alive after 4 at -1, 0, 1: truth", truth(AT).sf(4.0), right.sf([4.0] * 3),
                digits=3, within=0.03),
        Line("without event: median / the true one", "below 1, falling",
             tuple((wrong.median / exact).tolist()),
             bool(np.all(np.diff(wrong.median / exact) < 0) and wrong.median[-1] < 0.6 * exact[-1]),
             3),
    ]  # fmt: skip


def draw(figure) -> None:
    import likely.plot

    figure.set_size_inches(10, 4.2)
    x, y, event = lives()
    grid = np.linspace(-1, 1, 50)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, how in zip(panels, (True, False), strict=True):
        likely.plot.fan(fitted(how), x, axes=axes)
        for seen, color, label in ((1, "black", "lifetime"), (0, "tab:orange", "still lived")):
            chosen = np.flatnonzero(event[:600] == seen)
            axes.scatter(x[chosen, 0], y[chosen], s=7, linewidths=0, color=color, label=label)
        axes.plot(grid, truth(grid).median(), color="black", linestyle="--", label="true median")
        title = "With event" if how else "Without: the time watched as a lifetime"
        axes.set(xlabel="x", ylabel="time", title=title, ylim=(0, 12))
    panels[0].legend(loc="upper left")
    panels[1].get_legend().remove()


if __name__ == "__main__":
    show(run())
