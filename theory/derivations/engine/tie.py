"""Ties of the functions of `theory` to the formulas of the pages: both are evaluated at the same numbers and compared.

A tie names a function and a formula: the right side of a step, or an abbreviation. Its cases draw inputs, call the
function, give the formula the numbers of its symbols, and yield both values. They hold no formula of their own: all
that they may do is linear algebra that a page leaves to the reader, such as sums over modes of which a page treats one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import sympy as sp

from theory.derivations.engine.page import Derivation, as_function
from theory.interface.places import function_of

__all__ = ["Formula", "Tie", "tie_fault"]

Cases = Callable[[Callable, "Formula"], Iterator[tuple[object, object]]]


@dataclass(frozen=True)
class Tie:
    """A function and the formula of a page that it computes.

    Attributes
    ----------
    function : dotted name
    page : name of the page
    formula : title of the step whose right side it is, or the printed name of an abbreviation
    cases : called with the function and the `Formula`; yields pairs of values, by the function and by the formula
    tolerance : the largest difference, relative to the larger of the value and `scale`
    scale : the size below which a difference counts as an absolute one
    """

    function: str
    page: str
    formula: str
    cases: Cases
    tolerance: float = 1e-9
    scale: float = 1e-3


class Formula:
    """A formula of a page as a function of the numbers of its symbols, which are given by their printed names."""

    def __init__(self, page: Derivation, name: str):
        titles = {step.title for step in page.steps}
        self.page, self.name = page, name
        self.expression = page.formula(name) if name in titles else page.abbreviation(name)
        self.functions: dict = {}

    def __call__(self, **values):
        """The value at numbers and arrays; the formula is compiled once for each choice of integers and names.

        An indexed family such as l[i] takes an array, whose first entry is l[1].
        """
        integers = {name: value for name, value in values.items() if isinstance(value, int)}
        others = {name: value for name, value in values.items() if name not in integers}
        key = tuple(sorted(integers.items())), tuple(others)
        if key not in self.functions:
            self.functions[key] = self._compiled(integers, list(others))
        return self.functions[key](*others.values())

    def _compiled(self, integers: dict[str, int], names: list[str]) -> Callable:
        symbols = {_identifier(one.name): one for one in self.expression.atoms(sp.Symbol, sp.MatrixSymbol)}
        families = {_identifier(entry.base.name): entry.base for entry in self.expression.atoms(sp.Indexed)}
        unknown = {*integers, *names} - symbols.keys() - families.keys()
        if unknown:
            raise ValueError(f"{self.page.name}, {self.name}: no symbol {', '.join(sorted(unknown))} in the formula")
        sizes = {symbols[name]: sp.Integer(value) for name, value in integers.items()}
        expression = self.expression.xreplace(sizes)
        expression = expression.replace(lambda part: isinstance(part, sp.Sum | sp.Integral), lambda part: part.doit())
        arguments = [families[name] if name in families else symbols[name].xreplace(sizes) for name in names]
        shifted = expression.replace(
            lambda part: isinstance(part, sp.Indexed), lambda part: part.base[part.indices[0] - 1]
        )
        return as_function(shifted, *arguments)


def tie_fault(tie: Tie, page: Derivation) -> str:
    """How a function differs from its formula; empty if it does not. A crash is a fault."""
    try:
        formula, count = Formula(page, tie.formula), 0
        for computed, wanted in tie.cases(function_of(tie.function), formula):
            computed, wanted = np.asarray(computed, dtype=float), np.asarray(wanted, dtype=float)
            if computed.shape != wanted.shape:
                return f"{tie.function} gives the shape {computed.shape}, {tie.formula!r} {wanted.shape}"
            off = np.abs(computed - wanted) / np.maximum(np.abs(wanted), tie.scale)
            if not (off <= tie.tolerance).all():  # also where a value is nan
                return f"{tie.function} differs from {tie.formula!r} by {np.nanmax(off):.2g} of its value"
            count += 1
        return "" if count else f"{tie.function} has no case for {tie.formula!r}"
    except Exception as error:  # a crash says that something was not compared
        return f"{tie.function} and {tie.formula!r}: {type(error).__name__}: {error}"


def _identifier(name: str) -> str:
    """The printed name of a symbol as a keyword: without what Python does not allow."""
    return re.sub(r"\W", "_", name)
