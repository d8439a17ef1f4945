"""Matrix expressions of any size have one canonical form."""

import pytest
import sympy as sp

from theory.derivations.engine.matrix_algebra import Algebra
from theory.derivations.engine.notation import D, K, P, Q, V, W
from theory.derivations.engine.operators import Expectation, LogDet
from theory.derivations.engine.page import Derivation, Let
from theory.derivations.engine.signs import Signs

R = sp.MatrixSymbol("R", K, K)
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
