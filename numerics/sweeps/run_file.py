"""A file of finished runs that a sweep appends to and is resumed from: one JSON object a line.

The first line says what is trained and how, and by which kernels; each other line holds one run. Lines are only ever
added. Every line ends with a checksum of what is before it. A process that is killed while it writes leaves a line cut
short; such a line, or one that was damaged, or that says what no run can have reached, or a loss that is not that of
its parameters, is passed over with a warning, and its run is made again. A first line that is damaged is refused, and
so is one of another problem. A file that other kernels made, or that has another format, is set aside under another
name, since runs of two versions are not mixed.

Numbers are written with all their digits, and arrays as the base64 text of their bytes. The first line also holds the
principal axes: parameters are in the coordinates of these axes, and another machine, or another number of threads, may
find them with other signs or other rounding. Who resumes takes over the axes of the file.
"""

from __future__ import annotations

import base64
import json
import math
import os
import reprlib
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from numerics.kernels.digest import kernel_digest
from numerics.kernels.objective import rounding_error
from numerics.training.problem import TrainingProblem
from numerics.training.stop import FINISHED, overflowed
from theory.groups import Weights
from theory.interface import files

__all__ = ["RunFile"]

KIND, FORMAT = "training runs of linear beta-VAEs, ", 2
# What is computed from the covariance, up to rounding: its name in the file, and in the problem.
COORDINATES = {"roots": "standard_deviations", "axes": "axes", "unit": "unit", "noise": "noise"}
RUN_KEYS = {"weights", "seed", "loss", "gradient_norm", "steps", "stopped", "parameters"}
SAME = 1e-12  # how far rounding may move, as a share of its size, what is computed once more
ROUNDING = 4 * np.finfo(float).eps  # of the largest eigenvalue, by which an entry made from eigenvalues may be off
CHECK = b', "check": "%08x"}'  # how a line ends


