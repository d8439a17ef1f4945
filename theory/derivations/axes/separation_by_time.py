"""Page: separating factors by their correlation in time."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import A, D, K, tau
from theory.derivations.engine.page import Claim, Derivation, Let, Source, Step


def derivation() -> Derivation:
    B = sp.MatrixSymbol("B", K, D)
    O = sp.MatrixSymbol("O", K, K)  # noqa: E741
    R = sp.MatrixSymbol("R", K, K)
    S, L = sp.MatrixSymbol("S", D, D), sp.MatrixSymbol("L", D, D)
    p, c = sp.symbols("p c", real=True)
    return Derivation(
        name="separation-by-time",
        title="Separating factors by their correlation in time",
        statement=(
            Claim(
                "The whitening $B = O (A^T A)^{-1} A^T$ of the covariance without the noise, with $O$ "
                "orthogonal, turns the lagged covariance into $O R O^T$ with $R$ the lag correlations of "
                "the factors.",
                by=(
                    "Whitening without the noise",
                    "The lagged covariance, whitened",
                ),
            ),
            Claim(
                "Every whitening $B$ of the covariance without the noise does so, with $O = B A$.",
                by=("Whitening without the noise",),
                argued=True,
            ),
            Claim(
                "The eigenvectors of the whitened lagged covariance are the columns of $O$, up to their "
                "order and signs.",
                by=("The lagged covariance, whitened",),
                argued=True,
            ),
            Claim(
                "They undo the mixing, $O^T B A = I$, for every loading.",
                by=("Demixing",),
            ),
        ),
        assumptions=(
            "Factors of variance 1, uncorrelated at lag 0 and at the lag, with distinct lag correlations in the "
            "diagonal matrix $R$; noise white in time; $A$ has full column rank.",
        ),
        scope="Every $K \\le D$. That eigenvectors of distinct eigenvalues are unique up to sign is cited.",
        matrices={O: "orthogonal", R: "symmetric", A: "independent"},
        where=(sp.Le(K, D),),
        steps=(
            Step(
                "Variance of a factor",
                sp.Eq(p**2 * c + 1 - p**2, 1 + p**2 * (c - 1), evaluate=False),
                "One step of $s_t = p s_{t-1} + \\sqrt{1 - p^2} e_t$ changes the variance from $c$ to this: a variance "
                "of 1 is stationary.",
            ),
            Step(
                "Whitening without the noise",
                sp.Eq(B * (S - tau**2 * sp.Identity(D)) * B.T, sp.Identity(K), evaluate=False),
                "Any $B$ for which $B A$ is orthogonal does this; the leading eigenvectors of $S$ give one.",
                let=(
                    Let(
                        B,
                        O * (A.T * A).I * A.T,
                        "the whitening, with $O$ any orthogonal matrix",
                        rule=(B * A, O),
                    ),
                    Let(S, A * A.T + tau**2 * sp.Identity(D), "the covariance of the data"),
                    Let(L, A * R * A.T, "the covariance at the lag: the noise drops out"),
                ),
            ),
            Step(
                "The lagged covariance, whitened",
                sp.Eq(B * L * B.T, O * R * O.T, evaluate=False),
                "An eigendecomposition: $O$ is determined up to the order and the signs of its columns if the entries "
                "of $R$ differ.",
            ),
            Step(
                "Demixing",
                sp.Eq(O.T * B * A, sp.Identity(K), evaluate=False),
                "Nothing was assumed about the lengths and angles of the columns of $A$.",
            ),
        ),
        results=("The lagged covariance, whitened", "Demixing"),
        sources=(Source("tong1991", "the method; its conditions with noise are worked out here"),),
    )
