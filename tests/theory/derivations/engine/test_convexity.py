"""Inequalities of convex functions, of numbers and of matrices of any size."""

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import fault_of, step_with
from theory.derivations.engine.notation import C, D, K, P, Q, S, V, W, n
from theory.derivations.engine.operators import LogDet, SquaredNorm

x, y, t = sp.symbols("x y t", positive=True)
r = sp.Symbol("r", real=True)
A, B, M, O = (sp.MatrixSymbol(name, n, n) for name in "ABMO")  # noqa: E741
KINDS = {"matrices": dict.fromkeys((A, B, P, Q, S), "positive") | {O: "orthogonal"}}
TANGENT = LogDet(B) + sp.Trace(B.I * A) - n - LogDet(A)
DIFFERENT = (sp.Ne(A, B, evaluate=False),)


def at_least(left, right, symbol, place, **options):
    return step_with(sp.Ge(left, right, evaluate=False), least_at=(symbol, place), **options)


def above(left, right, symbol, place, **options):
    return step_with(sp.Gt(left, right, evaluate=False), least_at=(symbol, place), **options)


@pytest.mark.parametrize(
    "step",
    [
        at_least(x, 1 + sp.log(x), x, sp.Integer(1)),
        above(x, 1 + sp.log(x), x, sp.Integer(1), where=(sp.Ne(x, 1),)),
        above(x + 1, 1 + sp.log(x), x, sp.Integer(1)),
        at_least(TANGENT, 0, A, B),
        above(TANGENT, 0, A, B, where=DIFFERENT),
        at_least(sp.Trace(W.T * S * W * P), 0, W, sp.ZeroMatrix(D, K)),
        above(sp.Trace(W.T * S * W * P), 0, W, sp.ZeroMatrix(D, K), where=(sp.Ne(W, sp.ZeroMatrix(D, K)),)),
        at_least(sp.Trace(P * Q) - K - LogDet(P) - LogDet(Q), 0, Q, P.I),
        at_least(sp.Trace((V - W.T) * (V - W.T).T), 0, V, W.T),
        at_least(TANGENT**1 + sp.log(x + 1), sp.log(x + 1), A, B),
    ],
    ids=str,
)
def test_true_ones_are_proved(step):
    assert fault_of(step, **KINDS) == ""


@pytest.mark.parametrize(
    "step",
    [
        above(x, 1 + sp.log(x), x, sp.Integer(1)),
        above(x, 1 + sp.log(x), x, sp.Integer(1), where=(sp.Ne(x, 2),)),
        at_least(x, 2 + sp.log(x), x, sp.Integer(1)),
        at_least(1 + sp.log(x), x, x, sp.Integer(1)),  # concave
        at_least(r**2 - 1, 0, r, sp.Integer(0)),
        at_least(r**4 - r**2 + sp.Rational(1, 4), 0, r, sp.Integer(0)),  # true, but not convex
        at_least(r**2 + 2 * r, -1, r, sp.Integer(0)),  # not stationary there
        above(TANGENT, 0, A, B),
        above(TANGENT, 0, A, B, where=(sp.Ne(A, sp.Identity(n), evaluate=False),)),
        at_least(-TANGENT, 0, A, B),
        at_least(TANGENT, sp.Trace((A - B) * (A - B)), A, B),
        at_least(sp.Trace(O), -n, O, -sp.Identity(n)),  # orthogonal matrices are no convex set
        at_least(sp.Trace(M * M), 0, M, sp.ZeroMatrix(n, n)),  # no square: M is not symmetric
        above(sp.Trace(W.T * S * W * P), 0, W, sp.ZeroMatrix(D, K)),
        at_least(SquaredNorm(sp.MatrixSymbol("u", n, 1), M), 0, sp.MatrixSymbol("u", n, 1), sp.ZeroMatrix(n, 1)),
    ],
    ids=str,
)
def test_others_are_refused(step):
    assert "not proved" in fault_of(step, **KINDS)


def test_the_place_must_be_of_the_kind():
    assert fault_of(at_least(sp.Trace(A * A), 0, A, sp.ZeroMatrix(n, n)), **KINDS)
    assert fault_of(at_least(x**2, 0, x, sp.Integer(0)), **KINDS)


def test_traces_of_semidefinite_products_have_a_sign():
    step = step_with(sp.Ge(sp.Trace(P * V * S * V.T), 0, evaluate=False))
    assert fault_of(step, **KINDS) == ""
    for wrong in (sp.Trace(P * V * V.T * Q), sp.Trace(P * Q * P * C), sp.Trace(V * W), sp.Trace(P * Q) - sp.Trace(P)):
        assert "not proved" in fault_of(step_with(sp.Ge(wrong, 0, evaluate=False)), **KINDS)
