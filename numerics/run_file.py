"""A file of finished runs that a sweep appends to and is resumed from: one JSON object a line.

The first line says what is trained and how, each other line holds one run. Lines are only ever added. A process that is
killed while it writes leaves a line cut short, which is no JSON: it is passed over, and its run is done again.

Numbers are written with all their digits, and arrays as the base64 text of their bytes. The first line also holds the
principal axes: parameters are in the coordinates of these axes, and another machine, or another number of threads, may
find them with other signs or other rounding. Who resumes takes over the axes of the file.
"""

from __future__ import annotations

import base64
import json
import os
import reprlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from numerics.problem import Problem
from theory import output

__all__ = ["RunFile"]

FORMAT = "training runs of linear beta-VAEs, 1"
COORDINATES = ("roots", "axes", "unit", "noise", "mask")  # what is computed from the covariance, up to rounding
RUN_KEYS = {"weights", "seed", "loss", "gradient_norm", "steps", "stopped", "parameters"}
SAME = 1e-12  # of the largest eigenvalue: how far rounding may move a covariance that is computed once more


class RunFile:
    """The runs of one problem in a file.

    Parameters
    ----------
    path : path to a .jsonl file
        made if it is missing or empty.
    problem : Problem
    asked : mapping
        by name, of JSON values: the arguments on which a run depends, but for covariance, beta and seed.

    Attributes
    ----------
    problem : Problem
        that of the arguments in the coordinates of the file.
    runs : dict
        by (four weights, seed): mappings with these two, what the run reached, and its `parameters`.

    Raises
    ------
    ValueError
        if the file holds runs of another problem (the message says what differs), or something else.
    """

    def __init__(self, path, problem: Problem, asked: Mapping):
        self.path = output.output_file(path, ".jsonl")
        self.problem, self.runs = problem, {}
        if not self.path.exists() or not self.path.stat().st_size:
            coordinates = {name: _encode(getattr(problem, name)) for name in COORDINATES}
            header = {"format": FORMAT, "asked": asked, "coordinates": coordinates}
            output.write_atomically(self.path, lambda opened: opened.write(_line(header)))
            return
        first, *lines = self.path.read_bytes().split(b"\n")
        header = _parse(first)
        if header is None or header.get("format") != FORMAT:
            raise ValueError(
                f"{self.path}: is not a file of training runs; name another file, or one that is not there"
            )
        try:
            stored = {name: _decode(header["coordinates"][name]) for name in COORDINATES}
            stored |= {name: stored[name].item() for name in ("unit", "noise")}
            stored["axes"] = stored["axes"].reshape(-1, len(stored["roots"]))
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{self.path}: has a damaged first line; name another file to start anew") from None
        self.problem = replace(problem, **stored)
        differences = _differences(header["asked"], asked, self.problem, problem)
        if differences:
            raise ValueError(
                f"{self.path}: holds runs of another problem; {'; '.join(differences)}; name another file to start anew"
            )
        for run in map(_parse, lines):
            if run is not None and _complete(run, len(problem.mask)):
                self.runs[tuple(run["weights"]), run["seed"]] = run | {"parameters": _decode(run["parameters"])}

    def append(self, runs: Mapping[tuple, Mapping]) -> None:
        """Add those of the runs that are not in the file yet."""
        new = {key: run for key, run in runs.items() if key not in self.runs}
        text = b"".join(_line({**run, "parameters": _encode(run["parameters"])}) for run in new.values())
        with self.path.open("a+b") as opened:
            opened.seek(-1, os.SEEK_END)
            cut_short = opened.read() != b"\n"
            opened.write(b"\n" * cut_short + text)
        self.runs |= new


def _differences(there: Mapping, here: Mapping, stored: Problem, posed: Problem) -> list[str]:
    """What makes two problems different, in words; a covariance that differs by rounding is the same."""
    told = [
        f"{name} is {reprlib.repr(there.get(name))} there and {reprlib.repr(value)} here"
        for name, value in here.items()
        if there.get(name) != value
    ]
    if len(stored.roots) != len(posed.roots):
        return [f"the data have {len(stored.roots)} dimensions there and {len(posed.roots)} here", *told]
    gap = np.abs(_covariance(stored) - _covariance(posed)).max(initial=0.0)
    if gap > SAME * posed.unit:
        told.insert(0, f"the covariance differs by up to {gap:.3g}")
    return told


def _covariance(problem: Problem) -> np.ndarray:
    scaled = problem.axes * problem.roots
    return problem.unit * (scaled @ scaled.T)


def _complete(run: Mapping, size: int) -> bool:
    """Whether a line has all that belongs to a run; one that was damaged is made again, as one that was cut short."""
    try:
        return run.keys() >= RUN_KEYS and len(run["weights"]) == 4 and len(_decode(run["parameters"])) == size
    except (TypeError, ValueError):
        return False


def _line(values: Mapping) -> bytes:
    return json.dumps(values).encode() + b"\n"


def _parse(line: bytes) -> dict | None:
    """What a line holds, or `None` if it was cut short."""
    try:
        values = json.loads(line)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def _encode(values) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f8").tobytes()).decode()


def _decode(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(float)
