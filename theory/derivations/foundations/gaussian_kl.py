"""Page: the KL divergence between two Gaussians."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Step


def derivation() -> Derivation:
    a, b = sp.MatrixSymbol("a", n, 1), sp.MatrixSymbol("b", n, 1)
    A, B = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("B", n, n)
    e, z = sp.MatrixSymbol("e", n, 1), sp.MatrixSymbol("z", n, 1)
    x, y, m = sp.symbols("x y m", real=True)
    u, v = sp.symbols("u v", positive=True)  # standard deviations

    def log_density(mean, deviation):
        return -((x - mean) ** 2) / (2 * deviation**2) - sp.log(deviation) - sp.log(2 * sp.pi) / 2

    density = sp.exp(-((y - m) ** 2) / (2 * u**2)) / (u * sp.sqrt(2 * sp.pi))
    surprise = sp.Function("h")(x)
    square = SquaredNorm(a - b, B.I)
    return Derivation(
        name="gaussian-kl",
        title="The KL divergence between two Gaussians",
        statement=(
            Claim(
                "For $q = N(a, A)$ and $p = N(b, B)$ in $n$ dimensions, $KL(q||p)$ is an expectation of "
                "squares and log determinants.",
                by=("The divergence",),
            ),
            Claim(
                "It depends only on the means and the covariances.",
                by=("The divergence",),
            ),
        ),
        assumptions=("$A$ and $B$ are positive definite.",),
        scope="For every $n$; the first step, an integral over the densities themselves, is the case $n = 1$.",
        matrices={A: "positive", B: "positive"},
        moments={e: A},
        steps=(
            Step(
                "One dimension, as an integral",
                sp.Eq(
                    sp.Integral(density * surprise.func(y), (y, -sp.oo, sp.oo)),
                    (u**2 / v**2 + m**2 / v**2 - 1) / 2 + sp.log(v) - sp.log(u),
                    evaluate=False,
                ),
                "Here $q = N(m, u^2)$, $p = N(0, v^2)$ and $h$ is the log ratio of their densities; the integral is "
                "over the densities themselves.",
                let=(Let(surprise, log_density(m, u) - log_density(0, v), "the log ratio of the two densities"),),
            ),
            Step(
                "The square under p",
                sp.Eq(
                    Expectation(SquaredNorm(z - b, B.I)),
                    sp.Trace(B.I * A) + square,
                    evaluate=False,
                ),
                "The square is $v^T B^{-1} v$ with $v = z - b$; the cross term of $e$ and $a - b$ vanishes, and "
                "$e^T B^{-1} e$ has expectation $tr(B^{-1} A)$.",
                let=(Let(z, a + e, "a draw of $q$, with $e$ of mean zero and covariance $A$"),),
                wrong_form=sp.Trace(B.I * A) - square,
            ),
            Step(
                "The square under q",
                sp.Eq(Expectation(SquaredNorm(z - a, A.I)), n, evaluate=False),
                "The same with $B = A$ and $b = a$: each direction contributes one.",
            ),
            Step(
                "The divergence",
                sp.Eq(
                    Expectation((SquaredNorm(z - b, B.I) + LogDet(B)) / 2 - (SquaredNorm(z - a, A.I) + LogDet(A)) / 2),
                    (sp.Trace(B.I * A) + square - n + LogDet(B) - LogDet(A)) / 2,
                    evaluate=False,
                ),
                "The log density of $N(b, B)$ is $-(n \\log 2\\pi + \\log\\det B + (z-b)^T B^{-1} (z-b))/2$, and the "
                "constants of $q$ and $p$ cancel.",
                wrong_form=(sp.Trace(B.I * A) + square - n + LogDet(A) - LogDet(B)) / 2,
            ),
        ),
        results=("The divergence",),
    )
