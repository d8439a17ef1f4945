"""Page: the inequalities between matrices that the other pages use."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n
from theory.derivations.engine.operators import LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Step, Use

__all__ = ["derivation", "use_product", "use_tangent", "use_trace"]

NAME = "matrix-inequalities"
m = sp.Symbol("m", integer=True, positive=True)
A, B, P, Q = (sp.MatrixSymbol(name, n, n) for name in "ABPQ")
X, R = sp.MatrixSymbol("X", m, n), sp.MatrixSymbol("R", m, m)


def use_trace(left, middle, right, *, times=sp.S.One, strict=False) -> Use:
    """tr(left middle right middle^T) >= 0, or > 0 unless the middle is zero."""
    put = {m: left.rows, n: right.rows, R: left, X: middle, P: right}
    return Use(f"{NAME}: {'A trace is positive' if strict else 'A trace'}", put, times)


def use_tangent(matrix, place, *, times=sp.S.One, strict=False) -> Use:
    """log det(place) + tr(place^-1 matrix) - n - log det(matrix) >= 0, or > 0 unless they are equal."""
    step = "Elsewhere strictly below" if strict else "The log determinant lies below its tangents"
    return Use(f"{NAME}: {step}", {n: matrix.rows, A: matrix, B: place}, times)


def use_product(first, second, *, times=sp.S.One, strict=False) -> Use:
    """tr(first second) - n - log det(first) - log det(second) >= 0, or > 0 unless one is the inverse of the other."""
    step = "A product that is not the identity" if strict else "A product"
    return Use(f"{NAME}: {step}", {n: first.rows, P: first, Q: second}, times)


def derivation() -> Derivation:
    u = sp.MatrixSymbol("u", n, 1)
    tangent = LogDet(B) + sp.Trace(B.I * A) - n - LogDet(A)
    product = sp.Trace(P * Q) - n - LogDet(P) - LogDet(Q)
    norm = SquaredNorm(u, P)
    return Derivation(
        name=NAME,
        title="Inequalities between matrices",
        statement=(
            Claim("For positive definite $P$ and $R$ the trace of $R X P X^T$ is not negative.", by=("A trace",)),
            Claim("It is zero only if $X = 0$.", by=("A trace is positive",)),
            Claim(
                "The log determinant lies below its tangents, $\\log\\det A \\le \\log\\det B + tr(B^{-1} A) - n$.",
                by=("The log determinant lies below its tangents",),
            ),
            Claim("It touches the tangent only at $A = B$.", by=("Elsewhere strictly below",)),
            Claim(
                "For positive definite $P$ and $Q$ this is $tr(P Q) - n - \\log\\det P - \\log\\det Q \\ge 0$.",
                by=("A product",),
            ),
            Claim("Here equality holds only if $Q = P^{-1}$.", by=("A product that is not the identity",)),
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
        matrices=dict.fromkeys((A, B, P, Q, R), "positive") | {u: "orthogonal"},
        steps=(
            Step(
                "A trace",
                sp.Ge(sp.Trace(R * X * P * X.T), 0, evaluate=False),
                "With roots $P = M M^T$ and $R = N^T N$ it is the sum of the squares of the entries of $N X M$.",
            ),
            Step(
                "A trace is positive",
                sp.Gt(sp.Trace(R * X * P * X.T), 0, evaluate=False),
                "$N$ and $M$ are invertible, so that $N X M$ vanishes only with $X$.",
                where=(sp.Ne(X, sp.ZeroMatrix(m, n), evaluate=False),),
                least_at=(X, sp.ZeroMatrix(m, n)),
            ),
            Step(
                "The log determinant lies below its tangents",
                sp.Ge(tangent, 0, evaluate=False),
                "The second derivative in $A$, in the direction of a symmetric $X$, is $tr(A^{-1} X A^{-1} X)$.",
                least_at=(A, B),
            ),
            Step(
                "Elsewhere strictly below",
                sp.Gt(tangent, 0, evaluate=False),
                "This second derivative is positive unless $X = 0$.",
                where=(sp.Ne(A, B, evaluate=False),),
                least_at=(A, B),
            ),
            Step(
                "A product",
                sp.Ge(product, 0, evaluate=False),
                "The tangent at $B = P^{-1}$.",
                uses=(Use("The log determinant lies below its tangents", {A: Q, B: P.I}),),
            ),
            Step(
                "A product that is not the identity",
                sp.Gt(product, 0, evaluate=False),
                "As before, but strictly.",
                where=(sp.Ne(Q, P.I, evaluate=False),),
                uses=(Use("Elsewhere strictly below", {A: Q, B: P.I}),),
            ),
            Step(
                "A diagonal entry of an inverse",
                sp.Ge(SquaredNorm(u, P.I) - 1 / norm, 0, evaluate=False),
                "For a unit vector $u$, which selects the entry: the square of $P^{-1} u - u/(u^T P u)$ in the metric "
                "$P$.",
                uses=(Use("A trace", {m: sp.Integer(1), R: sp.Identity(1), X: (P.I * u - u / norm).T}),),
            ),
        ),
        results=("A product",),
    )
