"""Page: the trace of a product of matrices, and the sum of the largest eigenvalues."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import D, K
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step
from theory.derivations.foundations.matrix_inequalities import use_trace


def derivation() -> Derivation:
    S = sp.MatrixSymbol("S", D, D)
    U, U_o = sp.MatrixSymbol("U", D, K), sp.MatrixSymbol("U_o", D, K)
    X, Y = sp.MatrixSymbol("X", K, K), sp.MatrixSymbol("Y", D, D)
    c = sp.Symbol("c", real=True)
    rest = sp.Identity(D) - U * U.T
    largest = sp.Trace(U.T * S * U)
    a1, a2, b1, b2 = sp.symbols("a_1 a_2 b_1 b_2", nonnegative=True)
    theta = sp.Symbol("theta", real=True)
    turn = sp.ImmutableMatrix([[sp.cos(theta), -sp.sin(theta)], [sp.sin(theta), sp.cos(theta)]])
    M, M_o = sp.MatrixSymbol("M", 2, 2), sp.MatrixSymbol("M_o", 2, 2)
    lost = (a1 - a2) * (b1 - b2) * sp.sin(theta) ** 2
    return Derivation(
        name="trace-inequality",
        title="The trace of a product, and the largest eigenvalues",
        statement=(
            Claim(
                "Positive semidefinite matrices $M$ and $M_o$ with eigenvalues $a_i$ and $b_i$, both in descending "
                "order, have $tr(M M_o) \\le \\sum_i a_i b_i$ (von Neumann).",
                cites="mirsky1975",
            ),
            Claim(
                "For two dimensions the difference is $(a_1 - a_2)(b_1 - b_2) \\sin^2\\theta$, with $\\theta$ the "
                "angle between the first eigenvectors.",
                by=("Two dimensions", "The trace of the turned matrix", "The squares of its eigenvalues"),
            ),
            Claim("It is not negative.", by=("Two dimensions: a bound",)),
            Claim(
                "If $M_o$ is a projection on $K$ dimensions, the greatest trace is the sum of the $K$ largest "
                "eigenvalues: $tr(U_o^T S U_o) \\le tr(U^T S U)$ for all $U_o$ with orthonormal columns, if the "
                "columns of $U$ are eigenvectors of the $K$ largest (Ky Fan).",
                by=("The matrix in its eigenvectors", "The largest eigenvalues"),
            ),
        ),
        assumptions=("$K \\le D$. The $K$ largest eigenvalues of $S$ are at least $c$, the others at most.",),
        scope="Two dimensions at every angle; the largest eigenvalues for every $K$ and $D$. The rest is cited.",
        matrices={U: "orthogonal", U_o: "orthogonal"},
        where=(sp.Le(K, D),),
        steps=(
            Step(
                "Two dimensions",
                sp.Eq(sp.Trace(M * M_o), a1 * b1 + a2 * b2 - lost, evaluate=False),
                "Multiply out.",
                let=(
                    Let(M, sp.ImmutableMatrix([[a1, 0], [0, a2]]), "a matrix in its own axes"),
                    Let(M_o, turn * sp.ImmutableMatrix([[b1, 0], [0, b2]]) * turn.T, "one that is turned by $\\theta$"),
                ),
                wrong_form=a1 * b1 + a2 * b2 + lost,
                sizes=({K: 2, D: 2},),
            ),
            Step(
                "The trace of the turned matrix",
                sp.Eq(sp.Trace(M_o), b1 + b2, evaluate=False),
                "The sum of its eigenvalues.",
                sizes=({K: 2, D: 2},),
            ),
            Step(
                "The squares of its eigenvalues",
                sp.Eq(sp.Trace(M_o * M_o), b1**2 + b2**2, evaluate=False),
                "With the same sum, it has the eigenvalues $b_1$ and $b_2$.",
                sizes=({K: 2, D: 2},),
            ),
            Step(
                "Two dimensions: a bound",
                sp.Ge(lost, 0, evaluate=False),
                "All factors are at least zero.",
                where=(sp.Ge(a1, a2), sp.Ge(b1, b2)),
            ),
            Step(
                "The matrix in its eigenvectors",
                sp.Eq(S * U, U * (c * sp.Identity(K) + X * X.T), evaluate=False),
                "$X X^T$ is what the $K$ largest eigenvalues exceed $c$ by, $Y Y^T$ what the others are below it. If "
                "the former is diagonal, the columns of $U$ are eigenvectors.",
                let=(
                    Let(
                        S,
                        c * sp.Identity(D) + U * X * X.T * U.T - rest * Y * Y.T * rest,
                        "a matrix that is at least $c$ along the columns of $U$ and at most $c$ across them",
                    ),
                ),
                wrong_form=U * (c * sp.Identity(K) - X * X.T),
            ),
            Step(
                "The largest eigenvalues",
                sp.Ge(largest, sp.Trace(U_o.T * S * U_o), evaluate=False),
                "The difference is the trace of $X X^T$ over what $U$ has and $U_o$ has not, plus that of $Y Y^T$ over "
                "what $U_o$ has and $U$ has not.",
                uses=(
                    use_trace(sp.Identity(K), X.T * U.T * (sp.Identity(D) - U_o * U_o.T), sp.Identity(D)),
                    use_trace(sp.Identity(D), Y.T * rest * U_o, sp.Identity(K)),
                ),
            ),
        ),
        results=("The largest eigenvalues",),
        sources=(Source("mirsky1975", "the inequality and an elementary proof"),),
        builds_on=("matrix-inequalities",),
    )
