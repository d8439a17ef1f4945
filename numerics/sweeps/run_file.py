"""A file of finished runs that a sweep appends to and is resumed from: one JSON object a line.

**Lines.** The first line states what is trained and how, and by which version; each other line holds one run. Lines are
only added, each with a checksum (`numerics.sweeps.lines`).

**Damage.** A process that is killed while it writes leaves a line cut short. Such a line, a damaged one, one with
values that no run can have reached, or with a loss that is not that of its parameters (`numerics.sweeps.credible`) is
skipped with a warning, and its run is made again. A damaged first line is refused, and so is another problem
(`numerics.sweeps.same_problem`). A file of another format, or made by another version of the code that decides a run
(`SOURCES`), is renamed, since runs of two versions are not mixed.

**Coordinates.** Numbers are written with all their digits, and arrays as the base64 text of their bytes. The first line
also holds the principal axes: parameters are in the coordinates of these axes, and another machine, or another number
of threads, may find them with other signs or other rounding. A resumed sweep uses the axes of the file.
"""

from __future__ import annotations

import os
import reprlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from numerics.kernels.digest import kernel_digest, source_digest
from numerics.sweeps import pending
from numerics.sweeps.credible import agrees, possible
from numerics.sweeps.lines import checked, decode, encode, line, parse
from numerics.sweeps.same_problem import differences
from numerics.training import end_of_run
from numerics.training import problem as training
from numerics.training.problem import TrainingProblem
from numerics.training.stop import FINISHED
from theory.interface import files

__all__ = ["RunFile", "credible_runs", "header_of"]

KIND, FORMAT = "training runs of linear beta-VAEs, ", 2
FORMAT_LINE = f"{KIND}{FORMAT}"
# The sources that decide a run besides the kernels: its start, perturbation and units, and the reason of its end.
SOURCES = {module.__name__: Path(module.__file__) for module in (training, end_of_run, pending)}
# Quantities computed from the covariance, up to rounding: name in the file, and in the problem.
COORDINATES = {"roots": "standard_deviations", "axes": "axes", "unit": "unit", "noise": "noise"}


class RunFile:
    """The runs of one problem in a file.

    Parameters
    ----------
    path : path to a .jsonl file
        created if it is missing or empty.
    problem : TrainingProblem
    asked : mapping
        by name, of JSON values: the arguments on which a run depends, but for covariance, beta and seed.

    Attributes
    ----------
    problem : TrainingProblem
        that of the arguments in the coordinates of the file.
    runs : dict
        by (four weights, seed): mappings with these two, the results of the run, and its `parameters`.

    Raises
    ------
    ValueError
        if the file holds runs of another problem (the message names the differences), or is no file of runs.

    Warns
    -----
    UserWarning
        if the file was renamed, or some of its lines are damaged.
    """

    def __init__(self, path, problem: TrainingProblem, asked: Mapping):
        self.path = files.output_file(path, ".jsonl")
        self.problem, self.runs = problem, {}
        content = self.path.read_bytes() if self.path.exists() else b""
        first, *lines = content.split(b"\n")
        if content and not (old := self._made_by_others(first)):
            self._take(first, [text for text in lines if text], asked)
            return
        if content:
            aside = files.set_aside(self.path)
            warnings.warn(f"{self.path}: {old}; it is now {aside}, and all runs are made anew", stacklevel=4)
        coordinates = {name: encode(getattr(problem, field)) for name, field in COORDINATES.items()}
        header = {"format": FORMAT_LINE, "version": _version(), "asked": asked, "coordinates": coordinates}
        files.write_atomically(self.path, lambda opened: opened.write(line(header)))

    def append(self, runs: Mapping[tuple, Mapping]) -> None:
        """Add the finished runs that are not in the file yet."""
        new = {key: run for key, run in runs.items() if key not in self.runs and run["stopped"] in FINISHED}
        text = b"".join(line({**run, "parameters": encode(run["parameters"])}) for run in new.values())
        with files.naming(self.path), open(self.path, "a+b", opener=_only_if_there) as opened:
            opened.seek(-1, os.SEEK_END)
            cut_short = opened.read() != b"\n"
            opened.write(b"\n" * cut_short + text)
        self.runs |= new

    def _made_by_others(self, first: bytes) -> str:
        """Why the runs of a file cannot be mixed with new ones, in words; empty if they can."""
        stated = _stated_format(self.path, first)
        if stated != FORMAT_LINE:
            return f"has format {reprlib.repr(stated.removeprefix(KIND))}, and this version writes format {FORMAT}"
        if checked(first) is None:
            raise _damaged(self.path)
        return "" if parse(first).get("version") == _version() else "was made by another version of the training code"

    def _take(self, first: bytes, lines: list[bytes], asked: Mapping) -> None:
        """Read coordinates and runs, if the file is of this problem."""
        asked_for = self.problem
        there, stored = header_of(self.path, first)
        self.problem = replace(asked_for, **stored)
        texts = differences(there, asked, self.problem, asked_for)
        if texts:
            raise ValueError(
                f"{self.path}: holds runs of another problem; {'; '.join(texts)}; name another file to start anew"
            )
        runs = credible_runs(lines, self.problem, asked)
        for run in runs:
            self.runs.setdefault((tuple(run["weights"]), run["seed"]), run)
        if len(runs) < len(lines):
            warnings.warn(
                f"{self.path}: {len(lines) - len(runs)} of {len(lines)} runs in it are damaged or cut short; they are "
                "made again where they are asked for",
                stacklevel=5,
            )


