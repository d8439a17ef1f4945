"""Which matrix expressions are positive definite, or invertible, as they are written.

A sum is positive definite if all its terms are positive semidefinite and one is definite. A product is, if it reads the
same from both ends: X^T X, or X P X^T with P positive semidefinite; it is definite where X cannot lose rank.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.derivations.engine.signs import Sign, Signs

__all__ = ["is_invertible", "is_positive_definite", "is_semidefinite", "is_symmetric"]

Kinds = Mapping[sp.MatrixSymbol, str]
OF_FULL_RANK = ("positive", "orthogonal", "independent", "invertible")  # if the matrix is square


def is_positive_definite(matrix: sp.MatrixExpr, kinds: Kinds, signs: Signs) -> bool:
    """Whether a matrix expression is evidently positive definite."""
    match matrix:
        case sp.MatrixSymbol():
            return kinds.get(matrix) == "positive"
        case sp.Identity():
            return True
        case sp.Transpose() | sp.Inverse():
            return is_positive_definite(matrix.arg, kinds, signs)
        case sp.MatAdd():
            return all(is_semidefinite(term, kinds, signs) for term in matrix.args) and any(
                is_positive_definite(term, kinds, signs) for term in matrix.args
            )
        case sp.HadamardProduct():  # Schur and Oppenheim: the diagonals of the other factors must be positive
            definite = [is_positive_definite(part, kinds, signs) for part in matrix.args]
            return any(definite) and all(
                known
                or kinds.get(part) == "partition"
                or (_is_explicit_semidefinite(part) and all(part[i, i] > 0 for i in range(part.rows)))
                for known, part in zip(definite, matrix.args, strict=True)
            )
        case sp.MatMul():
            coefficient, outer, centre = _palindrome(matrix)
            return (
                outer is not None
                and signs.of(coefficient) is Sign.POSITIVE
                and all(_keeps_rank(factor, kinds) for factor in outer)
                and (centre is None or is_positive_definite(centre, kinds, signs))
            )
    return False


def is_semidefinite(matrix: sp.MatrixExpr, kinds: Kinds, signs: Signs) -> bool:
    """Whether a matrix expression is evidently positive semidefinite."""
    if isinstance(matrix, sp.MatMul):
        coefficient, outer, centre = _palindrome(matrix)
        return (
            outer is not None
            and signs.of(coefficient).is_nonnegative
            and (centre is None or is_semidefinite(centre, kinds, signs))
        )
    if isinstance(matrix, sp.MatPow) and matrix.exp.is_even:
        return is_symmetric(matrix.base, kinds)
    if isinstance(matrix, sp.MatAdd):
        return all(is_semidefinite(term, kinds, signs) for term in matrix.args)
    if _is_explicit_semidefinite(matrix):
        return True
    return isinstance(matrix, sp.ZeroMatrix) or is_positive_definite(matrix, kinds, signs)


def is_symmetric(matrix: sp.MatrixExpr, kinds: Kinds) -> bool:
    """Whether a matrix expression is evidently symmetric."""
    match matrix:
        case sp.MatrixSymbol():
            return kinds.get(matrix) in ("symmetric", "positive", "partition")
        case sp.Transpose() | sp.Inverse():
            return is_symmetric(matrix.arg, kinds)
        case sp.HadamardProduct() if any(isinstance(part, sp.Identity) for part in matrix.args):
            return True  # diagonal
        case sp.MatAdd() | sp.HadamardProduct():
            return all(is_symmetric(part, kinds) for part in matrix.args)
        case sp.MatMul():
            _, outer, centre = _palindrome(matrix)
            return outer is not None and (centre is None or is_symmetric(centre, kinds))
        case sp.MatrixBase():
            return matrix == matrix.T
    return isinstance(matrix, sp.Identity | sp.ZeroMatrix)


def is_invertible(matrix: sp.MatrixExpr, kinds: Kinds, signs: Signs) -> bool:
    """Whether a matrix expression evidently has an inverse: it is definite, or a product of such letters."""
    if isinstance(matrix, sp.MatMul):
        coefficient, factors = matrix.as_coeff_matrices()
        if signs.of(coefficient).is_nonzero and all(is_invertible(factor, kinds, signs) for factor in factors):
            return True
    if isinstance(matrix, sp.Transpose | sp.Inverse):
        return is_invertible(matrix.arg, kinds, signs)
    if isinstance(matrix, sp.MatrixSymbol) and matrix.rows == matrix.cols:
        return kinds.get(matrix) in OF_FULL_RANK
    return is_positive_definite(matrix, kinds, signs)


def _is_explicit_semidefinite(matrix: sp.MatrixExpr) -> bool:
    """Whether a matrix is one of numbers, and positive semidefinite."""
    explicit = isinstance(matrix, sp.ImmutableDenseMatrix) and not matrix.free_symbols
    return explicit and matrix == matrix.T and bool(matrix.is_positive_semidefinite)


def _palindrome(product: sp.MatMul):
    """The coefficient, the first half of the factors and the factor between, if the second half mirrors the first."""
    coefficient, factors = product.as_coeff_matrices()
    half = len(factors) // 2
    first, last = factors[:half], factors[len(factors) - half :]
    if [factor.T.doit() for factor in reversed(first)] != [factor.doit() for factor in last]:
        return coefficient, None, None
    return coefficient, first, factors[half] if len(factors) % 2 else None


def _keeps_rank(factor: sp.MatrixExpr, kinds: Kinds) -> bool:
    """Whether X^T X (with X^T the factor) is definite: a letter with an inverse, or with independent columns."""
    letter = factor
    while isinstance(letter, sp.Transpose | sp.Inverse):
        letter = letter.arg
    if not isinstance(letter, sp.MatrixSymbol):
        return False
    if letter.rows == letter.cols:
        return kinds.get(letter) in OF_FULL_RANK
    return kinds.get(letter) in ("independent", "orthogonal") and isinstance(factor, sp.Transpose)
