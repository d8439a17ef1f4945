"""The checker proves what is true and refuses what is wrong, vacuous or not controlled."""

import dataclasses

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import equation, fault_of
from theory.derivations import registry
from theory.derivations.engine import check
from theory.derivations.engine.notation import K, P, Q, S, V, W, t
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Let, Step

x, y = sp.symbols("x y", positive=True)
Z = sp.MatrixSymbol("z", K, 1)
STEPS = [(page, step) for page in registry.derivations() for step in page.steps]


@pytest.mark.parametrize(("page", "step"), STEPS, ids=[f"{page.name}: {step.title}" for page, step in STEPS])
def test_every_step_of_the_book(page, step):
    result = check.check_step(page, step)
    assert result.fault == ""
    assert result.exact and result.points and result.controls


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((x + y) ** 2, x**2 + 2 * x * y + y**2),
        (sp.log(x * y / (x + y)), sp.log(x) + sp.log(y) - sp.log(x + y)),
        (sp.Derivative(x * sp.log(x * y), x), sp.log(x) + sp.log(y) + 1),
        (sp.sin(2 * x), 2 * sp.sin(x) * sp.cos(x)),
        (sp.sqrt(x) * sp.sqrt(x + y), sp.sqrt(x**2 + x * y)),
        (sp.Trace(W * V * S), sp.Trace(S * V.T * W.T)),
        (LogDet(Q * P.I), LogDet(Q) - LogDet(P)),
        (
            SquaredNorm(sp.MatrixSymbol("z", K, 1), Q),
            sp.Trace(Q * sp.MatrixSymbol("z", K, 1) * sp.MatrixSymbol("z", K, 1).T),
        ),
    ],
    ids=str,
)
def test_true_equations_pass_and_their_perturbations_fail(left, right):
    kinds = {"matrices": dict.fromkeys((P, Q, S), "positive")}
    assert fault_of(equation(left, right), **kinds) == ""
    wrong = fault_of(equation(left, right * sp.Rational(999, 1000)), **kinds)
    assert "not proved" in wrong and "fails at" in wrong


def test_transposes_count_unless_a_matrix_is_symmetric():
    step = equation(sp.Trace(Q * P), sp.Trace(Q.T * P))
    assert fault_of(step, matrices={Q: "symmetric", P: "positive"}) == ""
    assert "not proved" in fault_of(step)


def test_expectations_need_the_right_moments():
    square = Expectation(sp.Trace(P * Z * Z.T))
    kinds = {"matrices": dict.fromkeys((P, Q), "positive"), "moments": {Z: Q}}
    assert fault_of(equation(square, sp.Trace(P * Q)), **kinds) == ""
    assert "not proved" in fault_of(equation(square, sp.Trace(P * Q * Q)), **kinds)


def test_a_rule_must_follow_from_the_definition():
    identity = sp.Identity(K)
    good = Let(P, identity + W.T * W / t, "p", rule=(W.T * W, t * (P - identity)))
    bad = dataclasses.replace(good, rule=(W.T * W, t * P))
    assert fault_of(equation(W.T * W, t * P - t * identity, let=(good,)), matrices={P: "positive"}) == ""
    assert "rule for P" in fault_of(equation(W.T * W, t * P, let=(bad,)), matrices={P: "positive"})


def test_a_vacuous_relation_is_refused():
    assert "vacuous" in fault_of(equation(x + y, x + y))


def test_zero_on_the_right_needs_a_wrong_form():
    vanishing = sp.Derivative(x, x) - 1
    assert "no negative control" in fault_of(equation(vanishing, 0))
    assert fault_of(equation(vanishing, 0, wrong_form=x)) == ""


def test_a_wrong_form_that_is_true_is_refused():
    fault = fault_of(equation(sp.sin(x) ** 2 + sp.cos(x) ** 2, sp.Integer(1), wrong_form=sp.Integer(1)))
    assert "accepts a wrong formula" in fault and "proves a wrong formula" in fault


def test_a_formula_that_does_not_depend_on_one_of_its_symbols_is_refused():
    u = sp.Symbol("u", positive=True)
    fault = fault_of(equation(x, x * sp.Derivative(y * u, u) / y))
    assert "accepts a wrong formula at every point: y" in fault


def test_inequalities():
    grows = Step("step", sp.Gt(sp.Derivative(x**2 + x * y, x), 0, evaluate=False), "r")
    assert fault_of(grows) == ""
    falls = Step("step", sp.Lt(sp.Derivative(x**2 + x * y, x), 0, evaluate=False), "r")
    assert "not proved" in fault_of(falls)
    undecided = Step("step", sp.Ge(x, y, evaluate=False), "r")
    assert "not proved" in fault_of(undecided)


def test_sizes_are_part_of_the_proof():
    general = equation(sp.Determinant(P * Q), sp.Determinant(P) * sp.Determinant(Q))
    assert fault_of(general)  # true, but no identity of words
    assert fault_of(dataclasses.replace(general, sizes=({K: 1}, {K: 2}))) == ""


def test_the_same_points_are_drawn_every_time():
    page = registry.derivations()[0]
    first, second = (
        [dataclasses.replace(result, seconds=0) for result in check.check_derivation(page)] for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize(
    ("left", "right", "least_at", "where"),
    [
        (x - 1 - sp.log(x), 0, (x, 1), ()),
        (x + y**2 / x, 2 * y, (x, y), ()),
        (x**2 + y**2, 2 * x * y, (x, y), ()),
        (x * sp.log(x / y) - x + y, 0, (x, y), ()),
        (sp.exp(x - y), 1 + x - y, (x, y), ()),
        (1 / x + 1 / (1 - x), 4, (x, sp.Rational(1, 2)), (x < 1,)),
    ],
    ids=str,
)
def test_least_values(left, right, least_at, where):
    step = Step("step", sp.Ge(left, right, evaluate=False), "r", least_at=least_at, where=where)
    assert fault_of(step) == ""
    assert "not proved" in fault_of(
        dataclasses.replace(step, relation=sp.Ge(left, right + sp.Rational(1, 9), evaluate=False))
    )
    assert "not proved" in fault_of(dataclasses.replace(step, relation=sp.Gt(left, right, evaluate=False)))


@pytest.mark.parametrize(
    ("left", "least_at", "where"),
    [
        (sp.log(x) - x + 1, (x, 1), ()),  # a maximum
        (x**3 - 3 * x + 2, (x, -1), ()),  # outside
        (x - 1 - sp.log(x), (x, 2), ()),  # not stationary
        ((x - 1) ** 2 * (x - 3) ** 2, (x, 1), ()),  # not convex
        (x - 1 - sp.log(x), (x, 1), (x > 1,)),  # outside of the bound
        (x - 1 - sp.log(x), (x, 1), (sp.Ne(x, 3),)),  # no interval
    ],
    ids=str,
)
def test_no_least_values(left, least_at, where):
    assert "not proved" in fault_of(Step("step", sp.Ge(left, 0, evaluate=False), "r", least_at=least_at, where=where))
