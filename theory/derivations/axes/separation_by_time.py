"""Page: separating factors by their correlation in time."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, tau
from theory.derivations.engine.operators import SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    F, X = sp.MatrixSymbol("F", K, D), sp.MatrixSymbol("X", K, D)
    O = sp.MatrixSymbol("O", K, K)  # noqa: E741
    Omega = sp.MatrixSymbol("Omega", K, K)
    S, L = sp.MatrixSymbol("S", D, D), sp.MatrixSymbol("L", D, D)
    w = sp.MatrixSymbol("w", K, 1)
    p, c, m, r1, r2 = sp.symbols("p c m r_1 r_2", real=True)
    a = sp.Symbol("a", positive=True)
    clean = S - tau**2 * sp.Identity(D)
    whitened = F * L * F.T
    middle = a * r1 - a * r2 + r2
    return Derivation(
        name="separation-by-time",
        title="Separating factors by their correlation in time",
        statement=(
            Claim(
                "A matrix $X$ whitens the covariance without the noise iff $O = X A$ is orthogonal.",
                by=("What a whitening is",),
            ),
            Claim(
                "Every whitening turns the lagged covariance into $O \\Omega O^T$ with $\\Omega$ the lag correlations "
                "of the factors.",
                by=("The lagged covariance, transformed",),
            ),
            Claim(
                "There is one for every orthogonal $O$: $F = O (A^T A)^{-1} A^T$.",
                by=("Whitening without the noise", "The lagged covariance, whitened"),
            ),
            Claim(
                "The columns of $O$ are eigenvectors of the whitened lagged covariance, with the lag correlations as "
                "eigenvalues.",
                by=("The columns are eigenvectors",),
            ),
            Claim(
                "No other directions are: if a vector $O w$ has an eigenvalue $m$, the numbers $(r_j - m) w_j$ are all "
                "zero, which for distinct $r_j$ allows only one $w_j$ other than zero. So the eigenvectors of unit "
                "length are the columns of $O$, up to their order and signs.",
                by=("The length of a residual", "Two parts of an eigenvector"),
            ),
            Claim("They undo the mixing, $O^T F A = I$, for every loading.", by=("Demixing",)),
        ),
        assumptions=(
            "Factors of variance 1, uncorrelated at lag 0 and at the lag, with distinct lag correlations $r_j$ in the "
            "diagonal matrix $\\Omega$; noise of variance $\\tau^2$, white in time; the loading $A$ has full column "
            "rank.",
        ),
        scope="Every $K \\le D$.",
        matrices={O: "orthogonal", Omega: "symmetric", A: "independent"},
        where=(sp.Le(K, D),),
        steps=(
            Step(
                "Variance of a factor",
                sp.Eq(p**2 * c + 1 - p**2, 1 + p**2 * (c - 1), evaluate=False),
                "One step $s_i = p s_{i-1} + \\sqrt{1 - p^2} e_i$ of a factor, where $e_i$ is new at each time $i$ "
                "and has variance 1, changes the variance from $c$ to this: a variance of 1 is stationary.",
            ),
            Step(
                "What a whitening is",
                sp.Eq(X * clean * X.T, X * A * (X * A).T, evaluate=False),
                "For any $X$. The left side is the identity iff the right side is. As $X A$ is square, it is then "
                "orthogonal.",
                let=(
                    Let(S, A * A.T + tau**2 * sp.Identity(D), "the covariance of the data"),
                    Let(L, A * Omega * A.T, "the covariance at the lag: the noise drops out"),
                ),
            ),
            Step(
                "The lagged covariance, transformed",
                sp.Eq(X * L * X.T, X * A * Omega * (X * A).T, evaluate=False),
                "Any matrix turns it into this.",
            ),
            Step(
                "Whitening without the noise",
                sp.Eq(F * clean * F.T, sp.Identity(K), evaluate=False),
                "Here $F A = O$. The leading eigenvectors of $S$ give one such $F$.",
                let=(
                    Let(
                        F,
                        O * (A.T * A).I * A.T,
                        "the whitening, with $O$ any orthogonal matrix",
                        rule=(F * A, O),
                    ),
                ),
            ),
            Step(
                "The lagged covariance, whitened",
                sp.Eq(whitened, O * Omega * O.T, evaluate=False),
                "An eigendecomposition.",
            ),
            Step(
                "The columns are eigenvectors",
                sp.Eq(whitened * O, O * Omega, evaluate=False),
                "Column $j$ of the right side is $r_j$ times column $j$ of $O$, as $\\Omega$ is diagonal.",
            ),
            Step(
                "The length of a residual",
                sp.Eq(SquaredNorm(whitened * O * w - m * O * w), SquaredNorm(Omega * w - m * w), evaluate=False),
                "Every vector is $O w$ for some $w$. Entry $j$ of $\\Omega w - m w$ is $(r_j - m) w_j$: $O w$ is an "
                "eigenvector iff all are zero.",
            ),
            Step(
                "Two parts of an eigenvector",
                sp.Gt((r1 - m) ** 2 * a + (r2 - m) ** 2 * (1 - a), 0, evaluate=False),
                "Two terms of the squared length, with $a$ and $1 - a$ for the shares of $w_1^2$ and $w_2^2$.",
                where=(sp.Ne(r1, r2), a < 1),
                least_at=(m, middle),
            ),
            Step(
                "Demixing",
                sp.Eq(O.T * F * A, sp.Identity(K), evaluate=False),
                "Nothing was assumed about the lengths and angles of the columns of $A$.",
            ),
        ),
        results=("The lagged covariance, whitened", "Demixing"),
        sources=(Source("tong1991", "the method; its conditions with noise are worked out here"),),
    )