class RunFile:
    """The runs of one problem in a file.

    Parameters
    ----------
    path : path to a .jsonl file
        made if it is missing or empty.
    problem : TrainingProblem
    asked : mapping
        by name, of JSON values: the arguments on which a run depends, but for covariance, beta and seed.

    Attributes
    ----------
    problem : TrainingProblem
        that of the arguments in the coordinates of the file.
    runs : dict
        by (four weights, seed): mappings with these two, what the run reached, and its `parameters`.

    Raises
    ------
    ValueError
        if the file holds runs of another problem (the message says what differs), or something else.

    Warns
    -----
    UserWarning
        if the file was set aside, or some of its lines do not hold.
    """

    def __init__(self, path, problem: TrainingProblem, asked: Mapping):
        self.path = files.output_file(path, ".jsonl")
        self.problem, self.runs = problem, {}
        content = self.path.read_bytes() if self.path.exists() else b""
        first, *lines = content.split(b"\n")
        if content and not (old := self._made_by_others(first)):
            self._take(first, [line for line in lines if line], asked)
            return
        if content:
            aside = files.set_aside(self.path)
            warnings.warn(f"{self.path}: {old}; it is now {aside}, and all runs are made anew", stacklevel=4)
        coordinates = {name: _encode(getattr(problem, field)) for name, field in COORDINATES.items()}
        header = {"format": f"{KIND}{FORMAT}", "kernels": kernel_digest(), "asked": asked, "coordinates": coordinates}
        files.write_atomically(self.path, lambda opened: opened.write(_line(header)))

    def append(self, runs: Mapping[tuple, Mapping]) -> None:
        """Add those of the runs that are not in the file yet and that would be taken from there: that finished."""
        new = {key: run for key, run in runs.items() if key not in self.runs and run["stopped"] in FINISHED}
        text = b"".join(_line({**run, "parameters": _encode(run["parameters"])}) for run in new.values())
        with files.naming(self.path), open(self.path, "a+b", opener=_only_if_there) as opened:
            opened.seek(-1, os.SEEK_END)
            cut_short = opened.read() != b"\n"
            opened.write(b"\n" * cut_short + text)
        self.runs |= new

    def _made_by_others(self, first: bytes) -> str:
        """Why the runs of a file cannot stand beside new ones, in words; empty if they can."""
        header = _parse(first)
        stated = header.get("format") if header is not None else None
        if not (isinstance(stated, str) and stated.startswith(KIND)):
            raise ValueError(
                f"{self.path}: is not a file of training runs; name another file, or one that is not there"
            )
        if stated != f"{KIND}{FORMAT}":
            return f"has format {reprlib.repr(stated.removeprefix(KIND))}, and this version writes format {FORMAT}"
        if _checked(first) is None:
            raise self._damaged()
        return "" if header.get("kernels") == kernel_digest() else "was made by another version of the kernels"

    def _take(self, first: bytes, lines: list[bytes], asked: Mapping) -> None:
        """Take over coordinates and runs, if the file is of this problem."""
        asked_for, header = self.problem, _checked(first)
        try:
            stored = {field: _decode(header["coordinates"][name]) for name, field in COORDINATES.items()}
            stored |= {name: stored[name].item() for name in ("unit", "noise")}
            stored["axes"] = stored["axes"].reshape(-1, len(stored["standard_deviations"]))
            there = dict(header["asked"])
        except (KeyError, TypeError, ValueError):
            raise self._damaged() from None
        self.problem = replace(asked_for, **stored)
        differences = _differences(there, asked, self.problem, asked_for)
        if differences:
            raise ValueError(
                f"{self.path}: holds runs of another problem; {'; '.join(differences)}; name another file to start anew"
            )
        runs = [run for run in map(_checked, lines) if run is not None and _holds(run, len(asked_for.mask), asked)]
        runs = [run | {"parameters": _decode(run["parameters"])} for run in runs]
        fixed = self.problem.start(np.random.default_rng(0))[asked_for.mask == 0]
        runs = [run for run in runs if _agrees(run, self.problem, fixed)]
        for run in runs:
            self.runs.setdefault((tuple(run["weights"]), run["seed"]), run)
        if len(runs) < len(lines):
            warnings.warn(
                f"{self.path}: {len(lines) - len(runs)} of {len(lines)} runs in it are damaged or cut short; they are "
                "made again where they are asked for",
                stacklevel=5,
            )

    def _damaged(self) -> ValueError:
        return ValueError(f"{self.path}: has a damaged first line; name another file to start anew")


def _differences(there: Mapping, here: Mapping, stored: TrainingProblem, asked_for: TrainingProblem) -> list[str]:
    """What makes two problems different, in words; numbers and a covariance that differ by rounding are the same."""
    told = [
        f"{name} is {reprlib.repr(there.get(name))} there and {reprlib.repr(here.get(name))} here"
        for name in here | there
        if not _same(there.get(name), here.get(name))
    ]
    size = len(asked_for.standard_deviations)
    if len(stored.standard_deviations) != size:
        return [f"the data have {len(stored.standard_deviations)} dimensions there and {size} here", *told]
    if stored.axes.shape != (size, size):
        return ["the principal axes there are no square matrix", *told]
    with np.errstate(invalid="ignore", over="ignore"):
        skew = np.abs(stored.axes.T @ stored.axes - np.eye(size)).max(initial=0.0)
    if not skew <= SAME * size:  # "not <=" here and below, since a NaN is to count as a difference
        told.insert(0, "the principal axes there are not orthonormal")
    if not np.array_equal(stored.standard_deviations > 0, asked_for.standard_deviations > 0):
        ranks = (np.count_nonzero(problem.standard_deviations > 0) for problem in (stored, asked_for))
        told.insert(0, "the rank is {} there and {} here".format(*ranks))
    for name in ("unit", "noise"):
        if not abs(getattr(stored, name) - getattr(asked_for, name)) <= SAME * getattr(asked_for, name):
            told.insert(0, f"the {name} is {getattr(stored, name)} there and {getattr(asked_for, name)} here")
    with np.errstate(invalid="ignore", over="ignore"):
        here = _covariance(asked_for)
        gaps, sizes = np.abs(_covariance(stored) - here), np.sqrt(np.diagonal(here))
    if not np.all(gaps <= SAME * np.outer(sizes, sizes) + ROUNDING * size * asked_for.unit):
        told.insert(0, f"the covariance differs by up to {gaps.max():.3g}")
    return told


