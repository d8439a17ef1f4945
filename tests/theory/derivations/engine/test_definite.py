"""Which matrices are evidently positive definite, symmetric or invertible, and which are not."""

import pytest
import sympy as sp

from theory.derivations.engine.definite import is_invertible, is_positive_definite, is_semidefinite, is_symmetric
from theory.derivations.engine.notation import D, K, P, Q, W, t
from theory.derivations.engine.signs import Signs

M, T, G = (sp.MatrixSymbol(name, K, K) for name in "MTG")
U = sp.MatrixSymbol("U", D, K)
r = sp.Symbol("r", real=True)
IDENTITY = sp.Identity(K)
KINDS = {P: "positive", Q: "positive", T: "invertible", G: "symmetric", U: "independent"}
MASK = sp.ImmutableMatrix([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
C = sp.MatrixSymbol("C", 3, 3)


@pytest.mark.parametrize(
    ("matrix", "definite", "semidefinite"),
    [
        (P, True, True),
        (G, False, False),
        (IDENTITY + W.T * W / t, True, True),
        (IDENTITY - W.T * W / t, False, False),
        (IDENTITY + r * W.T * W, False, False),
        (IDENTITY + r**2 * W.T * W, True, True),
        (r**2 * P, False, True),
        (W.T * W, False, True),
        (U.T * U, True, True),
        (U * U.T, False, True),
        (W * P * W.T, False, True),
        (T * P * T.T, True, True),
        (M * P * M.T, False, True),
        (P * Q, False, False),
        (P - Q, False, False),
        ((P + W.T * W).I, True, True),
        ((t * IDENTITY + (W + U).T * (W + U)), True, True),
        (sp.HadamardProduct(P, IDENTITY), True, True),
        (sp.HadamardProduct(P, G), False, False),
        (sp.HadamardProduct(P, W.T * W), False, False),
    ],
    ids=str,
)
def test_definite(matrix, definite, semidefinite):
    assert is_positive_definite(matrix, KINDS, Signs()) == definite
    assert is_semidefinite(matrix, KINDS, Signs()) == semidefinite


def test_masks():
    kinds = {C: "positive"}
    assert is_positive_definite(sp.HadamardProduct(C, MASK), kinds, Signs())
    assert not is_positive_definite(sp.HadamardProduct(C, sp.ImmutableMatrix.zeros(3, 3)), kinds, Signs())
    assert not is_positive_definite(sp.HadamardProduct(C, sp.ImmutableMatrix(3, 3, range(9))), kinds, Signs())


def test_invertible():
    for matrix, expected in (
        (T, True),
        (M, False),
        (G, False),
        (T.T * P, True),
        (r * T, False),
        (P + Q, True),
        (U, False),
    ):
        assert is_invertible(matrix, KINDS, Signs()) == expected, matrix


def test_symmetric():
    for matrix, expected in ((G, True), (M, False), (M + M.T, False), (M * G * M.T, True), (G * P, False), (G.I, True)):
        assert is_symmetric(matrix, KINDS) == expected, matrix
