"""Build the foreign project against an installed likely, and hold its numbers against Python's.

Run by a Python that has likely, with CMake on the path:

    python tests/cpp/embed/check.py PREFIX [--model FILE] [--compiler g++] [--exact]

PREFIX is where the C++ library was installed. FILE is a model file, such as that of `likely demo`;
without it a small network is fitted. With --exact the printed numbers must be the same digit for
digit: what one compiler, one Eigen and one kernel set promise; else they may differ by rounding.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import likely
import numpy as np

HERE = Path(__file__).resolve().parent
PROBABILITY = 0.99
# In standard deviations of the training targets, the units in which the network computes, or of the
# row where that is more. Another compiler or Eigen adds in another order, some float32 roundings
# (6e-8 each) in every layer; 3e-7 was seen.
TOLERANCE = 2e-6


def fitted_model(path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 60, size=(200, 1))
    y = 40 * np.sin(x / 8) + rng.normal(scale=1 + x / 4)
    network = likely.Network(
        inputs=1,
        layers=[likely.Dense(32, "tanh"), likely.Residual(likely.Dense(32, "tanh"))],
        standardize=True,
    )
    likely.Trainer(optimizer=likely.Adam(learning_rate=0.01), epochs=30).fit(network, x, y)
    network.save(path)
    return path


def build(prefix: Path, folder: Path, compiler: str) -> Path:
    configure = ["cmake", "-S", HERE, "-B", folder, "-DCMAKE_BUILD_TYPE=Release"]
    configure += [f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_PREFIX_PATH={prefix.resolve()}"]
    subprocess.run(configure, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder], check=True, stdout=subprocess.DEVNULL)
    return folder / "embed"


def rows(network: likely.Network) -> np.ndarray:
    """Rows inside the training data and far outside of them."""
    center, scale = 0.0, 1.0
    if network.scaling is not None:
        center, scale = network.scaling["input_mean"], network.scaling["input_scale"]
    steps = np.array([-30, -1.7, -0.4, 0, 0.3, 1.9, 1e4])[:, None]
    return (center + scale * steps * np.ones(network.inputs)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("prefix", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--compiler", default=os.environ.get("CXX", "c++"))
    parser.add_argument("--build", type=Path, help="where to build; else a temporary folder")
    parser.add_argument("--exact", action="store_true")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        embed = build(arguments.prefix, arguments.build or folder / "build", arguments.compiler)
        model = arguments.model or fitted_model(folder / "model.safetensors")
        network = likely.load(model)
        differing = 0
        samples = rows(network)
        unit = 1.0 if network.scaling is None else network.scaling["target_scale"]
        for row in samples:
            words = [embed, model, *(f"{value:.9g}" for value in row)]
            text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            *lines, count = text.splitlines()
            assert count.endswith(" 0 in prediction"), count

            predicted = network.predict_distribution(row[None, :])
            wanted = (predicted.mean, predicted.std, predicted.quantile(PROBABILITY))
            columns = np.array(wanted).reshape(3, network.targets).T
            expected = [" ".join(f"{value:.9g}" for value in column) for column in columns]
            if lines != expected:
                differing += 1
                assert not arguments.exact, f"row {row}: C++ says {lines}, Python {expected}"
                got = np.array([line.split() for line in lines], dtype=float)
                off = np.abs(got - columns).max(axis=1) / np.maximum(columns[:, 1], unit)
                assert off.max() <= TOLERANCE, f"row {row}: C++ says {lines}, Python {expected}"
    same = "Python's digits" if differing == 0 else f"{differing} of them not Python's last digit"
    print(f"embed: {len(samples)} rows, {same}; {count}")


if __name__ == "__main__":
    main()