def header_of(path: Path, first: bytes) -> tuple[dict, dict]:
    """What the runs of a file share, and the coordinates of their parameters as fields of a `TrainingProblem`.

    Raises
    ------
    ValueError
        if the first line is damaged, or not that of a file of runs in this format.
    """
    if (stated := _stated_format(path, first)) != FORMAT_LINE:
        raise ValueError(
            f"{path}: has format {reprlib.repr(stated.removeprefix(KIND))}, and this version reads format {FORMAT}; "
            "read it with the version that wrote it"
        )
    header = checked(first)
    try:
        stored = {field: decode(header["coordinates"][name]) for name, field in COORDINATES.items()}
        stored |= {name: stored[name].item() for name in ("unit", "noise")}
        stored["axes"] = stored["axes"].reshape(-1, len(stored["standard_deviations"]))
        return dict(header["asked"]), stored
    except (KeyError, TypeError, ValueError):
        raise _damaged(path) from None


def credible_runs(lines: list[bytes], problem: TrainingProblem, asked: Mapping) -> list[dict]:
    """The runs in lines of a file that are whole and agree with their parameters, which become arrays."""
    runs = [run for run in map(checked, lines) if run is not None and possible(run, len(problem.mask), asked)]
    runs = [run | {"parameters": decode(run["parameters"])} for run in runs]
    fixed = problem.start(np.random.default_rng(0))[problem.mask == 0]
    return [run for run in runs if agrees(run, problem, fixed)]


def _stated_format(path: Path, first: bytes) -> str:
    header = parse(first)
    stated = header.get("format") if header is not None else None
    if not (isinstance(stated, str) and stated.startswith(KIND)):
        raise ValueError(f"{path}: is not a file of training runs; name one that `sweep` wrote, or a new one")
    return stated


def _damaged(path: Path) -> ValueError:
    return ValueError(f"{path}: has a damaged first line; name another file to start anew")


def _version() -> str:
    """A digest of what decides a run besides its arguments; another NumPy may draw another start from a seed."""
    return source_digest([kernel_digest(), np.__version__], SOURCES)


def _only_if_there(path: str, flags: int) -> int:
    """Open an existing file: one that was removed meanwhile would be created without its first line."""
    return os.open(path, flags & ~os.O_CREAT)
