"""Pages of one step, for tests of the checker."""

import sympy as sp

from theory.derivations.engine import check
from theory.derivations.engine.page import Derivation, Step


def page_with(*steps, **fields):
    """A page that is called test."""
    return Derivation("test", "Test", (), (), "scope", steps, (), (), **fields)


def step_with(relation, **options):
    """A step that is called step."""
    return Step("step", relation, "r", **options)


def equation(left, right, **options):
    """A step that states an equation."""
    return step_with(sp.Eq(left, right, evaluate=False), **options)


def fault_of(step, **fields):
    """What the checker says of a page of one step; empty if it passes."""
    return check.check_step(page_with(step, **fields), step).fault
