"""Matrix expressions of any size have one canonical form."""

import pytest
import sympy as sp

from tests.theory.derivations.engine.pages import equation, fault_of
from theory.derivations.engine.matrix_algebra import Algebra
from theory.derivations.engine.notation import C, D, K, P, Q, V, W, t
from theory.derivations.engine.operators import Expectation, LogDet
from theory.derivations.engine.page import Derivation, Let
from theory.derivations.engine.signs import Signs

R = sp.MatrixSymbol("R", K, K)
M = sp.MatrixSymbol("M", K, K)
IDENTITY = sp.Identity(K)
z = sp.MatrixSymbol("z", K, 1)


def algebra_of(lets=(), **fields):
    return Algebra.of(Derivation("test", "Test", (), (), "scope", (), (), (), **fields), tuple(lets), Signs())


def test_traces_are_cyclic_and_do_not_change_under_transposition():
    algebra = algebra_of()
    forms = {algebra.scalar(sp.Trace(product)) for product in (W * V, V * W, V.T * W.T)}
    assert len(forms) == 1
    assert algebra.scalar(sp.Trace(Q * P)) != algebra.scalar(sp.Trace(Q.T * P))


def test_inverses_and_orthogonal_matrices_cancel():
    algebra = algebra_of(matrices={R: "orthogonal", Q: "positive"})
    assert algebra.scalar(sp.Trace(R.T * R)) == K
    assert algebra.matrix(R.T * Q * Q.I * R) == algebra.matrix(sp.Identity(K))
    assert algebra.scalar(LogDet(R * Q * R.T)) == algebra.scalar(LogDet(Q))


def test_a_rule_and_its_transpose_rewrite_products():
    algebra = algebra_of([Let(P, W.T * W, "p", rule=(V * W, P))])
    assert algebra.matrix(V * W * Q) == algebra.matrix(P * Q)
    assert algebra.matrix(W.T * V.T) == algebra.matrix(P.T)


def test_expectations_take_second_moments():
    algebra = algebra_of(matrices={Q: "positive"}, moments={z: Q})
    assert algebra.scalar(Expectation(sp.Trace(P * z * z.T))) == algebra.scalar(sp.Trace(P * Q))
    assert algebra.scalar(Expectation(sp.Trace(W * z * sp.MatrixSymbol("a", 1, D)))) == 0


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (sp.Trace((P + Q).I), "abbreviate the sum by a Let with a rule"),
        (sp.Trace(sp.HadamardProduct(P, Q)), "HadamardProduct cannot be written as a sum of words"),
        (Expectation(sp.Trace(z * z.T) ** 2), "needs more than second moments"),
    ],
)
def test_what_has_no_canonical_form_is_refused(expression, message):
    with pytest.raises(NotImplementedError, match=message):
        algebra_of(moments={z: Q}).scalar(expression)


def test_blocks_under_any_partition():
    B = sp.MatrixSymbol("B", K, K)
    kinds = {"matrices": {P: "positive", Q: "positive", C: "symmetric", B: "partition"}}
    kept, single = sp.HadamardProduct(P, B), sp.HadamardProduct(P, IDENTITY)

    def of(matrix, mask=B):
        return sp.HadamardProduct(matrix, mask)

    true = [
        (sp.Trace(kept.I * P), K),
        (sp.Trace(kept), sp.Trace(P)),
        (sp.Trace(of(Q) * P), sp.Trace(Q * kept)),
        (sp.Trace(of(Q) * P * of(Q)), sp.Trace(of(Q) * kept * of(Q))),
        (of(kept * Q * kept), kept * of(Q) * kept),
        (of(kept), kept),
        (of(kept, IDENTITY), single),
        (of(single), single),
        (of(P + C * Q), kept + of(C * Q)),
        (of(IDENTITY), IDENTITY),
        (of(M), of(M.T).T),
        (LogDet(kept * of(Q)), LogDet(kept) + LogDet(of(Q))),
    ]
    for left, right in true:
        assert fault_of(equation(left, right, wrong_form=2 * right), **kinds) == "", (left, right)
    false = [
        (sp.Trace(P.I * kept), K),
        (of(P * Q), kept * of(Q)),
        (of(P.I), kept.I),
        (kept * Q, Q * kept),
        (sp.Trace(kept * Q * Q), sp.Trace(kept * of(Q) * of(Q))),
        (kept, single),
        (LogDet(kept), LogDet(P)),
        (of(M), of(M.T)),
    ]
    for left, right in false:
        assert "not proved" in fault_of(equation(left, right, wrong_form=2 * right), **kinds), (left, right)


def test_log_determinants_of_both_orders():
    kinds = {"matrices": dict.fromkeys((P, Q), "positive")}
    eye = sp.Identity(D)
    assert fault_of(equation(LogDet(W * W.T + t * eye), D * sp.log(t) + LogDet(IDENTITY + W.T * W / t)), **kinds) == ""
    assert (
        fault_of(equation(LogDet(eye + W * P * W.T), LogDet(IDENTITY + P * W.T * W)), **kinds).count("not proved") == 0
    )
    for wrong in (
        K * sp.log(t) + LogDet(IDENTITY + W.T * W / t),
        D * sp.log(t) + LogDet(t * IDENTITY + W.T * W),
        D * sp.log(t) + LogDet(IDENTITY + W.T * W),
    ):
        assert "not proved" in fault_of(equation(LogDet(W * W.T + t * eye), wrong), **kinds)


def test_derivatives_in_a_number_at_all_sizes():
    e = sp.Symbol("e", real=True)
    H = sp.MatrixSymbol("H", K, K)
    kinds = {"matrices": {P: "positive", Q: "positive", H: "symmetric"}}

    def slope(function):
        return sp.Subs(sp.Derivative(function, e), e, 0)

    true = [
        (slope(LogDet(P + e * H)), sp.Trace(P.I * H)),
        (slope(sp.Trace(Q * (P + e * H).I)), -sp.Trace(Q * P.I * H * P.I)),
        (slope(sp.Trace(Q * (P + e * H) * (P + e * H))), 2 * sp.Trace(Q * P * H)),
        (slope(t * e * sp.Trace(P) + sp.log(1 + e)), t * sp.Trace(P) + 1),
    ]
    for left, right in true:
        assert fault_of(equation(left, right), **kinds) == "", left
    for left, right in true[:2]:
        assert "not proved" in fault_of(equation(left, -right), **kinds)
