"""Whether the runs in a file are of the problem asked for: what differs, in words, up to rounding."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping

import numpy as np

from numerics.training.problem import TrainingProblem

__all__ = ["SAME", "differences"]

SAME = 1e-12  # relative distance up to which a number that is computed again is the same
ROUNDING = 4 * np.finfo(float).eps  # of the largest eigenvalue, by which an entry made from eigenvalues may be off


def differences(there: Mapping, here: Mapping, stored: TrainingProblem, asked_for: TrainingProblem) -> list[str]:
    """The differences of two problems, in words; numbers and covariances that differ by rounding are the same."""
    texts = [
        f"{name} is {reprlib.repr(there.get(name))} there and {reprlib.repr(here.get(name))} here"
        for name in here | there
        if not _same(there.get(name), here.get(name))
    ]
    size = len(asked_for.standard_deviations)
    if len(stored.standard_deviations) != size:
        return [f"the data have {len(stored.standard_deviations)} dimensions there and {size} here", *texts]
    if stored.axes.shape != (size, size):
        return ["the principal axes there are not a square matrix", *texts]
    with np.errstate(invalid="ignore", over="ignore"):
        skew = np.abs(stored.axes.T @ stored.axes - np.eye(size)).max(initial=0.0)
    if not skew <= SAME * size:  # "not <=" here and below, since a NaN is to count as a difference
        texts.insert(0, "the principal axes there are not orthonormal")
    if not np.array_equal(stored.standard_deviations > 0, asked_for.standard_deviations > 0):
        ranks = (np.count_nonzero(problem.standard_deviations > 0) for problem in (stored, asked_for))
        texts.insert(0, "the rank is {} there and {} here".format(*ranks))
    for name in ("unit", "noise"):
        if not abs(getattr(stored, name) - getattr(asked_for, name)) <= SAME * getattr(asked_for, name):
            texts.insert(0, f"the {name} is {getattr(stored, name)} there and {getattr(asked_for, name)} here")
    with np.errstate(invalid="ignore", over="ignore"):
        here = asked_for.covariance
        gaps, sizes = np.abs(stored.covariance - here), np.sqrt(np.diagonal(here))
    if not np.all(gaps <= SAME * np.outer(sizes, sizes) + ROUNDING * size * asked_for.unit):
        texts.insert(0, f"the covariance differs by up to {gaps.max():.3g}")
    return texts


def _same(there, here) -> bool:
    """Whether two JSON values are equal, but for rounding of numbers: a noise may be computed from the data."""
    if isinstance(there, list) and isinstance(here, list):
        return len(there) == len(here) and all(map(_same, there, here))
    if type(there) is float and type(here) is float:
        return abs(there - here) <= SAME * abs(here)
    return json.dumps(there) == json.dumps(here)
