"""Functions agree with the formulas of the book, and a wrong function is noticed."""

import copy
import dataclasses
from importlib import import_module

import numpy as np
import pytest

from theory.derivations.engine.page import Derivation, Step
from theory.derivations.engine.tie import Formula, Tie, tie_fault
from theory.derivations.registry import find
from theory.derivations.ties import TIES, UNTIED
from theory.interface.places import function_of

FUNCTIONS = sorted({tie.function for tie in TIES})
CHANGES = {
    "factor": lambda value: value * 1.001,
    "sign": lambda value: -value,
    "index": lambda value: np.roll(value, 1, axis=-1) if np.ndim(value) and np.shape(value)[-1] > 1 else value,
}


def test_what_is_not_tied_says_why():
    """That everything else of the index is tied, `tests/theory/test_results.py` asks."""
    assert not {(tie.function, tie.page) for tie in TIES} & set(UNTIED)
    assert all(len(reason.split()) > 3 for reason in UNTIED.values())


@pytest.mark.parametrize("tie", TIES, ids=lambda tie: f"{tie.function}: {tie.formula}")
def test_every_tie_holds(tie):
    assert tie_fault(tie, find([tie.page])[0]) == ""


def changed(value, change):
    """A result with every number in it changed."""
    if isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(changed(part, change) for part in value)
    if dataclasses.is_dataclass(value):
        other = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(other, field.name, changed(getattr(value, field.name), change))
        return other
    return value


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_function_is_noticed(name, kind, monkeypatch):
    """By a factor 1.001, a sign, or a shift of the entries of arrays."""
    function, differs = function_of(name), []

    def wrong(*arguments, **options):
        result = function(*arguments, **options)
        # a count is changed by one
        other = int(np.ceil(CHANGES[kind](result))) if isinstance(result, int) else changed(result, CHANGES[kind])
        differs.append(not same(result, other))
        return other

    package, attribute = name.rsplit(".", 1)
    monkeypatch.setattr(import_module(package), attribute, wrong)
    faults = [tie_fault(tie, find([tie.page])[0]) for tie in TIES if tie.function == name]
    assert any(faults) or not any(differs)
    assert any(differs) or kind == "index"


def same(one, other) -> bool:
    """Whether two results have the same numbers."""
    if isinstance(one, int | float | np.ndarray | np.floating):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, tuple | list):
        return all(map(same, one, other))
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one))
    return True


def test_faults_are_named():
    page = find(["water-filling"])[0]

    def no_case(function, formula):
        yield from ()

    def wrong_shape(function, formula):
        yield np.ones(2), 1.0

    def crash(function, formula):
        yield 1.0, formula(nonsense=2.0)

    for cases, words in (
        (no_case, "has no case"),
        (wrong_shape, "gives the shape (2,)"),
        (crash, "no symbol nonsense"),
    ):
        tie = Tie("theory.rate_distortion", "water-filling", "Rate of an active mode", cases)
        assert words in tie_fault(tie, page)


def test_a_formula_takes_numbers_by_names():
    import sympy as sp

    x = sp.Symbol("x_1+", positive=True)
    n, i = sp.Symbol("n", integer=True), sp.Symbol("i", integer=True)
    family = sp.IndexedBase("l")
    total = sp.Sum(family[i] * x, (i, 1, n))
    step = Step("step", sp.Eq(x, total, evaluate=False), "r")
    page = Derivation("test", "Test", (), (), "scope", (step,), (), ())
    assert Formula(page, "step")(x_1_=2.0, l=np.array([1.0, 10.0, 100.0]), n=2) == 22
    with pytest.raises(ValueError, match="no symbol y in the formula"):
        Formula(page, "step")(y=1.0)
