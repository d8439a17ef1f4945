"""Pages: complete, with abbreviations that are written out in order."""

from importlib import import_module

import pytest
import sympy as sp

from theory.derivations import registry
from theory.derivations.engine.page import Derivation, Let, Step, as_function, write_out
from theory.results import named_by_results

x, y = sp.symbols("x y", positive=True)
J = sp.Function("J")(x)
STEP = Step("step", sp.Eq(sp.Derivative(J, x), 2 * x * y, evaluate=False), "r", let=(Let(J, y * x**2, "the cost"),))
PAGE = Derivation("test", "Test", (), (), "scope", (STEP,), ("step",))


@pytest.mark.parametrize("page", registry.derivations(), ids=lambda page: page.name)
def test_a_page_is_complete(page):
    titles = [step.title for step in page.steps]
    assert len(titles) == len(set(titles))
    assert page.results and set(page.results) <= set(titles)
    functions = named_by_results(page.name, "functions")
    assert functions or any(page.name in other.builds_on for other in registry.derivations())
    for name in functions:
        module, _, function = name.rpartition(".")
        assert callable(getattr(import_module(module), function))


def test_a_step_is_found_by_its_title():
    assert PAGE.step("step") is STEP
    assert PAGE.lets("step") == STEP.let
    for look_up in (PAGE.step, PAGE.lets):
        with pytest.raises(ValueError, match="test has no step 'other'; it has: step"):
            look_up("other")
    with pytest.raises(ValueError, match="test has no abbreviation 'other'; it has: J"):
        PAGE.abbreviation("other")


def test_abbreviations_are_written_out_with_their_arguments():
    assert PAGE.abbreviation("J(x)") == y * x**2
    assert write_out(J.func(3), STEP.let, matrices=True) == 9 * y


def test_a_later_abbreviation_may_contain_an_earlier_one():
    u = sp.Symbol("u")
    lets = Let(u, x + y, "the sum"), Let(J, u * x, "the cost")
    assert write_out(J.func(2), lets, matrices=True) == sp.expand(2 * (2 + y))  # the sum, too, at x = 2


def test_formulas_become_numpy_functions():
    assert PAGE.function("step", x, y)(3.0, 2.0) == 12.0
    W = sp.MatrixSymbol("W", 2, 2)
    assert as_function(sp.Trace(W + sp.Identity(2)), W)([[1.0, 0.0], [0.0, 2.0]]) == 5.0
