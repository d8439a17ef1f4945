"""Matrix expressions at explicit matrices are exact."""

import pytest
import sympy as sp

from theory.derivations.engine.evaluation import evaluate
from theory.derivations.engine.notation import K, P, Q
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm

VALUES = {K: sp.Integer(2), P: sp.ImmutableMatrix([[2, 1], [1, 3]]), Q: sp.ImmutableMatrix([[1, 0], [4, 1]])}
z = sp.MatrixSymbol("z", K, 1)


def test_matrix_expressions():
    assert evaluate(P * Q.T + sp.Identity(K), VALUES) == sp.ImmutableMatrix([[3, 9], [1, 8]])
    assert evaluate(P.I * P, VALUES) == sp.eye(2)
    assert evaluate(sp.HadamardProduct(P, Q), VALUES) == sp.ImmutableMatrix([[2, 0], [4, 3]])


def test_scalars_of_matrices():
    assert evaluate(sp.Trace(P * Q), VALUES) == 9
    assert evaluate(LogDet(P), VALUES) == sp.log(5)
    assert evaluate(K * sp.Determinant(P), VALUES) == 10
    assert evaluate(P[0, 1], VALUES) == 1


def test_expectations_are_averages_over_the_samples():
    samples = {z: [sp.ImmutableMatrix([sign, 2 * sign]) for sign in (1, -1)]}
    assert evaluate(Expectation(SquaredNorm(z, P)), VALUES, samples) == 18
    assert evaluate(Expectation(sp.Trace(z * sp.ones(1, 2))), VALUES, samples) == 0


def test_rational_matrices_take_the_way_over_their_field():
    matrix = sp.ImmutableMatrix([[2, sp.Rational(1, 3)], [5, 7]])
    symbolic = matrix + sp.ImmutableMatrix([[sp.Symbol("x"), 0], [0, 0]])
    values = {P: matrix}
    assert evaluate(P.I, values) * matrix == sp.eye(2)
    assert evaluate(sp.Determinant(P), values) == matrix.det()
    assert sp.simplify(evaluate(sp.Determinant(P), {P: symbolic}) - symbolic.det()) == 0
    with pytest.raises(ZeroDivisionError):
        evaluate(P.I, {P: sp.ImmutableMatrix([[1, 2], [2, 4]])})
