"""The command line: `likely demo`, `likely fit`, `likely predict` and `likely config`."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import likely
from likely._console import UserError

EXTRA = ("pandas", "matplotlib", "tqdm")
CLASSES = ("Bernoulli", "Categorical", "Ordinal")
"""Distributions of classes, of which the data say how many there are."""


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print in several lines."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see '{self.prog} --help')")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 2 after an error of the user, or 130 after Ctrl-C."""
    try:
        parser = _parser()
        arguments = parser.parse_args(argv)
        if arguments.command is None:
            parser.print_help()
            return 0
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        message = f'this needs {error.name}: pip install "likely[cli]"'
    except ImportError as error:  # says itself what to install
        message = str(error)
    except OSError as error:
        reason = error.strerror or str(error)
        message = reason if error.filename is None else f"{error.filename}: {reason}"
    except (ValueError, likely.DivergedError) as error:
        message = str(error)
    print(f"likely: error: {' '.join(message.splitlines())}", file=sys.stderr)
    return 2


def _run(arguments: argparse.Namespace) -> int:
    # Imported here, so that help and errors of the command line come at once.
    if arguments.command == "demo":
        from likely._demo import demo

        return demo(arguments.output_dir, arguments.seed)
    if arguments.command == "fit":
        from likely._fit import fit

        return fit(arguments)
    if arguments.command == "predict":
        from likely._predict import predict

        return predict(arguments)
    likely.show_config()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="likely",
        description="Train multilayer perceptrons that predict a probability distribution.",
        epilog="likely COMMAND --help tells more about a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"likely {likely.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    _add_demo(commands.add_parser("demo", help="fit data that come along, and draw the result"))
    _add_fit(commands.add_parser("fit", help="fit a network to a CSV file"))
    _add_predict(commands.add_parser("predict", help="predict for the rows of a CSV file"))
    commands.add_parser("config", help="say what machine and which build this is")
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Fit the motorcycle crash data (Silverman 1985) with a network that predicts mean and "
        "standard deviation, compare it with two baselines on held-out data, and write "
        "likely-demo.png, likely-demo.safetensors and likely-demo.csv."
    )
    parser.add_argument("--output-dir", default=".", metavar="DIR", help="where to (default: here)")
    parser.add_argument("--seed", type=_integer, default=0, help="default: 0")


def _add_fit(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Fit a network to a CSV file whose first line names the columns. All columns of numbers "
        "but the target are features. Inputs, and targets that are numbers, are standardised "
        "inside the model. Some rows are held out: the fit stops when it no longer gains on "
        "them, and the best parameters are kept. Ctrl-C stops the fit and saves the best so far."
    )
    # What argparse would show puts the file last, where it would be one more target.
    parser.usage = "likely fit DATA.csv --target COLUMN [COLUMN ...] -o MODEL.safetensors [...]"
    parser.epilog = (
        "Example: likely fit houses.csv --target price --drop address -o houses.safetensors"
    )
    parser.add_argument("data", metavar="DATA.csv", help="the file; - is standard input")
    parser.add_argument(
        "--target", nargs="+", required=True, metavar="COLUMN", help="what to predict"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="MODEL.safetensors", help="where to"
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--distribution",
        type=_distribution,
        metavar="NAME",
        help="what the target is drawn from, by its name in Python, with arguments as there: "
        "Poisson, negative_binomial, 'Binomial(n=10)', 'ZeroInflated(Poisson)', "
        "'Mixture(Normal, k=3)', 'StudentT(df=4)' ... For bernoulli, categorical and ordinal "
        "without arguments the column holds classes, which are counted (ordinal: numbers, in "
        "their order). Default: normal for numbers; for text or True and False, bernoulli where "
        "there are two classes and categorical where there are more",
    )
    data.add_argument(
        "--features", nargs="+", metavar="COLUMN", help="default: all other columns with a name"
    )
    data.add_argument(
        "--drop",
        nargs="+",
        action="extend",
        default=[],
        metavar="COLUMN",
        help="columns to leave out",
    )
    data.add_argument(
        "--validation",
        type=_number,
        default=0.2,
        metavar="FRACTION",
        help="share of the rows held out, at random (default: 0.2; 0: none, and no early stopping)",
    )
    data.add_argument(
        "--no-standardize",
        dest="standardize",
        action="store_false",
        help="take inputs and targets as they are",
    )
    network = parser.add_argument_group("network")
    network.add_argument(
        "--layers",
        type=_widths,
        default=(64, 64),
        metavar="64,64",
        help="units of the hidden layers; none: a linear model (default: 64,64)",
    )
    network.add_argument(
        "--activation",
        default="tanh",
        help="relu, leaky_relu, elu, gelu, silu, sigmoid, tanh, softplus (default: tanh)",
    )
    network.add_argument(
        "--scale",
        type=_scale,
        metavar="predicted|shared|NUMBER",
        help="standard deviation of the normal distribution: predicted for each row (default), "
        "one learned constant, or a fixed number (in standard deviations of the target, unless "
        "--no-standardize)",
    )
    network.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    training = parser.add_argument_group("training")
    training.add_argument("--epochs", type=_integer, default=1000, help="at most (default: 1000)")
    training.add_argument(
        "--patience",
        type=_integer,
        metavar="EPOCHS",
        help="stop after so many epochs without a new best on the held-out rows (default: 50)",
    )
    training.add_argument(
        "--batch-size", type=_batch_size, default=32, help="rows in a step, or all (default: 32)"
    )
    training.add_argument("--optimizer", choices=("adam", "sgd"), default="adam")
    training.add_argument(
        "--learning-rate", type=_number, metavar="RATE", help="default: 0.003 (adam), 0.01 (sgd)"
    )
    training.add_argument("--seed", type=_integer, default=0, help="default: 0")


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Predict for each row of a CSV file, which needs the columns that the model was fitted "
        "to, in any order; others are ignored. For numbers the output has the columns "
        "TARGET_mean, TARGET_std (empty where there is none) and TARGET_q0.05 ..., for classes "
        "TARGET_class and the probabilities TARGET_p_CLASS. Where the file also has the target, "
        "the negative log-likelihood is told on stderr."
    )
    parser.epilog = (
        "Example: likely predict houses.safetensors new.csv --quantiles 0.1,0.9 -o prices.csv"
    )
    parser.add_argument("model", metavar="MODEL.safetensors", help="written by likely fit")
    parser.add_argument("data", metavar="NEW.csv", help="the file; - is standard input")
    parser.add_argument(
        "-o", "--output", default="-", metavar="OUT.csv", help="default: standard output"
    )
    parser.add_argument(
        "--quantiles",
        type=_probabilities,
        metavar="0.05,0.5,0.95",
        help="quantiles of numbers, between 0 and 1 (default: 0.05,0.5,0.95)",
    )


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number; got {text!r}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number; got {text!r}") from None


