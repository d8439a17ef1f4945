"""Page: the inequalities between matrices that the other pages use."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n
from theory.derivations.engine.operators import LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Step, Use

__all__ = ["derivation", "use_product", "use_tangent", "use_trace"]

NAME = "matrix-inequalities"
m = sp.Symbol("m", integer=True, positive=True)
M, M_o = sp.MatrixSymbol("M", n, n), sp.MatrixSymbol("M_o", n, n)
X, H = sp.MatrixSymbol("X", m, n), sp.MatrixSymbol("H", m, m)


def use_trace(left, middle, right, *, times=sp.S.One, strict=False) -> Use:
    """tr(left middle right middle^T) >= 0, or > 0 unless the middle is zero."""
    put = {m: left.rows, n: right.rows, H: left, X: middle, M: right}
    return Use(f"{NAME}: {'A trace is positive' if strict else 'A trace'}", put, times)


def use_tangent(matrix, place, *, times=sp.S.One, strict=False) -> Use:
    """log det(place) + tr(place^-1 matrix) - n - log det(matrix) >= 0, or > 0 unless they are equal."""
    step = "Elsewhere strictly below" if strict else "The log determinant lies below its tangents"
    return Use(f"{NAME}: {step}", {n: matrix.rows, M: matrix, M_o: place}, times)


def use_product(first, second, *, times=sp.S.One, strict=False) -> Use:
    """tr(first second) - n - log det(first) - log det(second) >= 0, or > 0 unless one is the inverse of the other."""
    step = "A product that is not the identity" if strict else "A product"
    return Use(f"{NAME}: {step}", {n: first.rows, M: first, M_o: second}, times)


def derivation() -> Derivation:
    u = sp.MatrixSymbol("u", n, 1)
    tangent = LogDet(M_o) + sp.Trace(M_o.I * M) - n - LogDet(M)
    product = sp.Trace(M * M_o) - n - LogDet(M) - LogDet(M_o)
    norm = SquaredNorm(u, M)
    return Derivation(
        name=NAME,
        title="Inequalities between matrices",
        statement=(
            Claim("For positive definite $M$ and $H$ the trace of $H X M X^T$ is not negative.", by=("A trace",)),
            Claim("It is zero only if $X = 0$.", by=("A trace is positive",)),
            Claim(
                "The log determinant lies below its tangents, $\\log\\det M \\le \\log\\det M_o + tr(M_o^{-1} M) - n$.",
                by=("The log determinant lies below its tangents",),
            ),
            Claim("It touches the tangent only at $M = M_o$.", by=("Elsewhere strictly below",)),
            Claim(
                "For positive definite $M$ and $M_o$ also $tr(M M_o) - n - \\log\\det M - \\log\\det M_o \\ge 0$.",
                by=("A product",),
            ),
            Claim("Here equality holds only if $M_o = M^{-1}$.", by=("A product that is not the identity",)),
            Claim(
                "A diagonal entry of an inverse is at least one over that of the matrix.",
                by=("A diagonal entry of an inverse",),
            ),
        ),
        assumptions=("The matrices are positive definite, of any size.",),
        scope=(
            "For every size, without eigenvalues: a function of a matrix is convex if its second derivative in every "
            "direction $X$ is a sum of traces as in the first step."
        ),
        matrices=dict.fromkeys((M, M_o, H), "positive") | {u: "orthogonal"},
        steps=(
            Step(
                "A trace",
                sp.Ge(sp.Trace(H * X * M * X.T), 0, evaluate=False),
                "With roots $M = Y Y^T$ and $H = Z^T Z$ it is the sum of the squares of the entries of $Z X Y$.",
            ),
            Step(
                "A trace is positive",
                sp.Gt(sp.Trace(H * X * M * X.T), 0, evaluate=False),
                "$Z$ and $Y$ are invertible, so that $Z X Y$ vanishes only with $X$.",
                where=(sp.Ne(X, sp.ZeroMatrix(m, n), evaluate=False),),
                least_at=(X, sp.ZeroMatrix(m, n)),
            ),
            Step(
                "The log determinant lies below its tangents",
                sp.Ge(tangent, 0, evaluate=False),
                "The second derivative in $M$, in the direction of a symmetric $X$, is $tr(M^{-1} X M^{-1} X)$.",
                least_at=(M, M_o),
            ),
            Step(
                "Elsewhere strictly below",
                sp.Gt(tangent, 0, evaluate=False),
                "This second derivative is positive unless $X = 0$.",
                where=(sp.Ne(M, M_o, evaluate=False),),
                least_at=(M, M_o),
            ),
            Step(
                "A product",
                sp.Ge(product, 0, evaluate=False),
                "The log determinant of $M_o$ lies below its tangent at $M^{-1}$.",
                uses=(Use("The log determinant lies below its tangents", {M: M_o, M_o: M.I}),),
            ),
            Step(
                "A product that is not the identity",
                sp.Gt(product, 0, evaluate=False),
                "As before, but strictly.",
                where=(sp.Ne(M_o, M.I, evaluate=False),),
                uses=(Use("Elsewhere strictly below", {M: M_o, M_o: M.I}),),
            ),
            Step(
                "A diagonal entry of an inverse",
                sp.Ge(SquaredNorm(u, M.I) - 1 / norm, 0, evaluate=False),
                "For a unit vector $u$, which selects the entry: the square of $M^{-1} u - u/(u^T M u)$ in the metric "
                "$M$.",
                uses=(Use("A trace", {m: sp.Integer(1), H: sp.Identity(1), X: (M.I * u - u / norm).T}),),
            ),
        ),
        results=("A product",),
    )
