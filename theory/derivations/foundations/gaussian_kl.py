"""Page: the KL divergence between two Gaussians."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Step, Use
from theory.derivations.foundations.matrix_inequalities import use_tangent, use_trace


def derivation() -> Derivation:
    a, b = sp.MatrixSymbol("a", n, 1), sp.MatrixSymbol("b", n, 1)
    A, B = sp.MatrixSymbol("A", n, n), sp.MatrixSymbol("B", n, n)
    e, z = sp.MatrixSymbol("e", n, 1), sp.MatrixSymbol("z", n, 1)
    log_q, log_p = sp.symbols("l_q l_p", real=True)
    x, y, m = sp.symbols("x y m", real=True)
    u, v = sp.symbols("u v", positive=True)  # standard deviations
    log_ratio = sp.Function("h")(x)

    def log_density(mean, covariance):
        return -(n * sp.log(2 * sp.pi) + LogDet(covariance) + SquaredNorm(z - mean, covariance.I)) / 2

    def log_density_of_one(mean, deviation):
        return -((x - mean) ** 2) / (2 * deviation**2) - sp.log(deviation) - sp.log(2 * sp.pi) / 2

    density = sp.exp(-((y - m) ** 2) / (2 * u**2)) / (u * sp.sqrt(2 * sp.pi))
    distance = SquaredNorm(a - b, B.I)
    average = Expectation(log_q - log_p)
    of_means = (B.I, a - b, sp.Identity(1))
    half = sp.Rational(1, 2)
    return Derivation(
        name="gaussian-kl",
        title="The KL divergence between two Gaussians",
        statement=(
            Claim(
                "For $q = N(a, A)$ and $p = N(b, B)$ in $n$ dimensions the divergence $KL(q||p)$, the expectation of "
                "$\\log q(z) - \\log p(z)$ under $q$, is half the difference of two expected squares plus half that of "
                "two log determinants.",
                by=("Squares and log determinants",),
            ),
            Claim(
                "It depends only on the means and the covariances: $KL(q||p) = [tr(B^{-1} A) + (a - b)^T B^{-1} "
                "(a - b) - n + \\log\\det B - \\log\\det A]/2$.",
                by=("The divergence",),
            ),
            Claim("It is not negative.", by=("The divergence is not negative",)),
            Claim(
                "It is zero only if the covariances agree, and the means.",
                by=("Different covariances", "Different means"),
            ),
            Claim(
                "In one dimension, with means $m$ and 0 and standard deviations $u$ and $v$, it is $\\log(v/u) + "
                "(u^2 + m^2)/(2 v^2) - 1/2$.",
                by=("One dimension, as an integral",),
            ),
        ),
        assumptions=("$A$ and $B$ are positive definite; the means $a$ and $b$ are any vectors.",),
        scope="For every $n$. The last step, an integral over the densities themselves, is the case $n = 1$.",
        matrices={A: "positive", B: "positive"},
        moments={e: A},
        steps=(
            Step(
                "Squares and log determinants",
                sp.Eq(
                    average,
                    (Expectation(SquaredNorm(z - b, B.I)) - Expectation(SquaredNorm(z - a, A.I))) / 2
                    + (LogDet(B) - LogDet(A)) / 2,
                    evaluate=False,
                ),
                "The left side is $KL(q||p)$ by definition. Insert the two log densities: the constants $n \\log "
                "2\\pi$ cancel.",
                let=(
                    Let(z, a + e, "a draw of $q$, where $e$ has mean zero and covariance $A$"),
                    Let(log_q, log_density(a, A), "the log density of $N(a, A)$ at $z$"),
                    Let(log_p, log_density(b, B), "the log density of $N(b, B)$ at $z$"),
                ),
                wrong_form=(Expectation(SquaredNorm(z - b, B.I)) - Expectation(SquaredNorm(z - a, A.I))) / 2
                + (LogDet(A) - LogDet(B)) / 2,
            ),
            Step(
                "The square in the first log density",
                sp.Eq(Expectation(SquaredNorm(z - a, A.I)), n, evaluate=False),
                "$z - a = e$, and $e^T A^{-1} e = tr(A^{-1} e e^T)$ has the expectation $tr(A^{-1} A) = n$.",
            ),
            Step(
                "The square in the second log density",
                sp.Eq(Expectation(SquaredNorm(z - b, B.I)), sp.Trace(B.I * A) + distance, evaluate=False),
                "$z - b = (a - b) + e$. The expectation of the cross term $2 (a - b)^T B^{-1} e$ is zero, since $e$ "
                "has mean zero, and that of $e^T B^{-1} e$ is $tr(B^{-1} A)$.",
                wrong_form=sp.Trace(B.I * A) - distance,
            ),
            Step(
                "The divergence",
                sp.Eq(
                    average,
                    (sp.Trace(B.I * A) + distance - n + LogDet(B) - LogDet(A)) / 2,
                    evaluate=False,
                ),
                "Insert both expectations.",
                wrong_form=(sp.Trace(B.I * A) + distance - n + LogDet(A) - LogDet(B)) / 2,
            ),
            Step(
                "The divergence is not negative",
                sp.Ge(average, 0, evaluate=False),
                "The square of $a - b$ is not negative, and neither is the rest, $[\\log\\det B + tr(B^{-1} A) - n - "
                "\\log\\det A]/2$: the log determinant lies below its tangent at $B$.",
                uses=(Use("The divergence"), use_trace(*of_means, times=half), use_tangent(A, B, times=half)),
            ),
            Step(
                "Different covariances",
                sp.Gt(average, 0, evaluate=False),
                "The log determinant lies strictly below its tangent.",
                where=(sp.Ne(A, B, evaluate=False),),
                uses=(
                    Use("The divergence"),
                    use_trace(*of_means, times=half),
                    use_tangent(A, B, times=half, strict=True),
                ),
            ),
            Step(
                "Different means",
                sp.Gt(average, 0, evaluate=False),
                "The square of $a - b$ is positive, because $B^{-1}$ is positive definite.",
                where=(sp.Ne(a, b, evaluate=False),),
                uses=(
                    Use("The divergence"),
                    use_trace(*of_means, times=half, strict=True),
                    use_tangent(A, B, times=half),
                ),
            ),
            Step(
                "One dimension, as an integral",
                sp.Eq(
                    sp.Integral(density * log_ratio.func(y), (y, -sp.oo, sp.oo)),
                    sp.log(v / u) + (u**2 + m**2) / (2 * v**2) - half,
                    evaluate=False,
                ),
                "The same for $q = N(m, u^2)$ and $p = N(0, v^2)$, by an integral over the density of $q$.",
                let=(
                    Let(
                        log_ratio,
                        log_density_of_one(m, u) - log_density_of_one(0, v),
                        "the log ratio of the two densities",
                    ),
                ),
            ),
        ),
        results=("The divergence", "The divergence is not negative"),
        builds_on=("matrix-inequalities",),
    )