def _batch_size(text: str) -> int | None:
    return None if text == "all" else _integer(text)


def _distribution(text: str) -> likely.Distribution | str:
    """Return what a name, or a name and its arguments, stands for; of classes the name alone."""
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        expression = None
    try:
        if isinstance(expression, ast.Call):
            return _called(expression)
        name = text.strip()
        kind = _kinds().get(_plain(name))
        if kind is not None and kind.__name__ in CLASSES:
            return kind.__name__.lower()
        return likely.Network(inputs=1, distribution=name).distribution
    except (ValueError, TypeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _kinds() -> dict[str, type[likely.Distribution]]:
    return {_plain(kind.__name__): kind for kind in likely.Distribution.__subclasses__()}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _called(expression: ast.Call) -> likely.Distribution:
    """Return the distribution of a call such as Binomial(n=10); nothing is evaluated."""
    name = ast.unparse(expression.func)
    kind = _kinds().get(_plain(name))
    if kind is None:
        likely.Network(inputs=1, distribution=name)  # raises, with the names that there are
    if kind is None or kind is likely.Custom:
        raise ValueError("a density of one's own is written in Python (likely.distribution)")
    if any(keyword.arg is None for keyword in expression.keywords):
        raise ValueError("arguments are numbers, words, lists and distributions; got **")
    return kind(
        *(_argument(value) for value in expression.args),
        **{str(keyword.arg): _argument(keyword.value) for keyword in expression.keywords},
    )


def _argument(value: ast.expr) -> Any:
    """Return a literal, a word as a string, or a distribution."""
    if isinstance(value, ast.Name):
        return value.id
    if isinstance(value, ast.Call):
        return _called(value)
    try:
        return ast.literal_eval(value)
    except ValueError:
        said = ast.unparse(value)
        raise ValueError(
            f"arguments are numbers, words, lists and distributions; got {said}"
        ) from None


def _scale(text: str) -> str | float:
    return text if text in ("predicted", "shared") else _number(text)


def _widths(text: str) -> tuple[int, ...]:
    return () if text == "none" else tuple(_integer(part) for part in text.split(","))


def _probabilities(text: str) -> tuple[float, ...]:
    values = tuple(_number(part) for part in text.split(","))
    for value in values:
        if not 0 < value < 1:
            raise argparse.ArgumentTypeError(f"quantiles are between 0 and 1; got {value:g}")
    return tuple(dict.fromkeys(values))


if __name__ == "__main__":
    sys.exit(main())
