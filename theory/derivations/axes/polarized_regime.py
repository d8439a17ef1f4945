"""Page: the KL divergence in the polarized regime."""

from __future__ import annotations

import sympy as sp

from theory.derivations.engine.notation import t
from theory.derivations.engine.page import Derivation, Let, Source, Step


def derivation() -> Derivation:
    q, v, l, b = sp.symbols("q v l b", positive=True)  # noqa: E741
    m = sp.Symbol("m", real=True)
    y = sp.Symbol("y", real=True)
    d, p = sp.symbols("d p", real=True)
    density = sp.exp(-(y**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    return Derivation(
        name="polarized-regime",
        title="The divergence in the polarized regime",
        statement=(
            "For an active latent the divergence $(1/2) (\\mu^2 - \\log q - 1)$ is too small by $q/2$. At the optimum, "
            "$q = t/l$, its relative error is $-\\sum (t/l_j) / \\sum \\log(l_j/t)$. The probability that a latent "
            "carries less than $c$ nats is the probability that a chi-square variable is below a bound."
        ),
        assumptions=("Diagonal posterior with variance $q$ of a latent, posterior mean $\\mu$, prior $N(0, 1)$.",),
        scope="One latent; divergences add up over latents. For the probability $\\mu \\sim N(0, v)$.",
        steps=(
            Step(
                "The omitted term",
                sp.Eq(p - d, -q / 2, evaluate=False),
                "The approximation drops the variance itself, which is small for an active latent.",
                let=(
                    Let(d, (m**2 + q - 1 - sp.log(q)) / 2, "the divergence of $N(m, q)$ from $N(0, 1)$"),
                    Let(p, (m**2 - sp.log(q) - 1) / 2, "its approximation in the polarized regime"),
                ),
            ),
            Step(
                "Rate of an active latent at the optimum",
                sp.Eq(((1 - t / l) + t / l - 1 - sp.log(t / l)) / 2, sp.log(l / t) / 2, evaluate=False),
                "There $q = t/l$ and the mean square of $\\mu$ is $1 - t/l$.",
            ),
            Step(
                "Relative error at the optimum",
                sp.Eq(
                    (((1 - t / l) - sp.log(t / l) - 1) / 2 - sp.log(l / t) / 2) / (sp.log(l / t) / 2),
                    -(t / l) / sp.log(l / t),
                    evaluate=False,
                ),
                "With several active latents numerator and denominator are sums over them.",
                domain={t: (0, sp.Rational(1, 2)), l: (1, 3)},
            ),
            Step(
                "Probability of collapse",
                sp.Eq(
                    sp.Integral(density, (y, -sp.sqrt(b), sp.sqrt(b))),
                    sp.erf(sp.sqrt(b / (2 * v))),
                    evaluate=False,
                ),
                "The divergence is below $c$ iff $\\mu^2 < b$ with $b = 2 c + 1 + \\log q - q$: the "
                "distribution function of chi-square with one degree of freedom at $b/v$.",
            ),
        ),
        results=("Relative error at the optimum", "Probability of collapse"),
        sources=(Source("rolinek2019", "the approximation; its error at the optimum is worked out here"),),
        builds_on=("gaussian-kl", "global-optimum"),
    )
