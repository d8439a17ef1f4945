"""Page: a penalty on the aggregate code, and the mean of a kernel."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import C, K, Q, S, beta
from theory.derivations.engine.operators import Expectation, LogDet, SquaredNorm
from theory.derivations.engine.page import Claim, Derivation, Source, Step
from theory.derivations.foundations.elbo_parts import AGGREGATE, aggregate_kl, mutual_information, rate


def derivation() -> Derivation:
    alpha, c, v, a = sp.symbols("alpha c v a", positive=True)
    s, x = sp.symbols("s x", positive=True)
    u, w = sp.symbols("u w", real=True)
    y, z = sp.MatrixSymbol("y", K, 1), sp.MatrixSymbol("z", K, 1)
    Pi, code = sp.MatrixSymbol("Pi", K, K), sp.MatrixSymbol("C_z", K, K)
    normal = sp.exp(-(w**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)

    def log_ratio(draw):
        return (LogDet(code) + SquaredNorm(draw, code.I) - LogDet(Pi) - SquaredNorm(draw, Pi.I)) / 2

    return Derivation(
        name="aggregate-penalty",
        title="A penalty on the aggregate code",
        statement=(
            Claim(
                "With the penalty $\\alpha KL(q(z) || p)$ overlap (the mutual information) and fit (the "
                "divergence from the prior) of the code have separate weights, $\\beta$ and $\\alpha + "
                "\\beta$.",
                by=("The exclusive penalty",),
            ),
            Claim(
                "For the discrepancy with kernel $c/(c + u^2)$ the mean over $u \\sim N(0, v)$ is "
                "$\\int_0^\\infty \\sqrt{a/(a + s)} e^{-s} ds$ with $a = c/(2 v)$.",
                by=(
                    "The kernel as a mixture of Gaussians",
                    "The mean of each Gaussian",
                ),
                argued=True,
            ),
            Claim(
                "This integral is $\\sqrt{\\pi a} e^a erfc(\\sqrt a)$.",
                by=("Mean of the kernel",),
            ),
            Claim(
                "With a learned decoder the penalty changes nothing.",
                by=("The exclusive penalty",),
                argued=True,
            ),
        ),
        assumptions=("Prior $N(0, I)$ in the first step, $N(0, \\Pi)$ in the second; $q(z)$ is Gaussian.",),
        scope=(
            "The two weights for every $K$; the mean of the kernel for every $c$ and $v$. That the optimum with a "
            "learned decoder has $q(z) = p$ is on the page of the aggregate posterior."
        ),
        matrices=dict.fromkeys((C, Q, S, Pi, code), "positive"),
        moments={y: Pi, z: code},
        steps=(
            Step(
                "The exclusive penalty",
                sp.Eq(
                    beta * rate() + alpha * aggregate_kl(),
                    beta * mutual_information() + (alpha + beta) * aggregate_kl(),
                    evaluate=False,
                ),
                "The rate is the mutual information plus the same divergence. All three divergences are zero at $q(z) "
                "= p$, where the optimum with a learned decoder already is.",
                let=(AGGREGATE,),
            ),
            Step(
                "The two directions",
                sp.Eq(
                    Expectation(log_ratio(y)) - Expectation(log_ratio(z)),
                    (sp.Trace(code.I * Pi) + sp.Trace(Pi.I * code)) / 2 - K,
                    evaluate=False,
                ),
                "With $y$ a draw of the prior, $z$ one of the code and $\\log p/q(z)$ in the brackets: the inclusive "
                "divergence $KL(p || q(z))$ plus the exclusive one. They are equal with $C_z$ and $\\Pi$ exchanged, "
                "and in the sum the determinants cancel.",
                wrong_form=(sp.Trace(code.I * Pi) - sp.Trace(Pi.I * code)) / 2,
            ),
            Step(
                "The kernel as a mixture of Gaussians",
                sp.Eq(
                    sp.Integral(sp.exp(-x * (1 + u**2 / c)), (x, 0, sp.oo)),
                    c / (c + u**2),
                    evaluate=False,
                ),
                "The integral of an exponential function of $x$.",
            ),
            Step(
                "The mean of each Gaussian",
                sp.Eq(
                    sp.Integral(normal * sp.exp(-s * w**2 / c), (w, -sp.oo, sp.oo)),
                    1 / sp.sqrt(1 + 2 * v * s / c),
                    evaluate=False,
                ),
                "The product is a Gaussian up to a constant; with $a = c/(2 v)$ this is $\\sqrt{a/(a + s)}$.",
            ),
            Step(
                "The mixture of the means",
                sp.Eq(
                    sp.Derivative(-sp.sqrt(sp.pi * a) * sp.exp(a) * sp.erfc(sp.sqrt(a + s)), s),
                    sp.exp(-s) * sp.sqrt(a) / sp.sqrt(a + s),
                    evaluate=False,
                ),
                "The right side remains to be integrated over $s$ from zero; this antiderivative vanishes at infinity.",
            ),
            Step(
                "Mean of the kernel",
                sp.Eq(
                    sp.Integral(sp.exp(-x) * sp.sqrt(a) / sp.sqrt(a + x), (x, 0, sp.oo)),
                    sp.sqrt(sp.pi * a) * sp.exp(a) * sp.erfc(sp.sqrt(a)),
                    evaluate=False,
                ),
                "Minus the value of the antiderivative at $s = 0$.",
            ),
        ),
        results=("The exclusive penalty", "Mean of the kernel"),
        sources=(Source("mathieu2019", "its objective of two weights, in the linear-Gaussian setting"),),
        builds_on=("elbo-parts", "aggregate-posterior", "gaussian-kl"),
    )