def _same(there, here) -> bool:
    """Whether two JSON values are equal, but for rounding of numbers: a noise may be computed from the data."""
    if isinstance(there, list) and isinstance(here, list):
        return len(there) == len(here) and all(map(_same, there, here))
    if type(there) is float and type(here) is float:
        return abs(there - here) <= SAME * abs(here)
    return json.dumps(there) == json.dumps(here)


def _covariance(problem: TrainingProblem) -> np.ndarray:
    scaled = problem.axes * problem.standard_deviations
    return problem.unit * (scaled @ scaled.T)


def _holds(run: Mapping, size: int, asked: Mapping) -> bool:
    """Whether a line says what a run that finished can have reached."""
    try:
        numbers = [*run["weights"], run["loss"], run["gradient_norm"]]
        Weights(*run["weights"])  # raises for what weights cannot be
        return (
            run.keys() == RUN_KEYS
            and len(run["weights"]) == 4
            and all(type(number) is float and math.isfinite(number) for number in numbers)
            and run["gradient_norm"] >= 0
            and all(type(run[name]) is int and run[name] >= 0 for name in ("seed", "steps"))
            and run["steps"] <= asked["max_steps"]
            and run["stopped"] in FINISHED
            and (run["stopped"] != "gradient" or run["gradient_norm"] <= asked["gradient_tolerance"])
            and (run["stopped"] != "max_steps" or run["steps"] == asked["max_steps"])
            and bool(np.isfinite(parameters := _decode(run["parameters"])).all())
            and parameters.shape == (size,)
        )
    except (KeyError, TypeError, ValueError):
        return False


def _agrees(run: Mapping, problem: TrainingProblem, fixed: np.ndarray) -> bool:
    """Whether loss and gradient norm are those of the parameters, up to rounding, and what is not learned is as asked.

    A checksum tells that a line is as it was written, not that it is true.
    """
    theta, weights = run["parameters"], Weights(*run["weights"])
    with np.errstate(all="ignore"):
        objective = problem.objective(weights)
        loss, norm = problem.measure(theta, objective)
        rounding = rounding_error(theta, objective, loss)
        if overflowed(loss, norm, theta, problem.mask, problem.latent_dim):
            return False
        loss += problem.loss_offset(weights)
        gaps = abs(run["loss"] - loss), abs(run["gradient_norm"] - norm)
    near = np.allclose(theta[problem.mask == 0], fixed, rtol=SAME, atol=SAME)
    return bool(near and gaps[0] <= rounding + SAME * abs(loss) and gaps[1] <= rounding + SAME * norm)


def _line(values: Mapping) -> bytes:
    """One line, with the checksum of all that is before it."""
    body = json.dumps(values, allow_nan=False).encode()[:-1]
    return body + CHECK % zlib.crc32(body) + b"\n"


def _checked(line: bytes) -> dict | None:
    """What a line holds besides its checksum, or `None` if it is not as it was written."""
    length = len(CHECK % 0)
    body, check = line[:-length], line[-length:]
    if check != CHECK % zlib.crc32(body):
        return None
    return _parse(body + b"}")


def _parse(text: bytes) -> dict | None:
    """The JSON object that a text is, or `None` if it is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _only_if_there(path: str, flags: int) -> int:
    """Open a file that exists: one that was removed meanwhile would come back without its first line."""
    return os.open(path, flags & ~os.O_CREAT)


def _encode(values) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()


def _decode(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(float)
