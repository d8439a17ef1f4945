"""Options that several commands share, and the readers of their texts."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from theory import validation
from theory.interface.text_table import cell_number

__all__ = [
    "READING",
    "add_csv_option",
    "add_data_options",
    "add_factors_options",
    "add_latent_dim_option",
    "add_observations_option",
    "add_posterior_option",
    "add_reading_options",
    "add_unit_option",
    "chosen_names",
    "covariance_of",
    "csv_path",
    "in_unit",
    "names_in_results",
    "number_or_keyword",
    "positive_numbers",
    "posterior_family",
    "read_number",
    "read_whole_number",
    "refuse_options",
    "refuse_reading_options",
    "whole_numbers",
]


UNITS = {"nats": 1.0, "bits": math.log(2)}  # in nats
READING = ("delimiter", "columns", "leave_out", "standardize")  # options that only a file of observations takes
LONGEST_RANGE = 1_000_000  # numbers in low:high:count: more than a plot or a reader needs


def add_data_options(
    command: argparse.ArgumentParser, data_sets: Sequence[str] = (), *, optional: bool = False
) -> None:
    """Add `--data`, `--covariance` and `--eigenvalues`, which exclude each other; default: the first of `data_sets`."""
    source = command.add_mutually_exclusive_group(required=not (data_sets or optional))
    built_in = f"{', '.join(data_sets)} (default), " if data_sets else ""
    add_observations_option(source, built_in=built_in, note="; they are centred, not rescaled")
    source.add_argument("--covariance", metavar="FILE", help="covariance matrix of the data, in a file of these kinds")
    source.add_argument("--eigenvalues", metavar="3,2,1", help="eigenvalues of the covariance, as text or in a file")
    add_reading_options(command)


def add_observations_option(command, *, required: bool = False, built_in: str = "", note: str = "") -> None:
    """Add `--data`, a file of observations, to a command or to a group of its options."""
    command.add_argument(
        "--data",
        required=required,
        metavar="FILE",
        help=f"observations, one per row: {built_in}.csv, .tsv, .npy, .npz or FILE.npz:KEY{note}",
    )


def add_latent_dim_option(
    command: argparse.ArgumentParser,
    about: str = "number of latents",
    *,
    required: bool = False,
    default: int | None = None,
) -> None:
    """Add `--latent-dim`."""
    command.add_argument("--latent-dim", type=int, required=required, default=default, metavar="K", help=about)


def add_posterior_option(command: argparse.ArgumentParser) -> None:
    """Add `--posterior`, a text that `posterior_family` reads."""
    command.add_argument(
        "--posterior", default="diagonal", help='posterior family: diagonal (default), full, or groups such as "0,1;2"'
    )


def covariance_of(arguments: argparse.Namespace, read: Callable | None = None):
    """The `Moments` or the covariance that the data options give; eigenvalues give a diagonal covariance.

    Parameters
    ----------
    arguments : argparse.Namespace
    read : callable, optional
        from the arguments to `Observations`; by default `observations.observations_of`.
    """
    from theory.interface.observations import observations_of
    from theory.interface.readers import read_covariance, read_vector

    if arguments.covariance is not None:
        refuse_reading_options(arguments, "--covariance is given")
        return read_covariance(arguments.covariance, arguments.header)
    if arguments.eigenvalues is not None:
        refuse_reading_options(arguments, "--eigenvalues are given")
        eigenvalues = read_vector("--eigenvalues", arguments.eigenvalues, arguments.header)
        return np.diag(validation.stated_spectrum("--eigenvalues", eigenvalues))
    return (read or observations_of)(arguments).moments()


def add_reading_options(command: argparse.ArgumentParser) -> None:
    """Add the options that say how the file of observations (`--header`: or of a covariance) is read."""
    command.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line of a text file holds names of columns (default: yes if the line has no number)",
    )
    command.add_argument(
        "--columns", metavar="LIST", help="columns of the data to use, by name or number from 1, separated by commas"
    )
    command.add_argument("--leave-out", metavar="LIST", help="columns of the data to leave out, such as an id")
    command.add_argument(
        "--delimiter", metavar="CHAR", help="between the columns of text: a character, tab or space (default , or tab)"
    )
    command.add_argument(
        "--standardize", action="store_true", default=None, help="divide each column by its standard deviation"
    )


def add_factors_options(command) -> None:
    """Add `--factors`, a file of measured factors, and its `--factor-columns`."""
    command.add_argument("--factors", metavar="FILE", help="the factors of the same observations, one column each")
    command.add_argument("--factor-columns", metavar="LIST", help="columns of --factors to use, by name or number")


def refuse_options(arguments: argparse.Namespace, names: Iterable[str], why: str) -> None:
    """Refuse those of some options, which are None if they are not given, that the rest of a command line excludes."""
    for name in names:
        if getattr(arguments, name) is not None:
            raise ValueError(f"--{name.replace('_', '-')} {why}")


def refuse_reading_options(arguments: argparse.Namespace, what: str) -> None:
    """Refuse the options of `add_reading_options` where no file of observations is read."""
    refuse_options(arguments, READING, f"is for the file of --data, but {what}; leave it out")


def add_csv_option(command: argparse.ArgumentParser) -> None:
    """Add `--out`, the file into which a command writes its table."""
    command.add_argument("--out", metavar="FILE.csv", help="write the table, with all digits, into this file too")


def csv_path(arguments: argparse.Namespace) -> Path | None:
    """The file of `--out`, which is checked before the work, or None."""
    from theory.interface.files import output_file

    return None if arguments.out is None else output_file(arguments.out, ".csv")


def add_unit_option(command: argparse.ArgumentParser) -> None:
    """Add `--unit`, of the rates that are read and printed."""
    command.add_argument("--unit", choices=UNITS, default="nats", help="of every rate (default nats)")


def in_unit(arguments: argparse.Namespace, nats):
    """Nats in the unit of `--unit`."""
    return nats / UNITS[arguments.unit]


def positive_numbers(name: str, text: str) -> np.ndarray:
    """Read "2", "0.5,1,2" or the range "0.1:10:50" (50 numbers from 0.1 to 10, evenly spaced in the logarithm)."""
    parts = validation.instance(name, text, str).split(":")
    try:
        if len(parts) == 1:
            values = np.array([read_number(part) for part in text.split(",")])
        else:
            low, high, count = read_number(parts[0]), read_number(parts[1]), read_whole_number(parts[2])
            if len(parts) > 3 or not 0 < low < high < math.inf or count < 2:
                raise ValueError
    except (ValueError, IndexError):
        raise ValueError(
            f"{name} must be a number, a list such as 0.5,1,2 or a range low:high:count such as 0.1:10:50, got "
            f"{validation.shown(text)}"
        ) from None
    if len(parts) > 1:
        values = np.geomspace(low, high, validation.count(f"the count of {name}", count, maximum=LONGEST_RANGE))
    if not (np.isfinite(values).all() and values.min() > 0):
        raise ValueError(f"{name} must be > 0 and finite, got {validation.shown(text)}; pass positive numbers")
    return values


def number_or_keyword(name: str, text: str, *keywords: str) -> float | str:
    """Read a number, or one of the keywords that stand for a number."""
    if validation.instance(name, text, str) in keywords:
        return text
    try:
        return read_number(text)
    except ValueError:
        raise ValueError(f"{name} must be a number or {' or '.join(keywords)}, got {validation.shown(text)}") from None


def whole_numbers(name: str, text: str) -> list[int]:
    """Read whole numbers separated by commas, such as "1,2,4"."""
    try:
        return [read_whole_number(part) for part in validation.instance(name, text, str).split(",")]
    except ValueError:
        raise ValueError(
            f"{name} must be whole numbers separated by commas, got {validation.shown(text)}; pass a list such as 1,2,4"
        ) from None


def chosen_names(name: str, texts: Sequence[str] | None, names: Iterable[str], kind: str | None = None) -> list[str]:
    """Read names from lists separated by commas, each name once; None stands for all names.

    With a `kind` ("page", "checks" or "figures"), the name of a result stands for all that it has of that kind.
    """
    if texts is None:
        return list(names)
    texts = [validation.instance(name, text, str) for text in validation.sequence(name, texts)]
    parts = [part.strip() for text in texts for part in text.split(",")]
    if kind is None:
        return [validation.choice(name, part, names) for part in dict.fromkeys(parts)]
    from theory.results import expand

    chosen = list(dict.fromkeys(entry for part in parts for entry in expand(part, kind, names)))
    unknown = next((entry for entry in chosen if entry not in names), None)
    if unknown is not None:
        raise ValueError(
            f"{name} must name {kind} or results, got {validation.shown(unknown)}; the {kind} are "
            f"{', '.join(names)}, and `python -m theory results` lists the results"
        )
    return chosen


def names_in_results(kind: str) -> list[str]:
    """The names of all "checks" or "figures", from the index: so `--help` lists them without loading what has them."""
    from theory.results import RESULTS

    return list(dict.fromkeys(name for result in RESULTS for name in getattr(result, kind)))


def posterior_family(name: str, text: str) -> str | list[list[int]]:
    """Read "diagonal", "full", or groups of latents such as "0,1;2"."""
    if validation.instance(name, text, str) in ("diagonal", "full"):
        return text
    try:
        return [whole_numbers(name, group) for group in text.split(";")]
    except ValueError:
        raise ValueError(
            f"{name} must be diagonal, full, or groups of latents such as '0,1;2', got {validation.shown(text)}"
        ) from None


def read_number(text: str) -> float:
    """Read a number as in tables: without `_` between digits, which Python would accept."""
    if (value := cell_number(text)) is None:
        raise ValueError
    return value


def read_whole_number(text: str) -> int:
    """Read a whole number as in tables."""
    if "_" in text:
        raise ValueError
    return int(text)
