"""Bad values for every argument of every public function: refused by name, or taken and answered without NaN.

What an argument accepts stands in `tests/public_calls.py`. A value that no kind of argument accepts must raise a
`ValueError` or `TypeError` that names the argument; one at the edge may also be answered, if nothing in the answer is
NaN. No other error, no warning, and no result of a wrong type passes.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re

import numpy as np
import pytest

import figures
import numerics
import theory
from tests import public_calls
from tests.public_calls import CALLS, COVARIANCE, DATA, TRUTH, VAE, Call
from theory import axes, groups, inference, learning, priors, scores, validation

HIDDEN = np.ma.array([[1.0, 2.0], [3.0, -999.0]], mask=[[False, False], [False, True]])


class Hostile:
    """An object of a foreign class, whatever is asked of which fails."""

    def fail(self, *arguments, **options):
        raise ZeroDivisionError

    __array__ = __float__ = __index__ = __iter__ = fail


# No argument takes these, but for None where it is named, and text where it is a path or a word.
NEVER = {
    "None": None,
    "text": "text",
    "bytes": b"1",
    "complex": 1j,
    "object": object(),
    "class": theory.LinearVAE,
    "function": len,
    "dict": {},
    "hostile": Hostile(),
    "bytearray": bytearray(b"12"),
    "endless": itertools.repeat(1),
    "ragged": [[1.0], [1.0, 2.0]],
    "text array": np.array(["a"]),
    "complex array": np.ones((2, 2)) * 1j,
    "date": np.datetime64("2020-01-01"),
    "masked": HIDDEN,
    "structured": np.zeros(2, dtype=[("a", float)]),
}
NOT_A_MODEL = {"true": True, "zero": 0, "array": COVARIANCE, "empty": []}

# What each kind refuses besides, and what it may refuse or answer.
REFUSED = {
    "number": {
        "true": True,
        "nan": np.nan,
        "inf": np.inf,
        "empty": [],
        "vector": [1.0, 2.0],
        "matrix": np.zeros((2, 2)),
        "huge": 10**400,
        "model": VAE,
    },
    "array": {
        "true": True,
        "nan": np.full((3, 3), np.nan),
        "nan vector": np.full(2, np.nan),
        "inf": np.full((3, 2), np.inf),
        "cube": np.zeros((2, 2, 2)),
        "flags": np.ones((3, 3), dtype=bool),
        "list of None": [None, None],
        "model": TRUTH,
    },
    "count": {
        "true": True,
        "half": 2.5,
        "float": 2.0,
        "nan": np.nan,
        "negative": -1,
        "huge": 10**30,
        "vector": [2],
        "model": VAE,
    },
    "flag": {"one": 1, "zero": 0, "no": "no", "vector": [True], "array": np.array([True, False]), "model": VAE},
    "flags": {"half": [0.5, 1.0], "long": [True] * 7, "model": VAE, "number": 3.0},
    "generator": {
        "negative": -1,
        "half": 0.5,
        "true": True,
        "module": np.random,
        "class": np.random.Generator,
        "vector": [0],
        "model": VAE,
    },
    "groups": {
        "number": 3,
        "no family": "triangular",
        "no name": "",
        "empty group": [[0, 1], []],
        "missing": [[0]],
        "twice": [[0, 0], [1]],
        "half": [[0.5], [1]],
        "dict": {0: [0, 1]},
        "flat": [0, 1],
        "model": VAE,
    },
    "sequence": {"number": 3, "set": {1, 2}, "model": VAE, "empty": []},
    "numbers": {
        "empty": [],
        "nan": [np.nan],
        "text": ["a"],
        "none": [None],
        "true": [True],
        "model": VAE,
        "set": {1.0},
    },
    "word": {"number": 3, "other word": "unknown", "list": ["a"], "true": True, "model": VAE},
    "vae": NOT_A_MODEL | {"other": TRUTH},
    "truth": NOT_A_MODEL | {"other": VAE},
    "moments": {"true": True, "zero": 0, "empty": [], "other": VAE},
    "prior": NOT_A_MODEL | {"other": VAE, "class": priors.StudentPrior},
    "weights": NOT_A_MODEL | {"other": VAE, "class": groups.Weights},
    "code": NOT_A_MODEL | {"other": VAE},
    "codes": NOT_A_MODEL | {"other": VAE},
    "path": NOT_A_MODEL | {"number": 3, "other": VAE},
    "executor": {"number": 3, "other": VAE},
    "data": {
        "true": True,
        "nan": np.full((3, 3), np.nan),
        "cube": np.zeros((2, 2, 2)),
        "one row": np.ones((1, 3)),
        "no columns": np.zeros((3, 0)),
        "model": TRUTH,
    },
}
EDGES = {
    "number": {"negative": -1.0, "zero": 0.0, "largest": 1e308, "smallest": 1e-320, "whole": np.int8(1)},
    "array": {
        "empty": [],
        "no rows": np.zeros((0, 2)),
        "zeros": np.zeros((2, 2)),
        "square zeros": np.zeros((3, 3)),
        "oblong": np.ones((7, 5)),
        "vector": [1.0, 2.0],
        "large": np.full((3, 3), 1e308),
        "large decoder": np.full((3, 2), 1e308),
        "small": np.full((3, 2), 1e-320),
        "small square": np.eye(3) * 1e-320,
        "whole": np.ones((3, 2), dtype=np.int16),
    },
    "count": {"zero": 0, "beyond memory": 2**31, "unsigned": np.uint8(1)},
    "data": {"large": DATA * 1e300, "small": DATA * 1e-300, "flags": DATA > 0},
    "flags": {"whole": [1, 0]},
}
# Which kinds accept what another one refuses: an argument of two kinds refuses what both refuse.
ALLOWED = {
    "none": {"None"},
    "points": {"cube"},  # of any number of axes
    "array": {"vector", "matrix", "empty", "zero", "array", "number"},
    "number": {"number", "zero"},
    "numbers": {"number", "vector", "zero"},
    "path": {"text", "no", "other word"},
    "sequence": {"vector"},
    "count": {"number", "zero"},
    "moments": {"array"},
    "infinite": {"inf"},
    "shape": {"cube"},
    "limit": {"inf", "cube"},  # zero and infinity stand for limits
}

PUBLIC = [theory, inference, learning, axes, groups, priors, scores, numerics, figures]
MODELS = {  # the classes that users make; all others are results
    theory.GenerativeModel,
    theory.LinearVAE,
    theory.Moments,
    priors.ClusterPrior,
    priors.GaussianPrior,
    priors.SpikeSlabPrior,
    priors.StudentPrior,
    axes.TemporalModel,
    groups.Weights,
    scores.GaussianCode,
    numerics.Codes,
}
ELSEWHERE = {  # it has no arguments; those of each figure are in tests/figures/test_by_name.py
    numerics.digits,
    figures.draw,
}


def arguments_of_calls():
    return [pytest.param(call, name, id=f"{call.name}-{name}") for call in CALLS for name in call.arguments]


def values_for(kinds: set[str]) -> tuple[dict, dict]:
    """The values that an argument of these kinds must refuse, and those that it may."""
    main = [kind for kind in kinds if kind in REFUSED]
    allowed = {name for kind in kinds for name in ALLOWED.get(kind, ())}
    refused = NEVER | {name: value for kind in main for name, value in REFUSED[kind].items()}
    refused = {name: value for name, value in refused.items() if name not in allowed}
    edges = {f"{kind} {name}": value for kind in main for name, value in EDGES.get(kind, {}).items()}
    return refused, edges


def has_nan(value) -> bool:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(has_nan(getattr(value, part.name)) for part in dataclasses.fields(value))
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_nan, value))
    return isinstance(value, float | np.ndarray) and np.asarray(value).dtype.kind == "f" and bool(np.isnan(value).any())


def answer(call: Call, argument: str, value, names=()) -> str:
    """What a call makes of a value in place of a good argument: "refused", "answered", or what is wrong.

    A refusal counts if it names the argument, or one of `names`.
    """
    try:
        result = call.function(**call.arguments | {argument: value})
    except np.linalg.LinAlgError as error:  # a ValueError to Python
        return f"LinAlgError: {error}"
    except (ValueError, TypeError) as error:
        named = any(re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", str(error)) for name in (argument, *names))
        return "refused" if named else f"does not name {argument}: {type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "NaN in the answer" if has_nan(result) and not call.not_a_number else "answered"


@pytest.mark.parametrize(("call", "argument"), arguments_of_calls())
def test_bad_values_are_refused_by_name(call, argument, monkeypatch):
    monkeypatch.setattr(validation, "_memory", lambda: 2**32)  # on a large machine 2^31 numbers would be made
    kinds = call.kinds(argument)
    assert kinds & REFUSED.keys(), f"{argument}: say in tests/public_calls.py what it accepts"
    refused, edges = values_for(kinds)
    faults = {name: reply for name, value in refused.items() if (reply := answer(call, argument, value)) != "refused"}
    for name, value in edges.items():
        reply = answer(call, argument, value, names=call.arguments)  # a shape may be blamed on its counterpart
        if reply not in ("refused", "answered"):
            faults[name] = reply
    assert not faults, "\n".join(f"{name}: {reply}" for name, reply in faults.items())


@pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in CALLS])
def test_the_good_call_is_answered(call):
    if "missing" not in str(call.arguments.get("path", call.arguments.get("source"))):
        assert answer(call, *next(iter(call.arguments.items()))) == "answered"
    signature = inspect.signature(call.function)
    assert set(call.arguments) == set(signature.parameters), "a good call names every argument"


def test_every_public_function_has_a_good_call():
    called = {getattr(call.function, "__func__", call.function) for call in CALLS}
    for package in PUBLIC:
        for name in package.__all__:
            thing = getattr(package, name)
            if isinstance(thing, type):
                assert thing not in MODELS or thing in called, name
            elif callable(thing):
                assert thing in called | ELSEWHERE, name


def test_every_kind_is_known():
    known = REFUSED.keys() | {"none", "true", "learned", "infinite", "limit", "shape"}
    assert not {kind for kinds in public_calls.ACCEPTS.values() for kind in kinds.split()} - known
