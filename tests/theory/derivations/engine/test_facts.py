"""Earlier relations that a step uses, with values in place of their symbols."""

import dataclasses

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import page_with
from theory.derivations.engine import check
from theory.derivations.engine.notation import K, P, Q, S, W, n
from theory.derivations.engine.operators import LogDet, OverAll
from theory.derivations.engine.page import Let, Step, Use
from theory.derivations.foundations.matrix_inequalities import use_product, use_tangent, use_trace
from theory.derivations.registry import find

a, b, x, y = sp.symbols("a b x y", positive=True)
r = sp.Symbol("r", real=True)
z = sp.Symbol("z", real=True)
i, m = (sp.Symbol(name, integer=True, positive=True) for name in "im")
M, N, B = (sp.MatrixSymbol(name, n, n) for name in "MNB")
q, p = sp.Function("q", positive=True), sp.Function("p", positive=True)
l = sp.IndexedBase(sp.Symbol("l", positive=True))  # noqa: E741
PAGES = tuple(page.name for page in find(["gibbs-inequality", "matrix-inequalities"]))
KINDS = dict.fromkeys((M, N, P, Q, S), "positive") | {B: "partition"}
TANGENT, POINT = "gibbs-inequality: The logarithm lies below its tangent", "gibbs-inequality: The integrand"
STRICT = "gibbs-inequality: Elsewhere strictly below"


def fault(relation, *uses, before=(), **options):
    step = Step("step", relation, "r", uses=uses, **options)
    page = page_with(*before, step, matrices=KINDS, functions={q: "density", p: "density"})
    page = dataclasses.replace(page, builds_on=PAGES)
    return check.check_step(page, step).fault


def at_least(left, right):
    return sp.Ge(left, right, evaluate=False)


def above(left, right):
    return sp.Gt(left, right, evaluate=False)


def test_a_value_in_place_of_a_number():
    assert fault(at_least(x / y, 1 + sp.log(x / y)), Use(TANGENT, {a: x / y})) == ""
    assert fault(at_least(x**2 / y, x + x * sp.log(x / y)), Use(TANGENT, {a: x / y}, times=x)) == ""
    assert "not proved" in fault(at_least(x / y, 2 + sp.log(x / y)), Use(TANGENT, {a: x / y}))
    assert "range" in fault(at_least(r, 1 + sp.log(x)), Use(TANGENT, {a: r}))
    assert "may be negative" in fault(at_least(r * x, r + r * sp.log(x)), Use(TANGENT, {a: x}, times=r))


def test_conditions_of_what_is_used():
    where = (sp.Ne(x, y),)
    assert fault(above(x / y, 1 + sp.log(x / y)), Use(STRICT, {a: x / y}), where=where) == ""
    assert "is not evident" in fault(above(x / y, 1 + sp.log(x / y)), Use(STRICT, {a: x / y}))
    different = sp.Ne(M, sp.HadamardProduct(M, B), evaluate=False)
    use = use_tangent(M, sp.HadamardProduct(M, B), strict=True)
    relation = above(LogDet(sp.HadamardProduct(M, B)), LogDet(M))
    assert fault(relation, use, where=(different,)) == ""
    assert "is not evident" in fault(relation, use)


def test_kinds_and_sizes_of_matrices():
    product = sp.Trace(W.T * S * W * Q)
    assert fault(at_least(product, -1), use_trace(Q, W.T, S)) == ""
    assert "not evidently positive" in fault(at_least(product, 0), use_trace(W.T * W, W.T, S))
    assert "not K x K" in fault(at_least(product, 0), use_trace(Q, W.T, Q))
    assert fault(at_least(sp.Trace(M * N), n + LogDet(M) + LogDet(N)), use_product(M, N)) == ""
    assert "not proved" in fault(at_least(sp.Trace(M * N), n + LogDet(M) - LogDet(N)), use_product(M, N))


def test_only_earlier_steps_of_pages_that_are_built_on():
    relation = at_least(x / y, 1 + sp.log(x / y))
    assert "does not come before" in fault(relation, Use("step"))
    assert "does not build on" in fault(relation, Use("hadamard-gap: The gap is not negative"))
    assert "has no step" in fault(relation, Use("other"))


def test_relations_of_given_sizes_and_of_assumptions_are_not_used():
    sized = Step("sized", sp.Eq(sp.Trace(P * Q), sp.Trace(Q * P), evaluate=False), "r", sizes=({K: 2},))
    relation = sp.Eq(sp.Trace(P * Q * 2), 2 * sp.Trace(Q * P), evaluate=False)
    assert "given sizes" in fault(relation, Use("sized"), before=(sized,))
    assumed = Let(M, sp.Identity(n), "an identity", rule=(M * N, N), hypothesis=True)
    of_it = Step("assumed", sp.Eq(sp.Trace(M * N), sp.Trace(N), evaluate=False), "r", let=(assumed,))
    assert "rests on the rule" in fault(
        sp.Eq(sp.Trace(N * N), sp.Trace(N), evaluate=False), Use("assumed", {M: N}), before=(of_it,)
    )


def test_an_inequality_proves_no_equation():
    assert "proves no equation" in fault(sp.Eq(x - 1, sp.log(x), evaluate=False), Use(TANGENT, {a: x}))


def test_sums_and_integrals_of_what_is_used():
    total = sp.Sum(l[i] - 1 - sp.log(l[i]), (i, 1, m))
    assert fault(at_least(total, 0), Use(TANGENT, {a: l[i]}, over=(i, 1, m))) == ""
    assert "not proved" in fault(at_least(total, 1), Use(TANGENT, {a: l[i]}, over=(i, 1, m)))
    divergence = OverAll(q(z) * sp.log(q(z) / p(z)), z)
    assert fault(at_least(divergence, 0), Use(POINT, {a: q(z), b: p(z)}, over=z)) == ""
    assert "not proved" in fault(above(divergence, 0), Use(POINT, {a: q(z), b: p(z)}, over=z))
    assert "not proved" in fault(at_least(-divergence, 0), Use(POINT, {a: q(z), b: p(z)}, over=z))


def test_variables_are_not_captured():
    first = Step("first", sp.Eq(sp.Sum(l[i] * x, (i, 1, m)), x * sp.Sum(l[i], (i, 1, m)), evaluate=False), "r")
    relation = sp.Eq(sp.Sum(l[i] * l[i], (i, 1, m)), l[i] * sp.Sum(l[i], (i, 1, m)), evaluate=False)
    assert "variable of the relation" in fault(relation, Use("first", {x: l[i]}), before=(first,))
    shapes = Step("shapes", sp.Eq(sp.Trace(W * W.T), sp.Trace(W.T * W), evaluate=False), "r")
    assert "not" in fault(sp.Eq(sp.Trace(S), sp.Trace(Q), evaluate=False), Use("shapes", {W: S}), before=(shapes,))


@pytest.mark.parametrize("nothing", [{y: x}, {M: N}])
def test_values_for_symbols_that_are_not_there(nothing):
    assert "says nothing about" in fault(at_least(x, 1 + sp.log(x)), Use(TANGENT, {a: x, **nothing}))
