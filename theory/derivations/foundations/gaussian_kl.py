"""Page: the KL divergence between two Gaussians."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import n
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Let, Step, Use
from theory.derivations.foundations.matrix_inequalities import use_tangent, use_trace


def derivation() -> Derivation:
    m, m_o = sp.MatrixSymbol("m", n, 1), sp.MatrixSymbol("m_o", n, 1)
    M, M_o = sp.MatrixSymbol("M", n, n), sp.MatrixSymbol("M_o", n, n)
    d, z = sp.MatrixSymbol("d", n, 1), sp.MatrixSymbol("z", n, 1)
    log_q, log_p = sp.symbols("L_q L_p", real=True)
    x, y, w = sp.symbols("x y w", real=True)
    s, s_o = sp.symbols("s s_o", positive=True)  # standard deviations
    log_ratio = sp.Function("h")(x)

    def log_density(mean, covariance):
        return -(n * sp.log(2 * sp.pi) + LogDet(covariance) + SquaredNorm(z - mean, covariance.I)) / 2

    def log_density_of_one(mean, deviation):
        return -((x - mean) ** 2) / (2 * deviation**2) - sp.log(deviation) - sp.log(2 * sp.pi) / 2

    density = sp.exp(-((y - w) ** 2) / (2 * s**2)) / (s * sp.sqrt(2 * sp.pi))
    distance = SquaredNorm(m - m_o, M_o.I)
    average = Expectation(log_q - log_p)
    of_means = (M_o.I, m - m_o, sp.Identity(1))
    half = sp.Rational(1, 2)
    return Derivation(
        name="gaussian-kl",
        title="The KL divergence between two Gaussians",
        statement=(
            Claim(
                "For $q = N(m, M)$ and $p = N(m_o, M_o)$ in $n$ dimensions the divergence $KL(q||p)$, the expectation "
                "of $\\log q(z) - \\log p(z)$ under $q$, is half the difference of two expected squares plus half that "
                "of two log determinants.",
                by=("Squares and log determinants",),
            ),
            Claim(
                "It depends only on the means and the covariances: $KL(q||p) = [tr(M_o^{-1} M) + (m - m_o)^T M_o^{-1} "
                "(m - m_o) - n + \\log\\det M_o - \\log\\det M]/2$.",
                by=("The divergence",),
            ),
            Claim("It is not negative.", by=("The divergence is not negative",)),
            Claim(
                "It is zero only if the covariances agree, and the means.",
                by=("Different covariances", "Different means"),
            ),
            Claim(
                "In one dimension, with means $w$ and 0 and standard deviations $s$ and $s_o$, it is $\\log(s_o/s) + "
                "(s^2 + w^2)/(2 s_o^2) - 1/2$.",
                by=("One dimension, as an integral",),
            ),
        ),
        assumptions=("$M$ and $M_o$ are positive definite; the means $m$ and $m_o$ are any vectors.",),
        scope="For every $n$. The last step, an integral over the densities themselves, is the case $n = 1$.",
        matrices={M: "positive", M_o: "positive"},
        moments={d: M},
        steps=(
            Step(
                "Squares and log determinants",
                sp.Eq(
                    average,
                    (Expectation(SquaredNorm(z - m_o, M_o.I)) - Expectation(SquaredNorm(z - m, M.I))) / 2
                    + (LogDet(M_o) - LogDet(M)) / 2,
                    evaluate=False,
                ),
                "The left side is $KL(q||p)$ by definition. Insert the two log densities: the constants $n \\log "
                "2\\pi$ cancel.",
                let=(
                    Let(z, m + d, "a draw of $q$, where $d$ has mean zero and covariance $M$"),
                    Let(log_q, log_density(m, M), "the log density of $N(m, M)$ at $z$"),
                    Let(log_p, log_density(m_o, M_o), "the log density of $N(m_o, M_o)$ at $z$"),
                ),
                wrong_form=(Expectation(SquaredNorm(z - m_o, M_o.I)) - Expectation(SquaredNorm(z - m, M.I))) / 2
                + (LogDet(M) - LogDet(M_o)) / 2,
            ),
            Step(
                "The square in the first log density",
                sp.Eq(Expectation(SquaredNorm(z - m, M.I)), n, evaluate=False),
                "$z - m = d$, and $d^T M^{-1} d = tr(M^{-1} d d^T)$ has the expectation $tr(M^{-1} M) = n$.",
            ),
            Step(
                "The square in the second log density",
                sp.Eq(Expectation(SquaredNorm(z - m_o, M_o.I)), sp.Trace(M_o.I * M) + distance, evaluate=False),
                "$z - m_o = (m - m_o) + d$. The expectation of the cross term $2 (m - m_o)^T M_o^{-1} d$ is zero, "
                "since $d$ has mean zero, and that of $d^T M_o^{-1} d$ is $tr(M_o^{-1} M)$.",
                wrong_form=sp.Trace(M_o.I * M) - distance,
            ),
            Step(
                "The divergence",
                sp.Eq(
                    average,
                    (sp.Trace(M_o.I * M) + distance - n + LogDet(M_o) - LogDet(M)) / 2,
                    evaluate=False,
                ),
                "Insert both expectations.",
                wrong_form=(sp.Trace(M_o.I * M) + distance - n + LogDet(M) - LogDet(M_o)) / 2,
            ),
            Step(
                "The divergence is not negative",
                sp.Ge(average, 0, evaluate=False),
                "The square of $m - m_o$ is not negative, and neither is the rest, $[\\log\\det M_o + tr(M_o^{-1} M) "
                "- n - \\log\\det M]/2$: the log determinant lies below its tangent at $M_o$.",
                uses=(Use("The divergence"), use_trace(*of_means, times=half), use_tangent(M, M_o, times=half)),
            ),
            Step(
                "Different covariances",
                sp.Gt(average, 0, evaluate=False),
                "The log determinant lies strictly below its tangent.",
                where=(sp.Ne(M, M_o, evaluate=False),),
                uses=(
                    Use("The divergence"),
                    use_trace(*of_means, times=half),
                    use_tangent(M, M_o, times=half, strict=True),
                ),
            ),
            Step(
                "Different means",
                sp.Gt(average, 0, evaluate=False),
                "The square of $m - m_o$ is positive, because $M_o^{-1}$ is positive definite.",
                where=(sp.Ne(m, m_o, evaluate=False),),
                uses=(
                    Use("The divergence"),
                    use_trace(*of_means, times=half, strict=True),
                    use_tangent(M, M_o, times=half),
                ),
            ),
            Step(
                "One dimension, as an integral",
                sp.Eq(
                    sp.Integral(density * log_ratio.func(y), (y, -sp.oo, sp.oo)),
                    sp.log(s_o / s) + (s**2 + w**2) / (2 * s_o**2) - half,
                    evaluate=False,
                ),
                "The same for $q = N(w, s^2)$ and $p = N(0, s_o^2)$, by an integral over the density of $q$.",
                let=(
                    Let(
                        log_ratio,
                        log_density_of_one(w, s) - log_density_of_one(0, s_o),
                        "the log ratio of the two densities",
                    ),
                ),
            ),
        ),
        results=("The divergence", "The divergence is not negative"),
        builds_on=("matrix-inequalities",),
    )
