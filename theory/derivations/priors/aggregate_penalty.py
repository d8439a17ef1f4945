"""Page: a penalty on the aggregate code, and the mean of a kernel."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import K, Q, S, beta
from theory.derivations.engine.operators import LogDet
from theory.derivations.engine.page import Derivation, Let, Source, Step
from theory.derivations.foundations.elbo_parts import AGGREGATE, aggregate_kl, mutual_information, rate


def derivation() -> Derivation:
    alpha, c, v, a = sp.symbols("alpha c v a", positive=True)
    s = sp.Symbol("s", positive=True)
    u, inclusive, exclusive = sp.symbols("u k_i k_e", real=True)
    Pi, code = sp.MatrixSymbol("Pi", K, K), sp.MatrixSymbol("C_z", K, K)
    normal = sp.exp(-(u**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)

    def kl(covariance, reference):
        return (sp.Trace(reference.I * covariance) - K + LogDet(reference) - LogDet(covariance)) / 2

    return Derivation(
        name="aggregate-penalty",
        title="A penalty on the aggregate code",
        statement=(
            "With the penalty $\\alpha KL(q(z) || p)$ overlap and fit of the code have separate weights, $\\beta$ and "
            "$\\alpha + \\beta$. For the discrepancy with kernel $c/(c + u^2)$ the mean over $u \\sim N(0, v)$ is "
            "$\\sqrt{\\pi a} e^a erfc(\\sqrt a)$ with $a = c/(2 v)$. With a learned decoder the penalty changes "
            "nothing."
        ),
        assumptions=("Prior $N(0, I)$ in the first step, $N(0, \\Pi)$ in the second; $q(z)$ is Gaussian.",),
        scope=(
            "The two weights for every $K$; the mean of the kernel for every $c$ and $v$. That the optimum with a "
            "learned decoder has $q(z) = p$ is on the page of the aggregate posterior."
        ),
        matrices=dict.fromkeys((Q, S, Pi, code), "positive"),
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
                    inclusive + exclusive,
                    (sp.Trace(code.I * Pi) + sp.Trace(Pi.I * code)) / 2 - K,
                    evaluate=False,
                ),
                "The inclusive divergence is the exclusive one with the covariances $C_z$ and $\\Pi$ exchanged; in the "
                "sum the determinants cancel.",
                let=(
                    Let(inclusive, kl(Pi, code), "$KL(p || q(z))$"),
                    Let(exclusive, kl(code, Pi), "$KL(q(z) || p)$"),
                ),
            ),
            Step(
                "The kernel as a mixture of Gaussians",
                sp.Eq(
                    sp.Integral(sp.exp(-s * (1 + u**2 / c)), (s, 0, sp.oo)),
                    c / (c + u**2),
                    evaluate=False,
                ),
                "The integral of an exponential function of $s$.",
            ),
            Step(
                "The mean of each Gaussian",
                sp.Eq(
                    sp.Integral(normal * sp.exp(-s * u**2 / c), (u, -sp.oo, sp.oo)),
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
                    sp.Integral(sp.exp(-s) * sp.sqrt(a) / sp.sqrt(a + s), (s, 0, sp.oo)),
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
